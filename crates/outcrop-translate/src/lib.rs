//! Client protocols to and from Converse, without I/O.
//!
//! A client endpoint is one implementation of [`Endpoint`]; a model family adapts what Converse leaves to it
//! ([`catalogue`]). Both meet in Converse's types, so that N endpoints and M families cost N + M pieces. Ids and time come
//! in as arguments: the same request always gives the same calls.

pub mod catalogue;
pub mod cohere;
mod effort;
mod endpoint;
mod invoke;
mod lesson;
mod media;
mod names;
mod notes;
pub mod openai;
pub mod policy;
mod problem;
mod remote;
pub mod resolve;
pub mod schema;
mod stop;
mod task;
mod tokens;
mod unread;
mod vectors;
mod wire;

pub use catalogue::{Catalogue, CatalogueError};
pub use endpoint::{Advisor, CallSize, Context, Endpoint, Halt, Passed, Plan, Repair, StreamTranslator, Untold};
pub use lesson::{Lesson, Teaching};
pub use names::{Names, Restorer};
pub use notes::{Note, Notes};
pub use policy::Policy;
pub use problem::{AwsDetail, Problem, ProblemKind};
pub use remote::{Fetched, Remote};
pub use stop::StopMatcher;
pub use task::{
    AnswerContext, Billed, File, Form, Input, Part, Shelf, Task, TaskAnswer, TaskCall, TaskPlan, TaskReply,
};
pub use unread::Unread;
pub use wire::{StreamReader, Wire};

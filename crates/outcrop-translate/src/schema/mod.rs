//! JSON Schema, as structured output and tools need it: making a client's schema fit what a model demands, checking
//! what the model answered, and finding the JSON in an answer.
//!
//! Schemas are walked as `serde_json::Value`: they are read only where one has to change or to be checked, which is off
//! the hot path. Members keep the client's order, since it is the order in which models write theirs, and since prompt
//! caches compare bytes.

mod closing;
mod extract;
mod instruction;

mod object;
mod places;
mod relaxing;
mod unwrap;
mod validator;

pub use closing::{Closing, close_objects};
pub use extract::json_in;
pub use instruction::{answer_in_json, repair};
pub use object::{ObjectSchema, WRAPPED_MEMBER, object_schema};
pub use relaxing::relax;
pub use unwrap::MemberStream;
pub use validator::{Validator, Violation};

//! OpenAI's protocols.

pub mod chat;
pub mod completions;
pub mod embeddings;
mod error;
mod events;
pub mod images;
pub(crate) mod members;
pub mod moderations;
pub mod token_counts;

pub use error::error_body;

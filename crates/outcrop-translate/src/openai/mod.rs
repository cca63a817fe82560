//! OpenAI's protocols.

pub mod chat;
pub mod completions;
pub mod embeddings;
mod error;
pub mod images;
pub mod moderations;
pub mod token_counts;

pub use error::error_body;

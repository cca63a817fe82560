//! OpenAI's protocols.

pub mod chat;
pub mod completions;
pub mod embeddings;
mod error;
pub mod images;

pub use error::error_body;

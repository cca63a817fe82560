//! OpenAI's protocols.

pub mod chat;
pub mod completions;
mod error;

pub use error::error_body;

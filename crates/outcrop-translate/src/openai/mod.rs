//! OpenAI's protocols.

pub mod chat;
pub mod completions;
mod error;
pub mod images;
pub mod moderations;

pub use error::error_body;

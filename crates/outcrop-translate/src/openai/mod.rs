//! OpenAI's protocols.

pub mod chat;
mod error;

pub use error::error_body;

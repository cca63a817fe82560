//! Cohere's protocols.

mod error;
pub mod rerank;

pub use error::error_body;

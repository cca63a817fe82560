//! Bedrock's own language, without I/O: Converse requests, replies and events, event-stream frames, error names, model
//! ids, and the small JSON reader and writer that carry large documents as slices of what was received.
//!
//! Everything here is a pure function of its arguments: no clock, no randomness, no sockets.

pub mod base64;
pub mod call;
pub mod converse;
pub mod exception;
pub mod frame;
pub mod json;
pub mod model_id;
pub mod sse;

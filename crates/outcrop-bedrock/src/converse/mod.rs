//! Converse, the pivot of all translations: its request, its reply and the events of its stream.
//!
//! Source of names, limits and unions: service model of Bedrock Runtime (botocore 1.44.5, 2026-11). What the model
//! knows and this module doesn't is kept as JSON, never lost.

mod content;
mod event;
mod request;
mod response;

pub use content::{ContentBlock, ImageFormat, Reasoning, ToolResult, ToolResultBlock, ToolUse};
pub use event::{BlockStart, Delta, Event};
pub use request::{
    ConverseRequest, InferenceConfig, Message, Role, SystemBlock, Tool, ToolChoice, ToolConfig, ToolSpec,
};
pub use response::{ConverseResponse, StopReason, TokenUsage};

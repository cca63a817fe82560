//! Converse, the pivot of all translations: its request, its reply and the events of its stream.
//!
//! Source of names, limits and unions: service model of Bedrock Runtime (botocore 1.44.5, 2026-11). What the model
//! knows and this module doesn't is kept as JSON, never lost.

mod cache;
mod content;
mod event;
mod media;
mod request;
mod response;
mod usage;

pub use cache::CacheTtl;
pub use content::{ContentBlock, Reasoning, ToolResult, ToolResultBlock, ToolResultStatus, ToolUse};
pub use event::{BlockStart, Delta, Event};
pub use media::{
    Audio, AudioFormat, Document, DocumentFormat, Image, ImageFormat, S3Location, Source, Video, VideoFormat,
};
pub use request::{
    ConverseRequest, InferenceConfig, JsonSchema, MediaSize, Message, OutputConfig, Role, SystemBlock, Tool,
    ToolChoice, ToolConfig, ToolSpec,
};
pub use response::{ConverseResponse, Extras, StopReason};
pub use usage::{Served, ServiceTier, TokenUsage};

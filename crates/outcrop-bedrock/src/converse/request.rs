//! The request of `Converse` and `ConverseStream`.

use std::borrow::Cow;

use bytes::{Buf as _, Bytes};

use super::cache::CacheTtl;
use super::content::{ContentBlock, write_guard_text};
use super::media::LARGE_MEDIA;
use crate::call::CallBody;
use crate::json::{Json, JsonText, ObjectWriter, ToJson};

/// The largest first allocation for what is written of a document: large media are not copied.
const MAX_TRUSTED_BYTES: usize = 512 * 1024;

/// A request. Empty lists and absent values are not written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConverseRequest<'a> {
    /// The conversation: user and assistant in turn, the user first.
    pub messages: Vec<Message<'a>>,
    /// System prompts.
    pub system: Vec<SystemBlock<'a>>,
    /// Sampling and length.
    pub inference_config: InferenceConfig<'a>,
    /// Tools that the model may call.
    pub tool_config: Option<ToolConfig<'a>>,
    /// Parameters of the model that Converse has no name for.
    pub additional_model_request_fields: Vec<(Cow<'a, str>, Json<'a>)>,
    /// JSON pointers to fields of the model's own answer: at most 10.
    pub additional_model_response_field_paths: Vec<JsonText<'a>>,
    /// For the invocation log: 1–16 pairs, keys and values of at most 256 characters.
    pub request_metadata: Vec<(String, String)>,
    /// A `GuardrailConfiguration`, or a `GuardrailStreamConfiguration`.
    pub guardrail_config: Option<Json<'a>>,
    /// A `PerformanceConfiguration`.
    pub performance_config: Option<Json<'a>>,
    /// The type of a `ServiceTier`.
    pub service_tier: Option<JsonText<'a>>,
    /// A `PromptVariableMap`.
    pub prompt_variables: Option<Json<'a>>,
    /// The form and the effort of the answer.
    pub output_config: OutputConfig<'a>,
}

/// The form and the effort of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutputConfig<'a> {
    /// The schema that the answer's text must fit.
    pub text_format: Option<JsonSchema<'a>>,
    /// `low`, `medium`, `high`, `xhigh` or `max`.
    pub effort: Option<&'static str>,
}

/// A schema for an answer's text.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonSchema<'a> {
    /// The schema, as a string of JSON.
    pub schema: JsonText<'a>,
    /// What the answer is called.
    pub name: Option<JsonText<'a>>,
    /// What it is for.
    pub description: Option<JsonText<'a>>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `user`
    User,
    /// `assistant`
    Assistant,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// A turn of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Vec<ContentBlock<'a>>,
}

/// A block of the system prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemBlock<'a> {
    /// Text; Bedrock refuses blank ones.
    Text(JsonText<'a>),
    /// Text that a guardrail judges.
    GuardText(JsonText<'a>),
    /// What stands before it may be remembered.
    CachePoint(CacheTtl),
}

/// Sampling and length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InferenceConfig<'a> {
    /// At least 1.
    pub max_tokens: Option<u64>,
    /// From 0 to 1.
    pub temperature: Option<f64>,
    /// From 0 to 1.
    pub top_p: Option<f64>,
    /// At most 2,500, not empty.
    pub stop_sequences: Vec<JsonText<'a>>,
}

impl InferenceConfig<'_> {
    fn is_empty(&self) -> bool {
        self.max_tokens.is_none()
            && self.temperature.is_none()
            && self.top_p.is_none()
            && self.stop_sequences.is_empty()
    }
}

/// Tools that the model may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolConfig<'a> {
    /// At least one.
    pub tools: Vec<Tool<'a>>,
    /// Whether it must.
    pub tool_choice: Option<ToolChoice<'a>>,
}

/// A tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool<'a> {
    /// One that the client runs.
    Spec(ToolSpec<'a>),
    /// The tools before it may be remembered.
    CachePoint(CacheTtl),
}

/// A tool that the client runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolSpec<'a> {
    /// 1–64 of `[a-zA-Z0-9_-]`.
    pub name: JsonText<'a>,
    /// Not empty.
    pub description: Option<JsonText<'a>>,
    /// JSON Schema of the arguments: an object.
    pub input_schema: Json<'a>,
    /// Whether the arguments must fit the schema; not written where they need not.
    pub strict: bool,
}

/// Whether a tool must be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice<'a> {
    /// As the model likes.
    Auto,
    /// One at least.
    Any,
    /// This one.
    Tool(JsonText<'a>),
}

/// How much of a request is media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaSize {
    /// Images.
    pub images: u64,
    /// Characters of the base64 of images.
    pub image_chars: u64,
    /// Characters of the base64 of documents, sounds and films.
    pub other_chars: u64,
}

impl ConverseRequest<'_> {
    /// How much of it is media.
    pub fn media_size(&self) -> MediaSize {
        let mut size = MediaSize::default();
        let blocks = self.messages.iter().flat_map(|message| &message.content);
        for (is_image, source) in blocks.flat_map(ContentBlock::media) {
            let chars = u64::try_from(source.chars()).unwrap_or(u64::MAX);
            if is_image {
                size.images += 1;
                size.image_chars += chars;
            } else {
                size.other_chars += chars;
            }
        }
        size
    }

    /// Writes the request. Large media stay slices of `source`, the document that the request was read from.
    pub fn to_body(&self, source: &Bytes) -> CallBody {
        let mut out = Vec::with_capacity(source.len().min(MAX_TRUSTED_BYTES) + 256);
        self.write(&mut out);
        let mut media = self
            .messages
            .iter()
            .flat_map(|message| &message.content)
            .flat_map(ContentBlock::large_media)
            .peekable();
        let mut rest = Bytes::from(out);
        let mut pieces = Vec::new();
        while media.peek().is_some()
            && let Some(at) = rest.iter().position(|&byte| byte == LARGE_MEDIA)
            && let Some(medium) = media.next()
        {
            pieces.push(rest.split_to(at));
            pieces.push(medium.piece(source));
            // The byte that stood for them.
            rest.advance(1);
        }
        pieces.push(rest);
        CallBody::new(pieces)
    }

    fn write(&self, out: &mut Vec<u8>) {
        ObjectWriter::write(out, |request| {
            request.field("messages", &self.messages);
            request.unless_empty("system", &self.system);
            if !self.inference_config.is_empty() {
                request.field("inferenceConfig", &self.inference_config);
            }
            request.optional("toolConfig", &self.tool_config);
            if !self.additional_model_request_fields.is_empty() {
                request.object("additionalModelRequestFields", |fields| {
                    for (name, value) in &self.additional_model_request_fields {
                        fields.field(name, value);
                    }
                });
            }
            request.unless_empty(
                "additionalModelResponseFieldPaths",
                &self.additional_model_response_field_paths,
            );
            request.optional("guardrailConfig", &self.guardrail_config);
            request.optional("performanceConfig", &self.performance_config);
            if let Some(tier) = &self.service_tier {
                request.object("serviceTier", |object| object.field("type", tier));
            }
            request.optional("promptVariables", &self.prompt_variables);
            if self.output_config != OutputConfig::default() {
                request.field("outputConfig", &self.output_config);
            }
            if !self.request_metadata.is_empty() {
                request.object("requestMetadata", |metadata| {
                    for (key, value) in &self.request_metadata {
                        metadata.field(key, value);
                    }
                });
            }
        });
    }
}

impl ToJson for Message<'_> {
    fn write_json(&self, out: &mut Vec<u8>) {
        ObjectWriter::write(out, |message| {
            message.field("role", self.role.name());
            message.field("content", &self.content);
        });
    }
}

impl ToJson for SystemBlock<'_> {
    fn write_json(&self, out: &mut Vec<u8>) {
        ObjectWriter::write(out, |block| match self {
            Self::Text(text) => block.field("text", text),
            Self::GuardText(text) => write_guard_text(block, text),
            Self::CachePoint(ttl) => ttl.write(block),
        });
    }
}

impl ToJson for InferenceConfig<'_> {
    fn write_json(&self, out: &mut Vec<u8>) {
        ObjectWriter::write(out, |config| {
            config.optional("maxTokens", &self.max_tokens);
            config.optional("temperature", &self.temperature);
            config.optional("topP", &self.top_p);
            config.unless_empty("stopSequences", &self.stop_sequences);
        });
    }
}

impl ToJson for OutputConfig<'_> {
    fn write_json(&self, out: &mut Vec<u8>) {
        ObjectWriter::write(out, |config| {
            if let Some(format) = &self.text_format {
                config.object("textFormat", |text_format| {
                    text_format.field("type", "json_schema");
                    text_format.object("structure", |structure| {
                        structure.object("jsonSchema", |schema| {
                            schema.field("schema", &format.schema);
                            schema.optional("name", &format.name);
                            schema.optional("description", &format.description);
                        });
                    });
                });
            }
            if let Some(effort) = self.effort {
                config.field("effort", effort);
            }
        });
    }
}

impl ToJson for ToolConfig<'_> {
    fn write_json(&self, out: &mut Vec<u8>) {
        ObjectWriter::write(out, |config| {
            config.field("tools", &self.tools);
            config.optional("toolChoice", &self.tool_choice);
        });
    }
}

impl ToJson for Tool<'_> {
    fn write_json(&self, out: &mut Vec<u8>) {
        ObjectWriter::write(out, |tool| match self {
            Self::Spec(spec) => tool.object("toolSpec", |object| {
                object.field("name", &spec.name);
                object.optional("description", &spec.description);
                object.object("inputSchema", |schema| schema.field("json", &spec.input_schema));
                if spec.strict {
                    object.field("strict", &true);
                }
            }),
            Self::CachePoint(ttl) => ttl.write(tool),
        });
    }
}

impl ToJson for ToolChoice<'_> {
    fn write_json(&self, out: &mut Vec<u8>) {
        ObjectWriter::write(out, |choice| match self {
            Self::Auto => choice.object("auto", |_| {}),
            Self::Any => choice.object("any", |_| {}),
            Self::Tool(name) => choice.object("tool", |tool| tool.field("name", name)),
        });
    }
}

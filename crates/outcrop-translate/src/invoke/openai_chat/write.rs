//! A Converse request as a body of OpenAI's shape.

use bytes::Bytes;
use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::{ConverseRequest, JsonSchema, Tool, ToolChoice, ToolConfig, ToolSpec};
use outcrop_bedrock::json::{Json, ObjectWriter, write_array};

use super::super::unplaced::{
    note_lost, note_lost_cache_points, note_lost_output_config, unsupported_tools, write_rest,
};
use super::messages::Messages;
use crate::notes::Notes;
use crate::problem::Problem;

/// What an answer's schema is called where the client gives it no name: OpenAI demands one.
const SCHEMA_NAME: &str = "answer";

/// In what shapes like OpenAI's differ.
#[derive(Clone, Debug)]
pub(in crate::invoke) struct Dialect {
    /// Name of the member that limits the answer.
    pub(in crate::invoke) max_tokens: &'static str,
    /// Its largest value.
    pub(in crate::invoke) most_tokens: Option<u64>,
    /// Whether messages may hold images.
    pub(in crate::invoke) images: bool,
    /// Whether messages may hold sounds.
    pub(in crate::invoke) audio: bool,
    /// Whether there are tools.
    pub(in crate::invoke) tools: bool,
    /// Whether tools may be `strict`.
    pub(in crate::invoke) strict_tools: bool,
    /// How the model is made to call a tool.
    pub(in crate::invoke) forced_tool: ForcedTool,
    /// Whether there are `response_format` and `reasoning_effort`.
    pub(in crate::invoke) output_config: bool,
}

/// How a model is made to call a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::invoke) enum ForcedTool {
    /// `required`, or a function by its name.
    Named,
    /// `any`.
    Any,
}

/// Writes the body.
pub(in crate::invoke) fn body(
    request: &ConverseRequest<'_>,
    dialect: &Dialect,
    notes: &mut Notes,
) -> Result<CallBody, Problem> {
    note_lost(request, notes);
    note_lost_cache_points(request, notes);
    let messages = Messages::of(request, dialect, notes)?;
    if request.tool_config.is_some() && !dialect.tools {
        return Err(unsupported_tools());
    }
    let schema = schema(request, dialect)?;
    if !dialect.output_config {
        note_lost_output_config(request, notes);
    }
    let mut out = Vec::with_capacity(4096);
    ObjectWriter::write(&mut out, |object| {
        let mut body = Members {
            object,
            written: Vec::new(),
        };
        messages.write(body.key("messages"));
        write_sampling(request, dialect, &mut body, notes);
        write_tools(request, dialect, &mut body, notes);
        if let Some((format, schema)) = schema {
            write_response_format(format, &schema, &mut body);
        }
        if let Some(effort) = request.output_config.effort.filter(|_| dialect.output_config) {
            body.take("reasoning_effort").field("reasoning_effort", effort);
        }
        let Members { object, written } = body;
        write_rest(request, &written, object, notes);
    });
    Ok(CallBody::new(vec![Bytes::from(out)]))
}

/// The body, and the names of the members that it has.
struct Members<'b, 'o> {
    object: &'b mut ObjectWriter<'o>,
    written: Vec<&'static str>,
}

impl<'o> Members<'_, 'o> {
    /// The body, in which `name` is written next.
    fn take(&mut self, name: &'static str) -> &mut ObjectWriter<'o> {
        self.written.push(name);
        self.object
    }

    fn key(&mut self, name: &'static str) -> &mut Vec<u8> {
        self.written.push(name);
        self.object.key(name)
    }
}

fn write_sampling(request: &ConverseRequest<'_>, dialect: &Dialect, body: &mut Members<'_, '_>, notes: &mut Notes) {
    let config = &request.inference_config;
    if let Some(wanted) = config.max_tokens {
        let most = dialect.most_tokens.unwrap_or(u64::MAX);
        if wanted > most {
            notes.lose("max_tokens", &most.to_string(), "largest-of-model");
        }
        body.take(dialect.max_tokens)
            .field(dialect.max_tokens, &wanted.min(most));
    }
    if let Some(temperature) = &config.temperature {
        body.take("temperature").field("temperature", temperature);
    }
    if let Some(top_p) = &config.top_p {
        body.take("top_p").field("top_p", top_p);
    }
    if !config.stop_sequences.is_empty() {
        body.take("stop").field("stop", &config.stop_sequences);
    }
}

fn write_tools(request: &ConverseRequest<'_>, dialect: &Dialect, body: &mut Members<'_, '_>, notes: &mut Notes) {
    let Some(ToolConfig { tools, tool_choice }) = &request.tool_config else {
        return;
    };
    let specs = tools.iter().filter_map(|tool| match tool {
        Tool::Spec(spec) => Some(spec),
        Tool::CachePoint(_) => None,
    });
    let mut specs: Vec<&ToolSpec<'_>> = specs.collect();
    if let (ForcedTool::Any, Some(ToolChoice::Tool(name))) = (dialect.forced_tool, tool_choice)
        && specs.iter().any(|spec| spec.name == *name)
    {
        // Any of one is that one.
        notes.add("tool_choice", "required", "only-that-tool-is-declared");
        specs.retain(|spec| spec.name == *name);
    }
    if specs.is_empty() {
        return;
    }
    if !dialect.strict_tools && specs.iter().any(|spec| spec.strict) {
        notes.lose("tools.strict", "dropped", "unsupported-by-model");
    }
    write_array(body.key("tools"), specs, |spec, out| {
        ObjectWriter::write(out, |tool| {
            tool.field("type", "function");
            tool.object("function", |function| {
                function.field("name", &spec.name);
                function.optional("description", &spec.description);
                function.field("parameters", &spec.input_schema);
                if spec.strict && dialect.strict_tools {
                    function.field("strict", &true);
                }
            });
        });
    });
    let Some(choice) = tool_choice else { return };
    let object = body.take("tool_choice");
    match (choice, dialect.forced_tool) {
        (ToolChoice::Auto, _) => object.field("tool_choice", "auto"),
        (ToolChoice::Any, ForcedTool::Named) => object.field("tool_choice", "required"),
        (ToolChoice::Any | ToolChoice::Tool(_), ForcedTool::Any) => object.field("tool_choice", "any"),
        (ToolChoice::Tool(name), ForcedTool::Named) => object.object("tool_choice", |choice| {
            choice.field("type", "function");
            choice.object("function", |function| function.field("name", name));
        }),
    }
}

/// The schema that the answer must fit. Converse has it as a string, OpenAI as what is in it.
fn schema<'r, 'a>(
    request: &'r ConverseRequest<'a>,
    dialect: &Dialect,
) -> Result<Option<(&'r JsonSchema<'a>, Json<'static>)>, Problem> {
    let format = request.output_config.text_format.as_ref();
    let Some(format) = format.filter(|_| dialect.output_config) else {
        return Ok(None);
    };
    let schema = format.schema.decoded();
    match Json::parse(&schema) {
        Ok(schema) => Ok(Some((format, schema.into_owned()))),
        Err(fault) => {
            let message = format!("Invalid 'response_format': the schema is not valid JSON: {fault}.");
            Err(Problem::invalid(message)
                .with_code("invalid_value")
                .with_param("response_format"))
        }
    }
}

fn write_response_format(format: &JsonSchema<'_>, schema: &Json<'_>, body: &mut Members<'_, '_>) {
    body.take("response_format").object("response_format", |object| {
        object.field("type", "json_schema");
        object.object("json_schema", |object| {
            match &format.name {
                Some(name) => object.field("name", name),
                None => object.field("name", SCHEMA_NAME),
            }
            object.optional("description", &format.description);
            object.field("schema", schema);
            // On Converse, the schema is a promise.
            object.field("strict", &true);
        });
    });
}

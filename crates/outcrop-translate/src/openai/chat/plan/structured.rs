//! `response_format`: the surest of the ways in which the model can be brought to answer in a form.

use std::sync::Arc;

use outcrop_bedrock::converse::{
    ConverseRequest, JsonSchema, Message, Role, SystemBlock, Tool, ToolChoice, ToolConfig, ToolSpec,
};
use outcrop_bedrock::json::{Json, JsonText};
use serde_json::Value;

use super::super::form::{Form, Way};
use super::super::request::{self, ChatRequest};
use super::super::response_format::{self, ResponseFormat};
use super::thinking;
use crate::catalogue::{ForcedTools, Traits};
use crate::names::Names;
use crate::notes::Notes;
use crate::problem::Problem;
use crate::schema::{Closing, Validator, answer_in_json, close_objects, object_schema, relax};

/// Name of the tool whose arguments are the answer.
const TOOL_NAME: &str = "answer_in_json";
/// What the model is told of it.
const TOOL_DESCRIPTION: &str = "Gives the answer to the user. Call it once, with the whole answer as its arguments.";
/// Its schema where the client has none.
const ANY_OBJECT: &str = r#"{"type":"object","properties":{},"additionalProperties":true}"#;

/// Where a request's schema stands.
const SCHEMA: &str = "response_format.json_schema.schema";

/// Asks for the form; `None` for any text.
pub(super) fn place<'a>(
    request: &'a ChatRequest<'a>,
    traits: &Traits,
    thinking: thinking::Placed,
    names: &mut Names<'a>,
    converse: &mut ConverseRequest<'a>,
    notes: &mut Notes,
) -> Result<Option<Form>, Problem> {
    let asked = match &request.response_format {
        ResponseFormat::Text => return Ok(None),
        ResponseFormat::JsonObject => None,
        ResponseFormat::JsonSchema(asked) => Some(asked),
    };
    let schema = asked
        .and_then(|asked| asked.schema.as_ref())
        .map(read_schema)
        .transpose()?;
    let validator = schema
        .as_ref()
        .map(|schema| Validator::new(schema).map(Arc::new))
        .transpose()
        .map_err(|fault| {
            let path = format!("{SCHEMA}{}", under(&fault.path));
            let problem = Problem::invalid(format!("Invalid schema at '{path}': {}.", fault.message));
            problem.with_code("invalid_schema").with_param(path)
        })?;
    let mut form = Form {
        way: Way::Instruction,
        tool: None,
        is_wrapped: false,
        is_strict: asked.is_some_and(|asked| asked.strict),
        validator,
    };
    let object = schema.clone().map(object_schema);
    if let (Some(asked), Some(object)) = (asked, &object)
        && !is_prefilled(&converse.messages)
        && traits.structured_output
        && let Some(schema) = native(&object.schema, traits, notes)
    {
        form.way = Way::Native;
        form.is_wrapped = object.wrapped;
        converse.output_config.text_format = Some(JsonSchema {
            schema: JsonText::encode(&schema),
            name: asked.name.clone(),
            description: asked.description.clone(),
        });
        return Ok(Some(form));
    }
    if is_prefilled(&converse.messages) {
        // What goes on from the client's own words is no document by itself.
        notes.lose("response_format", "dropped", "prefill");
        return Ok(None);
    }
    let reason = match asked {
        None => "no-schema",
        Some(_) if traits.structured_output => "schema-is-open",
        Some(_) => "no-native-structured-output",
    };
    if can_be_forced(request, traits, thinking) {
        notes.add("response_format", "tool", reason);
        form.way = Way::Tool;
        form.is_wrapped = object.as_ref().is_some_and(|object| object.wrapped);
        let input_schema = match &object {
            Some(object) => json_of(&object.schema),
            None => Json::parse(ANY_OBJECT).unwrap_or(Json::EMPTY_OBJECT),
        };
        form.tool = Some(add_tool(asked, input_schema, request, traits, names, converse));
        if asked.is_none() {
            converse
                .system
                .push(SystemBlock::Text(JsonText::encode(&answer_in_json(None))));
        }
        return Ok(Some(form));
    }
    notes.add("response_format", "instruction", reason);
    let schema = schema.map(|schema| schema.to_string());
    let words = answer_in_json(schema.as_deref());
    converse.system.push(SystemBlock::Text(JsonText::encode(&words)));
    Ok(Some(form))
}

/// Whether the answer begins with the client's own words.
fn is_prefilled(messages: &[Message<'_>]) -> bool {
    messages.last().is_some_and(|last| last.role == Role::Assistant)
}

fn read_schema(schema: &Json<'_>) -> Result<Value, Problem> {
    serde_json::from_str(schema.as_str()).map_err(|error| {
        let problem = Problem::invalid(format!("Invalid schema at '{SCHEMA}': {error}."));
        problem.with_code("invalid_schema").with_param(SCHEMA)
    })
}

fn under(path: &str) -> String {
    match path.chars().next() {
        None => String::new(),
        Some('[') => path.to_owned(),
        Some(_) => format!(".{path}"),
    }
}

/// The schema as the model takes it natively, if it does.
fn native(schema: &Value, traits: &Traits, notes: &mut Notes) -> Option<String> {
    if !traits.closed_schemas {
        return Some(schema.to_string());
    }
    let mut closed = schema.clone();
    if let Closing::Open(_) = close_objects(&mut closed) {
        return None;
    }
    if relax(&mut closed) {
        notes.add(SCHEMA, "limits-in-words", "refused-by-model");
    }
    Some(closed.to_string())
}

/// Whether the model can be made to call the tool that takes the answer, and the client doesn't want another called.
fn can_be_forced(request: &ChatRequest<'_>, traits: &Traits, thinking: thinking::Placed) -> bool {
    let is_forceable = matches!(traits.forced_tools, ForcedTools::AnyOrNamed | ForcedTools::Any);
    let wants_another = matches!(
        request.tool_choice,
        Some(request::ToolChoice::Required | request::ToolChoice::Function(_))
    );
    traits.tools && is_forceable && !thinking.restricts && !wants_another
}

/// Declares the tool that takes the answer, beside the client's, and makes the model call one of them.
fn add_tool<'a>(
    asked: Option<&'a response_format::JsonSchema<'a>>,
    input_schema: Json<'static>,
    request: &ChatRequest<'a>,
    traits: &Traits,
    names: &mut Names<'a>,
    converse: &mut ConverseRequest<'a>,
) -> String {
    let mut name = TOOL_NAME.to_owned();
    while request
        .tools
        .iter()
        .any(|tool| names.name(&tool.name).decoded() == name)
    {
        name.push('_');
    }
    let description = asked
        .and_then(|asked| asked.description.clone())
        .filter(|description| !description.is_blank())
        .unwrap_or_else(|| JsonText::encode(TOOL_DESCRIPTION));
    let spec = ToolSpec {
        name: JsonText::encode(&name),
        description: Some(description),
        input_schema,
        strict: false,
    };
    let config = converse.tool_config.get_or_insert(ToolConfig {
        tools: Vec::new(),
        tool_choice: None,
    });
    let is_alone = config.tools.is_empty();
    config.tools.push(Tool::Spec(spec));
    config.tool_choice = Some(if is_alone && traits.forced_tools == ForcedTools::AnyOrNamed {
        ToolChoice::Tool(JsonText::encode(&name))
    } else {
        ToolChoice::Any
    });
    name
}

/// A value as the JSON that a call carries.
pub(super) fn json_of(value: &Value) -> Json<'static> {
    Json::parse(&value.to_string()).map_or(Json::EMPTY_OBJECT, Json::into_owned)
}

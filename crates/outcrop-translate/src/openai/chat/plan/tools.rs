//! `tools` and `tool_choice` as Converse's tool configuration.

use std::borrow::Cow;
use std::collections::HashSet;

use outcrop_bedrock::converse::{ConverseRequest, Tool, ToolChoice, ToolConfig, ToolSpec};
use outcrop_bedrock::json::{Json, Kind};

use super::super::request::{self, ChatRequest};
use super::structured::json_of;
use crate::catalogue::{ForcedTools, Traits};
use crate::names::Names;
use crate::notes::Notes;
use crate::problem::Problem;
use crate::schema::{Closing, close_objects, relax};

/// The schema of a tool whose arguments nobody described.
const ANY_OBJECT: &str = r#"{"type":"object","properties":{}}"#;

/// Whether the model may call the client's tools. If not, none are declared: Converse has no `tool_choice` of "none".
/// A history with calls is then told in words, for Bedrock takes calls only beside declared tools.
pub(super) fn are_within_reach(request: &ChatRequest<'_>, traits: &Traits) -> Result<bool, Problem> {
    let choice = request.tool_choice.as_ref();
    if request.tools.is_empty() {
        if matches!(
            choice,
            Some(request::ToolChoice::Required | request::ToolChoice::Function(_))
        ) {
            let problem = Problem::invalid("Invalid 'tool_choice': there are no 'tools' to choose from.");
            return Err(problem.with_code("invalid_value").with_param("tool_choice"));
        }
        return Ok(false);
    }
    if matches!(choice, Some(request::ToolChoice::None)) {
        return Ok(false);
    }
    if !traits.tools {
        let problem = Problem::invalid("Unsupported parameter: 'tools'; this model can't call tools.");
        return Err(problem.with_code("unsupported_parameter").with_param("tools"));
    }
    Ok(true)
}

/// Translates tools that are within reach. `thinking_restricts` forbids forcing.
pub(super) fn translate<'a>(
    request: &'a ChatRequest<'a>,
    traits: &Traits,
    thinking_restricts: bool,
    names: &mut Names<'a>,
    notes: &mut Notes,
) -> Result<ToolConfig<'a>, Problem> {
    let mut tools = Vec::with_capacity(request.tools.len());
    let mut seen = HashSet::with_capacity(request.tools.len());
    for (index, tool) in request.tools.iter().enumerate() {
        let problem = if tool.name.inner().is_empty() {
            Some("a tool needs a name")
        } else if !seen.insert(tool.name.token()) {
            Some("there are two tools of this name")
        } else {
            None
        };
        if let Some(problem) = problem {
            let path = format!("tools[{index}].function.name");
            let problem = Problem::invalid(format!("Invalid '{path}': {problem}."));
            return Err(problem.with_code("invalid_value").with_param(path));
        }
        tools.push(Tool::Spec(ToolSpec {
            name: names.name(&tool.name),
            description: tool.description.clone().filter(|description| !description.is_blank()),
            input_schema: input_schema(tool, index)?,
            strict: false,
        }));
        if tool.strict {
            make_strict(tools.last_mut(), traits, notes);
        }
        if let Some(ttl) = tool.cache_point {
            tools.push(Tool::CachePoint(ttl));
        }
    }
    let wanted = match &request.tool_choice {
        None | Some(request::ToolChoice::None) => None,
        Some(request::ToolChoice::Auto) => Some(ToolChoice::Auto),
        Some(request::ToolChoice::Required) => Some(ToolChoice::Any),
        Some(request::ToolChoice::Allowed {
            names: allowed,
            is_required,
        }) => {
            let allowed: HashSet<String> = allowed
                .iter()
                .map(|name| names.name(name).decoded().into_owned())
                .collect();
            tools.retain(|tool| match tool {
                Tool::Spec(spec) => allowed.contains(spec.name.decoded().as_ref()),
                Tool::CachePoint(_) => true,
            });
            if !tools.iter().any(|tool| matches!(tool, Tool::Spec(_))) {
                let problem = Problem::invalid("Invalid 'tool_choice': none of the allowed tools is among 'tools'.");
                return Err(problem
                    .with_code("invalid_value")
                    .with_param("tool_choice.allowed_tools.tools"));
            }
            Some(if *is_required {
                ToolChoice::Any
            } else {
                ToolChoice::Auto
            })
        }
        Some(request::ToolChoice::Function(name)) => {
            let is_declared = |tool: &request::Tool<'_>| tool.name.decoded() == name.decoded();
            if !request.tools.iter().any(is_declared) {
                let problem = Problem::invalid("Invalid 'tool_choice': there is no such function among 'tools'.");
                return Err(problem
                    .with_code("invalid_value")
                    .with_param("tool_choice.function.name"));
            }
            Some(ToolChoice::Tool(names.name(name)))
        }
    };
    let tool_choice = wanted.and_then(|wanted| allowed(wanted, &mut tools, traits, thinking_restricts, notes));
    Ok(ToolConfig { tools, tool_choice })
}

/// The choice that comes next to `wanted` among those that the model takes.
fn allowed<'a>(
    wanted: ToolChoice<'a>,
    tools: &mut Vec<Tool<'a>>,
    traits: &Traits,
    thinking_restricts: bool,
    notes: &mut Notes,
) -> Option<ToolChoice<'a>> {
    let is_forced = wanted != ToolChoice::Auto;
    if is_forced && thinking_restricts {
        notes.lose("tool_choice", "auto", "thinking-is-on");
        return Some(ToolChoice::Auto);
    }
    match (traits.forced_tools, wanted) {
        (ForcedTools::Any, ToolChoice::Tool(name)) => {
            // Any of one is that one.
            notes.add("tool_choice", "required", "only-that-tool-is-declared");
            tools.retain(|tool| matches!(tool, Tool::Spec(spec) if spec.name == name));
            Some(ToolChoice::Any)
        }
        (ForcedTools::Never, ToolChoice::Any | ToolChoice::Tool(_)) => {
            notes.lose("tool_choice", "auto", "refused-by-model");
            Some(ToolChoice::Auto)
        }
        (ForcedTools::Unsaid, wanted) => {
            if wanted != ToolChoice::Auto {
                notes.lose("tool_choice", "auto", "refused-by-model");
            }
            None
        }
        (_, wanted) => Some(wanted),
    }
}

/// Tells the model to call one tool at a time, where it can be told.
pub(super) fn place_parallel<'a>(
    request: &ChatRequest<'a>,
    traits: &Traits,
    converse: &mut ConverseRequest<'a>,
    notes: &mut Notes,
) {
    let Some(config) = &converse.tool_config else { return };
    if request.parallel_tool_calls != Some(false) {
        return;
    }
    if !traits.one_tool_at_a_time {
        notes.lose("parallel_tool_calls", "dropped", "unsupported-by-model");
        return;
    }
    let fields = &converse.additional_model_request_fields;
    if fields.iter().any(|(name, _)| name == "tool_choice") {
        notes.lose(
            "parallel_tool_calls",
            "dropped",
            "additionalModelRequestFields.tool_choice-set",
        );
        return;
    }
    // Anthropic's own `tool_choice`; where Converse's says the type, this one must not.
    let says_type = config.tool_choice.is_some();
    let choice = Json::object(|choice| {
        if !says_type {
            choice.field("type", "auto");
        }
        choice.field("disable_parallel_tool_use", &true);
    });
    converse
        .additional_model_request_fields
        .push(("tool_choice".into(), choice));
}

/// The schema of a tool's arguments. Bedrock demands one, of an object.
fn input_schema<'a>(tool: &request::Tool<'a>, index: usize) -> Result<Json<'a>, Problem> {
    let any_object = || Json::parse(ANY_OBJECT).unwrap_or(Json::EMPTY_OBJECT);
    let Some(schema) = &tool.parameters else {
        return Ok(any_object());
    };
    // Nearly all schemas begin so, and they are long.
    if schema.as_str().starts_with(r#"{"type":"object""#) || schema.as_str().starts_with(r#"{"type": "object""#) {
        return Ok(schema.clone());
    }
    let (mut kinds, mut is_empty, mut is_plain) = (Vec::new(), true, true);
    let read = schema.read(|reader| {
        reader.object(|name, reader| {
            is_empty = false;
            if name != "type" {
                return reader.skip();
            }
            is_plain = reader.kind()? == Kind::String;
            if is_plain {
                kinds.push(reader.string()?.into_owned());
                return Ok(());
            }
            kinds = reader.list(|reader| reader.string().map(Cow::into_owned))?;
            Ok(())
        })
    });
    let takes_objects = kinds.is_empty() || kinds.iter().any(|kind| kind == "object");
    match read {
        Ok(()) if is_empty => Ok(any_object()),
        Ok(()) if takes_objects && is_plain && !kinds.is_empty() => Ok(schema.clone()),
        // Of several types, and without any, an object is what arguments are.
        Ok(()) if takes_objects => Ok(Json::object(|object| {
            object.field("type", "object");
            // What was checked above to be an object can be read again.
            let _ = schema.read(|reader| {
                reader.object(|name, reader| {
                    if name == "type" {
                        return reader.skip();
                    }
                    object.field(name, &reader.json()?);
                    Ok(())
                })
            });
        })),
        _ => {
            let path = format!("tools[{index}].function.parameters.type");
            let problem = Problem::invalid(format!("Invalid '{path}': the arguments of a tool are an object."));
            Err(problem.with_code("invalid_function_parameters").with_param(path))
        }
    }
}

/// Makes a tool's arguments fit its schema for certain, where the model can promise that.
fn make_strict(tool: Option<&mut Tool<'_>>, traits: &Traits, notes: &mut Notes) {
    const NAME: &str = "tools.strict";
    let Some(Tool::Spec(spec)) = tool else { return };
    if !traits.strict_tools {
        notes.lose(NAME, "dropped", "unsupported-by-model");
        return;
    }
    let Ok(mut schema) = serde_json::from_str(spec.input_schema.as_str()) else {
        return;
    };
    let closing = close_objects(&mut schema);
    if let Closing::Open(_) = closing {
        notes.lose(NAME, "dropped", "schema-is-open");
        return;
    }
    spec.strict = true;
    let is_relaxed = relax(&mut schema);
    if is_relaxed {
        notes.add("tools.parameters", "limits-in-words", "refused-by-model");
    }
    if is_relaxed || closing == Closing::Closed {
        spec.input_schema = json_of(&schema);
    }
}

//! `tools` and `tool_choice` as Converse's tool configuration.

use std::collections::HashSet;

use outcrop_bedrock::converse::{ContentBlock, Message, Tool, ToolChoice, ToolConfig, ToolSpec};
use outcrop_bedrock::json::{Json, JsonText};

use super::super::request::{self, ChatRequest};
use crate::notes::Notes;
use crate::problem::Problem;

/// The schema of a tool whose arguments nobody described.
const ANY_OBJECT: &str = r#"{"type":"object","properties":{}}"#;

/// Translates the tools. Bedrock wants tools wherever the history has calls, so such a history brings its own.
pub(super) fn translate<'a>(
    request: &'a ChatRequest<'a>,
    messages: &[Message<'a>],
    notes: &mut Notes,
) -> Result<Option<ToolConfig<'a>>, Problem> {
    let choice = request.tool_choice.as_ref();
    let used = used_tools(messages);
    if request.tools.is_empty() {
        if matches!(
            choice,
            Some(request::ToolChoice::Required | request::ToolChoice::Function(_))
        ) {
            let problem = Problem::invalid("Invalid 'tool_choice': there are no 'tools' to choose from.");
            return Err(problem.with_code("invalid_value").with_param("tool_choice"));
        }
        if used.is_empty() {
            return Ok(None);
        }
        notes.add("tools", "added", "history-has-tool-calls");
        if matches!(choice, Some(request::ToolChoice::None)) {
            notes.add("tool_choice", "auto", "history-has-tool-calls");
        }
        return Ok(Some(ToolConfig {
            tools: used.into_iter().map(|name| spec(name, None, None)).collect(),
            tool_choice: None,
        }));
    }
    let tool_choice = match choice {
        None => None,
        Some(request::ToolChoice::Auto) => Some(ToolChoice::Auto),
        Some(request::ToolChoice::Required) => Some(ToolChoice::Any),
        Some(request::ToolChoice::Function(name)) => Some(ToolChoice::Tool(name.clone())),
        // Converse has no "none": without tools the model can't call any, but a history with calls needs them.
        Some(request::ToolChoice::None) if used.is_empty() => return Ok(None),
        Some(request::ToolChoice::None) => {
            notes.add("tool_choice", "auto", "history-has-tool-calls");
            Some(ToolChoice::Auto)
        }
    };
    let tools = request
        .tools
        .iter()
        .map(|tool| spec(tool.name.clone(), tool.description.clone(), tool.parameters.clone()))
        .collect();
    Ok(Some(ToolConfig { tools, tool_choice }))
}

fn spec<'a>(name: JsonText<'a>, description: Option<JsonText<'a>>, parameters: Option<Json<'a>>) -> Tool<'a> {
    let is_empty = |schema: &Json<'_>| {
        schema
            .as_str()
            .trim_matches(['{', '}', ' ', '\n', '\r', '\t'])
            .is_empty()
    };
    let input_schema = parameters
        .filter(|schema| !is_empty(schema))
        .unwrap_or_else(|| Json::parse(ANY_OBJECT).unwrap_or(Json::EMPTY_OBJECT));
    Tool::Spec(ToolSpec {
        name,
        description: description.filter(|description| !description.is_blank()),
        input_schema,
    })
}

/// The names of the tools that the history calls, each once.
fn used_tools<'a>(messages: &[Message<'a>]) -> Vec<JsonText<'a>> {
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for block in messages.iter().flat_map(|message| &message.content) {
        if let ContentBlock::ToolUse(tool_use) = block
            && seen.insert(tool_use.name.token())
        {
            names.push(tool_use.name.clone());
        }
    }
    names
}

//! A Converse request as Cohere's own body.

use outcrop_bedrock::converse::{ConverseRequest, SystemBlock, Tool, ToolChoice, ToolConfig};
use outcrop_bedrock::json::{JsonText, ObjectWriter, write_array};

use super::super::unplaced::{note_lost, note_lost_cache_points, note_lost_output_config, write_rest};
use super::tools::write_tool;
use super::turns::Turns;
use crate::notes::Notes;
use crate::problem::Problem;

/// The smallest and the largest `p`.
const LEAST_TOP_P: f64 = 0.01;
const MOST_TOP_P: f64 = 0.99;

/// Writes the body.
pub(super) fn body(request: &ConverseRequest<'_>, notes: &mut Notes) -> Result<Vec<u8>, Problem> {
    note_lost(request, notes);
    note_lost_cache_points(request, notes);
    note_lost_output_config(request, notes);
    let turns = Turns::of(&request.messages, notes)?;
    let config = &request.inference_config;
    let system = request.system.iter().filter_map(|block| match block {
        SystemBlock::Text(text) | SystemBlock::GuardText(text) => Some(text.clone()),
        SystemBlock::CachePoint(_) => None,
    });
    let system: Vec<JsonText<'_>> = system.collect();
    let mut written = vec!["message", "chat_history", "tool_results"];
    let mut out = Vec::with_capacity(4096);
    ObjectWriter::write(&mut out, |body| {
        turns.write(body);
        if !system.is_empty() {
            body.field("preamble", &JsonText::join(&system, "\n\n"));
            written.push("preamble");
        }
        if let Some(config) = &request.tool_config
            && write_tools(config, body, notes)
        {
            written.push("tools");
        }
        if let Some(most) = &config.max_tokens {
            body.field("max_tokens", most);
            written.push("max_tokens");
        }
        if let Some(temperature) = &config.temperature {
            body.field("temperature", temperature);
            written.push("temperature");
        }
        if let Some(top_p) = config.top_p {
            body.field("p", &in_range(top_p, notes));
            written.push("p");
        }
        if !config.stop_sequences.is_empty() {
            body.field("stop_sequences", &config.stop_sequences);
            written.push("stop_sequences");
        }
        write_rest(request, &written, body, notes);
    });
    Ok(out)
}

/// `top_p` as the model takes it: many clients send 1, which it refuses.
fn in_range(top_p: f64, notes: &mut Notes) -> f64 {
    if top_p > MOST_TOP_P {
        notes.lose("top_p", "0.99", "largest-of-model");
    } else if top_p < LEAST_TOP_P {
        notes.lose("top_p", "0.01", "smallest-of-model");
    }
    top_p.clamp(LEAST_TOP_P, MOST_TOP_P)
}

/// Writes the tools, if there are any. Whether there were.
fn write_tools(config: &ToolConfig<'_>, body: &mut ObjectWriter<'_>, notes: &mut Notes) -> bool {
    let specs = config.tools.iter().filter_map(|tool| match tool {
        Tool::Spec(spec) => Some(spec),
        Tool::CachePoint(_) => None,
    });
    let mut specs = specs.peekable();
    if specs.peek().is_none() {
        return false;
    }
    write_array(body.key("tools"), specs, |spec, out| {
        if spec.strict {
            notes.lose("tools.strict", "dropped", "unsupported-by-model");
        }
        write_tool(spec, out, notes);
    });
    if matches!(config.tool_choice, Some(ToolChoice::Any | ToolChoice::Tool(_))) {
        notes.lose("tool_choice", "auto", "refused-by-model");
    }
    true
}

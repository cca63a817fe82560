//! Requests that shape the way back: each leaves something else in the memo.

use proptest::prelude::*;
use serde_json::{Value, json};

/// The tool that takes an answer in a form.
pub(crate) const FORM_TOOL: &str = "answer_in_json";

/// What was asked, and what of the answers follows from it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) request: Value,
    /// Whether the model signs its thoughts.
    pub(crate) signs: bool,
    /// Whether the answer is a list, which stands in a member of an object.
    pub(crate) is_wrapped: bool,
}

impl Asked {
    /// Whether the model is one that answers in a form by calling a tool.
    pub(crate) fn is_nova(&self) -> bool {
        self.request["model"]
            .as_str()
            .is_some_and(|model| model.contains("nova"))
    }
}

fn format(schema: &Value, strict: bool) -> Value {
    json!({"type": "json_schema", "json_schema": {"name": "n", "strict": strict, "schema": schema}})
}

fn all() -> Vec<Asked> {
    let hi = json!({"role": "user", "content": "Hi"});
    let sum = json!({
        "type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"], "additionalProperties": false,
    });
    let list = json!({"type": "array", "items": {"type": "integer"}});
    let (nova, llama) = ("us.amazon.nova-lite-v1:0", "us.meta.llama3-1-70b-instruct-v1:0");
    let (claude_4_5, claude_4_6) = (
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-opus-4-6-v1",
    );
    let plain = |model: &str, more: Value| {
        let mut request = json!({"model": model, "messages": [hi]});
        request
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        Asked {
            signs: model.contains("claude"),
            is_wrapped: request["response_format"]["json_schema"]["schema"]["type"] == "array",
            request,
        }
    };
    vec![
        plain(nova, json!({})),
        plain(claude_4_5, json!({"max_tokens": 4000, "reasoning_effort": "low"})),
        // Sequences that the gateway itself looks for.
        plain(llama, json!({"stop": ["END", "aEa", "\n\n"]})),
        plain(claude_4_5, json!({"stop": [" "]})),
        // A beginning that the model may repeat.
        plain(
            claude_4_6,
            json!({"messages": [hi, {"role": "assistant", "content": "aEN"}]}),
        ),
        plain(
            claude_4_6,
            json!({"messages": [hi, {"role": "assistant", "content": "a"}], "stop": ["\n"]}),
        ),
        // By a tool, natively, in words.
        plain(nova, json!({"response_format": format(&sum, false)})),
        plain(nova, json!({"response_format": format(&sum, true)})),
        plain(nova, json!({"response_format": format(&list, true)})),
        plain(nova, json!({"response_format": {"type": "json_object"}})),
        plain(
            nova,
            json!({"response_format": format(&sum, true), "tools": [{"type": "function", "function": {"name": "look"}}]}),
        ),
        plain(claude_4_5, json!({"response_format": format(&sum, true)})),
        plain(claude_4_5, json!({"response_format": format(&list, true)})),
        plain(llama, json!({"response_format": format(&sum, true)})),
        plain(llama, json!({"response_format": format(&sum, false), "stop": ["}"]})),
        // No calls, whatever the model does.
        plain(
            nova,
            json!({"tools": [{"type": "function", "function": {"name": "look"}}], "tool_choice": "none"}),
        ),
        // Thoughts in the content.
        plain("openai.gpt-oss-120b-1:0", json!({"include_thinking_data": true})),
        plain(llama, json!({"include_thinking_data": true, "stop": ["END"]})),
    ]
}

/// Any of them, as a stream.
pub(crate) fn asked() -> impl Strategy<Value = Asked> {
    (prop::sample::select(all()), any::<bool>()).prop_map(|(mut asked, include_usage)| {
        asked.request["stream"] = json!(true);
        asked.request["stream_options"] = json!({"include_usage": include_usage});
        asked
    })
}

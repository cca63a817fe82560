//! Events in any order, of any choice, with any payload, as answers to requests of each kind: each line of the stream is
//! JSON, and it ends once.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use outcrop_bedrock::converse::Event;
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Catalogue, Context, Endpoint, Problem, ProblemKind, StreamTranslator};
use serde_json::{Value, json};

#[derive(Arbitrary, Debug)]
struct Script {
    choices: u8,
    include_usage: bool,
    asked: Asked,
    events: Vec<(u8, AnyEvent)>,
    fails: Option<String>,
}

/// What leaves something in the memo.
#[derive(Arbitrary, Debug)]
struct Asked {
    model: u8,
    form: Form,
    /// Sequences at which the gateway stops.
    stop: Vec<String>,
    /// The beginning of the answer.
    begun: Option<String>,
    has_tags: bool,
    has_tools: bool,
    has_guardrail: bool,
}

#[derive(Arbitrary, Debug)]
enum Form {
    Text,
    AnyObject,
    Object { is_strict: bool },
    List { is_strict: bool },
}

/// Models that are told of a form natively, by a tool, and in words; that sign thoughts, and that don't.
const MODELS: [&str; 5] = [
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.anthropic.claude-opus-4-7",
    "us.amazon.nova-lite-v1:0",
    "us.meta.llama3-1-70b-instruct-v1:0",
    "openai.gpt-oss-120b-1:0",
];

impl Asked {
    fn request(&self) -> Value {
        let mut request = json!({
            "model": MODELS[usize::from(self.model) % MODELS.len()],
            "messages": [{"role": "user", "content": "Hi"}],
            "include_thinking_data": self.has_tags,
            "stop": self.stop.iter().take(8).collect::<Vec<_>>(),
        });
        let schema = |is_strict: &bool, schema: Value| json!({"type": "json_schema", "json_schema": {"name": "n", "strict": is_strict, "schema": schema}});
        request["response_format"] = match &self.form {
            Form::Text => json!({"type": "text"}),
            Form::AnyObject => json!({"type": "json_object"}),
            Form::Object { is_strict } => schema(
                is_strict,
                json!({"type": "object", "properties": {"a": {"type": "integer"}}}),
            ),
            Form::List { is_strict } => schema(is_strict, json!({"type": "array", "items": {"type": "integer"}})),
        };
        if let (Some(begun), Some(messages)) = (&self.begun, request["messages"].as_array_mut()) {
            messages.push(json!({"role": "assistant", "content": begun}));
        }
        if self.has_tools {
            request["tools"] = json!([{"type": "function", "function": {"name": "a tool"}}]);
        }
        if self.has_guardrail {
            request["guardrailConfig"] =
                json!({"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"});
        }
        request
    }
}

#[derive(Arbitrary, Debug)]
enum AnyEvent {
    Start,
    ToolUse {
        index: u8,
        id: String,
        name: String,
    },
    /// The tool that takes an answer in a form.
    FormTool {
        index: u8,
    },
    OtherBlock {
        index: u8,
    },
    Text {
        index: u8,
        text: String,
    },
    Reasoning {
        index: u8,
        text: String,
    },
    Signature {
        index: u8,
    },
    Redacted {
        index: u8,
    },
    Input {
        index: u8,
        input: String,
    },
    OtherDelta {
        index: u8,
    },
    Stop {
        index: u8,
    },
    End {
        reason: u8,
    },
    Fields {
        tokens: u64,
    },
    Metadata {
        input: u64,
        output: u64,
        cached: u64,
        is_traced: bool,
    },
    Raw {
        name: u8,
        payload: Vec<u8>,
    },
    KeepAlive,
}

impl AnyEvent {
    fn name_and_payload(&self) -> (&'static str, Vec<u8>) {
        const REASONS: [&str; 11] = [
            "end_turn",
            "tool_use",
            "max_tokens",
            "stop_sequence",
            "guardrail_intervened",
            "content_filtered",
            "malformed_model_output",
            "malformed_tool_use",
            "model_context_window_exceeded",
            "tomorrow",
            "",
        ];
        const NAMES: [&str; 7] = [
            "messageStart",
            "contentBlockStart",
            "contentBlockDelta",
            "contentBlockStop",
            "messageStop",
            "metadata",
            "",
        ];
        let delta =
            |index: &u8, delta: Value| ("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta}));
        let (name, payload) = match self {
            Self::Start | Self::KeepAlive => ("messageStart", json!({"role": "assistant"})),
            Self::ToolUse { index, id, name } => {
                let start = json!({"toolUse": {"toolUseId": id, "name": name}});
                ("contentBlockStart", json!({"contentBlockIndex": index, "start": start}))
            }
            Self::FormTool { index } => {
                let start = json!({"toolUse": {"toolUseId": "t", "name": "answer_in_json"}});
                ("contentBlockStart", json!({"contentBlockIndex": index, "start": start}))
            }
            Self::OtherBlock { index } => (
                "contentBlockStart",
                json!({"contentBlockIndex": index, "start": {"x": 1}}),
            ),
            Self::Text { index, text } => delta(index, json!({"text": text})),
            Self::Reasoning { index, text } => delta(index, json!({"reasoningContent": {"text": text}})),
            Self::Signature { index } => delta(index, json!({"reasoningContent": {"signature": "x"}})),
            Self::Redacted { index } => delta(index, json!({"reasoningContent": {"redactedContent": "eA=="}})),
            Self::Input { index, input } => delta(index, json!({"toolUse": {"input": input}})),
            Self::OtherDelta { index } => delta(index, json!({"citation": {}})),
            Self::Stop { index } => ("contentBlockStop", json!({"contentBlockIndex": index})),
            Self::End { reason } => (
                "messageStop",
                json!({"stopReason": REASONS[usize::from(*reason) % REASONS.len()]}),
            ),
            Self::Fields { tokens } => {
                let fields = json!({"usage": {"output_tokens_details": {"thinking_tokens": tokens}}});
                (
                    "messageStop",
                    json!({"stopReason": "end_turn", "additionalModelResponseFields": fields}),
                )
            }
            Self::Metadata {
                input,
                output,
                cached,
                is_traced,
            } => {
                let usage = json!({"inputTokens": input, "outputTokens": output, "cacheReadInputTokens": cached});
                let mut metadata = json!({"usage": usage, "serviceTier": {"type": "reserved"}});
                if *is_traced {
                    metadata["trace"] = json!({"guardrail": {"actionReason": "x"}});
                }
                ("metadata", metadata)
            }
            Self::Raw { name, payload } => return (NAMES[usize::from(*name) % NAMES.len()], payload.clone()),
        };
        (name, payload.to_string().into_bytes())
    }
}

fuzz_target!(|script: Script| {
    let choices = 1 + script.choices % 3;
    let mut request = script.asked.request();
    request["stream"] = json!(true);
    request["n"] = json!(choices);
    request["stream_options"] = json!({"include_usage": script.include_usage});
    let context = Context {
        unique: 7,
        created: 1,
        path_model: None,
        max_choices: 8,
        region: "us-east-1",
        catalogue: Catalogue::built_in(),
        advisor: None,
        remote: None,
        repair: None,
    };
    let Ok(plan) = ChatCompletions::plan(&request.to_string().into(), &context) else {
        // More bytes of stop sequences than we look for.
        return;
    };
    let (mut stream, mut out) = (ChatCompletions::stream(plan.memo), Vec::new());
    for (choice, event) in &script.events {
        if matches!(event, AnyEvent::KeepAlive) {
            stream.keep_alive(&mut out);
        }
        let (name, payload) = event.name_and_payload();
        if let Ok(event) = Event::parse(name, &payload) {
            stream.push(usize::from(*choice), event, &mut out);
        }
    }
    let failure = match &script.fails {
        Some(message) => Some(Problem::new(502, ProblemKind::Server, message.clone())),
        None => stream.finish(&mut out).err(),
    };
    if let Some(problem) = &failure {
        stream.fail(problem, &mut out);
    }
    check(
        &String::from_utf8(out).expect("a stream is UTF-8"),
        usize::from(choices),
        failure.is_some(),
    );
});

fn check(sse: &str, choices: usize, fails: bool) {
    assert!(sse.ends_with("\n\n"));
    let (mut dones, mut errors, mut finished) = (0, 0, vec![0; choices]);
    for line in sse
        .split('\n')
        .filter(|line| !line.is_empty() && !line.starts_with(':') && *line != "event: error")
    {
        assert_eq!((dones, errors), (0, 0), "nothing follows the end");
        let data = line.strip_prefix("data: ").expect("a line of data");
        if data == "[DONE]" {
            dones += 1;
            continue;
        }
        let chunk: Value = serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"));
        if chunk["error"].is_object() {
            errors += 1;
            continue;
        }
        for choice in chunk["choices"].as_array().expect("choices") {
            let index = choice["index"].as_u64().expect("an index") as usize;
            finished[index] += usize::from(choice["finish_reason"].is_string());
        }
    }
    assert_eq!((dones, errors), (usize::from(!fails), usize::from(fails)));
    assert!(finished.iter().all(|&times| times <= 1), "a choice finishes once");
}

//! Composes an answer: what the script asks for, or else what the request calls for.

use aws_smithy_types::base64;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use super::reasoning::Reasoner;
use super::reply::{Block, Reply};
use super::{answer_text, sample};
use crate::models::Target;
use crate::rules::{blocks, messages};
use crate::script::{Script, Scripted};
use crate::signature;
use crate::tokens;

/// The answer to `body`, whose bytes are `raw`; `prompt` is its last user text without markers.
pub(super) fn reply(body: &Value, raw: &[u8], prompt: &str, target: &Target, script: &Script) -> Reply {
    let composer = Composer {
        body,
        raw,
        prompt,
        target,
        script,
    };
    let draft = composer.draft();
    let (blocks, stopped) = if script.echo {
        (draft, Stopped::Naturally)
    } else {
        composer.cut(draft)
    };
    let called = blocks.iter().any(|block| matches!(block, Block::ToolUse { .. }));
    let natural = match stopped {
        Stopped::AtLimit => "max_tokens",
        Stopped::AtSequence(_) => "stop_sequence",
        Stopped::Naturally if called => "tool_use",
        Stopped::Naturally => "end_turn",
    };
    let input_tokens = tokens::input(body);
    let output_tokens: u64 = blocks.iter().map(Block::tokens).sum();
    let stop_reason = script.stop_reason.clone().unwrap_or_else(|| natural.to_owned());
    let native = target.family.strict_model.then(|| {
        let thinking_tokens: u64 = blocks.iter().map(Block::thinking_tokens).sum();
        json!({
            "type": "message",
            "role": "assistant",
            "stop_reason": stop_reason,
            "stop_sequence": match &stopped {
                Stopped::AtSequence(sequence) => Some(sequence),
                _ => None,
            },
            "usage": {
                "output_tokens": output_tokens,
                "output_tokens_details": {"thinking_tokens": thinking_tokens},
            },
        })
    });
    Reply {
        stop_reason,
        stop_sequence: match stopped {
            Stopped::AtSequence(sequence) => Some(sequence),
            _ => None,
        },
        input_tokens,
        output_tokens,
        cached: script.cached.clone(),
        asked: true,
        trace: None,
        // Made up, so that the same request has the same answer.
        latency_ms: 100 + input_tokens / 100 + output_tokens * 4,
        extra_fields: native.and_then(|native| extra_fields(body, &native)),
        settings: settings(body),
        blocks,
    }
}

/// What redacted reasoning counts.
const REDACTED_TOKENS: u64 = 50;

/// A white PNG of one pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC";

/// A text that cites the first document or search result of the request.
fn citation(text: &str, body: &Value) -> Block {
    let blocks = messages(body).iter().flat_map(blocks);
    let document = blocks
        .filter_map(|block| block.get("document").or(block.get("searchResult")))
        .next();
    let title = document.and_then(|document| document.get("name").or(document.get("title")));
    let title = title.and_then(Value::as_str).unwrap_or("document");
    let end = text.chars().count();
    let location = json!({"documentChar": {"documentIndex": 0, "start": 0, "end": end}});
    Block::Citation {
        text: text.to_owned(),
        citation: json!({"title": title, "sourceContent": [{"text": text}], "location": location}),
    }
}

/// What ended the text.
enum Stopped {
    Naturally,
    AtLimit,
    AtSequence(String),
}

struct Composer<'a> {
    body: &'a Value,
    raw: &'a [u8],
    prompt: &'a str,
    target: &'a Target,
    script: &'a Script,
}

impl Composer<'_> {
    /// The answer in full, whatever its length.
    fn draft(&self) -> Vec<Block> {
        if self.script.echo {
            return vec![Block::Text(String::from_utf8_lossy(self.raw).into_owned())];
        }
        let reasoner = Reasoner {
            body: self.body,
            prompt: self.prompt,
            target: self.target,
        };
        let mut calls = 0;
        let mut blocks: Vec<Block> = Vec::new();
        for scripted in &self.script.blocks {
            blocks.push(match scripted {
                Scripted::Text(text) => Block::Text(text.clone()),
                Scripted::Reasoning(text) => reasoner.block(text.clone()),
                Scripted::RedactedReasoning => Block::Redacted {
                    content: signature::redacted(self.prompt),
                    hidden_tokens: REDACTED_TOKENS,
                },
                Scripted::Citation(text) => citation(text, self.body),
                Scripted::Image => Block::Image(PIXEL.to_owned()),
                Scripted::Tool { name, input } => {
                    calls += 1;
                    self.call(calls, name, input.clone())
                }
                Scripted::RawTool { name, arguments } => {
                    calls += 1;
                    self.raw_call(calls, name, arguments)
                }
            });
        }
        if blocks.is_empty() && reasoner.thinks() {
            blocks.push(reasoner.own());
        }
        let only_reasoning = blocks
            .iter()
            .all(|block| matches!(block, Block::Reasoning { .. } | Block::Redacted { .. }));
        if only_reasoning || self.script.tokens.is_some() {
            blocks.push(self.last_block());
        }
        if self.one_call() {
            let mut calls = 0;
            blocks.retain(|block| {
                calls += usize::from(matches!(block, Block::ToolUse { .. }));
                calls <= 1 || !matches!(block, Block::ToolUse { .. })
            });
        }
        blocks
    }

    /// What the request itself calls for: a tool, if one must be called, JSON of a given form, or text.
    fn last_block(&self) -> Block {
        if let Some(spec) = self.forced_tool() {
            let schema = spec.pointer("/inputSchema/json").unwrap_or(&Value::Null);
            let name = spec.get("name").and_then(Value::as_str).unwrap_or_default();
            return self.call(1, name, sample::of(schema));
        }
        if let Some(schema) = self.output_schema() {
            return Block::Text(sample::of(&schema).to_string());
        }
        Block::Text(answer_text::about(self.prompt, self.body, self.script.tokens))
    }

    /// The schema that the answer must follow, in Converse's own field or in Claude's.
    fn output_schema(&self) -> Option<Value> {
        let converse = self
            .body
            .pointer("/outputConfig/textFormat/structure/jsonSchema/schema")
            .and_then(Value::as_str);
        match converse {
            Some(schema) => serde_json::from_str(schema).ok(),
            None => self
                .body
                .pointer("/additionalModelRequestFields/output_config/format/schema")
                .filter(|_| self.target.family.strict_model)
                .cloned(),
        }
    }

    fn forced_tool(&self) -> Option<&Value> {
        let config = self.body.get("toolConfig")?;
        let choice = config.get("toolChoice")?;
        let name = choice.pointer("/tool/name");
        if name.is_none() && choice.get("any").is_none() {
            return None;
        }
        let mut specs = config
            .get("tools")?
            .as_array()?
            .iter()
            .filter_map(|tool| tool.get("toolSpec"));
        specs.find(|spec| name.is_none_or(|name| spec.get("name") == Some(name)))
    }

    /// If no more than one call may be made.
    fn one_call(&self) -> bool {
        let extra = |path: &str| {
            let fields = self.body.get("additionalModelRequestFields")?;
            fields.pointer(path).and_then(Value::as_bool)
        };
        match self.target.family.strict_model {
            true => extra("/tool_choice/disable_parallel_tool_use") == Some(true),
            false => extra("/parallel_tool_calls") == Some(false),
        }
    }

    /// A call whose id follows from the request, so that the same conversation has the same ids.
    fn call(&self, number: usize, name: &str, input: Value) -> Block {
        let seed = [self.raw, format!("#{number}").as_bytes()].concat();
        let hash = base64::encode(digest(&SHA256, &seed)).replace(['+', '/', '='], "x");
        Block::ToolUse {
            id: format!("tooluse_{}", &hash[..22]),
            name: name.to_owned(),
            input,
            raw: None,
        }
    }

    /// A call whose arguments needn't be JSON. In a whole answer, they are then a text.
    fn raw_call(&self, number: usize, name: &str, arguments: &str) -> Block {
        let input = serde_json::from_str(arguments).unwrap_or_else(|_| arguments.into());
        let mut call = self.call(number, name, input);
        if let Block::ToolUse { raw, .. } = &mut call {
            *raw = Some(arguments.to_owned());
        }
        call
    }

    /// Ends the answer where a stop sequence or the limit of tokens ends it.
    fn cut(&self, draft: Vec<Block>) -> (Vec<Block>, Stopped) {
        let asked = self.body.pointer("/inferenceConfig/maxTokens").and_then(Value::as_u64);
        let mut left = asked
            .unwrap_or(self.target.model.max_tokens)
            .max(self.script.tokens.filter(|_| asked.is_none()).unwrap_or(0));
        let sequences = self
            .body
            .pointer("/inferenceConfig/stopSequences")
            .and_then(Value::as_array);
        let sequences: Vec<&str> = sequences.into_iter().flatten().filter_map(Value::as_str).collect();
        let mut kept = Vec::new();
        for block in draft {
            let (block, mut stopped) = stop_at(block, &sequences);
            let tokens = block.tokens();
            let (block, over) = shorten(block, left);
            if over {
                stopped = Stopped::AtLimit;
            }
            left = left.saturating_sub(tokens);
            kept.extend(block);
            if !matches!(stopped, Stopped::Naturally) {
                return (kept, stopped);
            }
        }
        (kept, Stopped::Naturally)
    }
}

/// Cuts a text at the first of the stop sequences, which isn't part of the answer.
fn stop_at(block: Block, sequences: &[&str]) -> (Block, Stopped) {
    let Block::Text(mut text) = block else {
        return (block, Stopped::Naturally);
    };
    let found = sequences
        .iter()
        .filter_map(|sequence| Some((text.find(sequence)?, *sequence)))
        .min();
    match found {
        Some((at, sequence)) => {
            text.truncate(at);
            (Block::Text(text), Stopped::AtSequence(sequence.to_owned()))
        }
        None => (Block::Text(text), Stopped::Naturally),
    }
}

/// Cuts a block to so many tokens, and tells if it was longer. A call is given whole or not at all.
fn shorten(block: Block, left: u64) -> (Option<Block>, bool) {
    if block.tokens() <= left {
        return (Some(block), false);
    }
    let start = |text: String| text.chars().take(tokens::chars(left)).collect::<String>();
    let cut = match block {
        Block::Text(text) => Block::Text(start(text)),
        Block::Reasoning {
            text,
            signature,
            hidden_tokens,
        } => Block::Reasoning {
            text: start(text),
            signature,
            hidden_tokens: hidden_tokens.min(left),
        },
        Block::Citation { text, citation } => Block::Citation {
            text: start(text),
            citation,
        },
        Block::Redacted { .. } | Block::ToolUse { .. } | Block::Image(_) => return (None, true),
    };
    (Some(cut).filter(|_| left > 0), true)
}

/// What was asked for of Claude's own answer, in the shape that it has there. What isn't there is left out.
fn extra_fields(body: &Value, native: &Value) -> Option<Value> {
    let paths = body.get("additionalModelResponseFieldPaths")?.as_array()?;
    let mut fields = Value::Null;
    for path in paths.iter().filter_map(Value::as_str) {
        if let Some(found) = native.pointer(path).filter(|found| !found.is_null()) {
            let place = path
                .split('/')
                .skip(1)
                .fold(&mut fields, |place, name| &mut place[name]);
            *place = found.clone();
        }
    }
    (!fields.is_null()).then_some(fields)
}

fn settings(body: &Value) -> Map<String, Value> {
    let given = ["performanceConfig", "serviceTier"].into_iter();
    let given = given.filter_map(|name| {
        Some((
            name.to_owned(),
            body.get(name).filter(|value| !value.is_null())?.clone(),
        ))
    });
    given.collect()
}

//! Request bodies in OpenAI's shape: made up, the same in every run, and like what clients send.

use serde_json::{Map, Value, json};

use crate::error::Result;

/// The requests of the table of works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A system prompt and a question.
    Small,
    /// 40 messages, 22 KB.
    Conversation,
    /// 40 messages and 30 tools, 200 KB: what a coding agent sends on every turn.
    Agent,
    /// A question about a picture, in a data URL of 2 MB.
    Image,
    /// A picture to be painted: no chat, and the answer is what is large.
    Painting,
    /// No body at all: the list of models is asked for.
    Models,
}

/// The image model that a painting is asked of; the stub answers for any.
pub(crate) const PAINTER: &str = "amazon.nova-canvas-v1:0";

/// The body of a request as the gateway gets it, or as the stub does: nothing reads the latter.
pub(crate) fn of(shape: Shape, model: &str, stream: bool) -> Result<Vec<u8>> {
    match shape {
        Shape::Painting => Ok(serde_json::to_vec(&json!({
            "model": model,
            "prompt": "An outcrop of limestone above a slow river, in the light of an autumn evening",
            "size": "1024x1024",
        }))?),
        Shape::Models => Ok(Vec::new()),
        shape => chat(shape, model, stream),
    }
}

/// A chat completion request for `model`.
fn chat(shape: Shape, model: &str, stream: bool) -> Result<Vec<u8>> {
    let mut prose = Prose::new(shape as u64 + 1);
    let messages = match shape {
        Shape::Small | Shape::Painting | Shape::Models => json!([
            {"role": "system", "content": "You are a helpful assistant. Answer in a few sentences."},
            {"role": "user", "content": "What is an outcrop, and why do geologists like it?"},
        ]),
        Shape::Conversation => conversation(&mut prose, 500, false),
        Shape::Agent => conversation(&mut prose, 3000, true),
        Shape::Image => json!([{"role": "user", "content": [
            {"type": "text", "text": "What does this picture show?"},
            {"type": "image_url", "image_url": {"url": image_url(&mut prose, 2_000_000)}},
        ]}]),
    };
    let mut request = json!({
        "model": model,
        "messages": messages,
        "max_tokens": 4096,
        "temperature": 0.2,
        "stream": stream,
    });
    if shape == Shape::Agent {
        request["tools"] = (0..30).map(|number| tool(&mut prose, number)).collect();
        request["tool_choice"] = json!("auto");
    }
    let size = match shape {
        Shape::Small | Shape::Image | Shape::Painting | Shape::Models => 0,
        Shape::Conversation => 22_000,
        Shape::Agent => 200_000,
    };
    fill(&mut request, &mut prose, size)?;
    Ok(serde_json::to_vec(&request)?)
}

/// Lengthens the last message until the request has `size` bytes.
fn fill(request: &mut Value, prose: &mut Prose, size: usize) -> Result<()> {
    let missing = size.saturating_sub(serde_json::to_vec(request)?.len());
    let last = request["messages"]
        .as_array_mut()
        .and_then(|messages| messages.last_mut());
    if let Some(Value::String(content)) = last.map(|message| &mut message["content"]) {
        let mut text = prose.sentences(missing);
        text.truncate(missing);
        content.push_str(&text);
    }
    Ok(())
}

/// 40 messages: a system prompt, then turns of about `bytes` each, the user's first and last.
fn conversation(prose: &mut Prose, bytes: usize, coding: bool) -> Value {
    let mut messages = vec![json!({"role": "system", "content": prose.sentences(2 * bytes)})];
    for turn in 0..39 {
        // Now and then the assistant calls a tool, and the next turn brings what it gave.
        let message = match (turn % 2, turn % 8) {
            (1, 3) if coding => {
                json!({"role": "assistant", "content": prose.sentences(80), "tool_calls": [{
                    "id": format!("call_{turn:024}"),
                    "type": "function",
                    "function": {
                        "name": format!("workspace_tool_{:02}", turn % 30),
                        "arguments": json!({"path": "src/main.rs", "content": prose.code(bytes / 2)}).to_string(),
                    },
                }]})
            }
            (0, 4) if coding => {
                json!({"role": "tool", "tool_call_id": format!("call_{:024}", turn - 1), "content": prose.code(bytes)})
            }
            (role, _) => {
                let text = if coding {
                    let code = prose.code(bytes * 2 / 3);
                    format!("{}\n\n```rust\n{code}```\n", prose.sentences(bytes / 3))
                } else {
                    prose.sentences(bytes)
                };
                json!({"role": if role == 0 { "user" } else { "assistant" }, "content": text})
            }
        };
        messages.push(message);
    }
    Value::Array(messages)
}

/// A tool as coding agents declare it, about 2 KB: nested properties with descriptions.
fn tool(prose: &mut Prose, number: usize) -> Value {
    let mut properties = Map::new();
    for name in ["path", "pattern", "replacement", "encoding"] {
        properties.insert(
            name.to_owned(),
            json!({"type": "string", "description": prose.sentences(110)}),
        );
    }
    properties.insert(
        "range".to_owned(),
        json!({
            "type": "object",
            "description": prose.sentences(80),
            "properties": {
                "start": {"type": "integer", "minimum": 1, "description": prose.sentences(60)},
                "end": {"type": "integer", "minimum": 1, "description": prose.sentences(60)},
            },
            "required": ["start", "end"],
            "additionalProperties": false,
        }),
    );
    properties.insert(
        "edits".to_owned(),
        json!({
            "type": "array",
            "description": prose.sentences(80),
            "items": {
                "type": "object",
                "properties": {
                    "kind": {"type": "string", "enum": ["insert", "replace", "delete"]},
                    "line": {"type": ["integer", "null"], "description": prose.sentences(60)},
                    "text": {"type": "string", "description": "The new text; a \"\\n\" ends each line."},
                },
                "required": ["kind", "line"],
            },
        }),
    );
    json!({"type": "function", "function": {
        "name": format!("workspace_tool_{number:02}"),
        "description": prose.sentences(500),
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": ["path", "edits"],
            "additionalProperties": false,
        },
    }})
}

/// A data URL of `bytes` bytes: a PNG with a valid signature and header, and noise for pixels.
fn image_url(prose: &mut Prose, bytes: usize) -> String {
    const PREFIX: &str = "data:image/png;base64,";
    let size = (bytes - PREFIX.len()) / 4 * 3;
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, b"IHDR", &[0, 0, 4, 0, 0, 0, 2, 0, 8, 2, 0, 0, 0]);
    let pixels: Vec<u8> = (0..size - png.len() - 24).map(|_| prose.next() as u8).collect();
    chunk(&mut png, b"IDAT", &pixels);
    chunk(&mut png, b"IEND", &[]);
    format!("{PREFIX}{}", aws_smithy_types::base64::encode(png))
}

/// Appends a PNG chunk.
fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    png.extend((data.len() as u32).to_be_bytes());
    let start = png.len();
    png.extend(kind);
    png.extend(data);
    png.extend(crc32fast::hash(&png[start..]).to_be_bytes());
}

/// Makes up text; a small generator of numbers, so that each run sends the same bytes.
struct Prose(u64);

impl Prose {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The next number (xorshift64*, the high half).
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.next() as usize % words.len()]
    }

    /// ASCII sentences, of about `bytes` bytes.
    fn sentences(&mut self, bytes: usize) -> String {
        const WORDS: [&str; 24] = [
            "the", "file", "should", "be", "read", "before", "any", "change", "is", "made", "to", "it", "because",
            "another", "part", "of", "module", "relies", "on", "order", "in", "which", "lines", "appear",
        ];
        const ENDS: [&str; 6] = [". ", ", and ", "; ", ".\n", " (\"as is\"). ", ".\n\n"];
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes {
            text.push_str(self.pick(&WORDS));
            text.push_str(if self.next().is_multiple_of(9) {
                self.pick(&ENDS)
            } else {
                " "
            });
        }
        text
    }

    /// Code of about `bytes` bytes: newlines, indents, quotes, backslashes, now and then a letter beyond ASCII.
    fn code(&mut self, bytes: usize) -> String {
        const LINES: [&str; 10] = [
            "    let path = root.join(\"src\").join(name);\n",
            "    if line.ends_with('\\n') {\n",
            "        return Err(format!(\"{path:?}: unexpected \\\"{token}\\\" at {line}:{column}\"));\n",
            "    }\n",
            "pub fn parse(input: &str) -> Result<Vec<Token>, Error> {\n",
            "\t// Tabs come from an older editor; the naïve split keeps them.\n",
            "    let pattern = Regex::new(r\"^\\s*(\\w+)\\s*=\\s*\\\"(.*)\\\"$\")?;\n",
            "    tokens.push(Token::Word { text: word.to_owned(), span: start..end });\n",
            "\n",
            "}\n",
        ];
        let mut text = String::with_capacity(bytes + 80);
        while text.len() < bytes {
            text.push_str(self.pick(&LINES));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(shape: Shape) -> (usize, Value) {
        let bytes = chat(shape, "m", false).unwrap();
        (bytes.len(), serde_json::from_slice(&bytes).unwrap())
    }

    #[test]
    fn bodies_have_the_sizes_they_claim() {
        for (shape, size) in [
            (Shape::Conversation, 22_000),
            (Shape::Agent, 200_000),
            (Shape::Image, 2_000_000),
        ] {
            let (bytes, _) = body(shape);
            assert!((size..size + size / 50).contains(&bytes), "{shape:?} has {bytes} bytes");
        }
    }

    #[test]
    fn turns_alternate_and_each_tool_call_is_answered() {
        for shape in [Shape::Conversation, Shape::Agent] {
            let (_, request) = body(shape);
            let messages = request["messages"].as_array().unwrap();
            assert_eq!(messages.len(), 40);
            assert_eq!(messages[39]["role"], "user");
            for (one, next) in messages[1..].iter().zip(&messages[2..]) {
                assert_ne!(one["role"] == "assistant", next["role"] == "assistant");
                assert_eq!(one["tool_calls"][0]["id"], next["tool_call_id"]);
            }
        }
    }

    #[test]
    fn the_agent_declares_30_tools() {
        assert_eq!(body(Shape::Agent).1["tools"].as_array().unwrap().len(), 30);
    }
}

//! What the tests of shapes have in common.

use outcrop_bedrock::base64;
use outcrop_bedrock::converse::{
    BlockStart, ContentBlock, ConverseRequest, ConverseResponse, Delta, Event, Message, Reasoning, Role,
};
use outcrop_bedrock::json::{Json, JsonText};

use super::{Ask, Family, InvokeStream};
use crate::notes::Notes;
use crate::problem::Problem;

/// A text.
pub(super) fn text(text: &str) -> JsonText<'static> {
    JsonText::encode(text)
}

/// A value.
pub(super) fn json(text: &str) -> Json<'_> {
    Json::parse(text).unwrap()
}

/// A turn of the user's.
pub(super) fn user(content: Vec<ContentBlock<'_>>) -> Message<'_> {
    Message {
        role: Role::User,
        content,
    }
}

/// A turn of the assistant's.
pub(super) fn assistant(content: Vec<ContentBlock<'_>>) -> Message<'_> {
    Message {
        role: Role::Assistant,
        content,
    }
}

/// The body of a request, and the notes on it.
pub(super) fn body(
    family: &dyn Family,
    request: &ConverseRequest<'_>,
    base_id: &str,
) -> Result<(String, String), Problem> {
    let ask = Ask {
        request,
        streams: false,
        base_id,
        media: crate::Catalogue::built_in().media(Some(base_id)),
        max_output: 8192,
    };
    let mut notes = Notes::default();
    let body = family.body(&ask, &mut notes)?.to_vec();
    let body = String::from_utf8(body).unwrap();
    json(&body);
    Ok((body, notes.to_string()))
}

/// What a whole answer says: its blocks, why it ends, what it cost.
pub(super) fn whole(family: &dyn Family, body: &str) -> Vec<String> {
    told(&family.reply(body.as_bytes()).unwrap())
}

fn told(reply: &ConverseResponse<'_>) -> Vec<String> {
    let mut told: Vec<String> = reply
        .content
        .iter()
        .map(|block| match block {
            ContentBlock::Text(text) => format!("text {}", text.decoded()),
            ContentBlock::Reasoning(Reasoning::Text { text, signature }) => {
                let signature = signature.as_ref().map(|text| text.decoded().into_owned());
                format!("thought {} {signature:?}", text.decoded())
            }
            ContentBlock::Reasoning(Reasoning::Redacted(text)) => format!("redacted {}", text.decoded()),
            ContentBlock::ToolUse(call) => {
                let (id, name) = (call.id.decoded(), call.name.decoded());
                format!("call {id} {name} {}", call.input.as_str())
            }
            other => format!("{other:?}"),
        })
        .collect();
    let usage = reply.usage;
    told.push(format!(
        "{:?} {}+{}+{} {}",
        reply.stop_reason,
        usage.input_tokens,
        usage.cache_read_input_tokens,
        usage.cache_write_input_tokens,
        usage.output_tokens
    ));
    told
}

/// What a streamed answer says once its chunks are put together; `None` where it isn't whole.
pub(super) fn folded<S: AsRef<str>>(family: &dyn Family, chunks: &[S]) -> Option<Vec<String>> {
    let (mut stream, mut fold) = (InvokeStream::new(family), Fold::default());
    for chunk in chunks {
        let payload = format!(r#"{{"bytes":"{}"}}"#, base64::encode(chunk.as_ref().as_bytes()));
        let read = stream.read("chunk", payload.as_bytes(), &mut |event| fold.push(event));
        assert!(read.is_ok(), "{read:?}");
    }
    stream.finish(&mut |event| fold.push(event)).then_some(fold.told)
}

/// Puts events together, as a client does.
#[derive(Default)]
struct Fold {
    told: Vec<String>,
    started: bool,
    stop: String,
    blocks: Vec<Folded>,
}

/// What has come of a block.
struct Folded {
    kind: &'static str,
    text: String,
    signature: Option<String>,
    is_open: bool,
}

impl Fold {
    /// The block of this number, which begins if it is the next one.
    fn block(&mut self, index: u64, kind: &'static str) -> &mut Folded {
        let index = usize::try_from(index).unwrap();
        if index == self.blocks.len() {
            self.blocks.push(Folded {
                kind,
                text: String::new(),
                signature: None,
                is_open: true,
            });
        }
        let block = &mut self.blocks[index];
        assert!(block.is_open && block.kind == kind);
        block
    }

    fn push(&mut self, event: Event<'_>) {
        match event {
            Event::MessageStart => {
                assert!(!self.started);
                self.started = true;
            }
            Event::ContentBlockStart {
                index,
                start: BlockStart::ToolUse { id, name },
            } => {
                assert_eq!(index, self.blocks.len() as u64);
                self.block(index, "call").text = format!("{} {} ", id.decoded(), name.decoded());
            }
            Event::ContentBlockDelta { index, delta } => {
                let (kind, text, signature) = match delta {
                    Delta::Text(text) => ("text", text.decoded().into_owned(), None),
                    Delta::ReasoningText(text) => ("thought", text.decoded().into_owned(), None),
                    Delta::ReasoningSignature(text) => ("thought", String::new(), Some(text.decoded().into_owned())),
                    Delta::ReasoningRedacted(text) => ("redacted", text.decoded().into_owned(), None),
                    Delta::ToolUseInput(text) => ("call", text.decoded().into_owned(), None),
                    Delta::Other => panic!("an unknown delta"),
                };
                let block = self.block(index, kind);
                block.text += &text;
                block.signature = signature.or(block.signature.take());
            }
            Event::ContentBlockStop { index } => {
                let block = &mut self.blocks[usize::try_from(index).unwrap()];
                assert!(std::mem::take(&mut block.is_open));
                if block.kind == "thought" {
                    block.text += &format!(" {:?}", block.signature);
                }
                if block.kind == "call" && block.text.ends_with(' ') {
                    block.text += "{}";
                }
            }
            Event::MessageStop { stop_reason, .. } => self.stop = format!("{stop_reason:?}"),
            Event::Metadata { usage, .. } => {
                for Folded {
                    kind, text, is_open, ..
                } in &self.blocks
                {
                    assert!(!is_open);
                    self.told.push(format!("{kind} {text}"));
                }
                self.told.push(format!(
                    "{} {}+{}+{} {}",
                    self.stop,
                    usage.input_tokens,
                    usage.cache_read_input_tokens,
                    usage.cache_write_input_tokens,
                    usage.output_tokens
                ));
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Each way to cut `text` in three, empty pieces among them.
pub(super) fn cuts(text: &str) -> Vec<[&str; 3]> {
    let places: Vec<usize> = (0..=text.len()).filter(|&at| text.is_char_boundary(at)).collect();
    let mut cuts = Vec::new();
    for (number, &first) in places.iter().enumerate() {
        for &second in &places[number..] {
            cuts.push([&text[..first], &text[first..second], &text[second..]]);
        }
    }
    cuts
}

/// No bytes, whatever they are, make a shape panic.
#[test]
fn no_answer_makes_a_shape_panic() {
    use super::{Ai21Jamba, CohereChat, MistralChat, Nova, OpenAiChat};
    const SAMPLES: &[&str] = &[
        concat!(
            r#"{"choices":[{"index":0,"message":{"content":"<think>é","reasoning":"x","refusal":"y","tool_calls":"#,
            r#"[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}],"#,
            r#""usage":{"prompt_tokens":1,"prompt_tokens_details":{"cached_tokens":9}}}"#
        ),
        concat!(
            r#"{"event_type":"stream-end","finish_reason":"COMPLETE","text":"a","tool_calls":[{"name":"f","#,
            r#""parameters":{}}],"response":{"text":"é","meta":{"tokens":{"input_tokens":1}}}}"#
        ),
        concat!(
            r#"{"output":{"message":{"content":[{"text":"é"},{"toolUse":{"toolUseId":"t","name":"f","input":{}}}]}},"#,
            r#""stopReason":"end_turn","usage":{"inputTokens":1,"cacheReadInputTokenCount":2},"#,
            r#""contentBlockDelta":{"delta":{"toolUse":{"input":"{"}},"contentBlockIndex":0}}"#
        ),
    ];
    let families: [&dyn Family; 5] = [&Ai21Jamba, &CohereChat, &MistralChat, &Nova, &OpenAiChat];
    let values: [&[u8]; 7] = [b"null", b"1e300", b"-1", b"[[]]", b"{}", b"\"\"", b"\xff"];
    for family in families {
        for sample in SAMPLES {
            let read = |bytes: &[u8]| {
                let _ = family.reply(bytes);
                let payload = format!(r#"{{"bytes":"{}"}}"#, base64::encode(bytes));
                let mut stream = InvokeStream::new(family);
                let _ = stream.read("chunk", payload.as_bytes(), &mut |_| {});
                let _ = stream.read("chunk", payload.as_bytes(), &mut |_| {});
                stream.finish(&mut |_| {});
            };
            read(sample.as_bytes());
            for end in 1..sample.len() {
                read(&sample.as_bytes()[..end]);
            }
            // Each value in turn becomes another.
            for (at, _) in sample.match_indices(':') {
                let rest = &sample[at + 1..];
                let mut reader = outcrop_bedrock::json::Reader::new(rest.as_bytes()).unwrap();
                let Ok(value) = reader.json() else { continue };
                for other in values {
                    let (before, after) = (&sample.as_bytes()[..=at], &rest.as_bytes()[value.as_str().len()..]);
                    read(&[before, other, after].concat());
                }
            }
        }
    }
}

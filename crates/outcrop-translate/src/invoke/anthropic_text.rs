//! Anthropic's Text Completions: Claude 2 and Claude Instant.
//!
//! Source: Amazon Bedrock User Guide, "Anthropic Claude Text Completions API", read 2026-11.

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::{ConverseResponse, StopReason};
use outcrop_bedrock::json::{Fault, Reader};

use super::completion::{self, AnswerBegins, Completion};
use super::prompt::Template;
use super::{Ask, ChunkReader, Family, text_only};
use crate::catalogue::Traits;
use crate::notes::Notes;
use crate::problem::Problem;

/// The shape.
#[derive(Debug)]
pub(crate) struct AnthropicText;

/// The only version that Bedrock takes.
const VERSION: &str = "bedrock-2023-05-31";
/// The largest limit that the guide names. Price maps name twice as much; a client that wants it says so.
const MOST_TOKENS: u64 = 4096;
/// What Claude 2.1's name begins with, the first that knows system prompts.
const WITH_SYSTEM: &str = "anthropic.claude-v2:1";
/// Where Claude stops unasked: it is about to say what the user says next.
const NEXT_TURN: &str = "\n\nHuman:";

impl Family for AnthropicText {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let request = ask.request;
        let prompt = text_only::prompt(template(ask.base_id), request, notes)?;
        let config = &request.inference_config;
        Ok(text_only::body(request, &["prompt"], |body| {
            body.placed("prompt", &prompt);
            body.field(
                "max_tokens_to_sample",
                &config.max_tokens.unwrap_or(ask.max_output.min(MOST_TOKENS)),
            );
            body.optional("temperature", &config.temperature);
            body.optional("top_p", &config.top_p);
            body.unless_empty("stop_sequences", &config.stop_sequences);
            body.field("anthropic_version", VERSION);
        }))
    }

    fn adapt(&self, traits: &mut Traits) {
        text_only::adapt(traits);
        traits.prefill = true;
    }

    fn going_on(&self) -> Option<&'static dyn Family> {
        Some(&GoingOn)
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        completion::reply(body, read, template(WITH_SYSTEM).answer_begins)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        completion::chunks(read, template(WITH_SYSTEM).answer_begins)
    }
}

/// The same, where the answer goes on from the client's beginning: its first space stands between the two, and stays.
#[derive(Debug)]
struct GoingOn;

impl Family for GoingOn {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        AnthropicText.body(ask, notes)
    }

    fn adapt(&self, traits: &mut Traits) {
        AnthropicText.adapt(traits);
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        completion::reply(body, read, AnswerBegins::Text)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        completion::chunks(read, AnswerBegins::Text)
    }
}

fn template(base_id: &str) -> &'static Template {
    Template::of(if base_id.starts_with(WITH_SYSTEM) {
        "claude-text"
    } else {
        "claude-text-2.0"
    })
}

fn read(body: &[u8]) -> Result<Completion, Fault> {
    let (mut completion, mut stop) = (Completion::default(), None);
    Reader::document(body, |reader| {
        reader.object(|member, reader| match member {
            "completion" => reader
                .nullable(Reader::string)
                .map(|text| completion.text = text.map(Into::into)),
            "stop_reason" => completion::read_word(reader, StopReason::from_name, &mut completion.stop_reason),
            "stop" => reader.nullable(Reader::string).map(|text| stop = text),
            _ => reader.skip(),
        })
    })?;
    if completion.stop_reason == Some(StopReason::StopSequence) && stop.is_none_or(|stop| stop == NEXT_TURN) {
        completion.stop_reason = Some(StopReason::EndTurn);
    }
    Ok(completion)
}

#[cfg(test)]
mod tests {
    use outcrop_bedrock::call::TokenCounts;
    use outcrop_bedrock::converse::{ContentBlock, Role};
    use outcrop_bedrock::json::JsonText;

    use super::super::testing::{Asked, answer, streamed, turn, whole};
    use super::*;
    use crate::wire::Wire;

    #[test]
    fn the_body_has_the_prompt_and_the_version() {
        let (body, notes) = Asked::say("Hi").sampled().body(&AnthropicText);
        assert_eq!(
            body,
            concat!(
                r#"{"prompt":"\n\nHuman: Hi\n\nAssistant:","max_tokens_to_sample":50,"temperature":0.5,"top_p":0.9,"#,
                r#""stop_sequences":["END","\n"],"anthropic_version":"bedrock-2023-05-31","top_k":7}"#
            )
        );
        assert_eq!(notes, "");
    }

    #[test]
    fn only_claude_2_1_is_given_a_system_prompt() {
        let prompt = |base_id| {
            let (body, notes) = Asked::say("Hi").system("Be brief.").of(base_id).body(&AnthropicText);
            let prompt = body.split(r#"","max_tokens"#).next().unwrap().to_owned();
            (prompt, notes)
        };
        let with = r#"{"prompt":"Be brief.\n\nHuman: Hi\n\nAssistant:"#.to_owned();
        for base_id in ["anthropic.claude-v2:1", "anthropic.claude-v2:1:200k"] {
            assert_eq!(prompt(base_id), (with.clone(), String::new()));
        }
        let without = r#"{"prompt":"\n\nHuman: Be brief.\n\nHi\n\nAssistant:"#.to_owned();
        let note = "messages.system=user-turn(unsupported-by-model)".to_owned();
        for base_id in [
            "anthropic.claude-v2",
            "anthropic.claude-v2:0:18k",
            "anthropic.claude-instant-v1",
        ] {
            assert_eq!(prompt(base_id), (without.clone(), note.clone()));
        }
    }

    #[test]
    fn a_streamed_answer_is_the_whole_one() {
        let reply = whole(
            &AnthropicText,
            r#"{"type":"completion","completion":" Hello you","stop_reason":"stop_sequence","stop":"\n\nHuman:"}"#,
        );
        assert_eq!(reply, answer("", "Hello you", StopReason::EndTurn, 0, 0));
        let chunks = [
            r#"{"completion":" Hello","stop_reason":null,"stop":null}"#,
            r#"{"completion":" you","stop_reason":null,"stop":null}"#,
            r#"{"completion":"","stop_reason":"stop_sequence","stop":"\n\nHuman:"}"#,
        ];
        assert_eq!(streamed(&AnthropicText, &chunks), reply);
    }

    #[test]
    fn the_space_before_an_answer_stays_where_it_goes_on_from_the_clients_beginning() {
        let body = r#"{"completion":" Paris.","stop_reason":"stop_sequence","stop":"\n\nHuman:"}"#;
        for (begun, expected) in [
            (Some("The capital is"), " Paris."),
            (Some("\n"), "Paris."),
            (None, "Paris."),
        ] {
            let mut request = Asked::say("Capital?").request;
            request
                .messages
                .extend(begun.map(|text| turn(Role::Assistant, &[text])));
            let wire = Wire::invoke(&AnthropicText).of_request(&request);
            let reply = wire.reply(body.as_bytes(), TokenCounts::default()).unwrap();
            assert_eq!(
                reply.content,
                [ContentBlock::Text(JsonText::encode(expected))],
                "{begun:?}"
            );
        }
        let chunks = [
            r#"{"completion":" Par"}"#,
            r#"{"completion":"is.","stop_reason":"stop_sequence"}"#,
        ];
        let family = AnthropicText.going_on().unwrap();
        assert_eq!(
            streamed(family, &chunks),
            answer("", " Paris.", StopReason::EndTurn, 0, 0)
        );
    }

    #[test]
    fn the_clients_stop_sequence_is_told_from_the_end_of_the_turn() {
        for (word, stop, expected) in [
            ("stop_sequence", r#""END""#, StopReason::StopSequence),
            ("stop_sequence", "null", StopReason::EndTurn),
            ("max_tokens", "null", StopReason::MaxTokens),
        ] {
            let body = format!(r#"{{"completion":" a","stop":{stop},"stop_reason":"{word}"}}"#);
            assert_eq!(whole(&AnthropicText, &body).stop_reason, expected, "{body}");
            assert_eq!(streamed(&AnthropicText, &[body]).stop_reason, expected);
        }
    }
}

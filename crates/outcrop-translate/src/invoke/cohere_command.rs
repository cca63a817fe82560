//! Cohere's Command and Command Light. Command R has another shape.
//!
//! Source: Amazon Bedrock User Guide, "Cohere Command models", as gateways and users tell it, collected 2026-11.

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::{ConverseResponse, StopReason};
use outcrop_bedrock::json::{Fault, Reader};

use super::completion::{self, Completion};
use super::prompt::{RAW, Template};
use super::{Ask, ChunkReader, Family, text_only};
use crate::catalogue::Traits;
use crate::notes::Notes;
use crate::problem::Problem;

/// The shape.
#[derive(Debug)]
pub(crate) struct CohereCommand {
    template: &'static str,
}

impl CohereCommand {
    /// For conversations.
    pub(crate) const CHAT: Self = Self {
        template: "cohere-command",
    };
    /// For texts that the model goes on with.
    pub(crate) const RAW: Self = Self { template: RAW };
}

/// The word for an answer that failed.
const ERROR: &str = "ERROR";

impl Family for CohereCommand {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let request = ask.request;
        let prompt = text_only::prompt(Template::of(self.template), request, notes)?;
        let config = &request.inference_config;
        Ok(text_only::body(request, &["prompt", "top_k", "stream"], |body| {
            body.placed("prompt", &prompt);
            body.field("max_tokens", &config.max_tokens.unwrap_or(ask.max_output));
            body.optional("temperature", &config.temperature);
            body.optional("p", &config.top_p);
            body.optional("k", &body.own("top_k"));
            body.unless_empty("stop_sequences", &config.stop_sequences);
            // The operation alone doesn't make it stream.
            if ask.streams {
                body.placed("stream", &true);
            }
        }))
    }

    fn adapt(&self, traits: &mut Traits) {
        text_only::adapt(traits);
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        completion::reply(body, read, Template::of(self.template).answer_begins)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        completion::chunks(read, Template::of(self.template).answer_begins)
    }
}

/// Reads a whole answer, whose text is in `generations`, or a chunk, which is like one of those.
fn read(body: &[u8]) -> Result<Completion, Fault> {
    let mut completion = Completion::default();
    Reader::document(body, |reader| {
        reader.object(|member, reader| match member {
            "generations" => completion::read_first(reader, |reader| {
                completion::read_members(reader, |member, reader| read_member(member, reader, &mut completion))
            }),
            member => read_member(member, reader, &mut completion),
        })
    })?;
    if completion.stop_reason == Some(StopReason::Other(ERROR.to_owned())) {
        return Err(Fault::shape("the model failed"));
    }
    Ok(completion)
}

fn read_member(member: &str, reader: &mut Reader<'_>, completion: &mut Completion) -> Result<(), Fault> {
    match member {
        "text" => reader
            .nullable(Reader::string)
            .map(|text| completion.text = text.map(Into::into)),
        "finish_reason" => completion::read_word(reader, stop_reason, &mut completion.stop_reason),
        _ => reader.skip(),
    }
}

fn stop_reason(word: &str) -> StopReason {
    match word {
        "COMPLETE" => StopReason::EndTurn,
        "MAX_TOKENS" => StopReason::MaxTokens,
        "ERROR_TOXIC" => StopReason::ContentFiltered,
        other => StopReason::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Asked, answer, streamed, whole};
    use super::*;

    #[test]
    fn the_body_has_the_bare_prompt_and_coheres_names() {
        let (body, notes) = Asked::say("Hi").sampled().body(&CohereCommand::CHAT);
        let expected = concat!(
            r#"{"prompt":"Hi","max_tokens":50,"temperature":0.5,"p":0.9,"k":7,"stop_sequences":["END","\n"]"#,
            "}"
        );
        assert_eq!(body, expected);
        assert_eq!(notes, "");
        let (body, _) = Asked::say("Hi")
            .own("k", "3")
            .own("top_k", "7")
            .own("truncate", r#""END""#)
            .body(&CohereCommand::CHAT);
        assert_eq!(body, r#"{"prompt":"Hi","max_tokens":2048,"k":3,"truncate":"END"}"#);
    }

    #[test]
    fn a_body_whose_answer_is_streamed_says_so() {
        let (body, _) = Asked::say("Hi").streams().body(&CohereCommand::CHAT);
        assert_eq!(body, r#"{"prompt":"Hi","max_tokens":2048,"stream":true}"#);
    }

    #[test]
    fn a_streamed_answer_is_the_whole_one() {
        let reply = whole(
            &CohereCommand::CHAT,
            r#"{"id":"1","generations":[{"id":"2","text":" Hello you","finish_reason":"COMPLETE"}],"prompt":"Hi"}"#,
        );
        assert_eq!(reply, answer("", "Hello you", StopReason::EndTurn, 0, 0));
        let chunks = [
            r#"{"text":" Hello","is_finished":false}"#,
            r#"{"text":" you","is_finished":false}"#,
            r#"{"is_finished":true,"finish_reason":"COMPLETE"}"#,
        ];
        assert_eq!(streamed(&CohereCommand::CHAT, &chunks), reply);
    }

    #[test]
    fn each_reason_to_stop_is_known_and_a_failure_is_none() {
        let body = |word| format!(r#"{{"generations":[{{"text":"a","finish_reason":"{word}"}}]}}"#);
        assert_eq!(
            whole(&CohereCommand::CHAT, &body("MAX_TOKENS")).stop_reason,
            StopReason::MaxTokens
        );
        let toxic = whole(&CohereCommand::CHAT, &body("ERROR_TOXIC"));
        assert_eq!(toxic.stop_reason, StopReason::ContentFiltered);
        let failed = CohereCommand::CHAT
            .reply(body(ERROR).as_bytes())
            .unwrap_err()
            .to_string();
        assert!(failed.contains("the model failed"), "{failed}");
    }
}

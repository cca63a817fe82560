//! Amazon's Titan Text.
//!
//! Source: Amazon Bedrock User Guide, "Amazon Titan Text models", read 2026-11.

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::{ConverseResponse, StopReason};
use outcrop_bedrock::json::{Fault, Reader};

use super::completion::{self, Completion, read_tokens, read_word};
use super::prompt::{RAW, Template};
use super::{Ask, ChunkReader, Family, text_only};
use crate::catalogue::Traits;
use crate::notes::Notes;
use crate::problem::Problem;

/// The shape.
#[derive(Debug)]
pub(crate) struct TitanText {
    template: &'static str,
}

impl TitanText {
    /// For conversations.
    pub(crate) const CHAT: Self = Self { template: "titan" };
    /// For texts that the model goes on with.
    pub(crate) const RAW: Self = Self { template: RAW };
}

const CONFIG: &str = "textGenerationConfig";

impl Family for TitanText {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let request = ask.request;
        let prompt = text_only::prompt(Template::of(self.template), request, notes)?;
        let config = &request.inference_config;
        Ok(text_only::body(request, &["inputText", CONFIG], |body| {
            body.placed("inputText", &prompt);
            let config = text_only::merged(body.own(CONFIG), |object| {
                object.optional("temperature", &config.temperature);
                object.optional("topP", &config.top_p);
                object.field("maxTokenCount", &config.max_tokens.unwrap_or(ask.max_output));
                object.unless_empty("stopSequences", &config.stop_sequences);
            });
            body.placed(CONFIG, &config);
        }))
    }

    fn adapt(&self, traits: &mut Traits) {
        text_only::adapt(traits);
        // Titan knows two of its own only; the gateway looks for all others itself.
        traits.stop_sequences = 0;
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        completion::reply(body, read, Template::of(self.template).answer_begins)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        completion::chunks(read, Template::of(self.template).answer_begins)
    }
}

/// Reads a whole answer, whose text is in `results`, or a chunk, which is like one of those.
fn read(body: &[u8]) -> Result<Completion, Fault> {
    let mut completion = Completion::default();
    Reader::document(body, |reader| {
        reader.object(|member, reader| match member {
            "results" => completion::read_first(reader, |reader| {
                completion::read_members(reader, |member, reader| read_member(member, reader, &mut completion))
            }),
            member => read_member(member, reader, &mut completion),
        })
    })?;
    Ok(completion)
}

fn read_member(member: &str, reader: &mut Reader<'_>, completion: &mut Completion) -> Result<(), Fault> {
    match member {
        "outputText" => reader
            .nullable(Reader::string)
            .map(|text| completion.text = text.map(Into::into)),
        "completionReason" => read_word(reader, stop_reason, &mut completion.stop_reason),
        "inputTextTokenCount" => read_tokens(reader, &mut completion.usage.input_tokens),
        "tokenCount" | "totalOutputTextTokenCount" => read_tokens(reader, &mut completion.usage.output_tokens),
        _ => reader.skip(),
    }
}

fn stop_reason(word: &str) -> StopReason {
    match word {
        "FINISH" | "FINISHED" => StopReason::EndTurn,
        "LENGTH" => StopReason::MaxTokens,
        "STOP_CRITERIA_MET" => StopReason::StopSequence,
        "CONTENT_FILTERED" => StopReason::ContentFiltered,
        other => StopReason::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Asked, answer, streamed, whole};
    use super::*;

    #[test]
    fn the_body_has_the_text_and_its_configuration() {
        let (body, notes) = Asked::say("Hi").sampled().body(&TitanText::CHAT);
        assert_eq!(
            body,
            concat!(
                r#"{"inputText":"User: Hi\nBot:","textGenerationConfig":{"temperature":0.5,"topP":0.9,"#,
                r#""maxTokenCount":50,"stopSequences":["END","\n"]},"top_k":7}"#
            )
        );
        assert_eq!(notes, "");
    }

    #[test]
    fn the_clients_own_configuration_counts_first() {
        let own = r#"{"maxTokenCount":9,"newer":true}"#;
        let (body, _) = Asked::say("Hi").sampled().own(CONFIG, own).body(&TitanText::CHAT);
        assert!(
            body.contains(
                r#"{"temperature":0.5,"topP":0.9,"stopSequences":["END","\n"],"maxTokenCount":9,"newer":true}"#
            ),
            "{body}"
        );
    }

    #[test]
    fn a_streamed_answer_is_the_whole_one_without_the_newline_before_it() {
        let reply = whole(
            &TitanText::CHAT,
            concat!(
                r#"{"inputTextTokenCount":8,"results":[{"tokenCount":5,"outputText":"\nHello\nyou","#,
                r#""completionReason":"FINISH"}]}"#
            ),
        );
        assert_eq!(reply, answer("", "Hello\nyou", StopReason::EndTurn, 8, 5));
        let chunks = [
            concat!(
                r#"{"outputText":"\n","index":0,"totalOutputTextTokenCount":null,"completionReason":null,"#,
                r#""inputTextTokenCount":8}"#
            ),
            concat!(
                r#"{"outputText":"Hello\nyou","index":0,"totalOutputTextTokenCount":5,"#,
                r#""completionReason":"FINISH","inputTextTokenCount":8}"#
            ),
        ];
        assert_eq!(streamed(&TitanText::CHAT, &chunks), reply);
    }

    #[test]
    fn each_reason_to_stop_is_known() {
        for (word, expected) in [
            ("FINISHED", StopReason::EndTurn),
            ("LENGTH", StopReason::MaxTokens),
            ("STOP_CRITERIA_MET", StopReason::StopSequence),
            ("CONTENT_FILTERED", StopReason::ContentFiltered),
        ] {
            let chunk = format!(r#"{{"outputText":"","completionReason":"{word}"}}"#);
            assert_eq!(streamed(&TitanText::CHAT, &[chunk]).stop_reason, expected);
        }
    }
}

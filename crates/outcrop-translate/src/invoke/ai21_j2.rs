//! AI21's Jurassic-2, which doesn't stream: its whole answer is read as one chunk.
//!
//! Source: Amazon Bedrock User Guide, "AI21 Labs Jurassic-2 models", as gateways and users tell it, collected 2026-11.

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::{ConverseResponse, StopReason};
use outcrop_bedrock::json::{Fault, Json, Reader};

use super::completion::{self, Completion, read_members};
use super::prompt::{RAW, Template};
use super::{Ask, ChunkReader, Family, text_only};
use crate::catalogue::{Parameter, Set, Traits};
use crate::notes::Notes;
use crate::problem::Problem;

/// The shape.
#[derive(Debug)]
pub(crate) struct Ai21J2 {
    template: &'static str,
}

impl Ai21J2 {
    /// For conversations.
    pub(crate) const CHAT: Self = Self { template: "plain" };
    /// For texts that the model goes on with.
    pub(crate) const RAW: Self = Self { template: RAW };
}

/// OpenAI's penalties, and J2's objects whose `scale` they are.
const PENALTIES: &[(&str, &str)] = &[
    ("frequency_penalty", "frequencyPenalty"),
    ("presence_penalty", "presencePenalty"),
];
/// What is written here, or has no place.
const PLACED: &[&str] = &["prompt", "frequency_penalty", "presence_penalty", "top_k"];

impl Family for Ai21J2 {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let request = ask.request;
        let prompt = text_only::prompt(Template::of(self.template), request, notes)?;
        let config = &request.inference_config;
        Ok(text_only::body(request, PLACED, |body| {
            body.placed("prompt", &prompt);
            body.field("maxTokens", &config.max_tokens.unwrap_or(ask.max_output));
            body.optional("temperature", &config.temperature);
            body.optional("topP", &config.top_p);
            body.unless_empty("stopSequences", &config.stop_sequences);
            for (name, own_name) in PENALTIES {
                let scale = body.own(name);
                let penalty = scale.map(|scale| Json::object(|object| object.field("scale", scale)));
                body.optional(own_name, &penalty);
            }
            if body.own("top_k").is_some() {
                notes.lose("top_k", "dropped", "unsupported-by-model");
            }
        }))
    }

    fn adapt(&self, traits: &mut Traits) {
        text_only::adapt(traits);
        // By names of its own, which its body has and Converse doesn't.
        traits.openai_parameters = Set::of(&[Parameter::FrequencyPenalty, Parameter::PresencePenalty]);
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        completion::reply(body, read, Template::of(self.template).answer_begins)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        completion::chunks(read, Template::of(self.template).answer_begins)
    }
}

fn read(body: &[u8]) -> Result<Completion, Fault> {
    let mut completion = Completion::default();
    Reader::document(body, |reader| {
        reader.object(|member, reader| match member {
            "completions" => completion::read_first(reader, |reader| {
                read_members(reader, |member, reader| match member {
                    "data" => read_members(reader, |member, reader| match member {
                        "text" => reader
                            .nullable(Reader::string)
                            .map(|text| completion.text = text.map(Into::into)),
                        _ => reader.skip(),
                    }),
                    "finishReason" => read_members(reader, |member, reader| match member {
                        "reason" => completion::read_word(reader, stop_reason, &mut completion.stop_reason),
                        _ => reader.skip(),
                    }),
                    _ => reader.skip(),
                })
            }),
            _ => reader.skip(),
        })
    })?;
    if completion.text.is_some() {
        // An answer is whole, whether it says why it ends or not.
        completion.stop_reason.get_or_insert(StopReason::EndTurn);
    }
    Ok(completion)
}

fn stop_reason(word: &str) -> StopReason {
    match word {
        "endoftext" => StopReason::EndTurn,
        "stop" => StopReason::StopSequence,
        "length" => StopReason::MaxTokens,
        other => StopReason::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Asked, answer, streamed, whole};
    use super::*;

    #[test]
    fn the_body_has_the_bare_prompt_and_j2s_names() {
        let (body, notes) = Asked::say("Hi")
            .sampled()
            .own("frequency_penalty", "0.5")
            .own("presence_penalty", "1")
            .own("countPenalty", r#"{"scale":0.2}"#)
            .body(&Ai21J2::CHAT);
        assert_eq!(
            body,
            concat!(
                r#"{"prompt":"Hi","maxTokens":50,"temperature":0.5,"topP":0.9,"stopSequences":["END","\n"],"#,
                r#""frequencyPenalty":{"scale":0.5},"presencePenalty":{"scale":1},"countPenalty":{"scale":0.2}}"#
            )
        );
        assert_eq!(notes, "top_k=dropped(unsupported-by-model)");
    }

    #[test]
    fn a_whole_answer_is_also_read_as_the_only_chunk_of_a_stream() {
        for (word, expected) in [
            ("endoftext", StopReason::EndTurn),
            ("stop", StopReason::StopSequence),
            ("length", StopReason::MaxTokens),
        ] {
            let body = format!(
                r#"{{"id":1234,"prompt":{{"text":"Hi"}},"completions":[{{"data":{{"text":"\nHello you","tokens":[]}},
                "finishReason":{{"reason":"{word}","length":50}}}}]}}"#
            );
            let expected = answer("", "Hello you", expected, 0, 0);
            assert_eq!(whole(&Ai21J2::CHAT, &body), expected);
            assert_eq!(streamed(&Ai21J2::CHAT, &[body]), expected);
        }
    }
}

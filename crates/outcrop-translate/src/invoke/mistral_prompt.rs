//! Mistral's text completion: Mistral 7B, Mixtral and the first Mistral Large and Small.
//!
//! Source: Amazon Bedrock User Guide, "Mistral AI text completion", as gateways and users tell it, collected 2026-11.

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::ConverseResponse;
use outcrop_bedrock::json::Fault;

use super::prompt::{RAW, Template};
use super::{Ask, ChunkReader, Family, completion, text_only};
use crate::catalogue::Traits;
use crate::notes::Notes;
use crate::problem::Problem;

/// The shape.
#[derive(Debug)]
pub(crate) struct MistralPrompt {
    template: &'static str,
}

impl MistralPrompt {
    /// For conversations.
    pub(crate) const CHAT: Self = Self { template: "mistral" };
    /// For texts that the model goes on with.
    pub(crate) const RAW: Self = Self { template: RAW };
}

impl Family for MistralPrompt {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let request = ask.request;
        let prompt = text_only::prompt(Template::of(self.template), request, notes)?;
        let config = &request.inference_config;
        Ok(text_only::body(request, &["prompt"], |body| {
            body.placed("prompt", &prompt);
            body.field("max_tokens", &config.max_tokens.unwrap_or(ask.max_output));
            body.optional("temperature", &config.temperature);
            body.optional("top_p", &config.top_p);
            body.unless_empty("stop", &config.stop_sequences);
        }))
    }

    fn adapt(&self, traits: &mut Traits) {
        text_only::adapt(traits);
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        let begins = Template::of(self.template).answer_begins;
        completion::reply(body, completion::read_completion, begins)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        completion::chunks(completion::read_completion, Template::of(self.template).answer_begins)
    }
}

#[cfg(test)]
mod tests {
    use outcrop_bedrock::converse::StopReason;

    use super::super::testing::{Asked, answer, streamed, whole};
    use super::*;

    #[test]
    fn the_body_has_the_prompt_and_all_that_mistral_takes() {
        let (body, notes) = Asked::say("Hi").sampled().body(&MistralPrompt::CHAT);
        assert_eq!(
            body,
            concat!(
                r#"{"prompt":"<s>[INST] Hi [/INST]","max_tokens":50,"temperature":0.5,"top_p":0.9,"#,
                r#""stop":["END","\n"],"top_k":7}"#
            )
        );
        assert_eq!(notes, "");
        let (body, _) = Asked::say("Hi").body(&MistralPrompt::CHAT);
        assert_eq!(body, r#"{"prompt":"<s>[INST] Hi [/INST]","max_tokens":2048}"#);
    }

    #[test]
    fn a_streamed_answer_is_the_whole_one() {
        let reply = whole(
            &MistralPrompt::CHAT,
            r#"{"outputs":[{"text":" Hello you","stop_reason":"stop"}]}"#,
        );
        assert_eq!(reply, answer("", "Hello you", StopReason::EndTurn, 0, 0));
        let chunks = [
            r#"{"outputs":[{"text":" Hello","stop_reason":null}]}"#,
            r#"{"outputs":[{"text":" you","stop_reason":null}]}"#,
            r#"{"outputs":[{"text":"","stop_reason":"stop"}]}"#,
        ];
        assert_eq!(streamed(&MistralPrompt::CHAT, &chunks), reply);
        let full = whole(
            &MistralPrompt::CHAT,
            r#"{"outputs":[{"text":"a","stop_reason":"length"}]}"#,
        );
        assert_eq!(full.stop_reason, StopReason::MaxTokens);
    }
}

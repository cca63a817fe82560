//! DeepSeek R1, which thinks before each answer.
//!
//! Source: Amazon Bedrock User Guide, "DeepSeek models", read 2026-11.

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::ConverseResponse;
use outcrop_bedrock::json::Fault;

use super::prompt::Template;
use super::{Ask, ChunkReader, Family, completion, text_only};
use crate::catalogue::Traits;
use crate::notes::Notes;
use crate::problem::Problem;

/// The shape.
#[derive(Debug)]
pub(crate) struct DeepSeekPrompt;

const TEMPLATE: &str = "deepseek-r1";

impl Family for DeepSeekPrompt {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let request = ask.request;
        let prompt = text_only::prompt(Template::of(TEMPLATE), request, notes)?;
        let config = &request.inference_config;
        Ok(text_only::body(request, &["prompt"], |body| {
            body.placed("prompt", &prompt);
            body.optional("temperature", &config.temperature);
            body.optional("top_p", &config.top_p);
            body.field("max_tokens", &config.max_tokens.unwrap_or(ask.max_output));
            body.unless_empty("stop", &config.stop_sequences);
        }))
    }

    fn adapt(&self, traits: &mut Traits) {
        text_only::adapt(traits);
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        let begins = Template::of(TEMPLATE).answer_begins;
        completion::reply(body, completion::read_completion, begins)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        completion::chunks(completion::read_completion, Template::of(TEMPLATE).answer_begins)
    }
}

#[cfg(test)]
mod tests {
    use outcrop_bedrock::converse::StopReason;

    use super::super::testing::{Asked, answer, json_text, streamed, whole};
    use super::*;

    #[test]
    fn the_body_has_a_prompt_that_opens_the_thoughts() {
        let (body, notes) = Asked::say("Hi").sampled().body(&DeepSeekPrompt);
        assert_eq!(
            body,
            concat!(
                r#"{"prompt":"<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>\n","#,
                r#""temperature":0.5,"top_p":0.9,"max_tokens":50,"stop":["END","\n"],"top_k":7}"#
            )
        );
        assert_eq!(notes, "");
    }

    #[test]
    fn thoughts_are_told_from_the_answer_wherever_the_stream_is_cut() {
        let text = "Hm, 1 < 2: é.\n</think>\n\nYes </think> it is.";
        let expected = answer("Hm, 1 < 2: é.", "Yes </think> it is.", StopReason::EndTurn, 0, 0);
        let body = format!(r#"{{"choices":[{{"text":{},"stop_reason":"stop"}}]}}"#, json_text(text));
        assert_eq!(whole(&DeepSeekPrompt, &body), expected);
        for (cut, _) in text.char_indices() {
            let (first, second) = text.split_at(cut);
            let chunks = [
                format!(r#"{{"choices":[{{"text":{},"stop_reason":null}}]}}"#, json_text(first)),
                format!(
                    r#"{{"choices":[{{"text":{},"stop_reason":"stop"}}]}}"#,
                    json_text(second)
                ),
            ];
            assert_eq!(streamed(&DeepSeekPrompt, &chunks), expected, "cut at {cut}");
        }
    }

    #[test]
    fn an_answer_that_ends_within_the_thoughts_loses_none_of_them() {
        let expected = answer("Hm</thi", "", StopReason::MaxTokens, 0, 0);
        let body = r#"{"choices":[{"text":"Hm</thi","stop_reason":"length"}]}"#;
        assert_eq!(whole(&DeepSeekPrompt, body), expected);
        assert_eq!(streamed(&DeepSeekPrompt, &[body]), expected);
    }
}

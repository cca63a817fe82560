//! Imported models, which are called by ARN: nothing but their operator knows how they want conversations written.
//!
//! Source: Amazon Bedrock User Guide, "Invoke your imported model", read 2026-11. Users report that the name of the
//! limit decides on the form of the answer, and that `max_gen_len`, Llama's own, is understood for each architecture;
//! other gateways send `top_k` and `stop` beside it (LiteLLM's Qwen 3, read 2026-11).

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::ConverseResponse;
use outcrop_bedrock::json::Fault;

use super::prompt::{RAW, Template};
use super::{Ask, ChunkReader, Family, MistralPrompt, completion, text_only};
use crate::catalogue::Traits;
use crate::notes::Notes;
use crate::problem::Problem;

/// The shape, with the name of the template.
#[derive(Debug)]
pub(crate) struct Imported {
    template: &'static str,
}

/// Names of prompt formats, and the shapes that they stand for.
static FORMATS: &[(&str, &dyn Family)] = &[
    ("chatml", &Imported { template: "chatml" }),
    (
        "deepseek-r1",
        &Imported {
            template: "deepseek-r1",
        },
    ),
    ("llama2", &Imported { template: "llama2" }),
    ("llama3", &Imported { template: "llama3" }),
    ("llama4", &Imported { template: "llama4" }),
    ("mistral", &MistralPrompt::CHAT),
    ("plain", &Imported { template: "plain" }),
];

impl Imported {
    /// For texts that the model goes on with.
    pub(crate) const RAW: Self = Self { template: RAW };

    /// The shape for the prompt format called `name`, such as `llama3`.
    pub(crate) fn named(name: &str) -> Option<&'static dyn Family> {
        let format = FORMATS.iter().find(|(known, _)| *known == name);
        format.map(|(_, family)| *family)
    }
}

impl Family for Imported {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let request = ask.request;
        let prompt = text_only::prompt(Template::of(self.template), request, notes)?;
        let config = &request.inference_config;
        Ok(text_only::body(request, &["prompt"], |body| {
            body.placed("prompt", &prompt);
            body.field("max_gen_len", &config.max_tokens.unwrap_or(ask.max_output));
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

    fn ends_untold(&self) -> bool {
        // What serves the model is its operator's choice, and not all servers give a reason.
        true
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        let begins = Template::of(self.template).answer_begins;
        completion::chunks(completion::read_completion, begins)
    }
}

#[cfg(test)]
mod tests {
    use outcrop_bedrock::converse::StopReason;

    use super::super::testing::{Asked, answer, json_text, streamed, whole};
    use super::*;

    #[test]
    fn each_format_has_a_template() {
        for name in FORMATS.iter().map(|(name, _)| *name) {
            assert!(Template::named(name).is_some(), "{name}");
            assert!(Imported::named(name).is_some(), "{name}");
        }
        assert!(Imported::named("Llama3").is_none());
    }

    #[test]
    fn the_body_is_llamas_with_the_format_that_was_named() {
        let (body, notes) = Asked::say("Hi").sampled().body(Imported::named("chatml").unwrap());
        assert_eq!(
            body,
            concat!(
                r#"{"prompt":"<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n","max_gen_len":50,"#,
                r#""temperature":0.5,"top_p":0.9,"stop":["END","\n"],"top_k":7}"#
            )
        );
        assert_eq!(notes, "");
        let (body, _) = Asked::say("Hi").body(Imported::named("mistral").unwrap());
        assert_eq!(body, r#"{"prompt":"<s>[INST] Hi [/INST]","max_tokens":2048}"#);
    }

    #[test]
    fn thoughts_of_an_imported_model_are_told_from_its_answer_wherever_the_stream_is_cut() {
        for (format, text) in [
            ("deepseek-r1", "Hm.</think>\n\nYes."),
            ("chatml", "<think>Hm.</think>\n\nYes."),
        ] {
            let family = Imported::named(format).unwrap();
            let expected = answer("Hm.", "Yes.", StopReason::EndTurn, 5, 9);
            let body = format!(
                r#"{{"generation":{},"prompt_token_count":5,"generation_token_count":9,"stop_reason":"stop"}}"#,
                json_text(text)
            );
            assert_eq!(whole(family, &body), expected);
            for (cut, _) in text.char_indices() {
                let (first, second) = text.split_at(cut);
                let chunks = [
                    format!(
                        r#"{{"generation":{},"prompt_token_count":5,"generation_token_count":3,"stop_reason":null}}"#,
                        json_text(first)
                    ),
                    format!(
                        r#"{{"generation":{},"generation_token_count":9,"stop_reason":"stop"}}"#,
                        json_text(second)
                    ),
                ];
                assert_eq!(streamed(family, &chunks), expected, "{format} cut at {cut}");
            }
        }
    }

    #[test]
    fn an_answer_without_thoughts_is_an_answer() {
        let chatml = Imported::named("chatml").unwrap();
        let body = r#"{"choices":[{"text":"Yes.","finish_reason":"length"}]}"#;
        assert_eq!(whole(chatml, body), answer("", "Yes.", StopReason::MaxTokens, 0, 0));
    }
}

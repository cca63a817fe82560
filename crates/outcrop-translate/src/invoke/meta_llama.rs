//! Meta's Llama.
//!
//! Source: Amazon Bedrock User Guide, "Meta Llama models", read 2026-11.

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::ConverseResponse;
use outcrop_bedrock::json::Fault;

use super::prompt::Template;
use super::{Ask, ChunkReader, Family, completion, text_only};
use crate::catalogue::Traits;
use crate::notes::Notes;
use crate::problem::Problem;

/// The largest limit that the guide names.
const MOST_TOKENS: u64 = 2048;

/// The shape, with the name of the template: each generation of Llama has its own.
#[derive(Debug)]
pub(crate) struct MetaLlama {
    /// Such as `llama3`.
    pub(crate) template: &'static str,
}

impl Family for MetaLlama {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let request = ask.request;
        let prompt = text_only::prompt(Template::of(self.template), request, notes)?;
        let config = &request.inference_config;
        if !config.stop_sequences.is_empty() {
            notes.lose("stop", "dropped", "unsupported-by-model");
        }
        Ok(text_only::body(request, &["prompt"], |body| {
            body.placed("prompt", &prompt);
            body.field(
                "max_gen_len",
                &config.max_tokens.unwrap_or(ask.max_output.min(MOST_TOKENS)),
            );
            body.optional("temperature", &config.temperature);
            body.optional("top_p", &config.top_p);
        }))
    }

    fn adapt(&self, traits: &mut Traits) {
        text_only::adapt(traits);
        // The body has no word for them; the gateway looks for them itself.
        traits.stop_sequences = 0;
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        let begins = Template::of(self.template).answer_begins;
        completion::reply(body, completion::read_completion, begins)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        let begins = Template::of(self.template).answer_begins;
        completion::chunks(completion::read_completion, begins)
    }
}

#[cfg(test)]
mod tests {
    use outcrop_bedrock::converse::StopReason;

    use super::super::testing::{Asked, answer, streamed, whole};
    use super::*;

    const LLAMA: MetaLlama = MetaLlama { template: "llama3" };

    #[test]
    fn the_body_has_the_prompt_and_the_limits_and_no_stop_sequences() {
        let (body, notes) = Asked::say("Hi").sampled().body(&LLAMA);
        assert_eq!(
            body,
            concat!(
                r#"{"prompt":"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"#,
                r#"<|start_header_id|>assistant<|end_header_id|>\n\n","#,
                r#""max_gen_len":50,"temperature":0.5,"top_p":0.9,"top_k":7}"#
            )
        );
        assert_eq!(notes, "stop=dropped(unsupported-by-model)");
    }

    #[test]
    fn the_limit_is_the_models_unless_the_client_says_one_in_either_way() {
        let (body, notes) = Asked::say("Hi").body(&MetaLlama { template: "llama2" });
        assert_eq!(body, r#"{"prompt":"<s>[INST] Hi [/INST]","max_gen_len":2048}"#);
        assert_eq!(notes, "");
        let (body, _) = Asked::say("Hi").own("max_gen_len", "9").body(&LLAMA);
        assert!(body.ends_with(r#"\n\n","max_gen_len":9}"#), "{body}");
    }

    #[test]
    fn a_streamed_answer_is_the_whole_one() {
        let reply = whole(
            &LLAMA,
            r#"{"generation":"\n\nA \"b\" é","prompt_token_count":20,"generation_token_count":4,"stop_reason":"stop"}"#,
        );
        assert_eq!(reply, answer("", "\n\nA \"b\" é", StopReason::EndTurn, 20, 4));
        let chunks = [
            r#"{"generation":"\n\nA ","prompt_token_count":20,"generation_token_count":1,"stop_reason":null}"#,
            r#"{"generation":"\"b\" ","prompt_token_count":null,"generation_token_count":3,"stop_reason":null}"#,
            r#"{"generation":"é","prompt_token_count":null,"generation_token_count":4,"stop_reason":"stop"}"#,
        ];
        assert_eq!(streamed(&LLAMA, &chunks), reply);
    }

    #[test]
    fn a_full_answer_says_so_and_the_space_behind_llama_2s_prompt_is_cut() {
        let llama2 = MetaLlama { template: "llama2" };
        let reply = whole(&llama2, r#"{"generation":"  Hello ","stop_reason":"length"}"#);
        assert_eq!(reply, answer("", "Hello ", StopReason::MaxTokens, 0, 0));
        let chunks = [
            r#"{"generation":" "}"#,
            r#"{"generation":" Hello"}"#,
            r#"{"generation":" ","stop_reason":"length"}"#,
        ];
        assert_eq!(streamed(&llama2, &chunks), reply);
    }
}

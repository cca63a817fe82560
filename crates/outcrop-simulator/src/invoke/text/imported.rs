//! Imported models: their prompts are in the template of what was imported, and the body may be one of three.
//!
//! Source: Bedrock's user guide, "Invoke your imported model" (2026-11): a model that was imported since November 2025
//! takes Llama's body, OpenAI's completions and OpenAI's chat completions. Which one it is, the body itself tells:
//! `messages`, or a prompt with `max_tokens`, or another prompt. gpt-oss takes OpenAI's only; of those, chat's here.

use serde_json::{Value, json};

use super::deepseek::{self, AFTER_THOUGHTS};
use super::pieces::{Piece, Pieces, Write};
use super::{Reasons, Told, config, headed, inst, llama};
use crate::converse::{Mode, Reply};
use crate::invoke::about::About;
use crate::invoke::json_schema::Schema;
use crate::invoke::openai;
use crate::invoke::openai_chat::OpenAiChat;
use crate::invoke::shape::{Shape, Writer};
use crate::models::Target;
use crate::refusal::Refusal;

/// An imported model, by the template of its prompts.
pub(in crate::invoke) enum Imported {
    Llama3,
    DeepSeek,
    ChatMl,
    Mistral,
    /// None: it takes messages only.
    Chat,
}

/// Which body it is.
enum Kind {
    Llama,
    Completion,
    Chat,
}

impl Kind {
    fn of(body: &Value) -> Kind {
        let given = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
        match () {
            () if given("messages") => Kind::Chat,
            () if given("max_tokens") => Kind::Completion,
            () => Kind::Llama,
        }
    }
}

impl Shape for Imported {
    fn read(&self, body: &Value, target: &Target, mode: Mode) -> Result<Value, Refusal> {
        let (schema, limit) = match Kind::of(body) {
            Kind::Chat => {
                openai::check_native(body)?;
                check_stream(body, mode)?;
                return openai::request(body, target);
            }
            _ if matches!(self, Imported::Chat) => {
                return Err(Refusal::malformed(&["#: required key [messages] not found".to_owned()]));
            }
            Kind::Llama => (&LLAMA, "max_gen_len"),
            Kind::Completion => (&COMPLETION, "max_tokens"),
        };
        schema.check(body)?;
        check_stream(body, mode)?;
        let told = self.told(body["prompt"].as_str().unwrap_or_default())?;
        let stop = match body.get("stop") {
            Some(Value::String(text)) => Some(json!([text])),
            other => other.cloned(),
        };
        Ok(told.request(config([
            ("maxTokens", body.get(limit)),
            ("temperature", body.get("temperature")),
            ("topP", body.get("top_p")),
            ("stopSequences", stop.as_ref()),
        ])))
    }

    fn whole(&self, reply: &Reply, about: &About) -> Value {
        let text = format!(
            "{}{}",
            self.lead(),
            deepseek::with_thoughts(reply, self.opens_thoughts())
        );
        match Kind::of(&about.body) {
            Kind::Llama => llama::generation(&text, &reply.stop_reason, about),
            Kind::Completion => {
                let mut whole = completion(&text, Some(&reply.stop_reason), about);
                whole["usage"] = usage(about);
                whole
            }
            Kind::Chat => OpenAiChat.whole(reply, about),
        }
    }

    fn chunks(&self, about: About) -> Box<dyn Writer> {
        let write: Write = match Kind::of(&about.body) {
            Kind::Chat => return OpenAiChat.chunks(about),
            Kind::Llama => llama::write,
            Kind::Completion => |piece: &Piece<'_>, about, out| {
                out.push(completion(piece.text, piece.stop_reason, about));
            },
        };
        let pieces = Pieces::new(about, self.lead(), write).with_thoughts(AFTER_THOUGHTS);
        Box::new(if self.opens_thoughts() { pieces.opened() } else { pieces })
    }
}

static LLAMA: Schema = Schema::new(include_str!("../schemas/imported_llama.json"));
static COMPLETION: Schema = Schema::new(include_str!("../schemas/imported_completion.json"));

impl Imported {
    /// If its prompts end within the thoughts.
    fn opens_thoughts(&self) -> bool {
        matches!(self, Imported::DeepSeek)
    }

    fn told(&self, prompt: &str) -> Result<Told, Refusal> {
        match self {
            Imported::Llama3 | Imported::Chat => headed::LLAMA_3.read(prompt),
            Imported::DeepSeek => deepseek::told(prompt),
            Imported::ChatMl => headed::CHATML.read(prompt),
            Imported::Mistral => inst::mistral(prompt),
        }
    }

    /// What stands before an answer.
    fn lead(&self) -> &'static str {
        if matches!(self, Imported::Mistral) { " " } else { "" }
    }
}

fn check_stream(body: &Value, mode: Mode) -> Result<(), Refusal> {
    let stream = body.get("stream").and_then(Value::as_bool);
    match stream.is_some_and(|stream| stream != (mode == Mode::Stream)) {
        true => Err(Refusal::validation("The stream field must match the operation.")),
        false => Ok(()),
    }
}

fn completion(text: &str, stop_reason: Option<&str>, about: &About) -> Value {
    json!({
        "id": format!("cmpl-{}", about.id),
        "object": "text_completion",
        "created": about.created,
        "model": about.model,
        "choices": [{
            "index": 0,
            "text": text,
            "logprobs": null,
            "finish_reason": stop_reason.map(|reason| Reasons::PLAIN.of(reason)),
        }],
    })
}

fn usage(about: &About) -> Value {
    let (input, output) = (about.usage.input, about.usage.output);
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

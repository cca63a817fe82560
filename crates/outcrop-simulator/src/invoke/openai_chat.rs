//! Bodies of OpenAI's chat completions: gpt-oss, and the open models that Bedrock serves in the same way.
//!
//! Source: Bedrock's user guide, "OpenAI models" (2026-11). That reasoning stands in the content in tags is reported of
//! gpt-oss and Kimi K2; of the others it is assumed.

use serde_json::Value;

use super::about::About;
use super::openai::{self, Dialect};
use super::shape::{Shape, Writer};
use crate::converse::{Mode, Reply};
use crate::models::Target;
use crate::refusal::Refusal;

pub(super) struct OpenAiChat;

const DIALECT: Dialect = Dialect {
    thoughts_in_tags: true,
    reason: "finish_reason",
    content_in: "delta",
    usage_in_stream: true,
};

impl Shape for OpenAiChat {
    fn read(&self, body: &Value, target: &Target, mode: Mode) -> Result<Value, Refusal> {
        openai::check_native(body)?;
        let model = body.get("model").and_then(Value::as_str);
        if model.is_some_and(|model| !model.ends_with(&target.model.id)) {
            return Err(Refusal::validation(
                "The model in the body must match the model in the path.",
            ));
        }
        let stream = body.get("stream").and_then(Value::as_bool);
        if stream.is_some_and(|stream| stream != (mode == Mode::Stream)) {
            return Err(Refusal::validation("The stream field must match the operation."));
        }
        openai::request(body, target)
    }

    fn whole(&self, reply: &Reply, about: &About) -> Value {
        openai::whole(&DIALECT, reply, about)
    }

    fn chunks(&self, about: About) -> Box<dyn Writer> {
        Box::new(openai::Stream::new(&DIALECT, about))
    }
}

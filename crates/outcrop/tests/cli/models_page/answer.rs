//! What a client makes of an answer, whole or streamed.

use serde_json::Value;

/// An answer's parts, put together.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) reasoning: String,
    pub(super) calls: Vec<Call>,
    pub(super) finish: Option<String>,
    pub(super) usage: Option<(u64, u64)>,
}

/// A call of a tool.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
}

impl Answer {
    /// Of a whole answer.
    pub(super) fn whole(body: &str) -> Result<Self, String> {
        let document = parse(body)?;
        let mut answer = Self::default();
        answer.add(&document, "message");
        Ok(answer)
    }

    /// Of a stream of events, which has to end as OpenAI's end.
    pub(super) fn streamed(body: &str) -> Result<Self, String> {
        let events: Vec<&str> = body.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        let Some(("[DONE]", chunks)) = events.split_last().map(|(last, others)| (*last, others)) else {
            return Err(format!("the stream doesn't end with [DONE]: {body}"));
        };
        let mut answer = Self::default();
        for chunk in chunks {
            let chunk = parse(chunk)?;
            if !chunk["error"].is_null() {
                return Err(format!("an error within the stream: {chunk}"));
            }
            answer.add(&chunk, "delta");
        }
        Ok(answer)
    }

    fn add(&mut self, document: &Value, part: &str) {
        if let (Some(input), Some(output)) = (
            document["usage"]["prompt_tokens"].as_u64(),
            document["usage"]["completion_tokens"].as_u64(),
        ) {
            self.usage = Some((input, output));
        }
        let choice = &document["choices"][0];
        if let Some(finish) = choice["finish_reason"].as_str() {
            self.finish = Some(finish.to_owned());
        }
        let said = &choice[part];
        self.text.push_str(said["content"].as_str().unwrap_or_default());
        self.reasoning
            .push_str(said["reasoning_content"].as_str().unwrap_or_default());
        for (position, call) in said["tool_calls"].as_array().into_iter().flatten().enumerate() {
            let index = call["index"]
                .as_u64()
                .map_or(position, |index| usize::try_from(index).unwrap());
            if self.calls.len() <= index {
                self.calls.resize_with(index + 1, Call::default);
            }
            let known = &mut self.calls[index];
            known.id.push_str(call["id"].as_str().unwrap_or_default());
            let function = &call["function"];
            known.name.push_str(function["name"].as_str().unwrap_or_default());
            known
                .arguments
                .push_str(function["arguments"].as_str().unwrap_or_default());
        }
    }
}

fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON ({error}): {text}"))
}

//! How many tokens something has: about four characters each, the same for counting and for using.

use serde_json::Value;

const CHARS_PER_TOKEN: u64 = 4;
/// What an image, a document or a video counts, whatever its size.
const TOKENS_PER_MEDIA: u64 = 1_500;
const TOKENS_PER_MESSAGE: u64 = 4;

/// The tokens of a request: its conversation, its system prompt, its tools.
pub(crate) fn input(body: &Value) -> u64 {
    let mut count = Count::default();
    for part in ["messages", "system", "toolConfig"] {
        if let Some(part) = body.get(part) {
            count.add(part);
        }
    }
    let messages = body.get("messages").and_then(Value::as_array).map_or(0, Vec::len);
    count.messages = messages as u64;
    count.tokens()
}

/// The tokens of a text.
pub(crate) fn of(text: &str) -> u64 {
    of_chars(text.chars().count() as u64)
}

/// The characters that a number of tokens has.
pub(crate) fn chars(tokens: u64) -> usize {
    usize::try_from(tokens.saturating_mul(CHARS_PER_TOKEN)).unwrap_or(usize::MAX)
}

fn of_chars(chars: u64) -> u64 {
    chars.div_ceil(CHARS_PER_TOKEN)
}

/// What has been counted so far.
#[derive(Default)]
pub(crate) struct Count {
    chars: u64,
    media: u64,
    messages: u64,
}

impl Count {
    pub(crate) fn tokens(&self) -> u64 {
        of_chars(self.chars) + self.media * TOKENS_PER_MEDIA + self.messages * TOKENS_PER_MESSAGE
    }

    pub(crate) fn add_message(&mut self) {
        self.messages += 1;
    }

    pub(crate) fn add(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.chars += text.chars().count() as u64,
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| match name.as_str() {
                "bytes" | "s3Location" => self.media += 1,
                // Names of Converse's own members aren't what the model reads.
                _ => self.add(value),
            }),
            Value::Number(_) | Value::Bool(_) => self.chars += 4,
            Value::Null => {}
        }
    }
}

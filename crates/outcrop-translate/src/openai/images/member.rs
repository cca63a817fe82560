//! Reading members of a request, whose values are JSON, or texts of a form.

use serde_json::Value;

use crate::problem::Problem;

/// A whole number, 0 or above; `1.0` is one, as in JSON Schema.
pub(super) fn whole(value: &Value) -> Option<u64> {
    const LARGEST: f64 = 9_007_199_254_740_991.0;
    let of_float = || {
        let number = value.as_f64()?;
        let is_whole = number.fract() == 0.0 && (0.0..=LARGEST).contains(&number);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and in range, as checked above"
        )]
        is_whole.then_some(number as u64)
    };
    value.as_u64().or_else(of_float)
}

/// A member of a request.
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    pub(super) value: Value,
    /// Whether it came as a text of a form, where numbers are written out.
    pub(super) is_text: bool,
}

impl Member<'_> {
    pub(super) fn text(self) -> Result<String, Problem> {
        match self.value {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong("a string")),
        }
    }

    pub(super) fn whole_number(self) -> Result<u64, Problem> {
        let read = match &self.value {
            Value::Number(_) => whole(&self.value),
            Value::String(text) if self.is_text => text.trim().parse().ok(),
            _ => None,
        };
        read.ok_or_else(|| self.wrong("a whole number, 0 or above"))
    }

    pub(super) fn flag(self) -> Result<bool, Problem> {
        match &self.value {
            Value::Bool(flag) => Ok(*flag),
            Value::String(text) if self.is_text && text == "true" => Ok(true),
            Value::String(text) if self.is_text && text == "false" => Ok(false),
            _ => Err(self.wrong("true or false")),
        }
    }

    /// One of these words.
    pub(super) fn word(self, words: &[&'static str]) -> Result<&'static str, Problem> {
        let found = words.iter().find(|word| self.value.as_str() == Some(word));
        found.copied().ok_or_else(|| {
            let known: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            self.wrong(&format!("one of {}", known.join(", ")))
        })
    }

    /// What isn't known here, as the model is to get it. A form has nothing but texts, so what reads as a number, a list or
    /// an object is taken for one, unless it is a text by its name.
    pub(super) fn any(self) -> Value {
        let names_text = ["prompt", "text", "style", "mode", "image", "mask"];
        let lower = self.name.to_ascii_lowercase();
        match self.value {
            Value::String(text) if self.is_text && !names_text.iter().any(|word| lower.ends_with(word)) => {
                match serde_json::from_str(&text) {
                    Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_))) => value,
                    _ => Value::String(text),
                }
            }
            value => value,
        }
    }

    fn wrong(&self, expected: &str) -> Problem {
        wrong(self.name, expected)
    }
}

/// The refusal of a value.
pub(super) fn wrong(name: &str, expected: &str) -> Problem {
    Problem::invalid(format!("Invalid '{name}': expected {expected}."))
        .with_code("invalid_value")
        .with_param(name)
}

/// The refusal of a request that says two things of the same, in OpenAI's words and in the model's.
pub(super) fn contradiction(name: &str, other: &str) -> Problem {
    let message = format!("Invalid '{name}': '{other}' says otherwise; give one of them only.");
    Problem::invalid(message).with_code("invalid_value").with_param(name)
}

/// The refusal of a request that lacks something.
pub(super) fn missing(name: &str) -> Problem {
    Problem::invalid(format!("Missing required parameter: '{name}'."))
        .with_code("missing_required_parameter")
        .with_param(name)
}

/// The refusal of what this gateway, or this model, can't do.
pub(super) fn unsupported(name: &str, why: &str) -> Problem {
    Problem::invalid(format!("Unsupported parameter: '{name}': {why}."))
        .with_code("unsupported_parameter")
        .with_param(name)
}

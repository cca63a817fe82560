//! A target's `parameters`: whether they are what a request could hold.
//!
//! A value of the wrong type would make every request to the target fail, and the client be blamed for it.

use std::fmt;

use super::kind::{Raw, RawTable};
use super::problem::Problems;

/// What a parameter's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Number,
    Whole,
    /// Whole, 0 or above.
    Count,
    Switch,
    Text,
    Texts,
    List,
    Table,
}

/// The largest number that is whole for sure when it is read as JSON.
const LARGEST: f64 = 9_007_199_254_740_991.0;

/// The type of a parameter, the same wherever requests have it. Others go to the model as they stand.
fn of(name: &str) -> Option<Type> {
    Some(match name {
        "temperature" | "top_p" | "frequency_penalty" | "presence_penalty" => Type::Number,
        "seed" | "top_k" => Type::Whole,
        "max_tokens" | "max_completion_tokens" | "n" | "top_logprobs" | "dimensions" => Type::Count,
        "stream"
        | "parallel_tool_calls"
        | "logprobs"
        | "include_thinking_data"
        | "use_converse_api"
        | "useConverseAPI" => Type::Switch,
        "user" | "model_provider" | "reasoning_effort" | "on_unsupported" | "bedrock_api" => Type::Text,
        "stop" | "stop_sequences" => Type::Texts,
        "tools" => Type::List,
        "metadata"
        | "stream_options"
        | "guardrailConfig"
        | "guardrail_config"
        | "additionalModelRequestFields"
        | "extra_body" => Type::Table,
        _ => return None,
    })
}

impl Type {
    fn takes(self, value: &Raw) -> bool {
        match self {
            Self::Number => number(value).is_some(),
            Self::Whole => number(value).is_some_and(|number| number.fract() == 0.0 && number.abs() <= LARGEST),
            Self::Count => {
                number(value).is_some_and(|number| number.fract() == 0.0 && (0.0..=LARGEST).contains(&number))
            }
            Self::Switch => matches!(value, Raw::Bool(_)),
            Self::Text => matches!(value, Raw::Text(_)),
            Self::Texts => match value {
                Raw::List(items) => items.iter().all(|item| matches!(item, Raw::Text(_))),
                value => matches!(value, Raw::Text(_)),
            },
            Self::List => matches!(value, Raw::List(_)),
            Self::Table => matches!(value, Raw::Table(_)),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "a number",
            Self::Whole => "a whole number",
            Self::Count => "a whole number, 0 or above",
            Self::Switch => "`true` or `false`",
            Self::Text => "a text",
            Self::Texts => "a text or a list of texts",
            Self::List => "a list",
            Self::Table => "a table",
        })
    }
}

/// A number that JSON can hold.
fn number(value: &Raw) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "what it is compared with is smaller")]
        Raw::Integer(number) => Some(*number as f64),
        Raw::Float(number) => Some(*number).filter(|number| number.is_finite()),
        _ => None,
    }
}

/// Complains of each parameter that is not of its type. `what` is where they stand.
pub(super) fn check(what: &str, parameters: &RawTable, problems: &mut Problems) {
    for (name, origin, value) in &parameters.members {
        let is_json = value.json().is_some();
        match of(name) {
            Some(wanted) if !wanted.takes(value) => {
                problems.add(
                    origin.clone(),
                    format!("{what}.{name}: expected {wanted}, found {value}"),
                );
            }
            _ if !is_json => problems.add(
                origin.clone(),
                format!("{what}.{name}: there is a value in it that JSON has no word for"),
            ),
            _ => {}
        }
    }
}

/// A parameter as it is meant by those who quote whatever they write: text that is a number, where a number is wanted.
pub(crate) fn unquoted(name: &str, value: Raw) -> Raw {
    let Raw::Text(text) = &value else { return value };
    let text = text.trim();
    let meant = match of(name) {
        Some(Type::Number | Type::Whole | Type::Count) => {
            let whole = text.parse().ok().map(Raw::Integer);
            let float = || {
                text.parse()
                    .ok()
                    .filter(|number: &f64| number.is_finite())
                    .map(Raw::Float)
            };
            whole.or_else(float)
        }
        Some(Type::Switch) => match text.to_ascii_lowercase().as_str() {
            "true" => Some(Raw::Bool(true)),
            "false" => Some(Raw::Bool(false)),
            _ => None,
        },
        _ => None,
    };
    meant.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::layers::Origin;

    fn complaints(members: Vec<(&str, Raw)>) -> Vec<String> {
        let members = members.into_iter();
        let table = RawTable {
            origin: Origin::Default,
            members: members
                .map(|(name, value)| (name.to_owned(), Origin::Default, value))
                .collect(),
        };
        let mut problems = Problems::default();
        check("p", &table, &mut problems);
        let told = problems.to_string();
        told.lines()
            .map(|line| line.split_once(": ").map_or(line, |(_, rest)| rest).to_owned())
            .collect()
    }

    fn text(text: &str) -> Raw {
        Raw::Text(text.to_owned())
    }

    #[test]
    fn each_has_its_type() {
        let fine = vec![
            ("temperature", Raw::Integer(1)),
            ("top_p", Raw::Float(0.5)),
            ("max_tokens", Raw::Float(100.0)),
            ("seed", Raw::Integer(-1)),
            ("stream", Raw::Bool(true)),
            ("stop", text("END")),
            ("stop", Raw::List(vec![text("END")])),
            ("response_format", text("b64_json")),
            ("whatever", Raw::List(vec![Raw::Integer(1)])),
        ];
        assert_eq!(complaints(fine), Vec::<String>::new());
        let wrong = vec![
            ("temperature", text("0.2")),
            ("top_p", Raw::Float(f64::INFINITY)),
            ("max_tokens", Raw::Float(0.5)),
            ("n", Raw::Integer(-1)),
            ("stop", Raw::List(vec![Raw::Integer(1)])),
            ("whatever", Raw::Float(f64::NAN)),
        ];
        assert_eq!(
            complaints(wrong),
            [
                "p.temperature: expected a number, found \"0.2\"",
                "p.top_p: expected a number, found inf",
                "p.max_tokens: expected a whole number, 0 or above, found 0.5",
                "p.n: expected a whole number, 0 or above, found -1",
                "p.stop: expected a text or a list of texts, found a list",
                "p.whatever: there is a value in it that JSON has no word for",
            ]
        );
    }

    #[test]
    fn quotes_are_taken_off_where_a_number_is_wanted() {
        let shown = |name, value: &str| unquoted(name, text(value)).to_string();
        assert_eq!(shown("max_tokens", "100"), "100");
        assert_eq!(shown("temperature", " 0.2 "), "0.2");
        assert_eq!(shown("stream", "True"), "true");
        assert_eq!(shown("temperature", "warm"), "\"warm\"");
        assert_eq!(shown("temperature", "1e999"), "\"1e999\"");
        assert_eq!(shown("user", "100"), "\"100\"");
        assert_eq!(shown("whatever", "100"), "\"100\"");
    }
}

//! `user` and `metadata` as Converse's request metadata, which lands in Bedrock's invocation log.

use super::super::request::ChatRequest;
use crate::notes::Notes;
use crate::policy::Policy;

/// Service model of Bedrock Runtime (2026-11), `requestMetadata`: pairs, and characters of a key or value.
const MAX_PAIRS: usize = 16;
const MAX_CHARS: usize = 256;

/// Translates both; what Bedrock's pattern refuses is replaced, what is too long cut, and noted.
pub(super) fn translate(request: &ChatRequest<'_>, policy: &Policy, notes: &mut Notes) -> Vec<(String, String)> {
    let operators = policy.request_metadata.iter();
    let operators = operators.map(|(key, value)| (key.as_str(), value.as_str()));
    let user = request.user.as_deref().map(|user| ("user", user));
    let metadata = request
        .metadata
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_ref()));
    let own = request
        .bedrock
        .request_metadata
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_ref()));
    pairs(operators.chain(own).chain(metadata).chain(user), notes)
}

/// Makes them fit.
pub(in crate::openai) fn pairs<'a>(
    given: impl Iterator<Item = (&'a str, &'a str)>,
    notes: &mut Notes,
) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (key, value) in given {
        let (fit_key, fit_value) = (fit(key), fit(value));
        if fit_key != key || fit_value != value {
            notes.add("metadata", "rewritten", "characters-or-length");
        }
        if fit_key.is_empty() || pairs.iter().any(|(taken, _)| *taken == fit_key) {
            notes.lose("metadata", "shortened", "empty-or-repeated-key");
        } else if pairs.len() == MAX_PAIRS {
            notes.lose("metadata", "shortened", "at-most-16-pairs");
        } else {
            pairs.push((fit_key, fit_value));
        }
    }
    pairs
}

/// The text in Bedrock's pattern, `[a-zA-Z0-9\s:_@$#=/+,-.]`.
fn fit(text: &str) -> String {
    text.chars()
        .take(MAX_CHARS)
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '\t' | '\n' => letter,
            ':' | '_' | '@' | '$' | '#' | '=' | '/' | '+' | ',' | '-' | '.' => letter,
            _ => '_',
        })
        .collect()
}

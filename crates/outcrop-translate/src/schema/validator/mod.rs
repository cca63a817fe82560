//! Checks values against a client's schema, with bounded work.
//!
//! Our own, because both sides may be hostile: the schema is a client's, and the libraries follow it wherever it leads.
//! Forty definitions that each refer twice to the one before keep them busy for hours.

mod check;
mod compile;
mod equality;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use outcrop_bedrock::json::Fault;
use regex_lite::Regex;
use serde_json::Value;

/// A schema that values can be checked against: JSON Schema 2020-12, and what drafts 4 to 2019-09 said otherwise where
/// the two can't be confused (`definitions`, `items` as an array, `dependencies`, `exclusiveMinimum: true`).
///
/// `format` and the `content…` keywords are annotations, as the specification has it by default. References stay
/// within the schema; nothing is ever fetched. What can't be checked is named by [`Validator::unchecked`].
#[derive(Clone, Debug)]
pub struct Validator {
    schema: Value,
    /// `None` for those that can't be checked.
    patterns: BTreeMap<String, Option<Pattern>>,
    unchecked: BTreeSet<&'static str>,
}

/// Where and why a value doesn't fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path in the value, such as `items[2].price`; empty for the value itself.
    pub path: String,
    /// What is wrong, in words for the model that has to mend it or the person who reads the error.
    pub message: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// A regular expression with what matching a byte with it costs, in steps.
#[derive(Clone, Debug)]
struct Pattern {
    regex: Regex,
    steps_per_byte: usize,
}

impl Validator {
    /// Reads a schema.
    ///
    /// # Errors
    /// When it is no schema. The path is that from the schema on; the caller puts the schema's own place in front.
    pub fn new(schema: &Value) -> Result<Self, Fault> {
        compile::compile(schema)
    }

    /// Checks a value.
    ///
    /// # Errors
    /// The first violation found. A value that would take too much work to check, a second or so, doesn't fit either.
    pub fn validate(&self, value: &Value) -> Result<(), Violation> {
        check::check(self, value)
    }

    /// Keywords of the schema that are not checked: `unevaluatedProperties`, `unevaluatedItems`, dynamic references, and
    /// `pattern` and `patternProperties` where a regular expression looks around or is too large.
    pub fn unchecked(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.unchecked.iter().copied()
    }
}

/// The schema in `root` that a reference leads to. Only pointers lead somewhere, as with OpenAI: neither names of
/// other documents nor anchors do.
fn resolve<'v>(root: &'v Value, reference: &str) -> Option<&'v Value> {
    let fragment = match reference.strip_prefix('#') {
        Some(fragment) => fragment,
        // The document may be called by its own name.
        None => {
            let (name, fragment) = reference.split_once('#').unwrap_or((reference, ""));
            let own = root.get("$id").and_then(Value::as_str)?;
            (own.trim_end_matches('#') == name).then_some(fragment)?
        }
    };
    root.pointer(&percent_decoded(fragment)?)
}

fn percent_decoded(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after.get(2..)?;
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

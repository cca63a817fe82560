//! The one guardrail that there is, and the checks that need none.
//!
//! Converse's and `InvokeModel`'s guardrail looks for two words only. `ApplyGuardrail` has all policies, and
//! `InvokeGuardrailChecks` the checks of the same kind: both judge by the words in [`harm`].

pub(crate) mod apply;
mod assess;
pub(crate) mod checks;
mod harm;
mod personal;

use serde_json::{Value, json};

use crate::models::ACCOUNT;
use crate::refusal::Refusal;

/// The guardrail's id.
pub(crate) const ID: &str = "simguardrail1";
const VERSIONS: [&str; 2] = ["1", "DRAFT"];
/// The word that is blocked in input, and the one that is blocked in output.
pub(crate) const IN_INPUT: &str = "BLOCKED-INPUT";
pub(crate) const IN_OUTPUT: &str = "BLOCKED-OUTPUT";
/// What is answered instead.
pub(crate) const MESSAGE: &str = "Sorry, the model cannot answer this question.";
/// Characters in a text unit, what guardrails are paid by.
const UNIT: usize = 1000;

/// What a call found out, and the texts that it looked at.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) answer: Value,
    pub(crate) text: String,
}

/// The guardrail, as it was named.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) arn: String,
    pub(crate) version: String,
}

impl Named {
    /// Finds it by its id or ARN.
    ///
    /// # Errors
    ///
    /// A guardrail, or a version of it, that doesn't exist.
    pub(crate) fn find(identifier: &str, version: &str, region: &str) -> Result<Named, Refusal> {
        let arn = format!("arn:aws:bedrock:{region}:{ACCOUNT}:guardrail/{ID}");
        if identifier != ID && identifier != arn {
            return Err(Refusal::validation("The provided guardrail identifier is invalid."));
        }
        if !VERSIONS.contains(&version) {
            return Err(Refusal::new(
                "ResourceNotFoundException",
                "The guardrail identifier or version provided in the request does not exist.",
            ));
        }
        Ok(Named {
            arn,
            version: version.to_owned(),
        })
    }

    /// Which guardrail was applied.
    pub(crate) fn details(&self) -> Value {
        json!({
            "guardrailId": ID,
            "guardrailVersion": self.version,
            "guardrailArn": self.arn,
            "guardrailOrigin": ["REQUEST"],
            "guardrailOwnership": "SELF",
        })
    }
}

/// The text units of so many characters.
pub(crate) fn units(chars: usize) -> usize {
    chars.div_ceil(UNIT)
}

/// How long a guardrail takes over so many characters, in milliseconds.
pub(crate) fn latency(chars: usize) -> usize {
    100 + chars / 100
}

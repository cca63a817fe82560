//! The form that an answer must have, as the way back knows it.

use std::borrow::Cow;
use std::sync::Arc;

use outcrop_bedrock::converse::StopReason;
use serde_json::Value;

use crate::problem::{Problem, ProblemKind};
use crate::schema::{MemberStream, Validator, WRAPPED_MEMBER, json_in};

/// How a model is brought to answer in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It knows the schema and can't answer otherwise (`outputConfig.textFormat`).
    Native,
    /// It must call a tool whose arguments are the answer.
    Tool,
    /// It is asked to, and asked once more if it doesn't.
    Instruction,
}

/// The form of an answer.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) way: Way,
    /// Name of the tool whose arguments are the answer, as Bedrock knows it.
    pub(super) tool: Option<String>,
    /// Whether the answer is the value of a member, because the client's schema is not an object's.
    pub(super) is_wrapped: bool,
    /// Whether an answer of another form is an error.
    pub(super) is_strict: bool,
    /// The client's schema; with none, any object will do.
    pub(super) validator: Option<Arc<Validator>>,
}

/// Why an answer has not the form, in words for people and models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit(pub(super) String);

impl Form {
    /// The answer as the client wants it, out of the text that the model gave.
    ///
    /// # Errors
    /// When it has not the form.
    pub(super) fn fit(&self, text: &str) -> Result<String, Misfit> {
        let document = match self.way {
            Way::Instruction => json_in(text).ok_or_else(|| Misfit("it holds no JSON document".to_owned()))?,
            Way::Native | Way::Tool => text.into(),
        };
        let value: Value =
            serde_json::from_str(&document).map_err(|error| Misfit(format!("it is not valid JSON: {error}")))?;
        let (value, document) = if self.is_wrapped {
            let member = value
                .get(WRAPPED_MEMBER)
                .cloned()
                .ok_or_else(|| Misfit(format!("it lacks the member '{WRAPPED_MEMBER}'")))?;
            (member, Cow::Owned(unwrapped(&document)))
        } else {
            (value, document)
        };
        match &self.validator {
            Some(validator) => validator
                .validate(&value)
                .map_err(|violation| Misfit(violation.to_string()))?,
            None if !value.is_object() => return Err(Misfit("it is not an object".to_owned())),
            None => {}
        }
        Ok(document.into_owned())
    }

    /// What the client is told of an answer that has not the form, where it wants no other.
    pub(super) fn problem(&self, misfit: &Misfit) -> Problem {
        let message = format!(
            "The model's answer doesn't have the form that 'response_format' asks for: {}.",
            misfit.0
        );
        Problem::new(502, ProblemKind::Server, message).with_code("invalid_structured_output")
    }
}

/// The answer as it stands in the member of `document`, as far as it goes.
pub(super) fn unwrapped(document: &str) -> String {
    let mut answer = String::new();
    MemberStream::new(WRAPPED_MEMBER).push(document, &mut answer);
    answer
}

/// Whether an answer that ended so is whole; one that was cut off has no form.
pub(super) fn is_whole(stop_reason: &StopReason) -> bool {
    matches!(
        stop_reason,
        StopReason::EndTurn | StopReason::StopSequence | StopReason::ToolUse | StopReason::Other(_)
    )
}

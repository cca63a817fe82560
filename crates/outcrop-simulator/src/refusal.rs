//! What AWS says when it says no: an exception's name, its status, its message.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::shapes;

/// How Converse introduces what the model's own server says.
const BY_MODEL: &str = "The model returned the following errors: ";

/// An exception of AWS, ready to be sent as a response or as a frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) exception: String,
    pub(crate) message: String,
    /// After how many seconds it says to come back.
    pub(crate) retry_after: Option<u32>,
}

impl Refusal {
    pub(crate) fn new(exception: &str, message: impl Into<String>) -> Refusal {
        Refusal {
            exception: exception.to_owned(),
            message: message.into(),
            retry_after: None,
        }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Refusal {
        Refusal::new("ValidationException", message)
    }

    /// A refusal by the model's own server, as Bedrock passes it on.
    pub(crate) fn by_model(message: &str) -> Refusal {
        Refusal::validation(format!("{BY_MODEL}{message}"))
    }

    /// The same without Converse's introduction: `InvokeModel` passes on what the model's own server says as it is.
    pub(crate) fn in_models_own_words(mut self) -> Refusal {
        if let Some(own) = self.message.strip_prefix(BY_MODEL) {
            self.message = own.to_owned();
        }
        self
    }

    /// A body that its schema doesn't allow.
    pub(crate) fn malformed(complaints: &[String]) -> Refusal {
        Refusal::validation(format!(
            "Malformed input request: {}, please reformat your input and try again.",
            complaints.join(", ")
        ))
    }

    /// A constraint of the service model that a value breaks.
    pub(crate) fn constraints(violations: &[String]) -> Refusal {
        let count = violations.len();
        let noun = if count == 1 { "error" } else { "errors" };
        Refusal::validation(format!("{count} validation {noun} detected: {}", violations.join("; ")))
    }

    pub(crate) fn status(&self) -> StatusCode {
        status_of(&self.exception)
    }

    /// The JSON that stands in the body, or in the payload of an exception frame.
    pub(crate) fn payload(&self) -> Bytes {
        let mut payload = Map::new();
        payload.insert("message".to_owned(), self.message.clone().into());
        // Only model errors carry what the model's own server had said.
        if ["ModelErrorException", "ModelStreamErrorException"].contains(&self.exception.as_str()) {
            payload.insert("originalStatusCode".to_owned(), json!(500));
        }
        if self.exception == "ModelStreamErrorException" {
            payload.insert("originalMessage".to_owned(), json!(self.message));
        }
        Value::Object(payload).to_string().into()
    }
}

/// The message of an exception that a script asks for without giving one.
pub(crate) fn default_message(exception: &str) -> &'static str {
    match exception {
        "AccessDeniedException" => "You don't have access to the model with the specified model ID.",
        "ExpiredTokenException" => "The security token included in the request is expired",
        "InternalServerException" => {
            "The system encountered an unexpected error during processing. Try your request again."
        }
        "ModelErrorException" => "The system encountered an error while the model processed the request.",
        "ModelNotReadyException" => "The model is not ready to serve inference requests. Try again later.",
        "ModelStreamErrorException" => "The model's stream ended with an error.",
        "ModelTimeoutException" => "Model has timed out in processing the request. Try your request again.",
        "ResourceNotFoundException" => "Could not resolve the foundation model from the provided model identifier.",
        "ServiceQuotaExceededException" => "Your request exceeds the service quota for your account.",
        "ServiceUnavailableException" => "Bedrock is unable to process your request.",
        "ThrottlingException" => "Too many requests, please wait before trying again.",
        "UnrecognizedClientException" => "The security token included in the request is invalid.",
        "ValidationException" => "The input fails the constraints of an Amazon Bedrock request.",
        _ => "The simulator was asked for this error.",
    }
}

/// The status goes with the name: as the service model says, or, for the front door's own exceptions, as observed.
fn status_of(exception: &str) -> StatusCode {
    if let Some(status) = shapes::table().status_of(exception) {
        return status;
    }
    match exception {
        "ServiceQuotaExceededException" | "ConflictException" => StatusCode::BAD_REQUEST,
        "ModelStreamErrorException" => StatusCode::FAILED_DEPENDENCY,
        "UnknownOperationException" => StatusCode::NOT_FOUND,
        "RequestEntityTooLargeException" => StatusCode::PAYLOAD_TOO_LARGE,
        "ExpiredTokenException"
        | "IncompleteSignatureException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "UnrecognizedClientException" => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    }
}

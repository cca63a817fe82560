//! What Bedrock says when it refuses: names of exceptions and bodies of errors.

use crate::json::{Fault, Kind, Reader};

/// The exceptions that Bedrock Runtime and the edge in front of it are known to answer with.
///
/// Source: service model of Bedrock Runtime (botocore 1.44.5, 2026-11); those of authentication are common to AWS's
/// services and stand in no service's model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exception {
    /// `ValidationException`, 400
    Validation,
    /// `ConflictException`, 400
    Conflict,
    /// `ServiceQuotaExceededException`, 400
    ServiceQuotaExceeded,
    /// `AccessDeniedException`, 403
    AccessDenied,
    /// `ResourceNotFoundException`, 404
    ResourceNotFound,
    /// `ModelTimeoutException`, 408
    ModelTimeout,
    /// `ModelErrorException`, 424
    ModelError,
    /// `ModelStreamErrorException`, 424
    ModelStreamError,
    /// `ThrottlingException`, 429
    Throttling,
    /// `ModelNotReadyException`, 429
    ModelNotReady,
    /// `InternalServerException`, 500
    InternalServer,
    /// `ServiceUnavailableException`, 503
    ServiceUnavailable,
    /// Credentials that AWS does not take: unknown, expired, badly signed, none.
    Credentials,
    /// A name that is not known here.
    Unknown,
}

impl Exception {
    /// The exception of a name as the wire has it: `ThrottlingException` in headers, `throttlingException` in events,
    /// with a namespace before or an address behind.
    pub fn from_name(name: &str) -> Self {
        match bare_name(name).to_ascii_lowercase().as_str() {
            "validationexception" | "serializationexception" => Self::Validation,
            "conflictexception" => Self::Conflict,
            "servicequotaexceededexception" => Self::ServiceQuotaExceeded,
            "accessdeniedexception" => Self::AccessDenied,
            "resourcenotfoundexception" | "unknownoperationexception" => Self::ResourceNotFound,
            "modeltimeoutexception" => Self::ModelTimeout,
            "modelerrorexception" => Self::ModelError,
            "modelstreamerrorexception" => Self::ModelStreamError,
            "throttlingexception" | "toomanyrequestsexception" => Self::Throttling,
            "modelnotreadyexception" => Self::ModelNotReady,
            "internalserverexception" | "internalfailure" | "internalfailureexception" => Self::InternalServer,
            "serviceunavailableexception" | "serviceunavailable" => Self::ServiceUnavailable,
            "unrecognizedclientexception"
            | "unrecognizedclient"
            | "expiredtokenexception"
            | "expiredtoken"
            | "tokenrefreshrequired"
            | "invalidsignatureexception"
            | "invalidsignature"
            | "missingauthenticationtokenexception"
            | "missingauthenticationtoken"
            | "incompletesignatureexception"
            | "incompletesignature"
            | "signaturedoesnotmatch"
            | "invalidtoken"
            | "invalidtokenexception"
            | "authfailure"
            | "requestexpired"
            | "optinrequired"
            | "invalidclienttokenid"
            | "invalidaccesskeyid"
            | "requestexpiredexception"
            | "requesttimetooskewed"
            | "notauthorizedexception" => Self::Credentials,
            _ => Self::Unknown,
        }
    }

    /// What a status alone tells, for answers without a name.
    pub fn from_status(status: u16) -> Self {
        match status {
            400 | 413 | 415 => Self::Validation,
            401 | 403 => Self::AccessDenied,
            404 => Self::ResourceNotFound,
            408 => Self::ModelTimeout,
            424 => Self::ModelError,
            429 => Self::Throttling,
            500 => Self::InternalServer,
            502..=504 => Self::ServiceUnavailable,
            _ => Self::Unknown,
        }
    }

    /// The HTTP status that the service model gives the exception.
    pub fn status(self) -> u16 {
        match self {
            Self::Validation | Self::Conflict | Self::ServiceQuotaExceeded => 400,
            Self::AccessDenied | Self::Credentials => 403,
            Self::ResourceNotFound => 404,
            Self::ModelTimeout => 408,
            Self::ModelError | Self::ModelStreamError => 424,
            Self::Throttling | Self::ModelNotReady => 429,
            Self::InternalServer | Self::Unknown => 500,
            Self::ServiceUnavailable => 503,
        }
    }

    /// Whether the same call may succeed when it is sent again.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Throttling
                | Self::ModelNotReady
                | Self::InternalServer
                | Self::ServiceUnavailable
                | Self::ModelTimeout
                | Self::ModelError
                | Self::ModelStreamError
        )
    }
}

/// The name of an exception without namespace (`ns#Name`) and address (`Name:http://…`).
pub fn bare_name(name: &str) -> &str {
    let name = name.split(':').next().unwrap_or(name);
    name.rsplit('#').next().unwrap_or(name).trim()
}

/// What the body of an error says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// `__type` or `code`, if there is one.
    pub name: Option<String>,
    /// `message` or `Message`; empty if the body has none.
    pub message: String,
    /// Whether it has OpenAI's shape: an object `error`.
    pub is_openais: bool,
    /// HTTP status, where OpenAI's shape tells one as its `code`, or suggests one by its `type`.
    pub status: Option<u16>,
}

impl ErrorBody {
    /// Reads the body of an error; one that is not JSON gives nothing.
    pub fn parse(body: &[u8]) -> Self {
        let mut parsed = Self::default();
        let read = Reader::document(body, |reader| {
            reader.object(|key, reader| {
                let kind = reader.kind()?;
                let is_string = kind == Kind::String;
                match key {
                    "message" | "Message" if is_string => parsed.message = reader.string()?.into_owned(),
                    "__type" | "code" if is_string => parsed.name = Some(bare_name(&reader.string()?).to_owned()),
                    // Where Bedrock speaks OpenAI's API, its errors may have OpenAI's shape, whose codes are no names.
                    "error" if kind == Kind::Object => {
                        parsed.is_openais = true;
                        parsed.read_openais(reader)?;
                    }
                    // As events of a stream write them: `{"throttlingException": {"message": …}}`.
                    _ if kind == Kind::Object && Exception::from_name(key) != Exception::Unknown => {
                        parsed.name = Some(key.to_owned());
                        parsed.read_openais(reader)?;
                    }
                    _ => reader.skip()?,
                }
                Ok(())
            })
        });
        read.map_or_else(|_| Self::default(), |()| parsed)
    }
}

impl ErrorBody {
    fn read_openais(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.object(|key, reader| {
            match (key, reader.kind()?) {
                ("message", Kind::String) => self.message = reader.string()?.into_owned(),
                ("code" | "status", Kind::Number) => {
                    let status = reader.number()?;
                    if (400.0..600.0).contains(&status) {
                        self.status = Some(status as u16);
                    }
                }
                ("type" | "code", Kind::String) => {
                    let status = status_of_word(&reader.string()?);
                    self.status = self.status.or(status);
                }
                _ => reader.skip()?,
            }
            Ok(())
        })
    }
}

/// The status that OpenAI's and Anthropic's words for errors stand for (their API references, read 2026-11).
fn status_of_word(word: &str) -> Option<u16> {
    Some(match word {
        "invalid_request_error" | "validation_error" => 400,
        "rate_limit_error" | "rate_limit_exceeded" => 429,
        "overloaded_error" | "service_unavailable_error" => 503,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_each_spelling() {
        for name in [
            "ThrottlingException",
            "throttlingException",
            "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/",
            "com.amazon.coral.service#ThrottlingException",
        ] {
            assert_eq!(Exception::from_name(name), Exception::Throttling, "{name}");
        }
        for name in [
            "ExpiredToken",
            "ExpiredTokenException",
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "MissingAuthenticationToken",
            "IncompleteSignatureException",
            "RequestExpired",
        ] {
            assert_eq!(Exception::from_name(name), Exception::Credentials, "{name}");
        }
        assert_eq!(Exception::from_name("BrandNewException"), Exception::Unknown);
    }

    #[test]
    fn a_body_gives_its_message_in_either_spelling() {
        let body = ErrorBody::parse(br#"{"Message":"no","__type":"a.b#AccessDeniedException","x":[1]}"#);
        assert_eq!(body.message, "no");
        assert_eq!(body.name.as_deref(), Some("AccessDeniedException"));
        assert_eq!(ErrorBody::parse(b"<html>"), ErrorBody::default());
        let openai = ErrorBody::parse(br#"{"error":{"message":"no","code":"validation_error"}}"#);
        assert_eq!((openai.message.as_str(), openai.name), ("no", None));
        assert_eq!((openai.is_openais, openai.status), (true, Some(400)));
        let limit = ErrorBody::parse(br#"{"id":"x","choices":[],"error":{"message":"no","code":429}}"#);
        assert_eq!((limit.is_openais, limit.status), (true, Some(429)));
        let event = ErrorBody::parse(br#"{"throttlingException":{"message":"slow"}}"#);
        assert_eq!(
            (event.message.as_str(), event.name.as_deref()),
            ("slow", Some("throttlingException"))
        );
    }
}

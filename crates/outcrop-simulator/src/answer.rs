//! An answer: a status, headers, and a body that is whole, comes in steps, or never comes.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;

use crate::body::{Content, Outgoing, Step};
use crate::ledger::Hold;
use crate::refusal::Refusal;
use crate::shapes::table;

const CORAL_SUFFIX: &str = ":http://internal.amazon.com/coral/com.amazon.bedrock/";

/// An answer, before it gets its request id.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) content: Content,
    /// What the call holds until the answer is over.
    pub(crate) hold: Option<Hold>,
}

impl Answer {
    pub(crate) fn json(body: &Value) -> Answer {
        Answer::bytes(body.to_string())
    }

    pub(crate) fn bytes(body: impl Into<Bytes>) -> Answer {
        Answer {
            status: StatusCode::OK,
            content_type: "application/json",
            headers: Vec::new(),
            content: Content::Whole(body.into()),
            hold: None,
        }
    }

    pub(crate) fn steps(content_type: &'static str, steps: impl Iterator<Item = Step> + Send + 'static) -> Answer {
        Answer {
            status: StatusCode::OK,
            content_type,
            headers: Vec::new(),
            content: Content::Steps(Box::new(steps)),
            hold: None,
        }
    }

    /// None: the connection is reset, or stays open and silent.
    pub(crate) fn none(content: Content) -> Answer {
        Answer {
            content,
            ..Answer::bytes("")
        }
    }

    /// A page of HTML that isn't Bedrock's.
    pub(crate) fn html(status: StatusCode) -> Answer {
        let mut answer = Answer::bytes("<html><head><title>Sorry</title></head><body>Try again later.</body></html>\n");
        answer.status = status;
        answer.content_type = "text/html";
        answer
    }

    /// The same, with what the call holds, until it ends.
    pub(crate) fn holding(mut self, hold: Hold) -> Answer {
        self.hold = Some(hold.given());
        self
    }

    pub(crate) fn refusal(refusal: &Refusal) -> Answer {
        // Bedrock's own exceptions come with a suffix, which SDKs cut off; the front door's don't.
        let known = table().status_of(&refusal.exception).is_some();
        let name = format!("{}{}", refusal.exception, if known { CORAL_SUFFIX } else { "" });
        let mut answer = Answer::bytes(refusal.payload());
        answer.status = refusal.status();
        if let Ok(name) = HeaderValue::from_str(&name) {
            answer.headers.push((HeaderName::from_static("x-amzn-errortype"), name));
        }
        if let Some(seconds) = refusal.retry_after {
            answer.headers.push((RETRY_AFTER, seconds.into()));
        }
        answer
    }

    pub(crate) fn into_response(self, body: impl FnOnce(Content, Option<Hold>) -> Outgoing) -> Response<Outgoing> {
        let mut response = Response::new(body(self.content, self.hold));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.extend(self.headers);
        if let Ok(id) = HeaderValue::from_str(&request_id()) {
            headers.insert("x-amzn-requestid", id);
        }
        response
    }
}

/// A random UUID.
pub(crate) fn request_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness the id is all zeroes, which is still one.
    let _ = SystemRandom::new().fill(&mut bytes);
    let number = u128::from_be_bytes(bytes);
    let hex = format!(
        "{:032x}",
        (number & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62)
    );
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_random_uuids() {
        let id = request_id();
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4");
        assert!(["8", "9", "a", "b"].contains(&&id[19..20]), "{id}");
        assert_ne!(id, request_id());
    }
}

//! Why an answer can't be read.

use std::fmt;

use outcrop_bedrock::exception::{ErrorBody, Exception};
use outcrop_bedrock::json::{Fault, Kind, Reader};

/// Why an answer, or an event of one, can't be read.
#[derive(Debug)]
pub enum Unread {
    /// It is not what Bedrock sends.
    Fault(Fault),
    /// It is no answer: the model, or what serves it, tells of an error.
    Failed(ErrorBody),
}

impl fmt::Display for Unread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(formatter),
            Self::Failed(body) => write!(formatter, "the model failed: {}", body.message),
        }
    }
}

impl From<Fault> for Unread {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Unread {
    /// The error that a model's document tells of in place of an answer; `None` where it is none.
    pub(crate) fn error_of(document: &[u8]) -> Option<Self> {
        // Hardly any chunk has one of these, in which quotes within texts are escaped.
        let text = std::str::from_utf8(document).ok()?;
        if !["\"error\"", "\"message\"", "Exception\""]
            .iter()
            .any(|name| text.contains(name))
        {
            return None;
        }
        let mut body = ErrorBody::parse(document);
        if body.message.is_empty() {
            body.message = word(document);
        }
        let name = body.name.as_deref().map_or(Exception::Unknown, Exception::from_name);
        let tells = body.is_openais || !body.message.is_empty() || name != Exception::Unknown;
        tells.then_some(Self::Failed(body))
    }
}

/// An error of nothing but words, as some servers of imported models have it; empty if there is none.
fn word(document: &[u8]) -> String {
    let mut word = String::new();
    let read = Reader::document(document, |reader| {
        reader.object(|member, reader| {
            if member == "error" && reader.kind()? == Kind::String {
                word = reader.string()?.into_owned();
                return Ok(());
            }
            reader.skip()
        })
    });
    read.map_or_else(|_| String::new(), |()| word)
}

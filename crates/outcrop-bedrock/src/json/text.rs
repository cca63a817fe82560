//! Pieces of JSON that are carried, not read.

use std::borrow::Cow;

use super::read::{Fault, Reader};
use super::write::{ObjectWriter, ToJson, write_str};

/// A JSON string as it stands in a document: quotes and escapes included, known to be well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText<'a> {
    token: Cow<'a, str>,
    escaped: bool,
}

impl<'a> JsonText<'a> {
    /// Only for the reader, which has checked the token.
    pub(super) fn from_checked(token: Cow<'a, str>, escaped: bool) -> Self {
        Self { token, escaped }
    }

    /// `text` as a JSON string.
    pub fn encode(text: &str) -> JsonText<'static> {
        let mut token = Vec::with_capacity(text.len() + 2);
        write_str(text, &mut token);
        let token = String::from_utf8(token).unwrap_or_default();
        let escaped = token.contains('\\');
        JsonText {
            token: Cow::Owned(token),
            escaped,
        }
    }

    /// The texts one after the other, with `separator` between them, as one string. Nothing is decoded.
    pub fn join(texts: &[JsonText<'_>], separator: &str) -> JsonText<'static> {
        let separator = JsonText::encode(separator);
        let mut token = String::from("\"");
        for (index, text) in texts.iter().enumerate() {
            if index > 0 {
                token.push_str(separator.inner());
            }
            token.push_str(text.inner());
        }
        token.push('"');
        let escaped = token.contains('\\');
        JsonText {
            token: Cow::Owned(token),
            escaped,
        }
    }

    /// The token as it stands in JSON, quotes included.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The token between its quotes, still escaped.
    pub fn inner(&self) -> &str {
        &self.token[1..self.token.len() - 1]
    }

    /// Whether the text is empty or nothing but white space.
    pub fn is_blank(&self) -> bool {
        // Almost every text starts with something visible, so the decoding below is rare.
        match self.inner().as_bytes().first() {
            None => true,
            Some(b'\\' | b' ' | 0x80..) => self.decoded().trim().is_empty(),
            Some(_) => false,
        }
    }

    /// The text itself.
    pub fn decoded(&self) -> Cow<'_, str> {
        if self.escaped {
            Cow::Owned(unescape(self.inner()))
        } else {
            Cow::Borrowed(self.inner())
        }
    }

    /// The text itself, borrowed from the document where it has no escapes.
    pub fn into_decoded(self) -> Cow<'a, str> {
        match (self.token, self.escaped) {
            (Cow::Borrowed(token), false) => Cow::Borrowed(&token[1..token.len() - 1]),
            (token, false) => Cow::Owned(token[1..token.len() - 1].to_owned()),
            (token, true) => Cow::Owned(unescape(&token[1..token.len() - 1])),
        }
    }
}

impl ToJson for JsonText<'_> {
    fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.token.as_bytes());
    }
}

/// Any JSON value as it stands in a document, known to be well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json<'a>(Cow<'a, str>);

impl<'a> Json<'a> {
    /// Only for the reader, which has checked the value.
    pub(super) fn from_checked(value: Cow<'a, str>) -> Self {
        Self(value)
    }

    /// Checks that `text` is one JSON value.
    ///
    /// # Errors
    /// When it is not.
    pub fn parse(text: &'a str) -> Result<Self, Fault> {
        Reader::document(text.as_bytes(), Reader::json)
    }

    /// `{}`
    pub const EMPTY_OBJECT: Self = Self(Cow::Borrowed("{}"));

    /// Anything that can be written as JSON.
    pub fn encode(value: &impl ToJson) -> Json<'static> {
        let mut out = Vec::new();
        value.write_json(&mut out);
        Json(Cow::Owned(String::from_utf8(out).unwrap_or_default()))
    }

    /// An object whose members `members` writes.
    pub fn object(members: impl FnOnce(&mut ObjectWriter<'_>)) -> Json<'static> {
        let mut out = Vec::new();
        ObjectWriter::write(&mut out, members);
        Json(Cow::Owned(String::from_utf8(out).unwrap_or_default()))
    }

    /// The value without its document.
    pub fn into_owned(self) -> Json<'static> {
        Json(Cow::Owned(self.0.into_owned()))
    }

    /// The value as it stands.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the value with `read`.
    ///
    /// # Errors
    /// What `read` says.
    pub fn read<T>(&self, read: impl FnOnce(&mut Reader<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        Reader::document(self.0.as_bytes(), read)
    }

    /// The value as a slice of its document; `None` if it is not one.
    pub fn as_slice(&self) -> Option<&'a str> {
        match self.0 {
            Cow::Borrowed(value) => Some(value),
            Cow::Owned(_) => None,
        }
    }
}

impl ToJson for Json<'_> {
    fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }
}

/// Decodes the escapes of a well-formed token.
fn unescape(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let escape = rest.as_bytes().get(at + 1).copied().unwrap_or(b'\\');
        rest = rest.get(at + 2..).unwrap_or("");
        match escape {
            b'b' => text.push('\u{8}'),
            b'f' => text.push('\u{c}'),
            b'n' => text.push('\n'),
            b'r' => text.push('\r'),
            b't' => text.push('\t'),
            b'u' => {
                let unit = hex(rest);
                rest = rest.get(4..).unwrap_or("");
                let code = if (0xD800..0xDC00).contains(&unit) {
                    let low = rest.get(2..).map_or(0, hex);
                    rest = rest.get(6..).unwrap_or("");
                    0x10000 + ((unit - 0xD800) << 10) + (low.wrapping_sub(0xDC00) & 0x3FF)
                } else {
                    unit
                };
                text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => text.push(char::from(other)),
        }
    }
    text.push_str(rest);
    text
}

fn hex(digits: &str) -> u32 {
    digits
        .get(..4)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .unwrap_or(0)
}

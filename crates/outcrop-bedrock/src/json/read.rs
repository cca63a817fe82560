//! The pull reader.

use std::borrow::Cow;

use super::scan::{hex4, plain_run_end};
use super::text::{Json, JsonText};

/// How deep arrays and objects may nest in a document, the outermost counted. `serde_json`'s own limit.
pub const MAX_DEPTH: usize = 128;

/// As much of a key as the path of a fault shows.
const MAX_KEY_CHARS: usize = 64;

/// What kind of value comes next in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The kind with its article, for messages: "a string".
    pub fn described(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// Why a document could not be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Path of the offending value from the root, such as `messages[2].content`; empty for the root itself.
    pub path: String,
    /// What is wrong, in words for the person who sent the document.
    pub message: String,
    /// Byte offset when the document is not JSON at all; `None` when it is JSON of another shape than expected.
    pub offset: Option<usize>,
    /// A word for programs, where the one for faults of its kind says too little.
    pub code: Option<&'static str>,
}

impl Fault {
    /// A fault of shape at the value being read; the path grows as it travels outwards.
    pub fn shape(message: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            message: message.into(),
            offset: None,
            code: None,
        }
    }

    /// The same fault with a word for programs.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The same fault seen from the object that holds the value under `key`.
    #[must_use]
    pub fn under_key(mut self, key: &str) -> Self {
        // The key may be the sender's own, of any length.
        let key = match key.char_indices().nth(MAX_KEY_CHARS) {
            Some((end, _)) => &key[..end],
            None => key,
        };
        self.path = match self.path.as_str() {
            "" => key.to_owned(),
            inner if inner.starts_with('[') => format!("{key}{inner}"),
            inner => format!("{key}.{inner}"),
        };
        self
    }

    /// The same fault seen from the array that holds the value at `index`.
    #[must_use]
    pub fn at_index(mut self, index: usize) -> Self {
        self.path = match self.path.as_str() {
            "" => format!("[{index}]"),
            inner if inner.starts_with('[') => format!("[{index}]{inner}"),
            inner => format!("[{index}].{inner}"),
        };
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

impl std::error::Error for Fault {}

/// Result of a read.
type Read<T> = Result<T, Fault>;

/// Reads one JSON document (RFC 8259) front to back, once. Strings that are only carried stay as they stand.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `document`.
    ///
    /// # Errors
    /// When the bytes are not UTF-8.
    pub fn new(document: &'a [u8]) -> Read<Self> {
        match std::str::from_utf8(document) {
            Ok(text) => Ok(Self { text, at: 0, depth: 0 }),
            Err(error) => Err(Fault {
                path: String::new(),
                message: "the document is not valid UTF-8".to_owned(),
                offset: Some(error.valid_up_to()),
                code: None,
            }),
        }
    }

    /// Reads a whole document with `read` and makes sure that nothing follows it.
    ///
    /// # Errors
    /// What `read` says, or a fault of syntax.
    pub fn document<T>(document: &'a [u8], read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        let mut reader = Self::new(document)?;
        let value = read(&mut reader)?;
        reader.space();
        if reader.at < reader.text.len() {
            return Err(reader.syntax("characters after the end of the document"));
        }
        Ok(value)
    }

    /// The kind of the next value.
    ///
    /// # Errors
    /// When no value starts here.
    pub fn kind(&mut self) -> Read<Kind> {
        self.space();
        match self.peek() {
            Some(b'"') => Ok(Kind::String),
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(_) => Err(self.syntax("expected a value")),
            None => Err(self.syntax("the document ends too early")),
        }
    }

    /// Reads an object: `member` is called for each key and must read the value.
    ///
    /// # Errors
    /// When the next value is no object, or what `member` says, with the key added to its path.
    pub fn object(&mut self, mut member: impl FnMut(&str, &mut Self) -> Read<()>) -> Read<()> {
        self.expect(Kind::Object)?;
        self.enter()?;
        self.space();
        if !self.eat(b'}') {
            loop {
                self.space();
                if self.peek() != Some(b'"') {
                    return Err(self.syntax("expected a key"));
                }
                let key = self.string_token()?.into_decoded();
                self.space();
                if !self.eat(b':') {
                    return Err(self.syntax("expected a colon"));
                }
                member(&key, self).map_err(|fault| fault.under_key(&key))?;
                self.space();
                if self.eat(b',') {
                    continue;
                }
                if self.eat(b'}') {
                    break;
                }
                return Err(self.syntax("expected a comma or the end of the object"));
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads an array: `item` is called for each element and must read it.
    ///
    /// # Errors
    /// When the next value is no array, or what `item` says, with the index added to its path.
    pub fn array(&mut self, mut item: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        self.expect(Kind::Array)?;
        self.enter()?;
        self.space();
        if !self.eat(b']') {
            let mut index = 0;
            loop {
                item(self).map_err(|fault| fault.at_index(index))?;
                index += 1;
                self.space();
                if self.eat(b',') {
                    continue;
                }
                if self.eat(b']') {
                    break;
                }
                return Err(self.syntax("expected a comma or the end of the array"));
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads an array into a vector.
    ///
    /// # Errors
    /// As [`Reader::array`].
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut items = Vec::new();
        self.array(|reader| {
            items.push(item(reader)?);
            Ok(())
        })?;
        Ok(items)
    }

    /// `None` for `null`, else what `read` makes of the value.
    ///
    /// # Errors
    /// What `read` says.
    pub fn nullable<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        if self.kind()? == Kind::Null {
            self.literal("null")?;
            return Ok(None);
        }
        read(self).map(Some)
    }

    /// Reads a string and keeps it as it stands, quotes and escapes included.
    ///
    /// # Errors
    /// When the next value is no string.
    pub fn text(&mut self) -> Read<JsonText<'a>> {
        self.expect(Kind::String)?;
        self.string_token()
    }

    /// Reads a string and decodes its escapes, if it has any.
    ///
    /// # Errors
    /// When the next value is no string.
    pub fn string(&mut self) -> Read<Cow<'a, str>> {
        Ok(self.text()?.into_decoded())
    }

    /// Reads a boolean.
    ///
    /// # Errors
    /// When the next value is no boolean.
    pub fn bool(&mut self) -> Read<bool> {
        self.expect(Kind::Bool)?;
        if self.peek() == Some(b't') {
            self.literal("true").map(|()| true)
        } else {
            self.literal("false").map(|()| false)
        }
    }

    /// Reads a finite number.
    ///
    /// # Errors
    /// When the next value is no number, or too large for a double.
    pub fn number(&mut self) -> Read<f64> {
        self.expect(Kind::Number)?;
        let token = self.number_token()?;
        match token.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(Fault::shape("the number is out of range")),
        }
    }

    /// Reads a whole number from 0 to 2^53 − 1; `16.0` and `1e3` count as whole.
    ///
    /// # Errors
    /// When the next value is no such number.
    pub fn count(&mut self) -> Read<u64> {
        const LARGEST: f64 = 9_007_199_254_740_991.0;
        let number = self.number()?;
        if number.fract() != 0.0 || !(0.0..=LARGEST).contains(&number) {
            return Err(Fault::shape("expected a whole number, 0 or above"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and in range, as checked above"
        )]
        Ok(number as u64)
    }

    /// Reads a long array of numbers and keeps it as it stands. That there is nothing but numbers and commas in it is
    /// checked, in blocks of bytes; not the form of each number, which costs ten times as much.
    ///
    /// # Errors
    /// When the next value is no array, or there is something else in it.
    pub fn numbers(&mut self) -> Read<&'a str> {
        const BLOCK: usize = 32;
        self.expect(Kind::Array)?;
        let start = self.at;
        self.at += 1;
        let rest = &self.text.as_bytes()[self.at..];
        let blocks = rest.chunks_exact(BLOCK);
        // Without a branch within a block, so that it is done a register at a time.
        let is_plain = |block: &&[u8]| block.iter().fold(true, |plain, byte| plain & is_of_numbers(*byte));
        let plain = blocks.take_while(is_plain).count() * BLOCK;
        let length = rest[plain..].iter().take_while(|byte| is_of_numbers(**byte)).count();
        self.at += plain + length;
        if !self.eat(b']') {
            return Err(self.syntax("expected numbers, and the end of the array"));
        }
        Ok(&self.text[start..self.at])
    }

    /// Reads any value and keeps it as it stands. Its syntax and depth are checked.
    ///
    /// # Errors
    /// When the value is not well-formed.
    pub fn json(&mut self) -> Read<Json<'a>> {
        self.space();
        let start = self.at;
        self.skip()?;
        Ok(Json::from_checked(Cow::Borrowed(&self.text[start..self.at])))
    }

    /// Reads any value and forgets it. Its syntax and depth are checked.
    ///
    /// # Errors
    /// When the value is not well-formed.
    pub fn skip(&mut self) -> Read<()> {
        match self.kind()? {
            Kind::Null => self.literal("null"),
            Kind::Bool => self.bool().map(drop),
            Kind::Number => self.number_token().map(drop),
            Kind::String => self.string_token().map(drop),
            Kind::Array | Kind::Object => self.skip_nested(),
        }
    }

    /// Skips an array or object without recursion, so that hostile depth costs no stack.
    fn skip_nested(&mut self) -> Read<()> {
        // One bit a level: set for an object, clear for an array.
        let mut objects: u128 = 0;
        let floor = self.depth;
        loop {
            // A value starts here.
            match self.kind()? {
                Kind::Object => {
                    self.enter()?;
                    objects = objects << 1 | 1;
                    self.space();
                    if self.peek() != Some(b'}') {
                        self.skip_key()?;
                        continue;
                    }
                }
                Kind::Array => {
                    self.enter()?;
                    objects <<= 1;
                    self.space();
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                Kind::Null => self.literal("null")?,
                Kind::Bool => self.bool().map(drop)?,
                Kind::Number => self.number_token().map(drop)?,
                Kind::String => self.string_token().map(drop)?,
            }
            // A value ended here, or the first bracket of an empty one did: close what closes.
            loop {
                self.space();
                let in_object = objects & 1 == 1;
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.space();
                        if in_object {
                            self.skip_key()?;
                        }
                        break;
                    }
                    Some(b'}') if in_object => {}
                    Some(b']') if !in_object => {}
                    Some(_) => return Err(self.syntax("expected a comma or a closing bracket")),
                    None => return Err(self.syntax("the document ends too early")),
                }
                self.at += 1;
                objects >>= 1;
                self.depth -= 1;
                if self.depth == floor {
                    return Ok(());
                }
            }
        }
    }

    fn skip_key(&mut self) -> Read<()> {
        if self.peek() != Some(b'"') {
            return Err(self.syntax("expected a key"));
        }
        self.string_token()?;
        self.space();
        if !self.eat(b':') {
            return Err(self.syntax("expected a colon"));
        }
        Ok(())
    }

    /// The string that starts at the cursor, quotes included. Control characters and lone surrogates are refused:
    /// the token is passed on unseen, and the next parser would refuse it in less helpful words.
    fn string_token(&mut self) -> Read<JsonText<'a>> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut at = start + 1;
        let mut escaped = false;
        loop {
            at = plain_run_end(bytes, at);
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at = self.escape_end(at)?;
                }
                Some(_) => {
                    self.at = at;
                    return Err(self.syntax("a control character stands unescaped in a string"));
                }
                None => {
                    self.at = at;
                    return Err(self.syntax("the document ends inside a string"));
                }
            }
        }
        self.at = at + 1;
        Ok(JsonText::from_checked(Cow::Borrowed(&self.text[start..=at]), escaped))
    }

    /// The offset after the escape that starts at `at`.
    fn escape_end(&mut self, at: usize) -> Read<usize> {
        let bytes = self.text.as_bytes();
        match bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => {
                let unit = hex4(bytes, at + 2);
                match unit {
                    Some(0xD800..=0xDBFF) => {
                        let low = (bytes.get(at + 6..at + 8) == Some(b"\\u")).then(|| hex4(bytes, at + 8));
                        if matches!(low, Some(Some(0xDC00..=0xDFFF))) {
                            return Ok(at + 12);
                        }
                        self.at = at;
                        Err(self.syntax("half of a surrogate pair stands alone in a string"))
                    }
                    Some(0xDC00..=0xDFFF) => {
                        self.at = at;
                        Err(self.syntax("half of a surrogate pair stands alone in a string"))
                    }
                    Some(_) => Ok(at + 6),
                    None => {
                        self.at = at;
                        Err(self.syntax("an invalid \\u escape"))
                    }
                }
            }
            Some(_) => {
                self.at = at;
                Err(self.syntax("an invalid escape"))
            }
            None => {
                self.at = at;
                Err(self.syntax("the document ends inside a string"))
            }
        }
    }

    fn number_token(&mut self) -> Read<&'a str> {
        let start = self.at;
        self.eat(b'-');
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.syntax("an invalid number")),
        }
        if self.eat(b'.') {
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.syntax("an invalid number"));
            }
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.syntax("an invalid number"));
            }
            self.digits();
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn literal(&mut self, word: &str) -> Read<()> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.syntax("expected a value"))
    }

    fn expect(&mut self, wanted: Kind) -> Read<()> {
        let found = self.kind()?;
        if found == wanted {
            return Ok(());
        }
        Err(Fault::shape(format!(
            "expected {}, but got {}",
            wanted.described(),
            found.described()
        )))
    }

    /// Steps over the opening bracket at the cursor.
    fn enter(&mut self) -> Read<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.syntax(&format!("arrays and objects nest deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn syntax(&self, message: &str) -> Fault {
        Fault {
            path: String::new(),
            message: message.to_owned(),
            offset: Some(self.at),
            code: None,
        }
    }
}

/// Whether a byte can stand in an array of numbers.
fn is_of_numbers(byte: u8) -> bool {
    // `+`, `,`, `-`, `.` are neighbours.
    (byte.wrapping_sub(b'+') <= 3)
        | (byte.wrapping_sub(b'0') <= 9)
        | (byte | 0x20 == b'e')
        | (byte == b' ')
        | (byte.wrapping_sub(b'\t') <= 1)
        | (byte == b'\r')
}

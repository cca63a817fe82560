//! The writer.

/// Something that can write itself as JSON.
pub trait ToJson {
    /// Appends the value to `out`.
    fn write_json(&self, out: &mut Vec<u8>);
}

/// Writes the members of one object.
///
/// ```
/// use outcrop_bedrock::json::ObjectWriter;
///
/// let mut out = Vec::new();
/// ObjectWriter::write(&mut out, |object| {
///     object.field("maxTokens", &16_u64);
///     object.optional("topP", &None::<f64>);
/// });
/// assert_eq!(out, br#"{"maxTokens":16}"#);
/// ```
#[derive(Debug)]
pub struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl ObjectWriter<'_> {
    /// Writes an object whose members `members` adds.
    pub fn write(out: &mut Vec<u8>, members: impl FnOnce(&mut ObjectWriter<'_>)) {
        out.push(b'{');
        let mut object = ObjectWriter { out, empty: true };
        members(&mut object);
        object.out.push(b'}');
    }

    /// Adds a member.
    pub fn field(&mut self, key: &str, value: &(impl ToJson + ?Sized)) {
        value.write_json(self.key(key));
    }

    /// Adds a member if there is a value.
    pub fn optional<T: ToJson>(&mut self, key: &str, value: &Option<T>) {
        if let Some(value) = value {
            self.field(key, value);
        }
    }

    /// Adds a member if the list has items.
    pub fn unless_empty<T: ToJson>(&mut self, key: &str, items: &[T]) {
        if !items.is_empty() {
            self.field(key, items);
        }
    }

    /// Adds a member that is an object.
    pub fn object(&mut self, key: &str, members: impl FnOnce(&mut ObjectWriter<'_>)) {
        ObjectWriter::write(self.key(key), members);
    }

    /// Adds a key and gives the buffer for its value, which must be written next.
    pub fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        write_str(key, self.out);
        self.out.push(b':');
        self.out
    }
}

/// Writes an array of what `write` makes of each item.
pub fn write_array<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut write: impl FnMut(T, &mut Vec<u8>)) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// Writes `text` as a JSON string.
pub fn write_str(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest
        .bytes()
        .position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

impl ToJson for str {
    fn write_json(&self, out: &mut Vec<u8>) {
        write_str(self, out);
    }
}

impl ToJson for String {
    fn write_json(&self, out: &mut Vec<u8>) {
        write_str(self, out);
    }
}

impl ToJson for std::borrow::Cow<'_, str> {
    fn write_json(&self, out: &mut Vec<u8>) {
        write_str(self, out);
    }
}

impl ToJson for bool {
    fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl ToJson for u64 {
    fn write_json(&self, out: &mut Vec<u8>) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = *self;
        loop {
            at -= 1;
            // The remainder of a division by ten is a digit.
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        out.extend_from_slice(&digits[at..]);
    }
}

impl ToJson for f64 {
    /// The shortest form that reads back as the same number; what JSON has no word for (NaN, infinities) is `null`.
    fn write_json(&self, out: &mut Vec<u8>) {
        if self.is_finite() {
            out.extend_from_slice(self.to_string().as_bytes());
        } else {
            out.extend_from_slice(b"null");
        }
    }
}

impl<T: ToJson> ToJson for [T] {
    fn write_json(&self, out: &mut Vec<u8>) {
        write_array(out, self, |item, out| item.write_json(out));
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn write_json(&self, out: &mut Vec<u8>) {
        self.as_slice().write_json(out);
    }
}

impl<T: ToJson + ?Sized> ToJson for &T {
    fn write_json(&self, out: &mut Vec<u8>) {
        (*self).write_json(out);
    }
}

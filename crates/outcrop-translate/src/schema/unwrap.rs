//! One member of an object that comes in fragments.

use outcrop_bedrock::json::Reader;

/// Reads the JSON text of an object as it streams in, and hands out the text of one member's value as it stands.
///
/// It is needed where a schema was wrapped ([`object_schema`](super::object_schema)) and the model's answer comes as
/// the arguments of a tool. The text is cut, not checked: what is handed out is well-formed if the whole object is.
/// White space around the value is left off. Of several members with the name the first counts. Nothing of the text
/// but a key is kept.
#[derive(Debug)]
pub struct MemberStream {
    name: String,
    state: State,
    /// The key that is being read, as it stands, quotes included.
    key: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the object's bracket.
    Start,
    /// After the bracket or a comma.
    BeforeKey,
    InKey {
        escaped: bool,
    },
    /// After a key or its colon.
    BeforeValue {
        wanted: bool,
    },
    InValue {
        wanted: bool,
        /// Brackets open within the value.
        depth: usize,
        string: Text,
    },
    /// After a value that isn't wanted.
    AfterValue,
    /// The value was read, or the object ended without it, or it is no object.
    Done {
        found: bool,
    },
}

/// Whether the text stands in a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    /// After a backslash.
    Escaped,
}

/// Where a value ends.
enum End {
    /// The byte is the value's last.
    After,
    /// The byte is the first that isn't the value's.
    Before,
}

impl MemberStream {
    /// A reader at the start of an object, for the value of its member `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: State::Start,
            key: Vec::new(),
        }
    }

    /// Reads the next fragment, and appends what it holds of the value to `out`.
    pub fn push(&mut self, fragment: &str, out: &mut String) {
        // Brackets, quotes and white space are ASCII, so a slice between two of them splits no character.
        let mut start = 0;
        for (at, byte) in fragment.bytes().enumerate() {
            let was_wanted = self.is_in_wanted();
            let end = self.step(byte);
            match (was_wanted, self.is_in_wanted()) {
                (false, true) => start = at,
                (true, false) => {
                    let end = at + usize::from(matches!(end, Some(End::After)));
                    out.push_str(fragment.get(start..end).unwrap_or(""));
                    return;
                }
                _ => {}
            }
        }
        if self.is_in_wanted() {
            out.push_str(fragment.get(start..).unwrap_or(""));
        }
    }

    /// Whether the whole value was handed out.
    pub fn is_complete(&self) -> bool {
        self.state == State::Done { found: true }
    }

    fn is_in_wanted(&self) -> bool {
        matches!(self.state, State::InValue { wanted: true, .. })
    }

    /// Reads a byte; says where the value ends if it ends here.
    fn step(&mut self, byte: u8) -> Option<End> {
        let is_space = matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        match self.state {
            State::Done { .. } => {}
            State::InKey { escaped } => self.step_key(byte, escaped),
            State::InValue { wanted, depth, string } => return self.step_value(byte, wanted, depth, string),
            _ if is_space => {}
            State::Start => {
                self.state = match byte {
                    b'{' => State::BeforeKey,
                    _ => State::Done { found: false },
                }
            }
            State::BeforeKey => {
                self.key.clear();
                self.key.push(byte);
                self.state = match byte {
                    b'"' => State::InKey { escaped: false },
                    _ => State::Done { found: false },
                }
            }
            State::BeforeValue { .. } if byte == b':' => {}
            State::BeforeValue { wanted } => {
                self.state = State::InValue {
                    wanted,
                    depth: usize::from(matches!(byte, b'{' | b'[')),
                    string: if byte == b'"' { Text::Inside } else { Text::Outside },
                }
            }
            State::AfterValue => {
                self.state = match byte {
                    b',' => State::BeforeKey,
                    _ => State::Done { found: false },
                }
            }
        }
        None
    }

    fn step_key(&mut self, byte: u8, escaped: bool) {
        // Each character of the name takes at most twelve bytes, as two `\u`; a longer key is another's.
        if self.key.len() <= 12 * self.name.len() + 2 {
            self.key.push(byte);
        }
        self.state = match byte {
            b'"' if !escaped => State::BeforeValue {
                wanted: Reader::document(&self.key, Reader::string).is_ok_and(|key| key == self.name),
            },
            _ => State::InKey {
                escaped: byte == b'\\' && !escaped,
            },
        };
    }

    fn step_value(&mut self, byte: u8, wanted: bool, mut depth: usize, mut string: Text) -> Option<End> {
        let end = match (string, byte) {
            (Text::Escaped, _) => {
                string = Text::Inside;
                None
            }
            (Text::Inside, b'\\') => {
                string = Text::Escaped;
                None
            }
            (Text::Inside, b'"') => {
                string = Text::Outside;
                (depth == 0).then_some(End::After)
            }
            (Text::Inside, _) => None,
            (Text::Outside, b'"') => {
                string = Text::Inside;
                None
            }
            (Text::Outside, b'{' | b'[') => {
                depth += 1;
                None
            }
            (Text::Outside, b'}' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t') if depth == 0 => Some(End::Before),
            (Text::Outside, b'}' | b']') => {
                depth -= 1;
                (depth == 0).then_some(End::After)
            }
            (Text::Outside, _) => None,
        };
        self.state = match end {
            None => State::InValue { wanted, depth, string },
            Some(_) if wanted => State::Done { found: true },
            Some(_) => State::AfterValue,
        };
        if let (Some(End::Before), false) = (&end, wanted) {
            self.step(byte);
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(name: &str, fragments: impl IntoIterator<Item = impl AsRef<str>>) -> (String, bool) {
        let mut stream = MemberStream::new(name);
        let mut out = String::new();
        for fragment in fragments {
            stream.push(fragment.as_ref(), &mut out);
        }
        (out, stream.is_complete())
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            r#"[a"\\{}\[\],:é ]{0,8}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((key(), inner), 0..4).prop_map(Value::from_iter),
            ]
        })
    }

    fn key() -> impl Strategy<Value = String> {
        prop_oneof![Just("value".to_owned()), r#"[v"\\{é]{0,6}"#]
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_member_as_it_stands(
            members in prop::collection::vec((key(), any_value()), 0..5),
            pretty in any::<bool>(),
            cuts in prop::collection::vec(any::<bool>(), 1..20),
        ) {
            let members: serde_json::Map<String, Value> = members.into_iter().collect();
            let object = Value::Object(members.clone());
            let text = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
            let mut fragments = vec![String::new()];
            for (char, &is_cut) in text.chars().zip(cuts.iter().cycle()) {
                fragments.last_mut().unwrap().push(char);
                if is_cut {
                    fragments.push(String::new());
                }
            }
            let (out, is_complete) = read("value", &fragments);
            prop_assert_eq!(&out, &read("value", [&text]).0);
            prop_assert_eq!(is_complete, members.contains_key("value"));
            match members.get("value") {
                Some(value) => {
                    prop_assert_eq!(&serde_json::from_str::<Value>(&out).unwrap(), value);
                    prop_assert_eq!(out.trim(), &out);
                    prop_assert!(text.contains(&out));
                }
                None => prop_assert_eq!(out, ""),
            }
        }

        #[test]
        fn any_text_is_survived(text in r#"[{}\[\]":,\\ va1é]{0,40}"#, cut in 0_usize..40) {
            let cut = (0..=cut.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap();
            prop_assert_eq!(read("va", [&text[..cut], &text[cut..]]), read("va", [&text]));
        }
    }

    #[test]
    fn the_value_comes_as_early_as_it_can() {
        let mut stream = MemberStream::new("value");
        let mut step = |fragment: &str| {
            let mut out = String::new();
            stream.push(fragment, &mut out);
            (out, stream.is_complete())
        };
        assert_eq!(step(r#"{"val"#), (String::new(), false));
        assert_eq!(step(r#"ue": "#), (String::new(), false));
        assert_eq!(step(r#" [1, {"#), ("[1, {".to_owned(), false));
        assert_eq!(step(r#""value": 2} ]"#), ("\"value\": 2} ]".to_owned(), true));
        assert_eq!(step(r#", "value": 3}"#), (String::new(), true));
    }

    #[test]
    fn other_members_and_escaped_keys_are_told_apart() {
        let text = r#" {"x": {"value": 1}, "y": "\"value\": 2", "z":3 , "v\u0061lue" : -4.5e1 } "#;
        assert_eq!(read("value", [text]), ("-4.5e1".to_owned(), true));
        assert_eq!(read("value", [r#"{"value_": 1, "valu": 2}"#]), (String::new(), false));
        assert_eq!(read("value", ["[1]"]), (String::new(), false));
        assert_eq!(read("value", [r#"{"value": "cut o"#]), ("\"cut o".to_owned(), false));
    }
}

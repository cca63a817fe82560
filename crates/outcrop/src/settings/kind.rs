//! What a type needs to be the kind of a setting.

use std::fmt;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::layers::Origin;

/// How many values a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One.
    Value,
    /// None means `true`; `--flag=false` is there to override a file.
    Switch,
    /// Several, separated by commas or by repeating the flag.
    List,
}

/// A type that settings can have.
pub(crate) trait Kind: Sized {
    /// What a valid value looks like, to end the sentence "expected …".
    const EXPECTED: &'static str;
    /// The word for the value in help.
    const PLACEHOLDER: &'static str;
    /// How many values there are.
    const SHAPE: Shape = Shape::Value;
    /// Values must not be shown, in an error neither.
    const SECRET: bool = false;

    /// Reads a value from a flag or a variable.
    fn from_text(text: &str) -> Result<Self, Invalid>;

    /// Reads the default in the table.
    fn from_default(text: &str) -> Result<Self, Invalid> {
        Self::from_text(text)
    }

    /// Reads a value from the file. Kinds that TOML has no type for are strings in it.
    fn from_file(value: &Raw) -> Result<Self, Invalid> {
        match value {
            Raw::Text(text) => Self::from_text(text),
            _ => Err(Invalid::kind()),
        }
    }

    /// The value in JSON such that it is TOML as well. `None` is "not set"; a secret masks itself.
    fn show(&self) -> Option<Value>;

    /// The JSON Schema of a value in the file.
    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

/// A value as the file has it.
#[derive(Clone, Debug)]
pub(crate) enum Raw {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    List(Vec<Raw>),
    Table(RawTable),
    /// Something that no setting takes: "a date".
    Other(&'static str),
}

/// A table of the file, with its place.
#[derive(Clone, Debug)]
pub(crate) struct RawTable {
    pub(crate) origin: Origin,
    /// Its keys, each with the place of its value.
    pub(crate) members: Vec<(String, Origin, Raw)>,
}

impl Raw {
    /// As JSON, members by name; `None` for what JSON has no word for.
    pub(crate) fn json(&self) -> Option<Value> {
        Some(match self {
            Raw::Text(text) => json!(text),
            Raw::Integer(number) => json!(number),
            Raw::Float(number) => Value::Number(serde_json::Number::from_f64(*number)?),
            Raw::Bool(truth) => json!(truth),
            Raw::List(items) => Value::Array(items.iter().map(Raw::json).collect::<Option<_>>()?),
            Raw::Table(table) => {
                let mut members: Vec<_> = table.members.iter().collect();
                members.sort_by_key(|(name, ..)| name);
                let members = members
                    .into_iter()
                    .map(|(name, _, raw)| Some((name.clone(), raw.json()?)));
                Value::Object(members.collect::<Option<_>>()?)
            }
            Raw::Other(_) => return None,
        })
    }
}

impl RawTable {
    /// With nothing in it.
    pub(crate) fn empty(origin: &Origin) -> Self {
        Self {
            origin: origin.clone(),
            members: Vec::new(),
        }
    }

    /// A key's place and value.
    pub(crate) fn get(&self, name: &str) -> Option<(&Origin, &Raw)> {
        let mut members = self.members.iter();
        let (_, origin, raw) = members.find(|(member, ..)| member == name)?;
        Some((origin, raw))
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Raw::Text(text) => f.write_str(&quoted(text)),
            Raw::Integer(number) => write!(f, "{number}"),
            // With an exponent where it would have hundreds of digits.
            Raw::Float(number) => write!(f, "{number:?}"),
            Raw::Bool(truth) => write!(f, "{truth}"),
            Raw::List(_) => f.write_str("a list"),
            Raw::Table(_) => f.write_str("a table"),
            Raw::Other(what) => f.write_str(what),
        }
    }
}

/// A text in a complaint, cut short where nobody would read all of it.
pub(super) fn quoted(text: &str) -> String {
    const MOST_CHARS: usize = 100;
    match text.char_indices().nth(MOST_CHARS) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?} and more", &text[..end]),
    }
}

/// Why a value is not of its kind. Never holds the value: it may be a secret.
#[derive(Debug)]
pub(crate) struct Invalid {
    /// More than "expected …" says by itself.
    pub(crate) reason: Option<String>,
    /// Instead of that, what is wrong within the value, each with its place and beginning with `.key` or `: `.
    pub(crate) within: Vec<(Origin, String)>,
}

impl Invalid {
    /// What the kind expects says it all.
    pub(crate) fn kind() -> Self {
        Self {
            reason: None,
            within: Vec::new(),
        }
    }

    /// With a reason.
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            within: Vec::new(),
        }
    }

    /// By what is wrong at places within it.
    pub(crate) fn within(within: Vec<(Origin, String)>) -> Self {
        Self { reason: None, within }
    }
}

/// Nothing, or a value. Empty text is nothing, so that a variable can undo what a file says.
impl<T: Kind> Kind for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const PLACEHOLDER: &'static str = T::PLACEHOLDER;
    const SECRET: bool = T::SECRET;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            Ok(None)
        } else {
            T::from_text(text).map(Some)
        }
    }

    fn from_file(value: &Raw) -> Result<Self, Invalid> {
        match value {
            Raw::Text(text) if text.is_empty() => Ok(None),
            _ => T::from_file(value).map(Some),
        }
    }

    fn show(&self) -> Option<Value> {
        self.as_ref().and_then(T::show)
    }

    fn schema() -> Value {
        T::schema()
    }
}

impl Kind for bool {
    const EXPECTED: &'static str = "`true` or `false`";
    const PLACEHOLDER: &'static str = "BOOL";
    const SHAPE: Shape = Shape::Switch;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        match text {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(Invalid::kind()),
        }
    }

    fn from_file(value: &Raw) -> Result<Self, Invalid> {
        match value {
            Raw::Bool(truth) => Ok(*truth),
            _ => Err(Invalid::kind()),
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self))
    }

    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

impl Kind for PathBuf {
    const EXPECTED: &'static str = "a path";
    const PLACEHOLDER: &'static str = "PATH";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            Err(Invalid::kind())
        } else {
            Ok(text.into())
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self.to_string_lossy()))
    }
}

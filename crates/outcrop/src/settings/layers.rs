//! The layers in which a setting can be given, and how the highest is picked.

use std::fmt;
use std::path::PathBuf;

use super::kind::{Invalid, Kind, Raw, quoted};
use super::policies::PolicyTable;
use super::problem::Problems;
use super::routing::RawTables;
use super::table::{COUNT, Effective, SETTINGS, Setting};

/// Where a value came from. Ordered from the weakest to the strongest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// The table.
    Default,
    /// A line of the file, counted from 1; 0 for the file as a whole.
    File(PathBuf, usize),
    /// A variable.
    Environment(String),
    /// A flag, without the `--`.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path, 0) => write!(f, "{}", path.display()),
            Origin::File(path, line) => write!(f, "{}:{line}", path.display()),
            Origin::Environment(name) => f.write_str(name),
            Origin::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// All that was given, by setting.
pub(super) struct Layers {
    /// In the order of the table.
    pub(super) rows: [Row; COUNT],
    /// Only the file has these.
    pub(super) policies: Vec<PolicyTable>,
    /// And these.
    pub(super) tables: RawTables,
}

impl Layers {
    /// With nothing given yet.
    pub(super) fn new() -> Self {
        Self {
            rows: std::array::from_fn(|index| Row {
                setting: &SETTINGS[index],
                given: Vec::new(),
            }),
            policies: Vec::new(),
            tables: RawTables::default(),
        }
    }

    /// Lays a value on top of what was given before for the same setting.
    pub(super) fn lay(&mut self, setting: &Setting, origin: Origin, value: Value) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.setting.name == setting.name) {
            row.given.push((origin, value));
        }
    }
}

/// A value as it was given.
#[derive(Debug)]
pub(super) enum Value {
    /// By a flag or a variable.
    Text(String),
    /// By the file.
    File(Raw),
}

/// What was given for one setting, weakest first.
pub(super) struct Row {
    setting: &'static Setting,
    given: Vec<(Origin, Value)>,
}

impl Row {
    /// Whether it is of the setting of this name.
    pub(super) fn is_of(&self, name: &str) -> bool {
        self.setting.name == name
    }

    /// Reads all values and takes the strongest. `None` only if a problem was added.
    pub(super) fn pick<T: Kind>(&self, problems: &mut Problems, effective: &mut Vec<Effective>) -> Option<T> {
        let setting = self.setting;
        let mut picked = T::from_default(setting.default).map(|value| (value, Origin::Default));
        for (origin, given) in &self.given {
            let read = match given {
                Value::Text(text) => T::from_text(text),
                Value::File(raw) => T::from_file(raw),
            };
            match read {
                Ok(value) => picked = Ok((value, origin.clone())),
                Err(invalid) if invalid.within.is_empty() => {
                    problems.add(origin.clone(), placed::<T>(setting, origin, given, &invalid));
                }
                Err(invalid) => {
                    for (origin, message) in invalid.within {
                        problems.add(origin, format!("{}{message}", setting.name));
                    }
                }
            }
        }
        match picked {
            Ok((value, origin)) => {
                effective.push(Effective {
                    setting,
                    shown: value.show(),
                    origin,
                });
                Some(value)
            }
            Err(invalid) => {
                let text = Value::Text(setting.default.to_owned());
                problems.add(Origin::Default, placed::<T>(setting, &Origin::Default, &text, &invalid));
                None
            }
        }
    }
}

/// The complaint about one layer. A variable or flag is its own name already.
fn placed<T: Kind>(setting: &Setting, origin: &Origin, given: &Value, invalid: &Invalid) -> String {
    match origin {
        Origin::File(..) | Origin::Default => complaint::<T>(setting.name, given, invalid),
        Origin::Environment(_) | Origin::Flag(_) => expectation::<T>(given, invalid),
    }
}

/// `body_limit: expected a size such as …, found "32 potatoes"`.
pub(super) fn complaint<T: Kind>(name: &str, given: &Value, invalid: &Invalid) -> String {
    format!("{name}: {}", expectation::<T>(given, invalid))
}

fn expectation<T: Kind>(given: &Value, invalid: &Invalid) -> String {
    let found = match given {
        _ if T::SECRET => String::new(),
        // A URL with a password is refused; the refusal must not spread it further.
        Value::Text(text) | Value::File(Raw::Text(text)) if text.contains('@') => String::new(),
        Value::Text(text) => format!(", found {}", quoted(text)),
        Value::File(raw) => format!(", found {raw}"),
    };
    let reason = invalid
        .reason
        .as_ref()
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default();
    format!("expected {}{found}{reason}", T::EXPECTED)
}

//! LiteLLM's `config.yaml`: what of it counts becomes settings and tables, as if they stood in `outcrop.toml`.
//!
//! [`keys`] has every key, and what becomes of it.

mod account;
mod entry;
mod fallbacks;
mod keys;
mod names;
mod options;
mod surroundings;
mod yaml;

use std::ffi::OsString;
use std::path::Path;

use crate::settings::{Origin, Problems, Raw, RawTable, RawTables};
use entry::Entries;
use keys::{Fate, fate};
use surroundings::Surroundings;

/// A file in our words.
#[derive(Default)]
pub(crate) struct Converted {
    /// Settings, each once.
    pub(crate) values: Vec<(&'static str, Origin, Raw)>,
    /// The accounts, routes and quotas.
    pub(crate) tables: RawTables,
    /// What isn't taken over, and why.
    pub(crate) notes: Vec<(Origin, String)>,
}

/// Whether a file is LiteLLM's, by its name or by what is in it.
pub(crate) fn is_config(path: &Path, text: &str) -> bool {
    let by_name = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml"));
    by_name || text.lines().any(|line| line.starts_with("model_list:"))
}

/// Reads a file.
pub(crate) fn convert(
    path: &Path,
    text: &str,
    environment: &[(OsString, OsString)],
    problems: &mut Problems,
) -> Converted {
    let whole = || Origin::File(path.to_owned(), 0);
    let file = match yaml::read(path, text) {
        Ok(Some(Raw::Table(file))) => file,
        Ok(_) => {
            problems.add(
                whole(),
                "there is no `model_list` in it, nor anything else of LiteLLM's",
            );
            return Converted::default();
        }
        Err(mistake) => {
            problems.add(mistake.origin, mistake.message);
            return Converted::default();
        }
    };
    let mut converter = Converter {
        surroundings: Surroundings::new(environment, section(&file, "environment_variables")),
        out: Converted::default(),
    };
    converter.all(&file);
    converter.out.notes.sort();
    if converter.out.tables.routes.is_empty() && problems.is_empty() {
        // Why it is so stands in the notes, which nobody would see.
        for (origin, message) in converter.out.notes.drain(..) {
            problems.add(origin, message);
        }
        problems.add(
            whole(),
            "no entry of `model_list` is a model of Bedrock's, so nothing could be served",
        );
    }
    converter.out
}

struct Converter<'a> {
    surroundings: Surroundings<'a>,
    out: Converted,
}

impl Converter<'_> {
    fn all(&mut self, file: &RawTable) {
        self.look_at_keys("", file);
        let empty = RawTable::empty(&file.origin);
        let module = section(file, "litellm_settings").unwrap_or(&empty);
        let router = section(file, "router_settings").unwrap_or(&empty);
        let general = section(file, "general_settings").unwrap_or(&empty);
        self.look_at_keys("litellm_settings", module);
        self.look_at_keys("router_settings", router);
        self.look_at_keys("general_settings", general);

        let mut entries = Entries::new(router, general, file);
        if let Some((_, Raw::List(items))) = file.get("model_list") {
            for item in items {
                if let Raw::Table(item) = item {
                    self.look_at_keys("model_list", item);
                    entries.add(self, item);
                }
            }
        }
        let mut routes = entries.routes(self, router);
        self.fallbacks(&mut routes, module, router);
        self.options(module, router, general, &routes);
        self.out.tables.routes = routes.into_iter().map(entry::Group::into_table).collect();
    }

    /// Notes keys that don't count. Those that are switched off anyway are no loss.
    fn look_at_keys(&mut self, section: &str, table: &RawTable) {
        for (key, origin, value) in &table.members {
            let place = if section.is_empty() {
                key.clone()
            } else {
                format!("{section}.{key}")
            };
            match fate(section, key) {
                Some(Fate::Taken(_) | Fate::Needless(_)) => {}
                Some(Fate::Missed(_)) if is_off(value) => {}
                Some(Fate::Missed(why)) => self.note(origin, format!("{place} is not taken over: {why}")),
                // What is no key of LiteLLM's is a parameter of requests.
                None if section == "litellm_params" => {}
                None => {
                    let near = crate::settings::nearest(key, keys::names(section));
                    let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
                    self.note(
                        origin,
                        format!("{place} is not taken over: nobody knows this key{hint}"),
                    );
                }
            }
        }
    }

    fn note(&mut self, origin: &Origin, message: String) {
        self.out.notes.push((origin.clone(), message));
    }

    /// Sets a setting, whatever was said of it before.
    fn set(&mut self, setting: &'static str, origin: &Origin, value: Raw) {
        self.out.values.retain(|(name, ..)| *name != setting);
        self.out.values.push((setting, origin.clone(), value));
    }

    /// A value that must be known now, as text.
    fn text(&mut self, origin: &Origin, value: &Raw) -> Option<String> {
        let text = as_text(value)?;
        match self.surroundings.now(&text) {
            Ok(text) => Some(text).filter(|text| !text.is_empty()),
            Err(name) => {
                self.note(origin, format!("the variable {name} is not set, so this is left out"));
                None
            }
        }
    }

    /// The text under a key.
    fn text_of(&mut self, table: &RawTable, key: &str) -> Option<(Origin, String)> {
        let (origin, value) = table.get(key)?;
        let text = self.text(origin, value)?;
        Some((origin.clone(), text))
    }

    /// The number under a key.
    fn number_of(&mut self, table: &RawTable, key: &str) -> Option<(Origin, f64)> {
        let (origin, text) = self.text_of(table, key)?;
        let number = text.parse().ok();
        if let Some(number) = number.filter(|number: &f64| number.is_finite() && *number >= 0.0) {
            return Some((origin, number));
        }
        self.note(&origin, format!("{key} is not taken over: it is no number from 0"));
        None
    }

    /// The whole number under a key.
    fn count_of(&mut self, table: &RawTable, key: &str) -> Option<(Origin, i64)> {
        let (origin, number) = self.number_of(table, key)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what is too large for a count is refused as one"
        )]
        Some((origin, number as i64))
    }

    /// The switch under a key.
    fn switch_of(&mut self, table: &RawTable, key: &str) -> Option<(Origin, bool)> {
        let (origin, text) = self.text_of(table, key)?;
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some((origin, true)),
            "false" | "0" | "no" => Some((origin, false)),
            _ => {
                self.note(
                    &origin,
                    format!("{key} is not taken over: it is neither true nor false"),
                );
                None
            }
        }
    }
}

/// A part of the file that is a table.
fn section<'a>(file: &'a RawTable, name: &str) -> Option<&'a RawTable> {
    match file.get(name) {
        Some((_, Raw::Table(table))) => Some(table),
        _ => None,
    }
}

fn is_off(value: &Raw) -> bool {
    match value {
        Raw::Bool(false) => true,
        Raw::Text(text) => text.is_empty(),
        Raw::List(items) => items.is_empty(),
        Raw::Table(table) => table.members.is_empty(),
        _ => false,
    }
}

/// A word, however it was read.
fn as_text(value: &Raw) -> Option<String> {
    match value {
        Raw::Text(text) => Some(text.clone()),
        Raw::Integer(number) => Some(number.to_string()),
        Raw::Float(number) => Some(number.to_string()),
        Raw::Bool(truth) => Some(truth.to_string()),
        Raw::List(_) | Raw::Table(_) | Raw::Other(_) => None,
    }
}

/// A number of seconds, whole where it is.
fn seconds(number: f64) -> Raw {
    #[expect(clippy::cast_possible_truncation, reason = "only what is whole and small is taken")]
    if number.fract() == 0.0 && number < 1e9 {
        Raw::Integer(number as i64)
    } else {
        Raw::Float(number)
    }
}

/// The words of a list, or a word alone.
fn as_texts(value: &Raw) -> Vec<String> {
    match value {
        Raw::List(items) => items.iter().filter_map(as_text).collect(),
        other => as_text(other).into_iter().collect(),
    }
}

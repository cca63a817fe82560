//! What is known of one setting.

use super::kind::Shape;
use super::layers::Origin;

/// One row of the table.
pub(crate) struct Setting {
    /// The name: a key in the file as it stands, a flag and a variable after a little dressing.
    pub(crate) name: &'static str,
    /// The heading under which help and the reference page list it.
    pub(crate) section: &'static str,
    /// The lines of its doc comment; the first is a sentence that stands by itself.
    pub(super) doc: &'static [&'static str],
    /// The default, written as it would be in the environment; empty if there is none.
    pub(crate) default: &'static str,
    /// Variables that are read where its own isn't set.
    pub(crate) env_fallbacks: &'static [&'static str],
    /// What a valid value looks like: "a size such as `32MiB`".
    pub(crate) expected: &'static str,
    /// The word for the value in help: `SIZE`.
    pub(crate) placeholder: &'static str,
    /// How many values there are.
    pub(crate) shape: Shape,
    /// Its value must not be shown.
    pub(crate) secret: bool,
    /// The JSON Schema of a value in the file.
    pub(crate) schema: fn() -> serde_json::Value,
    /// The default as JSON, which for our kinds is also TOML.
    pub(crate) shown_default: fn(&'static str) -> Option<serde_json::Value>,
}

impl Setting {
    /// `body-limit`, for `--body-limit`.
    pub(crate) fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// `OUTCROP_BODY_LIMIT`.
    pub(crate) fn env(&self) -> String {
        format!("OUTCROP_{}", self.name.to_ascii_uppercase())
    }

    /// The first sentence of its documentation.
    pub(crate) fn summary(&self) -> &'static str {
        self.doc.first().map_or("", |line| line.trim())
    }

    /// What the documentation says beyond the first sentence.
    pub(crate) fn details(&self) -> String {
        let lines: Vec<&str> = self.doc.iter().skip(1).map(|line| line.trim()).collect();
        lines.join(" ")
    }
}

/// What one setting came out as, fit to be shown.
pub(crate) struct Effective {
    /// Which setting.
    pub(crate) setting: &'static Setting,
    /// Its value in JSON, which is also TOML; a secret is masked. `None` is "not set".
    pub(crate) shown: Option<serde_json::Value>,
    /// Where the value came from.
    pub(crate) origin: Origin,
}

//! Reading tables that stand in the file many times: `[[accounts]]`, `[[routes]]`, `[[quotas]]`.

use serde_json::{Value as Json, json};

use super::kind::{Kind, Raw, RawTable};
use super::layers::{Origin, Value, complaint};
use super::nearest::{nearest, unknown};
use super::problem::Problems;

/// What stands in a table, fit to be shown: its keys with their values, secrets masked.
pub(crate) type Shown = Vec<(&'static str, Json)>;

/// A key of a table.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// For the schema and the reference page.
    pub(super) about: &'static str,
    pub(super) schema: fn() -> Json,
}

/// Reads one table key by key.
pub(super) struct Reader<'a> {
    /// What the tables are called: `routes.targets`.
    what: &'static str,
    pub(super) table: &'a RawTable,
    pub(super) problems: &'a mut Problems,
    pub(super) shown: Shown,
}

impl<'a> Reader<'a> {
    /// Complains of keys that there aren't.
    pub(super) fn new(
        what: &'static str,
        table: &'a RawTable,
        keys: &'static [Key],
        problems: &'a mut Problems,
    ) -> Self {
        for (name, origin, _) in &table.members {
            if keys.iter().all(|key| key.name != name) {
                let names = keys.iter().map(|key| key.name.to_owned());
                let message = unknown("key", name, nearest(name, names));
                problems.add(origin.clone(), format!("{what}: {message}"));
            }
        }
        Self {
            what,
            table,
            problems,
            shown: Vec::new(),
        }
    }

    /// The value of a key, if it is there and valid.
    pub(super) fn take<T: Kind>(&mut self, name: &'static str) -> Option<T> {
        let (origin, raw) = self.table.get(name)?;
        match T::from_file(raw) {
            Ok(taken) => {
                self.shown.push((name, taken.show().unwrap_or(json!(""))));
                Some(taken)
            }
            Err(invalid) => {
                let complaint = complaint::<T>(name, &Value::File(raw.clone()), &invalid);
                self.problems.add(origin.clone(), format!("{}.{complaint}", self.what));
                None
            }
        }
    }

    /// Likewise, but it must be there.
    pub(super) fn need<T: Kind>(&mut self, name: &'static str) -> Option<T> {
        if !self.has(name) {
            let message = format!("{}: a `{name}` is missing", self.what);
            self.problems.add(self.table.origin.clone(), message);
        }
        self.take(name)
    }

    /// Whether the key is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.get(name).is_some()
    }

    /// The members of a table in this table.
    pub(super) fn members(&mut self, name: &'static str) -> Option<&'a RawTable> {
        match self.table.get(name)? {
            (_, Raw::Table(members)) => Some(members),
            (_, raw) => {
                self.complain(name, &format!("expected a table, found {raw}"));
                None
            }
        }
    }

    /// The value of a key is wrong.
    pub(super) fn complain(&mut self, name: &str, message: &str) {
        let origin = self.table.get(name).map_or(&self.table.origin, |(origin, _)| origin);
        self.problems
            .add(origin.clone(), format!("{}.{name}: {message}", self.what));
    }
}

/// The tables that a key of the file holds.
pub(super) fn tables(what: &str, origin: &Origin, raw: &Raw, problems: &mut Problems) -> Vec<RawTable> {
    let mut tables = Vec::new();
    let Raw::List(items) = raw else {
        problems.add(
            origin.clone(),
            format!("{what}: expected tables, each under the line `[[{what}]]`"),
        );
        return tables;
    };
    for item in items {
        match item {
            Raw::Table(table) => tables.push(table.clone()),
            _ => problems.add(
                origin.clone(),
                format!("{what}: expected tables, each under the line `[[{what}]]`"),
            ),
        }
    }
    tables
}

/// The schema of such tables.
pub(super) fn schema(keys: &[Key], required: &[&str], description: &str) -> Json {
    let properties: serde_json::Map<String, Json> = keys
        .iter()
        .map(|key| {
            let mut property = (key.schema)();
            property["description"] = json!(key.about);
            (key.name.to_owned(), property)
        })
        .collect();
    let mut item = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        item["required"] = json!(required);
    }
    json!({ "type": "array", "items": item, "description": description })
}

/// JSON in the words of TOML, on one line.
pub(crate) fn inline(value: &Json) -> String {
    match value {
        Json::Object(members) => {
            let members = members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            let members: Vec<String> = members.collect();
            if members.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", members.join(", "))
            }
        }
        Json::Array(items) => {
            let items: Vec<String> = items.iter().filter(|item| !item.is_null()).map(inline).collect();
            format!("[{}]", items.join(","))
        }
        // What JSON may leave as it is, TOML wants escaped.
        other => other.to_string().replace('\u{7f}', "\\u007f"),
    }
}

/// A key of TOML, quoted where it must be.
pub(crate) fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        inline(&json!(name))
    }
}

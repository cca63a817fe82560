//! Reading `outcrop.toml`: its keys with their lines, and what is wrong with it as TOML.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kind::{Raw, RawTable};
use super::layers::{Layers, Origin, Value};
use super::nearest::{nearest, unknown};
use super::policies::{self, POLICIES};
use super::problem::Problems;
use super::routing::NAMES;
use super::rows;
use super::table::{SETTINGS, Setting};

/// Lays what the file says into its layer.
pub(super) fn read(path: &Path, text: &str, layers: &mut Layers, problems: &mut Problems) {
    let at = |offset: usize| Origin::File(path.to_owned(), line(text, offset));
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reported = Vec::new();
    for error in &errors {
        // Only the message: the error's own display quotes the line, and a secret may stand in it.
        let origin = at(error.span().map_or(0, |span| span.start));
        // The first mistake on a line tends to make the others.
        if reported.contains(&origin) {
            continue;
        }
        reported.push(origin.clone());
        problems.add(origin, error.message().trim().replace('\n', ", "));
    }
    // What a parser recovers after a mistake is a guess. Unknown keys among it would be noise.
    if !errors.is_empty() {
        return;
    }
    for (key, value) in table.get_ref() {
        let name = key.get_ref().as_ref();
        if name == POLICIES {
            layers.policies = policies::read(value.get_ref(), at(key.span().start), &at, problems);
            continue;
        }
        if let Some(tables) = layers.tables.under(name) {
            *tables = rows::tables(name, &at(key.span().start), &raw(value, &at), problems);
            continue;
        }
        match Setting::named(name) {
            Some(setting) => {
                let value_at = match value.get_ref() {
                    // The span of `[[aliases]]` as a whole is not where anyone would look.
                    DeValue::Array(items) if items.iter().any(|item| matches!(item.get_ref(), DeValue::Table(_))) => {
                        key.span().start
                    }
                    _ => value.span().start,
                };
                layers.lay(setting, at(value_at), Value::File(raw(value, &at)));
            }
            None => {
                let hint = match value.get_ref() {
                    DeValue::Table(_) => {
                        "; settings stand at the top of the file, without tables but `[[accounts]]`, `[[aliases]]`, \
                         `[[issuers]]`, `[[policies]]`, `[[quotas]]` and `[[routes]]`"
                            .to_owned()
                    }
                    _ => String::new(),
                };
                let names = SETTINGS
                    .iter()
                    .map(|setting| setting.name)
                    .chain([POLICIES])
                    .chain(NAMES)
                    .map(str::to_owned);
                problems.add(at(key.span().start), unknown("key", name, nearest(name, names)) + &hint);
            }
        }
    }
}

/// The line of an offset, from 1.
fn line(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// A value, free of the parser. `at` gives the place of an offset in the file.
pub(super) fn raw(value: &Spanned<DeValue<'_>>, at: &dyn Fn(usize) -> Origin) -> Raw {
    match value.get_ref() {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a number that is too large"), Raw::Integer),
        DeValue::Float(number) => number.as_str().parse().map_or(Raw::Other("a number"), Raw::Float),
        DeValue::Boolean(truth) => Raw::Bool(*truth),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item, at)).collect()),
        DeValue::Table(table) => Raw::Table(members(table, at(value.span().start), at)),
    }
}

fn members(table: &DeTable<'_>, origin: Origin, at: &dyn Fn(usize) -> Origin) -> RawTable {
    let members = table.iter().map(|(key, value)| {
        let name = key.get_ref().as_ref().to_owned();
        (name, at(value.span().start), raw(value, at))
    });
    RawTable {
        origin,
        members: members.collect(),
    }
}

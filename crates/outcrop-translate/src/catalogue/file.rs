//! Reading one file of the catalogue.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::error::CatalogueError;
use super::model::{Provider, Source};
use super::prices::SpecialRates;
use super::row::Row;

/// What one file says, once it is known to be sound in itself.
#[derive(Debug, Default)]
pub(super) struct Layer {
    /// The provider that it names.
    pub(super) provider: Option<Provider>,
    /// Where its facts are from.
    pub(super) sources: BTreeMap<String, Source>,
    /// Rows of families by the beginning of an id, the shortest first.
    pub(super) families: Vec<(String, Row)>,
    /// Rows of models by id.
    pub(super) models: BTreeMap<String, Row>,
    /// Finds the lines of rows and of their fields, for what only the whole catalogue can judge.
    lines: Lines,
}

/// A file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    provider: Option<String>,
    name: Option<String>,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    sources: BTreeMap<String, Source>,
    #[serde(default)]
    family: Vec<Spanned<Row>>,
    #[serde(default)]
    model: Vec<Spanned<Row>>,
}

impl Layer {
    /// Reads `text`, which is the content of `file`.
    pub(super) fn read(file: &str, text: &str) -> Result<Self, Vec<CatalogueError>> {
        let mut lines = Lines::new(file, text);
        let parsed: File = toml::from_str(text).map_err(|error| vec![lines.fault_of_syntax(&error)])?;
        let mut faults = Faults::default();
        let mut layer = Self {
            provider: parsed.provider.map(|id| Provider {
                name: parsed.name.unwrap_or_else(|| id.clone()),
                id,
                also: parsed.also,
            }),
            sources: parsed.sources,
            ..Self::default()
        };
        for row in parsed.family {
            let at = row.span();
            let row = row.into_inner();
            layer.check(&row, &lines, &at, &mut faults);
            if let Some(field) = row.field_of_models() {
                faults.push(lines.fault(&at, field, "is for models, not for families"));
            }
            let ids = row.ids.clone().unwrap_or_default();
            if ids.is_empty() {
                faults.push(lines.fault(&at, "ids", "a family needs the beginnings of its models' ids"));
            }
            for id in ids {
                lines.note(&id, &at);
                layer.families.push((id, row.clone()));
            }
        }
        for row in parsed.model {
            let at = row.span();
            let row = row.into_inner();
            layer.check(&row, &lines, &at, &mut faults);
            if let Some(field) = row.field_of_families() {
                faults.push(lines.fault(&at, field, "is for families, not for models"));
            }
            let Some(id) = row.id.clone() else {
                faults.push(lines.fault(&at, "id", "a model needs its id"));
                continue;
            };
            lines.note(&id, &at);
            if layer.models.insert(id.clone(), row).is_some() {
                faults.push(lines.fault(&at, "id", &format!("`{id}` has a row already")));
            }
        }
        // A longer beginning knows better; of rows with the same one, the later.
        layer.families.sort_by_key(|(beginning, _)| beginning.len());
        layer.lines = lines;
        faults.into_result(layer)
    }

    /// The rows that say something of the model `id`, from the most general to its own.
    pub(super) fn rows_for(&self, id: &str) -> impl Iterator<Item = &Row> {
        let families = self
            .families
            .iter()
            .filter(move |(beginning, _)| id.starts_with(beginning));
        families.map(|(_, row)| row).chain(self.models.get(id))
    }

    /// A fault of the field `field` in the row of the model or the family `id`.
    pub(super) fn fault(&self, id: &str, field: &str, message: &str) -> CatalogueError {
        let at = self.lines.rows.get(id).cloned().unwrap_or_default();
        self.lines.fault(&at, field, message)
    }

    /// The name of the file.
    pub(super) fn file_name(&self) -> &str {
        &self.lines.file
    }

    /// The file as it is written.
    pub(super) fn text(&self) -> &str {
        &self.lines.text
    }

    fn check(&self, row: &Row, lines: &Lines, at: &Range<usize>, faults: &mut Faults) {
        if let Some(source) = row.source.as_ref().filter(|source| !self.sources.contains_key(*source)) {
            faults.push(lines.fault(at, "source", &format!("`{source}` is not under [sources]")));
        }
        for (field, source) in row.sources.iter().flatten() {
            if !Row::OF_MODELS.contains(&field.as_str()) {
                faults.push(lines.fault(at, "sources", &format!("there is no field `{field}`")));
            }
            if !self.sources.contains_key(source) {
                faults.push(lines.fault(at, "sources", &format!("`{source}` is not under [sources]")));
            }
        }
        let days = [
            ("released", &row.released),
            ("legacy", &row.legacy),
            ("end_of_life", &row.end_of_life),
        ];
        for (field, day) in days {
            if let Some(day) = day.as_ref().filter(|day| !is_day(day)) {
                faults.push(lines.fault(at, field, &format!("`{day}` is not a day like 2026-11-21")));
            }
        }
        for fault in row.special_prices.iter().flatten().filter_map(SpecialRates::fault) {
            faults.push(lines.fault(at, "special_prices", fault));
        }
    }
}

/// Whether a text is a day, as ISO 8601 writes it.
fn is_day(text: &str) -> bool {
    let digits = |part: &str, most: u32| part.parse::<u32>().is_ok_and(|number| (1..=most).contains(&number));
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], [year, month, day] if
        year.len() == 4 && month.len() == 2 && day.len() == 2
        && digits(year, 9999) && digits(month, 12) && digits(day, 31))
}

/// The faults of a file, each once.
#[derive(Default)]
pub(super) struct Faults {
    found: Vec<CatalogueError>,
    seen: BTreeSet<String>,
}

impl Faults {
    pub(super) fn push(&mut self, fault: CatalogueError) {
        if self.seen.insert(fault.to_string()) {
            self.found.push(fault);
        }
    }

    /// `value`, if there are none.
    pub(super) fn into_result<T>(mut self, value: T) -> Result<T, Vec<CatalogueError>> {
        self.found.sort_by_key(|fault| fault.line);
        if self.found.is_empty() {
            Ok(value)
        } else {
            Err(self.found)
        }
    }
}

/// Finds lines in a file.
#[derive(Debug, Default)]
struct Lines {
    file: String,
    text: String,
    /// Where the rows stand, by the ids that they are for.
    rows: HashMap<String, Range<usize>>,
}

impl Lines {
    fn new(file: &str, text: &str) -> Self {
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            rows: HashMap::new(),
        }
    }

    fn note(&mut self, id: &str, at: &Range<usize>) {
        self.rows.entry(id.to_owned()).or_insert_with(|| at.clone());
    }

    /// A fault of `field` in the row at `at`: the line is the field's, or, where it is missing, the row's.
    fn fault(&self, at: &Range<usize>, field: &str, message: &str) -> CatalogueError {
        let row = self.number_at(at.start);
        let line = self.text.lines().enumerate().skip(row - 1);
        let line = line
            .take_while(|(number, line)| *number < row || !line.trim_start().starts_with('['))
            .find(|(_, line)| key_of(line) == Some(field))
            .map_or(row, |(number, _)| number + 1);
        CatalogueError {
            file: self.file.clone(),
            line,
            field: Some(field.to_owned()),
            message: message.to_owned(),
        }
    }

    fn fault_of_syntax(&self, error: &toml::de::Error) -> CatalogueError {
        let start = error.span().map_or(0, |span| span.start);
        let line = self.number_at(start);
        // A value may go over many lines; the first has its key.
        let before: Vec<&str> = self.text.lines().take(line).collect();
        let key = before.iter().rev().find_map(|line| key_of(line));
        CatalogueError {
            file: self.file.clone(),
            line,
            field: key.map(str::to_owned),
            message: error.message().to_owned(),
        }
    }

    fn number_at(&self, start: usize) -> usize {
        let before = self.text.get(..start).unwrap_or_default();
        before.matches('\n').count() + 1
    }
}

/// The key that a line begins with.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim();
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    (!key.is_empty() && key.chars().all(is_word)).then_some(key)
}

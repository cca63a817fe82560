//! Which model of the catalogue AWS's bill means.

use std::collections::HashMap;

use outcrop_server::Catalogue;
use outcrop_server::catalogue::{Model, Status};

/// The models by what their names have in common with AWS's: words in any order, and numbers in theirs.
pub(super) struct Names<'c> {
    catalogue: &'c Catalogue,
    by_key: HashMap<String, &'c str>,
}

/// Words that some names have and others leave out.
const FILLERS: [&str; 9] = [
    "amazon",
    "anthropic",
    "bedrock",
    "edition",
    "instruct",
    "it",
    "meta",
    "text",
    "v",
];

impl<'c> Names<'c> {
    pub(super) fn of(catalogue: &'c Catalogue) -> Self {
        let mut by_key: HashMap<String, &str> = HashMap::new();
        let mut models: Vec<&Model> = catalogue.models().collect();
        // Those that are still called come first.
        models.sort_by_key(|model| model.lifecycle.status == Status::Retired);
        let forms = [
            |model: &Model| vec![model.name.clone()],
            |model: &Model| vec![core(&model.id).to_owned()],
            |model: &Model| model.short_names.clone(),
        ];
        for form in forms {
            for model in &models {
                for name in form(model) {
                    if let Some(key) = key(&name) {
                        by_key.entry(key).or_insert(&model.id);
                    }
                }
            }
        }
        Self { catalogue, by_key }
    }

    /// The model that an id, a profile or an ARN of one is.
    pub(super) fn of_id(&self, text: &str) -> Option<&str> {
        let id = self.catalogue.known_id(self.catalogue.base_id(text)?);
        self.catalogue.model(id).map(|model| model.id.as_str())
    }

    /// The model that has this name at AWS.
    pub(super) fn of_name(&self, text: &str) -> Option<&str> {
        let name = text.trim().trim_end_matches("(Amazon Bedrock Edition)");
        let of_key = |name: &str| self.by_key.get(&key(name)?).copied();
        // An id of `bedrock-mantle` has no version.
        let of_core = || of_key(core(self.catalogue.base_id(name)?));
        self.of_id(name).or_else(|| of_key(name)).or_else(of_core)
    }
}

/// An id without its maker and its version.
fn core(id: &str) -> &str {
    let name = id.split_once('.').map_or(id, |(_, name)| name);
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    let without = |name: &'_ str, is: fn(&str) -> bool| match name.rsplit_once('-') {
        Some((before, last)) if is(last) => before.len(),
        _ => name.len(),
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let version = without(name, |last| {
        last.strip_prefix('v')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let name = name.get(..version).unwrap_or(name);
    match name.rsplit_once('-') {
        Some((before, day)) if day.len() == 8 && is_number(day) => before,
        _ => name,
    }
}

/// The letters of a name in the order of the alphabet, and its numbers: names differ in the order of their words and in
/// what stands between them. `None` for names of fillers alone.
fn key(name: &str) -> Option<String> {
    let (mut letters, mut numbers): (Vec<char>, Vec<String>) = (Vec::new(), Vec::new());
    for part in parts(name) {
        if part.starts_with(|letter: char| letter.is_ascii_digit()) {
            // `2.0` is `2`.
            if part != "0" {
                numbers.push(part);
            }
        } else if !FILLERS.contains(&part.as_str()) {
            letters.extend(part.chars());
        }
    }
    letters.sort_unstable();
    let letters: String = letters.into_iter().collect();
    (!letters.is_empty()).then(|| format!("{letters} {}", numbers.join(".")))
}

/// Words and numbers in small letters: a capital letter behind a small one begins a word.
fn parts(name: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let (mut part, mut before) = (String::new(), ' ');
    for letter in name.chars() {
        let is_new = !letter.is_ascii_alphanumeric()
            || before.is_ascii_digit() != letter.is_ascii_digit()
            || (before.is_ascii_lowercase() && letter.is_ascii_uppercase());
        if is_new && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
        }
        if letter.is_ascii_alphanumeric() {
            part.push(letter.to_ascii_lowercase());
        }
        before = letter;
    }
    parts.extend((!part.is_empty()).then_some(part));
    parts
}

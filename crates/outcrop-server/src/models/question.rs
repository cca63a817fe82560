//! What is asked of the list.

use outcrop_translate::{Catalogue, Problem};
use serde_json::{Value, json};

use super::entries::Entry;
use super::words::{Kind, Purpose};

/// As much of a client's word as an error repeats.
const SHOWN_CHARS: usize = 80;

/// The query of a request, read. What it doesn't name lets all pass.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Question {
    /// As it was typed.
    provider: Option<String>,
    purposes: Option<Vec<Purpose>>,
    kinds: Option<Vec<Kind>>,
    /// Whether Bedrock is asked now.
    pub(super) refresh: bool,
}

impl Question {
    /// Reads a query. Parameters that others put there (`api-version`) are none of ours.
    ///
    /// # Errors
    /// A value that isn't one.
    pub(super) fn read(query: &str) -> Result<Self, Problem> {
        let mut question = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "provider" => question.provider = Some(provider(value.into_owned())?),
                // Each that is said again adds to what was said.
                "type" => question
                    .purposes
                    .get_or_insert_default()
                    .extend(words("type", &value, &Purpose::ALL)?),
                "kind" => question
                    .kinds
                    .get_or_insert_default()
                    .extend(words("kind", &value, &Kind::ALL)?),
                "refresh" => {
                    question.refresh = match value.as_ref() {
                        "true" | "1" => true,
                        "false" | "0" => false,
                        _ => return Err(invalid("refresh", &value, "'true' or 'false'")),
                    }
                }
                _ => {}
            }
        }
        Ok(question)
    }

    /// Reads a query about one model, which can't be a part of the list.
    ///
    /// # Errors
    /// A value that isn't one.
    pub(super) fn read_of_one(query: &str) -> Result<Self, Problem> {
        let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "refresh");
        Self::read(
            &form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish(),
        )
    }

    /// Whether all is wanted.
    pub(super) fn is_for_all(&self) -> bool {
        self.provider.is_none() && self.purposes.is_none() && self.kinds.is_none()
    }

    /// The entries that are wanted, and, if a provider has none, a word on it.
    pub(super) fn of<'e>(&self, entries: &'e [Entry], catalogue: &Catalogue) -> (Vec<&'e Entry>, Option<Value>) {
        let provider = self.provider.as_deref().map(|typed| provider_id(typed, catalogue));
        let is_theirs = |entry: &Entry| {
            provider
                .as_ref()
                .is_none_or(|id| entry.provider.eq_ignore_ascii_case(id))
        };
        let is_wanted = |entry: &&Entry| {
            let for_it = self
                .purposes
                .as_ref()
                .is_none_or(|purposes| purposes.contains(&entry.purpose));
            is_theirs(entry) && for_it && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&entry.kind))
        };
        let found = entries.iter().filter(is_wanted).collect();
        let note = match &self.provider {
            Some(typed) if !entries.iter().any(is_theirs) => {
                let known = entries.iter().map(|entry| entry.provider.as_str());
                Some(no_such_provider(typed, known))
            }
            _ => None,
        };
        (found, note)
    }
}

/// A provider as it was typed.
///
/// # Errors
/// When there is nothing.
pub(crate) fn provider(typed: String) -> Result<String, Problem> {
    if typed.trim().is_empty() {
        return Err(invalid("provider", &typed, "the name of a provider"));
    }
    Ok(typed)
}

/// A provider by its id, its name, or another beginning of its models' ids.
pub(crate) fn provider_id(typed: &str, catalogue: &Catalogue) -> String {
    let typed = typed.trim();
    let mut providers = catalogue.providers();
    let found = providers.find(|provider| {
        let others = provider.also.iter().map(String::as_str);
        let names = [provider.id.as_str(), provider.name.as_str()];
        names
            .into_iter()
            .chain(others)
            .any(|name| name.eq_ignore_ascii_case(typed))
    });
    found.map_or(typed, |provider| &provider.id).to_owned()
}

/// A warning that a provider has no models, and which do.
pub(crate) fn no_such_provider<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Value {
    let mut known: Vec<&str> = known.collect();
    known.retain(|id| !id.is_empty());
    known.sort_unstable();
    known.dedup();
    let message = format!(
        "No model here is made by '{}'; providers are {}.",
        shown(typed),
        known.join(", ")
    );
    json!({"code": "unknown_provider", "message": message})
}

/// What a model is asked for, in one word.
///
/// # Errors
/// When it isn't one of them.
pub(crate) fn purpose(value: &str) -> Result<Purpose, Problem> {
    match words("type", value, &Purpose::ALL)?.as_slice() {
        [purpose] => Ok(*purpose),
        _ => Err(invalid("type", value, "one word")),
    }
}

fn words<T: Copy>(name: &str, value: &str, known: &[(&'static str, T)]) -> Result<Vec<T>, Problem> {
    let find = |word: &str| {
        known
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(word.trim()))
            .map(|(_, word)| *word)
    };
    let read: Option<Vec<T>> = value.split(',').map(find).collect();
    read.ok_or_else(|| {
        let known: Vec<String> = known.iter().map(|(word, _)| format!("'{word}'")).collect();
        invalid(
            name,
            value,
            &format!("one of {}, or several with commas between them", known.join(", ")),
        )
    })
}

fn invalid(name: &str, value: &str, expected: &str) -> Problem {
    let message = format!("Invalid '{name}': expected {expected}, not '{}'.", shown(value));
    Problem::invalid(message).with_code("invalid_value").with_param(name)
}

/// A client's word as an answer repeats it.
pub(super) fn shown(word: &str) -> String {
    word.chars()
        .filter(|letter| !letter.is_control())
        .take(SHOWN_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read() {
        let question =
            Question::read("provider=Mistral%20AI&type=chat,Embedding&kind=alias&refresh=true&api-version=1");
        let expected = Question {
            provider: Some("Mistral AI".to_owned()),
            purposes: Some(vec![Purpose::Chat, Purpose::Embedding]),
            kinds: Some(vec![Kind::Alias]),
            refresh: true,
        };
        assert_eq!(question.unwrap(), expected);
        assert!(Question::read("").unwrap().is_for_all());
        let together = Question::read("type=chat&type=embedding").unwrap();
        assert_eq!(together, Question::read("type=chat,embedding").unwrap());
    }

    #[test]
    fn what_is_no_value_is_refused_by_name() {
        for (query, param) in [
            ("type=video", "type"),
            ("type=", "type"),
            ("type=chat,", "type"),
            ("kind=x", "kind"),
            ("refresh=maybe", "refresh"),
            ("provider=", "provider"),
            ("type=chat&type=video", "type"),
        ] {
            let problem = Question::read(query).unwrap_err();
            assert_eq!(
                (problem.status, problem.param.as_deref()),
                (400, Some(param)),
                "{query}"
            );
        }
        let problem = Question::read("type=video").unwrap_err();
        assert!(
            problem.message.contains("'chat', 'embedding', 'image', 'rerank'"),
            "{}",
            problem.message
        );
    }

    #[test]
    fn a_provider_has_several_names() {
        let catalogue = Catalogue::built_in();
        for typed in ["mistral", "MISTRAL", "Mistral AI", " mistral "] {
            assert_eq!(provider_id(typed, catalogue), "mistral", "{typed}");
        }
        assert_eq!(provider_id("Acme", catalogue), "Acme");
    }
}

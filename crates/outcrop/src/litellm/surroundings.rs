//! What `os.environ/NAME` means: first what the file itself says, then the environment.

use std::ffi::OsString;

use super::as_text;
use crate::settings::{Origin, Raw, RawTable};

/// How LiteLLM writes a reference to a variable.
const REFERENCE: &str = "os.environ/";

pub(super) struct Surroundings<'a> {
    environment: &'a [(OsString, OsString)],
    section: Option<&'a RawTable>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(environment: &'a [(OsString, OsString)], section: Option<&'a RawTable>) -> Self {
        Self { environment, section }
    }

    /// What the file says of a variable.
    pub(super) fn in_file(&self, name: &str) -> Option<(&'a Origin, String)> {
        let (origin, value) = self.section?.get(name)?;
        Some((origin, as_text(value)?)).filter(|(_, text)| !text.is_empty())
    }

    /// A variable.
    pub(super) fn get(&self, name: &str) -> Option<(Origin, String)> {
        if let Some((origin, text)) = self.in_file(name) {
            return Some((origin.clone(), text));
        }
        let (_, value) = self.environment.iter().find(|(known, _)| known == name)?;
        let text = value.to_str()?.to_owned();
        Some((Origin::Environment(name.to_owned()), text)).filter(|(_, text)| !text.is_empty())
    }

    /// What a word means, or the variable that isn't set.
    pub(super) fn now(&self, text: &str) -> Result<String, String> {
        match text.strip_prefix(REFERENCE) {
            None => Ok(text.to_owned()),
            Some(name) => self.get(name).map(|(_, text)| text).ok_or_else(|| name.to_owned()),
        }
    }

    /// What a word means that may stay a reference, as it is a secret.
    pub(super) fn later(&self, text: String) -> String {
        let name = text.strip_prefix(REFERENCE);
        match name.and_then(|name| self.in_file(name)) {
            Some((_, value)) => value,
            None => text,
        }
    }

    /// The same for all words in a value; `Err` is the variable that isn't set.
    pub(super) fn within(&self, value: &Raw) -> Result<Raw, String> {
        Ok(match value {
            Raw::Text(text) => Raw::Text(self.now(text)?),
            Raw::List(items) => Raw::List(items.iter().map(|item| self.within(item)).collect::<Result<_, _>>()?),
            Raw::Table(table) => {
                let members = table.members.iter();
                let members = members
                    .map(|(name, origin, value)| Ok::<_, String>((name.clone(), origin.clone(), self.within(value)?)));
                Raw::Table(RawTable {
                    origin: table.origin.clone(),
                    members: members.collect::<Result<_, _>>()?,
                })
            }
            other => other.clone(),
        })
    }
}

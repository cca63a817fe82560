//! The parameters in a query, checked as the service model has them.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Map, Value};

use crate::refusal::Refusal;
use crate::shapes::{Kind, table};
use crate::{uri, validate};

/// What a query says, by the names of the service model. What it doesn't know is passed over, as AWS does.
#[derive(Debug)]
pub(crate) struct Query(Map<String, Value>);

impl Query {
    /// Reads the query of a call of `operation`.
    ///
    /// # Errors
    ///
    /// Values that are none of their type, or that break a limit.
    pub(crate) fn read(operation: &str, text: &str) -> Result<Query, Refusal> {
        let mut given = Map::new();
        let Some(input) = table().input_of(operation) else {
            return Ok(Query(given));
        };
        for (key, value) in uri::query(text) {
            let found = input.members.iter().find(|(name, member)| {
                member.location.as_deref() == Some("querystring") && member.name.as_ref().unwrap_or(name) == &key
            });
            let Some((name, member)) = found else { continue };
            let kind = table().shape(&member.shape).map(|shape| shape.kind);
            let value = typed(kind, &value).ok_or_else(|| {
                let kind = kind.map_or_else(String::new, |kind| format!("{kind:?}"));
                Refusal::validation(format!("The value of {name} can't be read as {kind}."))
            })?;
            given.insert(name.clone(), value);
        }
        let query = Value::Object(given);
        validate::query(operation, &query)?;
        match query {
            Value::Object(given) => Ok(Query(given)),
            _ => Ok(Query(Map::new())),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        usize::try_from(self.0.get(name)?.as_u64()?).ok()
    }

    pub(crate) fn truth(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    /// A point in time.
    pub(crate) fn time(&self, name: &str) -> Option<DateTime> {
        time(self.text(name)?)
    }
}

/// Reads a point in time as AWS writes it.
pub(crate) fn time(text: &str) -> Option<DateTime> {
    DateTime::from_str(text, Format::DateTimeWithOffset).ok()
}

fn typed(kind: Option<Kind>, text: &str) -> Option<Value> {
    match kind {
        Some(Kind::Integer | Kind::Long) => text.parse::<i64>().ok().map(Value::from),
        Some(Kind::Boolean) => text.parse::<bool>().ok().map(Value::from),
        Some(Kind::Timestamp) => time(text).map(|_| text.into()),
        _ => Some(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_the_names_and_types_of_the_service_model() {
        let query = Query::read(
            "ListCustomModels",
            "maxResults=7&isOwned=true&creationTimeBefore=2026-01-15T00%3A00%3A00Z&unknown=1",
        )
        .unwrap();
        assert_eq!(query.number("maxResults"), Some(7));
        assert_eq!(query.truth("isOwned"), Some(true));
        assert_eq!(query.time("creationTimeBefore"), time("2026-01-15T00:00:00Z"));
        assert_eq!(query.0.len(), 3);
        let query = Query::read("ListInferenceProfiles", "type=APPLICATION").unwrap();
        assert_eq!(query.text("typeEquals"), Some("APPLICATION"));
    }

    #[test]
    fn what_has_another_type_or_breaks_a_limit_is_refused() {
        for query in [
            "maxResults=x",
            "maxResults=",
            "maxResults=0",
            "isOwned=maybe",
            "creationTimeAfter=yesterday",
            "nextToken=",
            "sortOrder=Up",
        ] {
            let refusal = Query::read("ListCustomModels", query).expect_err(query);
            assert_eq!(refusal.exception, "ValidationException", "{query}");
        }
    }
}

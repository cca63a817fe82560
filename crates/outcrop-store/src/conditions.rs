//! What rows must be like, as SQL.

use crate::sql::Value;

/// Conditions that all hold. In their texts `?` stands for the value.
#[derive(Default)]
pub(crate) struct Conditions {
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// A value, by the place that it has.
    pub(crate) fn placeholder(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    pub(crate) fn add(&mut self, text: &'static str, value: impl Into<Value>) {
        let placeholder = self.placeholder(value);
        self.texts.push(text.replace('?', &placeholder));
    }

    /// A condition without `?`, of our own words.
    pub(crate) fn add_own(&mut self, text: impl Into<String>) {
        self.texts.push(text.into());
    }

    /// Any of the columns is any of the texts; nothing is asked if there are none.
    pub(crate) fn add_any(&mut self, columns: &[&'static str], texts: &[String]) {
        if texts.is_empty() {
            return;
        }
        let places: Vec<String> = texts.iter().map(|text| self.placeholder(text)).collect();
        let places = places.join(", ");
        let either: Vec<String> = columns.iter().map(|column| format!("{column} IN ({places})")).collect();
        self.texts.push(format!("({})", either.join(" OR ")));
    }

    /// The text behind `WHERE`, and the values.
    pub(crate) fn finish(self) -> (String, Vec<Value>) {
        let text = if self.texts.is_empty() {
            "1 = 1".to_owned()
        } else {
            self.texts.join(" AND ")
        };
        (text, self.values)
    }
}

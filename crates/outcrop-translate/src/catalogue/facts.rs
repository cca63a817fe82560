//! What the files say of one model, field by field, with the row and the source of each.

use std::collections::BTreeMap;

use serde_json::Value;
use toml::Table;

use super::Catalogue;
use super::file::Layer;
use super::model::Source;
use super::row::Row;

/// What rows say of themselves, and not of models.
const OF_ROWS: &[&str] = &["id", "source", "sources"];

/// One thing that is known of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The field.
    pub field: &'static str,
    /// Its value, as the file has it.
    pub value: Value,
    /// The file.
    pub file: String,
    /// The row: a model's id, or the beginning of a family's ids.
    pub row: String,
    /// Where it is from; `None` for a row that doesn't say it.
    pub source: Option<Source>,
}

impl Catalogue {
    /// What the files say of the model `base_id`, whether it has a row of its own or not. What none of them says isn't
    /// there; such a thing is tried.
    #[must_use]
    pub fn facts(&self, base_id: &str) -> Vec<Fact> {
        let id = self.nearest_id(base_id).unwrap_or(base_id);
        let mut said = BTreeMap::new();
        // As the cascade has it: what an ARN stands for, without what is true of that id alone, then its own rows.
        let base_model = self.model(id).and_then(|model| model.base_model.as_deref());
        if let Some(base) = base_model
            .and_then(|base| self.base_id(base))
            .filter(|base| *base != id)
        {
            let near = self.nearest_id(base).unwrap_or(base);
            self.layers.iter().for_each(|layer| layer.say(near, &mut said));
            let of_models = Row::OF_MODELS_ALONE;
            said.retain(|field, _| !of_models.contains(field));
        }
        self.layers.iter().for_each(|layer| layer.say(id, &mut said));
        let fields = Row::OF_MODELS.iter();
        fields.filter_map(|field| said.remove(field)).collect()
    }
}

impl Layer {
    /// Lets the rows for `id` have their say, each field over what was said before.
    fn say(&self, id: &str, said: &mut BTreeMap<&'static str, Fact>) {
        if self.rows_for(id).next().is_none() {
            return;
        }
        // The text was read before, so it can be read again.
        let Ok(file) = toml::from_str::<Table>(self.text()) else {
            return;
        };
        for (name, row) in rows_for(&file, id) {
            let fields = Row::OF_MODELS.iter().filter(|field| !OF_ROWS.contains(field));
            for field in fields {
                let Some(value) = row.get(*field) else { continue };
                let fact = Fact {
                    field,
                    value: serde_json::to_value(value).unwrap_or_default(),
                    file: self.file_name().to_owned(),
                    row: name.to_owned(),
                    source: self.source_of(row, field),
                };
                said.insert(field, fact);
            }
        }
    }

    fn source_of(&self, row: &Table, field: &str) -> Option<Source> {
        let of_field = row.get("sources").and_then(|sources| sources.get(field));
        let name = of_field.or_else(|| row.get("source"))?.as_str()?;
        self.sources.get(name).cloned()
    }
}

/// The rows for `id` with their names, from the most general to its own.
fn rows_for<'f>(file: &'f Table, id: &str) -> Vec<(&'f str, &'f Table)> {
    let rows = |key| {
        let rows = file.get(key).and_then(toml::Value::as_array).into_iter().flatten();
        rows.filter_map(toml::Value::as_table)
    };
    let text = toml::Value::as_str;
    let mut found: Vec<(&str, &Table)> = Vec::new();
    for row in rows("family") {
        let beginnings = row.get("ids").and_then(toml::Value::as_array).into_iter().flatten();
        let fitting = beginnings
            .filter_map(text)
            .filter(|beginning| id.starts_with(beginning));
        found.extend(fitting.map(|beginning| (beginning, row)));
    }
    found.sort_by_key(|(beginning, _)| beginning.len());
    let own = rows("model").filter_map(|row| Some((row.get("id").and_then(text)?, row)));
    found.extend(own.filter(|(name, _)| *name == id));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value<'f>(facts: &'f [Fact], field: &str) -> Option<&'f Fact> {
        facts.iter().find(|fact| fact.field == field)
    }

    #[test]
    fn facts_are_what_the_cascade_comes_to() {
        let catalogue = Catalogue::built_in();
        for model in catalogue.models() {
            let facts = catalogue.facts(&model.id);
            let is = |field| value(&facts, field).map(|fact| fact.value.clone());
            let or_absent = |text: &Option<String>| text.as_ref().map(|text| json!(text));
            assert_eq!(is("name").unwrap_or(json!(model.id)), json!(model.name));
            assert_eq!(is("released"), or_absent(&model.released), "{}", model.id);
            assert_eq!(is("successor"), or_absent(&model.lifecycle.successor), "{}", model.id);
            assert_eq!(is("context"), model.context.map(|tokens| json!(tokens)), "{}", model.id);
            assert_eq!(
                is("streaming").unwrap_or(json!(true)),
                json!(model.streaming),
                "{}",
                model.id
            );
            for fact in &facts {
                assert!(fact.source.is_some(), "{} of {}", fact.field, model.id);
            }
        }
    }

    #[test]
    fn a_field_has_its_own_source_and_row() {
        let toml = r#"
            [sources.own]
            title = "Our own measurements"
            read = "2026-11-20"

            [[model]]
            id = "amazon.nova-lite-v1:0"
            tools = false
            sources = { tools = "own" }
            status = "legacy"

            [[model]]
            id = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc"
            base_model = "amazon.nova-lite-v1:0"
            name = "Ours"
        "#;
        let catalogue = Catalogue::built_in().with("own.toml", toml).unwrap();
        let facts = catalogue.facts("amazon.nova-lite-v1:0");
        let tools = value(&facts, "tools").unwrap();
        assert_eq!((&tools.value, tools.file.as_str()), (&json!(false), "own.toml"));
        assert_eq!(tools.source.as_ref().unwrap().title, "Our own measurements");
        assert_eq!(value(&facts, "status").unwrap().source, None);
        assert_eq!(value(&facts, "input").unwrap().file, "amazon.toml");

        let facts = catalogue.facts("arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc");
        assert_eq!(value(&facts, "name").unwrap().value, "Ours");
        assert_eq!(value(&facts, "tools").unwrap().value, false);
        assert_eq!(value(&facts, "status"), None, "that is true of the other id");
    }

    #[test]
    fn a_new_model_has_what_its_family_has() {
        let facts = Catalogue::built_in().facts("anthropic.claude-sonnet-9-v1:0");
        assert_eq!(value(&facts, "invoke").unwrap().row, "anthropic.claude-");
        assert_eq!(value(&facts, "name"), None);
    }
}

//! `outcrop models show`: all that the catalogue knows of a model, and where that is from.

use clap::ArgMatches;
use outcrop_server::catalogue::{Fact, Source};
use outcrop_server::resolve::{Asked, Directory, Unresolved, resolve};
use serde_json::{Value, json};

use super::json::model as model_json;
use super::table::table;
use crate::cli;
use crate::commands::{complain, print_page};
use crate::failure::Failure;
use crate::settings::{Settings, load, name_rules};

/// Shows one.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let loaded = load(&cli::given(matches))?;
    complain(&loaded.warnings);
    let name = matches
        .get_one::<String>("name")
        .map(String::as_str)
        .unwrap_or_default();
    let base_id = base_id(name, &loaded.settings)?;
    let catalogue = &loaded.settings.models;
    let facts = catalogue.facts(&base_id);
    let model = catalogue.model(&base_id);
    if model.is_none() && facts.is_empty() {
        return Err(unknown(&base_id));
    }
    if matches.get_flag("json") {
        let mut shown = model.map_or_else(|| json!({ "id": base_id, "object": "model" }), model_json);
        shown["facts"] = facts.iter().map(fact_json).collect();
        return print_page(&format!("{shown:#}\n"));
    }
    let mut page = match model {
        Some(model) if model.name != base_id => format!("{base_id} ({})\n\n", model.name),
        Some(_) => format!("{base_id}\n\n"),
        None => format!("{base_id}: no row of its own, so what holds for its family\n\n"),
    };
    let head = ["FIELD", "VALUE", "ROW", "SOURCE"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(facts.iter().map(row)).collect();
    page.push_str(&table(&rows, ""));
    print_page(&page)
}

/// The id by which the catalogue knows the model. Redirects and defaults are left aside: what was asked for is shown.
pub(in crate::commands) fn base_id(name: &str, settings: &Settings) -> Result<String, Failure> {
    let mut rules = name_rules(settings);
    rules.default_model = None;
    rules.redirect_retired = false;
    // A retired model with a redirect of its own would become its successor.
    if let Some(base_id) = settings.models.base_id(name)
        && settings.models.model(base_id).is_some()
    {
        return Ok(base_id.to_owned());
    }
    let directory = Directory {
        rules: &rules,
        ..Directory::offline(&settings.models)
    };
    let asked = Asked {
        name,
        ..Asked::default()
    };
    match resolve(&asked, &directory) {
        Ok(target) => target.base_id.ok_or_else(|| unknown(name)),
        Err(Unresolved::Problem(problem)) => Err(Failure::Unresolved(problem.message)),
        Err(Unresolved::LookUp(_)) => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> Failure {
    Failure::Unresolved(format!("the catalogue knows nothing of '{name}': everything is tried"))
}

fn fact_json(fact: &Fact) -> Value {
    let source = |source: &Source| json!({ "title": source.title, "read": source.read });
    json!({
        "field": fact.field,
        "value": fact.value,
        "file": fact.file,
        "row": fact.row,
        "source": fact.source.as_ref().map(source),
    })
}

fn row(fact: &Fact) -> [String; 4] {
    let source = match &fact.source {
        Some(source) => format!("{}, read {}", source.title, source.read),
        None => "not said".to_owned(),
    };
    [
        fact.field.to_owned(),
        value(&fact.value),
        format!("{}: {}", fact.file, fact.row),
        source,
    ]
}

/// As people read it: lists without brackets.
fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let between = if items.iter().any(Value::is_object) { "; " } else { ", " };
            items.iter().map(self::value).collect::<Vec<_>>().join(between)
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, member)| format!("{key} {}", self::value(member)));
            members.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

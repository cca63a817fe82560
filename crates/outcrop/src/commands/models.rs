//! `outcrop models`: what a gateway lists; and, by its subcommands, what the catalogue knows.

mod check;
mod json;
mod list;
mod resolve;
mod show;
pub(super) mod table;

pub(super) use resolve::{region, routed, target};
pub(super) use show::base_id;
pub(super) use table::table;

use clap::ArgMatches;
use serde::Deserialize;
use serde_json::Value;

use super::{block_on, complain, print_page, with_gateway};
use crate::client::{Client, ClientError};
use crate::failure::Failure;
use crate::terminal::{clean, stdout_is_terminal};

/// Runs a subcommand; without one, lists what the gateway lists.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("list", matches)) => list::run(matches),
        Some(("show", matches)) => show::run(matches),
        Some(("resolve", matches)) => resolve::run(matches),
        Some(("check", matches)) => check::run(matches),
        _ => of_gateway(matches),
    }
}

fn of_gateway(matches: &ArgMatches) -> Result<(), Failure> {
    let path = path(matches);
    let list = block_on(with_gateway(matches, async |client: Client| {
        client.get_json(&path).await
    }))?;
    complain(&warnings(&list));
    let page = if matches.get_flag("json") {
        format!("{list:#}\n")
    } else {
        page(list, stdout_is_terminal())?
    };
    print_page(&page)
}

/// The list, or the part of it that is wanted: the gateway knows the words.
fn path(matches: &ArgMatches) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in ["provider", "type"] {
        if let Some(value) = matches.get_one::<String>(name) {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => "/models".to_owned(),
        query => format!("/models?{query}"),
    }
}

/// What the gateway couldn't tell.
fn warnings(list: &Value) -> Vec<String> {
    let warnings = list["warnings"].as_array().into_iter().flatten();
    let messages = warnings.filter_map(|warning| warning["message"].as_str());
    messages.map(clean).map(Into::into).collect()
}

#[derive(Deserialize)]
struct List {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    #[serde(default)]
    owned_by: String,
}

/// A table to read, or names to be piped on.
fn page(list: Value, as_table: bool) -> Result<String, ClientError> {
    let List { data } = serde_json::from_value(list).map_err(|error| ClientError::NotOpenAi(error.to_string()))?;
    if !as_table {
        return Ok(data.iter().map(|model| format!("{}\n", clean(&model.id))).collect());
    }
    let width = data
        .iter()
        .map(|model| model.id.chars().count())
        .chain([5])
        .max()
        .unwrap_or(5);
    let rows = data
        .iter()
        .map(|model| format!("{:<width$}  {}\n", clean(&model.id), clean(&model.owned_by)));
    Ok(std::iter::once(format!("{:<width$}  OWNED BY\n", "MODEL"))
        .chain(rows)
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_lines_up_and_a_pipe_gets_names() {
        let list = json!({ "data": [{ "id": "a.long-name", "owned_by": "amazon" }, { "id": "b" }] });
        assert_eq!(page(list.clone(), false).unwrap(), "a.long-name\nb\n");
        assert_eq!(
            page(list, true).unwrap(),
            "MODEL        OWNED BY\na.long-name  amazon\nb            \n"
        );
    }

    #[test]
    fn a_list_that_is_none_is_an_error() {
        assert!(page(json!({ "models": [] }), false).is_err());
    }
}

//! `outcrop config convert`: another gateway's configuration as an `outcrop.toml`.

use std::fmt::Write;

use crate::litellm::Converted;
use crate::settings::{Given, Origin, Raw, RawTable, inline, of_other_gateways, toml_key};

/// LiteLLM's file, with a comment for each value that says where it came from.
pub(crate) fn from_litellm(name: &str, converted: &Converted) -> String {
    let mut page = format!(
        "# Written by `outcrop config convert` from {name}. Secrets that stood in it stand here too.\n\
         # Behind each value is the line that it came from.\n"
    );
    if !converted.notes.is_empty() {
        page.push_str("#\n# What is not taken over, and why:\n");
        for (origin, message) in &converted.notes {
            let _ = writeln!(page, "#   {origin}: {}", one_line(message));
        }
    }
    page.push('\n');
    for (setting, origin, value) in &converted.values {
        write_value(&mut page, setting, origin, value);
    }
    let tables = &converted.tables;
    for table in &tables.accounts {
        write_table(&mut page, "accounts", table);
    }
    for table in &tables.routes {
        write_table(&mut page, "routes", table);
    }
    for table in &tables.quotas {
        write_table(&mut page, "quotas", table);
    }
    page
}

/// bedrock-access-gateway's environment, as far as it is set.
pub(crate) fn from_environment(given: &Given) -> String {
    let mut page = "# Written by `outcrop config convert` from the environment of bedrock-access-gateway.\n\
                    # Secrets that stood in it stand here too. Behind each value is its variable.\n\n"
        .to_owned();
    let values = of_other_gateways(given);
    if values.is_empty() {
        page.push_str("# None of its variables is set.\n");
    }
    for (setting, origin, value) in values {
        write_value(&mut page, setting, &origin, &value);
    }
    page
}

fn write_value(page: &mut String, name: &str, origin: &Origin, value: &Raw) {
    if let Some(json) = value.json() {
        let line = format!("{} = {}", toml_key(name), inline(&json));
        let _ = writeln!(page, "{line:<44} # {}", one_line(&origin.to_string()));
    }
}

/// A table, then those in it that stand many times.
fn write_table(page: &mut String, head: &str, table: &RawTable) {
    let header = format!("[[{head}]]");
    let _ = writeln!(page, "\n{header:<44} # {}", one_line(&table.origin.to_string()));
    let mut within = Vec::new();
    for (name, origin, value) in &table.members {
        match value {
            Raw::List(items) if items.iter().any(|item| matches!(item, Raw::Table(_))) && name == "targets" => {
                within.extend(items.iter().filter_map(|item| match item {
                    Raw::Table(table) => Some((name, table)),
                    _ => None,
                }));
            }
            _ => write_value(page, name, origin, value),
        }
    }
    for (name, table) in within {
        write_table(page, &format!("{head}.{name}"), table);
    }
}

/// Fit for a comment: a file's name or a message must not end it.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

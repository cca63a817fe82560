//! What flags and a file say of settings.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::ArgMatches;
use outcrop_tenants::validate::{check_settings, read_settings};
use outcrop_tenants::{Budget, Money, Period, Settings};
use serde_json::{Map, Value};

use super::faulty;
use super::show::is_setting;
use crate::failure::Failure;

/// Flags with lists, and with numbers, and the settings that they are of.
const LISTS: [(&str, &str); 4] = [
    ("may_models", "allowed_models"),
    ("deny_models", "denied_models"),
    ("may_endpoints", "allowed_endpoints"),
    ("may_networks", "allowed_networks"),
];
const NUMBERS: [(&str, &str); 4] = [
    ("rpm", "requests_per_minute"),
    ("tpm", "tokens_per_minute"),
    ("requests", "concurrent_requests"),
    ("streams", "concurrent_streams"),
];

/// What flags are called, where settings are called otherwise.
const SHORT: [(&str, &str); 8] = [
    ("models", "allowed_models"),
    ("deny-models", "denied_models"),
    ("endpoints", "allowed_endpoints"),
    ("networks", "allowed_networks"),
    ("rpm", "requests_per_minute"),
    ("tpm", "tokens_per_minute"),
    ("concurrent-requests", "concurrent_requests"),
    ("concurrent-streams", "concurrent_streams"),
];

/// Settings whose members are texts, whatever they look like.
const TEXTS: [&str; 3] = ["metadata", "aliases", "session_tags"];

/// What settings become by flags and a file; flags go before the file.
///
/// # Errors
/// If something is said that can't be.
pub(in crate::commands) fn settings(matches: &ArgMatches, current: &Settings) -> Result<Settings, Failure> {
    let mut tree = serde_json::to_value(current).unwrap_or_default();
    if let Some(path) = matches.get_one::<PathBuf>("settings_file") {
        merge(&mut tree, from_file(path)?);
    }
    for key in matches.get_many::<String>("unset").into_iter().flatten() {
        let (name, rest) = split(key);
        let known = match rest {
            None => is_setting(&name),
            Some(_) => true,
        };
        if !known {
            return Err(Failure::Tenancy(format!("--unset {key}: there is no such setting")));
        }
        merge(&mut tree, nested(&name, rest, Value::Null));
    }
    for (key, text) in matches.get_many::<(String, String)>("set").into_iter().flatten() {
        let (name, rest) = split(key);
        let is_text = rest.is_some() && TEXTS.contains(&name.as_str());
        let value = match serde_json::from_str::<Value>(text) {
            Ok(value) if !is_text || value.is_string() || value.is_null() => value,
            _ => Value::String(text.clone()),
        };
        merge(&mut tree, nested(&name, rest, value));
    }
    for (flag, name) in LISTS {
        if let Some(values) = matches.get_many::<String>(flag) {
            let values = values.map(|value| match flag {
                "may_endpoints" => endpoint(value),
                _ => value.clone(),
            });
            tree[name] = values.map(Value::String).collect();
        }
    }
    for (flag, name) in NUMBERS {
        if let Some(number) = matches.get_one::<u64>(flag) {
            tree[name] = (*number).into();
        }
    }
    let mut settings = read_settings(tree).map_err(|fault| faulty("the settings are not valid", fault))?;
    budgets(matches, &mut settings)?;
    check_settings(&settings).map_err(|fault| faulty("the settings are not valid", fault))?;
    Ok(settings)
}

/// `chat/completions` is clear enough.
fn endpoint(said: &str) -> String {
    match said.starts_with(['/', '*']) || said.is_empty() {
        true => said.to_owned(),
        false => format!("/v1/{}", said.strip_prefix("v1/").unwrap_or(said)),
    }
}

fn budgets(matches: &ArgMatches, settings: &mut Settings) -> Result<(), Failure> {
    let warn_at = matches.get_one::<f64>("warn_at").copied();
    let said = |flag| matches.get_many::<(Period, Money)>(flag).into_iter().flatten();
    let mut count = 0;
    for (flag, soft) in [("budget", false), ("soft_budget", true)] {
        for (period, limit) in said(flag) {
            put_budget(&mut settings.budgets, *period, *limit, soft, warn_at);
            count += 1;
        }
    }
    match warn_at {
        Some(_) if settings.budgets.is_empty() => Err(Failure::Tenancy(
            "--warn-at is a part of a budget, and there is none; add one such as --budget 100/month".to_owned(),
        )),
        // Of budgets that there are, it is another way to say all of them.
        Some(part) if count == 0 => {
            for budget in &mut settings.budgets {
                budget.warn_at = Some(part);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Sets the budget of a period, in the place of the one that there was.
pub(in crate::commands) fn put_budget(
    budgets: &mut Vec<Budget>,
    period: Period,
    limit_usd: Money,
    soft: bool,
    warn_at: Option<f64>,
) {
    let old = budgets.iter_mut().find(|old| old.period == period && old.soft == soft);
    match old {
        Some(old) => {
            old.limit_usd = limit_usd;
            old.warn_at = warn_at.or(old.warn_at);
        }
        None => budgets.push(Budget {
            period,
            limit_usd,
            warn_at,
            soft,
        }),
    }
}

fn from_file(path: &Path) -> Result<Value, Failure> {
    let name = path.display().to_string();
    let failed = |source| Failure::ReadFile {
        path: name.clone(),
        source,
    };
    let text = if path.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map_err(failed)?;
        text
    } else {
        fs::read_to_string(path).map_err(failed)?
    };
    match serde_json::from_str(&text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Failure::Tenancy(format!("{name}: settings are an object of JSON"))),
        Err(error) => Err(Failure::Tenancy(format!("{name}: no JSON: {error}"))),
    }
}

/// A setting's name, and the member of it that is meant.
fn split(key: &str) -> (String, Option<&str>) {
    let (name, rest) = match key.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (key, None),
    };
    let long = SHORT.iter().find(|(short, _)| *short == name);
    (long.map_or(name, |(_, long)| long).to_owned(), rest)
}

/// A value as a member, or as a member of a member: names of aliases and tags may have dots themselves.
fn nested(name: &str, rest: Option<&str>, value: Value) -> Value {
    let value = match rest {
        Some(rest) => Value::Object(Map::from_iter([(rest.to_owned(), value)])),
        None => value,
    };
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}

/// JSON Merge Patch (RFC 7396, section 2), as the admin API has it.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.shift_remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

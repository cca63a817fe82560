//! `outcrop iam-policy`: the rights that a configuration needs, as a policy.

mod calls;
mod collect;
mod document;
mod features;
mod references;

use clap::ArgMatches;
use outcrop_server::iam::{Right, partition};
use serde_json::{Value, json};

use calls::called;
use collect::{Wanted, collect};
use document::{Collected, document, placed};
use features::{FEATURES, Feature};

use super::models::{region, table};
use super::{complain, print_page};
use crate::cli;
use crate::failure::Failure;
use crate::settings::{Settings, load};

/// The most characters of a managed policy, white space left aside (IAM's quotas, 2026-11).
const MANAGED_LIMIT: usize = 6144;

/// Prints the policy, or the table of what is in it and why.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let loaded = load(&cli::given(matches))?;
    complain(&loaded.warnings);
    let settings = &loaded.settings;
    let collected = wanted(matches, settings)?;
    if matches.get_flag("table") {
        return print_table(&collected, matches.get_flag("json"));
    }
    let policy = document(&collected);
    complain(&notes(&policy, settings));
    print_page(&format!("{policy:#}\n"))
}

fn wanted(matches: &ArgMatches, settings: &Settings) -> Result<Collected, Failure> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let list = |name: &str| -> Vec<String> { matches.get_many(name).into_iter().flatten().cloned().collect() };
    let known = region(settings)?;
    let account = text("of");
    let is_there = |name: &str| settings.tables.accounts.iter().any(|table| table.account.name == name);
    if let Some(name) = account.filter(|name| !is_there(name)) {
        return Err(Failure::Unresolved(format!(
            "there is no account '{name}' in the settings"
        )));
    }
    let partition = in_partition(text("partition"), known.as_deref())?;
    let names = list("model");
    let by_name = !names.is_empty() || matches.get_flag("configured_models") || account.is_some();
    let is_any = account.is_some_and(|account| names.is_empty() && calls::any_by(account, settings));
    let calls = match (&known, by_name) {
        (_, false) => None,
        (_, true) if is_any => None,
        (Some(region), true) => Some(called(&names, settings, region)?),
        (None, true) => {
            let message = "which profile a model is called by hangs on the region: --region names one";
            return Err(Failure::Unresolved(message.to_owned()));
        }
    };
    let (mut collected, certain) = collect(
        settings,
        &Wanted {
            region: known.as_deref().unwrap_or("*"),
            calls,
            account,
            place: text("for"),
            kms_keys: list("kms_key"),
            log_group: text("log_group").unwrap_or("/aws/lambda/*"),
        },
    );
    let (with, without) = (list("with"), list("without"));
    collected.retain(|name, _| {
        let is_left_out = without.iter().any(|left| left == name);
        let is_asked = with.iter().any(|asked| asked == name);
        !is_left_out && (is_asked || certain.contains(name))
    });
    let owner = text("account");
    for rights in collected.values_mut() {
        let moved = rights.iter().map(|right| Right {
            resource: placed(&right.resource, partition, owner),
            ..right.clone()
        });
        *rights = moved.collect();
    }
    Ok(collected)
}

/// The partition that is asked for, else the region's.
fn in_partition<'a>(asked: Option<&'a str>, region: Option<&str>) -> Result<&'a str, Failure> {
    match (asked, region.map(partition)) {
        (Some(asked), Some(found)) if asked != found => Err(Failure::Unresolved(format!(
            "the region is in the partition '{found}', not in '{asked}'"
        ))),
        (Some(asked), _) => Ok(asked),
        (None, found) => Ok(found.unwrap_or("aws")),
    }
}

/// What the policy can't say.
fn notes(policy: &Value, settings: &Settings) -> Vec<String> {
    let mut notes = Vec::new();
    let size = policy.to_string().len();
    if size > MANAGED_LIMIT {
        notes.push(format!(
            "the policy has {size} characters; a managed policy may have {MANAGED_LIMIT}, an inline policy of a role 10240"
        ));
    }
    if settings.bedrock_api_key.is_some() {
        notes.push("calls go by `bedrock_api_key`: what is `bedrock:…` is for the key's identity".to_owned());
    }
    let parameters = &settings.request_aws_parameters;
    if parameters
        .iter()
        .any(|parameter| parameter.to_string() == "aws_role_name")
    {
        notes.push(
            "requests may name roles (`request_aws_parameters`); they need `--with tenant-roles`, or better a statement \
             with the roles that you mean"
                .to_owned(),
        );
    }
    notes
}

fn print_table(collected: &Collected, as_json: bool) -> Result<(), Failure> {
    let actions = |feature: &Feature| -> Vec<String> {
        let rights = collected.get(feature.name).into_iter().flatten();
        let mut actions: Vec<String> = rights.map(|right| right.action.clone()).collect();
        actions.dedup();
        actions
    };
    if as_json {
        let rows: Vec<Value> = FEATURES
            .iter()
            .map(|feature| {
                json!({
                    "feature": feature.name,
                    "in_policy": collected.contains_key(feature.name),
                    "actions": feature.actions,
                    "granted": actions(feature),
                    "on": feature.on,
                    "when": feature.when,
                    "without_it": feature.lost,
                })
            })
            .collect();
        return print_page(&format!("{:#}\n", Value::from(rows)));
    }
    let head = ["FEATURE", "GRANTED", "ACTIONS", "WHEN", "WITHOUT IT"].map(str::to_owned);
    let rows = FEATURES.iter().map(|feature| {
        let granted = if collected.contains_key(feature.name) {
            "yes"
        } else {
            "no"
        };
        [
            feature.name.to_owned(),
            granted.to_owned(),
            feature.actions.join(", "),
            feature.when.replace('`', ""),
            feature.lost.replace('`', ""),
        ]
    });
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
    print_page(&table(&rows, ""))
}

/// The names for `--with` and `--without`.
pub(crate) fn feature_names() -> impl Iterator<Item = &'static str> {
    FEATURES.iter().map(|feature| feature.name)
}

//! Flags that several commands for tenants, keys and usage have.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, value_parser};

use super::{config_file, flags, words};

/// What says where the database is. How keys are hashed is said by the file and the environment only: a secret has no
/// place among a command's arguments.
pub(super) const DATABASE: &[&str] = &["database", "state_dir"];

/// The heading of the settings of organizations, projects, keys and logins.
const SETTINGS: &str = "What it may do";

/// How a list or a thing is printed, and where it is looked for.
pub(super) fn common() -> Vec<Arg> {
    let mut args = output().to_vec();
    args.push(config_file());
    args.extend(flags(DATABASE));
    args
}

/// How it is printed.
fn output() -> [Arg; 2] {
    [
        Arg::new("json")
            .long("json")
            .action(ArgAction::SetTrue)
            .help("Print JSON on a terminal too"),
        Arg::new("table")
            .long("table")
            .action(ArgAction::SetTrue)
            .conflicts_with("json")
            .help("Print text for people elsewhere too"),
    ]
}

/// A name or an id that must be given.
pub(super) fn named(id: &'static str, placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new(id)
        .value_name(placeholder)
        .required(true)
        .value_parser(NonEmptyStringValueParser::new())
        .help(help)
}

/// A flag with a text.
pub(super) fn text(id: &'static str, flag: &'static str, placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new(id)
        .long(flag)
        .value_name(placeholder)
        .value_parser(NonEmptyStringValueParser::new())
        .help(help)
}

/// A switch.
pub(super) fn switch(id: &'static str, flag: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(flag).action(ArgAction::SetTrue).help(help)
}

/// When a key or login ends.
pub(super) fn expires() -> Arg {
    Arg::new("expires")
        .long("expires")
        .value_name("WHEN")
        .value_parser(words::moment)
        .help("When it ends: a span such as 90d, or a day, at midnight UTC")
        .long_help(
            "When it ends: a span from now such as 90d, a day such as 2026-12-31, at the midnight UTC with which it \
             begins, a time such as 2026-12-31T18:00:00+01:00, or never.",
        )
}

/// What organizations, projects, keys and logins may do.
pub(super) fn settings() -> Vec<Arg> {
    let list = |id, flag, placeholder, help| {
        Arg::new(id)
            .long(flag)
            .value_name(placeholder)
            .value_delimiter(',')
            .action(ArgAction::Append)
            .help(help)
    };
    let number = |id, flag, help| {
        Arg::new(id)
            .long(flag)
            .value_name("NUMBER")
            .value_parser(value_parser!(u64).range(1..))
            .help(help)
    };
    let budget = |id, flag, help| {
        Arg::new(id)
            .long(flag)
            .value_name("USD/PERIOD")
            .action(ArgAction::Append)
            .value_parser(words::budget)
            .help(help)
    };
    [
        list(
            "may_models",
            "models",
            "NAMES",
            "The models that it may ask, with * for any text, and commas between them",
        ),
        list("deny_models", "deny-models", "NAMES", "The models that it may not ask"),
        list(
            "may_endpoints",
            "endpoints",
            "PATHS",
            "The endpoints that it may call, such as /v1/chat/*",
        ),
        list(
            "may_networks",
            "networks",
            "NETWORKS",
            "The networks that it may call from, such as 10.0.0.0/8",
        ),
        number("rpm", "rpm", "Requests in a minute"),
        number("tpm", "tpm", "Tokens in a minute, read and written"),
        number("streams", "concurrent-streams", "Streams at the same time"),
        number("requests", "concurrent-requests", "Requests at the same time"),
        budget(
            "budget",
            "budget",
            "Dollars for a day, week, month or total, such as 100/month; what comes after them is refused",
        ),
        budget(
            "soft_budget",
            "soft-budget",
            "Dollars after which there are warnings only",
        ),
        warn_at(),
        Arg::new("set")
            .long("set")
            .value_name("KEY=JSON")
            .action(ArgAction::Append)
            .value_parser(words::pair)
            .help("Any setting, such as metadata.team=search or parameters.temperature=0.2")
            .long_help(
                "Any setting by its name in JSON, such as metadata.team=search, parameters.temperature=0.2, \
                 prompt_caching=auto, aliases.best=claude-sonnet-4-5, region=eu-central-1, \
                 role_arn=arn:aws:iam::123456789012:role/search. What is no JSON is a text; null takes it away.",
            ),
        Arg::new("unset")
            .long("unset")
            .value_name("KEY")
            .action(ArgAction::Append)
            .help("Take a setting away, such as models, rpm, budgets or metadata.team"),
        Arg::new("settings_file")
            .long("settings")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Settings as JSON [standard input if it is -]; flags go before it"),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(SETTINGS))
    .collect()
}

/// From where a budget warns.
pub(super) fn warn_at() -> Arg {
    Arg::new("warn_at")
        .long("warn-at")
        .value_name("PART")
        .value_parser(words::part)
        .help("The part of its budgets from which answers and the log warn, such as 0.8")
}

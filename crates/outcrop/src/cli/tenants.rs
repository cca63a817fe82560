//! The command line of `outcrop tenants`, `budget`, `usage` and `audit`.

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, Command, value_parser};

use super::tenancy::{common, named, settings, switch, text, warn_at};
use super::words;

/// By what sums of usage can be told apart.
const BY: &[&str] = &[
    "model",
    "key",
    "project",
    "user",
    "organization",
    "day",
    "hour",
    "called-model",
    "endpoint",
    "operation",
    "region",
    "account",
    "tier",
];

const TENANT: &str = "An organization, or ORGANIZATION/PROJECT, or an id of one";

pub(super) fn tenants() -> Command {
    let create = Command::new("create")
        .about("Make an organization, or a project in one")
        .arg(named("tenant", "ORG[/PROJECT]", "Its name: acme, or acme/search"))
        .arg(switch(
            "create",
            "create",
            "Make the organization of a project where there is none",
        ))
        .args(settings())
        .args(common())
        .after_long_help(
            "Examples:\n  outcrop tenants create acme --budget 1000/month --warn-at 0.8\n  \
             outcrop tenants create acme/search --models 'claude-*' --set session_tags.Team=search",
        );
    let list = Command::new("list")
        .about("List organizations and their projects, with their keys and what they spent this month")
        .arg(switch("all", "all", "Deleted ones too"))
        .args(common())
        .after_long_help("Example:\n  outcrop tenants list --json | jq '.data[].projects[].id'");
    let show = Command::new("show")
        .about("Show an organization or a project, with what it has spent")
        .arg(named("tenant", "ORG[/PROJECT]", TENANT))
        .args(common())
        .after_long_help("Examples:\n  outcrop tenants show acme\n  outcrop tenants show acme/search");
    let update = Command::new("update")
        .about("Change an organization or a project")
        .arg(named("tenant", "ORG[/PROJECT]", TENANT))
        .arg(text("name", "name", "NAME", "Another name"))
        .args(settings())
        .args(common())
        .after_long_help(
            "What isn't said stays as it is. A list takes the place of the one that was there.\n\n\
             Examples:\n  outcrop tenants update acme/search --rpm 600 --budget 50/day\n  \
             outcrop tenants update acme --name acme-corp --unset networks",
        );
    let switched = |name: &'static str, about: &'static str| {
        Command::new(name)
            .about(about)
            .arg(named("tenant", "ORG[/PROJECT]", TENANT))
            .args(common())
            .after_long_help(format!(
                "Examples:\n  outcrop tenants {name} acme/search\n  outcrop tenants {name} acme"
            ))
    };
    let delete = switched(
        "delete",
        "Delete an organization or a project: its keys are refused for ever",
    )
    .long_about(
        "Delete an organization or a project: its keys are refused for ever. Usage still names it. On a terminal it \
             asks; elsewhere it wants --yes.",
    )
    .arg(switch("yes", "yes", "Don't ask").short('y'));
    Command::new("tenants")
        .about("Make, list, change and delete organizations and their projects")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            create,
            list,
            show,
            update,
            switched(
                "disable",
                "Refuse all keys of an organization or a project until it is enabled again",
            ),
            switched("enable", "Let the keys of an organization or a project in again"),
            delete,
        ])
        .after_long_help(
            "Examples:\n  outcrop tenants create acme/search --create\n  outcrop tenants list\n  \
             outcrop tenants disable acme/search",
        )
}

pub(super) fn budget() -> Command {
    let scope = || {
        named(
            "scope",
            "SCOPE",
            "What it is for: an organization, ORGANIZATION/PROJECT, a key or a login",
        )
    };
    let list = Command::new("list")
        .about("List budgets, and how far they are used up")
        .arg(text(
            "organization",
            "organization",
            "ORGANIZATION",
            "Those of this organization and all that is below it",
        ))
        .arg(
            text(
                "project",
                "project",
                "ORG/PROJECT",
                "Those of this project, of its organization and of its keys",
            )
            .short('p')
            .conflicts_with("organization"),
        )
        .arg(
            text("key", "key", "KEY", "Those of this key and of what is above it")
                .conflicts_with_all(["organization", "project"]),
        )
        .args(common())
        .after_long_help("Examples:\n  outcrop budget list\n  outcrop budget list --project acme/search");
    let set = Command::new("set")
        .about("Set the budget of a period")
        .arg(scope())
        .arg(
            Arg::new("amount")
                .value_name("USD/PERIOD")
                .required(true)
                .value_parser(words::budget)
                .help("Dollars for a day, week, month or total, such as 100/month"),
        )
        .arg(switch("soft", "soft", "Only warn, and refuse nothing"))
        .arg(warn_at())
        .args(common())
        .after_long_help(
            "Periods begin at midnight UTC, weeks on Monday.\n\nExamples:\n  outcrop budget set acme 1000/month --warn-at 0.8\n  \
             outcrop budget set acme/search 20/day --soft\n  outcrop budget set sk-oc-AbCdEfGhIjKl 5/total",
        );
    let remove = Command::new("remove")
        .about("Take the budgets of a period away")
        .arg(scope())
        .arg(
            Arg::new("period")
                .value_name("PERIOD")
                .required(true)
                .value_parser(words::period)
                .help("day, week, month or total"),
        )
        .arg(switch("soft", "soft", "Only the one that warns"))
        .args(common())
        .after_long_help("Example:\n  outcrop budget remove acme/search month");
    Command::new("budget")
        .about("Set budgets, and see how far they are used up")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([list, set, remove])
        .after_long_help("Examples:\n  outcrop budget set acme/search 100/month\n  outcrop budget list")
}

pub(super) fn usage() -> Command {
    Command::new("usage")
        .about("Sum up requests, tokens and dollars")
        .long_about("Sum up requests, tokens and dollars: of this month, unless another time is named.")
        .subcommand(super::usage::reconcile())
        .args_conflicts_with_subcommands(true)
        .arg(
            Arg::new("by")
                .long("by")
                .value_name("WHAT")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .default_value("model")
                .value_parser(PossibleValuesParser::new(BY))
                .help("A sum for each of these, with commas between them"),
        )
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("WHEN")
                .value_parser(words::moment)
                .help("From this day or time on [the first of this month]"),
        )
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("WHEN")
                .value_parser(words::moment)
                .help("To the end of this day, or to this time [now]"),
        )
        .arg(
            Arg::new("last")
                .long("last")
                .value_name("SPAN")
                .value_parser(words::span)
                .conflicts_with_all(["from", "to"])
                .help("The time up to now, such as 24h or 7d"),
        )
        .arg(
            Arg::new("zone")
                .long("time-zone")
                .value_name("ZONE")
                .default_value("UTC")
                .value_parser(words::zone)
                .help("Where days begin, such as Europe/Paris"),
        )
        .arg(text(
            "organization",
            "organization",
            "ORGANIZATION",
            "Only of this organization",
        ))
        .arg(text("project", "project", "ORG/PROJECT", "Only of this project").short('p'))
        .arg(text("key", "key", "KEY", "Only of this key or login"))
        .arg(text("user", "user", "USER", "Only of this user"))
        .arg(text("model", "model", "MODEL", "Only of this model, by any of its names").short('m'))
        .arg(switch("csv", "csv", "Print comma-separated values").conflicts_with_all(["json", "table"]))
        .args(common())
        .after_long_help(
            "Examples:\n  outcrop usage\n  outcrop usage --by day,model --last 7d --time-zone Europe/Paris\n  \
             outcrop usage --by key --project acme/search --from 2026-11-01 --to 2026-11-30 --csv > november.csv\n  \
             outcrop usage --json | jq .total.cost_usd",
        )
}

pub(super) fn audit() -> Command {
    Command::new("audit")
        .about("Show who changed what, newest first")
        .arg(
            Arg::new("object")
                .long("object")
                .value_name("ID")
                .value_parser(NonEmptyStringValueParser::new())
                .help("Only of this: an organization and all of it, ORGANIZATION/PROJECT, a key, or any id"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("NUMBER")
                .default_value("50")
                .value_parser(value_parser!(u32).range(1..=1000))
                .help("How many at most"),
        )
        .args(common())
        .after_long_help("Examples:\n  outcrop audit\n  outcrop audit --object acme --limit 10")
}

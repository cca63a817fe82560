//! The command line of `outcrop keys`, `logins` and `admins`.

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, Command};

use super::tenancy::{common, expires, named, settings, switch, text};
use super::words;

/// Where a key is, if it isn't said.
const PROJECT: &str = "Its project, as ORGANIZATION/PROJECT or by its id [default: default/default]";
const PROJECT_FILTER: &str = "Only those of this project, as ORGANIZATION/PROJECT or by its id";

pub(super) fn keys() -> Command {
    Command::new("keys")
        .about("Make, list, change and revoke the keys of organizations and projects")
        .long_about(
            "Make, list, change and revoke the keys of organizations and projects, in the gateway's database. Gateways \
             that run notice within a second.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            create_key(),
            list("keys"),
            show("key", "outcrop keys show key_0123456789abcdefghjk"),
            update(
                "key",
                "outcrop keys update key_0123456789abcdefghjk --rpm 60 --unset models",
            ),
            rotate(),
            disable("key"),
            enable("key"),
            revoke("key"),
        ])
        .after_long_help(
            "Examples:\n  KEY=$(outcrop keys create --project acme/search --create --budget 100/month)\n  \
             outcrop keys list --project acme/search\n  outcrop keys rotate sk-oc-AbCdEfGhIjKl --overlap 2h\n  \
             outcrop keys revoke key_0123456789abcdefghjk",
        )
}

pub(super) fn logins() -> Command {
    Command::new("logins")
        .about("Let AWS identities and tokens of an issuer into projects, without a key")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            create_login(),
            list("logins"),
            show("login", "outcrop logins show key_0123456789abcdefghjk"),
            update("login", "outcrop logins update key_0123456789abcdefghjk --budget 20/day"),
            disable("login"),
            enable("login"),
            revoke("login"),
        ])
        .after_long_help(
            "Examples:\n  outcrop logins create --project acme/search --iam 'arn:aws:iam::123456789012:role/search-*'\n  \
             outcrop logins create --project acme/search --issuer https://login.example.com --claim groups=search",
        )
}

pub(super) fn admins() -> Command {
    let role = Arg::new("role")
        .long("role")
        .value_name("ROLE")
        .required(true)
        .value_parser(PossibleValuesParser::new(["owner", "admin", "viewer", "billing"]))
        .help("What it may do")
        .long_help(
            "What it may do. owner: all; admin: all but administrators' keys; viewer: reading all but the audit log; \
             billing: reading usage and budgets",
        );
    let create = Command::new("create")
        .about("Make a key for the admin API, and print it, once")
        .arg(role)
        .arg(text(
            "organization",
            "organization",
            "ORGANIZATION",
            "The only organization that it may do it with",
        ))
        .arg(text("name", "name", "NAME", "A name for people [default: the role]"))
        .arg(expires())
        .args(common())
        .after_long_help(
            "Only the key goes to standard output; notes go to standard error.\n\n\
             Examples:\n  ADMIN_KEY=$(outcrop admins create --role admin --name terraform)\n  \
             outcrop admins create --role billing --organization acme --expires 90d",
        );
    let list = Command::new("list")
        .about("List the keys for the admin API")
        .arg(switch("all", "all", "Revoked ones too"))
        .args(common())
        .after_long_help("Example:\n  outcrop admins list --all");
    Command::new("admins")
        .about("Make, list and revoke the keys for the admin API")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([create, list, revoke("admin key")])
        .after_long_help("Example:\n  outcrop admins create --role viewer --name dashboard")
}

/// The members that keys and logins have in common.
fn members(command: Command) -> Command {
    command
        .arg(text("project", "project", "ORG/PROJECT", PROJECT).short('p'))
        .arg(switch(
            "create",
            "create",
            "Make the organization and the project where there are none",
        ))
        .arg(text("name", "name", "NAME", "A name for people"))
        .arg(text("user", "user", "USER", "Who uses it, for usage by user"))
        .arg(expires())
        .args(settings())
        .args(common())
}

fn create_key() -> Command {
    members(Command::new("create"))
        .about("Make a key, and print it, once")
        .long_about("Make a key, and print it, once: what is kept is a hash of it.")
        .after_long_help(
            "Only the key goes to standard output; notes go to standard error. With --json it is all of it.\n\n\
             Examples:\n  KEY=$(outcrop keys create)\n  \
             outcrop keys create --project acme/search --create --name ci --expires 90d --models 'claude-*,nova-lite'\n  \
             outcrop keys create -p acme/search --rpm 60 --budget 5/day --budget 100/month --warn-at 0.8\n  \
             outcrop keys create -p acme/search --settings key.json --set metadata.stage=test --json | jq -r .key\n\n\
             Exit status: 0; 1 if there is no such project, a setting is wrong or the database fails; 2 for wrong usage.",
        )
}

fn create_login() -> Command {
    let iam = text(
        "iam",
        "iam",
        "ARN",
        "The ARN of a user, a role or a role's session, with * for any text",
    )
    .required_unless_present("issuer")
    .conflicts_with_all(["issuer", "claim"]);
    let issuer = text(
        "issuer",
        "issuer",
        "URL",
        "The issuer of the tokens, as they have it in iss",
    )
    .requires("claim");
    let claim = Arg::new("claim")
        .long("claim")
        .value_name("NAME=PATTERN")
        .action(ArgAction::Append)
        .value_parser(words::pair)
        .requires("issuer")
        .help("A claim that tokens must have; all of them must fit")
        .long_help(
            "A claim that tokens must have, with * for any text, and dots for members of members; may be repeated, and \
             then all must fit. Of a claim that is a list, one entry must.",
        );
    members(Command::new("create").arg(iam).arg(issuer).arg(claim))
        .about("Let an AWS identity or tokens of an issuer into a project")
        .after_long_help(
            "Examples:\n  outcrop logins create -p acme/search --iam arn:aws:iam::123456789012:role/search\n  \
             outcrop logins create -p acme/search --iam 'arn:aws:sts::123456789012:assumed-role/ci/*' --rpm 30\n  \
             outcrop logins create -p acme/search --issuer https://login.example.com --claim groups=search",
        )
}

fn list(what: &'static str) -> Command {
    Command::new("list")
        .about(format!("List the {what}"))
        .arg(text("project", "project", "ORG/PROJECT", PROJECT_FILTER).short('p'))
        .arg(text(
            "organization",
            "organization",
            "ORGANIZATION",
            "Only those of this organization",
        ))
        .arg(switch("all", "all", "Revoked ones too"))
        .args(common())
        .after_long_help(format!(
            "Examples:\n  outcrop {what} list\n  outcrop {what} list -p acme/search --all\n  \
             outcrop {what} list --json | jq -r '.data[].id'"
        ))
}

fn show(kind: &'static str, example: &'static str) -> Command {
    Command::new("show")
        .about(format!("Show a {kind}, with what it has spent"))
        .arg(one(kind))
        .args(common())
        .after_long_help(format!("Example:\n  {example}"))
}

fn update(kind: &'static str, example: &'static str) -> Command {
    Command::new("update")
        .about(format!("Change a {kind}"))
        .arg(one(kind))
        .arg(text("name", "name", "NAME", "A name for people"))
        .arg(
            Arg::new("user")
                .long("user")
                .value_name("USER")
                .help("Who uses it; nobody if it is empty"),
        )
        .arg(expires())
        .args(settings())
        .args(common())
        .after_long_help(format!(
            "What isn't said stays as it is. A list takes the place of the one that was there.\n\nExample:\n  {example}"
        ))
}

fn rotate() -> Command {
    Command::new("rotate")
        .about("Make the key that takes another one's place, and print it, once")
        .arg(one("key"))
        .arg(
            Arg::new("overlap")
                .long("overlap")
                .value_name("SPAN")
                .default_value("24h")
                .value_parser(words::span)
                .help("How long the old key goes on"),
        )
        .arg(expires())
        .args(common())
        .after_long_help(
            "The new key is as the old one is, and ends when it would have, unless --expires says otherwise.\n\n\
             Examples:\n  KEY=$(outcrop keys rotate sk-oc-AbCdEfGhIjKl)\n  \
             outcrop keys rotate key_0123456789abcdefghjk --overlap 0 --expires 90d",
        )
}

fn disable(kind: &'static str) -> Command {
    Command::new("disable")
        .about(format!("Refuse a {kind} until it is enabled again"))
        .arg(several(kind))
        .args(common())
        .after_long_help(format!("Example:\n  outcrop {kind}s disable key_0123456789abcdefghjk"))
}

fn enable(kind: &'static str) -> Command {
    Command::new("enable")
        .about(format!("Let a {kind} in again that was disabled"))
        .arg(several(kind))
        .args(common())
        .after_long_help(format!("Example:\n  outcrop {kind}s enable key_0123456789abcdefghjk"))
}

fn revoke(kind: &'static str) -> Command {
    Command::new("revoke")
        .about(format!("Refuse a {kind} for ever"))
        .arg(several(kind))
        .arg(switch("yes", "yes", "Don't ask on a terminal").short('y'))
        .args(common())
        .after_long_help(match kind {
            "admin key" => "Example:\n  outcrop admins revoke adm_0123456789abcdefghjk",
            "login" => "Example:\n  outcrop logins revoke key_0123456789abcdefghjk",
            _ => "Example:\n  outcrop keys revoke --yes sk-oc-AbCdEfGhIjKl key_0123456789abcdefghjk",
        })
}

fn one(kind: &'static str) -> Arg {
    named("id", "ID", "").help(match kind {
        "key" => "The key: its id or its beginning, sk-oc-…",
        _ => "Its id",
    })
}

fn several(kind: &'static str) -> Arg {
    Arg::new("id")
        .value_name("ID")
        .required(true)
        .num_args(1..)
        .value_parser(NonEmptyStringValueParser::new())
        .help(match kind {
            "key" => "The keys: their ids or their beginnings, sk-oc-…",
            "admin key" => "The keys: their ids or their beginnings, sk-oca-…",
            _ => "Their ids",
        })
}

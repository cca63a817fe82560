//! The command line of `outcrop models`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, Command, value_parser};

use super::{config_file, flags, gateway, in_process};

/// What changes what is known of models.
const FOR_LIST: &[&str] = &["catalogue"];

/// What changes which model a name means. The rest comes from the environment and the file.
const FOR_SHOW: &[&str] = &["catalogue", "aliases"];

/// What changes which model a name means, and how it is called.
const FOR_RESOLVE: &[&str] = &[
    "region",
    "regions",
    "profile",
    "catalogue",
    "aliases",
    "default_model",
    "default_embedding_model",
    "default_image_model",
    "redirect_retired",
    "allowed_regions",
];

/// What the subcommands heed.
#[cfg(test)]
pub(super) const SETTINGS: [&[&str]; 3] = [FOR_LIST, FOR_SHOW, FOR_RESOLVE];

pub(super) fn models() -> Command {
    Command::new("models")
        .about("List a gateway's models, or ask the catalogue about models and their names")
        .long_about(
            "Without a subcommand: list the models that a gateway lists, as a table on a terminal and a name on each \
             line elsewhere.\n\nThe subcommands ask the catalogue instead, the built-in one with the operator's rows \
             over it. They call nobody.",
        )
        .args_conflicts_with_subcommands(true)
        .arg(provider("Only models of this maker, such as anthropic"))
        .arg(
            Arg::new("type")
                .long("type")
                .value_name("TYPE")
                .help("Only models for this: chat, embedding, image or rerank; several with commas between them"),
        )
        .arg(json("Print the list as JSON"))
        .args(gateway())
        .args(in_process())
        .subcommands([list(), show(), resolve(), check()])
        .after_long_help(
            "Examples:\n  outcrop models --simulate\n  outcrop models --json | jq -r '.data[].id'\n  \
             outcrop models --type embedding --provider amazon\n  outcrop models list --provider anthropic\n  outcrop models resolve gpt-4o",
        )
}

fn list() -> Command {
    Command::new("list")
        .about("List the models of the catalogue")
        .arg(provider("Only models of this maker, such as anthropic"))
        .arg(json("Print the list as JSON"))
        .arg(config_file())
        .args(flags(FOR_LIST))
        .after_long_help(
            "Prices are in USD for a million tokens, read and written.\n\nExamples:\n  outcrop models list\n  \
             outcrop models list --provider amazon\n  outcrop models list --json | jq -r '.data[].id'\n\n\
             Exit status: 0; 1 if there is no such provider or the settings are not valid; 2 for wrong usage.",
        )
}

fn show() -> Command {
    Command::new("show")
        .about("Show all that the catalogue knows of a model, and where that is from")
        .arg(
            Arg::new("name")
                .value_name("ID")
                .required(true)
                .value_parser(NonEmptyStringValueParser::new())
                .help("The model, by its id or any other name"),
        )
        .arg(json("Print it as JSON"))
        .arg(config_file())
        .args(flags(FOR_SHOW))
        .after_long_help(
            "What no row says isn't shown; such a thing is tried.\n\nExamples:\n  \
             outcrop models show amazon.nova-lite-v1:0\n  outcrop models show claude-sonnet-4-5\n  \
             outcrop models show --json amazon.nova-lite-v1:0 | jq .facts\n\n\
             Exit status: 0; 1 if nobody knows the model or the settings are not valid; 2 for wrong usage.",
        )
}

fn resolve() -> Command {
    Command::new("resolve")
        .about("Show which model a name means, and why")
        .long_about(
            "Show which model a name means, each step on the way to it, and why it was taken. Nobody is called: what \
             AWS alone knows, the profiles of the account and what is behind some ARNs, is not looked up.\n\nThe region \
             decides on the inference profile. Where neither the settings nor AWS's configuration name one, none is \
             chosen.",
        )
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .required(true)
                .value_parser(NonEmptyStringValueParser::new())
                .help("The name, as a client would send it as `model`"),
        )
        .arg(provider("The maker of the model, as a client would send it as `model_provider`"))
        .arg(
            Arg::new("embedding")
                .long("embedding")
                .action(ArgAction::SetTrue)
                .help("Ask as a request for embeddings would, which has a default model of its own"),
        )
        .arg(json("Print what the gateway answers to GET /v1/mappings?name=NAME"))
        .arg(config_file())
        .args(flags(FOR_RESOLVE))
        .after_long_help(
            "Examples:\n  outcrop models resolve Claude-4-5-Sonnet-Thinking --region eu-central-1\n  \
             outcrop models resolve bedrock/us-west-2/amazon.nova-lite-v1:0\n  \
             outcrop models resolve gpt-4o --aliases 'gpt-4o*=us.amazon.nova-pro-v1:0'\n  \
             outcrop models resolve --json Nova-Pro | jq -r .model_id\n\n\
             Exit status: 0; 1 if the name means no model or the settings are not valid; 2 for wrong usage.",
        )
}

fn check() -> Command {
    Command::new("check")
        .about("Check a file with rows for the catalogue, and say what it changes")
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The file [the one that is configured as `catalogue`]"),
        )
        .arg(json("Print what it changes as JSON"))
        .arg(config_file())
        .after_long_help(
            "Examples:\n  outcrop models check models.toml\n  outcrop models check --config /etc/outcrop.toml\n\n\
             Exit status: 0; 1 if the file is not in order, with a line FILE:LINE: FIELD: MESSAGE for each mistake; 2 \
             if there is no file to check.",
        )
}

fn provider(help: &'static str) -> Arg {
    Arg::new("provider").long("provider").value_name("PROVIDER").help(help)
}

fn json(help: &'static str) -> Arg {
    Arg::new("json").long("json").action(ArgAction::SetTrue).help(help)
}

//! The command line of `outcrop prices`.

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, Command, value_parser};

use super::{config_file, flags};

/// What changes what is known of prices.
const FOR_PRICES: &[&str] = &["catalogue"];

/// What changes which model a name means, and where it is called.
const FOR_ESTIMATE: &[&str] = &["region", "profile", "catalogue", "aliases"];

/// What the subcommands heed.
#[cfg(test)]
pub(super) const SETTINGS: [&[&str]; 2] = [FOR_PRICES, FOR_ESTIMATE];

pub(super) fn prices() -> Command {
    Command::new("prices")
        .about("Show what models cost, check it, and estimate what a call costs")
        .long_about(
            "Prices are part of the catalogue, the built-in one with the operator's rows over it. Nobody is called.\n\n\
             Prices are in USD: of tokens for a million, of images and searches for one.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([list(), show(), check(), estimate()])
}

fn list() -> Command {
    Command::new("list")
        .about("List what models cost as they are called by default")
        .arg(json("Print the list as JSON"))
        .arg(config_file())
        .args(flags(FOR_PRICES))
        .after_long_help(
            "Examples:\n  outcrop prices list\n  outcrop prices list --json | jq '.data[] | {id, prices}'\n\n\
             Exit status: 0; 1 if the settings are not valid; 2 for wrong usage.",
        )
}

fn show() -> Command {
    Command::new("show")
        .about("Show all prices of a model, and where they are from")
        .arg(model("The model, by its id or any other name").required(true))
        .arg(json("Print them as JSON"))
        .arg(config_file())
        .args(flags(FOR_PRICES))
        .after_long_help(
            "Examples:\n  outcrop prices show claude-sonnet-4-5\n  \
             outcrop prices show --json amazon.nova-canvas-v1:0\n\n\
             Exit status: 0; 1 if nobody knows the model or the settings are not valid; 2 for wrong usage.",
        )
}

fn check() -> Command {
    Command::new("check")
        .about("Check that models have prices, from where, how old they are, and whether they are sound")
        .arg(
            Arg::new("model")
                .long("model")
                .value_name("MODEL")
                .action(ArgAction::Append)
                .value_parser(NonEmptyStringValueParser::new())
                .help("Check this model; may be given several times [all that can be called]"),
        )
        .arg(
            Arg::new("max-age")
                .long("max-age")
                .value_name("DAYS")
                .default_value("180")
                .value_parser(value_parser!(u32))
                .help("Prices that were read before so many days are too old"),
        )
        .arg(
            Arg::new("allow-unpriced")
                .long("allow-unpriced")
                .action(ArgAction::SetTrue)
                .help("Models without prices are in order"),
        )
        .arg(json("Print what was found as JSON"))
        .arg(config_file())
        .args(flags(FOR_PRICES))
        .after_long_help(
            "Examples:\n  outcrop prices check\n  outcrop prices check --model claude-sonnet-4-5 --max-age 30\n  \
             outcrop prices check --catalogue models.toml --json\n\n\
             Exit status: 0; 1 if something is not in order, or the settings are not valid; 2 for wrong usage.",
        )
}

fn estimate() -> Command {
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("N")
            .default_value("0")
            .value_parser(value_parser!(u64))
            .help(help)
    };
    Command::new("estimate")
        .about("Estimate what a call costs")
        .arg(model("The model, as a client would name it").required(true))
        .args([
            number("input", "Tokens read, and not found in the cache"),
            number("output", "Tokens written"),
            number("cache-read", "Tokens found in the cache"),
            number("cache-write", "Tokens put into the cache for five minutes"),
            number("cache-write-1h", "Tokens put into the cache for an hour"),
            number("input-images", "Images read that have no tokens, as for embeddings"),
            number("images", "Images made"),
            number("searches", "Search units of ranking: one for each hundred documents"),
        ])
        .arg(
            Arg::new("quality")
                .long("quality")
                .value_name("QUALITY")
                .value_parser(["standard", "premium"])
                .default_value("standard")
                .help("Their quality"),
        )
        .arg(
            Arg::new("size")
                .long("size")
                .value_name("WIDTHxHEIGHT")
                .default_value("1024x1024")
                .help("Their size"),
        )
        .arg(
            Arg::new("tier")
                .long("tier")
                .value_name("TIER")
                .value_parser(["default", "flex", "priority", "reserved"])
                .default_value("default")
                .help("The service tier"),
        )
        .arg(switch("optimized", "By latency-optimized inference"))
        .arg(switch("batch", "In a batch"))
        .arg(
            Arg::new("calls")
                .long("calls")
                .value_name("N")
                .default_value("1")
                .value_parser(value_parser!(u64))
                .help("How many such calls"),
        )
        .arg(json("Print it as JSON"))
        .arg(config_file())
        .args(flags(FOR_ESTIMATE))
        .after_long_help(
            "The region decides on the inference profile, and so on the price.\n\nExamples:\n  \
             outcrop prices estimate claude-sonnet-4-5 --input 10000 --output 500 --region eu-central-1\n  \
             outcrop prices estimate us.amazon.nova-pro-v1:0 --input 1000 --output 200 --tier flex --calls 1000000\n  \
             outcrop prices estimate amazon.nova-canvas-v1:0 --images 4 --quality premium\n\n\
             Exit status: 0; 1 if nobody knows the model or its price, or the settings are not valid; 2 for wrong usage.",
        )
}

fn model(help: &'static str) -> Arg {
    Arg::new("name")
        .value_name("MODEL")
        .value_parser(NonEmptyStringValueParser::new())
        .help(help)
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn json(help: &'static str) -> Arg {
    switch("json", help)
}

//! The command line of `outcrop iam-policy`.

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, Command};

use super::{config_file, flag};
use crate::commands::feature_names;
use crate::settings::SETTINGS;

pub(super) fn iam_policy() -> Command {
    Command::new("iam-policy")
        .about("Print the AWS policy that a configuration needs")
        .long_about(
            "Print the IAM policy that a gateway with these settings needs, as JSON: each action only if the settings \
             can use it, on resources as narrow as they say. Nobody is asked. Without --model and --configured-models \
             all models may be called, since nothing in the settings keeps clients from naming any.",
        )
        .arg(
            list("model", "MODEL", "Only these models, and those that the settings name")
                .short('m')
                .long_help(
                    "Only these models, by any name that clients may use, and those that the settings name: targets of \
                     routes, aliases, defaults, fallbacks. May be repeated.",
                ),
        )
        .arg(switch(
            "configured_models",
            "configured-models",
            "Only the models that the settings name",
        ))
        .arg(text("account", "ID", "The AWS account whose resources are meant [any]").value_parser(account))
        .arg(
            text("partition", "PARTITION", "The partition [the region's, else aws]").value_parser([
                "aws",
                "aws-cn",
                "aws-us-gov",
            ]),
        )
        .arg(
            text("for", "PLACE", "Where it runs: what the service's role needs besides").value_parser([
                "lambda",
                "lambda-vpc",
                "ecs",
            ]),
        )
        .arg(text(
            "of",
            "NAME",
            "The policy for the role of this account of the settings instead",
        ))
        .arg(list("with", "FEATURE", "What the settings can't tell").value_parser(names()))
        .arg(list("without", "FEATURE", "Leave this out").value_parser(names()))
        .arg(
            list(
                "kms_key",
                "ARN",
                "A key of yours that secrets or parameters are encrypted with",
            )
            .long("kms-key"),
        )
        .arg(
            text(
                "log_group",
                "NAME",
                "The function's log group, for lambda [/aws/lambda/*]",
            )
            .long("log-group"),
        )
        .arg(switch(
            "table",
            "table",
            "Print which feature needs which actions, and why",
        ))
        .arg(switch("json", "json", "Print that table as JSON").requires("table"))
        .arg(config_file())
        .args(SETTINGS.iter().map(flag))
        .after_long_help(
            "Examples:\n  outcrop iam-policy --region eu-central-1 > policy.json\n  \
             outcrop iam-policy --config outcrop.toml --configured-models --account 123456789012\n  \
             outcrop iam-policy --region us-east-1 -m Claude-4-5-Sonnet -m cohere.embed-v4:0 --for lambda\n  \
             outcrop iam-policy --table",
        )
}

fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(value)
        .value_parser(NonEmptyStringValueParser::new())
        .help(help)
}

fn list(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    text(name, value, help).action(ArgAction::Append).value_delimiter(',')
}

fn switch(name: &'static str, long: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(long).action(ArgAction::SetTrue).help(help)
}

fn names() -> PossibleValuesParser {
    feature_names().collect::<Vec<_>>().into()
}

fn account(text: &str) -> Result<String, &'static str> {
    match text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("an account's id has 12 digits"),
    }
}

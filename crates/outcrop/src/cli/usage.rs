//! The command line of `outcrop usage reconcile`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, value_parser};

use super::{config_file, flags};

/// What changes what is compared.
const FOR_RECONCILE: &[&str] = &["database", "state_dir", "catalogue"];

/// What the command heeds.
#[cfg(test)]
pub(super) const SETTINGS: [&[&str]; 1] = [FOR_RECONCILE];

pub(super) fn reconcile() -> Command {
    Command::new("reconcile")
        .about("Compare the gateway's usage with AWS's bill, by model and day")
        .long_about(
            "Compare the gateway's usage with a cost and usage report of AWS: by model and day, what the gateway counted, \
             what AWS charges, and the difference.\n\nThe file may be a CUR, a CUR 2.0 or a FOCUS export, as CSV, packed \
             by gzip or not. Lines that no model of the catalogue is known for are listed by themselves.",
        )
        .arg(
            Arg::new("bill")
                .value_name("BILL.csv")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The report"),
        )
        .arg(
            Arg::new("tolerance")
                .long("tolerance")
                .value_name("PERCENT")
                .default_value("1")
                .value_parser(value_parser!(f64))
                .help("A model's day may differ by so much, or by less than a cent"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Print the comparison as JSON"),
        )
        .arg(config_file())
        .args(flags(FOR_RECONCILE))
        .after_long_help(
            "Examples:\n  outcrop usage reconcile 2026-11.csv.gz --database sqlite:/var/lib/outcrop/outcrop.db\n  \
             outcrop usage reconcile bill.csv --tolerance 5 --json\n\n\
             Exit status: 0; 1 if they differ by more, or the file or the settings are not valid; 2 for wrong usage.",
        )
}

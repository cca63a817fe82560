//! The commands that print what is made of the command line.

use std::path::PathBuf;

use clap::{Arg, Command, value_parser};
use clap_complete::Shell;

/// `outcrop completions`.
pub(super) fn completions() -> Command {
    Command::new("completions")
        .about("Print the completions of a shell")
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(value_parser!(Shell))
                .help("The shell"),
        )
        .after_long_help(
            "Examples:\n  source <(outcrop completions bash)\n  \
             outcrop completions bash > /etc/bash_completion.d/outcrop\n  \
             outcrop completions zsh > /usr/local/share/zsh/site-functions/_outcrop\n  \
             outcrop completions fish > ~/.config/fish/completions/outcrop.fish",
        )
}

/// `outcrop man`, for those who make packages.
pub(super) fn man() -> Command {
    Command::new("man")
        .about("Write a manual page for each command into a folder")
        .hide(true)
        .arg(
            Arg::new("folder")
                .value_name("FOLDER")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The folder, which must be there"),
        )
}

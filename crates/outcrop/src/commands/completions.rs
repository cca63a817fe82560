//! `outcrop completions` and `outcrop man`: what is made of the command line for shells and for `man`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::print_page;
use crate::failure::Failure;
use crate::{cli, version};

/// Prints the completions of a shell.
///
/// # Errors
/// If standard output can't be written.
pub(super) fn completions(matches: &ArgMatches) -> Result<(), Failure> {
    let Some(shell) = matches.get_one::<Shell>("shell") else {
        return Ok(());
    };
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut cli::command(), "outcrop", &mut script);
    print_page(&String::from_utf8_lossy(&script))
}

/// Writes a page for each command into a folder: `outcrop.1`, `outcrop-serve.1`, `outcrop-keys-create.1`.
///
/// # Errors
/// If a file can't be written.
pub(super) fn man(matches: &ArgMatches) -> Result<(), Failure> {
    let Some(folder) = matches.get_one::<PathBuf>("folder") else {
        return Ok(());
    };
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    page(&command, folder).map_err(|source| Failure::WriteFile {
        path: folder.display().to_string(),
        source,
    })
}

/// The page of a command, and of those under it.
fn page(command: &Command, folder: &Path) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    // An empty argument has to be seen as one.
    let date = Some(version::DATE).filter(|date| !date.is_empty()).unwrap_or("\"\"");
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .date(date)
        .source(format!("outcrop {}", version::PLAIN))
        .manual("Outcrop");
    let mut text = Vec::new();
    man.render(&mut text)?;
    let text = with_examples(&String::from_utf8_lossy(&text));
    fs::write(folder.join(format!("{name}.1")), text)?;
    let shown = |command: &&Command| !command.is_hide_set();
    command
        .get_subcommands()
        .filter(shown)
        .try_for_each(|below| page(below, folder))
}

/// What is said after the options: prose is notes, and the lines of examples stay as they are.
fn with_examples(page: &str) -> String {
    let Some((before, extra)) = page.split_once(".SH EXTRA\n") else {
        return page.to_owned();
    };
    let (mut text, mut in_example) = (before.to_owned(), false);
    for (index, line) in extra.lines().enumerate() {
        let is_heading = matches!(line, "Examples:" | "Example:");
        let is_example = line.starts_with("  ");
        if is_heading && text.ends_with(".PP\n") {
            text.truncate(text.len() - ".PP\n".len());
        }
        if index == 0 && !is_heading {
            text += ".SH NOTES\n";
        }
        if is_example != in_example {
            text += if is_example { ".nf\n" } else { ".fi\n" };
            in_example = is_example;
        }
        text += match line {
            _ if is_heading => ".SH EXAMPLES",
            "" => ".PP",
            _ => line,
        };
        text += "\n";
    }
    text + if in_example { ".fi\n" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_told_from_notes() {
        let page = ".SH OPTIONS\n.SH EXTRA\nSo it is.\n\nExamples:\n  a\n  b\n\nAnd so.\n.SH VERSION\nv1\n";
        let expected = ".SH OPTIONS\n.SH NOTES\nSo it is.\n.SH EXAMPLES\n.nf\n  a\n  b\n.fi\n.PP\nAnd so.\n\
                        .SH VERSION\nv1\n";
        assert_eq!(with_examples(page), expected);
        assert_eq!(with_examples(".SH OPTIONS\n"), ".SH OPTIONS\n");
    }
}

//! `outcrop config check`, `print`, `convert`, `schema` and `docs`.

use std::fs;
use std::path::PathBuf;

use clap::ArgMatches;

use super::{complain, print_page};
use crate::failure::Failure;
use crate::settings::{Database, Problems, check_converted, check_text, load, print, reference, schema};
use crate::{access, cli, convert, litellm};

/// Runs one of them.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let page = match matches.subcommand() {
        Some(("check", matches)) => check(matches)?,
        Some(("print", matches)) => {
            let loaded = load(&cli::given(matches))?;
            complain(&loaded.warnings);
            print(&loaded.settings, &loaded.effective)
        }
        Some(("convert", matches)) => return convert(matches),
        Some(("schema", _)) => format!("{:#}\n", schema()),
        Some(("docs", _)) => reference(),
        _ => return Ok(()),
    };
    print_page(&page)
}

/// A file is LiteLLM's; without one, the environment is bedrock-access-gateway's. What doesn't load is written
/// nevertheless, to be mended, but it is a failure.
fn convert(matches: &ArgMatches) -> Result<(), Failure> {
    let given = cli::given(matches);
    let Some(path) = matches.get_one::<PathBuf>("file") else {
        let page = convert::from_environment(&given);
        print_page(&page)?;
        return Ok(check_text(&page)?);
    };
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| Failure::ReadFile {
        path: name.clone(),
        source,
    })?;
    let mut problems = Problems::default();
    let converted = litellm::convert(path, &text, &given.environment, &mut problems);
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let page = convert::from_litellm(&name, &converted);
    print_page(&page)?;
    // Lines of the file that was read help more than those of the page, so these come first.
    check_converted(converted)?;
    Ok(check_text(&page)?)
}

/// Settings are in order if `serve` would start with them.
fn check(matches: &ArgMatches) -> Result<String, Failure> {
    let loaded = load(&cli::given(matches))?;
    complain(&loaded.warnings);
    // A database that is named may have keys, which is for `serve` to see.
    let may_have_keys = matches!(loaded.settings.database, Database::At(_));
    access::check(&loaded.settings, may_have_keys)?;
    Ok(match &loaded.file {
        Some(file) => format!("{}: the settings are in order\n", file.display()),
        None => "the settings are in order (there is no file)\n".to_owned(),
    })
}

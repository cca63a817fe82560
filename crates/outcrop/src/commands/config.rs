//! `outcrop config check`, `print`, `schema` and `docs`.

use clap::ArgMatches;

use super::{complain, print_page};
use crate::failure::Failure;
use crate::settings::{load, print, reference, schema};
use crate::{access, cli};

/// Runs one of them.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let page = match matches.subcommand() {
        Some(("check", matches)) => check(matches)?,
        Some(("print", matches)) => {
            let loaded = load(&cli::given(matches))?;
            complain(&loaded.warnings);
            print(&loaded.settings, &loaded.effective)
        }
        Some(("schema", _)) => format!("{:#}\n", schema()),
        Some(("docs", _)) => reference(),
        _ => return Ok(()),
    };
    print_page(&page)
}

/// Settings are in order if `serve` would start with them.
fn check(matches: &ArgMatches) -> Result<String, Failure> {
    let loaded = load(&cli::given(matches))?;
    complain(&loaded.warnings);
    access::check(&loaded.settings)?;
    Ok(match &loaded.file {
        Some(file) => format!("{}: the settings are in order\n", file.display()),
        None => "the settings are in order (there is no file)\n".to_owned(),
    })
}

//! `outcrop models check`: whether an operator's file is in order, and what it changes.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use clap::ArgMatches;
use outcrop_server::Catalogue;
use outcrop_server::catalogue::Changes;
use serde_json::json;

use crate::cli;
use crate::commands::print_page;
use crate::failure::Failure;
use crate::settings::catalogue_file;
use crate::terminal::clean;

/// Checks the file that is named, else the one that is configured.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let file = match matches.get_one::<PathBuf>("file") {
        Some(file) => file.clone(),
        None => catalogue_file(&cli::given(matches))?.ok_or(Failure::NoCatalogue)?,
    };
    let path = file.to_string_lossy();
    let text = fs::read_to_string(&file).map_err(|source| Failure::ReadCatalogue {
        path: path.clone().into_owned(),
        source,
    })?;
    let catalogue = Catalogue::built_in().with(&path, &text).map_err(Failure::Catalogue)?;
    let changes = catalogue.changes();
    if matches.get_flag("json") {
        let changes = json!({
            "file": path,
            "models": { "added": changes.added_models, "overridden": changes.overridden_models },
            "families": { "added": changes.added_families, "overridden": changes.overridden_families },
        });
        return print_page(&format!("{changes:#}\n"));
    }
    print_page(&clean(&page(&path, &changes)))
}

fn page(path: &str, changes: &Changes) -> String {
    let mut page = format!("{path}: the catalogue is in order\n");
    for (what, names) in [
        ("models added", &changes.added_models),
        ("models overridden", &changes.overridden_models),
        ("families added", &changes.added_families),
        ("families overridden", &changes.overridden_families),
    ] {
        // Writing to a string cannot fail.
        let _ = match names.as_slice() {
            [] => continue,
            names => writeln!(page, "  {what}: {} ({})", names.len(), names.join(", ")),
        };
    }
    if *changes == Changes::default() {
        page.push_str("  it changes nothing\n");
    }
    page
}

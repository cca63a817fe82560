//! The effective settings, as a file that says where each value came from.

use std::fmt::Write;

use super::policies;
use super::routing;
use super::table::{Effective, Settings};

/// A TOML file with a comment behind each value. Secrets are masked.
pub(crate) fn print(settings: &Settings, effective: &[Effective]) -> String {
    let mut page = String::new();
    let mut section = "";
    for Effective { setting, shown, origin } in effective {
        if setting.section != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            section = setting.section;
            let _ = writeln!(page, "{gap}# {section}");
        }
        let line = match shown {
            Some(value) => format!("{} = {value}", setting.name),
            None => format!("# {} is not set", setting.name),
        };
        let _ = writeln!(page, "{line:<44} # {origin}");
    }
    policies::print(&mut page, &settings.policies);
    routing::print(&mut page, &settings.tables);
    page
}

//! `THIRD-PARTY-LICENSES.md`: what the authors of the packages in the binary ask to go along with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::linked::{Linked, Package};
use super::{file_name, files_in, read};
use crate::steps::Result;

/// What files with licences are called, in capitals.
const NAMES: [&str; 6] = ["COPYING", "COPYRIGHT", "LICENCE", "LICENSE", "NOTICE", "UNLICENSE"];

/// Folders whose licences are for what isn't built: tests, and the encrypted SQLite.
const NOT_BUILT: [&str; 4] = ["benches", "examples", "sqlcipher", "tests"];

/// How deep in a package the code of others may lie.
const DEPTH: usize = 4;

/// Texts of packages that were published without theirs, taken from their repositories: `NAME.txt`.
const MISSING: &str = "xtask/licenses";

const HEAD: &str = "# Licences of third parties

Outcrop is under the Apache License 2.0 (`LICENSE`). Its binary has the packages below in it. The texts are those that
they are published with; a package with several may be used under one of them where its licence says `OR`.

Rust's standard library is in it as well, under MIT or Apache-2.0, of which the latter stands in `LICENSE`:
Copyright (c) The Rust Project Contributors. SQLite, in `libsqlite3-sys`, is in the public domain.

";

/// Writes the page.
///
/// # Errors
/// If a package has no text, or one is kept that nothing needs.
pub(super) fn page(tree: &Path, linked: &Linked) -> Result<String> {
    let mut kept: BTreeMap<String, PathBuf> = files_in(&tree.join(MISSING))?
        .into_iter()
        .map(|file| (file_name(&file).trim_end_matches(".txt").to_owned(), file))
        .collect();
    // Texts that differ in their line breaks only are one.
    let mut texts: BTreeMap<String, Text> = BTreeMap::new();
    let mut without = Vec::new();
    let mut table = "| package | version | licence |\n|---|---|---|\n".to_owned();
    for package in linked.packages.iter().filter(|package| package.source.is_some()) {
        let mut files = texts_of(package)?;
        if files.is_empty() {
            files.extend(kept.remove(&package.name));
        }
        if files.is_empty() {
            without.push(package.label());
        }
        for file in files {
            let text = String::from_utf8_lossy(&read(&file)?).into_owned();
            let key = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let entry = texts.entry(key).or_default();
            entry.packages.insert(package.label());
            if entry.text.is_empty() {
                entry.text = tidy(&text);
            }
        }
        let licence = package.license.as_deref().unwrap_or_default();
        table += &format!("| {} | {} | {licence} |\n", package.name, package.version);
    }
    if !without.is_empty() {
        return Err(format!(
            "these come without the text of their licence, which {MISSING} must have: {}",
            without.join(", ")
        ));
    }
    if let Some(name) = kept.keys().next() {
        return Err(format!("{MISSING}/{name}.txt is kept, but nothing needs it"));
    }
    let mut texts: Vec<Text> = texts.into_values().collect();
    texts.sort_by(|a, b| (&a.packages, &a.text).cmp(&(&b.packages, &b.text)));
    let sections = texts.iter().map(Text::section);
    Ok(HEAD.to_owned() + &table + &sections.collect::<String>())
}

#[derive(Default)]
struct Text {
    packages: BTreeSet<String>,
    text: String,
}

impl Text {
    fn section(&self) -> String {
        let packages: Vec<&str> = self.packages.iter().map(String::as_str).collect();
        format!("\n## {}\n\n~~~~text\n{}~~~~\n", packages.join(", "), self.text)
    }
}

/// Without spaces at the ends of lines and empty lines at both ends.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n").trim_matches('\n'))
}

/// All that a package has, which may be several and those of what it has taken in.
fn texts_of(package: &Package) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    search(package.folder(), DEPTH, &mut found)?;
    found.extend(package.license_file.iter().map(|file| package.folder().join(file)));
    Ok(found)
}

fn search(folder: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) -> Result {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = file_name(&path);
        if path.is_dir() {
            if depth > 0 && !NOT_BUILT.contains(&name.as_str()) {
                search(&path, depth - 1, found)?;
            }
        } else if is_licence(&name) || folder.ends_with("LICENSES") {
            found.insert(path);
        }
    }
    Ok(())
}

/// `LICENSE`, `LICENSE-MIT`, `license.txt`, `COPYING.md`, but no `license.rs`.
fn is_licence(name: &str) -> bool {
    let name = name.to_uppercase();
    let begins = NAMES.iter().any(|beginning| name.starts_with(beginning));
    begins
        && ![".RS", ".C", ".H", ".PY", ".TOML"]
            .iter()
            .any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_told_by_their_names() {
        for name in [
            "LICENSE",
            "LICENSE-MIT",
            "license.txt",
            "COPYING.md",
            "NOTICE",
            "LICENSE.BSD-2-Clause",
        ] {
            assert!(is_licence(name), "{name}");
        }
        for name in ["license.rs", "README.md", "notice.c"] {
            assert!(!is_licence(name), "{name}");
        }
    }

    #[test]
    fn texts_are_tidied() {
        assert_eq!(tidy("\n\nMIT  \r\n\r\n  so\n\n"), "MIT\n\n  so\n");
    }
}

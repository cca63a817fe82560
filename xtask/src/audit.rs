//! The dependency check: what `cargo metadata` knows, against `deny.toml`.
//!
//! The rules are cargo-deny's own file, read here by some hundred lines instead, so that the check needs neither an
//! installed tool nor the network. Only the part that those lines understand may stand in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;

use crate::spdx::Expression;
use crate::steps::{Result, cargo, root};

/// Checks every dependency and prints all findings before it fails.
pub(crate) fn run(arguments: &[String]) -> Result {
    if let Some(argument) = arguments.first() {
        return Err(format!("unexpected argument `{argument}`"));
    }
    let path = root().join("deny.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let rules: Rules = toml::from_str(&text).map_err(|error| format!("deny.toml: {error}"))?;
    let packages = packages(&rules)?;

    let mut findings = Vec::new();
    licences(&rules.licenses, &packages, &mut findings);
    duplicates(&rules.bans, &packages, &mut findings);
    sources(&rules.sources, &packages, &mut findings);
    let unknown = yanked(&packages, &mut findings);

    for finding in &findings {
        println!("  ✗ {finding}");
    }
    match findings.len() {
        0 => {
            let note = if unknown == 0 {
                String::new()
            } else {
                format!(", {unknown} of them not in the cached index")
            };
            println!("  {} packages are in order{note}", packages.len());
            Ok(())
        }
        1 => Err("one finding; the rules are in deny.toml".to_owned()),
        count => Err(format!("{count} findings; the rules are in deny.toml")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Rules {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Graph {
    targets: Vec<String>,
    all_features: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Licenses {
    allow: BTreeSet<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
    #[serde(rename = "unused-allowed-license")]
    _unused_allowed_license: Deny,
    #[serde(rename = "private")]
    _private: Private,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Private {
    #[serde(rename = "ignore")]
    _ignore: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Bans {
    #[serde(rename = "multiple-versions")]
    _multiple_versions: Deny,
    #[serde(rename = "wildcards")]
    _wildcards: Deny,
    #[serde(rename = "allow-wildcard-paths")]
    _allow_wildcard_paths: bool,
    #[serde(default)]
    skip: Vec<Skip>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    /// `name@version`, where the version may be cut short: `syn@2` is every 2.x.
    #[serde(rename = "crate")]
    spec: String,
    reason: String,
}

impl Skip {
    fn matches(&self, package: &Package) -> bool {
        let Some((name, version)) = self.spec.split_once('@') else {
            return false;
        };
        let rest = package.version.strip_prefix(version);
        name == package.name && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Sources {
    #[serde(rename = "unknown-registry")]
    _unknown_registry: Deny,
    #[serde(rename = "unknown-git")]
    _unknown_git: Deny,
    allow_registry: BTreeSet<String>,
}

/// The only severity there is: a warning is a finding that nobody reads.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deny {
    Deny,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// None for the packages of this workspace.
    source: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    req: String,
    path: Option<PathBuf>,
}

fn packages(rules: &Rules) -> Result<Vec<Package>> {
    let metadata = |offline: bool| {
        let command = cargo(["metadata", "--locked", "--format-version", "1"]);
        let command = if offline { command.args(["--offline"]) } else { command };
        let command = if rules.graph.all_features {
            command.args(["--all-features"])
        } else {
            command
        };
        command
            .args(
                rules
                    .graph
                    .targets
                    .iter()
                    .flat_map(|target| ["--filter-platform", target]),
            )
            .output()
    };
    let bytes = metadata(true).or_else(|offline| {
        // A crate that only another platform needs may not be here yet.
        println!("  asking the network, because offline {offline}");
        metadata(false)
    })?;
    let metadata: Metadata = serde_json::from_slice(&bytes).map_err(|error| format!("cargo metadata: {error}"))?;
    Ok(metadata.packages)
}

fn licences(rules: &Licenses, packages: &[Package], findings: &mut Vec<String>) {
    let mut used = BTreeSet::new();
    let mut used_exceptions = BTreeSet::new();
    for package in packages {
        let label = format!("{} {}", package.name, package.version);
        let Some(text) = &package.license else {
            findings.push(format!("{label} names no licence"));
            continue;
        };
        let expression = match Expression::parse(text) {
            Ok(expression) => expression,
            Err(error) => {
                findings.push(format!("{label}: the licence `{text}` cannot be read: {error}"));
                continue;
            }
        };
        used.extend(expression.licences().into_iter().map(str::to_owned));
        if expression.satisfied_by(&rules.allow) {
            continue;
        }
        let exception = rules.exceptions.iter().find(|exception| exception.name == package.name);
        let allowed = exception.map(|exception| rules.allow.union(&exception.allow).cloned().collect());
        if allowed.is_some_and(|allowed| expression.satisfied_by(&allowed)) {
            used_exceptions.insert(&package.name);
        } else {
            findings.push(format!("{label}: the licence `{text}` is not allowed"));
        }
    }
    for licence in rules.allow.difference(&used) {
        findings.push(format!("the licence {licence} is allowed, but nothing has it"));
    }
    for exception in &rules.exceptions {
        if !used_exceptions.contains(&exception.name) {
            findings.push(format!("the licence exception for {} is not needed", exception.name));
        }
    }
}

fn duplicates(rules: &Bans, packages: &[Package], findings: &mut Vec<String>) {
    let mut versions: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().push(package);
        for dependency in package.dependencies.iter().filter(|_| package.source.is_none()) {
            if dependency.req == "*" && dependency.path.is_none() {
                findings.push(format!("{} takes any version of {}", package.name, dependency.name));
            }
        }
    }
    versions.retain(|_, packages| packages.len() > 1);
    let mut used = BTreeSet::new();
    for (name, packages) in &versions {
        let mut left = Vec::new();
        for package in packages {
            match rules.skip.iter().position(|skip| skip.matches(package)) {
                Some(skip) => {
                    used.insert(skip);
                }
                None => left.push(package.version.as_str()),
            }
        }
        if left.len() > 1 {
            findings.push(format!(
                "{name} is there in {} versions: {}",
                left.len(),
                left.join(", ")
            ));
        }
    }
    for (index, skip) in rules.skip.iter().enumerate() {
        if !used.contains(&index) {
            findings.push(format!("the duplicate {} is allowed, but there is none", skip.spec));
        }
        if skip.reason.trim().is_empty() {
            findings.push(format!("the duplicate {} is allowed without a reason", skip.spec));
        }
    }
}

fn sources(rules: &Sources, packages: &[Package], findings: &mut Vec<String>) {
    let mut used = BTreeSet::new();
    for package in packages {
        let Some(source) = &package.source else {
            continue;
        };
        match source
            .split_once('+')
            .filter(|(kind, _)| matches!(*kind, "registry" | "sparse"))
        {
            Some((_, registry)) if rules.allow_registry.contains(registry) => {
                used.insert(registry);
            }
            _ => findings.push(format!("{} {} comes from {source}", package.name, package.version)),
        }
    }
    for registry in rules
        .allow_registry
        .iter()
        .filter(|registry| !used.contains(registry.as_str()))
    {
        findings.push(format!("the registry {registry} is allowed, but nothing comes from it"));
    }
}

/// Looks every package up in cargo's cached index, and returns how many are not there. The cache is as old as the
/// last resolution, so this finds what cargo has already been told and no more.
fn yanked(packages: &[Package], findings: &mut Vec<String>) -> usize {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let indexes: Vec<PathBuf> = home
        .and_then(|home| std::fs::read_dir(home.join("registry/index")).ok())
        .map(|entries| {
            entries
                .filter_map(|entry| Some(entry.ok()?.path().join(".cache")))
                .collect()
        })
        .unwrap_or_default();

    let mut unknown = 0;
    for package in packages.iter().filter(|package| package.source.is_some()) {
        let file = index_path(&package.name);
        let entries: Vec<Vec<u8>> = indexes
            .iter()
            .filter_map(|index| std::fs::read(index.join(&file)).ok())
            .collect();
        match entries.iter().find_map(|entry| is_yanked(entry, &package.version)) {
            Some(true) => findings.push(format!("{} {} is yanked", package.name, package.version)),
            Some(false) => {}
            None => unknown += 1,
        }
    }
    unknown
}

/// The index's own layout: `3/s/syn`, `se/rd/serde`.
fn index_path(name: &str) -> PathBuf {
    let name = name.to_lowercase();
    let part = |range| name.get(range).unwrap_or_default();
    match name.len() {
        1 => PathBuf::from("1").join(&name),
        2 => PathBuf::from("2").join(&name),
        3 => PathBuf::from("3").join(part(0..1)).join(&name),
        _ => PathBuf::from(part(0..2)).join(part(2..4)).join(&name),
    }
}

/// A cached index file is a header, then for each version its number and its entry as JSON, all ended by a zero byte.
fn is_yanked(file: &[u8], version: &str) -> Option<bool> {
    #[derive(Deserialize)]
    struct Entry {
        vers: String,
        #[serde(default)]
        yanked: bool,
    }
    let mut parts = file
        .split(|byte| *byte == 0)
        .skip_while(|part| *part != version.as_bytes());
    let entry: Entry = serde_json::from_slice(parts.nth(1)?).ok()?;
    (entry.vers == version).then_some(entry.yanked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, license: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            license: Some(license.to_owned()),
            source: Some("registry+https://github.com/rust-lang/crates.io-index".to_owned()),
            dependencies: Vec::new(),
        }
    }

    fn rules(allow: &[&str], skip: &[(&str, &str)]) -> Rules {
        let skip: Vec<String> = skip
            .iter()
            .map(|(spec, reason)| format!("{{ crate = {spec:?}, reason = {reason:?} }}"))
            .collect();
        let text = format!(
            "[graph]\ntargets = []\nall-features = true\n\
             [licenses]\nallow = {allow:?}\nunused-allowed-license = \"deny\"\nprivate.ignore = false\n\
             [bans]\nmultiple-versions = \"deny\"\nwildcards = \"deny\"\nallow-wildcard-paths = true\nskip = [{}]\n\
             [sources]\nunknown-registry = \"deny\"\nunknown-git = \"deny\"\n\
             allow-registry = [\"https://github.com/rust-lang/crates.io-index\"]",
            skip.join(", "),
        );
        toml::from_str(&text).unwrap()
    }

    fn findings(rules: &Rules, packages: &[Package]) -> Vec<String> {
        let mut findings = Vec::new();
        licences(&rules.licenses, packages, &mut findings);
        duplicates(&rules.bans, packages, &mut findings);
        sources(&rules.sources, packages, &mut findings);
        findings
    }

    #[test]
    fn packages_in_order_give_no_findings() {
        let packages = [package("a", "1.0.0", "MIT OR GPL-3.0"), package("b", "1.0.0", "MIT")];
        assert_eq!(findings(&rules(&["MIT"], &[]), &packages), [""; 0]);
    }

    #[test]
    fn a_licence_must_be_allowed_and_an_allowance_used() {
        let found = findings(&rules(&["ISC"], &[]), &[package("a", "1.0.0", "MIT")]);
        assert_eq!(
            found,
            [
                "a 1.0.0: the licence `MIT` is not allowed",
                "the licence ISC is allowed, but nothing has it"
            ]
        );
    }

    #[test]
    fn duplicates_need_a_reason_and_a_reason_needs_duplicates() {
        let packages = [package("a", "1.0.0", "MIT"), package("a", "2.1.0", "MIT")];
        assert_eq!(
            findings(&rules(&["MIT"], &[]), &packages),
            ["a is there in 2 versions: 1.0.0, 2.1.0"]
        );
        assert_eq!(findings(&rules(&["MIT"], &[("a@1", "b needs it")]), &packages), [""; 0]);
        assert_eq!(
            findings(&rules(&["MIT"], &[("a@1", "b needs it")]), &packages[1..]),
            ["the duplicate a@1 is allowed, but there is none"],
        );
        assert_eq!(
            findings(&rules(&["MIT"], &[("a@1", "")]), &packages),
            ["the duplicate a@1 is allowed without a reason"],
        );
    }

    #[test]
    fn git_is_no_source() {
        let mut package = package("a", "1.0.0", "MIT");
        package.source = Some("git+https://example.com/a#0123".to_owned());
        assert_eq!(
            findings(&rules(&["MIT"], &[]), &[package])[0],
            "a 1.0.0 comes from git+https://example.com/a#0123"
        );
    }

    #[test]
    fn a_short_version_in_a_skip_stands_for_its_whole_line() {
        let skip = Skip {
            spec: "a@1.2".to_owned(),
            reason: String::new(),
        };
        assert!(skip.matches(&package("a", "1.2.9", "MIT")));
        assert!(!skip.matches(&package("a", "1.20.0", "MIT")));
        assert!(!skip.matches(&package("b", "1.2.9", "MIT")));
    }

    #[test]
    fn the_cached_index_knows_what_is_yanked() {
        let file = b"\x03\x02\0\0\0etag: x\x001.0.0\0{\"vers\":\"1.0.0\",\"yanked\":true}\x001.0.1\0{\"vers\":\"1.0.1\",\"yanked\":false}\0";
        assert_eq!(is_yanked(file, "1.0.0"), Some(true));
        assert_eq!(is_yanked(file, "1.0.1"), Some(false));
        assert_eq!(is_yanked(file, "2.0.0"), None);
        assert_eq!(index_path("serde_json"), PathBuf::from("se/rd/serde_json"));
        assert_eq!(index_path("Syn"), PathBuf::from("3/s/syn"));
    }
}

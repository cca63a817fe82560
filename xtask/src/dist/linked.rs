//! The packages that are part of the binary. What runs only while it is built, build scripts, macros and what they
//! depend on, isn't, and neither is what only tests need.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::steps::{Result, cargo};

/// What `cargo metadata` says.
#[derive(Deserialize)]
pub(super) struct Metadata {
    /// All packages of the workspace and below, for one platform.
    pub(super) packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// None for those that are linked.
    kind: Option<String>,
}

/// A package.
#[derive(Deserialize)]
pub(super) struct Package {
    id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    pub(super) license_file: Option<PathBuf>,
    pub(super) description: Option<String>,
    pub(super) repository: Option<String>,
    /// None for the packages of this workspace.
    pub(super) source: Option<String>,
    manifest_path: PathBuf,
    /// Of what is in the registry, from `Cargo.lock`.
    #[serde(skip)]
    pub(super) checksum: Option<String>,
}

impl Package {
    /// Where its files are.
    pub(super) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// For messages.
    pub(super) fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

impl Metadata {
    /// Asks cargo.
    ///
    /// # Errors
    /// If it doesn't answer.
    pub(super) fn of(tree: &Path, target: &str) -> Result<Self> {
        let bytes = cargo([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--filter-platform",
            target,
        ])
        .current_dir(tree)
        .output()?;
        serde_json::from_slice(&bytes).map_err(|error| format!("cargo metadata: {error}"))
    }
}

/// The packages in the binary, ordered by name, and which of them needs which.
pub(super) struct Linked {
    pub(super) packages: Vec<Package>,
    /// From each of `packages` to those that it needs, by their place.
    pub(super) needs: Vec<BTreeSet<usize>>,
}

impl Linked {
    /// Asks cargo: `cargo metadata` knows the packages, but takes the features of the whole workspace together;
    /// `cargo tree` knows which are built for this binary.
    ///
    /// # Errors
    /// If cargo doesn't answer, or a package of a registry has no checksum.
    pub(super) fn of(tree: &Path, target: &str) -> Result<Self> {
        let tree_of_crates = cargo([
            "tree",
            "--locked",
            "--package",
            "outcrop",
            "--edges",
            "normal,no-proc-macro",
        ])
        .args(["--prefix", "none", "--format", "{p}", "--target", target])
        .current_dir(tree)
        .output()?;
        let wanted = names(&String::from_utf8_lossy(&tree_of_crates));
        let lock = tree.join("Cargo.lock");
        let lock = std::fs::read_to_string(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
        let checksums = checksums(&lock)?;
        let metadata = Metadata::of(tree, target)?;

        let is_wanted = |package: &Package| wanted.contains(&(package.name.clone(), package.version.clone()));
        let mut packages: Vec<Package> = metadata.packages.into_iter().filter(is_wanted).collect();
        packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        if packages.len() != wanted.len() {
            return Err(format!(
                "cargo tree names {} packages, metadata {}",
                wanted.len(),
                packages.len()
            ));
        }
        for package in packages.iter_mut().filter(|package| package.source.is_some()) {
            let checksum = checksums.get(&(package.name.clone(), package.version.clone()));
            let checksum = checksum.ok_or_else(|| format!("Cargo.lock has no checksum of {}", package.label()))?;
            package.checksum = Some(checksum.clone());
        }
        let needs = needs(&packages, &metadata.resolve);
        Ok(Self { packages, needs })
    }
}

/// `serde v1.0.228`, `outcrop-store v0.1.0 (/…)`, `serde v1.0.228 (*)`.
fn names(tree: &str) -> BTreeSet<(String, String)> {
    let name = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
    };
    tree.lines().filter_map(name).collect()
}

fn needs(packages: &[Package], resolve: &Resolve) -> Vec<BTreeSet<usize>> {
    let places: BTreeMap<&str, usize> = packages.iter().map(|package| package.id.as_str()).zip(0..).collect();
    let mut needs = vec![BTreeSet::new(); packages.len()];
    for node in &resolve.nodes {
        let linked = |edge: &&Edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none());
        let Some(needed) = places.get(node.id.as_str()).and_then(|place| needs.get_mut(*place)) else {
            continue;
        };
        let edges = node.deps.iter().filter(linked);
        needed.extend(edges.filter_map(|edge| places.get(edge.pkg.as_str())));
    }
    needs
}

/// What `Cargo.lock` says of each package, by name and version.
fn checksums(lock: &str) -> Result<BTreeMap<(String, String), String>> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Locked>,
    }
    #[derive(Deserialize)]
    struct Locked {
        name: String,
        version: String,
        checksum: Option<String>,
    }
    let lock: Lock = toml::from_str(lock).map_err(|error| format!("Cargo.lock: {error}"))?;
    let locked = lock.package.into_iter();
    Ok(locked
        .filter_map(|package| Some(((package.name, package.version), package.checksum?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_names_packages_once() {
        let named = names("a v0.1.0 (/there)\nb v1.0.0+2\nb v1.0.0+2 (*)\n\n");
        let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(named, BTreeSet::from([pair("a", "0.1.0"), pair("b", "1.0.0+2")]));
    }

    #[test]
    fn the_lock_file_has_checksums_of_what_is_not_ours() {
        let lock = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"01\"\n\
                    [[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n";
        let found = checksums(lock).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found.values().next().map(String::as_str), Some("01"));
    }
}

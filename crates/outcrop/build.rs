//! Tells the binary which commit it is built from: git's word for it, or what the environment says where there is no
//! repository, as in a container or an unpacked archive (`OUTCROP_COMMIT`, `OUTCROP_COMMIT_DATE`). With neither, the
//! version stands alone.

use std::path::{Path, PathBuf};
use std::process::Command;

/// As many of a commit's digits as are shown. Git's own abbreviation depends on what else a clone has.
const DIGITS: usize = 9;

/// Folders of a crate that the binary isn't built from.
const NOT_BUILT: [&str; 3] = ["benches", "examples", "tests"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=OUTCROP_COMMIT");
    println!("cargo:rerun-if-env-changed=OUTCROP_COMMIT_DATE");
    let (commit, date) = from_environment().or_else(from_git).unwrap_or_default();
    let build = match (commit.as_str(), date.as_str()) {
        ("", _) => String::new(),
        (commit, "") => format!(" ({commit})"),
        (commit, date) => format!(" ({commit} {date})"),
    };
    println!("cargo:rustc-env=OUTCROP_BUILD={build}");
    println!("cargo:rustc-env=OUTCROP_DATE={date}");
    println!(
        "cargo:rustc-env=OUTCROP_TARGET={}",
        variable("TARGET").unwrap_or_default()
    );
    println!("cargo:rustc-env=OUTCROP_RUSTC={}", rustc().unwrap_or_default());
}

/// A commit as it is shown, and its day; what isn't known is empty.
type Commit = (String, String);

fn from_environment() -> Option<Commit> {
    let commit = variable("OUTCROP_COMMIT")?;
    let (digits, dirty) = match commit.strip_suffix("-dirty") {
        Some(digits) => (digits, "-dirty"),
        None => (commit.as_str(), ""),
    };
    let short = digits.get(..DIGITS).unwrap_or(digits);
    Some((
        format!("{short}{dirty}"),
        variable("OUTCROP_COMMIT_DATE").unwrap_or_default(),
    ))
}

fn from_git() -> Option<Commit> {
    // An archive that was unpacked inside of some other repository is not at that one's commit.
    git(&["ls-files", "--error-unmatch", "Cargo.toml"])?;
    watch_head();
    for source in sources() {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    let commit = git(&["rev-parse", "HEAD"])?;
    let date = git(&["log", "-1", "--date=format-local:%Y-%m-%d", "--format=%cd"]);
    let dirty = if is_dirty() { "-dirty" } else { "" };
    Some((format!("{}{dirty}", commit.get(..DIGITS)?), date.unwrap_or_default()))
}

/// Has this script run again once another commit is checked out. The log of HEAD changes then and only then; where git
/// keeps none, HEAD and what it refers to do. All are in other places in a worktree, and what isn't there may not be
/// named: cargo would run the script each time.
fn watch_head() {
    let path = |name: &str| git(&["rev-parse", "--git-path", name]).map(PathBuf::from);
    let existing = |name: &str| path(name).filter(|path| path.is_file());
    let watched = match existing("logs/HEAD") {
        Some(log) => vec![log],
        None => {
            let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
            let branch = branch.and_then(|branch| existing(&branch));
            [existing("HEAD"), branch, existing("packed-refs")]
                .into_iter()
                .flatten()
                .collect()
        }
    };
    for file in watched {
        println!("cargo:rerun-if-changed={}", file.display());
    }
}

/// What the binary is built from. It is built anew when any of it changes, so that watching it costs no build.
fn sources() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["Cargo.toml", "Cargo.lock"]
        .map(|name| Path::new("../..").join(name))
        .into();
    for package in children(Path::new("..")) {
        found.extend(children(&package).into_iter().filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            !NOT_BUILT.contains(&name) && !name.starts_with('.')
        }));
    }
    found
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Whether those sources differ from the commit. What else lies about, such as a draft of a page, is no part of it.
fn is_dirty() -> bool {
    let status = [
        "status",
        "--porcelain",
        "--",
        "..",
        "../../Cargo.toml",
        "../../Cargo.lock",
    ];
    let others = NOT_BUILT.map(|name| format!(":(exclude,glob)../*/{name}/**"));
    let arguments: Vec<&str> = status.into_iter().chain(others.iter().map(String::as_str)).collect();
    git(&arguments).is_some_and(|changes| !changes.is_empty())
}

/// What git says, without its last line break. Nothing is written: a build must not disturb whoever works there.
fn git(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.arg("--no-optional-locks").args(arguments).env("TZ", "UTC");
    // Hooks have these set, for folders other than ours.
    for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    said(command)
}

fn rustc() -> Option<String> {
    let mut command = Command::new(variable("RUSTC")?);
    command.arg("--version");
    // "rustc 1.95.0 (…)"
    said(command)?.split(' ').nth(1).map(str::to_owned)
}

fn said(mut command: Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim_end().to_owned())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

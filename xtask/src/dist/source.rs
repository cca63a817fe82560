//! The commit that a release is made of.

use std::path::Path;

use crate::steps::{Result, cargo, program};

/// As many digits of a commit as the binary shows.
const DIGITS: usize = 9;

/// A version, and the commit that it is at.
pub(super) struct Source {
    /// The version of the crate `outcrop`.
    pub(super) version: String,
    /// Its first digits, with `-dirty` where the tree differs from it.
    pub(super) commit: String,
    /// When it was made, in seconds since 1970: the time of all that is made of it.
    pub(super) epoch: u64,
    /// That as a day in UTC.
    pub(super) day: String,
    /// And to the second.
    pub(super) timestamp: String,
}

impl Source {
    /// Asks git, or the environment where there is no repository.
    ///
    /// # Errors
    /// If neither knows.
    pub(super) fn of(tree: &Path) -> Result<Self> {
        let (commit, epoch) = match std::env::var("OUTCROP_COMMIT") {
            Ok(commit) => (commit, epoch_of_environment()?),
            Err(_) => of_git(tree)?,
        };
        let (digits, dirty) = match commit.strip_suffix("-dirty") {
            Some(digits) => (digits, "-dirty"),
            None => (commit.as_str(), ""),
        };
        Ok(Self {
            version: version(tree)?,
            commit: format!("{}{dirty}", digits.get(..DIGITS).unwrap_or(digits)),
            epoch,
            day: date(epoch, "+%Y-%m-%d")?,
            timestamp: date(epoch, "+%Y-%m-%dT%H:%M:%SZ")?,
        })
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.commit.ends_with("-dirty")
    }

    /// What a binary built of it says with `-V`.
    pub(super) fn line(&self) -> String {
        format!("outcrop {} ({} {})", self.version, self.commit, self.day)
    }
}

fn epoch_of_environment() -> Result<u64> {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
    epoch
        .and_then(|epoch| epoch.parse().ok())
        .ok_or_else(|| "with OUTCROP_COMMIT, SOURCE_DATE_EPOCH must say when that commit was made".to_owned())
}

fn of_git(tree: &Path) -> Result<(String, u64)> {
    let git = |arguments: &[&str]| -> Result<String> {
        let said = program("git").current_dir(tree).args(arguments).output()?;
        Ok(String::from_utf8_lossy(&said).trim().to_owned())
    };
    git(&["ls-files", "--error-unmatch", "Cargo.toml"])
        .map_err(|_| "there is no repository: OUTCROP_COMMIT and SOURCE_DATE_EPOCH must say what this is".to_owned())?;
    let commit = git(&["rev-parse", "HEAD"])?;
    let epoch = git(&["log", "-1", "--format=%ct"])?;
    let changes = git(&["--no-optional-locks", "status", "--porcelain"])?;
    let dirty = if changes.is_empty() { "" } else { "-dirty" };
    let epoch = epoch.parse().map_err(|_| format!("`{epoch}` is no time of a commit"))?;
    Ok((format!("{commit}{dirty}"), epoch))
}

fn date(epoch: u64, format: &str) -> Result<String> {
    let date = program("date").args(["-u", "-d", &format!("@{epoch}"), format]);
    Ok(String::from_utf8_lossy(&date.output()?).trim().to_owned())
}

fn version(tree: &Path) -> Result<String> {
    let id = cargo(["pkgid", "--package", "outcrop"]).current_dir(tree).output()?;
    let id = String::from_utf8_lossy(&id).trim().to_owned();
    // path+file:///…/crates/outcrop#0.1.0
    let version = id.rsplit(['#', '@']).next();
    version.map(str::to_owned).ok_or(format!("`{id}` has no version"))
}

//! The release build whose bytes don't tell where it was made.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::linked::Metadata;
use super::source::Source;
use crate::steps::{Result, cargo, program};

/// The compiler, and what it builds for: this machine, as the archive has what the binary itself writes.
pub(super) struct Toolchain {
    /// Such as `x86_64-unknown-linux-gnu`.
    pub(super) target: String,
    /// Such as `1.95.0`.
    pub(super) version: String,
    commit: String,
    sysroot: PathBuf,
}

impl Toolchain {
    /// Asks rustc.
    ///
    /// # Errors
    /// If it doesn't answer.
    pub(super) fn found() -> Result<Self> {
        let rustc = || program(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        let said = rustc().args(["-vV"]).output()?;
        let said = String::from_utf8_lossy(&said);
        let line = |name: &str| {
            let value = said.lines().find_map(|line| line.strip_prefix(name));
            value
                .map(str::to_owned)
                .ok_or(format!("rustc -vV doesn't say `{name}`"))
        };
        let sysroot = rustc().args(["--print", "sysroot"]).output()?;
        Ok(Self {
            target: line("host: ")?,
            version: line("release: ")?,
            commit: line("commit-hash: ")?,
            sysroot: PathBuf::from(String::from_utf8_lossy(&sysroot).trim()),
        })
    }

    /// What Lambda calls the processor.
    pub(super) fn lambda_architecture(&self) -> &str {
        match self.target.split('-').next() {
            Some("aarch64") => "arm64",
            Some(architecture) => architecture,
            None => &self.target,
        }
    }
}

/// Where the release build leaves its binary.
pub(super) fn binary(target_dir: &Path, toolchain: &Toolchain) -> PathBuf {
    target_dir.join(&toolchain.target).join("release/outcrop")
}

/// Builds the binary, and says where it is.
///
/// # Errors
/// If it doesn't build.
pub(super) fn build(
    tree: &Path,
    target_dir: &Path,
    source: &Source,
    toolchain: &Toolchain,
    environment: &[(&str, &str)],
) -> Result<PathBuf> {
    for (name, value) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_PROFILE_RELEASE_")) {
        println!("note: {name}={value}, so this is no release");
    }
    let folders = folders(tree, target_dir, toolchain)?;
    // With a target named, build scripts and macros, which run here, are built without these flags.
    let build = cargo([
        "build",
        "--release",
        "--locked",
        "--package",
        "outcrop",
        "--bin",
        "outcrop",
    ])
    .args(["--target", &toolchain.target, "--target-dir"])
    .args([target_dir])
    .current_dir(tree)
    .env("CARGO_ENCODED_RUSTFLAGS", rust_flags(&folders))
    .env("CFLAGS", c_flags(&folders)?)
    .env("CARGO_INCREMENTAL", "0")
    .env("SOURCE_DATE_EPOCH", source.epoch.to_string())
    .env("OUTCROP_COMMIT", &source.commit)
    .env("OUTCROP_COMMIT_DATE", &source.day);
    let build = environment
        .iter()
        .fold(build, |build, (name, value)| build.env(name, value));
    build.run()?;
    Ok(binary(target_dir, toolchain))
}

/// A folder of this machine, and what the binary shall call it.
type Folder = (PathBuf, String);

/// All that file names in messages of panics and in C's assertions may begin with. Later ones count first.
fn folders(tree: &Path, target_dir: &Path, toolchain: &Toolchain) -> Result<Vec<Folder>> {
    let metadata = Metadata::of(tree, &toolchain.target)?;
    // The registry's folder has another name where a mirror serves it.
    let registries: BTreeSet<PathBuf> = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_some())
        .filter_map(|package| Some(package.folder().parent()?.to_owned()))
        .collect();
    let mut folders = vec![
        (tree.to_owned(), "/outcrop".to_owned()),
        (target_dir.to_owned(), "/target".to_owned()),
    ];
    folders.extend(registries.into_iter().map(|folder| (folder, "/cargo".to_owned())));
    // Where the library's source is installed, rustc names its files there; elsewhere as they were called when it was
    // built.
    folders.push((
        toolchain.sysroot.join("lib/rustlib/src/rust"),
        format!("/rustc/{}", toolchain.commit),
    ));
    Ok(folders)
}

fn rust_flags(folders: &[Folder]) -> String {
    let remap = |(from, to): &Folder| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags: Vec<String> = folders.iter().map(remap).collect();
    // Some linkers make it of more than what they link.
    flags.push("-Clink-arg=-Wl,--build-id=none".to_owned());
    flags.join("\u{1f}")
}

/// For SQLite, jemalloc and ring, in whose makefiles a space would part a flag.
fn c_flags(folders: &[Folder]) -> Result<String> {
    let mut flags = Vec::new();
    for (from, to) in folders {
        let from = from.display().to_string();
        if from.contains(char::is_whitespace) {
            return Err(format!("a release can't be built in `{from}`, whose name has a space"));
        }
        flags.push(format!("-ffile-prefix-map={from}={to}"));
    }
    Ok(flags.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_get_names_that_are_the_same_everywhere() {
        let folders = [
            (PathBuf::from("/home/me/outcrop"), "/outcrop".to_owned()),
            (PathBuf::from("/home/me/outcrop/target"), "/target".to_owned()),
        ];
        assert_eq!(
            rust_flags(&folders),
            "--remap-path-prefix=/home/me/outcrop=/outcrop\u{1f}\
             --remap-path-prefix=/home/me/outcrop/target=/target\u{1f}-Clink-arg=-Wl,--build-id=none"
        );
        assert_eq!(
            c_flags(&folders).unwrap(),
            "-ffile-prefix-map=/home/me/outcrop=/outcrop -ffile-prefix-map=/home/me/outcrop/target=/target"
        );
        assert!(c_flags(&[(PathBuf::from("/my home"), "/outcrop".to_owned())]).is_err());
    }
}

//! What a release consists of: archives, the list of parts, licences, checksums. `docs/releases.md` says what for.
//!
//! All of it is made of the commit alone: no clock, no name of a folder or a user gets in, so that anybody can make the
//! same bytes again.

mod archive;
mod build;
mod licences;
mod linked;
mod sbom;
mod source;
mod verify;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::steps::{Result, program, root, target_dir};
use archive::Entry;
use build::Toolchain;
use linked::Linked;
use source::Source;

/// The largest binary, in bytes.
const LARGEST_BINARY: usize = 30_000_000;

/// The largest package for Lambda, in bytes.
const LARGEST_ZIP: usize = 15_000_000;

/// A shell, and how its completions are called in an archive.
const COMPLETIONS: [(&str, &str); 5] = [
    ("bash", "outcrop.bash"),
    ("zsh", "_outcrop"),
    ("fish", "outcrop.fish"),
    ("powershell", "_outcrop.ps1"),
    ("elvish", "outcrop.elv"),
];

/// Pages of the repository that go along, with what is deployed by them.
const PAGES: [&str; 3] = ["CHANGELOG.md", "LICENSE", "README.md"];

const THIRD_PARTIES: &str = "THIRD-PARTY-LICENSES.md";

pub(crate) fn run(arguments: &[String]) -> Result {
    let options = Options::parse(arguments)?;
    let source = Source::of(&root())?;
    let toolchain = Toolchain::found()?;
    let target_dir = target_dir()?;
    let out = match &options.out {
        Some(out) => out.clone(),
        None => target_dir.join("dist"),
    };
    if source.is_dirty() {
        println!("note: the tree differs from its commit, so this is no release");
    }
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None if options.skip_build => build::binary(&target_dir, &toolchain),
        None => build::build(&root(), &target_dir, &source, &toolchain, &[])?,
    };
    let says = String::from_utf8_lossy(&program(&binary).args(["-V"]).output()?)
        .trim()
        .to_owned();
    if says != source.line() {
        let message = format!("the binary says `{says}`, where the tree is `{}`", source.line());
        if options.binary.is_none() {
            return Err(message);
        }
        println!("note: {message}");
    }
    let job = Job {
        tree: &root(),
        source: &source,
        toolchain: &toolchain,
        binary: &binary,
    };
    job.pack(&out)?;
    if options.verify {
        verify::verify(&source, &toolchain, &target_dir, &out)?;
    }
    Ok(())
}

#[derive(Default)]
struct Options {
    out: Option<PathBuf>,
    binary: Option<PathBuf>,
    verify: bool,
    skip_build: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut path = || {
                let value = arguments.next().ok_or(format!("{argument} needs a path"))?;
                std::path::absolute(value).map_err(|error| format!("{value}: {error}"))
            };
            match argument.as_str() {
                "--out" => options.out = Some(path()?),
                "--binary" => options.binary = Some(path()?),
                "--verify" => options.verify = true,
                "--skip-build" => options.skip_build = true,
                _ => return Err(format!("unexpected argument `{argument}`")),
            }
        }
        if options.verify && options.binary.is_some() {
            return Err("--verify builds twice: a binary that was built elsewhere can't be verified".to_owned());
        }
        Ok(options)
    }
}

/// A binary to make a release of, and where it comes from.
struct Job<'a> {
    tree: &'a Path,
    source: &'a Source,
    toolchain: &'a Toolchain,
    binary: &'a Path,
}

impl Job<'_> {
    /// Makes all files, and says which.
    fn pack(&self, out: &Path) -> Result {
        let binary = read(self.binary)?;
        println!("\n  {:>10} bytes  the binary", binary.len());
        limit("binary", binary.len(), LARGEST_BINARY)?;
        let linked = Linked::of(self.tree, &self.toolchain.target)?;
        let third_parties = licences::page(self.tree, &linked)?;
        let name = format!("outcrop-{}-{}", self.source.version, self.toolchain.target);

        make(out)?;
        clear(out)?;
        let mut entries = self.entries(out, &third_parties)?;
        entries.push(Entry::program("outcrop", binary.clone()));
        let tarball = archive::tar_gz(&name, entries, self.source.epoch)?;

        let lambda = vec![
            Entry::program("bootstrap", binary),
            Entry::file("LICENSE", read(&self.tree.join("LICENSE"))?),
            Entry::file(THIRD_PARTIES, third_parties.into_bytes()),
        ];
        let zip = archive::zip(lambda)?;
        limit("package for Lambda", zip.len(), LARGEST_ZIP)?;

        let sbom = sbom::document(self.source, self.toolchain, &linked)?;
        let architecture = self.toolchain.lambda_architecture();
        let files = [
            (
                format!("outcrop-lambda-{}-{architecture}.zip", self.source.version),
                zip,
            ),
            (format!("{name}.cdx.json"), sbom.into_bytes()),
            (format!("{name}.tar.gz"), tarball),
        ];
        let mut sums = String::new();
        for (name, bytes) in files {
            sums += &format!("{}  {name}\n", hex(&Sha256::digest(&bytes)));
            println!("  {:>10} bytes  {}", bytes.len(), out.join(&name).display());
            write(&out.join(name), &bytes)?;
        }
        println!("  {:>10} bytes  {}", sums.len(), out.join("SHA256SUMS").display());
        write(&out.join("SHA256SUMS"), sums.as_bytes())
    }

    /// What is in the archive beside the binary.
    fn entries(&self, out: &Path, third_parties: &str) -> Result<Vec<Entry>> {
        let mut entries = vec![Entry::file(THIRD_PARTIES, third_parties.as_bytes().to_vec())];
        for page in PAGES {
            entries.push(Entry::file(page, read(&self.tree.join(page))?));
        }
        for (shell, file) in COMPLETIONS {
            let script = program(self.binary).args(["completions", shell]).output()?;
            entries.push(Entry::file(&format!("completions/{file}"), script));
        }
        let pages = out.join("pages");
        make(&pages)?;
        program(self.binary).args(["man"]).args([&pages]).output()?;
        for page in files_in(&pages)? {
            entries.push(Entry::file(&format!("man/man1/{}", file_name(&page)), read(&page)?));
        }
        std::fs::remove_dir_all(&pages).map_err(|error| format!("{}: {error}", pages.display()))?;
        let units = self.tree.join("deploy/systemd");
        if units.is_dir() {
            for unit in files_in(&units)? {
                entries.push(Entry::file(&format!("systemd/{}", file_name(&unit)), read(&unit)?));
            }
        }
        Ok(entries)
    }
}

/// Takes away what an earlier run has left, so that nobody publishes it with the rest.
fn clear(out: &Path) -> Result {
    for file in files_in(out)? {
        let name = file_name(&file);
        if name.starts_with("outcrop-") || name == "SHA256SUMS" {
            std::fs::remove_file(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    Ok(())
}

fn limit(what: &str, size: usize, largest: usize) -> Result {
    if size < largest {
        return Ok(());
    }
    Err(format!(
        "the {what} has {size} bytes, where it must have less than {largest}"
    ))
}

fn make(folder: &Path) -> Result {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result {
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

/// The files of a folder, without those below, in order.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_at_its_limit_is_too_much() {
        assert_eq!(limit("binary", 9, 10), Ok(()));
        assert_eq!(
            limit("binary", 10, 10),
            Err("the binary has 10 bytes, where it must have less than 10".to_owned())
        );
    }

    #[test]
    fn what_was_built_elsewhere_is_not_verified() {
        let parse = |line: &str| Options::parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(parse("--verify --out x").is_ok_and(|options| options.verify && options.out.is_some()));
        assert!(parse("--verify --binary x").is_err());
        assert!(parse("--out").is_err());
        assert!(parse("--fast").is_err());
    }
}

//! Builds once more, from a copy of the tree in another folder, and compares every byte.

use std::path::{Path, PathBuf};

use super::build::{self, Toolchain};
use super::source::Source;
use super::{Job, file_name, files_in, make, read};
use crate::steps::{Result, program, root};

/// What differs around the second build, and must not matter.
const ELSEWHERE: [(&str, &str); 2] = [("TZ", "Asia/Kathmandu"), ("LC_ALL", "C")];

/// Makes the release again, and says whether it is the same.
///
/// # Errors
/// If it isn't, or can't be made.
pub(super) fn verify(source: &Source, toolchain: &Toolchain, target_dir: &Path, first: &Path) -> Result {
    let folder = target_dir.join("dist-verify");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let tree = folder.join("the-same-tree-in-another-place");
    copy(&tree)?;
    let binary = build::build(&tree, &folder.join("built"), source, toolchain, &ELSEWHERE)?;
    let second = folder.join("dist");
    let job = Job {
        tree: &tree,
        source,
        toolchain,
        binary: &binary,
    };
    job.pack(&second)?;
    compare(first, &second)?;
    println!("\n  built twice, in two folders: the same bytes");
    Ok(())
}

/// Copies what git has or would take, which is all that a build may need.
fn copy(to: &Path) -> Result {
    let list = program("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let list = list.output()?;
    for name in list.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let name = std::str::from_utf8(name).map_err(|error| format!("a file's name: {error}"))?;
        let (from, to) = (root().join(name), to.join(name));
        // Removed, but not yet from git's list.
        if !from.is_file() {
            continue;
        }
        if let Some(folder) = to.parent() {
            make(folder)?;
        }
        std::fs::copy(&from, &to).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn compare(first: &Path, second: &Path) -> Result {
    let names = |folder: &Path| -> Result<Vec<String>> {
        let files: Vec<PathBuf> = files_in(folder)?;
        let names = files.iter().map(|file| file_name(file));
        Ok(names
            .filter(|name| name.starts_with("outcrop-") || name == "SHA256SUMS")
            .collect())
    };
    let (ours, theirs) = (names(first)?, names(second)?);
    if ours != theirs {
        return Err(format!("{ours:?} the first time, {theirs:?} the second"));
    }
    for name in ours {
        let (ours, theirs) = (read(&first.join(&name))?, read(&second.join(&name))?);
        if ours != theirs {
            let place = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
            let place = place.unwrap_or(ours.len().min(theirs.len()));
            return Err(format!(
                "{name} differs from byte {place} on; both are kept, the second in {}",
                second.display()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_differs_is_named() {
        let folder = std::env::temp_dir().join(format!("outcrop-verify-{}", std::process::id()));
        let (first, second) = (folder.join("first"), folder.join("second"));
        for place in [&first, &second] {
            make(place).unwrap();
            std::fs::write(place.join("outcrop-1.tar.gz"), "the same").unwrap();
            std::fs::write(place.join("a-file-of-the-user's"), place.to_str().unwrap()).unwrap();
        }
        assert_eq!(compare(&first, &second), Ok(()));
        std::fs::write(second.join("outcrop-1.tar.gz"), "the sane").unwrap();
        assert!(
            compare(&first, &second)
                .unwrap_err()
                .contains("outcrop-1.tar.gz differs from byte 6")
        );
        std::fs::write(second.join("outcrop-2.tar.gz"), "").unwrap();
        assert!(compare(&first, &second).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}

//! A folder for each instance, which is locked as long as the instance lives.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// The file that is locked.
const LOCK: &str = "lock";
/// What names of folders begin with that aren't locked yet.
const NEW: &str = "new-";
/// The folder for what can't be read.
pub(super) const DAMAGED: &str = "damaged";

/// The folder of an instance, locked.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Whoever has it open holds the lock.
    _lock: File,
}

/// Makes a folder, and those that it is in, that nobody else may look into: records tell who has asked what.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.recursive(true).create(path)
}

impl Folder {
    /// Makes a folder of its own below `root`.
    pub(super) fn create(root: &Path, name: &str) -> io::Result<Self> {
        // Nobody may take it for a dead instance's before it is locked.
        let new = root.join(format!("{NEW}{name}"));
        make_private(&new)?;
        let lock = open_lock(&new)?;
        lock.try_lock()?;
        let path = root.join(name);
        fs::rename(&new, &path)?;
        Ok(Self { path, _lock: lock })
    }

    /// The folders below `root` whose instances are dead, now locked.
    pub(super) fn adopt(root: &Path) -> io::Result<Vec<Self>> {
        let mut adopted = Vec::new();
        for entry in fs::read_dir(root)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name == DAMAGED || name.starts_with(NEW) || !path.is_dir() {
                continue;
            }
            match open_lock(&path).and_then(|lock| Ok(lock.try_lock().map(|()| lock)?)) {
                Ok(lock) => adopted.push(Self { path, _lock: lock }),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // It may have gone meanwhile.
                Err(error) => tracing::debug!(%error, path = %path.display(), "a folder of the journal"),
            }
        }
        Ok(adopted)
    }

    /// What the folder is called.
    pub(super) fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Takes an empty folder away; it stays where something is in it still.
    pub(super) fn remove(self) {
        if super::segment::list(&self.path).is_ok_and(|segments| segments.is_empty()) {
            let removed = fs::remove_file(self.path.join(LOCK)).and_then(|()| fs::remove_dir(&self.path));
            if let Err(error) = removed {
                tracing::debug!(%error, path = %self.path.display(), "a folder of the journal stays");
            }
        }
    }
}

fn open_lock(folder: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(LOCK))
}

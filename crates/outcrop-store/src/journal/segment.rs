//! Segments: files of one instance's folder that records are appended to, one after the other.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A segment is closed once it has so many bytes: what has arrived of it is sent again after a crash.
const SEGMENT_BYTES: u64 = 1024 * 1024;
/// What names of segments end with.
const EXTENSION: &str = "usage";

/// A place in the segments of a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    /// Number of the segment.
    pub(super) segment: u64,
    /// Byte in it.
    pub(super) offset: u64,
}

/// About how many bytes are between two places.
pub(super) fn between(from: Position, to: Position) -> u64 {
    let segments = to.segment.saturating_sub(from.segment);
    (segments.saturating_mul(SEGMENT_BYTES).saturating_add(to.offset)).saturating_sub(from.offset)
}

/// The path of a segment.
pub(super) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.{EXTENSION}"))
}

/// The numbers of the segments of a folder, in their order, with their lengths.
pub(super) fn list(folder: &Path) -> io::Result<Vec<(u64, u64)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        let is_segment = path.extension().is_some_and(|extension| extension == EXTENSION);
        if let (true, Some(number), Ok(metadata)) = (is_segment, number, entry.metadata()) {
            found.push((number, metadata.len()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// What stands in a segment from a position on, as far as `end`.
pub(super) fn read(folder: &Path, from: Position, end: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path(folder, from.segment))?;
    file.seek(SeekFrom::Start(from.offset))?;
    let mut bytes = Vec::new();
    file.take(end.saturating_sub(from.offset)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where records are appended.
#[derive(Debug)]
pub(super) struct Appender {
    folder: PathBuf,
    file: Option<Arc<File>>,
    end: Position,
}

impl Appender {
    /// Appends to an empty folder.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            file: None,
            end: Position::default(),
        }
    }

    /// Up to where it has written.
    pub(super) fn end(&self) -> Position {
        self.end
    }

    /// Writes bytes at the end, in one go, and gives the file that has them. Nothing of them is left where that fails.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<Arc<File>> {
        if self.end.offset >= SEGMENT_BYTES {
            self.close();
        }
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => {
                let path = path(&self.folder, self.end.segment);
                let file = Arc::new(OpenOptions::new().append(true).create(true).open(path)?);
                self.file = Some(Arc::clone(&file));
                file
            }
        };
        if let Err(error) = (&*file).write_all(bytes) {
            // A part of it may be there, which would be read as damage.
            if file.set_len(self.end.offset).is_err() {
                self.close();
            }
            return Err(error);
        }
        self.end.offset += bytes.len() as u64;
        Ok(file)
    }

    fn close(&mut self) {
        self.file = None;
        self.end = Position {
            segment: self.end.segment + 1,
            offset: 0,
        };
    }
}

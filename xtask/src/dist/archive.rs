//! Archives that are the same whenever and by whomever they are made: entries in order, one time, nobody's name.

use std::io::{Cursor, Write};

use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::steps::Result;

/// What a gzip says of the system it was made on: unknown.
const NO_SYSTEM: u8 = 255;

/// A file in an archive.
pub(super) struct Entry {
    path: String,
    mode: u32,
    bytes: Vec<u8>,
}

impl Entry {
    /// A file to read.
    pub(super) fn file(path: &str, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            mode: 0o644,
            bytes,
        }
    }

    /// A file to run.
    pub(super) fn program(path: &str, bytes: Vec<u8>) -> Self {
        Self {
            mode: 0o755,
            ..Self::file(path, bytes)
        }
    }
}

/// An archive of all entries below one folder.
///
/// # Errors
/// If a path is too long for one.
pub(super) fn tar_gz(folder: &str, mut entries: Vec<Entry>, epoch: u64) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| format!("the archive: {error}");
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(NO_SYSTEM)
        .write(Vec::new(), Compression::best());
    let mut archive = tar::Builder::new(gzip);
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(entry.mode);
        header.set_mtime(epoch);
        header.set_uid(0);
        header.set_gid(0);
        let path = format!("{folder}/{}", entry.path);
        archive
            .append_data(&mut header, path, entry.bytes.as_slice())
            .map_err(failed)?;
    }
    let gzip = archive.into_inner().map_err(failed)?;
    gzip.finish().map_err(failed)
}

/// An archive whose entries have the earliest time that there is in one: a zip knows no time zone.
///
/// # Errors
/// If it would be too large for one.
pub(super) fn zip(mut entries: Vec<Entry>) -> Result<Vec<u8>> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::default())
            .unix_permissions(entry.mode);
        archive
            .start_file(entry.path, options)
            .map_err(|error| format!("the zip: {error}"))?;
        archive
            .write_all(&entry.bytes)
            .map_err(|error| format!("the zip: {error}"))?;
    }
    let written = archive.finish().map_err(|error| format!("the zip: {error}"))?;
    Ok(written.into_inner())
}

//! From the file to the database, in batches, as often as it takes.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use outcrop_tenants::UsageRecord;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::folder::{DAMAGED, Folder};
use super::frame::{Found, Frames};
use super::segment::{self, Position};
use crate::StoreError;

/// Records of one transaction.
const BATCH: usize = 1000;
/// How long records gather before they are sent, unless somebody waits for them. They are in a file: it costs nothing but
/// that they are seen later, and each transaction writes pages once that all its records share.
const GATHER: Duration = Duration::from_millis(500);
/// The first and the longest pause before a batch is sent again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// After so many failures, while the database answers, its records are sent one by one.
const TRIES_TOGETHER: u32 = 4;

/// Where records are kept at last.
pub trait Sink: Send + Sync + 'static {
    /// Adds records. One that is there already, by its id, counts once.
    fn add(&self, records: &[UsageRecord]) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Whether it answers at all.
    fn answers(&self) -> impl Future<Output = bool> + Send;
}

/// Brings the records of folders to a database.
pub(super) struct Delivery<S> {
    pub(super) sink: S,
    /// The folder of all instances.
    pub(super) root: PathBuf,
    /// How large a folder may grow while the database is away, in bytes.
    pub(super) limit: u64,
    /// Told when somebody waits for records to arrive.
    pub(super) hurry: Arc<Notify>,
}

/// What is read of a segment.
struct Part {
    records: Vec<UsageRecord>,
    damaged: Vec<u8>,
}

impl<S: Sink> Delivery<S> {
    /// Delivers what an instance writes, until `closing` says that nothing more comes.
    pub(super) async fn follow(
        &self,
        folder: Folder,
        mut ends: watch::Receiver<Position>,
        mut closing: watch::Receiver<bool>,
        delivered: &watch::Sender<Position>,
    ) {
        let mut at = Position::default();
        loop {
            let end = *ends.borrow_and_update();
            if at < end {
                at = self.deliver_segment(&folder, at, end).await;
                delivered.send_replace(at);
                if at < end {
                    continue;
                }
            } else if *closing.borrow() {
                remove(&folder, at.segment);
                folder.remove();
                return;
            }
            tokio::select! {
                changed = ends.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    // Others come with it.
                    let _ = timeout(GATHER, self.hurry.notified()).await;
                }
                _ = closing.changed() => {}
            }
        }
    }

    /// Delivers what dead instances have left.
    pub(super) async fn adopt(&self) {
        let adopted = Folder::adopt(&self.root).unwrap_or_else(|error| {
            tracing::warn!(%error, path = %self.root.display(), "the journals of usage can't be listed");
            Vec::new()
        });
        for folder in adopted {
            let segments = segment::list(&folder.path).unwrap_or_default();
            if !segments.is_empty() {
                tracing::info!(path = %folder.path.display(), segments = segments.len(), "usage of an instance that has ended");
            }
            for (segment, _) in segments {
                let next = Position {
                    segment: segment + 1,
                    offset: 0,
                };
                self.deliver_segment(&folder, Position { segment, offset: 0 }, next)
                    .await;
            }
            folder.remove();
        }
    }

    /// Delivers one segment from a position on, and takes it away once it is closed and all of it has arrived. Gives
    /// how far it came.
    async fn deliver_segment(&self, folder: &Folder, from: Position, end: Position) -> Position {
        let is_closed = from.segment < end.segment;
        let next = match is_closed {
            true => Position {
                segment: from.segment + 1,
                offset: 0,
            },
            false => end,
        };
        match read(folder, from, end).await {
            Ok(part) => {
                if !part.damaged.is_empty() {
                    self.put_aside(folder, from.segment, &part.damaged);
                }
                for records in part.records.chunks(BATCH) {
                    if !self.send(folder, records, from.segment, is_closed).await {
                        break;
                    }
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                tracing::error!(%error, segment = from.segment, "a segment of the journal of usage can't be read");
                sleep(PAUSES.1).await;
                // Nothing says that it won't be readable later: it stays for whoever starts next.
                return next;
            }
        }
        if is_closed {
            remove(folder, from.segment);
        }
        next
    }

    /// Sends records until they have arrived; false where the segment was given up since too much waits behind it.
    async fn send(&self, folder: &Folder, records: &[UsageRecord], segment: u64, was_closed: bool) -> bool {
        let mut pause = PAUSES.0;
        let mut failures = 0;
        loop {
            let Err(error) = self.sink.add(records).await else {
                if failures > 0 {
                    tracing::info!("usage is written to the database again");
                }
                return true;
            };
            failures += 1;
            let waiting = total(folder);
            tracing::warn!(%error, failures, waiting_bytes = waiting, "usage can't be written to the database; it waits in the journal");
            // On a full disk nothing is refused for what it is: it waits.
            let is_refused = !error.is_of_storage() && (!error.is_temporary() || failures >= TRIES_TOGETHER);
            if is_refused && self.sink.answers().await {
                self.send_one_by_one(folder, records).await;
                return true;
            }
            // It may have been the last one when this began, and be followed by others since.
            let is_closed = was_closed || segment::path(&folder.path, segment + 1).exists();
            if waiting > self.limit && is_closed {
                tracing::error!(
                    waiting_bytes = waiting,
                    limit_bytes = self.limit,
                    records = records.len(),
                    "usage is lost: the journal has reached `usage_journal_limit`, and its oldest part is given up"
                );
                return false;
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// One record that the database refuses holds up no others.
    async fn send_one_by_one(&self, folder: &Folder, records: &[UsageRecord]) {
        for record in records {
            let mut sent = self.sink.add(std::slice::from_ref(record)).await;
            while let Err(error) = &sent
                && (error.is_of_storage() || !self.sink.answers().await)
            {
                sleep(PAUSES.1).await;
                sent = self.sink.add(std::slice::from_ref(record)).await;
            }
            if let Err(error) = sent {
                tracing::error!(%error, request_id = record.request_id, "the database refuses a record of usage, which is put aside");
                let mut bytes = Vec::new();
                super::frame::encode(record, &mut bytes);
                self.put_aside(folder, 0, &bytes);
            }
        }
    }

    /// Keeps what is of no use here, for people to look at.
    fn put_aside(&self, folder: &Folder, segment: u64, bytes: &[u8]) {
        let damaged = self.root.join(DAMAGED);
        let path = damaged.join(format!("{}-{segment:012}", folder.name()));
        tracing::warn!(bytes = bytes.len(), path = %path.display(), "a part of the journal of usage is no record, and is put aside");
        let open = || OpenOptions::new().append(true).create(true).open(&path);
        let kept = super::folder::make_private(&damaged)
            .and_then(|()| open())
            .and_then(|mut file| file.write_all(bytes));
        if let Err(error) = kept {
            tracing::warn!(%error, path = %path.display(), "it could not be kept");
        }
    }
}

/// Reads a part of a segment; of a closed one, all from there on.
async fn read(folder: &Folder, from: Position, end: Position) -> io::Result<Part> {
    let path = folder.path.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let end = if from.segment < end.segment {
            u64::MAX
        } else {
            end.offset
        };
        let bytes = segment::read(&path, from, end)?;
        let mut part = Part {
            records: Vec::new(),
            damaged: Vec::new(),
        };
        for found in Frames::new(&bytes) {
            match found {
                Found::Record(record) => part.records.push(*record),
                Found::Damage(bytes) | Found::Torn(bytes) => part.damaged.extend_from_slice(bytes),
            }
        }
        Ok(part)
    });
    reading.await.map_err(io::Error::other)?
}

/// How many bytes a folder has.
fn total(folder: &Folder) -> u64 {
    let segments = segment::list(&folder.path).unwrap_or_default();
    segments.iter().map(|(_, length)| length).sum()
}

fn remove(folder: &Folder, segment: u64) {
    match fs::remove_file(segment::path(&folder.path, segment)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(%error, segment, "a segment of the journal of usage stays; it is sent again");
        }
        _ => {}
    }
}

//! Usage on its way to the database: written behind the answers, and not lost when the process is killed.
//!
//! The end of a request hands its record over a channel to one thread, which collects for [`COLLECT`] and writes to a
//! file at once. What a `kill -9` loses is what the thread has not written yet: records of the last few milliseconds, and
//! never more than [`MAX_WAITING`] + [`MAX_BATCH`] of them. A task reads the files and brings the records to the
//! database, each once by its id, and takes away what has arrived. What an instance leaves behind that has ended is
//! brought there by the next one.

mod delivery;
mod direct;
mod folder;
mod frame;
mod segment;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use outcrop_tenants::UsageRecord;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval};

use self::delivery::Delivery;
pub use self::delivery::Sink;
pub use self::direct::Direct;
use self::folder::Folder;
pub use self::frame::{Found, Frames, encode};
use self::segment::{Appender, Position};
pub use self::writer::{COLLECT, MAX_BATCH, MAX_WAITING};
use self::writer::{Shared, Writer};
use crate::{Store, StoreError};

/// How often the disk is made to keep what was written. What a loss of power takes is what was written since.
pub const SYNC: Duration = Duration::from_secs(1);
/// How often folders of instances that have ended are looked for.
const ADOPT: Duration = Duration::from_secs(60);

/// Where the journal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// The folder below which each instance has its own.
    pub folder: PathBuf,
    /// The name of this instance's own folder, which no other has ever had.
    pub instance: String,
    /// How large it may grow while the database is away, in bytes.
    pub limit: u64,
}

/// Records of usage on their way. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    writer: Writer,
    delivered: watch::Receiver<Position>,
    hurry: Arc<Notify>,
    closing: watch::Sender<bool>,
    tasks: Vec<tokio::task::AbortHandle>,
}

impl Journal {
    /// Starts it, and brings to `sink` what instances have left that have ended.
    ///
    /// # Errors
    /// When the folder can't be made or written.
    pub fn start(config: JournalConfig, sink: impl Sink) -> io::Result<Self> {
        folder::make_private(&config.folder)?;
        let folder = Folder::create(&config.folder, &config.instance)?;
        let writer = Writer::start(Appender::new(folder.path.clone()))?;
        let (delivered_sender, delivered) = watch::channel(Position::default());
        let (closing, is_closing) = watch::channel(false);
        let hurry = Arc::new(Notify::new());
        let delivery = Arc::new(Delivery {
            sink,
            root: config.folder,
            limit: config.limit,
            hurry: Arc::clone(&hurry),
        });
        let ends = writer.shared().ends();
        let following = Arc::clone(&delivery);
        // It ends by itself once the journal is closed.
        tokio::spawn(async move { following.follow(folder, ends, is_closing, &delivered_sender).await });
        let adopting = tokio::spawn(async move {
            let mut times = interval(ADOPT);
            times.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                times.tick().await;
                delivery.adopt().await;
            }
        });
        let syncing = tokio::spawn(sync(Arc::clone(writer.shared())));
        Ok(Self(Arc::new(Inner {
            writer,
            delivered,
            hurry,
            closing,
            tasks: vec![adopting.abort_handle(), syncing.abort_handle()],
        })))
    }

    /// Takes a record. It never waits for a disk that is slow, nor for the database.
    pub fn record(&self, record: UsageRecord) {
        self.0.writer.record(record);
    }

    /// About how many bytes are in the journal that aren't in the database yet: exact within one file, and to a file's
    /// length beyond.
    pub fn backlog(&self) -> u64 {
        let end = self.0.writer.shared().end();
        let delivered = *self.0.delivered.borrow();
        segment::between(delivered, end)
    }

    /// Waits until all records so far are in the journal.
    pub async fn flush(&self) {
        self.0.writer.flush().await;
    }

    /// Waits until all records so far are in the database.
    pub async fn deliver(&self) {
        self.flush().await;
        let end = self.0.writer.shared().end();
        let mut delivered = self.0.delivered.clone();
        if *delivered.borrow_and_update() < end {
            self.0.hurry.notify_one();
            // Without the task nobody would bring them.
            let _ = delivered.wait_for(|delivered| *delivered >= end).await;
        }
    }

    /// Brings all to the database within a time, or leaves it in the journal for the next start. Nothing may be
    /// recorded after it.
    pub async fn close(&self, patience: Duration) {
        let delivered = tokio::time::timeout(patience, self.deliver()).await;
        self.0.writer.shared().sync();
        match delivered {
            Ok(()) => {
                self.0.closing.send_replace(true);
                let gone = async {
                    let mut delivered = self.0.delivered.clone();
                    while delivered.changed().await.is_ok() {}
                };
                let _ = tokio::time::timeout(patience, gone).await;
            }
            Err(_) => tracing::warn!("usage that isn't in the database yet waits in the journal for the next start"),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn sync(shared: Arc<Shared>) {
    let mut times = interval(SYNC);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        times.tick().await;
        let shared = Arc::clone(&shared);
        if tokio::task::spawn_blocking(move || shared.sync()).await.is_err() {
            return;
        }
    }
}

impl Sink for Store {
    async fn add(&self, records: &[UsageRecord]) -> Result<u64, StoreError> {
        self.add_usage(records).await
    }

    async fn answers(&self) -> bool {
        self.ping().await.is_ok()
    }
}

//! From the ends of requests to the file: one thread, which writes all that has come in a few milliseconds at once.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use outcrop_tenants::UsageRecord;
use tokio::sync::{oneshot, watch};

use super::frame;
use super::segment::{Appender, Position};

/// Records that may wait for the thread.
pub const MAX_WAITING: usize = 8192;
/// Records of one write.
pub const MAX_BATCH: usize = 1024;
/// How long the thread collects.
pub const COLLECT: Duration = Duration::from_millis(5);
/// Records that are kept in memory while the file can't be written, as where the disk is full.
const MAX_HELD: usize = 100_000;
/// How long somebody who writes by himself waits for his turn, a millisecond at a time.
const MAX_TRIES: u32 = 100;
/// The longest pause before a write is tried again.
const MAX_PAUSE: Duration = Duration::from_secs(2);

enum Message {
    Record(Box<UsageRecord>),
    /// Whoever waits until all that came before it is written.
    Flush(oneshot::Sender<()>),
}

/// Where records go.
#[derive(Debug)]
pub(super) struct Writer {
    sender: SyncSender<Message>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    appender: Mutex<Appender>,
    /// What could not be written yet.
    held: Mutex<Vec<UsageRecord>>,
    /// Files that have something that may not be on the disk yet.
    unsynced: Mutex<Vec<Arc<File>>>,
    end: watch::Sender<Position>,
}

impl Writer {
    pub(super) fn start(appender: Appender) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(MAX_WAITING);
        let shared = Arc::new(Shared {
            appender: Mutex::new(appender),
            held: Mutex::default(),
            unsynced: Mutex::default(),
            end: watch::Sender::default(),
        });
        let of_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("usage-journal".to_owned())
            .spawn(move || of_thread.run(&receiver))?;
        Ok(Self { sender, shared })
    }

    /// Takes a record. If too many wait, it is written here and now.
    pub(super) fn record(&self, record: UsageRecord) {
        match self.sender.try_send(Message::Record(Box::new(record))) {
            Ok(()) => {}
            Err(TrySendError::Full(Message::Record(record)) | TrySendError::Disconnected(Message::Record(record))) => {
                self.shared.write_now(*record);
            }
            Err(_) => {}
        }
    }

    /// Waits until all that came before is in the file.
    pub(super) async fn flush(&self) {
        let (sender, written) = oneshot::channel();
        let mut message = Message::Flush(sender);
        loop {
            message = match self.sender.try_send(message) {
                Ok(()) => break,
                Err(TrySendError::Full(message)) => message,
                Err(TrySendError::Disconnected(_)) => return,
            };
            tokio::time::sleep(COLLECT).await;
        }
        // A thread that is gone has written what it had.
        let _ = written.await;
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Shared {
    /// Up to where the file has records, as it grows.
    pub(super) fn ends(&self) -> watch::Receiver<Position> {
        self.end.subscribe()
    }

    /// Up to where the file has records.
    pub(super) fn end(&self) -> Position {
        *self.end.borrow()
    }

    /// Has the disk keep what was written so far.
    pub(super) fn sync(&self) {
        let files = std::mem::take(&mut *lock(&self.unsynced));
        for file in files {
            if let Err(error) = file.sync_data() {
                tracing::warn!(%error, "the journal of usage could not be synced to the disk");
            }
        }
    }

    fn run(&self, receiver: &Receiver<Message>) {
        let mut bytes = Vec::new();
        let mut flushes = Vec::new();
        let mut is_pressed = false;
        // It ends when nobody is left who could send.
        while let Ok(first) = receiver.recv() {
            if !is_pressed {
                thread::sleep(COLLECT);
            }
            let mut taken = 0;
            let mut message = Some(first);
            while let Some(next) = message.take() {
                match next {
                    Message::Record(record) => frame::encode(&record, &mut bytes),
                    Message::Flush(sender) => flushes.push(sender),
                }
                taken += 1;
                if taken < MAX_BATCH {
                    message = receiver.try_recv().ok();
                }
            }
            is_pressed = taken == MAX_BATCH;
            self.write_until_it_works(&mut bytes);
            for flush in flushes.drain(..) {
                let _ = flush.send(());
            }
        }
    }

    fn write_until_it_works(&self, bytes: &mut Vec<u8>) {
        let mut pause = Duration::from_millis(50);
        loop {
            for record in std::mem::take(&mut *lock(&self.held)) {
                frame::encode(&record, bytes);
            }
            let written = match bytes.is_empty() {
                true => Ok(()),
                false => self.append(&mut lock(&self.appender), bytes),
            };
            match written {
                Ok(()) => {
                    bytes.clear();
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "the journal of usage can't be written; records wait in memory");
                    thread::sleep(pause);
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }

    fn append(&self, appender: &mut Appender, bytes: &[u8]) -> io::Result<()> {
        let file = appender.append(bytes)?;
        let mut unsynced = lock(&self.unsynced);
        if !unsynced.last().is_some_and(|last| Arc::ptr_eq(last, &file)) {
            unsynced.push(file);
        }
        drop(unsynced);
        self.end.send_replace(appender.end());
        Ok(())
    }

    /// Writes one record without the thread. If that can't be done soon, it is held for the thread.
    fn write_now(&self, record: UsageRecord) {
        let mut bytes = Vec::new();
        frame::encode(&record, &mut bytes);
        for _ in 0..MAX_TRIES {
            let mut appender = match self.appender.try_lock() {
                Ok(appender) => appender,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    thread::sleep(Duration::from_millis(1));
                    continue;
                }
            };
            if self.append(&mut appender, &bytes).is_ok() {
                return;
            }
            break;
        }
        let mut held = lock(&self.held);
        if held.len() < MAX_HELD {
            held.push(record);
        } else {
            tracing::error!(
                request_id = record.request_id,
                key_id = record.key_id,
                cost = ?record.cost,
                "a record of usage is lost: the journal can't be written, and too many wait in memory"
            );
        }
    }
}

/// What is behind a mutex. A panic elsewhere leaves nothing half done behind any of them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

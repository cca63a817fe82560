//! Usage on its way to a database in memory, which outlives nothing that a journal would.

use std::time::Duration;

use outcrop_tenants::UsageRecord;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::Sink;

/// Records of one transaction.
const BATCH: usize = 500;
/// The pause before a batch is tried again.
const PAUSE: Duration = Duration::from_millis(200);
/// How often it is tried.
const TRIES: u32 = 5;

enum Message {
    Record(Box<UsageRecord>),
    Flush(oneshot::Sender<()>),
}

/// Records of usage on their way, without a journal. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Direct(mpsc::UnboundedSender<Message>);

impl Direct {
    /// Starts it.
    #[must_use]
    pub fn start(sink: impl Sink) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(deliver(sink, receiver));
        Self(sender)
    }

    /// Takes a record.
    pub fn record(&self, record: UsageRecord) {
        // Without the task the runtime is gone, and the database with it.
        let _ = self.0.send(Message::Record(Box::new(record)));
    }

    /// Waits until all records so far are in the database.
    pub async fn deliver(&self) {
        let (sender, delivered) = oneshot::channel();
        if self.0.send(Message::Flush(sender)).is_ok() {
            let _ = delivered.await;
        }
    }
}

async fn deliver(sink: impl Sink, mut receiver: mpsc::UnboundedReceiver<Message>) {
    let mut messages = Vec::new();
    while receiver.recv_many(&mut messages, BATCH).await > 0 {
        let (mut records, mut flushes) = (Vec::new(), Vec::new());
        for message in messages.drain(..) {
            match message {
                Message::Record(record) => records.push(*record),
                Message::Flush(sender) => flushes.push(sender),
            }
        }
        for tried in 1..=TRIES {
            let Err(error) = sink.add(&records).await else { break };
            tracing::error!(%error, tried, records = records.len(), "usage can't be written to the database in memory");
            sleep(PAUSE).await;
        }
        for flush in flushes {
            let _ = flush.send(());
        }
    }
}

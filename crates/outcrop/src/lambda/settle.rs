//! Writes down what a request leaves behind, before the process may be frozen.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use outcrop_server::{KeptAnswers, Limits, Meter};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is left of an invocation's time at the end for the answer's last bytes.
const RESERVE: Duration = Duration::from_millis(300);
/// The least time for the database, however late it is.
const LEAST: Duration = Duration::from_millis(100);

/// When Lambda ends the invocation; `None` if nobody knows.
pub(super) type Until = Option<SystemTime>;

/// Writes down what requests leave behind.
pub(super) struct Settler {
    meter: Meter,
    limits: Arc<Limits>,
    kept: KeptAnswers,
    /// What goes on although its answer is over.
    aside: Mutex<Option<JoinHandle<()>>>,
}

impl Settler {
    pub(super) fn new(meter: Meter, limits: Arc<Limits>, kept: KeptAnswers) -> Arc<Self> {
        Arc::new(Self {
            meter,
            limits,
            kept,
            aside: Mutex::default(),
        })
    }

    /// Waits until all that was left behind so far is where it belongs, but not past the end of the invocation. Records
    /// of usage that the database doesn't take in time stay in the journal, and are brought there with the next ones.
    pub(super) async fn settle(self: Arc<Self>, until: Until) {
        let left = until.map(|until| until.duration_since(SystemTime::now()).unwrap_or_default());
        let patience = left.map_or(PATIENCE, |left| left.saturating_sub(RESERVE).clamp(LEAST, PATIENCE));
        let work = async {
            self.meter.flush().await;
            tokio::join!(self.meter.deliver(), self.limits.told());
        };
        // An answer that isn't kept costs another call, and is worth no word.
        let (settled, _) = tokio::join!(timeout(patience, work), timeout(patience, self.kept.written()));
        if settled.is_err() {
            tracing::warn!(
                ?patience,
                "usage could not be brought to the database in time; it waits on this instance's disk, and is lost if \
                 Lambda ends the instance before its next request"
            );
        }
        // Lines of metrics go to stdout; those of the log, on stderr, are written at once.
        let _ = io::stdout().flush();
    }

    /// The same for an answer that nobody waits for. The next request does.
    pub(super) fn settle_aside(self: &Arc<Self>, until: Until) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let task = runtime.spawn(Arc::clone(self).settle(until));
        *self.aside() = Some(task);
    }

    /// Waits for what answers have left behind that nobody took to their end.
    pub(super) async fn finish(&self) {
        let aside = self.aside().take();
        if let Some(task) = aside {
            let _ = task.await;
        }
    }

    fn aside(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        // A panic elsewhere leaves nothing half done here.
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

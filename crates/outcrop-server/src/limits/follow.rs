//! Takes over, about each second, what the database has of what was spent.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use outcrop_store::{SpendScope, SpendTotal, Store, StoreError};
use outcrop_tenants::limits::{Scope, Spent, Sum};
use tokio::time::{Instant, sleep, timeout};

use super::Limits;
use crate::meter::Meter;

/// How often the sums are read.
const PAUSE: Duration = Duration::from_secs(1);
/// Reading takes at most the part of the time that has this under the line.
const SHARE: u32 = 20;
/// How long all that was settled may take to reach the database, before the sums are read nevertheless.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often all sums are read, whether they have changed or not: in case that somebody has changed them by other means,
/// such as putting back a backup.
const WHOLE: Duration = Duration::from_secs(60);
/// Seconds of the shortest period.
const DAY: i64 = 86_400;
/// How often gates are looked for that nobody needs.
const SWEEP: Duration = Duration::from_secs(10);

/// Up to where sums were read.
#[derive(Clone, Copy, Debug)]
struct Seen {
    version: i64,
    /// The day for which they were read.
    day: i64,
    /// When all of them were.
    whole: Instant,
}

impl Limits {
    /// Takes over what the database has, at once and from then on about each second, for as long as there is anybody who
    /// asks these limits. `meter` brings there what these calls leave behind.
    ///
    /// # Errors
    /// If the database doesn't answer at first.
    pub async fn follow(self: &Arc<Self>, store: Store, meter: Meter) -> Result<(), StoreError> {
        // Of what was settled so far nothing may have arrived.
        let mut reached = 0;
        let mut seen = None;
        self.take_over(&store, &mut seen, reached).await?;
        let limits = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut is_told = false;
            let mut pause = PAUSE;
            loop {
                sleep(pause).await;
                let Some(limits) = limits.upgrade() else { return };
                let settled = limits.marks.load(Ordering::Acquire);
                if timeout(PATIENCE, meter.deliver()).await.is_ok() {
                    reached = settled;
                }
                let began = Instant::now();
                match limits.take_over(&store, &mut seen, reached).await {
                    Ok(()) => is_told = false,
                    Err(error) => {
                        if !std::mem::replace(&mut is_told, true) {
                            tracing::warn!(
                                %error,
                                "what was spent can't be read from the database; budgets go on with what this instance knows"
                            );
                        }
                    }
                }
                pause = PAUSE.max(began.elapsed() * SHARE);
            }
        });
        Ok(())
    }

    async fn take_over(&self, store: &Store, seen: &mut Option<Seen>, reached: u64) -> Result<(), StoreError> {
        let now = self.now().seconds;
        let day = now.div_euclid(DAY);
        // Sums of a day that has just begun may be older than what was seen last.
        let before = seen.filter(|seen| seen.day == day && seen.whole.elapsed() < WHOLE);
        let began = Instant::now();
        let changes = store.spend_since(before.map(|seen| seen.version), now).await?;
        let sums = changes.totals.into_iter().map(sum);
        if changes.is_whole {
            self.own.take_over(sums, now, reached);
        } else {
            self.own.take_over_changes(sums, now, reached);
        }
        *seen = Some(Seen {
            version: changes.version,
            day,
            whole: before.filter(|_| !changes.is_whole).map_or(began, |seen| seen.whole),
        });
        Ok(())
    }

    /// What is known here of what was spent by one of them, in the periods of its budgets. Nothing, if none of its calls
    /// has passed lately.
    pub(crate) fn spent_of(&self, scope: Scope, id: &str) -> Vec<Spent> {
        self.own.spent_of(scope, id)
    }
}

fn sum(total: SpendTotal) -> Sum {
    Sum {
        scope: match total.scope {
            SpendScope::Organization => Scope::Organization,
            SpendScope::Project => Scope::Project,
            SpendScope::Key => Scope::Key,
        },
        id: total.id.into(),
        period: total.period,
        start: total.start,
        spent: total.spent,
    }
}

/// Drops gates that nobody needs, for as long as there are limits.
pub(super) fn sweep(limits: Weak<Limits>) {
    tokio::spawn(async move {
        loop {
            sleep(SWEEP).await;
            let Some(limits) = limits.upgrade() else { return };
            limits.own.sweep(limits.now());
        }
    });
}

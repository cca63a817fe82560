//! Takes over, about each second, what the database has of what was spent.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use outcrop_store::{SpendScope, SpendTotal, Store, StoreError};
use outcrop_tenants::limits::{Scope, Sum};
use tokio::time::{Instant, sleep, timeout};

use super::Limits;
use crate::meter::Meter;

/// How often the sums are read.
const PAUSE: Duration = Duration::from_secs(1);
/// Reading takes at most the part of the time that has this under the line.
const SHARE: u32 = 20;
/// How long all that was settled may take to reach the database, before the sums are read nevertheless.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often gates are looked for that nobody needs.
const SWEEP: Duration = Duration::from_secs(10);

impl Limits {
    /// Takes over what the database has, at once and from then on about each second, for as long as there is anybody who
    /// asks these limits. `meter` brings there what these calls leave behind.
    ///
    /// # Errors
    /// If the database doesn't answer at first.
    pub async fn follow(self: &Arc<Self>, store: Store, meter: Meter) -> Result<(), StoreError> {
        // Of what was settled so far nothing may have arrived.
        let mut reached = 0;
        self.take_over(&store, reached).await?;
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
                match limits.take_over(&store, reached).await {
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

    async fn take_over(&self, store: &Store, reached: u64) -> Result<(), StoreError> {
        let now = self.now().seconds;
        let totals = store.spend(now).await?;
        self.own.take_over(totals.into_iter().map(sum), now, reached);
        Ok(())
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

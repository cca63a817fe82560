//! Takes over what changes in the database, whoever changes it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::Tenants;

/// The pause after a database that didn't answer.
const PAUSE: Duration = Duration::from_millis(500);

/// A task that watches; it ends with this.
#[derive(Debug)]
pub(super) struct Watching(JoinHandle<()>);

impl Watching {
    /// Watches the database of `tenants`, where there is one.
    pub(super) fn start(tenants: &Arc<Tenants>) -> Option<Self> {
        let mut changes = tenants.store.as_ref()?.changes();
        let tenants = Arc::downgrade(tenants);
        Some(Self(tokio::spawn(async move {
            let mut is_away = false;
            while changes.changed().await.is_ok() {
                loop {
                    let Some(tenants) = tenants.upgrade() else { return };
                    match tenants.refresh().await {
                        Ok(()) if is_away => {
                            tracing::info!("the database answers again");
                            is_away = false;
                            break;
                        }
                        Ok(()) => break,
                        Err(error) => {
                            if !std::mem::replace(&mut is_away, true) {
                                tracing::warn!(%error, "changes of keys can't be read; those that are known go on");
                            }
                        }
                    }
                    drop(tenants);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        })))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

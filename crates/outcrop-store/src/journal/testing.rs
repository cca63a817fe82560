//! Records, a place to write to, and a database that can be away.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use outcrop_tenants::{Money, TokenCounts, UsageRecord};

use super::{JournalConfig, Sink};
use crate::StoreError;

/// A record with a number.
pub(super) fn record(number: u64) -> UsageRecord {
    UsageRecord {
        id: format!("{number:032x}"),
        request_id: format!("req-{number}"),
        at: 1_700_000_000_000,
        model: "größe".to_owned(),
        tokens: TokenCounts {
            input: number,
            output: 7,
            ..TokenCounts::default()
        },
        cost: Some(Money::from_nanos(1_234_567 + i64::try_from(number).unwrap())),
        status: 200,
        ..UsageRecord::default()
    }
}

/// A folder that goes with the test.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("outcrop-journal-{:032x}", fastrand::u128(..)));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn config(&self, instance: &str) -> JournalConfig {
        JournalConfig {
            folder: self.0.clone(),
            instance: instance.to_owned(),
            limit: u64::MAX,
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A database.
#[derive(Clone, Default)]
pub(super) struct Fake(pub(super) Arc<State>);

#[derive(Default)]
pub(super) struct State {
    pub(super) records: Mutex<BTreeMap<String, UsageRecord>>,
    pub(super) is_away: AtomicBool,
    /// Whether it can be read, but not written.
    pub(super) is_full: AtomicBool,
    pub(super) refused: AtomicUsize,
    /// The id of a record that it refuses.
    pub(super) poison: Mutex<Option<String>>,
}

impl Fake {
    pub(super) fn set_away(&self, is_away: bool) {
        self.0.is_away.store(is_away, Ordering::SeqCst);
    }

    pub(super) fn len(&self) -> usize {
        self.0.records.lock().unwrap().len()
    }
}

impl Sink for Fake {
    async fn add(&self, records: &[UsageRecord]) -> Result<u64, StoreError> {
        if self.0.is_full.load(Ordering::SeqCst) {
            self.0.refused.fetch_add(1, Ordering::SeqCst);
            let full = std::io::ErrorKind::StorageFull;
            return Err(StoreError::Database(sqlx::Error::Io(full.into())));
        }
        let poison = self.0.poison.lock().unwrap().clone();
        let is_poisoned = records.iter().any(|record| Some(&record.id) == poison.as_ref());
        if self.0.is_away.load(Ordering::SeqCst) || is_poisoned {
            self.0.refused.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Database(sqlx::Error::PoolTimedOut));
        }
        let mut kept = self.0.records.lock().unwrap();
        let before = kept.len();
        kept.extend(records.iter().map(|record| (record.id.clone(), record.clone())));
        Ok((kept.len() - before) as u64)
    }

    async fn answers(&self) -> bool {
        !self.0.is_away.load(Ordering::SeqCst)
    }
}

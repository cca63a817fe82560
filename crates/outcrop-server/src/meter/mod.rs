//! What each request that asks a model leaves behind: its tokens and what they cost, for the database, for budgets and
//! for the log.
//!
//! [`Tally`] notes what a request asks of models while it is under way; [`Bill`] is what that comes to when the request
//! is over, and [`Meter`] is where the record goes then.

mod bill;
mod called;
mod endpoint;
mod tally;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outcrop_store::journal::{Direct, Journal};
use outcrop_tenants::UsageRecord;
use outcrop_translate::resolve::geographies;

pub(crate) use bill::{Bill, End};
pub(crate) use called::{Called, Prompt};
pub(crate) use endpoint::Metered;
pub(crate) use tally::Tally;

use crate::exchange::Gateway;

/// Where records of usage go. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub enum Meter {
    /// Nowhere: there is no database.
    #[default]
    Off,
    /// To a database in memory, without a journal.
    Memory(Direct),
    /// By the journal to a database.
    Journal(Journal),
}

impl Meter {
    /// Takes a record. It never waits.
    pub(crate) fn record(&self, record: UsageRecord) {
        match self {
            Self::Off => {}
            Self::Memory(direct) => direct.record(record),
            Self::Journal(journal) => journal.record(record),
        }
    }

    /// About how many bytes of records are on their way to the database; `None` where there is no journal.
    pub(crate) fn backlog(&self) -> Option<u64> {
        match self {
            Self::Journal(journal) => Some(journal.backlog()),
            Self::Off | Self::Memory(_) => None,
        }
    }

    /// Waits until all records so far would outlive the process: they are in the journal.
    pub async fn flush(&self) {
        match self {
            Self::Off => {}
            Self::Memory(direct) => direct.deliver().await,
            Self::Journal(journal) => journal.flush().await,
        }
    }

    /// Waits until all records so far are in the database.
    pub async fn deliver(&self) {
        match self {
            Self::Off => {}
            Self::Memory(direct) => direct.deliver().await,
            Self::Journal(journal) => journal.deliver().await,
        }
    }

    /// Brings all to the database within a time; what is left then waits in the journal. Nothing may be recorded after
    /// it.
    pub async fn close(&self, patience: Duration) {
        match self {
            Self::Off => {}
            Self::Memory(direct) => {
                let _ = tokio::time::timeout(patience, direct.deliver()).await;
            }
            Self::Journal(journal) => journal.close(patience).await,
        }
    }
}

/// What the record of a request needs to tell what it cost.
#[derive(Debug)]
pub(crate) struct Metering {
    gateway: Arc<Gateway>,
    tally: Arc<Tally>,
    metered: Metered,
}

impl Metering {
    /// None for a path that asks no model.
    pub(crate) fn new(gateway: &Arc<Gateway>, tally: &Arc<Tally>, path: &str) -> Option<Self> {
        Some(Self {
            gateway: Arc::clone(gateway),
            tally: Arc::clone(tally),
            metered: Metered::of(path)?,
        })
    }

    /// Calls were answered.
    pub(crate) fn answered<'c>(&self, calls: impl Iterator<Item = &'c Arc<Called>>) {
        calls.for_each(|called| self.tally.answered(called));
    }

    /// What the request has cost that ends so.
    pub(crate) fn bill(&self, end: &End<'_>) -> Bill {
        Bill::of(&self.gateway, &self.tally, end)
    }

    /// Whether a model is one that stands in the catalogue, and not a name of the client's making.
    pub(crate) fn is_known(&self, model_id: &str, region: &str) -> bool {
        let catalogue = &self.gateway.config.catalogue;
        let Some(base) = catalogue.base_id(model_id) else {
            return false;
        };
        let before = model_id.strip_suffix(base).unwrap_or_default();
        let is_plain = match before.strip_suffix('.') {
            Some(geography) => geography == "global" || geographies(region).contains(&geography),
            None => before.is_empty(),
        };
        is_plain && catalogue.model(base).is_some()
    }

    /// What the request leaves behind; `record` has what its own record knows.
    pub(crate) fn leave(self, bill: &Bill, end: &End<'_>, mut record: UsageRecord) -> Left {
        let told = self.tally.take_told();
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        record.id = format!("{:032x}", fastrand::u128(..));
        record.at = since_1970.map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX));
        record.endpoint = self.metered.endpoint.to_owned();
        record.operation = self.metered.operation.to_owned();
        record.model = told.asked;
        if let Some(user) = told.user {
            record.user = user;
        }
        record.base_model = self.tally.meant_id().unwrap_or_default();
        let last = self.tally.last();
        if let Some(called) = end.called.or(last.as_ref()) {
            called.describe(&mut record);
        }
        // What was asked for need not be what was given.
        if end.is_answered && end.untold.choices == 0 {
            end.usage.served.tier.name().clone_into(&mut record.tier);
        }
        record.tokens = bill.tokens;
        record.cost = bill.cost;
        record.cache_savings = bill.savings;
        record.estimate = bill.estimate;
        Left {
            record,
            gateway: self.gateway,
        }
    }
}

/// What a request leaves behind.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) record: UsageRecord,
    gateway: Arc<Gateway>,
}

impl Left {
    /// Brings it on its way to the database, where there is one.
    pub(crate) fn hand_over(self) {
        self.gateway.config.meter.record(self.record);
    }
}

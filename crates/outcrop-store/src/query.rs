//! Questions about usage.

use outcrop_tenants::{Id, Money, Period, TokenCounts};

/// Which records, or which keys; what is `None` is any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before: milliseconds since 1970.
    pub from: Option<i64>,
    /// Before: milliseconds since 1970.
    pub until: Option<i64>,
    /// Of this organization.
    pub organization_id: Option<Id>,
    /// Of these projects; all if there are none.
    pub project_ids: Vec<Id>,
    /// Of these keys.
    pub key_ids: Vec<Id>,
    /// Of these users.
    pub users: Vec<String>,
    /// Of these models, by any of their three names.
    pub models: Vec<String>,
    /// Of these operations.
    pub operations: Vec<String>,
    /// With this id of a request.
    pub request_id: Option<String>,
}

/// What sums are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupBy {
    /// Organization id.
    Organization,
    /// Project id.
    Project,
    /// Key id.
    Key,
    /// User.
    User,
    /// The catalogue's name of the model.
    Model,
    /// The model as Bedrock was asked.
    CalledModel,
    /// Operation.
    Operation,
    /// Region.
    Region,
    /// Account.
    Account,
    /// Service tier.
    Tier,
    /// Endpoint.
    Endpoint,
}

/// A slot of time that sums are made for. Slots of 15 minutes fit into the hours and days of every time zone; whoever
/// asks adds them up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// All in one.
    Whole,
    /// A minute.
    Minute,
    /// A quarter of an hour.
    Quarter,
    /// A day of UTC.
    Day,
}

/// Which sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageQuery {
    /// Of which records.
    pub filter: Filter,
    /// By time.
    pub bucket: Bucket,
    /// By what else.
    pub group_by: Vec<GroupBy>,
}

/// A sum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UsageRow {
    /// When its slot begins, in milliseconds since 1970; 0 where there is but one.
    pub start: i64,
    /// What it is grouped by, in the order of the question.
    pub group: Vec<String>,
    /// How many requests.
    pub requests: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How many were answered by the gateway's own cache.
    pub cache_hits: u64,
    /// How many have estimated tokens.
    pub estimated: u64,
    /// How many have no price.
    pub unpriced: u64,
    /// Tokens.
    pub tokens: TokenCounts,
    /// What it cost.
    pub cost: Money,
    /// What Bedrock's prompt cache saved.
    pub cache_savings: Money,
}

/// What a sum of a budget is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpendScope {
    /// An organization.
    Organization,
    /// A project.
    Project,
    /// A key.
    Key,
}

/// What was spent in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendTotal {
    /// Of what.
    pub scope: SpendScope,
    /// Its id.
    pub id: Id,
    /// The period.
    pub period: Period,
    /// When it began, in seconds since 1970.
    pub start: i64,
    /// How much.
    pub spent: Money,
}

/// What has changed of what was spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendChanges {
    /// Counts up with each change.
    pub version: i64,
    /// Whether these are all sums, and not only those that have changed.
    pub is_whole: bool,
    /// The sums.
    pub totals: Vec<SpendTotal>,
}

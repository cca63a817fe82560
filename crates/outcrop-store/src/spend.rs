//! What was spent, in each period: the sums that budgets are held to.

use std::collections::BTreeMap;

use outcrop_tenants::{Id, Money, Period, UsageRecord};

use crate::insert::Insert;
use crate::sql::{Row, Session, values};
use crate::usage::nanos;
use crate::{SpendChanges, SpendScope, SpendTotal, Store, StoreError};

/// How many sums one statement writes.
const ROWS: usize = 1000;

impl SpendScope {
    fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Project => "project",
            Self::Key => "key",
        }
    }

    fn of(name: &str) -> Result<Self, StoreError> {
        let all = [Self::Organization, Self::Project, Self::Key];
        let found = all.into_iter().find(|scope| scope.name() == name);
        found.ok_or_else(|| StoreError::Corrupt(format!("a sum of '{name}'")))
    }
}

fn period(name: &str) -> Result<Period, StoreError> {
    let found = Period::ALL.into_iter().find(|period| period.name() == name);
    found.ok_or_else(|| StoreError::Corrupt(format!("a period '{name}'")))
}

/// What a transaction adds to the sums. They are written in one order by all instances, so that none waits for one
/// that waits for it.
#[derive(Default)]
pub(crate) struct Sums(BTreeMap<(&'static str, Id, &'static str, i64), i64>);

impl Sums {
    pub(crate) fn of(records: &[&UsageRecord]) -> Self {
        // First by whose they are and by day, in which all periods begin: far fewer than records.
        let mut of_days: BTreeMap<_, i64> = BTreeMap::new();
        for record in records {
            let nanos = record.cost.map_or(0, nanos);
            if nanos == 0 || record.is_paid_by_client() {
                continue;
            }
            let whose = [&record.organization_id, &record.project_id, &record.key_id];
            let day = Period::Day.start(record.at.div_euclid(1000));
            let sum = of_days.entry((whose, day)).or_default();
            *sum = sum.saturating_add(nanos);
        }
        let mut sums = Self::default();
        for ((whose, day), nanos) in of_days {
            let scopes = [SpendScope::Organization, SpendScope::Project, SpendScope::Key];
            for (scope, id) in scopes.into_iter().zip(whose) {
                let Some(id) = id else { continue };
                for period in Period::ALL {
                    let key = (scope.name(), id.clone(), period.name(), period.start(day));
                    let sum = sums.0.entry(key).or_default();
                    *sum = sum.saturating_add(nanos);
                }
            }
        }
        sums
    }

    /// Writes them. From then on until it is over, other transactions that change sums wait for this one: so a version
    /// is seen only when all that belongs to it, and to those before it, can be.
    pub(crate) async fn write(self, session: &mut Session) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let sql = "UPDATE spend_version SET version = version + 1 RETURNING version";
        let version = version_in(session.row(sql, values![]).await?)?;
        let into = Insert {
            head: "INSERT INTO spend (scope, id, period, start, nanos, version) VALUES".to_owned(),
            width: 6,
            rows: ROWS,
            tail: "ON CONFLICT (scope, id, period, start) \
                   DO UPDATE SET nanos = spend.nanos + excluded.nanos, version = excluded.version",
        };
        let row = |((scope, id, period, start), nanos)| values![scope, id, period, start, nanos, version];
        let rows = self.0.into_iter().map(row).collect();
        session.insert(&into, rows).await.map(drop)
    }
}

fn version_in(row: Option<Row>) -> Result<i64, StoreError> {
    row.ok_or_else(|| StoreError::Corrupt("its sums have no version".to_owned()))?
        .number("version")
}

fn from_row(row: &Row) -> Result<SpendTotal, StoreError> {
    Ok(SpendTotal {
        scope: SpendScope::of(&row.text("scope")?)?,
        id: row.text("id")?,
        period: period(&row.text("period")?)?,
        start: row.number("start")?,
        spent: Money::from_nanos(row.number("nanos")?),
    })
}

/// The periods that a moment is in: `$1` to `$8` are their names and starts.
const CURRENT: &str = "((period = $1 AND start = $2) OR (period = $3 AND start = $4) \
                       OR (period = $5 AND start = $6) OR (period = $7 AND start = $8))";

fn current(now: i64) -> Vec<crate::sql::Value> {
    Period::ALL
        .into_iter()
        .flat_map(|period| values![period.name(), period.start(now)])
        .collect()
}

impl Store {
    /// What was spent of each organization, project and key in the periods that `now` (seconds since 1970) is in.
    /// Where nothing was spent, there is no sum.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spend(&self, now: i64) -> Result<Vec<SpendTotal>, StoreError> {
        let sql = format!("SELECT scope, id, period, start, nanos FROM spend WHERE {CURRENT}");
        let rows = self.inner.pools.rows(sql, current(now)).await?;
        rows.iter().map(from_row).collect()
    }

    /// Those sums that have changed since an earlier answer, whose version is `known`; all of them where there was none,
    /// or where the database has gone back to a backup. Where nothing has changed, that is all that is asked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spend_since(&self, known: Option<i64>, now: i64) -> Result<SpendChanges, StoreError> {
        let pools = &self.inner.pools;
        let row = pools.row("SELECT version FROM spend_version", values![]).await?;
        let version = version_in(row)?;
        let (is_whole, totals) = match known.filter(|known| *known <= version) {
            None => (true, self.spend(now).await?),
            Some(known) if known == version => (false, Vec::new()),
            Some(known) => {
                let sql = format!("SELECT scope, id, period, start, nanos FROM spend WHERE {CURRENT} AND version > $9");
                let mut values = current(now);
                values.push(known.into());
                let rows = pools.rows(sql, values).await?;
                (false, rows.iter().map(from_row).collect::<Result<_, _>>()?)
            }
        };
        // What has changed meanwhile may be among them, and comes again.
        Ok(SpendChanges {
            version,
            is_whole,
            totals,
        })
    }

    /// What was spent by one of them: always all periods.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spend_of(&self, scope: SpendScope, id: &Id, now: i64) -> Result<Vec<SpendTotal>, StoreError> {
        let sql =
            format!("SELECT scope, id, period, start, nanos FROM spend WHERE {CURRENT} AND scope = $9 AND id = $10");
        let mut values = current(now);
        values.extend(values![scope.name(), id]);
        let rows = self.inner.pools.rows(sql, values).await?;
        let found: Vec<SpendTotal> = rows.iter().map(from_row).collect::<Result<_, _>>()?;
        let total = |period: Period| SpendTotal {
            scope,
            id: id.clone(),
            period,
            start: period.start(now),
            spent: found
                .iter()
                .find(|total| total.period == period)
                .map_or(Money::ZERO, |total| total.spent),
        };
        Ok(Period::ALL.into_iter().map(total).collect())
    }
}

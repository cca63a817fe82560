//! Records of usage: writing them, and taking them out.

use std::collections::{BTreeMap, HashSet};

use outcrop_tenants::{Estimate, Money, TokenCounts, UsageRecord};

use crate::columns::{json, parsed};
use crate::insert::Insert;
use crate::spend::Sums;
use crate::sql::{Purpose, Row, Session, Value, values};
use crate::{Store, StoreError};

/// The columns, in the order of [`record_values`].
pub(crate) const COLUMNS: &str = "id, request_id, aws_request_id, at, organization_id, project_id, key_id, user_name, endpoint, \
    operation, model, called_model, base_model, region, account, route, tier, is_stream, input_tokens, output_tokens, \
    cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens, images, searches, is_estimated, \
    cost, cache_savings, status, outcome, error_type, attempts, is_cache_hit, first_byte_ms, duration_ms, metadata";
/// How many they are.
const WIDTH: usize = 37;
/// How many records one statement writes.
const ROWS: usize = 500;
/// How many bytes of a text are kept. Clients choose some of them, and indexes don't take any length.
const LONGEST_TEXT: usize = 1024;
/// More tokens than any request has, and few enough for sums of millions of such.
const MOST_TOKENS: i64 = 1_000_000_000_000;
/// A hundred million dollars.
const MOST_NANOS: i64 = 100_000_000_000_000_000;
/// How many records are taken out at a time, so that others can write meanwhile.
const FORGOTTEN_AT_ONCE: i64 = 5_000;

fn short(text: &str) -> Value {
    let end = (0..=LONGEST_TEXT.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    Value::from(&text[..end.unwrap_or(0)])
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(MOST_TOKENS).min(MOST_TOKENS)
}

pub(crate) fn nanos(money: Money) -> i64 {
    money.nanos().clamp(-MOST_NANOS, MOST_NANOS)
}

fn record_values(record: &UsageRecord) -> Result<Vec<Value>, StoreError> {
    let tokens = &record.tokens;
    let id = |id: &Option<String>| id.as_deref().map_or(Value::Text(None), short);
    Ok(vec![
        short(&record.id),
        short(&record.request_id),
        short(&record.aws_request_id),
        record.at.into(),
        id(&record.organization_id),
        id(&record.project_id),
        id(&record.key_id),
        short(&record.user),
        short(&record.endpoint),
        short(&record.operation),
        short(&record.model),
        short(&record.called_model),
        short(&record.base_model),
        short(&record.region),
        short(&record.account),
        short(&record.route),
        short(&record.tier),
        record.is_stream.into(),
        count(tokens.input).into(),
        count(tokens.output).into(),
        count(tokens.cache_read).into(),
        count(tokens.cache_write).into(),
        count(tokens.cache_write_1h).into(),
        count(tokens.reasoning).into(),
        count(tokens.images).into(),
        count(tokens.searches).into(),
        (record.estimate == Estimate::Estimated).into(),
        record.cost.map(nanos).into(),
        nanos(record.cache_savings).into(),
        i64::from(record.status).into(),
        short(&record.outcome),
        short(&record.error_type),
        i64::from(record.attempts).into(),
        record.is_cache_hit.into(),
        record.first_byte_ms.map(count).into(),
        count(record.duration_ms).into(),
        json(&record.metadata)?.into(),
    ])
}

/// Tokens, by the names of columns or of their sums.
pub(crate) fn tokens(row: &Row) -> Result<TokenCounts, StoreError> {
    Ok(TokenCounts {
        input: row.count("input_tokens")?,
        output: row.count("output_tokens")?,
        cache_read: row.count("cache_read_tokens")?,
        cache_write: row.count("cache_write_tokens")?,
        cache_write_1h: row.count("cache_write_1h_tokens")?,
        reasoning: row.count("reasoning_tokens")?,
        images: row.count("images")?,
        searches: row.count("searches")?,
    })
}

pub(crate) fn from_row(row: &Row) -> Result<UsageRecord, StoreError> {
    let small = |column: &str| -> Result<u32, StoreError> {
        u32::try_from(row.number(column)?).map_err(|_| StoreError::Corrupt(format!("{column} of a record")))
    };
    let first_byte = row.maybe_number("first_byte_ms")?;
    Ok(UsageRecord {
        id: row.text("id")?,
        request_id: row.text("request_id")?,
        aws_request_id: row.text("aws_request_id")?,
        at: row.number("at")?,
        organization_id: row.maybe_text("organization_id")?,
        project_id: row.maybe_text("project_id")?,
        key_id: row.maybe_text("key_id")?,
        user: row.text("user_name")?,
        endpoint: row.text("endpoint")?,
        operation: row.text("operation")?,
        model: row.text("model")?,
        called_model: row.text("called_model")?,
        base_model: row.text("base_model")?,
        region: row.text("region")?,
        account: row.text("account")?,
        route: row.text("route")?,
        tier: row.text("tier")?,
        is_stream: row.is("is_stream")?,
        tokens: tokens(row)?,
        estimate: if row.is("is_estimated")? {
            Estimate::Estimated
        } else {
            Estimate::Exact
        },
        cost: row.maybe_number("cost")?.map(Money::from_nanos),
        cache_savings: Money::from_nanos(row.number("cache_savings")?),
        status: u16::try_from(small("status")?).unwrap_or(u16::MAX),
        outcome: row.text("outcome")?,
        error_type: row.text("error_type")?,
        attempts: small("attempts")?,
        is_cache_hit: row.is("is_cache_hit")?,
        first_byte_ms: first_byte.and_then(|milliseconds| u64::try_from(milliseconds).ok()),
        duration_ms: row.count("duration_ms")?,
        metadata: parsed("metadata", &row.text("metadata")?)?,
    })
}

/// How records are written. Each has the time in its key, so that SQLite adds it at the end rather than somewhere in the
/// middle.
fn into_records(tail: &'static str) -> Insert {
    Insert {
        head: format!("INSERT INTO usage_records ({COLUMNS}) VALUES"),
        width: WIDTH,
        rows: ROWS,
        tail,
    }
}

/// Writes records, if none of them is there already.
async fn insert_new(session: &mut Session, records: &[&UsageRecord]) -> Result<bool, StoreError> {
    let into = into_records("ON CONFLICT (at, id) DO NOTHING");
    let rows: Result<Vec<_>, _> = records.iter().map(|record| record_values(record)).collect();
    let count = session.insert(&into, rows?).await?;
    Ok(usize::try_from(count) == Ok(records.len()))
}

/// Writes records, and gives those that weren't there.
async fn insert_some<'r>(
    session: &mut Session,
    records: Vec<&'r UsageRecord>,
) -> Result<Vec<&'r UsageRecord>, StoreError> {
    let into = into_records("ON CONFLICT (at, id) DO NOTHING RETURNING id");
    let rows: Result<Vec<_>, _> = records.iter().map(|record| record_values(record)).collect();
    let new = session.insert_each(&into, rows?).await?;
    let new: HashSet<String> = new.iter().map(|row| row.text("id")).collect::<Result<_, _>>()?;
    Ok(records.into_iter().filter(|record| new.contains(&record.id)).collect())
}

impl Store {
    /// Writes records of usage, and what they cost into the sums of budgets, in one transaction. Records that are
    /// there already, by their ids, count once. Gives how many were new.
    ///
    /// # Errors
    /// When the database fails; then none of them is written.
    pub async fn add_usage(&self, records: &[UsageRecord]) -> Result<u64, StoreError> {
        // By their keys, as all instances do: two that write the same records wait for each other in one order.
        let by_key: BTreeMap<(i64, &str), &UsageRecord> = records
            .iter()
            .map(|record| ((record.at, record.id.as_str()), record))
            .collect();
        if by_key.is_empty() {
            return Ok(0);
        }
        let mut records: Vec<&UsageRecord> = by_key.into_values().collect();
        // Whoever brings records forgets them once they are here.
        let mut session = self.inner.pools.begin(Purpose::Change).await?;
        // To be told of each whether it was there costs more than to write it, and hardly any ever is.
        if !insert_new(&mut session, &records).await? {
            session.roll_back().await?;
            session = self.inner.pools.begin(Purpose::Change).await?;
            records = insert_some(&mut session, records).await?;
        }
        Sums::of(&records).write(&mut session).await?;
        session.commit().await?;
        Ok(u64::try_from(records.len()).unwrap_or(u64::MAX))
    }

    /// Takes out usage from before a moment, in milliseconds since 1970; sums of budgets stay. Gives how many records
    /// that were.
    ///
    /// # Errors
    /// When the database fails; some may be out by then.
    pub async fn forget_usage(&self, before: i64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM usage_records WHERE (at, id) IN \
                   (SELECT at, id FROM usage_records WHERE at < $1 ORDER BY at LIMIT $2)";
        let mut forgotten = 0;
        loop {
            let mut session = self.inner.pools.begin(Purpose::Note).await?;
            let count = session.execute(sql, values![before, FORGOTTEN_AT_ONCE]).await?;
            session.commit().await?;
            if count == 0 {
                return Ok(forgotten);
            }
            forgotten += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_columns_have_values() {
        assert_eq!(COLUMNS.split(',').count(), WIDTH);
        assert_eq!(record_values(&UsageRecord::default()).unwrap().len(), WIDTH);
        const { assert!(ROWS * WIDTH <= 65_535) };
    }

    #[test]
    fn what_clients_choose_is_kept_short() {
        let text = "é".repeat(1000);
        let Value::Text(Some(kept)) = short(&text) else {
            panic!("no text");
        };
        assert_eq!(kept.len(), 1024);
        assert_eq!(count(u64::MAX), MOST_TOKENS);
    }

    #[tokio::test]
    async fn a_full_disk_is_no_end() {
        let folder = std::env::temp_dir().join(format!("outcrop-full-{:032x}", fastrand::u128(..)));
        let store = Store::open(&crate::Location::Sqlite(folder.join("outcrop.db")))
            .await
            .unwrap();
        let records = |from: usize, count: usize| -> Vec<UsageRecord> {
            let record = |number| UsageRecord {
                id: format!("{number:032x}"),
                model: "m".repeat(1000),
                ..UsageRecord::default()
            };
            (from..from + count).map(record).collect()
        };
        let crate::sql::Pools::Sqlite { write, .. } = &store.inner.pools else {
            panic!("not SQLite");
        };
        // SQLite takes no number that is too small, but the smallest possible.
        sqlx::query("PRAGMA max_page_count = 1").execute(write).await.unwrap();
        let error = store.add_usage(&records(0, 400)).await.unwrap_err();
        assert!(error.is_of_storage(), "{error}");
        // There is room again.
        let _ = sqlx::query("PRAGMA max_page_count = 1000000").execute(write).await;
        assert_eq!(store.add_usage(&records(0, 400)).await.unwrap(), 400);
        store.close().await;
        let _ = std::fs::remove_dir_all(&folder);
    }
}

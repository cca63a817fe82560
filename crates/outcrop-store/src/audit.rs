//! The audit log.

use outcrop_tenants::AuditEntry;

use crate::columns::{parsed, select};
use crate::conditions::Conditions;
use crate::sql::Row;
use crate::{Page, PageOf, Store, StoreError, cursor};

const LIST: &str = "audit";

fn from_row(row: &Row) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        sequence: row.number("sequence")?,
        at: row.number("at")?,
        actor: row.text("actor")?,
        address: row.text("address")?,
        action: row.text("action")?,
        object: row.text("object")?,
        detail: parsed("detail", &row.text("detail")?)?,
    })
}

impl Store {
    /// The audit log, newest first; of one object, or all. Of an organization it is also what belongs to it.
    ///
    /// # Errors
    /// [`StoreError::Cursor`], or the database fails.
    pub async fn audit_log(&self, object: Option<&str>, page: &Page) -> Result<PageOf<AuditEntry>, StoreError> {
        let mut conditions = Conditions::default();
        if let Some(object) = object {
            conditions.add("(object = ? OR organization_id = ?)", object);
        }
        if let Some(after) = cursor::after(LIST, page)? {
            conditions.add("sequence < ?", after);
        }
        let limit = conditions.placeholder(cursor::limit(page) + 1);
        let (condition, values) = conditions.finish();
        let sql = format!(
            "{} WHERE {condition} ORDER BY sequence DESC LIMIT {limit}",
            select!(audit_log "")
        );
        let rows = self.inner.pools.rows(sql, values).await?;
        cursor::by_sequence(LIST, page, rows, from_row)
    }
}

//! All that requests are answered by, and what has changed of it.

use tokio::sync::watch;

use crate::columns::{Reading, select};
use crate::sql::{Purpose, Row, Session, values};
use crate::{Directory, Store, StoreError, admin_keys, credentials, organizations, projects};

impl Store {
    /// Counts up whenever organizations, projects, credentials or admin keys have changed, whoever changed them: at
    /// once if it was this process, else at most half a second later. PostgreSQL tells (LISTEN/NOTIFY, and a look each half
    /// second), SQLite is looked at.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.receiver()
    }

    /// What has changed since a version: of 0, everything. Deleted things are among it.
    ///
    /// # Errors
    /// When the database fails, or holds what it can't.
    pub async fn directory(&self, since: i64) -> Result<Directory, StoreError> {
        let mut session = self.inner.pools.begin(Purpose::Snapshot).await?;
        let version = session.row("SELECT version FROM directory_version", values![]).await?;
        let version = version
            .ok_or_else(|| StoreError::Corrupt("it has no version".to_owned()))?
            .number("version")?;
        if version == since {
            session.commit().await?;
            return Ok(Directory {
                version,
                ..Directory::default()
            });
        }
        // A backup that was put back knows nothing of later versions.
        let since = if since > version { 0 } else { since };
        let organizations = select!(organizations "WHERE version > $1 ORDER BY sequence");
        let projects = select!(projects "WHERE version > $1 ORDER BY sequence");
        let credentials = select!(credentials "WHERE version > $1 ORDER BY sequence");
        let admin_keys = select!(admin_keys "WHERE version > $1 ORDER BY sequence");
        let directory = Directory {
            version,
            organizations: read(&mut session, organizations, since, organizations::read).await?,
            projects: read(&mut session, projects, since, projects::read).await?,
            credentials: read(&mut session, credentials, since, credentials::read).await?,
            admin_keys: read(&mut session, admin_keys, since, admin_keys::read).await?,
        };
        session.commit().await?;
        Ok(directory)
    }
}

/// What can't be read may not be used, and keeps nobody from reading the rest.
async fn read<T>(
    session: &mut Session,
    sql: &'static str,
    since: i64,
    read: fn(&Row, Reading) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    for row in session.rows(sql, values![since]).await? {
        found.push(match read(&row, Reading::Exact) {
            Err(error @ StoreError::Corrupt(_)) => {
                let id = row.text("id")?;
                tracing::error!(%error, id, "it can't be read, and so it may not be used; was it made by a later version?");
                read(&row, Reading::Closed)?
            }
            read => read?,
        });
    }
    Ok(found)
}

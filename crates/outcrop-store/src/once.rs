//! What is made once, or may be used once.

use crate::sql::{Purpose, values};
use crate::{Store, StoreError, random};

/// The name of the secret that keys are hashed by.
const PEPPER: &str = "pepper";
/// How many notes are kept together at most before those are taken out that have ended: about each so many times.
const TIDY_EACH: u8 = 32;

impl Store {
    /// The secret by which keys are hashed where the settings have none: made once, by whoever comes first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pepper(&self) -> Result<Vec<u8>, StoreError> {
        let select = "SELECT value FROM secrets WHERE name = $1";
        if let Some(row) = self.inner.pools.row(select, values![PEPPER]).await? {
            return row.bytes("value");
        }
        let fresh = random::bytes::<32>()?;
        let mut session = self.inner.pools.begin(Purpose::Change).await?;
        let insert = "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        session.execute(insert, values![PEPPER, fresh.as_slice()]).await?;
        session.commit().await?;
        // Another instance may have been first.
        let row = self.inner.pools.row(select, values![PEPPER]).await?;
        row.ok_or_else(|| StoreError::Corrupt("it has no secret".to_owned()))?
            .bytes("value")
    }

    /// Notes that something may be used once, until `expires_at` (seconds since 1970); false if it was noted before and
    /// hasn't ended since.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_once(&self, what: &str, expires_at: i64) -> Result<bool, StoreError> {
        let now = random::now();
        let mut session = self.inner.pools.begin(Purpose::Note).await?;
        let sql = "INSERT INTO used_once (what, expires_at) VALUES ($1, $2) \
                   ON CONFLICT (what) DO UPDATE SET expires_at = excluded.expires_at WHERE used_once.expires_at <= $3";
        let is_first = session.execute(sql, values![what, expires_at, now]).await? > 0;
        session.commit().await?;
        if random::bytes::<1>()?[0] % TIDY_EACH == 0 {
            self.forget_used(now).await;
        }
        Ok(is_first)
    }

    /// Takes out what has ended. Whether it works doesn't matter: somebody else will do it.
    async fn forget_used(&self, now: i64) {
        let forgotten = async {
            let mut session = self.inner.pools.begin(Purpose::Note).await?;
            let sql = "DELETE FROM used_once WHERE expires_at <= $1";
            session.execute(sql, values![now]).await?;
            session.commit().await
        };
        if let Err(error) = forgotten.await {
            tracing::debug!(%error, "what may be used no more is still noted");
        }
    }
}

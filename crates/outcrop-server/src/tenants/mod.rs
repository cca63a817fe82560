//! Organizations, projects and keys, as requests meet them.
//!
//! All of them are in memory ([`Directory`]), and what changes in the database is taken over within a second (`watch`).
//! `door` lets callers in; a [`Tenant`] is what holds for the one that came in.

mod directory;
mod door;
mod peer;
mod rights;
mod tenant;
#[cfg(test)]
mod tests;
mod told;
mod watch;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use outcrop_store::{Store, StoreError};
use outcrop_tenants::{AdminKey, Pepper, Token, TokenKind};
use outcrop_translate::resolve::Target;
use outcrop_translate::{Problem, ProblemKind};
use tokio::sync::Mutex;
use tokio::time::Instant;

pub(crate) use self::directory::Directory;
pub(crate) use self::door::{Admitted, admit, is_open};
pub(crate) use self::peer::{Peer, client_address, is_trusted};
pub(crate) use self::tenant::Tenant;

/// How long nobody looks into the database again for a key that isn't known: whoever tries keys can't have it asked more
/// often, and waits so long at most.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

/// As much of a client's word as an error repeats.
const SHOWN_CHARS: usize = 80;

/// Who may call, and what is kept of them.
#[derive(Debug)]
pub struct Tenants {
    store: Option<Store>,
    pepper: Pepper,
    directory: RwLock<Arc<Directory>>,
    /// When the database was last looked into; held while it is.
    looked: Mutex<Option<Instant>>,
    /// Held by whoever looks because of a key that isn't known. Others that look don't wait for it.
    unknown: Mutex<()>,
    /// Ends with it.
    watching: std::sync::Mutex<Option<watch::Watching>>,
}

impl Tenants {
    /// Those of a database, which is watched from now on. `key_secret` is what keys are hashed with; without one, it is
    /// the database's own.
    ///
    /// # Errors
    /// If the database doesn't answer.
    pub async fn open(store: Store, key_secret: Option<&[u8]>) -> Result<Arc<Self>, StoreError> {
        let own = match key_secret {
            Some(_) => Vec::new(),
            None => store.pepper().await?,
        };
        let secret = key_secret.unwrap_or(&own);
        let pepper = Pepper::new(secret).ok_or_else(|| StoreError::Corrupt("its secret is too short".to_owned()))?;
        let directory = Directory::default().with(store.directory(0).await?);
        let tenants = Arc::new(Self::new(Some(store), pepper, directory));
        let watching = watch::Watching::start(&tenants);
        *tenants.watching.lock().unwrap_or_else(PoisonError::into_inner) = watching;
        Ok(tenants)
    }

    /// None: only the keys of the settings count, and nothing is kept.
    pub fn none() -> Arc<Self> {
        // Nothing that it signs outlives the process.
        let secret: [u8; 32] = std::array::from_fn(|_| fastrand::u8(..));
        let pepper = Pepper::new(&secret).unwrap_or_else(|| unreachable!("32 bytes are enough"));
        Arc::new(Self::new(None, pepper, Directory::default()))
    }

    fn new(store: Option<Store>, pepper: Pepper, directory: Directory) -> Self {
        Self {
            store,
            pepper,
            directory: RwLock::new(Arc::new(directory)),
            looked: Mutex::default(),
            unknown: Mutex::default(),
            watching: std::sync::Mutex::default(),
        }
    }

    /// Where everything is kept; `None` where nothing is.
    pub(crate) fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    /// What keys are hashed with.
    pub(crate) fn pepper(&self) -> &Pepper {
        &self.pepper
    }

    /// What is known now.
    pub(crate) fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a key was ever made: from then on one is asked for, though all of them be gone.
    pub fn has_credentials(&self) -> bool {
        self.directory().has_credentials()
    }

    /// Takes over what has changed in the database.
    ///
    /// # Errors
    /// If it doesn't answer.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        let mut looked = self.looked.lock().await;
        self.look(&mut looked).await
    }

    async fn look(&self, looked: &mut Option<Instant>) -> Result<(), StoreError> {
        let Some(store) = &self.store else { return Ok(()) };
        let known = self.directory();
        // What changes while the answer comes may not be in it.
        *looked = Some(Instant::now());
        let changed = store.directory(known.version()).await?;
        if changed.version != known.version() {
            let next = Arc::new(known.with(changed));
            *self.directory.write().unwrap_or_else(PoisonError::into_inner) = next;
        }
        Ok(())
    }

    /// Takes over what has changed until now, for a key that isn't known. Where somebody has looked only just, it is waited
    /// for a moment, since a key that was made meanwhile must not be refused; all that come by then share the next look.
    async fn refresh_for_unknown(&self) {
        if self.store.is_none() {
            return;
        }
        let asked = Instant::now();
        let _turn = self.unknown.lock().await;
        let last = *self.looked.lock().await;
        if let Some(last) = last.filter(|last| *last < asked) {
            tokio::time::sleep_until(last + LOOK_PAUSE).await;
        }
        let mut looked = self.looked.lock().await;
        // Somebody else may have looked meanwhile.
        if looked.is_some_and(|looked| looked >= asked) {
            return;
        }
        if let Err(error) = self.look(&mut looked).await {
            tracing::warn!(%error, "a key that isn't known could not be looked for in the database");
        }
    }

    /// Refuses a model that a tenant may not ask, in the words for one that doesn't exist: nobody learns of others' models.
    /// `others` are names that the operator has given it.
    ///
    /// # Errors
    /// 404, if it may not.
    pub(crate) fn check_model(
        &self,
        tenant: &Tenant,
        asked: &str,
        target: &Target,
        others: &[&str],
    ) -> Result<(), Problem> {
        if tenant.rights.allow_model(target, others) && self.directory().may_call(tenant, &target.model_id) {
            return Ok(());
        }
        Err(self.no_such_model(tenant, asked))
    }

    /// The refusal of a model.
    pub(crate) fn no_such_model(&self, tenant: &Tenant, asked: &str) -> Problem {
        tracing::debug!(
            key = tenant.credential.id,
            "a key may not use the model that it asks for"
        );
        let shown: String = asked.chars().take(SHOWN_CHARS).collect();
        let message = format!("The model '{shown}' does not exist, or this API key may not use it.");
        Problem::new(404, ProblemKind::InvalidRequest, message)
            .with_code("model_not_found")
            .with_param("model")
    }

    /// The key for administration that somebody shows, if it is one of the database's and holds.
    pub(crate) async fn admin(&self, shown: &str) -> Option<Arc<AdminKey>> {
        let token = Token::parse(shown)
            .ok()
            .filter(|token| token.kind() == TokenKind::Admin)?;
        if self.directory().admin_by_prefix(token.prefix()).is_none() {
            self.refresh_for_unknown().await;
        }
        let directory = self.directory();
        let key = directory.admin_by_prefix(token.prefix())?;
        (key.hash == self.pepper.hash(&token) && directory::is_active(key.status, key.expires_at, now()))
            .then(|| Arc::clone(key))
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since_1970.map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
}

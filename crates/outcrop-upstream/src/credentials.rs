//! How a call proves who it is.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::Mutex;

use crate::error::{Error, with_causes};
use crate::sign::SigningCredentials;

/// Credentials are renewed this long before they expire, while calls go on with the old ones; those that live for
/// less than four times as long, when a quarter of their life is left.
const AHEAD: Duration = Duration::from_secs(5 * 60);
/// Credentials that expire this soon are not used any more.
const TOO_LATE: Duration = Duration::from_secs(2);
/// The pause after a renewal ahead of time, whether it worked or not.
const PAUSE: Duration = Duration::from_secs(10);
/// Time for a provider to answer: a process or an identity centre may take a while.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(30);

/// The provider of nothing, where AWS's configuration gives none.
#[derive(Debug)]
pub(crate) struct NoCredentials;

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("no provider is configured")))
    }
}

/// The credentials in use, renewed ahead of their end, by one task at a time.
#[derive(Clone, Debug)]
pub(crate) struct CredentialCache {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    provider: SharedCredentialsProvider,
    current: RwLock<Option<Current>>,
    renewal: Mutex<()>,
    tried_ahead: std::sync::Mutex<Option<Instant>>,
}

#[derive(Clone, Debug)]
struct Current {
    credentials: Arc<SigningCredentials>,
    expiry: Option<SystemTime>,
    /// How long before they expire they should be renewed.
    ahead: Duration,
}

impl Current {
    fn lasts(&self, longer_than: Duration) -> bool {
        self.expiry.is_none_or(|expiry| {
            expiry
                .duration_since(SystemTime::now())
                .is_ok_and(|rest| rest > longer_than)
        })
    }
}

impl CredentialCache {
    pub(crate) fn new(provider: SharedCredentialsProvider) -> Self {
        Self {
            shared: Arc::new(Shared {
                provider,
                current: RwLock::new(None),
                renewal: Mutex::new(()),
                tried_ahead: std::sync::Mutex::new(None),
            }),
        }
    }

    /// Credentials to sign with now.
    ///
    /// # Errors
    /// When there are none, or they expired and can't be renewed.
    pub(crate) async fn credentials(&self) -> Result<Arc<SigningCredentials>, Error> {
        match self.shared.current() {
            Some(current) if current.lasts(current.ahead) => Ok(current.credentials),
            Some(current) if current.lasts(TOO_LATE) => {
                self.renew_in_background();
                Ok(current.credentials)
            }
            _ => {
                let _one_at_a_time = self.shared.renewal.lock().await;
                match self.shared.current() {
                    // Somebody else renewed them in the meantime.
                    Some(current) if current.lasts(TOO_LATE) => Ok(current.credentials),
                    _ => self.shared.renew().await,
                }
            }
        }
    }

    /// Forgets the credentials, so that the next call asks for them anew.
    pub(crate) fn forget(&self) {
        *self.shared.current.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn renew_in_background(&self) {
        let shared = Arc::clone(&self.shared);
        // The task owns all that it needs and ends by itself; if it is lost, the next call starts it again.
        drop(tokio::spawn(async move {
            let Ok(_one_at_a_time) = shared.renewal.try_lock() else {
                return;
            };
            if shared.current().is_some_and(|current| current.lasts(current.ahead)) {
                return;
            }
            if !shared.may_try_ahead() {
                return;
            }
            if let Err(error) = shared.renew().await {
                tracing::warn!(%error, "AWS credentials could not be renewed; the old ones are used until they expire");
            }
        }));
    }
}

impl Shared {
    /// Whether the last renewal ahead of time is long enough ago; notes the time if so.
    fn may_try_ahead(&self) -> bool {
        let mut last = self.tried_ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < PAUSE) {
            return false;
        }
        *last = Some(Instant::now());
        true
    }

    fn current(&self) -> Option<Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn renew(&self) -> Result<Arc<SigningCredentials>, Error> {
        let providing = self.provider.provide_credentials();
        let credentials: Credentials = tokio::time::timeout(PROVIDER_TIMEOUT, providing)
            .await
            .map_err(|_| Error::Credentials(format!("the provider took longer than {PROVIDER_TIMEOUT:?}")))?
            .map_err(|error| Error::Credentials(with_causes(&error)))?;
        let expiry = credentials.expiry();
        let life = expiry.and_then(|expiry| expiry.duration_since(SystemTime::now()).ok());
        let credentials = Arc::new(SigningCredentials {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: credentials.secret_access_key().to_owned(),
            session_token: credentials.session_token().map(ToOwned::to_owned),
        });
        let current = Current {
            credentials: Arc::clone(&credentials),
            expiry,
            ahead: AHEAD.min(life.unwrap_or_default() / 4),
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(current);
        Ok(credentials)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Debug)]
    struct Counting {
        calls: Arc<AtomicUsize>,
        lifetime: Option<Duration>,
        fails: bool,
    }

    impl ProvideCredentials for Counting {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let call = self.calls.fetch_add(1, Ordering::SeqCst);
            let expiry = self.lifetime.map(|lifetime| SystemTime::now() + lifetime);
            let fails = self.fails && call > 0;
            future::ProvideCredentials::new(async move {
                // Let the others run, as a real request would.
                tokio::task::yield_now().await;
                if fails {
                    return Err(CredentialsError::not_loaded("gone"));
                }
                Ok(Credentials::new("id", "secret", None, expiry, "test"))
            })
        }
    }

    fn cache(lifetime: Option<Duration>, fails: bool) -> (CredentialCache, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let provider = SharedCredentialsProvider::new(Counting {
            calls: Arc::clone(&calls),
            lifetime,
            fails,
        });
        (CredentialCache::new(provider), calls)
    }

    #[tokio::test]
    async fn many_callers_cause_one_request() {
        let (cache, calls) = cache(Some(Duration::from_secs(3600)), false);
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move { cache.credentials().await.is_ok() })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap());
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn credentials_near_their_end_are_used_while_they_are_renewed() {
        let (cache, calls) = cache(Some(Duration::from_secs(60)), true);
        assert!(cache.credentials().await.is_ok());
        // As if they had once lived for hours.
        cache.shared.current.write().unwrap().as_mut().unwrap().ahead = AHEAD;
        for _ in 0..5 {
            // The renewals fail, and nobody notices.
            assert!(cache.credentials().await.is_ok());
            tokio::task::yield_now().await;
        }
        // One renewal was tried, and not one for each call.
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn expired_credentials_that_cannot_be_renewed_are_an_error() {
        let (cache, _) = cache(Some(Duration::ZERO), true);
        assert!(cache.credentials().await.is_ok());
        assert!(matches!(cache.credentials().await, Err(Error::Credentials(_))));
    }
}

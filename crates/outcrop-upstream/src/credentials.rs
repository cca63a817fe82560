//! How a call proves who it is.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Mutex;

use crate::error::Error;
use crate::sign::SigningCredentials;

/// Credentials are renewed this long before they expire, while calls go on with the old ones; those that live for
/// less than four times as long, when a quarter of their life is left.
const AHEAD: Duration = Duration::from_secs(5 * 60);
/// Credentials that expire this soon are not used any more.
const TOO_LATE: Duration = Duration::from_secs(2);
/// The pause after a renewal ahead of time, whether it worked or not.
const PAUSE: Duration = Duration::from_secs(10);
/// What never expires but may be changed where it is kept is read again after this time.
const REREAD: Duration = Duration::from_secs(60 * 60);
/// How long a failure is the answer to all: whoever has no credentials must not be asked for them by each call.
const FAILURE: Duration = Duration::from_secs(1);
/// Time for a provider to answer: a process or an identity centre may take a while.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(30);

/// What a source gave.
#[derive(Debug)]
pub(crate) struct Loaded<T> {
    pub(crate) value: T,
    /// When it ends.
    pub(crate) expiry: Option<SystemTime>,
    /// Whether it may be another one when it is read again, though it doesn't end.
    pub(crate) may_change: bool,
}

/// A source at work. Its failure is words for the operator, with nothing secret in them.
pub(crate) type Loading<'a, T> = Pin<Box<dyn Future<Output = Result<Loaded<T>, String>> + Send + 'a>>;

/// Where credentials, or a key, come from.
pub(crate) trait Source<T>: Debug + Send + Sync {
    /// Asks for them.
    fn load(&self) -> Loading<'_, T>;
}

/// Credentials that sign, renewed.
pub(crate) type CredentialCache = Renewed<SigningCredentials>;

/// Something in use that is renewed ahead of its end, by one task at a time.
pub(crate) struct Renewed<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    /// The account that it is for; empty for the client itself.
    account: String,
    source: Box<dyn Source<T>>,
    current: RwLock<Option<Current<T>>>,
    renewal: Mutex<()>,
    tried_ahead: std::sync::Mutex<Option<Instant>>,
    failed: std::sync::Mutex<Option<(Instant, String)>>,
}

struct Current<T> {
    value: Arc<T>,
    loaded: Instant,
    expiry: Option<SystemTime>,
    /// When it should be renewed.
    renewal: Option<SystemTime>,
}

impl<T> Clone for Renewed<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Debug for Renewed<T> {
    /// Where it comes from, and never what it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Renewed").field(&self.shared.source).finish()
    }
}

/// What can be done with what there is.
enum Present<T> {
    Fresh(Arc<T>),
    Ageing(Arc<T>),
    None,
}

impl<T: Send + Sync + 'static> Renewed<T> {
    /// Nothing is asked yet. `account` is for the log; empty for the client itself.
    pub(crate) fn new(account: &str, source: impl Source<T> + 'static) -> Self {
        Self {
            shared: Arc::new(Shared {
                account: account.to_owned(),
                source: Box::new(source),
                current: RwLock::new(None),
                renewal: Mutex::new(()),
                tried_ahead: std::sync::Mutex::new(None),
                failed: std::sync::Mutex::new(None),
            }),
        }
    }

    /// What to use now.
    ///
    /// # Errors
    /// When there is nothing, or it expired and can't be renewed.
    pub(crate) async fn get(&self) -> Result<Arc<T>, Error> {
        self.get_or_say().await.map_err(Error::Credentials)
    }

    /// The same, with words alone for what is wrong.
    pub(crate) async fn get_or_say(&self) -> Result<Arc<T>, String> {
        match self.shared.present() {
            Present::Fresh(value) => Ok(value),
            Present::Ageing(value) => {
                self.renew_in_background();
                Ok(value)
            }
            Present::None => {
                let _one_at_a_time = self.shared.renewal.lock().await;
                match self.shared.present() {
                    // Somebody else renewed it in the meantime.
                    Present::Fresh(value) | Present::Ageing(value) => Ok(value),
                    Present::None => match self.shared.recent_failure() {
                        Some(failure) => Err(failure),
                        None => self.shared.renew().await,
                    },
                }
            }
        }
    }

    /// When what is in use ends.
    pub(crate) fn expiry(&self) -> Option<SystemTime> {
        let current = self.shared.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref()?.expiry
    }

    /// Forgets what there is, so that the next call asks for it anew.
    pub(crate) fn forget(&self) {
        *self.shared.current.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Forgets what AWS does not take: it may have been changed where it is kept. What was only just read is what is
    /// kept, so it stays; says whether it went.
    pub(crate) fn distrust(&self) -> bool {
        let mut current = self.shared.current.write().unwrap_or_else(PoisonError::into_inner);
        current.take_if(|current| current.loaded.elapsed() > PAUSE).is_some()
    }

    fn renew_in_background(&self) {
        let shared = Arc::clone(&self.shared);
        // The task owns all that it needs and ends by itself; if it is lost, the next call starts it again.
        drop(tokio::spawn(async move {
            let Ok(_one_at_a_time) = shared.renewal.try_lock() else {
                return;
            };
            if matches!(shared.present(), Present::Fresh(_)) || !shared.may_try_ahead() {
                return;
            }
            if let Err(error) = shared.renew().await {
                tracing::warn!(
                    account = shared.account,
                    error,
                    "AWS credentials could not be renewed; the old ones are used until they expire"
                );
            }
        }));
    }
}

#[cfg(test)]
impl<T> Renewed<T> {
    /// As if it were time to renew it.
    pub(crate) fn age(&self) {
        self.shared.current.write().unwrap().as_mut().unwrap().renewal = Some(SystemTime::now());
    }
}

impl<T> Shared<T> {
    /// Whether the last renewal ahead of time is long enough ago; notes the time if so.
    fn may_try_ahead(&self) -> bool {
        let mut last = self.tried_ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < PAUSE) {
            return false;
        }
        *last = Some(Instant::now());
        true
    }

    fn recent_failure(&self) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, message) = failed.as_ref()?;
        (at.elapsed() < FAILURE).then(|| message.clone())
    }

    fn present(&self) -> Present<T> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let Some(current) = &*current else {
            return Present::None;
        };
        let value = Arc::clone(&current.value);
        let Some(renewal) = current.renewal else {
            return Present::Fresh(value);
        };
        let now = SystemTime::now();
        let rest = current
            .expiry
            .map(|expiry| expiry.duration_since(now).unwrap_or_default());
        if rest.is_some_and(|rest| rest <= TOO_LATE) {
            Present::None
        } else if now < renewal {
            Present::Fresh(value)
        } else {
            Present::Ageing(value)
        }
    }

    async fn renew(&self) -> Result<Arc<T>, String> {
        let loaded = tokio::time::timeout(PROVIDER_TIMEOUT, self.source.load())
            .await
            .unwrap_or_else(|_| Err(format!("the provider took longer than {PROVIDER_TIMEOUT:?}")));
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(message) => {
                *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), message.clone()));
                return Err(message);
            }
        };
        let now = SystemTime::now();
        let renewal = match loaded.expiry {
            Some(expiry) => {
                let life = expiry.duration_since(now).unwrap_or_default();
                expiry.checked_sub(AHEAD.min(life / 4))
            }
            None => loaded.may_change.then(|| now + REREAD),
        };
        let value = Arc::new(loaded.value);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Current {
            value: Arc::clone(&value),
            loaded: Instant::now(),
            expiry: loaded.expiry,
            renewal,
        });
        Ok(value)
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
        may_change: bool,
        /// The calls that fail.
        failing: std::ops::Range<usize>,
    }

    impl Source<SigningCredentials> for Counting {
        fn load(&self) -> Loading<'_, SigningCredentials> {
            let call = self.calls.fetch_add(1, Ordering::SeqCst);
            let expiry = self.lifetime.map(|lifetime| SystemTime::now() + lifetime);
            Box::pin(async move {
                // Let the others run, as a real request would.
                tokio::task::yield_now().await;
                if self.failing.contains(&call) {
                    return Err("gone".to_owned());
                }
                Ok(Loaded {
                    value: SigningCredentials {
                        access_key_id: format!("id{call}"),
                        secret_access_key: "hush".to_owned(),
                        session_token: None,
                    },
                    expiry,
                    may_change: self.may_change,
                })
            })
        }
    }

    fn cache(lifetime: Option<Duration>, failing: std::ops::Range<usize>) -> (CredentialCache, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let source = Counting {
            calls: Arc::clone(&calls),
            lifetime,
            may_change: true,
            failing,
        };
        (Renewed::new("", source), calls)
    }

    #[tokio::test]
    async fn many_callers_cause_one_request() {
        let (cache, calls) = cache(Some(Duration::from_secs(3600)), 0..0);
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move { cache.get().await.is_ok() })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap());
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn credentials_near_their_end_are_used_while_they_are_renewed() {
        let (cache, calls) = cache(Some(Duration::from_secs(60)), 1..9);
        assert!(cache.get().await.is_ok());
        cache.age();
        for _ in 0..5 {
            // The renewals fail, and nobody notices.
            assert!(cache.get().await.is_ok());
            tokio::task::yield_now().await;
        }
        // One renewal was tried, and not one for each call.
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn what_never_expires_is_read_again_where_it_may_have_changed() {
        let (cache, _) = cache(None, 0..0);
        assert_eq!(cache.get().await.unwrap().access_key_id, "id0");
        assert_eq!(cache.get().await.unwrap().access_key_id, "id0");
        cache.age();
        assert_eq!(cache.get().await.unwrap().access_key_id, "id0");
        while cache.get().await.unwrap().access_key_id == "id0" {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn expired_credentials_that_cannot_be_renewed_are_an_error() {
        let (cache, _) = cache(Some(Duration::ZERO), 1..9);
        assert!(cache.get().await.is_ok());
        assert!(matches!(cache.get().await, Err(Error::Credentials(_))));
    }

    #[tokio::test]
    async fn a_failure_is_remembered_for_a_moment() {
        let (cache, calls) = cache(None, 0..1);
        for _ in 0..5 {
            assert!(matches!(cache.get().await, Err(Error::Credentials(message)) if message == "gone"));
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        // As if the moment had passed.
        *cache.shared.failed.lock().unwrap() = None;
        assert!(cache.get().await.is_ok());
    }

    #[tokio::test]
    async fn what_was_only_just_read_is_not_read_again_because_aws_refuses_it() {
        let (cache, _) = cache(None, 0..0);
        assert!(cache.get().await.is_ok());
        assert!(!cache.distrust());
        cache.forget();
        assert_eq!(cache.get().await.unwrap().access_key_id, "id1");
        assert!(!format!("{cache:?}").contains("hush"));
    }
}

//! `GET /v1/models`: what this account can call, in the configured regions.
//!
//! Bedrock is asked for all of its lists at once (`gather`), and what it says becomes a [`Known`] that can be asked for ids
//! (`directory`). Each id that might be called is resolved as a request would resolve it (`entries`), and told of
//! (`describe`). The page is written once (`page`) and handed out as it is, until it is old: then it is handed out once
//! more, and made anew behind it.

mod answer;
mod describe;
mod directory;
mod entries;
mod gather;
mod page;
mod question;
#[cfg(test)]
mod tests;
mod time;
mod warning;
mod words;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use outcrop_translate::{Problem, ProblemKind};
use tokio::time::Instant;

use crate::exchange::Gateway;
use directory::Known;
use entries::Entries;
use gather::Gathered;
use page::{Page, SharedPage};

pub(crate) use answer::{X_OUTCROP_WARNING, list, one, providers};
pub(crate) use question::{no_such_provider, provider, provider_id, purpose};
pub(crate) use time::unix_seconds;
pub(crate) use warning::header_of;
pub(crate) use words::{Purpose, purpose as purpose_of};

/// How long a page is fresh at the most after a failure that may pass.
const FRESH_WITH_FAILURES: Duration = Duration::from_secs(15);
/// A page that is older is not handed out while it is made anew: nobody has asked for it for long.
const TOO_OLD: Duration = Duration::from_secs(60 * 60);
/// A failure is remembered for this long, so that those who wait don't each wait for another one.
const FAILED: Duration = Duration::from_secs(5);
/// As long as a refusal waits for the list, which only makes it more helpful.
const HINT_PATIENCE: Duration = Duration::from_secs(2);

/// What a refresh came to.
type Listed = Result<SharedPage, Problem>;

/// The models of the account.
#[derive(Debug, Default)]
pub(crate) struct ModelList(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    page: Option<SharedPage>,
    /// What stood in the way of the first page, and when.
    problem: Option<(Instant, Problem)>,
    /// The latest refresh, under way or over.
    flight: Option<Flight>,
}

/// A refresh, for all who wait for it.
#[derive(Clone, Debug)]
struct Flight {
    outcome: Shared<BoxFuture<'static, Listed>>,
    /// When Bedrock was first asked; a refresh that waits for an earlier one hasn't begun.
    begun: Arc<OnceLock<Instant>>,
}

impl Flight {
    /// Whether what comes of it is news for somebody who asks `since` then, or for anyone.
    fn serves(&self, since: Option<Instant>) -> bool {
        let is_news = |since| self.begun.get().is_none_or(|begun| *begun >= since);
        self.outcome.peek().is_none() && since.is_none_or(is_news)
    }
}

impl ModelList {
    /// The page, from memory where that can be; an old one is made anew behind it.
    async fn page(&self, gateway: &Arc<Gateway>) -> Listed {
        {
            let state = self.state();
            if let Some(page) = &state.page {
                let (age, fresh) = (page.asked.elapsed(), fresh(page, gateway.config.model_list_max_age));
                if age < fresh.max(TOO_OLD) {
                    let page = Arc::clone(page);
                    drop(state);
                    if age >= fresh {
                        self.refresh(gateway, None);
                    }
                    return Ok(page);
                }
            } else if let Some((_, problem)) = state.problem.as_ref().filter(|(since, _)| since.elapsed() < FAILED) {
                return Err(problem.clone());
            }
        }
        self.refresh(gateway, None).outcome.await
    }

    /// The page as it is now.
    async fn page_of_now(&self, gateway: &Arc<Gateway>) -> Listed {
        self.refresh(gateway, Some(Instant::now())).outcome.await
    }

    /// Joins the refresh that is under way or, where that has begun too early, begins the next once it is over. It goes on
    /// if those who wait leave.
    fn refresh(&self, gateway: &Arc<Gateway>, since: Option<Instant>) -> Flight {
        let mut state = self.state();
        if let Some(flight) = state.flight.as_ref().filter(|flight| flight.serves(since)) {
            return flight.clone();
        }
        let (earlier, begun) = (state.flight.take(), Arc::new(OnceLock::new()));
        let (gateway, beginning) = (Arc::clone(gateway), Arc::clone(&begun));
        let task = tokio::spawn(async move {
            if let Some(earlier) = earlier {
                let _ = earlier.outcome.await;
            }
            let asked = *beginning.get_or_init(Instant::now);
            gateway.models.ask(&gateway, asked).await
        });
        let outcome = async move { task.await.unwrap_or_else(|_| Err(broken())) };
        let flight = Flight {
            outcome: outcome.boxed().shared(),
            begun,
        };
        state.flight = Some(flight.clone());
        flight
    }

    /// Asks Bedrock, and keeps what comes of it.
    async fn ask(&self, gateway: &Arc<Gateway>, asked: Instant) -> Listed {
        let before = self.state().page.clone();
        let last = before.as_ref().map(|page| &page.known.gathered);
        let gathered = Gathered::ask(&gateway.client, &gateway.config.regions, last).await;
        let warnings = gathered.warnings();
        warning::log(&warnings, before.as_ref().map_or(&[], |page| &page.warnings));
        // What has a route may be in other accounts than the gateway's own, which may have no credentials.
        let has_routes = gateway.router.routes().any(|route| !route.is_pattern());
        if let Some(problem) = gathered.problem().filter(|_| !has_routes) {
            self.state().problem = Some((Instant::now(), problem.clone()));
            return Err(problem);
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let known = Known::new(gathered, now.map_or(0, |now| now.as_secs()));
        gateway.names.know(Arc::clone(&known.listings));
        gateway.names.tell(&known.behind);
        let thinking = Arc::clone(gateway);
        // Hundreds of names are resolved, and somebody else may wait for this thread.
        let page = tokio::task::spawn_blocking(move || {
            let entries = Entries {
                known: &known,
                config: &thinking.config,
                looked_up: &|arn| thinking.names.behind(arn),
                router: &thinking.router,
                region_of: &|account| thinking.client.region_of(account).to_owned(),
            }
            .all();
            Arc::new(Page::new(known, entries, asked))
        });
        let page = page.await.map_err(|_| broken())?;
        let mut state = self.state();
        state.page = Some(Arc::clone(&page));
        state.problem = None;
        Ok(page)
    }

    /// Asks Bedrock before anyone else does, where names depend on what it says: several regions are configured.
    pub(crate) fn prepare(&self, gateway: &Arc<Gateway>) {
        if gateway.config.regions.len() > 1 {
            self.refresh(gateway, None);
        }
    }

    /// The inference profiles through which `model` can be called; none if they can't be listed.
    pub(crate) async fn profiles_of(&self, gateway: &Arc<Gateway>, model: &str) -> Vec<String> {
        let Ok(Ok(page)) = tokio::time::timeout(HINT_PATIENCE, self.page(gateway)).await else {
            return Vec::new();
        };
        let Some(listing) = page.known.listings.get(gateway.client.region()) else {
            return Vec::new();
        };
        let is_profile = |id: &&String| id.split_once('.').is_some_and(|(_, behind)| behind == model);
        let mut profiles: Vec<String> = listing.profiles.iter().filter(is_profile).cloned().collect();
        profiles.sort_unstable();
        profiles
    }

    /// Makes sure that names are resolved by what Bedrock lists, if it lists it in time.
    pub(crate) async fn refresh_names(&self, gateway: &Arc<Gateway>) {
        let _ = tokio::time::timeout(HINT_PATIENCE, self.page(gateway)).await;
    }

    /// A panic elsewhere leaves nothing half done here.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a page is handed out without a look at whether it is still right.
fn fresh(page: &Page, max_age: Duration) -> Duration {
    if page.known.gathered.is_shaky() {
        max_age.min(FRESH_WITH_FAILURES)
    } else {
        max_age
    }
}

fn broken() -> Problem {
    Problem::new(500, ProblemKind::Server, "The list of models could not be made.").with_code("internal_error")
}

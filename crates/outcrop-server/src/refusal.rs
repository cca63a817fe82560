//! Why a request is refused, for the client and for the log.

use std::sync::Arc;

use outcrop_bedrock::json::Fault;
use outcrop_translate::catalogue::Status;
use outcrop_translate::resolve::{Asked, Directory, near};
use outcrop_translate::{Problem, Unread};
use outcrop_upstream::{Error, Failure};

use crate::admission::Refused as NoRoom;
use crate::error;
use crate::exchange::{Gateway, note_failure};
use crate::record::Record;

/// A problem for the client and, where it says more, its cause for the log.
pub(crate) struct Refusal {
    pub(crate) problem: Problem,
    pub(crate) cause: Option<String>,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, cause: None }
    }
}

impl Refusal {
    /// The same with the part of the request that the failed call was about, where the request is to blame.
    pub(crate) fn about(mut self, part: &str) -> Self {
        let problem = &mut self.problem;
        if problem.status < 500 && problem.param.as_deref() != Some("model") {
            problem.message = format!("{part}: {}", problem.message);
            problem.param = Some(part.to_owned());
        }
        self
    }
}

impl Gateway {
    /// A failed call, as the client is told.
    pub(crate) fn problem(&self, failure: &Failure, record: &Record, model: &str) -> Problem {
        let region = if record.region.is_empty() {
            self.client.region()
        } else {
            &record.region
        };
        let mut problem = error::of_failure(failure, region, model);
        if record.brings_account {
            error::blame_account_of_request(&mut problem, &failure.error);
        }
        problem
    }

    /// A request for which a quota has no room, as the client is told.
    pub(crate) fn no_room(&self, no_room: &NoRoom, record: &mut Record) -> Problem {
        let key = &no_room.key;
        record.model.clone_from(&key.model);
        record.region.clone_from(&key.region);
        record.attempts = no_room.attempts;
        record.lane = Some(self.admission.ledger().lane(
            std::time::Instant::now(),
            key.account.as_deref(),
            &key.region,
            &key.model,
        ));
        error::of_no_room(no_room)
    }

    /// The refusal of a request whose call has failed.
    pub(crate) async fn refusal(self: &Arc<Self>, failure: &Failure, model: &str, record: &mut Record) -> Refusal {
        note_failure(record, failure);
        let mut problem = self.problem(failure, record, model);
        if let Error::Service { message, .. } = &failure.error {
            if error::needs_profile(message) {
                let profiles = self.models.profiles_of(self, model).await;
                if !profiles.is_empty() {
                    problem.message = format!(
                        "{} Inference profiles with it: {}.",
                        problem.message,
                        profiles.join(", ")
                    );
                }
            } else if problem.status == 404 {
                problem.message.push_str(&self.instead_of(model));
            }
        }
        Refusal {
            problem,
            cause: Some(failure.to_string()),
        }
    }

    /// What to ask instead of a model that isn't there: the successor of one that is gone, or what may have been meant;
    /// empty where there is nothing to say.
    fn instead_of(&self, model_id: &str) -> String {
        let config = &self.config;
        let catalogue = &config.catalogue;
        let base_id = catalogue.base_id(model_id).unwrap_or(model_id);
        if let Some(model) = catalogue.model(base_id) {
            if let Some(successor) = &model.lifecycle.successor
                && model.lifecycle.status != Status::Active
            {
                return format!(" Its successor is '{successor}'.");
            }
            // A profile of another geography, perhaps.
            let asked = Asked {
                name: base_id,
                ..Asked::default()
            };
            return match self.names.resolve(&asked, config, self.client.region(), None) {
                Ok(target) if target.model_id != model_id => format!(" Did you mean '{}'?", target.model_id),
                _ => String::new(),
            };
        }
        let directory = Directory {
            rules: &config.names,
            ..Directory::offline(catalogue)
        };
        // A profile's prefix stays.
        let geography = model_id
            .strip_suffix(base_id)
            .and_then(|prefix| prefix.strip_suffix('.'));
        let has_it = |id: &str| {
            let model = catalogue.model(id.trim_matches('\''));
            model.is_some_and(|model| model.profiles.iter().any(|profile| Some(profile.as_str()) == geography))
        };
        let offers: Vec<String> = near(base_id, &directory)
            .into_iter()
            .map(|offer| match geography {
                Some(geography) if has_it(&offer) => offer.replacen('\'', &format!("'{geography}."), 1),
                _ => offer,
            })
            .collect();
        if offers.is_empty() {
            return String::new();
        }
        format!(" Did you mean {}?", offers.join(" or "))
    }
}

/// What failed stands in the place of an answer.
pub(crate) fn failed_in_answer(unread: Unread) -> Refusal {
    let error = error::of_unread(unread, "the reply");
    Refusal {
        cause: Some(error.to_string()),
        problem: error::of_error(&error),
    }
}

/// The reply is none of Bedrock's.
pub(crate) fn not_bedrocks(fault: &Fault) -> Refusal {
    Refusal {
        cause: Some(format!("the reply is not what Bedrock answers: {fault}")),
        problem: error::of_error(&Error::Protocol(String::new())),
    }
}

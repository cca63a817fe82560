//! Why a call may not be made, for the client.

use std::time::Duration;

use outcrop_routing::ledger::{Full, LaneKey, Quota};

/// Why a call may not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// What kind of no it is.
    pub(crate) why: Why,
    /// The model, region and account that would have room first.
    pub(crate) key: LaneKey,
    /// The quota that has no room, and when it will.
    pub(crate) full: Full,
    /// The calls that were made all the same, elsewhere or before.
    pub(crate) attempts: u32,
}

/// What kind of no it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// There will be no room within the time that requests may wait.
    Full,
    /// As many wait as may.
    QueueFull,
    /// It has waited as long as it may.
    TimedOut,
}

impl Refused {
    pub(super) fn new(why: Why, key: LaneKey, full: Full) -> Self {
        Self {
            why,
            key,
            full,
            attempts: 0,
        }
    }

    pub(super) fn nothing_to_ask() -> Self {
        let full = Full {
            quota: Quota::Requests,
            limit: None,
            retry_after: None,
        };
        Self::new(Why::Full, LaneKey::default(), full)
    }

    /// When to ask again, in whole seconds and at least one; `None` if that will be of no use.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let after = self.full.retry_after?;
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        Some(Duration::from_secs(seconds.max(1)))
    }

    /// What happened, for the client.
    pub(crate) fn message(&self) -> String {
        let LaneKey { model, region, account } = &self.key;
        let account = account
            .as_ref()
            .map(|account| format!(" of the account '{account}'"))
            .unwrap_or_default();
        let quota = self.full.quota.name();
        let what = match self.full.limit {
            Some(limit) => format!("The quota of {limit} {quota} for '{model}' in {region}{account}"),
            None => format!("The quota of {quota} for '{model}' in {region}{account}"),
        };
        let Some(after) = self.retry_after() else {
            return format!(
                "{what} is smaller than what this request reserves: its prompt and the limit of its answer. A smaller \
                 'max_tokens' reserves less."
            );
        };
        let seconds = after.as_secs();
        let when = if seconds == 1 {
            "1 second".to_owned()
        } else {
            format!("{seconds} seconds")
        };
        let why = match self.why {
            Why::Full => "",
            Why::QueueFull => ", and too many requests wait for it",
            Why::TimedOut => ", and this request has waited for it",
        };
        format!("{what} is used up{why}. There will be room in about {when}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(why: Why, limit: Option<u64>, retry_after: Option<Duration>) -> Refused {
        let key = LaneKey {
            account: Some("two".to_owned()),
            region: "eu-west-1".to_owned(),
            model: "eu.a.b".to_owned(),
        };
        let full = Full {
            quota: Quota::Tokens,
            limit,
            retry_after,
        };
        Refused::new(why, key, full)
    }

    #[test]
    fn a_refusal_says_which_quota_and_when() {
        let soon = refused(Why::Full, Some(200_000), Some(Duration::from_millis(11_100)));
        assert_eq!(soon.retry_after(), Some(Duration::from_secs(12)));
        assert_eq!(
            soon.message(),
            "The quota of 200000 tokens per minute for 'eu.a.b' in eu-west-1 of the account 'two' is used up. There \
             will be room in about 12 seconds."
        );
        let waited = refused(Why::TimedOut, None, Some(Duration::from_millis(1)));
        assert!(
            waited
                .message()
                .ends_with("and this request has waited for it. There will be room in about 1 second.")
        );
    }

    #[test]
    fn a_call_that_never_fits_is_told_what_to_change() {
        let never = refused(Why::Full, Some(1000), None);
        assert_eq!(never.retry_after(), None);
        assert!(never.message().contains("'max_tokens'"));
    }
}

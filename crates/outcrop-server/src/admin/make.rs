//! New keys, and members that several requests have.

use outcrop_tenants::validate::Fault;
use outcrop_tenants::{Status, Token, TokenKind};
use outcrop_translate::{Problem, ProblemKind};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Deserialize;

use super::problems;
use crate::tenants::now;

/// The last second of the year 9999.
const LAST: i64 = 253_402_300_799;

/// A new key.
pub(super) fn token(kind: TokenKind) -> Result<Token, Problem> {
    let mut random = [0; Token::RANDOM_BYTES];
    SystemRandom::new().fill(&mut random).map_err(|_| {
        tracing::error!("the operating system gives no random bytes");
        Problem::new(
            500,
            ProblemKind::Server,
            "No key can be made; the gateway's log says why.",
        )
        .with_code("no_randomness")
    })?;
    Ok(Token::new(kind, &random))
}

/// What may be said of a status: only a deletion deletes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SetStatus {
    Active,
    Disabled,
}

impl From<SetStatus> for Status {
    fn from(said: SetStatus) -> Self {
        match said {
            SetStatus::Active => Self::Active,
            SetStatus::Disabled => Self::Disabled,
        }
    }
}

/// When something new ends: later than now.
pub(super) fn ends_later(ends: Option<i64>) -> Result<Option<i64>, Problem> {
    match ends {
        Some(end) if end <= now() => Err(problems::invalid("expires_at", "must be later than now")),
        end => ends_sometime(end),
    }
}

/// When something ends; what is over already ends now.
pub(super) fn ends_sometime(ends: Option<i64>) -> Result<Option<i64>, Problem> {
    match ends {
        Some(end) if !(0..=LAST).contains(&end) => {
            let what = format!("must be a time in seconds since 1970, up to {LAST}");
            Err(problems::invalid("expires_at", what))
        }
        end => Ok(end),
    }
}

/// Checks a member by a rule that doesn't know its name.
pub(super) fn check<T: ?Sized>(member: &str, value: &T, rule: impl Fn(&T) -> Result<(), Fault>) -> Result<(), Problem> {
    rule(value).map_err(|fault| problems::of_fault(fault.within(member)))
}

/// Who uses a key: a text for people, as a name is.
pub(super) fn check_user(user: Option<&String>) -> Result<(), Problem> {
    user.map_or(Ok(()), |user| {
        check("user", user.as_str(), outcrop_tenants::validate::name)
    })
}

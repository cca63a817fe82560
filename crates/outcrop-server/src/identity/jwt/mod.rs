//! JSON Web Tokens of issuers that the operator trusts.

mod algorithm;
mod keys;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use outcrop_translate::Problem;
use outcrop_upstream::Client;
use ring::digest::{SHA256, digest};
use serde_json::Value;

pub use algorithm::JwtAlgorithm;
use keys::Keys;
pub use keys::is_trustworthy;
pub use token::Issuer;
pub(crate) use token::looks_like_one;
use token::{Flaw, Unverified, Verified};

use super::problem;

/// So many tokens are remembered as checked…
const REMEMBERED: usize = 10_000;
/// … and for so long, so that a key that was withdrawn soon isn't trusted any more.
const REMEMBERED_FOR: Duration = Duration::from_secs(5 * 60);

/// The issuers.
#[derive(Debug)]
pub(super) struct Issuers {
    issuers: Vec<(Issuer, Keys)>,
    checked: Mutex<HashMap<[u8; 32], Checked>>,
}

/// What a token was found to prove, and when.
type Checked = (Instant, Arc<Claimed>);

/// What a token proves.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(super) issuer: String,
    pub(super) claims: Value,
    pub(super) user: String,
    ends_at: i64,
}

impl Issuers {
    pub(super) fn new(issuers: Vec<Issuer>) -> Self {
        let issuers = issuers.into_iter().map(|issuer| {
            let keys = Keys::new(&issuer.issuer, issuer.jwks_url.as_deref());
            (issuer, keys)
        });
        Self {
            issuers: issuers.collect(),
            checked: Mutex::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.issuers.is_empty()
    }

    /// What a token proves at a moment, in seconds since 1970.
    pub(super) async fn check(&self, client: &Client, token: &str, now: i64) -> Result<Arc<Claimed>, Problem> {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        if let Some(claimed) = self.remembered(&fingerprint, now) {
            return Ok(claimed);
        }
        let (issuer, verified) = self.verify(client, token, now).await?;
        let claimed = Arc::new(Claimed {
            issuer: issuer.issuer.clone(),
            claims: verified.claims,
            user: verified.user,
            ends_at: verified.ends_at,
        });
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked.len() >= REMEMBERED {
            checked.retain(|_, (since, claimed)| since.elapsed() < REMEMBERED_FOR && now < claimed.ends_at);
            if checked.len() >= REMEMBERED {
                checked.clear();
            }
        }
        checked.insert(fingerprint, (Instant::now(), Arc::clone(&claimed)));
        Ok(claimed)
    }

    fn remembered(&self, fingerprint: &[u8; 32], now: i64) -> Option<Arc<Claimed>> {
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, claimed) = checked.get(fingerprint)?;
        (since.elapsed() < REMEMBERED_FOR && now < claimed.ends_at).then(|| Arc::clone(claimed))
    }

    async fn verify(&self, client: &Client, token: &str, now: i64) -> Result<(&Issuer, Verified), Problem> {
        let unverified = Unverified::read(token).map_err(told)?;
        let named = unverified.issuer();
        let (issuer, keys) = self
            .issuers
            .iter()
            .find(|(issuer, _)| named == Some(&issuer.issuer))
            .ok_or_else(|| told(Flaw::Invalid("its issuer is not one of this gateway's")))?;
        let known = keys.get(client).await.ok_or_else(|| {
            problem::unavailable("The keys of the token's issuer can't be read at the moment; try again.")
        })?;
        let verified = match unverified.verify(issuer, &known, now) {
            Err(Flaw::UnknownKey) => {
                // The issuer may have a new one.
                let newer = keys.newer(client, &known).await.unwrap_or(known);
                unverified.verify(issuer, &newer, now)
            }
            verified => verified,
        };
        verified.map(|verified| (issuer, verified)).map_err(told)
    }
}

fn told(flaw: Flaw) -> Problem {
    match flaw {
        Flaw::Invalid(what) => problem::invalid_token(what),
        Flaw::UnknownKey => problem::invalid_token("its issuer has no key of the id that its header names"),
        Flaw::Audience => problem::refusal("The token is not meant for this gateway ('aud').", "wrong_audience"),
        Flaw::Expired => problem::refusal("The token has expired; get a new one.", "expired_token"),
    }
}

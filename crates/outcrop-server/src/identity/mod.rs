//! Who somebody is that has no key of ours: an AWS identity that STS vouches for, a session of one, an identity that
//! AWS's front door passes on, a token of an issuer.
//!
//! It goes in two steps. [`Identities::prove`] finds out who somebody is, and [`find`] which login of the directory that
//! means. The first may be remembered; the second is asked with each request, so that a login that is taken away is of no
//! use within a second.

mod aws;
mod forwarded;
mod jwt;
mod logins;
mod once;
mod problem;
mod route;
mod session;
mod sts;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::request::Parts;
use outcrop_store::Store;
use outcrop_tenants::{Credential, Id, Pepper, presigned};
use outcrop_translate::Problem;
use outcrop_upstream::Client;

pub(crate) use forwarded::Vouched;
pub use forwarded::{ForwardedIdentity, arn_of_request_context};
pub use jwt::{Issuer, JwtAlgorithm, is_trustworthy};
use logins::Found;
pub(crate) use logins::Logins;
pub(crate) use route::create_session;
use session::Session;

/// What becomes of a token of an AWS identity that comes once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IamReplay {
    /// It is refused.
    #[default]
    Refuse,
    /// It is good until it ends.
    Allow,
}

/// How somebody may prove who they are.
#[derive(Clone, Debug)]
pub struct IdentityConfig {
    /// What tokens of AWS identities must be bound to; the host of the gateway's public URL if there is none.
    pub iam_audience: Vec<String>,
    /// How long such a token is good at the most.
    pub iam_max_age: Duration,
    /// What becomes of one that comes again.
    pub iam_replay: IamReplay,
    /// How long a session lasts.
    pub session_duration: Duration,
    /// The address of STS, where it isn't AWS's.
    pub sts_endpoint: Option<String>,
    /// Whether AWS is simulated at that address, and nobody else may be asked.
    pub is_simulated: bool,
    /// Where trusted proxies say who somebody is.
    pub forwarded: Option<ForwardedIdentity>,
    /// The issuers of tokens.
    pub issuers: Vec<Issuer>,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self {
            iam_audience: Vec::new(),
            iam_max_age: Duration::from_secs(900),
            iam_replay: IamReplay::Refuse,
            session_duration: Duration::from_secs(3600),
            sts_endpoint: None,
            is_simulated: false,
            forwarded: None,
            issuers: Vec::new(),
        }
    }
}

/// Finds out who somebody is.
#[derive(Debug)]
pub(crate) struct Identities {
    config: IdentityConfig,
    issuers: jwt::Issuers,
    aws: Arc<aws::Memory>,
    /// The logins of a version of the directory.
    logins: RwLock<Option<(i64, Arc<Logins>)>>,
}

/// What it takes to find out.
#[derive(Clone, Copy)]
pub(crate) struct With<'a> {
    pub(crate) client: &'a Client,
    pub(crate) pepper: &'a Pepper,
    pub(crate) store: Option<&'a Store>,
    /// Where clients reach the gateway.
    pub(crate) public_url: Option<&'a str>,
    /// Whether there is any login for AWS identities; without one nobody is asked.
    pub(crate) has_iam: bool,
}

/// Who somebody has proved to be.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    /// Somebody at AWS, by ARN.
    Aws(String),
    /// The bearer of an issuer's token.
    Claims(Arc<jwt::Claimed>),
    /// Somebody who has a session.
    Session(Session),
}

/// Somebody who may come in, as far as the login allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The login.
    pub(crate) credential_id: Id,
    /// Who it is: an ARN, or what a claim says.
    pub(crate) user: String,
    /// Whether it is worth a session: a token of an issuer is as good as one, and a session doesn't begin another.
    pub(crate) may_begin_session: bool,
}

impl Identities {
    pub(crate) fn new(config: IdentityConfig) -> Self {
        Self {
            issuers: jwt::Issuers::new(config.issuers.clone()),
            config,
            aws: Arc::default(),
            logins: RwLock::default(),
        }
    }

    /// The same with other settings. What was used once stays used.
    pub(crate) fn successor(&self, config: IdentityConfig) -> Self {
        Self {
            aws: Arc::clone(&self.aws),
            ..Self::new(config)
        }
    }

    /// Whether a bearer is for this to judge. What doesn't look like anything is a wrong key.
    pub(crate) fn concerns(&self, bearer: &str) -> bool {
        bearer.starts_with(presigned::PREFIX)
            || bearer.starts_with(session::PREFIX)
            || (!self.issuers.is_empty() && jwt::looks_like_one(bearer))
    }

    /// Who the bearer of this is.
    ///
    /// # Errors
    /// 401 if it proves nothing, 503 if nobody can tell.
    pub(crate) async fn prove(&self, with: &With<'_>, bearer: &str, head: &Parts, now: i64) -> Result<Proof, Problem> {
        if bearer.starts_with(presigned::PREFIX) {
            return self.prove_aws(with, bearer, head, now).await.map(Proof::Aws);
        }
        if bearer.starts_with(session::PREFIX) {
            let session = Session::read(bearer, with.pepper)
                .ok_or_else(|| problem::invalid_token("it is no session of this gateway's"))?;
            if now >= session.expires_at {
                return Err(problem::refusal(
                    "The session has ended; begin a new one.",
                    "expired_token",
                ));
            }
            return Ok(Proof::Session(session));
        }
        self.issuers.check(with.client, bearer, now).await.map(Proof::Claims)
    }

    /// Who a request is from, as AWS's front door says, if this is to be believed: `is_trusted` says that it came from
    /// there.
    pub(crate) fn forwarded(&self, head: &Parts, is_trusted: bool) -> Option<Proof> {
        if let Some(Vouched(arn)) = head.extensions.get() {
            return Some(Proof::Aws(arn.clone()));
        }
        let arn = self.config.forwarded.as_ref()?.arn(&head.headers)?;
        is_trusted.then_some(Proof::Aws(arn))
    }

    /// The logins of a directory, put in order once for each version of it.
    pub(crate) fn logins<'a>(&self, version: i64, credentials: impl Iterator<Item = &'a Credential>) -> Arc<Logins> {
        let known = self.logins.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((of, logins)) = known
            && of == version
        {
            return logins;
        }
        let logins = Arc::new(Logins::new(credentials));
        *self.logins.write().unwrap_or_else(PoisonError::into_inner) = Some((version, Arc::clone(&logins)));
        logins
    }

    /// A session of somebody whom AWS vouches for.
    pub(crate) fn begin_session(&self, identity: &Identity, now: i64) -> Session {
        let duration = i64::try_from(self.config.session_duration.as_secs()).unwrap_or(i64::MAX);
        Session {
            credential_id: identity.credential_id.clone(),
            user: identity.user.clone(),
            expires_at: now.saturating_add(duration),
        }
    }
}

/// The login of whoever proved to be somebody.
///
/// # Errors
/// 403 if there is none, or several that fit equally well; 401 if a session's is gone.
pub(crate) fn find(logins: &Logins, proof: &Proof, now: i64) -> Result<Identity, Problem> {
    let (found, user) = match proof {
        Proof::Aws(arn) => (logins.of_arn(arn), arn),
        Proof::Claims(claimed) => (logins.of_claims(&claimed.issuer, &claimed.claims), &claimed.user),
        Proof::Session(session) => {
            // Whoever has it was let in by this login. Another one that fits by now is not what was asked for.
            let is_same = logins.of_arn(&session.user) == Found::One(session.credential_id.clone());
            if !is_same || !logins.is_usable(&session.credential_id, now) {
                let message = "The login that the session is of is there no more; begin a new one.";
                return Err(problem::refusal(message, "invalid_token"));
            }
            (Found::One(session.credential_id.clone()), &session.user)
        }
    };
    match found {
        Found::One(credential_id) => Ok(Identity {
            credential_id,
            user: user.clone(),
            may_begin_session: matches!(proof, Proof::Aws(_)),
        }),
        Found::None => Err(problem::forbidden(
            format!("Nobody has given '{}' access to this gateway.", shown(user)),
            "unknown_identity",
        )),
        Found::Several(one, other) => {
            tracing::warn!(
                user,
                one,
                other,
                "two logins fit somebody equally well; make one of them say more, or take one away"
            );
            Err(problem::forbidden(
                format!("Several logins of this gateway fit '{}' equally well.", shown(user)),
                "ambiguous_identity",
            ))
        }
    }
}

/// As much of somebody's own name as an error repeats.
fn shown(user: &str) -> String {
    const MOST_CHARS: usize = 300;
    user.chars().take(MOST_CHARS).collect()
}

//! AWS identities: STS is asked whose token it is.

use std::fmt::Write as _;
use std::time::Duration;

use http::header::{ACCEPT, HOST};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Uri};
use outcrop_tenants::presigned::{GATEWAY_HEADER, Presigned, PresignedFlaw};
use outcrop_translate::Problem;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::once::Once;
use super::sts::{self, Answer, Caller};
use super::{IamReplay, Identities, With, problem};

/// Time for STS to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Questions to STS at the same time: whoever comes with tokens that are none must not have it asked without end.
const PARALLEL: usize = 32;
/// Tokens that were used: more than anybody's of a quarter of an hour. Past it, new ones are refused until some have ended.
const MOST_USED: usize = 1_000_000;
/// Tokens that STS has refused. Anybody can make more of them, so no more are remembered.
const MOST_REFUSED: usize = 10_000;
/// STS is asked for each audience at the most, so there are but so many.
pub(crate) const MOST_AUDIENCES: usize = 8;

/// What is remembered of tokens.
#[derive(Debug)]
pub(super) struct Memory {
    /// Those that were accepted, with whom they proved.
    used: Once<String>,
    /// Those that STS refused, with the code of the error.
    refused: Once<Problem>,
    asking: Semaphore,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            used: Once::new(MOST_USED),
            refused: Once::new(MOST_REFUSED),
            asking: Semaphore::new(PARALLEL),
        }
    }
}

impl Identities {
    /// The ARN of whoever made a token.
    pub(super) async fn prove_aws(
        &self,
        with: &With<'_>,
        token: &str,
        head: &Parts,
        now: i64,
    ) -> Result<String, Problem> {
        let max_age = i64::try_from(self.config.iam_max_age.as_secs()).unwrap_or(i64::MAX);
        let presigned = Presigned::read(token, self.config.sts_endpoint.as_deref()).map_err(told)?;
        if self.config.is_simulated && !presigned.is_for(self.config.sts_endpoint.as_deref()) {
            return Err(problem::invalid_token("it is for AWS, which is simulated here"));
        }
        presigned.check_time(now, max_age).map_err(told)?;
        if !with.has_iam {
            return Err(problem::invalid_token("this gateway has no logins for AWS identities"));
        }
        let fingerprint = presigned.fingerprint();
        let ends_at = presigned.ends_at(max_age);
        if let Some(problem) = self.aws.refused.get(&fingerprint, now) {
            return Err(problem);
        }
        if let Some(arn) = self.aws.used.get(&fingerprint, now) {
            return match self.config.iam_replay {
                IamReplay::Allow => Ok(arn),
                IamReplay::Refuse => Err(replayed()),
            };
        }
        let audiences = self.audiences(with, head)?;
        let caller = match self.ask(with, &presigned, &audiences).await {
            Ok(caller) => caller,
            Err(problem) => {
                // Asking again would not help. That nobody can be asked at the moment says nothing of the token.
                if problem.status == 401 {
                    let _ = self.aws.refused.note(fingerprint, ends_at, problem.clone(), now);
                }
                return Err(problem);
            }
        };
        let noted = self.aws.used.note(fingerprint, ends_at, caller.arn.clone(), now);
        let is_first = noted.map_err(|_| problem::unavailable("Too many logins at once; try again later."))?;
        if self.config.iam_replay == IamReplay::Allow {
            return Ok(caller.arn);
        }
        if !is_first {
            return Err(replayed());
        }
        if let Some(store) = with.store {
            // The other instances have their own memory, and share the database.
            let name = fingerprint.iter().fold("aws-token:".to_owned(), |mut name, byte| {
                // Writing to a string can't fail.
                let _ = write!(name, "{byte:02x}");
                name
            });
            match store.use_once(&name, ends_at).await {
                Ok(true) => {}
                Ok(false) => return Err(replayed()),
                Err(error) => {
                    tracing::warn!(%error, "whether a token was used before can't be looked up");
                    return Err(problem::unavailable(
                        "Logins can't be checked at the moment; try again.",
                    ));
                }
            }
        }
        tracing::debug!(
            arn = caller.arn,
            user_id = caller.user_id,
            "an AWS identity has logged in"
        );
        Ok(caller.arn)
    }

    /// What tokens may be bound to. The name by which a request came in is the first among several, as it is the likeliest.
    fn audiences(&self, with: &With<'_>, head: &Parts) -> Result<Vec<String>, Problem> {
        let came_by = head.headers.get(HOST).and_then(|host| host.to_str().ok()).map(host_of);
        if !self.config.iam_audience.is_empty() {
            let mut audiences = self.config.iam_audience.clone();
            audiences.truncate(MOST_AUDIENCES);
            audiences.sort_by_key(|audience| came_by.as_ref() != Some(audience));
            return Ok(audiences);
        }
        if let Some(host) = with
            .public_url
            .and_then(|url| url.parse::<Uri>().ok()?.host().map(host_of))
        {
            return Ok(vec![host]);
        }
        // Whoever got hold of a token for a gateway of theirs could name that one's host to us. No such token is for a
        // name of this machine.
        match came_by {
            Some(host) if is_local(&host) => Ok(vec![host]),
            _ => {
                tracing::warn!("an AWS identity can't log in: set `iam_audience`, or `public_url`");
                let what = "this gateway doesn't know what it is called ('iam_audience' is not set)";
                Err(problem::invalid_token(what))
            }
        }
    }

    async fn ask(&self, with: &With<'_>, presigned: &Presigned, audiences: &[String]) -> Result<Caller, Problem> {
        let unread = || problem::unavailable("AWS STS can't be asked at the moment; try again.");
        let _turn = timeout(TIMEOUT, self.aws.asking.acquire()).await.map_err(|_| {
            tracing::warn!("too many tokens wait for AWS STS to be asked");
            unread()
        })?;
        let uri: Uri = presigned.url().parse().map_err(|_| unread())?;
        for audience in audiences {
            let Ok(value) = HeaderValue::from_str(&presigned.header_value(audience)) else {
                continue;
            };
            let headers = [
                (HeaderName::from_static(GATEWAY_HEADER), value),
                (ACCEPT, HeaderValue::from_static("text/xml")),
            ];
            let answered = with.client.get(&uri, &headers, sts::MAX_BYTES, TIMEOUT).await;
            let (status, body) = answered.map_err(|error| {
                tracing::warn!(%error, host = uri.host(), "AWS STS can't be asked who somebody is");
                unread()
            })?;
            match sts::read(status, &body) {
                Some(Answer::Is(caller)) => return Ok(caller),
                Some(Answer::Refused { code, message }) => {
                    if let Some(problem) = refused(status, &code, &message) {
                        tracing::debug!(code, "AWS STS doesn't take a token");
                        return Err(problem);
                    }
                }
                None => {
                    tracing::warn!(
                        status,
                        host = uri.host(),
                        "what AWS STS answered is not an answer of its own"
                    );
                    return Err(unread());
                }
            }
        }
        let message = format!(
            "AWS doesn't take the token's signature: it is bound to another gateway than '{}' (the signed header \
             'x-outcrop-gateway'), or was changed.",
            audiences.join("' or '")
        );
        Err(problem::refusal(message, "wrong_audience"))
    }
}

/// What a refusal of STS's means; `None` if another audience may be the right one.
fn refused(status: u16, code: &str, message: &str) -> Option<Problem> {
    let expired = || problem::refusal("The token has expired; make a new one.", "expired_token");
    Some(match code {
        "SignatureDoesNotMatch" if message.starts_with("Signature expired") => expired(),
        "SignatureDoesNotMatch" if message.starts_with("Signature not yet current") => {
            problem::invalid_token("AWS says that it was signed in the future")
        }
        "SignatureDoesNotMatch" => return None,
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => problem::refusal(
            "AWS says that the credentials that signed the token have expired.",
            "expired_token",
        ),
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => {
            problem::unavailable("AWS STS is asked too often at the moment; try again.")
        }
        _ if status >= 500 => problem::unavailable("AWS STS can't be asked at the moment; try again."),
        "InvalidClientTokenId" | "UnrecognizedClientException" => {
            problem::invalid_token("AWS doesn't know the credentials that signed it")
        }
        _ => problem::invalid_token("AWS doesn't take it"),
    })
}

fn replayed() -> Problem {
    let message = "The token was used before; make a new one for each request, or use it to begin a session.";
    problem::refusal(message, "replayed_token")
}

fn told(flaw: PresignedFlaw) -> Problem {
    match flaw {
        PresignedFlaw::Form(what) => problem::invalid_token(what),
        PresignedFlaw::Expired => problem::refusal("The token has expired; make a new one.", "expired_token"),
    }
}

/// The host of an authority, without a port, in small letters.
fn host_of(authority: &str) -> String {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    host.to_ascii_lowercase()
}

fn is_local(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

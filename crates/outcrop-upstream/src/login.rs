//! The ways in which an account logs in.

use std::sync::Arc;

use http::HeaderValue;

use crate::account::{Account, Value};
use crate::auth::Auth;
use crate::aws::{Aws, Profile};
use crate::aws_json::refused_name;
use crate::config::ConfigError;
use crate::credentials::{CredentialCache, Loaded, Loading, Renewed, Source};
use crate::sign::SigningCredentials;
use crate::sts::{Desk, Role};
use crate::values::Reading;

/// The longest name of a role's session that STS takes, and what it takes besides letters and digits (service model of
/// STS, botocore 1.44.5, 2026-11).
const MAX_SESSION_NAME: usize = 64;
const SESSION_NAME_MARKS: &str = "_+=,.@-";

/// How `account` proves who it is. `own` is the client's own way, `source` that of the account's source account.
///
/// # Errors
/// When what the account says doesn't fit together.
pub(crate) fn auth(
    aws: &Arc<Aws>,
    account: &Account,
    desk: &Desk,
    own: &Auth,
    source: Option<&Auth>,
) -> Result<Auth, ConfigError> {
    let wrong = |problem: &'static str| ConfigError::Account {
        account: account.name.clone(),
        problem: problem.to_owned(),
    };
    let has_keys = match (&account.access_key_id, &account.secret_access_key) {
        (Some(_), Some(_)) => true,
        (None, None) if account.session_token.is_some() => {
            return Err(wrong("a session token needs an access key id and a secret access key"));
        }
        (None, None) => false,
        _ => return Err(wrong("an access key id and a secret access key belong together")),
    };
    let has_role = account.role_arn.is_some();
    if account.web_identity_token.is_some() && !has_role {
        return Err(wrong("a web identity token needs the role that it is for"));
    }
    if !has_role && (account.external_id.is_some() || !account.session_tags.is_empty()) {
        return Err(wrong(
            "an external id and session tags are for a role, and there is none",
        ));
    }
    let has_others = has_keys || account.profile.is_some() || account.web_identity_token.is_some();
    if source.is_some() && (has_others || account.api_key.is_some()) {
        return Err(wrong(
            "a source account is an identity already; keys, a profile or a token besides it say another",
        ));
    }
    if let Some(key) = &account.api_key {
        if has_role || has_others {
            tracing::warn!(
                account = account.name,
                "the account's Bedrock API key is used, and nothing else of it"
            );
        }
        return match key {
            Value::Literal(key) => {
                Auth::api_key(key).ok_or_else(|| wrong("the Bedrock API key can't stand in a header"))
            }
            reference => Ok(Auth::KeptApiKey(Renewed::new(
                &account.name,
                ApiKey {
                    aws: Arc::clone(aws),
                    key: reference.clone(),
                },
            ))),
        };
    }
    if has_keys && account.profile.is_some() && account.web_identity_token.is_none() {
        tracing::warn!(
            account = account.name,
            "the account has a profile and keys; the profile is used"
        );
    }
    let credentials = match (&account.profile, &account.access_key_id, &account.secret_access_key) {
        (Some(profile), ..) => Some(Renewed::new(
            &account.name,
            Profile {
                sdk: Arc::clone(&aws.sdk),
                name: profile.clone(),
                region: desk.region.clone(),
            },
        )),
        (None, Some(access_key_id), Some(secret_access_key)) => Some(Renewed::new(
            &account.name,
            Keys {
                aws: Arc::clone(aws),
                access_key_id: access_key_id.clone(),
                secret_access_key: secret_access_key.clone(),
                session_token: account.session_token.clone(),
            },
        )),
        _ => None,
    };
    let Some(arn) = &account.role_arn else {
        return Ok(match (credentials, source) {
            (Some(credentials), _) => Auth::Credentials(credentials),
            (None, Some(source)) => source.clone(),
            (None, None) => own.clone(),
        });
    };
    let base = match (&account.web_identity_token, credentials, source) {
        (Some(token), ..) => Base::WebIdentity(token.clone()),
        (None, Some(credentials), _) => Base::Credentials(credentials),
        (None, None, Some(Auth::Credentials(credentials))) => {
            Base::Account(account.source_account.clone().unwrap_or_default(), credentials.clone())
        }
        (None, None, Some(_)) => {
            return Err(wrong(
                "its source account has a Bedrock API key, with which no role can be assumed",
            ));
        }
        (None, None, None) => Base::Own,
    };
    Ok(Auth::Credentials(Renewed::new(
        &account.name,
        AssumedRole {
            aws: Arc::clone(aws),
            desk: desk.clone(),
            base,
            arn: arn.clone(),
            session_name: account
                .role_session_name
                .clone()
                .unwrap_or_else(|| Value::Literal(session_name(&account.name))),
            external_id: account.external_id.clone(),
            tags: account.session_tags.clone(),
        },
    )))
}

/// The session's name for who doesn't name one.
fn session_name(account: &str) -> String {
    let fits = |char: char| char.is_ascii_alphanumeric() || SESSION_NAME_MARKS.contains(char);
    let name = account.chars().map(|char| if fits(char) { char } else { '-' });
    "outcrop-".chars().chain(name).take(MAX_SESSION_NAME).collect()
}

/// Keys as they are written down, or kept somewhere.
#[derive(Debug)]
struct Keys {
    aws: Arc<Aws>,
    access_key_id: Value,
    secret_access_key: Value,
    session_token: Option<Value>,
}

impl Source<SigningCredentials> for Keys {
    fn load(&self) -> Loading<'_, SigningCredentials> {
        Box::pin(async {
            let mut reading = Reading::new(&self.aws);
            let values = [
                Some(&self.access_key_id),
                Some(&self.secret_access_key),
                self.session_token.as_ref(),
            ];
            Ok(Loaded {
                value: SigningCredentials {
                    access_key_id: read(&mut reading, &self.access_key_id).await?,
                    secret_access_key: read(&mut reading, &self.secret_access_key).await?,
                    session_token: read_some(&mut reading, self.session_token.as_ref()).await?,
                },
                expiry: None,
                may_change: values.into_iter().flatten().any(may_change),
            })
        })
    }
}

/// A Bedrock API key that is kept somewhere.
#[derive(Debug)]
struct ApiKey {
    aws: Arc<Aws>,
    key: Value,
}

impl Source<HeaderValue> for ApiKey {
    fn load(&self) -> Loading<'_, HeaderValue> {
        Box::pin(async {
            let key = read(&mut Reading::new(&self.aws), &self.key).await?;
            Ok(Loaded {
                value: Auth::bearer(&key).ok_or("the Bedrock API key can't stand in a header")?,
                expiry: None,
                may_change: may_change(&self.key),
            })
        })
    }
}

/// A role, assumed anew before its session ends.
#[derive(Debug)]
struct AssumedRole {
    aws: Arc<Aws>,
    desk: Desk,
    base: Base,
    arn: Value,
    session_name: Value,
    external_id: Option<Value>,
    tags: Vec<(String, String)>,
}

/// Who assumes a role.
#[derive(Debug)]
enum Base {
    /// The client itself.
    Own,
    /// The account's own keys or profile.
    Credentials(CredentialCache),
    /// Another account.
    Account(String, CredentialCache),
    /// Whoever holds this token. It is read each time, as others write a new one before it ends.
    WebIdentity(Value),
}

impl Source<SigningCredentials> for AssumedRole {
    fn load(&self) -> Loading<'_, SigningCredentials> {
        Box::pin(async {
            let mut reading = Reading::new(&self.aws);
            let arn = read(&mut reading, &self.arn).await?;
            let base = match &self.base {
                Base::WebIdentity(token) => {
                    let token = read(&mut reading, token).await?;
                    let role = self.role(&mut reading, arn).await?;
                    let assumed = self.desk.assume_with_token(&self.aws.sdk, token, role).await;
                    return assumed.map_err(|refusal| refusal.message);
                }
                Base::Own => &self.aws.own,
                Base::Credentials(credentials) | Base::Account(_, credentials) => credentials,
            };
            let mut again = true;
            loop {
                let credentials = base.get_or_say().await.map_err(|problem| match &self.base {
                    Base::Account(name, _) => format!("its source account '{name}': {problem}"),
                    _ => problem,
                })?;
                if self.is_own_role(&arn, &credentials).await {
                    return Ok(Loaded {
                        value: (*credentials).clone(),
                        expiry: base.expiry(),
                        may_change: true,
                    });
                }
                let role = self.role(&mut reading, arn.clone()).await?;
                match self.desk.assume(&self.aws.sdk, &credentials, role).await {
                    Ok(assumed) => return Ok(assumed),
                    Err(refusal) => {
                        let name = refusal.name.as_deref().unwrap_or_default();
                        if !std::mem::take(&mut again) || !refused_name(base, name) {
                            return Err(refusal.message);
                        }
                    }
                }
            }
        })
    }
}

impl AssumedRole {
    /// Whether the client is in this role already, as a pod may be that is given it: few roles may assume themselves.
    async fn is_own_role(&self, arn: &str, credentials: &SigningCredentials) -> bool {
        let is_plain = self.external_id.is_none() && self.tags.is_empty();
        let is_given = || std::env::var("AWS_ROLE_ARN").is_ok_and(|given| given == arn);
        if !matches!(self.base, Base::Own) || !is_plain || !is_given() {
            return false;
        }
        match self.desk.caller_identity(&self.aws.sdk, credentials).await {
            Ok(caller) => is_session_of(&caller.arn, arn),
            Err(_) => false,
        }
    }

    async fn role(&self, reading: &mut Reading<'_>, arn: String) -> Result<Role, String> {
        Ok(Role {
            arn,
            session_name: read(reading, &self.session_name).await?,
            external_id: read_some(reading, self.external_id.as_ref()).await?,
            tags: self.tags.clone(),
        })
    }
}

/// Whether `arn:…:sts::ACCOUNT:assumed-role/NAME/SESSION` is a session of `arn:…:iam::ACCOUNT:role/PATH/NAME`.
fn is_session_of(session: &str, role: &str) -> bool {
    let parts = |arn: &str| {
        let mut parts = arn.splitn(6, ':').skip(4).map(ToOwned::to_owned);
        Some((parts.next()?, parts.next()?))
    };
    let (Some((of_session, session)), Some((of_role, role))) = (parts(session), parts(role)) else {
        return false;
    };
    let name = session
        .strip_prefix("assumed-role/")
        .and_then(|rest| rest.split('/').next());
    of_session == of_role && role.starts_with("role/") && name.is_some() && name == role.rsplit('/').next()
}

async fn read(reading: &mut Reading<'_>, value: &Value) -> Result<String, String> {
    reading.read(value).await.map_err(|error| error.to_string())
}

async fn read_some(reading: &mut Reading<'_>, value: Option<&Value>) -> Result<Option<String>, String> {
    match value {
        Some(value) => read(reading, value).await.map(Some),
        None => Ok(None),
    }
}

/// Whether what a value says may be another thing the next time.
fn may_change(value: &Value) -> bool {
    match value {
        Value::Literal(_) | Value::Environment(_) => false,
        Value::File(_) | Value::Secret { .. } | Value::Parameter(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_after_its_account_as_sts_takes_it() {
        assert_eq!(session_name("team a/eu"), "outcrop-team-a-eu");
        assert_eq!(session_name(&"x".repeat(100)).len(), 64);
    }

    #[test]
    fn a_session_is_known_as_its_roles() {
        let session = "arn:aws:sts::123456789012:assumed-role/gateway/pod";
        for (role, expected) in [
            ("arn:aws:iam::123456789012:role/gateway", true),
            ("arn:aws:iam::123456789012:role/path/gateway", true),
            ("arn:aws:iam::123456789012:role/other", false),
            ("arn:aws:iam::210987654321:role/gateway", false),
            ("gateway", false),
        ] {
            assert_eq!(is_session_of(session, role), expected, "{role}");
        }
    }
}

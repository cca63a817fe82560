//! Credentials that end: made by STS and by the places where machines find theirs, and known again without being
//! remembered, since the session token holds what they stand for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::base64;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::canonical::hex;

/// What a set of temporary credentials stands for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Session {
    pub(crate) access_key_id: String,
    pub(crate) account: String,
    /// The role that was assumed, as IAM names it.
    pub(crate) role: String,
    /// The name of the session.
    pub(crate) name: String,
    /// The role's own id.
    pub(crate) role_id: String,
    /// In milliseconds of Unix time.
    expires: u64,
}

/// Temporary credentials, as they are handed out.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) session: Session,
    pub(crate) secret: String,
    pub(crate) token: String,
}

impl Session {
    /// Makes credentials of a role.
    pub(crate) fn issue(role: &str, name: &str, lifetime: Duration, now: SystemTime) -> Issued {
        let session = Session {
            access_key_id: format!("ASIA{}", random_word()),
            account: account_of(role).to_owned(),
            role: role.to_owned(),
            name: name.to_owned(),
            role_id: format!("AROA{}", word(digest(&SHA256, role.as_bytes()).as_ref())),
            expires: millis(now + lifetime),
        };
        Issued {
            secret: session.secret(),
            token: seal(&serde_json::to_vec(&session).unwrap_or_default()),
            session,
        }
    }

    /// What a session token stands for, if it was made here.
    pub(crate) fn read(token: &[u8]) -> Option<Session> {
        serde_json::from_slice(&opened(token)?).ok()
    }

    pub(crate) fn secret(&self) -> String {
        let secret = digest(&SHA256, format!("secret\n{}", self.access_key_id).as_bytes());
        base64::encode(&secret.as_ref()[..30])
    }

    pub(crate) fn has_expired(&self, now: SystemTime) -> bool {
        self.expires <= millis(now)
    }

    pub(crate) fn expires(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.expires)
    }

    /// As STS names it: `arn:aws:sts::123456789012:assumed-role/name/session`.
    pub(crate) fn arn(&self) -> String {
        let name = self.role.rsplit('/').next().unwrap_or_default();
        format!("arn:aws:sts::{}:assumed-role/{name}/{}", self.account, self.name)
    }

    pub(crate) fn user_id(&self) -> String {
        format!("{}:{}", self.role_id, self.name)
    }
}

/// The account in an ARN.
pub(crate) fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// A text that says what it holds, and that nobody else can make by accident.
pub(crate) fn seal(bytes: &[u8]) -> String {
    let sealed = [bytes, digest(&SHA256, &[b"session\n", bytes].concat()).as_ref()].concat();
    base64::encode(sealed)
}

/// What was sealed.
pub(crate) fn opened(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = base64::decode(std::str::from_utf8(text).ok()?).ok()?;
    let sum = bytes.split_off(bytes.len().checked_sub(SHA256.output_len())?);
    (sum == digest(&SHA256, &[b"session\n", bytes.as_slice()].concat()).as_ref()).then_some(bytes)
}

pub(crate) fn millis(moment: SystemTime) -> u64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Sixteen capitals and digits, as ids of keys and roles have them.
fn random_word() -> String {
    let mut bytes = [0; 16];
    // Without randomness two sessions share an id, and still differ in what their tokens say.
    let _ = SystemRandom::new().fill(&mut bytes);
    word(&bytes)
}

fn word(bytes: &[u8]) -> String {
    hex(bytes).to_ascii_uppercase().chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/a/path/name";

    #[test]
    fn a_session_is_known_by_its_token() {
        let now = SystemTime::now();
        let issued = Session::issue(ROLE, "me", Duration::from_secs(60), now);
        let read = Session::read(issued.token.as_bytes()).unwrap();
        assert_eq!(read, issued.session);
        assert_eq!(read.secret(), issued.secret);
        assert_eq!(read.arn(), "arn:aws:sts::123456789012:assumed-role/name/me");
        assert_eq!(read.access_key_id.len(), 20);
        assert!(!read.has_expired(now) && read.has_expired(now + Duration::from_secs(60)));
    }

    #[test]
    fn what_wasnt_sealed_here_isnt_a_session() {
        let issued = Session::issue(ROLE, "me", Duration::from_secs(60), SystemTime::now());
        assert_eq!(Session::read(b"simulator-session-token"), None);
        assert_eq!(Session::read(&issued.token.as_bytes()[4..]), None);
    }
}

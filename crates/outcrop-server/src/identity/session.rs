//! Session keys: `sk-ocs-…`, for tools that take nothing but a key that stays the same.
//!
//! A session is kept nowhere. The key says whose it is and until when, and is signed by the secret that the instances
//! share; whether the login behind it still is one, the directory says with each request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outcrop_tenants::{Id, Pepper};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

/// What session keys begin with.
pub(crate) const PREFIX: &str = "sk-ocs-";
/// So that no signature of anything else of the gateway's is one of a session.
const PURPOSE: &[u8] = b"outcrop session 1\n";
const MAX_BYTES: usize = 4096;
const SIGNATURE_BYTES: usize = 32;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// The login.
    pub(crate) credential_id: Id,
    /// Who logged in.
    pub(crate) user: String,
    /// When it ends, in seconds since 1970.
    pub(crate) expires_at: i64,
}

impl Session {
    /// Its key.
    pub(crate) fn write(&self, pepper: &Pepper) -> String {
        let claims = json!([self.credential_id, self.user, self.expires_at]).to_string();
        let mut bytes = sign(pepper, claims.as_bytes()).to_vec();
        bytes.extend_from_slice(claims.as_bytes());
        let mut key = PREFIX.to_owned();
        URL_SAFE_NO_PAD.encode_string(bytes, &mut key);
        key
    }

    /// Reads a key; `None` if this gateway didn't make it.
    pub(crate) fn read(key: &str, pepper: &Pepper) -> Option<Self> {
        let encoded = key.strip_prefix(PREFIX).filter(|rest| rest.len() <= MAX_BYTES)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (signature, claims) = bytes.split_at_checked(SIGNATURE_BYTES)?;
        let is_ours: bool = sign(pepper, claims).as_slice().ct_eq(signature).into();
        if !is_ours {
            return None;
        }
        let claims: [Value; 3] = serde_json::from_slice(claims).ok()?;
        Some(Self {
            credential_id: claims[0].as_str()?.to_owned(),
            user: claims[1].as_str()?.to_owned(),
            expires_at: claims[2].as_i64()?,
        })
    }
}

fn sign(pepper: &Pepper, claims: &[u8]) -> [u8; SIGNATURE_BYTES] {
    pepper.sign(&[PURPOSE, claims].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_good_as_it_was_made_and_not_otherwise() {
        let pepper = Pepper::new(b"0123456789abcdef").unwrap();
        let session = Session {
            credential_id: "key_1".to_owned(),
            user: "arn:aws:sts::123456789012:assumed-role/a/b".to_owned(),
            expires_at: 1_800_000_000,
        };
        let key = session.write(&pepper);
        assert_eq!(Session::read(&key, &pepper), Some(session.clone()));
        assert_eq!(Session::read(&key, &Pepper::new(b"another secret..").unwrap()), None);
        for at in PREFIX.len()..key.len() {
            let mut changed = key.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(Session::read(&changed, &pepper), None, "{at}");
        }
        for wrong in ["", PREFIX, "sk-ocs-AAAA", &key[..key.len() - 1], &format!("{key}=")] {
            assert_eq!(Session::read(wrong, &pepper), None, "{wrong}");
        }
    }
}

//! Reading a JSON Web Token, and what it claims.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::super::logins::{claim, text};
use super::algorithm::{JwtAlgorithm, Key};

/// The longest token.
const MAX_BYTES: usize = 16 * 1024;

/// Who issues tokens, and what they must say.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The claim `iss`, to the letter.
    pub issuer: String,
    /// One of these must be the claim `aud`, or in it.
    pub audiences: Vec<String>,
    /// Where its keys are; `None` to find it out by the issuer's configuration.
    pub jwks_url: Option<String>,
    /// What it signs with.
    pub algorithms: Vec<JwtAlgorithm>,
    /// By how many seconds its clock and ours may differ.
    pub leeway_seconds: u64,
    /// The claim that names the user; `sub` if there is none.
    pub user_claim: Option<String>,
}

/// Why a token is not taken. Never holds anything of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Invalid(&'static str),
    Audience,
    Expired,
    /// No key of the issuer has its id.
    UnknownKey,
}

/// A token, read and not believed.
#[derive(Debug)]
pub(super) struct Unverified<'a> {
    algorithm: String,
    key_id: Option<String>,
    message: &'a str,
    signature: Vec<u8>,
    claims: Value,
}

/// What a token says that is to be believed.
#[derive(Clone, Debug)]
pub(super) struct Verified {
    pub(super) claims: Value,
    pub(super) user: String,
    /// When it ends, leeway included, in seconds since 1970.
    pub(super) ends_at: i64,
}

/// Whether a bearer has the form of a JSON Web Token.
pub(crate) fn looks_like_one(bearer: &str) -> bool {
    bearer.starts_with("eyJ")
        && bearer.bytes().filter(|byte| *byte == b'.').count() == 2
        && bearer
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

impl<'a> Unverified<'a> {
    pub(super) fn read(token: &'a str) -> Result<Self, Flaw> {
        if token.len() > MAX_BYTES {
            return Err(Flaw::Invalid("it is too long"));
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Flaw::Invalid("it has one part"))?;
        let (header, claims) = message.split_once('.').ok_or(Flaw::Invalid("it has two parts"))?;
        let bytes = |part: &str| {
            URL_SAFE_NO_PAD
                .decode(part)
                .map_err(|_| Flaw::Invalid("a part is not base64url"))
        };
        let object = |part: &str| {
            let value = serde_json::from_slice::<Value>(&bytes(part)?).ok();
            value
                .filter(Value::is_object)
                .ok_or(Flaw::Invalid("a part is no JSON object"))
        };
        let header = object(header)?;
        // What is critical must be understood (RFC 7515, section 4.1.11), and we understand nothing more.
        if header.get("crit").is_some() || header.get("enc").is_some() || header.get("b64").is_some() {
            return Err(Flaw::Invalid("its header asks for what is not known here"));
        }
        let of_header = |name: &str| header.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        Ok(Self {
            algorithm: of_header("alg").ok_or(Flaw::Invalid("its header names no algorithm"))?,
            key_id: of_header("kid"),
            message,
            signature: bytes(signature)?,
            claims: object(claims)?,
        })
    }

    /// Who it says has issued it.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss")?.as_str()
    }

    /// Checks all, the signature first.
    pub(super) fn verify(&self, issuer: &Issuer, keys: &[Key], now: i64) -> Result<Verified, Flaw> {
        let algorithm = JwtAlgorithm::from_name(&self.algorithm)
            .filter(|algorithm| issuer.algorithms.contains(algorithm))
            .ok_or(Flaw::Invalid("its algorithm is not one that its issuer may use"))?;
        let candidates: Vec<&Key> = match &self.key_id {
            Some(id) => keys.iter().filter(|key| key.id.as_ref() == Some(id)).collect(),
            // Which of several it means must be said.
            None if keys.len() == 1 => keys.iter().collect(),
            None => return Err(Flaw::Invalid("its header names no key, and its issuer has several")),
        };
        if candidates.is_empty() {
            return Err(Flaw::UnknownKey);
        }
        if !candidates
            .iter()
            .any(|key| key.verifies(algorithm, self.message.as_bytes(), &self.signature))
        {
            return Err(Flaw::Invalid("its signature is wrong"));
        }
        let ends_at = self.check_claims(issuer, now)?;
        let name = issuer.user_claim.as_deref().unwrap_or("sub");
        let named = |name: &str| claim(&self.claims, name).and_then(text).filter(|user| !user.is_empty());
        Ok(Verified {
            user: named(name).or_else(|| named("sub")).unwrap_or_default(),
            claims: self.claims.clone(),
            ends_at,
        })
    }

    /// Gives when it ends.
    fn check_claims(&self, issuer: &Issuer, now: i64) -> Result<i64, Flaw> {
        if self.issuer() != Some(&issuer.issuer) {
            return Err(Flaw::Invalid("it is of another issuer"));
        }
        let is_ours = |audience: &Value| issuer.audiences.iter().any(|ours| audience == ours);
        let is_for_us = match self.claims.get("aud") {
            Some(Value::Array(audiences)) => audiences.iter().any(is_ours),
            Some(audience) => is_ours(audience),
            None => false,
        };
        if !is_for_us {
            return Err(Flaw::Audience);
        }
        let leeway = i64::try_from(issuer.leeway_seconds).unwrap_or(i64::MAX);
        let expires = self.moment("exp")?.ok_or(Flaw::Invalid("it has no end ('exp')"))?;
        let ends_at = expires.saturating_add(leeway);
        if now >= ends_at {
            return Err(Flaw::Expired);
        }
        let latest = now.saturating_add(leeway);
        if self.moment("nbf")?.is_some_and(|begin| begin > latest) {
            return Err(Flaw::Invalid("it is not good yet ('nbf')"));
        }
        if self.moment("iat")?.is_some_and(|issued| issued > latest) {
            return Err(Flaw::Invalid("it was issued in the future ('iat')"));
        }
        Ok(ends_at)
    }

    /// A claim in seconds since 1970, which may have a fraction.
    fn moment(&self, name: &str) -> Result<Option<i64>, Flaw> {
        let Some(value) = self.claims.get(name) else {
            return Ok(None);
        };
        let whole = value.as_i64();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is in range, and the fraction is of no interest"
        )]
        let rounded = || {
            value
                .as_f64()
                .filter(|seconds| seconds.abs() < 1e15)
                .map(|seconds| seconds as i64)
        };
        whole
            .or_else(rounded)
            .map(Some)
            .ok_or(Flaw::Invalid("one of its times is no number"))
    }
}

#[cfg(test)]
mod tests;

//! The bearer token of an AWS identity: a presigned request to STS, `outcrop-aws-v1.` and base64url.
//!
//! The gateway sends that request itself, so whoever makes a token chooses whom the gateway talks to. Nothing of the
//! token's URL is sent as it came: it is taken apart, each part must be one of a few, and the URL is put together anew
//! from them.
//!
//! Sources: AWS General Reference, "AWS STS endpoints and quotas", and IAM's "Create a signed AWS API request" (read
//! 2026-11); the endpoint rules of botocore 1.44.5.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

/// What these tokens begin with.
pub const PREFIX: &str = "outcrop-aws-v1.";
/// The header by which a token is bound to one gateway.
pub const GATEWAY_HEADER: &str = "x-outcrop-gateway";

/// The longest token: session tokens have a few thousand characters at the most.
const MAX_TOKEN_BYTES: usize = 12 * 1024;
/// The longest that a token may be good for, in seconds; STS takes none that are older.
const MAX_EXPIRES: i64 = 900;
/// How far ahead a client's clock may be, in seconds.
const MAX_AHEAD: i64 = 300;
const NONCE_BYTES: std::ops::RangeInclusive<usize> = 8..=64;

/// The parameters of the request, in the order of a signature; each is there once, the token of temporary credentials
/// at the most once.
const NAMES: [&str; 9] = [
    "Action",
    "Version",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];
const SECURITY_TOKEN: usize = 6;
const SIGNATURE: usize = 7;

/// Why a token is none. Never holds anything of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresignedFlaw {
    /// It isn't what it should be; the words say where.
    Form(&'static str),
    /// It was good once.
    Expired,
}

/// A token, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub struct Presigned {
    origin: String,
    values: [String; 9],
    nonce: Option<String>,
    signed_at: i64,
    expires: i64,
}

impl std::fmt::Debug for Presigned {
    /// Without what signs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presigned")
            .field("origin", &self.origin)
            .field("signed_at", &self.signed_at)
            .finish_non_exhaustive()
    }
}

/// Writes a token of a presigned URL.
#[must_use]
pub fn write(url: &str, nonce: Option<&str>) -> String {
    let mut token = PREFIX.to_owned();
    URL_SAFE_NO_PAD.encode_string(url, &mut token);
    if let Some(nonce) = nonce {
        token.push('.');
        token.push_str(nonce);
    }
    token
}

impl Presigned {
    /// Reads a token. `sts_endpoint` is an origin that may be asked besides AWS's own: `http://127.0.0.1:8000`.
    ///
    /// # Errors
    /// When it is anything else than a request to STS that tells who signed it.
    pub fn read(token: &str, sts_endpoint: Option<&str>) -> Result<Self, PresignedFlaw> {
        use PresignedFlaw::Form;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Form("it is too long"));
        }
        let rest = token.strip_prefix(PREFIX).ok_or(Form("it has no beginning"))?;
        let (encoded, nonce) = match rest.split_once('.') {
            Some((encoded, nonce)) => (encoded, Some(nonce)),
            None => (rest, None),
        };
        let is_nonce =
            |nonce: &str| NONCE_BYTES.contains(&nonce.len()) && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if nonce.is_some_and(|nonce| !is_nonce(nonce)) {
            return Err(Form("its last part is not 8 to 64 letters and digits"));
        }
        let url = URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| Form("it is not base64url without padding"))?;
        if !url.iter().all(u8::is_ascii_graphic) {
            return Err(Form("its URL has characters that no URL has"));
        }
        let url = String::from_utf8(url).map_err(|_| Form("its URL is no text"))?;
        let (base, query) = url.split_once('?').ok_or(Form("its URL has no query"))?;
        let origin = base.strip_suffix('/').unwrap_or(base);
        let own = sts_endpoint.map(|endpoint| endpoint.trim_end_matches('/'));
        if own != Some(origin) && !is_sts(origin) {
            return Err(Form("its URL is not STS's"));
        }
        let values = parameters(query)?;
        let (signed_at, expires) = check(&values)?;
        Ok(Self {
            origin: origin.to_owned(),
            values,
            nonce: nonce.map(ToOwned::to_owned),
            signed_at,
            expires,
        })
    }

    /// Whether STS is asked at this address.
    #[must_use]
    pub fn is_for(&self, sts_endpoint: Option<&str>) -> bool {
        sts_endpoint.is_some_and(|endpoint| endpoint.trim_end_matches('/') == self.origin)
    }

    /// Checks that it is good at a moment, in seconds since 1970; no token is good for longer than `max_age` seconds.
    ///
    /// # Errors
    /// When it isn't yet, or isn't any more.
    pub fn check_time(&self, now: i64, max_age: i64) -> Result<(), PresignedFlaw> {
        if self.signed_at > now + MAX_AHEAD {
            return Err(PresignedFlaw::Form("it was signed in the future; is the clock right?"));
        }
        if now > self.ends_at(max_age) {
            return Err(PresignedFlaw::Expired);
        }
        Ok(())
    }

    /// The last second in which it is good.
    #[must_use]
    pub fn ends_at(&self, max_age: i64) -> i64 {
        self.signed_at + self.expires.min(max_age)
    }

    /// The request, put together anew.
    #[must_use]
    pub fn url(&self) -> String {
        let mut url = format!("{}/?", self.origin);
        for (index, (name, value)) in NAMES.iter().zip(&self.values).enumerate() {
            if index == SECURITY_TOKEN && value.is_empty() {
                continue;
            }
            if index > 0 {
                url.push('&');
            }
            url.push_str(name);
            url.push('=');
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                    url.push(char::from(byte));
                } else {
                    // Writing to a string can't fail.
                    let _ = write!(url, "%{byte:02X}");
                }
            }
        }
        url
    }

    /// What the signed header must have said, if it was made for `audience`.
    #[must_use]
    pub fn header_value(&self, audience: &str) -> String {
        match &self.nonce {
            Some(nonce) => format!("{audience};{nonce}"),
            None => audience.to_owned(),
        }
    }

    /// By what it is known when it comes again.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, self.values[SIGNATURE].as_bytes()).as_ref());
        fingerprint
    }
}

/// Whether an origin is STS's: global, of a region, FIPS, dual-stack, in each public partition.
fn is_sts(origin: &str) -> bool {
    let Some(host) = origin.strip_prefix("https://") else {
        return false;
    };
    if host == "sts.amazonaws.com" {
        return true;
    }
    let Some(rest) = host.strip_prefix("sts.").or_else(|| host.strip_prefix("sts-fips.")) else {
        return false;
    };
    let Some((region, suffix)) = rest.split_once('.') else {
        return false;
    };
    let is_suffix = match region.split('-').next() {
        Some("cn") => matches!(suffix, "amazonaws.com.cn" | "api.amazonwebservices.com.cn"),
        Some("eusc") => matches!(suffix, "amazonaws.eu" | "api.amazonwebservices.eu"),
        _ => matches!(suffix, "amazonaws.com" | "api.aws"),
    };
    is_suffix && is_region(region)
}

/// `eu-central-1`, `us-gov-west-1`, `eusc-de-east-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [area, middle @ .., number] = parts.as_slice() else {
        return false;
    };
    let is_word = |word: &&str| (1..=12).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase());
    (area.len() == 2 || *area == "eusc")
        && is_word(area)
        && (1..=2).contains(&middle.len())
        && middle.iter().all(is_word)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The values of the parameters, decoded, in the order of [`NAMES`].
fn parameters(query: &str) -> Result<[String; 9], PresignedFlaw> {
    let mut values: [Option<String>; 9] = Default::default();
    for pair in query.split('&') {
        let (name, value) = pair
            .split_once('=')
            .ok_or(PresignedFlaw::Form("its query is no query"))?;
        let index = NAMES
            .iter()
            .position(|known| *known == name)
            .ok_or(PresignedFlaw::Form(
                "its query has a parameter that does not belong there",
            ))?;
        if values[index].is_some() {
            return Err(PresignedFlaw::Form("its query has a parameter twice"));
        }
        values[index] = Some(decode(value).ok_or(PresignedFlaw::Form("its query is wrongly encoded"))?);
    }
    let is_missing = |(index, value): (usize, &Option<String>)| index != SECURITY_TOKEN && value.is_none();
    if values.iter().enumerate().any(is_missing) {
        return Err(PresignedFlaw::Form("its query lacks a parameter"));
    }
    if values[SECURITY_TOKEN].as_deref() == Some("") {
        return Err(PresignedFlaw::Form("its security token is empty"));
    }
    Ok(values.map(Option::unwrap_or_default))
}

/// Percent-decodes to visible ASCII. A bare plus is refused: some read it as a space.
fn decode(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' => return None,
            byte => byte,
        };
        if !byte.is_ascii_graphic() {
            return None;
        }
        decoded.push(char::from(byte));
    }
    Some(decoded)
}

/// Checks each value. Gives when it was signed, and for how many seconds it is good.
fn check(values: &[String; 9]) -> Result<(i64, i64), PresignedFlaw> {
    use PresignedFlaw::Form;
    let [
        action,
        version,
        algorithm,
        credential,
        date,
        expires,
        _,
        signature,
        headers,
    ] = values;
    if (action.as_str(), version.as_str()) != ("GetCallerIdentity", "2011-06-15") {
        return Err(Form("its request is not GetCallerIdentity of 2011-06-15"));
    }
    if algorithm != "AWS4-HMAC-SHA256" {
        return Err(Form("its algorithm is not AWS4-HMAC-SHA256"));
    }
    // Others could not be sent along: nobody knows what they said.
    if headers != "host;x-outcrop-gateway" {
        return Err(Form(
            "its signed headers are not 'host' and 'x-outcrop-gateway', which binds it to this gateway",
        ));
    }
    let signed_at = moment(date).ok_or(Form("its date is none"))?;
    let parts: Vec<&str> = credential.split('/').collect();
    let [key_id, day, region, "sts", "aws4_request"] = parts.as_slice() else {
        return Err(Form("its credential is not for STS"));
    };
    let is_key_id =
        (16..=128).contains(&key_id.len()) && key_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_key_id || !date.starts_with(day) || day.len() != 8 || !is_region(region) {
        return Err(Form("its credential is none"));
    }
    let is_number = !expires.is_empty() && expires.len() <= 6 && expires.bytes().all(|byte| byte.is_ascii_digit());
    let expires = expires.parse::<i64>().ok().filter(|_| is_number);
    let expires = expires
        .filter(|seconds| (1..=MAX_EXPIRES).contains(seconds))
        .ok_or(Form("X-Amz-Expires is not 1 to 900 seconds"))?;
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if signature.len() != 64 || !signature.bytes().all(is_hex) {
        return Err(Form("its signature is none"));
    }
    Ok((signed_at, expires))
}

/// Seconds since 1970 of `20261121T054819Z`.
fn moment(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        bytes[range].iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
        })
    };
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(9..11)?, number(11..13)?, number(13..15)?);
    let is_sound = (1970..=2200).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    // Days from 1970-01-01, of years that begin in March.
    let (of_march, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = of_march * 365 + of_march / 4 - of_march / 100 + of_march / 400 + (153 * month + 2) / 5 + day - 719_469;
    is_sound.then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests;

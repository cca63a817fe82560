//! Signature Version 4, for the shapes of request that are sent: a POST of a body and a GET with a query to Bedrock, a
//! POST with a target to the services of AWS that speak JSON.
//!
//! Every call is signed, so this is the hot path. `aws-sigv4` signs any request of any service, derives the key anew
//! each time and sorts what is sorted here already; it is the oracle of the tests, and `benches/sign.rs` holds the
//! comparison. Source of the algorithm: AWS General Reference, "Create a signed AWS API request", read 2026-11.

use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap};
use http::{HeaderName, HeaderValue, Method, Uri};
use ring::{digest, hmac};

/// Bedrock's name in signatures, the same for all of its services.
const BEDROCK: &str = "bedrock";
const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
/// Names the operation of a service that speaks JSON.
pub(crate) const X_AMZ_TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// The parts of credentials that sign.
#[derive(Clone)]
pub struct SigningCredentials {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Token of temporary credentials.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for SigningCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningCredentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Signs requests to one service in one region. The key of a day is derived once.
#[derive(Debug)]
pub struct Signer {
    region: String,
    service: &'static str,
    derived: RwLock<Option<Arc<DerivedKey>>>,
}

struct DerivedKey {
    day: String,
    access_key_id: String,
    secret_access_key: String,
    key: hmac::Key,
}

impl std::fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DerivedKey")
            .field("day", &self.day)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// A signer for Bedrock in `region`.
    pub fn new(region: impl Into<String>) -> Self {
        Self::for_service(region, BEDROCK)
    }

    /// A signer for another service, by its name in signatures.
    pub(crate) fn for_service(region: impl Into<String>, service: &'static str) -> Self {
        Self {
            region: region.into(),
            service,
            derived: RwLock::new(None),
        }
    }

    /// Adds to `headers` the proof that the request is from the owner of `credentials`.
    ///
    /// The path of `uri` must be encoded as it is sent, and its query sorted and encoded as RFC 3986 has it: both are
    /// signed as they stand, the path encoded once more, as all services but S3 want it. A target among `headers` is
    /// signed too.
    ///
    /// # Errors
    /// When a part of the credentials can't stand in a header.
    pub fn sign(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &mut HeaderMap,
        body: &[Bytes],
        credentials: &SigningCredentials,
        time: SystemTime,
    ) -> Result<(), http::header::InvalidHeaderValue> {
        let stamp = timestamp(time);
        let day = &stamp[..8];
        let token = credentials.session_token.as_deref();
        // Bedrock has paths instead.
        let target = match self.service {
            BEDROCK => None,
            _ => headers.get(X_AMZ_TARGET).and_then(|target| target.to_str().ok()),
        };
        let signed_headers = match (token, target) {
            (Some(_), None) => "host;x-amz-date;x-amz-security-token",
            (None, None) => "host;x-amz-date",
            (Some(_), Some(_)) => "host;x-amz-date;x-amz-security-token;x-amz-target",
            (None, Some(_)) => "host;x-amz-date;x-amz-target",
        };
        let mut canonical = String::with_capacity(512);
        canonical.push_str(method.as_str());
        canonical.push('\n');
        encode_path(uri.path(), &mut canonical);
        canonical.push('\n');
        canonical.push_str(uri.query().unwrap_or_default());
        canonical.push_str("\nhost:");
        push_host(uri, &mut canonical);
        canonical.push_str("\nx-amz-date:");
        canonical.push_str(&stamp);
        if let Some(token) = token {
            canonical.push_str("\nx-amz-security-token:");
            canonical.push_str(token.trim());
        }
        if let Some(target) = target {
            canonical.push_str("\nx-amz-target:");
            canonical.push_str(target);
        }
        canonical.push_str("\n\n");
        canonical.push_str(signed_headers);
        canonical.push('\n');
        let mut hash = digest::Context::new(&digest::SHA256);
        for piece in body {
            hash.update(piece);
        }
        push_hex(hash.finish().as_ref(), &mut canonical);

        let mut scope = String::with_capacity(64);
        for part in [day, "/", &self.region, "/", self.service, "/aws4_request"] {
            scope.push_str(part);
        }
        let mut to_sign = String::with_capacity(160);
        for part in ["AWS4-HMAC-SHA256\n", &stamp, "\n", &scope, "\n"] {
            to_sign.push_str(part);
        }
        push_hex(
            digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref(),
            &mut to_sign,
        );
        let signature = hmac::sign(&self.derived_key(day, credentials).key, to_sign.as_bytes());

        let mut authorization = String::with_capacity(256);
        for part in [
            "AWS4-HMAC-SHA256 Credential=",
            &credentials.access_key_id,
            "/",
            &scope,
            ", SignedHeaders=",
            signed_headers,
            ", Signature=",
        ] {
            authorization.push_str(part);
        }
        push_hex(signature.as_ref(), &mut authorization);
        let mut authorization = HeaderValue::try_from(authorization)?;
        authorization.set_sensitive(true);
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(X_AMZ_DATE, HeaderValue::try_from(stamp)?);
        if let Some(token) = token {
            let mut token = HeaderValue::try_from(token.trim())?;
            token.set_sensitive(true);
            headers.insert(X_AMZ_SECURITY_TOKEN, token);
        }
        Ok(())
    }

    fn derived_key(&self, day: &str, credentials: &SigningCredentials) -> Arc<DerivedKey> {
        let is_for = |derived: &DerivedKey| {
            derived.day == day
                && derived.access_key_id == credentials.access_key_id
                && derived.secret_access_key == credentials.secret_access_key
        };
        if let Some(derived) = &*self.derived.read().unwrap_or_else(PoisonError::into_inner)
            && is_for(derived)
        {
            return Arc::clone(derived);
        }
        let secret = format!("AWS4{}", credentials.secret_access_key);
        let mut key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        for part in [day, &self.region, self.service, "aws4_request"] {
            key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
        }
        let derived = Arc::new(DerivedKey {
            day: day.to_owned(),
            access_key_id: credentials.access_key_id.clone(),
            secret_access_key: credentials.secret_access_key.clone(),
            key,
        });
        *self.derived.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&derived));
        derived
    }
}

/// The host as hyper sends it: without the port that the scheme has anyway.
pub(crate) fn push_host(uri: &Uri, out: &mut String) {
    out.push_str(uri.host().unwrap_or_default());
    let usual_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    if let Some(port) = uri.port_u16().filter(|&port| port != usual_port) {
        // Writing to a string cannot fail.
        let _ = write!(out, ":{port}");
    }
}

fn encode_path(path: &str, out: &mut String) {
    encode(path, "/", out);
}

/// Encodes all but RFC 3986's unreserved characters, and those in `keep`.
pub(crate) fn encode(text: &str, keep: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || keep.as_bytes().contains(&byte)
        {
            out.push(char::from(byte));
        } else {
            out.push('%');
            push_hex_upper(byte, out);
        }
    }
}

fn push_hex_upper(byte: u8, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

pub(crate) fn push_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// `20231114T221320Z`
pub(crate) fn timestamp(time: SystemTime) -> String {
    let seconds = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    let (year, month, day) = civil_date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Year, month and day of a day counted from 1970-01-01. Years here begin in March, so that a leap day is the last.
fn civil_date(days: u64) -> (u64, u64, u64) {
    const DAYS_OF_ERA: u64 = 146_097;
    const DAYS_FROM_YEAR_0: u64 = 719_468;
    let days = days + DAYS_FROM_YEAR_0;
    let (era, day) = (days / DAYS_OF_ERA, days % DAYS_OF_ERA);
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_credential_types::Credentials;
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    use aws_sigv4::sign::v4;
    use http::Request;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const TARGET: &str = "secretsmanager.GetSecretValue";

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn ours(
        signer: &Signer,
        method: &Method,
        uri: &str,
        body: &[u8],
        credentials: &SigningCredentials,
        time: SystemTime,
    ) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if signer.service != BEDROCK {
            headers.insert(X_AMZ_TARGET, HeaderValue::from_static(TARGET));
        }
        // However the body is cut, it is the same.
        let pieces: Vec<Bytes> = body.chunks(7).map(Bytes::copy_from_slice).collect();
        signer
            .sign(method, &uri.parse().unwrap(), &mut headers, &pieces, credentials, time)
            .unwrap();
        headers
    }

    fn theirs(
        service: &str,
        method: &Method,
        uri: &str,
        body: &[u8],
        credentials: &SigningCredentials,
        time: SystemTime,
    ) -> HeaderMap {
        let (id, secret) = (&credentials.access_key_id, &credentials.secret_access_key);
        let identity = Credentials::new(id, secret, credentials.session_token.clone(), None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-central-1")
            .name(service)
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let target = (service != BEDROCK).then_some(("x-amz-target", TARGET));
        let signable =
            SignableRequest::new(method.as_str(), uri, target.into_iter(), SignableBody::Bytes(body)).unwrap();
        let mut request = Request::builder().method(method).uri(uri).body(()).unwrap();
        request
            .headers_mut()
            .extend(target.map(|_| (X_AMZ_TARGET, HeaderValue::from_static(TARGET))));
        sign(signable, &params)
            .unwrap()
            .into_parts()
            .0
            .apply_to_request_http1x(&mut request);
        request.into_parts().0.headers
    }

    proptest! {
        #[test]
        fn every_request_is_signed_as_aws_sigv4_signs_it(
            model in "[a-z0-9][a-z0-9.:/-]{0,40}",
            token in prop::option::of("[A-Za-z0-9+/=]{1,60}"),
            secret in "[A-Za-z0-9+/]{1,40}",
            host in select(&["http://127.0.0.1:8001", "https://bedrock.eu-central-1.amazonaws.com", "https://a:8443"][..]),
            query in select(&["", "?maxResults=1000", "?maxResults=1000&nextToken=a%2Bb%3D"][..]),
            body in prop::collection::vec(any::<u8>(), 0..100),
            service in select(&[BEDROCK, "secretsmanager", "ssm"][..]),
            // Up to the year 2200.
            seconds in prop::collection::vec(0_u64..7_258_118_400, 1..4),
        ) {
            let signer = Signer::for_service("eu-central-1", service);
            let path = format!("/model/{}/converse", outcrop_bedrock::model_id::path_segment(&model));
            let uri = format!("{host}{path}{query}");
            let credentials = SigningCredentials {
                access_key_id: "AKIDEXAMPLE".to_owned(),
                secret_access_key: secret,
                session_token: token,
            };
            // The same signer on several days: the key is derived anew.
            for seconds in seconds {
                for method in [Method::POST, Method::GET] {
                    prop_assert_eq!(
                        ours(&signer, &method, &uri, &body, &credentials, at(seconds)),
                        theirs(service, &method, &uri, &body, &credentials, at(seconds))
                    );
                }
            }
        }
    }

    #[test]
    fn the_encoded_model_id_is_encoded_again_in_the_signature() {
        let credentials = SigningCredentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: None,
        };
        let uri = "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse";
        let headers = ours(
            &Signer::new("us-east-1"),
            &Method::POST,
            uri,
            b"{}",
            &credentials,
            at(1_700_000_000),
        );
        // Computed with botocore 1.44.5's SigV4Auth for the same request, key and time.
        let signature = "1d55757e5dd4360f302a71788fddf8732f35519898d7e50be55712a2df90b601";
        let authorization = headers[AUTHORIZATION].to_str().unwrap();
        assert!(authorization.contains("Credential=AKIDEXAMPLE/20231114/us-east-1/bedrock/aws4_request"));
        assert!(authorization.ends_with(signature), "{authorization}");
        assert_eq!(headers[X_AMZ_DATE], "20231114T221320Z");
    }
}

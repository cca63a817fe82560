//! A presigned request to STS that tells who signed it, for somebody else to send.

use std::time::SystemTime;

use http::Uri;
use ring::digest::{SHA256, digest};
use ring::hmac;

use crate::aws::{Aws, Profile};
use crate::config::{Config, ConfigError};
use crate::credentials::Renewed;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::sdk::configured_endpoint;
use crate::sign::{SigningCredentials, encode, push_hex, push_host, timestamp};

/// Why nothing could be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PresignError {
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There are no credentials.
    #[error(transparent)]
    Credentials(#[from] Error),
}

/// The URL of a `GetCallerIdentity` that is good for `expires` seconds if it is sent with this header, which must be
/// in small letters. Nobody is connected to, but for credentials.
///
/// # Errors
/// When there is no region, or there are no credentials.
pub async fn presigned_identity(config: &Config, header: (&str, &str), expires: u32) -> Result<String, PresignError> {
    let aws = Aws::new(config)?;
    let region = aws.region().await.ok_or(ConfigError::NoRegion)?;
    let sdk = aws.sdk.config().await;
    let endpoint = match configured_endpoint(sdk, "sts") {
        Some(url) => Endpoint::parse(&url)?,
        None => Endpoint::of_host(
            "sts",
            &region,
            sdk.use_fips().unwrap_or(false),
            sdk.use_dual_stack().unwrap_or(false),
        )?,
    };
    let credentials = match &config.profile {
        // A profile that is named counts before the variables of the environment.
        Some(name) => {
            let profile = Profile {
                sdk: std::sync::Arc::clone(&aws.sdk),
                name: name.clone(),
                region: region.clone(),
            };
            Renewed::new("", profile).get().await?
        }
        None => aws.own.get().await?,
    };
    let uri = endpoint.uri("/").map_err(|error| Error::Sign(error.to_string()))?;
    Ok(presign(&uri, &region, header, expires, &credentials, SystemTime::now()))
}

fn presign(
    uri: &Uri,
    region: &str,
    (name, value): (&str, &str),
    expires: u32,
    credentials: &SigningCredentials,
    time: SystemTime,
) -> String {
    let stamp = timestamp(time);
    let day = &stamp[..8];
    let scope = format!("{day}/{region}/sts/aws4_request");
    let mut headers = ["host", name];
    headers.sort_unstable();
    let signed_headers = headers.join(";");
    let (credential, expires) = (format!("{}/{scope}", credentials.access_key_id), expires.to_string());
    // In the order of their names, as they are signed.
    let mut parameters = vec![
        ("Action", "GetCallerIdentity"),
        ("Version", "2011-06-15"),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", &stamp),
        ("X-Amz-Expires", &expires),
    ];
    if let Some(token) = &credentials.session_token {
        parameters.push(("X-Amz-Security-Token", token.trim()));
    }
    parameters.push(("X-Amz-SignedHeaders", &signed_headers));
    let mut query = String::with_capacity(512);
    for (name, value) in parameters {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        encode(value, "", &mut query);
    }
    let mut host = String::new();
    push_host(uri, &mut host);
    let mut canonical = format!("GET\n/\n{query}\n");
    for header in headers {
        let value = if header == "host" { &host } else { value };
        canonical.push_str(&format!("{header}:{value}\n"));
    }
    canonical.push_str(&format!("\n{signed_headers}\n"));
    // Of a body that is empty.
    push_hex(digest(&SHA256, b"").as_ref(), &mut canonical);
    let mut to_sign = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n");
    push_hex(digest(&SHA256, canonical.as_bytes()).as_ref(), &mut to_sign);
    let secret = format!("AWS4{}", credentials.secret_access_key);
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    for part in [day, region, "sts", "aws4_request"] {
        key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
    }
    let mut url = format!(
        "{}://{host}/?{query}&X-Amz-Signature=",
        uri.scheme_str().unwrap_or("https")
    );
    push_hex(hmac::sign(&key, to_sign.as_bytes()).as_ref(), &mut url);
    url
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_credential_types::Credentials;
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign as theirs};
    use aws_sigv4::sign::v4;

    use super::*;

    #[test]
    fn it_is_signed_as_aws_sigv4_signs_it() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        for token in [None, Some("IQoJb3/+=".to_owned())] {
            for origin in ["https://sts.eu-central-1.amazonaws.com/", "http://127.0.0.1:8000/"] {
                let credentials = SigningCredentials {
                    access_key_id: "AKIDEXAMPLE".to_owned(),
                    secret_access_key: "secret".to_owned(),
                    session_token: token.clone(),
                };
                let header = ("x-outcrop-gateway", "gateway.example;01234567");
                let ours = presign(
                    &origin.parse().unwrap(),
                    "eu-central-1",
                    header,
                    900,
                    &credentials,
                    time,
                );
                let identity = Credentials::new("AKIDEXAMPLE", "secret", token.clone(), None, "test").into();
                let mut settings = SigningSettings::default();
                settings.signature_location = SignatureLocation::QueryParams;
                settings.expires_in = Some(Duration::from_secs(900));
                let params = v4::SigningParams::builder()
                    .identity(&identity)
                    .region("eu-central-1")
                    .name("sts")
                    .time(time)
                    .settings(settings)
                    .build()
                    .unwrap()
                    .into();
                let url = format!("{origin}?Action=GetCallerIdentity&Version=2011-06-15");
                let signable =
                    SignableRequest::new("GET", url.as_str(), [header].into_iter(), SignableBody::Bytes(b"")).unwrap();
                let (_, signature) = theirs(signable, &params).unwrap().into_parts();
                assert!(ours.ends_with(&format!("&X-Amz-Signature={signature}")), "{ours}");
            }
        }
    }
}

//! Signing a call, ours against `aws-sigv4`. The hash of the body is part of both.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri};
use outcrop_upstream::{Signer, SigningCredentials};

const URI: &str = "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.amazon.nova-lite-v1%3A0/converse-stream";
const SIZES: [usize; 3] = [300, 200_000, 2_000_000];

fn main() {
    divan::main();
}

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

#[divan::bench(args = SIZES)]
fn ours(bencher: divan::Bencher<'_, '_>, size: usize) {
    let (signer, body, uri) = (
        Signer::new("us-east-1"),
        [Bytes::from(vec![b'a'; size])],
        URI.parse::<Uri>().unwrap(),
    );
    let credentials = SigningCredentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: None,
    };
    bencher.bench_local(|| {
        let mut headers = HeaderMap::new();
        signer
            .sign(&Method::POST, &uri, &mut headers, &body, &credentials, time())
            .unwrap();
        headers
    });
}

#[divan::bench(args = SIZES)]
fn aws_sigv4(bencher: divan::Bencher<'_, '_>, size: usize) {
    let body = vec![b'a'; size];
    let identity = Credentials::new("AKIDEXAMPLE", "secret", None, None, "bench").into();
    bencher.bench_local(|| {
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("bedrock")
            .time(time())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let signable = SignableRequest::new("POST", URI, std::iter::empty(), SignableBody::Bytes(&body)).unwrap();
        let mut request = Request::builder().method("POST").uri(URI).body(()).unwrap();
        sign(signable, &params)
            .unwrap()
            .into_parts()
            .0
            .apply_to_request_http1x(&mut request);
        request
    });
}

use http::HeaderValue;

use super::*;

const AT: &str = "20150830T123600Z";
const PATH: &str = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse";

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

/// A request signed by AWS's own crate, judged by ours.
struct Case {
    path: &'static str,
    query: &'static str,
    body: &'static [u8],
    secret: &'static str,
    token: Option<&'static str>,
    region: &'static str,
    service: &'static str,
    off_by: i64,
}

impl Case {
    const PLAIN: Case = Case {
        path: PATH,
        query: "",
        body: b"{}",
        secret: "secret",
        token: None,
        region: "us-east-1",
        service: "bedrock",
        off_by: 0,
    };

    fn headers(&self) -> HeaderMap {
        use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
        let at = moment(AT).unwrap();
        let at = if self.off_by < 0 {
            at - Duration::from_secs(self.off_by.unsigned_abs())
        } else {
            at + Duration::from_secs(self.off_by.unsigned_abs())
        };
        let token = self.token.map(str::to_owned);
        let identity = aws_credential_types::Credentials::new("AKID", self.secret, token, None, "test").into();
        let params = aws_sigv4::sign::v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(at)
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let uri = format!("http://localhost:8000{}?{}", self.path, self.query);
        let given = [("host", "localhost:8000"), ("content-type", "application/json")];
        let signable = SignableRequest::new("POST", uri, given.into_iter(), SignableBody::Bytes(self.body)).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        let mut request = http::Request::builder().body(()).unwrap();
        for (name, value) in given {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        instructions.apply_to_request_http1x(&mut request);
        request.into_parts().0.headers
    }

    fn judge(&self) -> Result<(), Refusal> {
        self.judge_with(&self.headers(), self.body)
    }

    fn judge_with(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
        let fields = headers["authorization"].to_str().unwrap().split_once(' ').unwrap().1;
        let request = Signed {
            method: "POST",
            path: self.path,
            query: self.query,
            headers,
            body,
        };
        let known = |token: Option<&str>, expired| Credential {
            access_key_id: "AKID".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: token.map(str::to_owned),
            expired,
            ..Credential::default()
        };
        let credentials = [
            known(None, false),
            known(Some("token"), false),
            known(Some("old"), true),
        ];
        verify(
            &Authorization::parse(fields)?,
            &request,
            Scope {
                service: "bedrock",
                region: Some("us-east-1"),
            },
            &credentials,
            moment(AT).unwrap(),
        )
        .map(|_| ())
    }

    fn exception(&self) -> String {
        self.judge().expect_err("should be refused").exception
    }
}

/// The worked example of AWS's documentation of SigV4.
#[test]
fn the_documented_example_gives_the_documented_signature() {
    let headers = headers(&[
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("host", "iam.amazonaws.com"),
        ("x-amz-date", AT),
    ]);
    let request = Signed {
        method: "GET",
        path: "/",
        query: "Action=ListUsers&Version=2010-05-08",
        headers: &headers,
        body: b"",
    };
    let authorization = Authorization::parse(
        "Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=x",
    )
    .unwrap();
    let signature = signature(&authorization, &request, AT, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    assert_eq!(
        signature,
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

#[test]
fn what_awss_crate_signs_is_admitted() {
    assert_eq!(Case::PLAIN.judge(), Ok(()));
    let arn = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2Fa.b/converse";
    assert_eq!(
        Case {
            path: arn,
            ..Case::PLAIN
        }
        .judge(),
        Ok(())
    );
    let query = "type=SYSTEM_DEFINED&nextToken=a%2Fb%3D&maxResults=2";
    assert_eq!(
        Case {
            path: "/inference-profiles",
            query,
            body: b"",
            ..Case::PLAIN
        }
        .judge(),
        Ok(())
    );
    assert_eq!(
        Case {
            token: Some("token"),
            ..Case::PLAIN
        }
        .judge(),
        Ok(())
    );
}

#[test]
fn a_wrong_secret_or_another_body_is_refused() {
    assert_eq!(
        Case {
            secret: "other",
            ..Case::PLAIN
        }
        .exception(),
        "InvalidSignatureException"
    );
    let other_body = Case::PLAIN.judge_with(&Case::PLAIN.headers(), b"[]");
    assert_eq!(
        other_body.expect_err("should be refused").exception,
        "InvalidSignatureException"
    );
}

#[test]
fn the_scope_must_be_ours() {
    for case in [
        Case {
            region: "eu-west-1",
            ..Case::PLAIN
        },
        Case {
            service: "bedrock-runtime",
            ..Case::PLAIN
        },
    ] {
        let refusal = case.judge().expect_err("should be refused");
        assert_eq!(refusal.exception, "InvalidSignatureException");
        assert!(
            refusal.message.starts_with("Credential should be scoped to"),
            "{}",
            refusal.message
        );
    }
}

#[test]
fn the_clock_may_be_off_by_five_minutes() {
    assert_eq!(
        Case {
            off_by: -299,
            ..Case::PLAIN
        }
        .judge(),
        Ok(())
    );
    assert_eq!(
        Case {
            off_by: 299,
            ..Case::PLAIN
        }
        .judge(),
        Ok(())
    );
    let refusal = Case {
        off_by: -301,
        ..Case::PLAIN
    }
    .judge()
    .expect_err("should be refused");
    assert_eq!(
        refusal.message,
        "Signature expired: 20150830T123059Z is now earlier than 20150830T123100Z (20150830T123600Z - 5 min.)"
    );
    let refusal = Case {
        off_by: 301,
        ..Case::PLAIN
    }
    .judge()
    .expect_err("should be refused");
    assert!(
        refusal.message.starts_with("Signature not yet current: "),
        "{}",
        refusal.message
    );
}

#[test]
fn session_tokens_are_checked() {
    assert_eq!(
        Case {
            token: Some("wrong"),
            ..Case::PLAIN
        }
        .exception(),
        "UnrecognizedClientException"
    );
    assert_eq!(
        Case {
            token: Some("old"),
            ..Case::PLAIN
        }
        .exception(),
        "ExpiredTokenException"
    );
}

#[test]
fn amz_headers_must_be_signed() {
    let mut headers = Case::PLAIN.headers();
    headers.insert("x-amz-target", HeaderValue::from_static("smuggled"));
    let refusal = Case::PLAIN.judge_with(&headers, b"{}").expect_err("should be refused");
    assert_eq!(
        refusal.message,
        "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization."
    );
}

#[test]
fn an_incomplete_header_is_told_apart() {
    for fields in [
        "",
        "Credential=a/b/c/d/e",
        "Credential=a/b, SignedHeaders=host, Signature=x",
    ] {
        assert_eq!(
            Authorization::parse(fields).expect_err("incomplete").exception,
            "IncompleteSignatureException"
        );
    }
}

use base64::Engine as _;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Made by boto3 1.44.5: `generate_presigned_url("get_caller_identity", ExpiresIn=900, HttpMethod="GET")`.
fn url() -> String {
    format!(
        "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15\
         &X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDSIMULATOR0000000%2F20261121%2Fus-east-1%2Fsts%2Faws4_request\
         &X-Amz-Date=20261121T220000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host%3Bx-outcrop-gateway\
         &X-Amz-Security-Token=IQoJb3JpZ2luX2Vj%2F%2F%2B%3D&X-Amz-Signature={}",
        "0a".repeat(32)
    )
}

/// 2026-11-21 22:00:00.
const SIGNED_AT: i64 = 1_795_298_400;

fn read(url: &str) -> Result<Presigned, PresignedFlaw> {
    Presigned::read(&write(url, None), None)
}

fn is_form(url: &str) -> bool {
    matches!(read(url), Err(PresignedFlaw::Form(_)))
}

#[test]
fn what_boto3_makes_is_read_and_sent_with_the_same_meaning() {
    let read = read(&url()).unwrap();
    let sorted = |url: &str| {
        let (base, query) = url.split_once('?').unwrap();
        let mut pairs: Vec<String> = query.split('&').map(ToOwned::to_owned).collect();
        pairs.sort();
        (base.to_owned(), pairs)
    };
    assert_eq!(sorted(&read.url()), sorted(&url()));
    assert_eq!(read.signed_at, SIGNED_AT);
    assert_eq!(read.header_value("gateway.example"), "gateway.example");
    let with_nonce = Presigned::read(&write(&url(), Some("0123456789abcdef")), None).unwrap();
    assert_eq!(
        with_nonce.header_value("gateway.example"),
        "gateway.example;0123456789abcdef"
    );
    assert!(!format!("{read:?}").contains("IQoJ"));
    // Without a path, and in another order.
    let (base, query) = url()
        .split_once("/?")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let backwards: Vec<&str> = query.rsplit('&').collect();
    let other = self::read(&format!("{base}?{}", backwards.join("&"))).unwrap();
    assert_eq!(other, read);
}

#[test]
fn a_token_is_good_from_its_date_to_its_end() {
    let read = read(&url()).unwrap();
    assert_eq!(read.check_time(SIGNED_AT, 900), Ok(()));
    assert_eq!(read.check_time(SIGNED_AT + 900, 900), Ok(()));
    assert_eq!(read.check_time(SIGNED_AT + 901, 900), Err(PresignedFlaw::Expired));
    assert_eq!(read.check_time(SIGNED_AT + 61, 60), Err(PresignedFlaw::Expired));
    assert_eq!(read.check_time(SIGNED_AT - 300, 900), Ok(()));
    assert!(matches!(
        read.check_time(SIGNED_AT - 301, 900),
        Err(PresignedFlaw::Form(_))
    ));
}

#[test]
fn each_endpoint_of_sts_may_be_asked() {
    for host in [
        "sts.amazonaws.com",
        "sts.eu-central-1.amazonaws.com",
        "sts.ap-southeast-3.amazonaws.com",
        "sts-fips.us-east-1.amazonaws.com",
        "sts.us-gov-west-1.amazonaws.com",
        "sts.cn-north-1.amazonaws.com.cn",
        "sts.us-east-1.api.aws",
        "sts-fips.us-east-1.api.aws",
        "sts.cn-north-1.api.amazonwebservices.com.cn",
        "sts.eusc-de-east-1.amazonaws.eu",
    ] {
        assert!(
            read(&url().replace("sts.us-east-1.amazonaws.com", host)).is_ok(),
            "{host}"
        );
    }
}

#[test]
fn nobody_else_is_asked() {
    for origin in [
        "http://sts.amazonaws.com",
        "HTTPS://sts.amazonaws.com",
        "https://STS.amazonaws.com",
        "https://sts.amazonaws.com:443",
        "https://sts.amazonaws.com:8443",
        "https://sts.amazonaws.com.",
        "https://sts.amazonaws.com.evil.example",
        "https://evil.example/sts.amazonaws.com",
        "https://sts.amazonaws.com@evil.example",
        "https://user:word@sts.amazonaws.com",
        "https://evil.example#sts.amazonaws.com",
        "https://sts.amazonaws.com/path",
        "https://sts.amazonaws.com//",
        "https://sts.amazonaws.com\\@evil.example",
        "https://sts%2Eamazonaws.com",
        "https://sts.amazonaws%2ecom",
        "https://sts.evil.amazonaws.com",
        "https://sts.us-east-1.evil.amazonaws.com",
        "https://sts.us-east-1.amazonaws.com.cn",
        "https://sts.cn-north-1.amazonaws.com",
        "https://s3.us-east-1.amazonaws.com",
        "https://ec2.us-east-1.amazonaws.com",
        "https://sts.us-east-1.api.aws.evil.example",
        "https://169.254.169.254",
        "https://127.0.0.1",
        "https://[::1]",
        "https://localhost",
        "https://sts.us-east-1.amazonaws.com\r\nhost: evil.example",
        "https://sts.us-east-1.amazonaws.com\t",
        "https://ѕts.amazonaws.com",
        "file:///etc/passwd",
        "//sts.amazonaws.com",
        "",
    ] {
        assert!(
            is_form(&url().replace("https://sts.us-east-1.amazonaws.com", origin)),
            "{origin:?}"
        );
    }
}

#[test]
fn a_configured_endpoint_is_asked_as_it_is_written() {
    let own = url().replace("https://sts.us-east-1.amazonaws.com", "http://127.0.0.1:8000");
    let read = |own: &str, endpoint| Presigned::read(&write(own, None), endpoint);
    assert!(read(&own, None).is_err());
    assert!(read(&own, Some("http://127.0.0.1:8000/")).is_ok());
    assert!(read(&own, Some("http://127.0.0.1:8001")).is_err());
    assert!(read(&own.replace("8000", "80000"), Some("http://127.0.0.1:8000")).is_err());
    assert!(read(&own.replace("//127", "//a@127"), Some("http://127.0.0.1:8000")).is_err());
}

#[test]
fn only_this_request_is_made() {
    for (from, to) in [
        ("Action=GetCallerIdentity", "Action=AssumeRole"),
        ("Action=GetCallerIdentity", "Action=GetCallerIdentity&Action=AssumeRole"),
        ("Action=GetCallerIdentity&", ""),
        ("Action=", "action="),
        ("Action=", "%41ction="),
        ("Version=2011-06-15", "Version=2011-06-16"),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        ("%2Fsts%2F", "%2Fs3%2F"),
        ("%2F20261121%2F", "%2F20261120%2F"),
        ("%2F20261121%2F", "%2F%2F"),
        ("us-east-1%2Fsts", "..%2Fsts"),
        ("host%3Bx-outcrop-gateway", "host"),
        ("host%3Bx-outcrop-gateway", "x-outcrop-gateway"),
        ("host%3Bx-outcrop-gateway", "host%3Bx-k8s-aws-id"),
        ("host%3Bx-outcrop-gateway", "host%3Bx-outcrop-gateway%3Bx-other"),
        ("X-Amz-Expires=900", "X-Amz-Expires=901"),
        ("X-Amz-Expires=900", "X-Amz-Expires=0"),
        ("X-Amz-Expires=900", "X-Amz-Expires=-1"),
        ("X-Amz-Expires=900", "X-Amz-Expires=%2B90"),
        ("X-Amz-Expires=900", "X-Amz-Expires=900&X-Amz-Expires=900"),
        ("X-Amz-Expires=900", "X-Amz-Expires=900&RoleArn=a"),
        ("X-Amz-Expires=900", "X-Amz-Expires=900&"),
        ("20261121T220000Z", "20261121T250000Z"),
        ("20261121T220000Z", "20261121 220000Z"),
        ("IQoJb3JpZ2luX2Vj%2F%2F%2B%3D", ""),
        ("IQoJb3JpZ2luX2Vj", "a+b"),
        ("IQoJb3JpZ2luX2Vj", "a%0d%0ab"),
        ("IQoJb3JpZ2luX2Vj", "a%00"),
        ("IQoJb3JpZ2luX2Vj", "a%"),
        ("IQoJb3JpZ2luX2Vj", "a%C3%A4"),
        ("X-Amz-Signature=0a", "X-Amz-Signature=0A"),
        ("X-Amz-Signature=0a", "X-Amz-Signature="),
        ("X-Amz-Signature=0a", "X-Amz-Signature=zz"),
    ] {
        let changed = url().replacen(from, to, 1);
        assert_ne!(changed, url(), "{from}");
        assert!(is_form(&changed), "{from} to {to}");
    }
    let token = write(&url(), None);
    for wrong in [
        format!("{token}="),
        format!("{token}.short"),
        format!("{token}.01234567.89abcdef"),
        format!("{token}.01234567-"),
        token.replace("v1", "v2"),
        format!("{token}{}", "A".repeat(MAX_TOKEN_BYTES)),
        PREFIX.to_owned(),
    ] {
        assert!(
            matches!(Presigned::read(&wrong, None), Err(PresignedFlaw::Form(_))),
            "{wrong}"
        );
    }
}

proptest! {
    /// Whatever is read, STS alone is asked, and for nothing else.
    #[test]
    fn what_is_read_asks_sts_who_somebody_is(
        scheme in select(&["https://", "http://", "https:", "https:///"][..]),
        user in select(&["", "a@", "sts.amazonaws.com@", "a:b@"][..]),
        host in "(sts|sts-fips|s3)\\.([a-z0-9-]{0,12}\\.)?(amazonaws\\.com|api\\.aws|evil\\.example)(\\.cn)?",
        tail in select(&["", "/", "/a", ":443", ":443/", "#", "\\", "%00", "."][..]),
        insert in select(&["", "&a=b", "&Action=AssumeRole", "\r\n", "#", "&X-Amz-Date=20261121T220000Z"][..]),
    ) {
        let url = url().replace("https://sts.us-east-1.amazonaws.com/", &format!("{scheme}{user}{host}{tail}"));
        if let Ok(read) = read(&format!("{url}{insert}")) {
            let url = read.url();
            let origin = url.split_once("/?").map(|(origin, _)| origin.to_owned());
            prop_assert_eq!(origin, Some(format!("https://{host}")));
            prop_assert!(host.starts_with("sts") && !host.contains("evil"));
            prop_assert!(user.is_empty() && insert.is_empty());
        }
    }

    #[test]
    fn no_bytes_confuse_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..300), nonce in "[ -~]{0,10}") {
        let token = format!("{PREFIX}{}.{nonce}", URL_SAFE_NO_PAD.encode(bytes));
        prop_assert!(Presigned::read(&token, None).is_err());
    }
}

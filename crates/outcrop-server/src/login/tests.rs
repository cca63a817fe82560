use outcrop_translate::Part;

use super::*;

const KEYS: &str = r#""aws_access_key_id":"AKIDEXAMPLE000000000","aws_secret_access_key":"hush""#;
const ROLE: &str = r#""aws_role_name":"arn:aws:iam::123456789012:role/path/name""#;

fn all() -> Vec<String> {
    REQUEST_AWS_PARAMETERS.map(ToOwned::to_owned).to_vec()
}

fn taken(body: &str, allowed: &[&str]) -> (Option<String>, Said) {
    let allowed: Vec<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
    let mut said = Said::default();
    let rest = without_parameters(&Bytes::copy_from_slice(body.as_bytes()), &allowed, &mut said).unwrap();
    (rest.map(|rest| String::from_utf8(rest.to_vec()).unwrap()), said)
}

/// Which parameter a problem with the body names.
fn blamed(members: &str) -> Option<String> {
    let mut said = Said::default();
    let body = Bytes::from(format!("{{{members}}}"));
    let problem = match without_parameters(&body, &all(), &mut said) {
        Ok(_) => check::all(&said).err()?,
        Err(problem) => problem,
    };
    assert_eq!((problem.status, problem.code), (400, Some("invalid_value")));
    assert!(!problem.message.contains("hush"), "{}", problem.message);
    problem.param
}

#[test]
fn only_what_is_allowed_is_taken_out() {
    let body = r#"{"a": [1, {"aws_region_name": "x"}], "aws_region_name": "eu-west-1", "aws_session_token": "t"}"#;
    let (rest, said) = taken(body, &["aws_region_name"]);
    assert_eq!(
        rest.as_deref(),
        Some(r#"{"a":[1, {"aws_region_name": "x"}],"aws_session_token":"t"}"#)
    );
    assert_eq!(said.get("aws_region_name"), Some("eu-west-1"));
    assert_eq!(said.get("aws_session_token"), None);
    assert_eq!(taken(body, &["aws_role_name"]).0, None);
    assert_eq!(taken(r#"[{"aws_region_name": "x"}]"#, &["aws_region_name"]).0, None);
    assert_eq!(taken(r#"{"aws_region_name": "x""#, &["aws_region_name"]).0, None);
}

#[test]
fn extra_body_is_as_good_as_the_body_and_wins() {
    let body = r#"{"extra_body":{"top_k":1,"aws_region_name":"eu-west-1"},"aws_region_name":"eu-west-2","n":1}"#;
    let (rest, said) = taken(body, &["aws_region_name"]);
    assert_eq!(rest.as_deref(), Some(r#"{"extra_body":{"top_k":1},"n":1}"#));
    assert_eq!(said.get("aws_region_name"), Some("eu-west-1"));
    let escaped = r#"{"\u0061ws_region_name":"eu-west-1"}"#;
    assert_eq!(taken(escaped, &["aws_region_name"]).0.as_deref(), Some("{}"));
    let null = taken(r#"{"aws_region_name":null}"#, &["aws_region_name"]);
    assert_eq!((null.0.as_deref(), null.1.is_empty()), (Some("{}"), true));
}

#[test]
fn a_forms_fields_are_taken_out() {
    let part = |name: &str, bytes: &'static [u8]| Part {
        name: name.to_owned(),
        bytes: Bytes::from_static(bytes),
        ..Part::default()
    };
    let mut form = Form {
        parts: vec![part("prompt", b"p"), part("aws_region_name", b"eu-west-1")],
    };
    let mut said = Said::default();
    take_from_form(&mut form, &all(), &mut said).unwrap();
    assert_eq!(form.parts.len(), 1);
    assert_eq!(said.get("aws_region_name"), Some("eu-west-1"));
    form.parts.push(part("aws_region_name", b"\xff"));
    assert!(take_from_form(&mut form, &all(), &mut said).is_err());
}

#[test]
fn what_cant_be_is_named() {
    for (members, param) in [
        (r#""aws_region_name":7"#, "aws_region_name"),
        (r#""aws_region_name":"""#, "aws_region_name"),
        (r#""aws_region_name":"evil.example/#-a-1""#, "aws_region_name"),
        (r#""aws_region_name":"us-east""#, "aws_region_name"),
        (r#""aws_access_key_id":"AKIDEXAMPLE000000000""#, "aws_access_key_id"),
        (r#""aws_secret_access_key":"hush""#, "aws_secret_access_key"),
        (
            r#""aws_access_key_id":"a b","aws_secret_access_key":"hush""#,
            "aws_access_key_id",
        ),
        (r#""aws_session_token":"hush""#, "aws_session_token"),
        (r#""aws_session_token":"hush\n""#, "aws_session_token"),
        (r#""aws_role_name":"name""#, "aws_role_name"),
        (r#""aws_external_id":"hush""#, "aws_external_id"),
        (r#""aws_web_identity_token":"hush""#, "aws_web_identity_token"),
        (
            r#""aws_web_identity_token":"file:/etc/passwd""#,
            "aws_web_identity_token",
        ),
        (r#""aws_profile_name":"os.environ/HOME""#, "aws_profile_name"),
        (
            r#""aws_bedrock_runtime_endpoint":"http://a.example""#,
            "aws_bedrock_runtime_endpoint",
        ),
        (
            r#""aws_bedrock_runtime_endpoint":"ftp://a.example""#,
            "aws_bedrock_runtime_endpoint",
        ),
        (r#""aws_sts_endpoint":"http://a.example""#, "aws_sts_endpoint"),
    ] {
        assert_eq!(blamed(members).as_deref(), Some(param), "{members}");
    }
    for (members, param) in [
        (format!(r#"{KEYS},"aws_profile_name":"p""#), "aws_profile_name"),
        (
            format!(r#"{KEYS},{ROLE},"aws_web_identity_token":"t""#),
            "aws_web_identity_token",
        ),
        (format!(r#"{KEYS},{ROLE},"aws_session_name":"a b""#), "aws_session_name"),
        (
            format!(r#"{ROLE},"aws_sts_endpoint":"https://a.example""#),
            "aws_sts_endpoint",
        ),
        (
            format!(r#"{ROLE},"aws_bedrock_runtime_endpoint":"https://a.example""#),
            "aws_bedrock_runtime_endpoint",
        ),
        (
            format!(r#"{KEYS},"aws_bedrock_runtime_endpoint":"https://u:hush@a.example""#),
            "aws_bedrock_runtime_endpoint",
        ),
    ] {
        assert_eq!(blamed(&members).as_deref(), Some(param), "{members}");
    }
    for fine in [
        KEYS.to_owned(),
        ROLE.to_owned(),
        format!(r#"{ROLE},"aws_session_name":"a.b","aws_external_id":"a:b","aws_web_identity_token":"a.b.c""#),
        format!(r#"{KEYS},"aws_session_token":"a/b=","aws_bedrock_runtime_endpoint":"https://a.example:1/x""#),
        r#""aws_region_name":"us-gov-west-1""#.to_owned(),
    ] {
        assert_eq!(blamed(&fine), None, "{fine}");
    }
}

#[test]
fn a_region_must_be_allowed() {
    let check = |region, allowed: &[&str]| {
        let allowed: Vec<String> = allowed.iter().map(|region| (*region).to_owned()).collect();
        check_region(region, "us-east-1", &allowed).map_err(|problem| problem.status)
    };
    assert_eq!(check("us-east-1", &["eu-west-1"]), Ok(()));
    assert_eq!(check("eu-west-1", &["eu-west-1"]), Ok(()));
    assert_eq!(check("eu-west-2", &["eu-west-1"]), Err(403));
    assert_eq!(check("eu-west-2", &[]), Ok(()));
    assert_eq!(check("cn-north-1", &[]), Err(403));
}

#[test]
fn no_value_is_shown() {
    let (_, said) = taken(&format!("{{{KEYS}}}"), &["aws_access_key_id", "aws_secret_access_key"]);
    assert_eq!(format!("{said:?}"), r#"{"aws_access_key_id", "aws_secret_access_key"}"#);
    assert!(!format!("{:?}", account(&said)).contains("hush"));
    let (_, region) = taken(r#"{"aws_region_name":"eu-west-1"}"#, &["aws_region_name"]);
    assert!(account(&region).is_none());
}

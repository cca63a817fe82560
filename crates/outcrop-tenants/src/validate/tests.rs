use proptest::prelude::*;
use serde_json::json;

use super::*;

fn path_of(settings: Value) -> String {
    read_settings(settings).unwrap_err().path
}

#[test]
fn good_settings_are_taken() {
    let settings = json!({
        "allowed_models": ["claude-*", "nova-lite"],
        "denied_models": ["*opus*"],
        "allowed_endpoints": ["/v1/chat/*"],
        "allowed_networks": ["10.0.0.0/8", "2001:db8::/32"],
        "requests_per_minute": 60,
        "tokens_per_minute": 100_000,
        "concurrent_requests": 4,
        "concurrent_streams": 2,
        "budgets": [
            {"period": "month", "limit_usd": 12.5, "warn_at": 0.8},
            {"period": "month", "limit_usd": "10", "soft": true},
            {"period": "total", "limit_usd": 0},
        ],
        "parameters": {"temperature": 0.2},
        "guardrail": {"id": "gr-1", "version": "DRAFT", "trace": "enabled", "stream_mode": "async"},
        "prompt_caching": "auto",
        "on_unsupported": "reject",
        "metadata": {"team": "search, EU"},
        "aliases": {"best": "anthropic.claude-sonnet-4-5"},
        "account": "eu",
        "region": "eu-central-1",
        "role_arn": "arn:aws:iam::123456789012:role/path/search",
        "external_id": "acme",
        "session_tags": {"Team": "Süd 1"},
    });
    let read = read_settings(settings.clone()).unwrap();
    assert_eq!(read_settings(serde_json::to_value(&read).unwrap()).unwrap(), read);
}

#[test]
fn whole_numbers_may_have_a_point() {
    let read = read_settings(json!({"requests_per_minute": 60.0, "concurrent_streams": 2.0})).unwrap();
    assert_eq!((read.requests_per_minute, read.concurrent_streams), (Some(60), Some(2)));
    assert_eq!(path_of(json!({"requests_per_minute": 1.5})), "requests_per_minute");
}

#[test]
fn what_is_wrong_is_named() {
    for (settings, path) in [
        (json!({"rpm": 1}), "rpm"),
        (json!([]), ""),
        (json!({"budgets": [["day", 1]]}), "budgets[0]"),
        (json!({"allowed_models": [""]}), "allowed_models[0]"),
        (json!({"allowed_models": ["a", 1]}), "allowed_models[1]"),
        (json!({"denied_models": [" a"]}), "denied_models[0]"),
        (json!({"allowed_endpoints": ["v1"]}), "allowed_endpoints[0]"),
        (
            json!({"allowed_networks": ["::1", "10.0.0.1/8"]}),
            "allowed_networks[1]",
        ),
        (json!({"requests_per_minute": 0}), "requests_per_minute"),
        (json!({"requests_per_minute": -1}), "requests_per_minute"),
        (json!({"tokens_per_minute": 1e30}), "tokens_per_minute"),
        (json!({"concurrent_streams": 4_294_967_296_u64}), "concurrent_streams"),
        (
            json!({"budgets": [{"period": "month", "limit_usd": -1}]}),
            "budgets[0].limit_usd",
        ),
        (
            json!({"budgets": [{"period": "month", "limit_usd": "x"}]}),
            "budgets[0].limit_usd",
        ),
        (
            json!({"budgets": [{"period": "year", "limit_usd": 1}]}),
            "budgets[0].period",
        ),
        (
            json!({"budgets": [{"period": "day", "limit_usd": 1, "warn_at": 80}]}),
            "budgets[0].warn_at",
        ),
        (
            json!({"budgets": [{"period": "day", "limit_usd": 1, "hard": true}]}),
            "budgets[0].hard",
        ),
        (json!({"budgets": [{"period": "day"}]}), "budgets[0]"),
        (
            json!({"budgets": [{"period": "day", "limit_usd": 1}, {"period": "day", "limit_usd": 2}]}),
            "budgets[1]",
        ),
        (json!({"parameters": {"x": "y".repeat(20_000)}}), "parameters"),
        (json!({"guardrail": {"id": "", "version": "1"}}), "guardrail.id"),
        (json!({"guardrail": {"id": "a", "version": "one"}}), "guardrail.version"),
        (
            json!({"guardrail": {"id": "a", "version": "1", "trace": "x"}}),
            "guardrail.trace",
        ),
        (json!({"prompt_caching": "on"}), "prompt_caching"),
        (json!({"on_unsupported": "ADAPT"}), "on_unsupported"),
        (json!({"metadata": {"team": "Süd"}}), "metadata.team"),
        (json!({"metadata": {"": "x"}}), "metadata."),
        (json!({"metadata": {"n": 1}}), "metadata.n"),
        (json!({"aliases": {"a": "a"}}), "aliases.a"),
        (json!({"region": "frankfurt"}), "region"),
        (json!({"role_arn": "arn:aws:iam::123456789012:user/x"}), "role_arn"),
        (json!({"role_arn": "arn:aws:iam::*:role/x"}), "role_arn"),
        (json!({"external_id": "x"}), "external_id"),
        (json!({"session_tags": {"aws:x": "y"}}), "session_tags.aws:x"),
        (json!({"session_tags": {"a": "y", "A": "y"}}), "session_tags.a"),
        (json!({"session_tags": {"a": "\n"}}), "session_tags.a"),
    ] {
        assert_eq!(path_of(settings.clone()), path, "{settings}");
    }
    let many: Map<String, Value> = (0..17).map(|number| (number.to_string(), json!("x"))).collect();
    assert_eq!(path_of(json!({"metadata": many})), "metadata");
    assert_eq!(
        Fault::new("[0]", "x").within("budgets").within("settings").path,
        "settings.budgets[0]"
    );
}

#[test]
fn names_can_be_parts_of_paths() {
    for good in ["acme", "Süd 1", "a.b-c_d", &"x".repeat(128)] {
        assert_eq!(tenant_name(good), Ok(()), "{good}");
    }
    for bad in ["", " ", " a", "a\n", "a/b", "org_1", "proj_x", &"x".repeat(129)] {
        assert!(tenant_name(bad).is_err(), "{bad}");
    }
    assert_eq!(name("a/b"), Ok(()));
}

#[test]
fn logins_say_whom_they_mean() {
    for good in [
        "arn:aws:iam::123456789012:role/app",
        "arn:aws:iam::123456789012:user/*",
        "arn:aws:sts::123456789012:assumed-role/app/*",
        "arn:aws-cn:iam::123456789012:*",
        "arn:aws:iam::123456789012:root",
    ] {
        assert_eq!(iam_arn(good), Ok(()), "{good}");
    }
    for bad in [
        "*",
        "arn:aws:iam::*:role/app",
        "arn:*:iam::123456789012:role/app",
        "arn:aws:s3:::bucket",
        "arn:aws:iam::123456789012:group/x",
        "arn:aws:iam::123456789012:",
        "arn:aws:iam::12345678901:role/app",
        "arn:aws:iam::123456789012:role/",
    ] {
        assert!(iam_arn(bad).is_err(), "{bad}");
    }
    let claims = |pairs: &[(&str, &str)]| {
        let owned = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect::<BTreeMap<_, _>>()
    };
    assert_eq!(
        jwt("https://login.example.com/", &claims(&[("groups", "search-*")])),
        Ok(())
    );
    assert_eq!(
        jwt("login.example.com", &claims(&[("a", "b")])).unwrap_err().path,
        "issuer"
    );
    assert_eq!(
        jwt("https://login.example.com", &claims(&[])).unwrap_err().path,
        "claims"
    );
    assert_eq!(jwt("https://x", &claims(&[("a", "")])).unwrap_err().path, "claims.a");
}

proptest! {
    #[test]
    fn any_text_is_judged(text in any::<String>()) {
        let _ = tenant_name(&text);
        let _ = iam_arn(&text);
        let _ = jwt(&text, &BTreeMap::new());
        for member in ["allowed_models", "allowed_networks", "allowed_endpoints"] {
            let _ = read_settings(json!({member: [text]}));
        }
        for member in ["region", "role_arn", "external_id", "account", "prompt_caching"] {
            let _ = read_settings(json!({member: text}));
        }
    }
}

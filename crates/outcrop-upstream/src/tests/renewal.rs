//! When credentials are asked for again.

use super::*;

#[tokio::test]
async fn roles_are_chained_and_each_is_assumed_once() {
    let (bedrock, sts) = (Fake::bedrock().await, Fake::sts().await);
    let role = |name: &str, source: Option<&str>| Account {
        name: name.to_owned(),
        role_arn: literal(&format!("arn:aws:iam::123456789012:role/{name}")),
        source_account: source.map(ToOwned::to_owned),
        sts_endpoint: Some(sts.url.clone()),
        ..Account::default()
    };
    // The order in which they are written down doesn't matter.
    let accounts = vec![
        role("last", Some("middle")),
        role("middle", Some("keys")),
        with_keys("keys"),
    ];
    let client = client(&bedrock, accounts).await;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { attempt(&client, Some("last")).await.is_ok() })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap());
    }
    let signers: Vec<_> = sts.arrived().into_iter().map(|arrived| arrived.authorization).collect();
    assert_eq!(signers.len(), 2, "{signers:?}");
    assert!(signers[0].contains("Credential=AKIDACCOUNT/"));
    assert!(signers[1].contains("Credential=ASIA0/"));
    assert!(bedrock.last().authorization.contains("Credential=ASIA1/"));
}

#[tokio::test]
async fn a_role_that_cannot_be_renewed_is_used_until_it_ends() {
    let bedrock = Fake::bedrock().await;
    let count = AtomicUsize::new(0);
    let sts = Fake::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => (200, session("AssumeRole", "ASIA")),
        _ => (403, refusal("AccessDenied")),
    })
    .await;
    let role = Account {
        role_arn: literal(ROLE),
        sts_endpoint: Some(sts.url.clone()),
        ..with_keys("role")
    };
    let next = Account {
        name: "next".to_owned(),
        role_arn: literal(ROLE),
        source_account: Some("role".to_owned()),
        sts_endpoint: Some(sts.url.clone()),
        ..Account::default()
    };
    let client = client(&bedrock, vec![role, next]).await;
    attempt(&client, Some("role")).await.unwrap();
    cache_of(&client, "role").age();
    attempt(&client, Some("role")).await.unwrap();
    while sts.arrived().len() < 2 {
        tokio::task::yield_now().await;
    }
    attempt(&client, Some("role")).await.unwrap();
    assert!(bedrock.last().authorization.contains("Credential=ASIA/"));

    // Who has none to begin with is told whose failed, and how.
    let failure = attempt(&client, Some("next")).await.unwrap_err();
    let message = failure.error.to_string();
    assert!(matches!(failure.error, Error::Credentials(_)));
    assert!(
        message.contains("account 'next'") && message.contains("AccessDenied"),
        "{message}"
    );
}

#[tokio::test]
async fn a_web_identity_token_is_read_from_its_file_each_time() {
    let (bedrock, sts) = (Fake::bedrock().await, Fake::sts().await);
    let path = std::env::temp_dir().join(format!("outcrop-token-{}", std::process::id()));
    std::fs::write(&path, "first\n").unwrap();
    let account = Account {
        name: "pod".to_owned(),
        role_arn: literal(ROLE),
        web_identity_token: Some(Value::File(path.clone())),
        sts_endpoint: Some(sts.url.clone()),
        ..Account::default()
    };
    let client = client(&bedrock, vec![account]).await;
    for token in ["first", "second"] {
        std::fs::write(&path, format!("{token}\n")).unwrap();
        attempt(&client, Some("pod")).await.unwrap();
        let assumed = sts.last();
        assert_eq!(assumed.form("Action"), "AssumeRoleWithWebIdentity");
        assert_eq!(assumed.form("WebIdentityToken"), token);
        assert_eq!(assumed.authorization, "");
        cache_of(&client, "pod").forget();
    }
    std::fs::remove_file(&path).unwrap();
    assert!(bedrock.last().authorization.contains("Credential=ASIA1/"));
}

#[tokio::test]
async fn an_expired_session_is_renewed_and_the_call_made_again() {
    let sts = Fake::sts().await;
    let bedrock = Fake::start(|arrived| match arrived.token.as_str() {
        "of-ASIA0" => (403, r#"{"__type":"ExpiredTokenException","message":"old"}"#.to_owned()),
        "of-ASIA1" => (200, "{}".to_owned()),
        _ => {
            let said = "The security token included in the request is invalid.";
            (
                403,
                format!(r#"{{"__type":"AccessDeniedException","message":"{said}"}}"#),
            )
        }
    })
    .await;
    let role = Account {
        role_arn: literal(ROLE),
        sts_endpoint: Some(sts.url.clone()),
        ..with_keys("role")
    };
    let client = client(&bedrock, vec![role]).await;
    let reply = attempt(&client, Some("role")).await.unwrap();
    assert_eq!((reply.attempts, sts.arrived().len()), (2, 2));

    // Whatever name AWS gives it, it isn't the client of ours that is not allowed.
    let refused = attempt(&client, None).await.unwrap_err();
    let exception = Exception::Credentials;
    assert!(matches!(refused.error, Error::Service { exception: found, .. } if found == exception));
}

#[tokio::test]
async fn refused_credentials_are_asked_for_again_once() {
    let count = AtomicUsize::new(0);
    let aws = Fake::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => (400, r#"{"__type":"ExpiredTokenException","message":"old"}"#.to_owned()),
        1 => (200, r#"{"Parameter":{"Value":"ABSKnew"}}"#.to_owned()),
        _ => (403, r#"{"__type":"AccessDeniedException","message":"no"}"#.to_owned()),
    })
    .await;
    let client = Client::new(config(&aws, vec![with_keys("team")])).await.unwrap();
    client.aws().sdk.preset(Some(&aws.url));
    let input = serde_json::json!({"Name": "key"});
    let keys = cache_of(&client, "team");
    let ask = || {
        let aws = client.aws();
        aws.ask::<serde_json::Value>(crate::aws_json::SSM, "GetParameter", "us-east-1", &keys, &input)
    };
    assert_eq!(ask().await.unwrap()["Parameter"]["Value"], "ABSKnew");
    assert!(
        aws.arrived()
            .iter()
            .all(|arrived| arrived.authorization.contains("AKIDACCOUNT"))
    );
    let refused = ask().await.unwrap_err();
    assert!(matches!(refused, Error::Service { status: 403, .. }), "{refused}");
}

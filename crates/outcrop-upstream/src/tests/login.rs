//! The ways to log in, by what arrives.

use super::*;

#[tokio::test]
async fn a_call_is_signed_by_the_account_that_it_names() {
    let (bedrock, elsewhere) = (Fake::bedrock().await, Fake::bedrock().await);
    let account = Account {
        region: Some("eu-west-1".to_owned()),
        runtime_endpoint: Some(elsewhere.url.clone()),
        session_token: literal("token"),
        ..with_keys("team")
    };
    let client = client(&bedrock, vec![account]).await;
    attempt(&client, None).await.unwrap();
    attempt(&client, Some("team")).await.unwrap();
    assert!(bedrock.last().authorization.contains("Credential=AKIDOWN/"));
    let arrived = elsewhere.last();
    assert!(arrived.authorization.contains("Credential=AKIDACCOUNT/"));
    assert!(arrived.authorization.contains("/eu-west-1/bedrock/"));
    assert_eq!(arrived.token, "token");
    assert_eq!((bedrock.arrived().len(), elsewhere.arrived().len()), (1, 1));

    assert_eq!(client.region_of(Some("team")), "eu-west-1");
    assert_eq!(client.region_of(None), "us-east-1");
    assert!(client.has_account("team") && !client.has_account("other"));
    let described = client.describe(&call(Some("team")));
    assert!(described.url.starts_with(&elsewhere.url));
    assert!(described.headers["authorization"].contains("/eu-west-1/"));

    let unknown = attempt(&client, Some("other")).await.unwrap_err();
    assert!(matches!(unknown.error, Error::Account(name) if name == "other"));
}

#[tokio::test]
async fn a_role_is_assumed_with_all_that_the_account_says() {
    let (bedrock, sts) = (Fake::bedrock().await, Fake::sts().await);
    let role = Account {
        role_arn: literal(ROLE),
        role_session_name: literal("gateway"),
        external_id: literal("agreed"),
        session_tags: vec![("team".to_owned(), "search".to_owned())],
        sts_endpoint: Some(sts.url.clone()),
        ..with_keys("role")
    };
    let plain = Account {
        name: "plain".to_owned(),
        role_arn: literal(ROLE),
        sts_endpoint: Some(sts.url.clone()),
        ..Account::default()
    };
    let client = client(&bedrock, vec![role, plain]).await;
    attempt(&client, Some("role")).await.unwrap();
    let assumed = sts.last();
    assert_eq!(assumed.form("Action"), "AssumeRole");
    assert_eq!(
        assumed.form("RoleArn"),
        "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fbedrock"
    );
    assert_eq!(assumed.form("RoleSessionName"), "gateway");
    assert_eq!(assumed.form("ExternalId"), "agreed");
    assert_eq!(assumed.form("Tags.member.1.Key"), "team");
    assert_eq!(assumed.form("Tags.member.1.Value"), "search");
    assert!(assumed.authorization.contains("Credential=AKIDACCOUNT/"));
    assert!(assumed.authorization.contains("/us-east-1/sts/"));
    let called = bedrock.last();
    assert!(called.authorization.contains("Credential=ASIA0/"));
    assert_eq!(called.token, "of-ASIA0");

    // Where the account has no keys, the client itself assumes the role, in a session of the account's name.
    attempt(&client, Some("plain")).await.unwrap();
    assert!(sts.last().authorization.contains("Credential=AKIDOWN/"));
    assert_eq!(sts.last().form("RoleSessionName"), "outcrop-plain");
}

#[tokio::test]
async fn an_account_may_have_a_bedrock_api_key() {
    let bedrock = Fake::bedrock().await;
    let account = |name: &str, key: Value| Account {
        name: name.to_owned(),
        api_key: Some(key),
        ..Account::default()
    };
    let accounts = vec![
        account("literal", Value::Literal("ABSKhush".to_owned())),
        // Cargo sets it.
        account("kept", Value::Environment("CARGO_PKG_NAME".to_owned())),
    ];
    let client = client(&bedrock, accounts).await;
    attempt(&client, Some("literal")).await.unwrap();
    assert_eq!(bedrock.last().authorization, "Bearer ABSKhush");
    attempt(&client, Some("kept")).await.unwrap();
    assert_eq!(bedrock.last().authorization, "Bearer outcrop-upstream");
    assert!(!format!("{client:?}").contains("ABSKhush"));
}

#[tokio::test]
async fn keys_are_read_from_secrets_manager_and_parameter_store() {
    let bedrock = Fake::bedrock().await;
    let aws = Fake::start(|arrived| match arrived.target.as_str() {
        "secretsmanager.GetSecretValue" => {
            let secret = r#"{\"id\":\"AKIDSECRET\",\"key\":\"hush\"}"#;
            (200, format!(r#"{{"SecretString":"{secret}"}}"#))
        }
        "AmazonSSM.GetParameter" => (200, r#"{"Parameter":{"Value":"ABSKparameter"}}"#.to_owned()),
        other => panic!("{other}"),
    })
    .await;
    let secret = |member: &str| {
        Some(Value::Secret {
            id: "keys".to_owned(),
            member: Some(member.to_owned()),
        })
    };
    let keys = Account {
        name: "keys".to_owned(),
        access_key_id: secret("id"),
        secret_access_key: secret("key"),
        ..Account::default()
    };
    let key = Account {
        name: "key".to_owned(),
        api_key: Some(Value::Parameter(
            "arn:aws:ssm:eu-west-1:123456789012:parameter/key".to_owned(),
        )),
        ..Account::default()
    };
    let lost = Account {
        access_key_id: secret("none"),
        ..with_keys("lost")
    };
    let client = Client::new(config(&bedrock, vec![keys, key, lost])).await.unwrap();
    client.aws().sdk.preset(Some(&aws.url));

    attempt(&client, Some("keys")).await.unwrap();
    assert!(bedrock.last().authorization.contains("Credential=AKIDSECRET/"));
    // Both members are of one secret, which is asked for once, by the client itself.
    assert_eq!(aws.arrived().len(), 1);
    let asked = aws.last();
    assert_eq!(
        (asked.path.as_str(), asked.body.as_str()),
        ("/", r#"{"SecretId":"keys"}"#)
    );
    assert!(asked.authorization.contains("Credential=AKIDOWN/"));
    assert!(asked.authorization.contains("/us-east-1/secretsmanager/"));
    assert!(
        asked
            .authorization
            .contains("SignedHeaders=host;x-amz-date;x-amz-target")
    );

    attempt(&client, Some("key")).await.unwrap();
    assert_eq!(bedrock.last().authorization, "Bearer ABSKparameter");
    assert!(aws.last().body.contains(r#""WithDecryption":true"#));
    assert!(aws.last().authorization.contains("/eu-west-1/ssm/"));

    let lost = attempt(&client, Some("lost")).await.unwrap_err().error.to_string();
    assert!(
        lost.contains("account 'lost'") && lost.contains("the secret 'keys'"),
        "{lost}"
    );
    assert!(lost.contains("no member 'none'") && !lost.contains("hush"), "{lost}");
}

#[tokio::test]
async fn sts_says_who_an_account_is() {
    let bedrock = Fake::bedrock().await;
    let sts = Fake::start(|_| {
        let who = "<Arn>arn:aws:iam::123456789012:user/team</Arn><UserId>AIDA</UserId><Account>123456789012</Account>";
        let result = format!("<GetCallerIdentityResult>{who}</GetCallerIdentityResult>");
        let answer = format!("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">{result}</GetCallerIdentityResponse>");
        (200, answer)
    })
    .await;
    let team = Account {
        sts_endpoint: Some(sts.url.clone()),
        ..with_keys("team")
    };
    let client = client(&bedrock, vec![team]).await;
    let who = client.caller_identity(Some("team")).await.unwrap();
    assert_eq!(who.account, "123456789012");
    assert_eq!(who.arn, "arn:aws:iam::123456789012:user/team");
    assert!(sts.last().authorization.contains("Credential=AKIDACCOUNT/"));
}

//! Accounts, from the configuration to what arrives at AWS.

mod fake;
mod quotas;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use fake::{Fake, refusal, session};
use outcrop_bedrock::call::{Call, CallBody, Operation};
use tokio::time::Instant;

use crate::auth::Auth;
use crate::credentials::CredentialCache;
use crate::{Account, Client, Config, Error, Failure, Limits, Reply, StaticCredentials, Value};

const ROLE: &str = "arn:aws:iam::123456789012:role/bedrock";

fn literal(text: &str) -> Option<Value> {
    Some(Value::Literal(text.to_owned()))
}

/// An account with keys of its own.
fn with_keys(name: &str) -> Account {
    Account {
        name: name.to_owned(),
        access_key_id: literal("AKIDACCOUNT"),
        secret_access_key: literal("hush"),
        ..Account::default()
    }
}

/// A client with keys of its own, whose AWS configuration says nothing.
async fn client(bedrock: &Fake, accounts: Vec<Account>) -> Client {
    let client = Client::new(config(bedrock, accounts)).await.unwrap();
    client.aws().sdk.preset(None);
    client
}

fn config(bedrock: &Fake, accounts: Vec<Account>) -> Config {
    Config {
        region: Some("us-east-1".to_owned()),
        runtime_endpoint: Some(bedrock.url.clone()),
        api_key: None,
        credentials: Some(StaticCredentials {
            access_key_id: "AKIDOWN".to_owned(),
            secret_access_key: "hush".to_owned(),
        }),
        accounts,
        ..Config::default()
    }
}

fn call(account: Option<&str>) -> Call {
    Call {
        operation: Operation::Converse,
        model_id: "amazon.nova-lite-v1:0".to_owned(),
        account: account.map(ToOwned::to_owned),
        region: None,
        headers: Vec::new(),
        body: CallBody::new(vec![Bytes::from_static(b"{}")]),
    }
}

async fn attempt(client: &Client, account: Option<&str>) -> Result<Reply, Failure> {
    let limits = Limits {
        deadline: Instant::now() + Duration::from_secs(60),
        first_byte_timeout: Duration::from_secs(60),
    };
    client.attempt(&call(account), limits).await
}

fn cache_of(client: &Client, account: &str) -> CredentialCache {
    match &client.identities().choose(Some(account)).unwrap().auth {
        Auth::Credentials(cache) => cache.clone(),
        other => panic!("{other:?}"),
    }
}

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
    let ask = || client.ask_json::<serde_json::Value>(crate::aws_json::SSM, "GetParameter", Some("team"), None, &input);
    assert_eq!(ask().await.unwrap()["Parameter"]["Value"], "ABSKnew");
    assert!(
        aws.arrived()
            .iter()
            .all(|arrived| arrived.authorization.contains("AKIDACCOUNT"))
    );
    let refused = ask().await.unwrap_err();
    assert!(matches!(refused, Error::Service { status: 403, .. }), "{refused}");
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

#[tokio::test]
async fn what_doesnt_fit_together_is_refused_by_the_accounts_name() {
    let bedrock = Fake::bedrock().await;
    let named = |name: &str| Account {
        name: name.to_owned(),
        ..Account::default()
    };
    let of = |name: &str, source: &str| Account {
        source_account: Some(source.to_owned()),
        ..named(name)
    };
    for (accounts, said) in [
        (vec![named("a"), named("a")], "two accounts have the name 'a'"),
        (vec![of("a", "b")], "account 'a': there is no source account 'b'"),
        (
            vec![of("a", "b"), of("b", "a")],
            "account 'a': its source accounts lead back",
        ),
        (
            vec![Account {
                access_key_id: literal("hush"),
                ..named("a")
            }],
            "account 'a': an access key id and a secret access key belong together",
        ),
        (
            vec![Account {
                web_identity_token: literal("hush"),
                ..named("a")
            }],
            "account 'a': a web identity token needs the role",
        ),
        (
            vec![Account {
                external_id: literal("hush"),
                ..named("a")
            }],
            "account 'a': an external id and session tags are for a role",
        ),
        (
            vec![
                named("b"),
                Account {
                    source_account: Some("b".to_owned()),
                    ..with_keys("a")
                },
            ],
            "account 'a': a source account is an identity already",
        ),
        (
            vec![Account {
                runtime_endpoint: Some("ftp://x".to_owned()),
                ..named("a")
            }],
            "account 'a': the endpoint 'ftp://x'",
        ),
    ] {
        let error = Client::new(config(&bedrock, accounts)).await.unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("hush"), "{error}");
    }
}

#[tokio::test]
async fn a_request_may_bring_an_account_with_it() {
    let bedrock = Fake::bedrock().await;
    let client = client(&bedrock, Vec::new()).await;
    let name = client.adopt(with_keys("")).await.unwrap();
    assert_eq!(client.adopt(with_keys("")).await.unwrap(), name);
    assert!(!name.contains("hush") && !client.has_account(&name));
    attempt(&client, Some(&name)).await.unwrap();
    assert!(bedrock.last().authorization.contains("Credential=AKIDACCOUNT/"));
    let refused = client
        .adopt(Account {
            secret_access_key: Some(Value::File("/etc/passwd".into())),
            ..with_keys("")
        })
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("its secret access key must be the value"),
        "{refused}"
    );
}

#[tokio::test]
async fn nothing_secret_is_in_what_is_printed() {
    let bedrock = Fake::bedrock().await;
    let account = Account {
        session_token: literal("hush"),
        external_id: literal("hush"),
        role_arn: literal(ROLE),
        ..with_keys("team")
    };
    let config = Config {
        api_key: Some("hush".to_owned()),
        ..config(&bedrock, vec![account])
    };
    assert!(!format!("{config:?}").contains("hush"));
    let client = Client::new(config).await.unwrap();
    let _ = client.adopt(with_keys("")).await.unwrap();
    assert!(!format!("{client:?}").contains("hush"));
}

//! What is refused, and what is never told.

use super::*;

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

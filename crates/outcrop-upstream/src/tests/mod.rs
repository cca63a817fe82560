//! Accounts, from the configuration to what arrives at AWS.

mod fake;
mod login;
mod quotas;
mod refused;
mod renewal;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use fake::{Fake, refusal, session};
use outcrop_bedrock::call::{Call, CallBody, Operation};
use outcrop_bedrock::exception::Exception;
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

//! `outcrop token`: a token by which an AWS identity logs in at a gateway.

use std::time::{Duration, SystemTime};

use clap::ArgMatches;
use http::Uri;
use outcrop_tenants::presigned::{self, GATEWAY_HEADER};
use outcrop_upstream::{Config, presigned_identity};
use serde_json::{Value, json};

use super::{block_on, print_page};
use crate::client::{Client, ClientError};
use crate::failure::Failure;
use crate::settings::{BaseUrl, Kind as _};

/// Where a gateway is unless something else is said.
const DEFAULT_URL: &str = "http://127.0.0.1:8080/v1";
/// For how many seconds a token is good; STS takes none that are older.
const EXPIRES: u32 = 900;

/// Makes one, and prints it or what the gateway gives for it.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let of_environment = || std::env::var("OPENAI_BASE_URL").ok().filter(|url| !url.is_empty());
    let (url, origin) = match (text("url"), of_environment()) {
        (Some(url), _) => (url, "--url"),
        (None, Some(url)) => (url, "OPENAI_BASE_URL"),
        (None, None) => (DEFAULT_URL.to_owned(), "the default"),
    };
    let base_url = BaseUrl::from_text(&url).map_err(|_| ClientError::BaseUrl(origin))?;
    let host = url
        .parse::<Uri>()
        .ok()
        .and_then(|uri| uri.host().map(str::to_ascii_lowercase));
    let gateway = text("gateway").or(host).ok_or(ClientError::BaseUrl(origin))?;
    let config = Config {
        profile: text("profile"),
        region: text("region"),
        ..Config::default()
    };
    let page = block_on(async {
        let token = make(&config, &gateway).await?;
        if !matches.get_flag("session") {
            let told = json!({ "token": token, "gateway": gateway, "expires_at": expires_at() });
            return Ok(page(matches, &told, "token"));
        }
        let client = Client::new(base_url, Some(&token))?;
        let session = client.post_for_json("/auth/session", &json!({})).await?;
        if session.get("key").and_then(Value::as_str).is_none() {
            return Err(ClientError::NotOpenAi("there is no 'key' in it".to_owned()).into());
        }
        Ok(page(matches, &session, "key"))
    })?;
    print_page(&page)
}

/// A token for a gateway of this name.
async fn make(config: &Config, gateway: &str) -> Result<String, Failure> {
    // Two tokens of the same second would be one, which is good once.
    let nonce = format!("{:016x}", fastrand::u64(..));
    let value = format!("{gateway};{nonce}");
    let url = presigned_identity(config, (GATEWAY_HEADER, &value), EXPIRES).await?;
    Ok(presigned::write(&url, Some(&nonce)))
}

fn expires_at() -> u64 {
    let end = SystemTime::now() + Duration::from_secs(EXPIRES.into());
    end.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

fn page(matches: &ArgMatches, told: &Value, member: &str) -> String {
    match told.get(member).and_then(Value::as_str) {
        Some(text) if !matches.get_flag("json") => format!("{text}\n"),
        _ => format!("{told}\n"),
    }
}

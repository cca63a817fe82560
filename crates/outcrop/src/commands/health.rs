//! `outcrop health`: is the gateway well? For the health checks of containers, where there is no curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::ArgMatches;
use tokio::time::timeout;

use super::{block_on, print_page};
use crate::cli;
use crate::client::{Client, ClientError};
use crate::failure::Failure;
use crate::settings::{BaseUrl, Kind as _, Timeout, listen};

/// `/healthz` waits for nobody.
const TO_BE_ALIVE: Duration = Duration::from_secs(5);
/// `/readyz` asks AWS, and gives up a little later than `connect_timeout`.
const TO_BE_READY: Duration = Duration::from_secs(15);
/// How much of an answer is repeated: it may be a page of a proxy.
const LONGEST_REASON: usize = 500;

/// Asks, and prints one line.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let (path, patience) = if matches.get_flag("ready") {
        ("/readyz", TO_BE_READY)
    } else {
        ("/healthz", TO_BE_ALIVE)
    };
    let patience = matches.get_one::<Timeout>("timeout").map_or(patience, |given| **given);
    let root = root(matches)?;
    let url = format!("{root}{path}");
    let unwell = |reason: String| Failure::Unwell {
        url: url.clone(),
        reason,
    };
    let client = Client::new(root, None)?;
    block_on(async {
        match timeout(patience, client.get_json(path)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(unwell(reason(error))),
            Err(_) => Err(unwell(format!(
                "no answer within {}",
                humantime::format_duration(patience)
            ))),
        }
    })?;
    print_page(&format!("{url}: ok\n"))
}

/// The URL that `/healthz` is below.
fn root(matches: &ArgMatches) -> Result<BaseUrl, Failure> {
    let text = match matches.get_one::<String>("url") {
        // The base URL of clients is what people have at hand.
        Some(url) => url.trim_end_matches('/').trim_end_matches("/v1").to_owned(),
        None => of_address(listen(&cli::given(matches))?)?,
    };
    BaseUrl::from_text(&text).map_err(|_| ClientError::BaseUrl("--url").into())
}

fn of_address(listen: SocketAddr) -> Result<String, Failure> {
    let url = format!("http://{}", reachable(listen));
    if listen.port() == 0 {
        let reason = "the settings leave the port open; name the gateway by --url".to_owned();
        return Err(Failure::Unwell { url, reason });
    }
    Ok(url)
}

/// An address that stands for all can be listened on, but nobody is there.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn reason(error: ClientError) -> String {
    match error {
        ClientError::Unreachable { cause, .. } => format!("cannot be reached: {cause}"),
        ClientError::Refused { status, message } => {
            let words: Vec<&str> = message.split_whitespace().collect();
            let message: String = words.join(" ").chars().take(LONGEST_REASON).collect();
            format!("status {}: {message}", status.as_u16())
        }
        ClientError::NotOpenAi(_) => "something answers that is not this gateway".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_stands_for_all_is_asked_at_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:81", "[::1]:81"),
            ("10.0.0.7:8080", "10.0.0.7:8080"),
            ("[fd00::7]:8080", "[fd00::7]:8080"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }
}

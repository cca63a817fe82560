//! The rule that keeps an open gateway from being reachable by others.

use std::net::SocketAddr;

use crate::settings::Settings;

/// Who may use the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Those who have one of this many keys.
    Keys(usize),
    /// Those who have a key of the database.
    Database,
    /// Anyone on this machine.
    Local,
    /// Anyone at all, as the user insisted.
    Anyone,
}

/// No key is configured, and others could reach the address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "refusing to listen on {listen} without an API key: anyone who reaches it could spend on your AWS account
  - configure a key: OUTCROP_API_KEYS, or `api_keys` in outcrop.toml
  - or make one that is kept in the database: outcrop keys create
  - or listen on this machine only: --listen 127.0.0.1:{port}
  - or, if something else keeps others out: --insecure-no-auth",
    port = .listen.port()
)]
pub(crate) struct Exposed {
    listen: SocketAddr,
}

/// Applies the rule.
///
/// # Errors
/// If there is no key, in the settings or the database, the address is not a loopback address, and the user didn't insist.
pub(crate) fn check(settings: &Settings, has_credentials: bool) -> Result<Access, Exposed> {
    if settings.api_keys.is_empty() && has_credentials {
        return Ok(Access::Database);
    }
    decide(settings.api_keys.len(), settings.listen, settings.insecure_no_auth)
}

fn decide(keys: usize, listen: SocketAddr, insecure_no_auth: bool) -> Result<Access, Exposed> {
    // `::ffff:127.0.0.1` is loopback as well.
    let loopback = listen.ip().to_canonical().is_loopback();
    match (keys, loopback, insecure_no_auth) {
        (1.., _, _) => Ok(Access::Keys(keys)),
        (0, true, _) => Ok(Access::Local),
        (0, false, true) => Ok(Access::Anyone),
        (0, false, false) => Err(Exposed { listen }),
    }
}

/// Nobody would be kept out of a Lambda function.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "refusing to serve without an API key: anyone who reaches the function could spend on your AWS account
  - configure a key: the variable OUTCROP_API_KEYS, which may be a reference such as `secretsmanager:NAME`
  - or use keys and logins of a database: OUTCROP_DATABASE; to make the first ones, set OUTCROP_ADMIN_KEYS
  - or, if IAM keeps others out (a function URL with the auth type AWS_IAM): OUTCROP_INSECURE_NO_AUTH=true"
)]
pub(crate) struct OpenFunction;

/// The same rule for a Lambda function, which listens nowhere and is reached from everywhere.
///
/// # Errors
/// If there is no key, nor a way to make one, and the user didn't insist.
pub(crate) fn check_function(settings: &Settings, has_store: bool, has_credentials: bool) -> Result<(), OpenFunction> {
    // It lets nobody in until the first key or login is made.
    let can_have_keys = has_store && !settings.admin_keys.is_empty();
    match has_credentials || can_have_keys || !settings.api_keys.is_empty() || settings.insecure_no_auth {
        true => Ok(()),
        false => Err(OpenFunction),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(listen: &str, keys: usize, insecure_no_auth: bool) -> Result<Access, Exposed> {
        decide(keys, listen.parse().unwrap(), insecure_no_auth)
    }

    #[test]
    fn without_a_key_only_loopback_is_served() {
        for loopback in ["127.0.0.1:8080", "127.8.8.8:1", "[::1]:8080", "[::ffff:127.0.0.1]:8080"] {
            assert_eq!(on(loopback, 0, false), Ok(Access::Local), "{loopback}");
            assert_eq!(on(loopback, 0, true), Ok(Access::Local), "{loopback}");
        }
        for public in [
            "0.0.0.0:8080",
            "[::]:8080",
            "192.168.1.2:80",
            "[2001:db8::1]:80",
            "[::ffff:10.0.0.1]:80",
        ] {
            assert!(on(public, 0, false).is_err(), "{public}");
            assert_eq!(on(public, 0, true), Ok(Access::Anyone), "{public}");
        }
    }

    #[test]
    fn with_a_key_every_address_is_served_and_the_key_is_asked_for() {
        for address in ["0.0.0.0:8080", "127.0.0.1:8080"] {
            assert_eq!(on(address, 2, false), Ok(Access::Keys(2)));
            assert_eq!(on(address, 2, true), Ok(Access::Keys(2)));
        }
    }

    #[test]
    fn the_refusal_names_the_ways_out() {
        let refusal = on("0.0.0.0:9000", 0, false).unwrap_err().to_string();
        for way in [
            "0.0.0.0:9000",
            "OUTCROP_API_KEYS",
            "api_keys",
            "--listen 127.0.0.1:9000",
            "--insecure-no-auth",
        ] {
            assert!(refusal.contains(way), "{way} in {refusal}");
        }
    }
}

//! What `outcrop serve` says when it is ready.

use std::net::SocketAddr;

use serde_json::json;

use crate::access::Access;

/// The key to show when none is configured, since any is accepted then.
pub(crate) const LOCAL_KEY: &str = "sk-outcrop-local";

/// Where the answers come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Models {
    /// The built-in simulator.
    Simulated,
    /// Bedrock in a region; `None` if it is not known yet.
    Aws(Option<String>),
}

/// The banner of the gateway. It holds a configured key only if that opens nothing but simulated models: terminals are
/// shared and logs are kept.
/// `example` is the model to try.
pub(crate) fn banner(base_url: &str, access: Access, models: &Models, key: Option<&str>, example: &str) -> String {
    let open_key = key.filter(|_| *models == Models::Simulated);
    let key = match access {
        Access::Keys(_) if open_key.is_some() => open_key.unwrap_or_default().to_owned(),
        Access::Keys(1) => "******** (the one you configured)".to_owned(),
        Access::Keys(count) => format!("******** (any of the {count} you configured)"),
        Access::Database => "******** (any that `outcrop keys create` has made)".to_owned(),
        Access::Local => {
            format!("{LOCAL_KEY} (none is configured: any will do, from this machine only)")
        }
        Access::Anyone => {
            format!("{LOCAL_KEY} (none is configured: ANYONE who reaches this address may use it)")
        }
    };
    let models = match models {
        Models::Simulated => "simulated: nothing goes to AWS".to_owned(),
        Models::Aws(Some(region)) => format!("Amazon Bedrock in {region}"),
        Models::Aws(None) => "Amazon Bedrock".to_owned(),
    };
    format!(
        "Outcrop {version}\n\n  Base URL  {base_url}\n  API key   {key}\n  Models    {models}\n\nTry it:\n\n{curl}\n",
        version = env!("CARGO_PKG_VERSION"),
        curl = curl(base_url, access, open_key, example),
    )
}

/// One line that works when pasted. A configured key comes from the variable that OpenAI's own clients read.
fn curl(base_url: &str, access: Access, open_key: Option<&str>, example: &str) -> String {
    let authorization = match access {
        Access::Keys(_) if open_key.is_some_and(|key| !key.contains('\'')) => {
            format!("'Authorization: Bearer {}'", open_key.unwrap_or_default())
        }
        Access::Keys(_) | Access::Database => "\"Authorization: Bearer $OPENAI_API_KEY\"".to_owned(),
        Access::Local | Access::Anyone => format!("'Authorization: Bearer {LOCAL_KEY}'"),
    };
    let model = json!(example);
    format!(
        "curl -N {base_url}/chat/completions -H {authorization} -H 'Content-Type: application/json' \
         -d '{{\"model\":{model},\"stream\":true,\"messages\":[{{\"role\":\"user\",\"content\":\"Hello!\"}}]}}'"
    )
}

/// The banner of the simulator alone, for any AWS SDK. Its credentials are no secret: they open nothing else.
pub(crate) fn simulator_banner(endpoint: &str, region: &str) -> String {
    let known = outcrop_simulator::Config::default();
    let credential = known.credentials.into_iter().next().unwrap_or_default();
    let api_key = known.api_keys.into_iter().next().unwrap_or_default();
    format!(
        "Outcrop {version}, the simulator of Amazon Bedrock alone\n\n  Endpoint  {endpoint}\n  Region    {region}\n\n\
         Point an AWS SDK at it:\n\n\
         export AWS_ENDPOINT_URL_BEDROCK_RUNTIME={endpoint}\n\
         export AWS_ENDPOINT_URL_BEDROCK={endpoint}\n\
         export AWS_REGION={region}\n\
         export AWS_ACCESS_KEY_ID={key}\n\
         export AWS_SECRET_ACCESS_KEY={secret}\n\n\
         Or with a Bedrock API key, where the SDK sends one without TLS:\n\n\
         export AWS_BEARER_TOKEN_BEDROCK={api_key}\n",
        version = env!("CARGO_PKG_VERSION"),
        key = credential.access_key_id,
        secret = credential.secret_access_key,
    )
}

/// The URL by which this machine reaches an address that it listens on: `0.0.0.0` is no address to connect to.
pub(crate) fn origin(listening: SocketAddr) -> String {
    let mut reachable = listening;
    if listening.ip().is_unspecified() {
        reachable.set_ip(if listening.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    format!("http://{reachable}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::DEFAULT_MODEL;

    const URL: &str = "http://127.0.0.1:8080/v1";

    #[test]
    fn the_simulated_banner_can_be_pasted() {
        let expected = format!(
            "Outcrop {}

  Base URL  http://127.0.0.1:8080/v1
  API key   sk-outcrop-local (none is configured: any will do, from this machine only)
  Models    simulated: nothing goes to AWS

Try it:

curl -N http://127.0.0.1:8080/v1/chat/completions -H 'Authorization: Bearer sk-outcrop-local' \
             -H 'Content-Type: application/json' -d '{{\"model\":\"us.anthropic.claude-sonnet-4-5-20250929-v1:0\",\
             \"stream\":true,\"messages\":[{{\"role\":\"user\",\"content\":\"Hello!\"}}]}}'
",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(
            banner(URL, Access::Local, &Models::Simulated, None, DEFAULT_MODEL),
            expected
        );
    }

    #[test]
    fn with_keys_configured_the_shell_fills_one_in() {
        let banner = banner(
            URL,
            Access::Keys(2),
            &Models::Aws(Some("eu-central-1".to_owned())),
            Some("sk-real"),
            "team-chat",
        );
        assert!(banner.contains("\"model\":\"team-chat\""));
        assert!(banner.contains("any of the 2 you configured"));
        assert!(banner.contains("-H \"Authorization: Bearer $OPENAI_API_KEY\""));
        assert!(banner.contains("Amazon Bedrock in eu-central-1"));
        assert!(!banner.contains(LOCAL_KEY) && !banner.contains("sk-real"));
    }

    #[test]
    fn a_key_to_simulated_models_is_shown() {
        let banner = banner(URL, Access::Keys(1), &Models::Simulated, Some("sk-toy"), DEFAULT_MODEL);
        assert!(banner.contains("-H 'Authorization: Bearer sk-toy'"));
    }

    #[test]
    fn an_open_gateway_says_so() {
        assert!(banner(URL, Access::Anyone, &Models::Aws(None), None, DEFAULT_MODEL).contains("ANYONE"));
    }

    #[test]
    fn the_url_is_one_that_can_be_connected_to() {
        for (listening, expected) in [
            ("0.0.0.0:8080", "http://127.0.0.1:8080"),
            ("[::]:8080", "http://[::1]:8080"),
            ("192.168.1.2:80", "http://192.168.1.2:80"),
        ] {
            assert_eq!(origin(listening.parse().unwrap()), expected);
        }
    }
}

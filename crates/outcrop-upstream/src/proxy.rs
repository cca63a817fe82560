//! A proxy on the way out, as `HTTPS_PROXY` and `NO_PROXY` name it.

use std::sync::Arc;
use std::task::{Context, Poll};

use aws_smithy_http_client::proxy::ProxyConfig;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::config::ConfigError;

/// A proxy for calls over TLS. It passes bytes on and sees nothing of them. Plain HTTP, as it is spoken to simulators
/// and to an instance's metadata, goes around it.
#[derive(Clone)]
pub(crate) struct Proxy {
    matcher: Arc<Matcher>,
    sdk: ProxyConfig,
}

impl std::fmt::Debug for Proxy {
    /// Without the configuration, whose address has the password in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Proxy").field(&self.matcher).finish()
    }
}

impl Proxy {
    /// What the environment says.
    ///
    /// # Errors
    /// When it names what is no address of a proxy.
    pub(crate) fn from_environment() -> Result<Option<Self>, ConfigError> {
        let first = |names: [&'static str; 2]| {
            names
                .into_iter()
                .find_map(|name| Some((name, std::env::var(name).ok()?)))
                .filter(|(_, value)| !value.is_empty())
        };
        let Some((variable, url)) = first(["HTTPS_PROXY", "https_proxy"]) else {
            return Ok(None);
        };
        let around = first(["NO_PROXY", "no_proxy"]).map(|(_, value)| value);
        match Self::new(&url, &around.unwrap_or_default()) {
            Some(proxy) => Ok(Some(proxy)),
            None => Err(ConfigError::Proxy(variable)),
        }
    }

    fn new(url: &str, around: &str) -> Option<Self> {
        let url = match url.contains("://") {
            true => url.to_owned(),
            false => format!("http://{url}"),
        };
        // TLS inside of TLS, and SOCKS, are not spoken.
        if url.parse::<Uri>().ok()?.scheme_str() != Some("http") {
            return None;
        }
        let matcher = Matcher::builder().https(url.clone()).no(around.to_owned()).build();
        let sdk = ProxyConfig::https(url.as_str()).ok()?.no_proxy(around);
        Some(Self {
            matcher: Arc::new(matcher),
            sdk,
        })
    }

    /// The same for connections of AWS's SDK.
    pub(crate) fn sdk(&self) -> ProxyConfig {
        self.sdk.clone()
    }
}

/// Connects to a host, or to it through the proxy.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) http: HttpConnector,
    pub(crate) proxy: Option<Proxy>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Service<Uri> for Way {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<TokioIo<TcpStream>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.http.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let proxy = self.proxy.as_ref().and_then(|proxy| proxy.matcher.intercept(&uri));
        let Some(proxy) = proxy else {
            let connecting = self.http.call(uri);
            return Box::pin(async { Ok(connecting.await?) });
        };
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.http.clone());
        if let Some(auth) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        let connecting = tunnel.call(uri);
        Box::pin(async { Ok(connecting.await.map_err(|error| format!("by the proxy: {error}"))?) })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn calls_over_tls_go_through_the_proxy_and_others_around_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(socket.read_u8().await.unwrap());
            }
            socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            (String::from_utf8(head).unwrap(), socket)
        });
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        let mut way = Way {
            http,
            proxy: Proxy::new(&format!("user:hush@{address}"), "inside.example"),
        };
        assert!(!format!("{way:?}").contains("hush"));
        let through = "https://bedrock.example/".parse().unwrap();
        assert!(way.call(through).await.is_ok());
        let (head, _socket) = served.await.unwrap();
        assert!(head.starts_with("CONNECT bedrock.example:443 HTTP/1.1\r\n"), "{head}");
        assert!(
            head.to_ascii_lowercase().contains("proxy-authorization: basic "),
            "{head}"
        );

        let matcher = way.proxy.unwrap().matcher;
        for around in ["https://bedrock.inside.example/", "http://bedrock.example/"] {
            assert!(matcher.intercept(&around.parse().unwrap()).is_none(), "{around}");
        }
        assert!(Proxy::new("socks5://127.0.0.1:1", "").is_none());
    }
}

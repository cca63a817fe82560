//! Addresses and URLs.

use std::fmt;
use std::net::SocketAddr;

use http::Uri;
use serde_json::{Value, json};

use crate::settings::kind::{Invalid, Kind};

impl Kind for SocketAddr {
    const EXPECTED: &'static str = "an IP address and a port such as `127.0.0.1:8080` or `[::]:8080`";
    const PLACEHOLDER: &'static str = "ADDR:PORT";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        text.parse().map_err(|_| Invalid::kind())
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self.to_string()))
    }
}

/// An `http` or `https` URL that paths can be added to: no query, and no `/` at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl(String);

impl BaseUrl {
    /// The URL without a `/` at the end.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Kind for BaseUrl {
    const EXPECTED: &'static str = "an `http://` or `https://` URL";
    const PLACEHOLDER: &'static str = "URL";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let uri: Uri = text.parse().map_err(|_| Invalid::kind())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(Invalid::kind());
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(Invalid::because("a user name or password has no place in it"));
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(Invalid::because("paths are added to it, so it can't have a `?` or `#`"));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self.0))
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "uri" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_can_have_paths_added() {
        assert_eq!(
            BaseUrl::from_text("http://localhost:8080/v1/").unwrap().as_str(),
            "http://localhost:8080/v1"
        );
        assert_eq!(
            BaseUrl::from_text("https://[::1]:443").unwrap().as_str(),
            "https://[::1]:443"
        );
        for bad in [
            "",
            "localhost:8080",
            "ftp://a",
            "http://",
            "/v1",
            "http://u:p@a",
            "http://a/?x",
            "http://a/#x",
        ] {
            assert!(BaseUrl::from_text(bad).is_err(), "{bad}");
        }
    }
}

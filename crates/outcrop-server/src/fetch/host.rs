//! The list of hosts that may be fetched from.

use std::fmt;
use std::str::FromStr;

use url::Host;

/// Hosts: `cdn.example.com` for one, `*.example.com` for all below it, `*` for any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    One(Host<String>),
    /// Ends with this, which starts with a dot.
    Below(String),
}

impl HostPattern {
    /// Whether a host of a URL is one of them. Its name may end with a dot.
    pub(super) fn matches(&self, host: &Host<&str>) -> bool {
        match (&self.0, host) {
            (Pattern::Any, _) => true,
            (Pattern::One(Host::Domain(own)), Host::Domain(name)) => own == without_dot(name),
            (Pattern::One(Host::Ipv4(own)), Host::Ipv4(address)) => own == address,
            (Pattern::One(Host::Ipv6(own)), Host::Ipv6(address)) => own == address,
            (Pattern::Below(end), Host::Domain(name)) => without_dot(name).ends_with(end),
            _ => false,
        }
    }
}

impl FromStr for HostPattern {
    type Err = String;

    /// Reads a host as it stands in a URL, or `*.` before a domain, or `*`.
    ///
    /// # Errors
    /// What is wrong, without the text itself.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self(Pattern::Any));
        }
        let (name, is_below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        if name.contains('*') {
            return Err("a `*` can only stand alone or as `*.` at the start".to_owned());
        }
        let bad = "a host has no scheme, port or path";
        let host = Host::parse(name).map_err(|_| bad)?;
        Ok(Self(match host {
            Host::Domain(name) if without_dot(&name).is_empty() => return Err(bad.to_owned()),
            Host::Domain(name) if is_below => Pattern::Below(format!(".{}", without_dot(&name))),
            Host::Domain(name) => Pattern::One(Host::Domain(without_dot(&name).to_owned())),
            _ if is_below => return Err("`*.` stands before a domain, not before an address".to_owned()),
            address => Pattern::One(address),
        }))
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::Any => f.write_str("*"),
            Pattern::One(host) => write!(f, "{host}"),
            Pattern::Below(end) => write!(f, "*{end}"),
        }
    }
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn matches(pattern: &str, host: &str) -> bool {
        let pattern: HostPattern = pattern.parse().unwrap();
        let url = Url::parse(&format!("http://{host}/")).unwrap();
        pattern.matches(&url.host().unwrap())
    }

    #[test]
    fn a_pattern_is_one_host_or_all_below_a_domain() {
        for (pattern, host) in [
            ("example.com", "example.com"),
            ("Example.COM.", "EXAMPLE.com"),
            ("example.com", "example.com."),
            ("*.example.com", "a.example.com"),
            ("*.example.com", "a.b.Example.com."),
            ("bücher.example", "xn--bcher-kva.example"),
            ("*", "anything.example"),
            ("*", "[2600::1]"),
            ("10.0.0.1", "0xa000001"),
            ("[2600::1]", "[2600:0::1]"),
        ] {
            assert!(matches(pattern, host), "{pattern} {host}");
        }
        for (pattern, host) in [
            ("example.com", "a.example.com"),
            ("example.com", "example.com.evil.example"),
            ("*.example.com", "example.com"),
            ("*.example.com", "evilexample.com"),
            ("*.example.com", "a.example.com.evil.example"),
            ("10.0.0.1", "10.0.0.2"),
        ] {
            assert!(!matches(pattern, host), "{pattern} {host}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "",
            "*.",
            ".",
            "a*.example.com",
            "*.*.com",
            "http://example.com",
            "example.com:443",
            "example.com/x",
            "*.10.0.0.1",
            "::1",
        ] {
            assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pattern_is_shown_as_it_could_be_written() {
        for text in ["*", "example.com", "*.example.com", "10.0.0.1", "[2600::1]"] {
            assert_eq!(text.parse::<HostPattern>().unwrap().to_string(), text);
        }
    }
}

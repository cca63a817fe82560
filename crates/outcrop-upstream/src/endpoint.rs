//! Where Bedrock is.

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::config::ConfigError;

/// The services of Bedrock that are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// `bedrock-runtime`: asks models.
    Runtime,
    /// `bedrock`: lists models.
    Control,
    /// `bedrock-agent-runtime`: ranks documents.
    AgentRuntime,
}

impl Service {
    fn host_name(self) -> &'static str {
        match self {
            Self::Runtime => "bedrock-runtime",
            Self::Control => "bedrock",
            Self::AgentRuntime => "bedrock-agent-runtime",
        }
    }

    /// The service's id in AWS's configuration files; in capital letters, in its environment variables.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Runtime => "bedrock_runtime",
            Self::Control => "bedrock",
            Self::AgentRuntime => "bedrock_agent_runtime",
        }
    }
}

/// DNS suffixes by prefix of the region: the usual one, and that of dual-stack endpoints.
///
/// Source: partitions of AWS's endpoint rules (botocore 1.44.5, `partitions.json`, 2026-11).
const SUFFIXES: [(&str, &str, &str); 7] = [
    ("cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    ("us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
    ("us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    ("eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
    ("", "amazonaws.com", "api.aws"),
];

/// The address of a service: an origin and, with proxies, a path in front of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    scheme: Scheme,
    authority: Authority,
    base_path: String,
}

impl Endpoint {
    /// AWS's own address of a service of Bedrock's.
    pub(crate) fn of_region(
        service: Service,
        region: &str,
        use_fips: bool,
        use_dual_stack: bool,
    ) -> Result<Self, ConfigError> {
        Self::of_host(service.host_name(), region, use_fips, use_dual_stack)
    }

    /// AWS's own address of the service that has this name in hosts.
    pub(crate) fn of_host(
        host_name: &str,
        region: &str,
        use_fips: bool,
        use_dual_stack: bool,
    ) -> Result<Self, ConfigError> {
        let is_host_label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if region.is_empty() || !region.bytes().all(is_host_label) {
            return Err(ConfigError::Region(region.to_owned()));
        }
        let (_, usual, dual_stack) = SUFFIXES
            .into_iter()
            .find(|(prefix, ..)| region.starts_with(prefix))
            .unwrap_or(("", "amazonaws.com", "api.aws"));
        let suffix = if use_dual_stack { dual_stack } else { usual };
        let fips = if use_fips { "-fips" } else { "" };
        Self::parse(&format!("https://{host_name}{fips}.{region}.{suffix}"))
    }

    /// An address as configured.
    pub(crate) fn parse(url: &str) -> Result<Self, ConfigError> {
        let invalid = || ConfigError::Endpoint(url.to_owned());
        let parts = url.parse::<Uri>().map_err(|_| invalid())?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(invalid());
        };
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(invalid());
        }
        let base_path = parts
            .path_and_query
            .map_or_else(String::new, |path| path.path().to_owned());
        Ok(Self {
            scheme,
            authority,
            base_path: base_path.trim_end_matches('/').to_owned(),
        })
    }

    /// The address of `path` on this endpoint.
    pub(crate) fn uri(&self, path_and_query: &str) -> Result<Uri, http::Error> {
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(format!("{}{path_and_query}", self.base_path))
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(endpoint: &Endpoint, path: &str) -> String {
        endpoint.uri(path).unwrap().to_string()
    }

    #[test]
    fn a_region_has_its_partitions_address() {
        for (region, fips, dual_stack, expected) in [
            (
                "us-east-1",
                false,
                false,
                "https://bedrock-runtime.us-east-1.amazonaws.com/x",
            ),
            (
                "us-east-1",
                true,
                false,
                "https://bedrock-runtime-fips.us-east-1.amazonaws.com/x",
            ),
            ("eu-west-1", false, true, "https://bedrock-runtime.eu-west-1.api.aws/x"),
            (
                "us-gov-west-1",
                true,
                true,
                "https://bedrock-runtime-fips.us-gov-west-1.api.aws/x",
            ),
            (
                "cn-north-1",
                false,
                false,
                "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/x",
            ),
        ] {
            let endpoint = Endpoint::of_region(Service::Runtime, region, fips, dual_stack).unwrap();
            assert_eq!(uri(&endpoint, "/x"), expected);
        }
        assert!(Endpoint::of_region(Service::Runtime, "a.evil/", false, false).is_err());
    }

    #[test]
    fn a_configured_address_keeps_its_path() {
        let endpoint = Endpoint::parse("http://127.0.0.1:8000/bedrock/").unwrap();
        assert_eq!(
            uri(&endpoint, "/model/a%3A0/converse"),
            "http://127.0.0.1:8000/bedrock/model/a%3A0/converse"
        );
        for url in ["", "example.com", "ftp://example.com", "/path"] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}

//! What a client of Bedrock is told.

use std::path::PathBuf;
use std::time::Duration;

use crate::account::Account;

/// Settings of the way to Bedrock. What is `None` is found the way AWS's SDKs find it.
#[derive(Clone)]
pub struct Config {
    /// Region to call.
    pub region: Option<String>,
    /// Profile of the shared configuration files.
    pub profile: Option<String>,
    /// Address of Bedrock Runtime.
    pub runtime_endpoint: Option<String>,
    /// Address of Bedrock's control plane, which lists models.
    pub control_endpoint: Option<String>,
    /// Address of Bedrock's agent runtime, which ranks documents.
    pub agent_runtime_endpoint: Option<String>,
    /// Whether to use endpoints with FIPS 140 cryptography.
    pub use_fips: Option<bool>,
    /// Whether to use endpoints that also answer on IPv6.
    pub use_dual_stack: Option<bool>,
    /// A Bedrock API key; it is used instead of credentials.
    pub api_key: Option<String>,
    /// Credentials to use instead of AWS's default chain.
    pub credentials: Option<StaticCredentials>,
    /// Other identities, which calls name.
    pub accounts: Vec<Account>,
    /// Time for a connection to stand, TLS included.
    pub connect_timeout: Duration,
    /// Time for Bedrock to begin its answer.
    pub first_byte_timeout: Duration,
    /// Time between two pieces of an answer.
    pub chunk_timeout: Duration,
    /// Time for a call with all its tries.
    pub total_timeout: Duration,
}

impl std::fmt::Debug for Config {
    /// Without the API key, and without times.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("region", &self.region)
            .field("profile", &self.profile)
            .field("runtime_endpoint", &self.runtime_endpoint)
            .field("has_api_key", &self.api_key.is_some())
            .field("credentials", &self.credentials)
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            region: None,
            profile: None,
            runtime_endpoint: None,
            control_endpoint: None,
            agent_runtime_endpoint: None,
            use_fips: None,
            use_dual_stack: None,
            api_key: None,
            credentials: None,
            accounts: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            first_byte_timeout: Duration::from_secs(300),
            chunk_timeout: Duration::from_secs(120),
            total_timeout: Duration::from_secs(900),
        }
    }
}

/// Credentials that don't change.
#[derive(Clone)]
pub struct StaticCredentials {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
}

impl std::fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticCredentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Why there is no way to Bedrock.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Nothing names a region.
    #[error(
        "no AWS region is configured: set `region` (OUTCROP_REGION, --region), AWS_REGION, or a region in the AWS profile"
    )]
    NoRegion,
    /// A region is no name that could stand in a host.
    #[error("'{0}' is no AWS region")]
    Region(String),
    /// The Bedrock API key can't stand in a header.
    #[error("the Bedrock API key has characters that no HTTP header takes")]
    ApiKey,
    /// An endpoint is not an address.
    #[error("the endpoint '{0}' is no http or https address")]
    Endpoint(String),
    /// What an account says doesn't fit together, or can't be.
    #[error("account '{account}': {problem}")]
    Account {
        /// The account's name.
        account: String,
        /// What is wrong.
        problem: String,
    },
    /// Two accounts have one name.
    #[error("two accounts have the name '{0}'")]
    SameAccount(String),
    /// An account's source account is not there.
    #[error("account '{account}': there is no source account '{source_account}'")]
    NoSourceAccount {
        /// The account's name.
        account: String,
        /// The name that nothing has.
        source_account: String,
    },
    /// An account is, by its source accounts, its own source.
    #[error("account '{0}': its source accounts lead back to itself")]
    CircularAccount(String),
    /// The file that `AWS_CA_BUNDLE` names can't be used.
    #[error("AWS_CA_BUNDLE: '{}': {problem}", path.display())]
    CaBundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The variable that names a proxy names none that can be used. What it names may have a password in it.
    #[error("{0} is no address of a proxy that speaks plain HTTP, such as http://proxy.example:3128")]
    Proxy(&'static str),
    /// There is no TLS.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
}

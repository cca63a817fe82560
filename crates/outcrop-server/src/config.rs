//! What the server is told.

use std::sync::Arc;
use std::time::Duration;

use outcrop_routing::Routing;
use outcrop_translate::Catalogue;
use outcrop_translate::resolve::NameRules;

use crate::fetch::{FetchConfig, Network};
use crate::identity::IdentityConfig;
use crate::limits::Limits;
use crate::meter::Meter;
use crate::metrics::emf::EmfConfig;
use crate::policy::Policies;
use crate::response_cache::CacheConfig;

/// Settings of the server.
#[derive(Clone)]
pub struct Config {
    /// Keys that callers may show; with none, every caller is let in.
    pub api_keys: Vec<String>,
    /// Whether a key is asked for also while there is none: where everyone may reach the gateway before the first is made.
    pub is_closed: bool,
    /// Keys for administration, each of which may do all.
    pub admin_keys: Vec<String>,
    /// Proxies that are believed where a request comes from.
    pub trusted_proxies: Vec<Network>,
    /// Whether only programs of this machine are meant to call, not pages in its browsers.
    pub local_only: bool,
    /// The largest body of a request, in bytes, after decompression.
    pub body_limit: usize,
    /// How long a connection may rest between two requests.
    pub idle_timeout: Duration,
    /// Time for the head of a request, from its first byte.
    pub header_timeout: Duration,
    /// Time for the body of a request.
    pub body_timeout: Duration,
    /// How long a client may take nothing of what is sent to it.
    pub send_timeout: Duration,
    /// Time for an answer as a whole, whether the client reads it or not.
    pub answer_timeout: Duration,
    /// Time for Bedrock to begin an answer.
    pub first_byte_timeout: Duration,
    /// How long a stream is silent before a comment shows that it lives; zero for never.
    pub keep_alive_interval: Duration,
    /// How long requests are still taken once the server is told to stop, while `/readyz` says that it does.
    pub shutdown_delay: Duration,
    /// Time for streams to end by themselves once the server stops.
    pub shutdown_timeout: Duration,
    /// Connections at the same time.
    pub max_connections: usize,
    /// The largest `n` of a request.
    pub max_choices: usize,
    /// The most bytes of files that answers only name.
    pub kept_files_limit: usize,
    /// Where clients reach the gateway; `None` for the host that each names.
    pub public_url: Option<String>,
    /// Fetching what URLs in requests point to.
    pub fetch: FetchConfig,
    /// What translation is told to do, by model and caller.
    pub policies: Policies,
    /// Regions beside the gateway's own whose models are listed, and called by ids that its own doesn't have.
    pub regions: Vec<String>,
    /// How long the list of models is handed out before Bedrock is asked again, behind it.
    pub model_list_max_age: Duration,
    /// Whether profiles that spread calls over regions are listed.
    pub list_inference_profiles: bool,
    /// Whether the account's own inference profiles are listed.
    pub list_application_profiles: bool,
    /// What is known of models.
    pub catalogue: Arc<Catalogue>,
    /// What the operator says of names.
    pub names: NameRules,
    /// Which targets names have, and how often they are asked.
    pub routing: Routing,
    /// Members of requests, `aws_…`, that may say who Bedrock is asked as.
    pub request_aws_parameters: Vec<String>,
    /// Whether quotas are read from AWS.
    pub service_quotas: bool,
    /// How somebody without a key may prove who they are.
    pub identity: IdentityConfig,
    /// Keeping answers for when the same is asked again.
    pub cache: CacheConfig,
    /// Where records of usage go.
    pub meter: Meter,
    /// The limits of tenants.
    pub limits: Arc<Limits>,
    /// Lines of metrics for CloudWatch on stdout; `None` for none. It is read at the start alone.
    pub emf: Option<EmfConfig>,
    /// Whether the gateway's own address has the metrics. It is read at the start alone.
    pub has_metrics: bool,
    /// A path under which the API is served too, such as `/api/v2`.
    pub route_prefix: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_keys: Vec::new(),
            is_closed: false,
            admin_keys: Vec::new(),
            trusted_proxies: Vec::new(),
            local_only: false,
            body_limit: 32 * 1024 * 1024,
            idle_timeout: Duration::from_secs(75),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(60),
            send_timeout: Duration::from_secs(120),
            answer_timeout: Duration::from_secs(900),
            first_byte_timeout: Duration::from_secs(300),
            keep_alive_interval: Duration::from_secs(15),
            shutdown_delay: Duration::ZERO,
            shutdown_timeout: Duration::from_secs(30),
            max_connections: 10_000,
            max_choices: 8,
            kept_files_limit: 128 * 1024 * 1024,
            public_url: None,
            fetch: FetchConfig::default(),
            policies: Policies::default(),
            regions: Vec::new(),
            model_list_max_age: Duration::from_secs(300),
            list_inference_profiles: true,
            list_application_profiles: true,
            catalogue: Arc::clone(Catalogue::built_in()),
            names: NameRules::default(),
            routing: Routing::default(),
            request_aws_parameters: Vec::new(),
            service_quotas: false,
            identity: IdentityConfig::default(),
            cache: CacheConfig::default(),
            meter: Meter::Off,
            limits: Arc::default(),
            emf: None,
            has_metrics: true,
            route_prefix: None,
        }
    }
}

impl std::fmt::Debug for Config {
    /// Without the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("api_keys", &self.api_keys.len())
            .field("body_limit", &self.body_limit)
            .finish_non_exhaustive()
    }
}

//! What AWS's own configuration says: variables, files, the instance.

use std::sync::Arc;

use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;
use tokio::sync::OnceCell;

use crate::config::{Config, ConfigError};
use crate::proxy::Proxy;
use crate::trust::Trust;

/// AWS's configuration, read when something asks for it.
pub(crate) struct Sdk {
    region: Option<String>,
    profile: Option<String>,
    use_fips: Option<bool>,
    use_dual_stack: Option<bool>,
    http_client: SharedHttpClient,
    loaded: OnceCell<SdkConfig>,
}

impl std::fmt::Debug for Sdk {
    /// Without what was loaded: what AWS's own types print of themselves is not for us to say.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sdk")
            .field("region", &self.region)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

impl Sdk {
    /// Nothing is read yet.
    ///
    /// # Errors
    /// When there is no TLS.
    pub(crate) fn new(config: &Config, trust: &Trust, proxy: Option<&Proxy>) -> Result<Arc<Self>, ConfigError> {
        let http_client = http_client(trust.tls_context()?, proxy.map(Proxy::sdk));
        Ok(Arc::new(Self {
            region: config.region.clone(),
            profile: config.profile.clone(),
            use_fips: config.use_fips,
            use_dual_stack: config.use_dual_stack,
            http_client,
            loaded: OnceCell::new(),
        }))
    }

    /// The region that the client's configuration names.
    pub(crate) fn named_region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// All that AWS's configuration says. Where no region is named, the instance is asked for its own.
    pub(crate) async fn config(&self) -> &SdkConfig {
        self.loaded.get_or_init(|| self.load()).await
    }

    async fn load(&self) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(self.http_client.clone());
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(use_fips) = self.use_fips {
            loader = loader.use_fips(use_fips);
        }
        if let Some(use_dual_stack) = self.use_dual_stack {
            loader = loader.use_dual_stack(use_dual_stack);
        }
        loader.load().await
    }

    /// The credentials of a profile: its keys, its roles, its identity centre or its process. Unlike AWS's default
    /// chain, it doesn't prefer the variables of the environment to it.
    pub(crate) fn profile_provider(&self, profile: &str, region: &str) -> SharedCredentialsProvider {
        let config = ProviderConfig::without_region()
            .with_region(Some(Region::new(region.to_owned())))
            .with_use_fips(self.use_fips)
            .with_use_dual_stack(self.use_dual_stack)
            .with_http_client(self.http_client.clone());
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&config)
            .profile_name(profile)
            .build();
        SharedCredentialsProvider::new(provider)
    }
}

fn http_client(tls_context: TlsContext, proxy: Option<ProxyConfig>) -> SharedHttpClient {
    let tls = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let builder = aws_smithy_http_client::Builder::new();
    let Some(proxy) = proxy else {
        return builder.tls_provider(tls).tls_context(tls_context).build_https();
    };
    builder.build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector
            .tls_provider(tls.clone())
            .tls_context(tls_context.clone())
            .build()
    })
}

#[cfg(test)]
impl Sdk {
    /// Has nothing for AWS's configuration but an address for all services.
    pub(crate) fn preset(&self, endpoint: Option<&str>) {
        let mut config = SdkConfig::builder().http_client(self.http_client.clone());
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint);
        }
        self.loaded.set(config.build()).unwrap();
    }
}

/// The region that a profile of the shared configuration files names.
pub(crate) async fn region_of_profile(profile: Option<&str>) -> Option<String> {
    let mut provider = ProfileFileRegionProvider::builder();
    if let Some(name) = profile {
        provider = provider.profile_name(name);
    }
    let region = provider.build().region().await?;
    Some(region.as_ref().to_owned()).filter(|region| !region.is_empty())
}

/// The region that the configuration, AWS's variables or the profile name, with no look at the network: where all of
/// them are silent, [`Client::new`](crate::Client::new) would ask the instance's metadata. A client whose
/// configuration names a region connects to nothing until it is asked for a call.
pub async fn configured_region(config: &Config) -> Option<String> {
    if config.region.is_some() {
        return config.region.clone();
    }
    let of_variables = EnvironmentVariableRegionProvider::new().region().await;
    let of_variables = of_variables.map(|region| region.as_ref().to_owned());
    match of_variables.filter(|region| !region.is_empty()) {
        Some(region) => Some(region),
        None => region_of_profile(config.profile.as_deref()).await,
    }
}

/// `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` and its like, the profile's `services` section, then `AWS_ENDPOINT_URL`.
pub(crate) fn configured_endpoint(sdk: &SdkConfig, service_id: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service_id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let of_service = sdk.service_config().and_then(|config| config.load_config(key));
    of_service.or_else(|| sdk.endpoint_url().map(ToOwned::to_owned))
}

//! The services of AWS besides Bedrock, asked with the client's own identity or an account's.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};

use crate::config::{Config, ConfigError, StaticCredentials};
use crate::credentials::{CredentialCache, Loaded, Loading, Renewed, Source};
use crate::error::with_causes;
use crate::pool::Pool;
use crate::proxy::Proxy;
use crate::sdk::Sdk;
use crate::sign::SigningCredentials;
use crate::trust::Trust;

/// All that is needed to ask AWS for something.
#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) sdk: Arc<Sdk>,
    pub(crate) pool: Pool,
    /// The client's own identity. It reads what references point to, also where Bedrock is asked with an API key.
    pub(crate) own: CredentialCache,
    /// Time for a service to answer.
    pub(crate) timeout: Duration,
}

impl Aws {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// When `AWS_CA_BUNDLE` or `HTTPS_PROXY` can't be used.
    pub(crate) fn new(config: &Config) -> Result<Arc<Self>, ConfigError> {
        let trust = Trust::from_environment()?;
        let proxy = Proxy::from_environment()?;
        let sdk = Sdk::new(config, &trust, proxy.as_ref())?;
        let own = Renewed::new(
            "",
            Own {
                sdk: Arc::clone(&sdk),
                fixed: config.credentials.clone(),
            },
        );
        Ok(Arc::new(Self {
            sdk,
            pool: Pool::new(config.connect_timeout, &trust, proxy)?,
            own,
            timeout: config.first_byte_timeout.min(Duration::from_secs(60)),
        }))
    }

    /// The client's own region, where it has one.
    pub(crate) async fn region(&self) -> Option<String> {
        let region = match self.sdk.named_region() {
            Some(region) => Some(region.to_owned()),
            None => self
                .sdk
                .config()
                .await
                .region()
                .map(|region| region.as_ref().to_owned()),
        };
        // Compose files pass variables on that nobody has set.
        region.filter(|region| !region.is_empty())
    }
}

/// The client's own identity: as configured, else by AWS's default chain.
#[derive(Debug)]
struct Own {
    sdk: Arc<Sdk>,
    fixed: Option<StaticCredentials>,
}

impl Source<SigningCredentials> for Own {
    fn load(&self) -> Loading<'_, SigningCredentials> {
        Box::pin(async {
            if let Some(fixed) = &self.fixed {
                return Ok(Loaded {
                    value: SigningCredentials {
                        access_key_id: fixed.access_key_id.clone(),
                        secret_access_key: fixed.secret_access_key.clone(),
                        session_token: None,
                    },
                    expiry: None,
                    may_change: false,
                });
            }
            match self.sdk.config().await.credentials_provider() {
                Some(provider) => load(&provider).await,
                None => Err("no provider is configured".to_owned()),
            }
        })
    }
}

/// A profile of the shared configuration files.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) sdk: Arc<Sdk>,
    pub(crate) name: String,
    pub(crate) region: String,
}

impl Source<SigningCredentials> for Profile {
    fn load(&self) -> Loading<'_, SigningCredentials> {
        Box::pin(async {
            // A provider reads the files once, so each time needs its own.
            let provider = self.sdk.profile_provider(&self.name, &self.region);
            let mut loaded = load(&provider).await?;
            loaded.may_change = true;
            Ok(loaded)
        })
    }
}

async fn load(provider: &SharedCredentialsProvider) -> Result<Loaded<SigningCredentials>, String> {
    let credentials = provider
        .provide_credentials()
        .await
        .map_err(|error| with_causes(&error))?;
    Ok(Loaded {
        value: SigningCredentials {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: credentials.secret_access_key().to_owned(),
            session_token: credentials.session_token().map(ToOwned::to_owned),
        },
        expiry: credentials.expiry(),
        may_change: false,
    })
}

//! AWS STS: roles, and who somebody is.

use std::time::SystemTime;

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::{IdentityCache, Region};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::types::Tag;

use crate::credentials::Loaded;
use crate::error::with_causes;
use crate::sdk::{Sdk, configured_endpoint};
use crate::sign::SigningCredentials;

/// Where an identity asks STS.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) region: String,
    /// Its address; `None` for AWS's own in the region, or what AWS's configuration says.
    pub(crate) endpoint: Option<String>,
    pub(crate) use_fips: Option<bool>,
    pub(crate) use_dual_stack: Option<bool>,
}

/// A role, as it is assumed.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) session_name: String,
    pub(crate) external_id: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
}

/// Why STS gave nothing.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The exception, if STS answered.
    pub(crate) name: Option<String>,
    /// Words for the operator.
    pub(crate) message: String,
}

/// Who somebody is, as STS says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The number of the AWS account.
    pub account: String,
    /// ARN of the user, or of the role's session.
    pub arn: String,
    /// Unique id of the user or role.
    pub user_id: String,
}

impl Desk {
    async fn client(&self, sdk: &Sdk, credentials: Option<&SigningCredentials>) -> Client {
        let sdk = sdk.config().await;
        let mut config = aws_sdk_sts::config::Builder::from(sdk)
            .region(Region::new(self.region.clone()))
            // Each client has one set of credentials, and lives for one call; what it caches nobody asks for again.
            .identity_cache(IdentityCache::no_cache())
            .behavior_version(BehaviorVersion::latest());
        let endpoint = self.endpoint.clone().or_else(|| configured_endpoint(sdk, "sts"));
        if let Some(endpoint) = endpoint {
            // An address is what it is; the SDK refuses to have both.
            config = config.endpoint_url(endpoint).use_fips(false).use_dual_stack(false);
        } else {
            let use_fips = self.use_fips.or_else(|| sdk.use_fips());
            let use_dual_stack = self.use_dual_stack.or_else(|| sdk.use_dual_stack());
            config.set_use_fips(use_fips).set_use_dual_stack(use_dual_stack);
        }
        if let Some(credentials) = credentials {
            config = config.credentials_provider(Credentials::new(
                &credentials.access_key_id,
                &credentials.secret_access_key,
                credentials.session_token.clone(),
                None,
                "outcrop",
            ));
        }
        Client::from_conf(config.build())
    }

    /// `AssumeRole`
    pub(crate) async fn assume(
        &self,
        sdk: &Sdk,
        credentials: &SigningCredentials,
        role: Role,
    ) -> Result<Loaded<SigningCredentials>, Refusal> {
        let mut tags = Vec::with_capacity(role.tags.len());
        for (key, value) in role.tags {
            let tag = Tag::builder().key(key).value(value).build();
            tags.push(tag.map_err(|error| Refusal::of_error("AssumeRole", &error))?);
        }
        let call = self.client(sdk, Some(credentials)).await.assume_role();
        let answer = call
            .role_arn(role.arn)
            .role_session_name(role.session_name)
            .set_external_id(role.external_id)
            .set_tags(Some(tags).filter(|tags| !tags.is_empty()))
            .send()
            .await
            .map_err(|error| Refusal::new("AssumeRole", &error))?;
        of_role(answer.credentials)
    }

    /// `AssumeRoleWithWebIdentity`, which nothing signs.
    pub(crate) async fn assume_with_token(
        &self,
        sdk: &Sdk,
        token: String,
        role: Role,
    ) -> Result<Loaded<SigningCredentials>, Refusal> {
        let call = self.client(sdk, None).await.assume_role_with_web_identity();
        let answer = call
            .role_arn(role.arn)
            .role_session_name(role.session_name)
            .web_identity_token(token)
            .send()
            .await
            .map_err(|error| Refusal::new("AssumeRoleWithWebIdentity", &error))?;
        of_role(answer.credentials)
    }

    /// `GetCallerIdentity`
    pub(crate) async fn caller_identity(
        &self,
        sdk: &Sdk,
        credentials: &SigningCredentials,
    ) -> Result<CallerIdentity, Refusal> {
        let call = self.client(sdk, Some(credentials)).await.get_caller_identity();
        let answer = call
            .send()
            .await
            .map_err(|error| Refusal::new("GetCallerIdentity", &error))?;
        Ok(CallerIdentity {
            account: answer.account.unwrap_or_default(),
            arn: answer.arn.unwrap_or_default(),
            user_id: answer.user_id.unwrap_or_default(),
        })
    }
}

fn of_role(credentials: Option<aws_sdk_sts::types::Credentials>) -> Result<Loaded<SigningCredentials>, Refusal> {
    let credentials = credentials.ok_or_else(|| Refusal {
        name: None,
        message: "STS answered without credentials".to_owned(),
    })?;
    Ok(Loaded {
        expiry: SystemTime::try_from(credentials.expiration).ok(),
        value: SigningCredentials {
            access_key_id: credentials.access_key_id,
            secret_access_key: credentials.secret_access_key,
            session_token: Some(credentials.session_token),
        },
        may_change: false,
    })
}

impl Refusal {
    fn new<E>(operation: &str, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let service = error.as_service_error();
        let Some((service, code)) = service.and_then(|service| Some((service, service.code()?))) else {
            return Self::of_error(operation, error);
        };
        let said = service.message().unwrap_or_default();
        Self {
            name: Some(code.to_owned()),
            message: format!("STS refused {operation}: {code}: {said}"),
        }
    }

    fn of_error(operation: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        Self {
            name: None,
            message: format!("{operation} failed: {}", with_causes(error)),
        }
    }
}

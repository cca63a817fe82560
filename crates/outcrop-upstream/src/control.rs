//! Bedrock's control plane: what is behind the account's own ARNs. The lists are beside, in `lists.rs`.

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::lists::ProfileModel;

/// What is behind an ARN of the account's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BehindArn {
    /// The ARN of the model.
    pub model_arn: Option<String>,
    /// The architecture of an imported model.
    pub architecture: Option<String>,
    /// The name of an imported model.
    pub name: Option<String>,
    /// The ARNs of the models that an inference profile, or a prompt router, calls.
    pub model_arns: Vec<String>,
}

/// What the operations that describe such resources answer, as far as it tells of the model.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Resource {
    models: Vec<ProfileModel>,
    foundation_model_arn: Option<String>,
    base_model_arn: Option<String>,
    model_arn: Option<String>,
    model_architecture: Option<String>,
    model_name: Option<String>,
}

/// Kinds of ARNs with the paths of the operations that describe them (service model of Bedrock, botocore 1.44.5,
/// 2026-11).
const DESCRIBED: &[(&str, &str)] = &[
    ("application-inference-profile", "/inference-profiles/"),
    ("provisioned-model", "/provisioned-model-throughput/"),
    (
        "custom-model-deployment",
        "/model-customization/custom-model-deployments/",
    ),
    ("custom-model", "/custom-models/"),
    ("imported-model", "/imported-models/"),
    ("default-prompt-router", "/prompt-routers/"),
    ("prompt-router", "/prompt-routers/"),
];

impl Client {
    /// What is behind an ARN: of an inference profile or prompt router, its first model.
    ///
    /// # Errors
    /// When Bedrock can't be asked or refuses.
    pub async fn describe_arn(&self, arn: &str) -> Result<BehindArn, Error> {
        if !arn.starts_with("arn:") {
            // The id of an inference profile that the account has made.
            let path = format!("/inference-profiles/{}", outcrop_bedrock::model_id::path_segment(arn));
            let resource: Resource = parse(&self.control_document(None, &path).await?)?;
            let model_arns: Vec<String> = resource.models.into_iter().map(|model| model.model_arn).collect();
            return Ok(BehindArn {
                model_arn: model_arns.first().cloned().filter(|found| !found.is_empty()),
                model_arns,
                ..BehindArn::default()
            });
        }
        let mut parts = arn.split(':').skip(3);
        let (region, resource) = (parts.next(), parts.nth(1).unwrap_or_default());
        let kind = resource.split('/').next().unwrap_or_default();
        let Some((_, path)) = DESCRIBED.iter().find(|(known, _)| *known == kind) else {
            return Ok(BehindArn::default());
        };
        let path = format!("{path}{}", outcrop_bedrock::model_id::path_segment(arn));
        let resource: Resource = parse(&self.control_document(region, &path).await?)?;
        let model_arns: Vec<String> = resource.models.into_iter().map(|model| model.model_arn).collect();
        let is_itself = |found: &String| found == arn;
        Ok(BehindArn {
            model_arn: resource
                .foundation_model_arn
                .or(resource.base_model_arn)
                .or(model_arns.first().cloned())
                .or(resource.model_arn)
                .filter(|found| !found.is_empty() && !is_itself(found)),
            name: resource.model_name.filter(|_| resource.model_architecture.is_some()),
            architecture: resource.model_architecture,
            model_arns,
        })
    }
}

fn parse<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Protocol(error.to_string()))
}

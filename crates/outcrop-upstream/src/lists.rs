//! The lists of Bedrock's control plane (service model of Bedrock, botocore 1.44.5, 2026-11).

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::client::Client;
use crate::error::Error;

/// Pages of a list that are read at the most; AWS's largest page holds 1,000 entries.
const MAX_PAGES: usize = 50;

/// What one of the lists holds.
pub trait Listed: for<'a> Deserialize<'a> {
    /// The operation, which is also the name of the IAM action that it needs.
    const OPERATION: &'static str;
    /// The path of the list.
    const PATH: &'static str;
    /// The member of the answer that holds the list.
    const MEMBER: &'static str;
    /// Whether the list comes in pages.
    const HAS_PAGES: bool = true;
}

macro_rules! listed {
    ($($name:ident: $operation:literal, $path:literal, $member:literal, $has_pages:literal;)*) => {
        $(impl Listed for $name {
            const OPERATION: &'static str = $operation;
            const PATH: &'static str = $path;
            const MEMBER: &'static str = $member;
            const HAS_PAGES: bool = $has_pages;
        })*
    };
}

listed! {
    FoundationModel: "ListFoundationModels", "/foundation-models", "modelSummaries", false;
    InferenceProfile: "ListInferenceProfiles", "/inference-profiles", "inferenceProfileSummaries", true;
    ProvisionedModel:
        "ListProvisionedModelThroughputs", "/provisioned-model-throughputs", "provisionedModelSummaries", true;
    CustomModel: "ListCustomModels", "/custom-models", "modelSummaries", true;
    CustomModelDeployment:
        "ListCustomModelDeployments", "/model-customization/custom-model-deployments", "modelDeploymentSummaries", true;
    ImportedModel: "ListImportedModels", "/imported-models", "modelSummaries", true;
}

/// A foundation model.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct FoundationModel {
    /// Such as `amazon.nova-lite-v1:0`.
    pub model_id: String,
    /// Its name for people.
    pub model_name: Option<String>,
    /// Such as `Amazon`.
    pub provider_name: Option<String>,
    /// `TEXT`, `IMAGE`, `EMBEDDING`; video, audio and documents are not told.
    pub input_modalities: Vec<String>,
    /// The same of what comes out.
    pub output_modalities: Vec<String>,
    /// Whether it streams.
    pub response_streaming_supported: Option<bool>,
    /// `ON_DEMAND`, `PROVISIONED`, `INFERENCE_PROFILE`.
    pub inference_types_supported: Vec<String>,
    /// How far it is in its life.
    pub model_lifecycle: ModelLifecycle,
}

/// How far a foundation model is in its life. Times are in ISO 8601.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct ModelLifecycle {
    /// `ACTIVE` or `LEGACY`.
    pub status: Option<String>,
    /// When it came out.
    pub start_of_life_time: Option<String>,
    /// From when on it is for those who used it before.
    pub legacy_time: Option<String>,
    /// From when on its legacy use costs more.
    pub public_extended_access_time: Option<String>,
    /// When it ends.
    pub end_of_life_time: Option<String>,
}

/// An inference profile.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct InferenceProfile {
    /// Such as `us.amazon.nova-lite-v1:0`.
    pub inference_profile_id: String,
    /// Its ARN, by which those of the account's own are called.
    pub inference_profile_arn: String,
    /// Its name for people.
    pub inference_profile_name: Option<String>,
    /// `SYSTEM_DEFINED` or `APPLICATION`.
    pub r#type: String,
    /// The models behind it, one for each region that it sends calls to.
    pub models: Vec<ProfileModel>,
    /// When it was made, in ISO 8601.
    pub created_at: Option<String>,
}

/// A model behind an inference profile.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct ProfileModel {
    /// ARN of a foundation model.
    pub model_arn: String,
}

/// Provisioned throughput.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct ProvisionedModel {
    /// Its ARN.
    pub provisioned_model_arn: String,
    /// Its name.
    pub provisioned_model_name: Option<String>,
    /// The model that answers, which may be a custom one.
    pub model_arn: Option<String>,
    /// The foundation model behind that.
    pub foundation_model_arn: Option<String>,
    /// `Creating`, `InService`, `Updating`, `Failed`.
    pub status: String,
    /// When it was made, in ISO 8601.
    pub creation_time: Option<String>,
}

/// A custom model, which is called by a deployment or by provisioned throughput.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct CustomModel {
    /// Its ARN.
    pub model_arn: String,
    /// The model that it was made of.
    pub base_model_arn: Option<String>,
}

/// A custom model that can be called on demand.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct CustomModelDeployment {
    /// Its ARN.
    pub custom_model_deployment_arn: String,
    /// Its name.
    pub custom_model_deployment_name: Option<String>,
    /// The custom model.
    pub model_arn: Option<String>,
    /// `Creating`, `Active`, `Failed`.
    pub status: String,
    /// When it was made, in ISO 8601.
    pub created_at: Option<String>,
}

/// An imported model.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct ImportedModel {
    /// Its ARN.
    pub model_arn: String,
    /// Its name.
    pub model_name: Option<String>,
    /// When it was imported, in ISO 8601.
    pub creation_time: Option<String>,
    /// `llama`, `qwen2`, …
    pub model_architecture: Option<String>,
}

impl Client {
    /// All that a list holds, in the home region where none is named.
    ///
    /// # Errors
    /// When Bedrock can't be asked or refuses, or nothing that it lists can be read.
    pub async fn list<T: Listed>(&self, region: Option<&str>) -> Result<Vec<T>, Error> {
        let mut listed = Vec::new();
        let first = if T::HAS_PAGES { "?maxResults=1000" } else { "" };
        let mut path = format!("{}{first}", T::PATH);
        let mut last_token = None;
        for _ in 0..MAX_PAGES {
            let body = self.control_document(region, &path).await?;
            let mut page: Map<String, Value> =
                serde_json::from_slice(&body).map_err(|error| Error::Protocol(error.to_string()))?;
            let items = match page.remove(T::MEMBER) {
                Some(Value::Array(items)) => items,
                None | Some(Value::Null) => Vec::new(),
                Some(_) => return Err(Error::Protocol(format!("'{}' is no list", T::MEMBER))),
            };
            listed.extend(read_items(items)?);
            let Some(Value::String(token)) = page.remove("nextToken") else {
                break;
            };
            path = format!(
                "{}?maxResults=1000&nextToken={}",
                T::PATH,
                outcrop_bedrock::model_id::path_segment(&token)
            );
            // A server that gives the same page for ever must not be asked for ever.
            if last_token.replace(token.clone()) == Some(token) {
                break;
            }
        }
        Ok(listed)
    }
}

/// The items that can be read: one that AWS has given a new form must not hide the others.
fn read_items<T: Listed>(items: Vec<Value>) -> Result<Vec<T>, Error> {
    let mut fault = None;
    let is_empty = items.is_empty();
    let read = items.into_iter().filter_map(|item| match serde_json::from_value(item) {
        Ok(item) => Some(item),
        Err(error) => {
            tracing::warn!(operation = T::OPERATION, %error, "an entry of a list can't be read");
            fault = Some(error);
            None
        }
    });
    let read: Vec<T> = read.collect();
    match fault {
        Some(error) if read.is_empty() && !is_empty => Err(Error::Protocol(error.to_string())),
        _ => Ok(read),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_of_a_new_form_doesnt_hide_the_others() {
        let good = json!({"modelId": "a.b", "modelLifecycle": {"status": "ACTIVE", "newTime": 1}});
        let bad = json!({"modelId": 7});
        let read = read_items::<FoundationModel>(vec![good, bad.clone()]).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].model_lifecycle.status.as_deref(), Some("ACTIVE"));
        assert!(read_items::<FoundationModel>(vec![bad]).is_err());
        assert_eq!(read_items::<FoundationModel>(Vec::new()).unwrap(), []);
    }
}

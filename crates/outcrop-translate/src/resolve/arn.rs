//! ARNs of what can be called.

use outcrop_bedrock::model_id;

use super::geography::is_region;

/// An ARN, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    /// `us-east-1`
    pub(crate) region: &'a str,
    /// `inference-profile`
    pub(crate) kind: &'a str,
    /// What follows the kind.
    pub(crate) name: &'a str,
}

/// The kinds that Converse and InvokeModel take as a model (service model of Bedrock Runtime, pattern of `modelId`,
/// botocore 1.44.5, 2026-11).
const KINDS: &[&str] = &[
    "foundation-model",
    "custom-model",
    "custom-model-deployment",
    "imported-model",
    "provisioned-model",
    "inference-profile",
    "application-inference-profile",
    "default-prompt-router",
    "prompt-router",
    "prompt",
    "endpoint",
];

impl<'a> Arn<'a> {
    /// Takes `text` apart; `None` if it is no ARN that can be called.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition, service, region) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (_account, resource) = (parts.next()?, parts.next()?);
        let is_known = arn == "arn" && partition.starts_with("aws") && matches!(service, "bedrock" | "sagemaker");
        let (kind, name) = resource.split_once('/')?;
        let is_callable = KINDS.contains(&kind) && (kind == "endpoint") == (service == "sagemaker");
        // It becomes a segment of a path, and its region a part of a host's name.
        let is_sound = model_id::is_plausible(text)
            && is_region(region)
            && name
                .split('/')
                .all(|part| !part.is_empty() && part != "." && part != "..");
        (is_known && is_callable && is_sound).then_some(Self { region, kind, name })
    }

    /// The id that the ARN names itself; `None` where only AWS knows what is behind it.
    pub(crate) fn id(&self) -> Option<&'a str> {
        match self.kind {
            "foundation-model" | "inference-profile" => Some(self.name),
            // `custom-model/amazon.nova-lite-v1:0:300k/abc`
            "custom-model" => self.name.split_once('/').map(|(base, _)| base),
            _ => None,
        }
    }

    /// Whether Bedrock's control plane tells what is behind it.
    pub(crate) fn can_be_looked_up(&self) -> bool {
        matches!(
            self.kind,
            "application-inference-profile"
                | "provisioned-model"
                | "custom-model"
                | "custom-model-deployment"
                | "imported-model"
                | "prompt-router"
                | "default-prompt-router"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_taken_apart() {
        let arn = |text| Arn::parse(text);
        let profile = arn("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0").unwrap();
        assert_eq!(profile.region, "us-east-1");
        assert_eq!(profile.id(), Some("us.amazon.nova-lite-v1:0"));
        let custom = arn("arn:aws-us-gov:bedrock:us-gov-west-1:1:custom-model/amazon.nova-lite-v1:0/abc").unwrap();
        assert_eq!(custom.id(), Some("amazon.nova-lite-v1:0"));
        let opaque = arn("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc").unwrap();
        assert!(opaque.id().is_none() && opaque.can_be_looked_up());
        assert!(arn("arn:aws:sagemaker:us-east-1:1:endpoint/x").is_some());
        for text in [
            "arn:aws:s3:::bucket/key",
            "arn:aws:bedrock:us-east-1:1:guardrail/abc",
            "arn:aws:bedrock:us-east-1:1:inference-profile/",
            "arn:aws:bedrock:::foundation-model/x",
            "arn:aws:bedrock:evil.example.com/:1:inference-profile/x",
            "arn:aws:bedrock:us-east-1.evil.example:1:inference-profile/x",
            "arn:aws:bedrock:us-east-1:1:imported-model/../../x",
            "arn:aws:bedrock:us-east-1:1:imported-model/a b",
            "arn:aws:bedrock",
            "amazon.nova-lite-v1:0",
        ] {
            assert!(arn(text).is_none(), "{text}");
        }
    }
}

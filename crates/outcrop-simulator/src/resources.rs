//! What the account has of its own to call by an ARN, beside inference profiles: provisioned throughput, a custom model
//! and its deployment, imported models, a prompt router.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::models::{ACCOUNT, Model};

/// The id of what there is one of.
const ONLY: &str = "simulator001";
/// The day on which all was made that has none of its own.
const SINCE: &str = "2026-01-15";
const PROVISIONED_MODEL: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const CUSTOM_MODEL: &str = "amazon.nova-lite-v1:0";
const ROUTER: &str = "anthropic.claude:1";
/// Those that the router chooses from; it always takes the first.
pub(crate) const ROUTED: [&str; 2] = [
    "anthropic.claude-3-haiku-20240307-v1:0",
    "anthropic.claude-3-5-sonnet-20240620-v1:0",
];

/// What an ARN of the account's names.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) kind: Kind,
    pub(crate) arn: String,
    pub(crate) name: String,
    /// The day on which it was made.
    pub(crate) since: String,
    /// The model that answers.
    pub(crate) model: &'static Model,
    /// Of an imported model: what AWS calls its architecture, and if Converse works with it.
    pub(crate) imported: Option<(&'static str, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Provisioned,
    Custom,
    Deployment,
    Imported,
    Router,
}

/// How the resources in ARNs begin that name something of an account's.
const OWN: [&str; 7] = [
    "application-inference-profile/",
    "custom-model/",
    "custom-model-deployment/",
    "default-prompt-router/",
    "imported-model/",
    "prompt-router/",
    "provisioned-model/",
];

/// If an identifier is the ARN of something that an account would have, whether it's there or not.
pub(crate) fn is_own(identifier: &str) -> bool {
    let resource = identifier.splitn(6, ':').nth(5).unwrap_or_default();
    identifier.starts_with("arn:") && OWN.iter().any(|kind| resource.starts_with(kind))
}

/// All that the account has in a region.
pub(crate) fn of(region: &str, models: &'static [Model]) -> Vec<Resource> {
    let own = [
        (
            Kind::Provisioned,
            format!("provisioned-model/{ONLY}"),
            "simulator-throughput",
            PROVISIONED_MODEL,
        ),
        (
            Kind::Custom,
            format!("custom-model/{CUSTOM_MODEL}/{ONLY}"),
            "simulator-custom",
            CUSTOM_MODEL,
        ),
        (
            Kind::Deployment,
            format!("custom-model-deployment/{ONLY}"),
            "simulator-deployment",
            CUSTOM_MODEL,
        ),
        (
            Kind::Router,
            format!("default-prompt-router/{ROUTER}"),
            "Anthropic Prompt Router",
            ROUTED[0],
        ),
    ];
    let arn = |resource: &str| format!("arn:aws:bedrock:{region}:{ACCOUNT}:{resource}");
    let own = own.into_iter().filter_map(|(kind, resource, name, id)| {
        Some(Resource {
            kind,
            arn: arn(&resource),
            name: name.to_owned(),
            since: SINCE.to_owned(),
            model: models.iter().find(|model| model.id == id)?,
            imported: None,
        })
    });
    let imported = imported().iter().map(|row| Resource {
        kind: Kind::Imported,
        arn: arn(&format!("imported-model/{}", row.model.id)),
        name: row.model.name.clone(),
        since: row.model.since.clone(),
        model: &row.model,
        imported: Some((&row.architecture, row.converse)),
    });
    own.chain(imported).collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Imported {
    architecture: String,
    converse: bool,
    model: Model,
}

fn imported() -> &'static [Imported] {
    static IMPORTED: LazyLock<Vec<Imported>> = LazyLock::new(|| {
        #[expect(
            clippy::expect_used,
            reason = "the table is part of the program, and a test reads it"
        )]
        serde_json::from_str(include_str!("../models/imported.json")).expect("imported.json is a table of models")
    });
    &IMPORTED
}

//! What becomes of lists that the simulator doesn't have.

use std::collections::BTreeMap;
use std::sync::Arc;

use outcrop_routing::{Affinity, Fallbacks, Route, RouteTarget, Router, Routing, Strategy};
use outcrop_translate::{Problem, ProblemKind};
use outcrop_upstream::{
    CustomModel, CustomModelDeployment, FoundationModel, ImportedModel, InferenceProfile, ModelLifecycle, ProfileModel,
    ProvisionedModel,
};
use serde_json::{Value, json};

use super::directory::Known;
use super::entries::Entries;
use super::gather::{Failure, Gathered, List, Region};
use super::warning;
use crate::config::Config;

const HOME: &str = "us-east-1";
/// 2026-11-26
const NOW: u64 = 1_795_651_200;

fn list<T>(items: Vec<T>) -> List<T> {
    List {
        items: Some(Arc::new(items)),
        failure: None,
    }
}

fn failed<T>(is_denied: bool) -> List<T> {
    List {
        items: None,
        failure: Some(Failure {
            is_denied,
            problem: Problem::new(502, ProblemKind::Server, "no"),
            reason: "Reason".to_owned(),
        }),
    }
}

fn region(name: &str) -> Region {
    Region {
        name: name.to_owned(),
        foundation: list(Vec::new()),
        profiles: list(Vec::new()),
        provisioned: list(Vec::new()),
        custom: list(Vec::new()),
        deployments: list(Vec::new()),
        imported: list(Vec::new()),
    }
}

fn model(id: &str, kind: &str, end: Option<&str>) -> FoundationModel {
    FoundationModel {
        model_id: id.to_owned(),
        output_modalities: vec!["TEXT".to_owned()],
        inference_types_supported: vec![kind.to_owned()],
        model_lifecycle: ModelLifecycle {
            end_of_life_time: end.map(ToOwned::to_owned),
            ..ModelLifecycle::default()
        },
        ..FoundationModel::default()
    }
}

fn profile(id: &str, model: &str) -> InferenceProfile {
    InferenceProfile {
        inference_profile_id: id.to_owned(),
        r#type: "SYSTEM_DEFINED".to_owned(),
        models: vec![ProfileModel {
            model_arn: format!("arn:aws:bedrock:{HOME}::foundation-model/{model}"),
        }],
        ..InferenceProfile::default()
    }
}

/// What is told of each id.
fn told(regions: Vec<Region>) -> BTreeMap<String, Value> {
    routed(regions, Vec::new())
}

/// The same, where there are routes; the account `other` is in eu-west-1.
fn routed(regions: Vec<Region>, routes: Vec<Route>) -> BTreeMap<String, Value> {
    let router = Router::new(Routing {
        routes,
        ..Routing::default()
    });
    let config = Config {
        regions: regions.iter().map(|region| region.name.clone()).collect(),
        ..Config::default()
    };
    let known = Known::new(Gathered { regions }, NOW);
    let entries = Entries {
        known: &known,
        config: &config,
        looked_up: &|_| None,
        router: &router,
        region_of: &|account| account.map_or(HOME, |_| "eu-west-1").to_owned(),
    };
    let told = |entry: super::entries::Entry| (entry.id, serde_json::from_str(&entry.json).unwrap());
    entries.all().into_iter().map(told).collect()
}

#[test]
fn a_model_is_listed_until_its_end() {
    let mut home = region(HOME);
    home.foundation = list(vec![
        model("acme.over-1", "ON_DEMAND", Some("2026-11-26T00:00:00Z")),
        model("acme.last-day-1", "ON_DEMAND", Some("2026-11-27T00:00:00Z")),
        model("acme.bought-1", "PROVISIONED", None),
        model("amazon.titan-text-lite-v1", "ON_DEMAND", None),
    ]);
    let told = told(vec![home]);
    // Bedrock has what the catalogue calls retired: Bedrock knows better.
    assert_eq!(
        told.keys().collect::<Vec<_>>(),
        ["Titan-Text-Lite", "acme.last-day-1", "amazon.titan-text-lite-v1"]
    );
}

#[test]
fn a_model_of_a_vendor_that_nobody_knows_is_behind_its_profile() {
    let mut home = region(HOME);
    home.foundation = list(vec![model("acme.model-1", "INFERENCE_PROFILE", None)]);
    home.profiles = list(vec![profile("us.acme.model-1", "acme.model-1")]);
    let told = told(vec![home]);
    assert_eq!(told["us.acme.model-1"]["base_model"], "acme.model-1");
    assert_eq!(told["us.acme.model-1"]["provider"], "acme");
    assert_eq!(told["us.acme.model-1"]["routed_to"], serde_json::json!([HOME]));
    // The bare id is called through the profile.
    assert_eq!(told["acme.model-1"]["resolves_to"], "us.acme.model-1");
}

#[test]
fn a_deployment_is_of_the_model_at_the_bottom() {
    let arn = |rest: &str| format!("arn:aws:bedrock:{HOME}:1:{rest}");
    let custom = |name: &str, base: String| CustomModel {
        model_arn: arn(name),
        base_model_arn: Some(base),
    };
    let nova = format!("arn:aws:bedrock:{HOME}::foundation-model/amazon.nova-lite-v1:0");
    let deployment = |name: &str, model: &str, status: &str| CustomModelDeployment {
        custom_model_deployment_arn: arn(&format!("custom-model-deployment/{name}")),
        model_arn: Some(arn(model)),
        status: status.to_owned(),
        ..CustomModelDeployment::default()
    };
    let mut home = region(HOME);
    home.custom = list(vec![
        custom("custom-model/a", nova),
        custom("custom-model/b", arn("custom-model/a")),
    ]);
    home.deployments = list(vec![
        deployment("of-b", "custom-model/b", "Active"),
        deployment("of-nobody", "custom-model/c", "Active"),
        deployment("not-yet", "custom-model/a", "Creating"),
    ]);
    home.provisioned = list(vec![ProvisionedModel {
        provisioned_model_arn: arn("provisioned-model/failed"),
        status: "Failed".to_owned(),
        ..ProvisionedModel::default()
    }]);
    let told = told(vec![home]);
    let deployment = |name: &str| arn(&format!("custom-model-deployment/{name}"));
    assert_eq!(told[&deployment("of-b")]["base_model"], "amazon.nova-lite-v1:0");
    assert_eq!(told[&deployment("of-nobody")].get("base_model"), None);
    assert_eq!(told.len(), 2, "{:?}", told.keys());
}

#[test]
fn the_catalogue_stands_in_where_a_permission_is_missing_and_not_where_nobody_answers() {
    let mut home = region(HOME);
    (home.foundation, home.profiles) = (failed(true), failed(true));
    let mut dead = region("eu-west-1");
    (dead.foundation, dead.profiles) = (failed(false), failed(false));
    let told = told(vec![home.clone(), dead.clone()]);
    assert!(told.contains_key("amazon.nova-lite-v1:0") && told.contains_key("us.amazon.nova-lite-v1:0"));
    assert!(!told.contains_key("eu.amazon.nova-lite-v1:0"));
    assert_eq!(told["amazon.nova-lite-v1:0"]["regions"], serde_json::json!([HOME]));

    let gathered = |regions| Gathered { regions };
    assert!(gathered(vec![home.clone(), dead.clone()]).problem().is_none());
    assert!(gathered(vec![dead.clone()]).problem().is_some());
    let warnings = gathered(vec![home, dead]).warnings();
    let header = warning::header(&warnings).unwrap();
    let header = header.to_str().unwrap();
    assert!(header.contains(
        "bedrock:ListFoundationModels is not allowed in us-east-1; in its place: the models of the catalogue, \
         which the region may not have."
    ));
    assert!(
        header
            .contains("bedrock:ListFoundationModels failed in eu-west-1 (Reason); what only it lists is missing here.")
    );
}

#[test]
fn the_gateways_own_region_may_be_the_one_that_nobody_answers_in() {
    let mut home = region(HOME);
    (home.foundation, home.profiles) = (failed(false), failed(false));
    let mut other = region("eu-west-1");
    other.foundation = list(vec![model("amazon.nova-lite-v1:0", "ON_DEMAND", None)]);
    other.profiles = list(vec![profile("eu.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0")]);
    other.imported = list(vec![ImportedModel {
        model_arn: "arn:aws:bedrock:eu-west-1:1:imported-model/x".to_owned(),
        ..ImportedModel::default()
    }]);
    // Ids still mean its models, since nobody says that it doesn't have them; ARNs say where they are.
    let told = told(vec![home, other]);
    assert_eq!(
        told.keys().collect::<Vec<_>>(),
        ["arn:aws:bedrock:eu-west-1:1:imported-model/x"]
    );
}

fn route(name: &str, targets: Vec<RouteTarget>) -> Route {
    Route {
        name: name.to_owned(),
        targets,
        strategy: Strategy::Weighted,
        affinity: Affinity::Session,
        fallbacks: Fallbacks {
            general: vec!["Nova-Pro".to_owned()],
            ..Fallbacks::default()
        },
    }
}

fn target(model: Option<&str>, region: Option<&str>, account: Option<&str>) -> RouteTarget {
    RouteTarget {
        model: model.map(ToOwned::to_owned),
        region: region.map(ToOwned::to_owned),
        account: account.map(ToOwned::to_owned),
        weight: 1,
        ..RouteTarget::default()
    }
}

#[test]
fn a_route_is_listed_with_its_targets_and_told_of_by_the_first_that_is_known() {
    let mut home = region(HOME);
    home.foundation = list(vec![model("amazon.nova-lite-v1:0", "ON_DEMAND", None)]);
    let targets = vec![
        target(Some("nobody-knows-it"), None, None),
        target(Some("moon.bright-1"), None, Some("other")),
        target(Some("amazon.nova-lite-v1:0"), Some(HOME), None),
    ];
    let told = routed(vec![home], vec![route("team-chat", targets)]);
    let told = &told["team-chat"];
    assert_eq!((&told["kind"], &told["type"]), (&json!("route"), &json!("chat")));
    assert_eq!(told["resolves_to"], "amazon.nova-lite-v1:0");
    assert_eq!(told["provider"], "amazon");
    assert_eq!(told["regions"], json!([HOME, "eu-west-1"]));
    let said = &told["route"];
    assert_eq!(
        (&said["name"], &said["strategy"]),
        (&json!("team-chat"), &json!("weighted"))
    );
    assert_eq!(said["fallbacks"], json!(["Nova-Pro"]));
    assert!(said["targets"][0]["problem"].is_string(), "{said}");
    assert_eq!(
        said["targets"][1],
        json!({
            "model": "moon.bright-1",
            "resolves_to": "moon.bright-1",
            "region": "eu-west-1",
            "account": "other",
            "weight": 1,
        })
    );
}

#[test]
fn a_route_stands_in_the_place_of_the_model_of_its_name() {
    let mut home = region(HOME);
    home.foundation = list(vec![model("amazon.nova-lite-v1:0", "ON_DEMAND", None)]);
    let routes = vec![
        route("NOVA-lite", vec![target(Some("moon.bright-1"), None, None)]),
        route("*", vec![target(None, Some("eu-west-1"), Some("other"))]),
    ];
    let told = routed(vec![home], routes);
    assert_eq!(told["NOVA-lite"]["resolves_to"], "moon.bright-1");
    assert_eq!(told.get("Nova-Lite"), None, "names are the same whatever their letters");
    // What all names have is told of each, and is no name of its own.
    let nova = &told["amazon.nova-lite-v1:0"];
    assert_eq!(nova["kind"], "foundation_model");
    assert_eq!(
        (&nova["region"], &nova["route"]["name"]),
        (&json!("eu-west-1"), &json!("*"))
    );
    assert_eq!(told.get("*"), None);
}

#[test]
fn a_route_for_many_names_lists_none_that_cannot_be_called() {
    let mut home = region(HOME);
    home.foundation = list(vec![model("amazon.nova-lite-v1:0", "ON_DEMAND", None)]);
    let told = routed(vec![home], vec![route("*", vec![target(None, Some(HOME), None)])]);
    assert_eq!(told.keys().collect::<Vec<_>>(), ["amazon.nova-lite-v1:0"]);
}

#[test]
fn routes_are_listed_where_nothing_else_can_be() {
    let mut home = region(HOME);
    (home.foundation, home.profiles) = (failed(false), failed(false));
    let routes = vec![route("team-chat", vec![target(Some("Nova-Lite"), None, Some("other"))])];
    let told = routed(vec![home], routes);
    assert_eq!(told.keys().collect::<Vec<_>>(), ["team-chat"]);
    assert_eq!(told["team-chat"]["resolves_to"], "eu.amazon.nova-lite-v1:0");
}

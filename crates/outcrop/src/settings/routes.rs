//! `[[routes]]`: what public model names stand for.

use std::num::NonZeroUsize;

use outcrop_routing::{Affinity, Fallbacks, Route, RouteTarget, Strategy};
use serde_json::{Value as Json, json};

use super::kind::{Kind, Raw, RawTable};
use super::kinds::{Label, List, ModelName, Region, Timeout};
use super::layers::Origin;
use super::parameters;
use super::problem::Problems;
use super::rows::{Key, Reader, Shown};

/// The key in the file.
pub(super) const ROUTES: &str = "routes";
const TARGETS: &str = "routes.targets";

/// The keys of a table.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "name",
        about: "The public name, with `*` for any text. Capital letters are the same as small ones.",
        schema: <Label as Kind>::schema,
    },
    Key {
        name: "strategy",
        about: "Which target is asked first: the first that is well (`ordered`, the default), a random one by weight \
                (`weighted`), the one with the fewest calls under way (`least_busy`), or the one whose first token \
                came soonest of late (`lowest_latency`). The others follow.",
        schema: <Strategy as Kind>::schema,
    },
    Key {
        name: "affinity",
        about: "What keeps a conversation at one target: its `session` (the default), or `none`.",
        schema: <Affinity as Kind>::schema,
    },
    Key {
        name: "fallbacks",
        about: "Models, or other routes, that are asked where all targets failed.",
        schema: <List<ModelName> as Kind>::schema,
    },
    Key {
        name: "context_window_fallbacks",
        about: "Likewise, where the prompt is too long for the model.",
        schema: <List<ModelName> as Kind>::schema,
    },
    Key {
        name: "content_policy_fallbacks",
        about: "Likewise, where a guardrail or a filter refused.",
        schema: <List<ModelName> as Kind>::schema,
    },
    Key {
        name: "targets",
        about: "The places that answer, at least one, each under the line `[[routes.targets]]`.",
        schema: target_schema,
    },
];

/// The keys of a target's table.
pub(super) const TARGET_KEYS: &[Key] = &[
    Key {
        name: "model",
        about: "The model, by any name that requests may use, but not by another route's. Where it is not set, it is \
                the name that was asked for. A `*` in it stands for the text that the `*` of the route's name stood for.",
        schema: <ModelName as Kind>::schema,
    },
    Key {
        name: "model_id",
        about: "What is called, such as an ARN, while `model` says what it is.",
        schema: <Label as Kind>::schema,
    },
    Key {
        name: "region",
        about: "The region. Where it is not set, it is the account's.",
        schema: <Region as Kind>::schema,
    },
    Key {
        name: "account",
        about: "The account, by its name. Where it is not set, it is the gateway's own.",
        schema: <Label as Kind>::schema,
    },
    Key {
        name: "weight",
        about: "The target's share of requests where the strategy is `weighted`: 1 if absent. 0 makes it a reserve.",
        schema: <usize as Kind>::schema,
    },
    Key {
        name: "parameters",
        about: "Members of requests, such as `temperature`, for requests that don't have them.",
        schema: || json!({ "type": "object" }),
    },
    Key {
        name: "max_parallel_requests",
        about: "The most calls at the same time.",
        schema: <NonZeroUsize as Kind>::schema,
    },
    Key {
        name: "first_byte_timeout",
        about: "How long it may take to begin its answer, instead of the general limit.",
        schema: <Timeout as Kind>::schema,
    },
];

fn target_schema() -> Json {
    let mut schema = super::rows::schema(TARGET_KEYS, &[], "");
    schema["minItems"] = json!(1);
    schema
}

/// One table, in order.
#[derive(Clone, Debug)]
pub(crate) struct RouteTable {
    /// For the router.
    pub(crate) route: Route,
    pub(super) shown: Shown,
    pub(super) origin: Origin,
    /// Each target's place, and what it shows.
    pub(super) targets: Vec<(Origin, Shown)>,
}

/// Reads one table. `None` only if a problem was added.
pub(super) fn read(table: &RawTable, problems: &mut Problems) -> Option<RouteTable> {
    let targets = read_targets(table, problems);
    let mut reader = Reader::new(ROUTES, table, KEYS, problems);
    let name = reader.need::<Label>("name").map(Label::into_string);
    let strategy = reader.take::<Strategy>("strategy").unwrap_or_default();
    let affinity = reader.take::<Affinity>("affinity").unwrap_or_default();
    let fallbacks = Fallbacks {
        general: models(&mut reader, "fallbacks"),
        context_window: models(&mut reader, "context_window_fallbacks"),
        content_policy: models(&mut reader, "content_policy_fallbacks"),
    };
    let shown = reader.shown;
    let (targets, places): (Vec<_>, Vec<_>) = targets.into_iter().unzip();
    Some(RouteTable {
        route: Route {
            name: name?,
            targets,
            strategy,
            affinity,
            fallbacks,
        },
        shown,
        origin: table.origin.clone(),
        targets: places,
    })
}

fn models(reader: &mut Reader<'_>, name: &'static str) -> Vec<String> {
    let models = reader.take::<List<ModelName>>(name);
    models
        .iter()
        .flat_map(|list| list.iter())
        .map(ToString::to_string)
        .collect()
}

fn read_targets(table: &RawTable, problems: &mut Problems) -> Vec<(RouteTarget, (Origin, Shown))> {
    let mut read = Vec::new();
    match table.get("targets") {
        Some((_, Raw::List(items))) if !items.is_empty() => {
            for item in items {
                match item {
                    Raw::Table(target) => read.push(read_target(target, problems)),
                    _ => problems.add(
                        table.origin.clone(),
                        "routes.targets: expected tables, each under the line `[[routes.targets]]`",
                    ),
                }
            }
        }
        Some((_, Raw::List(_))) | None => problems.add(
            table.origin.clone(),
            "routes: a route needs at least one target, under the line `[[routes.targets]]`",
        ),
        Some((origin, _)) => problems.add(
            origin.clone(),
            "routes.targets: expected tables, each under the line `[[routes.targets]]`",
        ),
    }
    read
}

fn read_target(table: &RawTable, problems: &mut Problems) -> (RouteTarget, (Origin, Shown)) {
    let mut reader = Reader::new(TARGETS, table, TARGET_KEYS, problems);
    let target = RouteTarget {
        model: reader.take::<ModelName>("model").map(|name| name.as_str().to_owned()),
        model_id: reader.take::<Label>("model_id").map(Label::into_string),
        region: reader.take::<Region>("region").map(|region| region.to_string()),
        account: reader.take::<Label>("account").map(Label::into_string),
        weight: reader
            .take::<usize>("weight")
            .map_or(1, |weight| u32::try_from(weight).unwrap_or(u32::MAX)),
        parameters: parameters(&mut reader),
        max_parallel_requests: reader
            .take::<NonZeroUsize>("max_parallel_requests")
            .map(|count| u32::try_from(count.get()).unwrap_or(u32::MAX)),
        first_byte_timeout: reader.take::<Timeout>("first_byte_timeout").map(|timeout| *timeout),
    };
    (target, (table.origin.clone(), reader.shown))
}

/// As the text of a JSON object.
fn parameters(reader: &mut Reader<'_>) -> Option<String> {
    let members = reader.members("parameters")?;
    parameters::check("routes.targets.parameters", members, reader.problems);
    // What JSON has no word for was complained of.
    let json = Raw::Table(members.clone()).json()?;
    let text = json.to_string();
    reader.shown.push(("parameters", json));
    Some(text)
}

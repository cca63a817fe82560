//! `outcrop models resolve`: which model a name means, with nobody being asked.

use std::sync::Arc;

use clap::ArgMatches;
use outcrop_routing::Router;
use outcrop_server::resolve::{Asked, Behind, Directory, Purpose, Step, Target, Unresolved, resolve};
use outcrop_server::{Problem, RouteView, Wanted, mapping};
use outcrop_upstream::{Account, Client, configured_region};
use serde_json::Value;

use super::table::table;
use crate::cli;
use crate::commands::{block_on, complain, print_page};
use crate::configs::{policies, routing, upstream_config};
use crate::failure::Failure;
use crate::secrets::Secrets;
use crate::serve::{StartError, name_region, simulated_region};
use crate::settings::{Settings, load, name_rules};
use crate::terminal::clean;

/// Resolves one name.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let loaded = load(&cli::given(matches))?;
    complain(&loaded.warnings);
    let settings = &loaded.settings;
    let region = region(settings)?;
    let asked = Asked {
        name: matches
            .get_one::<String>("name")
            .map(String::as_str)
            .unwrap_or_default(),
        provider: matches.get_one::<String>("provider").map(String::as_str),
        model_id: None,
        is_restricted: false,
        purpose: if matches.get_flag("embedding") {
            Purpose::Embedding
        } else {
            Purpose::Chat
        },
    };
    let routed = routed(&asked, settings, region.as_deref())?;
    let (target, region) = match &routed {
        Some(route) => {
            let (target, region) = route.first().map_err(unresolved)?;
            (target, region.map(ToOwned::to_owned))
        }
        None => (target(&asked, settings, region.as_deref()).map_err(unresolved)?, region),
    };
    let names: Vec<&str> = target.names.iter().map(String::as_str).collect();
    let wanted = policies(settings, &Secrets::offline(settings))
        .resolve(&names, target.is_opaque, None, None)
        .bedrock_api;
    let mut mapping = mapping(&settings.models, asked.name, &target, region.as_deref(), wanted);
    if let Some(route) = &routed {
        mapping["route"] = route.to_json();
    }
    if matches.get_flag("json") {
        return print_page(&format!("{mapping:#}\n"));
    }
    print_page(&page(&mapping))
}

fn unresolved(problem: Problem) -> Failure {
    Failure::Unresolved(problem.message)
}

/// The region that the gateway would be in, as far as that can be told without the network.
pub(in crate::commands) fn region(settings: &Settings) -> Result<Option<String>, Failure> {
    if settings.simulate {
        return Ok(Some(simulated_region(settings)));
    }
    block_on(async {
        let mut config = upstream_config(settings);
        name_region(&mut config, settings).await;
        Ok(configured_region(&config).await)
    })
}

/// The route of the name, with what its targets mean.
pub(in crate::commands) fn routed(
    asked: &Asked<'_>,
    settings: &Settings,
    region: Option<&str>,
) -> Result<Option<RouteView>, Failure> {
    let router = Router::new(routing(settings));
    let Some(found) = router.find(asked.name) else {
        return Ok(None);
    };
    let client = client(settings, region)?;
    let region_of = |account: Option<&str>| match (&client, account) {
        (Some(client), account) => Some(client.region_of(account).to_owned()),
        (None, Some(account)) => region_of_account(settings, account),
        (None, None) => region.map(ToOwned::to_owned),
    };
    let resolve = |wanted: Wanted<'_>| {
        let asked = Asked {
            name: wanted.name,
            model_id: wanted.model_id,
            ..*asked
        };
        let mut meant = target(&asked, settings, wanted.region.or(region))?;
        if let Some(region) = wanted.region {
            meant.region.get_or_insert_with(|| region.to_owned());
        }
        Ok(Arc::new(meant))
    };
    Ok(Some(RouteView::new(&router, &found, asked.name, &region_of, &resolve)))
}

/// A client that connects to no one, and knows the regions of the accounts' profiles. There is none where no region is
/// known; and in the simulator, accounts have no profiles.
fn client(settings: &Settings, region: Option<&str>) -> Result<Option<Client>, Failure> {
    let Some(region) = region.filter(|_| !settings.simulate) else {
        return Ok(None);
    };
    let config = outcrop_upstream::Config {
        region: Some(region.to_owned()),
        ..upstream_config(settings)
    };
    block_on(async { Ok(Client::new(config).await.map_err(StartError::from)?) }).map(Some)
}

fn region_of_account(settings: &Settings, name: &str) -> Option<String> {
    let region = |account: &Account| account.region.clone();
    let mut accounts = upstream_config(settings).accounts.into_iter();
    let own = || settings.simulate.then(|| simulated_region(settings));
    accounts
        .find(|account| account.name == name)
        .and_then(|account| region(&account))
        .or_else(own)
}

pub(in crate::commands) fn target(
    asked: &Asked<'_>,
    settings: &Settings,
    region: Option<&str>,
) -> Result<Target, Problem> {
    let rules = name_rules(settings);
    let directory = Directory {
        catalogue: &settings.models,
        rules: &rules,
        region,
        listing: None,
        behind: &|_| None,
    };
    let without_looking = Directory {
        behind: &|_| Some(Behind::default()),
        ..directory
    };
    let mut target = match resolve(asked, &directory) {
        Err(Unresolved::LookUp(_)) => {
            let mut resolved = resolve(asked, &without_looking);
            if let Ok(target) = &mut resolved {
                say_that_nothing_was_looked_up(target);
            }
            resolved
        }
        resolved => resolved,
    }
    .map_err(|unresolved| match unresolved {
        Unresolved::Problem(problem) => problem,
        Unresolved::LookUp(arn) => Problem::invalid(format!("what is behind {arn} is not looked up here")),
    })?;
    if region.is_none() {
        say_that_no_profile_was_chosen(&mut target, settings);
    }
    Ok(target)
}

fn say_that_nothing_was_looked_up(target: &mut Target) {
    for step in target.steps.iter_mut().filter(|step| step.rule == "look-up") {
        "what is behind it is not looked up here; the gateway asks AWS".clone_into(&mut step.why);
    }
}

/// A model that has profiles is called through one, as a rule; which one hangs on the region.
fn say_that_no_profile_was_chosen(target: &mut Target, settings: &Settings) {
    let model = settings.models.model(&target.model_id);
    if target.region.is_none() && model.is_some_and(|model| !model.profiles.is_empty()) {
        target.steps.push(Step {
            rule: "region",
            result: target.model_id.clone(),
            why: "no region is configured, so no inference profile is chosen; --region names one".to_owned(),
        });
    }
}

fn page(mapping: &Value) -> String {
    let text = |member: &Value| match member {
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    let thinking = mapping["thinking"] == true;
    let rows: Vec<[String; 2]> = [
        ("model id", text(&mapping["model_id"])),
        ("base model", text(&mapping["base_model"])),
        ("provider", text(&mapping["provider"])),
        ("region", text(&mapping["region"])),
        ("API", text(&mapping["bedrock_api"])),
        ("prompt format", text(&mapping["prompt_format"])),
        ("thinking", thinking.then(|| "on".to_owned())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some([name.to_owned(), value?]))
    .collect();
    let steps: Vec<[String; 3]> = mapping["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|step| ["step", "result", "why"].map(|key| text(&step[key]).unwrap_or_default()))
        .collect();
    let name = text(&mapping["name"]).unwrap_or_default();
    let mut page = format!(
        "{}\n\n{}\nsteps:\n{}",
        clean(&name),
        table(&rows, "  "),
        table(&steps, "  ")
    );
    if mapping["route"].is_object() {
        page.push_str(&route_page(&mapping["route"]));
    }
    page
}

/// The targets of a route, and what comes after them.
fn route_page(route: &Value) -> String {
    let text = |member: &Value| member.as_str().unwrap_or_default().to_owned();
    let targets = route["targets"].as_array().into_iter().flatten();
    let targets: Vec<[String; 5]> = targets
        .map(|target| {
            let meant = target["resolves_to"].as_str().or(target["problem"].as_str());
            let account = target["account"].as_str().map(|name| format!("account {name}"));
            let weight = target["weight"].as_u64().map(|weight| format!("weight {weight}"));
            [
                text(&target["model"]),
                meant.unwrap_or_default().to_owned(),
                text(&target["region"]),
                account.unwrap_or_default(),
                weight.unwrap_or_default(),
            ]
        })
        .collect();
    let mut page = format!(
        "\ntargets, {}:\n{}",
        clean(&text(&route["strategy"])),
        table(&targets, "  ")
    );
    let fallbacks: Vec<[String; 2]> = [
        ("where all fail", "fallbacks"),
        ("where the prompt is too long", "context_window_fallbacks"),
        ("where content is refused", "content_policy_fallbacks"),
    ]
    .into_iter()
    .filter_map(|(when, key)| {
        let models: Vec<&str> = route[key].as_array()?.iter().filter_map(Value::as_str).collect();
        Some([when.to_owned(), models.join(", ")])
    })
    .collect();
    if !fallbacks.is_empty() {
        page.push_str(&format!("\nfallbacks:\n{}", table(&fallbacks, "  ")));
    }
    page
}

//! `outcrop models resolve`: which model a name means, with nobody being asked.

use clap::ArgMatches;
use outcrop_server::mapping;
use outcrop_server::resolve::{Asked, Behind, Directory, Purpose, Step, Target, Unresolved, resolve};
use outcrop_upstream::configured_region;
use serde_json::Value;

use super::table::table;
use crate::cli;
use crate::commands::{block_on, complain, print_page};
use crate::configs::{policies, upstream_config};
use crate::failure::Failure;
use crate::secrets::Secrets;
use crate::serve::{name_region, simulated_region};
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
        purpose: if matches.get_flag("embedding") {
            Purpose::Embedding
        } else {
            Purpose::Chat
        },
    };
    let target = target(&asked, settings, region.as_deref()).map_err(Failure::Unresolved)?;
    let names: Vec<&str> = target.names.iter().map(String::as_str).collect();
    let wanted = policies(settings, &Secrets::offline(settings))
        .resolve(&names, target.is_opaque, None)
        .bedrock_api;
    let mapping = mapping(&settings.models, asked.name, &target, region.as_deref(), wanted);
    if matches.get_flag("json") {
        return print_page(&format!("{mapping:#}\n"));
    }
    print_page(&page(&mapping))
}

/// The region that the gateway would be in, as far as that can be told without the network.
fn region(settings: &Settings) -> Result<Option<String>, Failure> {
    if settings.simulate {
        return Ok(Some(simulated_region(settings)));
    }
    block_on(async {
        let mut config = upstream_config(settings);
        name_region(&mut config, settings).await;
        Ok(configured_region(&config).await)
    })
}

fn target(asked: &Asked<'_>, settings: &Settings, region: Option<&str>) -> Result<Target, String> {
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
        Unresolved::Problem(problem) => problem.message,
        Unresolved::LookUp(arn) => format!("what is behind {arn} is not looked up here"),
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
    format!(
        "{}\n\n{}\nsteps:\n{}",
        clean(&name),
        table(&rows, "  "),
        table(&steps, "  ")
    )
}

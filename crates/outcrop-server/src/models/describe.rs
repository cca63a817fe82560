//! What is told of one model.

use outcrop_translate::Catalogue;
use outcrop_translate::catalogue::{Capabilities, Model, Price, Rates, Word as _};
use outcrop_translate::resolve::Target;
use outcrop_upstream::{FoundationModel, InferenceProfile};
use serde_json::{Map, Value, json};

use super::directory::{Own, region_of};
use super::time::{day, unix_seconds};
use super::words::{Kind, Purpose};

/// All that is known of an id.
pub(super) struct Described<'a> {
    pub(super) id: &'a str,
    pub(super) kind: Kind,
    pub(super) purpose: Purpose,
    pub(super) target: &'a Target,
    /// The region that is called.
    pub(super) region: &'a str,
    pub(super) regions: &'a [String],
    pub(super) base: Option<&'a str>,
    /// The id and the name of who makes it.
    pub(super) provider: Option<(&'a str, &'a str)>,
    /// What the catalogue knows of the model behind it.
    pub(super) model: Option<&'a Model>,
    pub(super) capabilities: Option<&'a Capabilities>,
    /// What Bedrock tells of the model behind it.
    pub(super) live: Option<&'a FoundationModel>,
    /// The inference profile, if it is one.
    pub(super) profile: Option<&'a InferenceProfile>,
    /// What the account has by this ARN.
    pub(super) own: Option<&'a Own>,
    /// What an imported model is, in the words of its own configuration.
    pub(super) architecture: Option<String>,
    /// The route that the id has.
    pub(super) route: Option<Value>,
    pub(super) catalogue: &'a Catalogue,
}

/// All of it as JSON.
pub(super) fn describe(described: &Described<'_>) -> String {
    let target = described.target;
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    };
    add("id", described.id.into());
    add("object", "model".into());
    add("created", created(described).into());
    add("owned_by", "bedrock".into());
    add("kind", described.kind.name().into());
    add("type", described.purpose.name().into());
    add("name", name(described).into());
    add("provider", described.provider.map(|(id, _)| id).into());
    add("provider_name", described.provider.map(|(_, name)| name).into());
    add("resolves_to", target.model_id.as_str().into());
    add("base_model", described.base.into());
    add("architecture", described.architecture.clone().into());
    add("region", described.region.into());
    add("regions", described.regions.into());
    add("routed_to", routed_to(described));
    add("route", described.route.clone().unwrap_or_default());
    add("capabilities", capabilities(described));
    add("context_window", described.model.and_then(|model| model.context).into());
    add(
        "max_output_tokens",
        described.model.and_then(|model| model.max_output).into(),
    );
    add("lifecycle", lifecycle(described));
    add("prices", prices(described));
    Value::Object(members).to_string()
}

fn name(described: &Described<'_>) -> Option<String> {
    let own = described.own.and_then(|own| own.name.clone());
    let known = described.model.map(|model| model.name.clone());
    own.or(known).or_else(|| described.live?.model_name.clone())
}

/// When the model came out, or the account got it; 0 where nobody knows.
fn created(described: &Described<'_>) -> u64 {
    let own = described.own.and_then(|own| own.created.as_deref());
    let live = described
        .live
        .and_then(|live| live.model_lifecycle.start_of_life_time.as_deref());
    let known = described.model.and_then(|model| model.released.as_deref());
    own.or(live).or(known).and_then(unix_seconds).unwrap_or(0)
}

/// The regions that an inference profile sends calls to.
fn routed_to(described: &Described<'_>) -> Value {
    let Some(profile) = described.profile else {
        return Value::Null;
    };
    let mut regions: Vec<&str> = profile
        .models
        .iter()
        .filter_map(|model| region_of(&model.model_arn))
        .collect();
    regions.sort_unstable();
    regions.dedup();
    if regions.is_empty() {
        Value::Null
    } else {
        json!(regions)
    }
}

fn capabilities(described: &Described<'_>) -> Value {
    let mut members = Map::new();
    let words = |words: &[String]| -> Vec<String> { words.iter().map(|word| word.to_ascii_lowercase()).collect() };
    // Bedrock tells of texts and images only.
    let known = described.capabilities.and_then(|known| known.input);
    let mut input: Vec<String> =
        known.map_or_else(Vec::new, |set| set.iter().map(|word| word.name().to_owned()).collect());
    if let Some(live) = described.live {
        let more: Vec<String> = words(&live.input_modalities)
            .into_iter()
            .filter(|word| !input.contains(word))
            .collect();
        input.extend(more);
    }
    let output: Vec<String> = match (described.capabilities, described.live) {
        (Some(known), _) => known.output.iter().map(|word| word.name().to_owned()).collect(),
        (None, Some(live)) => words(&live.output_modalities),
        (None, None) => Vec::new(),
    };
    for (name, modalities) in [("input", input), ("output", output)] {
        if !modalities.is_empty() {
            members.insert(name.to_owned(), json!(modalities));
        }
    }
    if described.purpose == Purpose::Chat {
        let live = described.live.and_then(|live| live.response_streaming_supported);
        if let Some(streaming) = live.or(described.capabilities.map(|known| known.streaming)) {
            members.insert("streaming".to_owned(), streaming.into());
        }
        if let Some(known) = described.capabilities {
            for (name, can) in [
                ("system", known.system),
                ("tools", known.tools),
                ("reasoning", known.reasoning),
                ("structured_output", known.structured_output),
                ("prompt_caching", known.prompt_caching),
            ] {
                members.insert(name.to_owned(), can.into());
            }
        }
    }
    Value::Object(members)
}

/// As Bedrock tells it now; what it leaves out, as the catalogue has it.
fn lifecycle(described: &Described<'_>) -> Value {
    let live = described.live.map(|live| &live.model_lifecycle);
    let known = described.model.map(|model| &model.lifecycle);
    if live.is_none() && known.is_none() {
        return Value::Null;
    }
    let text = |text: Option<&String>| text.map(|text| day(text).to_owned());
    let status = live
        .and_then(|live| live.status.as_ref())
        .map(|status| status.to_ascii_lowercase());
    let dates = [
        (
            "start_of_life",
            text(live.and_then(|live| live.start_of_life_time.as_ref())),
            described.model.and_then(|model| model.released.clone()),
        ),
        (
            "legacy",
            text(live.and_then(|live| live.legacy_time.as_ref())),
            known.and_then(|known| known.legacy.clone()),
        ),
        (
            "public_extended_access",
            text(live.and_then(|live| live.public_extended_access_time.as_ref())),
            None,
        ),
        (
            "end_of_life",
            text(live.and_then(|live| live.end_of_life_time.as_ref())),
            known.and_then(|known| known.end_of_life.clone()),
        ),
        ("successor", None, known.and_then(|known| known.successor.clone())),
    ];
    let mut members = Map::new();
    let status = status.or_else(|| known.map(|known| known.status.name().to_owned()));
    members.insert("status".to_owned(), status.into());
    for (name, live, known) in dates {
        if let Some(told) = live.or(known) {
            members.insert(name.to_owned(), told.into());
        }
    }
    Value::Object(members)
}

/// What it costs by the id that is called. What the account has of its own has other prices.
fn prices(described: &Described<'_>) -> Value {
    let is_of_other_price = matches!(
        described.kind,
        Kind::ProvisionedThroughput | Kind::ImportedModel | Kind::CustomModelDeployment
    );
    let Some(prices) = described
        .model
        .and_then(|model| model.prices.as_ref())
        .filter(|_| !is_of_other_price)
    else {
        return Value::Null;
    };
    let rates = prices.rates(geography(described));
    let mut members = Map::new();
    for (name, price) in rates_by_name(&rates) {
        if let Some(price) = price {
            members.insert(name.to_owned(), price.dollars().into());
        }
    }
    if members.is_empty() {
        return Value::Null;
    }
    members.insert("currency".to_owned(), "USD".into());
    members.insert("per".to_owned(), "1M tokens".into());
    Value::Object(members)
}

fn rates_by_name(rates: &Rates) -> [(&'static str, Option<Price>); 5] {
    [
        ("input", rates.input),
        ("output", rates.output),
        ("cache_read", rates.cache_read),
        ("cache_write", rates.cache_write),
        ("cache_write_1h", rates.cache_write_1h),
    ]
}

/// The geography of the inference profile that is called; an application profile has its source's.
fn geography<'a>(described: &Described<'a>) -> Option<&'a str> {
    let id = described.profile.map_or(described.target.model_id.as_str(), |profile| {
        profile.inference_profile_id.as_str()
    });
    let base = described.catalogue.base_id(id)?;
    id.strip_suffix(base)?.strip_suffix('.')
}

//! What may be said of organizations, projects, keys and logins: one set of rules for all who write them.
//!
//! A [`Fault`] names the member that is wrong, so that whoever reports it can say where: `budgets[0].limit_usd`.

mod budgets;
mod login;
mod network;
mod text;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

pub use self::login::{iam_arn, jwt};
use crate::{GuardrailSetting, Settings};

/// Characters of a name.
const MAX_NAME: usize = 128;
/// Entries of a list of patterns or networks, and of a map of aliases.
const MAX_ENTRIES: usize = 1000;
/// Characters of a pattern, an alias or an id: an ARN of Bedrock's has at most 2048.
const MAX_PATTERN: usize = 2048;
/// What limits may be, so that sums of them fit.
const MAX_COUNT: u64 = 1_000_000_000_000;
/// Bytes of default parameters, as JSON.
const MAX_PARAMETERS: usize = 16 * 1024;
/// Service model of Bedrock Runtime (2026-11), `requestMetadata`.
const MAX_METADATA: (usize, usize) = (16, 256);
/// API reference of STS, `AssumeRole` (2026-11): tags, and characters of a key and of a value.
const MAX_TAGS: (usize, usize, usize) = (50, 128, 256);

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// The member, such as `budgets[0].limit_usd`; empty for the whole.
    pub path: String,
    /// What is wrong with it, to come behind its name: `must be …`.
    pub message: String,
}

impl Fault {
    /// Something wrong with a member.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }

    /// The same, for a member of `parent`.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.path = match (parent, self.path.as_str()) {
            (parent, "") => parent.to_owned(),
            ("", path) => path.to_owned(),
            (parent, path) if path.starts_with('[') => format!("{parent}{path}"),
            (parent, path) => format!("{parent}.{path}"),
        };
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "'{}' {}", self.path, self.message)
        }
    }
}

/// Reads settings of JSON, and checks them.
///
/// # Errors
/// What is wrong, by its member.
pub fn read_settings(mut value: Value) -> Result<Settings, Fault> {
    only_objects(&value)?;
    for limit in [
        "requests_per_minute",
        "tokens_per_minute",
        "concurrent_requests",
        "concurrent_streams",
    ] {
        if let Some(limit) = value.get_mut(limit) {
            make_whole(limit);
        }
    }
    let settings: Settings = serde_path_to_error::deserialize(value).map_err(|error| misfit(&error))?;
    check_settings(&settings)?;
    Ok(settings)
}

/// Makes a number such as 1.0 an integer, which it is in JSON Schema.
pub fn make_whole(value: &mut Value) {
    // Up to here each whole number is one of 64 bits, too.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let number = value.as_f64().filter(|number| value.is_f64() && number.fract() == 0.0);
    if let Some(number) = number.filter(|number| (0.0..=LARGEST).contains(number))
        && let Ok(whole) = format!("{number:.0}").parse::<u64>()
    {
        *value = whole.into();
    }
}

/// Lists of values in the order of our members would be read as well, and nobody means them.
fn only_objects(value: &Value) -> Result<(), Fault> {
    let budgets = value.get("budgets").and_then(Value::as_array).into_iter().flatten();
    let objects = [
        (String::new(), Some(value)),
        ("guardrail".to_owned(), value.get("guardrail")),
    ]
    .into_iter()
    .chain(
        budgets
            .enumerate()
            .map(|(index, budget)| (format!("budgets[{index}]"), Some(budget))),
    );
    for (path, value) in objects {
        if value.is_some_and(Value::is_array) {
            return Err(Fault::new(path, "must be an object"));
        }
    }
    Ok(())
}

/// A value of another type, or a member that isn't known, as a fault.
pub fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> Fault {
    let path = error.path().to_string();
    let said = error.inner().to_string();
    // A text of JSON has a place, which the path says better.
    let said = said.split(" at line ").next().unwrap_or_default();
    Fault::new(
        if path == "." { String::new() } else { path },
        format!("can't be read: {said}"),
    )
}

/// Checks what types alone don't.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_settings(settings: &Settings) -> Result<(), Fault> {
    patterns("allowed_models", settings.allowed_models.as_deref().unwrap_or_default())?;
    patterns("denied_models", &settings.denied_models)?;
    let endpoints = settings.allowed_endpoints.as_deref().unwrap_or_default();
    patterns("allowed_endpoints", endpoints)?;
    for (index, endpoint) in endpoints.iter().enumerate() {
        if !endpoint.starts_with(['/', '*']) {
            let message = "must be a path such as '/v1/embeddings', or begin with '*'";
            return Err(Fault::new(format!("allowed_endpoints[{index}]"), message));
        }
    }
    let networks = settings.allowed_networks.as_deref().unwrap_or_default();
    count("allowed_networks", networks.len(), MAX_ENTRIES)?;
    for (index, text) in networks.iter().enumerate() {
        network::check(text).map_err(|message| Fault::new(format!("allowed_networks[{index}]"), message))?;
    }
    limits(settings)?;
    budgets::check(&settings.budgets)?;
    parameters(&settings.parameters)?;
    if let Some(guardrail) = &settings.guardrail {
        check_guardrail(guardrail).map_err(|fault| fault.within("guardrail"))?;
    }
    word(
        "prompt_caching",
        settings.prompt_caching.as_deref(),
        &["off", "explicit", "auto"],
    )?;
    word(
        "on_unsupported",
        settings.on_unsupported.as_deref(),
        &["adapt", "reject"],
    )?;
    metadata(&settings.metadata)?;
    aliases(&settings.aliases)?;
    identity(settings)
}

/// The name of an organization or a project, which may be a part of a path such as `acme/search`.
///
/// # Errors
/// What is wrong with it.
pub fn tenant_name(name: &str) -> Result<(), Fault> {
    self::name(name)?;
    if name.contains('/') {
        return Err(Fault::new("", "must not have a '/'"));
    }
    if ["org_", "proj_"].iter().any(|beginning| name.starts_with(beginning)) {
        return Err(Fault::new("", "must not begin like an id, with 'org_' or 'proj_'"));
    }
    Ok(())
}

/// The name of a key, a login or an admin key.
///
/// # Errors
/// What is wrong with it.
pub fn name(name: &str) -> Result<(), Fault> {
    if name.trim().is_empty() {
        return Err(Fault::new("", "must not be empty"));
    }
    if name.chars().count() > MAX_NAME {
        return Err(Fault::new("", format!("must have at most {MAX_NAME} characters")));
    }
    if name.trim() != name || name.chars().any(char::is_control) {
        return Err(Fault::new(
            "",
            "must not begin or end with a space, nor have control characters",
        ));
    }
    Ok(())
}

fn limits(settings: &Settings) -> Result<(), Fault> {
    let given = [
        ("requests_per_minute", settings.requests_per_minute),
        ("tokens_per_minute", settings.tokens_per_minute),
        ("concurrent_requests", settings.concurrent_requests.map(u64::from)),
        ("concurrent_streams", settings.concurrent_streams.map(u64::from)),
    ];
    for (path, limit) in given {
        if limit.is_some_and(|limit| !(1..=MAX_COUNT).contains(&limit)) {
            let message = format!("must be from 1 to {MAX_COUNT}; what may do nothing is disabled instead");
            return Err(Fault::new(path, message));
        }
    }
    Ok(())
}

fn parameters(parameters: &Map<String, Value>) -> Result<(), Fault> {
    let size: usize = parameters
        .iter()
        .map(|(name, value)| name.len() + value.to_string().len())
        .sum();
    if size > MAX_PARAMETERS {
        return Err(Fault::new(
            "parameters",
            format!("must have at most {MAX_PARAMETERS} bytes"),
        ));
    }
    if parameters.contains_key("") {
        return Err(Fault::new("parameters", "must not have an empty name"));
    }
    Ok(())
}

fn check_guardrail(guardrail: &GuardrailSetting) -> Result<(), Fault> {
    let is_id =
        |text: &str| (1..=MAX_PATTERN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_id(&guardrail.id) {
        return Err(Fault::new("id", "must be a guardrail's id or ARN"));
    }
    let is_number = (1..=8).contains(&guardrail.version.len())
        && guardrail.version.bytes().all(|byte| byte.is_ascii_digit())
        && !guardrail.version.starts_with('0');
    if guardrail.version != "DRAFT" && !is_number {
        return Err(Fault::new("version", "must be a number or 'DRAFT'"));
    }
    word(
        "trace",
        guardrail.trace.as_deref(),
        &["disabled", "enabled", "enabled_full"],
    )?;
    word("stream_mode", guardrail.stream_mode.as_deref(), &["sync", "async"])
}

fn metadata(metadata: &BTreeMap<String, String>) -> Result<(), Fault> {
    let (pairs, chars) = MAX_METADATA;
    count("metadata", metadata.len(), pairs)?;
    for (key, value) in metadata {
        let path = || format!("metadata.{key}");
        if key.is_empty() || key.chars().count() > chars || value.chars().count() > chars {
            return Err(Fault::new(
                path(),
                format!("must have 1 to {chars} characters, and its value at most as many"),
            ));
        }
        if !text::is_metadata(key) || !text::is_metadata(value) {
            let message = "has a character that Bedrock's request metadata doesn't take: letters of English, digits, \
                           spaces and :_@$#=/+,-. are taken";
            return Err(Fault::new(path(), message));
        }
    }
    Ok(())
}

fn aliases(aliases: &BTreeMap<String, String>) -> Result<(), Fault> {
    count("aliases", aliases.len(), MAX_ENTRIES)?;
    for (name, target) in aliases {
        let is_name = |text: &str| {
            (1..=MAX_PATTERN).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control)
        };
        if !is_name(name) || !is_name(target) {
            return Err(Fault::new(
                format!("aliases.{name}"),
                format!("and what it stands for must be names of 1 to {MAX_PATTERN} bytes"),
            ));
        }
        if name == target {
            return Err(Fault::new(format!("aliases.{name}"), "must not stand for itself"));
        }
    }
    Ok(())
}

/// Who Bedrock is asked as, and where.
fn identity(settings: &Settings) -> Result<(), Fault> {
    if let Some(account) = &settings.account {
        name(account).map_err(|fault| fault.within("account"))?;
    }
    if settings
        .region
        .as_deref()
        .is_some_and(|region| !text::is_region(region))
    {
        return Err(Fault::new("region", "must be an AWS region such as 'eu-central-1'"));
    }
    let role = settings.role_arn.as_deref();
    if role.is_some_and(|role| !text::is_role(role)) {
        let message = "must be the ARN of a role, such as 'arn:aws:iam::123456789012:role/search'";
        return Err(Fault::new("role_arn", message));
    }
    if let Some(id) = &settings.external_id
        && !text::is_external_id(id)
    {
        return Err(Fault::new(
            "external_id",
            "must be 2 to 1224 letters, digits or '_+=,.@:/-'",
        ));
    }
    tags(&settings.session_tags)
}

fn tags(tags: &BTreeMap<String, String>) -> Result<(), Fault> {
    let (most, of_key, of_value) = MAX_TAGS;
    count("session_tags", tags.len(), most)?;
    let mut known = std::collections::BTreeSet::new();
    for (key, value) in tags {
        let path = || format!("session_tags.{key}");
        if !(1..=of_key).contains(&key.chars().count()) || value.chars().count() > of_value {
            let message = format!("must have 1 to {of_key} characters, and its value at most {of_value}");
            return Err(Fault::new(path(), message));
        }
        if !text::is_tag(key) || !text::is_tag(value) {
            let message =
                "has a character that tags of sessions don't take: letters, digits, spaces and _.:/=+-@ are taken";
            return Err(Fault::new(path(), message));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(Fault::new(path(), "must not begin with 'aws:', which is AWS's own"));
        }
        if !known.insert(key.to_lowercase()) {
            return Err(Fault::new(path(), "is there twice; STS takes no notice of capitals"));
        }
    }
    Ok(())
}

fn patterns(path: &str, patterns: &[String]) -> Result<(), Fault> {
    count(path, patterns.len(), MAX_ENTRIES)?;
    for (index, pattern) in patterns.iter().enumerate() {
        let is_fit = (1..=MAX_PATTERN).contains(&pattern.len())
            && pattern.trim() == pattern
            && !pattern.chars().any(char::is_control);
        if !is_fit {
            let message = format!("must be a name or a pattern with '*', of 1 to {MAX_PATTERN} bytes");
            return Err(Fault::new(format!("{path}[{index}]"), message));
        }
    }
    Ok(())
}

fn count(path: &str, there_are: usize, most: usize) -> Result<(), Fault> {
    if there_are > most {
        return Err(Fault::new(path, format!("must have at most {most} entries")));
    }
    Ok(())
}

fn word(path: &str, said: Option<&str>, known: &[&str]) -> Result<(), Fault> {
    match said {
        Some(said) if !known.contains(&said) => {
            let known: Vec<String> = known.iter().map(|word| format!("'{word}'")).collect();
            Err(Fault::new(path, format!("must be one of {}", known.join(", "))))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

//! From what the user wrote to checked settings: flags over environment over file over defaults.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::file;
use super::gateway_variables::translated;
use super::kind::{Raw, Shape};
use super::layers::{Layers, Origin, Value};
use super::models;
use super::nearest::{nearest, unknown};
use super::policies;
use super::problem::Problems;
use super::routing;
use super::table::{Effective, SETTINGS, Setting, Settings};
use crate::litellm::{self, Converted};

/// The variable that names the file.
pub(crate) const CONFIG_VARIABLE: &str = "OUTCROP_CONFIG";

/// The file that is read when none is named.
pub(crate) const DEFAULT_FILE: &str = "outcrop.toml";

/// What the user gave outside the file.
#[derive(Default)]
pub(crate) struct Given {
    /// Settings that flags gave, as text.
    pub(crate) flags: Vec<(&'static Setting, String)>,
    /// The value of `--config`.
    pub(crate) config: Option<PathBuf>,
    /// Where the file is looked for that nobody names; here, if this is `None`.
    pub(crate) folder: Option<PathBuf>,
    /// The environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
}

/// Settings that are in order.
pub(crate) struct Loaded {
    /// The values.
    pub(crate) settings: Settings,
    /// The same, to be shown with their origins.
    pub(crate) effective: Vec<Effective>,
    /// What is odd but no reason to stop.
    pub(crate) warnings: Vec<String>,
    /// The file that was read, if there was one.
    pub(crate) file: Option<PathBuf>,
}

impl Loaded {
    /// Logs the warnings.
    pub(crate) fn warn(&self) {
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
    }

    /// Whether the user left a setting alone.
    pub(crate) fn is_default(&self, name: &str) -> bool {
        self.effective
            .iter()
            .any(|row| row.setting.name == name && row.origin == Origin::Default)
    }
}

/// Reads all layers.
///
/// # Errors
/// All that is wrong in any layer.
pub(crate) fn load(given: &Given) -> Result<Loaded, Problems> {
    let mut problems = Problems::default();
    let (layers, file, warnings) = read(given, &mut problems);
    let (settings, effective) = settle(&layers, problems)?;
    Ok(Loaded {
        settings,
        effective,
        warnings,
        file,
    })
}

/// Whether `outcrop.toml` with this text would be in order, with nothing given beside it.
///
/// # Errors
/// All that is wrong with it.
pub(crate) fn check_text(text: &str) -> Result<(), Problems> {
    let (mut layers, mut problems) = (Layers::new(), Problems::default());
    file::read(Path::new(DEFAULT_FILE), text, &mut layers, &mut problems);
    settle(&layers, problems).map(drop)
}

/// Whether what LiteLLM's file came to is in order, with nothing given beside it.
///
/// # Errors
/// All that is wrong with it, by the lines of that file.
pub(crate) fn check_converted(converted: Converted) -> Result<(), Problems> {
    let mut layers = Layers::new();
    lay(converted, &mut layers);
    settle(&layers, Problems::default()).map(drop)
}

/// Lays what LiteLLM's file came to into its layer. Returns what isn't taken over.
fn lay(converted: Converted, layers: &mut Layers) -> Vec<String> {
    for (name, origin, value) in converted.values {
        if let Some(setting) = Setting::named(name) {
            layers.lay(setting, origin, Value::File(value));
        }
    }
    layers.tables = converted.tables;
    let notes = converted.notes.iter();
    notes.map(|(origin, message)| format!("{origin}: {message}")).collect()
}

/// The settings that the layers come to, unless there is a problem.
fn settle(layers: &Layers, mut problems: Problems) -> Result<(Settings, Vec<Effective>), Problems> {
    match Settings::pick(layers) {
        Ok((mut settings, effective)) => {
            problems.extend(policies::check(&settings, &effective));
            match models::read(&settings, &effective) {
                Ok(catalogue) => {
                    settings.models = catalogue;
                    problems.extend(models::check(&settings, &effective));
                    problems.extend(routing::check(&settings, &effective));
                }
                Err(more) => problems.extend(more),
            }
            if problems.is_empty() {
                return Ok((settings, effective));
            }
        }
        Err(more) => problems.extend(more),
    }
    Err(problems.sorted())
}

/// The operator's catalogue, unread: what is wrong with it is for others to say.
///
/// # Errors
/// What is wrong with the settings by themselves.
pub(crate) fn catalogue_file(given: &Given) -> Result<Option<PathBuf>, Problems> {
    let mut problems = Problems::default();
    let (layers, ..) = read(given, &mut problems);
    match Settings::pick(&layers) {
        Ok((settings, _)) if problems.is_empty() => return Ok(settings.catalogue),
        Ok(_) => {}
        Err(more) => problems.extend(more),
    }
    Err(problems.sorted())
}

/// The address to listen on, whatever is wrong with other settings: a gateway that is running has refused a file that is
/// not in order, and goes on.
///
/// # Errors
/// What is wrong, where that may be why no layer names an address.
pub(crate) fn listen(given: &Given) -> Result<SocketAddr, Problems> {
    let (mut problems, mut effective) = (Problems::default(), Vec::new());
    let (layers, ..) = read(given, &mut problems);
    let row = layers.rows.iter().find(|row| row.is_of("listen"));
    let address = row.and_then(|row| row.pick::<SocketAddr>(&mut problems, &mut effective));
    let is_named = effective.iter().any(|row| row.origin != Origin::Default);
    match address {
        Some(address) if is_named || problems.is_empty() => Ok(address),
        _ => Err(problems.sorted()),
    }
}

/// All layers, the file if there is one, and warnings.
fn read(given: &Given, problems: &mut Problems) -> (Layers, Option<PathBuf>, Vec<String>) {
    let mut layers = Layers::new();
    let mut warnings = Vec::new();
    let file = read_file(given, &mut layers, problems, &mut warnings);
    warnings.extend(read_environment(&given.environment, &mut layers, problems));
    for (setting, text) in &given.flags {
        layers.lay(setting, Origin::Flag(setting.flag()), Value::Text(text.clone()));
    }
    (layers, file, warnings)
}

/// The settings file, which may be missing if nobody named it, and who did.
pub(crate) fn config_file(given: &Given) -> (PathBuf, Option<Origin>) {
    let variable = given
        .environment
        .iter()
        .find(|(name, value)| name == CONFIG_VARIABLE && !value.is_empty());
    match (&given.config, variable) {
        (Some(path), _) => (path.clone(), Some(Origin::Flag("config".to_owned()))),
        (None, Some((_, value))) => (value.into(), Some(Origin::Environment(CONFIG_VARIABLE.to_owned()))),
        (None, None) => {
            let folder = given.folder.clone().unwrap_or_default();
            (folder.join(DEFAULT_FILE), None)
        }
    }
}

/// A file that is named must be there; `./outcrop.toml` may be missing.
fn read_file(
    given: &Given,
    layers: &mut Layers,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Option<PathBuf> {
    let (path, named_by) = config_file(given);
    match fs::read_to_string(&path) {
        Ok(text) => {
            if litellm::is_config(&path, &text) {
                let converted = litellm::convert(&path, &text, &given.environment, problems);
                warnings.extend(lay(converted, layers));
            } else {
                file::read(&path, &text, layers, problems);
            }
            Some(path)
        }
        Err(error) if error.kind() == ErrorKind::NotFound && named_by.is_none() => None,
        Err(error) => {
            let origin = named_by.unwrap_or_else(|| Origin::File(path.clone(), 0));
            problems.add(origin, format!("cannot read {}: {error}", display(&path)));
            None
        }
    }
}

fn display(path: &Path) -> String {
    format!("{:?}", path.to_string_lossy())
}

/// A setting's own variable wins over its fallbacks. Returns a warning for each variable that looks like ours and is
/// unknown.
fn read_environment(environment: &[(OsString, OsString)], layers: &mut Layers, problems: &mut Problems) -> Vec<String> {
    for setting in SETTINGS {
        let Some((name, value)) = variable_of(setting, environment) else {
            continue;
        };
        let origin = Origin::Environment(name.to_owned());
        match value.to_str() {
            Some(text) => {
                if let Some(text) = translated(name, text) {
                    layers.lay(setting, origin, Value::Text(text.into_owned()));
                }
            }
            None => problems.add(
                origin,
                format!("expected {}, found something that is not UTF-8", setting.expected),
            ),
        }
    }

    let known = || SETTINGS.iter().map(Setting::env).chain([CONFIG_VARIABLE.to_owned()]);
    environment
        .iter()
        .filter_map(|(name, _)| name.to_str())
        .filter(|name| name.starts_with("OUTCROP_") && !known().any(|known| known == *name))
        .map(|name| unknown("variable", name, nearest(name, known())))
        .collect()
}

/// The variable that counts for a setting: its own if it is there at all, else the first of the others that says
/// something.
fn variable_of<'a>(
    setting: &'static Setting,
    environment: &'a [(OsString, OsString)],
) -> Option<(&'a str, &'a OsString)> {
    let find = |name: &str| {
        let (name, value) = environment.iter().find(|(known, _)| known == name)?;
        Some((name.to_str()?, value))
    };
    let others = || setting.env_fallbacks.iter().filter_map(|name| find(name));
    find(&setting.env())
        .or_else(|| others().find(|(_, value)| !value.is_empty()))
        .or_else(|| others().next())
}

/// What the variables of other gateways say, in our words.
pub(crate) fn of_other_gateways(given: &Given) -> Vec<(&'static str, Origin, Raw)> {
    let mut found = Vec::new();
    for setting in SETTINGS {
        let Some((name, value)) = variable_of(setting, &given.environment) else {
            continue;
        };
        let is_theirs = setting.env_fallbacks.contains(&name) && !name.starts_with("AWS_");
        let text = value.to_str().filter(|text| is_theirs && !text.is_empty());
        let Some(text) = text.and_then(|text| translated(name, text)) else {
            continue;
        };
        let text = Raw::Text(text.into_owned());
        let value = match (setting.shape, &text) {
            (Shape::List, Raw::Text(words)) => {
                let words = words.split(',').map(|word| Raw::Text(word.trim().to_owned()));
                Raw::List(words.collect())
            }
            (Shape::Switch, Raw::Text(word)) => Raw::Bool(word == "true"),
            _ => text,
        };
        found.push((setting.name, Origin::Environment(name.to_owned()), value));
    }
    let region = given.environment.iter().find(|(name, _)| name == "AWS_REGION");
    if let Some(region) = region
        .and_then(|(_, region)| region.to_str())
        .filter(|region| !region.is_empty())
    {
        let origin = Origin::Environment("AWS_REGION".to_owned());
        found.push(("region", origin, Raw::Text(region.to_owned())));
    }
    found
}

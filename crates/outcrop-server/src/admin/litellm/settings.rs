//! LiteLLM's members as settings, and budgets back.

use std::collections::BTreeMap;

use outcrop_tenants::validate::{self, Fault};
use outcrop_tenants::{Budget, Money, Period, Settings};
use outcrop_translate::Problem;
use serde_json::{Map, Value};

use super::super::problems::{invalid, of_fault};
use super::members::{Given, Members};
use super::time;

/// Words for models that mean all that the team has, or all that there are.
const ALL_MODELS: [&str; 3] = ["all-proxy-models", "all-team-models", "*"];
/// The word for none.
const NO_MODELS: &str = "no-default-models";
/// Words for paths that keys here have anyway.
const MODEL_ROUTES: [&str; 2] = ["llm_api_routes", "openai_routes"];
/// What our members are called there.
const NAMES: [(&str, &str); 6] = [
    ("allowed_models", "models"),
    ("allowed_endpoints", "allowed_routes"),
    ("requests_per_minute", "rpm_limit"),
    ("tokens_per_minute", "tpm_limit"),
    ("concurrent_requests", "max_parallel_requests"),
    ("budgets", "max_budget"),
];

/// Changes settings as the members say.
pub(super) fn apply(members: &mut Members, settings: &mut Settings) -> Result<(), Problem> {
    if let Some(models) = members.texts("models")? {
        settings.allowed_models = models.and_then(allowed_models);
    }
    if let Some(routes) = members.texts("allowed_routes")? {
        settings.allowed_endpoints = allowed_endpoints(routes.unwrap_or_default())?;
    }
    match members.text("key_type")?.flatten().as_deref() {
        None | Some("default" | "llm_api") => {}
        Some(_) => {
            return Err(invalid(
                "key_type",
                "must be 'llm_api': keys for administration are made at /admin/v1/admin_keys",
            ));
        }
    }
    if let Some(limit) = members.count("rpm_limit")? {
        settings.requests_per_minute = limit;
    }
    if let Some(limit) = members.count("tpm_limit")? {
        settings.tokens_per_minute = limit;
    }
    if let Some(limit) = members.count("max_parallel_requests")? {
        settings.concurrent_requests = match limit.map(u32::try_from) {
            None => None,
            Some(Ok(limit)) => Some(limit),
            Some(Err(_)) => return Err(invalid("max_parallel_requests", "is too large")),
        };
    }
    if let Some(metadata) = members.object("metadata")? {
        settings.metadata = texts("metadata", metadata.unwrap_or_default())?;
    }
    if let Some(tags) = members.texts("tags")? {
        match tags.filter(|tags| !tags.is_empty()) {
            Some(tags) => settings.metadata.insert("tags".to_owned(), tags.join(",")),
            None => settings.metadata.remove("tags"),
        };
    }
    if let Some(aliases) = members.object("aliases")? {
        settings.aliases = texts("aliases", aliases.unwrap_or_default())?;
    }
    budgets(members, settings)?;
    validate::check_settings(settings).map_err(|fault| of_fault(renamed(fault)))
}

/// A fault by the name that the caller knows.
fn renamed(fault: Fault) -> Fault {
    let own = NAMES.iter().find(|(ours, _)| fault.path.starts_with(ours));
    match own {
        Some((ours, theirs)) => {
            let rest = fault.path[ours.len()..].to_owned();
            let rest = if *ours == "budgets" { String::new() } else { rest };
            Fault::new(format!("{theirs}{rest}"), fault.message)
        }
        None => fault,
    }
}

/// `None` for all.
fn allowed_models(models: Vec<String>) -> Option<Vec<String>> {
    if models.is_empty() || models.iter().any(|model| ALL_MODELS.contains(&model.as_str())) {
        return None;
    }
    Some(models.into_iter().filter(|model| model != NO_MODELS).collect())
}

fn allowed_endpoints(routes: Vec<String>) -> Result<Option<Vec<String>>, Problem> {
    if routes.is_empty() || routes.iter().any(|route| MODEL_ROUTES.contains(&route.as_str())) {
        return Ok(None);
    }
    let mut paths = Vec::new();
    for (index, route) in routes.into_iter().enumerate() {
        if !route.starts_with('/') {
            let what = "must be 'llm_api_routes' or a path: keys for administration are made at /admin/v1/admin_keys";
            return Err(invalid(&format!("allowed_routes[{index}]"), what));
        }
        let has_version = route.starts_with("/v1/") || route.starts_with("/v2/");
        paths.push(if has_version { route } else { format!("/v1{route}") });
    }
    Ok(Some(paths))
}

/// Texts by name. Numbers and truth values become their texts; what has members of its own doesn't fit.
fn texts(member: &str, object: Map<String, Value>) -> Result<BTreeMap<String, String>, Problem> {
    let mut texts = BTreeMap::new();
    for (name, value) in object {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err(invalid(
                    &format!("{member}.{name}"),
                    "must be a text, a number, true or false",
                ));
            }
        };
        texts.insert(name, text);
    }
    Ok(texts)
}

/// Budgets as LiteLLM says them: one that stops and one that warns, of the same duration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Single {
    pub(super) max: Option<Money>,
    pub(super) soft: Option<Money>,
    pub(super) period: Option<Period>,
}

impl Single {
    /// `None` if there are more.
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        let mut single = Self::default();
        for budget in &settings.budgets {
            let place = if budget.soft { &mut single.soft } else { &mut single.max };
            let is_other = single.period.is_some_and(|period| period != budget.period);
            if is_other || place.replace(budget.limit_usd).is_some() {
                return None;
            }
            single.period = Some(budget.period);
        }
        Some(single)
    }
}

fn budgets(members: &mut Members, settings: &mut Settings) -> Result<(), Problem> {
    let max = members.number("max_budget")?;
    let soft = members.number("soft_budget")?;
    let duration = members.text("budget_duration")?;
    if let Some(windows) = members.list("budget_limits")?
        && windows.as_ref().is_some_and(|windows| !windows.is_empty())
    {
        if [max, soft].iter().any(|amount| amount.flatten().is_some()) || duration.as_ref().is_some_and(Option::is_some)
        {
            return Err(invalid(
                "budget_limits",
                "must not stand beside 'max_budget', 'soft_budget' or 'budget_duration'",
            ));
        }
        settings.budgets = several(windows.unwrap_or_default())?;
        return Ok(());
    }
    if max.is_none() && soft.is_none() && duration.is_none() {
        return Ok(());
    }
    let old = Single::of(settings).ok_or_else(|| {
        let what =
            "can't be changed by itself: there are budgets of several periods; say 'budget_limits', or use /admin/v1";
        invalid("max_budget", what)
    })?;
    let warn_at = settings
        .budgets
        .iter()
        .find(|budget| !budget.soft)
        .and_then(|budget| budget.warn_at);
    let max = changed("max_budget", max, old.max)?;
    let soft = changed("soft_budget", soft, old.soft)?;
    let period = match duration {
        None => old.period.unwrap_or(Period::Total),
        Some(None) => Period::Total,
        Some(Some(text)) => {
            if max.is_none() && soft.is_none() {
                return Err(invalid("budget_duration", "needs 'max_budget'"));
            }
            period("budget_duration", &text)?
        }
    };
    let stops = max.map(|limit_usd| Budget {
        period,
        limit_usd,
        warn_at,
        soft: false,
    });
    let warns = soft.map(|limit_usd| Budget {
        period,
        limit_usd,
        warn_at: None,
        soft: true,
    });
    settings.budgets = stops.into_iter().chain(warns).collect();
    Ok(())
}

fn changed(member: &str, said: Given<f64>, old: Option<Money>) -> Result<Option<Money>, Problem> {
    match said {
        None => Ok(old),
        Some(None) => Ok(None),
        Some(Some(dollars)) => match Money::from_dollars(dollars) {
            Some(money) => Ok(Some(money)),
            None => Err(invalid(member, "is too large")),
        },
    }
}

fn period(member: &str, text: &str) -> Result<Period, Problem> {
    time::period(text).ok_or_else(|| {
        let what = "must be '1d', '7d' or '30d', for a day, a week or a month of the calendar; left out, a budget is never \
                    set back";
        invalid(member, what)
    })
}

/// Budgets of several periods: `[{"budget_duration": "1d", "max_budget": 5}]`.
fn several(windows: Vec<Value>) -> Result<Vec<Budget>, Problem> {
    let mut budgets = Vec::new();
    for (index, window) in windows.into_iter().enumerate() {
        let member = |name: &str| format!("budget_limits[{index}].{name}");
        if let Some(other) = window
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .find(|name| !matches!(name.as_str(), "max_budget" | "budget_duration" | "reset_at"))
        {
            return Err(invalid(&member(other), "is not known"));
        }
        let dollars = window.get("max_budget").and_then(Value::as_f64);
        let limit = dollars.and_then(Money::from_dollars);
        let duration = window.get("budget_duration").and_then(Value::as_str);
        budgets.push(Budget {
            period: period(&member("budget_duration"), duration.unwrap_or_default())?,
            limit_usd: limit.ok_or_else(|| invalid(&member("max_budget"), "must be a number"))?,
            warn_at: None,
            soft: false,
        });
    }
    Ok(budgets)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn applied(members: Value) -> Result<Value, Problem> {
        onto(&Settings::default(), members)
    }

    fn onto(settings: &Settings, members: Value) -> Result<Value, Problem> {
        let (mut members, mut settings) = (Members::of(members), settings.clone());
        apply(&mut members, &mut settings)?;
        members.finish()?;
        Ok(serde_json::to_value(settings).unwrap())
    }

    #[test]
    fn members_become_settings() {
        let members = json!({
            "models": ["claude-*"], "max_budget": 25, "budget_duration": "30d", "soft_budget": 20.5, "rpm_limit": 10,
            "tpm_limit": 1000, "max_parallel_requests": 3, "metadata": {"team": "core", "n": 1, "x": null},
            "tags": ["a", "b"], "aliases": {"gpt-4": "nova"}, "allowed_routes": ["/chat/completions", "/v2/rerank"],
        });
        let expected = json!({
            "allowed_models": ["claude-*"],
            "allowed_endpoints": ["/v1/chat/completions", "/v2/rerank"],
            "requests_per_minute": 10,
            "tokens_per_minute": 1000,
            "concurrent_requests": 3,
            "budgets": [
                {"period": "month", "limit_usd": 25.0},
                {"period": "month", "limit_usd": 20.5, "soft": true},
            ],
            "metadata": {"n": "1", "tags": "a,b", "team": "core"},
            "aliases": {"gpt-4": "nova"},
        });
        assert_eq!(applied(members).unwrap(), expected);
        for nothing in [
            json!({}),
            json!({"models": []}),
            json!({"models": ["all-team-models"], "max_budget": null}),
        ] {
            assert_eq!(applied(nothing).unwrap(), json!({}));
        }
        assert_eq!(
            applied(json!({"models": ["no-default-models"]})).unwrap(),
            json!({"allowed_models": []})
        );
        let windows = json!({"budget_limits": [{"budget_duration": "1d", "max_budget": 1}, {"budget_duration": "30d", "max_budget": 9}]});
        assert_eq!(
            applied(windows).unwrap()["budgets"][1],
            json!({"period": "month", "limit_usd": 9.0})
        );
    }

    #[test]
    fn an_update_changes_what_it_says() {
        let old =
            validate::read_settings(json!({"budgets": [{"period": "day", "limit_usd": 5, "warn_at": 0.5}]})).unwrap();
        let budgets = |members| onto(&old, members).unwrap()["budgets"].clone();
        assert_eq!(
            budgets(json!({"max_budget": 6})),
            json!([{"period": "day", "limit_usd": 6.0, "warn_at": 0.5}])
        );
        assert_eq!(budgets(json!({"budget_duration": "7d"}))[0]["period"], "week");
        assert_eq!(budgets(json!({"budget_duration": null}))[0]["period"], "total");
        assert_eq!(budgets(json!({"max_budget": null})), Value::Null);
        assert_eq!(budgets(json!({"soft_budget": 1}))[1]["soft"], true);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (members, param) in [
            (json!({"max_budget": 1, "budget_duration": "12h"}), "budget_duration"),
            (json!({"budget_duration": "1d"}), "budget_duration"),
            (json!({"max_budget": -1}), "max_budget"),
            (json!({"max_budget": 1e300}), "max_budget"),
            (json!({"rpm_limit": 0}), "rpm_limit"),
            (json!({"models": ["x", ""]}), "models[1]"),
            (json!({"metadata": {"a": {"b": 1}}}), "metadata.a"),
            (json!({"key_type": "management"}), "key_type"),
            (json!({"allowed_routes": ["management_routes"]}), "allowed_routes[0]"),
            (
                json!({"budget_limits": [{"max_budget": 1}]}),
                "budget_limits[0].budget_duration",
            ),
            (
                json!({"max_parallel_requests": 5_000_000_000_u64}),
                "max_parallel_requests",
            ),
        ] {
            assert_eq!(
                applied(members.clone()).unwrap_err().param.as_deref(),
                Some(param),
                "{members}"
            );
        }
    }
}

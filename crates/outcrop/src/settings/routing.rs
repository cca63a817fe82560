//! Accounts, routes and quotas together: read, checked against each other, printed, described.

use std::fmt::Write;

use outcrop_server::resolve::Purpose;
use serde_json::Value as Json;

use super::accounts::{self, ACCOUNTS, AccountTable, named, unknown_account};
use super::issuers::{self, ISSUERS, IssuerTable};
use super::kind::RawTable;
use super::layers::Origin;
use super::models::{Known, origin};
use super::nearest::nearest;
use super::problem::Problems;
use super::quotas::{self, QUOTAS, QuotaTable};
use super::routes::{self, ROUTES, RouteTable};
use super::rows::{self, Key, Shown, inline};
use super::table::{Effective, Settings};

/// The keys in the file that hold such tables.
pub(super) const NAMES: [&str; 4] = [ACCOUNTS, ROUTES, QUOTAS, ISSUERS];

/// The tables as the file has them.
#[derive(Debug, Default)]
pub(crate) struct RawTables {
    pub(crate) accounts: Vec<RawTable>,
    pub(crate) routes: Vec<RawTable>,
    pub(crate) quotas: Vec<RawTable>,
    pub(crate) issuers: Vec<RawTable>,
}

impl RawTables {
    /// Where the tables under a key go.
    pub(super) fn under(&mut self, key: &str) -> Option<&mut Vec<RawTable>> {
        match key {
            ACCOUNTS => Some(&mut self.accounts),
            ROUTES => Some(&mut self.routes),
            QUOTAS => Some(&mut self.quotas),
            ISSUERS => Some(&mut self.issuers),
            _ => None,
        }
    }
}

/// The tables, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) accounts: Vec<AccountTable>,
    pub(crate) routes: Vec<RouteTable>,
    pub(crate) quotas: Vec<QuotaTable>,
    pub(crate) issuers: Vec<IssuerTable>,
}

impl Tables {
    /// Says in the log which there are, by their names.
    pub(crate) fn tell(&self) {
        let accounts: Vec<&str> = self.accounts.iter().map(|table| &*table.account.name).collect();
        let routes: Vec<&str> = self.routes.iter().map(|table| &*table.route.name).collect();
        if !accounts.is_empty() || !routes.is_empty() {
            let (accounts, routes) = (accounts.join(", "), routes.join(", "));
            tracing::info!(accounts, routes, "models are routed");
        }
    }
}

/// Reads all tables, each by itself.
pub(super) fn read(raw: &RawTables, problems: &mut Problems) -> Tables {
    let accounts = raw.accounts.iter();
    let accounts = accounts.filter_map(|table| accounts::read(table, problems)).collect();
    let routes = raw.routes.iter();
    let routes = routes.filter_map(|table| routes::read(table, problems)).collect();
    let quotas = raw.quotas.iter().map(|table| quotas::read(table, problems)).collect();
    let issuers = raw.issuers.iter();
    let issuers = issuers.filter_map(|table| issuers::read(table, problems)).collect();
    Tables {
        accounts,
        routes,
        quotas,
        issuers,
    }
}

/// What can only be wrong with several of them together, and with names.
pub(super) fn check(settings: &Settings, effective: &[Effective]) -> Problems {
    let mut problems = Problems::default();
    let tables = &settings.tables;
    accounts::check_all(&tables.accounts, &mut problems);
    issuers::check_all(&tables.issuers, &mut problems);
    quotas::check_all(&tables.quotas, &tables.accounts, &mut problems);
    for (index, table) in tables.routes.iter().enumerate() {
        let earlier = tables.routes.iter().take(index);
        check_route(table, earlier, settings, &mut problems);
    }
    for (name, list) in [
        ("fallbacks", &settings.fallbacks),
        ("context_window_fallbacks", &settings.context_window_fallbacks),
        ("content_policy_fallbacks", &settings.content_policy_fallbacks),
    ] {
        for model in list.iter() {
            if let Some(problem) = unknown_fallback(model.as_str(), settings) {
                problems.add(origin(name, effective), format!("{name}: {problem}"));
            }
        }
    }
    problems
}

fn check_route<'a>(
    table: &RouteTable,
    mut earlier: impl Iterator<Item = &'a RouteTable>,
    settings: &Settings,
    problems: &mut Problems,
) {
    let route = &table.route;
    if let Some(first) = earlier.find(|other| is_same(&other.route.name, &route.name)) {
        let message = format!(
            "routes.name: there is a route {:?} already, at {}",
            route.name, first.origin
        );
        problems.add(table.origin.clone(), message);
    }
    for (list, models) in [
        ("fallbacks", &route.fallbacks.general),
        ("context_window_fallbacks", &route.fallbacks.context_window),
        ("content_policy_fallbacks", &route.fallbacks.content_policy),
    ] {
        for model in models {
            if is_same(model, &route.name) {
                let message = format!("routes.{list}: {model:?} would fall back to itself, over and over");
                problems.add(table.origin.clone(), message);
            } else if let Some(problem) = unknown_fallback(model, settings) {
                problems.add(table.origin.clone(), format!("routes.{list}: {problem}"));
            }
        }
    }
    for (target, (origin, _)) in route.targets.iter().zip(&table.targets) {
        if let Some(problem) = target_problem(&route.name, target, settings) {
            problems.add(origin.clone(), format!("routes.targets.{problem}"));
        }
    }
}

fn target_problem(route: &str, target: &outcrop_routing::RouteTarget, settings: &Settings) -> Option<String> {
    let accounts = &settings.tables.accounts;
    if let Some(account) = target.account.as_ref().filter(|name| named(accounts, name).is_none()) {
        return Some(format!("account: {}", unknown_account(accounts, account)));
    }
    let Some(model) = &target.model else {
        // What a pattern lets through is known when it is asked for.
        let is_open = route.contains('*') || target.model_id.is_some();
        let problem = (!is_open).then(|| problem_of(route, settings)).flatten()?;
        return Some(format!("model: none is named, and the route's name is none: {problem}"));
    };
    if model.contains('*') {
        return (!route.contains('*')).then(|| format!("model: {model:?} has a `*`, and the route's name has none"));
    }
    let mut others = settings.tables.routes.iter().map(|table| &table.route.name);
    if others.any(|name| is_same(name, model) && !is_same(name, route)) {
        return Some(format!("model: {model:?} is a route; a target names a model"));
    }
    problem_of(model, settings).map(|problem| format!("model: {problem}"))
}

/// Why a fallback is nothing that can be asked.
fn unknown_fallback(model: &str, settings: &Settings) -> Option<String> {
    if model.contains('*') {
        return Some(format!("{model:?}: a fallback is one model, without `*`"));
    }
    let mut routes = settings.tables.routes.iter().map(|table| &table.route.name);
    if routes.any(|name| fits(name, model)) {
        return None;
    }
    let problem = problem_of(model, settings)?;
    let names = settings.tables.routes.iter().map(|table| table.route.name.clone());
    Some(match nearest(model, names) {
        Some(route) => format!("{problem} Did you mean the route {route:?}?"),
        None => problem,
    })
}

/// Whether a route's name means a model's.
fn fits(route: &str, model: &str) -> bool {
    route
        .parse::<outcrop_server::resolve::NamePattern>()
        .is_ok_and(|pattern| pattern.matches(model))
}

fn problem_of(model: &str, settings: &Settings) -> Option<String> {
    Known::of(settings).problem_with_aliases(model, Purpose::Chat)
}

fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Adds the tables to a page of the effective settings.
pub(super) fn print(page: &mut String, tables: &Tables) {
    for table in &tables.accounts {
        print_table(page, "[[accounts]]", &table.origin, &table.shown);
    }
    for table in &tables.routes {
        print_table(page, "[[routes]]", &table.origin, &table.shown);
        for (origin, shown) in &table.targets {
            print_table(page, "[[routes.targets]]", origin, shown);
        }
    }
    for table in &tables.quotas {
        print_table(page, "[[quotas]]", &table.origin, &table.shown);
    }
    for table in &tables.issuers {
        print_table(page, "[[issuers]]", &table.origin, &table.shown);
    }
}

fn print_table(page: &mut String, head: &str, origin: &Origin, shown: &Shown) {
    let _ = writeln!(page, "\n{head:<44} # {origin}");
    for (name, value) in shown {
        let _ = writeln!(page, "{name} = {}", inline(value));
    }
}

/// The schema of each key.
pub(super) fn schemas() -> [(&'static str, Json); 4] {
    [
        (
            ACCOUNTS,
            rows::schema(
                accounts::KEYS,
                &["name"],
                "Identities besides the gateway's own, with their regions.",
            ),
        ),
        (
            ROUTES,
            rows::schema(
                routes::KEYS,
                &["name", "targets"],
                "What public model names stand for; the first that fits counts.",
            ),
        ),
        (
            QUOTAS,
            rows::schema(
                quotas::KEYS,
                &[],
                "What is known of AWS's quotas. Later tables win over earlier ones, number by number.",
            ),
        ),
        (
            ISSUERS,
            rows::schema(
                issuers::KEYS,
                &["issuer", "audiences"],
                "Who issues tokens (OIDC, JWT) that somebody may log in with.",
            ),
        ),
    ]
}

/// The part of the reference page on them.
pub(super) fn reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (head, keys) in [
        ("### `[[accounts]]`", accounts::KEYS),
        ("### `[[routes]]`", routes::KEYS),
        ("### `[[routes.targets]]`", routes::TARGET_KEYS),
        ("### `[[quotas]]`", quotas::KEYS),
        ("### `[[issuers]]`", issuers::KEYS),
    ] {
        let _ = writeln!(page, "\n{head}\n\n| Key | What it says |\n|---|---|");
        for Key { name, about, .. } in keys {
            let _ = writeln!(page, "| `{name}` | {about} |");
        }
    }
    page
}

const INTRODUCTION: &str = r#"
## Accounts, routes and quotas

Tables at the end of the file make several regions, accounts and models look like one that answers:

```toml
[[accounts]]
name = "batch"
region = "us-west-2"
role_arn = "arn:aws:iam::123456789012:role/bedrock"
external_id = "os.environ/BEDROCK_EXTERNAL_ID"

[[routes]]
name = "sonnet"
strategy = "weighted"
fallbacks = ["Nova-Pro"]

[[routes.targets]]
model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
weight = 3

[[routes.targets]]
model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
account = "batch"
parameters = { temperature = 0.2 }

[[quotas]]
model = "*claude-sonnet-4-5*"
account = "batch"
tokens_per_minute = 200_000
```

`[[issuers]]` says whose tokens somebody may [log in](login.md#tokens-of-an-issuer) with:

```toml
[[issuers]]
issuer = "https://login.example.com"
audiences = ["https://gateway.example.com"]
user_claim = "email"
```

Keys and secrets, here and in `api_keys`, `bedrock_api_key` and `response_cache`, may say where they stand instead:

| Written | Where it stands |
|---|---|
| `os.environ/NAME` or `${NAME}` | A variable of the environment. |
| `file:/run/secrets/key` | A file, without the line break at its end. |
| `secretsmanager:NAME`, or the secret's ARN | A secret of Secrets Manager; `#member` behind it names a member of a JSON object. |
| `ssm:/path/name`, or the parameter's ARN | A parameter of Systems Manager's Parameter Store. |

`outcrop config print` shows references as they are, and masks all else.
"#;

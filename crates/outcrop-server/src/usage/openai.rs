//! OpenAI's usage and costs of an organization (OpenAI's API description, `UsageResponse`, read 2026-11).

use jiff::tz::TimeZone;
use outcrop_store::{Filter, GroupBy, Store, UsageRow};
use outcrop_translate::Problem;
use serde_json::{Map, Value, json};

use super::access::Scope;
use super::query::{Format, Parameters, Question, invalid};
use super::report::{Report, add, group};
use super::slots::Width;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Completions,
    Embeddings,
    Moderations,
    Images,
    Costs,
}

/// What a result is grouped by: its member, and the sums that it is made of.
type Group = (&'static str, Option<GroupBy>);

const PROJECT: Group = ("project_id", Some(GroupBy::Project));
const USER: Group = ("user_id", Some(GroupBy::User));
const KEY: Group = ("api_key_id", Some(GroupBy::Key));
const MODEL: Group = ("model", Some(GroupBy::Model));

/// The images' endpoints, in OpenAI's words.
const SOURCES: [(&str, &str); 3] = [
    ("/v1/images/generations", "image.generation"),
    ("/v1/images/edits", "image.edit"),
    ("/v1/images/variations", "image.variation"),
];

impl Kind {
    /// What stands in the path, and in the results.
    fn name(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Moderations => "moderations",
            Self::Images => "images",
            Self::Costs => "costs",
        }
    }

    fn object(self) -> String {
        match self {
            Self::Costs => "organization.costs.result".to_owned(),
            kind => format!("organization.usage.{}.result", kind.name()),
        }
    }

    /// What results may be grouped by.
    fn groups(self) -> &'static [Group] {
        match self {
            Self::Completions => &[
                PROJECT,
                USER,
                KEY,
                MODEL,
                ("batch", None),
                ("service_tier", Some(GroupBy::Tier)),
            ],
            Self::Embeddings | Self::Moderations => &[PROJECT, USER, KEY, MODEL],
            Self::Images => &[
                PROJECT,
                USER,
                KEY,
                MODEL,
                ("size", None),
                ("source", Some(GroupBy::Endpoint)),
            ],
            Self::Costs => &[PROJECT, ("line_item", Some(GroupBy::Model)), KEY],
        }
    }

    fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Completions => &[
                "start_time",
                "end_time",
                "bucket_width",
                "project_ids",
                "user_ids",
                "api_key_ids",
                "models",
                "batch",
                "group_by",
                "limit",
                "page",
            ],
            Self::Embeddings | Self::Moderations => &[
                "start_time",
                "end_time",
                "bucket_width",
                "project_ids",
                "user_ids",
                "api_key_ids",
                "models",
                "group_by",
                "limit",
                "page",
            ],
            Self::Images => &[
                "start_time",
                "end_time",
                "bucket_width",
                "sources",
                "sizes",
                "project_ids",
                "user_ids",
                "api_key_ids",
                "models",
                "group_by",
                "limit",
                "page",
            ],
            Self::Costs => &[
                "start_time",
                "end_time",
                "bucket_width",
                "project_ids",
                "api_key_ids",
                "group_by",
                "limit",
                "page",
            ],
        }
    }
}

/// What was asked, read.
#[derive(Debug)]
struct Asked {
    question: Question,
    groups: Vec<Group>,
    sources: Vec<String>,
    /// Whether only batches are asked for, of which there are none.
    is_empty: bool,
}

impl Asked {
    fn read(kind: Kind, query: &str, now: i64) -> Result<Self, Problem> {
        let said = Parameters::read(query);
        said.only(kind.parameters())?;
        let second = |seconds: i64| seconds.saturating_mul(1000);
        let bounds = (0, 253_402_300_799);
        let Some(start) = said.number(&["start_time"], bounds)? else {
            let message = "Missing required parameter: 'start_time', in seconds since 1970.";
            return Err(Problem::invalid(message)
                .with_code("missing_required_parameter")
                .with_param("start_time"));
        };
        let end = said.number(&["end_time"], bounds)?;
        if let Some(end) = end.filter(|end| *end <= start) {
            return Err(invalid("end_time", &end.to_string(), "a time behind 'start_time'"));
        }
        let (width, default, most) = match said.one(&["bucket_width"]) {
            None | Some((_, "1d")) if kind == Kind::Costs => (Width::Day, 7, 180),
            None | Some((_, "1d")) => (Width::Day, 7, 31),
            Some((_, "1h")) if kind != Kind::Costs => (Width::Hour, 24, 168),
            Some((_, "1m")) if kind != Kind::Costs => (Width::Minute, 60, 1440),
            Some((name, value)) => {
                let expected = if kind == Kind::Costs {
                    "'1d'"
                } else {
                    "'1m', '1h' or '1d'"
                };
                return Err(invalid(name, value, expected));
            }
        };
        let limit = said.number(&["limit"], (1, most))?.unwrap_or(default);
        let mut groups: Vec<Group> = Vec::new();
        for word in said.all(&["group_by"], true)? {
            let known = kind.groups();
            let Some(found) = known.iter().find(|(name, _)| *name == word) else {
                let words: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                return Err(invalid("group_by", &word, &format!("one of {}", words.join(", "))));
            };
            if !groups.contains(found) {
                groups.push(*found);
            }
        }
        let mut group_by: Vec<GroupBy> = groups.iter().filter_map(|(_, by)| *by).collect();
        let sources = sources(&said)?;
        if !sources.is_empty() && !group_by.contains(&GroupBy::Endpoint) {
            group_by.push(GroupBy::Endpoint);
        }
        if let Some((name, value)) = said.one(&["sizes"]) {
            return Err(invalid(name, value, "nothing: sizes of images aren't kept"));
        }
        let batch = match said.one(&["batch"]) {
            None | Some((_, "false")) => false,
            Some((_, "true")) => true,
            Some((name, value)) => return Err(invalid(name, value, "'true' or 'false'")),
        };
        let mut from = second(start);
        if let Some((name, value)) = said.one(&["page"]) {
            let page = value
                .strip_prefix("page_")
                .and_then(|page| i64::from_str_radix(page, 16).ok());
            let page = page.filter(|page| (0..=second(bounds.1)).contains(page));
            from = page
                .ok_or_else(|| invalid(name, value, "the 'next_page' of an answer"))?
                .max(from);
        }
        Ok(Self {
            question: Question {
                filter: Filter {
                    project_ids: said.all(&["project_ids"], true)?,
                    key_ids: said.all(&["api_key_ids"], true)?,
                    users: said.all(&["user_ids"], false)?,
                    models: said.all(&["models"], true)?,
                    operations: match kind {
                        Kind::Costs => Vec::new(),
                        kind => vec![kind.name().to_owned()],
                    },
                    ..Filter::default()
                },
                from,
                until: end.map_or(now + 1, second),
                width,
                zone: TimeZone::UTC,
                group_by,
                format: Format::Json,
                limit: usize::try_from(limit).unwrap_or(usize::MAX),
            },
            groups,
            sources,
            is_empty: batch,
        })
    }
}

fn sources(said: &Parameters) -> Result<Vec<String>, Problem> {
    let sources = said.all(&["sources"], true)?;
    let unknown = sources
        .iter()
        .find(|source| !SOURCES.iter().any(|(_, known)| known == source));
    match unknown {
        Some(unknown) => {
            let expected = "'image.generation', 'image.edit' or 'image.variation'";
            Err(invalid("sources", unknown, expected))
        }
        None => Ok(sources),
    }
}

/// Answers `GET /v1/organization/usage/…` and `/v1/organization/costs`.
pub(super) async fn answer(store: &Store, scope: &Scope, kind: Kind, query: &str, now: i64) -> Result<Value, Problem> {
    let asked = Asked::read(kind, query, now)?;
    let report = Report::fetch(store, scope, &asked.question).await?;
    let data: Vec<Value> = report
        .slots
        .iter()
        .map(|(slot, rows)| {
            json!({
                "object": "bucket",
                "start_time": slot.start.div_euclid(1000),
                "end_time": slot.end.div_euclid(1000),
                "results": results(kind, &asked, rows),
            })
        })
        .collect();
    Ok(json!({
        "object": "page",
        "data": data,
        "has_more": report.next.is_some(),
        "next_page": report.next.map(|next| format!("page_{next:x}")),
    }))
}

fn results(kind: Kind, asked: &Asked, rows: &[UsageRow]) -> Vec<Value> {
    if asked.is_empty {
        return Vec::new();
    }
    // What is grouped only to choose by it is added up again.
    let mut found: Vec<(Map<String, Value>, UsageRow)> = Vec::new();
    for row in rows {
        let source = group(&asked.question.group_by, row, GroupBy::Endpoint).map(source_of);
        let is_wanted = |source: &str| asked.sources.iter().any(|wanted| wanted == source);
        if !asked.sources.is_empty() && !source.is_some_and(is_wanted) {
            continue;
        }
        let mut members = Map::new();
        for (name, by) in kind.groups() {
            let is_asked = asked.groups.iter().any(|(known, _)| known == name);
            let value = match (*name, by) {
                _ if !is_asked => Value::Null,
                ("batch", _) => false.into(),
                ("source", _) => source.into(),
                (_, Some(by)) => group(&asked.question.group_by, row, *by).into(),
                (_, None) => Value::Null,
            };
            members.insert((*name).to_owned(), value);
        }
        match found.iter_mut().find(|(known, _)| *known == members) {
            Some((_, sum)) => add(sum, row),
            None => found.push((members, row.clone())),
        }
    }
    let written = found.into_iter().map(|(members, row)| result(kind, members, &row));
    written.collect()
}

fn source_of(endpoint: &str) -> &str {
    let found = SOURCES.iter().find(|(path, _)| *path == endpoint);
    found.map_or(endpoint, |(_, source)| *source)
}

fn result(kind: Kind, groups: Map<String, Value>, row: &UsageRow) -> Value {
    let tokens = &row.tokens;
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    add("object", kind.object().into());
    match kind {
        Kind::Completions => {
            let written = tokens.cache_write.saturating_add(tokens.cache_write_1h);
            add("input_tokens", tokens.all_input().into());
            add("input_cached_tokens", tokens.cache_read.into());
            add("input_cache_write_tokens", written.into());
            add("input_uncached_tokens", tokens.input.into());
            add("output_tokens", tokens.output.into());
            add("input_audio_tokens", 0.into());
            add("output_audio_tokens", 0.into());
        }
        Kind::Embeddings | Kind::Moderations => add("input_tokens", tokens.all_input().into()),
        Kind::Images => add("images", tokens.images.into()),
        Kind::Costs => {
            add("amount", json!({"value": row.cost, "currency": "usd"}));
            let is_by_item = groups.get("line_item").is_some_and(|item| !item.is_null());
            let quantity = tokens.all_input().saturating_add(tokens.output);
            add("quantity", is_by_item.then_some(quantity).into());
            add("quantity_unit", is_by_item.then_some("tokens").into());
        }
    }
    if kind != Kind::Costs {
        add("num_model_requests", row.requests.into());
    }
    members.extend(groups);
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_300_000_000;

    #[test]
    fn what_is_wrong_is_named() {
        for (kind, query, parameter) in [
            (Kind::Completions, "", "start_time"),
            (Kind::Completions, "start_time=x", "start_time"),
            (Kind::Completions, "start_time=5&end_time=5", "end_time"),
            (Kind::Completions, "start_time=5&bucket_width=1w", "bucket_width"),
            (Kind::Costs, "start_time=5&bucket_width=1h", "bucket_width"),
            (Kind::Completions, "start_time=5&limit=32", "limit"),
            (Kind::Completions, "start_time=5&group_by=size", "group_by"),
            (Kind::Embeddings, "start_time=5&group_by=batch", "group_by"),
            (Kind::Costs, "start_time=5&models=m", "models"),
            (Kind::Images, "start_time=5&sources=image.fake", "sources"),
            (Kind::Images, "start_time=5&sizes=512x512", "sizes"),
            (Kind::Completions, "start_time=5&page=7", "page"),
            (Kind::Completions, "start_time=5&batch=2", "batch"),
        ] {
            let problem = Asked::read(kind, query, NOW).map(|_| ()).unwrap_err();
            assert_eq!(
                problem.param.as_deref(),
                Some(parameter),
                "{query}: {}",
                problem.message
            );
        }
    }

    #[test]
    fn limits_are_openais() {
        let limit = |kind, query: &str| Asked::read(kind, query, NOW).unwrap().question.limit;
        assert_eq!(limit(Kind::Completions, "start_time=5"), 7);
        assert_eq!(limit(Kind::Completions, "start_time=5&bucket_width=1h"), 24);
        assert_eq!(
            limit(Kind::Completions, "start_time=5&bucket_width=1m&limit=1440"),
            1440
        );
        assert_eq!(limit(Kind::Costs, "start_time=5&limit=180"), 180);
    }

    #[test]
    fn sources_are_chosen_and_added_up() {
        let asked = Asked::read(Kind::Images, "start_time=5&sources=image.edit,image.variation", NOW).unwrap();
        let row = |endpoint: &str, images| UsageRow {
            group: vec![endpoint.to_owned()],
            requests: 1,
            tokens: outcrop_tenants::TokenCounts {
                images,
                ..Default::default()
            },
            ..UsageRow::default()
        };
        let rows = [
            row("/v1/images/edits", 1),
            row("/v1/images/generations", 2),
            row("/v1/images/variations", 4),
        ];
        let results = results(Kind::Images, &asked, &rows);
        assert_eq!(results.len(), 1);
        assert_eq!(results[0]["images"], 5);
        assert_eq!(results[0]["source"], Value::Null);
        assert_eq!(results[0]["num_model_requests"], 2);
    }
}

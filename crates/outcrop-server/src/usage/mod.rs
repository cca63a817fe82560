//! What was used, and what it cost: `GET /v1/usage`, and OpenAI's usage and costs of an organization.

mod access;
mod csv;
mod json;
mod openai;
mod query;
mod records;
mod report;
mod slots;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use outcrop_store::{Store, StoreError};
use outcrop_translate::openai::error_body;
use outcrop_translate::{Problem, ProblemKind};

use self::query::{Format, Question};
use self::report::Report;
use crate::error;
use crate::exchange::Gateway;

/// How long a report waits for what is on its way to the database.
const FRESHNESS: Duration = Duration::from_millis(500);

/// `GET /v1/usage`
pub(crate) async fn usage(State(gateway): State<Arc<Gateway>>, head: Parts, RawQuery(query): RawQuery) -> Response {
    respond(report(&gateway, &head, query.as_deref().unwrap_or_default()).await)
}

/// `GET /v1/usage/records`
pub(crate) async fn records(State(gateway): State<Arc<Gateway>>, head: Parts, RawQuery(query): RawQuery) -> Response {
    respond(list(&gateway, &head, query.as_deref().unwrap_or_default()).await)
}

/// `GET /v1/organization/usage/completions`
pub(crate) async fn completions(state: State<Arc<Gateway>>, head: Parts, query: RawQuery) -> Response {
    of_openai(state, head, query, openai::Kind::Completions).await
}

/// `GET /v1/organization/usage/embeddings`
pub(crate) async fn embeddings(state: State<Arc<Gateway>>, head: Parts, query: RawQuery) -> Response {
    of_openai(state, head, query, openai::Kind::Embeddings).await
}

/// `GET /v1/organization/usage/moderations`
pub(crate) async fn moderations(state: State<Arc<Gateway>>, head: Parts, query: RawQuery) -> Response {
    of_openai(state, head, query, openai::Kind::Moderations).await
}

/// `GET /v1/organization/usage/images`
pub(crate) async fn images(state: State<Arc<Gateway>>, head: Parts, query: RawQuery) -> Response {
    of_openai(state, head, query, openai::Kind::Images).await
}

/// `GET /v1/organization/costs`
pub(crate) async fn costs(state: State<Arc<Gateway>>, head: Parts, query: RawQuery) -> Response {
    of_openai(state, head, query, openai::Kind::Costs).await
}

async fn of_openai(
    State(gateway): State<Arc<Gateway>>,
    head: Parts,
    RawQuery(query): RawQuery,
    kind: openai::Kind,
) -> Response {
    let answer = async {
        let scope = access::scope(&gateway, &head).await?;
        let store = fresh(&gateway).await?;
        let query = query.as_deref().unwrap_or_default();
        let page = openai::answer(store, &scope, kind, query, now()).await?;
        Ok((page.to_string(), JSON))
    };
    respond(answer.await)
}

const JSON: &str = "application/json";
const CSV: &str = "text/csv; charset=utf-8";

/// A body and its media type.
type Answer = Result<(String, &'static str), Problem>;

async fn report(gateway: &Gateway, head: &Parts, query: &str) -> Answer {
    let scope = access::scope(gateway, head).await?;
    let mut question = Question::read(query, now(), prefers_csv(&head.headers))?;
    if question.format == Format::Focus {
        question.group_by = csv::FOCUS_GROUPS.to_vec();
    }
    let store = fresh(gateway).await?;
    let report = Report::fetch(store, &scope, &question).await?;
    let directory = gateway.tenants.directory();
    Ok(match question.format {
        Format::Json => (json::report(&question, &report, &directory).to_string(), JSON),
        Format::Csv => (csv::plain(&question, &report, &directory), CSV),
        Format::Focus => (csv::focus(&question, &report, &directory), CSV),
    })
}

async fn list(gateway: &Gateway, head: &Parts, query: &str) -> Answer {
    let scope = access::scope(gateway, head).await?;
    let store = fresh(gateway).await?;
    let page = records::answer(store, &scope, query, now()).await?;
    Ok((page.to_string(), JSON))
}

/// The database, with what was on its way there a moment ago.
async fn fresh(gateway: &Gateway) -> Result<&Store, Problem> {
    let Some(store) = gateway.tenants.store() else {
        let message = "No usage is kept: the gateway has no database. `database` in its settings names one.";
        return Err(Problem::new(501, ProblemKind::Server, message).with_code("no_database"));
    };
    // Without the database, the question itself fails soon enough.
    let _ = tokio::time::timeout(FRESHNESS, gateway.config.meter.deliver()).await;
    Ok(store)
}

/// The database has failed.
fn unavailable(error: &StoreError) -> Problem {
    match error {
        StoreError::Cursor(cursor) => query::invalid("page", cursor, "the 'next_page' of an answer"),
        error => {
            tracing::warn!(%error, "usage could not be read");
            Problem::new(
                503,
                ProblemKind::Server,
                "The database doesn't answer; try again later.",
            )
            .with_code("database_unavailable")
        }
    }
}

/// Whether the client names CSV, and not JSON before it.
fn prefers_csv(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = accepts.flat_map(|accepts| accepts.split(','));
    let first = types.find_map(|accepted| {
        let essence = accepted.split(';').next().unwrap_or_default().trim();
        ["text/csv", JSON]
            .into_iter()
            .find(|known| essence.eq_ignore_ascii_case(known))
    });
    first == Some("text/csv")
}

fn respond(answer: Answer) -> Response {
    match answer {
        Ok((body, media_type)) => {
            let mut response = Response::new(body.into());
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(problem) => error::response(&problem, error_body(&problem)),
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since_1970.map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_answered_where_it_is_named_first() {
        for (accept, expected) in [
            ("text/csv", true),
            ("Text/CSV; q=1, application/json", true),
            ("application/json, text/csv", false),
            ("*/*", false),
            ("text/html, text/csv;q=0.9", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(prefers_csv(&headers), expected, "{accept}");
        }
    }
}

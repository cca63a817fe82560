//! `/admin/v1/…`: organizations, projects, keys, logins, and those who look after them.
//!
//! `table` says what there is and who may do it; [`answer`] is what all of it has in common: who asks is found out
//! (`access`), the body is read (`call`), the handler runs, and what went wrong is told (`problems`). A handler reads from
//! the database, not from what is cached, and changes what it has read only if it is still the same. After a change the
//! cache is brought up to date before the answer leaves, so that a new key works at once and a revoked one doesn't.
//!
//! `litellm` has the same in the words of LiteLLM's proxy.

mod access;
mod admin_keys;
mod audit;
mod budgets;
mod call;
mod find;
mod keys;
mod litellm;
mod logins;
mod make;
mod organizations;
mod paging;
mod patch;
mod problems;
mod projects;
mod table;
mod view;
mod whoami;

use std::sync::Arc;

use axum::extract::{RawPathParams, Request};
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::request::Parts;
use http::{HeaderValue, Method};
use outcrop_translate::{Problem, openai};

use self::access::Who;
use self::call::{Answer, Call};
pub(crate) use self::table::{ROWS, Row, allowed, descriptions};
use crate::exchange::Gateway;
use crate::{body, error};

/// The largest body of a request: a thousand patterns fit.
const MAX_BODY: usize = 1024 * 1024;

/// Answers a request of a row of the table.
pub(crate) async fn answer(
    gateway: Arc<Gateway>,
    row: &'static Row,
    path: RawPathParams,
    request: Request,
) -> Response {
    match run(gateway, row, &path, request).await {
        Ok(answer) => respond(answer),
        Err(problem) => error::response(&problem, openai::error_body(&problem)),
    }
}

async fn run(
    gateway: Arc<Gateway>,
    row: &'static Row,
    path: &RawPathParams,
    request: Request,
) -> Result<Answer, Problem> {
    let (head, body) = request.into_parts();
    let who = match access::who(&gateway, &head).await.and_then(|who| row.admit(who)) {
        Ok(who) => who,
        Err(problem) => {
            body::discard(&head, body, &gateway.config).await;
            return Err(problem);
        }
    };
    let Some(store) = gateway.tenants.store().cloned() else {
        body::discard(&head, body, &gateway.config).await;
        return Err(problems::no_database());
    };
    let has_body = head.method == Method::POST || head.method == Method::PATCH;
    let bytes = if has_body {
        body::read_within(&head, body, body::Takes::Json, &gateway.config, MAX_BODY).await?
    } else {
        body::discard(&head, body, &gateway.config).await;
        bytes::Bytes::new()
    };
    let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let call = Call {
        gateway,
        store,
        who,
        path: path.collect(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: bytes,
    };
    (row.run)(call).await
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::new(answer.body.to_string().into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Some of it is shown once, and none of it is anybody else's business.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(Ok(tag)) = answer.tag.map(HeaderValue::try_from) {
        headers.insert(ETAG, tag);
    }
    if let Some(Ok(warning)) = answer.warning.map(HeaderValue::try_from) {
        headers.insert(crate::models::X_OUTCROP_WARNING, warning);
    }
    response
}

/// Lets whoever asks read the metrics: administrators of all organizations who may read what was spent.
pub(crate) async fn admit_to_metrics(gateway: &Gateway, head: &Parts) -> Result<(), Problem> {
    match access::who(gateway, head).await? {
        Who::Admin(admin) => {
            admin.check(access::Right::Usage)?;
            admin.check_unbound("read the metrics")
        }
        Who::Client(_) => Err(access::client_key()),
    }
}

/// Who asks, where it must be an administrator.
impl Call {
    pub(super) fn admin(&self) -> Result<&access::Admin, Problem> {
        match &self.who {
            Who::Admin(admin) => Ok(admin),
            Who::Client(_) => Err(access::client_key()),
        }
    }
}

#[cfg(test)]
mod tests;

//! The answers to clients.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use outcrop_translate::resolve::{Asked, Directory, Target, near};
use outcrop_translate::{Problem, ProblemKind, openai};
use serde_json::{Value, json};

use super::entries::{Entries, Entry};
use super::page::{self, Page, SharedPage, Written};
use super::question::{Question, shown};
use super::warning::Warning;
use crate::exchange::Gateway;
use crate::tenants::Tenant;
use crate::{error, tenants};

/// `X-Outcrop-Warning`: what can't be told, and why.
pub(crate) const X_OUTCROP_WARNING: HeaderName = HeaderName::from_static("x-outcrop-warning");

/// `GET /v1/models`
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, head: Parts, RawQuery(query): RawQuery) -> Response {
    let listed = ask(&gateway, &head, query, Question::read).await;
    respond(
        &head.headers,
        listed.map(|(question, page, tenant)| {
            if let Some(tenant) = tenant {
                let (mut found, note) = question.of(&page.entries, &gateway.config.catalogue);
                let own = own_models(&gateway, &page, &tenant);
                found.retain(|entry| may_see(&gateway, &tenant, entry));
                if question.is_for_all() {
                    found.extend(&own);
                }
                let told: Vec<Cow<'_, Entry>> = found.iter().map(|entry| told(&gateway, &tenant, entry)).collect();
                let written = page.write(told.iter().map(AsRef::as_ref), note.as_slice(), &gateway.learned);
                return (written, page, note);
            }
            if question.is_for_all() {
                return (page.whole(&gateway.learned), page, None);
            }
            let (found, note) = question.of(&page.entries, &gateway.config.catalogue);
            let written = page.write(found.into_iter(), note.as_slice(), &gateway.learned);
            (written, page, note)
        }),
    )
}

/// `GET /v1/models/{id}`
pub(crate) async fn one(
    State(gateway): State<Arc<Gateway>>,
    head: Parts,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Response {
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let found = match ask(&gateway, &head, query, Question::read_of_one).await {
        Ok((question, page, tenant)) => match find(&gateway, &page, &id, tenant.as_deref(), question.refresh).await {
            Ok(written) => Ok((written, page, None)),
            Err(problem) => Err(problem),
        },
        Err(problem) => Err(problem),
    };
    respond(&head.headers, found)
}

/// `GET /v1/providers`
pub(crate) async fn providers(State(gateway): State<Arc<Gateway>>, head: Parts, RawQuery(query): RawQuery) -> Response {
    let listed = ask(&gateway, &head, query, Question::read).await;
    respond(
        &head.headers,
        listed.map(|(question, page, tenant)| {
            let (mut found, note) = question.of(&page.entries, &gateway.config.catalogue);
            if let Some(tenant) = tenant {
                found.retain(|entry| may_see(&gateway, &tenant, entry));
            }
            let mut list = json!({"object": "list", "data": makers(&gateway, &found)});
            let warnings: Vec<Value> = page.warnings.iter().map(Warning::to_json).chain(note.clone()).collect();
            if let (false, Some(members)) = (warnings.is_empty(), list.as_object_mut()) {
                members.insert("warnings".to_owned(), warnings.into());
            }
            (page::document(&list), page, note)
        }),
    )
}

async fn ask(
    gateway: &Arc<Gateway>,
    head: &Parts,
    query: Option<String>,
    read: impl FnOnce(&str) -> Result<Question, Problem>,
) -> Result<(Question, SharedPage, Option<Arc<Tenant>>), Problem> {
    let admitted = tenants::admit(gateway, head).await?;
    let question = read(query.as_deref().unwrap_or_default())?;
    let page = if question.refresh {
        gateway.models.page_of_now(gateway).await?
    } else {
        gateway.models.page(gateway).await?
    };
    Ok((question, page, admitted.tenant))
}

/// Whether a tenant may ask a model of the list.
fn may_see(gateway: &Gateway, tenant: &Tenant, entry: &Entry) -> bool {
    let names = [
        Some(entry.id.as_str()),
        Some(entry.model_id.as_str()),
        entry.base.as_deref(),
    ];
    tenant.rights.allow_names(names.into_iter().flatten(), &[], false)
        && gateway.tenants.directory().may_call(tenant, &entry.model_id)
}

/// An entry as a tenant is told of it.
fn told<'a>(gateway: &Gateway, tenant: &Tenant, entry: &'a Entry) -> Cow<'a, Entry> {
    // Few have routes, and it is one text already.
    if !entry.json.contains("\"route\":") {
        return Cow::Borrowed(entry);
    }
    let Ok(mut said) = serde_json::from_str::<Value>(&entry.json) else {
        return Cow::Borrowed(entry);
    };
    let Some(route) = said.get_mut("route") else {
        return Cow::Borrowed(entry);
    };
    gateway.tenants.hide_targets(tenant, &gateway.config.catalogue, route);
    Cow::Owned(Entry {
        json: said.to_string(),
        ..entry.clone()
    })
}

/// The models that a tenant has names of its own for, as far as they are known and it may ask them.
fn own_models(gateway: &Gateway, page: &Page, tenant: &Tenant) -> Vec<Entry> {
    let own = tenant.aliases().filter_map(|(name, model)| {
        let asked = Asked {
            name: model,
            ..Asked::default()
        };
        let region = gateway.client.region();
        let target = gateway.names.resolve(&asked, &gateway.config, region, None).ok()?;
        gateway.tenants.check_model(tenant, name, &target, &[name]).ok()?;
        among(gateway, page, |entries| entries.of_target(name, None, &target))
    });
    own.collect()
}

/// One model, by an id of the list or by any other name that means one. What was found out of it before counts, unless it
/// shall be found out `anew`.
async fn find(
    gateway: &Arc<Gateway>,
    page: &Page,
    id: &str,
    tenant: Option<&Tenant>,
    anew: bool,
) -> Result<Written, Problem> {
    let alias = tenant.and_then(|tenant| tenant.alias(id));
    if let Some(entry) = page.entry(id).filter(|_| alias.is_none()) {
        if let Some(tenant) = tenant.filter(|tenant| !may_see(gateway, tenant, entry)) {
            return Err(gateway.tenants.no_such_model(tenant, id));
        }
        let told = tenant.map_or(Cow::Borrowed(entry), |tenant| told(gateway, tenant, entry));
        return Ok(page::one(&told, &gateway.learned));
    }
    let asked = Asked {
        name: alias.unwrap_or(id),
        is_restricted: tenant.is_some_and(|tenant| tenant.rights.restricts_models()),
        ..Asked::default()
    };
    let check = |target: &Target, others: &[&str]| match tenant {
        Some(tenant) => gateway.tenants.check_model(tenant, id, target, others),
        None => Ok(()),
    };
    if let Some(found) = gateway.router.find(asked.name)
        && let Some(route) = gateway.route_view(&asked).await
    {
        let (target, _) = route.first()?;
        check(&target, &[id, asked.name])?;
        return match among(gateway, page, |entries| entries.of_route(id, None, &found)) {
            Some(entry) => {
                let told = tenant.map_or(Cow::Borrowed(&entry), |tenant| told(gateway, tenant, &entry));
                Ok(page::one(&told, &gateway.learned))
            }
            None => Err(not_callable(gateway, page, id, target.base_id.as_deref())),
        };
    }
    let mut target = gateway.resolve(&asked).await?;
    if anew && target.model_id.starts_with("arn:") && !page.known.behind.contains_key(&target.model_id) {
        gateway.names.forget(&target.model_id);
        target = gateway.resolve(&asked).await?;
    }
    check(&target, alias.map(|_| id).as_slice())?;
    match among(gateway, page, |entries| entries.of_target(id, None, &target)) {
        Some(entry) => Ok(page::one(&entry, &gateway.learned)),
        None => Err(not_callable(gateway, page, id, target.base_id.as_deref())),
    }
}

/// Looks for an entry that the page doesn't have.
fn among(gateway: &Gateway, page: &Page, look: impl FnOnce(&Entries<'_>) -> Option<Entry>) -> Option<Entry> {
    look(&Entries {
        known: &page.known,
        config: &gateway.config,
        looked_up: &|arn| gateway.names.behind(arn),
        router: &gateway.router,
        region_of: &|account| gateway.client.region_of(account).to_owned(),
    })
}

/// There may be such a model, but not for this account, or not any more.
fn not_callable(gateway: &Gateway, page: &Page, id: &str, base_id: Option<&str>) -> Problem {
    let catalogue = &gateway.config.catalogue;
    let mut message = format!(
        "The model '{}' can't be called: the account doesn't have it in {}, its life is over, or no endpoint here is for it.",
        shown(id),
        gateway.config.regions.join(", ")
    );
    let model = base_id.and_then(|base_id| catalogue.model(base_id));
    let successor = model.and_then(|model| model.lifecycle.successor.as_deref());
    if let Some(successor) = successor.filter(|id| page.entry(id).is_some()) {
        message.push_str(&format!(" Its successor is '{successor}'."));
    } else {
        let directory = Directory {
            rules: &gateway.config.names,
            ..Directory::offline(catalogue)
        };
        let mut offers = near(id, &directory);
        offers.retain(|offer| page.entry(offer.trim_matches('\'')).is_some());
        if !offers.is_empty() {
            message.push_str(&format!(" Did you mean {}?", offers.join(" or ")));
        }
    }
    Problem::new(404, ProblemKind::InvalidRequest, message)
        .with_code("model_not_found")
        .with_param("model")
}

/// Who makes the models, each with how many.
fn makers(gateway: &Gateway, entries: &[&Entry]) -> Vec<Value> {
    let mut makers: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.provider.is_empty()) {
        makers.entry(&entry.provider).or_default().push(entry);
    }
    let maker = |(id, entries): (&str, Vec<&Entry>)| {
        let known = gateway.config.catalogue.providers().find(|provider| provider.id == id);
        let count = |entries: &mut dyn Iterator<Item = &&Entry>| {
            let models: BTreeSet<&str> = entries.filter_map(|entry| entry.base.as_deref()).collect();
            models.len()
        };
        let regions: BTreeSet<&String> = entries.iter().flat_map(|entry| &entry.regions).collect();
        let mut types = serde_json::Map::new();
        for (name, purpose) in super::words::Purpose::ALL {
            let models = count(&mut entries.iter().filter(|entry| entry.purpose == purpose));
            if models > 0 {
                types.insert(name.to_owned(), models.into());
            }
        }
        json!({
            "id": id,
            "object": "provider",
            "name": known.map_or(id, |provider| &provider.name),
            "models": count(&mut entries.iter()),
            "ids": entries.len(),
            "types": types,
            "regions": regions,
        })
    };
    makers.into_iter().map(maker).collect()
}

/// What is answered, and from which page; and a warning about the question, if there is one.
type Told = (Written, SharedPage, Option<Value>);

fn respond(headers: &HeaderMap, written: Result<Told, Problem>) -> Response {
    let (written, page, note) = match written {
        Ok(written) => written,
        Err(problem) => return error::response(&problem, openai::error_body(&problem)),
    };
    let is_known = has_it(headers, &written.etag);
    let body = if is_known { bytes::Bytes::new() } else { written.body };
    let mut response = Response::new(body.into());
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(ETAG, written.etag);
    // It depends on the account, and on the day.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if !is_known {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let of_page = page.warning_header.as_ref().and_then(|warning| warning.to_str().ok());
    let of_question = note.as_ref().and_then(|note| note["message"].as_str());
    let warnings: Vec<&str> = of_page.into_iter().chain(of_question).collect();
    if let Some(warning) = super::header_of(&warnings.join(" ")) {
        headers.insert(X_OUTCROP_WARNING, warning);
    }
    response
}

/// Whether the client has what it asks for.
fn has_it(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let given = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut tags = given
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
}

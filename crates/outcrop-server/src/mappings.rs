//! `GET /v1/mappings`: what names mean, and why.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use outcrop_translate::catalogue::{Api, Catalogue, Word as _};
use outcrop_translate::resolve::{Asked, Purpose, Step, Target, Unresolved};
use outcrop_translate::{Problem, openai};
use serde_json::{Value, json};

use crate::exchange::Gateway;
use crate::routing::{RouteView, Wanted};
use crate::tenants::Tenant;
use crate::{error, models, tenants};

/// The whole list, written, and how often what names mean had changed by then.
#[derive(Debug, Default)]
pub(crate) struct Mappings(Mutex<Option<(u64, Bytes)>>);

/// What is asked.
#[derive(Default)]
struct Question {
    name: Option<String>,
    provider: Option<String>,
    purpose: Option<models::Purpose>,
}

/// Answers with the steps of one name, `?name=…`, or with all names that are known.
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, head: Parts, RawQuery(query): RawQuery) -> Response {
    match answer(&gateway, &head, query.as_deref().unwrap_or_default()).await {
        Ok((body, warning)) => {
            let mut response = Response::new(body.into());
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if let Some(warning) = warning {
                headers.insert(models::X_OUTCROP_WARNING, warning);
            }
            response
        }
        Err(problem) => error::response(&problem, openai::error_body(&problem)),
    }
}

async fn answer(gateway: &Gateway, head: &Parts, query: &str) -> Result<(Bytes, Option<HeaderValue>), Problem> {
    let admitted = tenants::admit(gateway, head).await?;
    let tenant = admitted.tenant.as_deref();
    let question = Question::read(query)?;
    let Some(name) = &question.name else {
        return Ok(match (&question.provider, question.purpose) {
            _ if tenant.is_some() => part(gateway, &question, tenant),
            (None, None) => (whole(gateway), None),
            _ => part(gateway, &question, None),
        });
    };
    let alias = tenant.and_then(|tenant| tenant.alias(name));
    let asked = Asked {
        name: alias.unwrap_or(name),
        provider: question.provider.as_deref(),
        model_id: None,
        purpose: question.purpose.map_or(Purpose::Chat, asked_for),
        is_restricted: tenant.is_some_and(|tenant| tenant.rights.restricts_models()),
    };
    let others: Vec<&str> = alias.map(|_| name.as_str()).into_iter().collect();
    let check = |target: &Target, others: &[&str]| match tenant {
        Some(tenant) => gateway.tenants.check_model(tenant, name, target, others),
        None => Ok(()),
    };
    let told = match gateway.route_view(&asked).await {
        None => {
            let target = gateway.resolve(&asked).await?;
            check(&target, &others)?;
            mapping_of(gateway, name, &target, gateway.client.region())
        }
        Some(route) => {
            let (target, region) = route.first()?;
            check(&target, &[&others[..], &[asked.name]].concat())?;
            let region = region.unwrap_or(gateway.client.region());
            let mut told = mapping_of(gateway, name, &target, region);
            let mut shown = route.to_json();
            if let Some(tenant) = tenant {
                gateway
                    .tenants
                    .hide_targets(tenant, &gateway.config.catalogue, &mut shown);
            }
            told["route"] = shown;
            told
        }
    };
    Ok((told.to_string().into(), None))
}

fn mapping_of(gateway: &Gateway, name: &str, target: &Target, region: &str) -> Value {
    let names: Vec<&str> = target.names.iter().map(String::as_str).collect();
    let policy = gateway.config.policies.resolve(&names, target.is_opaque, None, None);
    mapping(
        &gateway.config.catalogue,
        name,
        target,
        Some(region),
        policy.bedrock_api,
    )
}

impl Question {
    fn read(query: &str) -> Result<Self, Problem> {
        let mut question = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "name" | "model" => question.name = Some(value.into_owned()),
                "provider" => question.provider = Some(models::provider(value.into_owned())?),
                "type" => question.purpose = Some(models::purpose(&value)?),
                _ => {}
            }
        }
        Ok(question)
    }
}

/// The words of the list of models, as names are resolved by.
fn asked_for(purpose: models::Purpose) -> Purpose {
    match purpose {
        models::Purpose::Chat => Purpose::Chat,
        models::Purpose::Embedding => Purpose::Embedding,
        models::Purpose::Image => Purpose::Image,
        models::Purpose::Rerank => Purpose::Ranking,
    }
}

/// All names. Hundreds of them are resolved, so the list is kept until they may mean something else.
fn whole(gateway: &Gateway) -> Bytes {
    // Before the names are asked: what changes meanwhile makes it old.
    let changes = gateway.names.changes();
    let mut kept = gateway.mappings.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, body)) = kept.as_ref().filter(|(then, _)| *then == changes) {
        return body.clone();
    }
    let rows = all(gateway, &Question::default());
    let is_whole = rows
        .iter()
        .all(|row| !row["model_id"].is_null() || row["kind"] == "route");
    let body = Bytes::from(json!({"object": "list", "data": rows}).to_string());
    // What is behind an alias's ARN may be found out any time.
    if is_whole {
        *kept = Some((changes, body.clone()));
    }
    body
}

/// Some of them; and a warning, if it is a provider of none.
fn part(gateway: &Gateway, question: &Question, tenant: Option<&Tenant>) -> (Bytes, Option<HeaderValue>) {
    let mut rows = all(gateway, question);
    if let Some(tenant) = tenant {
        rows.retain(|row| may_see(gateway, tenant, row));
        let own = tenant
            .aliases()
            .filter(|_| question.provider.is_none() && question.purpose.is_none());
        rows.extend(
            own.map(|(name, model)| json!({"object": "mapping", "name": name, "model_id": model, "kind": "alias"})),
        );
    }
    let mut list = json!({"object": "list", "data": rows});
    let catalogue = &gateway.config.catalogue;
    let unknown = question.provider.as_deref().filter(|typed| {
        let id = models::provider_id(typed, catalogue);
        !catalogue.models().any(|model| model.provider.eq_ignore_ascii_case(&id))
    });
    let mut header = None;
    if let Some(typed) = unknown {
        let known = catalogue.models().map(|model| model.provider.as_str());
        let warning = models::no_such_provider(typed, known);
        header = warning["message"].as_str().and_then(models::header_of);
        list["warnings"] = json!([warning]);
    }
    (list.to_string().into(), header)
}

/// Whether a tenant may ask what a row of the list is about.
fn may_see(gateway: &Gateway, tenant: &Tenant, row: &Value) -> bool {
    let name = row["name"].as_str().unwrap_or_default();
    let model_id = row["model_id"].as_str();
    let base_id = model_id.and_then(|id| gateway.config.catalogue.base_id(id));
    let names = [Some(name), model_id, base_id].into_iter().flatten();
    tenant.rights.allow_names(names, &[], false)
        && model_id.is_none_or(|id| gateway.tenants.directory().may_call(tenant, id))
}

impl Gateway {
    /// The model that is meant; what must be looked up for it is.
    pub(crate) async fn resolve(&self, asked: &Asked<'_>) -> Result<Arc<Target>, Problem> {
        let resolve = || self.names.resolve(asked, &self.config, self.client.region(), None);
        let resolved = match resolve() {
            Err(Unresolved::LookUp(arn)) => {
                self.names.look_up(&self.client, &arn).await;
                resolve()
            }
            resolved => resolved,
        };
        resolved.map_err(|unresolved| match unresolved {
            Unresolved::Problem(problem) => problem,
            Unresolved::LookUp(_) => Problem::invalid("What is behind the model's ARN can't be told."),
        })
    }

    /// The route of a name, with what its targets mean; what must be looked up for it is.
    pub(crate) async fn route_view(&self, asked: &Asked<'_>) -> Option<RouteView> {
        let route = self.known_route(asked)?;
        let mut is_known = true;
        for arn in route.unknown_arns() {
            self.names.look_up(&self.client, arn).await;
            is_known = false;
        }
        if is_known { Some(route) } else { self.known_route(asked) }
    }

    /// The same, as far as it is known.
    fn known_route(&self, asked: &Asked<'_>) -> Option<RouteView> {
        let found = self.router.find(asked.name)?;
        let region_of = |account: Option<&str>| Some(self.client.region_of(account).to_owned());
        let resolve = |wanted: Wanted<'_>| {
            let asked = Asked {
                name: wanted.name,
                model_id: wanted.model_id.or(asked.model_id),
                ..*asked
            };
            self.names
                .resolve(&asked, &self.config, self.client.region(), wanted.region)
        };
        Some(RouteView::new(&self.router, &found, asked.name, &region_of, &resolve))
    }
}

/// One name with its steps. `region` is the gateway's own, where that is known; `wanted` the API that the operator wants
/// the model to be asked by.
pub fn mapping(catalogue: &Catalogue, name: &str, target: &Target, region: Option<&str>, wanted: Option<Api>) -> Value {
    let model = target.base_id.as_deref().and_then(|base_id| catalogue.model(base_id));
    let steps: Vec<Value> = target.steps.iter().map(step).collect();
    let apis = model.map_or(&[Api::Converse][..], |model| &model.apis);
    let is_imported = target.format.is_some();
    let answers = |api: &Api| apis.contains(api) || (is_imported && *api == Api::Invoke);
    let usual = if is_imported {
        Some(Api::Invoke)
    } else {
        apis.first().copied()
    };
    let api = target.api.or(wanted).filter(answers).or(usual);
    json!({
        "object": "mapping",
        "name": name,
        "model_id": target.model_id,
        "base_model": target.base_id,
        "provider": model.map(|model| model.provider.as_str()),
        "region": target.region.as_deref().or(region),
        "bedrock_api": api.map(Api::name),
        "prompt_format": target.format,
        "thinking": target.thinks,
        "steps": steps,
    })
}

fn step(step: &Step) -> Value {
    json!({"step": step.rule, "result": step.result, "why": step.why})
}

/// All names that can be listed, as far as they are wanted: routes, aliases, short names, ids.
fn all(gateway: &Gateway, question: &Question) -> Vec<Value> {
    let (catalogue, rules) = (&gateway.config.catalogue, &gateway.config.names);
    let unrouted = |name: &str| {
        let asked = Asked {
            name,
            ..Asked::default()
        };
        let target = gateway
            .names
            .resolve(&asked, &gateway.config, gateway.client.region(), None);
        target.ok()
    };
    let meant = |name: &str| {
        let asked = Asked {
            name,
            ..Asked::default()
        };
        if let Some(route) = gateway.known_route(&asked) {
            return route.first().ok().map(|(target, _)| Arc::new(target));
        }
        unrouted(name)
    };
    let is_for_it = |base_id: Option<&str>| {
        let Some(purpose) = question.purpose else { return true };
        let capabilities = base_id.and_then(|base_id| catalogue.capabilities(base_id));
        capabilities.is_some_and(|capabilities| models::purpose_of(&capabilities) == Some(purpose))
    };
    let row = |name: &str, kind: &str, target: Option<&Target>| json!({"object": "mapping", "name": name, "model_id": target.map(|target| target.model_id.as_str()), "kind": kind});
    let is_route = |name: &str| {
        let mut routes = gateway.router.routes();
        routes.any(|route| route.name.eq_ignore_ascii_case(name))
    };
    let mut rows = Vec::new();
    if question.provider.is_none() {
        for route in gateway.router.routes() {
            let target = meant(&route.name).filter(|_| !route.is_pattern());
            let base_id = target.as_ref().and_then(|target| target.base_id.as_deref());
            if question.purpose.is_some() && !is_for_it(base_id) {
                continue;
            }
            let mut row = row(&route.name, "route", target.as_deref());
            if route.is_pattern() {
                row["pattern"] = json!(true);
            }
            rows.push(row);
        }
        for alias in rules.aliases.iter().filter(|alias| !is_route(alias.name.as_str())) {
            // A route for all names is for this one, too.
            let target = match alias.name.is_exact() {
                true => meant(alias.name.as_str()),
                false => unrouted(&alias.model),
            };
            if !is_for_it(target.as_ref().and_then(|target| target.base_id.as_deref())) {
                continue;
            }
            let mut row = row(alias.name.as_str(), "alias", target.as_deref());
            if !alias.name.is_exact()
                && let Some(members) = row.as_object_mut()
            {
                members.insert("pattern".to_owned(), json!(true));
            }
            rows.push(row);
        }
        for (name, purpose, default) in [
            ("(unknown chat models)", models::Purpose::Chat, &rules.default_model),
            (
                "(unknown embedding models)",
                models::Purpose::Embedding,
                &rules.default_embedding_model,
            ),
            (
                "(unknown image models)",
                models::Purpose::Image,
                &rules.default_image_model,
            ),
        ] {
            let is_wanted = question.purpose.is_none_or(|wanted| wanted == purpose);
            if let Some(default) = default.as_ref().filter(|_| is_wanted) {
                rows.push(row(name, "default", unrouted(default).as_deref()));
            }
        }
    }
    let provider = question
        .provider
        .as_deref()
        .map(|typed| models::provider_id(typed, catalogue));
    let is_theirs = |id: &str| {
        provider
            .as_ref()
            .is_none_or(|provider| id.eq_ignore_ascii_case(provider))
    };
    let wanted = catalogue
        .models()
        .filter(|model| is_theirs(&model.provider) && is_for_it(Some(&model.id)));
    for model in wanted {
        for name in model.short_names.iter().filter(|name| !is_route(name)) {
            rows.push(row(name, "short_name", meant(name).as_deref()));
            let thinking = format!("{name}-Thinking");
            let is_free = catalogue.by_short_name(&thinking).is_none() && !is_route(&thinking);
            if catalogue.thinks(&model.id) && is_free {
                rows.push(row(&thinking, "short_name", meant(&thinking).as_deref()));
            }
        }
        if !is_route(&model.id) {
            rows.push(row(&model.id, "id", meant(&model.id).as_deref()));
        }
    }
    rows
}

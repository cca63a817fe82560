//! What is answered where: one table.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawPathParams, Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, patch, post};
use http::HeaderValue;
use http::header::CONNECTION;
use outcrop_translate::cohere::rerank::Rerank;
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::openai::completions::Completions;
use outcrop_translate::openai::embeddings::Embeddings;
use outcrop_translate::openai::images::{ImageEdits, ImageGenerations, ImageVariations};
use outcrop_translate::openai::moderations::Moderations;
use outcrop_translate::openai::token_counts::{InputTokens, TokenCounter};
use outcrop_translate::{Endpoint, Problem, ProblemKind, Task, openai};

use crate::exchange::{self, Gateway};
use crate::openapi::{OpenApi, Operation, own};
use crate::{admin, body, error, health, identity, mappings, metrics, models, shelf, task, unserved, usage};

/// Prefixes of OpenAI's paths: OpenAI's own, bedrock-access-gateway's, none, which LiteLLM takes too, and Azure's old and
/// new one.
const PREFIXES: [&str; 5] = ["/v1", "/api/v1", "", "/openai", "/openai/v1"];

type Handlers = MethodRouter<Arc<Gateway>>;

/// The table.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let own = gateway.config.route_prefix.clone();
    table(own, gateway.config.has_metrics).finish(gateway)
}

fn table(own_prefix: Option<String>, has_metrics: bool) -> Table {
    let mut table = Table {
        prefixes: PREFIXES.map(ToOwned::to_owned).to_vec(),
        ..Table::default()
    };
    table
        .prefixes
        .extend(own_prefix.filter(|own| !PREFIXES.contains(&own.as_str())));
    table.endpoint::<ChatCompletions>("/chat/completions");
    table.endpoint::<Completions>("/completions");
    table.task::<Embeddings>("/embeddings");
    table.task::<ImageGenerations>("/images/generations");
    table.task::<ImageEdits>("/images/edits");
    table.task::<ImageVariations>("/images/variations");
    table.get("/images/{name}", own::IMAGE, get(shelf::serve));
    table.task::<InputTokens>("/chat/completions/input_tokens");
    table.task_at::<TokenCounter>("/utils/token_counter");
    table.task::<Moderations>("/moderations");
    table.task::<Rerank<1>>("/rerank");
    table.task_at::<Rerank<2>>("/v2/rerank");
    table.get("/models", own::MODELS, get(models::list));
    table.get("/models/{*model}", own::MODEL, get(models::one));
    table.get("/providers", own::PROVIDERS, get(models::providers));
    table.get("/mappings", own::MAPPINGS, get(mappings::list));
    table.post_plain("/auth/session", own::SESSION, post(identity::create_session));
    table.get("/usage", own::USAGE, get(usage::usage));
    table.get("/usage/records", own::USAGE_RECORDS, get(usage::records));
    table.get(
        "/organization/usage/completions",
        own::USAGE_COMPLETIONS,
        get(usage::completions),
    );
    table.get(
        "/organization/usage/embeddings",
        own::USAGE_EMBEDDINGS,
        get(usage::embeddings),
    );
    table.get(
        "/organization/usage/moderations",
        own::USAGE_MODERATIONS,
        get(usage::moderations),
    );
    table.get("/organization/usage/images", own::USAGE_IMAGES, get(usage::images));
    table.get("/organization/costs", own::COSTS, get(usage::costs));
    table.own("/healthz", own::HEALTHZ, get(health::alive));
    table.own("/readyz", own::READYZ, get(health::ready));
    if has_metrics {
        table.own("/metrics", own::METRICS, get(metrics::answer));
    }
    table.admin();
    table.describe();
    table
}

/// The path of an endpoint as the description has it, whatever prefix it was asked by: `/v1/chat/completions`.
pub(crate) fn endpoint_of(path: &str, own_prefix: Option<&str>) -> String {
    let rest = match path.strip_prefix("/openai/deployments/") {
        // Azure's clients name the model in the path.
        Some(rest) => rest.find('/').map_or("", |end| &rest[end..]),
        None => {
            let prefixes = own_prefix
                .into_iter()
                .chain(["/v1", "/api/v1", "/openai/v1", "/openai"]);
            let strip = |prefix: &str| path.strip_prefix(prefix).filter(|rest| rest.starts_with('/'));
            prefixes.map(strip).find_map(|rest| rest).unwrap_or(path)
        }
    };
    format!("/v1{rest}")
}

/// What is served.
#[cfg(test)]
pub(crate) fn operations() -> Vec<Operation> {
    table(None, true).operations
}

/// The table as it grows: each row is a method of it.
#[derive(Default)]
struct Table {
    /// What paths of the API begin with.
    prefixes: Vec<String>,
    routes: Router<Arc<Gateway>>,
    /// What is served, for the description.
    operations: Vec<Operation>,
}

impl Table {
    /// A conversation, whose answer may be a stream.
    fn endpoint<E: Endpoint>(&mut self, path: &str) {
        self.post(
            path,
            E::DESCRIPTION,
            post(|State(gateway), request| exchange::run::<E>(gateway, request, None)),
            post(|State(gateway), model: DeploymentModel, request| async move {
                match model {
                    Ok(Path(model)) => exchange::run::<E>(gateway, request, Some(model)).await,
                    Err(_) => unreadable_path(&gateway, request).await,
                }
            }),
        );
    }

    /// What is answered with whole replies.
    fn task<T: Task>(&mut self, path: &str) {
        self.post(
            path,
            T::DESCRIPTION,
            post(|State(gateway), request| task::run::<T>(gateway, request, None)),
            post(|State(gateway), model: DeploymentModel, request| async move {
                match model {
                    Ok(Path(model)) => task::run::<T>(gateway, request, Some(model)).await,
                    Err(_) => unreadable_path(&gateway, request).await,
                }
            }),
        );
    }

    /// The same at a path with a prefix of its own.
    fn task_at<T: Task>(&mut self, path: &str) {
        self.add(
            path,
            only_post(post(|State(gateway), request| task::run::<T>(gateway, request, None))),
        );
        self.note("post", path.to_owned(), T::DESCRIPTION);
    }

    /// Below each prefix, and as Azure's clients ask for it, who name the model in the path.
    fn post(&mut self, path: &str, description: &'static str, plain: Handlers, of_deployment: Handlers) {
        let (plain, of_deployment) = (only_post(plain), only_post(of_deployment));
        for prefix in self.prefixes.clone() {
            self.add(&format!("{prefix}{path}"), plain.clone());
        }
        self.note("post", format!("/v1{path}"), description);
        let deployment = format!("/openai/deployments/{{model}}{path}");
        self.add(&deployment, of_deployment);
        self.note("post", deployment, description);
    }

    /// Below each prefix.
    fn get(&mut self, path: &str, description: &'static str, handlers: Handlers) {
        let handlers = only_get(handlers);
        for prefix in self.prefixes.clone() {
            self.add(&format!("{prefix}{path}"), handlers.clone());
        }
        self.note("get", format!("/v1{}", path.replace("{*", "{")), description);
    }

    /// Below each prefix, for what names no model.
    fn post_plain(&mut self, path: &str, description: &'static str, handlers: Handlers) {
        let handlers = only_post(handlers);
        for prefix in self.prefixes.clone() {
            self.add(&format!("{prefix}{path}"), handlers.clone());
        }
        self.note("post", format!("/v1{path}"), description);
    }

    /// What is no API of a vendor's.
    fn own(&mut self, path: &str, description: &'static str, handlers: Handlers) {
        self.add(path, only_get(handlers));
        self.note("get", path.to_owned(), description);
    }

    /// What administrators do.
    fn admin(&mut self) {
        for (row, description) in admin::ROWS.iter().zip(admin::descriptions()) {
            let handler =
                move |State(gateway), path: RawPathParams, request| admin::answer(gateway, row, path, request);
            let handlers = match row.method {
                "get" => get(handler),
                "patch" => patch(handler),
                "delete" => delete(handler),
                _ => post(handler),
            };
            self.add(row.path, handlers);
            self.note(row.method, row.path.to_owned(), description.as_str());
        }
        let paths: BTreeSet<&str> = admin::ROWS.iter().map(|row| row.path).collect();
        for path in paths {
            let allowed = admin::allowed(path);
            let refuse = move || async move { error::method_not_allowed(allowed, openai::error_body) };
            self.add(path, MethodRouter::new().fallback(refuse));
        }
    }

    /// The description of all that is served, itself included.
    fn describe(&mut self) {
        self.note("get", "/v1/openapi.json".to_owned(), own::OPENAPI);
        self.note("get", "/docs".to_owned(), own::DOCS);
        let described = OpenApi::new(self.operations.clone());
        let page = described.clone();
        let document = get(move || async move { described.document() });
        for prefix in self.prefixes.clone() {
            self.add(&format!("{prefix}/openapi.json"), only_get(document.clone()));
        }
        self.add("/docs", only_get(get(move || async move { page.page() })));
    }

    fn add(&mut self, path: &str, handlers: Handlers) {
        self.routes = std::mem::take(&mut self.routes).route(path, handlers);
    }

    fn note(&mut self, method: &'static str, path: String, description: impl Into<Cow<'static, str>>) {
        self.operations.push(Operation {
            method,
            path,
            description: description.into(),
        });
    }

    /// All other paths: what they may have meant is said.
    fn finish(self, gateway: Arc<Gateway>) -> Router {
        let served: Arc<[String]> = self.operations.iter().map(|operation| operation.path.clone()).collect();
        let fallback = move |State(gateway): State<Arc<Gateway>>, request: Request| {
            let served = Arc::clone(&served);
            async move { not_found(&gateway, &served, request).await }
        };
        self.routes.fallback(fallback).with_state(gateway)
    }
}

/// The model that a path names.
type DeploymentModel = Result<Path<String>, PathRejection>;

fn only_post(methods: Handlers) -> Handlers {
    methods.fallback(|| async { error::method_not_allowed("POST", openai::error_body) })
}

fn only_get(methods: Handlers) -> Handlers {
    methods.fallback(|| async { error::method_not_allowed("GET, HEAD", openai::error_body) })
}

/// A path whose model is no text.
async fn unreadable_path(gateway: &Gateway, request: Request) -> Response {
    not_found(gateway, &[], request).await
}

async fn not_found(gateway: &Gateway, served: &[String], request: Request) -> Response {
    let message = unserved::message(request.method(), request.uri().path(), served);
    let (head, body) = request.into_parts();
    body::discard(&head, body, &gateway.config).await;
    let problem = Problem::new(404, ProblemKind::InvalidRequest, message).with_code("unknown_url");
    error::response(&problem, openai::error_body(&problem))
}

/// A path at the address of the metrics that isn't theirs.
pub(crate) fn only_metrics() -> Response {
    let message = "Only the metrics are here, at /metrics.";
    let problem = Problem::new(404, ProblemKind::InvalidRequest, message).with_code("unknown_url");
    error::response(&problem, openai::error_body(&problem))
}

/// A request whose length can be read in two ways; the connection is closed after it.
pub(crate) fn ambiguous_length() -> Response {
    let message = "The length of the request is ambiguous: send one 'Content-Length' or one 'Transfer-Encoding'.";
    refuse_connection(&Problem::invalid(message).with_code("ambiguous_length"))
}

/// A request for two hosts (RFC 9112, section 3.2): someone on the way may have read the other one.
pub(crate) fn two_hosts() -> Response {
    let problem = Problem::invalid("The request has several 'Host' headers: send one.").with_code("invalid_host");
    refuse_connection(&problem)
}

fn refuse_connection(problem: &Problem) -> Response {
    let mut response = error::response(problem, openai::error_body(problem));
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

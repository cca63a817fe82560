//! What is answered where: one table.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use http::HeaderValue;
use http::header::CONNECTION;
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::openai::completions::Completions;
use outcrop_translate::{Endpoint, Problem, ProblemKind, Task, openai};

use crate::exchange::{self, Gateway};
use crate::{body, error, health, mappings, models, task, unserved};

/// Prefixes of OpenAI's paths: OpenAI's own, bedrock-access-gateway's, and none, which LiteLLM takes too.
const PREFIXES: [&str; 3] = ["/v1", "/api/v1", ""];

type Handlers = MethodRouter<Arc<Gateway>>;

/// The table.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let mut table = Table::default();
    table.own("/healthz", get(health::alive));
    table.own("/readyz", get(health::ready));
    table.endpoint::<ChatCompletions>("/chat/completions");
    table.endpoint::<Completions>("/completions");
    table.get("/mappings", get(mappings::list));
    table.get("/models", get(models::list));
    table.get("/models/{*model}", get(models::one));
    let served: Arc<[&'static str]> = table.paths.into();
    let fallback = move |State(gateway): State<Arc<Gateway>>, request: Request| {
        let served = Arc::clone(&served);
        async move { not_found(&gateway, &served, request).await }
    };
    table.routes.fallback(fallback).with_state(gateway)
}

/// The table as it grows: each row is a method of it.
#[derive(Default)]
struct Table {
    routes: Router<Arc<Gateway>>,
    /// Paths without their prefixes.
    paths: Vec<&'static str>,
}

impl Table {
    /// A conversation, whose answer may be a stream.
    fn endpoint<E: Endpoint>(&mut self, path: &'static str) {
        self.post(
            path,
            post(|State(gateway), request| exchange::run::<E>(gateway, request, None)),
            post(|State(gateway), model: DeploymentModel, request| async move {
                match model {
                    Ok(Path(model)) => exchange::run::<E>(gateway, request, Some(model)).await,
                    Err(_) => unreadable_deployment(&gateway, request).await,
                }
            }),
        );
    }

    /// What is answered with whole replies.
    #[expect(dead_code, reason = "the endpoints follow")]
    fn task<T: Task>(&mut self, path: &'static str) {
        self.post(
            path,
            post(|State(gateway), request| task::run::<T>(gateway, request, None)),
            post(|State(gateway), model: DeploymentModel, request| async move {
                match model {
                    Ok(Path(model)) => task::run::<T>(gateway, request, Some(model)).await,
                    Err(_) => unreadable_deployment(&gateway, request).await,
                }
            }),
        );
    }

    /// Below each prefix, and as Azure's clients ask for it, who name the model in the path.
    fn post(&mut self, path: &'static str, plain: Handlers, of_deployment: Handlers) {
        self.paths.push(path);
        let (plain, of_deployment) = (only_post(plain), only_post(of_deployment));
        for prefix in PREFIXES {
            self.add(&format!("{prefix}{path}"), plain.clone());
        }
        self.add(&format!("/openai/deployments/{{model}}{path}"), of_deployment);
    }

    /// Below each prefix.
    fn get(&mut self, path: &'static str, handlers: Handlers) {
        self.paths.push(path);
        let handlers = only_get(handlers);
        for prefix in PREFIXES {
            self.add(&format!("{prefix}{path}"), handlers.clone());
        }
    }

    /// What is no API of a vendor's.
    fn own(&mut self, path: &'static str, handlers: Handlers) {
        self.add(path, only_get(handlers));
    }

    fn add(&mut self, path: &str, handlers: Handlers) {
        self.routes = std::mem::take(&mut self.routes).route(path, handlers);
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
async fn unreadable_deployment(gateway: &Gateway, request: Request) -> Response {
    not_found(gateway, &[], request).await
}

async fn not_found(gateway: &Gateway, served: &[&str], request: Request) -> Response {
    let message = unserved::message(request.method(), request.uri().path(), served);
    let (head, body) = request.into_parts();
    body::discard(&head, body, &gateway.config).await;
    let problem = Problem::new(404, ProblemKind::InvalidRequest, message).with_code("unknown_url");
    error::response(&problem, openai::error_body(&problem))
}

/// A request whose length can be read in two ways; the connection is closed after it.
pub(crate) fn ambiguous_length() -> Response {
    let message = "The length of the request is ambiguous: send one 'Content-Length' or one 'Transfer-Encoding'.";
    let problem = Problem::invalid(message).with_code("ambiguous_length");
    let mut response = error::response(&problem, openai::error_body(&problem));
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

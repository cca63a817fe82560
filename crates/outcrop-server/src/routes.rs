//! What is answered where: one table.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use http::header::CONNECTION;
use http::{HeaderValue, Method};
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Problem, ProblemKind, openai};

use crate::exchange::{self, Gateway};
use crate::{body, error, health, mappings, models};

/// Prefixes of OpenAI's paths: OpenAI's own, bedrock-access-gateway's, and none, which LiteLLM takes too.
const PREFIXES: [&str; 3] = ["/v1", "/api/v1", ""];

type Routes = Router<Arc<Gateway>>;

/// The table.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let mut routes: Routes = Router::new()
        .route("/healthz", only_get(get(health::alive)))
        .route("/readyz", only_get(get(health::ready)))
        // Azure names the model in the path.
        .route(
            "/openai/deployments/{model}/chat/completions",
            only_post(post(chat_deployment)),
        );
    for prefix in PREFIXES {
        routes = routes
            .route(&format!("{prefix}/chat/completions"), only_post(post(chat)))
            .route(&format!("{prefix}/mappings"), only_get(get(mappings::list)))
            .route(&format!("{prefix}/models"), only_get(get(models::list)))
            .route(&format!("{prefix}/models/{{*model}}"), only_get(get(models::one)));
    }
    routes.fallback(not_found).with_state(gateway)
}

fn only_post(methods: MethodRouter<Arc<Gateway>>) -> MethodRouter<Arc<Gateway>> {
    methods.fallback(|| async { error::method_not_allowed("POST", openai::error_body) })
}

fn only_get(methods: MethodRouter<Arc<Gateway>>) -> MethodRouter<Arc<Gateway>> {
    methods.fallback(|| async { error::method_not_allowed("GET, HEAD", openai::error_body) })
}

async fn chat(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    exchange::run::<ChatCompletions>(gateway, request, None).await
}

async fn chat_deployment(
    State(gateway): State<Arc<Gateway>>,
    model: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    match model {
        Ok(Path(model)) => exchange::run::<ChatCompletions>(gateway, request, Some(model)).await,
        Err(_) => not_found(State(gateway), request).await,
    }
}

async fn not_found(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let method = known_method(request.method());
    let (head, body) = request.into_parts();
    body::discard(&head, body, &gateway.config).await;
    // The path is the client's, so it is not repeated.
    let message = format!("Unknown request URL: no such path takes {}.", method);
    let problem = Problem::new(404, ProblemKind::InvalidRequest, message).with_code("unknown_url");
    error::response(&problem, openai::error_body(&problem))
}

/// A method that can be repeated to the client: any other could be anything.
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "this method",
    }
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

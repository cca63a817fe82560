//! Bodies of the models that rank: a query and documents.
//!
//! Source: Cohere's page on Rerank for Bedrock and Bedrock's user guide (2026-11). That Amazon's model takes the same
//! body without `api_version` is guessed.

use std::time::Duration;

use http::HeaderName;
use http::header::HeaderValue;
use serde_json::{Value, json};

use super::json_schema::Schema;
use crate::exchange::Answer;
use crate::models::{Model, Target};
use crate::refusal::Refusal;
use crate::visit::Visit;
use crate::{rerank, tokens};

/// Who makes the model whose body says its version.
const COHERE: &str = "Cohere";

/// Checks the fields of a model's own that stand beside a query and documents in a call of `Rerank`.
///
/// # Errors
///
/// What the schema of the model's body doesn't allow.
pub(crate) fn check_fields(model: &Model, query: &str, documents: &[String], fields: &Value) -> Result<(), Refusal> {
    let mut body = json!({"query": query, "documents": documents});
    if model.provider == COHERE {
        body["api_version"] = 2.into();
    }
    for (name, value) in fields.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    schema(model).check(&body)
}

fn schema(model: &Model) -> &'static Schema {
    static OF_COHERE: Schema = Schema::new(include_str!("schemas/rerank_cohere.json"));
    static OF_AMAZON: Schema = Schema::new(include_str!("schemas/rerank_amazon.json"));
    if model.provider == COHERE {
        &OF_COHERE
    } else {
        &OF_AMAZON
    }
}

/// Ranks the documents of a body.
///
/// # Errors
///
/// What the body's schema doesn't allow, and what the script asks for.
pub(super) async fn answer(
    shared: &Visit<'_>,
    identifier: &str,
    target: &Target,
    body: &Value,
) -> Result<Answer, Refusal> {
    schema(target.model).check(body)?;
    let query = body["query"].as_str().unwrap_or_default();
    shared.follow("InvokeModel", identifier, query).await?;
    shared.wait(Duration::ZERO).await;
    let documents: Vec<String> = body["documents"].as_array().into_iter().flatten().map(text).collect();
    let mut ranked = rerank::rank(query, &documents);
    if let Some(top) = body["top_n"].as_u64() {
        ranked.truncate(usize::try_from(top).unwrap_or(usize::MAX));
    }
    let results = ranked
        .iter()
        .map(|one| json!({"index": one.index, "relevance_score": one.score}));
    let mut answer = Answer::json(&json!({"results": results.collect::<Vec<_>>()}));
    let read: u64 = tokens::of(query) + documents.iter().map(|document| tokens::of(document)).sum::<u64>();
    if let Ok(value) = HeaderValue::from_str(&read.to_string()) {
        answer
            .headers
            .push((HeaderName::from_static("x-amzn-bedrock-input-token-count"), value));
    }
    Ok(answer)
}

/// A document is a text, or an object, which is read as a whole.
fn text(document: &Value) -> String {
    let text = document.as_str().or_else(|| document.get("text")?.as_str());
    text.map_or_else(|| document.to_string(), str::to_owned)
}

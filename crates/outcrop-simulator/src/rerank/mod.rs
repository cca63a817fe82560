//! Reranking: the agent runtime's `Rerank`, and what ranks for the bodies of the models' own.

mod likeness;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use aws_smithy_types::base64;
use serde_json::{Value, json};

use crate::exchange::parse;
use crate::invoke::rank;
use crate::models::{Catalogue, Model};
use crate::refusal::Refusal;
use crate::validate;

/// What a page of results holds. AWS doesn't say; a hundred makes whoever doesn't follow the token notice.
const PAGE: usize = 100;
/// What the models that rank have as `invoke` in `models.json`.
pub(crate) const SHAPE: &str = "rerank";

/// A document's place among those given, and its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ranked {
    pub(crate) index: usize,
    pub(crate) score: f64,
}

/// Ranks documents by their likeness to a query, best first; among equals, the earlier one is first.
pub(crate) fn rank(query: &str, documents: &[String]) -> Vec<Ranked> {
    let scored = documents.iter().enumerate().map(|(index, document)| Ranked {
        index,
        score: likeness::score(query, document),
    });
    let mut ranked: Vec<Ranked> = scored.collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    ranked
}

/// What markers stand in, and what rules of a scenario look at: the model and the query.
pub(crate) fn asked(body: &[u8]) -> (String, String) {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |at: &str| body.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    (
        text("/rerankingConfiguration/bedrockRerankingConfiguration/modelConfiguration/modelArn"),
        text("/queries/0/textQuery/text"),
    )
}

/// Answers a call of `Rerank`.
///
/// # Errors
///
/// What the service model doesn't allow, a model that isn't one that ranks, a document without its content, and a
/// token that isn't this request's; of the model's own fields, what its body doesn't allow.
pub(crate) fn answer(catalogue: &Catalogue, body: &[u8]) -> Result<Value, Refusal> {
    let body = parse(body)?;
    validate::body("Rerank", &body)?;
    let configuration = &body["rerankingConfiguration"]["bedrockRerankingConfiguration"];
    let model = check_model(catalogue, &configuration["modelConfiguration"])?;
    let query = body["queries"][0]["textQuery"]["text"].as_str().unwrap_or_default();
    if query.is_empty() {
        return Err(Refusal::validation("The query must have a text."));
    }
    let documents = documents(&body)?;
    let fields = &configuration["modelConfiguration"]["additionalModelRequestFields"];
    rank::check_fields(model, query, &documents, fields)?;
    let wanted = configuration["numberOfResults"].as_u64();
    let wanted = wanted.map_or(documents.len(), |wanted| usize::try_from(wanted).unwrap_or(usize::MAX));
    let mut ranked = rank(query, &documents);
    ranked.truncate(wanted);
    let token = Token::of(&body);
    let start = match body["nextToken"].as_str() {
        None => 0,
        Some(given) => token
            .start(given)
            .filter(|start| *start < ranked.len())
            .ok_or_else(|| Refusal::validation("The provided nextToken is invalid."))?,
    };
    let end = (start + PAGE).min(ranked.len());
    let results: Vec<Value> = ranked[start..end]
        .iter()
        .map(|one| json!({"index": one.index, "relevanceScore": one.score}))
        .collect();
    let mut answer = json!({"results": results});
    if end < ranked.len() {
        answer["nextToken"] = token.at(end).into();
    }
    Ok(answer)
}

/// Models are named by their ARNs, in the region that is called.
fn check_model<'c>(catalogue: &'c Catalogue, configuration: &Value) -> Result<&'c Model, Refusal> {
    let arn = configuration["modelArn"].as_str().unwrap_or_default();
    let known = arn.starts_with("arn:").then(|| catalogue.model(arn)).flatten();
    match known {
        Some(model) if model.invoke.as_deref() == Some(SHAPE) => Ok(model),
        Some(_) => Err(Refusal::validation(
            "The provided model isn't a reranker model. Use a model that supports reranking.",
        )),
        None => Err(Refusal::validation(
            "The provided model ARN is invalid, or the model isn't available in this Region.",
        )),
    }
}

/// The texts of the sources: each has the content that its type names, and no other.
fn documents(body: &Value) -> Result<Vec<String>, Refusal> {
    let sources = body["sources"].as_array().map(Vec::as_slice).unwrap_or_default();
    let documents = sources.iter().enumerate().map(|(index, source)| {
        let document = &source["inlineDocumentSource"];
        let given = |name: &str| document.get(name).filter(|value| !value.is_null());
        match (document["type"].as_str(), given("textDocument"), given("jsonDocument")) {
            (Some("TEXT"), Some(text), None) => text["text"].as_str().map(str::to_owned),
            (Some("JSON"), None, Some(json @ Value::Object(_))) => Some(json.to_string()),
            _ => None,
        }
        .ok_or_else(|| {
            Refusal::validation(format!(
                "The inline document source at sources.{index} must have the content of its type, and no other."
            ))
        })
    });
    documents.collect()
}

/// Tokens are opaque, and only good for the request that they were given for.
struct Token {
    request: u64,
}

impl Token {
    fn of(body: &Value) -> Token {
        let mut hasher = DefaultHasher::new();
        for part in ["queries", "sources", "rerankingConfiguration"] {
            body[part].to_string().hash(&mut hasher);
        }
        Token {
            request: hasher.finish(),
        }
    }

    fn at(&self, start: usize) -> String {
        base64::encode(format!("{:016x}:{start}", self.request))
    }

    fn start(&self, token: &str) -> Option<usize> {
        let decoded = String::from_utf8(base64::decode(token).ok()?).ok()?;
        let (request, start) = decoded.split_once(':')?;
        (request == format!("{:016x}", self.request))
            .then(|| start.parse().ok())
            .flatten()
    }
}

#[cfg(test)]
mod tests;

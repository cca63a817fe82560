//! Cache points: how many, where, and for how long.

use serde_json::Value;

use super::{blocks, list, messages};
use crate::models::Target;
use crate::refusal::Refusal;

const MAX_CACHE_POINTS: usize = 4;

/// A cache point, and what it stands behind.
struct Point<'a> {
    /// Whose list it stands in, as Anthropic's own API names it: `tools`, `system`, `messages.0.content`.
    list: String,
    index: usize,
    before: Option<&'a Value>,
    ttl: &'a str,
}

impl Point<'_> {
    /// The place of the block that it marks.
    fn place(&self) -> String {
        format!("{}.{}", self.list, self.index.saturating_sub(1))
    }

    fn follows(&self, kind: &str) -> bool {
        self.before.is_some_and(|block| block.get(kind).is_some())
    }
}

pub(super) fn check(body: &Value, target: &Target) -> Result<(), Refusal> {
    let points = points(body);
    if points.is_empty() {
        return Ok(());
    }
    if !target.family.cache {
        return Err(Refusal::new(
            "AccessDeniedException",
            "You invoked an unsupported model or your request did not allow prompt caching.",
        ));
    }
    if points.iter().any(|point| point.before.is_none()) {
        return Err(Refusal::validation("There is nothing available to cache."));
    }
    if points.iter().any(|point| point.follows("reasoningContent")) {
        return Err(Refusal::validation(
            "Cache point cannot be inserted after reasoning block. Please remove the invalid cache point and try again.",
        ));
    }
    match target.family.strict_model {
        true => check_for_claude(&points, target),
        false => check_for_nova(&points),
    }
}

fn check_for_claude(points: &[Point], target: &Target) -> Result<(), Refusal> {
    // Other documents are read by Bedrock and become a text, which loses the point that follows.
    let after_text = |point: &&Point| {
        let document = point.before.and_then(|block| block.get("document"));
        document.is_some_and(|document| document.get("format").and_then(Value::as_str) != Some("pdf"))
    };
    if let Some(point) = points.iter().find(after_text) {
        return Err(Refusal::by_model(&format!(
            "{}.{}.type: Field required",
            point.list, point.index
        )));
    }
    if points.len() > MAX_CACHE_POINTS {
        return Err(Refusal::by_model(&format!(
            "A maximum of {MAX_CACHE_POINTS} blocks with cache_control may be provided. Found {}.",
            points.len()
        )));
    }
    if !target.family.cache_1h && points.iter().any(|point| point.ttl == "1h") {
        return Err(Refusal::validation(
            "This model doesn't support the ttl 1h for cachePoint. Remove ttl and try again.",
        ));
    }
    let late = points
        .windows(2)
        .find(|pair| pair[0].ttl == "5m" && pair[1].ttl == "1h");
    match late {
        Some(pair) => Err(Refusal::by_model(&format!(
            "{}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. \
             Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
            pair[1].place()
        ))),
        None => Ok(()),
    }
}

/// Nova takes points behind texts and media only.
fn check_for_nova(points: &[Point]) -> Result<(), Refusal> {
    if points.iter().any(|point| point.ttl == "1h") {
        return Err(Refusal::validation(
            "Extended TTL prompt caching is only supported for Anthropic models",
        ));
    }
    let misplaced = |point: &&Point| point.list == "tools" || point.follows("toolUse") || point.follows("toolResult");
    if let Some(point) = points.iter().find(misplaced) {
        let list = match point.list.as_str() {
            "tools" => "toolConfig/tools".to_owned(),
            list => list.replace('.', "/"),
        };
        return Err(Refusal::by_model(&format!(
            "Malformed input request: #/{list}/{}: extraneous key [cachePoint] is not permitted, please reformat your \
             input and try again.",
            point.index
        )));
    }
    if points.len() > MAX_CACHE_POINTS {
        return Err(Refusal::validation(format!(
            "The number of cache points exceeds the limit of {MAX_CACHE_POINTS}."
        )));
    }
    Ok(())
}

/// The points in the order in which a model reads them.
fn points(body: &Value) -> Vec<Point<'_>> {
    let tools = list(body.get("toolConfig").unwrap_or(&Value::Null), "tools");
    let mut lists = vec![("tools".to_owned(), tools), ("system".to_owned(), list(body, "system"))];
    for (turn, message) in messages(body).iter().enumerate() {
        lists.push((format!("messages.{turn}.content"), blocks(message)));
    }
    let mut points = Vec::new();
    for (list, items) in lists {
        for (index, item) in items.iter().enumerate() {
            if let Some(point) = item.get("cachePoint") {
                points.push(Point {
                    list: list.clone(),
                    index,
                    before: index.checked_sub(1).and_then(|before| items.get(before)),
                    ttl: point.get("ttl").and_then(Value::as_str).unwrap_or("5m"),
                });
            }
        }
    }
    points
}

//! Bodies of models that make vectors: texts and images in, one vector for each out.
//!
//! An [`Embedder`] reads a body strictly and says what is to be embedded; `vectors` makes the vectors, and the embedder
//! writes them in its model's own words. Sources are told in each file. To add one: a file here, a schema in
//! `invoke/schemas`, a line in [`named`], and its name as `invoke` of its models.

mod cohere;
mod image;
mod marengo;
mod nova;
mod titan;
mod vectors;

use aws_smithy_types::base64;
use bytes::Bytes;
use http::HeaderName;
use http::header::HeaderValue;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::headers::Asked as Headers;
use crate::converse::{Call, Mode, Outcome, outcome, sent_whole};
use crate::exchange::Answer;
use crate::models::Target;
use crate::refusal::Refusal;
use crate::script::Marked;
use crate::tokens;
use crate::visit::Visit;

/// How a family of models is asked for vectors, and how it gives them.
pub(super) trait Embedder: Sync {
    /// Checks a body strictly.
    ///
    /// # Errors
    ///
    /// What the family's own documents don't allow.
    fn read(&self, body: &Value, target: &Target) -> Result<Wanted, Refusal>;

    /// The answer to `body`.
    fn write(&self, body: &Value, made: &Made) -> Value;
}

/// What a body asks for.
pub(super) struct Wanted {
    items: Vec<Item>,
    /// Numbers in a vector.
    dimension: usize,
    /// What the vectors are for, which moves them a little.
    purpose: String,
    /// If each vector's length is to be 1.
    normalize: bool,
}

/// What becomes one vector: a text, an image, or both.
#[derive(Default)]
pub(super) struct Item {
    texts: Vec<String>,
    images: Vec<Vec<u8>>,
}

/// What a model made of a body.
pub(super) struct Made {
    vectors: Vec<Vec<f64>>,
    /// Of the texts.
    tokens: u64,
    /// A UUID that follows from the body.
    id: String,
}

/// An embedder by its name in `models.json`.
pub(super) fn named(name: &str) -> Option<&'static dyn Embedder> {
    Some(match name {
        "titan-embed-1" => &titan::Titan1,
        "titan-embed-2" => &titan::Titan2,
        "titan-embed-image" => &titan::TitanImage,
        "cohere-embed-3" => &cohere::Cohere3,
        "cohere-embed-4" => &cohere::Cohere4,
        "nova-embed" => &nova::Nova,
        "marengo-2" => &marengo::Marengo2,
        "marengo-3" => &marengo::Marengo3,
        _ => return None,
    })
}

/// Answers a call of a model that makes vectors. Markers in its texts are followed, and aren't embedded.
pub(super) async fn answer(
    shared: &Visit<'_>,
    embedder: &dyn Embedder,
    (identifier, target): (&str, &Target),
    headers: &Headers,
    (body, raw): (Value, &Bytes),
) -> Result<Answer, Refusal> {
    headers.refuse_guardrail()?;
    let mut wanted = embedder.read(&body, target)?;
    let said: Vec<&str> = wanted.items.iter().flat_map(Item::texts).collect();
    // A conversation of this one turn, for all that goes by what a user says.
    let mut request = json!({"messages": [{"role": "user", "content": [{"text": said.join("\n")}]}]});
    headers.add_to(&mut request, None);
    let call = Call {
        operation: "InvokeModel",
        identifier,
        target,
        request: &request,
        body: &body,
        raw,
        mode: Mode::Whole,
    };
    let (script, pace) = match outcome(shared, &call).await? {
        Outcome::Instead(answer) => return Ok(answer),
        Outcome::Reply { script, pace, .. } => (script, pace),
    };
    for text in wanted.items.iter_mut().flat_map(|item| &mut item.texts) {
        let marked = Marked::read(text).map_err(|error| Refusal::validation(error.to_string()))?;
        *text = marked.text;
    }
    let made = Made::of(&wanted, raw);
    let mut answer = sent_whole(&script, embedder.write(&body, &made).to_string().into(), pace);
    if answer.status.is_success() {
        let latency = 20 + made.tokens / 10;
        for (name, number) in [
            ("x-amzn-bedrock-input-token-count", made.tokens),
            ("x-amzn-bedrock-invocation-latency", latency),
        ] {
            let header = (HeaderName::from_static(name), HeaderValue::from(number));
            answer.headers.push(header);
        }
    }
    Ok(answer)
}

impl Wanted {
    fn new(items: Vec<Item>, dimension: usize) -> Wanted {
        Wanted {
            items,
            dimension,
            purpose: String::new(),
            normalize: true,
        }
    }

    fn purpose(mut self, purpose: Option<&Value>) -> Wanted {
        purpose
            .and_then(Value::as_str)
            .unwrap_or_default()
            .clone_into(&mut self.purpose);
        self
    }
}

impl Item {
    fn text(text: &str) -> Item {
        Item {
            texts: vec![text.to_owned()],
            images: Vec::new(),
        }
    }

    fn image(bytes: Vec<u8>) -> Item {
        Item {
            texts: Vec::new(),
            images: vec![bytes],
        }
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }
}

impl Made {
    fn of(wanted: &Wanted, raw: &[u8]) -> Made {
        let hex: String = digest(&SHA256, raw).as_ref()[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let (vector, texts) = (
            |item| vectors::of(item, wanted),
            wanted.items.iter().flat_map(Item::texts),
        );
        Made {
            tokens: texts.map(tokens_of).sum(),
            vectors: wanted.items.iter().map(vector).collect(),
            id: [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"),
        }
    }
}

/// The tokens of a text; even the shortest has one.
fn tokens_of(text: &str) -> u64 {
    tokens::of(text).max(1)
}

/// A text at a path of a body.
fn text_at<'a>(body: &'a Value, path: &str) -> Option<&'a str> {
    body.pointer(path).and_then(Value::as_str)
}

/// A whole number at a path of a body.
fn number_at(body: &Value, path: &str) -> Option<usize> {
    let number = body.pointer(path).and_then(Value::as_u64)?;
    usize::try_from(number).ok()
}

/// The bytes that base64 stands for.
fn decoded(encoded: &str, place: &str) -> Result<Vec<u8>, Refusal> {
    base64::decode(encoded).map_err(|_| Refusal::validation(format!("{place}: the value isn't valid base64.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Catalogue;

    #[test]
    fn each_model_of_vectors_has_an_embedder_that_takes_not_just_anything() {
        let catalogue = Catalogue::new("us-east-1");
        let makes_vectors = |model: &&crate::models::Model| model.output.iter().any(|output| output == "EMBEDDING");
        let mut count = 0;
        for model in catalogue.models().filter(makes_vectors) {
            let embedder = model.invoke.as_deref().and_then(named);
            let embedder = embedder.unwrap_or_else(|| panic!("{} has none", model.id));
            let target = catalogue.target(model);
            for body in [json!({}), json!({"inputText": 5, "texts": 5}), json!({"unheard-of": 1})] {
                assert!(embedder.read(&body, &target).is_err(), "{}: {body}", model.id);
            }
            count += 1;
        }
        assert!(count >= 10, "{count}");
    }
}

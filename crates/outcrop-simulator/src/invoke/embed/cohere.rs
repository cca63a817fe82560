//! Cohere's Embed, version 3 and 4.
//!
//! Source: Bedrock's user guide, "Cohere Embed v3" and "Cohere Embed v4" (2026-11). That texts too long for the model
//! are refused in Bedrock's words, and what is said of a body with neither texts nor images, is as users report it; what
//! is said of one with both is guessed.

use serde_json::{Value, json};

use super::{Embedder, Item, Made, Wanted, image, number_at, text_at, tokens_of};
use crate::invoke::json_schema::Schema;
use crate::models::Target;
use crate::refusal::Refusal;
use crate::rules::list;

pub(super) struct Cohere3;
pub(super) struct Cohere4;

const DIMENSION_3: usize = 1024;
const DIMENSION_4: usize = 1536;
const MAX_IMAGE_BYTES: usize = 5 << 20;

impl Embedder for Cohere3 {
    fn read(&self, body: &Value, target: &Target) -> Result<Wanted, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/cohere_embed_3.json"));
        SCHEMA.check(body)?;
        only_one(body, &["texts", "images"])?;
        let for_images = text_at(body, "/input_type") == Some("image");
        if for_images != body.get("images").is_some() {
            return Err(Refusal::validation(
                "invalid request: input_type image goes with images, and images with no other input_type",
            ));
        }
        let items = items(body, target, &["png", "jpeg"])?;
        Ok(Wanted::new(items, DIMENSION_3).purpose(body.get("input_type")))
    }

    fn write(&self, body: &Value, made: &Made) -> Value {
        write(body, made)
    }
}

impl Embedder for Cohere4 {
    fn read(&self, body: &Value, target: &Target) -> Result<Wanted, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/cohere_embed_4.json"));
        SCHEMA.check(body)?;
        only_one(body, &["texts", "images", "inputs"])?;
        let items = items(body, target, &["png", "jpeg", "gif", "webp"])?;
        let dimension = number_at(body, "/output_dimension").unwrap_or(DIMENSION_4);
        Ok(Wanted::new(items, dimension).purpose(body.get("input_type")))
    }

    fn write(&self, body: &Value, made: &Made) -> Value {
        write(body, made)
    }
}

fn only_one(body: &Value, names: &[&str]) -> Result<(), Refusal> {
    match names.iter().filter(|name| body.get(**name).is_some()).count() {
        0 => Err(Refusal::malformed(&names.iter().map(missing).collect::<Vec<_>>())),
        1 => Ok(()),
        _ => Err(Refusal::validation(format!(
            "invalid request: only one of {} may be given",
            names.join(", ")
        ))),
    }
}

fn missing(name: &&str) -> String {
    format!("#: required key [{name}] not found")
}

fn items(body: &Value, target: &Target, formats: &[&str]) -> Result<Vec<Item>, Refusal> {
    let text = |text: &Value| {
        let text = text.as_str().unwrap_or_default();
        let truncates = text_at(body, "/truncate").is_some_and(|truncate| truncate != "NONE");
        match tokens_of(text) > target.model.context && !truncates {
            true => Err(Refusal::validation("Input is too long for requested model.")),
            false => Ok(text.to_owned()),
        }
    };
    let image = |url: &Value, place: &str| {
        image::of_data_url(url.as_str().unwrap_or_default(), place, formats, MAX_IMAGE_BYTES)
    };
    let mut items = Vec::new();
    for given in list(body, "texts") {
        items.push(Item::text(&text(given)?));
    }
    for (index, url) in list(body, "images").iter().enumerate() {
        items.push(Item::image(image(url, &format!("images[{index}]"))?));
    }
    for (index, input) in list(body, "inputs").iter().enumerate() {
        let mut item = Item::default();
        for part in list(input, "content") {
            match (part.get("text"), part.get("image_url")) {
                (Some(given), _) => item.texts.push(text(given)?),
                (_, Some(url)) => {
                    // As a word, or as Cohere's own API has it.
                    let url = url.get("url").unwrap_or(url);
                    item.images.push(image(url, &format!("inputs[{index}]"))?);
                }
                _ => {}
            }
        }
        items.push(item);
    }
    Ok(items)
}

/// A list of vectors, or lists by type if types were asked for.
fn write(body: &Value, made: &Made) -> Value {
    let types = list(body, "embedding_types");
    let mut answer = json!({"id": made.id, "response_type": "embeddings_floats", "embeddings": made.vectors});
    if !types.is_empty() {
        let by_type = types.iter().filter_map(Value::as_str);
        answer["embeddings"] = by_type.map(|name| (name.to_owned(), of_type(name, made))).collect();
        answer["response_type"] = "embeddings_by_type".into();
    }
    for name in ["texts", "inputs"] {
        if let Some(given) = body.get(name) {
            answer[name] = given.clone();
        }
    }
    if !list(body, "images").is_empty() {
        answer["texts"] = json!([]);
    }
    answer
}

fn of_type(name: &str, made: &Made) -> Value {
    made.vectors.iter().map(|vector| typed(name, vector)).collect()
}

/// A vector's numbers as a type has them.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what is rounded lies between -128 and 255"
)]
fn typed(name: &str, vector: &[f64]) -> Value {
    let largest = vector
        .iter()
        .fold(f64::MIN_POSITIVE, |largest, number| largest.max(number.abs()));
    let scaled = vector.iter().map(|number| (number / largest * 127.0).round() as i64);
    let bits = |eight: &[f64]| {
        eight
            .iter()
            .fold(0, |bits, number| bits << 1 | i64::from(*number > 0.0))
    };
    match name {
        "int8" => scaled.collect(),
        "uint8" => scaled.map(|number| number + 128).collect(),
        "ubinary" => vector.chunks(8).map(bits).collect(),
        "binary" => vector.chunks(8).map(|eight| bits(eight) - 128).collect(),
        _ => json!(vector),
    }
}

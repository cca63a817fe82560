//! Amazon's Titan embeddings: texts, version 1 and 2, and multimodal ones.
//!
//! Source: Bedrock's user guide, "Amazon Titan Embeddings G1 - Text" and "Amazon Titan Multimodal Embeddings G1"
//! (2026-11). The limits' messages are as users report them; those of images are guessed.

use serde_json::{Value, json};

use super::{Embedder, Item, Made, Wanted, image, number_at, text_at, tokens_of};
use crate::invoke::json_schema::Schema;
use crate::models::Target;
use crate::refusal::Refusal;

pub(super) struct Titan1;
pub(super) struct Titan2;
pub(super) struct TitanImage;

const DIMENSION_1: usize = 1536;
const DIMENSION: usize = 1024;
const FORMATS: [&str; 2] = ["png", "jpeg"];
const MAX_IMAGE_BYTES: usize = 5 << 20;

impl Embedder for Titan1 {
    fn read(&self, body: &Value, target: &Target) -> Result<Wanted, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/titan_embed_1.json"));
        SCHEMA.check(body)?;
        Ok(Wanted::new(vec![text(body, target)?], DIMENSION_1))
    }

    fn write(&self, _: &Value, made: &Made) -> Value {
        json!({"embedding": made.vectors.first(), "inputTextTokenCount": made.tokens})
    }
}

impl Embedder for Titan2 {
    fn read(&self, body: &Value, target: &Target) -> Result<Wanted, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/titan_embed_2.json"));
        SCHEMA.check(body)?;
        let dimension = number_at(body, "/dimensions").unwrap_or(DIMENSION);
        let mut wanted = Wanted::new(vec![text(body, target)?], dimension);
        wanted.normalize = body.get("normalize") != Some(&Value::Bool(false));
        Ok(wanted)
    }

    /// `embedding` has numbers, whatever the types that were asked for.
    fn write(&self, body: &Value, made: &Made) -> Value {
        let vector = made.vectors.first().cloned().unwrap_or_default();
        let types = body.get("embeddingTypes").and_then(Value::as_array);
        let is_wanted =
            |name: &str| types.is_none_or(|types| types.is_empty() || types.iter().any(|kind| kind == name));
        let mut by_type = json!({});
        if types.is_some() && is_wanted("binary") {
            by_type["binary"] = vector
                .iter()
                .map(|number| Value::from(u8::from(*number > 0.0)))
                .collect();
        }
        if is_wanted("float") {
            by_type["float"] = json!(vector);
        }
        json!({"embedding": vector, "embeddingsByType": by_type, "inputTextTokenCount": made.tokens})
    }
}

impl Embedder for TitanImage {
    fn read(&self, body: &Value, target: &Target) -> Result<Wanted, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/titan_embed_image.json"));
        SCHEMA.check(body)?;
        let mut item = match text_at(body, "/inputText") {
            Some(_) => text(body, target)?,
            None => Item::default(),
        };
        if let Some(encoded) = text_at(body, "/inputImage") {
            item.images
                .push(image::bytes(encoded, "inputImage", &FORMATS, MAX_IMAGE_BYTES)?);
        }
        if item.texts.is_empty() && item.images.is_empty() {
            return Err(Refusal::malformed(
                &["#: required key [inputText] not found".to_owned()],
            ));
        }
        let dimension = number_at(body, "/embeddingConfig/outputEmbeddingLength");
        Ok(Wanted::new(vec![item], dimension.unwrap_or(DIMENSION)))
    }

    fn write(&self, _: &Value, made: &Made) -> Value {
        json!({"embedding": made.vectors.first(), "inputTextTokenCount": made.tokens, "message": null})
    }
}

/// The text of a body, if it isn't too long.
fn text(body: &Value, target: &Target) -> Result<Item, Refusal> {
    let text = text_at(body, "/inputText").unwrap_or_default();
    let (count, max) = (tokens_of(text), target.model.context);
    if count > max {
        return Err(Refusal::validation(format!(
            "400 Bad Request: Too many input tokens. Max input tokens: {max}, request input token count: {count} "
        )));
    }
    Ok(Item::text(text))
}

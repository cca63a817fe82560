//! Amazon's Nova multimodal embeddings, as far as they answer at once: one text or one image a call.
//!
//! Source: Nova's user guide, "Complete embeddings request and response schema" (2026-11). Audio and video are taken by
//! the schema and refused here; what is said of them, and of two contents at a time, is guessed.

use serde_json::{Value, json};

use super::{Embedder, Item, Made, Wanted, image, number_at, text_at, tokens_of};
use crate::invoke::json_schema::Schema;
use crate::models::Target;
use crate::refusal::Refusal;

pub(super) struct Nova;

const DIMENSION: usize = 3072;
const KINDS: [&str; 4] = ["text", "image", "audio", "video"];
/// Of a whole call.
const MAX_IMAGE_BYTES: usize = 25_000_000;

impl Embedder for Nova {
    fn read(&self, body: &Value, target: &Target) -> Result<Wanted, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/nova_embed.json"));
        SCHEMA.check(body)?;
        let params = &body["singleEmbeddingParams"];
        let given: Vec<&str> = KINDS.into_iter().filter(|kind| params.get(kind).is_some()).collect();
        let item = match given[..] {
            ["text"] => text(params, target)?,
            ["image"] => picture(params)?,
            [kind @ ("audio" | "video")] => {
                return Err(Refusal::validation(format!("The simulator doesn't embed {kind}.")));
            }
            _ => {
                return Err(Refusal::validation(
                    "Exactly one of text, image, audio and video must be in singleEmbeddingParams.",
                ));
            }
        };
        let dimension = number_at(params, "/embeddingDimension").unwrap_or(DIMENSION);
        Ok(Wanted::new(vec![item], dimension).purpose(params.get("embeddingPurpose")))
    }

    fn write(&self, body: &Value, made: &Made) -> Value {
        let is_text = body.pointer("/singleEmbeddingParams/text").is_some();
        let kind = if is_text { "TEXT" } else { "IMAGE" };
        json!({"embeddings": [{"embeddingType": kind, "embedding": made.vectors.first()}]})
    }
}

fn text(params: &Value, target: &Target) -> Result<Item, Refusal> {
    image::refuse_s3(params, "/text/source")?;
    let Some(value) = text_at(params, "/text/value") else {
        let missing = "#/singleEmbeddingParams/text: required key [value] not found";
        return Err(Refusal::malformed(&[missing.to_owned()]));
    };
    let truncates = text_at(params, "/text/truncationMode") != Some("NONE");
    if tokens_of(value) > target.model.context && !truncates {
        return Err(Refusal::validation("Input is too long for requested model."));
    }
    Ok(Item::text(value))
}

fn picture(params: &Value) -> Result<Item, Refusal> {
    image::refuse_s3(params, "/image/source")?;
    let format = text_at(params, "/image/format").unwrap_or_default();
    let Some(encoded) = text_at(params, "/image/source/bytes") else {
        let missing = "#/singleEmbeddingParams/image/source: required key [bytes] not found";
        return Err(Refusal::malformed(&[missing.to_owned()]));
    };
    Ok(Item::image(image::bytes(
        encoded,
        "singleEmbeddingParams.image.source.bytes",
        &[format],
        MAX_IMAGE_BYTES,
    )?))
}

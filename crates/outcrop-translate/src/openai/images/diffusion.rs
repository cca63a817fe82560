//! Stable Diffusion XL's body (Bedrock's user guide, "Stability.ai Diffusion 1.0", read 2026-11).

use serde_json::{Map, Value, json};

use super::mask::{Shade, black_and_white};
use super::member::{contradiction, missing, unsupported};
use super::plan::{Body, Order, drop_quality, place_style, put_others};
use super::size::Sizing;
use crate::catalogue::ImageSize;
use crate::notes::Notes;
use crate::problem::Problem;

pub(super) fn body(order: &mut Order<'_>, notes: &mut Notes) -> Result<Body, Problem> {
    let mut members = Map::new();
    let prompt = order.prompt.ok_or_else(|| missing("prompt"))?;
    let mut prompts = vec![json!({"text": prompt})];
    // What is not to be seen is a prompt of less than no weight.
    if let Some(negative) = order.take(&["negative_prompt"]) {
        prompts.push(json!({"text": negative, "weight": -1.0}));
    }
    // With weights of their own: the prompt must be one of them.
    if let Some(own) = order.take(&["text_prompts"]) {
        let is_there = |all: &Vec<Value>| all.iter().any(|one| one["text"] == prompt);
        if prompts.len() > 1 || !own.as_array().is_some_and(is_there) {
            let name = if prompts.len() > 1 { "negative_prompt" } else { "prompt" };
            return Err(contradiction(name, "text_prompts"));
        }
        members.insert("text_prompts".to_owned(), own);
    } else {
        members.insert("text_prompts".to_owned(), prompts.into());
    }
    if let Some(image) = order.images.first() {
        place_image(order, image.base64(), &mut members, notes)?;
    } else if let Sizing::Exact(ImageSize { width, height }) = order.sizing {
        members.insert("width".to_owned(), (*width).into());
        members.insert("height".to_owned(), (*height).into());
    }
    place_style(order, &mut members, true, notes);
    drop_quality(order, notes);
    if !matches!(order.output_format, None | Some("png")) {
        notes.lose("output_format", "png", "only-format");
    }
    put_others(order, &mut members)?;
    Ok(Body {
        members,
        seed_at: Some(&["seed"]),
        max_seed: u32::MAX.into(),
        count_at: None,
    })
}

fn place_image(
    order: &Order<'_>,
    image: String,
    members: &mut Map<String, Value>,
    notes: &mut Notes,
) -> Result<(), Problem> {
    if order.images.len() > 1 {
        return Err(unsupported("image", "this model changes one image at a time"));
    }
    members.insert("init_image".to_owned(), image.into());
    if let Some(mask) = order.mask {
        let mask = black_and_white(mask, order.image_size(), Shade::White)?;
        members.insert("mask_source".to_owned(), "MASK_IMAGE_WHITE".into());
        members.insert("mask_image".to_owned(), outcrop_bedrock::base64::encode(&mask).into());
    }
    order.keep_size_of_image(notes);
    Ok(())
}

//! The body of Stability AI's newer models and image services: one member for each thing, and each takes its own
//! (Bedrock's user guide, "Stability AI Image Services" and the pages on its models, read 2026-11).

use serde_json::{Map, Value};

use super::mask::{Shade, black_and_white};
use super::member::{contradiction, missing, unsupported, wrong};
use super::plan::{Body, Order, drop_quality, no_prompt, place_style, put_others};
use super::size::Sizing;
use crate::catalogue::{ImageSize, ImageTask};
use crate::notes::Notes;
use crate::problem::Problem;

/// How far an answer may be from the image that it begins with, where nobody says.
const STRENGTH: f64 = 0.7;
/// The largest seed.
const MAX_SEED: u64 = u32::MAX as u64 - 1;

pub(super) fn body(order: &mut Order<'_>, notes: &mut Notes) -> Result<Body, Problem> {
    let mut members = Map::new();
    let takes = |name: &str| order.rules.takes(name);
    match order.prompt {
        Some(prompt) if takes("prompt") => {
            members.insert("prompt".to_owned(), prompt.into());
        }
        _ => no_prompt(order, notes),
    }
    if order.task == ImageTask::Edit {
        place_images(order, &mut members, notes)?;
    }
    let by_shape = !order.rules.ratios.is_empty() && !members.contains_key("strength");
    match order.sizing {
        Sizing::Ratio(name) if by_shape => {
            members.insert("aspect_ratio".to_owned(), name.as_str().into());
        }
        _ if takes("left") => grow(order, &mut members)?,
        _ => order.keep_size_of_image(notes),
    }
    if let Some(format) = order.output_format {
        match order.rules.formats.iter().any(|known| known == format) {
            true => {
                members.insert("output_format".to_owned(), format.into());
            }
            false => notes.lose("output_format", "png", "not-of-model"),
        }
    }
    let takes_style = takes("style_preset");
    let takes_seed = takes("seed");
    place_style(order, &mut members, takes_style, notes);
    drop_quality(order, notes);
    for name in ["negative_prompt", "cfg_scale", "steps"] {
        if !order.rules.takes(name) && order.others.remove(name).is_some() {
            notes.lose(name, "dropped", "not-of-model");
        }
    }
    put_others(order, &mut members)?;
    Ok(Body {
        members,
        max_seed: MAX_SEED,
        seed_at: takes_seed.then_some(&["seed"]),
        count_at: None,
    })
}

fn place_images(order: &mut Order<'_>, members: &mut Map<String, Value>, notes: &mut Notes) -> Result<(), Problem> {
    let takes = |name: &str| order.rules.takes(name);
    let two = takes("style_image");
    let most = if two { 2 } else { 1 };
    if let Some(more) = order.images.get(most) {
        let why = format!(
            "this model takes {most} at most; 'amazon.nova-canvas-v1:0' takes up to 5, and \
             'stability.stable-style-transfer-v1:0' an image and one whose style it gets"
        );
        return Err(unsupported(&more.name, &why));
    }
    let Some(first) = order.images.first() else {
        return Err(missing("image"));
    };
    if two {
        let style = order.images.get(1);
        let style = style.ok_or_else(|| wrong("image", "two images: what is to change, and whose style it gets"))?;
        members.insert("init_image".to_owned(), first.base64().into());
        members.insert("style_image".to_owned(), style.base64().into());
    } else {
        members.insert("image".to_owned(), first.base64().into());
    }
    if takes("mode") {
        members.insert("mode".to_owned(), "image-to-image".into());
    }
    let with_strength = takes("strength");
    match order.mask {
        // White is what changes.
        Some(mask) if takes("mask") => {
            let mask = black_and_white(mask, order.image_size(), Shade::White)?;
            members.insert("mask".to_owned(), outcrop_bedrock::base64::encode(&mask).into());
        }
        Some(_) => {
            let why = "this model changes images as a whole; 'stability.stable-image-inpaint-v1:0' and \
                       'amazon.nova-canvas-v1:0' take masks";
            return Err(unsupported("mask", why));
        }
        None => {}
    }
    if with_strength {
        let strength = order.take(&["strength"]).unwrap_or_else(|| {
            notes.add("strength", "0.7", "needed");
            STRENGTH.into()
        });
        members.insert("strength".to_owned(), strength);
    }
    Ok(())
}

/// An image that is larger than the one that is given grows on all sides alike, unless it is said where.
fn grow(order: &Order<'_>, members: &mut Map<String, Value>) -> Result<(), Problem> {
    let said = ["left", "right", "up", "down"]
        .into_iter()
        .find(|side| order.others.contains_key(*side));
    let (asked, own) = match (order.sizing, order.image_size(), said) {
        (Sizing::Exact(asked), Some(own), None) => (*asked, own),
        (Sizing::Exact(asked), Some(own), Some(side)) => return check_growth(order, *asked, own, side),
        (Sizing::Exact(_), None, None) | (Sizing::Unsaid | Sizing::Ratio(_), _, None) => {
            let what = "a size larger than the image, or 'left', 'right', 'up' and 'down'";
            return Err(Problem {
                code: Some("missing_required_parameter"),
                ..wrong("size", what)
            });
        }
        (_, _, Some(_)) => return Ok(()),
    };
    if asked == own {
        return Err(wrong("size", &format!("a size larger than the image, which has {own}")));
    }
    let (Some(wider), Some(higher)) = (asked.width.checked_sub(own.width), asked.height.checked_sub(own.height)) else {
        return Err(wrong("size", &format!("a size that holds the image, which has {own}")));
    };
    for (name, pixels) in [
        ("left", wider / 2),
        ("right", wider - wider / 2),
        ("up", higher / 2),
        ("down", higher - higher / 2),
    ] {
        members.insert(name.to_owned(), pixels.into());
    }
    Ok(())
}

/// Whether the sides by which an image is said to grow come to the size that is asked for.
fn check_growth(order: &Order<'_>, asked: ImageSize, own: ImageSize, side: &str) -> Result<(), Problem> {
    let pixels = |side: &str| order.others.get(side).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let comes_to = |own: u32, before: &str, behind: &str| {
        let grown = u64::from(own).saturating_add(pixels(before));
        grown.saturating_add(pixels(behind))
    };
    let width = comes_to(own.width, "left", "right");
    let height = comes_to(own.height, "up", "down");
    match width == u64::from(asked.width) && height == u64::from(asked.height) {
        true => Ok(()),
        false => Err(contradiction("size", side)),
    }
}

//! Stability AI's Stable Diffusion XL.
//!
//! Source: Bedrock's user guide, "Stability.ai Diffusion 1.0 text to image", "… image to image" and "… (masking)"
//! (2026-11). The sizes of 0.8 are its successor's rules without the list, since no document has them any more.

use serde_json::{Value, json};

use super::given::Given;
use super::{Filtered, Format, Order, Painter};
use crate::invoke::json_schema::Schema;
use crate::models::Target;
use crate::refusal::Refusal;

pub(super) struct Sdxl;

const SIZES: [(u32, u32); 9] = [
    (1024, 1024),
    (1152, 896),
    (1216, 832),
    (1344, 768),
    (1536, 640),
    (640, 1536),
    (768, 1344),
    (832, 1216),
    (896, 1152),
];
const MAX_STEPS: u64 = 50;

impl Painter for Sdxl {
    fn read(&self, body: &Value, target: &Target) -> Result<Order, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/sdxl.json"));
        SCHEMA.check(body)?;
        let first = target.model.id.ends_with("-v0");
        let steps = body.get("steps").and_then(Value::as_u64).unwrap_or(30);
        if !first && steps > MAX_STEPS {
            return Err(Refusal::malformed(&[format!(
                "#/steps: {steps} is not less or equal to {MAX_STEPS}"
            )]));
        }
        let (width, height) = size(body, first)?;
        let prompts = body["text_prompts"].as_array().into_iter().flatten();
        let wanted = prompts.filter(|prompt| prompt["weight"].as_f64().unwrap_or(1.0) > 0.0);
        let texts: Vec<&str> = wanted.filter_map(|prompt| prompt["text"].as_str()).collect();
        Ok(Order {
            prompt: texts.join("\n"),
            width,
            height,
            count: 1,
            seed: body.get("seed").and_then(Value::as_u64).filter(|seed| *seed > 0),
            format: Format::Png,
            cut_out: false,
        })
    }

    fn whole(&self, order: &Order, pictures: Vec<String>, filtered: Option<Filtered>) -> Result<Value, Refusal> {
        let artifact = |(picture, reason)| json!({"seed": order.seed_of(0), "base64": picture, "finishReason": reason});
        if filtered == Some(Filtered::Prompt) {
            return Err(Refusal::validation(
                "Invalid prompts detected: the prompt was stopped by the content filter.",
            ));
        }
        let artifacts: Vec<Value> = match filtered {
            None => pictures
                .into_iter()
                .map(|picture| artifact((picture, "SUCCESS")))
                .collect(),
            // What is blurred is shown all the same.
            Some(_) => vec![artifact((
                aws_smithy_types::base64::encode(super::picture::png(order.width, order.height, "", false)),
                "CONTENT_FILTERED",
            ))],
        };
        Ok(json!({"result": "success", "artifacts": artifacts}))
    }
}

/// The size that is asked for, or the first image's.
fn size(body: &Value, first: bool) -> Result<(u32, u32), Refusal> {
    let (width, height) = match body.get("init_image") {
        Some(_) => {
            if let Some(name) = ["width", "height"].iter().find(|name| body.get(**name).is_some()) {
                return Err(Refusal::malformed(&[format!(
                    "#: extraneous key [{name}] is not permitted"
                )]));
            }
            let image = Given::read(body, "/init_image", &["png", "jpeg"])?;
            check_mask(body, &image)?;
            (image.width, image.height)
        }
        None => {
            if body.get("mask_source").is_some() || body.get("mask_image").is_some() {
                return Err(Refusal::malformed(&[
                    "#: required key [init_image] not found".to_owned()
                ]));
            }
            let default = if first { 512 } else { 1024 };
            let side = |name: &str| body.get(name).and_then(Value::as_u64).unwrap_or(default);
            let clamped = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
            (clamped(side("width")), clamped(side("height")))
        }
    };
    let fits = match first {
        true => {
            let side = |side: u32| side.is_multiple_of(64) && (128..=1536).contains(&side);
            side(width) && side(height) && width * height <= 1 << 20
        }
        false => SIZES.contains(&(width, height)),
    };
    match fits {
        true => Ok((width, height)),
        false if first => Err(Refusal::validation(
            "height and width must be specified in increments of 64, from 128 to 1536, and have 1048576 pixels at most",
        )),
        false => {
            let allowed: Vec<String> = SIZES
                .iter()
                .map(|(width, height)| format!("{width}x{height}"))
                .collect();
            Err(Refusal::validation(format!(
                "for stable-diffusion-xl-1024-v1-0 the allowed dimensions are {}, but we received {width}x{height}",
                allowed.join(", ")
            )))
        }
    }
}

fn check_mask(body: &Value, image: &Given) -> Result<(), Refusal> {
    let source = body.get("mask_source").and_then(Value::as_str);
    let masked = body.get("mask_image").is_some();
    let wanted = source.is_some_and(|source| source.starts_with("MASK_IMAGE"));
    if masked != wanted {
        let what = if wanted { "mask_image" } else { "mask_source" };
        return Err(Refusal::malformed(&[format!("#: required key [{what}] not found")]));
    }
    if !masked {
        return Ok(());
    }
    let mask = Given::read(body, "/mask_image", &["png", "jpeg"])?;
    match (mask.width, mask.height) == (image.width, image.height) {
        true => Ok(()),
        false => Err(Refusal::validation(
            "the mask image must have the same dimensions as the init image",
        )),
    }
}

//! Stability AI's newer models, and its image services: one body with other members for each.
//!
//! Source: Bedrock's user guide, "Stable Image Ultra", "Stable Image Core", "Stable Diffusion 3", "Stability AI Image
//! Services" (2026-11). Which members each takes stands in `schemas/stability.json`. A picture's size for each aspect
//! ratio is what these models are known to give; how large an upscaled one is, is said as "4 megapixels" only.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::given::Given;
use super::{Filtered, Format, Order, Painter};
use crate::invoke::json_schema;
use crate::models::Target;
use crate::refusal::Refusal;

pub(super) struct Stability;

const RATIOS: [(&str, u32, u32); 9] = [
    ("1:1", 1024, 1024),
    ("16:9", 1344, 768),
    ("21:9", 1536, 640),
    ("2:3", 832, 1216),
    ("3:2", 1216, 832),
    ("4:5", 896, 1088),
    ("5:4", 1088, 896),
    ("9:16", 768, 1344),
    ("9:21", 640, 1536),
];
const UPSCALED_PIXELS: f64 = 4_194_304.0;
/// Of a picture's two sides, the longer is at most so many times the shorter.
const MAX_RATIO: f64 = 2.5;

#[derive(Deserialize)]
struct Table {
    members: Map<String, Value>,
    services: Vec<Service>,
}

/// What one of them takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    /// The beginning of the model's id, without its provider.
    model: String,
    required: Vec<String>,
    optional: Vec<String>,
    #[serde(default = "all_formats")]
    formats: Vec<String>,
    /// The fewest and the most pixels of an image it is given.
    #[serde(default = "usual_pixels")]
    pixels: (u64, u64),
    /// The fewest and the most pixels on a side.
    #[serde(default = "usual_sides")]
    sides: (u32, u32),
    #[serde(default)]
    size: Size,
    #[serde(default)]
    cut_out: bool,
}

/// How large the answer is.
#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
enum Size {
    /// As large as the image it is given, or by the aspect ratio if there is none.
    #[default]
    #[serde(rename = "same")]
    Same,
    #[serde(rename = "ratio")]
    Ratio,
    #[serde(rename = "4 MP")]
    FourMegapixels,
    #[serde(rename = "4 times")]
    FourTimes,
    /// By `left`, `right`, `up` and `down`.
    #[serde(rename = "grown")]
    Grown,
}

fn all_formats() -> Vec<String> {
    ["png", "jpeg", "webp"].map(str::to_owned).to_vec()
}

fn usual_pixels() -> (u64, u64) {
    (4096, 9_437_184)
}

fn usual_sides() -> (u32, u32) {
    (64, u32::MAX)
}

impl Painter for Stability {
    fn read(&self, body: &Value, target: &Target) -> Result<Order, Refusal> {
        let (service, schema) = service(&target.model.id)?;
        let complaints = json_schema::complaints(schema, body);
        if !complaints.is_empty() {
            return Err(Refusal::malformed(&complaints));
        }
        let given = images(body, service)?;
        check_mode(body, service, given.is_some())?;
        let (width, height) = size(body, service, given.as_ref())?;
        Ok(Order {
            prompt: text(body, "prompt").unwrap_or_default().to_owned(),
            width,
            height,
            count: 1,
            seed: body.get("seed").and_then(Value::as_u64).filter(|seed| *seed > 0),
            format: format(body, service)?,
            cut_out: service.cut_out,
        })
    }

    fn whole(&self, order: &Order, pictures: Vec<String>, filtered: Option<Filtered>) -> Result<Value, Refusal> {
        Ok(match filtered {
            None => json!({"seeds": [order.seed_of(0)], "finish_reasons": [null], "images": pictures}),
            Some(Filtered::Prompt) => json!({"finish_reasons": ["Filter reason: prompt"]}),
            Some(Filtered::Picture) => json!({"finish_reasons": ["Filter reason: output image"]}),
        })
    }
}

/// What a model takes, and the schema of its body.
fn service(id: &str) -> Result<(&'static Service, &'static Value), Refusal> {
    static TABLE: LazyLock<Vec<(Service, Value)>> = LazyLock::new(|| {
        #[expect(
            clippy::expect_used,
            reason = "the table is part of the program, and its tests read it"
        )]
        let table: Table =
            serde_json::from_str(include_str!("../schemas/stability.json")).expect("the table of services is right");
        let Table { members, services } = table;
        let with_schema = |service: Service| {
            let names = service.required.iter().chain(&service.optional);
            let properties: Map<String, Value> = names
                .map(|name| (name.clone(), members.get(name).cloned().unwrap_or(Value::Null)))
                .collect();
            let schema = json!({
                "type": "object",
                "additionalProperties": false,
                "required": service.required,
                "properties": properties,
            });
            (service, schema)
        };
        services.into_iter().map(with_schema).collect()
    });
    let name = id.strip_prefix("stability.").unwrap_or(id);
    let found = TABLE.iter().find(|(service, _)| name.starts_with(&service.model));
    found.map(|(service, schema)| (service, schema)).ok_or_else(|| {
        Refusal::new(
            "InternalServerException",
            format!("The simulator doesn't know the body of {id}."),
        )
    })
}

fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

/// Checks all images of a body; the first is the one that is changed.
fn images(body: &Value, service: &Service) -> Result<Option<Given>, Refusal> {
    let mut first: Option<Given> = None;
    for name in ["image", "init_image", "style_image", "mask"] {
        if text(body, name).is_none() {
            continue;
        }
        let given = Given::read(body, &format!("/{name}"), &["png", "jpeg", "webp"])?;
        let sides = [given.width, given.height];
        let (low, high) = service.pixels;
        let in_range = (low..=high).contains(&given.pixels())
            && sides
                .iter()
                .all(|side| (service.sides.0..=service.sides.1).contains(side));
        if !in_range {
            return Err(Refusal::validation(format!(
                "{name}: the image must have {low} to {high} pixels, and {} on each side at least",
                service.sides.0
            )));
        }
        let ratio = f64::from(given.width) / f64::from(given.height);
        if !(1.0 / MAX_RATIO..=MAX_RATIO).contains(&ratio) && service.size == Size::Same {
            return Err(Refusal::validation(format!(
                "{name}: the aspect ratio of the image must be between 1:2.5 and 2.5:1"
            )));
        }
        if let Some(first) = first.as_ref().filter(|_| name == "mask")
            && (first.width, first.height) != (given.width, given.height)
        {
            return Err(Refusal::validation("mask: the mask must be as large as the image"));
        }
        first = first.or(Some(given));
    }
    Ok(first)
}

/// Where an image is optional, it goes with its strength and, if the model has modes, with `image-to-image`; the shape is
/// then the image's own.
fn check_mode(body: &Value, service: &Service, given: bool) -> Result<(), Refusal> {
    let takes = |name: &str| service.optional.iter().any(|known| known == name);
    let from_image = text(body, "mode") == Some("image-to-image");
    let has = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
    let wrong = |what: &str| Err(Refusal::validation(what.to_owned()));
    if !takes("strength") {
        return match from_image {
            true => Err(Refusal::malformed(&[
                "#/mode: image-to-image is not a valid enum value".to_owned(),
            ])),
            false => Ok(()),
        };
    }
    match given {
        true if text(body, "mode") == Some("text-to-image") => wrong("image: only with mode image-to-image"),
        true if !has("strength") => wrong("strength: required with an image"),
        true if has("aspect_ratio") => wrong("aspect_ratio: only with mode text-to-image"),
        true => Ok(()),
        false if from_image => wrong("image: required with mode image-to-image"),
        false if has("strength") => wrong("strength: only with an image"),
        false => Ok(()),
    }
}

fn size(body: &Value, service: &Service, given: Option<&Given>) -> Result<(u32, u32), Refusal> {
    let number = |name: &str| body.get(name).and_then(Value::as_u64).unwrap_or(0) as u32;
    let by_ratio = || {
        let wanted = text(body, "aspect_ratio").unwrap_or("1:1");
        let known = RATIOS.iter().find(|(name, ..)| *name == wanted);
        known.map_or((1024, 1024), |(_, width, height)| (*width, *height))
    };
    let Some(given) = given else { return Ok(by_ratio()) };
    Ok(match service.size {
        Size::Same => (given.width, given.height),
        Size::Ratio => by_ratio(),
        Size::FourTimes => (given.width * 4, given.height * 4),
        Size::FourMegapixels => {
            let factor = (UPSCALED_PIXELS / given.pixels() as f64).sqrt();
            let grown = |side: u32| (f64::from(side) * factor).round() as u32;
            (grown(given.width), grown(given.height))
        }
        Size::Grown => {
            let (wider, higher) = (number("left") + number("right"), number("up") + number("down"));
            if wider + higher == 0 {
                return Err(Refusal::validation(
                    "at least one of left, right, up and down must be greater than 0",
                ));
            }
            (given.width + wider, given.height + higher)
        }
    })
}

fn format(body: &Value, service: &Service) -> Result<Format, Refusal> {
    let wanted = text(body, "output_format").unwrap_or("png");
    if !service.formats.iter().any(|format| format == wanted) {
        return Err(Refusal::malformed(&[format!(
            "#/output_format: {wanted} is not a valid enum value"
        )]));
    }
    match wanted {
        "jpeg" => Ok(Format::Jpeg),
        "webp" => Err(Refusal::validation(
            "The simulator doesn't write WebP; ask for png or jpeg.",
        )),
        _ => Ok(Format::Png),
    }
}

//! Amazon's Titan Image Generator and Nova Canvas: a task, its parameters, and what all tasks share.
//!
//! Source: Bedrock's user guide, "Amazon Titan Image Generator G1 models", and Nova's, "Image generation and editing"
//! (2026-11). Titan makes the sizes of a list, Nova any size by rule; where an image is changed, Nova's answer is as large
//! as the image. Virtual try-on isn't here. The words of refusals after the schema are ours, but for the filters'.

use serde_json::{Value, json};

use super::given::Given;
use super::{Filtered, Format, Order, Painter};
use crate::invoke::json_schema::Schema;
use crate::models::Target;
use crate::refusal::Refusal;

pub(super) enum Amazon {
    Titan,
    Canvas,
}

/// Each task, and where its parameters stand.
const TASKS: [(&str, &str); 6] = [
    ("TEXT_IMAGE", "textToImageParams"),
    ("INPAINTING", "inPaintingParams"),
    ("OUTPAINTING", "outPaintingParams"),
    ("IMAGE_VARIATION", "imageVariationParams"),
    ("COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams"),
    ("BACKGROUND_REMOVAL", "backgroundRemovalParams"),
];
/// What Titan's first version doesn't have.
const LATER_TASKS: [&str; 2] = ["COLOR_GUIDED_GENERATION", "BACKGROUND_REMOVAL"];

const TITAN_SIZES: [(u32, u32); 25] = [
    (1024, 1024),
    (768, 768),
    (512, 512),
    (768, 1152),
    (384, 576),
    (1152, 768),
    (576, 384),
    (768, 1280),
    (384, 640),
    (1280, 768),
    (640, 384),
    (896, 1152),
    (448, 576),
    (1152, 896),
    (576, 448),
    (768, 1408),
    (384, 704),
    (1408, 768),
    (704, 384),
    (640, 1408),
    (320, 704),
    (1408, 640),
    (704, 320),
    (1152, 640),
    (1173, 640),
];
/// On a side of an image that Titan is given.
const TITAN_SIDE: u32 = 1408;
const CANVAS_SIDES: std::ops::RangeInclusive<u32> = 320..=4096;
const CANVAS_PIXELS: u64 = 4_194_304;

impl Painter for Amazon {
    fn read(&self, body: &Value, target: &Target) -> Result<Order, Refusal> {
        let (task, params) = self.task(body, target)?;
        let place = |name: &str| format!("/{params}/{name}");
        let at = |name: &str| body.pointer(&place(name)).filter(|value| !value.is_null());
        if at("conditionImage").is_some() && target.model.id.ends_with("-v1") {
            return Err(Refusal::malformed(&[format!(
                "#/{params}: extraneous key [conditionImage] is not permitted"
            )]));
        }
        if at("controlMode").or(at("controlStrength")).is_some() && at("conditionImage").is_none() {
            return Err(Refusal::malformed(&[format!(
                "#/{params}: required key [conditionImage] not found"
            )]));
        }
        let image = self.images(body, params)?;
        if task.ends_with("PAINTING") {
            self.check_mask(body, params, image.as_ref())?;
        }
        let (width, height) = self.size(body, task, image.as_ref())?;
        let config = |name: &str| {
            body.pointer(&format!("/imageGenerationConfig/{name}"))
                .and_then(Value::as_u64)
        };
        Ok(Order {
            prompt: at("text").and_then(Value::as_str).unwrap_or_default().to_owned(),
            width,
            height,
            count: config("numberOfImages").unwrap_or(1) as u32,
            seed: config("seed"),
            format: Format::Png,
            cut_out: task == "BACKGROUND_REMOVAL",
        })
    }

    fn whole(&self, _: &Order, pictures: Vec<String>, filtered: Option<Filtered>) -> Result<Value, Refusal> {
        match filtered {
            None => Ok(json!({"images": pictures, "error": null})),
            Some(Filtered::Prompt) => Err(Refusal::validation(
                "This request has been blocked by our content filters. Our filters automatically flagged this prompt \
                 because it may conflict our AUP or AWS Responsible AI Policy. Please adjust your prompt to submit a \
                 new request.",
            )),
            Some(Filtered::Picture) => Ok(json!({
                "images": [],
                "error": "All of the generated images have been blocked by our content filters because they may \
                          conflict our AUP or AWS Responsible AI Policy.",
            })),
        }
    }
}

impl Amazon {
    /// Checks the body against its task's schema.
    fn task(&self, body: &Value, target: &Target) -> Result<(&'static str, &'static str), Refusal> {
        static TITAN: Schema = Schema::new(include_str!("../schemas/titan_image.json"));
        static CANVAS: Schema = Schema::new(include_str!("../schemas/nova_canvas.json"));
        let (schema, first) = match self {
            Amazon::Titan => (&TITAN, target.model.id.ends_with("-v1")),
            Amazon::Canvas => (&CANVAS, false),
        };
        let Some(name) = body.get("taskType").and_then(Value::as_str) else {
            return Err(Refusal::malformed(&["#: required key [taskType] not found".to_owned()]));
        };
        let known = TASKS.into_iter().find(|(task, _)| *task == name);
        let Some((task, params)) = known.filter(|(task, _)| !(first && LATER_TASKS.contains(task))) else {
            return Err(Refusal::malformed(&[format!(
                "#/taskType: {name} is not a valid enum value"
            )]));
        };
        let complaints = schema.complaints_of(task, body);
        match complaints.is_empty() {
            true => Ok((task, params)),
            false => Err(Refusal::malformed(&complaints)),
        }
    }

    /// Checks all images of a body; the first is the one that is changed.
    fn images(&self, body: &Value, params: &str) -> Result<Option<Given>, Refusal> {
        let mut places: Vec<String> = ["image", "conditionImage", "referenceImage"]
            .map(|name| format!("/{params}/{name}"))
            .to_vec();
        let several = body.pointer(&format!("/{params}/images")).and_then(Value::as_array);
        places.extend((0..several.map_or(0, Vec::len)).map(|index| format!("/{params}/images/{index}")));
        let mut first = None;
        for place in places.iter().filter(|place| body.pointer(place).is_some()) {
            let given = Given::read(body, place, &["png", "jpeg"])?;
            let (low, high) = match self {
                Amazon::Titan => (1, TITAN_SIDE),
                Amazon::Canvas => (*CANVAS_SIDES.start(), *CANVAS_SIDES.end()),
            };
            if ![given.width, given.height]
                .iter()
                .all(|side| (low..=high).contains(side))
            {
                return Err(Refusal::validation(format!(
                    "#{place}: the sides of an image must have {low} to {high} pixels"
                )));
            }
            first = first.or(Some(given));
        }
        Ok(first)
    }

    /// By a prompt or by an image, not by both; the image is as large as the one that is changed, and black and white.
    fn check_mask(&self, body: &Value, params: &str, image: Option<&Given>) -> Result<(), Refusal> {
        let has = |name: &str| {
            body.pointer(&format!("/{params}/{name}"))
                .is_some_and(|value| !value.is_null())
        };
        if has("maskPrompt") == has("maskImage") {
            return Err(Refusal::malformed(&[format!(
                "#/{params}: exactly one of maskPrompt and maskImage must be given"
            )]));
        }
        if !has("maskImage") {
            return Ok(());
        }
        let mask = Given::read(body, &format!("/{params}/maskImage"), &["png", "jpeg"])?;
        if image.is_some_and(|image| (image.width, image.height) != (mask.width, mask.height)) {
            return Err(Refusal::validation(
                "The mask image must have the same dimensions as the input image.",
            ));
        }
        match mask.is_black_and_white() {
            true => Ok(()),
            false => Err(Refusal::validation(
                "The mask image must only contain pure black and pure white pixels.",
            )),
        }
    }

    fn size(&self, body: &Value, task: &str, image: Option<&Given>) -> Result<(u32, u32), Refusal> {
        let asked = |name: &str| {
            body.pointer(&format!("/imageGenerationConfig/{name}"))
                .and_then(Value::as_u64)
        };
        let clamped = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
        let own = image.map(|image| (image.width, image.height));
        let keeps = task == "BACKGROUND_REMOVAL" || task.ends_with("PAINTING");
        if let (true, None, Some(own)) = (keeps, asked("width").or(asked("height")), own) {
            return Ok(own);
        }
        let (width, height) = (
            clamped(asked("width").unwrap_or(1024)),
            clamped(asked("height").unwrap_or(1024)),
        );
        let fits = match self {
            Amazon::Titan => TITAN_SIZES.contains(&(width, height)),
            Amazon::Canvas => {
                let side = |side: u32| side.is_multiple_of(16) && CANVAS_SIDES.contains(&side);
                let (long, short) = (width.max(height), width.min(height));
                side(width)
                    && side(height)
                    && long / 4 <= short
                    && u64::from(width) * u64::from(height) <= CANVAS_PIXELS
            }
        };
        match fits {
            true => Ok((width, height)),
            false => Err(Refusal::validation(format!(
                "The size {width}x{height} of #/imageGenerationConfig isn't one that this model makes."
            ))),
        }
    }
}

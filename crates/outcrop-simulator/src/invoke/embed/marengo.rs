//! TwelveLabs' Marengo, as far as it answers at once: texts and images, and in version 3 both as one.
//!
//! Source: Bedrock's user guide, "TwelveLabs Marengo Embed 2.7" and "… 3.0" (2026-11). Its answer is a list of one, as
//! those who call it report; messages on limits are guessed.

use serde_json::{Value, json};

use super::{Embedder, Item, Made, Wanted, image, text_at, tokens_of};
use crate::invoke::json_schema::Schema;
use crate::models::Target;
use crate::refusal::Refusal;

pub(super) struct Marengo2;
pub(super) struct Marengo3;

const DIMENSION_2: usize = 1024;
const DIMENSION_3: usize = 512;
const MAX_IMAGE_BYTES: usize = 5 << 20;
const FORMATS: [&str; 2] = ["png", "jpeg"];

impl Embedder for Marengo2 {
    fn read(&self, body: &Value, target: &Target) -> Result<Wanted, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/marengo_2.json"));
        SCHEMA.check(body)?;
        let truncates = text_at(body, "/textTruncate") != Some("none");
        let item = match text_at(body, "/inputType") {
            Some("text") => Item::text(text(body, "", target, truncates)?),
            Some("image") => Item::image(picture(body, "")?),
            kind => return Err(only_later(kind)),
        };
        Ok(Wanted::new(vec![item], DIMENSION_2))
    }

    fn write(&self, _: &Value, made: &Made) -> Value {
        write(made)
    }
}

impl Embedder for Marengo3 {
    fn read(&self, body: &Value, target: &Target) -> Result<Wanted, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/marengo_3.json"));
        SCHEMA.check(body)?;
        let item = match text_at(body, "/inputType") {
            Some("text") => Item::text(text(body, "/text", target, false)?),
            Some("image") => Item::image(picture(body, "/image")?),
            Some("text_image") => Item {
                texts: vec![text(body, "/text_image", target, false)?.to_owned()],
                images: vec![picture(body, "/text_image")?],
            },
            kind => return Err(only_later(kind)),
        };
        Ok(Wanted::new(vec![item], DIMENSION_3))
    }

    fn write(&self, _: &Value, made: &Made) -> Value {
        write(made)
    }
}

fn write(made: &Made) -> Value {
    json!({"data": [{"embedding": made.vectors.first()}]})
}

fn text<'a>(body: &'a Value, path: &str, target: &Target, truncates: bool) -> Result<&'a str, Refusal> {
    let Some(text) = text_at(body, &format!("{path}/inputText")) else {
        return Err(missing(path, "inputText"));
    };
    match tokens_of(text) > target.model.context && !truncates {
        true => Err(Refusal::validation(format!(
            "The input text exceeds the limit of {} tokens.",
            target.model.context
        ))),
        false => Ok(text),
    }
}

fn picture(body: &Value, path: &str) -> Result<Vec<u8>, Refusal> {
    let source = format!("{path}/mediaSource");
    image::refuse_s3(body, &source)?;
    match text_at(body, &format!("{source}/base64String")) {
        Some(encoded) => image::bytes(encoded, "mediaSource.base64String", &FORMATS, MAX_IMAGE_BYTES),
        None => Err(missing(path, "mediaSource")),
    }
}

fn missing(path: &str, name: &str) -> Refusal {
    Refusal::malformed(&[format!("#{path}: required key [{name}] not found")])
}

fn only_later(kind: Option<&str>) -> Refusal {
    let kind = kind.unwrap_or_default();
    Refusal::validation(format!("The inputType {kind} is only supported by StartAsyncInvoke."))
}

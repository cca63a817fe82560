//! What a request says, whether as JSON or as a form.

use std::collections::HashSet;

use bytes::Bytes;
use outcrop_bedrock::base64::Base64;
use serde_json::{Map, Value};

use super::member::{Member, unsupported, wrong};
use crate::catalogue::ImageTask;
use crate::endpoint::Context;
use crate::media;
use crate::notes::Notes;
use crate::policy::OnUnsupported;
use crate::problem::Problem;
use crate::task::Input;

/// A request for images.
#[derive(Debug, Default)]
pub(super) struct ImageRequest {
    pub(super) model: Option<String>,
    pub(super) model_provider: Option<String>,
    pub(super) model_id: Option<String>,
    /// What the image is to show; `None` if it is blank.
    pub(super) prompt: Option<String>,
    /// Who it is for.
    pub(super) user: Option<String>,
    pub(super) n: Option<u64>,
    pub(super) size: Option<String>,
    pub(super) quality: Option<String>,
    pub(super) style: Option<String>,
    /// `b64_json` or `url`.
    pub(super) response_format: Option<&'static str>,
    pub(super) output_format: Option<&'static str>,
    pub(super) on_unsupported: Option<OnUnsupported>,
    /// Images that are to be changed, with the names of the fields that hold them.
    pub(super) images: Vec<(String, Bytes)>,
    /// The field that they are looked for in: JSON's or a form's.
    pub(super) images_name: &'static str,
    pub(super) mask: Option<Bytes>,
    /// What isn't OpenAI's.
    pub(super) others: Map<String, Value>,
}

/// The most images that OpenAI takes.
const MAX_IMAGES: usize = 16;

impl ImageRequest {
    pub(super) fn read(task: ImageTask, input: &Input, notes: &mut Notes) -> Result<Self, Problem> {
        let mut request = Self::default();
        match input {
            Input::Json(body) => {
                request.images_name = "images";
                let document: Value = serde_json::from_slice(body).map_err(|error| {
                    Problem::invalid(format!("The request body is not valid JSON: {error}.")).with_code("invalid_json")
                })?;
                let Value::Object(mut members) = document else {
                    return Err(Problem::invalid("The request body must be a JSON object.").with_code("invalid_value"));
                };
                // SDKs unfold it; written by hand it means the same, and its members win.
                match members.remove("extra_body") {
                    None | Some(Value::Null) => {}
                    Some(Value::Object(extra)) => members.extend(extra),
                    Some(_) => return Err(wrong("extra_body", "an object")),
                }
                for (name, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
                    let is_text = false;
                    let member = Member {
                        name: &name,
                        value,
                        is_text,
                    };
                    request.member(task, member, notes)?;
                }
            }
            Input::Form(form) => {
                request.images_name = "image";
                let mut seen = HashSet::new();
                for part in &form.parts {
                    let name = part.name.strip_suffix("[]").unwrap_or(&part.name);
                    if name != "image" && !seen.insert(name) {
                        return Err(wrong(name, "one value, but the form has several"));
                    }
                    match name {
                        "image" => request.images.push((part.name.clone(), part.bytes.clone())),
                        "mask" => request.mask = Some(part.bytes.clone()),
                        _ if media::image(&part.bytes).is_some() => {
                            let why = "an image of a form is its field 'image' (of several, 'image[]'), and a mask \
                                       its field 'mask'";
                            return Err(unsupported(name, why));
                        }
                        _ => {
                            let text = String::from_utf8(part.bytes.to_vec()).map_err(|_| wrong(name, "a text"))?;
                            // Clients leave out what they have nothing to say of, or leave it blank.
                            if text.is_empty() {
                                continue;
                            }
                            let (value, is_text) = (Value::String(text), true);
                            request.member(task, Member { name, value, is_text }, notes)?;
                        }
                    }
                }
            }
        }
        if request.images.len() > MAX_IMAGES {
            return Err(wrong(request.images_name, &format!("at most {MAX_IMAGES} images")));
        }
        Ok(request)
    }

    /// The model that the client names, in the path or in the body.
    pub(super) fn asked_model<'a>(&'a self, context: &Context<'a>) -> Option<&'a str> {
        let said = |name: &&str| !name.trim().is_empty();
        context.path_model.or(self.model.as_deref().filter(said))
    }

    fn member(&mut self, task: ImageTask, member: Member<'_>, notes: &mut Notes) -> Result<(), Problem> {
        match member.name {
            "model" => self.model = Some(member.text()?),
            "model_provider" => self.model_provider = Some(member.text()?),
            "model_id" => self.model_id = Some(member.text()?),
            "prompt" => self.prompt = Some(member.text()?).filter(|prompt| !prompt.trim().is_empty()),
            "n" => self.n = Some(member.whole_number()?),
            "size" => self.size = Some(member.text()?),
            "quality" => {
                let known = ["auto", "standard", "hd", "low", "medium", "high", "premium"];
                self.quality = Some(member.word(&known)?.to_owned());
            }
            "style" => self.style = Some(member.text()?),
            "response_format" => self.response_format = Some(member.word(&["b64_json", "url"])?),
            "output_format" => self.output_format = Some(member.word(&["png", "jpeg", "webp"])?),
            "on_unsupported" => {
                let name = member.text()?;
                let read =
                    OnUnsupported::from_name(&name).ok_or_else(|| wrong("on_unsupported", "'adapt' or 'reject'"));
                self.on_unsupported = Some(read?);
            }
            // OpenAI's own book-keeping, and LiteLLM's switches for what is done here anyhow.
            "user" => self.user = member.text().ok(),
            "safety_identifier" if self.user.is_none() => self.user = member.text().ok(),
            "safety_identifier" | "store" | "drop_params" | "modify_params" | "cache" => {}
            "stream" => {
                if member.flag()? {
                    let why = "Bedrock's image models don't stream; leave it out, and the images come whole";
                    return Err(unsupported("stream", why));
                }
            }
            "partial_images" => {
                if member.whole_number()? > 0 {
                    return Err(unsupported(
                        "partial_images",
                        "Bedrock's image models show nothing before the end",
                    ));
                }
            }
            "background" => {
                if member.word(&["auto", "opaque", "transparent"])? == "transparent" {
                    let why = "Bedrock's image models paint opaque images; a background can be removed from one by an \
                               edit with 'stability.stable-image-remove-background-v1:0'";
                    return Err(unsupported("background", why));
                }
            }
            "output_compression" => {
                if member.whole_number()? != 100 {
                    notes.lose("output_compression", "dropped", "no-counterpart");
                }
            }
            "moderation" => {
                if member.word(&["auto", "low"])? == "low" {
                    notes.lose("moderation", "dropped", "no-counterpart");
                }
            }
            "input_fidelity" => {
                if member.word(&["high", "low"])? == "high" {
                    notes.lose("input_fidelity", "dropped", "no-counterpart");
                }
            }
            "image" | "images" | "mask" if task != ImageTask::Generate => self.place_images(member)?,
            name if is_operators(name) => {
                return Err(unsupported(name, "credentials and routing are the gateway's own"));
            }
            name => {
                let name = name.to_owned();
                self.others.insert(name, member.any());
            }
        }
        Ok(())
    }

    /// Images in JSON: data URLs or base64, each a text or an object with `image_url`.
    fn place_images(&mut self, member: Member<'_>) -> Result<(), Problem> {
        if member.name == "mask" {
            self.mask = Some(bytes_of("mask", &member.value)?);
            return Ok(());
        }
        let items = match &member.value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for (index, item) in items.iter().enumerate() {
            let name = match &member.value {
                Value::Array(_) => format!("{}[{index}]", member.name),
                _ => member.name.to_owned(),
            };
            let bytes = bytes_of(&name, item)?;
            self.images.push((name, bytes));
        }
        Ok(())
    }
}

fn bytes_of(name: &str, value: &Value) -> Result<Bytes, Problem> {
    if value.get("file_id").is_some() {
        return Err(unsupported(
            name,
            "the gateway has no files; send the image itself as a data URL",
        ));
    }
    let text = value.as_str().or_else(|| {
        let url = value.get("image_url")?;
        url.as_str().or_else(|| url.get("url")?.as_str())
    });
    let text = text.ok_or_else(|| wrong(name, "an image as a data URL, or an object with 'image_url'"))?;
    if text.starts_with("http://") || text.starts_with("https://") {
        return Err(unsupported(
            name,
            "URLs aren't fetched here; send the image itself as a data URL or as a form",
        ));
    }
    let encoded = match text.strip_prefix("data:") {
        Some(data) => data.split_once(";base64,").map(|(_, encoded)| encoded),
        None => Some(text),
    };
    let encoded = encoded.and_then(Base64::parse);
    let encoded = encoded.ok_or_else(|| wrong(name, "an image in base64"))?;
    Ok(encoded.decode().into())
}

/// Whether a parameter says whose account is asked, and where.
fn is_operators(name: &str) -> bool {
    const NAMES: [&str; 11] = [
        "api_base",
        "api_key",
        "api_version",
        "base_url",
        "custom_llm_provider",
        "endpoint_url",
        "extra_headers",
        "extra_query",
        "modelId",
        "region",
        "region_name",
    ];
    NAMES.contains(&name) || name.starts_with("aws_")
}

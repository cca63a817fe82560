//! `input`: what is to become vectors, in each of the forms in which clients send it.

use outcrop_bedrock::json::{Fault, JsonText, Kind, Reader};

use crate::catalogue::MediaSupport;
use crate::media::{Expected, Form, Given, Intake, Medium};
use crate::remote::Remote;
use crate::tokens;
use crate::vectors::{Family, Item, Part};

/// The most inputs of a request (OpenAI's API description, `CreateEmbeddingRequest`, read 2026-11).
const MAX_INPUTS: usize = 2048;

/// All of it.
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    /// Whether it is a list, whose items are named by their place.
    pub(super) is_list: bool,
    pub(super) items: Vec<Input<'a>>,
}

/// What becomes one vector.
#[derive(Debug)]
pub(super) enum Input<'a> {
    /// A text, or an image as a data URL.
    Text(JsonText<'a>),
    /// A text, in the tokens of one of OpenAI's encodings.
    Tokens(Vec<u32>),
    /// Texts and images.
    Parts(Vec<InputPart<'a>>),
}

/// A part of it.
#[derive(Debug)]
pub(super) enum InputPart<'a> {
    Text(JsonText<'a>),
    /// By a URL, or in base64, where the name says that it is an image.
    Image {
        name: &'static str,
        text: JsonText<'a>,
        form: Form,
    },
}

impl<'a> Inputs<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        match reader.kind()? {
            Kind::Array => Self::read_list(reader),
            Kind::String | Kind::Object => Ok(Self {
                is_list: false,
                items: vec![Input::read(reader)?],
            }),
            other => Err(Fault::shape(format!(
                "expected a string, an array of strings, an array of tokens or an array of arrays of tokens, but got {}",
                other.described()
            ))),
        }
    }

    /// An array of numbers is one text; all others are as many as they have items.
    fn read_list(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut items, mut tokens, mut first) = (Vec::new(), Vec::new(), None);
        reader.array(|reader| {
            let kind = reader.kind()?;
            let expected = *first.get_or_insert(kind);
            // Texts and images may stand beside each other.
            let is_content = |kind| matches!(kind, Kind::String | Kind::Object);
            if kind != expected && !(is_content(kind) && is_content(expected)) {
                return Err(Fault::shape(format!(
                    "expected {} as the items before it, but got {}",
                    expected.described(),
                    kind.described()
                )));
            }
            match kind {
                Kind::Number => tokens.push(read_token(reader)?),
                Kind::Array => items.push(Input::Tokens(not_empty(reader.list(read_token)?)?)),
                _ => items.push(Input::read(reader)?),
            }
            Ok(())
        })?;
        if !tokens.is_empty() {
            return Ok(Self {
                is_list: false,
                items: vec![Input::Tokens(tokens)],
            });
        }
        if items.len() > MAX_INPUTS {
            let found = items.len();
            return Err(Fault::shape(format!(
                "expected at most {MAX_INPUTS} inputs, but got {found}"
            )));
        }
        Ok(Self {
            is_list: true,
            items: not_empty(items)?,
        })
    }
}

fn not_empty<T>(items: Vec<T>) -> Result<Vec<T>, Fault> {
    if items.is_empty() {
        return Err(Fault::shape("expected at least one item"));
    }
    Ok(items)
}

fn read_token(reader: &mut Reader<'_>) -> Result<u32, Fault> {
    u32::try_from(reader.count()?).map_err(|_| Fault::shape("the number is too large for a token"))
}

impl<'a> Input<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        match reader.kind()? {
            Kind::String => Ok(Self::Text(read_text(reader)?)),
            Kind::Object => {
                let mut parts = Vec::new();
                read_parts(reader, &mut parts)?;
                Ok(Self::Parts(not_empty(parts)?))
            }
            other => Err(Fault::shape(format!(
                "expected a string, an array of tokens or an object with a text and an image, but got {}",
                other.described()
            ))),
        }
    }

    /// What it says, for a model of `family` that takes what `support` says. `model` is whose tokens it may have.
    pub(super) fn item<'i>(
        &'i self,
        model: &str,
        family: &dyn Family,
        support: MediaSupport,
        remote: &mut Remote,
    ) -> Result<Item<'i>, Fault> {
        let mut intake = Intake::new(support, remote).with_max_image_bytes(family.max_image_bytes());
        let mut image = |text: &'i JsonText<'a>, form| match intake.take(Given::new(Expected::Image, text, form))? {
            Medium::Image(image) => Ok(Part::Image(image)),
            _ => Err(Fault::shape("expected an image")),
        };
        match self {
            Self::Text(text) if is_data_url(text) => Ok(Item {
                parts: vec![image(text, Form::Url)?],
            }),
            Self::Text(text) => Ok(Item::text(text.clone())),
            Self::Tokens(ids) => match tokens::decode(model, ids) {
                Ok(text) => Ok(Item::text(JsonText::encode(&text))),
                Err(index) => {
                    let fault = Fault::shape(format!("{} is no token of the encoding", ids[index]));
                    Err(fault.at_index(index))
                }
            },
            Self::Parts(parts) => {
                let parts = parts.iter().map(|part| match part {
                    InputPart::Text(text) => Ok(Part::Text(text.clone())),
                    InputPart::Image { name, text, form } => image(text, *form).map_err(|fault| fault.under_key(name)),
                });
                let parts: Result<Vec<_>, Fault> = parts.collect();
                Ok(Item { parts: parts? })
            }
        }
    }
}

/// OpenAI refuses empty texts, and so do the models.
fn read_text<'a>(reader: &mut Reader<'a>) -> Result<JsonText<'a>, Fault> {
    let text = reader.text()?;
    if text.inner().is_empty() {
        return Err(Fault::shape("the text is empty"));
    }
    Ok(text)
}

fn is_data_url(text: &JsonText<'_>) -> bool {
    const START: &str = "data:image/";
    let start = text.inner().get(..START.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(START))
}

/// The types of parts: what they hold says more.
const TYPES: [&str; 5] = ["text", "image_url", "image", "input_text", "input_image"];

/// Reads an object with a text, an image or both, as OpenAI's parts of messages are, Titan's body, or Cohere's pages.
fn read_parts<'a>(reader: &mut Reader<'a>, parts: &mut Vec<InputPart<'a>>) -> Result<(), Fault> {
    reader.object(|name, reader| {
        if reader.kind()? == Kind::Null {
            return reader.skip();
        }
        match name {
            "text" | "inputText" => parts.push(InputPart::Text(read_text(reader)?)),
            "image" => parts.push(read_image("image", reader)?),
            "inputImage" => parts.push(read_image("inputImage", reader)?),
            "image_url" => parts.push(read_image("image_url", reader)?),
            "content" if reader.kind()? == Kind::Array => {
                reader.array(|reader| read_parts(reader, parts))?;
            }
            "content" => parts.push(InputPart::Text(read_text(reader)?)),
            "type" => {
                if !TYPES.contains(&reader.string()?.as_ref()) {
                    return Err(Fault::shape(format!("expected one of '{}'", TYPES.join("', '"))));
                }
            }
            _ => return Err(Fault::shape("expected 'text', 'image', 'image_url' or 'content'")),
        }
        Ok(())
    })
}

/// A URL or base64, or an object with one.
fn read_image<'a>(name: &'static str, reader: &mut Reader<'a>) -> Result<InputPart<'a>, Fault> {
    let mut text = None;
    if reader.kind()? == Kind::Object {
        reader.object(|member, reader| match member {
            "url" => reader.text().map(|url| text = Some(url)),
            _ => reader.skip(),
        })?;
    } else {
        text = Some(reader.text()?);
    }
    let form = if name == "image_url" {
        Form::Url
    } else {
        Form::UrlOrBase64
    };
    let text = text.ok_or_else(|| Fault::shape("is required").under_key("url"))?;
    Ok(InputPart::Image { name, text, form })
}

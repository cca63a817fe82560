//! The request, read.

use std::borrow::Cow;

use outcrop_bedrock::json::{Fault, JsonText, Kind, Reader};

use crate::openai::members::read_members;
use crate::policy::{Guardrail, OnUnsupported};

/// A request for moderation.
#[derive(Debug, Default)]
pub(super) struct Request<'a> {
    pub(super) model: Option<Cow<'a, str>>,
    pub(super) input: Option<Given<'a>>,
    /// Whether what is judged is a model's answer: guardrails may treat both differently.
    pub(super) is_output: bool,
    /// The guardrail that the request names.
    pub(super) guardrail: Option<Guardrail>,
    pub(super) on_unsupported: Option<OnUnsupported>,
    /// What nobody here knows.
    pub(super) unknown: Vec<String>,
}

/// What is to be judged.
#[derive(Debug)]
pub(super) enum Given<'a> {
    /// One text.
    Text(JsonText<'a>),
    /// Several texts, each by itself.
    Texts(Vec<JsonText<'a>>),
    /// Texts and images that are one thing together.
    Parts(Vec<Part<'a>>),
}

/// A part of what is judged as one.
#[derive(Debug)]
pub(super) enum Part<'a> {
    Text(JsonText<'a>),
    /// An image by its URL.
    Image(JsonText<'a>),
}

impl<'a> Request<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// What is no JSON, or of another type than it must be, by its place.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut request = Self::default();
        read_members(body, |name, reader| request.read_member(name, reader))?;
        Ok(request)
    }

    fn read_member(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), Fault> {
        match name {
            "model" => self.model = reader.nullable(Reader::string)?,
            "input" => self.input = reader.nullable(given)?,
            "source" => self.is_output = reader.nullable(source)?.unwrap_or_default(),
            "guardrailConfig" | "guardrail_config" => self.guardrail = reader.nullable(guardrail)?,
            "on_unsupported" => self.on_unsupported = reader.nullable(on_unsupported)?,
            // Whether an answer may be one that was given before is the server's business.
            "cache" => reader.skip()?,
            _ if reader.kind()? == Kind::Null => reader.skip()?,
            _ => {
                reader.skip()?;
                self.unknown.push(name.to_owned());
            }
        }
        Ok(())
    }
}

fn given<'a>(reader: &mut Reader<'a>) -> Result<Given<'a>, Fault> {
    match reader.kind()? {
        Kind::String => return reader.text().map(Given::Text),
        Kind::Array => {}
        other => {
            return Err(Fault::shape(format!(
                "expected a string, or an array of strings or of parts, but got {}",
                other.described()
            )));
        }
    }
    let (mut texts, mut parts) = (Vec::new(), Vec::new());
    reader.array(|reader| {
        match reader.kind()? {
            Kind::String if parts.is_empty() => texts.push(reader.text()?),
            Kind::Object if texts.is_empty() => parts.push(part(reader)?),
            Kind::String | Kind::Object => return Err(Fault::shape("strings and parts can't stand in one array")),
            other => {
                return Err(Fault::shape(format!(
                    "expected a string or a part, but got {}",
                    other.described()
                )));
            }
        }
        Ok(())
    })?;
    match parts.is_empty() {
        true => Ok(Given::Texts(texts)),
        false => Ok(Given::Parts(parts)),
    }
}

fn part<'a>(reader: &mut Reader<'a>) -> Result<Part<'a>, Fault> {
    let (mut kind, mut text, mut url) = (None, None, None);
    reader.object(|name, reader| {
        match name {
            "type" => kind = Some(reader.string()?),
            "text" => text = Some(reader.text()?),
            "image_url" if reader.kind()? == Kind::String => url = Some(reader.text()?),
            "image_url" => reader.object(|name, reader| {
                match name {
                    "url" => url = Some(reader.text()?),
                    _ => reader.skip()?,
                }
                Ok(())
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let missing = |name: &str| Fault::shape("is required").under_key(name);
    match kind.as_deref() {
        Some("text") => text.map(Part::Text).ok_or_else(|| missing("text")),
        Some("image_url") => url
            .map(Part::Image)
            .ok_or_else(|| missing("url").under_key("image_url")),
        Some(_) => Err(Fault::shape("expected 'text' or 'image_url'").under_key("type")),
        None => Err(missing("type")),
    }
}

fn source(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    match reader.string()?.to_ascii_uppercase().as_str() {
        "INPUT" => Ok(false),
        "OUTPUT" => Ok(true),
        _ => Err(Fault::shape("expected 'INPUT' or 'OUTPUT'")),
    }
}

/// As chat completions take it; how much is told of it is no question here.
fn guardrail(reader: &mut Reader<'_>) -> Result<Guardrail, Fault> {
    let (mut id, mut version) = (None, None);
    reader.object(|name, reader| {
        match name {
            "guardrailIdentifier" => id = Some(reader.string()?.into_owned()),
            "guardrailVersion" => version = Some(reader.string()?.into_owned()),
            "trace" | "streamProcessingMode" => reader.skip()?,
            _ => return Err(Fault::shape("is no member of a guardrail")),
        }
        Ok(())
    })?;
    let required = |value: Option<String>, name: &str| {
        let given = value.filter(|value| !value.trim().is_empty());
        given.ok_or_else(|| Fault::shape("is required").under_key(name))
    };
    Ok(Guardrail {
        id: required(id, "guardrailIdentifier")?,
        version: required(version, "guardrailVersion")?,
        trace: None,
        stream_mode: None,
    })
}

fn on_unsupported(reader: &mut Reader<'_>) -> Result<OnUnsupported, Fault> {
    let name = reader.string()?;
    OnUnsupported::from_name(&name).ok_or_else(|| Fault::shape("expected 'adapt' or 'reject'"))
}

//! The parts that a message's content is made of.

use outcrop_bedrock::converse::CacheTtl;
use outcrop_bedrock::json::{Fault, JsonText, Kind, Reader};

use super::cache_control::{read_cache_breakpoint, read_cache_control};

/// A part of what is said, read but not judged.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    pub(super) kind: PartKind<'a>,
    /// Set where the client wants what stands up to here remembered.
    pub(super) cache_point: Option<CacheTtl>,
}

/// What a part holds.
#[derive(Clone, Debug)]
pub(super) enum PartKind<'a> {
    Text(JsonText<'a>),
    /// Text that a guardrail judges.
    GuardedText(JsonText<'a>),
    Image(Link<'a>),
    File(File<'a>),
    Audio {
        /// Base64 without any label, in OpenAI's form.
        data: JsonText<'a>,
        format: Option<JsonText<'a>>,
    },
    Video(Link<'a>),
}

/// A URL and what may be said of what it leads to.
#[derive(Clone, Debug, Default)]
pub(super) struct Link<'a> {
    pub(super) url: Option<JsonText<'a>>,
    /// A media type, in LiteLLM's form.
    pub(super) format: Option<JsonText<'a>>,
    /// The AWS account that owns the bucket of an `s3:` URL.
    pub(super) bucket_owner: Option<JsonText<'a>>,
    /// The part's member that holds it.
    pub(super) member: &'static str,
}

/// A file: its content, or where that is.
#[derive(Clone, Debug, Default)]
pub(super) struct File<'a> {
    /// A data URL, or base64 without a label.
    pub(super) file_data: Option<JsonText<'a>>,
    /// The id of an uploaded file; a URL in LiteLLM's form.
    pub(super) file_id: Option<JsonText<'a>>,
    pub(super) filename: Option<JsonText<'a>>,
    /// A media type, in LiteLLM's form.
    pub(super) format: Option<JsonText<'a>>,
    /// The AWS account that owns the bucket of an `s3:` URL.
    pub(super) bucket_owner: Option<JsonText<'a>>,
}

impl<'a> Part<'a> {
    /// A part that is nothing but text.
    pub(super) fn text(text: JsonText<'a>) -> Self {
        Self {
            kind: PartKind::Text(text),
            cache_point: None,
        }
    }

    /// Reads a message's content; a plain string is one part.
    pub(super) fn read_all(reader: &mut Reader<'a>) -> Result<Vec<Self>, Fault> {
        match reader.kind()? {
            Kind::String => Ok(vec![Self::text(reader.text()?)]),
            Kind::Array => reader.list(Self::read),
            other => Err(Fault::shape(format!(
                "expected a string or an array of parts, but got {}",
                other.described()
            ))),
        }
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let mut members = Members::default();
        reader.object(|name, reader| members.read(name, reader))?;
        let cache_point = members.cache_point;
        let kind = members.into_kind()?;
        Ok(Self { kind, cache_point })
    }
}

/// All that a part may have: its `type` may come last.
#[derive(Default)]
struct Members<'a> {
    kind: Option<String>,
    text: Option<JsonText<'a>>,
    image: Option<Link<'a>>,
    file: Option<File<'a>>,
    audio: Option<JsonText<'a>>,
    audio_format: Option<JsonText<'a>>,
    video: Option<Link<'a>>,
    cache_point: Option<CacheTtl>,
}

impl<'a> Members<'a> {
    fn read(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), Fault> {
        match name {
            "type" => self.kind = Some(reader.string()?.into_owned()),
            "text" | "refusal" => self.text = Some(reader.text()?),
            "image_url" => self.image = Some(Link::read(reader, "image_url")?),
            "file" => self.file = Some(File::read(reader)?),
            "input_audio" => reader.object(|name, reader| {
                match name {
                    "data" => self.audio = Some(reader.text()?),
                    "format" => self.audio_format = reader.nullable(Reader::text)?,
                    _ => reader.skip()?,
                }
                Ok(())
            })?,
            "video_url" => self.video = Some(Link::read(reader, "video_url")?),
            "video" => self.video = Some(Link::read(reader, "video")?),
            "cache_control" => self.cache_point = read_cache_control(reader)?.or(self.cache_point),
            "prompt_cache_breakpoint" => self.cache_point = self.cache_point.or(read_cache_breakpoint(reader)?),
            _ => reader.skip()?,
        }
        Ok(())
    }

    fn into_kind(self) -> Result<PartKind<'a>, Fault> {
        let missing = |member: &str| Fault::shape("is required").under_key(member);
        let link = |link: Option<Link<'a>>, member| {
            link.filter(|link| link.url.is_some())
                .ok_or_else(|| missing("url").under_key(member))
        };
        match self.kind.as_deref() {
            Some("text") => self.text.map(PartKind::Text).ok_or_else(|| missing("text")),
            Some("refusal") => self.text.map(PartKind::Text).ok_or_else(|| missing("refusal")),
            Some("guarded_text") => self.text.map(PartKind::GuardedText).ok_or_else(|| missing("text")),
            Some("image_url") => link(self.image, "image_url").map(PartKind::Image),
            Some("file") => self.file.map(PartKind::File).ok_or_else(|| missing("file")),
            Some("input_audio") => Ok(PartKind::Audio {
                data: self.audio.ok_or_else(|| missing("data").under_key("input_audio"))?,
                format: self.audio_format,
            }),
            Some(kind @ ("video_url" | "video")) => link(self.video, kind).map(PartKind::Video),
            Some(_) => {
                let known = "'text', 'image_url', 'file', 'input_audio' or 'video_url'";
                Err(Fault::shape(format!("expected {known}")).under_key("type"))
            }
            None => Err(missing("type")),
        }
    }
}

impl<'a> Link<'a> {
    /// Reads `{"url": …}`, or the URL alone.
    fn read(reader: &mut Reader<'a>, member: &'static str) -> Result<Self, Fault> {
        let mut link = Self {
            member,
            ..Self::default()
        };
        if reader.kind()? == Kind::String {
            link.url = Some(reader.text()?);
            return Ok(link);
        }
        reader.object(|name, reader| {
            match name {
                "url" => link.url = Some(reader.text()?),
                "format" => link.format = reader.nullable(Reader::text)?,
                "bucket_owner" => link.bucket_owner = reader.nullable(Reader::text)?,
                // It trades quality for OpenAI's price; Bedrock's models have no such choice.
                "detail" => match reader.nullable(Reader::string)?.as_deref() {
                    None | Some("auto" | "low" | "high" | "original") => {}
                    Some(_) => return Err(Fault::shape("expected 'auto', 'low', 'high' or 'original'")),
                },
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(link)
    }
}

impl<'a> File<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let mut file = Self::default();
        reader.object(|name, reader| {
            match name {
                "file_data" => file.file_data = reader.nullable(Reader::text)?,
                "file_id" => file.file_id = reader.nullable(Reader::text)?,
                "filename" => file.filename = reader.nullable(Reader::text)?,
                "format" => file.format = reader.nullable(Reader::text)?,
                "bucket_owner" => file.bucket_owner = reader.nullable(Reader::text)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(file)
    }
}

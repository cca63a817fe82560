//! What becomes one vector.

use outcrop_bedrock::converse::{Image, ImageFormat, Source};
use outcrop_bedrock::json::{JsonText, ObjectWriter};

/// What becomes one vector: mostly one text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Item<'a> {
    pub(crate) parts: Vec<Part<'a>>,
}

/// A part of it.
#[derive(Clone, Debug)]
pub(crate) enum Part<'a> {
    Text(JsonText<'a>),
    Image(Image<'a>),
}

impl<'a> Item<'a> {
    /// One text.
    pub(crate) fn text(text: JsonText<'a>) -> Self {
        Self {
            parts: vec![Part::Text(text)],
        }
    }

    /// Its texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &JsonText<'a>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text),
            Part::Image(_) => None,
        })
    }

    /// Its images.
    pub(crate) fn images(&self) -> impl Iterator<Item = &Image<'a>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Image(image) => Some(image),
            Part::Text(_) => None,
        })
    }

    /// About how many bytes it has in a body.
    pub(crate) fn size(&self) -> usize {
        let texts = self.texts().map(|text| text.token().len());
        let images = self.images().map(|image| match &image.source {
            Source::Base64(base64) => base64.as_str().len(),
            Source::Bytes(bytes) => bytes.len() / 3 * 4,
            Source::S3(_) | Source::Absent(_) => 0,
        });
        texts.chain(images).sum()
    }

    /// Its text, if it is nothing else.
    pub(super) fn only_text(&self) -> Option<&JsonText<'a>> {
        match self.parts.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Its image, if it is nothing else.
    pub(super) fn only_image(&self) -> Option<&Image<'a>> {
        match self.parts.as_slice() {
            [Part::Image(image)] => Some(image),
            _ => None,
        }
    }

    /// Whether it has more than one text, or more than one image.
    pub(super) fn has_several(&self) -> bool {
        self.texts().count() > 1 || self.images().count() > 1
    }
}

/// Writes an image as a data URL in a JSON string.
pub(super) fn write_data_url(image: &Image<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"data:image/");
    out.extend_from_slice(image.format.name().as_bytes());
    out.extend_from_slice(b";base64,");
    write_base64(&image.source, out);
    out.push(b'"');
}

/// Writes where an image is as an object: its bytes as `name`, or what it is called in S3.
pub(super) fn write_source(image: &Image<'_>, name: &str, object: &mut ObjectWriter<'_>) {
    match &image.source {
        Source::S3(location) => object.object("s3Location", |object| {
            object.field("uri", &location.uri);
            object.optional("bucketOwner", &location.bucket_owner);
        }),
        source => {
            let out = object.key(name);
            out.push(b'"');
            write_base64(source, out);
            out.push(b'"');
        }
    }
}

/// Base64 needs no escapes, and neither do the words that stand in for it.
fn write_base64(source: &Source<'_>, out: &mut Vec<u8>) {
    match source {
        Source::Base64(base64) => out.extend_from_slice(base64.as_str().as_bytes()),
        Source::Bytes(bytes) => out.extend_from_slice(outcrop_bedrock::base64::encode(bytes).as_bytes()),
        Source::Absent(word) => {
            let word = JsonText::encode(word);
            out.extend_from_slice(word.inner().as_bytes());
        }
        // Only where models take it, which then have written it as an object.
        Source::S3(_) => {}
    }
}

/// Whether the image is in a format that all these models take.
pub(super) fn is_png_or_jpeg(image: &Image<'_>) -> bool {
    matches!(image.format, ImageFormat::Png | ImageFormat::Jpeg)
}

//! Images, documents, audio and video of a request: where they are, what they are, whether Bedrock takes them.
//!
//! What a medium is, is read from its bytes; labels are asked only where bytes tell nothing. Base64 stays as the client
//! wrote it: it is checked in one pass, and decoded only where there is something to see.

mod archive;
mod content;
mod dimensions;
mod kind;
mod reference;

use std::collections::HashSet;

use bytes::Bytes;
use outcrop_bedrock::converse::{
    Audio, AudioFormat, ContentBlock, Document, DocumentFormat, Image, ImageFormat, Message, S3Location, Source, Video,
    VideoFormat,
};
use outcrop_bedrock::json::{Fault, JsonText};

use self::content::Content;
use self::kind::{Kind, Sniffed};
use self::reference::Reference;
use crate::catalogue::MediaSupport;
use crate::notes::Notes;
use crate::remote::Remote;

pub(crate) use reference::Form;

// Service model of Bedrock Runtime (botocore 1.44.5, 2026-11), `Message`. Its "MB" are 1,024² bytes: what Claude says
// of an image that is too large names 5,242,880 characters of base64, which are 3.75 of them.
/// The most images of a request, those in S3 not counted.
const MAX_IMAGES: usize = 20;
/// The largest image, in bytes.
const MAX_IMAGE_BYTES: usize = 3_932_160;
/// The longest side of an image, in pixels.
const MAX_IMAGE_SIDE: u32 = 8000;
/// The most documents of a request.
const MAX_DOCUMENTS: usize = 5;
/// The largest document, in bytes, of most formats for most models.
const MAX_DOCUMENT_BYTES: usize = 4_718_592;
/// The most characters of base64 in a request: 25 MB (Amazon Nova's user guide, read 2026-11).
const MAX_BASE64_CHARS: usize = 26_214_400;

/// The word for programs when a model can't take what it is sent.
const UNSUPPORTED: &str = "unsupported_content";

/// What stands beside a document when the client says nothing: Bedrock wants a text there.
const DOCUMENT_TEXT: &str = "(document)";

/// What an image is, and its width and height where the header tells; `None` for what is no image.
pub(crate) fn image(bytes: &Bytes) -> Option<(ImageFormat, Option<(u32, u32)>)> {
    let content = Content::Bytes(bytes.clone());
    match kind::sniff(&content) {
        Sniffed::Known(Kind::Image(format)) => Some((format, dimensions::dimensions(format, &content))),
        _ => None,
    }
}

/// A medium as Converse takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Medium<'a> {
    Image(Image<'a>),
    Document(Document<'a>),
    Audio(Audio<'a>),
    Video(Video<'a>),
}

impl<'a> From<Medium<'a>> for ContentBlock<'a> {
    fn from(medium: Medium<'a>) -> Self {
        match medium {
            Medium::Image(image) => Self::Image(image),
            Medium::Document(document) => Self::Document(document),
            Medium::Audio(audio) => Self::Audio(audio),
            Medium::Video(video) => Self::Video(video),
        }
    }
}

/// What a client says that a medium is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Image,
    Audio,
    Video,
    /// Any of them, or a document.
    File,
}

/// A medium as a client gives it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    pub(crate) expected: Expected,
    pub(crate) text: &'a JsonText<'a>,
    pub(crate) form: Form,
    /// A media type, or a format's name.
    pub(crate) format: Option<&'a JsonText<'a>>,
    pub(crate) file_name: Option<&'a JsonText<'a>>,
    /// The AWS account of an S3 bucket.
    pub(crate) bucket_owner: Option<&'a JsonText<'a>>,
}

impl<'a> Given<'a> {
    /// One with no label.
    pub(crate) fn new(expected: Expected, text: &'a JsonText<'a>, form: Form) -> Self {
        Self {
            expected,
            text,
            form,
            format: None,
            file_name: None,
            bucket_owner: None,
        }
    }
}

/// Takes the media of one request in, one by one, and counts them against the limits.
#[derive(Debug)]
pub(crate) struct Intake<'r> {
    support: MediaSupport,
    remote: &'r mut Remote,
    images: usize,
    documents: usize,
    videos: usize,
    base64_chars: usize,
    max_image_bytes: usize,
    names: HashSet<String>,
}

impl<'r> Intake<'r> {
    /// For a request to a model that takes what `support` says.
    pub(crate) fn new(support: MediaSupport, remote: &'r mut Remote) -> Self {
        Self {
            support,
            remote,
            images: 0,
            documents: 0,
            videos: 0,
            base64_chars: 0,
            max_image_bytes: MAX_IMAGE_BYTES,
            names: HashSet::new(),
        }
    }

    /// For an API other than Converse, which takes larger images.
    pub(crate) fn with_max_image_bytes(mut self, bytes: usize) -> Self {
        self.max_image_bytes = bytes;
        self
    }

    /// Takes one in. What must be fetched first is noted in [`Remote`], and something stands in for it.
    ///
    /// # Errors
    /// When it can't be understood, is beyond a limit, or is nothing that the model takes.
    pub(crate) fn take<'a>(&mut self, given: Given<'a>) -> Result<Medium<'a>, Fault> {
        self.check_expected(given.expected)?;
        let labels = Labels::of(&given);
        match Reference::read(given.text, given.form)? {
            Reference::Inline { base64, media_type } => {
                let labels = labels.with_media_type(media_type);
                self.take_content(Content::Base64(base64), given.expected, &labels)
            }
            Reference::S3(uri) => {
                let owner = given.bucket_owner.map(JsonText::decoded);
                if owner.as_ref().is_some_and(|owner| !is_account_id(owner)) {
                    let fault = Fault::shape("the bucket's owner is the twelve digits of an AWS account");
                    return Err(fault);
                }
                let location = S3Location {
                    uri,
                    bucket_owner: owner,
                };
                self.take_location(location, given.expected, &labels)
            }
            Reference::Url(url) if self.remote.is_left_out(&url) => {
                let labels = labels.with_name(&url);
                self.take_absent(&url, given.expected, &labels)
            }
            Reference::Url(url) => match self.remote.look_up(&url) {
                Some(Ok(fetched)) => {
                    let content = Content::Bytes(fetched.bytes.clone());
                    let labels = labels.with_name(&url).with_media_type(fetched.media_type.clone());
                    self.take_content(content, given.expected, &labels)
                }
                Some(Err(reason)) => {
                    let fault = Fault::shape(format!("the URL can't be fetched: {reason}"));
                    Err(fault.with_code("url_not_fetched"))
                }
                None => {
                    self.count_missing(given.expected, &labels.with_name(&url))?;
                    Ok(placeholder(given.expected))
                }
            },
        }
    }

    /// Counts what isn't there yet by what its name and labels tell, so that nothing is fetched for a request that has
    /// too many.
    fn count_missing(&mut self, expected: Expected, labels: &Labels) -> Result<(), Fault> {
        match (expected, labels.kind()) {
            (Expected::Image | Expected::File, Some(Kind::Document(_))) => self.count_document(),
            (Expected::Image, _) | (Expected::File, Some(Kind::Image(_))) => self.count_image(),
            (Expected::Video, _) | (Expected::File, Some(Kind::Video(_))) => self.count_video(),
            (Expected::Audio, _) | (Expected::File, Some(Kind::Audio(_)) | None) => Ok(()),
        }
    }

    /// What a model can't take by its very kind isn't read, much less fetched.
    fn check_expected(&self, expected: Expected) -> Result<(), Fault> {
        match expected {
            Expected::Image => self.check_support(self.support.images, "images"),
            Expected::Audio => self.check_support(self.support.audio, "audio"),
            Expected::Video => self.check_support(self.support.video, "video"),
            Expected::File => Ok(()),
        }
    }

    fn check_support(&self, is_supported: bool, what: &str) -> Result<(), Fault> {
        if is_supported {
            return Ok(());
        }
        Err(Fault::shape(format!("the model doesn't take {what}")).with_code(UNSUPPORTED))
    }

    fn take_content<'a>(
        &mut self,
        content: Content<'a>,
        expected: Expected,
        labels: &Labels,
    ) -> Result<Medium<'a>, Fault> {
        if content.len() == 0 {
            return Err(Fault::shape("there are no bytes"));
        }
        self.base64_chars = self.base64_chars.saturating_add(content.base64_len());
        if self.base64_chars > MAX_BASE64_CHARS {
            return Err(Fault::shape(format!(
                "with this one, the request's media have {} characters of base64, but Bedrock takes at most \
                 {MAX_BASE64_CHARS}",
                self.base64_chars
            )));
        }
        match kind_of(&content, expected, labels)? {
            Kind::Image(format) => {
                self.count_image()?;
                check_size("image", content.len(), self.max_image_bytes)?;
                check_sides(format, &content)?;
                let source = content.into_source();
                Ok(Medium::Image(Image { format, source }))
            }
            Kind::Document(format) => {
                self.count_document()?;
                if !self.support.large_documents.contains(format) {
                    check_size("document", content.len(), MAX_DOCUMENT_BYTES)?;
                }
                check_text(format, &content)?;
                Ok(Medium::Document(Document {
                    format,
                    name: self.name(content.fingerprint()).into(),
                    source: content.into_source(),
                }))
            }
            Kind::Audio(format) => {
                self.check_support(self.support.audio, "audio")?;
                let source = content.into_source();
                Ok(Medium::Audio(Audio { format, source }))
            }
            Kind::Video(format) => {
                self.count_video()?;
                let source = content.into_source();
                Ok(Medium::Video(Video { format, source }))
            }
        }
    }

    /// Takes in what its name and labels tell of a medium that isn't there; nothing of it can be checked but its count.
    fn take_absent<'a>(&mut self, url: &str, expected: Expected, labels: &Labels) -> Result<Medium<'a>, Fault> {
        let source = Source::Absent(format!("(base64 of {url})").into());
        let kind = labels.kind();
        match (expected, kind) {
            (Expected::Image | Expected::File, Some(Kind::Image(format))) => {
                self.count_image()?;
                Ok(Medium::Image(Image { format, source }))
            }
            (Expected::Image, _) => {
                self.count_image()?;
                let format = ImageFormat::Png;
                Ok(Medium::Image(Image { format, source }))
            }
            (Expected::Audio | Expected::File, Some(Kind::Audio(format))) => {
                self.check_support(self.support.audio, "audio")?;
                Ok(Medium::Audio(Audio { format, source }))
            }
            (Expected::Audio, kind) => {
                let format = kind.and_then(kind::as_audio).unwrap_or(AudioFormat::Wav);
                Ok(Medium::Audio(Audio { format, source }))
            }
            (Expected::Video | Expected::File, Some(Kind::Video(format))) => {
                self.count_video()?;
                Ok(Medium::Video(Video { format, source }))
            }
            (Expected::Video, _) => {
                self.count_video()?;
                let format = VideoFormat::Mp4;
                Ok(Medium::Video(Video { format, source }))
            }
            (Expected::File, kind) => {
                self.count_document()?;
                let format = match kind {
                    Some(Kind::Document(format)) => format,
                    _ => DocumentFormat::Txt,
                };
                let name = self.name(content::fingerprint(url.as_bytes())).into();
                Ok(Medium::Document(Document { format, name, source }))
            }
        }
    }

    fn take_location<'a>(
        &mut self,
        location: S3Location<'a>,
        expected: Expected,
        labels: &Labels,
    ) -> Result<Medium<'a>, Fault> {
        if !self.support.s3 {
            let fault = Fault::shape("the model doesn't read from S3; send the bytes themselves");
            return Err(fault.with_code(UNSUPPORTED));
        }
        let uri = location.uri.clone();
        let kind = labels.kind().or_else(|| kind::of_extension(&uri));
        let source = Source::S3(location);
        match (expected, kind) {
            (Expected::Image | Expected::File, Some(Kind::Image(format))) => {
                self.check_support(self.support.images, "images")?;
                Ok(Medium::Image(Image { format, source }))
            }
            (Expected::File, Some(Kind::Document(format))) => {
                self.count_document()?;
                let name = self.name(content::fingerprint(uri.as_bytes())).into();
                Ok(Medium::Document(Document { format, name, source }))
            }
            (Expected::Audio, Some(kind)) if let Some(format) = kind::as_audio(kind) => {
                Ok(Medium::Audio(Audio { format, source }))
            }
            (Expected::File, Some(Kind::Audio(format))) => {
                self.check_support(self.support.audio, "audio")?;
                Ok(Medium::Audio(Audio { format, source }))
            }
            (Expected::Video | Expected::File, Some(Kind::Video(format))) => {
                self.count_video()?;
                Ok(Medium::Video(Video { format, source }))
            }
            _ => Err(unknown(expected, "the name of the object in S3, or its 'format'")),
        }
    }

    fn count_image(&mut self) -> Result<(), Fault> {
        self.check_support(self.support.images, "images")?;
        self.images += 1;
        check_count("images", self.images, MAX_IMAGES)
    }

    fn count_document(&mut self) -> Result<(), Fault> {
        self.check_support(self.support.documents, "documents")?;
        self.documents += 1;
        check_count("documents", self.documents, MAX_DOCUMENTS)
    }

    fn count_video(&mut self) -> Result<(), Fault> {
        self.check_support(self.support.video, "video")?;
        self.videos += 1;
        match self.support.max_videos {
            Some(most) => check_count("videos", self.videos, most),
            None => Ok(()),
        }
    }

    /// A name that says nothing to the model, is the same each time the document is sent, and stands once in a request,
    /// as Bedrock demands. Never the client's: file names are a way to talk to the model.
    fn name(&mut self, fingerprint: u64) -> String {
        let base = format!("document-{fingerprint:016x}");
        let mut name = base.clone();
        let mut copy = 1;
        while !self.names.insert(name.clone()) {
            copy += 1;
            name = format!("{base}-{copy}");
        }
        name
    }
}

/// Makes sure that a text stands beside each document, as Bedrock demands.
pub(crate) fn add_text_beside_documents(messages: &mut [Message<'_>], notes: &mut Notes) {
    for message in messages {
        let holds = |wanted: fn(&ContentBlock<'_>) -> bool| message.content.iter().any(wanted);
        if holds(|block| matches!(block, ContentBlock::Document(_)))
            && !holds(|block| matches!(block, ContentBlock::Text(_)))
        {
            message
                .content
                .push(ContentBlock::Text(JsonText::encode(DOCUMENT_TEXT)));
            notes.add("messages.content", "text-added", "document-needs-text");
        }
    }
}

/// What a client calls a medium, the most telling first.
#[derive(Debug, Default)]
struct Labels(Vec<Kind>);

impl Labels {
    fn of(given: &Given<'_>) -> Self {
        let format = given.format.and_then(|format| kind::labelled(&format.decoded()));
        let name = given.file_name.and_then(|name| kind::of_extension(&name.decoded()));
        Self(format.into_iter().chain(name).collect())
    }

    /// The same with a media type, which an extension yields to only if the type says nothing but that it is text.
    fn with_media_type(mut self, media_type: Option<String>) -> Self {
        match media_type.as_deref().and_then(kind::labelled) {
            Some(Kind::Document(DocumentFormat::Txt)) => self.0.push(Kind::Document(DocumentFormat::Txt)),
            Some(kind) => self.0.insert(0, kind),
            None => {}
        }
        self
    }

    fn with_name(mut self, url: &str) -> Self {
        self.0.extend(kind::of_extension(url));
        self
    }

    fn kind(&self) -> Option<Kind> {
        self.0.first().copied()
    }
}

/// What the content is, if it is what the client says or may be taken for it.
fn kind_of(content: &Content<'_>, expected: Expected, labels: &Labels) -> Result<Kind, Fault> {
    let sniffed = match kind::sniff(content) {
        Sniffed::Known(kind) => kind,
        Sniffed::OtherArchive => match labels.kind() {
            // Its directory may be somewhere else than usual.
            Some(kind @ Kind::Document(office)) if expected == Expected::File && is_office(office) => kind,
            _ => return Err(unknown(expected, "the bytes")),
        },
        Sniffed::Unknown => return kind_by_label(expected, labels),
    };
    match (expected, sniffed) {
        (Expected::File, Kind::Video(_)) => match (labels.kind(), kind::as_audio(sniffed)) {
            (Some(Kind::Audio(_)), Some(format)) => Ok(Kind::Audio(format)),
            _ => Ok(sniffed),
        },
        // Clients without file parts send PDFs as images.
        (Expected::Image, Kind::Image(_) | Kind::Document(DocumentFormat::Pdf))
        | (Expected::Video, Kind::Video(_))
        | (Expected::File, _) => Ok(sniffed),
        (Expected::Audio, _) => kind::as_audio(sniffed)
            .map(Kind::Audio)
            .ok_or_else(|| unknown(expected, "the bytes")),
        _ => Err(unknown(expected, "the bytes")),
    }
}

/// What the labels say, if it is of those kinds whose bytes tell nothing.
fn kind_by_label(expected: Expected, labels: &Labels) -> Result<Kind, Fault> {
    match (expected, labels.kind()) {
        (Expected::File, Some(kind @ Kind::Document(format))) if is_text(format) => Ok(kind),
        // Text until the opposite is seen.
        (Expected::File, None) => Ok(Kind::Document(DocumentFormat::Txt)),
        (Expected::Audio | Expected::File, Some(kind @ Kind::Audio(format))) if is_headless(format) => Ok(kind),
        (Expected::Video | Expected::File, Some(kind @ Kind::Video(VideoFormat::Mpeg | VideoFormat::Mpg))) => Ok(kind),
        _ => Err(unknown(expected, "the bytes")),
    }
}

/// Whether a sound of this format may start with anything.
fn is_headless(format: AudioFormat) -> bool {
    matches!(
        format,
        AudioFormat::Pcm
            | AudioFormat::Mp3
            | AudioFormat::Mpeg
            | AudioFormat::Mpga
            | AudioFormat::Aac
            | AudioFormat::XAac
            | AudioFormat::Opus
    )
}

fn is_office(format: DocumentFormat) -> bool {
    use DocumentFormat::{Doc, Docx, Xls, Xlsx};
    matches!(format, Doc | Docx | Xls | Xlsx)
}

fn is_text(format: DocumentFormat) -> bool {
    use DocumentFormat::{Csv, Html, Md, Txt};
    matches!(format, Csv | Html | Md | Txt)
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|digit| digit.is_ascii_digit())
}

fn check_count(what: &str, found: usize, most: usize) -> Result<(), Fault> {
    if found <= most {
        return Ok(());
    }
    Err(Fault::shape(format!(
        "this is number {found} of the request's {what}, but Bedrock takes at most {most}"
    )))
}

fn check_size(what: &str, found: usize, most: usize) -> Result<(), Fault> {
    if found <= most {
        return Ok(());
    }
    Err(Fault::shape(format!(
        "the {what} has {found} bytes, but Bedrock takes at most {most}"
    )))
}

fn check_sides(format: ImageFormat, content: &Content<'_>) -> Result<(), Fault> {
    match dimensions::dimensions(format, content) {
        Some((width, height)) if width.max(height) > MAX_IMAGE_SIDE => Err(Fault::shape(format!(
            "the image has {width} × {height} pixels, but Bedrock takes at most {MAX_IMAGE_SIDE} on each side"
        ))),
        _ => Ok(()),
    }
}

/// Documents of text are in UTF-8.
fn check_text(format: DocumentFormat, content: &Content<'_>) -> Result<(), Fault> {
    let is_fine = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0);
    if !is_text(format) || is_fine(&content.whole()) {
        return Ok(());
    }
    Err(unknown(Expected::File, "the bytes"))
}

fn unknown(expected: Expected, by: &str) -> Fault {
    let formats = |names: Vec<&str>| names.join(", ");
    let names = match expected {
        Expected::Image => return Fault::shape(format!("by {by}, the image is neither PNG, JPEG, GIF nor WebP")),
        Expected::Audio => formats(AudioFormat::ALL.iter().map(|format| format.name()).collect()),
        Expected::Video => formats(VideoFormat::ALL.iter().map(|format| format.name()).collect()),
        Expected::File => {
            let documents = formats(DocumentFormat::ALL.iter().map(|format| format.name()).collect());
            return Fault::shape(format!(
                "by {by}, the file is none that Bedrock takes: {documents} (texts in UTF-8), an image, audio or video"
            ));
        }
    };
    Fault::shape(format!(
        "by {by}, it is in none of the formats that Bedrock takes: {names}"
    ))
}

/// What stands for a medium that must be fetched before the request can be planned.
fn placeholder(expected: Expected) -> Medium<'static> {
    let source = Source::Bytes(bytes::Bytes::new());
    match expected {
        Expected::Image => Medium::Image(Image {
            format: ImageFormat::Png,
            source,
        }),
        Expected::Audio => Medium::Audio(Audio {
            format: AudioFormat::Wav,
            source,
        }),
        Expected::Video => Medium::Video(Video {
            format: VideoFormat::Mp4,
            source,
        }),
        Expected::File => Medium::Document(Document {
            format: DocumentFormat::Txt,
            name: "document".into(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests;

//! Images, documents, audio and video: what they are and where their bytes come from.

use std::borrow::Cow;

use bytes::Bytes;

use crate::base64::{self, Base64};
use crate::json::ObjectWriter;

/// From this many characters of base64 on, bytes are not copied into the body but become a piece of their own.
const LARGE_CHARS: usize = 64 * 1024;
/// What stands for such bytes in the JSON until the pieces are cut: a NUL, which JSON never holds unescaped.
pub(super) const LARGE_MEDIA: u8 = 0;

/// Where the bytes of a medium are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// In base64 already.
    Base64(Base64<'a>),
    /// As they are; encoded when they are written.
    Bytes(Bytes),
    /// In a bucket that Bedrock reads itself.
    S3(S3Location<'a>),
    /// Not there yet. The text, for people to read, stands where the base64 would; no call is made with it.
    Absent(Cow<'a, str>),
}

/// An object in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Location<'a> {
    /// `s3://bucket/key`, at most 1,024 characters.
    pub uri: Cow<'a, str>,
    /// The twelve digits of the AWS account that owns the bucket, where it is another one.
    pub bucket_owner: Option<Cow<'a, str>>,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image<'a> {
    /// What its bytes are.
    pub format: ImageFormat,
    /// Its bytes.
    pub source: Source<'a>,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// What its bytes are.
    pub format: DocumentFormat,
    /// 1–200 letters, digits, single spaces and `-()[]`; models read it, so it should say nothing.
    pub name: Cow<'a, str>,
    /// Its bytes.
    pub source: Source<'a>,
}

/// A sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio<'a> {
    /// What its bytes are.
    pub format: AudioFormat,
    /// Its bytes.
    pub source: Source<'a>,
}

/// A film.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video<'a> {
    /// What its bytes are.
    pub format: VideoFormat,
    /// Its bytes.
    pub source: Source<'a>,
}

/// Formats by Bedrock's names (service model of Bedrock Runtime, botocore 1.44.5, 2026-11).
macro_rules! formats {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`")] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Bedrock's name of the format.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The format that Bedrock calls `name`.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|format| format.name() == name)
            }
        }
    };
}

formats! {
    /// The image formats that Bedrock takes.
    ImageFormat {
        Png = "png",
        Jpeg = "jpeg",
        Gif = "gif",
        Webp = "webp",
    }
}

formats! {
    /// The document formats that Bedrock takes.
    DocumentFormat {
        Pdf = "pdf",
        Csv = "csv",
        Doc = "doc",
        Docx = "docx",
        Xls = "xls",
        Xlsx = "xlsx",
        Html = "html",
        Txt = "txt",
        Md = "md",
    }
}

formats! {
    /// The audio formats that Bedrock takes.
    AudioFormat {
        Mp3 = "mp3",
        Opus = "opus",
        Wav = "wav",
        Aac = "aac",
        Flac = "flac",
        Mp4 = "mp4",
        Ogg = "ogg",
        Mkv = "mkv",
        Mka = "mka",
        XAac = "x-aac",
        M4a = "m4a",
        Mpeg = "mpeg",
        Mpga = "mpga",
        Pcm = "pcm",
        Webm = "webm",
    }
}

formats! {
    /// The video formats that Bedrock takes.
    VideoFormat {
        Mkv = "mkv",
        Mov = "mov",
        Mp4 = "mp4",
        Webm = "webm",
        Flv = "flv",
        Mpeg = "mpeg",
        Mpg = "mpg",
        Wmv = "wmv",
        ThreeGp = "three_gp",
    }
}

impl Source<'_> {
    /// The bytes in base64; `None` where they lie in a bucket.
    pub fn base64(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Base64(base64) => Some(Cow::Borrowed(base64.as_str())),
            Self::Bytes(bytes) => Some(Cow::Owned(base64::encode(bytes))),
            Self::Absent(text) => Some(Cow::Borrowed(text)),
            Self::S3(_) => None,
        }
    }

    /// The length of the base64; 0 where the bytes lie in a bucket.
    pub(super) fn chars(&self) -> usize {
        match self {
            Self::Base64(base64) => base64.as_str().len(),
            Self::Bytes(bytes) => bytes.len().div_ceil(3) * 4,
            Self::S3(_) | Self::Absent(_) => 0,
        }
    }

    /// Whether the base64 is large enough to be a piece of the body of its own.
    pub(super) fn is_large(&self) -> bool {
        match self {
            Self::Base64(base64) => base64.as_str().len() >= LARGE_CHARS,
            Self::Bytes(bytes) => bytes.len() >= LARGE_CHARS / 4 * 3,
            Self::S3(_) | Self::Absent(_) => false,
        }
    }

    /// The base64 as a piece of the body: a slice of `document`, or a copy if it lies elsewhere.
    pub(super) fn piece(&self, document: &Bytes) -> Bytes {
        match self {
            Self::Base64(base64) => slice_of(document, base64.as_str()),
            Self::Bytes(bytes) => Bytes::from(base64::encode(bytes)),
            Self::S3(_) | Self::Absent(_) => Bytes::new(),
        }
    }

    fn write(&self, block: &mut ObjectWriter<'_>) {
        block.object("source", |source| match self {
            Self::S3(location) => source.object("s3Location", |object| {
                object.field("uri", &location.uri);
                object.optional("bucketOwner", &location.bucket_owner);
            }),
            // Base64 holds nothing that JSON escapes.
            Self::Base64(base64) => write_bytes(source, self.is_large(), base64.as_str().as_bytes()),
            Self::Bytes(_) if self.is_large() => write_bytes(source, true, b""),
            Self::Bytes(bytes) => write_bytes(source, false, base64::encode(bytes).as_bytes()),
            Self::Absent(text) => source.field("bytes", text),
        });
    }
}

fn write_bytes(source: &mut ObjectWriter<'_>, is_large: bool, base64: &[u8]) {
    let out = source.key("bytes");
    out.push(b'"');
    if is_large {
        out.push(LARGE_MEDIA);
    } else {
        out.extend_from_slice(base64);
    }
    out.push(b'"');
}

fn slice_of(document: &Bytes, text: &str) -> Bytes {
    let (all, part) = (document.as_ptr_range(), text.as_bytes().as_ptr_range());
    if all.start <= part.start && part.end <= all.end {
        document.slice_ref(text.as_bytes())
    } else {
        Bytes::copy_from_slice(text.as_bytes())
    }
}

impl Image<'_> {
    pub(super) fn write(&self, block: &mut ObjectWriter<'_>) {
        block.object("image", |image| {
            image.field("format", self.format.name());
            self.source.write(image);
        });
    }
}

impl Document<'_> {
    pub(super) fn write(&self, block: &mut ObjectWriter<'_>) {
        block.object("document", |document| {
            document.field("format", self.format.name());
            document.field("name", &self.name);
            self.source.write(document);
        });
    }
}

impl Audio<'_> {
    pub(super) fn write(&self, block: &mut ObjectWriter<'_>) {
        block.object("audio", |audio| {
            audio.field("format", self.format.name());
            self.source.write(audio);
        });
    }
}

impl Video<'_> {
    pub(super) fn write(&self, block: &mut ObjectWriter<'_>) {
        block.object("video", |video| {
            video.field("format", self.format.name());
            self.source.write(video);
        });
    }
}

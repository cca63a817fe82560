//! What a file is: by its bytes where they tell, by its labels where they don't.

use outcrop_bedrock::converse::{AudioFormat, DocumentFormat, ImageFormat, VideoFormat};

use super::archive;
use super::content::Content;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Image(ImageFormat),
    Document(DocumentFormat),
    Audio(AudioFormat),
    Video(VideoFormat),
}

/// What the bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sniffed {
    Known(Kind),
    /// An archive of the kind that office documents are, but none that Bedrock takes.
    OtherArchive,
    /// Nothing.
    Unknown,
}

/// Reads the kind from the bytes, most of them in the first dozen.
pub(super) fn sniff(content: &Content<'_>) -> Sniffed {
    let head = content.slice(0, 64);
    let office = |format: Option<DocumentFormat>| match format {
        Some(format) => Sniffed::Known(Kind::Document(format)),
        None => Sniffed::OtherArchive,
    };
    let kind = match head.as_slice() {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Kind::Image(ImageFormat::Png),
        [0xff, 0xd8, 0xff, ..] => Kind::Image(ImageFormat::Jpeg),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Kind::Image(ImageFormat::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Kind::Image(ImageFormat::Webp),
        [b'%', b'P', b'D', b'F', b'-', ..] => Kind::Document(DocumentFormat::Pdf),
        [b'P', b'K', 3, 4, ..] => return office(archive::of_zip(content)),
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => return office(archive::of_ole(content)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Kind::Audio(AudioFormat::Wav),
        [b'f', b'L', b'a', b'C', ..] => Kind::Audio(AudioFormat::Flac),
        [b'O', b'g', b'g', b'S', 0, ..] if head[4..].windows(8).any(|window| window == b"OpusHead") => {
            Kind::Audio(AudioFormat::Opus)
        }
        [b'O', b'g', b'g', b'S', 0, ..] => Kind::Audio(AudioFormat::Ogg),
        [b'I', b'D', b'3', 2..=4, ..] => Kind::Audio(AudioFormat::Mp3),
        // An MPEG audio frame's twelve bits of sync, version and layer: none is AAC's, III and II are MP3's kind.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Kind::Audio(AudioFormat::Aac),
        [0xff, second, ..] if second & 0xe0 == 0xe0 && matches!(second >> 1 & 3, 1 | 2) => {
            Kind::Audio(AudioFormat::Mp3)
        }
        // ISO base media: the brand says whose (ISO/IEC 14496-12, 4.3).
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand {
            [b'M', b'4', b'A' | b'B', ..] => Kind::Audio(AudioFormat::M4a),
            [b'q', b't', b' ', b' ', ..] => Kind::Video(VideoFormat::Mov),
            [b'3', b'g', ..] => Kind::Video(VideoFormat::ThreeGp),
            _ => Kind::Video(VideoFormat::Mp4),
        },
        // QuickTime before it had brands.
        [_, _, _, _, b'm', b'o', b'o', b'v', ..] | [_, _, _, _, b'm', b'd', b'a', b't', ..] => {
            Kind::Video(VideoFormat::Mov)
        }
        // EBML, whose document type says which (RFC 9559).
        [0x1a, 0x45, 0xdf, 0xa3, rest @ ..] if rest.windows(4).any(|window| window == b"webm") => {
            Kind::Video(VideoFormat::Webm)
        }
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Kind::Video(VideoFormat::Mkv),
        [b'F', b'L', b'V', 1, ..] => Kind::Video(VideoFormat::Flv),
        [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, ..] => Kind::Video(VideoFormat::Wmv),
        [0, 0, 1, 0xba | 0xb3, ..] => Kind::Video(VideoFormat::Mpeg),
        _ => return Sniffed::Unknown,
    };
    Sniffed::Known(kind)
}

/// The same container as a sound, if it can hold nothing but one.
pub(super) fn as_audio(kind: Kind) -> Option<AudioFormat> {
    match kind {
        Kind::Audio(format) => Some(format),
        Kind::Video(VideoFormat::Mp4) => Some(AudioFormat::Mp4),
        Kind::Video(VideoFormat::Webm) => Some(AudioFormat::Webm),
        Kind::Video(VideoFormat::Mkv) => Some(AudioFormat::Mka),
        _ => None,
    }
}

/// The kind that a media type, an extension or a format's name stands for.
pub(super) fn labelled(label: &str) -> Option<Kind> {
    use Kind::{Audio, Document, Image, Video};
    let label = label.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match label.as_str() {
        "image/png" | "png" => Image(ImageFormat::Png),
        "image/jpeg" | "image/jpg" | "jpeg" | "jpg" => Image(ImageFormat::Jpeg),
        "image/gif" | "gif" => Image(ImageFormat::Gif),
        "image/webp" | "webp" => Image(ImageFormat::Webp),
        "application/pdf" | "pdf" => Document(DocumentFormat::Pdf),
        "text/csv" | "application/csv" | "csv" => Document(DocumentFormat::Csv),
        "application/msword" | "doc" => Document(DocumentFormat::Doc),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" | "docx" => {
            Document(DocumentFormat::Docx)
        }
        "application/vnd.ms-excel" | "xls" => Document(DocumentFormat::Xls),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" | "xlsx" => Document(DocumentFormat::Xlsx),
        "text/html" | "application/xhtml+xml" | "html" | "htm" => Document(DocumentFormat::Html),
        "text/markdown" | "text/x-markdown" | "md" | "markdown" => Document(DocumentFormat::Md),
        "text/plain" | "txt" => Document(DocumentFormat::Txt),
        "audio/mpeg" | "audio/mp3" | "mp3" => Audio(AudioFormat::Mp3),
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" | "wav" => Audio(AudioFormat::Wav),
        "audio/flac" | "audio/x-flac" | "flac" => Audio(AudioFormat::Flac),
        "audio/ogg" | "ogg" | "oga" => Audio(AudioFormat::Ogg),
        "audio/opus" | "opus" => Audio(AudioFormat::Opus),
        "audio/aac" | "aac" => Audio(AudioFormat::Aac),
        "audio/x-aac" | "x-aac" => Audio(AudioFormat::XAac),
        "audio/mp4" => Audio(AudioFormat::Mp4),
        "audio/m4a" | "audio/x-m4a" | "m4a" => Audio(AudioFormat::M4a),
        "audio/webm" => Audio(AudioFormat::Webm),
        "audio/x-matroska" | "mka" => Audio(AudioFormat::Mka),
        "audio/l16" | "audio/pcm" | "pcm" | "pcm16" => Audio(AudioFormat::Pcm),
        "mpga" => Audio(AudioFormat::Mpga),
        "video/mp4" | "mp4" | "m4v" => Video(VideoFormat::Mp4),
        "video/quicktime" | "mov" => Video(VideoFormat::Mov),
        "video/x-matroska" | "mkv" => Video(VideoFormat::Mkv),
        "video/webm" | "webm" => Video(VideoFormat::Webm),
        "video/x-flv" | "flv" => Video(VideoFormat::Flv),
        "video/mpeg" | "mpeg" => Video(VideoFormat::Mpeg),
        "mpg" => Video(VideoFormat::Mpg),
        "video/x-ms-wmv" | "wmv" => Video(VideoFormat::Wmv),
        "video/3gpp" | "three_gp" | "3gp" => Video(VideoFormat::ThreeGp),
        // Whatever else calls itself text is read as such.
        label if label.starts_with("text/") => Document(DocumentFormat::Txt),
        _ => return None,
    })
}

/// The kind that the extension of a file name, or of a URL's path, stands for.
pub(super) fn of_extension(name: &str) -> Option<Kind> {
    let path = name.split(['?', '#']).next().unwrap_or_default();
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    labelled(extension)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn the_kind_is_read_from_the_bytes() {
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\n"[..], Kind::Image(ImageFormat::Png)),
            (b"\xff\xd8\xff\xe0", Kind::Image(ImageFormat::Jpeg)),
            (b"GIF87a", Kind::Image(ImageFormat::Gif)),
            (b"RIFF\0\0\0\0WEBP", Kind::Image(ImageFormat::Webp)),
            (b"%PDF-1.7", Kind::Document(DocumentFormat::Pdf)),
            (b"RIFF\0\0\0\0WAVE", Kind::Audio(AudioFormat::Wav)),
            (b"ID3\x04", Kind::Audio(AudioFormat::Mp3)),
            (b"\xff\xfb\x90", Kind::Audio(AudioFormat::Mp3)),
            (b"\xff\xf3\x90", Kind::Audio(AudioFormat::Mp3)),
            (b"\xff\xf1\x50", Kind::Audio(AudioFormat::Aac)),
            (b"\xff\xf9\x50", Kind::Audio(AudioFormat::Aac)),
            (b"OggS\0\x02vorbis", Kind::Audio(AudioFormat::Ogg)),
            (b"OggS\0\x02\0\0\0\0\0\0OpusHead", Kind::Audio(AudioFormat::Opus)),
            (b"fLaC", Kind::Audio(AudioFormat::Flac)),
            (b"\0\0\0\x20ftypM4A ", Kind::Audio(AudioFormat::M4a)),
            (b"\0\0\0\x20ftypisom", Kind::Video(VideoFormat::Mp4)),
            (b"\0\0\0\x14ftypqt  ", Kind::Video(VideoFormat::Mov)),
            (b"\0\0\0\x14ftyp3gp4", Kind::Video(VideoFormat::ThreeGp)),
            (
                b"\x1a\x45\xdf\xa3\x9f\x42\x86\x42\x82\x84webm",
                Kind::Video(VideoFormat::Webm),
            ),
            (
                b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska",
                Kind::Video(VideoFormat::Mkv),
            ),
            (b"FLV\x01", Kind::Video(VideoFormat::Flv)),
            (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind::Video(VideoFormat::Wmv)),
            (b"\0\0\x01\xba", Kind::Video(VideoFormat::Mpeg)),
        ] {
            let content = Content::Bytes(Bytes::from_static(bytes));
            assert_eq!(sniff(&content), Sniffed::Known(kind), "{bytes:?}");
        }
    }

    #[test]
    fn texts_tell_nothing_by_their_bytes() {
        for text in ["", "hello", "ID3 is a tag", "PK", "RIFF", "\u{feff}a", "a,b\n1,2"] {
            let content = Content::Bytes(Bytes::from_static(text.as_bytes()));
            assert_eq!(sniff(&content), Sniffed::Unknown, "{text:?}");
        }
        let utf16 = Content::Bytes(Bytes::from_static(b"\xff\xfea\0"));
        assert_eq!(sniff(&utf16), Sniffed::Unknown);
    }

    #[test]
    fn labels_are_media_types_names_and_extensions() {
        let pdf = Some(Kind::Document(DocumentFormat::Pdf));
        for label in ["application/pdf", "Application/PDF; charset=binary", "pdf"] {
            assert_eq!(labelled(label), pdf, "{label}");
        }
        for name in ["a.pdf", "s3://bucket/b.c/a.PDF", "https://host/a.pdf?x=y.csv#z"] {
            assert_eq!(of_extension(name), pdf, "{name}");
        }
        assert_eq!(labelled("text/x-python"), Some(Kind::Document(DocumentFormat::Txt)));
        for name in ["pdf", "a.pdf/b", "a.", "https://host.md/"] {
            assert_eq!(of_extension(name), None, "{name}");
        }
    }
}

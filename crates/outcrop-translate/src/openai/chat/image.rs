//! Images in data URLs: from the client's JSON into Converse's without being decoded.

use std::borrow::Cow;

use outcrop_bedrock::base64::Base64;
use outcrop_bedrock::converse::{Image, ImageFormat, Source};
use outcrop_bedrock::json::{Fault, JsonText};

/// The largest image that Bedrock takes, in bytes: 3.75 MB (Converse API reference, read 2026-11).
const MAX_IMAGE_BYTES: usize = 3_750_000;

/// Takes the image out of a data URL. Its format is read from its first bytes, for labels lie.
pub(super) fn from_data_url<'a>(url: &'a JsonText<'_>) -> Result<Image<'a>, Fault> {
    let url = url.decoded();
    let scheme_ends = url.find(':').unwrap_or(0);
    if !url[..scheme_ends].eq_ignore_ascii_case("data") {
        return Err(Fault::shape(
            "only data URLs are supported, such as 'data:image/png;base64,…'",
        ));
    }
    let payload = match url {
        Cow::Borrowed(url) => Cow::Borrowed(payload(url)?),
        Cow::Owned(url) => Cow::Owned(payload(&url)?.to_owned()),
    };
    let base64 = Base64::parse(payload).ok_or_else(|| Fault::shape("the data URL is not valid base64"))?;
    let bytes = base64.len();
    if bytes > MAX_IMAGE_BYTES {
        return Err(Fault::shape(format!(
            "the image has {bytes} bytes, but Bedrock takes at most {MAX_IMAGE_BYTES}"
        )));
    }
    let format = format_of(&base64.bytes_at(0, 12))
        .ok_or_else(|| Fault::shape("the image is neither PNG, JPEG, GIF nor WebP"))?;
    Ok(Image {
        format,
        source: Source::Base64(base64),
    })
}

/// The format that the first bytes of a file tell; a dozen bytes are enough.
fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(ImageFormat::Png),
        [0xff, 0xd8, 0xff, ..] => Some(ImageFormat::Jpeg),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(ImageFormat::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(ImageFormat::Webp),
        _ => None,
    }
}

fn payload(url: &str) -> Result<&str, Fault> {
    match url.split_once(',') {
        Some((head, payload)) if head.to_ascii_lowercase().ends_with(";base64") => Ok(payload),
        _ => Err(Fault::shape("the data URL is not in base64")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_read_from_the_bytes_whatever_the_label_says() {
        for (base64, format) in [
            ("iVBORw0KGgoAAAANSUhEUg==", ImageFormat::Png),
            ("/9j/4AAQSkZJRg==", ImageFormat::Jpeg),
            ("R0lGODlhAQABAAAAACw=", ImageFormat::Gif),
            ("UklGRiQAAABXRUJQVlA4", ImageFormat::Webp),
        ] {
            let url = JsonText::encode(&format!("data:image/jpg;base64,{base64}"));
            assert_eq!(from_data_url(&url).unwrap().format, format);
        }
    }

    #[test]
    fn escaped_slashes_and_wrapped_lines_are_the_same_image() {
        let url = JsonText::encode("data:image/jpeg;base64,/9j/4AAQ\nSkZJRg==");
        let source = from_data_url(&url).unwrap().source;
        assert_eq!(source, Source::Base64(Base64::parse("/9j/4AAQSkZJRg==").unwrap()));
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for url in [
            "https://example.com/a.png",
            "data:image/png,abc",
            "data:image/png;base64,",
            "data:image/png;base64,iVBO*w0K",
            "data:image/png;base64,iVBOR",
            "data:text/plain;base64,aGVsbG8gd29ybGQh",
        ] {
            assert!(from_data_url(&JsonText::encode(url)).is_err(), "{url}");
        }
    }
}

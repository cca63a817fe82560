//! Images in data URLs: from the client's JSON into Converse's without being decoded.

use std::borrow::Cow;

use outcrop_bedrock::converse::ImageFormat;
use outcrop_bedrock::json::{Fault, JsonText};

/// The largest image that Bedrock takes, in bytes: 3.75 MB (Converse API reference, read 2026-11).
const MAX_IMAGE_BYTES: usize = 3_750_000;

/// An image as Converse takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image<'a> {
    pub(super) format: ImageFormat,
    pub(super) base64: Cow<'a, str>,
}

/// Takes the image out of a data URL. Its format is read from its first bytes, for labels lie.
pub(super) fn from_data_url<'a>(url: &'a JsonText<'_>) -> Result<Image<'a>, Fault> {
    let url = url.decoded();
    let scheme_ends = url.find(':').unwrap_or(0);
    if !url[..scheme_ends].eq_ignore_ascii_case("data") {
        return Err(Fault::shape(
            "only data URLs are supported, such as 'data:image/png;base64,…'",
        ));
    }
    let mut base64 = match url {
        Cow::Borrowed(url) => Cow::Borrowed(payload(url)?),
        Cow::Owned(url) => Cow::Owned(payload(&url)?.to_owned()),
    };
    if !is_base64(&base64) {
        // Some clients wrap base64 in lines.
        base64.to_mut().retain(|letter| !letter.is_ascii_whitespace());
        if !is_base64(&base64) {
            return Err(Fault::shape("the data URL is not valid base64"));
        }
    }
    let bytes = base64.len() / 4 * 3;
    if bytes > MAX_IMAGE_BYTES + 2 {
        return Err(Fault::shape(format!(
            "the image has about {bytes} bytes, but Bedrock takes at most {MAX_IMAGE_BYTES}"
        )));
    }
    let format = ImageFormat::sniff(&decode_start(&base64))
        .ok_or_else(|| Fault::shape("the image is neither PNG, JPEG, GIF nor WebP"))?;
    Ok(Image { format, base64 })
}

fn payload(url: &str) -> Result<&str, Fault> {
    match url.split_once(',') {
        Some((head, payload)) if head.to_ascii_lowercase().ends_with(";base64") => Ok(payload),
        _ => Err(Fault::shape("the data URL is not in base64")),
    }
}

fn is_base64(base64: &str) -> bool {
    let letters = base64.trim_end_matches('=');
    let padding = base64.len() - letters.len();
    // A fold without an early exit, which the compiler turns into vector code: images are large.
    let all_known = letters.bytes().fold(true, |known, byte| {
        known & (((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'/') < 11) | (byte == b'+'))
    });
    !base64.is_empty() && all_known && padding <= 2 && base64.len().is_multiple_of(4)
}

/// The first dozen bytes of what `base64` holds, or fewer.
fn decode_start(base64: &str) -> Vec<u8> {
    let sextet = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let letters: Vec<u8> = base64.bytes().take(16).take_while(|&letter| letter != b'=').collect();
    let mut bytes = Vec::with_capacity(12);
    for group in letters.chunks(4) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, &letter| bits << 6 | u32::from(sextet(letter)));
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
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
        assert_eq!(from_data_url(&url).unwrap().base64, "/9j/4AAQSkZJRg==");
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for url in [
            "https://example.com/a.png",
            "data:image/png,abc",
            "data:image/png;base64,",
            "data:image/png;base64,iVBO*w0K",
            "data:image/png;base64,iVB",
            "data:text/plain;base64,aGVsbG8gd29ybGQh",
        ] {
            assert!(from_data_url(&JsonText::encode(url)).is_err(), "{url}");
        }
    }
}

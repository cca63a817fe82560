use bytes::Bytes;
use outcrop_bedrock::base64::{Base64, encode};
use outcrop_bedrock::converse::ImageFormat;
use proptest::prelude::*;

use super::dimensions;
use crate::media::content::Content;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x1f\x40\0\0\x02\x58\x08\x06\0\0\0";
const GIF: &[u8] = b"GIF89a\x20\x03\x58\x02\xf7\0\0";
const LOSSY: &[u8] = b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0\x30\x01\0\x9d\x01\x2a\x20\x43\x58\x82\x02\0";
const LOSSLESS: &[u8] = b"RIFF\x24\0\0\0WEBPVP8L\x18\0\0\0\x2f\x1f\xc3\x95\0\0";
const EXTENDED: &[u8] = b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\x3f\x1f\0\x57\x02\0";

/// A JPEG whose frame, of the kind `frame`, comes after an Exif segment and a table, of 64 KB together.
fn jpeg(frame: u8) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xe1\xff\xfdExif\0\0".to_vec();
    // A thumbnail with a frame of its own, which is not the image's.
    bytes.extend_from_slice(b"\xff\xc0\0\x11\x08\0\x78\0\xa0\x03");
    bytes.resize(4 + 0xfffd, 0);
    bytes.extend_from_slice(b"\xff\xc4\0\x05\0\0\0\xff\xff");
    bytes.extend_from_slice(&[frame, 0, 0x11, 8, 0x02, 0x58, 0x03, 0x20, 3, 1, 0x22, 0]);
    bytes
}

fn both(format: ImageFormat, bytes: &[u8]) -> Option<(u32, u32)> {
    let plain = dimensions(format, &Content::Bytes(Bytes::copy_from_slice(bytes)));
    let in_base64 = Base64::parse(encode(bytes)).map(Content::Base64);
    if let Some(in_base64) = in_base64 {
        assert_eq!(dimensions(format, &in_base64), plain);
    }
    plain
}

#[test]
fn width_and_height_are_read_from_each_format() {
    for (format, bytes, expected) in [
        (ImageFormat::Png, PNG, (8000, 600)),
        (ImageFormat::Gif, GIF, (800, 600)),
        (ImageFormat::Webp, LOSSY, (800, 600)),
        (ImageFormat::Webp, LOSSLESS, (800, 600)),
        (ImageFormat::Webp, EXTENDED, (8000, 600)),
    ] {
        assert_eq!(both(format, bytes), Some(expected), "{format:?}");
    }
}

#[test]
fn a_jpegs_frame_is_found_behind_a_large_exif_and_tables() {
    // Baseline, progressive, lossless.
    for frame in [0xc0, 0xc2, 0xc3] {
        assert_eq!(both(ImageFormat::Jpeg, &jpeg(frame)), Some((800, 600)));
    }
}

#[test]
fn a_header_that_is_cut_short_has_no_dimensions() {
    let jpeg = jpeg(0xc0);
    for (format, bytes) in [
        (ImageFormat::Png, &PNG[..20]),
        (ImageFormat::Gif, &GIF[..8]),
        (ImageFormat::Webp, &LOSSY[..26]),
        (ImageFormat::Webp, &EXTENDED[..28]),
        (ImageFormat::Jpeg, &jpeg[..jpeg.len() - 8]),
        (ImageFormat::Jpeg, b"\xff\xd8\xff\xda\0\x08"),
    ] {
        assert_eq!(both(format, bytes), None, "{format:?}");
    }
}

#[test]
fn a_jpeg_of_nothing_but_segments_ends() {
    let mut bytes = b"\xff\xd8".to_vec();
    bytes.extend(b"\xff\xe0\0\x02".repeat(100_000));
    assert_eq!(both(ImageFormat::Jpeg, &bytes), None);
}

proptest! {
    #[test]
    fn base64_and_bytes_have_the_same_dimensions(
        format in prop::sample::select(ImageFormat::ALL),
        head in prop::sample::select(vec![PNG, GIF, LOSSY, LOSSLESS, EXTENDED, b"\xff\xd8\xff\xe0\0\x04ab\xff\xc2\0\x11\x08"]),
        cut in 0_usize..40,
        tail: Vec<u8>,
    ) {
        let mut bytes = head[..cut.min(head.len())].to_vec();
        bytes.extend(tail);
        both(format, &bytes);
    }
}

//! Width and height of an image, from its header.

use outcrop_bedrock::converse::ImageFormat;

use super::content::Content;

/// The most segments of a JPEG that are walked through; real ones have dozens, of which up to 255 a colour profile.
const MAX_SEGMENTS: usize = 2000;

/// Width and height in pixels; `None` if the header is cut short or of an unknown kind, which is Bedrock's to judge.
pub(super) fn dimensions(format: ImageFormat, content: &Content<'_>) -> Option<(u32, u32)> {
    match format {
        ImageFormat::Png => png(content),
        ImageFormat::Jpeg => jpeg(content),
        ImageFormat::Gif => gif(content),
        ImageFormat::Webp => webp(content),
    }
}

/// The first chunk of a PNG is its header (PNG specification, 11.2.1).
fn png(content: &Content<'_>) -> Option<(u32, u32)> {
    let [b'I', b'H', b'D', b'R', w @ .., h3, h2, h1, h0] = content.array::<12>(12)? else {
        return None;
    };
    Some((u32::from_be_bytes(w), u32::from_be_bytes([h3, h2, h1, h0])))
}

/// The logical screen of a GIF, which its frames lie in (GIF89a specification, 18).
fn gif(content: &Content<'_>) -> Option<(u32, u32)> {
    let [w0, w1, h0, h1] = content.array(6)?;
    Some((u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into()))
}

/// Walks the segments up to the start of the frame (ITU-T T.81, annex B).
fn jpeg(content: &Content<'_>) -> Option<(u32, u32)> {
    let mut at = 2;
    for _ in 0..MAX_SEGMENTS {
        let [mark, kind, length @ ..] = content.array::<4>(at)?;
        if mark != 0xff {
            return None;
        }
        match kind {
            // Padding before a marker.
            0xff => at += 1,
            // Markers without a segment.
            0x01 | 0xd0..=0xd8 => at += 2,
            // Tables (DHT, JPG, DAC) have numbers among those of the frames.
            0xc0..=0xcf if !matches!(kind, 0xc4 | 0xc8 | 0xcc) => {
                let [h1, h0, w1, w0] = content.array(at + 5)?;
                return Some((u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into()));
            }
            // The image's data or end, before any frame.
            0xd9 | 0xda => return None,
            _ => at += 2 + usize::from(u16::from_be_bytes(length)).max(2),
        }
    }
    None
}

/// The first chunk of a WebP: lossy, lossless or extended (RFC 9649).
fn webp(content: &Content<'_>) -> Option<(u32, u32)> {
    let chunk = content.array::<4>(12)?;
    match &chunk {
        b"VP8 " => {
            let [0x9d, 0x01, 0x2a, w0, w1, h0, h1] = content.array(23)? else {
                return None;
            };
            // Two bits on top are for scaling.
            let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
            Some((side(w0, w1), side(h0, h1)))
        }
        b"VP8L" => {
            let [0x2f, bits @ ..] = content.array::<5>(20)? else {
                return None;
            };
            let bits = u32::from_le_bytes(bits);
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => {
            let [w0, w1, w2, h0, h1, h2] = content.array(24)?;
            let side = |bytes: [u8; 3]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]) + 1;
            Some((side([w0, w1, w2]), side([h0, h1, h2])))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "dimensions_tests.rs"]
mod tests;

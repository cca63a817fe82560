//! What the first bytes of an image tell: its format and its size.

/// The format, as Converse names it.
pub(crate) fn format(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => None,
    }
}

/// Width and height in pixels, where the header is whole.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    match format(bytes)? {
        "png" => Some((big(bytes, 16, 4)?, big(bytes, 20, 4)?)),
        "gif" => Some((little(bytes, 6, 2)?, little(bytes, 8, 2)?)),
        "webp" => webp(bytes),
        _ => jpeg(bytes),
    }
}

/// The three kinds of WebP: lossy, lossless, and with a header of its own.
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8 " => Some((little(bytes, 26, 2)? & 0x3fff, little(bytes, 28, 2)? & 0x3fff)),
        b"VP8L" => {
            let packed = little(bytes, 21, 4)?;
            Some(((packed & 0x3fff) + 1, (packed >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => Some((little(bytes, 24, 3)? + 1, little(bytes, 27, 3)? + 1)),
        _ => None,
    }
}

/// Walks the segments to the one that begins a frame.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        match (*bytes.get(at)?, marker) {
            (0xff, 0xff) => at += 1,
            // Huffman tables, arithmetic conditions and one reserved marker have numbers among the frames'.
            (0xff, 0xc0..=0xcf) if ![0xc4, 0xc8, 0xcc].contains(&marker) => {
                return Some((big(bytes, at + 7, 2)?, big(bytes, at + 5, 2)?));
            }
            (0xff, 0x01 | 0xd0..=0xd7) => at += 2,
            (0xff, _) => at += 2 + big(bytes, at + 2, 2)? as usize,
            _ => return None,
        }
    }
}

fn big(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let digits = bytes.get(at..at + length)?;
    Some(digits.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

fn little(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let digits = bytes.get(at..at + length)?;
    Some(
        digits
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u32::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x1f\x41\0\0\0\x02";
        let gif = b"GIF89a\x41\x1f\x02\0";
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x02\xff\xc2\0\x0b\x08\0\x02\x1f\x41";
        let lossy = b"RIFF....WEBPVP8 ....\0\0\0\x9d\x01\x2a\x41\x1f\x02\0";
        let lossless = b"RIFF....WEBPVP8L....\x2f\x40\x5f\0\0";
        let extended = b"RIFF....WEBPVP8X....\0\0\0\0\x40\x1f\0\x01\0\0";
        for bytes in [&png[..], gif, jpeg, lossy, lossless, extended] {
            assert_eq!(size(bytes), Some((8001, 2)), "{bytes:?}");
        }
    }

    #[test]
    fn cut_headers_have_no_size() {
        for bytes in [
            &b"GIF89a"[..],
            b"\xff\xd8\xff",
            b"\xff\xd8\xff\xe0\xff\xff",
            b"RIFF....WEBPVP8X",
            b"BM",
        ] {
            assert_eq!(size(bytes), None);
        }
    }
}

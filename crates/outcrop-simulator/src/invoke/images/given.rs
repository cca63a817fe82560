//! Images that a body brings: in base64, PNG or JPEG or WebP, of a size that the model reads.

use std::io::Cursor;

use aws_smithy_types::base64;
use png::{Decoder, Limits, Transformations};
use serde_json::Value;

use crate::refusal::Refusal;
use crate::rules::image;

/// Enough for a mask of 4096 × 4096 pixels with four channels, and not for a bomb.
const MAX_MASK_BYTES: usize = 128 << 20;

/// An image of a body.
pub(super) struct Given {
    pub(super) width: u32,
    pub(super) height: u32,
    bytes: Vec<u8>,
}

impl Given {
    /// Reads the image at a place of the body, such as `/inPaintingParams/image`.
    ///
    /// # Errors
    ///
    /// What isn't base64, or isn't an image of one of these formats.
    pub(super) fn read(body: &Value, place: &str, formats: &[&str]) -> Result<Given, Refusal> {
        let encoded = body.pointer(place).and_then(Value::as_str).unwrap_or_default();
        let wrong = |what: &str| Refusal::malformed(&[format!("#{place}: {what}")]);
        let bytes = base64::decode(encoded).map_err(|_| wrong("string isn't valid base64"))?;
        let format = image::format(&bytes).filter(|format| formats.contains(format));
        match (format, image::size(&bytes)) {
            (Some(_), Some((width @ 1.., height @ 1..))) => Ok(Given { width, height, bytes }),
            _ => Err(wrong(&format!("the image isn't a {}", formats.join(" or ")))),
        }
    }

    pub(super) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// If it is a PNG with nothing in it but pure black and pure white, all of it opaque. What a JPEG holds isn't looked
    /// at.
    pub(super) fn is_black_and_white(&self) -> bool {
        if image::format(&self.bytes) != Some("png") {
            return true;
        }
        let mut decoder = Decoder::new_with_limits(Cursor::new(&self.bytes), Limits { bytes: MAX_MASK_BYTES });
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        let Ok(mut reader) = decoder.read_info() else {
            return false;
        };
        let channels = reader.output_color_type().0.samples();
        let coloured = channels - usize::from(channels % 2 == 0);
        loop {
            match reader.next_row() {
                Ok(None) => return true,
                Ok(Some(row)) => {
                    let pure = |pixel: &[u8]| {
                        let colour = &pixel[..coloured];
                        let same = colour.iter().all(|part| *part == 0) || colour.iter().all(|part| *part == 255);
                        same && pixel[coloured..].iter().all(|alpha| *alpha == 255)
                    };
                    if !row.data().chunks_exact(channels).all(pure) {
                        return false;
                    }
                }
                Err(_) => return false,
            }
        }
    }
}

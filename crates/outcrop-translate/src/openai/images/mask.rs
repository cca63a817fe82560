//! Masks. OpenAI's is a PNG whose transparent pixels are to change; Bedrock's models take black and white.

use std::io::Cursor;

use bytes::Bytes;
use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Limits, Transformations};

use super::member::wrong;
use crate::catalogue::ImageSize;
use crate::media;
use crate::problem::Problem;

/// The most pixels of a mask: 4096 × 4096, as much as any model edits. A few bytes can unpack into far more.
const MAX_PIXELS: u64 = 1 << 24;
/// What a decoder may hold at once: some rows of the widest mask, with four channels of two bytes.
const MAX_DECODER_BYTES: usize = 16 << 20;
/// Below this, a pixel counts as transparent.
const HALF: u8 = 128;

/// The black and white PNG that says the same as a client's mask: `edited` is the shade of what is to change. The mask
/// must be as large as its image, where the size of that is known.
///
/// # Errors
/// When it is no PNG, too large, of another size, damaged, or has no transparency.
pub fn black_and_white(mask: &Bytes, image: Option<ImageSize>, edited: Shade) -> Result<Vec<u8>, Problem> {
    let found = media::image(mask);
    let Some((_, Some((width, height)))) = found.filter(|(format, _)| format.name() == "png") else {
        let what = "a PNG, whose transparent pixels are to change; other formats don't hold transparency exactly";
        return Err(Problem {
            code: Some("invalid_image_format"),
            ..wrong("mask", what)
        });
    };
    let size = ImageSize { width, height };
    if size.pixels() > MAX_PIXELS {
        return Err(wrong(
            "mask",
            &format!("at most {MAX_PIXELS} pixels, but it has {size}"),
        ));
    }
    if let Some(image) = image.filter(|image| *image != size) {
        let expected = format!("a mask as large as the image, {image}, but it has {size}");
        return Err(wrong("mask", &expected));
    }
    let pixels = decode(mask, size, edited)?;
    encode(size, &pixels).ok_or_else(|| wrong("mask", "a mask that can be converted"))
}

/// Black or white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shade {
    /// 0
    Black,
    /// 255
    White,
}

/// The shade of each pixel.
fn decode(mask: &[u8], size: ImageSize, edited: Shade) -> Result<Vec<u8>, Problem> {
    let damaged = || wrong("mask", "a PNG that isn't damaged");
    let limits = Limits {
        bytes: MAX_DECODER_BYTES,
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(mask), limits);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|_| damaged())?;
    let channels = match reader.output_color_type() {
        (ColorType::GrayscaleAlpha, BitDepth::Eight) => 2,
        (ColorType::Rgba, BitDepth::Eight) => 4,
        _ => {
            let expected = "a PNG with transparency: what is to change is transparent, the rest is not";
            return Err(wrong("mask", expected));
        }
    };
    let (inside, outside) = match edited {
        Shade::White => (255, 0),
        Shade::Black => (0, 255),
    };
    let count = usize::try_from(size.pixels()).map_err(|_| damaged())?;
    let mut pixels = Vec::with_capacity(count);
    let shade = |pixel: &[u8]| match pixel.last() {
        Some(alpha) if *alpha < HALF => inside,
        _ => outside,
    };
    if reader.info().interlaced {
        // Its rows don't come from top to bottom.
        let mut all = vec![0; reader.output_buffer_size().ok_or_else(damaged)?];
        reader.next_frame(&mut all).map_err(|_| damaged())?;
        pixels.extend(all.chunks_exact(channels).map(shade));
    } else {
        while let Some(row) = reader.next_row().map_err(|_| damaged())? {
            pixels.extend(row.data().chunks_exact(channels).map(shade));
        }
    }
    match pixels.len() == count {
        true => Ok(pixels),
        false => Err(damaged()),
    }
}

fn encode(size: ImageSize, pixels: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, size.width, size.height);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(pixels).ok()?;
    writer.finish().ok()?;
    Some(out)
}

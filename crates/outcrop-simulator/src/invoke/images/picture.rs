//! Pictures that nobody has to look at twice: a sky that changes its colour from top to bottom, and a few discs. What is
//! seen follows from a key, so that the same request gives the same picture, and another prompt another one.

use png::{BitDepth, ColorType, Compression, Encoder};
use ring::digest::{SHA256, digest};

/// How many of the palette's colours the sky has; the discs have the others.
const SKY: usize = 128;
const DISCS: usize = 5;

/// A PNG. If it is cut out, its sky is transparent.
pub(super) fn png(width: u32, height: u32, key: &str, cut_out: bool) -> Vec<u8> {
    let scene = Scene::new(width, height, key);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    encoder.set_palette(scene.palette());
    if cut_out {
        encoder.set_trns(&[0; SKY][..]);
    }
    let mut pixels = Vec::with_capacity(width as usize * height as usize);
    for y in 0..height {
        scene.row(y, &mut pixels);
    }
    // Writing to memory can't fail, and the sizes are the picture's own.
    let written = encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&pixels));
    debug_assert!(written.is_ok(), "{written:?}");
    bytes
}

/// A number that follows from a text.
pub(super) fn number_of(text: &str) -> u64 {
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref()
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// What there is to see.
pub(super) struct Scene {
    width: u32,
    height: u32,
    hash: Vec<u8>,
}

impl Scene {
    pub(super) fn new(width: u32, height: u32, key: &str) -> Scene {
        Scene {
            width,
            height,
            hash: digest(&SHA256, key.as_bytes()).as_ref().to_vec(),
        }
    }

    /// Red, green and blue of each colour: the sky's first, then the discs'.
    fn palette(&self) -> Vec<u8> {
        let colour = |at: usize| [self.hash[at], self.hash[at + 1], self.hash[at + 2]];
        let ramp = |from: [u8; 3], to: [u8; 3]| {
            (0..SKY).flat_map(move |step| [0, 1, 2].map(|part| between(from[part], to[part], step)))
        };
        ramp(colour(0), colour(3)).chain(ramp(colour(6), colour(9))).collect()
    }

    /// Adds the colours of a row, by their numbers in the palette.
    pub(super) fn row(&self, y: u32, pixels: &mut Vec<u8>) {
        let start = pixels.len();
        let sky = shade(y, self.height);
        pixels.resize(start + self.width as usize, sky);
        let row = &mut pixels[start..];
        for number in 0..DISCS {
            let part = |at: usize, whole: u32| whole * u32::from(self.hash[12 + number * 3 + at]) / 256;
            let (x, middle) = (part(0, self.width), part(1, self.height));
            let radius = (self.width.min(self.height) / 16 + part(2, self.width.min(self.height) / 4)).max(1);
            let off = y.abs_diff(middle);
            if off < radius {
                let half = (radius * radius - off * off).isqrt();
                let (from, to) = (x.saturating_sub(half) as usize, (x + half).min(self.width) as usize);
                row[from.min(to)..to].fill(sky / 2 + 128 + (number * 12) as u8);
            }
        }
    }

    /// How light the palette's colour of that number is.
    pub(super) fn light(&self, number: u8) -> u8 {
        let palette = self.palette();
        let parts = &palette[usize::from(number) * 3..][..3];
        (parts.iter().map(|part| u32::from(*part)).sum::<u32>() / 3) as u8
    }
}

/// The sky's colour in a row.
fn shade(y: u32, height: u32) -> u8 {
    (u64::from(y) * (SKY as u64 - 1) / u64::from(height)) as u8
}

fn between(from: u8, to: u8, step: usize) -> u8 {
    let (from, to) = (i32::from(from), i32::from(to));
    (from + (to - from) * step as i32 / SKY as i32) as u8
}

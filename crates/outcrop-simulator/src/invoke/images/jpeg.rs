//! The smallest JPEG there is: grey, one shade for each block of 8 × 8 pixels (ITU T.81, baseline).

use super::picture::Scene;

/// The differences between neighbours have 0 to 11 bits; each of these lengths has a code of four bits.
const LENGTHS: u8 = 12;
const CODE_BITS: u32 = 4;

/// A JPEG of the same scene as the PNG of this key.
pub(super) fn jpeg(width: u32, height: u32, key: &str) -> Vec<u8> {
    let scene = Scene::new(width, height, key);
    let mut out = vec![0xff, 0xd8];
    segment(&mut out, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    // All steps are 1, but for the shade itself: 8 makes a difference of 1 one of 1.
    let mut steps = vec![0];
    steps.push(8);
    steps.extend([1; 63]);
    segment(&mut out, 0xdb, &steps);
    let ([h1, h2], [w1, w2]) = (two(height), two(width));
    segment(&mut out, 0xc0, &[8, h1, h2, w1, w2, 1, 1, 0x11, 0]);
    let mut shades = vec![0x00, 0, 0, 0, LENGTHS];
    shades.extend([0; 12]);
    shades.extend(0..LENGTHS);
    segment(&mut out, 0xc4, &shades);
    // Of a block's details there is one word only, one bit long: nothing follows.
    let mut details = vec![0x10, 1];
    details.extend([0; 15]);
    details.push(0);
    segment(&mut out, 0xc4, &details);
    segment(&mut out, 0xda, &[1, 1, 0x00, 0, 63, 0]);
    let lights: Vec<u8> = (0..=255).map(|number| scene.light(number)).collect();
    let mut bits = Bits { out, kept: 0, count: 0 };
    let mut last = 0;
    let mut row = Vec::new();
    for top in (0..height).step_by(8) {
        row.clear();
        scene.row(top, &mut row);
        for left in (0..width as usize).step_by(8) {
            let shade = i32::from(lights[usize::from(row[left])]) - 128;
            bits.difference(shade - last);
            bits.add(0, 1);
            last = shade;
        }
    }
    bits.finish()
}

fn segment(out: &mut Vec<u8>, marker: u8, content: &[u8]) {
    out.extend([0xff, marker]);
    out.extend(two(content.len() as u32 + 2));
    out.extend(content);
}

fn two(number: u32) -> [u8; 2] {
    [(number >> 8) as u8, number as u8]
}

struct Bits {
    out: Vec<u8>,
    kept: u32,
    count: u32,
}

impl Bits {
    fn difference(&mut self, difference: i32) {
        let length = 32 - difference.unsigned_abs().leading_zeros();
        self.add(length, CODE_BITS);
        // A negative number has the bits of what is one less.
        let number = if difference < 0 { difference - 1 } else { difference };
        self.add(number as u32 & ((1 << length) - 1), length);
    }

    fn add(&mut self, bits: u32, count: u32) {
        self.kept = self.kept << count | bits;
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.kept >> self.count) as u8;
            self.out.push(byte);
            if byte == 0xff {
                self.out.push(0);
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.add(0x7f, 7);
        self.out.extend([0xff, 0xd9]);
        self.out
    }
}

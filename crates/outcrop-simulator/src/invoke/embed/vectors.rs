//! Vectors that follow from what is embedded, and from nothing else: what has words and parts of words in common lies
//! close together, so that a search among a few texts finds what a person would.
//!
//! Each feature (a word, three letters in a row, a pattern of bytes) adds a little to some numbers that its hash
//! chooses. Meaning isn't known: "car" and "automobile" have nothing in common.

use std::collections::HashMap;

use super::{Item, Wanted};

/// How many numbers of a vector a feature touches: enough that two features rarely hide one another.
const TOUCHED: u64 = 6;
const WORD: f64 = 1.0;
/// Short words are mostly articles and the like.
const SHORT_WORD: f64 = 0.25;
const SHORT: usize = 3;
const LETTERS: f64 = 0.3;
/// What all vectors share: nothing is wholly unlike anything else, and no vector is empty.
const COMMON: f64 = 0.4;
/// What vectors for one purpose share.
const PURPOSE: f64 = 0.12;
const BYTES: f64 = 1.0;
/// The length of what makes each number of a vector a little different from zero.
const GRAIN: f64 = 0.08;
/// The length of a vector that isn't to be normalised.
const NATURAL_LENGTH: f64 = 12.5;
const DECIMALS: f64 = 1e9;

/// The vector of an item.
pub(super) fn of(item: &Item, wanted: &Wanted) -> Vec<f64> {
    let mut sum = vec![0.0; wanted.dimension];
    // Each part counts the same, as Titan says of its averages.
    let texts = item.texts.iter().map(|text| of_text(text, wanted.dimension));
    let images = item.images.iter().map(|bytes| of_bytes(bytes, wanted.dimension));
    for part in texts.chain(images) {
        add(&mut sum, &part, 1.0);
    }
    let mut seasoning = vec![0.0; wanted.dimension];
    touch(&mut seasoning, "common", COMMON);
    if !wanted.purpose.is_empty() {
        touch(&mut seasoning, &format!("purpose {}", wanted.purpose), PURPOSE);
    }
    let mut vector = unit(sum);
    add(&mut vector, &seasoning, 1.0);
    add(&mut vector, &grain(item, wanted.dimension), GRAIN);
    let length = if wanted.normalize { 1.0 } else { NATURAL_LENGTH };
    // Models give as many digits as a 32-bit number has.
    unit(vector)
        .into_iter()
        .map(|number| (number * length * DECIMALS).round() / DECIMALS)
        .collect()
}

fn of_text(text: &str, dimension: usize) -> Vec<f64> {
    let mut features: HashMap<String, f64> = HashMap::new();
    let lower = text.to_lowercase();
    for word in lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let weight = if word.chars().count() <= SHORT {
            SHORT_WORD
        } else {
            WORD
        };
        *features.entry(format!("word {word}")).or_default() += weight;
        let letters: Vec<char> = format!(" {word} ").chars().collect();
        for three in letters.windows(3) {
            let three: String = three.iter().collect();
            *features.entry(format!("letters {three}")).or_default() += LETTERS * weight;
        }
    }
    let mut sorted: Vec<_> = features.into_iter().collect();
    // Sums of floating-point numbers depend on their order.
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut vector = vec![0.0; dimension];
    for (feature, weight) in sorted {
        // A word that comes again and again isn't worth as much each time.
        touch(&mut vector, &feature, weight.sqrt());
    }
    unit(vector)
}

/// Of an image nobody looks at the picture, but at which bytes it has, and how often.
fn of_bytes(bytes: &[u8], dimension: usize) -> Vec<f64> {
    let mut counts: HashMap<(usize, u8), f64> = HashMap::new();
    for (index, byte) in bytes.iter().enumerate() {
        *counts.entry((index * 8 / bytes.len(), byte >> 2)).or_default() += 1.0;
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by_key(|(feature, _)| *feature);
    let mut vector = vec![0.0; dimension];
    for ((part, byte), count) in sorted {
        touch(&mut vector, &format!("bytes {part} {byte}"), BYTES * count.sqrt());
    }
    unit(vector)
}

/// Adds a feature where its hash says, up or down.
fn touch(vector: &mut [f64], feature: &str, weight: f64) {
    let mut state = fnv(feature.as_bytes());
    for _ in 0..TOUCHED {
        state = mixed(state);
        let up = state >> 63 == 0;
        let at = usize::try_from((state >> 8) % vector.len() as u64).unwrap_or_default();
        vector[at] += if up { weight } else { -weight };
    }
}

/// Numbers that look random, and follow from all of an item.
fn grain(item: &Item, dimension: usize) -> Vec<f64> {
    let texts = item.texts.iter().map(String::as_bytes);
    let parts = texts.chain(item.images.iter().map(Vec::as_slice));
    let mut state = parts.fold(0, |state, part| mixed(state ^ fnv(part)));
    let next = |_| {
        state = mixed(state);
        // The upper half of the bits, as a number from -1 to 1.
        f64::from((state >> 32) as u32) / f64::from(u32::MAX) * 2.0 - 1.0
    };
    unit((0..dimension).map(next).collect())
}

fn add(sum: &mut [f64], part: &[f64], weight: f64) {
    for (sum, part) in sum.iter_mut().zip(part) {
        *sum += part * weight;
    }
}

/// The same direction, of length 1; what has none stays as it is.
fn unit(mut vector: Vec<f64>) -> Vec<f64> {
    let length = vector.iter().map(|number| number * number).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    }
    vector
}

/// Fowler, Noll and Vo's hash (1a, 64 bits).
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A step of SplitMix64, whose bits all depend on all of its input's.
fn mixed(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(text: &str, dimension: usize) -> Vec<f64> {
        of(&Item::text(text), &Wanted::new(Vec::new(), dimension))
    }

    fn cosine(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn vectors_have_length_one_whatever_is_in_them() {
        for text in ["Rain in Spain", "雨", "", " ", "a"] {
            for dimension in [256, 1024, 3072] {
                let vector = vector(text, dimension);
                assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-6, "{text} {dimension}");
            }
        }
    }

    #[test]
    fn what_is_alike_lies_close() {
        let texts = [
            "How do I reset my password?",
            "Our office is closed on public holidays.",
            "The train to Lyon leaves at noon.",
        ];
        for dimension in [256, 512, 1536] {
            let query = vector("I forgot the password, how to reset it", dimension);
            let near: Vec<f64> = texts
                .iter()
                .map(|text| cosine(&query, &vector(text, dimension)))
                .collect();
            assert!(near[0] > near[1] + 0.2 && near[0] > near[2] + 0.2, "{near:?}");
        }
    }

    #[test]
    fn bytes_that_differ_a_little_lie_closer_than_others() {
        let picture = |seed: u8| (0..2000).map(|i: u32| (i % 7) as u8 * seed).collect::<Vec<u8>>();
        let wanted = Wanted::new(Vec::new(), 1024);
        let mut touched_up = picture(9);
        touched_up[100] = 255;
        let [first, second, other] =
            [picture(9), touched_up, picture(31)].map(|bytes| of(&Item::image(bytes), &wanted));
        assert!(cosine(&first, &second) > 0.95);
        assert!(cosine(&first, &other) < 0.7);
    }
}

//! `size`: how large the images are, by what the model makes.

use super::member::wrong;
use crate::catalogue::{ImageRules, ImageSize};
use crate::notes::Notes;
use crate::problem::Problem;

/// How far the shape that is asked for may be from one that the model makes: 1792x1024 is nearly 16:9.
const NEAR: f64 = 0.025;

/// How a model is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sizing {
    /// Nothing is said: the model makes what it makes.
    Unsaid,
    /// Width and height.
    Exact(ImageSize),
    /// The name of a shape.
    Ratio(String),
}

/// What becomes of `size`.
pub(super) fn sizing(asked: Option<&str>, rules: &ImageRules, notes: &mut Notes) -> Result<Sizing, Problem> {
    let Some(asked) = asked.filter(|asked| *asked != "auto") else {
        return Ok(Sizing::Unsaid);
    };
    let Some(size) = parse(asked) else {
        // The name of a shape is as good.
        return match rules.ratios.contains_key(asked) {
            true => Ok(Sizing::Ratio(asked.to_owned())),
            false => Err(impossible(rules, "no size like 1024x1024")),
        };
    };
    if !rules.ratios.is_empty() {
        let distance = |other: &ImageSize| (ratio(size) / ratio(*other)).ln().abs();
        let exact = rules.ratios.iter().find(|(_, made)| **made == size);
        let named = rules.ratios.iter().filter(|(name, made)| {
            let by_name = parse_ratio(name).is_some_and(|named| (ratio(size) / named).ln().abs() <= NEAR);
            by_name || distance(made) <= NEAR
        });
        let nearest = named.min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
        let Some((name, made)) = exact.or(nearest) else {
            return Err(impossible(rules, "not one of its shapes"));
        };
        if *made != size {
            notes.lose("size", "aspect_ratio", "sizes-are-the-models");
        }
        return Ok(Sizing::Ratio(name.clone()));
    }
    let possible = rules.sizes.contains(&size) || rules.any_size.is_some_and(|rule| rule.allows(size));
    // What nothing is known of is Bedrock's to judge.
    let is_known = !rules.sizes.is_empty() || rules.any_size.is_some();
    match possible || !is_known {
        true => Ok(Sizing::Exact(size)),
        false => Err(impossible(rules, "not one of its sizes")),
    }
}

/// A size, written as OpenAI does or with a comma, a star or a sign between its sides.
pub(super) fn parse(text: &str) -> Option<ImageSize> {
    ImageSize::parse(text).or_else(|| ImageSize::parse(&text.to_ascii_lowercase().replace(['×', '*'], "x")))
}

fn ratio(size: ImageSize) -> f64 {
    f64::from(size.width) / f64::from(size.height)
}

fn parse_ratio(name: &str) -> Option<f64> {
    let (width, height) = name.split_once(':')?;
    let (width, height): (f64, f64) = (width.parse().ok()?, height.parse().ok()?);
    (height > 0.0).then_some(width / height)
}

fn impossible(rules: &ImageRules, why: &str) -> Problem {
    let mut possible: Vec<String> = rules.sizes.iter().map(|size| format!("'{size}'")).collect();
    possible.extend(rules.ratios.iter().map(|(name, size)| format!("'{size}' ({name})")));
    if let Some(rule) = rules.any_size {
        possible = vec![rule.to_string()];
    }
    wrong(
        "size",
        &format!(
            "a size that this model makes, and what was asked for is {why}; it makes 'auto' or {}",
            possible.join(", ")
        ),
    )
}

//! How a model is asked for images.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

use super::words::{ImageTask, Set};

/// How a model is asked for images, and what it makes. `catalogue/README.md` describes the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageRules {
    /// What it can be asked to do.
    pub tasks: Set<ImageTask>,
    /// How many images a call may ask for; 1 where it isn't said.
    pub per_call: Option<u64>,
    /// The sizes that it makes, if they are few. The first is what it makes unasked.
    pub sizes: Vec<ImageSize>,
    /// The shapes that it makes, by the names that it takes, each with the size that comes of it.
    pub ratios: BTreeMap<String, ImageSize>,
    /// For models that make any size by rule.
    pub any_size: Option<SizeRule>,
    /// Members of its body that aren't every image model's.
    pub members: Vec<String>,
    /// What a request must bring: `prompt`, or members of its own.
    pub needs: Vec<String>,
    /// Whether its images are larger than those that it is given, by its own measure.
    pub enlarges: bool,
    /// The formats that it writes; PNG alone where it isn't said.
    pub formats: Vec<String>,
    /// The most characters of a prompt.
    pub prompt_chars: Option<usize>,
    /// The formats that it reads.
    pub reads: Vec<String>,
    /// The fewest and the most pixels on a side of an image that it reads.
    pub sides: Option<[u32; 2]>,
    /// The fewest and the most pixels of an image that it reads.
    pub pixels: Option<[u64; 2]>,
}

/// Width and height in pixels, `1024x768`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSize {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

/// Any size within limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeRule {
    /// The fewest and the most pixels on a side.
    pub sides: [u32; 2],
    /// Sides are multiples of this.
    pub step: u32,
    /// The most pixels in all.
    pub pixels: u64,
    /// How many times the shorter side the longer may be.
    pub ratio: u32,
}

impl ImageSize {
    /// Reads `1024x768`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (width, height) = text.split_once('x')?;
        let side = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let side = text.parse().ok().filter(|side| (1..=65_535).contains(side));
            side.filter(|_| digits)
        };
        Some(Self {
            width: side(width)?,
            height: side(height)?,
        })
    }

    /// How many pixels it has.
    #[must_use]
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

impl fmt::Display for ImageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl<'de> Deserialize<'de> for ImageSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is not a size like 1024x768")))
    }
}

impl SizeRule {
    /// Whether a size is within the limits.
    #[must_use]
    pub fn allows(&self, size: ImageSize) -> bool {
        let side = |side: u32| (self.sides[0]..=self.sides[1]).contains(&side) && side.is_multiple_of(self.step.max(1));
        let (long, short) = (size.width.max(size.height), size.width.min(size.height));
        side(size.width)
            && side(size.height)
            && size.pixels() <= self.pixels
            && u64::from(long) <= u64::from(short) * u64::from(self.ratio)
    }
}

impl fmt::Display for SizeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sides: [least, most],
            step,
            pixels,
            ratio,
        } = self;
        write!(
            f,
            "any with sides of {least} to {most} pixels in steps of {step}, up to {pixels} pixels and {ratio}:1"
        )
    }
}

impl ImageRules {
    /// The size that it makes unasked.
    #[must_use]
    pub fn usual_size(&self) -> Option<ImageSize> {
        let square = || self.ratios.get("1:1").copied();
        self.sizes.first().copied().or_else(square)
    }

    /// Whether its body takes a member.
    #[must_use]
    pub fn takes(&self, member: &str) -> bool {
        self.members.iter().any(|known| known == member)
    }

    /// How many images a call may ask for.
    #[must_use]
    pub fn per_call(&self) -> u64 {
        self.per_call.unwrap_or(1).max(1)
    }
}

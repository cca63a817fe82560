//! Bodies that ask for images. A [`Painter`] reads one strictly and says what is to be painted; markers in the prompt
//! mean what they mean in Converse, and then the pictures are real ones, of the size that was asked for.

mod amazon;
mod answer;
mod given;
mod jpeg;
mod picture;
mod sdxl;
mod stability;

use serde_json::Value;

pub(super) use answer::answer;

use crate::models::Target;
use crate::refusal::Refusal;

/// How a family is asked for images, and how it answers.
pub(super) trait Painter: Sync {
    /// Checks a body strictly.
    ///
    /// # Errors
    ///
    /// What the family's own documents don't allow.
    fn read(&self, body: &Value, target: &Target) -> Result<Order, Refusal>;

    /// The whole answer: the pictures in base64, in order, or what a filter did.
    ///
    /// # Errors
    ///
    /// What a filter did, where the family makes an exception of it.
    fn whole(&self, order: &Order, pictures: Vec<String>, filtered: Option<Filtered>) -> Result<Value, Refusal>;
}

/// What is to be painted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Order {
    /// What it is to show; empty where a task has no prompt.
    pub(super) prompt: String,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) count: u32,
    /// What was asked for, if anything was.
    pub(super) seed: Option<u64>,
    pub(super) format: Format,
    /// If the background is left out.
    pub(super) cut_out: bool,
}

/// What a picture is written as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Format {
    Png,
    Jpeg,
}

/// What the filter of a model's provider stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Filtered {
    Prompt,
    Picture,
}

impl Order {
    /// The seed of the picture of that number: what was asked for, or one that follows from the prompt.
    fn seed_of(&self, number: u32) -> u64 {
        let first = self.seed.unwrap_or_else(|| picture::number_of(&self.prompt) >> 33);
        first + u64::from(number)
    }
}

/// A painter by its name in `models.json`.
pub(super) fn named(name: &str) -> Option<&'static dyn Painter> {
    Some(match name {
        "sdxl" => &sdxl::Sdxl,
        "stability" => &stability::Stability,
        "titan-image" => &amazon::Amazon::Titan,
        "nova-canvas" => &amazon::Amazon::Canvas,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;

//! Models that make vectors, by `InvokeModel`: how each is asked, and what it answers.
//!
//! A family is one file with one [`Family`], which writes what any endpoint may want of vectors ([`Wishes`]) as the
//! model's own body. Answers have members of different names in each family, so one reader, [`Reply`], knows them all.

mod aim;
mod cohere;
mod item;
mod marengo;
mod nova;
pub(crate) mod numbers;
mod reply;
mod titan;

use std::borrow::Cow;
use std::fmt::Debug;

use outcrop_bedrock::json::{Json, ObjectWriter, write_str};

use crate::catalogue::VectorShape;
use crate::notes::Notes;

pub(crate) use aim::Aim;
pub use aim::is_purpose;
pub(crate) use item::{Item, Part};
pub(crate) use reply::{Reply, Typed};

/// A shape of bodies.
pub(crate) trait Family: Debug + Sync {
    /// The most items of a call.
    fn batch(&self) -> usize {
        1
    }

    /// Whether the items may stand in one call; there are at most [`Family::batch`] of them.
    fn go_together(&self, _: &[Item<'_>]) -> bool {
        true
    }

    /// The largest image, in bytes.
    fn max_image_bytes(&self) -> usize {
        5 << 20
    }

    /// What is wrong with an item, in words that follow its place, if the model can't take it.
    fn complaint(&self, item: &Item<'_>) -> Option<&'static str>;

    /// Members of the body that only the items fill.
    fn own_members(&self) -> &'static [&'static str];

    /// Leaves out of the wishes what the model can't grant, and notes it.
    fn fit(&self, wishes: &mut Wishes<'_>, notes: &mut Notes);

    /// Notes which wishes mean nothing for these items, or something else.
    fn fit_items(&self, _: &[Item<'_>], _: &mut Wishes<'_>, _: &mut Notes) {}

    /// Writes the body that asks for the items' vectors.
    fn write(&self, items: &[Item<'_>], wishes: &Wishes<'_>, body: &mut ObjectWriter<'_>);
}

/// What is wanted of vectors. Nothing of it is needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes<'a> {
    /// What they are for.
    pub(crate) purpose: Option<Aim>,
    /// What becomes of a text that is too long.
    pub(crate) truncate: Option<Truncate>,
    /// How many numbers they have.
    pub(crate) dimension: Option<u64>,
    /// Whether their length is to be 1.
    pub(crate) normalize: Option<bool>,
    /// The types of their numbers, as the model names them.
    pub(crate) types: Vec<Cow<'a, str>>,
    /// Members of the model's own.
    pub(crate) others: Vec<(Cow<'a, str>, Json<'a>)>,
}

/// What becomes of a text that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truncate {
    /// It is refused.
    Never,
    /// Its start is left out.
    Start,
    /// Its end is left out.
    End,
}

/// The numbers as they are without another wish.
pub(crate) const FLOAT: &str = "float";

impl Truncate {
    /// Cohere's words of old and of now, which Nova and Marengo share.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "NONE" => Some(Self::Never),
            "START" | "LEFT" => Some(Self::Start),
            "END" | "RIGHT" => Some(Self::End),
            _ => None,
        }
    }

    fn start_or_end(self) -> &'static str {
        match self {
            Self::Never => "NONE",
            Self::Start => "START",
            Self::End => "END",
        }
    }

    fn left_or_right(self) -> &'static str {
        match self {
            Self::Never => "NONE",
            Self::Start => "LEFT",
            Self::End => "RIGHT",
        }
    }
}

impl Wishes<'_> {
    /// Whether any of the types of numbers is another than [`FLOAT`].
    pub(crate) fn wants_other_types(&self) -> bool {
        self.types.iter().any(|kind| kind != FLOAT)
    }

    /// Leaves out what no model of one vector for all purposes has.
    fn drop_purpose(&mut self, notes: &mut Notes) {
        if self.purpose.take().is_some() {
            notes.add("input_type", "dropped", "one-vector-for-all-purposes");
        }
    }

    /// Notes that a purpose is said in a word that is only near to it.
    fn note_nearest(&self, word: &str, notes: &mut Notes) {
        notes.lose("input_type", word, "nearest-of-model");
    }

    /// Leaves out how to truncate texts where there are none.
    fn drop_truncate_without_texts(&mut self, items: &[Item<'_>], notes: &mut Notes) {
        let has_text = items.iter().any(|item| item.texts().next().is_some());
        if !has_text && self.truncate.take().is_some() {
            notes.add("truncate", "dropped", "only-for-texts");
        }
    }

    /// Leaves out a way of truncating that the model hasn't got; it refuses what is too long.
    fn drop_truncate(&mut self, notes: &mut Notes) {
        if self.truncate.take().is_some_and(|truncate| truncate != Truncate::Never) {
            notes.lose("truncate", "dropped", "unsupported-by-model");
        }
    }

    /// Leaves out types of numbers that the model hasn't got.
    fn drop_types(&mut self, notes: &mut Notes) {
        if self.wants_other_types() {
            notes.lose("embedding_types", "float", "unsupported-by-model");
        }
        self.types.clear();
    }

    fn write_types(&self, name: &str, body: &mut ObjectWriter<'_>) {
        body.unless_empty(name, &self.types);
    }

    fn write_others(&self, body: &mut ObjectWriter<'_>) {
        for (name, value) in &self.others {
            body.key(name).extend_from_slice(value.as_str().as_bytes());
        }
    }
}

/// A member that is a word of the model's own.
fn word(name: &str, value: &str, body: &mut ObjectWriter<'_>) {
    write_str(value, body.key(name));
}

/// The family of a shape.
pub(crate) fn family(shape: VectorShape) -> &'static dyn Family {
    match shape {
        VectorShape::Titan1 => &titan::Titan1,
        VectorShape::Titan2 => &titan::Titan2,
        VectorShape::TitanImage => &titan::TitanImage,
        VectorShape::Cohere3 => &cohere::Cohere3,
        VectorShape::Cohere4 => &cohere::Cohere4,
        VectorShape::Nova => &nova::Nova,
        VectorShape::Marengo2 => &marengo::Marengo2,
        VectorShape::Marengo3 => &marengo::Marengo3,
    }
}

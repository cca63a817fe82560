//! Amazon's Titan: one text a call, or a text and an image as one.
//!
//! Source: Bedrock's user guide, "Amazon Titan Embeddings G1 - Text" and "Amazon Titan Multimodal Embeddings G1" (read
//! 2026-11).

use outcrop_bedrock::json::ObjectWriter;

use super::item::{is_png_or_jpeg, write_source};
use super::{Family, Item, Wishes};
use crate::notes::Notes;

/// Version 1, which has no parameters.
#[derive(Debug)]
pub(super) struct Titan1;

/// Version 2.
#[derive(Debug)]
pub(super) struct Titan2;

/// Multimodal.
#[derive(Debug)]
pub(super) struct TitanImage;

const ONE_TEXT: &str = "the model takes one text for each vector";

impl Family for Titan1 {
    fn complaint(&self, item: &Item<'_>) -> Option<&'static str> {
        item.only_text().is_none().then_some(ONE_TEXT)
    }

    fn own_members(&self) -> &'static [&'static str] {
        &["inputText"]
    }

    fn fit(&self, wishes: &mut Wishes<'_>, notes: &mut Notes) {
        wishes.drop_purpose(notes);
        wishes.drop_truncate(notes);
        wishes.drop_types(notes);
    }

    fn write(&self, items: &[Item<'_>], wishes: &Wishes<'_>, body: &mut ObjectWriter<'_>) {
        write_text(items, body);
        wishes.write_others(body);
    }
}

impl Family for Titan2 {
    fn complaint(&self, item: &Item<'_>) -> Option<&'static str> {
        Titan1.complaint(item)
    }

    fn own_members(&self) -> &'static [&'static str] {
        Titan1.own_members()
    }

    fn fit(&self, wishes: &mut Wishes<'_>, notes: &mut Notes) {
        wishes.drop_purpose(notes);
        wishes.drop_truncate(notes);
    }

    fn write(&self, items: &[Item<'_>], wishes: &Wishes<'_>, body: &mut ObjectWriter<'_>) {
        write_text(items, body);
        body.optional("dimensions", &wishes.dimension);
        body.optional("normalize", &wishes.normalize);
        wishes.write_types("embeddingTypes", body);
        wishes.write_others(body);
    }
}

impl Family for TitanImage {
    fn complaint(&self, item: &Item<'_>) -> Option<&'static str> {
        if item.has_several() {
            return Some("the model takes one text and one image for each vector");
        }
        let is_unfit = item.images().any(|image| !is_png_or_jpeg(image));
        is_unfit.then_some("the model takes PNG and JPEG")
    }

    fn own_members(&self) -> &'static [&'static str] {
        &["inputText", "inputImage"]
    }

    fn fit(&self, wishes: &mut Wishes<'_>, notes: &mut Notes) {
        Titan1.fit(wishes, notes);
    }

    fn write(&self, items: &[Item<'_>], wishes: &Wishes<'_>, body: &mut ObjectWriter<'_>) {
        write_text(items, body);
        if let Some(image) = items.iter().flat_map(Item::images).next() {
            write_source(image, "inputImage", body);
        }
        if let Some(dimension) = wishes.dimension {
            body.object("embeddingConfig", |config| {
                config.field("outputEmbeddingLength", &dimension);
            });
        }
        wishes.write_others(body);
    }
}

fn write_text(items: &[Item<'_>], body: &mut ObjectWriter<'_>) {
    if let Some(text) = items.iter().flat_map(Item::texts).next() {
        body.field("inputText", text);
    }
}

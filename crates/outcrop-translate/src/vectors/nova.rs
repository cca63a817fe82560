//! Amazon's Nova multimodal embeddings: one text or one image a call.
//!
//! Source: Nova's user guide, "Complete embeddings request and response schema" (read 2026-11).

use outcrop_bedrock::json::ObjectWriter;

use super::item::write_source;
use super::{Aim, Family, Item, Truncate, Wishes, word};
use crate::notes::Notes;

#[derive(Debug)]
pub(super) struct Nova;

/// The purpose of what is searched.
const DEFAULT_PURPOSE: Aim = Aim::Document;
/// A parameter of images, which stands beside them.
const DETAIL_LEVEL: &str = "detailLevel";

impl Family for Nova {
    fn max_image_bytes(&self) -> usize {
        // A call has 25 MB, in base64.
        18_750_000
    }

    fn complaint(&self, item: &Item<'_>) -> Option<&'static str> {
        let is_one = item.only_text().is_some() || item.only_image().is_some();
        (!is_one).then_some("the model takes one text or one image for each vector")
    }

    fn own_members(&self) -> &'static [&'static str] {
        &["taskType", "singleEmbeddingParams"]
    }

    fn fit(&self, wishes: &mut Wishes<'_>, notes: &mut Notes) {
        wishes.drop_types(notes);
        if wishes.purpose == Some(Aim::Image) {
            wishes.note_nearest(Aim::Image.nova(), notes);
        }
    }

    fn fit_items(&self, items: &[Item<'_>], wishes: &mut Wishes<'_>, notes: &mut Notes) {
        wishes.drop_truncate_without_texts(items, notes);
        let has_image = items.iter().any(|item| item.only_image().is_some());
        let is_detail_level = |name: &str| name == DETAIL_LEVEL;
        if !has_image && wishes.others.iter().any(|(name, _)| is_detail_level(name)) {
            wishes.others.retain(|(name, _)| !is_detail_level(name));
            notes.add(DETAIL_LEVEL, "dropped", "only-for-images");
        }
    }

    fn write(&self, items: &[Item<'_>], wishes: &Wishes<'_>, body: &mut ObjectWriter<'_>) {
        word("taskType", "SINGLE_EMBEDDING", body);
        body.object("singleEmbeddingParams", |params| {
            let purpose = wishes.purpose.unwrap_or(DEFAULT_PURPOSE);
            word("embeddingPurpose", purpose.nova(), params);
            params.optional("embeddingDimension", &wishes.dimension);
            for item in items {
                write_item(item, wishes, params);
            }
        });
        for (name, value) in wishes.others.iter().filter(|(name, _)| name != DETAIL_LEVEL) {
            body.key(name).extend_from_slice(value.as_str().as_bytes());
        }
    }
}

fn write_item(item: &Item<'_>, wishes: &Wishes<'_>, params: &mut ObjectWriter<'_>) {
    if let Some(text) = item.only_text() {
        params.object("text", |object| {
            // It must be said. What is too long is an error at OpenAI's, too.
            let truncate = wishes.truncate.unwrap_or(Truncate::Never);
            word("truncationMode", truncate.start_or_end(), object);
            object.field("value", text);
        });
    }
    if let Some(image) = item.only_image() {
        params.object("image", |object| {
            for (name, value) in wishes.others.iter().filter(|(name, _)| name == DETAIL_LEVEL) {
                object.key(name).extend_from_slice(value.as_str().as_bytes());
            }
            word("format", image.format.name(), object);
            object.object("source", |source| write_source(image, "bytes", source));
        });
    }
}

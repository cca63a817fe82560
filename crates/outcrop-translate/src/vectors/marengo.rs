//! TwelveLabs' Marengo, as far as it answers at once: one text or image a call, in version 3 both as one.
//!
//! Source: Bedrock's user guide, "TwelveLabs Marengo Embed 2.7" and "… 3.0" (read 2026-11).

use outcrop_bedrock::json::ObjectWriter;

use super::item::{is_png_or_jpeg, write_source};
use super::{Family, Item, Truncate, Wishes, word};
use crate::notes::Notes;

/// Version 2.7.
#[derive(Debug)]
pub(super) struct Marengo2;

/// Version 3.
#[derive(Debug)]
pub(super) struct Marengo3;

impl Family for Marengo2 {
    fn complaint(&self, item: &Item<'_>) -> Option<&'static str> {
        match item.only_image() {
            Some(image) if !is_png_or_jpeg(image) => Some("the model takes PNG and JPEG"),
            None if item.only_text().is_none() => Some("the model takes one text or one image for each vector"),
            _ => None,
        }
    }

    fn own_members(&self) -> &'static [&'static str] {
        &["inputType", "inputText", "mediaSource"]
    }

    fn fit(&self, wishes: &mut Wishes<'_>, notes: &mut Notes) {
        wishes.drop_purpose(notes);
        wishes.drop_types(notes);
        if wishes.truncate == Some(Truncate::Start) {
            wishes.drop_truncate(notes);
        }
    }

    fn fit_items(&self, items: &[Item<'_>], wishes: &mut Wishes<'_>, notes: &mut Notes) {
        wishes.drop_truncate_without_texts(items, notes);
    }

    fn write(&self, items: &[Item<'_>], wishes: &Wishes<'_>, body: &mut ObjectWriter<'_>) {
        for item in items {
            if let Some(text) = item.only_text() {
                word("inputType", "text", body);
                body.field("inputText", text);
                // It would leave out the end without a word.
                let truncate = wishes.truncate.unwrap_or(Truncate::Never);
                word("textTruncate", &truncate.start_or_end().to_ascii_lowercase(), body);
            }
            if let Some(image) = item.only_image() {
                word("inputType", "image", body);
                body.object("mediaSource", |source| write_source(image, "base64String", source));
            }
        }
        wishes.write_others(body);
    }
}

impl Family for Marengo3 {
    fn complaint(&self, item: &Item<'_>) -> Option<&'static str> {
        if item.has_several() {
            return Some("the model takes one text and one image for each vector");
        }
        let is_unfit = item.images().any(|image| !is_png_or_jpeg(image));
        is_unfit.then_some("the model takes PNG and JPEG")
    }

    fn own_members(&self) -> &'static [&'static str] {
        &["inputType", "text", "image", "text_image"]
    }

    fn fit(&self, wishes: &mut Wishes<'_>, notes: &mut Notes) {
        wishes.drop_purpose(notes);
        wishes.drop_types(notes);
        wishes.drop_truncate(notes);
    }

    fn write(&self, items: &[Item<'_>], wishes: &Wishes<'_>, body: &mut ObjectWriter<'_>) {
        for item in items {
            let (text, image) = (item.texts().next(), item.images().next());
            let kind = match (text, image) {
                (Some(_), Some(_)) => "text_image",
                (None, Some(_)) => "image",
                _ => "text",
            };
            word("inputType", kind, body);
            body.object(kind, |object| {
                if let Some(text) = text {
                    object.field("inputText", text);
                }
                if let Some(image) = image {
                    object.object("mediaSource", |source| write_source(image, "base64String", source));
                }
            });
        }
        wishes.write_others(body);
    }
}

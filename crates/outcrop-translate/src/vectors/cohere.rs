//! Cohere's Embed: up to 96 texts a call.
//!
//! Source: Bedrock's user guide, "Cohere Embed v3" and "Cohere Embed v4" (read 2026-11).

use outcrop_bedrock::json::{ObjectWriter, write_array};

use super::item::{is_png_or_jpeg, write_data_url};
use super::{Aim, Family, Item, Part, Wishes, word};
use crate::notes::Notes;

/// Version 3: texts, or one image.
#[derive(Debug)]
pub(super) struct Cohere3;

/// Version 4: texts, images, and pages that hold both.
#[derive(Debug)]
pub(super) struct Cohere4;

const MAX_ITEMS: usize = 96;
/// Bedrock-access-gateway's and LiteLLM's default; one of these words is needed.
const DEFAULT_PURPOSE: Aim = Aim::Document;

impl Family for Cohere3 {
    fn batch(&self) -> usize {
        MAX_ITEMS
    }

    fn go_together(&self, items: &[Item<'_>]) -> bool {
        items.len() == 1 || items.iter().all(|item| item.only_text().is_some())
    }

    fn complaint(&self, item: &Item<'_>) -> Option<&'static str> {
        match item.only_image() {
            Some(image) if !is_png_or_jpeg(image) => Some("the model takes PNG and JPEG"),
            None if item.only_text().is_none() => Some("the model takes one text or one image for each vector"),
            _ => None,
        }
    }

    fn own_members(&self) -> &'static [&'static str] {
        &["texts", "images"]
    }

    fn fit(&self, wishes: &mut Wishes<'_>, notes: &mut Notes) {
        if let Some(aim @ Aim::Retrieval(_)) = wishes.purpose {
            wishes.note_nearest(aim.cohere(), notes);
        }
    }

    fn fit_items(&self, items: &[Item<'_>], wishes: &mut Wishes<'_>, notes: &mut Notes) {
        match wishes.purpose {
            None => {}
            // Each kind has purposes of its own.
            Some(Aim::Image) if items.iter().any(|item| item.only_text().is_some()) => {
                wishes.note_nearest(DEFAULT_PURPOSE.cohere(), notes);
            }
            Some(Aim::Image) => {}
            Some(_) if items.iter().any(|item| item.only_image().is_some()) => {
                notes.add("input_type", "image", "only-purpose-of-images");
            }
            Some(_) => {}
        }
    }

    fn write(&self, items: &[Item<'_>], wishes: &Wishes<'_>, body: &mut ObjectWriter<'_>) {
        let images = items.iter().filter_map(Item::only_image);
        let has_image = images.clone().next().is_some();
        if has_image {
            write_array(body.key("images"), images, write_data_url);
        } else {
            write_texts(items, body);
        }
        // Images have a purpose of their own.
        let purpose = match wishes.purpose {
            _ if has_image => Aim::Image,
            None | Some(Aim::Image) => DEFAULT_PURPOSE,
            Some(purpose) => purpose,
        };
        word("input_type", purpose.cohere(), body);
        if let Some(truncate) = wishes.truncate {
            word("truncate", truncate.start_or_end(), body);
        }
        wishes.write_types("embedding_types", body);
        wishes.write_others(body);
    }
}

impl Family for Cohere4 {
    fn batch(&self) -> usize {
        MAX_ITEMS
    }

    fn complaint(&self, _: &Item<'_>) -> Option<&'static str> {
        None
    }

    fn own_members(&self) -> &'static [&'static str] {
        &["texts", "images", "inputs"]
    }

    fn fit(&self, wishes: &mut Wishes<'_>, notes: &mut Notes) {
        match wishes.purpose {
            // It has no purpose of images.
            Some(Aim::Image) => {
                wishes.purpose = Some(DEFAULT_PURPOSE);
                wishes.note_nearest(DEFAULT_PURPOSE.cohere(), notes);
            }
            Some(aim @ Aim::Retrieval(_)) => wishes.note_nearest(aim.cohere(), notes),
            _ => {}
        }
    }

    fn write(&self, items: &[Item<'_>], wishes: &Wishes<'_>, body: &mut ObjectWriter<'_>) {
        if items.iter().all(|item| item.only_text().is_some()) {
            write_texts(items, body);
        } else if items.iter().all(|item| item.only_image().is_some()) {
            let images = items.iter().filter_map(Item::only_image);
            write_array(body.key("images"), images, write_data_url);
        } else {
            write_array(body.key("inputs"), items, write_page);
        }
        word("input_type", wishes.purpose.unwrap_or(DEFAULT_PURPOSE).cohere(), body);
        body.optional("output_dimension", &wishes.dimension);
        if let Some(truncate) = wishes.truncate {
            word("truncate", truncate.left_or_right(), body);
        }
        wishes.write_types("embedding_types", body);
        wishes.write_others(body);
    }
}

fn write_texts(items: &[Item<'_>], body: &mut ObjectWriter<'_>) {
    let texts = items.iter().filter_map(Item::only_text);
    write_array(body.key("texts"), texts, |text, out| {
        out.extend_from_slice(text.token().as_bytes());
    });
}

fn write_page(item: &Item<'_>, out: &mut Vec<u8>) {
    ObjectWriter::write(out, |page| {
        write_array(page.key("content"), &item.parts, |part, out| {
            ObjectWriter::write(out, |object| match part {
                Part::Text(text) => {
                    object.field("type", "text");
                    object.field("text", text);
                }
                Part::Image(image) => {
                    object.field("type", "image_url");
                    write_data_url(image, object.key("image_url"));
                }
            });
        });
    });
}

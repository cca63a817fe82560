//! Images that a request brings: their format and size, from the header.

use bytes::Bytes;
use outcrop_bedrock::base64;

use super::member::wrong;
use crate::catalogue::{ImageRules, ImageSize};
use crate::media;
use crate::problem::Problem;

/// An image that a request brings.
#[derive(Clone, Debug)]
pub(super) struct SourceImage {
    /// The name of the field that holds it.
    pub(super) name: String,
    pub(super) bytes: Bytes,
    /// `None` where the header doesn't tell.
    pub(super) size: Option<ImageSize>,
}

impl SourceImage {
    /// Reads the header, and checks it by what the model reads.
    pub(super) fn read(name: &str, bytes: &Bytes, rules: &ImageRules) -> Result<Self, Problem> {
        let found = media::image(bytes);
        let format = found.map(|(format, _)| format.name());
        let reads = |format: &str| rules.reads.is_empty() || rules.reads.iter().any(|known| known == format);
        if !format.is_some_and(reads) {
            let known = match rules.reads.is_empty() {
                true => "png, jpeg, webp".to_owned(),
                false => rules.reads.join(", "),
            };
            let problem = wrong(name, &format!("an image in one of these formats: {known}"));
            return Err(Problem {
                code: Some("invalid_image_format"),
                ..problem
            });
        }
        let size = found
            .and_then(|(_, size)| size)
            .map(|(width, height)| ImageSize { width, height });
        if let Some(size) = size {
            check_size(name, size, rules)?;
        }
        Ok(Self {
            name: name.to_owned(),
            bytes: bytes.clone(),
            size,
        })
    }

    pub(super) fn base64(&self) -> String {
        base64::encode(&self.bytes)
    }
}

fn check_size(name: &str, size: ImageSize, rules: &ImageRules) -> Result<(), Problem> {
    let [least, most] = rules.sides.unwrap_or([1, u32::MAX]);
    if ![size.width, size.height]
        .iter()
        .all(|side| (least..=most).contains(side))
    {
        let expected = format!("an image with sides of {least} to {most} pixels, but this one has {size}");
        return Err(wrong(name, &expected));
    }
    let [least, most] = rules.pixels.unwrap_or([1, u64::MAX]);
    if !(least..=most).contains(&size.pixels()) {
        let expected = format!("an image of {least} to {most} pixels, but this one has {size}");
        return Err(wrong(name, &expected));
    }
    Ok(())
}

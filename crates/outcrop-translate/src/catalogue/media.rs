//! What a model takes besides text.

use outcrop_bedrock::converse::DocumentFormat;

use super::row::Row;
use super::words::{Modality, Set};

/// What a model takes besides text. A model that nobody knows takes everything: Bedrock decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaSupport {
    /// Images.
    pub images: bool,
    /// Documents.
    pub documents: bool,
    /// Video.
    pub video: bool,
    /// Audio.
    pub audio: bool,
    /// Any of these by a link into S3.
    pub s3: bool,
    /// How many videos one request may hold.
    pub max_videos: Option<usize>,
    /// Formats of documents that may be larger than 4.5 MB.
    pub large_documents: Set<DocumentFormat>,
}

impl MediaSupport {
    /// What the rows for a model come to.
    pub(super) fn of_row(row: &Row) -> Self {
        let takes = |modality| row.input.is_none_or(|input| input.contains(modality));
        Self {
            images: takes(Modality::Image),
            documents: takes(Modality::Document),
            video: takes(Modality::Video),
            audio: takes(Modality::Audio),
            // Whose media are known is known not to take links unless its row says so.
            s3: row.s3.unwrap_or(row.input.is_none()),
            max_videos: row.max_videos,
            large_documents: row.large_documents.unwrap_or(Set::EMPTY),
        }
    }
}

//! Which models take images, documents, video and audio.

use outcrop_bedrock::converse::DocumentFormat;

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
    pub large_documents: &'static [DocumentFormat],
}

const ANYTHING: MediaSupport = MediaSupport {
    images: true,
    documents: true,
    video: true,
    audio: true,
    s3: true,
    max_videos: None,
    large_documents: &[],
};

const NOTHING: MediaSupport = MediaSupport {
    images: false,
    documents: false,
    video: false,
    audio: false,
    s3: false,
    max_videos: None,
    large_documents: &[],
};

/// Text; documents are text that Bedrock takes out of them, so no model is known to refuse them for being blind.
const TEXT: MediaSupport = MediaSupport {
    documents: true,
    ..NOTHING
};

const IMAGES: MediaSupport = MediaSupport { images: true, ..TEXT };

const AUDIO: MediaSupport = MediaSupport { audio: true, ..TEXT };

const LARGE_PDF: MediaSupport = MediaSupport {
    large_documents: &[DocumentFormat::Pdf],
    ..IMAGES
};

const NOVA: MediaSupport = MediaSupport {
    video: true,
    s3: true,
    max_videos: Some(1),
    large_documents: &[DocumentFormat::Pdf, DocumentFormat::Docx],
    ..IMAGES
};

/// Beginnings of model ids, the first that fits counts.
///
/// Sources, read 2026-11: Bedrock's list of foundation models (modalities of input); the user guides of Amazon Nova
/// (one video, S3, no audio in the first generation) and of Bedrock ("API restrictions": Claude 4 and later take larger
/// PDFs, Nova larger PDFs and Word documents). What the sources contradict one another in is left to Bedrock.
const MODELS: &[(&str, MediaSupport)] = &[
    ("amazon.nova-micro", NOTHING),
    ("amazon.nova-lite", NOVA),
    ("amazon.nova-pro", NOVA),
    ("amazon.nova-premier", NOVA),
    ("amazon.nova-2-lite", MediaSupport { audio: true, ..NOVA }),
    ("amazon.nova-2-pro", MediaSupport { audio: true, ..NOVA }),
    ("amazon.titan-text", TEXT),
    ("anthropic.claude-v2", TEXT),
    ("anthropic.claude-instant", TEXT),
    ("anthropic.claude-3", IMAGES),
    ("anthropic.claude-", LARGE_PDF),
    ("meta.llama3-2-11b", IMAGES),
    ("meta.llama3-2-90b", IMAGES),
    ("meta.llama2", TEXT),
    ("meta.llama3", TEXT),
    ("meta.llama4", IMAGES),
    ("mistral.mistral-7b", TEXT),
    ("mistral.mixtral", TEXT),
    ("mistral.mistral-large-24", TEXT),
    ("mistral.mistral-small-24", TEXT),
    ("mistral.mistral-large-3", IMAGES),
    ("mistral.ministral-3", IMAGES),
    ("mistral.pixtral", IMAGES),
    ("mistral.voxtral", AUDIO),
    ("cohere.command", TEXT),
    ("ai21.", TEXT),
    ("deepseek.", TEXT),
    ("google.gemma-3", IMAGES),
    ("openai.gpt-oss", TEXT),
    ("qwen.qwen3-vl", IMAGES),
    ("qwen.qwen3-coder", TEXT),
    ("qwen.qwen3-32b", TEXT),
    ("qwen.qwen3-235b", TEXT),
    ("qwen.qwen3-next", TEXT),
    ("minimax.minimax-m2", TEXT),
    ("moonshot.kimi-k2-thinking", TEXT),
];

/// What the model `model_id` (or profile, or ARN that names one) takes.
pub fn media(model_id: &str) -> MediaSupport {
    super::base_id(model_id)
        .and_then(|id| MODELS.iter().find(|(beginning, _)| id.starts_with(beginning)))
        .map_or(ANYTHING, |&(_, support)| support)
}

#[cfg(test)]
pub(super) fn beginnings() -> impl Iterator<Item = &'static str> {
    MODELS.iter().map(|(beginning, _)| *beginning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_in_each_form_of_id_and_an_unknown_one_takes_everything() {
        for (model_id, support) in [
            ("us.amazon.nova-lite-v1:0", NOVA),
            ("amazon.nova-micro-v1:0", NOTHING),
            ("anthropic.claude-3-haiku-20240307-v1:0", IMAGES),
            (
                "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-5",
                LARGE_PDF,
            ),
            ("us.meta.llama3-2-90b-instruct-v1:0", IMAGES),
            ("us.meta.llama3-3-70b-instruct-v1:0", TEXT),
            ("mistral.voxtral-small-24b-2507", AUDIO),
            (
                "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
                ANYTHING,
            ),
            ("acme.seer-v1", ANYTHING),
        ] {
            assert_eq!(media(model_id), support, "{model_id}");
        }
    }
}

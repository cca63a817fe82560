//! Texts that come as tokens: LangChain and others count in OpenAI's tokens, and send what they have counted.
//!
//! The vocabularies are those of the crate `tiktoken-rs`. Of each that is used, only the texts of its tokens are kept:
//! about a megabyte, where all that encoding needs is thirty.

use std::sync::OnceLock;

use tiktoken_rs::CoreBPE;
use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

/// The texts of an encoding's tokens.
struct Vocabulary {
    /// All texts, one after the other.
    bytes: Vec<u8>,
    /// Where the text of each token ends; it begins where that of the token before it ends.
    ends: Vec<u32>,
}

/// The text that `tokens` stand for in the encoding of OpenAI's model `model`; that of its newest models of vectors,
/// `cl100k_base`, if the name is none of OpenAI's. Half a letter becomes a replacement character.
///
/// # Errors
/// The index of what is no token of the encoding.
pub(crate) fn decode(model: &str, tokens: &[u32]) -> Result<String, usize> {
    let vocabulary = Vocabulary::of(get_tokenizer(model).unwrap_or(Tokenizer::Cl100kBase));
    let mut bytes = Vec::with_capacity(tokens.len() * 4);
    for (index, token) in tokens.iter().enumerate() {
        bytes.extend_from_slice(vocabulary.text(*token).ok_or(index)?);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Vocabulary {
    /// Reads it where it is asked for for the first time.
    fn of(encoding: Tokenizer) -> &'static Self {
        static CL100K: OnceLock<Vocabulary> = OnceLock::new();
        static O200K: OnceLock<Vocabulary> = OnceLock::new();
        static HARMONY: OnceLock<Vocabulary> = OnceLock::new();
        static P50K: OnceLock<Vocabulary> = OnceLock::new();
        static P50K_EDIT: OnceLock<Vocabulary> = OnceLock::new();
        static R50K: OnceLock<Vocabulary> = OnceLock::new();
        match encoding {
            Tokenizer::Cl100kBase => CL100K.get_or_init(|| Self::read(tiktoken_rs::cl100k_base().ok(), 100_277)),
            Tokenizer::O200kBase => O200K.get_or_init(|| Self::read(tiktoken_rs::o200k_base().ok(), 200_019)),
            Tokenizer::O200kHarmony => HARMONY.get_or_init(|| Self::read(tiktoken_rs::o200k_harmony().ok(), 201_088)),
            Tokenizer::P50kBase => P50K.get_or_init(|| Self::read(tiktoken_rs::p50k_base().ok(), 50_281)),
            Tokenizer::P50kEdit => P50K_EDIT.get_or_init(|| Self::read(tiktoken_rs::p50k_edit().ok(), 50_284)),
            // GPT-2's tokens have the same numbers.
            Tokenizer::R50kBase | Tokenizer::Gpt2 => {
                R50K.get_or_init(|| Self::read(tiktoken_rs::r50k_base().ok(), 50_257))
            }
        }
    }

    /// The texts of the tokens below `count`. Some numbers among the last stand for nothing.
    fn read(encoding: Option<CoreBPE>, count: u32) -> Self {
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(count as usize));
        for token in 0..count {
            let text = encoding
                .as_ref()
                .and_then(|encoding| encoding.decode_bytes(&[token]).ok());
            bytes.extend_from_slice(&text.unwrap_or_default());
            ends.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        bytes.shrink_to_fit();
        Self { bytes, ends }
    }

    fn text(&self, token: u32) -> Option<&[u8]> {
        let token = usize::try_from(token).ok()?;
        let end = *self.ends.get(token)? as usize;
        let start = match token {
            0 => 0,
            _ => *self.ends.get(token - 1)? as usize,
        };
        self.bytes.get(start..end).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_in_the_encoding_of_their_model() {
        let hello = Ok("hello world".to_owned());
        for (model, tokens) in [
            ("text-embedding-3-small", &[15339, 1917][..]),
            ("amazon.titan-embed-text-v2:0", &[15339, 1917]),
            ("gpt-4o", &[24912, 2375]),
            ("text-davinci-003", &[31373, 995]),
            ("davinci", &[31373, 995]),
        ] {
            assert_eq!(decode(model, tokens), hello, "{model}");
        }
        assert_eq!(decode("", &[100_257]), Ok("<|endoftext|>".to_owned()));
    }

    #[test]
    fn what_tiktoken_has_encoded_comes_back() {
        let encoding = tiktoken_rs::cl100k_base().unwrap();
        for text in [
            "Grüße, 世界! 👋🏽",
            " leading",
            "tab\tand\nline",
            "x".repeat(3000).as_str(),
        ] {
            assert_eq!(decode("", &encoding.encode_ordinary(text)).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_token_is_told_by_its_place() {
        assert_eq!(decode("", &[15339, 100_262]), Err(1));
        assert_eq!(decode("", &[4_000_000_000]), Err(0));
        assert_eq!(decode("davinci", &[0, 0, 60_000]), Err(2));
    }

    #[test]
    fn half_a_letter_is_replaced() {
        let encoding = tiktoken_rs::cl100k_base().unwrap();
        let tokens = encoding.encode_ordinary("👋🏽");
        let text = decode("", &tokens[..1]).unwrap();
        assert!(text.ends_with('\u{fffd}'), "{text:?}");
    }
}

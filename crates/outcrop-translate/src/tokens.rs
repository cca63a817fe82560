//! Texts that come as tokens: LangChain and others count in OpenAI's tokens, and send what they have counted.
//!
//! The vocabularies are those of the crate `tiktoken-rs` 0.12. Of each, the files in `tokens/` have but the texts of its
//! tokens, which is what decoding needs: three megabytes of the binary, where the crate's own files are seven.
//! `BLESS=1 cargo test -p outcrop-translate vocabularies` writes them anew.

use std::sync::OnceLock;

use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

/// Texts of tokens that follow one another, each as its length in a byte and its bytes; of a number that stands for
/// nothing, the length is 0.
type Texts = &'static [u8];

const CL100K: Texts = include_bytes!("tokens/cl100k_base.bin");
/// Those that `o200k_base` and `o200k_harmony` have in common.
const O200K: Texts = include_bytes!("tokens/o200k.bin");
const O200K_BASE: Texts = include_bytes!("tokens/o200k_base.end.bin");
const O200K_HARMONY: Texts = include_bytes!("tokens/o200k_harmony.end.bin");
/// Those of `p50k_base`, of which the first are those of `r50k_base` and GPT-2.
const P50K: Texts = include_bytes!("tokens/p50k_base.bin");
const P50K_EDIT: Texts = include_bytes!("tokens/p50k_edit.end.bin");

/// How many tokens an encoding has, and the files that have their texts, one after the other.
fn files(encoding: Tokenizer) -> (usize, [Texts; 2]) {
    match encoding {
        Tokenizer::Cl100kBase => (100_277, [CL100K, &[]]),
        Tokenizer::O200kBase => (200_019, [O200K, O200K_BASE]),
        Tokenizer::O200kHarmony => (201_088, [O200K, O200K_HARMONY]),
        Tokenizer::P50kBase => (50_281, [P50K, &[]]),
        Tokenizer::P50kEdit => (50_284, [P50K, P50K_EDIT]),
        Tokenizer::R50kBase | Tokenizer::Gpt2 => (50_257, [P50K, &[]]),
    }
}

/// The texts of an encoding's tokens.
struct Vocabulary {
    files: [Texts; 2],
    /// Where the text of each token begins, in the files as if they were one, and its length.
    places: Vec<(u32, u8)>,
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
    /// Finds its tokens where it is asked for for the first time.
    fn of(encoding: Tokenizer) -> &'static Self {
        static VOCABULARIES: [OnceLock<Vocabulary>; 6] = [const { OnceLock::new() }; 6];
        let index = match encoding {
            Tokenizer::Cl100kBase => 0,
            Tokenizer::O200kBase => 1,
            Tokenizer::O200kHarmony => 2,
            Tokenizer::P50kBase => 3,
            Tokenizer::P50kEdit => 4,
            // GPT-2's tokens have the same numbers.
            Tokenizer::R50kBase | Tokenizer::Gpt2 => 5,
        };
        VOCABULARIES[index].get_or_init(|| Self::read(files(encoding)))
    }

    fn read((count, files): (usize, [Texts; 2])) -> Self {
        let mut places = Vec::with_capacity(count);
        let mut start: u32 = 0;
        for file in files {
            let mut rest = file;
            while let [length, texts @ ..] = rest {
                places.push((start + 1, *length));
                start += 1 + u32::from(*length);
                rest = texts.get(usize::from(*length)..).unwrap_or_default();
            }
        }
        places.truncate(count);
        Self { files, places }
    }

    fn text(&self, token: u32) -> Option<&[u8]> {
        let (start, length) = *self.places.get(usize::try_from(token).ok()?)?;
        let [first, second] = self.files;
        let start = usize::try_from(start).ok()?;
        let (file, start) = match start.checked_sub(first.len()) {
            Some(start) => (second, start),
            None => (first, start),
        };
        let text = file.get(start..start + usize::from(length))?;
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tiktoken_rs::CoreBPE;

    use super::*;

    /// Each encoding, as the crate has it.
    fn encodings() -> [(Tokenizer, CoreBPE); 7] {
        [
            (Tokenizer::Cl100kBase, tiktoken_rs::cl100k_base().unwrap()),
            (Tokenizer::O200kBase, tiktoken_rs::o200k_base().unwrap()),
            (Tokenizer::O200kHarmony, tiktoken_rs::o200k_harmony().unwrap()),
            (Tokenizer::P50kBase, tiktoken_rs::p50k_base().unwrap()),
            (Tokenizer::P50kEdit, tiktoken_rs::p50k_edit().unwrap()),
            (Tokenizer::R50kBase, tiktoken_rs::r50k_base().unwrap()),
            (Tokenizer::Gpt2, tiktoken_rs::r50k_base().unwrap()),
        ]
    }

    fn write(name: &str, encoding: &CoreBPE, tokens: std::ops::Range<u32>) {
        let mut file = Vec::new();
        for token in tokens {
            let text = encoding.decode_bytes(&[token]).unwrap_or_default();
            file.push(u8::try_from(text.len()).unwrap());
            file.extend_from_slice(&text);
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tokens");
        std::fs::write(folder.join(name), file).unwrap();
    }

    #[test]
    fn vocabularies_are_those_of_tiktoken() {
        let encodings = encodings();
        if std::env::var_os("BLESS").is_some() {
            let [(_, cl100k), (_, base), (_, harmony), (_, p50k), (_, edit), ..] = &encodings;
            write("cl100k_base.bin", cl100k, 0..100_277);
            write("o200k.bin", base, 0..199_998);
            write("o200k_base.end.bin", base, 199_998..200_019);
            write("o200k_harmony.end.bin", harmony, 199_998..201_088);
            write("p50k_base.bin", p50k, 0..50_281);
            write("p50k_edit.end.bin", edit, 50_281..50_284);
            return;
        }
        for (name, encoding) in encodings {
            let vocabulary = Vocabulary::of(name);
            for token in 0..210_000 {
                let theirs = encoding.decode_bytes(&[token]).ok().filter(|text| !text.is_empty());
                assert_eq!(vocabulary.text(token), theirs.as_deref(), "{name:?} {token}");
            }
        }
    }

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

//! Tool names and ids of tool calls that Bedrock refuses, under names of their own for one request.
//!
//! The mapping lives as long as its request and depends on nothing else, so that the next turn of a conversation gives
//! the same names again: prompt caches hold, and no state is shared between clients.

use std::collections::{BTreeMap, BTreeSet};

use outcrop_bedrock::json::JsonText;

/// Longest tool name and longest id (botocore 1.44.5, `ToolName` and `ToolUseId`).
const MAX_LEN: usize = 64;

/// `_` and eight hex digits.
const SUFFIX_LEN: usize = 9;

/// The tool names and ids of one request, as Bedrock takes them. Built as the request is translated.
///
/// What Bedrock accepts passes unchanged. Anything else keeps its readable part, with `_` for each refused character,
/// and gets a suffix made of the whole original, such as `files_read_059c287d` for `files.read`. Two originals never
/// share a name, even if one of them is spelled like the other's mapped form.
#[derive(Debug, Default)]
pub struct Names<'a> {
    names: Mapping<'a>,
    ids: Mapping<'a>,
}

impl<'a> Names<'a> {
    /// A tool's name for Bedrock: 1 to 64 of `[a-zA-Z0-9_-]`.
    pub fn name(&mut self, original: &JsonText<'a>) -> JsonText<'a> {
        self.names
            .map(original, |byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    }

    /// A tool call's id for Bedrock: 1 to 64 of `[a-zA-Z0-9_.:-]`. A call and its result get the same.
    pub fn id(&mut self, original: &JsonText<'a>) -> JsonText<'a> {
        self.ids
            .map(original, |byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
    }

    /// The client's name for a tool, if it was changed.
    pub fn restore(&self, mapped: &str) -> Option<&JsonText<'a>> {
        self.names.originals.get(mapped)
    }

    /// Whether each name and id passed unchanged.
    pub fn is_unchanged(&self) -> bool {
        self.names.originals.is_empty() && self.ids.originals.is_empty()
    }

    /// What the way back needs: the changed names of tools. Ids in an answer are Bedrock's own.
    pub fn restorer(&self) -> Restorer {
        Restorer(
            self.names
                .originals
                .iter()
                .map(|(mapped, original)| (mapped.clone(), JsonText::encode(&original.decoded())))
                .collect(),
        )
    }
}

/// Turns mapped names of tools back into the client's. Empty, and without memory of its own, if none was changed.
#[derive(Clone, Debug, Default)]
pub struct Restorer(BTreeMap<String, JsonText<'static>>);

impl Restorer {
    /// The client's name for a tool, if it was changed.
    pub fn restore(&self, mapped: &str) -> Option<&JsonText<'static>> {
        self.0.get(mapped)
    }

    /// Whether no name was changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One kind of name.
#[derive(Debug, Default)]
struct Mapping<'a> {
    /// Mapped form by the original's text.
    mapped: BTreeMap<String, String>,
    /// Original by mapped form.
    originals: BTreeMap<String, JsonText<'a>>,
    /// Names that passed unchanged and look like a mapped form, which must not be given to another. Others can't
    /// clash, so they needn't be remembered.
    taken: BTreeSet<String>,
}

impl<'a> Mapping<'a> {
    fn map(&mut self, original: &JsonText<'a>, is_allowed: fn(u8) -> bool) -> JsonText<'a> {
        // As it stands in JSON a name without escapes is its own text. With escapes it has a `\`, which is refused,
        // and is decoded below.
        let inner = original.inner();
        if is_valid(inner, is_allowed) && !ends_like_mapped(inner) {
            return original.clone();
        }
        let text = original.decoded();
        if let Some(mapped) = self.mapped.get(text.as_ref()) {
            return JsonText::encode(mapped);
        }
        if is_valid(&text, is_allowed) && !self.originals.contains_key(text.as_ref()) {
            if ends_like_mapped(&text) {
                self.taken.insert(text.into_owned());
            }
            return original.clone();
        }
        let mapped = self.unused(&text, is_allowed);
        self.originals.insert(mapped.clone(), original.clone());
        self.mapped.insert(text.into_owned(), mapped.clone());
        JsonText::encode(&mapped)
    }

    fn unused(&self, text: &str, is_allowed: fn(u8) -> bool) -> String {
        let readable: String = text
            .chars()
            .take(MAX_LEN - SUFFIX_LEN)
            .map(|char| match u8::try_from(char) {
                Ok(byte) if is_allowed(byte) => char,
                _ => '_',
            })
            .collect();
        let mut hash = fnv1a(FNV_OFFSET, text.as_bytes());
        loop {
            let folded = (hash >> 32) ^ (hash & 0xffff_ffff);
            let mapped = format!("{readable}_{folded:08x}");
            if !self.originals.contains_key(&mapped) && !self.taken.contains(&mapped) {
                return mapped;
            }
            hash = fnv1a(hash, b"again");
        }
    }
}

fn is_valid(text: &str, is_allowed: fn(u8) -> bool) -> bool {
    (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// Whether the text ends as mapped forms do.
fn ends_like_mapped(text: &str) -> bool {
    text.len()
        .checked_sub(SUFFIX_LEN)
        .and_then(|at| text.as_bytes().get(at..))
        .and_then(<[u8]>::split_first)
        .is_some_and(|(first, digits)| {
            *first == b'_' && digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        })
}

/// FNV-1a's start for 64 bits (draft-eastlake-fnv, read 2026-11).
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a: the same on each machine and in each release, which the standard library's hashes don't promise.
fn fnv1a(start: u64, bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes
        .iter()
        .fold(start, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use outcrop_bedrock::json::Reader;
    use proptest::prelude::*;

    use super::*;

    fn token(json: &str) -> JsonText<'_> {
        Reader::document(json.as_bytes(), Reader::text).unwrap()
    }

    fn name(names: &mut Names<'_>, text: &str) -> String {
        names.name(&JsonText::encode(text)).decoded().into_owned()
    }

    fn id(names: &mut Names<'_>, text: &str) -> String {
        names.id(&JsonText::encode(text)).decoded().into_owned()
    }

    /// Names as clients send them, some of them spelled like mapped ones.
    fn any_name() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-c_.-]{0,4}",
            "[a-z/]{54,70}",
            any::<String>(),
            "[a-c.]{1,2}".prop_map(|text| name(&mut Names::default(), &text)),
        ]
    }

    proptest! {
        #[test]
        fn names_are_valid_unique_stable_and_restored(originals in prop::collection::vec(any_name(), 0..24)) {
            let mut names = Names::default();
            let mapped: Vec<String> = originals.iter().map(|original| name(&mut names, original)).collect();
            let restorer = names.restorer();
            let mut seen = HashMap::new();
            for (original, mapped) in originals.iter().zip(&mapped) {
                prop_assert!((1..=64).contains(&mapped.len()));
                prop_assert!(mapped.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)));
                prop_assert_eq!(*seen.entry(mapped.clone()).or_insert(original), original);
                prop_assert_eq!(&name(&mut names, original), mapped);
                let restored = restorer.restore(mapped).map_or_else(|| mapped.clone(), |name| name.decoded().into_owned());
                prop_assert_eq!(&restored, original);
                prop_assert_eq!(restorer.restore(mapped).is_none(), original == mapped);
                prop_assert_eq!(names.restore(mapped).is_none(), original == mapped);
            }
            let mut again = Names::default();
            let repeated: Vec<String> = originals.iter().map(|original| name(&mut again, original)).collect();
            prop_assert_eq!(repeated, mapped);
        }

        #[test]
        fn ids_are_valid_unique_and_the_same_for_call_and_result(
            originals in prop::collection::hash_set(any_name(), 0..24),
        ) {
            let mut names = Names::default();
            let mut seen = BTreeSet::new();
            for original in &originals {
                let mapped = id(&mut names, original);
                prop_assert!((1..=64).contains(&mapped.len()));
                prop_assert!(mapped.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte)));
                prop_assert_eq!(&id(&mut names, original), &mapped);
                prop_assert!(seen.insert(mapped));
            }
        }
    }

    #[test]
    fn what_bedrock_accepts_stays_a_slice_of_the_request() {
        let mut names = Names::default();
        let document = r#""get_weather-2""#;
        let mapped = names.name(&token(document));
        assert_eq!(mapped.token().as_ptr(), document.as_ptr());
        assert!(names.is_unchanged());
        assert!(names.restorer().is_empty());
        assert_eq!(names.restore("get_weather-2"), None);
        // Escapes that need not be there don't make another name.
        assert_eq!(names.name(&token(r#""get\u005fweather""#)).decoded(), "get_weather");
        assert!(names.is_unchanged());
    }

    #[test]
    fn a_mapped_name_can_still_be_read() {
        let mut names = Names::default();
        let mapped = name(&mut names, "files.read");
        assert_eq!(mapped.strip_prefix("files_read_").map(str::len), Some(8));
        // Pinned: a release that maps otherwise would miss every prompt cache of conversations that go on.
        assert_eq!(mapped, "files_read_059c287d");
        assert_eq!(name(&mut names, "").len(), 9);
        assert_eq!(
            names
                .restore(&mapped)
                .map(|name| name.decoded().into_owned())
                .as_deref(),
            Some("files.read")
        );
    }

    #[test]
    fn long_names_differ_though_they_agree_in_what_is_kept() {
        let mut names = Names::default();
        let (first, second) = (format!("{}1", "x".repeat(64)), format!("{}2", "x".repeat(64)));
        let (first, second) = (name(&mut names, &first), name(&mut names, &second));
        assert_ne!(first, second);
        assert_eq!((first.len(), second.len()), (64, 64));
    }

    #[test]
    fn a_valid_name_spelled_like_a_mapped_one_stays_its_own() {
        let mapped = name(&mut Names::default(), "a.b");
        for order in [["a.b", &mapped], [&mapped, "a.b"]] {
            let mut names = Names::default();
            let [first, second] = order.map(|text| name(&mut names, text));
            assert_ne!(first, second);
        }
    }

    #[test]
    fn ids_take_what_names_do_not() {
        let mut names = Names::default();
        assert_eq!(id(&mut names, "call:1.2-x"), "call:1.2-x");
        let mapped = id(&mut names, "call|1");
        assert!(mapped.starts_with("call_1_"), "{mapped}");
        assert_eq!(id(&mut names, "").len(), 9);
        // An id is no name: it isn't restored in an answer.
        assert_eq!(names.restore(&mapped), None);
    }
}

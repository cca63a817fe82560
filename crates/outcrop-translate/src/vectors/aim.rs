//! What vectors are for: the words of all families, and each family's own.

/// What vectors are for. Some models make other ones of what is searched for than of what is searched in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// To be searched in.
    Document,
    /// To search with, among everything.
    Query,
    /// To search with, among what the word names (Nova).
    Retrieval(&'static str),
    /// To be sorted into classes.
    Classification,
    /// To be grouped.
    Clustering,
    /// Of an image (Cohere, version 3).
    Image,
}

/// The words for each. Cohere's come first, and Nova's are `GENERIC_INDEX`, `GENERIC_RETRIEVAL` and those with one more.
const WORDS: [(&str, Aim); 15] = [
    ("search_document", Aim::Document),
    ("search_query", Aim::Query),
    ("classification", Aim::Classification),
    ("clustering", Aim::Clustering),
    ("image", Aim::Image),
    ("document", Aim::Document),
    ("passage", Aim::Document),
    ("query", Aim::Query),
    ("GENERIC_INDEX", Aim::Document),
    ("GENERIC_RETRIEVAL", Aim::Query),
    ("TEXT_RETRIEVAL", Aim::Retrieval("TEXT_RETRIEVAL")),
    ("IMAGE_RETRIEVAL", Aim::Retrieval("IMAGE_RETRIEVAL")),
    ("VIDEO_RETRIEVAL", Aim::Retrieval("VIDEO_RETRIEVAL")),
    ("DOCUMENT_RETRIEVAL", Aim::Retrieval("DOCUMENT_RETRIEVAL")),
    ("AUDIO_RETRIEVAL", Aim::Retrieval("AUDIO_RETRIEVAL")),
];

impl Aim {
    /// What a word means, in capital letters or small ones.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        let found = WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
        found.map(|(_, aim)| *aim)
    }

    /// All words, for people.
    pub(crate) fn words() -> String {
        let quoted: Vec<String> = WORDS.iter().map(|(word, _)| format!("'{word}'")).collect();
        quoted.join(", ")
    }

    /// Cohere's word.
    pub(super) fn cohere(self) -> &'static str {
        match self {
            Self::Document => "search_document",
            Self::Query | Self::Retrieval(_) => "search_query",
            Self::Classification => "classification",
            Self::Clustering => "clustering",
            Self::Image => "image",
        }
    }

    /// Nova's word.
    pub(super) fn nova(self) -> &'static str {
        match self {
            Self::Document | Self::Image => "GENERIC_INDEX",
            Self::Query => "GENERIC_RETRIEVAL",
            Self::Retrieval(word) => word,
            Self::Classification => "CLASSIFICATION",
            Self::Clustering => "CLUSTERING",
        }
    }
}

/// Whether a word says what vectors are for, as behind `#` in a model's name.
pub fn is_purpose(word: &str) -> bool {
    Aim::from_word(word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_they_say_in_any_letters() {
        assert_eq!(Aim::from_word("Search_Query"), Some(Aim::Query));
        assert_eq!(Aim::from_word("generic_retrieval"), Some(Aim::Query));
        assert_eq!(Aim::from_word("passage"), Some(Aim::Document));
        for word in ["", "bogus", "search query"] {
            assert_eq!(Aim::from_word(word), None, "{word}");
        }
    }

    #[test]
    fn each_family_has_its_own_words_back() {
        for (word, aim) in WORDS {
            let own = [aim.cohere(), aim.nova()];
            let is_own = own.iter().any(|own| own.eq_ignore_ascii_case(word));
            assert!(is_own || ["document", "passage", "query"].contains(&word), "{word}");
        }
    }
}

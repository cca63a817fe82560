//! How much a document has to do with a query: by the words that they share, so that a demo search works.

use std::collections::HashSet;

/// Words that say nothing of what a text is about.
const EMPTY: [&str; 36] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "did", "do", "does", "for", "from", "how", "i", "in", "is",
    "it", "its", "me", "my", "of", "on", "or", "so", "that", "the", "this", "to", "was", "what", "when", "which",
    "who", "with",
];
/// Scores keep off both ends by so much.
const MARGIN: f64 = 1e-4;

/// The likeness of a document to a query, over 0 and under 1.
///
/// Three quarters are how much of the query's words the document has, one quarter how much both have in common, so
/// that of two documents with the same words the shorter one comes first.
pub(super) fn score(query: &str, document: &str) -> f64 {
    let (wanted, given) = (words(query), words(document));
    let shared = wanted.intersection(&given).count() as f64;
    let coverage = shared / (wanted.len() as f64).max(1.0);
    let overlap = 2.0 * shared / ((wanted.len() + given.len()) as f64).max(1.0);
    let score = MARGIN + (1.0 - 2.0 * MARGIN) * (0.75 * coverage + 0.25 * overlap);
    // Few enough digits to be told apart by eye.
    (score * 1e6).round() / 1e6
}

fn words(text: &str) -> HashSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words
        .filter(|word| !word.is_empty() && !EMPTY.contains(&word.as_str()))
        .map(|word| stem(&word).to_owned())
        .collect()
}

/// One form for singular and plural.
fn stem(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with('s') => stem,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_comes_first() {
        let query = "What is the capital of the United States?";
        let best = score(query, "Washington, D.C. is the capital of the United States.");
        let near = score(
            query,
            "Carson City is the capital city of the American state of Nevada.",
        );
        let far = score(query, "Bananas are yellow.");
        assert!(best > near && near > far, "{best} {near} {far}");
    }

    #[test]
    fn scores_are_between_the_ends() {
        for (query, document) in [
            ("cat", "cat"),
            ("cat", "dog"),
            ("", ""),
            ("the", "the"),
            ("Ähre", "ähre"),
        ] {
            let score = score(query, document);
            assert!(0.0 < score && score < 1.0, "{query} {document} {score}");
        }
    }
}

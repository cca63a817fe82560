//! What in a text is somebody's own: addresses, numbers, keys. A few kinds with a clear form.

use std::ops::Range;
use std::sync::LazyLock;

use regex_lite::Regex;

/// A piece of personal information.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Personal {
    pub(super) kind: &'static str,
    /// In bytes of the text.
    pub(super) at: Range<usize>,
}

/// Kinds and their forms, the longer ones first: what is a part of something found isn't looked at again.
const FORMS: [(&str, &str); 7] = [
    ("EMAIL", r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"),
    ("URL", r"https?://[^\s]+"),
    (
        "CREDIT_DEBIT_CARD_NUMBER",
        r"\b[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b",
    ),
    ("AWS_ACCESS_KEY", r"\bA(KIA|SIA)[A-Z0-9]{16}\b"),
    ("US_SOCIAL_SECURITY_NUMBER", r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"),
    ("PHONE", r"(\+[0-9]{1,3}[ -]?)?\(?\b[0-9]{3}\)?[ -][0-9]{3}-[0-9]{4}\b"),
    ("IP_ADDRESS", r"\b[0-9]{1,3}(\.[0-9]{1,3}){3}\b"),
];

/// All that is found, in the text's order.
pub(super) fn find(text: &str) -> Vec<Personal> {
    static COMPILED: LazyLock<Vec<(&'static str, Option<Regex>)>> = LazyLock::new(|| {
        FORMS
            .iter()
            .map(|(kind, form)| (*kind, Regex::new(form).ok()))
            .collect()
    });
    let mut found: Vec<Personal> = Vec::new();
    for (kind, form) in COMPILED.iter() {
        for one in form.iter().flat_map(|form| form.find_iter(text)) {
            let at = one.range();
            if found
                .iter()
                .all(|known| known.at.end <= at.start || at.end <= known.at.start)
            {
                found.push(Personal { kind, at });
            }
        }
    }
    found.sort_by_key(|one| one.at.start);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_found_once() {
        let text = "Write ann@example.com, call 555 123-4567, pay 4111 1111 1111 1111, SSN 123-45-6789, from 10.0.0.1";
        let kinds: Vec<&str> = find(text).iter().map(|one| one.kind).collect();
        assert_eq!(
            kinds,
            [
                "EMAIL",
                "PHONE",
                "CREDIT_DEBIT_CARD_NUMBER",
                "US_SOCIAL_SECURITY_NUMBER",
                "IP_ADDRESS"
            ]
        );
        assert!(find("nothing of the kind").is_empty());
    }

    #[test]
    fn each_form_compiles() {
        assert!(FORMS.iter().all(|(_, form)| Regex::new(form).is_ok()));
    }
}

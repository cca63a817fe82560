//! "Did you mean …?"

/// The candidate that a typo may have stood for, if one is close enough to be worth suggesting.
pub(crate) fn nearest(name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let farthest = 1 + name.chars().count() / 4;
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(name, &candidate), candidate))
        .filter(|(distance, _)| *distance <= farthest)
        .min()
        .map(|(_, candidate)| candidate)
}

/// ` "lisen"; did you mean "listen"?`, or without the second half.
pub(super) fn unknown(what: &str, name: &str, suggestion: Option<String>) -> String {
    match suggestion {
        Some(suggestion) => format!("unknown {what} {name:?}; did you mean {suggestion:?}?"),
        None => format!("unknown {what} {name:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        let words = || ["listen", "log", "region"].map(str::to_owned).into_iter();
        assert_eq!(nearest("lisen", words()).as_deref(), Some("listen"));
        assert_eq!(nearest("regoin", words()).as_deref(), Some("region"));
        assert_eq!(nearest("potato", words()), None);
    }
}

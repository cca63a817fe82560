//! Stop sequences in pieces of any text: the cut is that of a search in the whole, and nothing comes out too early.
#![no_main]

use libfuzzer_sys::fuzz_target;
use outcrop_translate::StopMatcher;

fuzz_target!(|input: (Vec<String>, Vec<String>)| {
    let (sequences, pieces) = input;
    let text = pieces.concat();
    let first = sequences
        .iter()
        .filter(|sequence| !sequence.is_empty())
        .filter_map(|sequence| Some((text.find(sequence.as_str())?, sequence.len(), sequence)))
        .min();
    let expected = first.map_or(text.as_str(), |(at, ..)| &text[..at]);

    let mut matcher = StopMatcher::new(sequences.clone());
    let mut out = String::new();
    for piece in &pieces {
        let stopped = matcher.push(piece, &mut out);
        assert!(expected.starts_with(&out));
        assert_eq!(stopped, matcher.matched().is_some());
    }
    matcher.finish(&mut out);
    assert_eq!(out, expected);
    assert_eq!(matcher.matched(), first.map(|(.., sequence)| sequence.as_str()));
});

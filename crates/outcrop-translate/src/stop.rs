//! Stop sequences that Outcrop looks for itself, for models that can't or that take fewer of them.
//!
//! An automaton after Aho and Corasick, over bytes. It is our own because a stream needs to know how much of the text
//! could still begin a sequence, which the state's depth says and no library shows. The text that is held back is
//! always the beginning of a sequence, so none of it is ever copied.

use std::collections::VecDeque;
use std::sync::Arc;

/// Cuts text that comes in pieces at the first occurrence of any of a set of stop sequences.
///
/// The occurrence that starts first wins; of those that start together, the shortest. Time is linear in the text,
/// whatever the sequences are; memory is some 30 bytes for each byte of the sequences ([`StopMatcher::MAX_BYTES`]),
/// which clones share.
#[derive(Clone, Debug)]
pub struct StopMatcher {
    automaton: Arc<Automaton>,
    /// The node that the text so far leads to: the longest tail of it that begins a sequence.
    state: u32,
    found: Option<Found>,
}

impl StopMatcher {
    /// What all sequences of a request may have together, in bytes, so that a client can't make the gateway keep a
    /// large automaton for as long as a stream is open: this is half a megabyte of it. Whoever takes the sequences from
    /// a client refuses more. Ours, generous: OpenAI takes four sequences.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// A matcher at the start of a text. Empty sequences are ignored: they would match everywhere.
    pub fn new(sequences: impl IntoIterator<Item = String>) -> Self {
        Self {
            automaton: Arc::new(Automaton::new(sequences)),
            state: ROOT,
            found: None,
        }
    }

    /// Reads the next piece of the text. What certainly comes before any sequence is appended to `out`; a tail that
    /// may belong to one is held back until the next piece decides.
    ///
    /// `true` once a sequence is found: the text before it is then in `out`, and everything later is ignored.
    pub fn push(&mut self, text: &str, out: &mut String) -> bool {
        if self.is_stopped() {
            return true;
        }
        // Positions count from the start of what is held back.
        let held = self.state;
        let held_len = self.node(held).depth as usize;
        let mut candidate = self.found.map(|found| (found.at, found.sequence));
        for (index, byte) in text.bytes().enumerate() {
            let end = held_len + index + 1;
            self.state = self.automaton.step(self.state, byte);
            let node = self.node(self.state);
            if let Some(sequence) = node.output {
                let at = end - self.sequence(sequence).len();
                if candidate.is_none_or(|(earliest, _)| at < earliest) {
                    candidate = Some((at, sequence));
                }
            }
            // Nothing that is still open can start before the candidate: it has won.
            if let Some((at, sequence)) = candidate
                && end - node.depth as usize >= at
            {
                self.emit(held, text, at, out);
                self.stop(sequence);
                return true;
            }
        }
        let start = held_len + text.len() - self.node(self.state).depth as usize;
        self.emit(held, text, start, out);
        self.found = candidate.map(|(at, sequence)| Found {
            sequence,
            at: at - start,
            is_final: false,
        });
        false
    }

    /// Ends the text: what was held back is appended to `out`, unless a sequence is in it.
    pub fn finish(&mut self, out: &mut String) {
        if self.is_stopped() {
            return;
        }
        let held = self.state;
        match self.found {
            Some(Found { sequence, at, .. }) => {
                self.emit(held, "", at, out);
                self.stop(sequence);
            }
            None => self.emit(held, "", self.node(held).depth as usize, out),
        }
        self.state = ROOT;
    }

    /// The sequence that ended the text, if one did. Certain once [`StopMatcher::push`] said `true`, or after
    /// [`StopMatcher::finish`].
    pub fn matched(&self) -> Option<&str> {
        self.found
            .filter(|found| found.is_final)
            .map(|found| self.sequence(found.sequence))
    }

    fn is_stopped(&self) -> bool {
        self.found.is_some_and(|found| found.is_final)
    }

    fn stop(&mut self, sequence: u32) {
        self.state = ROOT;
        self.found = Some(Found {
            sequence,
            at: 0,
            is_final: true,
        });
    }

    /// Appends the first `len` bytes of what `held` stands for, followed by `text`. Both places where text is cut are
    /// starts of sequences, so no character is split.
    fn emit(&self, held: u32, text: &str, len: usize, out: &mut String) {
        let node = self.node(held);
        let held = self.sequence(node.sequence).get(..node.depth as usize).unwrap_or("");
        out.push_str(held.get(..len.min(held.len())).unwrap_or(""));
        out.push_str(text.get(..len.saturating_sub(held.len())).unwrap_or(""));
    }

    fn node(&self, node: u32) -> &Node {
        self.automaton.node(node)
    }

    fn sequence(&self, sequence: u32) -> &str {
        self.automaton.sequence(sequence)
    }
}

/// What is the same for all texts that are searched for the same sequences.
#[derive(Debug)]
struct Automaton {
    sequences: Vec<String>,
    nodes: Vec<Node>,
    /// The root's children by byte: it is where almost all of a text is read.
    first: [u32; 256],
}

impl Automaton {
    fn new(sequences: impl IntoIterator<Item = String>) -> Self {
        let sequences: Vec<String> = sequences.into_iter().filter(|sequence| !sequence.is_empty()).collect();
        // As many as there can be, rather than twice as many as there are.
        let mut nodes = Vec::with_capacity(1 + sequences.iter().map(String::len).sum::<usize>());
        nodes.push(Node::default());
        let mut automaton = Self {
            sequences,
            nodes,
            first: [ROOT; 256],
        };
        for sequence in 0..automaton.sequences.len() {
            automaton.insert(sequence);
        }
        automaton.link();
        automaton
    }

    /// The state after one more byte. Each step back makes the state less deep, so that the steps add up to no more
    /// than the text.
    fn step(&self, mut state: u32, byte: u8) -> u32 {
        loop {
            if state == ROOT {
                return self.first[usize::from(byte)];
            }
            if let Some(child) = self.child(state, byte) {
                return child;
            }
            state = self.node(state).fallback;
        }
    }

    fn child(&self, parent: u32, byte: u8) -> Option<u32> {
        let mut child = self.node(parent).first_child;
        while child != ROOT {
            let node = self.node(child);
            if node.byte == byte {
                return Some(child);
            }
            child = node.next_sibling;
        }
        None
    }

    /// Adds the path of a sequence, down to where a shorter one ends: that one completes first.
    fn insert(&mut self, sequence: usize) {
        let bytes = std::mem::take(&mut self.sequences[sequence]);
        let sequence_id = index_u32(sequence);
        let mut parent = ROOT;
        for (depth, byte) in bytes.bytes().enumerate() {
            if self.node(parent).output.is_some() {
                break;
            }
            parent = match self.child(parent, byte) {
                Some(child) => child,
                None => self.add_child(parent, byte, sequence_id, index_u32(depth + 1)),
            };
        }
        if self.node(parent).output.is_none() {
            self.nodes[parent as usize].output = Some(sequence_id);
        }
        self.sequences[sequence] = bytes;
    }

    fn add_child(&mut self, parent: u32, byte: u8, sequence: u32, depth: u32) -> u32 {
        let child = index_u32(self.nodes.len());
        let next_sibling = std::mem::replace(&mut self.nodes[parent as usize].first_child, child);
        self.nodes.push(Node {
            byte,
            depth,
            sequence,
            next_sibling,
            ..Node::default()
        });
        if parent == ROOT {
            self.first[usize::from(byte)] = child;
        }
        child
    }

    /// Sets the way back of each node, shallow ones first.
    fn link(&mut self) {
        let mut queue: VecDeque<u32> = self.first.iter().copied().filter(|&child| child != ROOT).collect();
        while let Some(parent) = queue.pop_front() {
            let fallback = self.node(parent).fallback;
            let mut child = self.node(parent).first_child;
            while child != ROOT {
                let to = self.step(fallback, self.node(child).byte);
                let inherited = self.node(to).output;
                let node = &mut self.nodes[child as usize];
                node.fallback = to;
                node.output = node.output.or(inherited);
                queue.push_back(child);
                child = node.next_sibling;
            }
        }
    }

    fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    fn sequence(&self, sequence: u32) -> &str {
        self.sequences.get(sequence as usize).map_or("", String::as_str)
    }
}

/// The node of the empty text. It is nobody's child, so it also stands for "none" in lists of children.
const ROOT: u32 = 0;

/// The beginning of one or more sequences.
#[derive(Debug, Default)]
struct Node {
    /// Node of the longest shorter tail that begins a sequence.
    fallback: u32,
    first_child: u32,
    next_sibling: u32,
    /// Length in bytes.
    depth: u32,
    /// A sequence that begins with it.
    sequence: u32,
    /// The longest sequence that it ends with.
    output: Option<u32>,
    /// Its last byte.
    byte: u8,
}

/// A sequence that is in the text.
#[derive(Clone, Copy, Debug)]
struct Found {
    sequence: u32,
    /// Where, from the start of what is held back.
    at: usize,
    /// Whether none that starts earlier can complete any more.
    is_final: bool,
}

/// Sequences come out of one request, which is far smaller than 4 GiB; an index beyond that could only mean "none".
fn index_u32(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(ROOT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The cut by its definition: text before the match, and the sequence.
    fn naive<'s>(sequences: &'s [String], text: &str) -> (String, Option<&'s str>) {
        let found = sequences
            .iter()
            .filter(|sequence| !sequence.is_empty())
            .filter_map(|sequence| Some((text.find(sequence.as_str())?, sequence.len(), sequence)))
            .min();
        match found {
            Some((at, _, sequence)) => (text[..at].to_owned(), Some(sequence)),
            None => (text.to_owned(), None),
        }
    }

    fn matched<'a>(sequences: &[&str], chunks: impl IntoIterator<Item = &'a str>) -> (Vec<String>, Option<String>) {
        let mut matcher = StopMatcher::new(sequences.iter().map(|&sequence| sequence.to_owned()));
        let mut emitted = Vec::new();
        for chunk in chunks {
            let mut out = String::new();
            matcher.push(chunk, &mut out);
            emitted.push(out);
        }
        let mut out = String::new();
        matcher.finish(&mut out);
        emitted.push(out);
        (emitted, matcher.matched().map(str::to_owned))
    }

    /// Cuts `text` at the characters after which `cuts` says so.
    fn cut<'a>(text: &'a str, cuts: &[bool]) -> Vec<&'a str> {
        let mut pieces = Vec::new();
        let mut start = 0;
        for ((at, char), &is_cut) in text.char_indices().zip(cuts.iter().cycle()) {
            if is_cut {
                pieces.push(&text[start..at + char.len_utf8()]);
                start = at + char.len_utf8();
            }
        }
        pieces.push(&text[start..]);
        pieces
    }

    proptest! {
        #[test]
        fn any_cut_stops_where_the_whole_text_does(
            sequences in prop::collection::vec("[abé€ë]{0,5}", 0..6),
            text in "[abé€ëc]{0,40}",
            cuts in prop::collection::vec(any::<bool>(), 1..20),
        ) {
            let (expected, by) = naive(&sequences, &text);
            let mut matcher = StopMatcher::new(sequences.clone());
            let (mut out, mut stopped) = (String::new(), false);
            for piece in cut(&text, &cuts) {
                stopped = matcher.push(piece, &mut out);
                prop_assert_eq!(stopped, matcher.matched().is_some());
                prop_assert!(expected.starts_with(&out), "{} is not a beginning of {}", out, expected);
            }
            matcher.finish(&mut out);
            prop_assert_eq!(&out, &expected);
            prop_assert_eq!(matcher.matched(), by);
            prop_assert!(!stopped || by.is_some());
        }

        #[test]
        fn only_what_may_begin_a_sequence_is_held_back(
            sequences in prop::collection::vec("[ab]{1,6}", 0..5),
            text in "[abc]{0,30}",
        ) {
            let mut matcher = StopMatcher::new(sequences.clone());
            let mut out = String::new();
            if !matcher.push(&text, &mut out) {
                let longest_open = (0..=text.len())
                    .find(|&at| sequences.iter().any(|sequence| sequence.starts_with(&text[at..])))
                    .unwrap_or(text.len());
                prop_assert_eq!(out, &text[..longest_open]);
            }
        }
    }

    #[test]
    fn a_sequence_split_over_chunks_is_found() {
        let (emitted, by) = matched(&["\n\nHuman:"], ["Hi.\n", "\nHu", "man: and more"]);
        assert_eq!(emitted, ["Hi.", "", "", ""]);
        assert_eq!(by.as_deref(), Some("\n\nHuman:"));
    }

    #[test]
    fn what_only_looked_like_a_sequence_comes_out() {
        let (emitted, by) = matched(&["END"], ["the E", "NTRY", " is EN"]);
        assert_eq!(emitted, ["the ", "ENTRY", " is ", "EN"]);
        assert_eq!(by, None);
    }

    #[test]
    fn one_that_starts_earlier_wins_though_it_completes_later() {
        assert_eq!(matched(&["bc", "abcd"], ["xab", "c", "d"]).0.concat(), "x");
        assert_eq!(matched(&["bc", "abcd"], ["xab", "c", "e"]).0.concat(), "xa");
        // The text may end before the longer one is decided.
        let (emitted, by) = matched(&["bc", "abcd"], ["xab", "c"]);
        assert_eq!((emitted.concat().as_str(), by.as_deref()), ("xa", Some("bc")));
    }

    #[test]
    fn the_shorter_of_two_that_start_together_completes_first() {
        assert_eq!(matched(&["abc", "ab"], ["xabc"]).1.as_deref(), Some("ab"));
        assert_eq!(matched(&["ab", "abc"], ["xabc"]).1.as_deref(), Some("ab"));
    }

    #[test]
    fn empty_sequences_never_stop() {
        let (emitted, by) = matched(&["", ""], ["a", "b"]);
        assert_eq!((emitted.concat().as_str(), by), ("ab", None));
    }

    #[test]
    fn nothing_comes_after_a_stop() {
        let mut matcher = StopMatcher::new(["|".to_owned()]);
        let mut out = String::new();
        assert!(matcher.push("a|b", &mut out));
        assert!(matcher.push("c", &mut out));
        matcher.finish(&mut out);
        assert_eq!(out, "a");
    }

    #[test]
    fn the_choices_of_an_answer_share_their_sequences() {
        let one = StopMatcher::new(["STOP".to_owned()]);
        let mut other = one.clone();
        let mut out = String::new();
        assert!(other.push("a STOP", &mut out));
        assert!(Arc::ptr_eq(&one.automaton, &other.automaton));
        assert_eq!((one.matched(), other.matched()), (None, Some("STOP")));
    }

    #[test]
    fn the_most_that_a_client_may_ask_for_takes_little_memory() {
        let sequences = (0..StopMatcher::MAX_BYTES / 4).map(|index| format!("{index:04}"));
        let automaton = StopMatcher::new(sequences).automaton;
        assert!(automaton.nodes.capacity() * size_of::<Node>() <= 550_000);
    }

    #[test]
    fn many_long_sequences_that_share_their_beginnings_are_searched_in_one_pass() {
        // Against 2,500 sequences, most of which agree with the text for long, a search for each would take minutes.
        let sequences = (0..2_500_usize).map(|index| format!("{}{index:04}", "a".repeat(index % 200)));
        let mut matcher = StopMatcher::new(sequences);
        let text = "a".repeat(1_000_000);
        let mut out = String::new();
        assert!(!matcher.push(&text, &mut out));
        assert_eq!(text.len() - out.len(), 199);
        assert!(matcher.push("1999", &mut out));
        assert_eq!(matcher.matched().map(str::len), Some(203));
        assert_eq!(out.len(), text.len() - 199);
    }
}

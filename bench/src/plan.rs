//! What a stub stream looks like, and how a model id says so.

use std::time::Duration;

/// The shape of one answer of the stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Text deltas per stream; a stream has four frames more: start, block stop, message stop, metadata.
    pub(crate) chunks: usize,
    /// Time between two deltas; zero is full speed.
    pub(crate) interval: Duration,
    /// Bytes of text per delta; zero is one word, as a model sends it.
    pub(crate) text_bytes: usize,
}

impl Plan {
    /// `chunks` words, one each `interval_ms`.
    pub(crate) const fn words(chunks: usize, interval_ms: u64) -> Self {
        Self {
            chunks,
            interval: Duration::from_millis(interval_ms),
            text_bytes: 0,
        }
    }

    /// Reads the parts `n500` (chunks), `i10` (milliseconds) and `s4096` (bytes of text) of a model id, in whatever
    /// way they are set apart: `anthropic.stub-n500-i10-v1:0`, `stub.n500.i10`. What the id leaves out is taken from
    /// `defaults`.
    pub(crate) fn from_model_id(id: &str, defaults: Self) -> Self {
        let mut plan = defaults;
        for part in id.split(|c: char| !c.is_ascii_alphanumeric()) {
            let Some((letter, number)) = part.split_at_checked(1) else {
                continue;
            };
            let Ok(number) = number.parse::<u32>() else {
                continue;
            };
            match letter {
                "n" => plan.chunks = number as usize,
                "i" => plan.interval = Duration::from_millis(number.into()),
                "s" => plan.text_bytes = number as usize,
                _ => {}
            }
        }
        plan
    }

    /// The model id that asks the stub for this plan, in the form of a real one.
    pub(crate) fn model_id(&self) -> String {
        format!(
            "anthropic.stub-n{}-i{}-s{}-v1:0",
            self.chunks,
            self.interval.as_millis(),
            self.text_bytes
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_id_round_trips_also_percent_encoded() {
        let plan = Plan {
            chunks: 500,
            interval: Duration::from_millis(10),
            text_bytes: 4096,
        };
        let encoded = plan.model_id().replace(':', "%3A");
        assert_eq!(Plan::from_model_id(&encoded, Plan::words(1, 1)), plan);
    }

    #[test]
    fn what_an_id_leaves_out_is_the_default() {
        let plan = Plan::from_model_id("stub.n7", Plan::words(1, 3));
        assert_eq!(plan, Plan::words(7, 3));
    }
}

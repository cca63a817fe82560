//! The answers to the calls of a plan.

use outcrop_upstream::Reply;

use crate::routing::{Hold, Sent};

/// The answers to the calls of a plan, as far as there are any.
pub(super) struct Slots(Vec<Option<Sent>>);

impl Slots {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).map(|_| None).collect())
    }

    pub(super) fn put(&mut self, choice: usize, sent: Sent) {
        if let Some(slot) = self.0.get_mut(choice) {
            *slot = Some(sent);
        }
    }

    pub(super) fn missing(&self) -> impl Iterator<Item = usize> {
        let slots = self.0.iter().enumerate();
        slots.filter_map(|(choice, slot)| slot.is_none().then_some(choice))
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    pub(super) fn sent(&self) -> impl Iterator<Item = &Sent> {
        self.0.iter().flatten()
    }

    pub(super) fn replies(&self) -> impl Iterator<Item = &Reply> {
        self.0.iter().flatten().map(|sent| &sent.reply)
    }

    pub(super) fn into_parts(self) -> (Vec<Reply>, Vec<Hold>) {
        let (mut replies, mut holds) = (Vec::with_capacity(self.0.len()), Vec::new());
        for sent in self.0.into_iter().flatten() {
            replies.push(sent.reply);
            holds.push(sent.hold);
        }
        (replies, holds)
    }
}

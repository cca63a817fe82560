//! What a request asks of models while it is under way: shared by those who make its calls and by its record, which may
//! be all that is left of it when the client goes away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outcrop_bedrock::converse::TokenUsage;
use outcrop_translate::catalogue::{Consumption, Terms};
use outcrop_translate::resolve::Target;
use outcrop_translate::{Billed, Catalogue};

use super::bill::Sum;
use super::called::Called;
use crate::inquiry::behind;

/// The longest name of a user or a model that is kept, in bytes.
const MAX_NAME: usize = 256;

/// What a request asks of models.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    told: Told,
    /// Who makes the request.
    user: Option<String>,
    /// The call that was made last.
    last: Option<Arc<Called>>,
    /// Whether the limits have let it through.
    is_let_through: bool,
    /// What the client means, as far as it is known.
    meant: Option<Arc<Target>>,
    /// Calls that have neither failed nor been answered: those under way, and those that nobody waits for any more.
    pending: Vec<Arc<Called>>,
    /// What answers have cost that nobody gets.
    thrown: Sum,
}

/// What the client says.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The model, by its name for it.
    pub(super) asked: String,
    pub(super) user: Option<String>,
}

impl State {
    /// A call is over.
    fn end(&mut self, called: &Arc<Called>) {
        self.pending.retain(|pending| !Arc::ptr_eq(pending, called));
    }
}

impl Tally {
    /// Of a request that `user` makes, unless it says itself who it is for.
    pub(crate) fn of(user: Option<&str>) -> Self {
        let tally = Self::default();
        tally.state().user = user.map(fit);
        tally
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The model that the client names. The first name counts: those of other targets are the operator's.
    pub(crate) fn note_model(&self, name: &str) {
        let mut state = self.state();
        if state.told.asked.is_empty() {
            state.told.asked = fit(name);
        }
    }

    /// Who the client says that the request is for.
    pub(crate) fn note_user(&self, user: &str) {
        let mut state = self.state();
        if state.told.user.is_none() && !user.is_empty() {
            state.told.user = Some(fit(user));
        }
    }

    /// A call is made.
    pub(crate) fn begin(&self, called: &Arc<Called>) {
        let mut state = self.state();
        state.pending.push(Arc::clone(called));
        state.last = Some(Arc::clone(called));
    }

    /// A call has failed, and cost nothing.
    pub(crate) fn failed(&self, called: &Arc<Called>) {
        self.state().end(called);
    }

    /// Whose answer the client gets: it tells itself what it costs.
    pub(crate) fn answered(&self, called: &Arc<Called>) {
        self.state().end(called);
    }

    /// Which model is meant.
    pub(crate) fn note_target(&self, target: &Arc<Target>) {
        self.state().meant = Some(Arc::clone(target));
    }

    /// The limits have let the request through, with the first model that it may ask.
    pub(crate) fn let_through(&self) {
        self.state().is_let_through = true;
    }

    /// Whether they have.
    pub(crate) fn is_let_through(&self) -> bool {
        self.state().is_let_through
    }

    /// The catalogue's name of the model that is meant.
    pub(super) fn meant_id(&self) -> Option<String> {
        self.state().meant.as_deref().and_then(behind).map(ToOwned::to_owned)
    }

    /// The answer to a call is thrown away, which has cost so many tokens, and what else is paid for.
    pub(crate) fn throw_away(&self, catalogue: &Catalogue, called: &Arc<Called>, usage: TokenUsage, billed: &Billed) {
        let mut state = self.state();
        state.end(called);
        let terms = Terms::of(usage.served);
        let used = Consumption::of(&usage, billed);
        state.thrown.add(catalogue, called, &terms, &used);
    }

    pub(super) fn thrown(&self) -> Sum {
        self.state().thrown
    }

    pub(super) fn pending(&self) -> Vec<Arc<Called>> {
        self.state().pending.clone()
    }

    pub(super) fn last(&self) -> Option<Arc<Called>> {
        self.state().last.clone()
    }

    pub(super) fn take_told(&self) -> Told {
        let mut state = self.state();
        let mut told = std::mem::take(&mut state.told);
        told.user = told.user.or(state.user.take());
        told
    }
}

/// A text as databases take it: not longer than it must be, and without the NUL that PostgreSQL refuses.
fn fit(text: &str) -> String {
    let end = (0..=MAX_NAME.min(text.len()))
        .rev()
        .find(|&end| text.is_char_boundary(end));
    text[..end.unwrap_or(0)].replace('\0', "")
}

//! Laws that hold for every request, every stream and every way in which its bytes may be cut.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the lints only know functions that are tests themselves"
)]

mod client;
mod knowledge;
mod memory;
mod requests;
mod said;
mod streams;
mod whole;

use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Context, Endpoint, Halt, Plan};
use serde_json::Value;

pub(crate) const CONTEXT: Context<'static> = Context {
    unique: 7,
    created: 1_800_000_000,
    path_model: None,
    max_choices: 8,
    advisor: None,
    remote: None,
    repair: None,
};

pub(crate) type ChatPlan = Plan<<ChatCompletions as Endpoint>::Memo>;

pub(crate) fn plan(request: &Value) -> Result<ChatPlan, Halt> {
    ChatCompletions::plan(&serde_json::to_vec(request).unwrap().into(), &CONTEXT)
}

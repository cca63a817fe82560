//! Laws that hold for every request, every stream and every way in which its bytes may be cut.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the lints only know functions that are tests themselves"
)]

mod bodies;
mod client;
mod invoke;
mod knowledge;
mod memory;
mod requests;
mod said;
mod streams;
mod whole;

use std::sync::LazyLock;

use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Catalogue, Context, Endpoint, Halt, Plan};
use serde_json::Value;

pub(crate) static CONTEXT: LazyLock<Context<'static>> = LazyLock::new(|| Context {
    unique: 7,
    created: 1_800_000_000,
    path_model: None,
    max_choices: 8,
    region: "us-east-1",
    catalogue: Catalogue::built_in(),
    advisor: None,
    remote: None,
    repair: None,
});

pub(crate) type ChatPlan = Plan<<ChatCompletions as Endpoint>::Memo>;

pub(crate) fn plan(request: &Value) -> Result<ChatPlan, Halt> {
    ChatCompletions::plan(&serde_json::to_vec(request).unwrap().into(), &CONTEXT)
}

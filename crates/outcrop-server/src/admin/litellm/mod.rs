//! LiteLLM's paths for keys, teams and what was spent, as its scripts expect them: a team is a project, its master key is
//! an admin key. What can't be said in our settings is refused with its name.
//!
//! Members and answers are those of LiteLLM's proxy (its documentation and request models, 2026-11).

pub(super) mod keys;
mod members;
mod resolve;
mod settings;
pub(super) mod spend;
pub(super) mod teams;
mod time;
mod view;

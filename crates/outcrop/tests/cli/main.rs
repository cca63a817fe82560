//! The binary, as its users meet it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the lints only know functions that are tests themselves"
)]

mod canned;
mod catalogue;
mod chat;
mod config;
mod explain;
mod help;
mod iam_policy;
mod litellm;
mod models;
mod models_page;
mod precedence;
mod prices;
mod routing;
mod run;
mod serve;
mod tenancy;

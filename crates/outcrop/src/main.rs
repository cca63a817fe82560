//! The Outcrop binary: arguments, settings, and the commands. The only crate that reads the environment.

mod access;
mod banner;
mod cli;
mod client;
mod commands;
mod configs;
mod convert;
mod database;
mod explanation;
mod failure;
mod lambda;
mod litellm;
mod log;
mod notify;
mod reload;
mod secrets;
mod serve;
mod settings;
mod signals;
mod sse;
mod terminal;
mod usage;
mod version;

use std::process::ExitCode;

/// A gateway is short-lived allocations and long-lived streams. Against the system's allocator this one saves a sixth of
/// the processor's time on a conversation of 22 KB and an eighth of the memory of an open stream (`docs/performance.md`).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    if lambda::is_meant() {
        return match lambda::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(),
        };
    }
    match cli::command().try_get_matches() {
        Ok(matches) => match commands::run(&matches) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(),
        },
        Err(error) => {
            // Help and version come this way too. If no one reads them, that is no reason to fail.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}

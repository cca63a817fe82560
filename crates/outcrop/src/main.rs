//! The Outcrop binary: arguments, settings, and the commands. The only crate that reads the environment.

mod access;
mod banner;
mod cli;
mod client;
mod commands;
mod failure;
mod log;
mod serve;
mod settings;
mod signals;
mod sse;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
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

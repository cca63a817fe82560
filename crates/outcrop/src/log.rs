//! The log: lines on stderr, since stdout is for answers.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFilter, LogFormat};
use crate::terminal;

/// Sends events to stderr. The first call in a process counts.
pub(crate) fn init(filter: &LogFilter, format: LogFormat) {
    let on_terminal = io::stderr().is_terminal();
    let filter = EnvFilter::new(filter.as_str());
    let builder = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_env_filter(filter);
    // An error means that a subscriber is there already, and then that one is meant.
    let _ = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Auto if !on_terminal => builder.json().flatten_event(true).try_init(),
        LogFormat::Auto | LogFormat::Text => builder.with_ansi(on_terminal && terminal::wants_style()).try_init(),
    };
}

//! The log: lines on stderr, since stdout is for answers.

use std::io::{self, IsTerminal};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::settings::{LogFilter, LogFormat};
use crate::terminal;

/// Lines that wait for a reader of stderr; past it, lines are lost rather than requests held up.
const BUFFERED_LINES: usize = 10_000;

/// Sends events to stderr as they come: who is frozen has no thread that writes them later.
pub(crate) fn init_at_once(filter: &LogFilter, format: LogFormat) {
    let builder = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .log_internal_errors(false)
        .with_env_filter(EnvFilter::new(filter.as_str()));
    let _ = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Auto | LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
    };
}

/// Sends events to stderr, from a thread of its own: a full disk or a reader that has stalled must not stop the gateway.
/// The first call in a process counts. What is in the buffer is written when the guard is dropped.
pub(crate) fn init(filter: &LogFilter, format: LogFormat) -> WorkerGuard {
    let on_terminal = io::stderr().is_terminal();
    let filter = EnvFilter::new(filter.as_str());
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(BUFFERED_LINES)
        .thread_name("log")
        .finish(io::stderr());
    let builder = tracing_subscriber::fmt()
        .with_writer(writer)
        // It would tell of a failed write on stderr, where writing fails.
        .log_internal_errors(false)
        .with_env_filter(filter);
    // An error means that a subscriber is there already, and then that one is meant.
    let _ = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Auto if !on_terminal => builder.json().flatten_event(true).try_init(),
        LogFormat::Auto | LogFormat::Text => builder.with_ansi(on_terminal && terminal::wants_style()).try_init(),
    };
    guard
}

//! What can go wrong in a bench run.

use std::io;

/// A failure that ends a role or a run; the text is what the user reads.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The operating system refused something.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried, as a clause: "read /proc/1/status".
        doing: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A process did not come up, or ended too early.
    #[error("{role} {what}; its log ends with:\n{log}")]
    Process {
        /// Which process.
        role: String,
        /// What happened to it.
        what: String,
        /// The end of what it printed.
        log: String,
    },
    /// Requests failed, so that the figures would mean nothing.
    #[error("{role}: {errors} of {requests} requests failed, the first with: {first}")]
    Requests {
        /// The process that was asked.
        role: String,
        /// How many requests failed.
        errors: usize,
        /// How many were sent.
        requests: usize,
        /// The first failure.
        first: String,
    },
    /// Something that should have been of a known form was not.
    #[error("{0}")]
    Malformed(String),
    /// JSON could not be read or written.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The result of anything in this crate.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Adds to an I/O error what was being tried.
pub(crate) trait Doing<T> {
    /// Names the attempt, as a clause: "read the request body file".
    fn doing(self, what: impl Into<String>) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|source| Error::Io {
            doing: what.into(),
            source,
        })
    }
}

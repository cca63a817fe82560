//! Why a command ends with a status other than 0, and how it says so.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use outcrop_server::CatalogueError;
use outcrop_store::StoreError;

use crate::access::Exposed;
use crate::client::ClientError;
use crate::database::DatabaseError;
use crate::serve::StartError;
use crate::settings::Problems;
use crate::terminal;

/// All reasons for which a command can fail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Failure {
    /// The settings are not in order.
    #[error("the settings are not valid\n{0}")]
    Settings(#[from] Problems),
    /// The gateway would be open to anyone.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// The gateway or the simulator could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The server ended without having been told to.
    #[error("the server has stopped: {0}")]
    Stopped(#[source] io::Error),
    /// A gateway could not be asked, or it refused, or its answer broke off.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A gateway that was asked for its health isn't well.
    #[error("{url}: {reason}")]
    Unwell {
        /// What was asked for.
        url: String,
        /// What came instead.
        reason: String,
    },
    /// No token could be made.
    #[error("cannot make a token: {0}")]
    Token(#[from] outcrop_upstream::PresignError),
    /// The threads or signal handlers could not be set up.
    #[error("cannot set up the runtime: {0}")]
    Runtime(#[source] io::Error),
    /// Standard input could not be read.
    #[error("cannot read the prompt from standard input: {0}")]
    Input(#[source] io::Error),
    /// A file with a request could not be read.
    #[error("cannot read the request {path}: {source}")]
    ReadRequest {
        /// The file, or standard input.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    ReadFile {
        /// The file.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write to {path}: {source}")]
    WriteFile {
        /// The file, or its folder.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A request is no JSON object.
    #[error("the request is no JSON object: {0}")]
    RequestJson(#[source] serde_json::Error),
    /// There was nothing to explain.
    #[error("there is no request: name a file, or give it on standard input")]
    NoRequest,
    /// The gateway would refuse a request that was to be explained.
    #[error("the gateway would refuse this with status {status}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Why.
        message: String,
    },
    /// Standard output could not be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] io::Error),
    /// A file with rows for the catalogue could not be read.
    #[error("cannot read the catalogue {path}: {source}")]
    ReadCatalogue {
        /// The file.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A file with rows for the catalogue is not in order.
    #[error("the catalogue is not valid\n{}", lines(.0))]
    Catalogue(Vec<CatalogueError>),
    /// There was no file to check.
    #[error("there is no catalogue to check: name a file, or configure one with `catalogue`")]
    NoCatalogue,
    /// Nobody knows the model, or the name has several meanings, or it isn't allowed.
    #[error("{0}")]
    Unresolved(String),
    /// Nobody knows the maker of models.
    #[error("the catalogue has no provider '{asked}'; it has {}", .known.join(", "))]
    UnknownProvider {
        /// As it was asked for.
        asked: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Prices are missing, old or not sound.
    #[error("{0} of the prices that were checked are not in order")]
    Prices(usize),
    /// A bill can't be read.
    #[error("{path} is no cost and usage report: {message}")]
    Bill {
        /// The file.
        path: String,
        /// Why not.
        message: String,
    },
    /// The bill and the gateway's own usage differ.
    #[error("the bill and the gateway's usage differ by more than {0} percent")]
    Differs(f64),
    /// Nobody knows what something costs.
    #[error("{0}")]
    NoPrice(String),
    /// Lambda doesn't do its part.
    #[error("cannot serve as a Lambda function: {0}")]
    Lambda(String),
    /// The database of tenants, keys and usage can't be opened, or doesn't do what it is asked.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Something about tenants, keys or usage can't be done.
    #[error("{0}")]
    Tenancy(String),
    /// There was nothing to ask.
    #[error("there is no prompt: give it as an argument, or on standard input")]
    NoPrompt,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        DatabaseError::from(error).into()
    }
}

fn lines(errors: &[CatalogueError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

impl Failure {
    /// Tells the user, and gives the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        if self.is_broken_pipe() {
            return ExitCode::SUCCESS;
        }
        let _ = writeln!(io::stderr(), "error: {}", terminal::clean(&self.to_string()));
        match self {
            Failure::NoPrompt | Failure::NoRequest | Failure::NoCatalogue => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }

    /// The reader of our output, such as `head`, has seen enough. That is no failure.
    fn is_broken_pipe(&self) -> bool {
        match self {
            Failure::Output(error) | Failure::Client(ClientError::Output(error)) => {
                error.kind() == ErrorKind::BrokenPipe
            }
            _ => false,
        }
    }
}

//! The binary as an AWS Lambda function: the package's `bootstrap` is the binary itself.
//!
//! Lambda starts it without arguments, and says by a variable where its runtime API is. Each invocation brings one
//! request, and between two invocations the process is frozen, for hours perhaps, or ended without notice. So whatever a
//! request leaves behind is written before the last byte of its answer ([`settle`]), and nothing counts on running in
//! between.

mod address;
mod answer;
mod body;
mod event;
mod function;
mod given_up;
mod settle;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use lambda_runtime::{Runtime, service_fn};

use crate::commands::block_on;
use crate::failure::Failure;
use crate::log;
use crate::serve::{Parts, start_function};
use crate::settings::{Database, Given, Loaded, Settings, load};

use self::function::Function;
use self::settle::Settler;

/// The variable that says where Lambda's runtime API is.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
/// The variable that says where the package is.
const TASK_ROOT: &str = "LAMBDA_TASK_ROOT";
/// Variables that Lambda sets and its runtime wants.
const NEEDED: [&str; 3] = [
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];
/// The only folder of a function that can be written to.
const STATE_DIR: &str = "/tmp/outcrop";
/// As often in a row the runtime API may fail to give an event before the process ends.
const MAX_FAILURES: u32 = 5;

/// Whether Lambda started the process, and nobody said what to do instead.
pub(crate) fn is_meant() -> bool {
    std::env::args_os().len() <= 1 && std::env::var_os(RUNTIME_API).is_some_and(|address| !address.is_empty())
}

/// Serves invocations until Lambda ends the process.
///
/// # Errors
/// If the settings are not in order, or the runtime API doesn't answer.
pub(crate) fn run() -> Result<(), Failure> {
    let missing: Vec<&str> = NEEDED
        .into_iter()
        .filter(|name| std::env::var_os(name).is_none())
        .collect();
    if !missing.is_empty() {
        return Err(Failure::Lambda(format!(
            "{RUNTIME_API} is set, but not {}, which Lambda sets as well",
            missing.join(", ")
        )));
    }
    let loaded = settings().inspect_err(given_up::tell)?;
    log::init_at_once(&loaded.settings.log, loaded.settings.log_format);
    loaded.warn();
    block_on(async move {
        let function = started(&loaded.settings).await.inspect_err(given_up::tell)?;
        serve(&function).await
    })
}

async fn started(settings: &Settings) -> Result<Arc<Function>, Failure> {
    let Parts { server, meter, limits } = start_function(settings).await?;
    settings.tables.tell();
    server.prepare();
    let settler = Settler::new(meter, limits, server.kept_answers());
    Ok(Arc::new(Function {
        server,
        settler,
        response: settings.lambda_response,
        margin: settings.lambda_margin,
        looked: Mutex::new(SystemTime::now()),
        events: AtomicU64::new(0),
        left: Mutex::default(),
    }))
}

/// Asks for invocations and answers them.
async fn serve(function: &Arc<Function>) -> Result<(), Failure> {
    let mut failures = 0;
    loop {
        let before = function.events.load(Ordering::Relaxed);
        let invoked = Arc::clone(function);
        let handler = service_fn(move |event| Arc::clone(&invoked).invoke(event));
        // It goes on until the runtime API doesn't take an answer, or has no further event.
        let Err(error) = Runtime::new(handler).run().await else {
            return Ok(());
        };
        function.leave();
        // Where there are events, the API is well, and it is clients that leave.
        let is_well = function.events.load(Ordering::Relaxed) != before;
        failures = if is_well { 0 } else { failures + 1 };
        if failures >= MAX_FAILURES {
            return Err(Failure::Lambda(format!("the runtime API does not answer: {error}")));
        }
        tracing::warn!(error, "Lambda's runtime API did not take an answer");
    }
}

/// The settings, with the defaults that fit a function: nothing is kept, unless a database is named.
fn settings() -> Result<Loaded, Failure> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let mut loaded = load(&Given {
        environment: std::env::vars_os().collect(),
        folder: variable(TASK_ROOT).map(PathBuf::from),
        ..Given::default()
    })?;
    if matches!(loaded.settings.database, Database::Default) {
        loaded.settings.database = Database::Nowhere;
    }
    if loaded.settings.state_dir.is_none() {
        loaded.settings.state_dir = Some(PathBuf::from(STATE_DIR));
    }
    Ok(loaded)
}

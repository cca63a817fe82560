//! The harness: starts the stub, measures each work, prints the table.

use std::io::Write;
use std::path::PathBuf;

use crate::error::{Doing, Result};
use crate::process::{Scratch, Server, free_address};
use crate::table::{self, Row};
use crate::target::{Kind, PROBE};
use crate::work::{Setting, WORKS};

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Options {
    /// The gateway's binary; without one, a second proxy stands in for it.
    pub(crate) gateway: Option<PathBuf>,
    /// Names of works; none means all.
    pub(crate) only: Vec<String>,
    /// Alternating rounds of each work.
    pub(crate) rounds: usize,
    /// A fifth of the requests.
    pub(crate) quick: bool,
    /// JSON rather than a table.
    pub(crate) json: bool,
    /// The gateway has three targets for each model, and keeps within quotas.
    pub(crate) routed: bool,
}

/// Settings of a gateway that has to choose and to count for each request. The quotas are too large to be used up.
const ROUTED: &str = r#"
admission = true

[[routes]]
name = "*"
strategy = "least_busy"
targets = [{ region = "us-east-1" }, { region = "us-west-2" }, { region = "eu-west-1" }]

[[quotas]]
requests_per_minute = 100_000_000
tokens_per_minute = 1_000_000_000_000
"#;

/// Runs; says whether every bar was kept.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let scratch = Scratch::new()?;
    if options.routed {
        // Gateways run where the scratch files are, and read this one.
        let file = scratch.file("outcrop.toml");
        std::fs::write(&file, ROUTED).doing(format!("write {}", file.display()))?;
    }
    let gateway = match &options.gateway {
        None => Kind::Proxy,
        // Its working folder is not ours, so a relative path would not be found.
        Some(path) => Kind::Gateway(
            path.canonicalize()
                .doing(format!("find the gateway at {}", path.display()))?,
        ),
    };
    let mut stub = Server::role(&scratch, "stub", free_address()?, &[])?;
    stub.wait_until_ok(PROBE)?;
    let setting = Setting {
        scratch: &scratch,
        stub: stub.address,
        gateway,
        rounds: options.rounds,
        divisor: if options.quick { 5 } else { 1 },
    };
    let mut rows: Vec<Row> = Vec::new();
    for (name, measure) in WORKS {
        if options.only.is_empty() || options.only.iter().any(|only| only == name) {
            eprintln!("measuring {name} …");
            rows.extend(measure(&setting)?);
        }
    }
    let text = if options.json {
        table::to_json(&rows)?
    } else {
        table::render(&rows)
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .doing("print the figures")?;
    Ok(rows.iter().all(|row| row.is_ok() != Some(false)))
}

//! What keys, limits, budgets and usage cost: the gateway with all of them against the same without.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::cpu::{CpuWork, PACED, SMALL, one_round};
use super::{Setting, median, spread};
use crate::error::{Doing, Error, Result};
use crate::plan::Plan;
use crate::table::{Bar, Compare, Row, Unit};
use crate::target::{Kind, Metered};

/// How many times the CPU of the gateway without them.
const BAR: f64 = 1.15;

/// Limits and budgets on all levels, too large to be used up.
const KEY: [&str; 11] = [
    "keys",
    "create",
    "--name=bench",
    "--rpm=1000000000",
    "--tpm=1000000000000",
    "--concurrent-requests=100000",
    "--concurrent-streams=100000",
    "--budget=1000000/day",
    "--budget=1000000/month",
    "--budget=1000000/total",
    "--models=*",
];
const PROJECT: [&str; 6] = [
    "tenants",
    "update",
    "default/default",
    "--rpm=1000000000",
    "--tpm=1000000000000",
    "--budget=1000000/month",
];
/// What the stub's models cost: a hard budget admits none without a price.
const PRICES: &str = "prices = { input = 3, output = 15, cache_read = 0.3, cache_write = 3.75 }";

/// Measures small requests and paced streams.
pub(crate) fn measure(setting: &Setting<'_>) -> Result<Vec<Row>> {
    let Kind::Gateway(binary) = &setting.gateway else {
        return Ok(Vec::new());
    };
    let kinds = [Kind::Keyless(binary.clone()), Kind::Metered(metered(setting, binary)?)];
    [&SMALL, &PACED]
        .into_iter()
        .map(|work| compare(setting, work, &kinds))
        .collect()
}

fn compare(setting: &Setting<'_>, work: &CpuWork, kinds: &[Kind; 2]) -> Result<Row> {
    let (load, warm_up) = (work.load(setting.divisor), work.load(5 * setting.divisor));
    let [without, with] = setting.alternate(|which| {
        let target = setting.start(&kinds[which])?;
        target.load(setting.scratch, &warm_up)?;
        one_round(setting, &target, &load)
    })?;
    Ok(Row {
        work: format!("with keys, limits and usage, against without: {}", work.work),
        unit: Unit::Microseconds,
        proxy: median(&without),
        gateway: median(&with),
        compare: Compare::Quotient,
        spread: spread(&without, &with),
        bar: Some(Bar::Ratio(BAR)),
    })
}

/// A gateway whose database has a key.
fn metered(setting: &Setting<'_>, binary: &Path) -> Result<Metered> {
    let database = setting.scratch.file("tenants.db");
    let catalogue = setting.scratch.file("prices.toml");
    std::fs::write(&catalogue, prices(setting)).doing("write the prices")?;
    let key = outcrop(setting, binary, &database, &KEY)?;
    outcrop(setting, binary, &database, &PROJECT)?;
    Ok(Metered {
        binary: binary.to_owned(),
        database,
        catalogue,
        key,
    })
}

/// A row of the catalogue for each model that is asked.
fn prices(setting: &Setting<'_>) -> String {
    let mut models = BTreeSet::new();
    for work in [&SMALL, &PACED] {
        for divisor in [setting.divisor, 5 * setting.divisor] {
            let plan = work.load(divisor).plan.unwrap_or(Plan::words(0, 0));
            models.insert(plan.model_id());
        }
    }
    let rows = models.iter().map(|id| format!("[[model]]\nid = \"{id}\"\n{PRICES}\n"));
    rows.collect()
}

/// What a command prints.
fn outcrop(setting: &Setting<'_>, binary: &Path, database: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(binary)
        .args(arguments)
        .current_dir(setting.scratch.folder())
        .env_clear()
        .env("HOME", setting.scratch.folder())
        .env("OUTCROP_DATABASE", format!("sqlite:{}", database.display()))
        .output();
    let output = output.doing(format!("run {}", binary.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::Process {
            role: format!("outcrop {}", arguments.join(" ")),
            what: format!("ended with {}", output.status),
            log: said,
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

//! A scenario: three regions, of which one has little quota and one dies in mid-run, and a load that is more than one
//! region's quota and less than all. It is run against three set-ups of the gateway, and against the simulator, whose
//! quotas count as AWS's do. `docs/quotas.md` tells what came of it.

mod client;
mod figures;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use self::client::{Client, Load};
use self::figures::Figures;
use crate::error::{Doing, Error, Result};
use crate::process::{Scratch, Server, free_address};

/// The regions, their models, how much of the load each one's quota has room for, and their latencies in milliseconds.
/// The second dies in mid-run, and the third throttles.
const REGIONS: [(&str, &str, f64, u64); 3] = [
    ("us-east-1", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 0.8, 250),
    ("us-west-2", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 0.55, 350),
    ("eu-west-1", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", 0.06, 450),
];
/// The region that dies.
const DIES: &str = REGIONS[1].0;
/// The first part of its death is resets of connections, the second refusals: shares of the run.
const DIES_AT: f64 = 0.3;
const REFUSES_AT: f64 = 0.35;
const LIVES_AT: f64 = 0.5;
/// The name that clients ask for.
const NAME: &str = "chat";
/// The tenants' keys. The first one sends half of all.
const KEYS: [&str; 5] = [
    "sk-tenant-0",
    "sk-tenant-1",
    "sk-tenant-2",
    "sk-tenant-3",
    "sk-tenant-4",
];

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Options {
    /// The gateway's binary, which plays Bedrock too.
    pub(crate) gateway: PathBuf,
    /// Requests in all.
    pub(crate) requests: u64,
    /// The time over which they are sent.
    pub(crate) seconds: u64,
    /// What quotas are multiplied by, in hundredths.
    pub(crate) quotas: u64,
    /// Names of set-ups; none means all.
    pub(crate) only: Vec<String>,
}

/// How the gateway is set up.
#[derive(Clone, Copy, Debug)]
struct SetUp {
    name: &'static str,
    what: &'static str,
    /// All regions, and an outage; or one, which then lives on.
    regions: bool,
    admission: bool,
    /// Whether the gateway is told the quotas.
    knows_quotas: bool,
    /// Further tries of the client's own.
    client_retries: u32,
}

const SET_UPS: [SetUp; 4] = [
    SetUp {
        name: "one-region",
        what: "one region without an outage, a client with OpenAI's two retries",
        regions: false,
        admission: false,
        knows_quotas: false,
        client_retries: 2,
    },
    SetUp {
        name: "retries",
        what: "three regions, without `admission`",
        regions: true,
        admission: false,
        knows_quotas: false,
        client_retries: 0,
    },
    SetUp {
        name: "learned",
        what: "three regions, `admission` that has to learn the quotas",
        regions: true,
        admission: true,
        knows_quotas: false,
        client_retries: 0,
    },
    SetUp {
        name: "admission",
        what: "three regions, `admission`",
        regions: true,
        admission: true,
        knows_quotas: true,
        client_retries: 0,
    },
];

/// The names of all set-ups.
pub(crate) const NAMES: [&str; 4] = [SET_UPS[0].name, SET_UPS[1].name, SET_UPS[2].name, SET_UPS[3].name];

/// Runs, and prints the table; says whether the gateway that knows the quotas kept to them and nobody saw an error.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let gateway = options
        .gateway
        .canonicalize()
        .doing(format!("find the gateway at {}", options.gateway.display()))?;
    let runtime = tokio::runtime::Runtime::new().doing("start the runtime")?;
    let lasting = Duration::from_secs(options.seconds);
    let load = Load::new(NAME, &KEYS, (options.requests, lasting), options.quotas as f64 / 100.0);
    let mut all = Vec::new();
    for set_up in SET_UPS {
        if options.only.is_empty() || options.only.iter().any(|only| only == set_up.name) {
            eprintln!("running {} for {} s …", set_up.name, options.seconds);
            all.push((set_up, run_one(&runtime, &gateway, &load, set_up)?));
        }
    }
    print!("{}", figures::table(&load, &all));
    let is_kept = |(set_up, figures): &(SetUp, Figures)| {
        !set_up.knows_quotas || (figures.errors() == 0 && figures.throttles_in_hundred() < 1.0)
    };
    Ok(all.iter().all(is_kept))
}

fn run_one(runtime: &tokio::runtime::Runtime, binary: &std::path::Path, load: &Load, set_up: SetUp) -> Result<Figures> {
    let scratch = Scratch::new()?;
    let write = |name: &str, text: String| {
        let path = scratch.file(name);
        std::fs::write(&path, text).doing(format!("write {}", path.display()))?;
        Ok::<_, Error>(path.display().to_string())
    };
    let scenario = write("scenario.toml", "other_regions = true\n".to_owned())?;
    let settings = write("outcrop.toml", settings(load, set_up))?;
    let mut simulator = Server::outcrop(
        &scratch,
        "simulator",
        binary,
        free_address()?,
        &["simulate", "--simulator-scenario", &scenario],
        None,
    )?;
    simulator.wait_until_ok("/_simulator/state")?;
    let bedrock = Some(simulator.address);
    let arguments = ["serve", "--config", &settings];
    let mut gateway = Server::outcrop(&scratch, "gateway", binary, free_address()?, &arguments, bedrock)?;
    gateway.wait_until_ok("/healthz")?;
    let (simulator, gateway) = (simulator.address, gateway.address);
    runtime.block_on(async {
        let client = Client::new();
        for (what, rows) in [("quotas", quotas(load)), ("latencies", latencies())] {
            client.put(simulator, what, &rows).await?;
        }
        // The clock of outages starts here, as that of the load does.
        if set_up.regions {
            client.put(simulator, "outages", &outages(load)).await?;
        }
        let answers = load.send(&client, gateway, set_up.client_retries).await?;
        let state = client.get(simulator, "/_simulator/state").await?;
        Ok::<_, Error>(Figures::new(answers, &state))
    })
}

/// The gateway's settings.
fn settings(load: &Load, set_up: SetUp) -> String {
    let keys = KEYS.map(|key| format!("\"{key}\"")).join(", ");
    let general = format!("api_keys = [{keys}]\nadmission = {}\n", set_up.admission);
    let mut routes = format!("[[routes]]\nname = \"{NAME}\"\nstrategy = \"weighted\"\n");
    let mut quotas = String::new();
    for (region, model, share, _) in REGIONS {
        if set_up.regions || region == DIES {
            routes += &format!("[[routes.targets]]\nmodel = \"{model}\"\nregion = \"{region}\"\n");
        }
        if set_up.knows_quotas {
            let quota = load.quota(share);
            quotas += &format!("[[quotas]]\nregion = \"{region}\"\ntokens_per_minute = {quota}\n");
        }
    }
    general + &routes + &quotas
}

fn quotas(load: &Load) -> serde_json::Value {
    let row = |(region, _, share, _)| json!({"region": region, "tokens_per_minute": load.quota(share)});
    REGIONS.map(row).into_iter().collect()
}

fn latencies() -> serde_json::Value {
    let row = |(region, _, _, latency)| json!({"region": region, "first_byte": format!("{latency}ms"), "pace": "10ms"});
    REGIONS.map(row).into_iter().collect()
}

fn outages(load: &Load) -> serde_json::Value {
    let at = |share: f64| format!("{}ms", load.lasting.mul_f64(share).as_millis());
    let model = "claude";
    json!([
        {"region": DIES, "model": model, "from": at(DIES_AT), "until": at(REFUSES_AT), "kind": "reset"},
        {"region": DIES, "model": model, "from": at(REFUSES_AT), "until": at(LIVES_AT), "kind": "unavailable"},
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_more_than_a_regions_quota_and_less_than_all() {
        let load = Load::new(NAME, &KEYS, (10_000, Duration::from_secs(120)), 1.0);
        let quotas = REGIONS.map(|(_, _, share, _)| load.quota(share));
        let all = load.tokens_a_minute(1.0);
        assert!(quotas.iter().all(|quota| *quota < all), "{quotas:?}");
        assert!(quotas.iter().sum::<u64>() > all, "{quotas:?}");
    }

    #[test]
    fn only_a_set_up_that_knows_them_is_told_the_quotas() {
        let load = Load::new(NAME, &KEYS, (10, Duration::from_secs(1)), 1.0);
        for set_up in SET_UPS {
            let settings = settings(&load, set_up);
            let targets = settings.matches("[[routes.targets]]").count();
            assert_eq!(targets, if set_up.regions { REGIONS.len() } else { 1 }, "{settings}");
            assert_eq!(settings.contains("[[quotas]]"), set_up.knows_quotas, "{settings}");
        }
    }
}

//! The simulator: alone, or behind a gateway of its own.

use std::net::{Ipv4Addr, SocketAddr};

use outcrop_server::Meter;
use outcrop_simulator::{Credential, Scenario, Simulator};
use outcrop_upstream::{Account, StaticCredentials};

use super::{Running, StartError, Task, listen};
use crate::access::Access;
use crate::banner::origin;
use crate::settings::Settings;

/// The region that the simulator is in unless one is set.
pub(crate) const SIMULATED_REGION: &str = "us-east-1";

/// The region that the simulator is in.
pub(crate) fn simulated_region(settings: &Settings) -> String {
    let region = settings.region.as_ref().or_else(|| settings.regions.first());
    region.map_or(SIMULATED_REGION, |region| region.as_str()).to_owned()
}

/// The way to the simulator. Accounts are told apart by their regions alone: there all keys are the simulator's.
pub(super) fn way_to(
    config: outcrop_upstream::Config,
    settings: &Settings,
    endpoint: &str,
) -> outcrop_upstream::Config {
    let credential = Credential::default();
    let accounts = config.accounts.into_iter().map(|account| Account {
        name: account.name,
        region: account.region,
        ..Account::default()
    });
    outcrop_upstream::Config {
        region: Some(simulated_region(settings)),
        runtime_endpoint: Some(endpoint.to_owned()),
        control_endpoint: Some(endpoint.to_owned()),
        agent_runtime_endpoint: Some(endpoint.to_owned()),
        api_key: None,
        credentials: Some(StaticCredentials {
            access_key_id: credential.access_key_id,
            secret_access_key: credential.secret_access_key,
        }),
        accounts: accounts.collect(),
        ..config
    }
}

/// Starts the simulator alone.
///
/// # Errors
/// If the address can't be listened on, or the scenario is not valid.
pub(crate) async fn start_simulator(settings: &Settings) -> Result<Running, StartError> {
    let simulator = Simulator::new(simulator_config(settings)?);
    let (listener, address) = listen(settings.listen, "listen").await?;
    Ok(Running {
        base_url: origin(address),
        api_key: None,
        access: Access::Local,
        region: Some(simulated_region(settings)),
        reload: None,
        server: Task::start(|stop| simulator.serve(listener, stop)),
        simulator: None,
        metrics: None,
        meter: Meter::Off,
    })
}

/// Starts the simulator of a gateway, for all regions.
pub(super) async fn embedded(settings: &Settings) -> Result<(String, Task), StartError> {
    let simulator = Simulator::new(outcrop_simulator::Config {
        // One address stands for each region, as names may choose others.
        other_regions: true,
        ..simulator_config(settings)?
    });
    let (listener, address) = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), "listen").await?;
    Ok((origin(address), Task::start(|stop| simulator.serve(listener, stop))))
}

fn simulator_config(settings: &Settings) -> Result<outcrop_simulator::Config, StartError> {
    let scenario = match &settings.simulator_scenario {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| StartError::ReadScenario {
                path: path.clone(),
                source,
            })?;
            let scenario = Scenario::parse(&text).map_err(|source| StartError::Scenario {
                path: path.clone(),
                source,
            })?;
            Some(scenario)
        }
    };
    Ok(outcrop_simulator::Config {
        region: simulated_region(settings),
        pace: settings.simulator_pace,
        scenario,
        ..outcrop_simulator::Config::default()
    })
}

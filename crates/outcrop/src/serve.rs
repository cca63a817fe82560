//! Starts the gateway, with or without the simulator: the place where all crates are joined.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use outcrop_routing::{Retries, Routing};
use outcrop_server::{Policies, PolicyMembers, Server};
use outcrop_simulator::{Credential, Scenario, ScenarioError, Simulator};
use outcrop_upstream::{Client, ConfigError, StaticCredentials, configured_region};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::banner::origin;
use crate::settings::{Settings, base_guardrail, name_rules};

/// The region that the simulator is in unless one is set.
pub(crate) const SIMULATED_REGION: &str = "us-east-1";

/// Connections that wait to be accepted; the kernel has a limit of its own.
const BACKLOG: u32 = 4096;

/// Why it could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum StartError {
    /// The address can't be listened on.
    #[error("cannot listen on {address}: {source}; `--listen` takes another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// There is no way to Bedrock.
    #[error(transparent)]
    Upstream(#[from] ConfigError),
    /// The scenario can't be read.
    #[error("cannot read the scenario {path}: {source}")]
    ReadScenario {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The scenario makes no sense.
    #[error("the scenario {path} is not valid: {source}")]
    Scenario {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: ScenarioError,
    },
}

/// A server that is running in the background.
pub(crate) struct Running {
    /// `http://127.0.0.1:8080/v1` of a gateway; without the path for the simulator alone.
    pub(crate) base_url: String,
    /// A key that it accepts; `None` if it accepts any.
    pub(crate) api_key: Option<String>,
    /// The AWS region in use.
    pub(crate) region: Option<String>,
    server: Task,
    /// The simulator behind a simulated gateway.
    simulator: Option<Task>,
}

/// Something that serves until it is told to stop.
struct Task {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<io::Result<()>>,
}

impl Task {
    /// Starts what `serve` makes of the signal to stop.
    fn start<F>(serve: impl FnOnce(Box<dyn Future<Output = ()> + Send + Unpin>) -> F) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = Box::pin(async move {
            // A sender that is gone means the same.
            let _ = stopped.await;
        });
        Self {
            stop,
            ended: tokio::spawn(serve(Box::new(stopped))),
        }
    }

    async fn stop(self) {
        let _ = self.stop.send(());
        if let Ok(Err(error)) = self.ended.await {
            tracing::warn!(%error, "the server did not end well");
        }
    }
}

impl Running {
    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// It always is one: a server that wasn't told to stop should not.
    pub(crate) async fn wait(&mut self) -> io::Result<()> {
        let ended = (&mut self.server.ended).await;
        ended.map_err(io::Error::other)??;
        Err(io::Error::other("it ended by itself"))
    }

    /// Accepts no more, lets open streams end within the time that the settings give, then ends them.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
        // The streams needed it until now.
        if let Some(simulator) = self.simulator {
            simulator.stop().await;
        }
    }
}

/// Starts the gateway.
///
/// # Errors
/// If the address can't be listened on, or nothing tells where Bedrock is.
pub(crate) async fn start(settings: &Settings) -> Result<Running, StartError> {
    let (listener, address) = listen(settings.listen).await?;
    let mut upstream = upstream_config(settings);
    let mut simulator = None;
    if settings.simulate {
        let (endpoint, task) = embedded_simulator(settings).await?;
        let credential = Credential::default();
        upstream = outcrop_upstream::Config {
            region: Some(simulated_region(settings)),
            runtime_endpoint: Some(endpoint.clone()),
            control_endpoint: Some(endpoint.clone()),
            agent_runtime_endpoint: Some(endpoint),
            api_key: None,
            credentials: Some(StaticCredentials {
                access_key_id: credential.access_key_id,
                secret_access_key: credential.secret_access_key,
            }),
            ..upstream
        };
        simulator = Some(task);
    } else {
        name_region(&mut upstream, settings).await;
    }
    let client = Client::new(upstream).await?;
    let region = client.region().to_owned();
    let server = Server::new(server_config(settings), client);
    Ok(Running {
        base_url: format!("{}/v1", origin(address)),
        api_key: settings.api_keys.first().map(|key| key.expose().to_owned()),
        region: Some(region),
        server: Task::start(|stop| async move {
            server.serve(listener, stop).await;
            Ok(())
        }),
        simulator,
    })
}

/// Starts the simulator alone.
///
/// # Errors
/// If the address can't be listened on, or the scenario is not valid.
pub(crate) async fn start_simulator(settings: &Settings) -> Result<Running, StartError> {
    let simulator = Simulator::new(simulator_config(settings)?);
    let (listener, address) = listen(settings.listen).await?;
    Ok(Running {
        base_url: origin(address),
        api_key: None,
        region: Some(simulated_region(settings)),
        server: Task::start(|stop| simulator.serve(listener, stop)),
        simulator: None,
    })
}

async fn embedded_simulator(settings: &Settings) -> Result<(String, Task), StartError> {
    let simulator = Simulator::new(outcrop_simulator::Config {
        // One address stands for each region, as names may choose others.
        other_regions: true,
        ..simulator_config(settings)?
    });
    let (listener, address) = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    Ok((origin(address), Task::start(|stop| simulator.serve(listener, stop))))
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // A restart need not wait until the last connections are forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The region that the simulator is in.
pub(crate) fn simulated_region(settings: &Settings) -> String {
    let region = settings.region.as_ref().or_else(|| settings.regions.first());
    region.map_or(SIMULATED_REGION, |region| region.as_str()).to_owned()
}

/// Names the gateway's own region where the settings name only those that are listed: as AWS's variables or the profile
/// say, else the first of them.
pub(crate) async fn name_region(config: &mut outcrop_upstream::Config, settings: &Settings) {
    let (None, Some(first)) = (&config.region, settings.regions.first()) else {
        return;
    };
    let of_aws = configured_region(config).await;
    if let Some(region) = of_aws.as_deref().filter(|region| !is_among(region, settings)) {
        tracing::warn!(
            region,
            "AWS_REGION or the profile names a region that is not among `regions`; it is the gateway's own, and its \
             models come first; `region` names another"
        );
    }
    config.region = of_aws.or_else(|| Some(first.as_str().to_owned()));
}

fn is_among(region: &str, settings: &Settings) -> bool {
    settings.regions.iter().any(|listed| listed.as_str() == region)
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

/// What the settings say of the way to Bedrock.
pub(crate) fn upstream_config(settings: &Settings) -> outcrop_upstream::Config {
    let url = |url: &crate::settings::BaseUrl| url.as_str().to_owned();
    outcrop_upstream::Config {
        region: settings.region.as_ref().map(|region| region.as_str().to_owned()),
        profile: settings.profile.as_ref().map(|profile| profile.as_str().to_owned()),
        runtime_endpoint: settings.endpoint_url.as_ref().map(url),
        control_endpoint: settings.control_endpoint_url.as_ref().map(url),
        agent_runtime_endpoint: settings.agent_runtime_endpoint_url.as_ref().map(url),
        // Unset is not the same as off: AWS's own settings may turn it on.
        use_fips: settings.use_fips.then_some(true),
        use_dual_stack: settings.use_dualstack.then_some(true),
        api_key: settings.bedrock_api_key.as_ref().map(|key| key.expose().to_owned()),
        credentials: None,
        accounts: Vec::new(),
        connect_timeout: *settings.connect_timeout,
        first_byte_timeout: *settings.first_byte_timeout,
        chunk_timeout: *settings.chunk_timeout,
        total_timeout: *settings.total_timeout,
    }
}

/// What the settings say of how requests are treated.
pub(crate) fn policies(settings: &Settings) -> Policies {
    Policies {
        base: PolicyMembers {
            on_unsupported: Some(settings.on_unsupported),
            prompt_caching: Some(settings.prompt_caching),
            guardrail: base_guardrail(settings),
            guardrail_trace: settings.guardrail_trace,
            guardrail_stream_mode: settings.guardrail_stream_mode,
            bedrock_api: settings.bedrock_api,
        },
        rules: settings.policies.iter().map(|table| table.rule.clone()).collect(),
    }
}

/// What the settings say of where calls go.
pub(crate) fn routing(settings: &Settings) -> Routing {
    Routing {
        retries: Retries {
            max_attempts: u32::try_from(settings.max_attempts.get()).unwrap_or(u32::MAX),
            budget: settings.retry_budget.get(),
        },
        ..Routing::default()
    }
}

/// What the settings say of the server.
pub(crate) fn server_config(settings: &Settings) -> outcrop_server::Config {
    outcrop_server::Config {
        api_keys: settings.api_keys.iter().map(|key| key.expose().to_owned()).collect(),
        local_only: !settings.insecure_no_auth,
        body_limit: usize::try_from(settings.body_limit.bytes()).unwrap_or(usize::MAX),
        kept_files_limit: usize::try_from(settings.kept_files_limit.bytes()).unwrap_or(usize::MAX),
        public_url: settings.public_url.as_ref().map(|url| url.as_str().to_owned()),
        header_timeout: *settings.header_timeout,
        body_timeout: *settings.body_timeout,
        send_timeout: *settings.send_timeout,
        answer_timeout: *settings.total_timeout,
        first_byte_timeout: *settings.first_byte_timeout,
        keep_alive_interval: settings.keep_alive_interval,
        shutdown_timeout: settings.shutdown_timeout,
        max_connections: settings.max_connections.get(),
        max_choices: settings.max_choices.get(),
        fetch: outcrop_server::FetchConfig {
            enabled: settings.fetch_urls,
            hosts: settings.fetch_hosts.to_vec(),
            private_networks: settings.fetch_private_networks.to_vec(),
            max_bytes: usize::try_from(settings.fetch_max_bytes.bytes()).unwrap_or(usize::MAX),
            timeout: *settings.fetch_timeout,
            max_redirects: settings.fetch_max_redirects,
            max_concurrent: settings.fetch_concurrency.get(),
        },
        policies: policies(settings),
        model_list_max_age: settings.model_list_max_age,
        regions: settings.regions.iter().map(ToString::to_string).collect(),
        catalogue: Arc::clone(&settings.models),
        names: name_rules(settings),
        routing: routing(settings),
    }
}

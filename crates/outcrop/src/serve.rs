//! Starts the gateway, with or without the simulator: the place where all crates are joined.

mod simulation;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use outcrop_server::{Limits, Meter, Reloader, Server, Tenants};
use outcrop_simulator::ScenarioError;
use outcrop_store::Store;
use outcrop_upstream::{Client, ConfigError, configured_region};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::access::{self, Access, Exposed, OpenFunction};
use crate::banner::origin;
use crate::configs::{server_config, upstream_config};
use crate::database::{self, DatabaseError};
use crate::secrets::{SecretError, Secrets, read_counters};
use crate::settings::Settings;
use crate::usage;

pub(crate) use simulation::{SIMULATED_REGION, simulated_region, start_simulator};

/// Connections that wait to be accepted; the kernel has a limit of its own.
const BACKLOG: u32 = 4096;

/// Why it could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum StartError {
    /// The address can't be listened on.
    #[error("cannot listen on {address}: {source}; `--{flag}` takes another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The flag that names it.
        flag: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// There is no way to Bedrock.
    #[error(transparent)]
    Upstream(#[from] ConfigError),
    /// A secret is not where the settings say.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// There is no database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Others could reach the address without a key.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// Others could reach the function without a key.
    #[error(transparent)]
    OpenFunction(#[from] OpenFunction),
    /// Each instance of a function would have a database of its own.
    #[error(
        "a Lambda function cannot keep its database in a file: each instance would have its own, and lose it; `database` \
         takes a `postgres://` URL or `none`"
    )]
    FileOfFunction,
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
    /// Who may use it.
    pub(crate) access: Access,
    /// The AWS region in use.
    pub(crate) region: Option<String>,
    /// What changes a gateway's settings.
    pub(crate) reload: Option<Reload>,
    server: Task,
    /// The simulator behind a simulated gateway.
    simulator: Option<Task>,
    /// The metrics, where they have an address of their own.
    metrics: Option<Task>,
    /// Where records of usage go.
    meter: Meter,
}

/// What changes a gateway's settings while it serves.
#[derive(Clone)]
pub(crate) struct Reload {
    reloader: Reloader,
    tenants: Arc<Tenants>,
    /// The address of its simulator.
    endpoint: Option<String>,
}

impl Reload {
    /// Whether there are keys besides those of the settings.
    pub(crate) fn has_credentials(&self) -> bool {
        self.tenants.has_credentials()
    }

    /// Serves by other settings from now on.
    ///
    /// # Errors
    /// If nothing tells where Bedrock is, or a secret is not to be had. All stays as it was then.
    pub(crate) async fn run(&self, settings: &Settings) -> Result<(), StartError> {
        let (config, client) = prepare(settings, self.endpoint.as_deref()).await?;
        self.reloader.replace(config, client);
        Ok(())
    }
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

    /// Lets it run to the end of the process.
    fn detach(self) {
        tokio::spawn(async move {
            let _stop = self.stop;
            let _ = self.ended.await;
        });
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
        self.meter.close(usage::PATIENCE).await;
        // What drains is worth watching to the end.
        if let Some(metrics) = self.metrics {
            metrics.stop().await;
        }
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
    let (tenants, store) = tenants(settings).await?;
    let access = access::check(settings, tenants.has_credentials())?;
    let (listener, address) = listen(settings.listen, "listen").await?;
    let joined = join(settings, Arc::clone(&tenants), store, false).await?;
    let Parts { server, meter, .. } = joined.parts;
    let metrics = match settings.metrics_listen {
        Some(address) => Some(serve_metrics(&server, address).await?),
        None => None,
    };
    Ok(Running {
        base_url: format!("{}/v1", origin(address)),
        api_key: joined.api_key,
        access,
        region: Some(joined.region),
        reload: Some(Reload {
            reloader: server.reloader(),
            tenants,
            endpoint: joined.endpoint,
        }),
        server: Task::start(|stop| async move {
            server.serve(listener, stop).await;
            Ok(())
        }),
        simulator: joined.simulator,
        metrics,
        meter,
    })
}

/// What a gateway consists of.
pub(crate) struct Parts {
    pub(crate) server: Server,
    /// Where records of usage go.
    pub(crate) meter: Meter,
    /// The limits of tenants.
    pub(crate) limits: Arc<Limits>,
}

/// Readies the gateway for a Lambda function, which listens nowhere.
///
/// # Errors
/// If nothing tells where Bedrock is, or anyone could use it.
pub(crate) async fn start_function(settings: &Settings) -> Result<Parts, StartError> {
    let (tenants, store) = tenants(settings).await?;
    if store.as_ref().is_some_and(Store::is_file) {
        return Err(StartError::FileOfFunction);
    }
    access::check_function(settings, store.is_some(), tenants.has_credentials())?;
    let joined = join(settings, tenants, store, !settings.insecure_no_auth).await?;
    if let Some(simulator) = joined.simulator {
        simulator.detach();
    }
    Ok(joined.parts)
}

/// A gateway, and what is known of it.
struct Joined {
    parts: Parts,
    api_key: Option<String>,
    region: String,
    simulator: Option<Task>,
    endpoint: Option<String>,
}

/// Joins all crates to a gateway. One that `is_closed` lets nobody in as long as there is no key.
async fn join(
    settings: &Settings,
    tenants: Arc<Tenants>,
    store: Option<Store>,
    is_closed: bool,
) -> Result<Joined, StartError> {
    let mut simulator = None;
    let mut endpoint = None;
    if settings.simulate {
        let (url, task) = simulation::embedded(settings).await?;
        endpoint = Some(url);
        simulator = Some(task);
    }
    let (config, client) = prepare(settings, endpoint.as_deref()).await?;
    let region = client.region().to_owned();
    let api_key = config.api_keys.first().cloned();
    let meter = usage::start(settings, store.as_ref());
    let limits = limits(settings, store, &meter).await?;
    let config = outcrop_server::Config {
        meter: meter.clone(),
        limits: Arc::clone(&limits),
        is_closed,
        ..config
    };
    Ok(Joined {
        parts: Parts {
            server: Server::new(config, client, tenants),
            meter,
            limits,
        },
        api_key,
        region,
        simulator,
        endpoint,
    })
}

/// Serves the metrics at an address of their own.
async fn serve_metrics(server: &Server, address: SocketAddr) -> Result<Task, StartError> {
    let (listener, address) = listen(address, "metrics-listen").await?;
    tracing::info!(url = format!("{}/metrics", origin(address)), "metrics");
    let metrics = server.metrics();
    Ok(Task::start(|stop| async move {
        metrics.serve(listener, stop).await;
        Ok(())
    }))
}

/// Who may call, and what is kept of them. What stands in AWS is read there, as for all secrets.
async fn tenants(settings: &Settings) -> Result<(Arc<Tenants>, Option<Store>), StartError> {
    let mut upstream = upstream_config(settings);
    if !settings.simulate {
        name_region(&mut upstream, settings).await;
    }
    let Some(store) = database::open(settings, &upstream).await? else {
        return Ok((Tenants::none(), None));
    };
    let secret = database::key_secret(settings, &upstream).await?;
    let opened = Tenants::open(store.clone(), secret.as_deref().map(str::as_bytes)).await;
    Ok((opened.map_err(DatabaseError::from)?, Some(store)))
}

/// The limits of tenants, counted as the settings say. They begin with what the database has.
async fn limits(settings: &Settings, store: Option<Store>, meter: &Meter) -> Result<Arc<Limits>, StartError> {
    let mut upstream = upstream_config(settings);
    if !settings.simulate {
        name_region(&mut upstream, settings).await;
    }
    let redis = read_counters(&settings.shared_counters, &upstream).await?;
    let limits = Limits::new(redis.as_ref());
    limits.ready().await;
    if let Some(store) = store {
        limits.follow(store, meter.clone()).await.map_err(DatabaseError::from)?;
    }
    Ok(limits)
}

/// What the server is told, and the way to Bedrock, or to the simulator at `endpoint`.
async fn prepare(settings: &Settings, endpoint: Option<&str>) -> Result<(outcrop_server::Config, Client), StartError> {
    let mut upstream = upstream_config(settings);
    if endpoint.is_none() {
        name_region(&mut upstream, settings).await;
    }
    // The simulator has no secrets of anyone's: those that stand in AWS are read there.
    let secrets = Secrets::read(settings, &upstream).await?;
    match endpoint {
        Some(endpoint) => upstream = simulation::way_to(upstream, settings, endpoint),
        None => upstream.api_key.clone_from(&secrets.bedrock_api_key),
    }
    let client = Client::new(upstream).await?;
    let mut config = server_config(settings, &secrets);
    if let Some(endpoint) = endpoint {
        config.identity.sts_endpoint = Some(endpoint.to_owned());
    }
    Ok((config, client))
}

async fn listen(address: SocketAddr, flag: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, flag, source };
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

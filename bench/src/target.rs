//! What is measured: the gateway, and the proxy beside it. Both get the same bytes; only the path differs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use crate::bodies::{self, Shape};
use crate::check::Expect;
use crate::error::Result;
use crate::load::{Job, Slow};
use crate::plan::Plan;
use crate::process::{KEY, LoadClient, Scratch, Server, free_address};

/// What the stub answers with 200, itself or behind the proxy.
pub(crate) const PROBE: &str = "/foundation-models";

/// How a process under test is started and addressed.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// The bare proxy.
    Proxy,
    /// The gateway, by the path of its binary.
    Gateway(PathBuf),
    /// The gateway that keeps nothing: its one key stands in its settings.
    Keyless(PathBuf),
    /// The gateway with a key of its database, which has limits and budgets, and a record of each request.
    Metered(Metered),
}

/// A gateway with a database.
#[derive(Clone, Debug)]
pub(crate) struct Metered {
    /// Its binary.
    pub(crate) binary: PathBuf,
    /// The file of its database.
    pub(crate) database: PathBuf,
    /// The file with prices for the stub's models.
    pub(crate) catalogue: PathBuf,
    /// The key.
    pub(crate) key: String,
}

/// A load, apart from whom it goes to.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// The request.
    pub(crate) shape: Shape,
    /// The answer: streamed so if given, else whole.
    pub(crate) plan: Option<Plan>,
    /// Connections at once.
    pub(crate) connections: usize,
    /// Requests in all.
    pub(crate) requests: usize,
    /// The time over which the connections are started.
    pub(crate) ramp: Duration,
    /// How slowly the answers are read.
    pub(crate) slow: Option<Slow>,
}

/// A process under test.
#[derive(Debug)]
pub(crate) struct Target {
    kind: Kind,
    /// Its process.
    pub(crate) server: Server,
}

impl Target {
    /// Starts one and waits until it is ready.
    pub(crate) fn start(kind: &Kind, scratch: &Scratch, stub: SocketAddr) -> Result<Self> {
        let mut target = Self::launch(kind, scratch, free_address()?, stub)?;
        let path = match kind {
            Kind::Proxy => PROBE,
            _ => "/healthz",
        };
        target.server.wait_until_ok(path)?;
        Ok(target)
    }

    /// Starts one on `address` without waiting.
    pub(crate) fn launch(kind: &Kind, scratch: &Scratch, address: SocketAddr, stub: SocketAddr) -> Result<Self> {
        let server = match kind {
            Kind::Proxy => Server::role(scratch, "proxy", address, &[format!("--upstream={stub}")])?,
            Kind::Gateway(binary) => Server::gateway(scratch, binary, address, stub, &[])?,
            Kind::Keyless(binary) => Server::gateway(scratch, binary, address, stub, &[("OUTCROP_DATABASE", "none")])?,
            Kind::Metered(metered) => {
                let database = format!("sqlite:{}", metered.database.display());
                let catalogue = metered.catalogue.display().to_string();
                let variables = [("OUTCROP_DATABASE", &*database), ("OUTCROP_CATALOGUE", &*catalogue)];
                Server::gateway(scratch, &metered.binary, address, stub, &variables)?
            }
        };
        Ok(Self {
            kind: kind.clone(),
            server,
        })
    }

    /// Puts a load on it and waits for the end.
    pub(crate) fn load(&self, scratch: &Scratch, load: &Load) -> Result<crate::load::Report> {
        LoadClient::start(scratch, &self.job(load)?)?.finish(self.name())
    }

    /// The load as this target is asked for it.
    pub(crate) fn job(&self, load: &Load) -> Result<Job> {
        let model = match load.shape.model() {
            Some(model) => model.to_owned(),
            None => load.plan.unwrap_or(Plan::words(0, 0)).model_id(),
        };
        let expect = match (&self.kind, load.plan) {
            (_, None) if load.shape == Shape::Painting => Expect::Picture,
            (Kind::Proxy, None) => Expect::Reply,
            (_, None) if matches!(load.shape, Shape::Texts { .. }) => Expect::Vectors(bodies::TEXTS),
            (_, None) => Expect::Reply,
            (Kind::Proxy, Some(plan)) => Expect::Frames(plan.chunks),
            (_, Some(plan)) => Expect::Events(plan.chunks),
        };
        Ok(Job {
            target: self.server.address,
            path: path(&self.kind, load.shape, &model, load.plan.is_some()),
            body: Bytes::from(bodies::request(load.shape, &model, load.plan.is_some())?),
            key: match &self.kind {
                Kind::Metered(metered) => metered.key.clone(),
                _ => KEY.to_owned(),
            },
            connections: load.connections,
            requests: load.requests,
            ramp: load.ramp,
            expect,
            slow: load.slow,
            time_limit: Duration::from_secs(120),
        })
    }

    /// What to call it in messages.
    pub(crate) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Proxy => "proxy",
            Kind::Gateway(_) | Kind::Keyless(_) | Kind::Metered(_) => "gateway",
        }
    }
}

/// Where a request goes.
pub(crate) fn path(kind: &Kind, shape: Shape, model: &str, stream: bool) -> String {
    match kind {
        Kind::Gateway(_) | Kind::Keyless(_) | Kind::Metered(_) => match shape {
            Shape::Painting => "/v1/images/generations",
            Shape::Texts { .. } => "/v1/embeddings",
            Shape::Models => "/v1/models",
            _ => "/v1/chat/completions",
        }
        .to_owned(),
        // What the gateway's list is made of.
        Kind::Proxy if shape == Shape::Models => PROBE.to_owned(),
        Kind::Proxy => {
            let operation = match (shape, stream) {
                (Shape::Painting | Shape::Texts { .. }, _) => "invoke",
                (_, true) => "converse-stream",
                (_, false) => "converse",
            };
            format!("/model/{}/{operation}", model.replace(':', "%3A"))
        }
    }
}

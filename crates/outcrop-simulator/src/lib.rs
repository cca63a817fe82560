//! A strict Bedrock to run offline.
//!
//! It speaks bedrock-runtime's `Converse`, `InvokeModel`, both also streamed, `CountTokens`, `ApplyGuardrail`,
//! `InvokeGuardrailChecks` and OpenAI's chat completions, bedrock-agent-runtime's `Rerank`, and bedrock's lists of models, inference profiles and all else that can be called by an ARN, over HTTP as AWS does: it
//! recomputes signatures, checks bodies against AWS's published service
//! model, refuses what AWS refuses, and streams real event frames. What it answers is deterministic, and can be
//! scripted by a [`Scenario`] or by markers in the prompt; `docs/simulator.md` lists them.
//!
//! Around it stand STS, the places where machines find credentials, Secrets Manager, Systems Manager's parameters and
//! Service Quotas, as far as callers of Bedrock need them; quotas, latencies and outages can be set for each region.
//!
//! It knows nothing of the gateway, on purpose: two sides that share a type share its typo.

mod access;
mod answer;
mod body;
mod converse;
mod count_tokens;
mod created;
mod exchange;
mod foundation_models;
mod frames;
mod guardrail;
mod inference_profiles;
mod introspection;
mod invoke;
mod ledger;
mod lookups;
mod models;
mod page;
mod path;
mod prompt_cache;
mod query;
mod refusal;
mod regions;
mod rerank;
mod resources;
mod route;
mod rules;
mod script;
mod server;
mod services;
mod shapes;
mod signature;
mod socket;
mod state;
mod tokens;
mod uri;
mod validate;
mod visit;
mod world;

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::models::{ACCOUNT, OTHER_ACCOUNT};

pub use crate::script::{Action, ActionError, Fault, Rule, Scenario, ScenarioError};
pub use crate::world::{Latency, Outage, OutageKind, Parameter, Quota, Role, Secret};

/// How a [`Simulator`] is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// The region it plays; a signature for another one is refused, and the inference profiles follow from it.
    pub region: String,
    /// Whether it plays each other region too, for whoever signs for it.
    pub other_regions: bool,
    /// The credentials it knows.
    pub credentials: Vec<Credential>,
    /// The Bedrock API keys (`Authorization: Bearer …`) it knows; those of its own account, 123456789012.
    pub api_keys: Vec<String>,
    /// API keys of other accounts, each with its account.
    pub foreign_api_keys: Vec<(String, String)>,
    /// The time between two chunks of a stream.
    pub pace: Duration,
    /// The time before the first byte of an answer.
    pub first_byte: Duration,
    /// What to do on which call, besides what markers in the prompt ask for.
    pub scenario: Option<Scenario>,
}

impl Default for Config {
    /// `us-east-1`; a plain credential, one with a session token, one that has expired, one that may only call
    /// models, one of another account; an API key of each account; a chunk each 15 ms, and no wait before the first.
    fn default() -> Config {
        Config {
            region: "us-east-1".to_owned(),
            other_regions: false,
            credentials: vec![
                Credential::default(),
                Credential::session(),
                Credential::expired(),
                Credential::runtime_only(),
                Credential::of_another_account(),
            ],
            api_keys: vec!["bedrock-api-key-simulator".to_owned()],
            foreign_api_keys: vec![("bedrock-api-key-simulator-other".to_owned(), OTHER_ACCOUNT.to_owned())],
            pace: Duration::from_millis(15),
            first_byte: Duration::ZERO,
            scenario: None,
        }
    }
}

/// A pair of AWS keys that the simulator knows.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The public half, as it stands in the signature.
    pub access_key_id: String,
    /// The secret half. Nothing real ever belongs here.
    pub secret_access_key: String,
    /// If given, a request must carry it as `x-amz-security-token`.
    pub session_token: Option<String>,
    /// If set, a request signed with it is answered with `ExpiredTokenException`.
    pub expired: bool,
    /// If set, it may call models but not look them up: the control plane answers with `AccessDeniedException`.
    pub runtime_only: bool,
    /// The account that it belongs to.
    pub account: String,
}

impl Default for Credential {
    /// The pair that needs no set-up: `AKIDSIMULATOR0000000` and `simulator-secret-access-key`.
    fn default() -> Credential {
        Credential {
            access_key_id: "AKIDSIMULATOR0000000".to_owned(),
            secret_access_key: "simulator-secret-access-key".to_owned(),
            session_token: None,
            expired: false,
            runtime_only: false,
            account: ACCOUNT.to_owned(),
        }
    }
}

impl Credential {
    fn session() -> Credential {
        Credential {
            access_key_id: "ASIASIMULATORSESSION".to_owned(),
            session_token: Some("simulator-session-token".to_owned()),
            ..Credential::default()
        }
    }

    fn expired() -> Credential {
        Credential {
            access_key_id: "ASIASIMULATOREXPIRED".to_owned(),
            session_token: Some("simulator-expired-token".to_owned()),
            expired: true,
            ..Credential::default()
        }
    }

    fn runtime_only() -> Credential {
        Credential {
            access_key_id: "AKIDSIMULATORRUNTIME".to_owned(),
            runtime_only: true,
            ..Credential::default()
        }
    }

    fn of_another_account() -> Credential {
        Credential {
            access_key_id: "AKIDSIMULATOROTHER00".to_owned(),
            account: OTHER_ACCOUNT.to_owned(),
            ..Credential::default()
        }
    }
}

/// A Bedrock to run offline.
pub struct Simulator {
    config: Config,
}

impl Simulator {
    /// A simulator that isn't listening yet.
    pub fn new(config: Config) -> Simulator {
        Simulator { config }
    }

    /// Answers connections on `listener` (HTTP/1.1 and HTTP/2 without TLS) until `shutdown` ends.
    ///
    /// Connections still open then are closed at once: who wants a stream to end first, waits for it first.
    ///
    /// # Errors
    ///
    /// When the listener can't accept any more, and no passing lack of resources is to blame.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        server::serve(self.config, listener, shutdown).await
    }
}

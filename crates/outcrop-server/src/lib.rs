//! The HTTP server: routes, access, the exchange of one request, errors as clients see them.
//!
//! [`Server`] listens; `routes` is the table of what it answers; `exchange` is the life of one request, line by line.

mod access;
mod admin;
mod admission;
mod body;
mod caller;
mod config;
mod connection;
mod ends;
mod error;
mod event_body;
mod exchange;
mod explain;
mod fetch;
mod form;
mod framing;
mod handed;
mod health;
pub mod iam;
mod identity;
mod inquiry;
mod learned;
mod limits;
mod login;
mod mappings;
mod meter;
mod metrics;
mod models;
mod names;
mod openapi;
mod policy;
mod record;
mod refusal;
mod request_id;
mod response_cache;
mod rounds;
mod routes;
mod routing;
mod server;
mod shelf;
mod task;
mod tenants;
mod unserved;
mod usage;

pub use axum::body::Body;
pub use config::Config;
pub use explain::{DryRun, Refused};
pub use fetch::{FetchConfig, HostPattern, Network};
pub use handed::{Handed, KeptAnswers};
pub use identity::{
    ForwardedIdentity, IamReplay, IdentityConfig, Issuer, JwtAlgorithm, arn_of_request_context, is_trustworthy,
};
pub use limits::Limits;
pub use login::REQUEST_AWS_PARAMETERS;
pub use mappings::mapping;
pub use meter::Meter;
pub use metrics::emf::EmfConfig;
pub use outcrop_translate::resolve::{Alias, NameRules};
pub use outcrop_translate::{Catalogue, CatalogueError, Problem, ProblemKind, catalogue, resolve};
pub use policy::{
    Api, Guardrail, GuardrailChoice, ModelPattern, OnUnsupported, Policies, Policy, PolicyMembers, PolicyRule,
    PromptCaching, StreamMode, Trace,
};
pub use response_cache::{CacheConfig, CacheStore, RedisUrl};
pub use routing::{RouteView, Wanted};
pub use server::{MetricsServer, Reloader, Server};
pub use tenants::Tenants;

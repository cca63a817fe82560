//! The kinds of settings, a file for each group.

mod aliases;
mod aws;
mod counters;
mod database;
mod emf;
mod identity;
mod key;
mod list;
mod log;
mod model;
mod net;
mod number;
mod policy;
mod reference;
mod routing;
mod size;
mod time;
mod words;

pub(crate) use aliases::Aliases;
pub(crate) use aws::{Profile, Region};
pub(crate) use counters::SharedCounters;
pub(crate) use database::Database;
pub(crate) use emf::{Emf, MetricNamespace};
pub(crate) use identity::{Audience, GatewayName, TokenAlgorithm, UpTo};
pub(crate) use key::ApiKey;
pub(crate) use list::{AwsParameter, List};
pub(crate) use log::{LogFilter, LogFormat};
pub(crate) use model::{EmbeddingModelName, ModelName};
pub(crate) use net::BaseUrl;
pub(crate) use number::Ratio;
pub(crate) use policy::{GuardrailId, GuardrailVersion};
pub(crate) use reference::{PlainValue, SecretValue, written};
pub(crate) use routing::{Label, ResponseCache, RoutePrefix};
pub(crate) use size::ByteSize;
pub(crate) use time::Timeout;

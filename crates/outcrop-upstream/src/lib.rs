//! The way to Bedrock: credentials, signatures, endpoints, time limits, retries, and the stream of events that comes
//! back.
//!
//! This crate knows the wire and nothing of the protocols that clients speak.

mod account;
mod adopt;
mod answer;
mod auth;
mod aws;
mod aws_json;
mod body;
mod client;
mod config;
mod connection;
mod connector;
mod control;
mod credentials;
mod endpoint;
mod error;
mod fetch;
mod identity;
mod lists;
mod login;
mod place;
mod pool;
mod presign;
mod proxy;
mod quotas;
mod roles;
mod sdk;
mod sign;
mod stream;
mod sts;
mod trust;
mod values;

#[cfg(test)]
mod tests;

pub use account::{Account, Value};
pub use client::{Client, Description, Limits, Reply, ReplyBody};
pub use config::{Config, ConfigError, StaticCredentials};
pub use control::BehindArn;
pub use error::{Error, Failure};
pub use lists::{
    CustomModel, CustomModelDeployment, FoundationModel, ImportedModel, InferenceProfile, Listed, ModelLifecycle,
    ProfileModel, ProvisionedModel,
};
pub use presign::{PresignError, presigned_identity};
pub use quotas::ServiceQuota;
pub use roles::AssumedRole;
pub use sdk::configured_region;
pub use sign::{Signer, SigningCredentials};
pub use stream::{EventStream, RawEvent};
pub use sts::CallerIdentity;
pub use values::{ValueError, read_value};

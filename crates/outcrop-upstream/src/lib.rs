//! The way to Bedrock: credentials, signatures, endpoints, time limits, retries, and the stream of events that comes
//! back.
//!
//! This crate knows the wire and nothing of the protocols that clients speak.

mod account;
mod auth;
mod body;
mod client;
mod config;
mod control;
mod credentials;
mod endpoint;
mod error;
mod lists;
mod place;
mod pool;
mod sign;
mod stream;

pub use account::{Account, Value};
pub use client::{Client, Description, Limits, Reply, ReplyBody, configured_region};
pub use config::{Config, ConfigError, StaticCredentials};
pub use control::BehindArn;
pub use error::{Error, Failure};
pub use lists::{
    CustomModel, CustomModelDeployment, FoundationModel, ImportedModel, InferenceProfile, Listed, ModelLifecycle,
    ProfileModel, ProvisionedModel,
};
pub use sign::{Signer, SigningCredentials};
pub use stream::{EventStream, RawEvent};

//! Everything that can be set. [`table`] says what there is; flags, environment, file keys, defaults, help, the JSON
//! Schema and the reference page all derive from it. [`load`] turns what the user wrote into a [`Settings`] in which
//! nothing is invalid any more.

mod accounts;
mod docs;
mod file;
mod gateway_variables;
mod issuers;
mod kind;
mod kinds;
mod layers;
mod load;
mod models;
mod nearest;
mod parameters;
mod policies;
mod print;
mod problem;
mod quotas;
mod routes;
mod routing;
mod rows;
mod schema;
mod setting;
mod table;

pub(crate) use docs::reference;
pub(crate) use kind::{Kind, Raw, RawTable, Shape};
pub(crate) use kinds::{
    ApiKey, BaseUrl, Database, Emf, LambdaResponse, LogFilter, LogFormat, ModelName, ResponseCache, SharedCounters,
    Timeout, written,
};
pub(crate) use layers::Origin;
pub(crate) use load::{
    Given, Loaded, catalogue_file, check_converted, check_text, config_file, listen, load, of_other_gateways,
};
pub(crate) use models::name_rules;
pub(crate) use nearest::nearest;
pub(crate) use outcrop_server::resolve::NamePattern;
pub(crate) use parameters::unquoted;
pub(crate) use policies::base_guardrail;
pub(crate) use print::print;
pub(crate) use problem::Problems;
pub(crate) use routing::RawTables;
pub(crate) use rows::{inline, key as toml_key};
pub(crate) use schema::schema;
pub(crate) use table::{SETTINGS, Setting, Settings};

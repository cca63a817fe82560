//! The commands for tenants, keys, budgets and usage, each on a database of its own.

mod keys;
mod page;
mod tenants;
mod usage;

use std::process::Command;

use outcrop_store::{Location, Store};
use outcrop_tenants::{TokenCounts, UsageRecord};
use serde_json::Value;

use crate::run::{Place, Ran, finish};

/// A folder with a database in it, which comes with the first command.
pub(crate) struct Office(Place);

impl Office {
    pub(crate) fn new(name: &str) -> Self {
        Self(Place::new(name))
    }

    pub(crate) fn with(self, name: &str, text: &str) -> Self {
        Self(self.0.with(name, text))
    }

    /// The binary as Ann runs it.
    pub(crate) fn outcrop(&self, arguments: &[&str]) -> Command {
        let mut command = self.0.outcrop(arguments);
        command.env("OUTCROP_DATABASE", "sqlite:outcrop.db").env("USER", "ann");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        finish(&mut self.outcrop(arguments))
    }

    /// What it prints, where it must not fail.
    pub(crate) fn printed(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.status, 0, "{arguments:?} {ran:?}");
        ran.stdout
    }

    /// The same, as JSON: what a pipe gets.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.printed(arguments)).unwrap()
    }

    /// What it says where it must fail.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{arguments:?} {ran:?}");
        ran.stderr
    }

    /// A new key, and what is kept of it.
    pub(crate) fn key(&self, arguments: &[&str]) -> (String, Value) {
        let view = self.json(&[&["keys", "create", "--json"], arguments].concat());
        (view["key"].as_str().unwrap().to_owned(), view)
    }

    /// Has somebody ask a model by a key, as a gateway would note it.
    pub(crate) fn ask(&self, key: &Value, id: u32, at: i64, user: &str, dollars: &str) {
        let text = |name: &str| key[name].as_str().map(ToOwned::to_owned);
        let record = UsageRecord {
            id: format!("{id:032x}"),
            at: at * 1000,
            organization_id: text("organization_id"),
            project_id: text("project_id"),
            key_id: text("id"),
            user: user.to_owned(),
            endpoint: "/v1/chat/completions".to_owned(),
            operation: "completions".to_owned(),
            model: "nova".to_owned(),
            base_model: "amazon.nova-lite-v1:0".to_owned(),
            tokens: TokenCounts {
                input: 1200,
                output: 300,
                ..TokenCounts::default()
            },
            cost: Some(dollars.parse().unwrap()),
            outcome: "completed".to_owned(),
            status: 200,
            ..UsageRecord::default()
        };
        let path = self.0.path("outcrop.db");
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let store = Store::open(&Location::Sqlite(path)).await.unwrap();
            store.add_usage(&[record]).await.unwrap();
            store.close().await;
        });
    }
}

pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

//! `[[quotas]]`: what is known of AWS's quotas.

use std::num::NonZeroU64;

use outcrop_routing::QuotaRule;

use super::accounts::{AccountTable, named, unknown_account};
use super::kind::{Kind, RawTable};
use super::kinds::{Label, Region};
use super::layers::Origin;
use super::problem::Problems;
use super::rows::{Key, Reader, Shown};

/// The key in the file.
pub(super) const QUOTAS: &str = "quotas";

/// The keys of a table.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "model",
        about: "The models as Bedrock calls them (ids and profiles), with `*` for any text; all if absent.",
        schema: <Label as Kind>::schema,
    },
    Key {
        name: "region",
        about: "The region; each if absent.",
        schema: <Region as Kind>::schema,
    },
    Key {
        name: "account",
        about: "The account, by its name; each if absent.",
        schema: <Label as Kind>::schema,
    },
    Key {
        name: "requests_per_minute",
        about: "Requests a minute.",
        schema: <NonZeroU64 as Kind>::schema,
    },
    Key {
        name: "tokens_per_minute",
        about: "Tokens a minute.",
        schema: <NonZeroU64 as Kind>::schema,
    },
    Key {
        name: "tokens_per_day",
        about: "Tokens a day.",
        schema: <NonZeroU64 as Kind>::schema,
    },
];

/// One table, in order.
#[derive(Clone, Debug)]
pub(crate) struct QuotaTable {
    /// For the ledger.
    pub(crate) rule: QuotaRule,
    pub(super) shown: Shown,
    pub(super) origin: Origin,
}

/// Reads one table.
pub(super) fn read(table: &RawTable, problems: &mut Problems) -> QuotaTable {
    let mut reader = Reader::new(QUOTAS, table, KEYS, problems);
    let rule = QuotaRule {
        model: reader.take::<Label>("model").map(Label::into_string),
        region: reader.take::<Region>("region").map(|region| region.to_string()),
        account: reader.take::<Label>("account").map(Label::into_string),
        requests_per_minute: reader.take::<NonZeroU64>("requests_per_minute").map(NonZeroU64::get),
        tokens_per_minute: reader.take::<NonZeroU64>("tokens_per_minute").map(NonZeroU64::get),
        tokens_per_day: reader.take::<NonZeroU64>("tokens_per_day").map(NonZeroU64::get),
    };
    let numbers = ["requests_per_minute", "tokens_per_minute", "tokens_per_day"];
    if !numbers.iter().any(|name| reader.has(name)) {
        let message = "quotas: a table needs requests_per_minute, tokens_per_minute or tokens_per_day";
        reader.problems.add(table.origin.clone(), message);
    }
    QuotaTable {
        rule,
        shown: reader.shown,
        origin: table.origin.clone(),
    }
}

/// What can only be seen with all accounts.
pub(super) fn check_all(tables: &[QuotaTable], accounts: &[AccountTable], problems: &mut Problems) {
    for table in tables {
        if let Some(account) = table
            .rule
            .account
            .as_ref()
            .filter(|name| named(accounts, name).is_none())
        {
            problems.add(
                table.origin.clone(),
                format!("quotas.account: {}", unknown_account(accounts, account)),
            );
        }
    }
}

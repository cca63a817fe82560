//! What one request leaves behind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Id, Money};

/// Tokens of one request, and what else is paid for. The kinds of input don't overlap: what was read is their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenCounts {
    /// Read, and not found in the cache.
    pub input: u64,
    /// Written; reasoning included.
    pub output: u64,
    /// Found in the cache.
    pub cache_read: u64,
    /// Put into the cache for five minutes.
    pub cache_write: u64,
    /// Put into the cache for an hour.
    pub cache_write_1h: u64,
    /// What of the output is reasoning, where it is told.
    pub reasoning: u64,
    /// Images made.
    pub images: u64,
    /// Search units, of ranking.
    pub searches: u64,
}

/// How well the tokens are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Estimate {
    /// As Bedrock has told.
    #[default]
    Exact,
    /// The answer broke off before Bedrock told: what was sent and read is estimated.
    Estimated,
}

/// What one request leaves behind. Where a text is empty, it isn't known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UsageRecord {
    /// Its own id, by which a record that is written twice counts once: 32 hexadecimal digits.
    pub id: String,
    /// The id that the client was told.
    pub request_id: String,
    /// The ids that AWS gave.
    pub aws_request_id: String,
    /// When the request ended, in milliseconds since 1970.
    pub at: i64,
    /// The organization.
    pub organization_id: Option<Id>,
    /// The project.
    pub project_id: Option<Id>,
    /// The key or login.
    pub key_id: Option<Id>,
    /// Who: the member `user` or `safety_identifier` of the request, else the key's, else the identity that logged in.
    pub user: String,
    /// The endpoint: `/v1/chat/completions`.
    pub endpoint: String,
    /// What OpenAI's usage API counts it as: `completions`, `embeddings`, `images`, `moderations`, `rerank`.
    pub operation: String,
    /// The model as the client named it.
    pub model: String,
    /// The id that Bedrock was asked by.
    pub called_model: String,
    /// The catalogue's name for it.
    pub base_model: String,
    /// The region.
    pub region: String,
    /// The account of the settings; empty for the gateway's own, and [`CLIENTS_ACCOUNT`](Self::CLIENTS_ACCOUNT) for one
    /// that the client brought.
    pub account: String,
    /// Bedrock's API: `converse`, `invoke`, `openai`.
    pub route: String,
    /// The service tier: `default`, `flex`, `priority`, `reserved`.
    pub tier: String,
    /// Whether the answer was streamed.
    pub is_stream: bool,
    /// Tokens.
    pub tokens: TokenCounts,
    /// How well they are known.
    pub estimate: Estimate,
    /// What it cost; `None` where there is no price.
    pub cost: Option<Money>,
    /// What it would have cost more without Bedrock's prompt cache; less than nothing where writing cost more than
    /// reading saved.
    pub cache_savings: Money,
    /// HTTP status.
    pub status: u16,
    /// How it ended: `completed`, `failed`, `client_left`.
    pub outcome: String,
    /// The error's code; empty if there was none.
    pub error_type: String,
    /// Tries of all calls.
    pub attempts: u32,
    /// Whether the answer was the gateway's own cache's.
    pub is_cache_hit: bool,
    /// Milliseconds to the first byte of the answer.
    pub first_byte_ms: Option<u64>,
    /// Milliseconds in all.
    pub duration_ms: u64,
    /// Metadata of organization, project and key.
    pub metadata: BTreeMap<String, String>,
}

impl UsageRecord {
    /// The account of calls that were made with AWS credentials of the client's own. No account of the settings has this
    /// name.
    pub const CLIENTS_ACCOUNT: &str = "request";

    /// Whether somebody else pays AWS for it than whoever runs the gateway. Then it counts in no budget.
    #[must_use]
    pub fn is_paid_by_client(&self) -> bool {
        self.account == Self::CLIENTS_ACCOUNT
    }
}

impl TokenCounts {
    /// Whether there is nothing to pay for.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// All that was read.
    #[must_use]
    pub fn all_input(&self) -> u64 {
        self.input
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write)
            .saturating_add(self.cache_write_1h)
    }
}

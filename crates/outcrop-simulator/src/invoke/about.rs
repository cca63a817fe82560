//! What an answer in a family's own words tells beside its content.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_types::base64;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::converse::{Block, Reply};
use crate::models::Target;
use crate::prompt_cache::Cached;

/// An answer's circumstances.
#[derive(Clone, Debug)]
pub(super) struct About {
    /// The model's own id.
    pub(super) model: String,
    /// Letters and digits that follow from the request, for ids.
    pub(super) id: String,
    /// Seconds since 1970.
    pub(super) created: u64,
    /// What was asked, in the family's own words.
    pub(super) body: Value,
    pub(super) usage: Usage,
    /// The stop sequence that ended it.
    pub(super) stop_sequence: Option<String>,
}

/// How many tokens were used.
#[derive(Clone, Debug)]
pub(super) struct Usage {
    /// Without what went through a cache.
    pub(super) input: u64,
    pub(super) output: u64,
    /// How much of the output is reasoning.
    pub(super) thinking: u64,
    pub(super) cached: Option<Cached>,
}

impl About {
    pub(super) fn new(target: &Target, raw: &[u8], body: Value, reply: &Reply) -> About {
        let hash = base64::encode(digest(&SHA256, raw)).replace(['+', '/', '='], "x");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let usage = match reply.asked {
            true => Usage {
                input: reply.input_tokens,
                output: reply.output_tokens.max(1),
                thinking: reply.blocks.iter().map(Block::thinking_tokens).sum(),
                cached: reply.cached.clone(),
            },
            false => Usage {
                input: 0,
                output: 0,
                thinking: 0,
                cached: None,
            },
        };
        About {
            model: target.model.id.clone(),
            id: hash[..24].to_owned(),
            created: now.as_secs(),
            body,
            usage,
            stop_sequence: reply.stop_sequence.clone(),
        }
    }
}

impl Usage {
    /// All that was read, cached or not, for those who count it as one.
    pub(super) fn all_input(&self) -> u64 {
        self.input + self.cached.as_ref().map_or(0, |cached| cached.read + cached.written)
    }
}

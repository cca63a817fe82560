//! The signatures of Claude's reasoning: made here, and recognised when they come back.

use aws_smithy_types::base64;
use ring::digest::{SHA256, digest};

/// The signature of a reasoning text.
pub(crate) fn of(reasoning: &str) -> String {
    base64::encode(digest(&SHA256, format!("simulator\n{reasoning}").as_bytes()))
}

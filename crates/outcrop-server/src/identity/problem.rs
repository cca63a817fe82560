//! Refusals, in words that never repeat what was shown.

use outcrop_translate::{Problem, ProblemKind};

/// 401 with a code.
pub(super) fn refusal(message: impl Into<String>, code: &'static str) -> Problem {
    Problem::new(401, ProblemKind::Authentication, message).with_code(code)
}

/// A token that is none, or not to be believed.
pub(super) fn invalid_token(what: &str) -> Problem {
    refusal(format!("The token can't be accepted: {what}."), "invalid_token")
}

/// Somebody who is known, and nobody here.
pub(super) fn forbidden(message: impl Into<String>, code: &'static str) -> Problem {
    Problem::new(403, ProblemKind::Permission, message).with_code(code)
}

/// Who could tell who somebody is can't be asked.
pub(super) fn unavailable(message: &str) -> Problem {
    let mut problem = Problem::new(503, ProblemKind::Server, message).with_code("identity_unavailable");
    problem.retry_after_seconds = Some(1);
    problem
}

//! What goes wrong, as administrators are told.

use outcrop_store::StoreError;
use outcrop_tenants::validate::Fault;
use outcrop_translate::{Problem, ProblemKind};

/// A member that is wrong.
pub(super) fn of_fault(fault: Fault) -> Problem {
    if fault.path.is_empty() {
        return Problem::invalid(format!("Invalid request: the body {}.", fault.message)).with_code("invalid_value");
    }
    let message = format!("Invalid value: '{}' {}.", fault.path, fault.message);
    Problem::invalid(message)
        .with_code("invalid_value")
        .with_param(fault.path)
}

/// A member that is wrong, by its name.
pub(super) fn invalid(member: &str, what: impl Into<String>) -> Problem {
    of_fault(Fault::new(member, what))
}

/// Something that isn't there.
pub(super) fn not_found(kind: &'static str, id: &str) -> Problem {
    let shown: String = id.chars().take(256).collect();
    let message = format!("There is no {kind} '{shown}'.");
    Problem::new(404, ProblemKind::InvalidRequest, message).with_code("not_found")
}

/// Something that stands in the way.
pub(super) fn conflict(message: impl Into<String>, code: &'static str) -> Problem {
    Problem::new(409, ProblemKind::InvalidRequest, message).with_code(code)
}

/// There is nothing to administer.
pub(super) fn no_database() -> Problem {
    let message = "This gateway keeps no tenants: its setting `database` is 'none'.";
    Problem::new(503, ProblemKind::Server, message).with_code("no_database")
}

/// What the database says.
pub(super) fn of_store(error: StoreError) -> Problem {
    match error {
        StoreError::NotFound { kind, id } => not_found(kind, &id),
        StoreError::Taken { .. } => conflict(sentence(&error), "name_taken").with_param("name"),
        StoreError::Conflict { .. } => conflict(sentence(&error), "conflict"),
        StoreError::Cursor(_) => invalid("after", "is not the end of a page of this list"),
        error if error.is_temporary() => {
            tracing::error!(%error, "the database doesn't answer an administrator");
            let message = "The database does not answer; try again.";
            let mut problem = Problem::new(503, ProblemKind::Server, message).with_code("database_unavailable");
            problem.retry_after_seconds = Some(1);
            problem
        }
        error => {
            tracing::error!(%error, "the database has failed an administrator");
            let message = "The database has failed; the gateway's log says how.";
            Problem::new(500, ProblemKind::Server, message).with_code("database_failed")
        }
    }
}

/// With a capital letter and a full stop.
fn sentence(error: &StoreError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

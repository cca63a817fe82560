//! What is wrong with the settings, all of it at once.

use std::collections::BTreeSet;
use std::fmt;

use super::layers::Origin;

/// Problems, each with where it is. Never empty once returned as an error, and never holds a secret.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

#[derive(Debug)]
struct Problem {
    origin: Origin,
    message: String,
}

impl Problems {
    /// Adds one.
    pub(crate) fn add(&mut self, origin: Origin, message: impl Into<String>) {
        self.0.push(Problem {
            origin,
            message: message.into(),
        });
    }

    /// Adds all of another list.
    pub(super) fn extend(&mut self, others: Problems) {
        self.0.extend(others.0);
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each once, in the order in which a reader fixes them: the file from top to bottom, then the variables, then the
    /// flags.
    pub(super) fn sorted(mut self) -> Self {
        // What YAML's aliases repeat is one mistake.
        let mut told = BTreeSet::new();
        self.0
            .retain(|problem| told.insert((problem.origin.clone(), problem.message.clone())));
        self.0.sort_by(|a, b| a.origin.cmp(&b.origin));
        self
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { origin, message }) in self.0.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{origin}: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

//! Where a value stands in a request body, in the three ways in which AWS's messages put it.

use std::fmt::Write as _;

/// A path from the body's root, grown and cut back while walking.
#[derive(Clone, Debug, Default)]
pub(crate) struct Path {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Index(usize),
    Entry(String),
}

impl Path {
    pub(crate) fn member(&mut self, name: &str) {
        self.steps.push(Step::Member(name.to_owned()));
    }

    pub(crate) fn index(&mut self, index: usize) {
        self.steps.push(Step::Index(index));
    }

    pub(crate) fn entry(&mut self, key: &str) {
        self.steps.push(Step::Entry(key.to_owned()));
    }

    pub(crate) fn pop(&mut self) {
        self.steps.pop();
    }

    /// `messages.0.content.1`, as Bedrock's own checks put it.
    pub(crate) fn dotted(&self) -> String {
        let names = self.steps.iter().map(|step| match step {
            Step::Member(name) | Step::Entry(name) => name.clone(),
            Step::Index(index) => index.to_string(),
        });
        names.collect::<Vec<_>>().join(".")
    }

    /// `messages.1.member.content.2.member`, counted from one, as the framework in front of Bedrock puts it.
    pub(crate) fn coral(&self) -> String {
        let names = self.steps.iter().map(|step| match step {
            Step::Member(name) => name.clone(),
            Step::Index(index) => format!("{}.member", index + 1),
            Step::Entry(key) => format!("{key}.member"),
        });
        names.collect::<Vec<_>>().join(".")
    }

    /// `#/messages/0/content/1`, a JSON pointer.
    pub(crate) fn pointer(&self) -> String {
        let mut out = "#".to_owned();
        for step in &self.steps {
            // Writing to a String can't fail.
            let _ = match step {
                Step::Member(name) | Step::Entry(name) => write!(out, "/{name}"),
                Step::Index(index) => write!(out, "/{index}"),
            };
        }
        out
    }
}

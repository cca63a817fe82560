//! Files that answers only name: kept for a while, and served.

use http::request::Parts;
use outcrop_translate::{File, Problem, Shelf};

use crate::exchange::Gateway;

/// Keeps the files of one request's answer.
pub(crate) struct RequestShelf;

impl RequestShelf {
    pub(crate) fn new(_gateway: &Gateway, _head: &Parts) -> Self {
        Self
    }
}

impl Shelf for RequestShelf {
    fn keep(&self, _file: File) -> Result<String, Problem> {
        Err(Problem::invalid("Files can't be kept here."))
    }
}

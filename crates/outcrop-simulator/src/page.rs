//! Lists that are given page by page.

use crate::query::Query;
use crate::refusal::Refusal;

const DEFAULT_LENGTH: usize = 100;

/// Which part of a list is wanted.
pub(crate) struct Page<'a> {
    operation: &'a str,
    start: usize,
    length: usize,
}

impl<'a> Page<'a> {
    /// Reads `maxResults` and `nextToken`.
    ///
    /// # Errors
    ///
    /// A token that isn't one of this operation's.
    pub(crate) fn read(operation: &'a str, query: &Query) -> Result<Page<'a>, Refusal> {
        let start = match query.text("nextToken") {
            Some(token) => start(operation, token).ok_or_else(bad_token)?,
            None => 0,
        };
        Ok(Page {
            operation,
            start,
            length: query.number("maxResults").unwrap_or(DEFAULT_LENGTH),
        })
    }

    /// The items of this page, and the token of the next one, if there is any.
    pub(crate) fn of<'i, T>(&self, items: &'i [T]) -> Result<(&'i [T], Option<String>), Refusal> {
        let end = self.start.saturating_add(self.length).min(items.len());
        let shown = items.get(self.start..end).ok_or_else(bad_token)?;
        Ok((shown, (end < items.len()).then(|| token(self.operation, end))))
    }
}

/// Tokens are opaque to clients, and good for one list.
fn token(operation: &str, start: usize) -> String {
    aws_smithy_types::base64::encode(format!("{operation}:{start}"))
}

fn start(operation: &str, token: &str) -> Option<usize> {
    let decoded = aws_smithy_types::base64::decode(token).ok()?;
    let (of, start) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    (of == operation).then(|| start.parse().ok()).flatten()
}

fn bad_token() -> Refusal {
    Refusal::validation("The provided nextToken is invalid.")
}

//! Lists that are given page by page.

use crate::refusal::Refusal;
use crate::uri;

const DEFAULT_LENGTH: usize = 100;
const MAX_LENGTH: usize = 1000;

/// Which part of a list is wanted.
pub(crate) struct Page {
    start: usize,
    length: usize,
}

impl Page {
    /// Reads `maxResults` and `nextToken` of a query.
    ///
    /// # Errors
    ///
    /// A length that isn't one, or isn't allowed, and a token that isn't ours.
    pub(crate) fn read(query: &str) -> Result<Page, Refusal> {
        let mut page = Page {
            start: 0,
            length: DEFAULT_LENGTH,
        };
        for (name, value) in uri::query(query) {
            match name.as_str() {
                "maxResults" => page.length = length(&value)?,
                "nextToken" => page.start = start(&value).ok_or_else(bad_token)?,
                _ => {}
            }
        }
        Ok(page)
    }

    /// The items of this page, and the token of the next one, if there is any.
    pub(crate) fn of<'a, T>(&self, items: &'a [T]) -> Result<(&'a [T], Option<String>), Refusal> {
        let end = self.start.saturating_add(self.length).min(items.len());
        let shown = items.get(self.start..end).ok_or_else(bad_token)?;
        Ok((shown, (end < items.len()).then(|| token(end))))
    }
}

fn length(value: &str) -> Result<usize, Refusal> {
    let length: usize = value
        .parse()
        .map_err(|_| Refusal::validation("maxResults isn't a number."))?;
    if (1..=MAX_LENGTH).contains(&length) {
        return Ok(length);
    }
    let (than, limit) = if length == 0 {
        ("greater", 1)
    } else {
        ("less", MAX_LENGTH)
    };
    Err(Refusal::constraints(&[format!(
        "Value '{length}' at 'maxResults' failed to satisfy constraint: Member must have value {than} than or equal to {limit}"
    )]))
}

/// Tokens are opaque to clients.
fn token(start: usize) -> String {
    aws_smithy_types::base64::encode(format!("from:{start}"))
}

fn start(token: &str) -> Option<usize> {
    let decoded = aws_smithy_types::base64::decode(token).ok()?;
    std::str::from_utf8(&decoded).ok()?.strip_prefix("from:")?.parse().ok()
}

fn bad_token() -> Refusal {
    Refusal::validation("The provided nextToken is invalid.")
}

//! Where a page ends, as a text that means something only here.

use crate::sql::Row;
use crate::{Page, PageOf, StoreError};

/// The longest that we ever make, by far.
const LONGEST: usize = 4000;
/// How many a page has at most.
const LARGEST: u32 = 1000;

/// The end of a page: which list it is of, a number, and what tells apart those of the same number.
pub(crate) fn write(list: &str, number: i64, rest: &str) -> String {
    let plain = format!("{list}:{number}:{rest}");
    plain.bytes().fold(String::new(), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
        text
    })
}

/// Reads the end of a page of the same list; it comes from outside.
pub(crate) fn read(list: &str, cursor: &str) -> Result<(i64, String), StoreError> {
    parse(list, cursor).ok_or_else(|| StoreError::Cursor(cursor.chars().take(100).collect()))
}

fn parse(list: &str, cursor: &str) -> Option<(i64, String)> {
    if cursor.len() > LONGEST || !cursor.is_ascii() {
        return None;
    }
    let digits: Option<Vec<u8>> = cursor
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    let plain = String::from_utf8(pairs.map(|pair| pair[0] << 4 | pair[1]).collect()).ok()?;
    let (number, rest) = plain.strip_prefix(list)?.strip_prefix(':')?.split_once(':')?;
    Some((number.parse().ok()?, rest.to_owned()))
}

/// The number behind which a page begins, of a list that has one for each of its items.
pub(crate) fn after(list: &str, page: &Page) -> Result<Option<i64>, StoreError> {
    match &page.after {
        Some(cursor) => read(list, cursor).map(|(number, _)| Some(number)),
        None => Ok(None),
    }
}

/// How many items a page has.
pub(crate) fn limit(page: &Page) -> i64 {
    i64::from(page.limit.clamp(1, LARGEST))
}

/// A page of rows, of one more than it may have if there is another page behind it. `end` says where it ends.
pub(crate) fn page<T>(
    page: &Page,
    mut rows: Vec<Row>,
    item: impl Fn(&Row) -> Result<T, StoreError>,
    end: impl Fn(&Row) -> Result<String, StoreError>,
) -> Result<PageOf<T>, StoreError> {
    let limit = usize::try_from(limit(page)).unwrap_or(1);
    let is_more = rows.len() > limit;
    rows.truncate(limit);
    let next = if is_more {
        rows.last().map(end).transpose()?
    } else {
        None
    };
    let items = rows.iter().map(item).collect::<Result<_, _>>()?;
    Ok(PageOf { items, next })
}

/// A page of rows in the order of their column `sequence`.
pub(crate) fn by_sequence<T>(
    list: &str,
    asked: &Page,
    rows: Vec<Row>,
    item: impl Fn(&Row) -> Result<T, StoreError>,
) -> Result<PageOf<T>, StoreError> {
    page(asked, rows, item, |row| Ok(write(list, row.number("sequence")?, "")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(number: i64, rest in "[a-z0-9:]{0,40}") {
            let cursor = write("usage", number, &rest);
            prop_assert_eq!(read("usage", &cursor).unwrap(), (number, rest));
            prop_assert!(read("keys", &cursor).is_err());
        }

        #[test]
        fn what_comes_from_outside_does_no_harm(text: String) {
            if let Err(error) = read("usage", &text) {
                prop_assert!(matches!(error, StoreError::Cursor(_)));
            }
        }

        #[test]
        fn digits_from_outside_do_no_harm(text in "[0-9a-fA-F]{0,60}") {
            let _ = read("usage", &text);
        }
    }
}

//! Writing many rows with few statements.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::StoreError;
use crate::sql::{Row, Session, Sql, Value};

/// How many rows SQLite is given at once, the most that fit first. Each statement has a way to SQLite's thread and back,
/// and is kept prepared; a longer one saves little more.
const SQLITE: &[usize] = &[32, 8, 1];

/// Statements that write many rows into a table: `INSERT INTO … VALUES (…), (…) tail`.
pub(crate) struct Insert {
    /// `INSERT INTO table (columns) VALUES`
    pub(crate) head: String,
    /// How many columns.
    pub(crate) width: usize,
    /// How many rows PostgreSQL is given at once; it takes 65,535 values.
    pub(crate) rows: usize,
    /// What becomes of rows that are there.
    pub(crate) tail: &'static str,
}

impl Insert {
    /// For SQLite: a place with a number would have it look for the name of each among those of all others.
    fn unnumbered(&self, rows: usize) -> Arc<str> {
        let row = format!("({})", vec!["?"; self.width].join(", "));
        let text = format!("{} {} {}", self.head, vec![row; rows].join(", "), self.tail);
        text.into()
    }

    fn numbered(&self, rows: usize) -> String {
        let mut text = self.head.clone();
        for row in 0..rows {
            text += if row == 0 { " (" } else { ", (" };
            for column in 1..=self.width {
                let before = if column == 1 { "" } else { ", " };
                let _ = write!(text, "{before}${}", row * self.width + column);
            }
            text += ")";
        }
        text += " ";
        text += self.tail;
        text
    }
}

impl Session {
    /// Writes rows, and gives how many of them were written: not those that the statement leaves as they are.
    pub(crate) async fn insert(&mut self, into: &Insert, rows: Vec<Vec<Value>>) -> Result<u64, StoreError> {
        let mut count = 0;
        let mut left = rows.len();
        let mut rows = rows.into_iter();
        let mut texts = HashMap::new();
        while left > 0 {
            let (size, statement) = match self {
                Self::Sqlite(_) => {
                    let size = SQLITE.iter().copied().find(|size| *size <= left).unwrap_or(1);
                    let text = texts.entry(size).or_insert_with(|| into.unnumbered(size));
                    (size, Sql::kept(Arc::clone(text)))
                }
                Self::Postgres(_) => {
                    let size = into.rows.min(left);
                    (size, Sql::from(into.numbered(size)))
                }
            };
            let values = rows.by_ref().take(size).flatten().collect();
            count += self.execute(statement, values).await?;
            left -= size;
        }
        Ok(count)
    }

    /// Writes rows one by one, and gives what the statement returns.
    pub(crate) async fn insert_each(&mut self, into: &Insert, rows: Vec<Vec<Value>>) -> Result<Vec<Row>, StoreError> {
        let text: Arc<str> = into.numbered(1).into();
        let mut returned = Vec::new();
        for values in rows {
            returned.extend(self.rows(Sql::kept(Arc::clone(&text)), values).await?);
        }
        Ok(returned)
    }
}

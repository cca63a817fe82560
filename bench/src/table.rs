//! The figures, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::error::Result;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// CPU time in microseconds, or time.
    Microseconds,
    /// Time in milliseconds.
    Milliseconds,
    /// Thousands of bytes.
    Kilobytes,
    /// Millions of bytes.
    Megabytes,
}

impl Unit {
    fn sign(self) -> &'static str {
        match self {
            Self::Microseconds => "µs",
            Self::Milliseconds => "ms",
            Self::Kilobytes => "KB",
            Self::Megabytes => "MB",
        }
    }
}

/// What the gateway should keep to.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    /// So many times the proxy's figure at most.
    Ratio(f64),
    /// So much at most, in the row's unit.
    AtMost(f64),
}

/// How the two figures are set side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compare {
    /// The gateway's by the proxy's.
    Quotient,
    /// The gateway's less the proxy's.
    Difference,
    /// Not at all.
    Nothing,
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// What was done.
    pub(crate) work: String,
    /// The unit of both figures.
    pub(crate) unit: Unit,
    /// The proxy's figure: the median of the rounds.
    pub(crate) proxy: f64,
    /// The gateway's.
    pub(crate) gateway: f64,
    /// How they compare.
    pub(crate) compare: Compare,
    /// The lowest and the highest quotient of one round, where there are rounds.
    pub(crate) spread: Option<(f64, f64)>,
    /// The bar, if there is one.
    pub(crate) bar: Option<Bar>,
}

impl Row {
    /// The gateway's figure by the proxy's.
    pub(crate) fn ratio(&self) -> f64 {
        self.gateway / self.proxy
    }

    /// Is the bar kept? `None` without a bar.
    pub(crate) fn is_ok(&self) -> Option<bool> {
        self.bar.map(|bar| match bar {
            Bar::Ratio(most) => self.ratio() <= most,
            Bar::AtMost(most) => self.gateway <= most,
        })
    }

    fn cells(&self) -> [String; 7] {
        let figure = |value: f64| format!("{} {}", round(value), self.unit.sign());
        [
            self.work.clone(),
            figure(self.proxy),
            figure(self.gateway),
            match self.compare {
                Compare::Quotient => format!("{:.2}×", self.ratio()),
                Compare::Difference => {
                    format!("{:+.0} {}", self.gateway - self.proxy, self.unit.sign())
                }
                Compare::Nothing => "–".to_owned(),
            },
            self.spread
                .map_or("–".to_owned(), |(low, high)| format!("{low:.2}–{high:.2}")),
            match self.bar {
                Some(Bar::Ratio(most)) => format!("≤ {most}×"),
                Some(Bar::AtMost(most)) => format!("≤ {most} {}", self.unit.sign()),
                None => "–".to_owned(),
            },
            match self.is_ok() {
                Some(true) => "ok".to_owned(),
                Some(false) => "OVER".to_owned(),
                None => String::new(),
            },
        ]
    }
}

/// The rows as JSON, each with what follows from its figures.
pub(crate) fn to_json(rows: &[Row]) -> Result<String> {
    #[derive(Serialize)]
    struct Judged<'a> {
        #[serde(flatten)]
        row: &'a Row,
        ratio: f64,
        ok: Option<bool>,
    }
    let judge = |row| Judged {
        row,
        ratio: Row::ratio(row),
        ok: Row::is_ok(row),
    };
    Ok(serde_json::to_string_pretty(&rows.iter().map(judge).collect::<Vec<_>>())? + "\n")
}

/// Three digits that count, more for large numbers.
fn round(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The table, with aligned columns.
pub(crate) fn render(rows: &[Row]) -> String {
    let head = ["work", "proxy", "gateway", "ratio", "spread", "bar", ""].map(str::to_owned);
    let lines: Vec<[String; 7]> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let width = |column: usize| {
        lines
            .iter()
            .map(|cells| cells[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut text = String::new();
    for cells in &lines {
        let mut line = format!("{:<1$}", cells[0], widths[0]);
        for (cell, width) in cells.iter().zip(widths).skip(1).take(5) {
            let _ = write!(line, "  {cell:>width$}");
        }
        let _ = writeln!(text, "{}", format!("{line}  {}", cells[6]).trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_kept_or_not() {
        let row = |gateway, bar| Row {
            work: "w".to_owned(),
            unit: Unit::Microseconds,
            proxy: 20.0,
            gateway,
            compare: Compare::Quotient,
            spread: None,
            bar,
        };
        assert_eq!(row(50.0, Some(Bar::Ratio(2.5))).is_ok(), Some(true));
        assert_eq!(row(51.0, Some(Bar::Ratio(2.5))).is_ok(), Some(false));
        assert_eq!(row(51.0, Some(Bar::AtMost(20.0))).is_ok(), Some(false));
        assert_eq!(row(51.0, None).is_ok(), None);
    }
}

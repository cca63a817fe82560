//! Tables of text.

use crate::terminal::clean;

/// Rows under each other, each column as wide as its widest cell.
pub(in crate::commands) fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]], indent: &str) -> String {
    let rows: Vec<[String; COLUMNS]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| clean(cell).replace(['\n', '\t'], " ")))
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    let mut page = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        page.push_str(&format!("{indent}{}\n", line.trim_end()));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_cells_stay_in_their_line() {
        let rows = [["A", "B"], ["long\nname", "x"], ["é", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows, "  "), "  A          B\n  long name  x\n  é\n");
    }
}

//! Comma-separated values (RFC 4180).

use super::sums::{By, Sum, has_ids};

/// Columns with numbers.
const NUMBERS: [&str; 14] = [
    "requests",
    "failed",
    "cache_hits",
    "estimated",
    "unpriced",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "images",
    "searches",
    "cost_usd",
    "cache_savings_usd",
];

/// A row for each sum.
pub(super) fn page(by: &[By], sums: &[Sum]) -> String {
    let mut head: Vec<String> = Vec::new();
    for one in by {
        let word = one.word().replace('-', "_");
        if has_ids(*one) {
            head.push(format!("{word}_id"));
        }
        head.push(word);
    }
    head.extend(NUMBERS.map(str::to_owned));
    let rows = sums.iter().map(|sum| {
        let mut row = Vec::new();
        for ((by, name), id) in by.iter().zip(&sum.names).zip(&sum.ids) {
            if has_ids(*by) {
                row.push(cell(id));
            }
            row.push(cell(name));
        }
        let tokens = &sum.tokens;
        let counts = [
            sum.requests,
            sum.failed,
            sum.cache_hits,
            sum.estimated,
            sum.unpriced,
            tokens.input,
            tokens.cache_read,
            tokens.cache_write,
            tokens.cache_write_1h,
            tokens.output,
            tokens.images,
            tokens.searches,
        ];
        row.extend(counts.map(|count| count.to_string()));
        row.extend([sum.cost.to_string(), sum.cache_savings.to_string()]);
        row
    });
    std::iter::once(head)
        .chain(rows)
        .map(|row| row.join(",") + "\r\n")
        .collect()
}

/// A text. Names of users are said by clients: none may be a formula to a spreadsheet.
fn cell(text: &str) -> String {
    let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
    }
}

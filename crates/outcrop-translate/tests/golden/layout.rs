//! JSON that people can read, and what differs between two texts.

/// `json` with a line for each member. Tokens and their order stay as they stand, escapes and the writing of numbers
/// included: that they do is what many cases are about.
pub(crate) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(2 * json.len());
    let mut depth = 0;
    let mut rest = json;
    while let Some(letter) = rest.chars().next() {
        let token = match letter {
            '"' => string_at(rest),
            _ => &rest[..letter.len_utf8()],
        };
        rest = &rest[token.len()..];
        match token {
            " " | "\n" | "\r" | "\t" => {}
            "{" | "[" if rest.trim_start().starts_with(['}', ']']) => out.push_str(token),
            "{" | "[" => {
                depth += 1;
                out.push_str(token);
                new_line(&mut out, depth);
            }
            "}" | "]" if out.ends_with(['{', '[']) => out.push_str(token),
            "}" | "]" => {
                depth -= 1;
                new_line(&mut out, depth);
                out.push_str(token);
            }
            "," => {
                out.push_str(token);
                new_line(&mut out, depth);
            }
            ":" => out.push_str(": "),
            _ => out.push_str(token),
        }
    }
    out.push('\n');
    out
}

/// The string that `json` starts with, quotes included.
fn string_at(json: &str) -> &str {
    let mut escaped = false;
    let end = json.char_indices().skip(1).find(|&(_, letter)| {
        let ends = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        ends
    });
    &json[..end.map_or(json.len(), |(at, _)| at + 1)]
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
}

/// What differs: `-` before the lines of the file, `+` before those that came, three lines around them.
pub(crate) fn difference(expected: &str, actual: &str) -> String {
    const AROUND: usize = 3;
    let (expected, actual): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let same = |(a, b): &(&&str, &&str)| a == b;
    let before = expected.iter().zip(&actual).take_while(same).count();
    let most = expected.len().min(actual.len()) - before;
    let after = expected
        .iter()
        .rev()
        .zip(actual.iter().rev())
        .take_while(same)
        .count()
        .min(most);
    let mut out = String::new();
    let mut add = |sign: &str, lines: &[&str]| {
        for line in lines {
            out.push_str(&format!("  {sign} {line}\n"));
        }
    };
    add(" ", &expected[before.saturating_sub(AROUND)..before]);
    add("-", &expected[before..expected.len() - after]);
    add("+", &actual[before..actual.len() - after]);
    let tail = expected.len() - after;
    add(" ", &expected[tail..(tail + AROUND).min(expected.len())]);
    out
}

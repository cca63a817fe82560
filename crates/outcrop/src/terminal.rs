//! What differs between a terminal and a pipe.

use std::borrow::Cow;
use std::io::{self, IsTerminal};

/// Whether answers go to a terminal.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether the user wants colours and the like, as <https://no-color.org> has it.
pub(crate) fn wants_style() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Text from elsewhere, without the control characters by which it could move the cursor, retitle the window or
/// worse. Line ends and tabs stay.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(harmful) {
        text.chars()
            .map(|c| if harmful(c) { char::REPLACEMENT_CHARACTER } else { c })
            .collect::<String>()
            .into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_lose_their_teeth() {
        assert_eq!(clean("a\n\tb é"), "a\n\tb é");
        assert_eq!(clean("\x1b[2Jx\u{9b}1m"), "\u{fffd}[2Jx\u{fffd}1m");
    }
}

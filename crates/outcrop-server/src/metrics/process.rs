//! The process itself, as Linux tells it. Elsewhere nothing is told.

use std::fs;

use super::definition::{CPU, FILES, MAX_FILES, MEMORY, STARTED};
use super::page::Page;

/// Ticks a second in what the kernel tells to programs, on all of Linux's platforms that are in use.
const TICKS: f64 = 100.0;

/// Adds what is known of the process.
pub(super) fn tell(page: &mut Page) {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let stat = read("/proc/self/stat");
    if let Some((cpu, started)) = times(&stat) {
        page.number(&CPU, &[], cpu / TICKS);
        if let Some(booted) = number_after(&read("/proc/stat"), "btime ") {
            page.number(&STARTED, &[], booted + started / TICKS);
        }
    }
    if let Some(kilobytes) = number_after(&read("/proc/self/status"), "VmRSS:") {
        page.number(&MEMORY, &[], kilobytes * 1024.0);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        // One of them is the folder itself.
        page.number(&FILES, &[], files.count().saturating_sub(1) as f64);
    }
    if let Some(most) = number_after(&read("/proc/self/limits"), "Max open files") {
        page.number(&MAX_FILES, &[], most);
    }
}

/// The ticks that a process has computed, and those from the start of the machine to its own.
fn times(stat: &str) -> Option<(f64, f64)> {
    // Its name, in parentheses, may hold anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    Some((field(14)? + field(15)?, field(22)?))
}

/// The first number after a word at the beginning of a line.
fn number_after(text: &str, word: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(word))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_have_any_name() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 70 30 0 0 20 0 4 0 500 1 2";
        assert_eq!(times(&format!("7 (a) b) {rest}")), Some((100.0, 500.0)));
    }

    #[test]
    fn numbers_are_found_behind_their_words() {
        assert_eq!(number_after("A: 1\nVmRSS:\t  120 kB\n", "VmRSS:"), Some(120.0));
        assert_eq!(
            number_after("Max open files            1024   4096 files", "Max open files"),
            Some(1024.0)
        );
        assert_eq!(number_after("", "x"), None);
    }
}

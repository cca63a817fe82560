//! `docs/tenants.md`: what commands print there is what they print. With `BLESS` set, the page is written anew.

use std::path::Path;
use std::{env, fs};

use super::{Office, now};
use crate::run::finish;

/// A word of a command line, quoted or not.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut is_word) = (Vec::new(), String::new(), false, false);
    for letter in line.chars() {
        match letter {
            '\'' => (quote, is_word) = (!quote, true),
            ' ' if !quote => {
                if is_word {
                    words.push(std::mem::take(&mut word));
                }
                is_word = false;
            }
            letter => {
                word.push(letter);
                is_word = true;
            }
        }
    }
    if is_word {
        words.push(word);
    }
    words
}

/// Without what differs from run to run: digits of ids, keys and times.
fn lasting(text: &str) -> String {
    let mut page = String::new();
    for part in text.split_inclusive([' ', '\n', '(', ')', '.']) {
        let is_id = ["key_", "org_", "proj_", "adm_", "sk-oc"]
            .iter()
            .any(|start| part.starts_with(start));
        let is_time =
            part.len() >= 5 && part.starts_with(|first: char| first.is_ascii_digit()) && part.contains(['-', ':']);
        match is_id || is_time {
            true => page.extend(
                part.chars()
                    .map(|letter| if letter.is_ascii_alphanumeric() { 'x' } else { letter }),
            ),
            false => page.push_str(part),
        }
    }
    page
}

#[test]
fn the_page_shows_what_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tenants.md");
    let page = fs::read_to_string(&path).unwrap();
    let office = Office::new("tenancy-page");
    let mut written = String::new();
    let mut rest = page.as_str();
    let mut count = 0;
    while let Some((before, after)) = rest.split_once("```console\n$ ") {
        let (block, next) = after.split_once("```\n").unwrap();
        let line = block.lines().next().unwrap();
        let words = words(line);
        let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(arguments.remove(0), "outcrop", "{line}");
        // A page is read as a terminal is.
        if !arguments.contains(&"--json") {
            arguments.push("--table");
        }
        let ran = finish(&mut office.outcrop(&arguments));
        assert_eq!(ran.status, 0, "{line}: {ran:?}");
        let shown = format!("{line}\n{}{}", ran.stderr, ran.stdout);
        if count == 0 {
            let key = office.json(&["keys", "show", "ci"]);
            office.ask(&key, 1, now(), "ann", "37.42");
            office.ask(&key, 2, now(), "bob", "4.1");
        }
        if env::var_os("BLESS").is_none() {
            assert_eq!(
                lasting(block),
                lasting(&shown),
                "{line}: BLESS=1 cargo test -p outcrop tenancy writes the page"
            );
        }
        written += &format!("{before}```console\n$ {shown}```\n");
        rest = next;
        count += 1;
    }
    assert!(count >= 8, "{count}");
    if env::var_os("BLESS").is_some() {
        fs::write(&path, written + rest).unwrap();
    }
}

//! The page on adaptations has each note that the code can make, and none that it can't; and it says of each whether
//! `on_unsupported = "reject"` refuses it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

use std::fs;
use std::path::Path;

use outcrop_translate::Lesson;
use regex_lite::Regex;

const PAGE: &str = include_str!("../../../docs/adaptations.md");

/// What a call of `Notes::add` or `Notes::lose` says; `None` for what isn't written out there.
#[derive(Debug)]
struct Note {
    is_loss: bool,
    parameter: Option<String>,
    outcome: Option<String>,
    reason: Option<String>,
}

/// All of the crate's source.
fn source(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &source(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &fs::read_to_string(path).unwrap();
        }
    }
    text
}

fn crate_source() -> String {
    source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

fn notes(source: &str) -> Vec<Note> {
    let call = Regex::new(r"\.(add|lose)\(\s*([^,;]+),\s*([^,;]+),\s*([^,;]+?),?\s*\)[;,\n]").unwrap();
    let literal = |argument: &str| {
        let text = argument.trim().strip_prefix('"')?.strip_suffix('"')?;
        Some(text.to_owned())
    };
    let notes = call.captures_iter(source).map(|found| Note {
        is_loss: &found[1] == "lose",
        parameter: literal(&found[2]),
        outcome: literal(&found[3]),
        reason: literal(&found[4]),
    });
    notes.collect()
}

/// The rows of the tables of notes: what is written, and whether it is a loss.
fn rows() -> Vec<(&'static str, bool)> {
    let rows = PAGE.lines().filter_map(|line| {
        let (row, loss) = line.strip_suffix(" |")?.rsplit_once(" | ")?;
        match loss {
            "yes" => Some((row, true)),
            "no" => Some((row, false)),
            _ => None,
        }
    });
    rows.collect()
}

#[test]
fn each_note_has_a_row_that_says_whether_it_is_a_loss() {
    let (notes, rows) = (notes(&crate_source()), rows());
    assert!(notes.len() > 60 && rows.len() > 40, "{} in {}", notes.len(), rows.len());
    let mut missing = Vec::new();
    for note in &notes {
        let Some(reason) = &note.reason else { continue };
        let has = |row: &str, word: &Option<String>| word.as_ref().is_none_or(|word| row.contains(word));
        let row = rows.iter().find(|(row, is_loss)| {
            *is_loss == note.is_loss
                && row.contains(&format!("({reason})"))
                && has(row, &note.outcome)
                && (has(row, &note.parameter) || row.contains("NAME="))
        });
        if row.is_none() {
            missing.push(note);
        }
    }
    assert!(missing.is_empty(), "docs/adaptations.md has no such row: {missing:#?}");
}

#[test]
fn each_row_is_of_a_note_that_the_code_can_make() {
    let source = crate_source();
    let reason = Regex::new(r"\(([a-z0-9._-]+(?:-[A-Za-z0-9._-]+)+|[a-z]+)\)`").unwrap();
    for (row, _) in rows() {
        for found in reason.captures_iter(row) {
            assert!(source.contains(&format!("\"{}\"", &found[1])), "no note ends so: {row}");
        }
    }
}

#[test]
fn each_lesson_is_told_by_the_name_that_it_is_shown_with() {
    let lessons = [
        Lesson::SamplingTogether,
        Lesson::ForcedTools,
        Lesson::ToolChoice,
        Lesson::StrictTools,
        Lesson::StructuredOutput,
        Lesson::CachePoints,
        Lesson::CacheOneHour,
        Lesson::Prefill,
        Lesson::StopSequences(0),
        Lesson::StopSequences(4),
        Lesson::ToolStreaming,
        Lesson::System,
        Lesson::MediaInResults,
        Lesson::MixedTurns,
        Lesson::OneToolAtATime,
        Lesson::ThinkingBudget,
        Lesson::ThinkingOff,
        Lesson::ThinkingAdaptive,
        Lesson::Thinking,
        Lesson::ThinkingTokens,
        Lesson::Thoughts,
    ];
    for lesson in lessons {
        assert!(
            PAGE.contains(&format!("`{lesson}`")),
            "docs/adaptations.md lacks {lesson}"
        );
    }
}

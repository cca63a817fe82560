//! The golden cases of `fixtures/`: what a client sends and what Bedrock is asked, what Bedrock says and what the
//! client reads. A case is a folder; `fixtures/README.md` names its files.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the lints only know functions that are tests themselves"
)]

mod case;
mod layout;
mod task;

use std::path::{Path, PathBuf};

use case::Outcome;
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::openai::completions::Completions;
use outcrop_translate::openai::embeddings::Embeddings;
use outcrop_translate::openai::images::{ImageEdits, ImageGenerations, ImageVariations};

/// How a case is run.
type Run = fn(&Path) -> Result<Outcome, String>;

/// What a case may hold.
const INPUTS: [&str; 4] = ["request.json", "gateway.json", "events.jsonl", "reply.json"];
const OUTPUTS: [&str; 7] = [
    "call.json",
    "calls.json",
    "notes.txt",
    "answer-notes.txt",
    "error.json",
    "stream.sse",
    "response.json",
];

#[test]
fn golden_cases_come_out_as_their_files_say() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let endpoints: [(&str, Run); 4] = [
        ("chat", case::run::<ChatCompletions>),
        ("completions", case::run::<Completions>),
        ("embeddings", task::run::<Embeddings>),
        ("images", run_images),
    ];
    let (mut complaints, mut count) = (Vec::new(), 0);
    for (endpoint, run) in endpoints {
        let folders = folders_in(&fixtures.join(endpoint));
        assert!(
            !folders.is_empty(),
            "there are no cases of {endpoint} in {}",
            fixtures.display()
        );
        complaints.extend(folders.iter().filter_map(|folder| judge(folder, run, bless).err()));
        count += folders.len();
    }
    assert!(
        complaints.is_empty(),
        "{}\n{} of {count} cases differ. If the new outcome is right: `cargo xtask bless`, and read the diff.\n",
        complaints.join("\n"),
        complaints.len(),
    );
}

/// The first word of a case says which endpoint is asked.
fn run_images(folder: &Path) -> Result<Outcome, String> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    match name.split('-').next() {
        Some("generate") => task::run::<ImageGenerations>(folder),
        Some("edit") => task::run::<ImageEdits>(folder),
        Some("vary") => task::run::<ImageVariations>(folder),
        _ => Err("it begins with none of generate-, edit- and vary-".to_owned()),
    }
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    folders
}

/// Compares a case with its files, or rewrites them.
fn judge(folder: &Path, run: fn(&Path) -> Result<Outcome, String>, bless: bool) -> Result<(), String> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let complain = |what: String| format!("━━ {name}: {what}");
    let entries = std::fs::read_dir(folder).map_err(|error| complain(error.to_string()))?;
    let files: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let known = |file: &&String| INPUTS.contains(&file.as_str()) || OUTPUTS.contains(&file.as_str());
    if let Some(file) = files.iter().find(|file| !known(file)) {
        return Err(complain(format!("no case has a file called {file}")));
    }
    if !files.iter().any(|file| INPUTS.contains(&file.as_str())) {
        return Err(complain(format!("it has none of {}", INPUTS.join(", "))));
    }
    let outcome = run(folder).map_err(&complain)?;
    let mut complaints = Vec::new();
    for file in OUTPUTS {
        let path = folder.join(file);
        let expected = std::fs::read_to_string(&path).ok();
        let actual = outcome.get(file);
        if expected.as_ref() == actual {
            continue;
        }
        match actual {
            Some(actual) if bless => std::fs::write(&path, actual).map_err(|error| complain(error.to_string()))?,
            None if bless => std::fs::remove_file(&path).map_err(|error| complain(error.to_string()))?,
            _ => {
                let difference = layout::difference(expected.as_deref().unwrap_or(""), actual.map_or("", |text| text));
                complaints.push(complain(format!("{file}\n{difference}")));
            }
        }
    }
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(complaints.join("\n"))
    }
}

#[test]
fn golden_folders_that_are_no_cases_are_refused() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden-no-case");
    for (file, complaint) in [
        ("requset.json", "no case has a file called requset.json"),
        ("call.json", "it has none of request.json"),
    ] {
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(file), "{}").unwrap();
        let refusal = judge(&folder, case::run::<ChatCompletions>, true).unwrap_err();
        assert!(refusal.contains(complaint), "{refusal}");
    }
}

//! Running programs, and telling how it went.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a verb comes to; the error is a sentence for the terminal.
pub(crate) type Result<T = ()> = std::result::Result<T, String>;

/// The steps of a longer verb: a heading for each, and a summary at the end.
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self { done: Vec::new() }
    }

    /// Runs one step. Its failure also tells what passed before it.
    pub(crate) fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result) -> Result {
        println!("\n━━ {name} ━━");
        let started = Instant::now();
        step().map_err(|message| {
            let passed: Vec<_> = self.done.iter().map(|(name, _)| *name).collect();
            let passed = if passed.is_empty() {
                "nothing".to_owned()
            } else {
                passed.join(", ")
            };
            format!("{name} failed: {message}\n       passed before it: {passed}")
        })?;
        self.done.push((name, started.elapsed()));
        Ok(())
    }

    pub(crate) fn sum_up(&self) {
        println!("\n━━ all passed ━━");
        for (name, took) in &self.done {
            println!("  {name:<8} {:>6.1} s", took.as_secs_f64());
        }
    }
}

/// A program to run from the repository's root, its output going to the terminal.
pub(crate) struct Program(Command);

/// Names a program.
pub(crate) fn program(path: impl AsRef<OsStr>) -> Program {
    let mut command = Command::new(path);
    command.current_dir(root());
    Program(command)
}

/// Names a cargo command.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Program {
    // Cargo says which one of it started us; a bare `cargo` could be another version.
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).args(arguments)
}

impl Program {
    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It could not be started, or ended with another status than 0.
    pub(crate) fn run(mut self) -> Result {
        println!("$ {}", self.line());
        match self.0.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{}` ended with {status}", self.line())),
            Err(error) => Err(format!("`{}` did not start: {error}", self.line())),
        }
    }

    /// Runs it and takes what it writes to its standard output.
    ///
    /// # Errors
    /// As [`run`](Self::run); the message carries its standard error.
    pub(crate) fn output(mut self) -> Result<Vec<u8>> {
        match self.0.output() {
            Ok(output) if output.status.success() => Ok(output.stdout),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                Err(format!(
                    "`{}` ended with {}: {}",
                    self.line(),
                    output.status,
                    said.trim()
                ))
            }
            Err(error) => Err(format!("`{}` did not start: {error}", self.line())),
        }
    }

    /// Whether it runs at all and ends well; its output goes nowhere.
    pub(crate) fn succeeds(mut self) -> bool {
        let status = self
            .0
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }

    fn line(&self) -> String {
        let name = Path::new(self.0.get_program())
            .file_name()
            .unwrap_or(self.0.get_program());
        let words = std::iter::once(name).chain(self.0.get_args());
        words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Where cargo builds to.
///
/// # Errors
/// Cargo cannot read the workspace.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let bytes = cargo(["metadata", "--no-deps", "--offline", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let target = metadata.get("target_directory").and_then(serde_json::Value::as_str);
    target
        .map(PathBuf::from)
        .ok_or_else(|| "cargo metadata names no target directory".to_owned())
}

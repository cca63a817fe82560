//! The chores of this repository, for a machine that has nothing but the Rust toolchain.
//!
//! [`VERBS`] is the whole list; `cargo xtask --help` prints it. A verb is a function from its arguments to a
//! [`Result`], and whatever it cannot do it says in one sentence.

mod audit;
mod clients;
mod dist;
mod spdx;
mod steps;

use std::process::ExitCode;

use steps::{Result, Steps, cargo, root};

struct Verb {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    help: &'static str,
    run: fn(&[String]) -> Result,
}

const VERBS: &[Verb] = &[
    Verb {
        name: "check",
        arguments: "",
        about: "All that must pass before a change goes in",
        help: "Runs format, lints, audit, tests and clients in this order and stops at the first failure.",
        run: check,
    },
    Verb {
        name: "test",
        arguments: "[ARGS…]",
        about: "The Rust tests",
        help: "Runs `cargo nextest run` where nextest is installed (its arguments may follow), else `cargo test`,\n\
               and the documentation's examples.",
        run: test,
    },
    Verb {
        name: "audit",
        arguments: "",
        about: "Licences, duplicates, sources and yanked versions of the dependencies, without the network",
        help: "Checks what `cargo metadata` knows against deny.toml, which has cargo-deny's format, so that\n\
               `cargo deny check licenses bans sources` reads the same rules. An allowance that nothing needs is\n\
               an error as well. Yanked versions are looked up in cargo's cached index, as far as it goes.",
        run: audit::run,
    },
    Verb {
        name: "clients",
        arguments: "[python|node] [ARGS…]",
        about: "Other people's clients against the binary",
        help: "Builds the outcrop binary, sets up target/clients (a Python virtual environment, Node packages) and\n\
               runs pytest over clients/python and node --test in clients/node. Arguments after the language go to\n\
               its test runner:\n\n    \
               cargo xtask clients python test_stream.py -k usage -x\n    \
               cargo xtask clients node azure.test.js\n\n\
               OUTCROP_BIN=path tests a binary that is already built.",
        run: clients::run,
    },
    Verb {
        name: "dist",
        arguments: "[--out FOLDER] [--verify] [--skip-build] [--binary PATH]",
        about: "A release in target/dist: archives, list of parts, licences, checksums",
        help: "Builds the release binary so that its bytes depend on the commit alone, and packs it.\n\n    \
               --out FOLDER   Where to put it instead of target/dist\n    \
               --verify       Build a second time in another folder, and compare all bytes\n    \
               --skip-build   Pack what the last run has built\n    \
               --binary PATH  Pack another binary, to try the packing\n\n\
               docs/releases.md says what is in it.",
        run: dist::run,
    },
    Verb {
        name: "bless",
        arguments: "[FILTER]",
        about: "Rewrites the golden files from what the code says now",
        help: "Runs the golden tests with BLESS=1. Read the diff before you commit it.",
        run: bless,
    },
    Verb {
        name: "bench",
        arguments: "[ARGS…]",
        about: "The gateway next to a bare reverse proxy",
        help: "Builds both in release mode and runs target/release/outcrop-bench with the arguments given\n\
               (--help lists them).",
        run: bench,
    },
    Verb {
        name: "fuzz",
        arguments: "[TARGET] [ARGS…]",
        about: "Fuzzes a target, or lists the targets",
        help: "Needs cargo-fuzz (`cargo install cargo-fuzz`), no nightly compiler. Arguments go to\n\
               `cargo fuzz run TARGET`:\n\n    \
               cargo xtask fuzz frames -- -max_total_time=60",
        run: fuzz,
    },
    Verb {
        name: "demo",
        arguments: "[ARGS…]",
        about: "The gateway on its simulator",
        help: "Runs `outcrop serve --simulate` with the arguments given.",
        run: demo,
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "--help".to_owned());
    let rest: Vec<String> = arguments.collect();
    if matches!(name.as_str(), "--help" | "-h" | "help") {
        print!("{}", overview());
        return ExitCode::SUCCESS;
    }
    let Some(verb) = VERBS.iter().find(|verb| verb.name == name) else {
        eprintln!("error: there is no `cargo xtask {name}`\n\n{}", overview());
        return ExitCode::from(2);
    };
    // Up to the first `--`, so that a runner further down can still be asked for its own help.
    if rest
        .iter()
        .take_while(|argument| *argument != "--")
        .next()
        .is_some_and(|first| first == "--help" || first == "-h")
    {
        println!(
            "{}\n\nUsage: cargo xtask {} {}\n\n{}",
            verb.about, verb.name, verb.arguments, verb.help
        );
        return ExitCode::SUCCESS;
    }
    match (verb.run)(&rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nerror: {message}");
            ExitCode::FAILURE
        }
    }
}

fn overview() -> String {
    let mut text = "Usage: cargo xtask VERB [ARGS…]\n\n".to_owned();
    for verb in VERBS {
        text += &format!("  {:<8} {}\n", verb.name, verb.about);
    }
    text + "\n`cargo xtask VERB --help` tells more.\n"
}

fn check(arguments: &[String]) -> Result {
    no_arguments(arguments)?;
    let mut steps = Steps::new();
    steps.run("format", || cargo(["fmt", "--all", "--check"]).run())?;
    steps.run("lints", || {
        cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).run()
    })?;
    steps.run("audit", || audit::run(&[]))?;
    steps.run("fuzz targets", check_fuzz_targets)?;
    steps.run("tests", || test(&[]))?;
    steps.run("clients", || clients::run(&[]))?;
    steps.sum_up();
    Ok(())
}

/// They are a workspace of their own, and would otherwise be found not to build when they are needed.
fn check_fuzz_targets() -> Result {
    cargo([
        "check",
        "--manifest-path",
        "fuzz/Cargo.toml",
        "--locked",
        "--target-dir",
    ])
    .args([steps::target_dir()?.join("fuzz")])
    .run()
}

fn test(arguments: &[String]) -> Result {
    // The store's tests say so and go on without it, except in CI.
    if let Err(missing) = clients::need("PostgreSQL", &["postgresql"], has_postgres) {
        eprintln!("{missing}");
    }
    if cargo(["nextest", "--version"]).succeeds() {
        cargo(["nextest", "run", "--workspace"]).args(arguments).run()?;
        // nextest leaves the examples in the documentation out.
        if arguments.is_empty() {
            cargo(["test", "--workspace", "--doc", "--quiet"]).run()
        } else {
            Ok(())
        }
    } else {
        cargo(["test", "--workspace"]).args(arguments).run()
    }
}

/// Whether there is a server to start, or one that is named. Debian keeps the server's programs out of the way.
fn has_postgres() -> bool {
    let is_debians = std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|versions| versions.count() > 0);
    let is_named = std::env::var_os("OUTCROP_TEST_POSTGRES").is_some();
    is_named || is_debians || steps::program("postgres").args(["--version"]).succeeds()
}

fn bless(arguments: &[String]) -> Result {
    let filter = arguments.first().map_or("golden", String::as_str);
    cargo(["test", "--workspace", filter]).env("BLESS", "1").run()?;
    steps::program("git").args(["diff", "--stat", "--", "fixtures"]).run()
}

fn bench(arguments: &[String]) -> Result {
    cargo([
        "build",
        "--release",
        "--package",
        "outcrop",
        "--package",
        "outcrop-bench",
    ])
    .run()?;
    steps::program(steps::target_dir()?.join("release/outcrop-bench"))
        .args(arguments)
        .run()
}

fn fuzz(arguments: &[String]) -> Result {
    let Some(target) = arguments.first() else {
        println!("cargo xtask fuzz TARGET [ARGS…], where TARGET is one of:\n");
        for name in fuzz_targets()? {
            println!("  {name}");
        }
        return Ok(());
    };
    if !fuzz_targets()?.contains(target) {
        return Err(format!(
            "there is no fuzz target `{target}`; `cargo xtask fuzz` lists them"
        ));
    }
    if !cargo(["fuzz", "--version"]).succeeds() {
        return Err("cargo-fuzz is missing: cargo install cargo-fuzz".to_owned());
    }
    // The sanitizer flags are unstable; this lets the stable compiler take them.
    cargo(["fuzz", "run"]).args(arguments).env("RUSTC_BOOTSTRAP", "1").run()
}

fn fuzz_targets() -> Result<Vec<String>> {
    let folder = root().join("fuzz/fuzz_targets");
    let files = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = files
        .filter_map(|file| Some(file.ok()?.file_name().to_str()?.strip_suffix(".rs")?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn demo(arguments: &[String]) -> Result {
    cargo(["run", "--release", "--package", "outcrop", "--", "serve", "--simulate"])
        .args(arguments)
        .run()
}

fn no_arguments(arguments: &[String]) -> Result {
    match arguments.first() {
        Some(argument) => Err(format!("unexpected argument `{argument}`")),
        None => Ok(()),
    }
}

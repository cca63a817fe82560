use std::process::Stdio;

use serde_json::Value;

use crate::run::{Place, finish};

#[test]
fn help_lists_each_setting_with_its_flag_and_variable() {
    let place = Place::new("help-settings");
    let schema: Value = serde_json::from_str(&place.run(&["config", "schema"]).stdout).unwrap();
    let (short, long) = (place.run(&["serve", "-h"]), place.run(&["serve", "--help"]));
    assert_eq!((short.status, long.status), (0, 0));
    let names = schema["properties"].as_object().unwrap().keys();
    // Tables stand in the file only.
    let tables = ["accounts", "issuers", "policies", "quotas", "routes"];
    for name in names.filter(|name| !tables.contains(&name.as_str())) {
        let flag = format!("--{}", name.replace('_', "-"));
        let variable = format!("OUTCROP_{}", name.to_uppercase());
        assert!(short.stdout.contains(&flag), "{flag}");
        assert!(
            long.stdout.contains(&flag) && long.stdout.contains(&variable),
            "{flag}, {variable}"
        );
    }
    assert!(long.stdout.contains("Examples:"));
}

#[test]
fn nothing_to_do_is_help_and_a_usage_error() {
    for arguments in [&[][..], &["config"][..]] {
        let ran = Place::new("help-none").run(arguments);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains("Usage: outcrop"), "{ran:?}");
    }
}

#[test]
fn version_is_named() {
    let place = Place::new("help-version");
    let (short, long) = (place.run(&["-V"]), place.run(&["--version"]));
    assert_eq!((short.status, long.status), (0, 0));
    let plain = format!("outcrop {}", env!("CARGO_PKG_VERSION"));
    let line = short.stdout.trim_end();
    // Built outside of a repository there is no commit to tell.
    let build = line.strip_prefix(&plain).unwrap();
    assert!(
        build.is_empty() || build.starts_with(" (") && build.ends_with(')'),
        "{line}"
    );
    let lines: Vec<&str> = long.stdout.lines().collect();
    assert_eq!(lines[0], line);
    assert!(
        lines[1].starts_with("target: ") && lines[1].contains("linux"),
        "{lines:?}"
    );
    assert!(lines[2].starts_with("rustc: 1."), "{lines:?}");
}

#[test]
fn each_command_has_a_page_of_the_manual() {
    let place = Place::new("help-man");
    let folder = place.path("pages");
    std::fs::create_dir(&folder).unwrap();
    let ran = place.run(&["man", folder.to_str().unwrap()]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let page = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    assert!(page("outcrop.1").contains("outcrop\\-serve(1)"));
    assert!(page("outcrop-serve.1").contains("\\-\\-listen"));
    assert!(page("outcrop-keys-create.1").contains(".SH EXAMPLES"));
    let nowhere = place.run(&["man", folder.join("nowhere").to_str().unwrap()]);
    assert!(nowhere.status == 1 && nowhere.stderr.contains("nowhere"), "{nowhere:?}");
}

#[test]
fn completions_are_for_shells_that_are_known() {
    let place = Place::new("help-completions");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = place.run(&["completions", shell]);
        assert!(
            ran.status == 0 && ran.stdout.contains("shared-counters"),
            "{shell}: {ran:?}"
        );
    }
    let ran = place.run(&["completions", "csh"]);
    assert!(ran.status == 2 && ran.stderr.contains("elvish"), "{ran:?}");
}

#[test]
fn near_misses_are_understood() {
    for (arguments, meant) in [
        (&["sevre"][..], "'serve'"),
        (&["config", "chekc"][..], "'check'"),
        (&["serve", "--lisen", "x"][..], "'--listen'"),
        (&["serve", "--api-key", "x"][..], "'--api-keys'"),
    ] {
        let ran = Place::new("help-near").run(arguments);
        assert_eq!(ran.status, 2);
        assert!(ran.stderr.contains(meant), "{ran:?}");
    }
}

#[test]
fn a_reader_that_has_left_is_no_failure() {
    let place = Place::new("help-pipe");
    for arguments in [
        &["config", "docs"][..],
        &["serve", "--help"][..],
        &["models", "--simulate"][..],
        &["chat", "--simulate", "Hi"][..],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = place
            .outcrop(arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let ran = child.wait_with_output().unwrap();
        assert!(ran.status.success() && ran.stderr.is_empty(), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn flags_of_a_gateway_of_its_own_exclude_a_named_one() {
    let place = Place::new("help-conflict");
    let ran = finish(&mut place.outcrop(&["chat", "Hi", "--simulate", "--base-url", "http://127.0.0.1:1/v1"]));
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("cannot be used with"), "{ran:?}");
}

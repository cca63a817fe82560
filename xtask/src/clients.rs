//! Other people's clients against the binary: pytest over `clients/python`, `node --test` in `clients/node`.
//!
//! Whatever they need is installed under `target/clients` and `clients/node/node_modules`, and kept until the list
//! of requirements changes.

use std::path::{Path, PathBuf};

use crate::steps::{Result, cargo, program, root, target_dir};

/// Python's clients don't all work with the same version of OpenAI's SDK, so that there are two environments.
struct Environment {
    /// Below `clients/python`; its `requirements.txt` is the environment's.
    folder: &'static str,
    /// Below `target/clients`.
    venv: &'static str,
    /// What is tested in it, unless told.
    tests: &'static [&'static str],
}

/// The newest of everything; all tests but those of the other environment.
const NEWEST: Environment = Environment {
    folder: ".",
    venv: "venv",
    tests: &[],
};

/// The clients that don't take OpenAI's SDK 3 yet, and the SDK's own tests once more, on its second line.
const OPENAI_2: Environment = Environment {
    folder: "openai2",
    venv: "venv-openai2",
    tests: &["openai2", "sdks/test_openai.py", "test_sdk.py"],
};

/// What is deployed with, judged by the tools of those who deploy: linters and renderers that need no binary of ours.
const DEPLOY: Environment = Environment {
    folder: "deploy",
    venv: "venv-deploy",
    tests: &["deploy"],
};

/// What `python3` is asked. pydantic-ai needs 3.11.
const PYTHON_WILL_DO: &str = "import ensurepip, sys, venv; assert sys.version_info >= (3, 11)";

/// Node's oldest version that has the test runner we use.
const OLDEST_NODE: u32 = 18;

pub(crate) fn run(arguments: &[String]) -> Result {
    let binary = binary()?;
    match arguments.split_first() {
        None => {
            python(&binary, &[])?;
            node(&binary, &[])
        }
        Some((language, rest)) => match language.as_str() {
            "python" => python(&binary, rest),
            "node" => node(&binary, rest),
            _ => Err(format!("`{language}` is neither python nor node")),
        },
    }
}

fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("OUTCROP_BIN") {
        let path = std::path::absolute(PathBuf::from(path)).map_err(|error| error.to_string())?;
        return if path.is_file() {
            Ok(path)
        } else {
            Err(format!("OUTCROP_BIN: there is no {}", path.display()))
        };
    }
    cargo(["build", "--package", "outcrop", "--bin", "outcrop"]).run()?;
    Ok(target_dir()?.join("debug/outcrop"))
}

fn python(binary: &Path, arguments: &[String]) -> Result {
    need("curl", &["curl"], || program("curl").args(["--version"]).succeeds())?;
    need("Python 3.11 or newer with venv", &["python3", "python3-venv"], || {
        program("python3").args(["-c", PYTHON_WILL_DO]).succeeds()
    })?;
    // Their tests are skipped without them.
    let redis = need("Redis", &["redis-server"], || {
        program("redis-server").args(["--version"]).succeeds()
    });
    let postgres = need("PostgreSQL", &["postgresql"], crate::has_postgres);
    let nginx = need("nginx", &["nginx-light"], has_nginx);
    let promtool = need("promtool", &["prometheus"], || {
        program("promtool").args(["--version"]).succeeds()
    });
    for missing in [redis, postgres, nginx, promtool].into_iter().filter_map(Result::err) {
        eprintln!("{missing}");
    }
    if arguments.is_empty() {
        pytest(&NEWEST, binary, &[])?;
        pytest(&OPENAI_2, binary, &[])?;
        need_for_deploy()?;
        return pytest(&DEPLOY, binary, &[]);
    }
    let is_of = |other: &&Environment| arguments.iter().any(|argument| argument.starts_with(other.folder));
    let environment = [&OPENAI_2, &DEPLOY].into_iter().find(is_of).unwrap_or(&NEWEST);
    if environment.folder == DEPLOY.folder {
        need_for_deploy()?;
    }
    pytest(environment, binary, arguments)
}

/// The tools of those who deploy that Debian has.
fn need_for_deploy() -> Result {
    for (what, package, question) in [
        // The image is tried in a network of its own, with certificates of its own.
        ("ip", "iproute2", ["ip", "-Version"]),
        ("OpenSSL", "openssl", ["openssl", "version"]),
        ("objdump", "binutils", ["objdump", "--version"]),
        ("Docker Compose", "docker-compose", ["docker-compose", "version"]),
        ("systemd-analyze", "systemd", ["systemd-analyze", "--version"]),
        ("strace", "strace", ["strace", "--version"]),
        // They read what a release has for them.
        ("fish", "fish", ["fish", "--version"]),
        ("mandoc", "mandoc", ["mandoc", "-h"]),
        ("zsh", "zsh", ["zsh", "--version"]),
    ] {
        let [command, argument] = question;
        need(what, &[package], || program(command).args([argument]).succeeds())?;
    }
    Ok(())
}

/// Debian has it where not everyone looks.
fn has_nginx() -> bool {
    let answers = |name| program(name).args(["-v"]).succeeds();
    answers("nginx") || answers("/usr/sbin/nginx")
}

fn pytest(environment: &Environment, binary: &Path, arguments: &[String]) -> Result {
    let folder = root().join("clients/python");
    let venv = target_dir()?.join("clients").join(environment.venv);
    let python = venv.join("bin/python");
    let requirements = folder.join(environment.folder).join("requirements.txt");
    once_per(&requirements, &venv.join("requirements.installed"), || {
        // A half-installed or an outdated one is not worth repairing.
        program("python3").args(["-m", "venv", "--clear"]).args([&venv]).run()?;
        let install = program(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        install.args(["--requirement"]).args([&requirements]).run()
    })?;
    let pytest = program(&python)
        .args(["-m", "pytest"])
        .current_dir(folder)
        .env("OUTCROP_BIN", binary);
    // The tests wait more than they compute, so a few at a time; singled out ones are easier to read one by one.
    let pytest = if arguments.is_empty() {
        pytest.args(["--numprocesses=4"]).args(environment.tests)
    } else {
        pytest.args(arguments)
    };
    pytest.run()
}

fn node(binary: &Path, arguments: &[String]) -> Result {
    need("Node with npm", &["nodejs", "npm"], || {
        program("node").args(["--version"]).succeeds() && program("npm").args(["--version"]).succeeds()
    })?;
    let version = String::from_utf8_lossy(&program("node").args(["--version"]).output()?)
        .trim()
        .to_owned();
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST_NODE) {
        return Err(format!("Node {OLDEST_NODE} or newer is needed, this is {version}"));
    }
    let folder = root().join("clients/node");
    once_per(
        &folder.join("package-lock.json"),
        &folder.join("node_modules/.installed"),
        || {
            program("npm")
                .args(["ci", "--no-audit", "--no-fund"])
                .current_dir(&folder)
                .run()
        },
    )?;
    program("node")
        .args(["--test"])
        .args(arguments)
        .current_dir(folder)
        .env("OUTCROP_BIN", binary)
        .run()
}

/// Does `install` unless `stamp` says that it was done for this very `list`.
fn once_per(list: &Path, stamp: &Path, install: impl FnOnce() -> Result) -> Result {
    let wanted = std::fs::read(list).map_err(|error| format!("{}: {error}", list.display()))?;
    if std::fs::read(stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    std::fs::write(stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
}

/// Makes sure that something is there, by Debian's packages where we may.
pub(crate) fn need(what: &str, packages: &[&str], is_there: impl Fn() -> bool) -> Result {
    if is_there() {
        return Ok(());
    }
    let missing = format!("{what} is missing; the Debian packages are {}", packages.join(" "));
    let root = program("id").args(["-u"]).output().is_ok_and(|id| id == b"0\n");
    if !root || !Path::new("/etc/debian_version").exists() {
        return Err(missing);
    }
    let apt = || program("apt-get").env("DEBIAN_FRONTEND", "noninteractive");
    apt().args(["update", "--quiet"]).run()?;
    apt()
        .args(["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(packages)
        .run()?;
    if is_there() { Ok(()) } else { Err(missing) }
}

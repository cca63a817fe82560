"""The commit that a build tells of, by the build script itself in repositories of all kinds."""

import os
import shutil
import subprocess

import pytest

from deploy.dockerfile import ROOT

SCRIPT = "crates/outcrop/build.rs"
IN_THE_CRATE = ["crates/outcrop/Cargo.toml", "crates/outcrop/src/main.rs"]


@pytest.fixture(scope="session")
def script(tmp_path_factory):
    """The build script, as cargo would run it."""
    built = tmp_path_factory.mktemp("script") / "build-script"
    command = ["rustc", "--edition", "2024", "-o", built, ROOT / SCRIPT]
    subprocess.run(command, check=True, timeout=100, capture_output=True)
    return built


@pytest.fixture
def repository(tmp_path):
    """A repository with a crate in it, at one commit."""
    tree = tmp_path / "tree"
    for name in ["Cargo.toml", "Cargo.lock", "README.md", SCRIPT, *IN_THE_CRATE]:
        write(tree / name, name)
    write(tree / "crates/outcrop/tests/cli.rs", "a test")
    git(tree, "init", "--quiet", "--initial-branch=main")
    commit(tree)
    return tree


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def git(tree, *arguments, **environment):
    names = {f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **names, **environment}
    ended = subprocess.run(
        ["git", *arguments], cwd=tree, env=env, check=True, capture_output=True, text=True, timeout=60
    )
    return ended.stdout.strip()


def commit(tree):
    # Late in the evening, where it is the next day in the east.
    when = {"GIT_AUTHOR_DATE": "2026-11-22T23:30:00+0000", "GIT_COMMITTER_DATE": "2026-11-23T05:00:00+0530"}
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--allow-empty", "--message=one more", **when)


def told(script, tree, **environment):
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TARGET": "x", "RUSTC": "rustc", **environment}
    env |= {"RUSTUP_HOME": os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup"))}
    ended = subprocess.run(
        [script], cwd=tree / "crates/outcrop", env=env, check=True, capture_output=True, text=True, timeout=60
    )
    lines = [line.removeprefix("cargo:").partition("=") for line in ended.stdout.splitlines()]
    set_to = dict(value.split("=", 1) for name, _, value in lines if name == "rustc-env")
    watched = {value for name, _, value in lines if name == "rerun-if-changed"}
    return set_to["OUTCROP_BUILD"], {os.path.realpath(tree / "crates/outcrop" / path) for path in watched}


def short(tree):
    return git(tree, "rev-parse", "HEAD")[:9]


def test_a_clean_tree(script, repository):
    build, _ = told(script, repository)
    assert build == f" ({short(repository)} 2026-11-22)"


@pytest.mark.parametrize("change", ["changed", "added", "removed", "Cargo.lock"])
def test_a_tree_that_differs(script, repository, change):
    source = repository / "crates/outcrop/src"
    match change:
        case "changed":
            write(source / "main.rs", "else")
        case "added":
            write(source / "new.rs", "more")
        case "removed":
            (source / "main.rs").unlink()
        case "Cargo.lock":
            write(repository / "Cargo.lock", "else")
    build, _ = told(script, repository)
    assert build == f" ({short(repository)}-dirty 2026-11-22)"


def test_what_the_binary_is_not_built_from_does_not_matter(script, repository):
    write(repository / "crates/outcrop/tests/cli.rs", "else")
    write(repository / "README.md", "else")
    write(repository / "draft.md", "new")
    build, watched = told(script, repository)
    assert "dirty" not in build
    # To watch them would cost a build for each test that is edited.
    assert os.path.realpath(repository / "crates/outcrop/tests") not in watched
    assert os.path.realpath(repository / "crates/outcrop/src") in watched


def test_all_that_is_watched_is_there(script, repository):
    # Cargo would run the script, and build the binary, each time.
    git(repository, "config", "core.logAllRefUpdates", "false")
    for step in ["with a log", "without", "packed"]:
        if step == "without":
            shutil.rmtree(repository / ".git/logs")
        if step == "packed":
            git(repository, "pack-refs", "--all")
        _, watched = told(script, repository)
        assert not [path for path in watched if not os.path.exists(path)], step


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("where", ["tree", "worktree"])
def test_another_commit_is_noticed(script, repository, where, log):
    git(repository, "config", "core.logAllRefUpdates", str(log).lower())
    if not log:
        shutil.rmtree(repository / ".git/logs")
    tree = repository
    if where == "worktree":
        tree = repository.parent / "worktree"
        git(repository, "worktree", "add", "--quiet", "-b", "other", tree)
    _, watched = told(script, tree)
    files = [path for path in watched if os.path.isfile(path)]
    before = {path: (os.stat(path).st_mtime_ns, os.stat(path).st_ino) for path in files}
    commit(tree)
    changed = [path for path in files if (os.stat(path).st_mtime_ns, os.stat(path).st_ino) != before[path]]
    assert changed and all(".git/" in path for path in changed), watched


def test_a_look_at_the_tree_changes_nothing_that_is_watched(script, repository):
    _, watched = told(script, repository)
    before = {path: os.stat(path).st_mtime_ns for path in watched if os.path.isfile(path)}
    git(repository, "status")
    git(repository, "pack-refs", "--all")
    git(repository, "tag", "v1")
    git(repository, "branch", "other")
    told(script, repository)
    assert before == {path: os.stat(path).st_mtime_ns for path in before}


def test_no_repository(script, repository):
    shutil.rmtree(repository / ".git")
    assert told(script, repository)[0] == ""


def test_a_repository_around_an_unpacked_archive_says_nothing(script, repository):
    shutil.rmtree(repository / ".git")
    write(repository.parent / ".gitignore", "tree")
    git(repository.parent, "init", "--quiet")
    commit(repository.parent)
    assert told(script, repository)[0] == ""


def test_no_git(script, repository, tmp_path):
    assert told(script, repository, PATH=str(tmp_path))[0] == ""


def test_the_environment_comes_first(script, repository):
    environment = {"OUTCROP_COMMIT": "1a2b3c4d5e6f" + "0" * 28, "OUTCROP_COMMIT_DATE": "2026-01-02"}
    assert told(script, repository, **environment)[0] == " (1a2b3c4d5 2026-01-02)"
    assert told(script, repository, OUTCROP_COMMIT="1a2b3c4d5-dirty")[0] == " (1a2b3c4d5-dirty)"
    # A container's build argument that nobody gave is empty.
    assert told(script, repository, OUTCROP_COMMIT="", OUTCROP_COMMIT_DATE="")[0] == told(script, repository)[0]


def test_hooks_of_another_repository_do_not_matter(script, repository, tmp_path):
    build, _ = told(script, repository, GIT_DIR=str(tmp_path / "nowhere"), GIT_INDEX_FILE="index")
    assert short(repository) in build

"""What `cargo xtask dist` packs, by the tools that people unpack and read it with.

The binary in it is a script that runs the tested one: what is looked at is the packing, not the build. The two builds
of a real release, and whether they are the same, are `cargo xtask dist --verify`.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
import zipfile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy.dockerfile import ROOT

VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
LOCKED = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
# Such as libgcc's name for it; the archive is for the machine that it is made on.
ARCHITECTURE = os.uname().machine
LAMBDAS = {"aarch64": "arm64"}.get(ARCHITECTURE, ARCHITECTURE)
NAME = f"outcrop-{VERSION}-{ARCHITECTURE}-unknown-linux-gnu"
ZIP = f"outcrop-lambda-{VERSION}-{LAMBDAS}.zip"


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=110, **options)


def dist(*arguments, **environment):
    # Cargo said to its own runner which flags it has; a run of its own shall find its own.
    kept = {name: value for name, value in os.environ.items() if name != "CARGO_ENCODED_RUSTFLAGS"}
    return run("cargo", "xtask", "dist", *arguments, cwd=ROOT, env=kept | environment)


@pytest.fixture(scope="session")
def binary(tmp_path_factory):
    script = tmp_path_factory.mktemp("binary") / "outcrop"
    script.write_text(f"#!/bin/sh\nexec '{os.path.abspath(os.environ['OUTCROP_BIN'])}' \"$@\"\n")
    script.chmod(0o755)
    return script


@pytest.fixture(scope="session")
def made(binary, tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    (out / "outcrop-0.0.9.tar.gz").write_text("of an earlier release")
    (out / "notes.txt").write_text("the user's own")
    ended = dist("--binary", binary, "--out", out)
    assert ended.returncode == 0, ended.stderr
    return out


@pytest.fixture(scope="session")
def unpacked(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    ended = run("tar", "--extract", "--gzip", "--file", made / f"{NAME}.tar.gz", cwd=folder)
    assert ended.returncode == 0 and [path.name for path in folder.iterdir()] == [NAME], ended.stderr
    return folder / NAME


@pytest.fixture(scope="session")
def sbom(made):
    return json.loads((made / f"{NAME}.cdx.json").read_text())


def test_the_files_of_a_release_and_none_of_the_last_one(made):
    names = {path.name for path in made.iterdir()}
    assert names == {f"{NAME}.tar.gz", f"{NAME}.cdx.json", ZIP, "SHA256SUMS", "notes.txt"}


def test_checksums(made):
    ended = run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=made)
    assert ended.returncode == 0 and ended.stdout.count(": OK\n") == 3, ended
    assert hashlib.sha256((made / ZIP).read_bytes()).hexdigest() in (made / "SHA256SUMS").read_text()


def test_the_same_bytes_again_by_somebody_else_later(made, binary, tmp_path):
    ended = dist("--binary", binary, "--out", tmp_path, TZ="Asia/Kathmandu", LC_ALL="C", USER="somebody")
    assert ended.returncode == 0, ended.stderr
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (made / path.name).read_bytes(), path.name


def test_the_archive(made, binary, unpacked):
    with tarfile.open(made / f"{NAME}.tar.gz") as archive:
        members = archive.getmembers()
    names = [member.name.removeprefix(f"{NAME}/") for member in members]
    assert names == sorted(names)
    expected = {"outcrop", "LICENSE", "README.md", "CHANGELOG.md", "THIRD-PARTY-LICENSES.md", "man/man1/outcrop.1"}
    assert expected <= set(names)
    completions = {"outcrop.bash", "_outcrop", "outcrop.fish", "_outcrop.ps1", "outcrop.elv"}
    assert {f"completions/{name}" for name in completions} <= set(names)
    epoch = int(run("git", "log", "-1", "--format=%ct", cwd=ROOT).stdout)
    for member in members:
        assert member.isfile() and (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", ""), member
        assert member.mtime == epoch and member.mode == (0o755 if member.name == f"{NAME}/outcrop" else 0o644), member
    assert (unpacked / "outcrop").read_bytes() == binary.read_bytes()
    assert run(unpacked / "outcrop", "-V").stdout.startswith(f"outcrop {VERSION}")
    # The header of gzip has neither a time nor the name of a file.
    assert (made / f"{NAME}.tar.gz").read_bytes()[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


def test_units_of_systemd_go_along(unpacked):
    units = ROOT / "deploy/systemd"
    if not units.is_dir():
        pytest.skip("there are none yet")
    for unit in (path for path in units.iterdir() if path.is_file()):
        assert (unpacked / "systemd" / unit.name).read_bytes() == unit.read_bytes()


def test_the_package_for_lambda(made, binary, unpacked):
    with zipfile.ZipFile(made / ZIP) as archive:
        assert archive.testzip() is None
        entries = {entry.filename: entry for entry in archive.infolist()}
        assert set(entries) == {"bootstrap", "LICENSE", "THIRD-PARTY-LICENSES.md"}
        assert archive.read("bootstrap") == binary.read_bytes()
        assert archive.read("THIRD-PARTY-LICENSES.md") == (unpacked / "THIRD-PARTY-LICENSES.md").read_bytes()
    # Lambda runs it by its mode, as a regular file.
    assert entries["bootstrap"].external_attr >> 16 == 0o100755
    assert {entry.date_time for entry in entries.values()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_binary_that_is_too_large_is_no_release(tmp_path):
    large = tmp_path / "outcrop"
    with large.open("wb") as file:
        file.write(b"#!/bin/sh\necho outcrop\n")
        file.truncate(30_000_000)
    large.chmod(0o755)
    ended = dist("--binary", large, "--out", tmp_path / "out")
    assert ended.returncode == 1 and "the binary has 30000000 bytes" in ended.stderr, ended
    assert not (tmp_path / "out").exists()


def test_the_list_of_parts_is_cyclonedx(made):
    text = (made / f"{NAME}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    broken = text.replace('"type": "library"', '"type": "crate"', 1)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(broken) is not None


def test_the_list_of_parts_agrees_with_the_lock_file(sbom):
    checksums = {(package["name"], package["version"]): package.get("checksum") for package in LOCKED}
    components = {component["bom-ref"]: component for component in sbom["components"]}
    assert len(components) == len(sbom["components"])
    crates = [component for component in components.values() if component.get("purl", "").startswith("pkg:cargo/")]
    for crate in crates:
        [checksum] = [hash["content"] for hash in crate["hashes"] if hash["alg"] == "SHA-256"]
        assert checksum == checksums[crate["name"], crate["version"]], crate["name"]
        assert crate["purl"] == f"pkg:cargo/{crate['name']}@{crate['version'].replace('+', '%2B')}"
        assert crate["licenses"][0]["expression"]
    names = {component["name"] for component in components.values()}
    # Linked, ours, in C, and Rust's own.
    assert {"tokio", "ring", "sqlx-sqlite", "outcrop-store", "sqlite", "jemalloc", "rust-std"} <= names
    # Only tests, builds, macros, chores and other systems have these.
    assert not {"proptest", "cc", "serde_derive", "syn", "tar", "zip", "windows-sys", "xtask", "divan"} & names
    assert sbom["metadata"]["component"]["name"] == "outcrop"


def test_each_part_is_needed_by_another(sbom):
    main = sbom["metadata"]["component"]["bom-ref"]
    needs = {entry["ref"]: entry["dependsOn"] for entry in sbom["dependencies"]}
    reached, left = set(), [main]
    while left:
        one = left.pop()
        if one not in reached:
            reached.add(one)
            left += needs.get(one, [])
    assert reached == {main} | {component["bom-ref"] for component in sbom["components"]}


def test_the_list_of_parts_names_the_commit(sbom):
    properties = {entry["name"]: entry["value"] for entry in sbom["metadata"]["component"]["properties"]}
    head = run("git", "rev-parse", "HEAD", cwd=ROOT).stdout.strip()
    assert properties["outcrop:commit"].removesuffix("-dirty") == head[:9]
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", sbom["serialNumber"])


def test_licences_are_complete(unpacked, sbom):
    page = (unpacked / "THIRD-PARTY-LICENSES.md").read_text()
    # Some texts have headings of their own.
    headings = [found.split(", ") for found in re.findall(r"^## (.+)\n\n~~~~text$", page, re.MULTILINE)]
    named = {package for packages in headings for package in packages}
    rows = set(re.findall(r"^\| (\S+) \| (\d\S*) \| (.+) \|$", page, re.MULTILINE))
    crates = [component for component in sbom["components"] if component.get("purl", "").startswith("pkg:cargo/")]
    for crate in crates:
        assert f"{crate['name']} {crate['version']}" in named
        assert (crate["name"], crate["version"]) in {row[:2] for row in rows}
    assert len(rows) == len(crates)
    # Texts of SQLite's and jemalloc's neighbours, of one that keeps its texts in a folder, and of one that has none.
    assert "Facebook" in page and "BoringSSL" in page and "Copyright (c) 2023 Roger Zurawicki" in page
    assert page.count("\n~~~~text\n") == len(headings) == page.count("\n~~~~\n")


def test_every_command_has_its_page_and_mandoc_finds_nothing_wrong(unpacked):
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is missing")
    pages = sorted((unpacked / "man/man1").iterdir())
    names = {page.name for page in pages}
    assert {"outcrop.1", "outcrop-serve.1", "outcrop-keys-create.1"} <= names and "outcrop-man.1" not in names
    linted = run("mandoc", "-T", "lint", "-W", "warning", *pages)
    # Spaces between lists of values, which look right.
    found = [line for line in linted.stdout.splitlines() if "skipping paragraph macro" not in line]
    assert not found, "\n".join(found)
    shown = run("mandoc", "-T", "ascii", unpacked / "man/man1/outcrop-serve.1").stdout
    shown = re.sub(".\b", "", shown)
    assert "OUTCROP-SERVE(1)" in shown and "--listen" in shown and "OUTCROP_LISTEN" in shown
    # Those that a page refers to are there.
    referred = set(re.findall(r"(outcrop[a-z\\-]*)\(1\)", (unpacked / "man/man1/outcrop.1").read_text()))
    assert referred and {f"{name.replace(chr(92), '')}.1" for name in referred} <= names


def test_bash_completes(unpacked):
    script = """
        source completions/outcrop.bash
        complete -p outcrop
        complete_line() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _outcrop outcrop "${@: -1}" "${@: -2:1}"
            echo "${COMPREPLY[@]}"
        }
        complete_line outcrop ser
        complete_line outcrop serve --listen
        complete_line outcrop completions ""
    """
    ended = run("bash", "--noprofile", "--norc", "-c", script, cwd=unpacked)
    assert ended.returncode == 0 and not ended.stderr, ended
    registered, commands, flags, shells = ended.stdout.strip().splitlines()
    assert "_outcrop" in registered and commands.split() == ["serve"]
    assert "--listen" in flags.split()
    assert {"bash", "zsh", "fish", "powershell", "elvish"} <= set(shells.split())


def test_zsh_takes_its_completions(unpacked):
    if not shutil.which("zsh"):
        pytest.skip("zsh is missing")
    script = "fpath=($PWD/completions $fpath); autoload -Uz compinit; compinit -D; print $_comps[outcrop]"
    script += "; autoload +X _outcrop"
    ended = run("zsh", "-f", "-c", script, cwd=unpacked)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "_outcrop\n", ""), ended


def test_fish_completes(unpacked, tmp_path):
    if not shutil.which("fish"):
        pytest.skip("fish is missing")
    script = "source completions/outcrop.fish; complete --do-complete 'outcrop ser'"
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    ended = run("fish", "--no-config", "-c", script, cwd=unpacked, env=environment)
    assert ended.returncode == 0 and ended.stdout.startswith("serve\t"), ended

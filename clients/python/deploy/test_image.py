"""The container image, without an engine: its last stage is put together here and run."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tomllib

import pytest

from deploy import neighbours
from deploy.container import Container, gather, refused, run
from deploy.dockerfile import ROOT, Image, instructions

# Lambda's provided.al2023 has this one; the image has Debian 12's, which is newer.
NEWEST_GLIBC = (2, 34)
KEY = "sk-of-the-test"
NAMESPACES = refused()

contained = pytest.mark.skipif(bool(NAMESPACES), reason=f"namespaces are not permitted here: {NAMESPACES}")


def binary():
    return os.path.abspath(os.environ["OUTCROP_BIN"])


@pytest.fixture(scope="module")
def gathered(tmp_path_factory):
    return gather(tmp_path_factory.mktemp("image"), binary())


@pytest.fixture
def start(gathered, tmp_path):
    """Starts a container, with a volume that stays for the test."""
    state, running = tmp_path / "state", []
    state.mkdir()

    def begin(*arguments, **options):
        running.append(Container(gathered, state, *arguments, **options))
        return running[-1]

    begin.state = state
    yield begin
    for one in running:
        one.close()


@pytest.fixture
def served(start):
    """The image as it is, with a key, in front of its own simulator."""
    container = start(env={"OUTCROP_SIMULATE": "true", "OUTCROP_API_KEYS": KEY})
    container.expect("http://127.0.0.1:8080/v1")
    return container


def test_hadolint_has_nothing_to_say():
    hadolint = pathlib.Path(sys.executable).with_name("hadolint")
    strict = ["--no-color", "--disable-ignore-pragma", "--failure-threshold=style"]
    said = run([hadolint, *strict, ROOT / "Dockerfile"])
    assert (said.returncode, said.stdout) == (0, ""), said.stdout + said.stderr


def test_the_last_stage_is_what_is_tried_here():
    image = Image()
    assert image.base == "scratch"
    assert image.copies == [
        ["--from=build", "/image/root/", "/"],
        ["--from=build", f"--chown={image.user}", "/image/state/", f"{image.volumes[0]}/"],
    ]
    build = next(text for name, text in instructions() if name == "RUN")
    assert build.endswith("sh deploy/image/root.sh target/release/outcrop /image")


def test_the_user_is_a_number_and_not_root():
    user, group = Image().user.split(":")
    assert int(user) > 0 and int(group) > 0


def test_the_version_is_the_packages():
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    arguments = dict(text.split("=", 1) for name, text in instructions() if name == "ARG")
    assert arguments["VERSION"] == manifest["workspace"]["package"]["version"]
    oldest = tuple(map(int, manifest["workspace"]["package"]["rust-version"].split(".")))
    assert tuple(map(int, arguments["RUST_VERSION"].split(".")))[:2] >= oldest


def test_the_context_is_enough_to_build_from_and_no_more(tmp_path):
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
    for name in kept:
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("target"))
        else:
            shutil.copy(source, target)
    understood = run(["cargo", "metadata", "--no-deps", "--locked", "--offline", "--format-version=1"], cwd=tmp_path)
    assert understood.returncode == 0, understood.stderr
    assert (tmp_path / "deploy/image/root.sh").is_file()
    # Whatever is compiled into the binary is there; tests may read the docs.
    for source in (tmp_path / "crates").glob("*/src/**/*.rs"):
        if "tests" in source.relative_to(tmp_path).parts or source.name == "tests.rs":
            continue
        code = source.read_text().split("#[cfg(test)]")[0]
        for included in re.findall(r'include_(?:str|bytes)!\(\s*"([^"]+)"', code):
            assert (source.parent / included).resolve().is_file(), f"{source}: {included}"


def needs(path):
    """The libraries that a binary names, and the versions of the C library's symbols."""
    said = run(["objdump", "-p", path])
    assert said.returncode == 0, said.stderr
    libraries = re.findall(r"NEEDED\s+(\S+)", said.stdout)
    versions = {tuple(map(int, found.split("."))) for found in re.findall(r"GLIBC_([0-9.]+)", said.stdout)}
    return libraries, versions


def test_all_libraries_are_there_and_none_besides(gathered):
    root = gathered / "root"
    there = {path.name for path in root.glob("lib*/**/*.so*")}
    wanted, queue = set(), ["usr/local/bin/outcrop"]
    while queue:
        libraries, _ = needs(root / queue.pop())
        for library in set(libraries) - wanted:
            wanted.add(library)
            queue.extend(path.relative_to(root) for path in root.glob(f"lib*/**/{library}"))
    assert there == wanted, "the libraries of the image are not those that are needed"


def test_the_binary_runs_on_an_older_c_library_than_this_one():
    _, versions = needs(binary())
    assert max(versions) <= NEWEST_GLIBC, max(versions)


def test_scanners_find_what_the_libraries_are(gathered):
    packages = {path.name for path in (gathered / "root/var/lib/dpkg/status.d").iterdir()}
    assert packages == {"libc6", "libgcc-s1"}
    for package in packages:
        said = (gathered / "root/var/lib/dpkg/status.d" / package).read_text()
        assert f"Package: {package}\n" in said and "\nVersion: " in said
        assert (gathered / "root/usr/share/doc" / package / "copyright").is_file()


@contained
def test_the_binary_starts_in_the_image(start):
    container = start("--version")
    assert container.wait() == 0, container.report()
    assert container.output["stdout"][0].startswith("outcrop ")


@contained
def test_it_serves_and_is_healthy(served):
    status, body = served.ask(
        "http://127.0.0.1:8080/v1/chat/completions", "--header", f"authorization: Bearer {KEY}",
        "--json", '{"model": "amazon.nova-lite-v1:0", "messages": [{"role": "user", "content": "[[sim:text Well.]]"}]}',
    )  # fmt: skip
    assert status == 200 and "Well." in body
    healthy = served.execute(*served.image.health)
    assert (healthy.returncode, healthy.stdout) == (0, "http://127.0.0.1:8080/healthz: ok\n"), healthy
    wrong = served.execute(*served.image.health, "--listen", "127.0.0.1:1")
    assert wrong.returncode == 1, wrong


@contained
def test_its_other_port_has_the_metrics(start):
    env = {"OUTCROP_SIMULATE": "true", "OUTCROP_API_KEYS": KEY, "OUTCROP_METRICS_LISTEN": "0.0.0.0:9464"}
    container = start(env=env)
    container.expect("http://127.0.0.1:8080/v1")
    assert 9464 in container.image.ports
    status, page = container.ask("http://127.0.0.1:9464/metrics")
    assert status == 200 and "outcrop_open_streams" in page


@contained
def test_it_runs_without_rights_in_a_root_that_it_cannot_write(served):
    status = pathlib.Path("/proc", served.inner_process(), "status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["65532"] * 4 and fields["Gid"].split() == ["65532"] * 4, status
    assert (fields["NoNewPrivs"], int(fields["CapEff"], 16), int(fields["CapPrm"], 16)) == ("1", 0, 0)
    mounts = pathlib.Path("/proc", served.inner_process(), "mounts").read_text().splitlines()
    modes = {line.split()[1]: line.split()[3].split(",")[0] for line in mounts}
    assert modes["/"] == "ro" and modes["/tmp"] == modes["/var/lib/outcrop"] == "rw", modes


@contained
def test_it_stops_by_its_signal(served):
    os.kill(int(served.inner_process()), signal.Signals[served.image.stop])
    assert served.wait() == 0, served.report()


@contained
def test_without_a_key_it_does_not_serve(start):
    container = start(env={"OUTCROP_SIMULATE": "true"})
    assert container.wait() == 1 and "key" in "".join(container.output["stderr"]), container.report()


@contained
def test_what_it_keeps_stays_in_the_volume(start):
    env = {"OUTCROP_SIMULATE": "true", "OUTCROP_DATABASE": "sqlite:/var/lib/outcrop/outcrop.db"}
    made = start("keys", "create", "--name", "of-the-volume", env=env)
    assert made.wait() == 0, made.report()
    assert (start.state / "outcrop.db").is_file()
    listed = start("keys", "list", env=env)
    assert listed.wait() == 0 and "of-the-volume" in "".join(listed.output["stdout"]), listed.report()


@contained
def test_a_settings_file_is_read_where_it_is_mounted(start, tmp_path):
    (tmp_path / "outcrop.toml").write_text('listen = "0.0.0.0:8089"\nsimulate = true\napi_keys = ["sk-of-the-file"]\n')
    tmp_path.chmod(0o755)
    container = start(mounts={tmp_path: "/etc/outcrop"})
    container.expect("http://127.0.0.1:8080/v1")
    status, _ = container.ask("http://127.0.0.1:8080/v1/models", "--header", "authorization: Bearer sk-of-the-file")
    assert status == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A folder with a certificate that is its own authority (`ca.pem`), and its key (`key.pem`)."""
    folder = tmp_path_factory.mktemp("tls")
    made = run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=Of the test", "-addext", f"subjectAltName=DNS:{neighbours.NAME}",
         "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", folder / "key.pem", "-out", folder / "ca.pem"]
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    folder.chmod(0o755)
    return folder


@pytest.fixture
def beside(certificate):
    """Starts the neighbours in a container's network."""
    running = []

    def begin(container):
        program = pathlib.Path(neighbours.__file__)
        started = container.beside(
            sys.executable, program, certificate / "ca.pem", certificate / "key.pem", stdout=subprocess.PIPE
        )
        running.append(started)
        assert started.stdout.readline() == "ready\n"
        return started

    yield begin
    for one in running:
        one.kill()
        one.wait()


AWS = {
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": f"https://{neighbours.NAME}",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"https://{neighbours.NAME}/credentials",
    "OUTCROP_API_KEYS": KEY,
}
COUNT = ["/usr/local/bin/outcrop", "count-tokens", "--model", "anthropic.claude-haiku-4-5-20251001-v1:0", "Hello!"]


def named(tmp_path):
    """What an engine mounts for names."""
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    return {tmp_path / "resolv.conf": "/etc/resolv.conf"}


@contained
def test_it_finds_names_and_trusts_whom_it_is_told_to(start, beside, certificate, tmp_path):
    container = start(env=AWS, mounts=named(tmp_path) | {certificate: "/etc/outcrop"})
    container.expect("/v1")
    aws = beside(container)
    trusted = container.execute(*COUNT, env={"AWS_CA_BUNDLE": "/etc/outcrop/ca.pem"})
    assert (trusted.returncode, trusted.stdout) == (0, "4711\n"), trusted
    assert aws.stdout.readline() == "GET /credentials\n" and aws.stdout.readline().startswith("POST /model/")
    strange = container.execute(*COUNT)
    assert strange.returncode == 1 and not strange.stdout, strange


@contained
def test_the_systems_authorities_are_where_they_are_looked_for(start, beside, gathered, certificate, tmp_path):
    """They are believed for credentials, not for Bedrock."""
    bundle = gathered / "root/etc/ssl/certs/ca-certificates.crt"
    assert bundle.read_text().count("BEGIN CERTIFICATE") > 50
    mounted = {certificate / "ca.pem": "/etc/ssl/certs/ca-certificates.crt"}
    for mounts, came in (({}, False), (mounted, True)):
        container = start(env=AWS, mounts=named(tmp_path) | mounts)
        container.expect("/v1")
        aws = beside(container)
        asked = container.execute(*COUNT)
        assert asked.returncode == 1, asked
        aws.kill()
        assert ("GET /credentials\n" in aws.stdout.read()) == came, asked
        container.close()

"""The systemd unit, by systemd's own tools; and whether the gateway gets along with what it forbids."""

import os
import re
import socket
import subprocess
import time
import urllib.request

from deploy import settings
from deploy.dockerfile import ROOT

UNIT = ROOT / "deploy/systemd/outcrop.service"
ENVIRONMENT = ROOT / "deploy/systemd/outcrop.env.example"
# In tenths of systemd's points, of a hundred: what needs the network can't have less than about ten.
EXPOSURE = 12


def directives():
    """All values of each directive of the unit, oldest first."""
    found = {}
    for line in UNIT.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def one(name):
    (value,) = directives()[name]
    return value


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False)


def environment():
    return dict(pair.split("=", 1) for pair in directives()["Environment"])


def test_systemd_understands_it(tmp_path):
    # The binary isn't installed where the unit expects it, and that is looked at.
    unit = tmp_path / UNIT.name
    binary = os.path.abspath(os.environ["OUTCROP_BIN"])
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/outcrop", binary))
    verified = analyze("verify", "--man=no", "--recursive-errors=no", unit)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHouse="))
    assert "ProtectHouse" in analyze("verify", "--man=no", "--recursive-errors=no", unit).stderr


def test_it_is_exposed_no_more_than_it_must():
    judged = analyze("security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", UNIT)
    assert judged.returncode == 0, judged.stdout


def test_streams_have_their_time():
    stopping = settings.seconds(environment()["OUTCROP_SHUTDOWN_TIMEOUT"])
    assert stopping >= settings.seconds(settings.defaults()["total_timeout"])
    assert settings.seconds(one("TimeoutStopSec")) >= stopping + 30


def test_there_are_files_enough():
    assert int(one("LimitNOFILE")) >= 3 * settings.defaults()["max_connections"]


def test_the_gateway_takes_what_it_is_given(tmp_path):
    lines = ENVIRONMENT.read_text().splitlines()
    # A line that is commented out is a variable as well; a comment has a space.
    pairs = dict(line.removeprefix("#").split("=", 1) for line in lines if re.match(r"#?[A-Z_]+=", line))
    assert {"OUTCROP_API_KEYS", "OUTCROP_DATABASE", "AWS_REGION"} <= set(pairs)
    settings.check(environment() | pairs | {"OUTCROP_API_KEYS": "sk-a", "OUTCROP_ADMIN_KEYS": "sk-b"}, tmp_path)
    assert all(not value for name, value in pairs.items() if name.endswith(("_KEYS", "_KEY", "_ID"))), "a secret is set"


def allowed():
    """The system calls that the unit's filter lets through."""
    sets, name = {}, None
    for line in analyze("syscall-filter", "--no-pager").stdout.splitlines():
        if line.startswith("@"):
            name = line.strip()
            sets[name] = []
        elif name and line.strip() and not line.strip().startswith("#"):
            sets[name].append(line.strip())

    def members(word):
        return set().union(*(members(inner) for inner in sets[word])) if word.startswith("@") else {word}

    calls = set()
    for line in directives()["SystemCallFilter"]:
        listed = set().union(*(members(word) for word in line.removeprefix("~").split()))
        calls = calls - listed if line.startswith("~") else calls | listed
    return calls


def made(trace):
    return set(re.findall(r"^(?:\d+ +)?(\w+)\(", trace.read_text(), re.MULTILINE))


def ask(url, body=None):
    request = urllib.request.Request(url, body, {"authorization": "Bearer sk-a", "content-type": "application/json"})
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).read()


def test_it_makes_no_call_that_the_filter_forbids(tmp_path):
    """It starts, keeps a record of usage, streams, and stops, all under strace."""
    trace, state, notify = tmp_path / "trace", tmp_path / "state", tmp_path / "notify"
    state.mkdir()
    env = environment() | {
        "HOME": str(tmp_path),
        "STATE_DIRECTORY": str(state),
        "NOTIFY_SOCKET": str(notify),
        "OUTCROP_API_KEYS": "sk-a",
        "OUTCROP_SIMULATE": "true",
        "OUTCROP_DATABASE": f"sqlite:{state}/outcrop.db",
        "OUTCROP_LISTEN": "127.0.0.1:0",
    }
    strace = ["strace", "--follow-forks", "--quiet=all", "--output", trace, "--signal=none"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(notify))
        systemd.settimeout(60)
        with subprocess.Popen(
            [*strace, os.path.abspath(os.environ["OUTCROP_BIN"]), "serve"], env=env, stdout=subprocess.PIPE, text=True
        ) as running:
            try:
                assert systemd.recv(100) == b"READY=1"
                url = next(filter(None, (re.search(r"http://\S+/v1", line) for line in running.stdout))).group()
                body = b'{"model":"amazon.nova-lite-v1:0","stream":true,"messages":[{"role":"user","content":"hi"}]}'
                assert b"[DONE]" in ask(f"{url}/chat/completions", body)
                ask(f"{url}/models")
                # strace passes on what ends it only to a program that it started; so end that by its own number.
                os.kill(child_of(running.pid), 15)
                assert running.wait(60) == 0
            finally:
                running.kill()
    calls = made(trace)
    assert {"accept4", "epoll_wait", "sendto"} <= calls, calls
    if os.geteuid() == 0:
        # SQLite gives its files the owner of the database, which root alone can do.
        calls.discard("fchown")
    assert calls <= allowed(), f"the unit forbids {calls - allowed()}"


def child_of(parent):
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        for number in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{number}/stat", encoding="utf-8") as stat:
                    if stat.read().rpartition(")")[2].split()[1] == str(parent):
                        return int(number)
            except OSError:
                continue
        time.sleep(0.02)
    raise AssertionError("strace runs nothing")

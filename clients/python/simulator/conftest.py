"""A running simulator, and boto3 clients that speak to it."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import urllib.request

import boto3
import pytest
from botocore.config import Config
from known_keys import ACCESS_KEY_ID, SECRET_ACCESS_KEY

DEFAULT_COMMAND = f"{os.environ.get('OUTCROP_BIN', 'target/debug/outcrop')} simulate --listen 127.0.0.1:0"


@pytest.fixture(scope="session")
def endpoint():
    """The URL of a simulator that runs for all tests."""
    with running() as url:
        yield url


@pytest.fixture
def simulator(tmp_path):
    """Starts a simulator of the test's own, with a scenario."""
    with contextlib.ExitStack() as stack:

        def start(scenario=""):
            path = tmp_path / "scenario.toml"
            path.write_text(scenario)
            return Simulator(stack.enter_context(running("--simulator-scenario", str(path))))

        yield start


class Simulator:
    """What a test does to a simulator besides asking it."""

    def __init__(self, url):
        self.url = url

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_simulator/{path}", data=data, method=method)
        with urllib.request.urlopen(request) as response:
            return json.load(response)

    def get(self, path):
        return self.call("GET", path)

    def put(self, path, *rows):
        return self.call("PUT", path, list(rows))

    def delete(self, path):
        return self.call("DELETE", path)


@contextlib.contextmanager
def running(*arguments):
    command = shlex.split(os.environ.get("OUTCROP_SIMULATOR_CMD", DEFAULT_COMMAND))
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield first_url(process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def first_url(process):
    for line in process.stdout:
        found = re.search(r"http://[\w.\[\]:-]+:\d+", line)
        if found:
            return found.group()
    raise RuntimeError("the simulator ended without telling where it listens")


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch, tmp_path):
    """No test may read the machine's own AWS settings."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def connect(endpoint):
    """Makes a client of a service; keyword arguments replace the defaults."""

    def make(service="bedrock-runtime", retries=0, **settings):
        defaults = {
            "region_name": "us-east-1",
            "endpoint_url": endpoint,
            "aws_access_key_id": ACCESS_KEY_ID,
            "aws_secret_access_key": SECRET_ACCESS_KEY,
            "config": Config(
                retries={"max_attempts": retries, "mode": "standard"} if retries else {"total_max_attempts": 1},
                read_timeout=10,
                parameter_validation=settings.pop("parameter_validation", True),
            ),
        }
        return boto3.Session().client(service, **{**defaults, **settings})

    return make


@pytest.fixture
def runtime(connect):
    return connect()


@pytest.fixture
def unchecked(connect):
    """A client that sends whatever it's told, so that the simulator has to refuse it."""
    return connect(parameter_validation=False)


@pytest.fixture
def state(endpoint):
    """Reads what the simulator has seen."""

    def read():
        with urllib.request.urlopen(f"{endpoint}/_simulator/state") as response:
            return json.load(response)

    return read

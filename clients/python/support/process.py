"""Outcrop's processes: a gateway, a simulator, or both, each ended by its own handle."""

import json
import os
import re
import resource
import signal
import subprocess
import tempfile
import threading
import time

import httpx
import openai

from . import settings

START_TIMEOUT = 30
LIVE = []


FOLDERS = tempfile.TemporaryDirectory(prefix="outcrop-", ignore_cleanup_errors=True)


def binary():
    path = os.environ.get("OUTCROP_BIN")
    if not path:
        raise RuntimeError("OUTCROP_BIN is not set; run the tests by `cargo xtask clients`")
    return os.path.abspath(path)


def new_folder(prefix):
    """A folder that goes when the tests are over."""
    return tempfile.mkdtemp(prefix=prefix, dir=FOLDERS.name)


def clean_environment(extra=None):
    """An environment in which nothing of this machine's AWS or Outcrop set-up shows through."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "RUST_BACKTRACE", "TMPDIR") if name in os.environ}
    home = new_folder("home-")
    return kept | {"HOME": home, "AWS_EC2_METADATA_DISABLED": "true", "NO_COLOR": "1"} | (extra or {})


def poll(condition, what, timeout=15.0, interval=0.02):
    """Returns the first true value of `condition()`, or fails saying `what` did not come about."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout:.0f} s still not: {what} (last seen: {value!r})")
        time.sleep(interval)


def raise_file_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 65536
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, 65536) if hard > 65536 else wanted, hard))


class Process:
    """A running `outcrop`, whose output is kept for the report of a failing test."""

    def __init__(self, *arguments, env=None):
        environment = clean_environment(env)
        self._start([binary(), *arguments], environment["HOME"], environment)

    def _start(self, command, folder, environment):
        raise_file_limit()
        self.arguments = [str(argument) for argument in command[1:]]
        self.folder = folder
        self.handle = subprocess.Popen(
            [command[0], *self.arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.stdout, self.stderr = [], []
        self._arrived = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(pipe, lines), daemon=True)
            for pipe, lines in ((self.handle.stdout, self.stdout), (self.handle.stderr, self.stderr))
        ]
        for reader in self._readers:
            reader.start()
        LIVE.append(self)

    def _read(self, pipe, lines):
        for line in pipe:
            with self._arrived:
                lines.append(line.decode(errors="replace").rstrip("\n"))
                self._arrived.notify_all()
        with self._arrived:
            self._arrived.notify_all()

    def expect(self, pattern, timeout=START_TIMEOUT):
        """The match of the first line on stdout that `pattern` is found in, now or soon."""
        deadline = time.monotonic() + timeout
        with self._arrived:
            while True:
                for line in self.stdout:
                    if found := re.search(pattern, line):
                        return found
                left = deadline - time.monotonic()
                if left <= 0 or (self.handle.poll() is not None and not self._readers[0].is_alive()):
                    raise AssertionError(f"no line like {pattern!r} on stdout of {self.report()}")
                self._arrived.wait(min(left, 0.1))

    def report(self):
        status = self.handle.poll()
        state = "still running" if status is None else f"ended with {status}"
        out, err = "\n".join(self.stdout[-20:]), "\n".join(self.stderr[-40:])
        return f"`outcrop {' '.join(self.arguments)}` ({state})\n--- stdout\n{out}\n--- stderr\n{err}"

    def terminate(self):
        self.handle.send_signal(signal.SIGTERM)

    def wait(self, timeout=30):
        """Its exit status."""
        try:
            status = self.handle.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {timeout} s: {self.report()}") from None
        for reader in self._readers:
            reader.join(5)
        return status

    def close(self):
        if self.handle.poll() is None:
            self.handle.kill()
            self.handle.wait()
        if self in LIVE:
            LIVE.remove(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Gateway(Process):
    """`outcrop serve` on a free port, unless it is told one."""

    def __init__(self, *arguments, env=None, key=settings.KEY, port=0):
        self.key = key
        keys = {settings.API_KEYS: key} if key else {}
        super().__init__("serve", "--listen", f"127.0.0.1:{port}", *arguments, env=keys | (env or {}))
        try:
            found = self.expect(r"http://127\.0\.0\.1:(\d+)/v1\b")
        except AssertionError:
            self.close()
            raise
        self.port = int(found.group(1))
        self.root = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.root}/v1"

    @property
    def headers(self):
        return {"authorization": f"Bearer {self.key}"} if self.key else {}

    def openai(self, **options):
        """OpenAI's client, which doesn't retry on its own unless asked."""
        defaults = {"base_url": self.base_url, "api_key": self.key or "none", "max_retries": 0, "timeout": 60}
        return openai.OpenAI(**defaults | options)

    def async_openai(self, **options):
        defaults = {"base_url": self.base_url, "api_key": self.key or "none", "max_retries": 0, "timeout": 60}
        return openai.AsyncOpenAI(**defaults | options)

    def azure(self, **options):
        defaults = {
            "azure_endpoint": self.root,
            "api_key": self.key,
            "api_version": "2024-10-21",
            "max_retries": 0,
            "timeout": 60,
        }
        return openai.AzureOpenAI(**defaults | options)

    def request(self, method, path, headers=None, **options):
        """A request below the server's root, with the key unless `headers` say otherwise."""
        headers = self.headers | (headers or {})
        headers = {name: value for name, value in headers.items() if value is not None}
        with httpx.Client(trust_env=False, timeout=60) as client:
            return client.request(method, self.root + path, headers=headers, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def record(self, reply):
        """What the log says of a request, once it is over."""
        identifier = reply.headers["x-request-id"]

        def line():
            lines = [json.loads(line) for line in self.stderr if identifier in line and line.startswith("{")]
            return next((line for line in lines if line["message"] == "request"), None)

        return poll(line, f"a line in the log of {identifier}")

    def chat(self, text, model=settings.NOVA, **options):
        """A chat completion as plain HTTP."""
        body = {"model": model, "messages": [{"role": "user", "content": text}]} | options.pop("body", {})
        return self.request("POST", "/v1/chat/completions", json=body, **options)


class Simulator(Process):
    """`outcrop simulate` on a free port, and what it saw."""

    def __init__(self, *arguments, env=None):
        super().__init__("simulate", "--listen", "127.0.0.1:0", *arguments, env=env)
        try:
            self.url = self.expect(r"(http://127\.0\.0\.1:\d+)").group(1)
            access_key = self.expect(r"\bAWS_ACCESS_KEY_ID=['\"]?([^\s'\"]+)").group(1)
            secret = self.expect(r"\bAWS_SECRET_ACCESS_KEY=['\"]?([^\s'\"]+)").group(1)
        except AssertionError:
            self.close()
            raise
        self.credentials = {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret}
        self.endpoints = {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.url,
            "AWS_ENDPOINT_URL_BEDROCK": self.url,
            "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME": self.url,
            "AWS_REGION": settings.REGION,
        }

    def state(self):
        reply = httpx.get(f"{self.url}/_simulator/state", trust_env=False, timeout=10)
        reply.raise_for_status()
        return reply.json()

    def active(self):
        return self.state()["calls"]["active"]

    def requests(self, mark):
        """The calls it got whose body contains `mark`, oldest first."""
        return [request for request in self.state()["requests"] if mark in json.dumps(request)]


class Stack:
    """A gateway in front of a simulator that tests can look into."""

    def __init__(self, *arguments, env=None, key=settings.KEY, scenario=None):
        self.simulator = Simulator(*(["--simulator-scenario", scenario] if scenario else []))
        try:
            environment = self.simulator.endpoints | self.simulator.credentials | (env or {})
            environment = {name: value for name, value in environment.items() if value is not None}
            self.gateway = Gateway(*arguments, env=environment, key=key)
        except BaseException:
            self.simulator.close()
            raise

    def close(self):
        self.gateway.close()
        self.simulator.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def run(*arguments, env=None, cwd=None, timeout=60):
    """Runs `outcrop` to its end and returns the completed process, its output as text."""
    environment = clean_environment(env)
    try:
        return subprocess.run(
            [binary(), *arguments],
            cwd=cwd or environment["HOME"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        out, err = (pipe.decode(errors="replace") if pipe else "" for pipe in (late.stdout, late.stderr))
        said = f"--- stdout\n{out}\n--- stderr\n{err}"
        raise AssertionError(f"`outcrop {' '.join(arguments)}` did not end within {timeout} s\n{said}") from None

"""A PostgreSQL: a server of its own, which ends with its tests, and can be cut off between."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

import pytest

from . import process

MISSING = "PostgreSQL is missing; the Debian package is postgresql"
OPTIONS = ["listen_addresses=", "fsync=off", "max_connections=200", "shared_buffers=32MB"]


def programs():
    """The folder with `postgres` and `initdb`: Debian keeps the server's own out of the way."""
    debian = pathlib.Path("/usr/lib/postgresql")
    found = sorted(debian.glob("*/bin"), reverse=True) if debian.is_dir() else []
    found += [pathlib.Path(one) for one in os.environ.get("PATH", "").split(os.pathsep)]
    return next((one for one in found if (one / "postgres").is_file() and (one / "initdb").is_file()), None)


def need():
    """Skips the test where there is no PostgreSQL, which is an error in CI."""
    if programs() is None:
        assert "CI" not in os.environ, MISSING
        pytest.skip(f"NOT TESTED: {MISSING}")


def unprivileged():
    """Who runs the server, which refuses to be root's."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        except KeyError:
            pass
    return {"user": 65534, "group": 65534, "extra_groups": []}


class Postgres:
    """A server on a socket in a folder of its own."""

    def __init__(self):
        self.programs = programs()
        self.handle = None
        self.databases = 0
        self._folder = tempfile.TemporaryDirectory(prefix="outcrop-pg-", ignore_cleanup_errors=True)
        self.folder = self._folder.name
        self.user = unprivileged()
        if self.user:
            os.chown(self.folder, self.user["user"], self.user["group"])
        self.data = f"{self.folder}/data"
        arguments = ["--username=outcrop", "--auth=trust", "--no-sync", "--encoding=UTF8", "--pgdata", self.data]
        command = [self.programs / "initdb", *arguments]
        made = subprocess.run(command, **self._options(), stdout=subprocess.PIPE, check=False)
        assert made.returncode == 0, made.stdout.decode(errors="replace")
        self.start()

    def _options(self):
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
        common = {"cwd": self.folder, "env": environment, "stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        return common | self.user

    def start(self):
        """Starts it, again if it was stopped, and waits until it answers."""
        settings = [word for option in OPTIONS for word in ("-c", option)]
        with open(f"{self.folder}/log", "ab") as log:
            self.handle = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, "-k", self.folder, *settings],
                **self._options(),
                stdout=log,
            )
        try:
            process.poll(lambda: self.run("SELECT 1") is not None, f"an answer of PostgreSQL: {self.log()}", timeout=60)
        except AssertionError:
            self.close()
            raise

    def stop(self):
        """A fast shutdown: all connections are cut."""
        self.handle.send_signal(signal.SIGINT)
        self.handle.wait(60)

    def log(self):
        return pathlib.Path(f"{self.folder}/log").read_text(errors="replace")[-2000:]

    def run(self, sql, database="postgres"):
        """What a statement gives, as text; None if it fails."""
        psql = shutil.which("psql", path=f"{self.programs}{os.pathsep}{os.environ.get('PATH', '')}")
        arguments = ["-h", self.folder, "-U", "outcrop", "-d", database, "-X", "-A", "-t", "-c", sql]
        done = subprocess.run(
            [psql, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
        return done.stdout.decode() if done.returncode == 0 else None

    def database(self):
        """The URL of a new database."""
        self.databases += 1
        name = f"outcrop_{self.databases}"
        assert self.run(f"CREATE DATABASE {name} TEMPLATE template0") is not None, self.log()
        return f"postgres://outcrop@localhost/{name}?host={self.folder}"

    def close(self):
        if self.handle.poll() is None:
            self.handle.send_signal(signal.SIGINT)
            try:
                self.handle.wait(30)
            except subprocess.TimeoutExpired:
                self.handle.kill()
                self.handle.wait()
        self._folder.cleanup()

"""nginx in front of several gateways, by the configuration that docs/scaling.md shows."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

from . import process
from .redis import free_port

PAGE = pathlib.Path(__file__).parents[3] / "docs/scaling.md"
MISSING = "nginx is missing; the Debian package is nginx-light"
# Where Debian has it, which is not on everyone's PATH.
PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")

# What stands around the page's configuration: nothing but the folder of the test.
AROUND = """
daemon off;
master_process on;
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log info;
{user}
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{page}
}}
"""


def need():
    """Skips the test where there is no nginx, which is an error in CI."""
    if PROGRAM is None:
        assert "CI" not in os.environ, MISSING
        pytest.skip(f"NOT TESTED: {MISSING}")


def shown():
    """The page's configuration."""
    found = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(found) == 1, "the page shows one configuration of nginx"
    return found[0]


def configuration(servers, port, gateways):
    """The page's, with other addresses: of its own `server` lines the first stands for all."""
    lines = re.findall(r"^ *server +\S+:8080( [^;]*)?;\n", servers, re.MULTILINE)
    assert lines, "the page names gateways"
    rows = "".join(f"    server {gateway}{lines[0]};\n" for gateway in gateways)
    text, count = re.subn(r"(^ *server +\S+:8080( [^;]*)?;\n)+", lambda _: rows, servers, flags=re.MULTILINE)
    assert count == 1
    # TLS needs a certificate, and is nothing of the gateway's.
    text, count = re.subn(r"^ *listen 443 ssl;\n", f"    listen 127.0.0.1:{port};\n", text, flags=re.MULTILINE)
    assert count == 1, "the page listens for TLS"
    return re.sub(r"^ *ssl_\w+ [^;]*;\n", "", text, flags=re.MULTILINE)


class Balancer:
    """nginx on a free port, in front of the gateways at `addresses` (`127.0.0.1:port`, or with ` down` behind)."""

    def __init__(self, addresses):
        self.folder = process.new_folder("nginx-")
        self.port = free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.root}/v1"
        self.write(addresses)
        self.handle = subprocess.Popen(
            [PROGRAM, "-p", self.folder, "-e", f"{self.folder}/error.log", "-c", f"{self.folder}/nginx.conf"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.poll(self.listens, f"a port of nginx: {self.log()}")
        except AssertionError:
            self.close()
            raise

    def write(self, addresses):
        page = configuration(shown(), self.port, addresses)
        user = "user root;" if os.getuid() == 0 else ""
        text = AROUND.format(folder=self.folder, user=user, page=page)
        pathlib.Path(f"{self.folder}/nginx.conf").write_text(text)

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def reload(self, addresses):
        """Has it take over other addresses. Open requests stay with the workers that have them."""
        said = ("reconfiguring", "gracefully shutting down")
        before = [self.log().count(text) for text in said]
        self.write(addresses)
        self.handle.send_signal(signal.SIGHUP)
        # The workers of before are told once there are others.
        for text, count in zip(said, before, strict=True):
            process.poll(lambda text=text, count=count: self.log().count(text) > count, f"{text!r} of nginx", timeout=30)

    def log(self):
        file = pathlib.Path(f"{self.folder}/error.log")
        return file.read_text(errors="replace") if file.exists() else ""

    def close(self):
        if self.handle.poll() is None:
            self.handle.send_signal(signal.SIGTERM)
            try:
                self.handle.wait(20)
            except subprocess.TimeoutExpired:
                self.handle.kill()
                self.handle.wait()

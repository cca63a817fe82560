"""cargo-lambda's emulator of Lambda, with the function behind its function URL."""

import os
import pathlib
import re
import socket
import sys

from . import lambda_runtime, process, settings

MANIFEST = """[package]
name = "functions"
version = "0.1.0"
edition = "2021"

[workspace]
"""
# The functions that there may be, as binaries that nobody builds.
FUNCTIONS = (lambda_runtime.NAME, "another")
# Where cargo finds its own, which the emulator asks for the names of the functions.
CARGO = ("HOME", "CARGO", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN")


def program():
    return pathlib.Path(sys.executable).parent / "cargo-lambda"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Emulator(process.Process):
    """It takes no port 0, so somebody may be faster on a port that was free."""

    def __init__(self):
        folder = pathlib.Path(process.new_folder("emulator-"))
        (folder / "src").mkdir()
        (folder / "src" / "main.rs").write_text("fn main() {}\n")
        binaries = "".join(f'\n[[bin]]\nname = "{name}"\npath = "src/main.rs"\n' for name in FUNCTIONS)
        (folder / "Cargo.toml").write_text(MANIFEST + binaries)
        kept = {name: os.environ[name] for name in CARGO if name in os.environ}
        environment = process.clean_environment(kept)
        for attempt in range(5):
            self.port = free_port()
            options = ["--only-lambda-apis", "--invoke-address", "127.0.0.1", "--invoke-port", self.port]
            self._start([str(program()), "lambda", "watch", *options], folder, environment)
            try:
                process.poll(self._is_listening, f"the emulator listens (attempt {attempt + 1})", process.START_TIMEOUT)
                break
            except AssertionError:
                self.close()
                if attempt == 4:
                    raise
        self.url = f"http://127.0.0.1:{self.port}"

    def _is_listening(self):
        assert self.handle.poll() is None, self.report()
        if not any(re.search(rf"runtime_addr=127\.0\.0\.1:{self.port}", line) for line in self.stdout + self.stderr):
            return False
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0


class Function(process.Process):
    """The function, which asks the emulator for its events."""

    def __init__(self, emulator, simulator, *, name=lambda_runtime.NAME, files=None, env=None, key=settings.KEY):
        self.key = key
        self.root = f"{emulator.url}/lambda-url/{name}"
        self.base_url = f"{self.root}/v1"
        folder = lambda_runtime.package(files)
        variables = lambda_runtime.environment(folder, f"{emulator.url}/.rt/{name}", simulator, env, key)
        self._start([str(folder / "bootstrap")], folder, variables)

    headers = process.Gateway.headers
    openai = process.Gateway.openai
    async_openai = process.Gateway.async_openai
    request = process.Gateway.request
    get = process.Gateway.get
    chat = process.Gateway.chat

"""The README's commands, as they stand.

A block is taken if `<!-- test -->` stands on the line before it. A gateway of `serve --simulate` listens where the
README says (port 8080), and takes the keys that the README's commands carry.
"""

import os
import pathlib
import re
import socket
import subprocess

import pytest

from support import readme, settings
from support.process import Process, binary, clean_environment
from support.wire import Events

README = pathlib.Path(__file__).parents[2] / "README.md"


def port_is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_the_commands_work_as_they_stand(tmp_path):
    if not README.exists():
        pytest.skip("no README.md yet")
    text = README.read_text(encoding="utf-8")
    scripts = readme.commands(text)
    assert scripts, "no block of README.md is marked with <!-- test -->"
    if not port_is_free(8080):
        pytest.skip("port 8080, which the README's commands use, is taken")
    keys = re.findall(r"(?:Bearer |api-key: |OPENAI_API_KEY=)\"?(sk-[\w.-]+)", text) or [settings.KEY]
    env = {settings.API_KEYS: ",".join(dict.fromkeys(keys))}
    with Process("serve", "--simulate", env=env) as gateway:
        gateway.expect(r"http://127\.0\.0\.1:8080/v1")
        shell = clean_environment()
        shell["PATH"] = f"{os.path.dirname(binary())}:{shell['PATH']}"
        shell |= {settings.CLI_BASE_URL: "http://127.0.0.1:8080/v1", settings.CLI_KEY: keys[0]}
        for script in scripts:
            ended = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=tmp_path,
                env=shell,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            said = f"{script}\n--- stdout\n{ended.stdout}\n--- stderr\n{ended.stderr}"
            assert ended.returncode == 0, said
            assert '{"error"' not in ended.stdout, said
            if ended.stdout.startswith("data:"):
                assert Events(ended.stdout).done, said

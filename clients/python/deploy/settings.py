"""What the binary says of settings that a deployment gives it."""

import json
import os
import re
import subprocess


def outcrop(*arguments, env=None, folder=None):
    """Runs the binary, which sees nothing of this machine's environment."""
    return subprocess.run(
        [os.path.abspath(os.environ["OUTCROP_BIN"]), *arguments],
        env={"HOME": "/nonexistent", "NO_COLOR": "1"} | (env or {}),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def check(env, folder):
    """Fails unless `serve` would start with these variables and the outcrop.toml of the folder, without a warning."""
    said = outcrop("config", "check", env=env, folder=folder)
    assert said.returncode == 0 and not said.stderr, said.stderr


def defaults():
    """The default of each setting."""
    schema = json.loads(outcrop("config", "schema").stdout)
    return {name: setting.get("default") for name, setting in schema["properties"].items()}


def seconds(text):
    """`15m` and the like, as the gateway writes and reads them."""
    units = {"s": 1, "m": 60, "h": 3600, "": 1, "min": 60}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([a-z]*)", str(text)))

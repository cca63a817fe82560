"""What the last stage of the Dockerfile says."""

import json
import pathlib
import re
import shlex

ROOT = pathlib.Path(__file__).resolve().parents[3]


def instructions(path=ROOT / "Dockerfile"):
    """Pairs of an instruction's name and its text, comments left out and continued lines joined."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    words = [line.strip().split(None, 1) for line in joined.splitlines() if line.strip()]
    return [(name.upper(), re.sub(r"\s+", " ", text)) for name, text in words]


def last_stage():
    everything = instructions()
    begin = max(number for number, (name, _) in enumerate(everything) if name == "FROM")
    return everything[begin:]


class Image:
    """How a container of the image is started."""

    def __init__(self):
        stage = last_stage()
        self.base = stage[0][1]
        self.copies = [shlex.split(text) for name, text in stage if name == "COPY"]
        pairs = [shlex.split(text) for name, text in stage if name == "ENV"]
        self.environment = dict(pair.split("=", 1) for line in pairs for pair in line)
        one = {name: text for name, text in stage}
        self.entrypoint, self.command = json.loads(one["ENTRYPOINT"]), json.loads(one["CMD"])
        self.folder, self.user, self.stop = one["WORKDIR"], one["USER"], one["STOPSIGNAL"]
        self.volumes = json.loads(one["VOLUME"])
        self.ports = [int(port) for port in one["EXPOSE"].split()]
        self.health = json.loads(one["HEALTHCHECK"].split(" CMD ", 1)[1])
        self.labels = dict(pair.split("=", 1) for pair in shlex.split(one["LABEL"]))

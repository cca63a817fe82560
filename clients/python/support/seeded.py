"""A gateway as somebody sets it up who comes from one of the replaced systems, for the examples of their documents.

The examples say what they say, without the simulator's markers, so a scenario says which of them call a tool.
"""

import json
import os
import subprocess
import tempfile

from . import names, process

# What the documents' models do with the prompts of their examples.
SCENARIO = """
[[rules]]
prompt = "What is the weather like in Shanghai today?"
actions = ['tool get_current_weather {"location": "Shanghai", "unit": "celsius"}']

[[rules]]
prompt = "What's the weather like in Boston today?"
actions = ['tool get_current_weather {"location": "Boston, MA"}']

[[rules]]
prompt = "Count from 1 to 10"
actions = ["text 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"]
"""


class Seeded:
    """A simulator with the scenario, and a gateway in front of it with the settings that the names need."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="outcrop-seeds-")
        scenario = os.path.join(self.folder.name, "scenario.toml")
        settings = os.path.join(self.folder.name, "outcrop.toml")
        for path, text in ((scenario, SCENARIO), (settings, names.SETTINGS)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        self.simulator = process.Simulator("--simulator-scenario", scenario, "--simulator-pace", "0")
        env = self.simulator.endpoints | self.simulator.credentials | {"OUTCROP_FETCH_PRIVATE_NETWORKS": "127.0.0.0/8"}
        try:
            self.gateway = process.Gateway("--config", settings, env=env)
        except BaseException:
            self.simulator.close()
            raise

    def last(self, operation=None):
        """The newest call that reached Bedrock, of this operation."""
        found = [one for one in self.simulator.state()["requests"] if operation in (None, one["operation"])]
        assert found, f"nothing like {operation} reached Bedrock"
        return found[-1]

    def sh(self, script, **variables):
        """Runs a command of a document in a shell, and gives back what it printed.

        The commands find address and key where the documents say they are: in the environment.
        """
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": self.folder.name,
            "OPENAI_BASE_URL": self.gateway.base_url,
            "OPENAI_API_KEY": self.gateway.key,
            "NO_PROXY": "*",
        }
        ended = subprocess.run(
            ["sh", "-c", script],
            env=environment | variables,
            cwd=self.folder.name,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, f"{script}\n--- stdout\n{ended.stdout}\n--- stderr\n{ended.stderr}"
        return ended.stdout

    def json(self, script, **variables):
        return json.loads(self.sh(script, **variables))

    def events(self, script, **variables):
        """What a streaming command printed: its chunks, after checking that the stream is whole."""
        from . import wire

        events = wire.Events(self.sh(script, **variables))
        assert events.done and not events.errors
        return events.chunks

    def close(self):
        self.gateway.close()
        self.simulator.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def alike(shown, given, path="$", without=()):
    """Checks that `given` has all that a document's example shows: the same members, of the same types.

    Of a list, each item is held to the first one shown. `without` names members that the example has and OpenAI's own
    description no longer asks for.
    """
    if isinstance(shown, dict):
        assert isinstance(given, dict), f"{path} is {given!r}, and an object in the document"
        for name, value in shown.items():
            if name not in without:
                assert name in given, f"{path} has no {name!r}, as the document's has: {json.dumps(given)[:1000]}"
                alike(value, given[name], f"{path}.{name}", without)
    elif isinstance(shown, list):
        assert isinstance(given, list) and given, f"{path} is {given!r}, and a list in the document"
        for index, one in enumerate(given):
            alike(shown[0], one, f"{path}[{index}]", without)
    elif shown is None:
        assert given is None, f"{path} is {given!r}, and null in the document"
    elif isinstance(shown, (int, float)) and not isinstance(shown, bool):
        assert isinstance(given, (int, float)), f"{path} is {given!r}, and a number in the document"
    else:
        assert isinstance(given, type(shown)), f"{path} is {given!r}, and like {shown!r} in the document"

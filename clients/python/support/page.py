"""The examples of `docs/clients.md`: a section for each SDK, with a program that runs."""

import pathlib
import re
import subprocess
import sys

from . import settings
from .process import clean_environment

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "clients.md"
BASE_URL, KEY = "http://127.0.0.1:8080/v1", "sk-outcrop-local"

# Where each section's program is run: by the tests of `sdks`, of `openai2`, or of `clients/node`.
SECTIONS = {
    "OpenAI for Python": "sdks",
    "OpenAI for Node": "node",
    "LangChain": "sdks",
    "instructor": "openai2",
    "pydantic-ai": "sdks",
    "LlamaIndex": "openai2",
    "Vercel's AI SDK": "node",
}


def programs():
    """The programs, by their section's heading."""
    found = {}
    for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        blocks = re.findall(r"^```(?:python|js)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        assert len(blocks) == 1, f"{heading}: one program, not {len(blocks)}"
        found[heading] = blocks[0]
    return found


def of(suite):
    return [heading for heading, where in SECTIONS.items() if where == suite]


def run(heading, gateway):
    """Runs a section's program as it stands, but for the address and the key. Returns what it printed."""
    program = programs()[heading]
    assert BASE_URL in program and KEY in program
    program = program.replace(BASE_URL, gateway.base_url).replace(KEY, settings.KEY)
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = f"{program}\n--- stdout\n{ended.stdout}\n--- stderr\n{ended.stderr}"
    assert ended.returncode == 0 and not ended.stderr, said
    return ended.stdout

"""What the suites of the SDKs have in common: models, prompts, a tool, a picture, and a type to fill."""

import base64
import json
import struct
import zlib
from typing import Literal

from pydantic import BaseModel

from . import settings

CLAUDE = settings.CLAUDE
# Thinks only adaptively, and refuses all sampling parameters.
CLAUDE_5 = "us.anthropic.claude-sonnet-5"
NOVA = settings.NOVA
# Reasons, but shows nothing of it.
NOVA_2 = "us.amazon.nova-2-lite-v1:0"
GPT_OSS = "openai.gpt-oss-120b-1:0"
# Can't stream its tool calls, and can't be forced to make one.
LLAMA = "us.meta.llama3-3-70b-instruct-v1:0"

MODELS = [CLAUDE, CLAUDE_5, NOVA, GPT_OSS, LLAMA]
SEEING = [CLAUDE, CLAUDE_5, NOVA]
THINKING = [CLAUDE, CLAUDE_5]
# Those that can be given a schema to follow.
NATIVE = [CLAUDE, CLAUDE_5]
REASONING = [CLAUDE, CLAUDE_5, NOVA_2, GPT_OSS]

# An SDK that has something to complain about fails the test; what libraries say to one another does not.
SILENT = [
    "error",
    "ignore::DeprecationWarning",
    "ignore::PendingDeprecationWarning",
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
]

THOUGHT = "The weather has to be looked up."


def call(city):
    """The marker of a call of `get_weather`."""
    return f'[[sim:tool get_weather {{"city": "{city}"}}]]'


def thinking(text):
    return f"[[sim:reasoning {THOUGHT}]] {text}"


def answer(text):
    return f"[[sim:text {text}]]"


def instrument(model):
    """A prompt whose answer is to be an `Instrument`, made up by the simulator out of the schema.

    It follows schemas that it's given as such. Where all that is possible is to ask the model nicely, the prompt has to
    say what a model would answer.
    """
    return "Name an instrument." + (f" {answer(VIOLIN)}" if model == LLAMA else "")


def instrument_after_call(model, city):
    """The same, after a call of `get_weather`."""
    if model in NATIVE:
        return f"Name an instrument for the weather. {call(city)}"
    return f"Name an instrument for the weather. [[sim:turns tool get_weather {{\"city\": \"{city}\"}} | {VIOLIN}]]"


class Weather:
    """The tool: remembers for which cities it was asked."""

    NAME = "get_weather"
    DESCRIPTION = "The weather in a city, now."
    SCHEMA = {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Its name in English."}},
        "required": ["city"],
        "additionalProperties": False,
    }
    FUNCTION = {
        "type": "function",
        "function": {"name": NAME, "description": DESCRIPTION, "parameters": SCHEMA},
    }

    def __init__(self):
        self.asked = []

    def get_weather(self, city: str) -> str:
        """The weather in a city, now."""
        self.asked.append(city)
        return self.told(city)

    @staticmethod
    def told(city):
        return f"21 degrees in {city}"


class Maker(BaseModel):
    name: str
    since: int


class Instrument(BaseModel):
    """A musical instrument.

    The literals can only be right if the schema has reached the model.
    """

    name: str
    family: Literal["strings"]
    octaves: Literal[4, 5]
    makers: list[Maker]
    price: float | None


# What a model would say that knows no schema but that of the prompt.
VIOLIN = (
    '{"name": "violin", "family": "strings", "octaves": 4, "makers": [{"name": "Amati", "since": 1538}], "price": null}'
)


def check(instrument):
    """That `instrument` was filled by a model that knew the schema."""
    assert isinstance(instrument, Instrument), repr(instrument)
    assert instrument.family == "strings" and instrument.octaves in (4, 5)
    return instrument


def png(side=16, colour=(200, 60, 20)):
    """A whole PNG of one colour."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes(colour) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


PNG = png()
PNG_BASE64 = base64.b64encode(PNG).decode()
PNG_URL = f"data:image/png;base64,{PNG_BASE64}"


def blocks(request, kind):
    """All blocks of one kind (`image`, `toolUse`, …) of a request that the simulator got, with the turn they are in."""
    turns = enumerate(request["body"]["messages"])
    return [(turn, block[kind]) for turn, message in turns for block in message["content"] if kind in block]


def check_picture(request):
    """That the model was shown the picture, as it is."""
    images = [image for _, image in blocks(request, "image")]
    assert [image["format"] for image in images] == ["png"]
    assert images[0]["source"]["bytes"] == PNG_BASE64


def check_results(request, cities):
    """That the model got back a result for each call, in one turn, in order, under the calls' own ids."""
    if request["path"].startswith("/openai/"):
        return check_straight_results(request, cities)
    calls = [(turn, call["toolUseId"]) for turn, call in blocks(request, "toolUse")]
    results = [(turn, result["toolUseId"]) for turn, result in blocks(request, "toolResult")]
    assert [id for _, id in calls] == [id for _, id in results]
    assert len({turn for turn, _ in calls}) == len({turn for turn, _ in results}) == 1
    assert results[0][0] == calls[0][0] + 1
    told = ["".join(part.get("text", "") for part in result["content"]) for _, result in blocks(request, "toolResult")]
    for text, city in zip(told, cities, strict=True):
        assert Weather.told(city) in text


def check_straight_results(request, cities):
    """The same where OpenAI's own words went straight through."""
    messages = request["body"]["messages"]
    [at] = [at for at, message in enumerate(messages) if message.get("tool_calls")]
    calls = [call["id"] for call in messages[at]["tool_calls"]]
    results = messages[at + 1 : at + 1 + len(calls)]
    assert [result["tool_call_id"] for result in results] == calls
    for result, city in zip(results, cities, strict=True):
        assert Weather.told(city) in json.dumps(result["content"])

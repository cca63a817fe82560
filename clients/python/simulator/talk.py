"""What the tests say to models, and how they hear them."""

import struct
import zlib

import pytest
from botocore.exceptions import ClientError

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
CLAUDE_4_6 = "us.anthropic.claude-sonnet-4-6"
CLAUDE_5 = "us.anthropic.claude-opus-5"
CLAUDE_5_5 = "us.anthropic.claude-opus-5-5"
NOVA = "amazon.nova-lite-v1:0"
LLAMA_3 = "meta.llama3-8b-instruct-v1:0"
MISTRAL_7B = "mistral.mistral-7b-instruct-v0:2"
GPT_OSS = "openai.gpt-oss-20b-1:0"
TOOLS = {
    "tools": [
        {
            "toolSpec": {
                "name": "get_weather",
                "description": "The weather of a city",
                "inputSchema": {
                    "json": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
                },
            }
        }
    ]
}


def user(*blocks):
    return {"role": "user", "content": [{"text": block} if isinstance(block, str) else block for block in blocks]}


def assistant(*blocks):
    return {"role": "assistant", "content": [{"text": block} if isinstance(block, str) else block for block in blocks]}


def png(width=1, height=1):
    """A white image; only one of a single pixel has all of its data."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\xff\xff")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def image(data=None, form="png"):
    return {"image": {"format": form, "source": {"bytes": png() if data is None else data}}}


def events(client, text, model=CLAUDE, **more):
    return client.converse_stream(modelId=model, messages=[user(text)], **more)["stream"]


def text_of(reply):
    return "".join(block.get("text", "") for block in reply["output"]["message"]["content"])


def refused(call, code="ValidationException"):
    with pytest.raises(ClientError) as raised:
        call()
    assert raised.value.response["Error"]["Code"] == code
    return raised.value.response["Error"]["Message"]

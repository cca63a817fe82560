"""What the tests of the endpoints besides chat have in common: models of each kind, and ways to read answers."""

import base64
import math
import struct
import zlib

from . import media, shapes

# The sizes that each model of embeddings gives: the one it gives unasked first.
TITAN_1 = "amazon.titan-embed-text-v1"
TITAN_2 = "amazon.titan-embed-text-v2:0"
TITAN_IMAGE = "amazon.titan-embed-image-v1"
COHERE_ENGLISH = "cohere.embed-english-v3"
COHERE_3 = "cohere.embed-multilingual-v3"
COHERE_4 = "us.cohere.embed-v4:0"
NOVA_EMBED = "amazon.nova-2-multimodal-embeddings-v1:0"
MARENGO_2 = "us.twelvelabs.marengo-embed-2-7-v1:0"
MARENGO_3 = "us.twelvelabs.marengo-embed-3-0-v1:0"
EMBEDDING = {
    TITAN_1: [1536],
    TITAN_2: [1024, 512, 256],
    TITAN_IMAGE: [1024, 384, 256],
    COHERE_ENGLISH: [1024],
    COHERE_3: [1024],
    COHERE_4: [1536, 1024, 512, 256],
    NOVA_EMBED: [3072, 1024, 384, 256],
    MARENGO_2: [1024],
    MARENGO_3: [512],
}
SEEING = [TITAN_IMAGE, COHERE_4, NOVA_EMBED, MARENGO_2, MARENGO_3]

# Models of pictures; the sizes are ones that each can make, the second not square.
NOVA_CANVAS = "amazon.nova-canvas-v1:0"
TITAN_PICTURE = "amazon.titan-image-generator-v2:0"
SDXL_0 = "stability.stable-diffusion-xl-v0"
SDXL_1 = "stability.stable-diffusion-xl-v1"
SD_3_5 = "stability.sd3-5-large-v1:0"
CORE = "stability.stable-image-core-v1:1"
ULTRA = "stability.stable-image-ultra-v1:1"
PIXELS = {
    NOVA_CANVAS: ["1024x1024", "1280x720"],
    TITAN_PICTURE: ["1024x1024", "1152x768"],
    SDXL_0: ["512x512", "128x512"],
    SDXL_1: ["1024x1024", "1152x896"],
}
# These are asked for a ratio of the sides, and have a size of their own for each.
RATIOS = {model: ["1024x1024", "1536x1024"] for model in (SD_3_5, CORE, ULTRA)}
PICTURE = PIXELS | RATIOS

# Amazon's is not in the region of the tests.
RERANK = ["cohere.rerank-v3-5:0", "bedrock/us-west-2/amazon.rerank-v1:0"]

# cl100k_base's, as OpenAI's tokenizer makes them.
TOKENS = {
    "hello world": [15339, 1917],
    "This is a test document.": [2028, 374, 264, 1296, 2246, 13],
    "The quick brown fox jumps over the lazy dog": [791, 4062, 14198, 39935, 35308, 927, 279, 16053, 5679],
    "snowman ☃": [75578, 1543, 26182, 225],
}


def post(gateway, path, headers=None, **body):
    return gateway.request("POST", path, json=body, headers=headers)


def good(reply):
    """The body of an answer that is well."""
    assert reply.status_code == 200, f"{reply.status_code} {reply.text[:2000]}"
    return reply.json()


def wrong(reply, status, **said):
    """The error of an answer. Cohere's clients look for `message`, OpenAI's for `error`; rerank's errors have both."""
    body = reply.json()
    message = body.pop("message", None)
    error = shapes.check_error_body(body, **said)
    allowed = (status,) if isinstance(status, int) else status
    assert reply.status_code in allowed, f"expected {allowed}, got {reply.status_code} {reply.text[:1000]}"
    assert reply.headers["content-type"].startswith("application/json")
    assert message in (None, error["message"])
    return error


def length(vector):
    return math.sqrt(sum(number * number for number in vector))


def cosine(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True)) / (length(one) * length(other))


def floats(text):
    """Little-endian float32, in base64."""
    data = base64.b64decode(text, validate=True)
    assert len(data) % 4 == 0
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def float32(vector):
    return [struct.unpack("<f", struct.pack("<f", number))[0] for number in vector]


def png_size(data):
    """Width and height of a picture, which has to be a PNG from end to end."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n"), data[:20]
    assert data.endswith(b"IEND\xaeB`\x82"), data[-20:]
    return struct.unpack(">II", data[16:24])


def mask(width, height):
    """A PNG whose left half is transparent: what OpenAI calls a mask, of what is to change."""
    row = b"\0" + bytes(4) * (width // 2) + b"\0\0\0\xff" * (width - width // 2)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(row * height)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(media.chunk(kind, data) for kind, data in parts)


def calls(stack, operation=None):
    return [one for one in stack.simulator.state()["requests"] if operation in (None, one["operation"])]

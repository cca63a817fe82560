"""Images as the tests make and measure them."""

import base64
import struct
import zlib

from .media import chunk


def size(data):
    """Width and height of a PNG that can be unpacked, or of a JPEG."""
    if data.startswith(b"\xff\xd8"):
        height, width = struct.unpack(">HH", data[data.index(b"\xff\xc0") + 5 :][:4])
        return width, height
    assert data.startswith(b"\x89PNG\r\n\x1a\n"), data[:16]
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0]
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    assert zlib.decompress(packed)
    return struct.unpack(">II", data[16:24])


def mask(width, height):
    """What OpenAI calls a mask: the left half is transparent, and so to be changed."""
    row = b"\0" + b"\0\0\0\0" * (width // 2) + b"\0\0\0\xff" * (width - width // 2)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, data) for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(row * height)), (b"IEND", b""))
    )


def grey_rows(data):
    """The rows of a grey PNG of eight bits, as sets of shades by column halves: (left, right)."""
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert (depth, colour) == (8, 0)
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        packed += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    rows, above = [], bytes(width)
    raw = zlib.decompress(packed)
    for y in range(height):
        kind, line = raw[y * (width + 1)], bytearray(raw[y * (width + 1) + 1 : (y + 1) * (width + 1)])
        for x in range(width):
            left = line[x - 1] if x else 0
            up, corner = above[x], above[x - 1] if x else 0
            if kind == 1:
                line[x] = (line[x] + left) & 255
            elif kind == 2:
                line[x] = (line[x] + up) & 255
            elif kind == 3:
                line[x] = (line[x] + (left + up) // 2) & 255
            elif kind == 4:
                guess = left + up - corner
                near = min((left, up, corner), key=lambda value: abs(guess - value))
                line[x] = (line[x] + near) & 255
        rows.append(bytes(line))
        above = bytes(line)
    return {(row[: width // 2], row[width // 2 :]) for row in rows}


def decoded(image):
    return base64.b64decode(image.b64_json)

"""Bodies that are wrong: a 400-class error in OpenAI's shape that names the field, never a 5xx."""

import gzip
import json
import zlib

import pytest

from support import settings, shapes
from support.wire import Connection, chat_body, chat_head

CLIENT_ERRORS = range(400, 500)
USER = {"role": "user", "content": "[[sim:text ok]]"}
GOOD = {"model": settings.NOVA, "messages": [USER]}


def post(gateway, content, content_type="application/json", headers=None):
    headers = {"content-type": content_type} | (headers or {})
    return gateway.request("POST", "/v1/chat/completions", content=content, headers=headers)


def messages(*given):
    return GOOD | {"messages": list(given)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"hello",
        b"{",
        b'{"model":',
        b'{"model": "m",}',
        b"{'model': 'm'}",
        b"null",
        b"true",
        b"1",
        b'"text"',
        b"[]",
        b"[{}]",
        b"\x00",
        b"\xef\xbb\xbf",
        b"\xff\xfe{\x00}\x00",
        chat_body() + b"}",
        chat_body() + chat_body(),
        chat_body()[:-3],
        chat_body().replace(b'"hello"', b'"\xff\xfe"'),
        chat_body().replace(b'"hello"', b'"\xc3"'),
        chat_body().replace(b'"hello"', b'"\xed\xa0\x80"'),
        chat_body().replace(b'"hello"', b'"a\nb"'),
        chat_body().replace(b'"hello"', b'"\\x"'),
        chat_body().replace(b'"hello"', b'"\\ud800"'),
        chat_body().replace(b'"hello"', b'"\\udc00\\ud800"'),
        chat_body(temperature="NUMBER").replace(b'"NUMBER"', b"NaN"),
        chat_body(temperature="NUMBER").replace(b'"NUMBER"', b"-Infinity"),
        chat_body(temperature="NUMBER").replace(b'"NUMBER"', b"0x10"),
        chat_body(temperature="NUMBER").replace(b'"NUMBER"', b"01"),
    ],
    ids=lambda content: repr(content[-40:]),
)
def test_what_is_not_json(gateway, content):
    shapes.check_error(post(gateway, content), 400, kind="invalid_request_error")


TABLE = [
    # what is wrong, the body, what `param` must name
    ("no model", {"messages": [USER]}, "model"),
    ("model of a wrong type", GOOD | {"model": 5}, "model"),
    ("model null", GOOD | {"model": None}, "model"),
    ("model empty", GOOD | {"model": ""}, "model"),
    ("no messages", {"model": settings.NOVA}, "messages"),
    ("messages null", GOOD | {"messages": None}, "messages"),
    ("messages empty", messages(), "messages"),
    ("messages a string", GOOD | {"messages": "hi"}, "messages"),
    ("messages an object", GOOD | {"messages": USER}, "messages"),
    ("message a string", messages("hi"), "messages"),
    ("message a number", messages(USER, 7), ("messages", "1")),
    ("no role", messages({"content": "hi"}), ("messages", "0", "role")),
    ("unknown role", messages({"role": "wizard", "content": "hi"}), ("messages", "0", "role")),
    ("unknown role further down", messages(USER, {"role": "wizard", "content": "hi"}), ("messages", "1", "role")),
    ("role of a wrong type", messages({"role": 1, "content": "hi"}), ("messages", "0", "role")),
    ("role null", messages({"role": None, "content": "hi"}), ("messages", "0", "role")),
    ("no content", messages({"role": "user"}), ("messages", "0", "content")),
    ("content null", messages({"role": "user", "content": None}), ("messages", "0", "content")),
    ("content a number", messages({"role": "user", "content": 5}), ("messages", "0", "content")),
    ("content an object", messages({"role": "user", "content": {"text": "hi"}}), ("messages", "0", "content")),
    ("content a list of strings", messages({"role": "user", "content": ["hi"]}), ("messages", "0", "content")),
    (
        "no type of part",
        messages({"role": "user", "content": [{"text": "hi"}]}),
        ("messages", "0", "content", "0", "type"),
    ),
    (
        "unknown part",
        messages({"role": "user", "content": [{"type": "smell"}]}),
        ("messages", "0", "content", "0", "type"),
    ),
    (
        "no text in part",
        messages({"role": "user", "content": [{"type": "text"}]}),
        ("messages", "0", "content", "0", "text"),
    ),
    (
        "text of a wrong type",
        messages({"role": "user", "content": [{"type": "text", "text": 1}]}),
        ("messages", "0", "content", "0", "text"),
    ),
    ("stream of a wrong type", GOOD | {"stream": "yes"}, "stream"),
    ("stream a number", GOOD | {"stream": 1}, "stream"),
    ("stream options of a wrong type", GOOD | {"stream": True, "stream_options": "usage"}, "stream_options"),
    (
        "include usage of a wrong type",
        GOOD | {"stream": True, "stream_options": {"include_usage": "yes"}},
        ("stream_options", "include_usage"),
    ),
    ("temperature of a wrong type", GOOD | {"temperature": "hot"}, "temperature"),
    ("temperature a boolean", GOOD | {"temperature": True}, "temperature"),
    ("temperature negative", GOOD | {"temperature": -1}, "temperature"),
    ("temperature too high", GOOD | {"temperature": 100}, "temperature"),
    ("top_p of a wrong type", GOOD | {"top_p": [1]}, "top_p"),
    ("top_p too high", GOOD | {"top_p": 2}, "top_p"),
    ("max_tokens of a wrong type", GOOD | {"max_tokens": "10"}, "max_tokens"),
    ("max_tokens negative", GOOD | {"max_tokens": -5}, "max_tokens"),
    ("max_tokens zero", GOOD | {"max_tokens": 0}, "max_tokens"),
    ("max_tokens a fraction", GOOD | {"max_tokens": 1.5}, "max_tokens"),
    ("max_tokens huge", GOOD | {"max_tokens": 10**30}, "max_tokens"),
    ("max_completion_tokens negative", GOOD | {"max_completion_tokens": -5}, "max_completion_tokens"),
    ("max_completion_tokens of a wrong type", GOOD | {"max_completion_tokens": {}}, "max_completion_tokens"),
    ("n of a wrong type", GOOD | {"n": "two"}, "n"),
    ("stop a number", GOOD | {"stop": 5}, "stop"),
    ("stop a list of numbers", GOOD | {"stop": ["a", 1]}, "stop"),
    ("stop_sequences of a wrong type", GOOD | {"stop_sequences": {"a": 1}}, "stop_sequences"),
    ("user of a wrong type", GOOD | {"user": ["me"]}, "user"),
    ("metadata of a wrong type", GOOD | {"metadata": "x"}, "metadata"),
    ("metadata with a wrong value", GOOD | {"metadata": {"a": {"b": 1}}}, "metadata"),
]


@pytest.mark.parametrize("body, param", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_is_wrong_is_named(gateway, body, param):
    error = shapes.check_error(post(gateway, json.dumps(body)), (400, 422), kind="invalid_request_error", param=param)
    assert len(error["message"]) < 1000, "a message is for people"


HARMLESS_OR_REFUSED = [
    b'{"model":"m","model":"amazon.nova-lite-v1:0","messages":[{"role":"user","content":"x"}]}',
    chat_body("a\x00b"),
    chat_body("😀"),
    chat_body("\ufffe\uffff\u202e"),
    chat_body(""),
    chat_body("   "),
    chat_body(stream_options={"include_usage": True}),
    chat_body(temperature="NUMBER").replace(b'"NUMBER"', b"1e999"),
    chat_body(temperature="NUMBER").replace(b'"NUMBER"', b"1e-999"),
    chat_body(temperature="NUMBER").replace(b'"NUMBER"', b"0." + b"1" * 100_000),
    chat_body(max_tokens="NUMBER").replace(b'"NUMBER"', b"1" * 100_000),
    chat_body(max_tokens="NUMBER").replace(b'"NUMBER"', b"1e2"),
    chat_body(max_tokens=2**63),
    chat_body(max_tokens=2**31),
    chat_body(stop=[]),
    chat_body(stop=[""]),
    chat_body(stop=["x"] * 3000),
    chat_body(user=""),
    chat_body(user="\u0000"),
    chat_body(metadata={}),
    chat_body(metadata={"": ""}),
    chat_body(metadata={f"key{number}": "v" for number in range(100)}),
    chat_body(metadata={"k" * 10_000: "v" * 10_000}),
    chat_body(**{"": 1, "\x00": 2}),
    chat_body(messages=[USER] * 20_000),
    chat_body(messages=[{"role": "user", "content": []}]),
    chat_body(messages=[{"role": "user", "content": "x", "name": 5}]),
    chat_body(messages=[{"role": "assistant", "content": None}, USER]),
    chat_body(messages=[{"role": "assistant", "content": "the end"}]),
]


@pytest.mark.parametrize(
    "content", HARMLESS_OR_REFUSED, ids=lambda content: repr(content[:60] + b"..." + content[-40:])
)
def test_what_is_odd_is_answered_or_refused(gateway, content):
    reply = post(gateway, content)
    if reply.status_code != 200:
        shapes.check_error(reply, CLIENT_ERRORS)


@pytest.mark.parametrize(
    "model",
    [
        "../../admin",
        "a/b",
        "a?b=c",
        "a#b",
        "a%2fb",
        "a b",
        "a\nb",
        "a\r\nX-Injected: 1",
        "\x00",
        "é",
        "x" * 100_000,
        "%",
    ],
    ids=lambda model: repr(model[:20]),
)
def test_odd_models_reach_no_other_place(gateway, model):
    reply = post(gateway, json.dumps(GOOD | {"model": model}))
    shapes.check_error(reply, (400, 403, 404))
    assert "x-injected" not in reply.headers


@pytest.mark.parametrize("model", ["..%2f..%2fadmin", "%00", "%ff", "%0d%0aX-Injected:1", "%"], ids=repr)
def test_odd_deployments_reach_no_other_place(gateway, model):
    with Connection(gateway.port) as connection:
        body = chat_body()
        path = f"/openai/deployments/{model}/chat/completions?api-version=2024-10-21"
        connection.send(chat_head(length=len(body), path=path) + body)
        reply = connection.reply()
    shapes.check_error(reply, (400, 403, 404))
    assert "x-injected" not in reply.headers


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "image/png", "json"]
)
def test_other_content_types_are_refused(gateway, content_type):
    shapes.check_error(post(gateway, chat_body(), content_type), (400, 415))


def test_no_content_type_at_all(gateway):
    body = chat_body("[[sim:text ok]]")
    with Connection(gateway.port) as connection:
        connection.send(chat_head(length=len(body)).replace(b"Content-Type: application/json\r\n", b"") + body)
        reply = connection.reply()
    if reply.status_code != 200:
        shapes.check_error(reply, (400, 415))


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"]
)
def test_json_by_any_of_its_names(gateway, content_type):
    assert post(gateway, chat_body("[[sim:text ok]]"), content_type).status_code == 200


@pytest.mark.parametrize(
    "deep",
    [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000],
    ids=["open lists", "open objects", "lists", "objects"],
)
@pytest.mark.parametrize("field", ["model", "messages", "metadata", "tools", "unheard_of"])
def test_deep_nesting(gateway, field, deep):
    body = {"model": settings.NOVA, "messages": [USER]} | {field: "DEEP"}
    reply = post(gateway, json.dumps(body).encode().replace(b'"DEEP"', deep))
    shapes.check_error(reply, CLIENT_ERRORS)


def test_deep_nesting_at_the_top(gateway):
    shapes.check_error(post(gateway, b"[" * 1_000_000), CLIENT_ERRORS)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "nonsense"])
def test_compressed_bodies_are_understood_or_refused(gateway, encoding):
    packed = {"gzip": gzip.compress, "deflate": zlib.compress}.get(encoding, lambda body: b"\x00" + body)(chat_body())
    reply = post(gateway, packed, headers={"content-encoding": encoding})
    if reply.status_code != 200:
        shapes.check_error(reply, (400, 413, 415))


@pytest.mark.parametrize("layers", [1, 2], ids=["gzip", "gzip twice"])
def test_decompression_bombs(gateway, layers):
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packed.compress(b" " * (1 << 20)) for _ in range(256)) + packed.flush()
    encoding = ", ".join(["gzip"] * layers)
    for _ in range(layers - 1):
        bomb = gzip.compress(bomb)
    shapes.check_error(post(gateway, bomb, headers={"content-encoding": encoding}), (400, 413, 415))


def test_a_body_over_the_limit_by_its_length(gateway):
    length = settings.BODY_LIMIT + 1024 * 1024
    with Connection(gateway.port) as connection:
        connection.send(chat_head(length=length))
        connection.send_in_background([b" " * 65536] * (length // 65536))
        reply = connection.reply()
    shapes.check_error(reply, 413)


def test_a_body_over_the_limit_without_a_length(gateway):
    with Connection(gateway.port) as connection:
        connection.send(chat_head(["Transfer-Encoding: chunked", "", ""]))
        connection.send_in_background([b"10000\r\n" + b" " * 65536 + b"\r\n"] * (settings.BODY_LIMIT // 65536 + 64))
        reply = connection.reply()
    shapes.check_error(reply, 413)


def test_a_large_body_below_the_limit(gateway):
    text = "granite " * 250_000 + "[[sim:text ok]]"
    reply = gateway.chat(text)
    if reply.status_code != 200:
        shapes.check_error(reply, 400)


def test_the_gateway_lives_on_after_all_that(gateway):
    for content in HARMLESS_OR_REFUSED[:10] + [b"[" * 1_000_000, b"", b"\xff"]:
        post(gateway, content)
    assert gateway.chat("[[sim:text ok]]").status_code == 200

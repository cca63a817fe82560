"""Events of every kind that carries HTTP, against what the same request over a socket is answered with."""

import json
import re

import pytest

from support import lambda_events, scenes, settings, shapes
from support.lambda_events import KINDS, MOST, MOST_OF_ALB
from support.lambda_runtime import Function
from support.process import Gateway, Simulator, poll

BUFFERED = [kind for kind in KINDS if kind not in ("function-url",)]
# What is another one each time, or belongs to the connection.
OWN = {"date", "x-request-id", "openai-processing-ms", "x-amzn-requestid"}
OWN |= {"connection", "keep-alive", "transfer-encoding", "content-length"}
PAINTER = "amazon.nova-canvas-v1:0"


@pytest.fixture(scope="module")
def simulator():
    with Simulator("--simulator-pace", "0") as running:
        yield running


@pytest.fixture(scope="module")
def gateway(simulator):
    with Gateway(env=simulator.endpoints | simulator.credentials) as running:
        yield running


@pytest.fixture(scope="module")
def function(simulator):
    with Function(simulator) as running:
        yield running


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def comparable(reply):
    """An answer without what is another one each time."""
    headers = [(name, value) for name, value in reply.headers.multi_items() if name not in OWN]
    body = reply.content
    if body.startswith((b"{", b"data:")):
        body = re.sub(rb'"(id|request_id|bedrock_request_id)": ?"[^"]*"', b'"id":""', body)
        body = re.sub(rb'"created": ?[0-9]+', b'"created":0', body)
        body = re.sub(rb"(chatcmpl|req|call)[-_][0-9A-Za-z_-]+", b"id", body)
        body = re.sub(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"id", body)
    return reply.status_code, sorted(headers), body


def chat(text, **fields):
    return {"json": {"model": settings.NOVA, "messages": [{"role": "user", "content": text}]} | fields}


def uploaded(name="a.png"):
    return {
        "files": {"image": (name, scenes.png(side=512), "image/png")},
        "data": {"model": PAINTER, "prompt": "a hat", "seed": "7"},
    }


CHAT = "/v1/chat/completions"
REQUESTS = {
    "models": ("GET", "/v1/models", {}),
    "a model": ("GET", f"/v1/models/{settings.NOVA}", {}),
    "another base": ("GET", "/api/v1/models", {}),
    "health": ("GET", "/healthz", {"headers": {"authorization": None}}),
    "a whole answer": ("POST", CHAT, chat("[[sim:text Grüße, 世界 \U0001f600]]")),
    "a stream": ("POST", CHAT, chat("[[sim:text Grüße, 世界]]", stream=True, stream_options={"include_usage": True})),
    "an adapted one": ("POST", CHAT, chat("hi", model=settings.CLAUDE, logit_bias={"1": 1}, temperature=1.5)),
    "embeddings": ("POST", "/v1/embeddings", {"json": {"model": "amazon.titan-embed-text-v2:0", "input": "one"}}),
    "multipart": ("POST", "/v1/images/edits", uploaded()),
    "azure's query": (
        "POST",
        f"/openai/deployments/{settings.NOVA}/chat/completions",
        chat("[[sim:text ok]]") | {"query": "api-version=2024-10-21&a=%2F%20%26&a=2"},
    ),
    "no key": ("GET", "/v1/models", {"headers": {"authorization": None}}),
    "another key": ("GET", "/v1/models", {"headers": {"authorization": "Bearer sk-wrong"}}),
    "azure's key": ("GET", "/v1/models", {"headers": {"authorization": None, "api-key": settings.KEY}}),
    "no such path": ("GET", "/v1/nothing", {}),
    "no such method": ("DELETE", CHAT, {}),
    "a preflight": (
        "OPTIONS",
        CHAT,
        {"headers": {"origin": "https://a.example", "access-control-request-method": "POST"}},
    ),
    "head": ("HEAD", "/v1/models", {}),
    "no body": ("POST", CHAT, {"headers": {"content-type": "application/json"}}),
    "bad JSON": ("POST", CHAT, {"content": b'{"model": ', "headers": {"content-type": "application/json"}}),
    "Bedrock's refusal": ("POST", CHAT, chat("[[sim:error AccessDeniedException]]")),
    "Bedrock's refusal of a stream": ("POST", CHAT, chat("[[sim:error AccessDeniedException]]", stream=True)),
    "no such model": ("POST", CHAT, chat("hi", model="nobody.knows-v1:0")),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_answers_are_those_of_the_socket(function, gateway, kind, name):
    method, path, options = REQUESTS[name]
    over_socket = dict(options)
    if "query" in over_socket:
        path_of_socket = f"{path}?{over_socket.pop('query')}"
    else:
        path_of_socket = path
    expected = comparable(gateway.request(method, path_of_socket, **over_socket))
    assert comparable(function.request(method, path, kind=kind, **options)) == expected


@pytest.mark.parametrize("binary", [True, False], ids=["base64", "text"])
def test_a_body_may_be_base64_or_not(function, kind, binary):
    text = "Grüße"
    reply = function.chat(f"[[sim:text {text}]]", kind=kind, binary=binary)
    assert reply.json()["choices"][0]["message"]["content"] == text


def test_a_colon_in_a_path_may_be_encoded(function, kind):
    for path in (settings.NOVA, settings.NOVA.replace(":", "%3A")):
        assert function.get(f"/v1/models/{path}", kind=kind).json()["id"] == settings.NOVA


def test_pictures_are_binary(function, kind):
    """What isn't text goes as base64, where it goes in JSON."""
    body = {"model": PAINTER, "prompt": "a fox", "size": "512x512", "response_format": "url"}
    made = function.request("POST", "/v1/images/generations", kind=kind, json=body)
    url = made.json()["data"][0]["url"]
    assert lambda_events.HOST in url or "execute-api" in url or url.startswith("http")
    path = "/" + url.split("/", 3)[3]
    path, _, query = path.partition("?")
    fetched = function.get(path, kind=kind, query=query, headers={"authorization": None})
    assert fetched.status_code == 200 and fetched.headers["content-type"] == "image/png"
    assert fetched.content.startswith(b"\x89PNG\r\n\x1a\n")


def test_what_is_streamed_and_what_is_not(function, kind):
    """Function URLs stream, load balancers can't, and API Gateway's events don't say whether it does."""
    for stream in (True, False):
        invocation = function.begin_chat("[[sim:text ok]]", kind=kind, body={"stream": stream})
        assert invocation.reply().status_code == 200
        if kind == "function-url":
            assert invocation.is_stream or not stream
        else:
            assert not invocation.is_stream


def test_headers_of_several_values(function, gateway, kind):
    """A second value of a name isn't lost on the way in."""
    headers = {"origin": "https://a.example", "access-control-request-method": "POST"}
    over_socket = gateway.request("OPTIONS", CHAT, headers=headers)
    reply = function.request("OPTIONS", CHAT, headers=headers, kind=kind)
    assert reply.headers.get_list("vary") == over_socket.headers.get_list("vary")


def test_where_a_request_comes_from(simulator):
    """It is what AWS says, not what the client says of itself."""
    with Function(simulator, env={"OUTCROP_LOG": "info"}) as function:
        reply = function.get("/v1/models", headers={"x-forwarded-for": "198.51.100.1"})
        identifier = reply.headers["x-request-id"]

        def line():
            return next((one for one in function.stderr + function.stdout if identifier in one), None)

        assert "198.51.100.1" not in poll(line, "a line in the log")


class TestTooLarge:
    TOKENS = MOST // 4 + 10_000

    @pytest.mark.parametrize("kind", BUFFERED)
    def test_a_buffered_answer(self, function, kind):
        tokens = self.TOKENS if not kind.startswith("alb") else MOST_OF_ALB // 4 + 10_000
        reply = function.chat(f"[[sim:tokens {tokens}]]", kind=kind)
        error = shapes.check_error(reply, range(400, 600))
        assert re.search(r"large|size|MB|MiB|bytes", error["message"]), error
        assert function.chat("[[sim:text ok]]", kind=kind).status_code == 200

    def test_a_streamed_one_may_be_larger(self, function):
        invocation = function.begin_chat(f"[[sim:chunk 4000]] [[sim:tokens {self.TOKENS}]]", body={"stream": True})
        reply = invocation.reply()
        assert len(reply.content) > MOST and reply.text.endswith("data: [DONE]\n\n")


EVENT_BRIDGE = {
    "version": "0",
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": lambda_events.ACCOUNT,
    "time": "2026-11-22T00:00:00Z",
    "region": settings.REGION,
    "resources": ["arn:aws:events:us-east-1:123456789012:rule/warm"],
    "detail": {},
}
SQS = {"Records": [{"messageId": "1", "body": "hi", "eventSource": "aws:sqs", "attributes": {}}]}
NOT_HTTP = {
    "empty": {},
    "a list": [],
    "null": None,
    "a text": "hi",
    "a number": 12,
    "EventBridge": EVENT_BRIDGE,
    "SQS": SQS,
    "not JSON": b'{"version": ',
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "nothing": b"",
    "deep": b"[" * 100_000 + b"]" * 100_000,
}


@pytest.mark.parametrize("name", NOT_HTTP)
def test_events_that_arent_http_dont_end_it(function, name):
    process = function.handle.pid
    invocation = function.put(NOT_HTTP[name]).is_over()
    assert invocation.state in ("answered", "failed"), function.report()
    assert function.get("/v1/models").status_code == 200
    assert function.handle.pid == process and function.handle.poll() is None


def changed(kind, *path, to):
    """A good event with one member changed; left out if `to` is `...`."""
    body = json.dumps(chat("[[sim:text ok]]")["json"]).encode()
    headers = [("authorization", f"Bearer {settings.KEY}"), ("content-type", "application/json"), ("host", "a.example")]
    event = KINDS[kind]("POST", CHAT, headers, body)
    at = event
    for name in path[:-1]:
        at = at[name]
    if to is ...:
        at.pop(path[-1], None)
    else:
        at[path[-1]] = to
    return event


HEADERS = {"function-url": "headers", "rest-api": "multiValueHeaders", "alb": "headers"}
MANY = {f"x-header-{number}": "1" for number in range(20_000)}
HOSTILE = {
    "no body": ("body", ...),
    "a body of another type": ("body", {"a": 1}),
    "bad base64": ("isBase64Encoded", True),
    "base64 of another type": ("isBase64Encoded", "yes"),
    "no headers": ("HEADERS", ...),
    "null for headers": ("HEADERS", None),
    "a text for headers": ("HEADERS", "hi"),
    "a number for a header": ("HEADERS", "x-a", 1),
    "no name for a header": ("HEADERS", "", "1"),
    "a bad name for a header": ("HEADERS", "x a\r\nb: c", "1"),
    "a line end in a header": ("HEADERS", "x-a", "1\r\nx-b: 2"),
    "more headers than anyone sends": ("HEADERS", MANY),
    "a very long header": ("HEADERS", "x-a", "a" * 1_000_000),
    "no context": ("requestContext", ...),
    "null for the context": ("requestContext", None),
    "an empty context": ("requestContext", {}),
    "a list for the context": ("requestContext", []),
    "queries of another type": ("queryStringParameters", 7),
    "cookies of another type": ("cookies", 7),
}
PATHS = ["", "v1/models", "//v1/models", "/v1/mo dels", "/\0", "/%zz", "/a\r\nb", "http://b.example/v1"]
PATHS += ["/" + "a" * 100_000, None, 7]


def hostile(kind, name):
    *path, to = HOSTILE[name]
    where = [HEADERS[kind] if one == "HEADERS" else one for one in path]
    if kind == "rest-api" and len(where) == 2 and isinstance(to, str):
        to = [to]
    if kind == "rest-api" and isinstance(to, dict) and where == ["multiValueHeaders"]:
        to = {one: [value] for one, value in to.items()}
    return changed(kind, *where, to=to)


def is_settled(function, invocation):
    """It was reported as an error, answered as something that isn't HTTP, or with a status that blames the client."""
    invocation.is_over()
    assert invocation.state in ("answered", "failed"), function.report()
    if invocation.state == "answered" and (invocation.is_stream or b'"statusCode"' in invocation.raw):
        assert 200 <= invocation.reply().status_code < 500, invocation.event[:1000]


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_events_get_an_answer_or_an_error(function, kind, name):
    is_settled(function, function.put(hostile(kind, name), kind))
    assert function.get("/v1/models").status_code == 200


@pytest.mark.parametrize("kind", HEADERS)
def test_hostile_paths_and_methods(function, kind):
    member = "rawPath" if kind == "function-url" else "path"
    events = [changed(kind, member, to=path) for path in PATHS]
    for method in ("", "GE T", "\r\n", None, 7, "A" * 10_000):
        where = ("requestContext", "http", "method") if kind == "function-url" else ("httpMethod",)
        events.append(changed(kind, *where, to=method))
    for event in events:
        is_settled(function, function.put(event, kind))
    assert function.get("/v1/models").status_code == 200

"""The headers, and for streams the trailers, of an answer."""

import re

import pytest

from support import settings, shapes
from support.wire import Connection, Events, aws_request_id, chat_request

UUID_LIKE = re.compile(r"^[A-Za-z0-9._-]{8,128}$")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_every_answer_carries(gateway, stream):
    reply = gateway.chat("[[sim:text ok]]", body={"stream": stream})
    assert reply.headers["x-bedrock-model"] == settings.NOVA
    assert UUID_LIKE.match(reply.headers["x-request-id"])
    assert aws_request_id(reply.headers), f"no AWS request id in {dict(reply.headers)}"


def test_usage_is_in_the_headers(gateway):
    reply = gateway.chat("[[sim:text one two three]]")
    usage = reply.json()["usage"]
    assert int(reply.headers["x-token-usage-input"]) == usage["prompt_tokens"]
    assert int(reply.headers["x-token-usage-output"]) == usage["completion_tokens"]


@pytest.mark.parametrize("sent", ["a", "req-1234", "0190a5a2-7c1e-7a2b-9d0e-2f6c8b1d4e5f", "trace_7.b-C"])
def test_a_sane_request_id_is_kept(gateway, sent):
    assert gateway.chat("[[sim:text ok]]", headers={"x-request-id": sent}).headers["x-request-id"] == sent


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"x" * 5000,
        b"two words",
        b"<script>alert(1)</script>",
        b'"quoted"',
        b"caf\xc3\xa9",
        b"\xff\xfe",
        b"a\tb",
        b"a;b=c,d",
    ],
    ids=["empty", "long", "space", "markup", "quotes", "utf-8", "no utf-8", "tab", "punctuation"],
)
def test_any_other_request_id_is_replaced(gateway, sent):
    with Connection(gateway.port) as connection:
        request = chat_request("[[sim:text ok]]", extra=["X-Request-ID: PLACE"])
        connection.send(request.replace(b"PLACE", sent))
        reply = connection.reply()
    assert reply.status_code == 200, reply.text
    given = reply.headers["x-request-id"]
    assert given.encode("latin-1") != sent and UUID_LIKE.match(given), given


def test_two_request_ids_are_not_both_kept(gateway):
    with Connection(gateway.port) as connection:
        connection.send(chat_request("[[sim:text ok]]", extra=["X-Request-ID: one-1", "X-Request-ID: two-2"]))
        reply = connection.reply()
    assert len([name for name, _ in reply.header_list if name == "x-request-id"]) == 1, reply.header_list


def test_no_two_requests_share_an_id(gateway):
    ids = [gateway.chat("[[sim:text ok]]").headers["x-request-id"] for _ in range(3)]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    "request_of",
    [
        lambda gateway: gateway.chat("hi", headers={"x-request-id": "mine-1"}, body={"messages": []}),
        lambda gateway: gateway.chat("hi", headers={"x-request-id": "mine-1", "authorization": "Bearer wrong"}),
        lambda gateway: gateway.get("/nothing", headers={"x-request-id": "mine-1"}),
        lambda gateway: gateway.get("/v1/chat/completions", headers={"x-request-id": "mine-1"}),
        lambda gateway: gateway.chat("[[sim:error ValidationException]]", headers={"x-request-id": "mine-1"}),
    ],
    ids=["bad input", "unauthorized", "not found", "method", "upstream"],
)
def test_errors_carry_the_request_id_too(gateway, request_of):
    reply = request_of(gateway)
    shapes.check_error(reply, range(400, 500))
    assert reply.headers["x-request-id"] == "mine-1"


def test_headers_of_the_clients_do_not_come_back(gateway):
    sent = {"x-injected": "1", "x-bedrock-model": "mine", "x-token-usage-input": "999999", "set-cookie": "a=b"}
    reply = gateway.chat("[[sim:text ok]]", headers=sent)
    assert "x-injected" not in reply.headers and "set-cookie" not in reply.headers
    assert reply.headers["x-bedrock-model"] == settings.NOVA
    assert reply.headers["x-token-usage-input"] != "999999"


def test_a_stream_ends_with_the_usage_in_trailers_for_those_who_take_them(gateway):
    with Connection(gateway.port) as connection:
        options = {"stream": True, "stream_options": {"include_usage": True}}
        connection.send(chat_request("[[sim:text one two three]]", extra=["TE: trailers"], **options))
        reply = connection.reply()
    events = Events(reply.text)
    assert events.done
    usage = events.chunks[-1]["usage"]
    announced = reply.headers.get("trailer", "").lower()
    assert "x-token-usage-input" in announced and "x-token-usage-output" in announced, reply.headers
    assert reply.trailers.get("x-token-usage-input") == str(usage["prompt_tokens"]), reply.trailers
    assert reply.trailers.get("x-token-usage-output") == str(usage["completion_tokens"]), reply.trailers


def test_a_stream_has_no_trailers_for_others(gateway):
    with Connection(gateway.port) as connection:
        connection.send(chat_request("[[sim:text one two three]]", stream=True))
        reply = connection.reply()
    assert Events(reply.text).done
    assert reply.trailers == {}

"""What a client sees when the way to Bedrock breaks. `docs/errors.md` has a table of it, whose rows are these cases."""

import contextlib
import pathlib
import re
import signal
import time
from collections import namedtuple

import pytest

from support import faulty, shapes
from support.process import Gateway, Simulator, poll
from support.wire import Connection, Events, chat_request

NOVA, TITAN = "amazon.nova-lite-v1:0", "amazon.titan-embed-text-v2:0"
PAGE = pathlib.Path(__file__).parents[2] / "docs" / "errors.md"
SAID = "[[sim:pace 0ms]] [[sim:chunk 4]] [[sim:text one two three four five six]]"
HTML = b"<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"

# Limits are short where something is broken on purpose, and long where it isn't.
SETTINGS = """
max_attempts = 2
connect_timeout = "300ms"
chunk_timeout = "1s"
breaker_min_calls = 100000
retry_budget = 1.0
log = "info,outcrop_server=debug"
"""


def table(**places):
    """Accounts at these addresses; a route to each alone, and one that goes on to a place where all is well."""
    lines = [SETTINGS]
    for name, url in places.items():
        lines.append(f'[[accounts]]\nname = "{name}"\nendpoint_url = "{url}"\n')
    for name in places:
        for suffix, model in [("", NOVA), ("-vectors", TITAN)]:
            target = f'{{ model = "{model}", account = "{name}", first_byte_timeout = "700ms" }}'
            well = f'{{ model = "{model}" }}'
            lines.append(f'[[routes]]\nname = "{name}{suffix}"\ntargets = [{target}]\n')
            lines.append(f'[[routes]]\nname = "{name}{suffix}-and-well"\ntargets = [{target}, {well}]\n')
    return "\n".join(lines)


class Broken:
    """A gateway with ways to Bedrock that are broken, one by a relay, and one that is well."""

    def __init__(self, stack, folder):
        self.simulator = stack.enter_context(Simulator())
        self.relay = stack.enter_context(faulty.Relay(self.simulator.url))
        places = {
            "relay": self.relay.url,
            "refused": stack.enter_context(faulty.closed_port()),
            "unresolved": faulty.UNRESOLVED,
            "hole": stack.enter_context(faulty.black_hole()),
        }
        file = folder / "outcrop.toml"
        file.write_text(table(**places))
        environment = self.simulator.endpoints | self.simulator.credentials
        self.gateway = stack.enter_context(Gateway("--config", file, env=environment))

    def ask(self, model, kind, text=SAID, **options):
        """By one of the kinds of requests: `whole`, `stream`, `vectors`."""
        if kind == "vectors":
            body = {"model": model.replace("-and", "-vectors-and") if "-and" in model else f"{model}-vectors"}
            return self.gateway.request("POST", "/v1/embeddings", json=body | {"input": "one two"}, **options)
        return self.gateway.chat(text, model=model, body={"stream": kind == "stream"}, **options)

    def is_over(self):
        """Nothing is under way any more, anywhere."""
        poll(lambda: self.relay.held == 0, "connections that are silent are given up")
        poll(lambda: self.simulator.active() == 0, "no call is left at the simulator")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        one = Broken(stack, tmp_path_factory.mktemp("chaos"))
        yield one
        assert not any("panicked" in line for line in one.gateway.stderr), one.gateway.report()


@pytest.fixture
def broken(running):
    running.relay.begin(faulty.Exchange.deliver)
    yield running
    running.relay.go.set()
    running.is_over()


def answered(reply, kind, attempts):
    """That an answer is whole."""
    assert reply.status_code == 200, reply.text
    if kind == "stream":
        events = Events(reply.text)
        assert events.done, reply.text
        assert shapes.check_stream(events.chunks) == ["one two three four five six"]
    elif kind == "whole":
        shapes.check_completion(reply.json())
    if attempts is not None:
        assert reply.headers["x-outcrop-attempts"] == str(attempts)


# What a relay does with an answer.


def head_only(exchange):
    head, pieces = exchange.fetch()
    exchange.send(head)
    return pieces


def half_a_head(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
    exchange.end()


def reset_after_head(exchange):
    head_only(exchange)
    time.sleep(0.02)
    exchange.reset()


def end_after_head(exchange):
    head_only(exchange)
    exchange.end()


def silent_after_head(exchange):
    head_only(exchange)
    exchange.hold()


def first_frame_spoiled(exchange):
    pieces = head_only(exchange)
    exchange.send_frames([faulty.spoiled(pieces[0]), *pieces[1:], b""])


def first_frame_cut(exchange):
    pieces = head_only(exchange)
    exchange.send_frames([pieces[0][:20], b""])


def no_frames(exchange):
    head_only(exchange)
    exchange.send_frames([b""])


def sends(data):
    def behave(exchange):
        exchange.send(data)

    return behave


def garbage(exchange):
    exchange.send(b"SSH-2.0-OpenSSH_9.6\r\n")
    exchange.end()


EVERY, WHOLE, STREAM = ("whole", "stream", "vectors"), ("whole", "vectors"), ("stream",)
TYPES = "Content-Type: application/json"
AGAIN, ONCE = 2, 1
# How the way breaks, before the client has got anything: at which address, or by which behaviour of the relay; of which
# requests; what a client gets where nobody else can be asked; and whether it was tried again there.
Fault = namedtuple("Fault", "name place kinds status code attempts")
BEFORE = [
    Fault("refused", "refused", EVERY, 502, "upstream_unreachable", AGAIN),
    Fault("unresolved", "unresolved", EVERY, 502, "upstream_unreachable", AGAIN),
    Fault("connect-timeout", "hole", EVERY, 502, "upstream_unreachable", AGAIN),
    Fault("reset", faulty.Exchange.reset, EVERY, 502, "upstream_interrupted", AGAIN),
    Fault("closed", faulty.Exchange.end, EVERY, 502, "upstream_interrupted", AGAIN),
    Fault("half-a-head", half_a_head, EVERY, 502, "upstream_interrupted", AGAIN),
    Fault("reset-after-head", reset_after_head, EVERY, 502, "upstream_interrupted", AGAIN),
    Fault("closed-after-head", end_after_head, EVERY, 502, "upstream_interrupted", AGAIN),
    Fault("half-open", faulty.Exchange.hold, EVERY, 504, "upstream_timeout", ONCE),
    Fault("silent-after-head", silent_after_head, EVERY, 504, "upstream_timeout", ONCE),
    Fault("no-events", no_frames, STREAM, 502, "upstream_interrupted", AGAIN),
    Fault("first-frame-damaged", first_frame_spoiled, STREAM, 502, "upstream_invalid_response", AGAIN),
    Fault("first-frame-cut", first_frame_cut, STREAM, 502, "upstream_invalid_response", AGAIN),
    Fault(
        "html-503",
        sends(faulty.canned("503 Service Unavailable", "Content-Type: text/html", body=HTML)),
        EVERY,
        503,
        "upstream_unavailable",
        AGAIN,
    ),
    Fault(
        "html-200",
        sends(faulty.canned("200 OK", "Content-Type: text/html", body=HTML)),
        EVERY,
        502,
        "upstream_invalid_response",
        ONCE,
    ),
    Fault("garbage", garbage, EVERY, 502, "upstream_invalid_response", ONCE),
    Fault(
        "redirect",
        sends(faulty.canned("307 Temporary Redirect", "Location: /elsewhere")),
        EVERY,
        502,
        "upstream_invalid_response",
        ONCE,
    ),
]
CASES = [pytest.param(fault, kind, id=f"{fault.name}-{kind}") for fault in BEFORE for kind in fault.kinds]


def at(broken, fault):
    """Breaks the way, and names the route that goes there."""
    if isinstance(fault.place, str):
        return fault.place
    broken.relay.begin(fault.place)
    return "relay"


@pytest.mark.parametrize("fault, kind", CASES)
def test_with_one_target_the_error_says_what_it_was(broken, fault, kind):
    reply = broken.ask(at(broken, fault), kind)
    shapes.check_error(reply, fault.status, code=fault.code)
    assert reply.headers["x-outcrop-attempts"] == str(fault.attempts)
    assert reply.headers.get("x-should-retry") == ("false" if fault.attempts > 1 else None)
    assert ("retry-after" in reply.headers) == (fault.status == 503)
    broken.is_over()


@pytest.mark.parametrize("fault, kind", CASES)
def test_with_another_target_the_client_notices_nothing(broken, fault, kind):
    answered(broken.ask(f"{at(broken, fault)}-and-well", kind), kind, attempts=2)


# The same after the client has got a part of the answer.


def after_some(then):
    """Delivers the beginning of the answer, and does `then` once the client has it."""

    def behave(exchange):
        pieces = head_only(exchange)
        exchange.send_frames(pieces[:3])
        exchange.wait()
        then(exchange, pieces[3:])

    return behave


def frame_spoiled(exchange, rest):
    exchange.send_frames([faulty.spoiled(rest[0]), *rest[1:], b""])


def frame_cut(exchange, rest):
    exchange.send_frames([rest[0][:20], b""])


DURING = [
    Fault("reset-in-stream", lambda exchange, _: exchange.reset(), STREAM, 200, "upstream_interrupted", ONCE),
    Fault("closed-in-stream", lambda exchange, _: exchange.end(), STREAM, 200, "upstream_interrupted", ONCE),
    Fault("ended-in-stream", lambda exchange, _: exchange.send_frames([b""]), STREAM, 200, "upstream_interrupted", ONCE),
    Fault("silent-in-stream", lambda exchange, _: exchange.hold(), STREAM, 200, "upstream_timeout", ONCE),
    Fault("frame-damaged", frame_spoiled, STREAM, 200, "upstream_invalid_response", ONCE),
    Fault("frame-cut", frame_cut, STREAM, 200, "upstream_invalid_response", ONCE),
]


@contextlib.contextmanager
def begun(broken, model="relay"):
    """A stream of which the client has the beginning, and a function that reads it to its end."""
    with Connection(broken.gateway.port, timeout=30) as connection:
        connection.send(chat_request(SAID, model=model, stream=True))
        reply = connection.head()
        assert reply.status_code == 200
        pieces = connection.pieces(reply)
        reply.body += next(pieces)

        def finish():
            for piece in pieces:
                reply.body += piece
            return reply, Events(reply.text)

        finish.connection = connection
        yield finish


def broke_off(events, code):
    assert events.chunks and not events.done, events.data[-3:]
    assert "error" in events.data[-1] and len(events.errors) == 1, events.data[-3:]
    assert events.names[-1] == "error"
    assert not any(choice["finish_reason"] for chunk in events.chunks for choice in chunk["choices"])
    return shapes.check_error_body(events.errors[0], code=code)


@pytest.mark.parametrize("model", ["relay", "relay-and-well"], ids=["alone", "another"])
@pytest.mark.parametrize("fault", DURING, ids=lambda fault: fault.name)
def test_in_mid_stream_an_error_is_the_last_event(broken, fault, model):
    broken.relay.begin(after_some(fault.place))
    with begun(broken, model) as finish:
        broken.relay.go.set()
        reply, events = finish()
        broke_off(events, fault.code)
        assert reply.headers["x-outcrop-attempts"] == str(fault.attempts)
        broken.is_over()
        # The message was whole, so that the connection goes on.
        finish.connection.send(chat_request("[[sim:text ok]]"))
        assert finish.connection.reply().status_code == 200
    assert broken.relay.requests == 1, "nothing is tried again once the client has something"

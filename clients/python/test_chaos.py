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

NOVA, TITAN, GPT_OSS = "amazon.nova-lite-v1:0", "amazon.titan-embed-text-v2:0", "openai.gpt-oss-120b-1:0"
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
    """Accounts at these addresses; a route to each alone, and one that goes on to a place where all is well.

    `hasty` ones don't wait long for a first byte, so that silence is found out soon.
    """
    lines = [SETTINGS]
    for name, url in places.items():
        lines.append(f'[[accounts]]\nname = "{name}"\nendpoint_url = "{url}"\n')
    for name in places:
        for suffix, model in [("", NOVA), ("-vectors", TITAN), ("-straight", GPT_OSS)]:
            for prefix, limit in [("", ""), ("hasty-", ', first_byte_timeout = "700ms"')]:
                target = f'{{ model = "{model}", account = "{name}"{limit} }}'
                well = f'{{ model = "{model}" }}'
                route = f"{prefix}{name}{suffix}"
                lines.append(f'[[routes]]\nname = "{route}"\ntargets = [{target}]\n')
                lines.append(f'[[routes]]\nname = "{route}-and-well"\ntargets = [{target}, {well}]\n')
    return "\n".join(lines)


def name_of(model, kind):
    """The route like this one for a kind of requests that wants a model of its own."""
    place, and_well, rest = model.partition("-and-")
    return place + (f"-{kind}" if kind in ("vectors", "straight") else "") + and_well + rest


class Broken:
    """A gateway with ways to Bedrock that are broken, one by a relay, and one that is well."""

    def __init__(self, stack, folder, *arguments, more="", **places):
        self.simulator = stack.enter_context(Simulator())
        self.relay = stack.enter_context(faulty.Relay(self.simulator.url))
        self.file = folder / "outcrop.toml"
        self.file.write_text(table(relay=self.relay.url, **places) + more)
        environment = self.simulator.endpoints | self.simulator.credentials
        self.gateway = stack.enter_context(Gateway("--config", self.file, *arguments, env=environment))

    def ask(self, model, kind, text=SAID, **options):
        """By one of the kinds of requests: `whole`, `stream`, `vectors`, or `straight`, a stream of OpenAI's own."""
        model = name_of(model, kind)
        if kind == "vectors":
            return self.gateway.request("POST", "/v1/embeddings", json={"model": model, "input": "one two"}, **options)
        return self.gateway.chat(text, model=model, body={"stream": kind in STREAM}, **options)

    def is_over(self):
        """Nothing is under way any more, anywhere."""
        poll(lambda: self.relay.held == 0, "connections that are silent are given up")
        poll(lambda: self.simulator.active() == 0, "no call is left at the simulator")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        places = {
            "refused": stack.enter_context(faulty.closed_port()),
            "unresolved": faulty.UNRESOLVED,
            "hole": stack.enter_context(faulty.black_hole()),
        }
        one = Broken(stack, tmp_path_factory.mktemp("chaos"), **places)
        yield one
        assert not any("panicked" in line for line in one.gateway.stderr), one.gateway.report()


@pytest.fixture
def broken(running):
    running.relay.begin(faulty.Exchange.deliver)
    yield running
    running.relay.go.set()
    running.is_over()


@pytest.fixture
def own(tmp_path):
    """The same with settings of the test's own, which may end it."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **options: Broken(stack, tmp_path, *arguments, **options)


def answered(reply, kind, attempts):
    """That an answer is whole."""
    assert reply.status_code == 200, reply.text
    if kind in STREAM:
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


def first(then, others=faulty.Exchange.deliver):
    """The first request meets `then`, the next ones are answered, or meet something else."""
    met = []

    def behave(exchange):
        met.append(exchange)
        (then if len(met) == 1 else others)(exchange)

    return behave


EVERY, STREAM, FRAMES = ("whole", "stream", "vectors", "straight"), ("stream", "straight"), ("stream",)
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
    Fault("first-frame-damaged", first_frame_spoiled, FRAMES, 502, "upstream_invalid_response", AGAIN),
    Fault("first-frame-cut", first_frame_cut, FRAMES, 502, "upstream_invalid_response", AGAIN),
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
    return "hasty-relay" if fault.code == "upstream_timeout" else "relay"


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
    Fault("ended-in-stream", lambda exchange, _: exchange.send(b"0\r\n\r\n"), STREAM, 200, "upstream_interrupted", ONCE),
    Fault("silent-in-stream", lambda exchange, _: exchange.hold(), STREAM, 200, "upstream_timeout", ONCE),
    Fault("frame-damaged", frame_spoiled, FRAMES, 200, "upstream_invalid_response", ONCE),
    Fault("frame-cut", frame_cut, FRAMES, 200, "upstream_invalid_response", ONCE),
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
@pytest.mark.parametrize(
    "fault, kind", [pytest.param(fault, kind, id=f"{fault.name}-{kind}") for fault in DURING for kind in fault.kinds]
)
def test_in_mid_stream_an_error_is_the_last_event(broken, fault, kind, model):
    broken.relay.begin(after_some(fault.place))
    with begun(broken, name_of(model, kind)) as finish:
        broken.relay.go.set()
        reply, events = finish()
        broke_off(events, fault.code)
        assert reply.headers["x-outcrop-attempts"] == str(fault.attempts)
        broken.is_over()
        # The message was whole, so that the connection goes on.
        finish.connection.send(chat_request("[[sim:text ok]]"))
        assert finish.connection.reply().status_code == 200
    assert broken.relay.requests == 1, "nothing is tried again once the client has something"


# Connections that were kept.


def kept(then):
    """What comes first on a connection is answered; what comes on one that was kept, meets `then`."""

    def behave(exchange):
        (faulty.Exchange.deliver if exchange.number == 1 else then)(exchange)

    return behave


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("then", [faulty.Exchange.reset, faulty.Exchange.end, half_a_head])
def test_a_kept_connection_that_died_is_replaced_at_once(broken, then, kind):
    broken.relay.begin(kept(then))
    for _ in range(4):
        answered(broken.ask("relay", kind), kind, attempts=1)
    assert broken.relay.requests > 4, "some have met it"


def test_a_new_connection_that_breaks_is_a_failure(broken):
    answered(broken.ask("relay", "whole"), "whole", attempts=1)
    broken.relay.begin(faulty.Exchange.reset)
    shapes.check_error(broken.ask("relay", "whole"), 502, code="upstream_interrupted")
    assert broken.relay.requests <= 3, "each try is made once, and once more for a connection that was kept"


@pytest.mark.parametrize("kind", EVERY)
def test_a_kept_connection_that_swallows_calls_is_given_up(broken, kind):
    answered(broken.ask("hasty-relay", kind), kind, attempts=1)
    broken.relay.begin(kept(faulty.Exchange.hold))
    shapes.check_error(broken.ask("hasty-relay", kind), 504, code="upstream_timeout")
    answered(broken.ask("hasty-relay", kind), kind, attempts=1)
    answered(broken.ask("hasty-relay-and-well", kind), kind, attempts=2)


# Limits of time that aren't passed.


def slow(exchange):
    time.sleep(1.2)
    exchange.deliver()


def slow_after_head(exchange):
    head, pieces = exchange.fetch()
    exchange.send(head)
    time.sleep(1.2)
    exchange.send_frames([*pieces, b""])


@pytest.mark.parametrize(
    "behave, kind",
    [(slow, "whole"), (slow, "stream"), (slow, "vectors"), (slow_after_head, "stream")],
    ids=["whole", "stream", "vectors", "slow-first-event"],
)
def test_a_first_byte_within_its_limit_is_waited_for(broken, behave, kind):
    """For longer than the middle of an answer may be silent."""
    broken.relay.begin(behave)
    answered(broken.ask("relay", kind), kind, attempts=1)


# Answers whose head is sent before it is known who answers.


@pytest.mark.parametrize("kind", STREAM)
def test_a_stream_that_began_with_a_comment_may_still_come_from_elsewhere(own, kind):
    broken = own("--keep-alive-interval", "100ms")
    broken.relay.begin(faulty.Exchange.hold)
    reply = broken.ask("hasty-relay-and-well", kind)
    answered(reply, kind, attempts=None)
    assert Events(reply.text).comments, "it began before it was known who answers"
    reply = broken.ask("hasty-relay", kind)
    assert reply.status_code == 200
    events = Events(reply.text)
    assert not events.done and not events.chunks and events.names == ["error"], reply.text
    shapes.check_error_body(events.errors[0], code="upstream_timeout")
    broken.is_over()


@pytest.mark.parametrize("kind", STREAM)
def test_choices_that_break_are_asked_for_again_alone(broken, kind):
    broken.relay.begin(first(faulty.Exchange.reset))
    reply = broken.gateway.chat(SAID, model=name_of("relay", kind), body={"stream": True, "n": 3})
    assert reply.status_code == 200, reply.text
    events = Events(reply.text)
    assert events.done and shapes.check_stream(events.chunks, choices=3) == ["one two three four five six"] * 3
    assert broken.relay.requests == 4


# When Bedrock wants to be asked again.


def throttled(after):
    body = b'{"message": "Too many requests, please wait before trying again."}'
    named = "x-amzn-errortype: ThrottlingException"
    return sends(faulty.canned("429 Too Many Requests", TYPES, named, f"Retry-After: {after}", body=body))


def pauses(gateway):
    """How long it has waited before it went round again, as its log says."""
    return re.findall(r'"next":"Repeat\(([^)]*)\)"', "\n".join(gateway.stderr))


@pytest.mark.parametrize("kind", ["whole", "stream"])
def test_retry_after_is_honoured(broken, kind):
    broken.relay.begin(first(throttled(1)))
    answered(broken.ask("relay", kind), kind, attempts=2)
    assert pauses(broken.gateway)[-1].startswith("1"), "a second, and what keeps clients from coming back together"


@pytest.mark.parametrize("kind", EVERY)
def test_retry_after_that_is_too_long_is_passed_on(broken, kind):
    broken.relay.begin(throttled(77))
    reply = broken.ask("relay", kind)
    shapes.check_error(reply, 429, code="throttled")
    assert reply.headers["retry-after"] == "77"
    assert reply.headers["x-outcrop-attempts"] == "1" and "x-should-retry" not in reply.headers
    answered(broken.ask("relay-and-well", kind), kind, attempts=None)


# Clients that leave, and gateways that do.


@pytest.mark.parametrize("kind", ["whole", "stream"])
def test_nothing_more_is_called_for_a_client_that_left_in_a_pause(broken, kind):
    broken.relay.begin(first(throttled(1), throttled(2)))
    with Connection(broken.gateway.port) as connection:
        connection.send(chat_request(SAID, model="relay", stream=kind == "stream"))
        poll(lambda: broken.relay.requests == 1, "the first call is made")
    # This one pauses for longer, and is over after the other one's pause would be.
    shapes.check_error(broken.ask("relay", "whole"), 429)
    assert broken.relay.requests == 3


QUOTA = f"""
[[quotas]]
model = "{NOVA}"
tokens_per_minute = 6000
"""


def test_nothing_is_called_or_reserved_for_a_client_that_left_the_queue(own):
    broken = own("--admission", "--queue-timeout", "80s", more=QUOTA)
    gateway, relay = broken.gateway, broken.relay

    def waits(exchange):
        exchange.wait()
        exchange.deliver()

    relay.begin(waits)

    def begin(connection):
        connection.send(chat_request(SAID, model="relay", max_tokens=4000))

    with Connection(gateway.port, timeout=60) as answered_first:
        begin(answered_first)
        poll(lambda: relay.requests == 1, "the first call is made")
        with Connection(gateway.port) as leaves:
            begin(leaves)
            poll(lambda: any("no room for a call" in line for line in gateway.stderr), "the second one waits")
        poll(lambda: any("client_left" in line for line in gateway.stderr), "the second client is gone")
        relay.go.set()
        assert answered_first.reply().status_code == 200
    # It only fits where neither holds anything any more.
    answered(gateway.chat(SAID, model="relay", body={"max_tokens": 5000}), "whole", attempts=1)
    assert relay.requests == 2


@pytest.mark.parametrize("kind", ["whole", "stream"])
def test_a_pause_and_the_call_after_it_are_waited_for_when_it_stops(own, kind):
    broken = own("--shutdown-timeout", "30s")
    broken.relay.begin(first(throttled(1)))
    with Connection(broken.gateway.port, timeout=30) as connection:
        connection.send(chat_request(SAID, model="relay", stream=kind == "stream"))
        poll(lambda: broken.relay.requests == 1, "the first call is made")
        broken.gateway.terminate()
        answered(connection.reply(), kind, attempts=2)
    assert broken.gateway.wait() == 0, broken.gateway.report()


@pytest.mark.parametrize("kind", ["whole", "stream"])
def test_a_pause_that_is_too_long_ends_when_it_stops(own, kind):
    broken = own("--shutdown-timeout", "200ms")
    broken.relay.begin(throttled(5))
    with Connection(broken.gateway.port, timeout=30) as connection:
        connection.send(chat_request(SAID, model="relay", stream=kind == "stream"))
        poll(lambda: broken.relay.requests == 1, "the first call is made")
        broken.gateway.terminate()
        reply = connection.reply()
        shapes.check_error(reply, 503, code="shutting_down")
        assert reply.headers["retry-after"] == "1"
    assert broken.gateway.wait() == 0, broken.gateway.report()
    assert broken.relay.requests == 1


@pytest.mark.parametrize("is_well", [True, False], ids=["whole", "broken"])
def test_a_stream_goes_on_by_the_settings_that_it_began_with(own, is_well):
    broken = own()

    def goes_on(exchange, rest):
        if not is_well:
            exchange.reset()
        exchange.send_frames([*rest, b""])

    broken.relay.begin(after_some(goes_on))
    with begun(broken, "relay-and-well") as finish:
        broken.file.write_text(f'[[routes]]\nname = "new"\ntargets = [{{ model = "{NOVA}" }}]\n')
        broken.gateway.handle.send_signal(signal.SIGHUP)
        poll(lambda: broken.gateway.chat("hi", model="new").status_code == 200, "the settings are new")
        assert broken.gateway.chat("hi", model="relay-and-well").status_code == 404
        broken.relay.go.set()
        reply, events = finish()
    if is_well:
        answered(reply, "stream", attempts=1)
    else:
        broke_off(events, "upstream_interrupted")
    broken.is_over()


# The table.


def test_the_table_of_what_happens_is_true():
    row = re.compile(r"^\| [^|]+ \| (\d+) `(\w+)`(, again)? \| [^|]+ \| `([\w-]+)` \|$", re.MULTILINE)
    rows = row.findall(PAGE.read_text())
    told = [(name, int(status), code, bool(again)) for status, code, again, name in rows]
    tested = [(fault.name, fault.status, fault.code, fault.attempts == AGAIN) for fault in [*BEFORE, *DURING]]
    assert sorted(told) == sorted(tested)

"""Lambda's response streaming: its framing, its deadline, and clients that leave."""

import json
import threading
import time

import pytest

from support import settings, shapes, stepped
from support.faulty import Relay
from support.lambda_events import MOST
from support.lambda_runtime import Function
from support.process import Simulator, poll
from support.wire import Events

ENDLESS = "[[sim:tokens 100000]] [[sim:pace 20ms]]"
SILENT = "[[sim:tokens 100]] [[sim:hang after=3]]"
STREAM = {"stream": True}
# Lambda's default.
SECONDS = 3


@pytest.fixture(scope="module")
def simulator():
    with Simulator() as running:
        yield running


@pytest.fixture(scope="module")
def started(simulator):
    """One for all tests, but for those that end it."""
    with Function(simulator) as running:
        yield running.is_ready()


@pytest.fixture
def function(started, simulator):
    poll(lambda: simulator.active() == 0, "calls of earlier tests have ended")
    yield started
    assert started.chat("[[sim:text ok]]").status_code == 200, "it doesn't go on"


def test_each_chunk_is_there_before_bedrock_sends_the_next(simulator):
    text = "one two three four five six seven eight nine ten"
    with Relay(simulator.url) as relay:
        steps = stepped.Steps(relay)
        with Function(simulator, env={"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": relay.url}) as function:
            invocation = function.begin_chat(f"[[sim:chunk 5]] [[sim:text {text}]]", body=STREAM)
            parts = []
            for part in steps.texts():
                parts.append(part)
                invocation.has_come(f'"content":{json.dumps(part)}')
                # A part that is there twice is waited for twice.
                poll(lambda: contents(invocation.text) == parts, f"{parts} and no more")
            assert invocation.reply().text.endswith("data: [DONE]\n\n")
            assert "".join(parts) == text and len(parts) > 5


def contents(text):
    """The texts in the events that are whole."""
    events = Events(text[: text.rfind("\n\n") + 2])
    return [delta for chunk in events.chunks if (delta := chunk["choices"][0]["delta"].get("content"))]


def test_the_head_comes_with_the_first_byte_and_not_with_the_last(function):
    invocation = function.begin_chat(SILENT, body=STREAM).has_begun()
    head = json.loads(invocation.prelude)
    assert head["statusCode"] == 200 and head["headers"]["content-type"].startswith("text/event-stream")
    assert invocation.state is None
    invocation.leave()
    invocation.is_over()


def test_the_framing_is_lambdas(function):
    invocation = function.begin_chat("[[sim:text ok]]", body=STREAM)
    reply = invocation.reply()
    assert invocation.head["transfer-encoding"] == "chunked" and "content-length" not in invocation.head
    assert invocation.raw.startswith(invocation.prelude + b"\0" * 8 + b"data: ")
    events = Events(reply.text)
    assert events.done and shapes.check_stream(events.chunks) == ["ok"]


@pytest.mark.parametrize("marker", ["stream-error modelStreamErrorException", "cut", "corrupt", "truncate"])
def test_an_error_in_mid_stream_is_an_event_and_the_invocation_ends_well(function, marker):
    reply = function.chat(f"[[sim:tokens 100]] [[sim:{marker} after=4]]", body=STREAM)
    [error] = Events(reply.text).errors
    shapes.check_error_body(error)


class TestSetting:
    @pytest.mark.parametrize("kind", ["rest-api", "http-api", "function-url"])
    def test_stream(self, simulator, kind):
        """For API Gateway's REST APIs in mode STREAM, whose events are as ever."""
        with Function(simulator, kind=kind, env={"OUTCROP_LAMBDA_RESPONSE": "stream"}) as function:
            for body in ({}, STREAM):
                invocation = function.begin_chat("[[sim:text ok]]", body=body)
                assert invocation.reply().status_code == 200 and invocation.is_stream
            refused = function.get("/v1/models", headers={"authorization": None})
            shapes.check_error(refused, 401)

    def test_buffered(self, simulator):
        """For function URLs in mode BUFFERED."""
        with Function(simulator, env={"OUTCROP_LAMBDA_RESPONSE": "buffer"}) as function:
            invocation = function.begin_chat("[[sim:text ok]]", body=STREAM)
            assert shapes.check_stream(Events(invocation.reply().text).chunks) == ["ok"]
            assert not invocation.is_stream
            refused = function.chat(f"[[sim:pace 0ms]] [[sim:tokens {MOST // 4}]]")
            shapes.check_error(refused, range(400, 600))

    def test_another_word(self, simulator):
        with Function(simulator, env={"OUTCROP_LAMBDA_RESPONSE": "sometimes"}) as function:
            assert "lambda_response" in function.has_failed().lower()


class TestDeadline:
    """The test's Lambda kills the function when it is there."""

    @pytest.mark.parametrize("prompt", [ENDLESS, SILENT], ids=["talking", "silent"])
    def test_a_stream_ends_with_an_error_before(self, function, simulator, prompt):
        reply = function.begin_chat(prompt, body=STREAM, seconds=SECONDS).reply()
        events = Events(reply.text)
        assert events.chunks, "it had begun"
        [error] = events.errors
        shapes.check_error_body(error)
        assert events.data[-1] == "[DONE]" or "error" in json.loads(events.data[-1])
        poll(lambda: simulator.active() == 0, "the call has ended")

    @pytest.mark.parametrize(
        "kind, stream", [("function-url", True), ("function-url", False), ("rest-api", False), ("alb", True)]
    )
    def test_an_answer_that_hasnt_begun_is_an_error(self, function, simulator, kind, stream):
        prompt = "[[sim:delay 300s]]"
        invocation = function.begin_chat(prompt, body={"stream": stream}, kind=kind, seconds=SECONDS)
        reply = invocation.reply()
        if reply.headers["content-type"].startswith("text/event-stream"):
            [error] = Events(reply.text).errors
        else:
            assert reply.status_code in (500, 503, 504)
            error = reply.json()
        shapes.check_error_body(error)
        poll(lambda: simulator.active() == 0, "the call has ended")

    def test_a_stream_that_is_buffered_ends_with_an_error_too(self, function):
        reply = function.begin_chat(ENDLESS, body=STREAM, kind="rest-api", seconds=SECONDS).reply()
        if reply.status_code == 200:
            [error] = Events(reply.text).errors
        else:
            error = reply.json()
        shapes.check_error_body(error)

    def test_retries_end_before(self, function):
        reply = function.begin_chat("[[sim:error ThrottlingException retry-after=30]]", seconds=SECONDS).reply()
        shapes.check_error(reply, range(400, 600))

    def test_what_ends_in_time_is_whole(self, function):
        reply = function.begin_chat("[[sim:text ok]]", body=STREAM, seconds=20).reply()
        assert Events(reply.text).done

    def test_a_deadline_of_1970_is_none(self, simulator):
        """The emulator's is."""
        with Function(simulator) as function:
            function.runtime.watches_deadlines = False
            reply = function.begin_chat("[[sim:text ok]]", body=STREAM, seconds=600 - time.time()).reply()
            assert Events(reply.text).done


class TestLeaving:
    @pytest.mark.parametrize("prompt", [ENDLESS, SILENT], ids=["talking", "silent"])
    def test_takes_the_call_along(self, function, simulator, prompt):
        invocation = function.begin_chat(prompt, body=STREAM).has_begun()
        poll(lambda: simulator.active() == 1, "the call is under way")
        invocation.leave()
        assert invocation.is_over().state == "broken"
        poll(lambda: simulator.active() == 0, "the call has ended")

    def test_many_times(self, function, simulator):
        for _ in range(10):
            invocation = function.begin_chat(ENDLESS, body=STREAM).has_begun()
            invocation.leave()
            invocation.is_over()
        poll(lambda: simulator.active() == 0, "the calls have ended")


def test_a_client_that_reads_slowly_gets_all_of_it(function):
    """The function isn't faster than Lambda takes it, and keeps nothing back."""
    gate = threading.Event()
    invocation = function.begin_chat(
        f"[[sim:pace 0ms]] [[sim:chunk 4000]] [[sim:tokens {MOST // 4}]]", body=STREAM, reading=gate
    )
    invocation.has_begun()
    gate.set()
    assert Events(invocation.reply().text).done

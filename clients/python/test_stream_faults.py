"""Streams that break: the client must never take the part for the whole."""

import openai
import pytest

from support import models, settings, shapes
from support.wire import Connection, Events, chat_request

FAULTS = [
    "stream-error modelStreamErrorException after=3",
    "stream-error internalServerException after=3",
    "stream-error throttlingException after=3",
    "stream-error validationException after=3",
    "stream-error serviceUnavailableException after=3",
    "cut after=3",
    "truncate after=3",
    "corrupt after=3",
]
TOKENS = "[[sim:tokens 40]]"


@pytest.mark.parametrize("fault", FAULTS)
def test_the_sdk_raises(client, fault):
    stream = client.chat.completions.create(
        model=settings.NOVA, messages=[{"role": "user", "content": f"{TOKENS} [[sim:{fault}]]"}], stream=True
    )
    seen = []
    with pytest.raises(openai.APIError):
        for chunk in stream:
            seen.append(chunk)
    assert seen, "what came before the fault is the client's"
    assert not any(choice.finish_reason for chunk in seen for choice in chunk.choices), "a false finish_reason"


@pytest.mark.parametrize("options", [{}, {"include_usage": True}], ids=["plain", "usage"])
@pytest.mark.parametrize("fault", FAULTS)
def test_the_stream_ends_with_an_error_and_without_a_false_end(gateway, fault, options):
    reply = gateway.chat(f"{TOKENS} [[sim:{fault}]]", body={"stream": True, "stream_options": options or None})
    assert reply.status_code == 200, reply.text
    events = Events(reply.text)
    assert "[DONE]" not in events.data, "a false [DONE]"
    assert len(events.errors) == 1 and "error" in events.data[-1], f"one error, and last: {events.data[-3:]}"
    shapes.check_error_body(events.errors[0])
    for chunk in events.chunks:
        shapes.check(chunk, "CreateChatCompletionStreamResponse")
        assert chunk.get("usage") is None, chunk
        assert not any(choice["finish_reason"] for choice in chunk["choices"]), chunk


@pytest.mark.parametrize(
    "exception, code",
    [("modelStreamErrorException", "upstream_model_error"), ("throttlingException", "throttled")],
)
def test_the_error_says_what_it_was(gateway, exception, code):
    reply = gateway.chat(f"{TOKENS} [[sim:stream-error {exception} after=3]]", body={"stream": True})
    shapes.check_error_body(Events(reply.text).errors[0], code=code)


def test_an_answer_of_no_use_at_its_end_is_a_failure_in_the_log_too(gateway):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "number", "strict": True, "schema": schema}}
    said = '[[sim:turns {"n": "one"} | {"n": "two"}]]'
    reply = gateway.chat(said, model=models.DEEPSEEK_R1, body={"stream": True, "response_format": form})
    assert reply.status_code == 200, reply.text
    error = Events(reply.text).errors[0]
    record = gateway.record(reply)
    assert (record["level"], record["outcome"]) == ("WARN", "failed"), record
    assert record["error"] == error["error"]["message"] and record["output_tokens"] > 0, record


def test_the_http_message_itself_is_whole(gateway):
    """The error is the stream's, not the connection's: its last chunk is there, and the connection can go on."""
    with Connection(gateway.port) as connection:
        for _ in range(2):
            connection.send(chat_request(f"{TOKENS} [[sim:cut after=3]]", stream=True))
            reply = connection.reply()
            assert Events(reply.text).errors


def test_no_retry_after_the_first_byte(stack, mark):
    stack.gateway.chat(f"{mark} {TOKENS} [[sim:stream-error throttlingException after=3]]", body={"stream": True})
    assert len(stack.simulator.requests(mark)) == 1


def test_one_of_several_choices_breaking_breaks_the_answer(gateway):
    reply = gateway.chat(f"{TOKENS} [[sim:cut after=3]]", body={"stream": True, "n": 2})
    events = Events(reply.text)
    assert events.errors and not events.done


def test_a_fault_before_the_first_event_is_not_an_empty_answer(gateway):
    reply = gateway.chat(f"{TOKENS} [[sim:truncate after=0]]", body={"stream": True})
    if reply.status_code == 200:
        events = Events(reply.text)
        assert events.errors and not events.done, reply.text
    else:
        shapes.check_error(reply, range(500, 505))


def test_a_stream_that_falls_silent_ends_at_the_limit_between_chunks(serve):
    gateway = serve(env={settings.CHUNK_TIMEOUT: "1s"})
    events = Events(gateway.chat(f"{TOKENS} [[sim:hang after=3]]", body={"stream": True}).text)
    assert events.chunks, "what came before the silence is the client's"
    assert len(events.errors) == 1 and not events.done, events.data[-3:]

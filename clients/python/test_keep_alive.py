"""Idle streams send comments, so that load balancers don't cut them."""

import pytest

from support import models, settings, shapes
from support.wire import Connection, Events, chat_request


@pytest.fixture
def impatient(serve):
    return serve(env={settings.KEEP_ALIVE_INTERVAL: "200ms"})


def test_a_silent_stream_sends_comments(impatient):
    with Connection(impatient.port) as connection:
        connection.send(chat_request("[[sim:tokens 100]] [[sim:hang after=3]]", stream=True))
        reply = connection.head()
        assert reply.status_code == 200
        lines, pieces = [], connection.pieces(reply)
        while sum(line.startswith(b":") for line in lines) < 3:
            lines += next(pieces).split(b"\n")
        assert not any(line.startswith(b"data: [DONE]") for line in lines)


def test_comments_do_not_disturb_the_chunks(impatient):
    prompt = "[[sim:pace 500ms]] [[sim:text one two three four]]"
    events = Events(impatient.chat(prompt, body={"stream": True}).text)
    assert events.done
    assert shapes.check_stream(events.chunks) == ["one two three four"]
    assert events.comments, "half a second of silence and no comment"


def test_the_sdk_does_not_notice(impatient):
    stream = impatient.openai().chat.completions.create(
        model=settings.NOVA,
        messages=[{"role": "user", "content": "[[sim:pace 500ms]] [[sim:text one two three]]"}],
        stream=True,
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "one two three"


def test_a_long_thought_before_the_first_byte(impatient):
    events = Events(impatient.chat("[[sim:delay 2s]] [[sim:text ok]]", body={"stream": True}).text)
    assert events.done
    assert shapes.check_stream(events.chunks) == ["ok"]


def test_a_busy_stream_has_no_comments(gateway):
    assert Events(gateway.chat("[[sim:tokens 50]]", body={"stream": True}).text).comments == []


def test_none_are_sent_where_none_are_wanted(serve):
    """Not even while a choice that has ended for the client is read on for its tokens."""
    silent = serve(env={settings.KEEP_ALIVE_INTERVAL: "0s", settings.CHUNK_TIMEOUT: "4s"})
    prompt = "[[sim:sequence text aSTOPb | hang after=2]]"
    body = {"stream": True, "n": 2, "stop": ["STOP"]}
    assert Events(silent.chat(prompt, model=models.LLAMA_3, body=body).text).comments == []


def test_a_choice_that_is_read_on_takes_no_comment_from_another(serve):
    gateway = serve(env={settings.KEEP_ALIVE_INTERVAL: "200ms", settings.CHUNK_TIMEOUT: "1500ms"})
    prompt = "[[sim:pace 0ms]][[sim:chunk 1]][[sim:text aSTOPb]][[sim:hang after=8]]"
    body = {"stream": True, "stop": ["STOP"]}
    assert Events(gateway.chat(prompt, model=models.LLAMA_3, body=body).text).comments

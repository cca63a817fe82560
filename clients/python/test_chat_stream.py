"""Chat completions as a stream."""

import pytest

from support import settings, shapes
from support.wire import Connection, Events, chat_request


def stream(gateway, text, **fields):
    reply = gateway.chat(text, body={"stream": True} | fields)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("text/event-stream"), reply.headers
    return Events(reply.text)


@pytest.mark.parametrize("model", [settings.CLAUDE, settings.NOVA])
def test_a_stream_is_openais_to_the_letter(gateway, model):
    events = stream(gateway, "[[sim:text Hello there, how are you today?]]", model=model)
    assert events.done and not events.errors
    assert shapes.check_stream(events.chunks) == ["Hello there, how are you today?"]
    assert events.chunks[0]["model"] == model
    assert set(events.names) == {None}, "OpenAI's chunks have no event names"


def test_usage_comes_last_when_asked_for(gateway):
    events = stream(gateway, "[[sim:text Hello there.]]", stream_options={"include_usage": True})
    assert events.done
    assert shapes.check_stream(events.chunks, include_usage=True) == ["Hello there."]


def test_usage_does_not_come_when_refused(gateway):
    events = stream(gateway, "[[sim:text Hello there.]]", stream_options={"include_usage": False})
    assert events.done
    shapes.check_stream(events.chunks)


def test_usage_is_the_same_as_without_a_stream(gateway):
    prompt = "Count to ten. [[sim:text one two three]]"
    usage = stream(gateway, prompt, stream_options={"include_usage": True}).chunks[-1]["usage"]
    assert usage == gateway.chat(prompt).json()["usage"]


def test_the_answer_is_the_same_as_without_a_stream(gateway):
    prompt = "Tell me about granite."
    whole = gateway.chat(prompt).json()["choices"][0]
    events = stream(gateway, prompt)
    assert shapes.check_stream(events.chunks) == [whole["message"]["content"]]


def test_chunks_come_one_by_one_and_not_at_the_end(gateway):
    """The stream never ends on its own, so what we read must have been sent while it was under way."""
    with Connection(gateway.port) as connection:
        connection.send(chat_request("[[sim:hang after=3]]", stream=True))
        reply = connection.head()
        assert reply.status_code == 200
        text = b""
        for piece in connection.pieces(reply):
            text += piece
            if text.count(b"data:") >= 2:
                break
        assert b"[DONE]" not in text


def test_a_stream_is_not_kept_by_caches_or_proxies(gateway):
    reply = gateway.chat("[[sim:text ok]]", body={"stream": True})
    assert "no-cache" in reply.headers.get("cache-control", ""), reply.headers
    assert "content-length" not in reply.headers


def test_an_empty_answer_is_still_a_whole_stream(gateway):
    events = stream(gateway, "[[sim:tokens 1]]")
    assert events.done
    shapes.check_stream(events.chunks)


def test_null_where_openai_allows_it(gateway):
    reply = gateway.chat("[[sim:text ok]]", body={"stream": None, "stream_options": None, "stop": None, "n": None})
    assert reply.status_code == 200, reply.text
    shapes.check_completion(reply.json())

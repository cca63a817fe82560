"""`n` choices at once."""

import pytest

from support import settings, shapes
from support.wire import Events

PROMPT = "[[sim:text one two three four five six seven eight]]"


def test_as_many_choices_as_asked_for(gateway):
    body = gateway.chat(PROMPT, body={"n": 3}).json()
    shapes.check_completion(body)
    assert len(body["choices"]) == 3
    assert {choice["message"]["content"] for choice in body["choices"]} == {"one two three four five six seven eight"}


def test_usage_is_summed(gateway):
    one = gateway.chat(PROMPT).json()["usage"]
    three = gateway.chat(PROMPT, body={"n": 3}).json()["usage"]
    for field in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert three[field] == 3 * one[field], (field, one, three)


def test_streams_carry_their_choices_index(gateway):
    reply = gateway.chat(PROMPT, body={"n": 3, "stream": True, "stream_options": {"include_usage": True}})
    events = Events(reply.text)
    assert events.done and not events.errors
    texts = shapes.check_stream(events.chunks, include_usage=True, choices=3)
    assert set(texts) == {"one two three four five six seven eight"}
    assert events.chunks[-1]["usage"] == gateway.chat(PROMPT, body={"n": 3}).json()["usage"]


def test_streams_run_side_by_side(gateway):
    """All choices have begun before any of them has finished."""
    prompt = "[[sim:pace 100ms]] [[sim:text one two three four five six seven eight nine ten]]"
    chunks = Events(gateway.chat(prompt, body={"n": 3, "stream": True}).text).chunks
    begun = set()
    for chunk in chunks:
        (choice,) = chunk["choices"]
        if choice["finish_reason"]:
            break
        begun.add(choice["index"])
    assert begun == {0, 1, 2}, "one choice finished before the others had begun"


def test_one_call_a_choice(stack, mark):
    assert stack.gateway.chat(f"{mark} [[sim:text ok]]", body={"n": 3}).status_code == 200
    assert len(stack.simulator.requests(mark)) == 3


def test_the_sdk_reads_them(client):
    completion = client.chat.completions.create(
        model=settings.NOVA, n=2, messages=[{"role": "user", "content": "[[sim:text Hi]]"}]
    )
    assert [choice.message.content for choice in completion.choices] == ["Hi", "Hi"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_if_all_choices_fail_so_does_the_request(gateway, stream):
    reply = gateway.chat("[[sim:error ValidationException]]", body={"n": 3, "stream": stream})
    shapes.check_error(reply, 400)


@pytest.mark.parametrize("n", [0, -1, 1.5, "2", True, [], 1_000_000])
def test_senseless_numbers_of_choices_are_refused(gateway, n):
    shapes.check_error(gateway.chat("[[sim:text ok]]", body={"n": n}), range(400, 423), param="n")

"""The tests' own tools, on canned data: a judge must be judged too."""

import copy

import pytest

from support import readme, shapes, wire

COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_800_000_000,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}


def chunk(delta, finish=None, index=0, **fields):
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_800_000_000,
        "model": "m",
        "choices": [choice],
    } | fields


STREAM = [chunk({"role": "assistant", "content": ""}), chunk({"content": "Hi"}), chunk({}, "stop")]


def test_a_good_completion_passes():
    shapes.check_completion(COMPLETION)


@pytest.mark.parametrize(
    "path, value, complaint",
    [
        (("object",), "chat.completions", "none of"),
        (("created",), "now", "not of type integer"),
        (("created",), True, "not of type integer"),
        (("model",), None, "not of type string"),
        (("surprise",), 1, "no field `surprise`"),
        (("choices", 0, "finish_reason"), "end_turn", "none of"),
        (("choices", 0, "message", "content"), 5, "is not of type"),
        (("choices", 0, "message", "role"), "user", "none of"),
        (("usage", "total_tokens"), 4, "total_tokens"),
        (("id",), "gen-7", "gen-7"),
    ],
)
def test_a_bad_completion_is_found_out(path, value, complaint):
    completion = copy.deepcopy(COMPLETION)
    place = completion
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(AssertionError, match=complaint):
        shapes.check_completion(completion)


@pytest.mark.parametrize("field", ["refusal", "content", "role"])
def test_a_missing_field_is_found_out(field):
    completion = copy.deepcopy(COMPLETION)
    del completion["choices"][0]["message"][field]
    with pytest.raises(AssertionError, match=f"`{field}` is missing"):
        shapes.check_completion(completion)


def test_a_good_stream_passes():
    assert shapes.check_stream(STREAM) == ["Hi"]
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    with_usage = [one | {"usage": None} for one in STREAM] + [STREAM[0] | {"choices": [], "usage": usage}]
    assert shapes.check_stream(with_usage, include_usage=True) == ["Hi"]


def test_a_good_stream_of_two_choices_passes():
    stream = [chunk({"role": "assistant"}, index=1), chunk({"role": "assistant"})]
    stream += [chunk({"content": "b"}, index=1), chunk({}, "stop"), chunk({}, "length", index=1)]
    assert shapes.check_stream(stream, choices=2) == ["", "b"]


@pytest.mark.parametrize(
    "chunks, complaint",
    [
        ([], "no chunks"),
        (STREAM[1:], "carries the role"),
        (STREAM[:2], "finish_reason"),
        (STREAM + [chunk({}, "stop")], "goes on after"),
        (STREAM[:2] + [chunk({}, "stop", id="chatcmpl-2")], "differs"),
        ([STREAM[0], STREAM[0], STREAM[2]], "once"),
        ([one | {"usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}} for one in STREAM], "asked"),
        ([STREAM[0] | {"object": "chat.completion"}, *STREAM[1:]], "none of"),
    ],
)
def test_a_bad_stream_is_found_out(chunks, complaint):
    with pytest.raises(AssertionError, match=complaint):
        shapes.check_stream(chunks)


def test_usage_that_was_asked_for_must_come_last():
    with pytest.raises(AssertionError, match="usage chunk comes last"):
        shapes.check_stream(STREAM, include_usage=True)


def test_errors_are_read_as_openai_means_them():
    error = {"message": "no", "type": "invalid_request_error", "param": "messages[0].role", "code": None}
    shapes.check_error_body({"error": error | {"aws": {"region": "us-east-1"}}}, param=("messages", "role"))
    with pytest.raises(AssertionError, match="param"):
        shapes.check_error_body({"error": error}, param="model")
    with pytest.raises(AssertionError, match="no \\['code'\\]"):
        shapes.check_error_body({"error": {"message": "no", "type": "t", "param": None}})
    with pytest.raises(AssertionError, match="top"):
        shapes.check_error_body({"detail": "no"})


def test_event_streams_are_taken_apart():
    events = wire.Events(': hello\n\ndata: {"a":1}\n\n:\n\nevent: error\ndata: {"error":{}}\n\ndata: [DONE]\n\n')
    assert events.comments == ["hello", ""]
    assert events.chunks == [{"a": 1}] and events.errors == [{"error": {}}]
    assert events.names == [None, "error", None]
    assert events.done
    assert not wire.Events('data: {"a":1}\n\n').done
    with pytest.raises(AssertionError, match="neither"):
        wire.Events("HTTP/1.1 500 oops\n\n")


def test_the_readmes_commands_are_found():
    text = """
```console
$ not marked
```
<!-- test -->
```console
$ curl one \\
    two
its output
$ three
```

<!-- test -->

```sh
four
```
"""
    assert readme.commands(text) == ["curl one \\\n    two\nthree\n", "four\n"]

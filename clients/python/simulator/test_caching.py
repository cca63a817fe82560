"""Prompt caching, as boto3 sees it."""

import urllib.request
import uuid

import pytest

from talk import CLAUDE, CLAUDE_5, NOVA, TOOLS, assistant, events, refused, user

POINT = {"cachePoint": {"type": "default"}}
HOUR = {"cachePoint": {"type": "default", "ttl": "1h"}}
LONG = "A long text. " * 600


def usage(runtime, model=CLAUDE, **call):
    return runtime.converse(modelId=model, **call)["usage"]


def test_what_was_written_is_read(runtime):
    text = f"{uuid.uuid4()} {LONG}"
    call = {"system": [{"text": text}, POINT], "messages": [user("Hello")]}
    plain = usage(runtime, system=[{"text": text}], messages=[user("Hello")])
    assert "cacheReadInputTokens" not in plain
    first, second = usage(runtime, **call), usage(runtime, **call)
    written = first["cacheWriteInputTokens"]
    assert written > 1024 and first["cacheReadInputTokens"] == 0
    assert first["cacheDetails"] == [{"ttl": "5m", "inputTokens": written}]
    assert second["cacheReadInputTokens"] == written and second["cacheWriteInputTokens"] == 0
    assert second["cacheDetails"] == []
    for used in [first, second]:
        assert used["inputTokens"] + written == pytest.approx(plain["inputTokens"], abs=5)
        assert used["totalTokens"] == used["inputTokens"] + written + used["outputTokens"]


def test_a_stream_reports_it_too(runtime):
    blocks = [{"text": f"{uuid.uuid4()} {LONG}"}, POINT]
    whole = usage(runtime, system=blocks, messages=[user("Hello")])
    streamed = list(events(runtime, "Hello", system=blocks))[-1]["metadata"]["usage"]
    assert streamed["cacheReadInputTokens"] == whole["cacheWriteInputTokens"] > 0


def test_a_conversation_is_cached_as_it_grows(runtime):
    opening = f"{uuid.uuid4()} {LONG}"
    first = usage(runtime, messages=[user(opening, POINT)])
    turns = [user(opening), assistant("Go on."), user("More.", POINT)]
    second = usage(runtime, messages=turns)
    assert second["cacheReadInputTokens"] == first["cacheWriteInputTokens"]
    assert 0 < second["cacheWriteInputTokens"] < 50


def test_short_prefixes_are_not_cached(runtime):
    system = [{"text": f"{uuid.uuid4()} " + "word" * 900}, POINT]
    assert usage(runtime, system=system, messages=[user("a")])["cacheWriteInputTokens"] == 0
    assert usage(runtime, CLAUDE_5, system=system, messages=[user("a")])["cacheWriteInputTokens"] > 900


def test_forgetting_the_state_empties_the_cache(endpoint, runtime):
    call = {"system": [{"text": f"{uuid.uuid4()} {LONG}"}, POINT], "messages": [user("Hello")]}
    written = usage(runtime, **call)["cacheWriteInputTokens"]
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/_simulator/state", method="DELETE"))
    assert usage(runtime, **call)["cacheWriteInputTokens"] == written


@pytest.mark.parametrize(
    ("model", "call", "expected"),
    [
        (CLAUDE, {"system": [{"text": "a"}, POINT, POINT, POINT, POINT, POINT]}, "A maximum of 4 blocks"),
        (CLAUDE, {"system": [POINT, {"text": "a"}]}, "There is nothing available to cache."),
        (CLAUDE, {"messages": [user("a"), assistant("b"), user(POINT, "c")]}, "There is nothing available to cache."),
        (
            CLAUDE,
            {"system": [{"text": "a"}, POINT], "messages": [user("a", HOUR)]},
            "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m'",
        ),
        (
            CLAUDE,
            {
                "messages": [
                    user("a", {"document": {"format": "csv", "name": "a", "source": {"bytes": b"x"}}}, POINT),
                ]
            },
            "messages.0.content.2.type: Field required",
        ),
        (NOVA, {"system": [{"text": "a"}, HOUR]}, "only supported for Anthropic models"),
        (
            NOVA,
            {"toolConfig": {"tools": [*TOOLS["tools"], POINT]}},
            "#/toolConfig/tools/1: extraneous key [cachePoint] is not permitted",
        ),
    ],
)
def test_points_must_be_right(runtime, model, call, expected):
    call = {"modelId": model, "messages": [user("a")], **call}
    assert expected in refused(lambda: runtime.converse(**call))

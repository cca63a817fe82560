"""The simulator's ledger says the same as its answers, for those who check what others have counted."""

import time

import pytest

from talk import CLAUDE, NOVA, user

NOTHING = {"calls": 0, "inputTokens": 0, "outputTokens": 0, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 0}


def told(running, calls):
    """The rows, once so many calls are in them."""
    deadline = time.monotonic() + 10
    while True:
        rows = running.get("state")["ledger"]
        if sum(row[kind]["calls"] for row in rows for kind in ("finished", "aborted")) >= calls:
            return {(row["model"], row["requestMetadata"].get("team")): row for row in rows}
        assert time.monotonic() < deadline, rows
        time.sleep(0.02)


@pytest.fixture
def running(simulator, connect):
    one = simulator()
    one.runtime = connect("bedrock-runtime", endpoint_url=one.url)
    return one


def test_whole_answers_and_streams_by_model_and_metadata(running):
    asked = {"messages": [user("[[sim:tokens 30]]")], "requestMetadata": {"team": "search"}}
    whole = running.runtime.converse(modelId=NOVA, **asked)["usage"]
    stream = list(running.runtime.converse_stream(modelId=NOVA, **asked)["stream"])[-1]["metadata"]["usage"]
    other = running.runtime.converse(modelId=CLAUDE, messages=[user("[[sim:cache read=50 write=7]]")])["usage"]
    rows = told(running, 3)
    assert rows[NOVA, "search"]["finished"] == NOTHING | {
        "calls": 2,
        "inputTokens": whole["inputTokens"] + stream["inputTokens"],
        "outputTokens": whole["outputTokens"] + stream["outputTokens"],
    }
    assert rows[NOVA, "search"]["aborted"] == NOTHING
    assert rows[CLAUDE, None]["finished"] == {
        "calls": 1,
        "inputTokens": other["inputTokens"],
        "outputTokens": other["outputTokens"],
        "cacheReadInputTokens": 50,
        "cacheWriteInputTokens": 7,
    }


def test_what_is_left_in_the_middle_is_told_apart(running):
    stream = running.runtime.converse_stream(modelId=NOVA, messages=[user("[[sim:pace 200ms]] [[sim:tokens 30]]")])
    next(iter(stream["stream"]))
    stream["stream"].close()
    [row] = told(running, 1).values()
    assert row["finished"] == NOTHING
    assert (row["aborted"]["calls"], row["aborted"]["outputTokens"]) == (1, 30)
    running.delete("state")
    assert running.get("state")["ledger"] == []

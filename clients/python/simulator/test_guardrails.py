"""Guardrails, as boto3 sees them."""

import pytest

from talk import CLAUDE, NOVA, events, refused, text_of, user

GUARDRAIL = {"guardrailIdentifier": "simguardrail1", "guardrailVersion": "1"}
INSTEAD = "Sorry, the model cannot answer this question."
ANSWER = "[[sim:text one two three BLOCKED-OUTPUT four five six]]"


def guarded(text):
    return {"guardContent": {"text": {"text": text}}}


def ask(runtime, *blocks, **more):
    config = {**GUARDRAIL, **more}
    return runtime.converse(modelId=NOVA, messages=[user(*blocks)], guardrailConfig=config)


def stream(runtime, text, **more):
    seen = list(events(runtime, text, model=NOVA, guardrailConfig={**GUARDRAIL, **more}))
    deltas = [event["contentBlockDelta"]["delta"]["text"] for event in seen if "contentBlockDelta" in event]
    stop = next(event["messageStop"]["stopReason"] for event in seen if "messageStop" in event)
    return "".join(deltas), stop, seen[-1]["metadata"]


def test_what_is_harmless_passes(runtime):
    reply = ask(runtime, "Hello")
    assert "Hello" in text_of(reply) and reply["stopReason"] == "end_turn" and "trace" not in reply


def test_blocked_input_reaches_no_model(runtime):
    reply = ask(runtime, "Say BLOCKED-INPUT", trace="enabled")
    assert text_of(reply) == INSTEAD
    assert reply["stopReason"] == "guardrail_intervened"
    assert reply["usage"] == {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
    words = reply["trace"]["guardrail"]["inputAssessment"]["simguardrail1"]["wordPolicy"]["customWords"]
    assert words == [{"match": "BLOCKED-INPUT", "action": "BLOCKED", "detected": True}]
    assert "outputAssessments" not in reply["trace"]["guardrail"]


def test_only_guarded_content_is_looked_at_if_there_is_any(runtime):
    assert ask(runtime, "BLOCKED-INPUT", guarded("Hello"))["stopReason"] == "end_turn"
    assert ask(runtime, "Hello", guarded("BLOCKED-INPUT"))["stopReason"] == "guardrail_intervened"
    assert "Hello" in text_of(ask(runtime, guarded("Hello"))), "guarded content is read like any other"


def test_blocked_output_is_replaced(runtime):
    reply = ask(runtime, ANSWER, trace="enabled")
    assert (text_of(reply), reply["stopReason"]) == (INSTEAD, "guardrail_intervened")
    trace = reply["trace"]["guardrail"]
    (assessment,) = trace["outputAssessments"]["simguardrail1"]
    assert assessment["wordPolicy"]["customWords"][0]["match"] == "BLOCKED-OUTPUT"
    assert "wordPolicy" not in trace["inputAssessment"]["simguardrail1"]
    assert "one two three" in trace["modelOutput"][0]


def test_a_full_trace_says_what_was_not_found(runtime):
    trace = ask(runtime, "Hello", trace="enabled_full")["trace"]["guardrail"]
    words = trace["inputAssessment"]["simguardrail1"]["wordPolicy"]["customWords"]
    assert words == [{"match": "BLOCKED-INPUT", "action": "NONE", "detected": False}]


def test_a_stream_that_is_looked_at_first_shows_nothing(runtime):
    text, stop, metadata = stream(runtime, ANSWER, streamProcessingMode="sync", trace="enabled")
    assert (text, stop) == (INSTEAD, "guardrail_intervened")
    assert metadata["trace"]["guardrail"]["outputAssessments"]
    assert stream(runtime, ANSWER)[0] == INSTEAD, "it's the default"


def test_a_stream_that_is_looked_at_meanwhile_shows_the_beginning(runtime):
    text, stop, metadata = stream(runtime, ANSWER, streamProcessingMode="async")
    assert text == "one two three BLOCKED-OUTPUT" + INSTEAD
    assert stop == "guardrail_intervened" and "trace" not in metadata


def test_blocked_input_in_a_stream(runtime):
    text, stop, metadata = stream(runtime, "BLOCKED-INPUT", streamProcessingMode="async", trace="enabled")
    assert (text, stop) == (INSTEAD, "guardrail_intervened")
    assert metadata["trace"]["guardrail"]["inputAssessment"]


@pytest.mark.parametrize(
    ("config", "code", "expected"),
    [
        ({"guardrailIdentifier": "other"}, "ValidationException", "The provided guardrail identifier is invalid."),
        ({"guardrailVersion": "2"}, "ResourceNotFoundException", "does not exist"),
        ({"guardrailVersion": "latest"}, "ValidationException", "regular expression pattern"),
        ({"trace": "loud"}, "ValidationException", "enum value set"),
    ],
)
def test_guardrails_must_exist(unchecked, config, code, expected):
    call = {"modelId": CLAUDE, "messages": [user("Hi")], "guardrailConfig": {**GUARDRAIL, **config}}
    assert expected in refused(lambda: unchecked.converse(**call), code)
    assert expected in refused(lambda: unchecked.converse_stream(**call), code)

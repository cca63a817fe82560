"""Reasoning, as boto3 sees it: who reasons, what comes back of it, and what can't go with it."""

import pytest

from talk import (
    CLAUDE,
    CLAUDE_4_6,
    CLAUDE_5,
    CLAUDE_5_5,
    GPT_OSS,
    NOVA,
    TOOLS,
    assistant,
    events,
    refused,
    text_of,
    user,
)

CLAUDE_4_7 = "us.anthropic.claude-opus-4-7"
OPUS_4_5 = "us.anthropic.claude-opus-4-5-20251101-v1:0"
NOVA_2 = "us.amazon.nova-2-lite-v1:0"
R1 = "us.deepseek.r1-v1:0"
BUDGET = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
ADAPTIVE = {"thinking": {"type": "adaptive"}}
SUMMARIZED = {"thinking": {"type": "adaptive", "display": "summarized"}}
FORCED = {**TOOLS, "toolChoice": {"any": {}}}


def ask(runtime, model, extra=None, text="Hello", **more):
    more |= {"additionalModelRequestFields": extra} if extra is not None else {}
    return runtime.converse(modelId=model, messages=[user(text)], **more)


def reasoning(reply):
    blocks = reply["output"]["message"]["content"]
    return [block["reasoningContent"]["reasoningText"] for block in blocks if "reasoningContent" in block]


@pytest.mark.parametrize(
    ("model", "extra", "shown", "signed"),
    [
        (CLAUDE, BUDGET, True, True),
        (CLAUDE_4_6, BUDGET, True, True),
        (CLAUDE_4_6, ADAPTIVE, True, True),
        (CLAUDE_4_7, ADAPTIVE, False, True),
        (CLAUDE_4_7, SUMMARIZED, True, True),
        (CLAUDE_5, None, False, True),
        (CLAUDE_5_5, None, False, True),
        (CLAUDE_5_5, SUMMARIZED, True, True),
        (NOVA_2, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}, True, False),
        (GPT_OSS, None, True, False),
        (GPT_OSS, {"reasoning_effort": "low"}, True, False),
        (R1, None, True, False),
    ],
)
def test_who_reasons(runtime, model, extra, shown, signed):
    (block,) = reasoning(ask(runtime, model, extra))
    assert bool(block["text"]) == shown
    assert ("signature" in block) == signed


@pytest.mark.parametrize(
    ("model", "extra"),
    [
        (CLAUDE, None),
        (CLAUDE_4_7, None),
        (CLAUDE_5, {"thinking": {"type": "disabled"}}),
        (NOVA_2, None),
        (NOVA_2, {"reasoningConfig": {"type": "disabled"}}),
    ],
)
def test_who_doesnt(runtime, model, extra):
    assert reasoning(ask(runtime, model, extra)) == []


def test_blank_reasoning_is_streamed_as_a_signature(runtime):
    seen = list(events(runtime, "Hello", model=CLAUDE_4_7, additionalModelRequestFields=ADAPTIVE))
    deltas = [event["contentBlockDelta"] for event in seen if "contentBlockDelta" in event]
    assert list(deltas[0]["delta"]["reasoningContent"]) == ["signature"]
    assert deltas[1]["contentBlockIndex"] == 1


@pytest.mark.parametrize("model", [CLAUDE_4_7, CLAUDE_5_5])
def test_blank_reasoning_goes_round_as_it_was(runtime, model):
    turn = ask(runtime, model, ADAPTIVE)["output"]["message"]
    assert runtime.converse(modelId=model, messages=[user("a"), turn, user("b")])
    turn["content"][0]["reasoningContent"]["reasoningText"]["text"] = "made up"
    message = refused(lambda: runtime.converse(modelId=model, messages=[user("a"), turn, user("b")]))
    assert "Invalid `signature` in `thinking` block" in message


def test_redacted_reasoning_goes_round_as_it_was(runtime):
    turn = ask(runtime, CLAUDE, BUDGET, "[[sim:redacted-reasoning]]")["output"]["message"]
    redacted = turn["content"][0]["reasoningContent"]
    streamed = [
        event["contentBlockDelta"]["delta"].get("reasoningContent")
        for event in events(runtime, "[[sim:redacted-reasoning]]")
        if "contentBlockDelta" in event
    ]
    assert streamed[0] == redacted
    assert runtime.converse(modelId=CLAUDE, messages=[user("a"), turn, user("b")])
    redacted["redactedContent"] = redacted["redactedContent"][:-1] + b"?"
    message = refused(lambda: runtime.converse(modelId=CLAUDE, messages=[user("a"), turn, user("b")]))
    assert "Invalid `data` in `redacted_thinking` block" in message


def test_thinking_tokens_are_told_when_asked_for(runtime):
    paths = {"additionalModelResponseFieldPaths": ["/usage/output_tokens_details", "/nothing"]}
    reply = ask(runtime, CLAUDE, BUDGET, **paths)
    thought = reply["additionalModelResponseFields"]["usage"]["output_tokens_details"]["thinking_tokens"]
    assert 0 < thought < reply["usage"]["outputTokens"]
    seen = list(events(runtime, "Hello", additionalModelRequestFields=BUDGET, **paths))
    stop = next(event["messageStop"] for event in seen if "messageStop" in event)
    assert stop["additionalModelResponseFields"] == reply["additionalModelResponseFields"]
    blank = ask(runtime, CLAUDE_4_7, ADAPTIVE, **paths)["additionalModelResponseFields"]["usage"]
    assert blank["output_tokens_details"]["thinking_tokens"] > 0, "what isn't shown counts too"


def test_interleaved_thinking_may_think_more_than_it_answers(runtime):
    call = {"inferenceConfig": {"maxTokens": 1500}}
    assert "must be greater than" in refused(lambda: ask(runtime, CLAUDE, BUDGET, **call))
    interleaved = {**BUDGET, "anthropic_beta": ["interleaved-thinking-2025-05-14"]}
    assert reasoning(ask(runtime, CLAUDE, interleaved, **call))


def test_efforts(runtime):
    for model, efforts in [(CLAUDE_4_6, ["low", "max"]), (CLAUDE_4_7, ["low", "xhigh", "max"])]:
        for effort in efforts:
            assert ask(runtime, model, {"output_config": {"effort": effort}})
            assert ask(runtime, model, outputConfig={"effort": effort})
    beta = {"anthropic_beta": ["effort-2025-11-24"]}
    assert ask(runtime, OPUS_4_5, {"output_config": {"effort": "high"}, **beta})


NOVA_HIGH = {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}
NO_REASONING = "User messages cannot contain reasoning content."


@pytest.mark.parametrize(
    ("model", "extra", "more", "expected"),
    [
        (CLAUDE_4_7, BUDGET, {}, 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking'),
        (CLAUDE, ADAPTIVE, {}, '"thinking.type.adaptive" is not supported for this model.'),
        (CLAUDE_5_5, {"thinking": {"type": "disabled"}}, {}, '"thinking.type.disabled" is not supported'),
        (CLAUDE, {"thinking": {"type": "loud"}}, {}, "does not match any of the expected tags"),
        (CLAUDE_4_7, {"thinking": {"type": "adaptive", "display": "all"}}, {}, "'summarized' or 'omitted'"),
        (CLAUDE_4_6, ADAPTIVE, {"toolConfig": FORCED}, "may not be enabled when tool_choice forces tool use"),
        (CLAUDE_4_6, ADAPTIVE, {"inferenceConfig": {"temperature": 0.5}}, "may only be set to 1"),
        (CLAUDE_5_5, None, {"toolConfig": FORCED}, 'tool_choice: type "tool" and "any" are not supported'),
        (CLAUDE, {"output_config": {"effort": "low"}}, {}, "does not support the effort parameter"),
        (OPUS_4_5, {"output_config": {"effort": "low"}}, {}, "output_config: Extra inputs are not permitted"),
        (CLAUDE_4_6, {"output_config": {"effort": "xhigh"}}, {}, "Supported levels: low, medium, high, max."),
        (CLAUDE_4_7, {"output_config": {"effort": "some"}}, {}, "Input should be 'low'"),
        (CLAUDE_5, {"thinking": {"type": "disabled"}, "output_config": {"effort": "max"}}, {}, "effort level 'max'"),
        (NOVA, None, {"outputConfig": {"effort": "low"}}, "doesn't support the outputConfig.effort field"),
        (CLAUDE, {"anthropic_beta": ["made-up-2025-01-01"]}, {}, "invalid beta flag"),
        (CLAUDE, {"anthropic_beta": "interleaved"}, {}, "Input should be a valid list"),
        (NOVA_2, NOVA_HIGH, {"inferenceConfig": {"maxTokens": 9}}, "maxTokens must be unset"),
        (NOVA_2, NOVA_HIGH, {"inferenceConfig": {"temperature": 0.5}}, "temperature must be unset"),
        (NOVA_2, {"reasoningConfig": {"type": "enabled"}}, {}, "reasoning config value is invalid"),
        (NOVA, NOVA_HIGH, {}, "reasoning config value is invalid"),
        (NOVA, {"top_k": 5}, {}, "#: extraneous key [top_k] is not permitted"),
        (GPT_OSS, {"reasoning_effort": "minimal"}, {}, "Input should be 'low', 'medium' or 'high'"),
        (R1, {"thinking": {"type": "enabled"}}, {}, "doesn't support the additionalModelRequestFields"),
        (R1, None, {"toolConfig": TOOLS}, "doesn't support tool use"),
    ],
)
def test_what_is_refused(runtime, model, extra, more, expected):
    assert expected in refused(lambda: ask(runtime, model, extra, **more))


@pytest.mark.parametrize(
    ("model", "expected"),
    [(R1, NO_REASONING), (NOVA, "doesn't support the reasoningContent content block"), (GPT_OSS, None), (NOVA_2, None)],
)
def test_who_takes_reasoning_back(runtime, model, expected):
    turns = [user("a"), assistant({"reasoningContent": {"reasoningText": {"text": "hm"}}}, "b"), user("c")]
    call = {"modelId": model, "messages": turns}
    if expected is None:
        assert text_of(runtime.converse(**call))
    else:
        assert expected in refused(lambda: runtime.converse(**call))
    misplaced = [user({"reasoningContent": {"reasoningText": {"text": "hm"}}}, "b")]
    assert NO_REASONING in refused(lambda: runtime.converse(modelId=model, messages=misplaced))

"""Nova's messages-v1 by InvokeModel."""

import base64

import pytest
from invoking import chunks, invoke, refused
from talk import NOVA, TOOLS, png

NOVA_2 = "us.amazon.nova-2-lite-v1:0"


def ask(*blocks, **more):
    content = [{"text": block} if isinstance(block, str) else block for block in blocks]
    return {"schemaVersion": "messages-v1", "messages": [{"role": "user", "content": content}], **more}


def test_the_answer_is_converses(runtime):
    body = ask("Why?", system=[{"text": "Be brief."}], inferenceConfig={"maxTokens": 30, "stopSequences": ["merits"]})
    converse = runtime.converse(
        modelId=NOVA, messages=body["messages"], system=body["system"], inferenceConfig=body["inferenceConfig"]
    )
    whole, _ = invoke(runtime, NOVA, body)
    assert whole["output"] == converse["output"]
    assert whole["stopReason"] == converse["stopReason"] == "max_tokens"
    assert whole["usage"]["inputTokens"] == converse["usage"]["inputTokens"]
    assert whole["usage"]["cacheReadInputTokenCount"] == 0


def test_a_stream_has_converses_events(runtime):
    body = ask('[[sim:text One two three.]][[sim:tool get_weather {"city": "Paris"}]]', toolConfig=TOOLS)
    stream = chunks(runtime, NOVA, body)
    names = [next(name for name in chunk if not name.startswith("amazon")) for chunk in stream]
    assert names[0] == "messageStart" and names[-2:] == ["messageStop", "metadata"]
    deltas = [chunk["contentBlockDelta"]["delta"] for chunk in stream if "contentBlockDelta" in chunk]
    assert "".join(delta.get("text", "") for delta in deltas) == "One two three."
    assert "".join(delta.get("toolUse", {}).get("input", "") for delta in deltas) == '{"city":"Paris"}'
    assert stream[-2]["messageStop"]["stopReason"] == "tool_use"
    assert stream[-1]["metadata"]["usage"]["outputTokens"] > 0
    assert stream[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] > 0


def test_media_caching_and_reasoning(runtime):
    image = {"image": {"format": "png", "source": {"bytes": base64.b64encode(png()).decode()}}}
    invoke(runtime, NOVA, ask(image, "What is this?"))
    long = [{"text": "[nova's] " + "Words to be kept. " * 600}, {"cachePoint": {"type": "default"}}]
    first, _ = invoke(runtime, NOVA, ask("Hi", system=long))
    again, _ = invoke(runtime, NOVA, ask("Hi", system=long))
    assert first["usage"]["cacheWriteInputTokenCount"] == again["usage"]["cacheReadInputTokenCount"] > 1024
    config = {"type": "enabled", "maxReasoningEffort": "low"}
    whole, _ = invoke(runtime, NOVA_2, ask("Hi", reasoningConfig=config))
    assert "reasoningContent" in whole["output"]["message"]["content"][0]
    assert "reasoning config value is invalid" in refused(runtime, NOVA, ask("Hi", reasoningConfig=config))


def test_the_old_names_work(runtime):
    whole, _ = invoke(runtime, NOVA, ask("Hi", inferenceConfig={"max_new_tokens": 5, "top_k": 20, "top_p": 0.5}))
    assert whole["stopReason"] == "max_tokens"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_tokens": 5}, "#: extraneous key [max_tokens] is not permitted"),
        ({"schemaVersion": "messages-v2"}, "#/schemaVersion: messages-v2 is not a valid enum value"),
        ({"messages": None}, "#: required key [messages] not found"),
        ({"inferenceConfig": {"topK": 129}}, "#/inferenceConfig/topK: 129 is not less or equal to 128"),
        ({"inferenceConfig": {"stopSequences": ["a"] * 5}}, "expected maximum item count: 4, found: 5"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}, "extraneous key [type]"),
        ({"messages": [{"role": "assistant", "content": [{"text": "a"}]}]}, "must start with a user message"),
    ],
)
def test_what_is_refused(runtime, change, message):
    body = {name: value for name, value in {**ask("Hi"), **change}.items() if value is not None}
    assert message in refused(runtime, NOVA, body)

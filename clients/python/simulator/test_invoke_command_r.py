"""Command R's chat by InvokeModel."""

import pytest
from invoking import chunks, invoke, refused

COMMAND_R = "cohere.command-r-v1:0"
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city",
    "parameter_definitions": {"city": {"description": "Its name", "type": "str", "required": True}},
}
HISTORY = [{"role": "USER", "message": "Hi"}, {"role": "CHATBOT", "message": "Hello"}]


def test_the_answer_is_converses(runtime):
    converse = runtime.converse(
        modelId=COMMAND_R,
        messages=[
            {"role": "user", "content": [{"text": "Hi"}]},
            {"role": "assistant", "content": [{"text": "Hello"}]},
            {"role": "user", "content": [{"text": "Why?"}]},
        ],
        system=[{"text": "Be brief."}],
        inferenceConfig={"maxTokens": 25},
    )
    body = {"message": "Why?", "chat_history": HISTORY, "preamble": "Be brief.", "max_tokens": 25}
    answer, headers = invoke(runtime, COMMAND_R, body)
    assert answer["text"] == converse["output"]["message"]["content"][0]["text"]
    assert answer["finish_reason"] == "MAX_TOKENS"
    assert answer["chat_history"][-1] == {"role": "CHATBOT", "message": answer["text"]}
    assert headers["x-amzn-bedrock-input-token-count"] == str(converse["usage"]["inputTokens"])


def test_a_stream_ends_with_the_whole(runtime):
    body = {"message": "Why?", "p": 0.5, "k": 10, "temperature": 0.3}
    whole, _ = invoke(runtime, COMMAND_R, body)
    stream = chunks(runtime, COMMAND_R, body)
    kinds = [event["event_type"] for event in stream]
    assert kinds[0] == "stream-start" and kinds[-1] == "stream-end"
    assert [event["is_finished"] for event in stream] == [False] * (len(stream) - 1) + [True]
    assert "".join(event.get("text", "") for event in stream) == whole["text"]
    assert stream[-1]["response"] == whole
    assert stream[-1]["finish_reason"] == "COMPLETE"
    assert stream[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] > 0


def test_calls_and_their_results(runtime):
    body = {"message": '[[sim:tool get_weather {"city": "Paris"}]][[sim:tool get_weather]]', "tools": [WEATHER]}
    whole, _ = invoke(runtime, COMMAND_R, body)
    calls = [{"name": "get_weather", "parameters": {"city": "Paris"}}, {"name": "get_weather", "parameters": {}}]
    assert whole["tool_calls"] == calls and whole["finish_reason"] == "COMPLETE"
    event = next(event for event in chunks(runtime, COMMAND_R, body) if event["event_type"] == "tool-calls-generation")
    assert event["tool_calls"] == calls
    results = [{"call": calls[0], "outputs": [{"text": "18 degrees"}]}]
    whole, _ = invoke(runtime, COMMAND_R, {"message": "Weather?", "tools": [WEATHER], "tool_results": results})
    assert "18 degrees" in whole["text"]
    assert "with tools" in refused(runtime, COMMAND_R, {"message": "Weather?", "tool_results": results})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"prompt": "Hi"}, "#: required key [message] not found, #: extraneous key [prompt] is not permitted"),
        ({"message": ""}, "message must be at least 1 token long"),
        ({"message": "Hi", "p": 1}, "#/p: 1 is not less or equal to 0.99"),
        ({"message": "Hi", "k": 501}, "#/k: 501 is not less or equal to 500"),
        ({"message": "Hi", "max_tokens": 4001}, "exceeds the model limit of 4000"),
        ({"message": "Hi", "chat_history": [{"role": "user", "message": "a"}]}, "user is not a valid enum value"),
        ({"message": "Hi", "prompt_truncation": "AUTO"}, "AUTO is not a valid enum value"),
        ({"message": "Hi", "tools": [{"name": "a"}]}, "#/tools/0: required key [description] not found"),
        ({"message": "Hi", "stop_sequences": ["a", "b", "c", "d", "e"]}, "stop sequences"),
    ],
)
def test_what_is_refused(runtime, body, message):
    assert message in refused(runtime, COMMAND_R, body)

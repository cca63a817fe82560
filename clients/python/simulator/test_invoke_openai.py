"""Bodies like OpenAI's chat completions by InvokeModel, and Mistral's."""

import base64

import pytest
from invoking import chunks, invoke, refused
from talk import GPT_OSS, png

QWEN = "qwen.qwen3-32b-v1:0"
GEMMA = "google.gemma-3-4b-it"
MISTRAL = "mistral.mistral-large-2407-v1:0"
PIXTRAL = "us.mistral.pixtral-large-2502-v1:0"
OPEN = [GPT_OSS, QWEN, GEMMA, "moonshot.kimi-k2-thinking", "minimax.minimax-m2", "zai.glm-4.7", "deepseek.v3.2"]
OPEN += ["nvidia.nemotron-nano-3-30b", "mistral.mistral-large-3-675b-instruct", "mistral.magistral-small-2509"]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(png()).decode()}}


def ask(content, **more):
    return {"messages": [{"role": "user", "content": content}], **more}


def folded(stream, piece="delta", reason="finish_reason"):
    """The content, the calls and the reason that a stream's chunks make."""
    content, calls, ended = "", [], None
    for choice in (choice for chunk in stream for choice in chunk["choices"]):
        content += choice[piece].get("content") or ""
        for call in choice[piece].get("tool_calls", []):
            if "id" in call:
                assert call["index"] == len(calls)
                calls.append({"id": call["id"], "type": "function", "function": dict(call["function"])})
            else:
                calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
        ended = choice[reason] or ended
    return content, calls, ended


def whole_of(answer, reason="finish_reason"):
    choice = answer["choices"][0]
    return choice["message"]["content"] or "", choice["message"].get("tool_calls", []), choice[reason]


CALLS = '[[sim:tool get_weather {"city": "Paris"}]][[sim:tool get_weather]]'


@pytest.mark.parametrize("model", OPEN)
def test_each_model_answers_as_with_converse(runtime, model):
    converse = runtime.converse(modelId=model, messages=[{"role": "user", "content": [{"text": "Why?"}]}])
    text = converse["output"]["message"]["content"][-1]["text"]
    answer, _ = invoke(runtime, model, ask("Why?"))
    stream = chunks(runtime, model, ask("Why?"))
    assert answer["object"] == "chat.completion" and stream[0]["object"] == "chat.completion.chunk"
    assert answer["choices"][0]["message"]["content"].endswith(text)
    assert folded(stream) == whole_of(answer)
    assert stream[-1]["usage"] == answer["usage"]
    assert answer["usage"]["completion_tokens"] == converse["usage"]["outputTokens"]


@pytest.mark.parametrize(("text", "reason"), [(CALLS, "tool_calls"), ("[[sim:tokens 999]]", "length"), ("a", "stop")])
def test_a_stream_folds_into_the_whole(runtime, text, reason):
    body = ask(text + "[[sim:interleave]]", tools=[WEATHER], max_completion_tokens=None, max_tokens=300)
    answer, _ = invoke(runtime, QWEN, body)
    content, calls, ended = folded(chunks(runtime, QWEN, body))
    assert (content, calls, ended) == whole_of(answer)
    assert ended == reason
    if calls:
        assert [call["function"]["arguments"] for call in calls] == ['{"city":"Paris"}', "{}"]


def test_gpt_oss_reasons_in_tags(runtime):
    body = ask("[[sim:reasoning Let me see.]][[sim:text It is so.]]", reasoning_effort="low")
    answer, _ = invoke(runtime, GPT_OSS, body)
    assert answer["choices"][0]["message"]["content"] == "<reasoning>Let me see.</reasoning>It is so."
    assert folded(chunks(runtime, GPT_OSS, body))[0] == "<reasoning>Let me see.</reasoning>It is so."
    assert "reasoning_effort" in refused(runtime, GPT_OSS, ask("Hi", reasoning_effort="xhigh"))


def test_a_round_with_a_tool(runtime):
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "18 degrees"},
    ]
    for model in (QWEN, MISTRAL):
        if model == MISTRAL:
            turns[2]["content"] = ""
        answer, _ = invoke(runtime, model, {"messages": turns, "tools": [WEATHER]})
        assert "18 degrees" in answer["choices"][0]["message"]["content"]
        assert "Expected toolResult" in refused(
            runtime, model, {"messages": [*turns[:3], {"role": "user", "content": "Well?"}], "tools": [WEATHER]}
        )


def test_schemas_are_followed_by_who_can(runtime):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    answer, _ = invoke(runtime, QWEN, ask("A number", response_format=form))
    assert '"n"' in answer["choices"][0]["message"]["content"]
    answer, _ = invoke(runtime, GPT_OSS, ask("A number", response_format=form))
    assert "You asked" in answer["choices"][0]["message"]["content"]


def test_images_are_read_by_who_can(runtime):
    parts = [{"type": "text", "text": "What is this?"}, IMAGE]
    invoke(runtime, GEMMA, ask(parts))
    invoke(runtime, PIXTRAL, ask(parts))
    assert "image" in refused(runtime, QWEN, ask(parts))
    elsewhere = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    assert "data URLs" in refused(runtime, GEMMA, ask(elsewhere))


@pytest.mark.parametrize(
    ("model", "change", "message"),
    [
        (GPT_OSS, {"logit_bias": {}}, "#: extraneous key [logit_bias] is not permitted"),
        (GPT_OSS, {"max_tokens": "5"}, "#/max_tokens: expected type: Integer, found: String"),
        (GPT_OSS, {"temperature": 2.1}, "#/temperature: 2.1 is not less or equal to 2"),
        (GPT_OSS, {"messages": []}, "#/messages: expected minimum item count: 1, found: 0"),
        (GPT_OSS, {"messages": [{"role": "user"}]}, "#/messages/0: required key [content] not found"),
        (GPT_OSS, {"messages": [{"role": "bot", "content": "a"}]}, "#/messages/0/role: bot is not a valid enum value"),
        (GPT_OSS, {"model": "openai.gpt-oss-120b-1:0"}, "must match the model in the path"),
        (GPT_OSS, {"max_tokens": 16385}, "exceeds the model limit of 16384"),
        (MISTRAL, {"n": 1}, "#: extraneous key [n] is not permitted"),
        (MISTRAL, {"tool_choice": "required"}, "#/tool_choice: required is not a valid enum value"),
        (MISTRAL, {"temperature": 1.1}, "#/temperature: 1.1 is not less or equal to 1"),
    ],
)
def test_what_is_refused(runtime, model, change, message):
    assert message in refused(runtime, model, {**ask("Hi"), **change})


def test_the_stream_field_must_match_the_operation(runtime):
    invoke(runtime, GPT_OSS, ask("Hi", stream=False, model=GPT_OSS))
    chunks(runtime, GPT_OSS, ask("Hi", stream=True))
    with pytest.raises(Exception, match="must match the operation"):
        invoke(runtime, GPT_OSS, ask("Hi", stream=True))


@pytest.mark.parametrize("model", [MISTRAL, PIXTRAL])
def test_mistrals_chat_is_its_own(runtime, model):
    body = ask(CALLS, tools=[WEATHER], tool_choice="auto", max_tokens=500)
    answer, headers = invoke(runtime, model, body)
    stream = chunks(runtime, model, body)
    assert folded(stream, "message", "stop_reason") == whole_of(answer, "stop_reason")
    assert answer["choices"][0]["stop_reason"] == "tool_calls"
    assert int(headers["x-amzn-bedrock-output-token-count"]) > 0
    assert stream[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] > 0
    forced, _ = invoke(runtime, model, ask("Weather?", tools=[WEATHER], tool_choice="any"))
    assert forced["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "get_weather"


def test_parallel_calls_can_be_switched_off(runtime):
    answer, _ = invoke(runtime, QWEN, ask(CALLS, tools=[WEATHER], parallel_tool_calls=False))
    assert len(answer["choices"][0]["message"]["tool_calls"]) == 1

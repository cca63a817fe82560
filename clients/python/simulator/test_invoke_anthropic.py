"""Claude's messages by InvokeModel."""

import base64
import json

import pytest
from invoking import chunks, invoke, refused
from talk import CLAUDE, CLAUDE_4_6, CLAUDE_5, CLAUDE_5_5, png

CLAUDE_3 = "anthropic.claude-3-haiku-20240307-v1:0"
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
PDF = base64.b64encode(b"%PDF-1.7 a page").decode()


def ask(content, **more):
    messages = content if isinstance(content, list) and "role" in content[0] else [{"role": "user", "content": content}]
    return {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 2000, "messages": messages, **more}


def folded(stream):
    """The message that a stream's events make."""
    message, arguments = {}, {}
    for event in stream:
        index = event.get("index")
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                assert index == len(message["content"])
                message["content"].append(event["content_block"])
                arguments[index] = ""
            case "content_block_delta":
                delta, block = event["delta"], message["content"][index]
                match delta["type"]:
                    case "text_delta":
                        block["text"] += delta["text"]
                    case "thinking_delta":
                        block["thinking"] += delta["thinking"]
                    case "signature_delta":
                        block["signature"] += delta["signature"]
                    case "citations_delta":
                        block.setdefault("citations", []).append(delta["citation"])
                    case "input_json_delta":
                        arguments[index] += delta["partial_json"]
            case "content_block_stop":
                if arguments[index]:
                    message["content"][index]["input"] = json.loads(arguments[index])
            case "message_delta":
                message |= event["delta"]
                message["usage"] |= event["usage"]
    return message


THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (CLAUDE_3, ask("Why is the sky blue?")),
        (CLAUDE, ask("Why is the sky blue?", system="Be brief.", temperature=0.5, stop_sequences=["answer"])),
        (CLAUDE, ask("Think!", **THINKING)),
        (CLAUDE, ask('[[sim:text a]][[sim:tool get_weather {"city": "Paris"}]][[sim:tool get_weather]]', tools=[WEATHER])),
        (CLAUDE, ask('[[sim:interleave]][[sim:tool a {"x": "many words"}]][[sim:tool b {"y": [1, 2]}]]', tools=[WEATHER])),
        (CLAUDE, ask("[[sim:redacted-reasoning]][[sim:text b]]")),
        (CLAUDE, ask("[[sim:text a]][[sim:chunk 1]]", system=None, tools=None, tool_choice=None, temperature=None)),
        (CLAUDE, ask("[[sim:citation The sky is blue.]][[sim:text ]]")),
        (CLAUDE_5, ask("Think for me", thinking={"type": "adaptive", "display": "summarized"})),
        (CLAUDE, ask("Weather?", tools=[WEATHER], tool_choice={"type": "tool", "name": "get_weather"})),
        (CLAUDE, ask("[[sim:tokens 3000]]")),
    ],
)
def test_a_stream_folds_into_the_whole(runtime, model, body):
    whole, _ = invoke(runtime, model, body)
    stream = chunks(runtime, model, body)
    assert stream[-1]["type"] == "message_stop" and "amazon-bedrock-invocationMetrics" in stream[-1]
    assert "ping" in [event["type"] for event in stream]
    assert folded(stream) == whole


def test_the_answer_is_converses(runtime):
    converse = runtime.converse(
        modelId=CLAUDE,
        messages=[{"role": "user", "content": [{"text": "Why?"}]}],
        system=[{"text": "Be brief."}],
        inferenceConfig={"maxTokens": 2000, "stopSequences": ["merits"]},
        additionalModelRequestFields=THINKING,
    )
    whole, headers = invoke(runtime, CLAUDE, ask("Why?", system="Be brief.", stop_sequences=["merits"], **THINKING))
    assert whole["content"][0]["type"] == "thinking"
    reasoning, text = converse["output"]["message"]["content"]
    assert whole["content"][0]["thinking"] == reasoning["reasoningContent"]["reasoningText"]["text"]
    assert whole["content"][1] == {"type": "text", "text": text["text"]}
    assert whole["stop_reason"] == converse["stopReason"]
    assert whole["usage"]["input_tokens"] == converse["usage"]["inputTokens"]
    assert int(headers["x-amzn-bedrock-output-token-count"]) == converse["usage"]["outputTokens"]
    assert whole["usage"]["output_tokens_details"]["thinking_tokens"] > 0


def test_why_it_ended(runtime):
    whole, _ = invoke(runtime, CLAUDE, ask("[[sim:text one two three]]", stop_sequences=["two"]))
    assert (whole["stop_reason"], whole["stop_sequence"]) == ("stop_sequence", "two")
    whole, _ = invoke(runtime, CLAUDE, ask("Hi", max_tokens=5))
    assert (whole["stop_reason"], whole["stop_sequence"]) == ("max_tokens", None)
    whole, _ = invoke(runtime, CLAUDE, ask("[[sim:stop content_filtered]]"))
    assert whole["stop_reason"] == "refusal"


def test_media_are_read(runtime):
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png()).decode()}}
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}, "title": "A: page"}
    text = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Words."}}
    question = {"type": "text", "text": "What is this?", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    whole, _ = invoke(runtime, CLAUDE, ask([image, pdf, text, question]))
    assert "What is this?" in whole["content"][0]["text"]
    image["source"]["media_type"] = "image/jpeg"
    said = refused(runtime, CLAUDE, ask([image, question]))
    assert said.startswith("messages.0.content.0.image.source.base64: ") and "appears to be a image/png" in said
    image["source"] = {"type": "url", "url": "https://example.com/a.png"}
    assert "messages.0.content.0" in refused(runtime, CLAUDE, ask([image, question]))


def test_a_round_with_a_tool(runtime):
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "18 degrees"}
    turns = [{"role": "user", "content": "Weather?"}, {"role": "assistant", "content": [call]}]
    whole, _ = invoke(runtime, CLAUDE, ask([*turns, {"role": "user", "content": [result]}], tools=[WEATHER]))
    assert "18 degrees" in whole["content"][0]["text"]
    missing = ask([*turns, {"role": "user", "content": "Well?"}], tools=[WEATHER])
    assert "`tool_use` ids were found without `tool_result` blocks" in refused(runtime, CLAUDE, missing)
    surplus = ask([{"role": "user", "content": [result]}], tools=[WEATHER])
    assert "unexpected `tool_use_id` found" in refused(runtime, CLAUDE, surplus)
    assert "must define tools" in refused(runtime, CLAUDE, ask([*turns, {"role": "user", "content": [result]}]))


def test_thoughts_come_back_as_they_were(runtime):
    first, _ = invoke(runtime, CLAUDE, ask("Think!", **THINKING))
    turns = [
        {"role": "user", "content": "Think!"},
        {"role": "assistant", "content": first["content"]},
        {"role": "user", "content": "And?"},
    ]
    invoke(runtime, CLAUDE, ask(turns, **THINKING))
    first["content"][0]["thinking"] += " changed"
    assert refused(runtime, CLAUDE, ask(turns, **THINKING)) == "messages.1.content.0: Invalid `signature` in `thinking` block"


def test_what_was_cached_is_told(runtime):
    long = [{"type": "text", "text": "Words to be kept. " * 600, "cache_control": {"type": "ephemeral"}}]
    body = ask("Hi", system=[{"type": "text", "text": "[cached once]"}, *long])
    first, _ = invoke(runtime, CLAUDE, body)
    again, headers = invoke(runtime, CLAUDE, body)
    written = first["usage"]["cache_creation_input_tokens"]
    assert written > 1024 and first["usage"]["cache_creation"]["ephemeral_5m_input_tokens"] == written
    assert again["usage"]["cache_read_input_tokens"] == written
    assert headers["x-amzn-bedrock-cache-read-input-token-count"] == str(written)
    start = chunks(runtime, CLAUDE, body)[0]
    assert start["message"]["usage"]["cache_read_input_tokens"] == written


def test_output_follows_a_schema(runtime):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
    body = ask("A number", output_config={"format": {"type": "json_schema", "schema": schema}})
    whole, _ = invoke(runtime, CLAUDE, body)
    assert '"n"' in whole["content"][0]["text"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "claude"}, "model: Extra inputs are not permitted"),
        ({"stream": True}, "stream: Extra inputs are not permitted"),
        ({"anthropic_version": None}, "anthropic_version: Field required"),
        ({"anthropic_version": "2023-06-01"}, "anthropic_version: Input '2023-06-01' does not match any of the expected values"),
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": "5"}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": 64001}, "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for"),
        ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
        ({"temperature": 0.5, "top_p": 0.5}, "`temperature` and `top_p` cannot both be specified"),
        ({"system": 5}, "system: Input should be a valid"),
        ({"messages": [{"role": "assistant", "content": "a"}]}, "messages: first message must use the"),
        ({"messages": [{"role": "system", "content": "a"}]}, "messages.0.role: Input should be 'user' or 'assistant'"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0: all messages must have non-empty content"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]}, "must contain non-whitespace"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "txt": "a"}]}]}, "messages.0.content.0"),
        ({"tools": [{**WEATHER, "parameters": {}}]}, "tools.0.parameters: Extra inputs are not permitted"),
        ({"tools": [{**WEATHER, "name": "a b"}]}, "tools.0.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"),
        ({"tool_choice": {"type": "auto"}}, "tool_choice may only be specified while providing tools"),
        ({"thinking": {"type": "enabled", "budget": 1024}}, "thinking.budget: Extra inputs are not permitted"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema: Field required"),
        ({"anthropic_beta": ["wonders-2030-01-01"]}, "invalid beta flag"),
        ({"thinking": {"type": "enabled", "budget_tokens": 5}}, "greater than or equal to 1024"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}, "top_k": 5}, "`top_k` must be unset"),
        ({"stop_sequences": [" "]}, "each stop sequence must contain non-whitespace"),
    ],
)
def test_what_is_refused(runtime, change, message):
    body = {name: value for name, value in {**ask("Hi"), **change}.items() if value is not None}
    said = refused(runtime, CLAUDE, body)
    assert message in said and "The model returned" not in said


def test_each_generation_has_its_rules(runtime):
    assert refused(runtime, CLAUDE_5, ask("Hi", temperature=1)) == "`temperature` is deprecated for this model."
    assert "not supported for this model" in refused(runtime, CLAUDE_5_5, ask("Hi", **THINKING))
    prefilled = ask([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Well"}])
    assert "does not support assistant message prefill" in refused(runtime, CLAUDE_4_6, prefilled)
    forced = ask("Hi", tools=[WEATHER], tool_choice={"type": "any"})
    invoke(runtime, CLAUDE, forced)
    assert "not supported for this model" in refused(runtime, CLAUDE_5_5, forced)
    assert refused(runtime, CLAUDE_3, ask("Hi", stream=True)) == (
        "Malformed input request: #: extraneous key [stream] is not permitted, please reformat your input and try again."
    )


def test_turns_of_one_role_are_one(runtime):
    whole, _ = invoke(runtime, CLAUDE, ask([{"role": "user", "content": "One"}, {"role": "user", "content": "two"}]))
    assert "One two" in whole["content"][0]["text"]


def test_parallel_calls_can_be_switched_off(runtime):
    text = "[[sim:tool get_weather {}]][[sim:tool get_weather {}]]"
    body = ask(text, tools=[WEATHER], tool_choice={"type": "auto", "disable_parallel_tool_use": True})
    whole, _ = invoke(runtime, CLAUDE, body)
    assert [block["type"] for block in whole["content"]] == ["tool_use"]

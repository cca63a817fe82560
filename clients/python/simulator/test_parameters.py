"""What goes beside the conversation, as boto3 sees it: tools' small print, structured output, settings."""

import json

import pytest

from talk import CLAUDE, CLAUDE_4_6, CLAUDE_5, CLAUDE_5_5, GPT_OSS, NOVA, TOOLS, events, refused, text_of, user

NOVA_PRO = "amazon.nova-pro-v1:0"
SONNET_4 = "us.anthropic.claude-sonnet-4-20250514-v1:0"
MISTRAL = "mistral.mistral-large-3-675b-instruct"
LLAMA_3_3 = "us.meta.llama3-3-70b-instruct-v1:0"
ONE_CALL = {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
TWO_CALLS = "[[sim:tool get_weather {}]][[sim:tool get_weather {}]]"


def ask(runtime, model, text="Hello", **more):
    return runtime.converse(modelId=model, messages=[user(text)], **more)


def text_format(schema):
    schema = {"schema": json.dumps(schema), "name": "answer"}
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}


def strict_tools(schema, strict=True):
    return {"tools": [{"toolSpec": {"name": "f", "strict": strict, "inputSchema": {"json": schema}}}]}


def closed(**properties):
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


# Structured output


def test_answers_and_arguments_follow_a_schema(runtime):
    schema = closed(
        city={"$ref": "#/$defs/city"},
        mood={"enum": ["good", "bad"]},
        age={"anyOf": [{"type": "integer"}, {"type": "null"}]},
        kind={"const": "report"},
        on={"type": "string", "format": "date"},
        tags={"type": "array", "items": {"type": "string"}, "minItems": 1},
    ) | {"$defs": {"city": closed(name={"type": "string"})}}
    expected = {
        "city": {"name": "example"},
        "mood": "good",
        "age": 1,
        "kind": "report",
        "on": "2026-01-01",
        "tags": ["example"],
    }
    assert json.loads(text_of(ask(runtime, CLAUDE, outputConfig=text_format(schema)))) == expected
    own = {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    assert json.loads(text_of(ask(runtime, CLAUDE, additionalModelRequestFields=own))) == expected
    forced = {**strict_tools(schema), "toolChoice": {"tool": {"name": "f"}}}
    reply = ask(runtime, CLAUDE, toolConfig=forced)
    assert reply["output"]["message"]["content"][0]["toolUse"]["input"] == expected


@pytest.mark.parametrize(
    ("model", "schema", "expected"),
    [
        (CLAUDE, {"type": "object"}, "output_config.format.schema: For 'object' type, 'additionalProperties' must be"),
        (CLAUDE, closed(n={"type": "integer", "maximum": 3}), "For 'integer' type, property 'maximum' is not supported"),
        (CLAUDE_5_5, closed(), "output_config.format: Extra inputs are not permitted"),
        (CLAUDE_5, closed(), None),
        (NOVA, closed(), "doesn't support the outputConfig.textFormat field"),
        (GPT_OSS, closed(), "doesn't support the outputConfig.textFormat field"),
        (MISTRAL, {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}, None),
    ],
)
def test_not_every_model_follows_every_schema(runtime, model, schema, expected):
    model = "us.anthropic.claude-sonnet-5" if model == CLAUDE_5 else model
    if expected:
        assert expected in refused(lambda: ask(runtime, model, outputConfig=text_format(schema)))
    else:
        assert json.loads(text_of(ask(runtime, model, outputConfig=text_format(schema)))).keys() <= {"n"}


# Tools


@pytest.mark.parametrize(
    ("model", "schema", "expected"),
    [
        (CLAUDE_4_6, closed(), None),
        (CLAUDE_4_6, {"type": "object"}, "tools.0.custom: For 'object' type, 'additionalProperties' must be"),
        (SONNET_4, closed(), "tools.0.custom.strict: Extra inputs are not permitted"),
        (CLAUDE_5, closed(), "tools.0.custom.strict: Extra inputs are not permitted"),
        (NOVA, closed(), "doesn't support the toolConfig.tools.0.toolSpec.strict field"),
    ],
)
def test_strict_tools(runtime, model, schema, expected):
    if expected:
        assert expected in refused(lambda: ask(runtime, model, toolConfig=strict_tools(schema)))
    else:
        assert ask(runtime, model, toolConfig=strict_tools(schema))


def test_parallel_calls_can_be_switched_off(runtime):
    def calls(**more):
        content = ask(runtime, CLAUDE, TWO_CALLS, toolConfig=TOOLS, **more)["output"]["message"]["content"]
        return len([block for block in content if "toolUse" in block])

    assert calls() == 2
    assert calls(additionalModelRequestFields=ONE_CALL) == 1


@pytest.mark.parametrize(
    ("model", "more", "expected"),
    [
        (SONNET_4, {"toolConfig": TOOLS}, "disable_parallel_tool_use: Extra inputs are not permitted"),
        (CLAUDE, {}, "tool_choice may only be specified while providing tools"),
        (CLAUDE, {"toolConfig": {**TOOLS, "toolChoice": {"auto": {}}}}, "The additional field tool_choice conflicts"),
    ],
)
def test_a_tool_choice_of_ones_own_must_be_right(runtime, model, more, expected):
    call = {"additionalModelRequestFields": ONE_CALL, **more}
    assert expected in refused(lambda: ask(runtime, model, **call))


def test_forced_tools_may_not_be_forced_by_other_means(runtime):
    own = {"tool_choice": {"type": "any"}}
    message = refused(lambda: ask(runtime, CLAUDE_5_5, toolConfig=TOOLS, additionalModelRequestFields=own))
    assert 'type "tool" and "any" are not supported' in message


def test_tools_may_not_stream(runtime):
    assert ask(runtime, LLAMA_3_3, toolConfig=TOOLS)
    message = refused(lambda: events(runtime, "a", model=LLAMA_3_3, toolConfig=TOOLS))
    assert message == "This model doesn't support tool use in streaming mode."


# Prompts

PROMPT = "arn:aws:bedrock:us-east-1:123456789012:prompt/SIMPROMPT1"
TOPIC = {"promptVariables": {"topic": {"text": "rain"}}}


def test_a_prompt_brings_its_model_and_its_text(runtime):
    assert "Tell me about rain." in text_of(runtime.converse(modelId=f"{PROMPT}:1", **TOPIC))
    assert list(runtime.converse_stream(modelId=PROMPT, **TOPIC)["stream"])


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"system": [{"text": "a"}]}, "system field can't be used with a prompt ARN"),
        ({"inferenceConfig": {"maxTokens": 5}}, "inferenceConfig field can't be used"),
        ({"toolConfig": TOOLS}, "toolConfig field can't be used"),
        ({"additionalModelRequestFields": {"a": 1}}, "additionalModelRequestFields field can't be used"),
        ({"promptVariables": {}}, "lacks a value for the variable topic"),
    ],
)
def test_a_prompt_must_be_asked_right(runtime, more, expected):
    assert expected in refused(lambda: runtime.converse(modelId=PROMPT, **{**TOPIC, **more}))


# Settings


def test_settings_come_back(runtime):
    settings = {"performanceConfig": {"latency": "optimized"}, "serviceTier": {"type": "priority"}}
    reply = ask(runtime, NOVA_PRO, **settings)
    assert {name: reply[name] for name in settings} == settings
    metadata = list(events(runtime, "a", model=NOVA_PRO, **settings))[-1]["metadata"]
    assert {name: metadata[name] for name in settings} == settings


@pytest.mark.parametrize(
    ("model", "more", "expected"),
    [
        (NOVA, {"performanceConfig": {"latency": "optimized"}}, "Latency performance configuration is not supported"),
        (NOVA, {"promptVariables": {"a": {"text": "b"}}}, "only be used with a prompt ARN"),
        (NOVA, {"serviceTier": {"type": "best"}}, "enum value set"),
        (NOVA, {"requestMetadata": {}}, "length greater than or equal to 1"),
        (CLAUDE, {"additionalModelResponseFieldPaths": ["a"]}, "JSON Pointer a in additionalModelResponseFieldPaths"),
        (CLAUDE, {"additionalModelResponseFieldPaths": ["/a"] * 11}, "length less than or equal to 10"),
        (
            CLAUDE,
            {"inferenceConfig": {"temperature": 1}, "additionalModelRequestFields": {"temperature": 1}},
            "The additional field temperature conflicts with an existing field.",
        ),
    ],
)
def test_settings_must_be_right(unchecked, model, more, expected):
    assert expected in refused(lambda: ask(unchecked, model, **more))

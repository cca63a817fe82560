"""Markers that say what is to happen over several calls, or to a stream, as boto3 sees them."""

import json
import uuid

import pytest

from talk import CLAUDE, NOVA, TOOLS, assistant, events, refused, text_of, user

NOVEL = "simulator.novel-v1:0"


def say(runtime, *texts, model=NOVA, **more):
    turns = [(assistant if index % 2 else user)(text) for index, text in enumerate(texts)]
    return runtime.converse(modelId=model, messages=turns, **more)


# Several answers


def test_a_bad_answer_and_its_repair(runtime):
    ask = 'Count. [[sim:turns {"n": "one"} | {"n": [[1]]}]]'
    bad = text_of(say(runtime, ask))
    assert json.loads(bad) == {"n": "one"}
    assert json.loads(text_of(say(runtime, ask, bad, "That doesn't fit the schema."))) == {"n": [[1]]}


def test_a_round_with_a_tool_by_turns(runtime):
    ask = user('Weather? [[sim:turns tool get_weather {"city": "Paris"} | It is sunny.]]')
    turn = runtime.converse(modelId=NOVA, messages=[ask], toolConfig=TOOLS)["output"]["message"]
    result = {"toolResult": {"toolUseId": turn["content"][0]["toolUse"]["toolUseId"], "content": [{"text": "21"}]}}
    assert text_of(runtime.converse(modelId=NOVA, messages=[ask, turn, user(result)], toolConfig=TOOLS)) == "It is sunny."


def test_a_sequence_counts_calls(runtime):
    ask = f"{uuid.uuid4()} [[sim:sequence one | two ; stop max_tokens | error ThrottlingException]]"
    first, second = say(runtime, ask), say(runtime, f"{ask} And some more.")
    assert (text_of(first), first["stopReason"]) == ("one", "end_turn")
    assert (text_of(second), second["stopReason"]) == ("two", "max_tokens")
    refused(lambda: say(runtime, ask), "ThrottlingException")
    assert text_of(say(runtime, ask, model=CLAUDE)) == "one", "each model has its own count"


def test_refused_calls_dont_count(runtime):
    ask = f"{uuid.uuid4()} [[sim:sequence one | two]] [[sim:refuse-field temperature]]"
    refused(lambda: say(runtime, ask, inferenceConfig={"temperature": 0.5}))
    assert text_of(say(runtime, ask)) == "one"


def test_markers_of_earlier_turns_are_over(runtime):
    assert text_of(say(runtime, "[[sim:text a]]", "a", "b")) != "a"


# Refused fields


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("temperature", {"inferenceConfig": {"temperature": 0.5}}),
        ("inferenceConfig.topP", {"inferenceConfig": {"topP": 0.5}}),
        ("additionalModelRequestFields.foo", {"additionalModelRequestFields": {"foo": {"bar": 1}}}),
        ("cachePoint", {"system": [{"text": "a"}, {"cachePoint": {"type": "default"}}]}),
        ("toolConfig.toolChoice.any", {"toolConfig": {**TOOLS, "toolChoice": {"any": {}}}}),
    ],
)
def test_a_field_can_be_refused(runtime, path, more):
    ask = f"[[sim:refuse-field {path} message=`{path}` is not for this model.]]"
    model = "mistral.mistral-large-3-675b-instruct" if "foo" in path else NOVA
    assert refused(lambda: say(runtime, ask, model=model, **more)) == f"`{path}` is not for this model."
    assert say(runtime, ask, model=model)["stopReason"] == "end_turn"


def test_a_refused_field_has_an_exception_and_a_message(runtime):
    config = {"inferenceConfig": {"temperature": 0.5}}
    message = refused(lambda: say(runtime, "[[sim:refuse-field temperature]]", **config))
    assert message == "The model returned the following errors: temperature: Extra inputs are not permitted"
    ask = "[[sim:refuse-field temperature exception=AccessDeniedException message=No]]"
    assert refused(lambda: say(runtime, ask, **config), "AccessDeniedException") == "No"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"inferenceConfig": {"temperature": 0.5}}, "`temperature` is deprecated for this model."),
        ({"inferenceConfig": {"stopSequences": ["a", "b", "c"]}}, "exceeds the model limit of 2"),
        ({"additionalModelRequestFields": {"top_k": 5}}, "`top_k` is deprecated for this model."),
        ({"additionalModelRequestFields": {"foo": 5}}, "foo: Extra inputs are not permitted"),
        ({"toolConfig": {**TOOLS, "toolChoice": {"any": {}}}}, "toolConfig.toolChoice.any field"),
    ],
)
def test_a_model_that_nobody_knows(connect, runtime, more, expected):
    assert expected in refused(lambda: say(runtime, "Hello", model=NOVEL, **more))
    assert say(runtime, "Hello", model=NOVEL)["stopReason"] == "end_turn"
    listed = connect("bedrock").list_foundation_models(byProvider="Simulator")["modelSummaries"]
    assert NOVEL in [model["modelId"] for model in listed]


# Streams that are unusual


def calls(runtime, text):
    seen = list(events(runtime, text, toolConfig=TOOLS))
    inputs, order = {}, []
    for event in seen:
        if "contentBlockStart" in event:
            inputs[event["contentBlockStart"]["contentBlockIndex"]] = ""
        if "toolUse" in event.get("contentBlockDelta", {}).get("delta", {}):
            delta = event["contentBlockDelta"]
            inputs[delta["contentBlockIndex"]] += delta["delta"]["toolUse"]["input"]
            order.append(delta["contentBlockIndex"])
    return inputs, order


TWO = '[[sim:text a]][[sim:tool f {"city": "Paris, France"}]][[sim:tool g {"city": "Rome, Italy"}]]'


def test_blocks_can_have_other_numbers(runtime):
    inputs, order = calls(runtime, f"{TWO}[[sim:block-numbers 0 1 3]]")
    assert [json.loads(text)["city"] for text in inputs.values()] == ["Paris, France", "Rome, Italy"]
    assert list(inputs) == [1, 3] and order == sorted(order)


def test_calls_can_take_turns(runtime):
    inputs, order = calls(runtime, f"{TWO}[[sim:block-numbers 0 1 3]][[sim:interleave]]")
    assert [json.loads(text)["city"] for text in inputs.values()] == ["Paris, France", "Rome, Italy"]
    assert order[:4] == [1, 3, 1, 3]


def test_arguments_can_be_broken(runtime):
    inputs, _ = calls(runtime, '[[sim:raw-tool f {"city": ]][[sim:stop malformed_tool_use]]')
    assert inputs == {0: '{"city":'}
    reply = say(runtime, '[[sim:raw-tool f {"city": ]]', model=CLAUDE, toolConfig=TOOLS)
    assert reply["output"]["message"]["content"][0]["toolUse"]["input"] == '{"city":'


def test_a_call_can_end_like_a_text(runtime):
    reply = say(runtime, "[[sim:tool f]][[sim:stop end_turn]]", model=CLAUDE, toolConfig=TOOLS)
    assert reply["stopReason"] == "end_turn" and "toolUse" in reply["output"]["message"]["content"][0]

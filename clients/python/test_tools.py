"""Tools: what is offered to the model, and the calls it makes."""

import json
import re

import pytest

from support import models, shapes
from support.exchange import (
    TIME,
    WEATHER,
    ask,
    assistant,
    blocks,
    both,
    kinds,
    result,
    schema,
    tool,
    tool_call,
    tools_sent,
    user,
)

CALL = '[[sim:tool get_weather {"city": "Paris"}]]'
HISTORY = [
    user("What's the weather in Paris?"),
    assistant(calls=[("call_1", "get_weather", {"city": "Paris"})]),
    result("call_1", "Sunny."),
]
BEDROCK_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
BEDROCK_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")


@pytest.mark.parametrize(
    "choice, sent",
    [
        (None, {"auto": {}}),
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ({"type": "function", "function": {"name": "get_time"}}, {"tool": {"name": "get_time"}}),
    ],
    ids=["absent", "auto", "required", "named"],
)
@pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA, models.QWEN], ids=models.short)
def test_tool_choice(stack, model, choice, sent):
    call = ask(stack, model=model, tools=[WEATHER, TIME], **{"tool_choice": choice} if choice else {}).call
    assert call["toolConfig"].get("toolChoice", {"auto": {}}) == sent


def test_a_tool_reaches_bedrock_as_it_was_described(stack):
    spec = tools_sent(ask(stack, tools=[WEATHER]).call)["get_weather"]
    assert spec["description"] == "Tells the weather in a city."
    assert spec["inputSchema"]["json"] == WEATHER["function"]["parameters"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.LLAMA_3_1, models.LLAMA_3_3], ids=models.short)
def test_none_keeps_tools_out_of_reach(stack, model, stream):
    asked = ask(stack, model=model, tools=[WEATHER], tool_choice="none", stream=stream)
    assert "toolConfig" not in asked.call
    assert not asked.answer.calls and asked.answer.finish == "stop"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    "script", ["[[sim:text It is sunny.]]", f"[[sim:text It is sunny.]] {CALL}"], ids=["obeyed", "disobeyed"]
)
@pytest.mark.parametrize(
    "model", [models.CLAUDE_4_5, models.NOVA, models.LLAMA_3_1, models.LLAMA_3_3, models.COMMAND_R], ids=models.short
)
def test_none_with_calls_in_the_history(stack, model, script, stream):
    """Bedrock wants the tools named where the history has calls; the answer has none all the same."""
    messages = [*HISTORY, assistant("Sunny."), user(f"In one word? {script}")]
    asked = ask(stack, model=model, messages=messages, tools=[WEATHER], tool_choice="none", stream=stream)
    assert_history_is_there(asked)
    assert not asked.answer.calls, asked.answer.calls
    assert asked.answer.finish == "stop"
    assert "It is sunny." in asked.answer.content


@pytest.mark.parametrize(
    "tools", [{}, {"tools": [WEATHER], "tool_choice": "none"}, {"tools": [TIME]}], ids=["absent", "none", "others"]
)
@pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA, models.LLAMA_3_1, models.QWEN], ids=models.short)
def test_a_history_with_calls_works_without_their_tools(stack, model, tools):
    asked = ask(stack, model=model, messages=HISTORY, **tools)
    assert_history_is_there(asked)
    assert not asked.answer.calls


def assert_history_is_there(asked):
    """As calls and results, or told in words, and then visibly so."""
    if not blocks(asked.call, "toolUse"):
        said = json.dumps(asked.call["messages"]).replace("\\", "")
        assert all(word in said for word in ("get_weather", "Paris", "Sunny.")), "the history lost its calls"
        assert asked.noted("messages", "tool"), "calls became words in silence"


@pytest.mark.parametrize("tools", [{}, {"tools": [WEATHER], "tool_choice": "none"}], ids=["absent", "none"])
def test_what_else_a_history_holds_works_without_its_tools(stack, tools):
    from support import media

    picture = {"type": "image_url", "image_url": {"url": media.data_url(media.png())}}
    content = [{"type": "text", "text": "A map:"}, picture]
    asked = ask(stack, messages=[*HISTORY[:2], result("call_1", content)], **tools)
    assert '"image"' in json.dumps(asked.call) or asked.noted("messages"), "the picture is lost in silence"


class TestParallelCalls:
    """`parallel_tool_calls: false` where the model can."""

    def test_claude_with_a_choice(self, stack):
        asked = ask(stack, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False)
        assert asked.extra["tool_choice"] == {"disable_parallel_tool_use": True}, "`type` may not stand here"
        assert asked.call["toolConfig"]["toolChoice"] == {"any": {}}

    def test_claude_without_a_choice(self, stack):
        asked = ask(stack, tools=[WEATHER], parallel_tool_calls=False)
        assert asked.extra["tool_choice"]["disable_parallel_tool_use"] is True
        assert not asked.noted("parallel_tool_calls"), asked.notes

    @pytest.mark.parametrize("model", [models.NOVA, models.LLAMA_3_1, models.CLAUDE_3], ids=models.short)
    def test_others_say_that_they_cannot(self, stack, model):
        asked = ask(stack, model=model, tools=[WEATHER], parallel_tool_calls=False)
        assert "tool_choice" not in asked.extra
        assert asked.noted("parallel_tool_calls"), asked.notes

    def test_true_is_what_models_do_anyway(self, stack):
        assert not ask(stack, model=models.NOVA, tools=[WEATHER], parallel_tool_calls=True).notes

    def test_nothing_is_sent_without_tools(self, stack):
        assert "tool_choice" not in ask(stack, parallel_tool_calls=False).extra


class TestStrict:
    STRICT = tool("get_weather", schema(city="string"), description="Weather.", strict=True)

    def test_where_the_model_can(self, stack):
        asked = ask(stack, tools=[self.STRICT])
        spec = tools_sent(asked.call)["get_weather"]
        assert spec["strict"] is True
        assert not asked.noted("strict"), asked.notes

    def test_its_demands_are_met(self, stack):
        """Every object must say that it is closed, also those inside others."""
        inner = schema(street="string")
        outer = schema(city="string", address=inner, more={"type": "array", "items": inner})
        sent = tools_sent(ask(stack, tools=[tool("f", outer, description="F.", strict=True)]).call)["f"]
        described = sent["inputSchema"]["json"]
        for place in (described, described["properties"]["address"], described["properties"]["more"]["items"]):
            assert place["additionalProperties"] is False, described

    @pytest.mark.parametrize(
        "model", [models.NOVA, models.LLAMA_3_1, models.GPT_OSS, models.OPUS_4_7, models.CLAUDE_4], ids=models.short
    )
    def test_where_it_cannot(self, stack, model):
        asked = ask(stack, model=model, tools=[self.STRICT], bedrock_api="converse")
        assert "strict" not in tools_sent(asked.call)["get_weather"]
        assert asked.noted("strict"), asked.notes

    def test_false_is_the_default(self, stack):
        asked = ask(stack, model=models.NOVA, tools=[tool("f", schema(a="string"), description="F.", strict=False)])
        assert "strict" not in tools_sent(asked.call)["f"] and not asked.notes


@pytest.mark.parametrize(
    "fields", [{"functions": [WEATHER["function"]]}, {"function_call": "auto"}], ids=lambda fields: next(iter(fields))
)
def test_deprecated_functions_are_refused_with_a_pointer(stack, fields):
    asked = ask(stack, **fields)
    error = shapes.check_error(asked.reply, 400, param=next(iter(fields)))
    assert "tool" in error["message"].replace(next(iter(fields)), ""), error
    assert not asked.calls


class TestHistory:
    PARALLEL = [
        user("Weather in Paris and Rome, and the time?"),
        assistant(
            "Let me look.",
            calls=[
                ("call_a", "get_weather", {"city": "Paris"}),
                ("call_b", "get_weather", {"city": "Rome"}),
                ("call_c", "get_time", {"zone": "CET"}),
            ],
        ),
    ]

    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA, models.LLAMA_3_1], ids=models.short)
    @pytest.mark.parametrize("order", ["abc", "cab", "cba"])
    def test_results_of_parallel_calls_are_one_turn_in_the_order_of_the_calls(self, stack, model, order):
        results = [result(f"call_{letter}", f"Result {letter}.") for letter in order]
        call = ask(stack, model=model, messages=[*self.PARALLEL, *results], tools=[WEATHER, TIME]).call
        assert [message["role"] for message in call["messages"]] == ["user", "assistant", "user"]
        asked = [use["toolUseId"] for use in blocks(call, "toolUse")]
        answered = [given["toolUseId"] for given in blocks(call, "toolResult")]
        assert answered == asked
        assert [given["content"] for given in blocks(call, "toolResult")] == [
            [{"text": f"Result {letter}."}] for letter in "abc"
        ]

    def test_text_beside_calls_comes_before_them(self, stack):
        results = [result(f"call_{letter}", "ok") for letter in "abc"]
        call = ask(stack, messages=[*self.PARALLEL, *results], tools=[WEATHER, TIME]).call
        said = call["messages"][1]["content"]
        assert kinds(said) == ["text", "toolUse", "toolUse", "toolUse"]
        assert said[0]["text"] == "Let me look."
        assert said[1]["toolUse"]["input"] == {"city": "Paris"}

    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.LLAMA_3_1, models.MISTRAL_LARGE], ids=models.short)
    def test_words_after_a_result(self, stack, model):
        """Some models refuse words and results in one turn; the words are not to be lost."""
        asked = ask(stack, model=model, messages=[*HISTORY, user("Answer in French.")], tools=[WEATHER])
        assert "Answer in French." in json.dumps(asked.call["messages"])
        assert blocks(asked.call, "toolResult")[0]["content"] == [{"text": "Sunny."}]

    def test_a_result_in_text_parts(self, stack):
        parts = [{"type": "text", "text": "Sunny,"}, {"type": "text", "text": "28 °C."}]
        call = ask(stack, messages=[*HISTORY[:2], result("call_1", parts)], tools=[WEATHER]).call
        content = blocks(call, "toolResult")[0]["content"]
        assert [part["text"] for part in content] == ["Sunny,", "28 °C."]

    @pytest.mark.parametrize("content", ["", " ", []], ids=repr)
    def test_an_empty_result_is_still_a_result(self, stack, content):
        call = ask(stack, messages=[*HISTORY[:2], result("call_1", content)], tools=[WEATHER]).call
        assert [given["toolUseId"] for given in blocks(call, "toolResult")] == ["call_1"]

    @pytest.mark.parametrize("fields", [{"is_error": True}, {"status": "error"}], ids=lambda fields: next(iter(fields)))
    def test_an_error_is_marked_as_one(self, stack, fields):
        call = ask(stack, messages=[*HISTORY[:2], result("call_1", "No such city.", **fields)], tools=[WEATHER]).call
        (given,) = blocks(call, "toolResult")
        assert given["status"] == "error" and given["content"] == [{"text": "No such city."}]

    def test_a_result_is_no_error_by_itself(self, stack):
        (given,) = blocks(ask(stack, messages=HISTORY, tools=[WEATHER]).call, "toolResult")
        assert given.get("status", "success") == "success"

    @pytest.mark.parametrize("arguments", ["", "{}", "  "], ids=repr)
    def test_a_call_without_arguments(self, stack, arguments):
        messages = [user("Go."), assistant(calls=[("call_1", "go", arguments)]), result("call_1", "Gone.")]
        (use,) = blocks(ask(stack, messages=messages, tools=[tool("go", description="Go.")]).call, "toolUse")
        assert use["input"] == {}

    @pytest.mark.parametrize("arguments", ["[1]", "3", '"a"', '{"a":', "nonsense"], ids=repr)
    def test_arguments_that_are_no_object_are_named_or_kept(self, stack, arguments):
        messages = [user("Go."), assistant(calls=[("call_1", "go", arguments)]), result("call_1", "Gone.")]
        asked = ask(stack, messages=messages, tools=[tool("go", description="Go.")])
        if asked.status == 200:
            assert asked.notes, "changed in silence"
        else:
            shapes.check_error(asked.reply, 400, param=["messages", "arguments"])

    def test_several_rounds(self, stack):
        messages = [
            user("Weather, then time."),
            assistant(calls=[("call_1", "get_weather", {"city": "Paris"})]),
            result("call_1", "Sunny."),
            assistant("And now the time.", calls=[("call_2", "get_time", {"zone": "CET"})]),
            result("call_2", "Noon."),
            assistant("Sunny, and noon."),
            user("Thanks."),
        ]
        call = ask(stack, messages=messages, tools=[WEATHER, TIME]).call
        roles = [message["role"] for message in call["messages"]]
        assert roles == ["user", "assistant", "user", "assistant", "user", "assistant", "user"]
        assert [given["toolUseId"] for given in blocks(call, "toolResult")] == ["call_1", "call_2"]

    @pytest.mark.parametrize(
        "messages",
        [
            [user("Hi."), result("call_9", "Out of nowhere.")],
            [user("Hi."), assistant(calls=[("call_1", "get_weather", {})]), user("Never mind.")],
            [user("Hi."), assistant(calls=[("call_1", "get_weather", {})]), result("call_2", "Of another.")],
            [user("Hi."), assistant(calls=[("call_1", "get_weather", {})])],
        ],
        ids=["result without call", "call without result", "another's result", "ends with a call"],
    )
    def test_calls_and_results_that_do_not_match_are_mended_visibly_or_refused_by_name(self, stack, messages):
        asked = ask(stack, messages=messages, tools=[WEATHER])
        if asked.status == 200:
            assert asked.notes, "mended in silence"
        else:
            shapes.check_error(asked.reply, 400, param="messages")

    def test_one_id_in_several_rounds(self, stack):
        """Clients of models that count their calls anew in each turn send the same id again."""
        messages = [
            user("Twice."),
            assistant(calls=[("call_0", "get_weather", {"city": "Paris"})]),
            result("call_0", "Sunny."),
            assistant(calls=[("call_0", "get_weather", {"city": "Rome"})]),
            result("call_0", "Rainy."),
        ]
        call = ask(stack, messages=messages, tools=[WEATHER]).call
        assert [given["content"][0]["text"] for given in blocks(call, "toolResult")] == ["Sunny.", "Rainy."]


class TestNamesAndIds:
    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA], ids=models.short)
    def test_calls_that_share_an_id_are_told_apart(self, stack, model):
        """Some servers give each call of an answer the same id."""
        calls = [("0", "get_weather", {"city": city}) for city in ("Paris", "Rome")]
        turn = [user("Go."), assistant(calls=calls), result("0", "Sunny."), result("0", "Rainy.")]
        asked = ask(stack, model=model, messages=[*turn, *turn], tools=[WEATHER])
        uses, results = blocks(asked.call, "toolUse"), blocks(asked.call, "toolResult")
        assert [use["toolUseId"] for use in uses] == ["0", "0_2"] * 2
        said = [(answer["toolUseId"], answer["content"][0]["text"]) for answer in results]
        assert said == [("0", "Sunny."), ("0_2", "Rainy.")] * 2
        assert asked.noted("tool_calls.id")

    NAMES = [
        "weather.get",
        "get weather",
        "wetter_für_münchen",
        "天气",
        "a" * 65,
        "b" * 200,
        "mcp__server/tool:v1",
        "a@b",
    ]

    @pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:20])
    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    def test_a_name_that_bedrock_refuses_is_restored(self, stack, name, stream):
        choice = {"type": "function", "function": {"name": name}}
        tools = [tool(name, schema(city="string"), description="Weather."), TIME]
        asked = ask(stack, "Go.", tools=tools, tool_choice=choice, stream=stream)
        (sent, _) = tools_sent(asked.call)
        assert BEDROCK_NAME.fullmatch(sent), sent
        assert asked.call["toolConfig"]["toolChoice"] == {"tool": {"name": sent}}
        assert asked.answer.names == [name]
        assert asked.answer.finish == "tool_calls"

    def test_a_good_name_stays(self, stack):
        assert list(tools_sent(ask(stack, tools=[tool("a-B_9" + "c" * 59, description="X.")]).call)) == [
            "a-B_9" + "c" * 59
        ]

    @pytest.mark.parametrize(
        "names",
        [
            ["a.b", "a_b", "a b", "a/b"],
            ["x" * 70 + "1", "x" * 70 + "2", "x" * 64],
            ["é", "è", "_"],
        ],
        ids=["marks", "ends", "letters"],
    )
    def test_names_that_only_differ_in_what_is_lost_stay_apart(self, stack, names):
        tools = [tool(name, schema(a="string"), description=name) for name in names]
        for name in names:
            choice = {"type": "function", "function": {"name": name}}
            asked = ask(stack, "Go.", tools=tools, tool_choice=choice)
            assert len(tools_sent(asked.call)) == len(names)
            assert asked.answer.names == [name]

    def test_a_name_is_the_same_in_the_history(self, stack):
        messages = [user("Go."), assistant(calls=[("call_1", "weather.get", {})]), result("call_1", "Sunny.")]
        call = ask(stack, messages=messages, tools=[tool("weather.get", description="Weather.")]).call
        assert [use["name"] for use in blocks(call, "toolUse")] == list(tools_sent(call))

    def test_a_name_in_the_history_alone(self, stack):
        messages = [user("Go."), assistant(calls=[("call_1", "weather.get", {})]), result("call_1", "Sunny.")]
        for use in blocks(ask(stack, messages=messages).call, "toolUse"):
            assert BEDROCK_NAME.fullmatch(use["name"])

    @pytest.mark.parametrize("bad", ["call/1+2=3", "c" * 65, "functions.f:0 (1)", "ähm", "a b"], ids=lambda id: id[:16])
    def test_an_id_that_bedrock_refuses(self, stack, bad):
        messages = [user("Go."), assistant(calls=[(bad, "get_weather", {"city": "Paris"})]), result(bad, "Sunny.")]
        call = ask(stack, messages=messages, tools=[WEATHER]).call
        (use,), (given,) = blocks(call, "toolUse"), blocks(call, "toolResult")
        assert use["toolUseId"] == given["toolUseId"]
        assert BEDROCK_ID.fullmatch(use["toolUseId"])

    def test_ids_that_only_differ_in_what_is_lost_stay_apart(self, stack):
        ids = ["a/b", "a+b", "a_b", "z" * 70 + "1", "z" * 70 + "2"]
        calls = [(identifier, "get_weather", {"city": str(place)}) for place, identifier in enumerate(ids)]
        results = [result(identifier, identifier) for identifier in reversed(ids)]
        call = ask(stack, messages=[user("Go."), assistant(calls=calls), *results], tools=[WEATHER]).call
        sent = {use["toolUseId"]: use["input"]["city"] for use in blocks(call, "toolUse")}
        assert len(sent) == len(ids)
        for given in blocks(call, "toolResult"):
            assert given["content"][0]["text"] == ids[int(sent[given["toolUseId"]])]

    def test_good_ids_stay(self, stack):
        (use,) = blocks(ask(stack, messages=HISTORY, tools=[WEATHER]).call, "toolUse")
        assert use["toolUseId"] == "call_1"


class TestSchemas:
    def test_references(self, stack):
        """What a `$ref` leads to reaches the model, in whatever form."""
        described = {
            "type": "object",
            "properties": {"at": {"$ref": "#/$defs/Place"}, "from": {"$ref": "#/$defs/Place"}},
            "$defs": {"Place": {"type": "object", "properties": {"zip_code": {"type": "string"}}}},
        }
        sent = tools_sent(ask(stack, tools=[tool("go", described, description="Go.")]).call)["go"]
        text = json.dumps(sent["inputSchema"]["json"])
        assert "zip_code" in text
        assert "$ref" not in text or "$defs" in text, "a `$ref` to nothing"

    @pytest.mark.parametrize(
        "parameters",
        [None, {}, {"type": "object"}, {"properties": {"a": {"type": "string"}}}, {"type": ["object", "null"]}],
        ids=["absent", "empty", "bare", "without type", "types"],
    )
    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA], ids=models.short)
    def test_hardly_any(self, stack, model, parameters):
        described = tool("go", parameters, description="Go.")
        sent = tools_sent(ask(stack, model=model, tools=[described]).call)["go"]["inputSchema"]["json"]
        assert sent["type"] == "object"
        for name in (parameters or {}).get("properties", {}):
            assert name in sent["properties"]

    def test_null(self, stack):
        described = {"type": "function", "function": {"name": "go", "parameters": None, "description": None}}
        assert tools_sent(ask(stack, tools=[described]).call)["go"]["inputSchema"]["json"]["type"] == "object"

    @pytest.mark.parametrize("description", ["", "  ", None], ids=repr)
    def test_empty_descriptions(self, stack, description):
        described = {"type": "function", "function": {"name": "go", "description": description}}
        spec = tools_sent(ask(stack, tools=[described]).call)["go"]
        assert spec.get("description", "something").strip()

    @pytest.mark.parametrize(
        "schema_",
        [
            {"anyOf": [{"type": "object"}, {"type": "string"}]},
            {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"type": "array", "items": {"type": "string"}},
            {"type": "string"},
        ],
        ids=["anyOf", "oneOf", "array", "string"],
    )
    def test_odd_ones_work_or_are_named(self, stack, schema_):
        asked = ask(stack, tools=[tool("go", schema_, description="Go.")])
        if asked.status != 200:
            shapes.check_error(asked.reply, 400, param="tools")


class TestAnswers:
    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA, models.LLAMA_3_1, models.QWEN], ids=models.short)
    def test_a_call(self, stack, model):
        asked = ask(stack, CALL, model=model, tools=[WEATHER])
        shapes.check_completion(asked.reply.json())
        assert asked.answer.names == ["get_weather"] and asked.answer.arguments == [{"city": "Paris"}]
        assert asked.answer.finish == "tool_calls"
        assert asked.reply.json()["choices"][0]["message"]["content"] in (None, "")

    def test_text_beside_calls(self, stack):
        for asked in both(stack, f"[[sim:text Let me look.]] {CALL}", tools=[WEATHER]):
            assert asked.answer.content == "Let me look."
            assert asked.answer.names == ["get_weather"]
            assert asked.answer.finish == "tool_calls"

    def test_several_calls(self, stack):
        script = CALL + '[[sim:tool get_time {"zone": "CET"}]]' + CALL.replace("Paris", "Rome")
        for asked in both(stack, script, tools=[WEATHER, TIME]):
            assert asked.answer.names == ["get_weather", "get_time", "get_weather"]
            assert asked.answer.arguments == [{"city": "Paris"}, {"zone": "CET"}, {"city": "Rome"}]
            ids = [call["id"] for call in asked.answer.calls]
            assert len(set(ids)) == 3

    def test_a_message_with_calls_never_finishes_as_stop(self, stack):
        for asked in both(stack, f"{CALL} [[sim:stop end_turn]]", tools=[WEATHER]):
            assert asked.answer.finish == "tool_calls"

    def test_no_arguments_are_an_empty_object(self, stack):
        for asked in both(stack, "[[sim:tool go]]", tools=[tool("go", description="Go.")]):
            assert asked.answer.calls[0]["function"]["arguments"] == "{}"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
class TestOddAnswers:
    def test_citations_are_text(self, stack, stream):
        asked = ask(stack, "[[sim:text See:]][[sim:citation Granite is hard.]]", stream=stream)
        assert asked.answer.content == "See:Granite is hard." and asked.answer.finish == "stop"

    def test_what_openai_has_no_word_for_does_no_harm(self, stack, stream):
        asked = ask(stack, "[[sim:text Look.]][[sim:image]]", stream=stream)
        assert asked.answer.content == "Look." and asked.answer.finish == "stop"

    @pytest.mark.parametrize("reason", ["malformed_tool_use", "malformed_model_output"])
    def test_malformed_answers(self, stack, reason, stream):
        """Never a word that OpenAI's clients don't know."""
        asked = ask(stack, f"[[sim:text Look.]][[sim:stop {reason}]]", stream=stream)
        if asked.status == 200 and (not stream or asked.events.done):
            assert asked.answer.finish in ("stop", "content_filter", "length")

    @pytest.mark.parametrize("arguments", ['{"city": ', '{"city": "Paris"', "[1]"])
    def test_broken_arguments_are_no_success_in_silence(self, stack, arguments, stream):
        """What the model said comes through as it is, or as an error; clients parse it themselves."""
        asked = ask(stack, f"[[sim:raw-tool get_weather {arguments}]]", tools=[WEATHER], stream=stream)
        if asked.status != 200:
            shapes.check_error(asked.reply, (500, 502))
            return
        documents = asked.events.chunks if stream else [asked.reply.json()]
        assert "get_weather" in json.dumps(documents)


class TestStreams:
    def chunks(self, stack, script, **fields):
        events = ask(stack, script, tools=[WEATHER, TIME], stream=True, **fields).events
        assert events.done
        return events.chunks

    def pieces(self, chunks):
        return [
            piece
            for chunk in chunks
            for choice in chunk["choices"]
            for piece in choice["delta"].get("tool_calls") or []
        ]

    @pytest.mark.parametrize("before", ["", "[[sim:text Let me look.]]", "[[sim:reasoning Hm.]][[sim:text Look.]]"])
    def test_indices_are_dense_from_zero_whatever_came_before(self, stack, before):
        script = before + CALL + '[[sim:tool get_time {"zone": "CET"}]]'
        pieces = self.pieces(self.chunks(stack, script))
        assert sorted({piece["index"] for piece in pieces}) == [0, 1]
        for index, name in enumerate(["get_weather", "get_time"]):
            first, *rest = [piece for piece in pieces if piece["index"] == index]
            assert first["id"] and first["type"] == "function" and first["function"]["name"] == name
            assert not any(piece.get("id") for piece in rest)

    def test_chunks_are_openais_to_the_letter(self, stack):
        shapes.check_stream(self.chunks(stack, f"[[sim:text Look.]]{CALL}"))

    @pytest.mark.parametrize("numbers", ["0 1 2", "1 2 3", "0 3 7", "2 5 9"])
    def test_bedrocks_block_numbers_do_not_matter(self, stack, numbers):
        script = f'[[sim:block-numbers {numbers}]][[sim:text Look.]]{CALL}[[sim:tool get_time {{"zone": "CET"}}]]'
        answer = ask(stack, script, tools=[WEATHER, TIME], stream=True).answer
        assert answer.names == ["get_weather", "get_time"]
        assert answer.arguments == [{"city": "Paris"}, {"zone": "CET"}]

    def test_arguments_may_come_in_turns(self, stack):
        script = f'[[sim:interleave]]{CALL}[[sim:tool get_time {{"zone": "CET"}}]]'
        pieces = self.pieces(self.chunks(stack, script))
        for index, expected in enumerate([{"city": "Paris"}, {"zone": "CET"}]):
            mine = [piece["function"].get("arguments") or "" for piece in pieces if piece["index"] == index]
            assert json.loads("".join(mine)) == expected

    def test_arguments_are_complete_before_the_finish(self, stack):
        arguments = ""
        long = json.dumps({"city": "Saint-Remy-en-Bouzemont-Saint-Genest-et-Isson " * 5})
        for chunk in self.chunks(stack, f"[[sim:tool get_weather {long}]]"):
            arguments += "".join(piece["function"].get("arguments") or "" for piece in self.pieces([chunk]))
            if chunk["choices"] and chunk["choices"][0]["finish_reason"]:
                assert json.loads(arguments) == json.loads(long)
                assert chunk["choices"][0]["finish_reason"] == "tool_calls"
                return
        pytest.fail("no finish_reason")

    @pytest.mark.parametrize("stream_options", [None, {"include_usage": True}], ids=["", "usage"])
    def test_a_model_that_cannot_stream_tools_is_called_whole(self, stack, stream_options):
        fields = {"stream_options": stream_options} if stream_options else {}
        asked = ask(stack, f"[[sim:text Look.]]{CALL}", model=models.LLAMA_3_3, tools=[WEATHER], stream=True, **fields)
        assert asked.operations == ["Converse"]
        assert asked.reply.headers["content-type"].startswith("text/event-stream")
        shapes.check_stream(asked.events.chunks, include_usage=bool(stream_options))
        assert asked.answer.content == "Look."
        assert asked.answer.arguments == [{"city": "Paris"}] and asked.answer.finish == "tool_calls"

    def test_it_streams_by_itself_where_there_are_no_tools(self, stack):
        asked = ask(stack, "[[sim:text ok]]", model=models.LLAMA_3_3, stream=True)
        assert asked.operations == ["ConverseStream"] and asked.answer.content == "ok"

    def test_an_error_before_our_own_stream_is_a_plain_one(self, stack):
        asked = ask(stack, "[[sim:error AccessDeniedException]]", model=models.LLAMA_3_3, tools=[WEATHER], stream=True)
        shapes.check_error(asked.reply, 403)


class TestModelsThatCannot:
    """What a model can't do is said clearly."""

    @pytest.mark.parametrize(
        "choice", ["required", {"type": "function", "function": {"name": "get_weather"}}], ids=["required", "named"]
    )
    @pytest.mark.parametrize(
        "model",
        [models.LLAMA_3_1, models.LLAMA_4, models.COMMAND_R, models.OPUS_5_5, models.SONNET_5_5],
        ids=models.short,
    )
    def test_forcing_becomes_auto_visibly(self, stack, model, choice):
        asked = ask(stack, CALL, model=model, tools=[WEATHER], tool_choice=choice)
        assert asked.call["toolConfig"].get("toolChoice", {"auto": {}}) == {"auto": {}}
        assert asked.noted("tool_choice"), asked.notes
        assert asked.answer.names == ["get_weather"]

    @pytest.mark.parametrize("model", [models.LLAMA_3_1, models.OPUS_5_5], ids=models.short)
    def test_forcing_is_refused_where_adapting_is_not_wanted(self, stack, model):
        asked = ask(stack, CALL, model=model, tools=[WEATHER], tool_choice="required", on_unsupported="reject")
        shapes.check_error(asked.reply, 400, code="unsupported_parameter", param="tool_choice")
        assert not asked.calls

    def test_a_named_tool_where_only_any_works(self, stack):
        choice = {"type": "function", "function": {"name": "get_time"}}
        asked = ask(stack, "Go.", model=models.MISTRAL_LARGE, tools=[WEATHER, TIME], tool_choice=choice)
        assert asked.answer.names == ["get_time"] or asked.noted("tool_choice"), (asked.answer.calls, asked.notes)

    @pytest.mark.parametrize("model", [models.LLAMA_3, models.MISTRAL_7B, models.DEEPSEEK_R1], ids=models.short)
    def test_tools_on_models_without(self, stack, model):
        asked = ask(stack, model=model, tools=[WEATHER])
        if asked.status == 200:
            assert asked.noted("tools"), asked.notes
        else:
            shapes.check_error(asked.reply, 400, param="tools")

    @pytest.mark.parametrize(
        "tools",
        [
            [{"type": "custom", "custom": {"name": "c"}}],
            [{"type": "web_search"}],
            [{"type": "function"}],
            [{"type": "function", "function": {}}],
            [{"type": "function", "function": {"name": ""}}],
            [WEATHER, WEATHER],
            "tools",
            [None],
        ],
        ids=["custom", "web search", "no function", "no name", "empty name", "twice", "text", "null"],
    )
    def test_bad_tools_are_named(self, stack, tools):
        asked = ask(stack, tools=tools)
        shapes.check_error(asked.reply, 400, param="tools")

    @pytest.mark.parametrize(
        "fields",
        [
            {"tool_choice": "any"},
            {"tool_choice": {"type": "function", "function": {"name": "unknown"}}},
            {"tool_choice": {"type": "function"}},
            {"tool_choice": 1},
        ],
        ids=lambda fields: json.dumps(fields["tool_choice"]),
    )
    def test_bad_choices_are_named(self, stack, fields):
        shapes.check_error(ask(stack, tools=[WEATHER], **fields).reply, 400, param="tool_choice")

    def test_a_choice_without_tools(self, stack):
        shapes.check_error(ask(stack, tool_choice="required").reply, 400, param="tool_choice")

    def test_no_tools_are_an_empty_list(self, stack):
        assert "toolConfig" not in ask(stack, tools=[]).call


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    "model",
    [
        models.CLAUDE_3,
        models.CLAUDE_4_5,
        models.OPUS_5_5,
        models.NOVA,
        models.LLAMA_3_1,
        models.LLAMA_3_3,
        models.LLAMA_4,
        models.MISTRAL_LARGE,
        models.COMMAND_R,
        models.GPT_OSS,
        models.QWEN,
    ],
    ids=models.short,
)
def test_two_turns_with_the_sdk(stack, model, stream):
    """Whatever the answer was goes back as it is, with the results in another order."""
    client = stack.gateway.openai()
    messages = [user(CALL + CALL.replace("Paris", "Rome"))]

    def answer():
        if not stream:
            completion = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
            return completion.choices[0].message.model_dump(exclude_none=True)
        with client.chat.completions.stream(model=model, messages=messages, tools=[WEATHER]) as events:
            for _ in events:
                pass
            return events.get_final_completion().choices[0].message.model_dump(exclude_none=True)

    said = answer()
    assert [json.loads(call["function"]["arguments"])["city"] for call in said["tool_calls"]] == ["Paris", "Rome"]
    calls = [
        tool_call(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in said["tool_calls"]
    ]
    messages.append({"role": "assistant", "content": said.get("content"), "tool_calls": calls})
    messages += [result(call["id"], f"Sunny in {place}.") for place, call in enumerate(calls)]
    final = answer()
    assert "Sunny in" in final["content"]

"""Answers in a given form: `response_format`, in whichever way the model can be made to keep to it."""

import json

import pydantic
import pytest

from support import models, shapes
from support.exchange import TIME, WEATHER, ask, both, schema, tools_sent, user
from support.process import Gateway, Simulator

# Structured output of their own; a tool that they can be forced to call; neither.
NATIVE = [models.CLAUDE_4_5, models.QWEN, models.MISTRAL_LARGE_3, models.SONNET_5_5]
FORCED = [models.CLAUDE_3, models.CLAUDE_4, models.OPUS_4_7, models.NOVA, models.GPT_OSS]
ASKED = [models.OPUS_5_5, models.LLAMA_3_1, models.LLAMA_3_3, models.LLAMA_3, models.MISTRAL_7B, models.DEEPSEEK_R1]
ALL = NATIVE + FORCED + ASKED

PLACE = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
PARIS = '{"city": "Paris", "people": 2100000}'
OBJECT = {"type": "json_object"}


def format_of(described, strict=True, name="place"):
    return {"type": "json_schema", "json_schema": {"name": name, "schema": described, "strict": strict}}


STRICT = format_of(PLACE)


def script(model, text=PARIS):
    """What makes a model that only reads an instruction follow it; the others follow by themselves."""
    return f"Describe Paris as JSON. [[sim:text {text}]]" if model in ASKED else "Describe Paris as JSON."


def is_place(text):
    place = json.loads(text)
    assert set(place) == {"city", "people"}, place
    assert isinstance(place["city"], str) and isinstance(place["people"], int), place


class TestWays:
    @pytest.mark.parametrize("model", NATIVE, ids=models.short)
    def test_the_models_own(self, stack, model):
        asked = ask(stack, script(model), model=model, response_format=STRICT)
        told = asked.call["outputConfig"]["textFormat"]
        assert told["type"] == "json_schema"
        sent = told["structure"]["jsonSchema"]
        assert json.loads(sent["schema"]) == PLACE, "a schema is a string here"
        assert "toolConfig" not in asked.call
        is_place(asked.answer.content)

    @pytest.mark.parametrize("model", FORCED, ids=models.short)
    def test_a_tool_that_it_must_call(self, stack, model):
        asked = ask(stack, script(model), model=model, response_format=STRICT)
        ((name, spec),) = tools_sent(asked.call).items()
        assert set(spec["inputSchema"]["json"]["properties"]) == {"city", "people"}
        assert asked.call["toolConfig"]["toolChoice"] in ({"tool": {"name": name}}, {"any": {}})
        assert "outputConfig" not in asked.call
        is_place(asked.answer.content)
        assert not asked.answer.calls and asked.answer.finish == "stop"

    @pytest.mark.parametrize("model", ASKED, ids=models.short)
    def test_an_instruction(self, stack, model):
        asked = ask(stack, script(model), model=model, response_format=STRICT)
        assert "outputConfig" not in asked.call
        assert '"people"' in json.dumps(asked.call).replace("\\", ""), "the model must be told the schema"
        is_place(asked.answer.content)

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    @pytest.mark.parametrize("model", ALL, ids=models.short)
    def test_look_the_same_to_the_client(self, stack, model, stream):
        asked = ask(stack, script(model), model=model, response_format=STRICT, stream=stream)
        is_place(asked.answer.content)
        assert asked.answer.finish == "stop" and not asked.answer.calls
        if not stream:
            shapes.check(asked.reply.json(), "CreateChatCompletionResponse", ["reasoning_content", "thinking_blocks"])

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    @pytest.mark.parametrize("model", ALL, ids=models.short)
    def test_any_object(self, stack, model, stream):
        said = f"Describe Paris as JSON. [[sim:text {PARIS}]]" if model == models.SONNET_5_5 else script(model)
        asked = ask(stack, said, model=model, response_format=OBJECT, stream=stream)
        assert isinstance(json.loads(asked.answer.content), dict)
        assert asked.answer.finish == "stop"

    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA, models.OPUS_5_5], ids=models.short)
    def test_without_strict(self, stack, model):
        asked = ask(stack, script(model), model=model, response_format=format_of(PLACE, strict=None))
        is_place(asked.answer.content)

    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA], ids=models.short)
    def test_plain_text_is_the_default(self, stack, model):
        call = ask(stack, model=model, response_format={"type": "text"}).call
        assert "toolConfig" not in call and "outputConfig" not in call

    def test_a_tool_streams_in_pieces(self, stack):
        text = "word " * 60
        said = f'[[sim:chunk 5]] Long. [[sim:text {{"text": "{text}"}}]]'
        asked = ask(stack, said, model=models.OPUS_5_5, response_format=format_of(schema(text="string")), stream=True)
        assert json.loads(asked.answer.content)["text"] == text

    def test_arguments_of_the_tool_are_streamed_as_content(self, stack):
        events = ask(stack, script(models.NOVA), model=models.NOVA, response_format=STRICT, stream=True).events
        pieces = [c["delta"].get("content") for chunk in events.chunks for c in chunk["choices"] if c["delta"]]
        assert len([piece for piece in pieces if piece]) > 1, pieces

    def test_fences_around_the_object_are_no_part_of_it(self, stack):
        said = script(models.OPUS_5_5, f"```json\n{PARIS}\n```")
        for asked in both(stack, said, model=models.OPUS_5_5, response_format=STRICT):
            is_place(asked.answer.content)

    def test_the_answer_cut_by_max_tokens(self, stack):
        for model in (models.CLAUDE_4_5, models.OPUS_5_5):
            asked = ask(stack, f"[[sim:text {PARIS}]]", model=model, response_format=STRICT, max_tokens=3)
            assert asked.answer.finish == "length", "as OpenAI's: the client sees that it was cut"


class TestSchemas:
    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA, models.OPUS_4_7], ids=models.short)
    def test_open_objects_are_closed(self, stack, model):
        """Bedrock wants every object closed, also those inside others."""
        inner = schema(street="string")
        open_ = schema(city="string", at=inner, more={"type": "array", "items": inner})
        described = open_ | {"$defs": {"Unused": schema(a="string")}}
        said = f"[[sim:text {json.dumps({'city': 'a', 'at': {'street': 'b'}, 'more': []})}]]"
        asked = ask(
            stack, said if model == models.CLAUDE_4_5 else "Go.", model=model, response_format=format_of(described)
        )
        assert set(json.loads(asked.answer.content)) == {"city", "at", "more"}

    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA], ids=models.short)
    def test_references(self, stack, model):
        described = {
            "$defs": {"Point": {**schema(x="number", y="number"), "additionalProperties": False}},
            **schema(start={"$ref": "#/$defs/Point"}, end={"$ref": "#/$defs/Point"}),
            "additionalProperties": False,
        }
        asked = ask(stack, "Draw.", model=model, response_format=format_of(described))
        drawn = json.loads(asked.answer.content)
        assert set(drawn["start"]) == set(drawn["end"]) == {"x", "y"}

    @pytest.mark.parametrize("name", ["a name", "ä", "x" * 100, "a.b"])
    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA], ids=models.short)
    def test_odd_names(self, stack, model, name):
        asked = ask(stack, "Go.", model=model, response_format=format_of(PLACE, name=name))
        is_place(asked.answer.content)

    @pytest.mark.parametrize(
        "given",
        [
            {"type": "json_schema"},
            {"type": "json_schema", "json_schema": {}},
            {"type": "json_schema", "json_schema": {"name": "n", "schema": "text"}},
            {"type": "xml"},
            {},
            "json",
            ["json_object"],
        ],
        ids=json.dumps,
    )
    def test_bad_formats_are_named(self, stack, given):
        asked = ask(stack, response_format=given)
        shapes.check_error(asked.reply, 400, param="response_format")
        assert not asked.calls


class TestWithTools:
    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    @pytest.mark.parametrize(
        "model", [models.CLAUDE_4_5, models.CLAUDE_4, models.NOVA, models.OPUS_5_5], ids=models.short
    )
    def test_the_model_may_call_the_clients_tools(self, stack, model, stream):
        said = '[[sim:tool get_weather {"city": "Paris"}]]'
        asked = ask(stack, said, model=model, tools=[WEATHER, TIME], response_format=STRICT, stream=stream)
        assert asked.answer.names == ["get_weather"] and asked.answer.finish == "tool_calls"
        assert not asked.answer.content

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.OPUS_5_5], ids=models.short)
    def test_or_answer_in_the_form(self, stack, model, stream):
        asked = ask(stack, f"[[sim:text {PARIS}]]", model=model, tools=[WEATHER], response_format=STRICT, stream=stream)
        is_place(asked.answer.content)
        assert asked.answer.finish == "stop" and not asked.answer.calls

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    @pytest.mark.parametrize("model", [models.CLAUDE_4, models.NOVA], ids=models.short)
    def test_a_model_that_answers_by_a_tool_of_ours(self, stack, model, stream):
        """It must call one of them; calling ours is the answer."""
        asked = ask(stack, "Go.", model=model, tools=[WEATHER], response_format=STRICT)
        (ours,) = set(tools_sent(asked.call)) - {"get_weather"}
        said = f"[[sim:tool {ours} {PARIS}]]"
        asked = ask(stack, said, model=model, tools=[WEATHER], response_format=STRICT, stream=stream)
        is_place(asked.answer.content)
        assert asked.answer.finish == "stop" and not asked.answer.calls


class TestWithReasoning:
    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    @pytest.mark.parametrize(
        "model", [models.CLAUDE_3_7, models.CLAUDE_4, models.CLAUDE_4_5, models.OPUS_4_7], ids=models.short
    )
    def test_both(self, stack, model, stream):
        """Thinking forbids to force a tool; both are wanted all the same."""
        said = f"[[sim:reasoning Hm.]] [[sim:text {PARIS}]]"
        asked = ask(
            stack, said, model=model, reasoning_effort="low", max_tokens=4000, response_format=STRICT, stream=stream
        )
        is_place(asked.answer.content)
        assert asked.answer.reasoning == "Hm." and asked.answer.finish == "stop"


class TestSdk:
    class Place(pydantic.BaseModel):
        city: str
        people: int

    class Nested(pydantic.BaseModel):
        class Inner(pydantic.BaseModel):
            label: str
            on: bool | None

        inner: Inner
        many: list[Inner]

    @pytest.mark.parametrize("form", [Place, Nested], ids=["flat", "nested"])
    @pytest.mark.parametrize("model", NATIVE + FORCED, ids=models.short)
    def test_parse(self, stack, model, form):
        client = stack.gateway.openai()
        completion = client.chat.completions.parse(model=model, messages=[user("Go.")], response_format=form)
        assert isinstance(completion.choices[0].message.parsed, form)

    @pytest.mark.parametrize("model", ASKED, ids=models.short)
    def test_parse_by_instruction(self, stack, model):
        client = stack.gateway.openai()
        said = [user(f"[[sim:text {PARIS}]]")]
        completion = client.chat.completions.parse(model=model, messages=said, response_format=self.Place)
        assert completion.choices[0].message.parsed == self.Place(city="Paris", people=2100000)

    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA], ids=models.short)
    def test_stream(self, stack, model):
        client = stack.gateway.openai()
        with client.chat.completions.stream(model=model, messages=[user("Go.")], response_format=self.Place) as events:
            for _ in events:
                pass
            assert isinstance(events.get_final_completion().choices[0].message.parsed, self.Place)


@pytest.fixture
def scripted(tmp_path):
    """A gateway in front of a simulator whose answers a scenario tells, call by call."""
    running = []

    def start(model, *answers, env=None):
        rules = [
            f"[[rules]]\nmodel = {json.dumps(model)}\ncall = {number}\nactions = [{json.dumps('text ' + answer)}]\n"
            for number, answer in enumerate(answers, 1)
        ]
        file = tmp_path / "scenario.toml"
        file.write_text("\n".join(rules))
        stack = Scripted(file, env)
        running.append(stack)
        return stack

    yield start
    for one in running:
        one.close()


class Scripted:
    def __init__(self, file, env):
        self.simulator = Simulator("--simulator-scenario", file, "--simulator-pace", "0")
        self.gateway = Gateway(env=self.simulator.endpoints | self.simulator.credentials | (env or {}))

    def close(self):
        self.gateway.close()
        self.simulator.close()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
class TestRepair:
    """Where a model is only asked for the form, what it says is checked, and it gets one more chance."""

    @pytest.mark.parametrize("first", ["No JSON at all.", '{"city": "Paris"}', '{"city": 1, "people": 2}', "[]"])
    def test_once(self, scripted, first, stream):
        stack = scripted("opus-5-5", first, PARIS)
        asked = ask(stack, "Go.", model=models.OPUS_5_5, response_format=STRICT, stream=stream)
        assert asked.status == 200, asked.reply.text
        assert len(asked.calls) == 2
        assert first in json.dumps(asked.calls[1], ensure_ascii=False).replace("\\", ""), "the model sees its mistake"
        is_place(asked.answer.content)

    def test_usage_counts_both_calls(self, scripted, stream):
        stack = scripted("opus-5-5", "x" * 400, PARIS)
        asked = ask(
            stack,
            "Go.",
            model=models.OPUS_5_5,
            response_format=STRICT,
            **({"stream": True, "stream_options": {"include_usage": True}} if stream else {}),
        )
        assert asked.answer.usage["completion_tokens"] > 100, "the first answer was paid for too"

    def test_only_once(self, scripted, stream):
        stack = scripted("opus-5-5", "Never.", "Never ever.", PARIS)
        asked = ask(stack, "Go.", model=models.OPUS_5_5, response_format=STRICT, stream=stream)
        assert len(asked.calls) == 2
        if asked.status == 200:
            assert stream, "what doesn't validate is no answer"
            (error,) = asked.events.errors
            assert not asked.events.done
        else:
            shapes.check_error(asked.reply, range(400, 600))
            error = asked.reply.json()
        assert any(word in error["error"]["message"].lower() for word in ("schema", "json", "response_format")), error

    def test_without_strict_the_client_gets_what_there_is(self, scripted, stream):
        stack = scripted("opus-5-5", '{"city": "Paris"}', '{"city": "Rome"}')
        given = format_of(PLACE, strict=False)
        asked = ask(stack, "Go.", model=models.OPUS_5_5, response_format=given, stream=stream)
        assert asked.status == 200, asked.reply.text
        assert "city" in json.loads(asked.answer.content)


class TestRemembered:
    REFUSAL = (
        "This model doesn't support the outputConfig.textFormat field. Remove outputConfig.textFormat and try again."
    )

    def test_a_refused_way_is_not_tried_again(self, stacked):
        stack = stacked()
        said = f"Go. [[sim:error ValidationException times=1 message={self.REFUSAL}]]"
        first = ask(stack, said, model=models.QWEN, response_format=STRICT)
        is_place(first.answer.content)
        assert len(first.calls) == 2
        assert "outputConfig" in first.calls[0] and "outputConfig" not in first.calls[1]
        second = ask(stack, "Go on.", model=models.QWEN, response_format=STRICT)
        assert "outputConfig" not in second.call and "toolConfig" in second.call
        is_place(second.answer.content)

    def test_and_another_models_way_is_left_alone(self, stacked):
        stack = stacked()
        said = f"Go. [[sim:error ValidationException times=1 message={self.REFUSAL}]]"
        ask(stack, said, model=models.QWEN, response_format=STRICT)
        assert "outputConfig" in ask(stack, "Go.", response_format=STRICT).call


def test_several_choices(stack):
    body = ask(stack, "Go.", model=models.NOVA, response_format=STRICT, n=2).reply.json()
    assert len(body["choices"]) == 2
    for choice in body["choices"]:
        is_place(choice["message"]["content"])


def test_a_schema_in_the_conversation_so_far(stack):
    """The second turn of a structured conversation."""
    messages = [user("Paris?"), {"role": "assistant", "content": PARIS}, user("And Rome?")]
    for model in (models.CLAUDE_4_5, models.NOVA):
        is_place(ask(stack, messages=messages, model=model, response_format=STRICT).answer.content)

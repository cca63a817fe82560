"""What a model refuses is learned: adapted once, retried once, and remembered."""

import urllib.parse

import pytest

from support import models, shapes
from support.exchange import WEATHER, ask, assistant, schema, tool, user

STRICT = tool("get_weather", schema(city="string"), description="Weather.", strict=True)
CACHED = [{"type": "text", "text": "[[sim:text ok]]", "cache_control": {"type": "ephemeral"}}]

# What is asked for, and the words that its adaptation may go by.
REFUSED = {
    "temperature": ({"temperature": 0.3}, ["temperature"]),
    "top_p": ({"top_p": 0.3}, ["top_p"]),
    "extra": ({"top_k": 3}, ["top_k"]),
    "strict": ({"tools": [STRICT]}, ["strict"]),
    "required": ({"tools": [WEATHER], "tool_choice": "required"}, ["tool_choice"]),
    "named": (
        {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
        ["tool_choice"],
    ),
    "cache point": ({"messages": [user(CACHED)]}, ["cache"]),
}


@pytest.fixture
def fresh(stacked):
    """A gateway that has learned nothing yet."""
    return stacked()


def model_page(stack, model):
    reply = stack.gateway.get(f"/v1/models/{urllib.parse.quote(model, safe='')}")
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_field_is_adapted_at_once_from_then_on(fresh, case, stream):
    fields, words = REFUSED[case]
    first = ask(fresh, model=models.NOVEL, stream=stream, **fields)
    assert first.status == 200, first.reply.text
    assert len(first.calls) <= 2, "one retry"
    assert first.noted(*words), first.notes
    second = ask(fresh, model=models.NOVEL, stream=stream, **fields)
    assert second.status == 200 and len(second.calls) == 1, "it was learned"
    assert second.noted(*words), "it is told each time"


def test_the_rest_of_the_request_stays(fresh):
    fields = {"temperature": 0.3, "max_tokens": 77, "stop": ["END"]}
    asked = ask(fresh, model=models.NOVEL, **fields)
    assert asked.calls[-1]["inferenceConfig"] == {"maxTokens": 77, "stopSequences": ["END"]}


def test_a_model_is_taught_by_its_own_refusals_only(fresh):
    ask(fresh, model=models.NOVEL, temperature=0.3)
    asked = ask(fresh, model=models.NOVA, temperature=0.3)
    assert asked.inference == {"temperature": 0.3} and not asked.notes
    other = ask(fresh, model=models.NOVEL_2, temperature=0.3)
    assert "temperature" in other.calls[0]["inferenceConfig"], "the other one was asked too"


def test_a_stream_learns_for_whole_answers_and_the_other_way_round(fresh):
    ask(fresh, model=models.NOVEL, temperature=0.3, stream=True)
    assert len(ask(fresh, model=models.NOVEL, temperature=0.3).calls) == 1
    ask(fresh, model=models.NOVEL_2, temperature=0.3)
    assert len(ask(fresh, model=models.NOVEL_2, temperature=0.3, stream=True).calls) == 1


def test_it_is_shown_with_the_model(fresh):
    assert not model_page(fresh, models.NOVEL).get("learned")
    ask(fresh, model=models.NOVEL, temperature=0.3)
    assert "temperature" in str(model_page(fresh, models.NOVEL)["learned"])
    assert not model_page(fresh, models.NOVEL_2).get("learned")


def test_one_field_after_the_other(fresh):
    """Each refused field costs one retry, and only once."""
    fields = {"temperature": 0.3, "top_k": 4, "tools": [WEATHER], "tool_choice": "required"}
    for _ in range(4):
        asked = ask(fresh, model=models.NOVEL, **fields)
        assert len(asked.calls) <= 4
        if asked.status == 200 and len(asked.calls) == 1:
            break
    assert asked.status == 200 and len(asked.calls) == 1
    for word in ("temperature", "top_k", "tool_choice"):
        assert asked.noted(word), asked.notes


# As Bedrock words them.
WORDS = [
    ("`temperature` is deprecated for this model.", {"temperature": 0.3}, "temperature"),
    ("The model returned the following errors: `top_p` is deprecated for this model.", {"top_p": 0.3}, "top_p"),
    ("tools.0.custom.strict: Extra inputs are not permitted", {"tools": [STRICT]}, "strict"),
    (
        "This model doesn't support the toolConfig.toolChoice.any field. Remove toolConfig.toolChoice.any and try again.",
        {"tools": [WEATHER], "tool_choice": "required"},
        "tool_choice",
    ),
]


@pytest.mark.parametrize("message, fields, word", WORDS, ids=[word for _, _, word in WORDS])
def test_as_bedrock_words_it(fresh, message, fields, word):
    said = f"[[sim:error ValidationException times=1 message={message}]] [[sim:text ok]]"
    asked = ask(fresh, said, **fields)
    assert asked.status == 200, asked.reply.text
    assert len(asked.calls) == 2 and asked.noted(word), asked.notes
    assert len(ask(fresh, **fields).calls) == 1


def test_a_budget_that_is_too_small(fresh):
    thinking = {"type": "enabled", "budget_tokens": 1023}
    asked = ask(fresh, model=models.CLAUDE_4, thinking=thinking, max_tokens=4000)
    assert asked.status == 200, asked.reply.text
    assert asked.noted("thinking", "budget"), asked.notes
    assert asked.calls[-1]["additionalModelRequestFields"]["thinking"]["budget_tokens"] >= 1024


@pytest.mark.parametrize(
    "message",
    ["Malformed input request, please reformat your input and try again.", "Input is too long for requested model."],
)
def test_what_names_no_field_is_not_tried_again(fresh, message):
    said = f"[[sim:error ValidationException message={message}]]"
    asked = ask(fresh, said, temperature=0.3)
    shapes.check_error(asked.reply, 400)
    assert len(asked.calls) == 1


def test_a_field_that_was_not_sent_is_not_learned(fresh):
    """A client's words that come back in an error must not teach anything."""
    said = "[[sim:error ValidationException message=`temperature` is deprecated for this model.]]"
    asked = ask(fresh, said)
    shapes.check_error(asked.reply, 400)
    assert len(asked.calls) == 1
    assert ask(fresh, temperature=0.3).inference == {"temperature": 0.3}


def test_only_one_retry(fresh):
    said = "[[sim:error ValidationException message=`temperature` is deprecated for this model.]]"
    asked = ask(fresh, said, temperature=0.3)
    shapes.check_error(asked.reply, 400)
    assert len(asked.calls) == 2


def test_throttling_teaches_nothing(fresh):
    said = "[[sim:error ThrottlingException times=1 message=temperature is deprecated]] [[sim:text ok]]"
    asked = ask(fresh, said, temperature=0.3)
    assert asked.status == 200 and not asked.notes


def test_reject_takes_no_detours(fresh):
    for _ in range(2):
        asked = ask(fresh, model=models.NOVEL, temperature=0.3, on_unsupported="reject")
        shapes.check_error(asked.reply, 400, param="temperature")
        assert len(asked.calls) <= 1


def test_reject_knows_what_was_learned(fresh):
    ask(fresh, model=models.NOVEL, temperature=0.3)
    asked = ask(fresh, model=models.NOVEL, temperature=0.3, on_unsupported="reject")
    shapes.check_error(asked.reply, 400, code="unsupported_parameter", param="temperature")
    assert not asked.calls


def test_a_value_out_of_range_is_the_clients_mistake(fresh):
    shapes.check_error(ask(fresh, model=models.NOVA, top_p=7).reply, 400, param="top_p")
    assert not model_page(fresh, models.NOVA).get("learned")


class TestOneRequestsFaultIsNotTheModels:
    """What is refused because of this request's own content says nothing about the model."""

    def given(self, described):
        described = {"type": "object", "required": list(described), "additionalProperties": False} | {
            "properties": described
        }
        return {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": described}}

    def test_a_schema_that_it_cannot_follow(self, fresh):
        odd = self.given({"a": {"type": "string", "pattern": "^(?=a)", "minLength": 3}})
        assert ask(fresh, "Go.", response_format=odd).status == 200
        asked = ask(fresh, "Go.", response_format=self.given({"a": {"type": "string"}}))
        assert "outputConfig" in asked.calls[0], "structured output was taken from everyone"

    def test_a_cache_point_at_a_place_that_bears_none(self, fresh):
        """Nova refuses points right behind calls and results, and takes them elsewhere."""
        long = "Granite is an igneous rock that crystallises slowly, deep below. " * 400
        messages = [
            user(long),
            assistant(calls=[("call_1", "get_weather", {"city": "Rome"})], cache_control={"type": "ephemeral"}),
            {"role": "tool", "tool_call_id": "call_1", "content": "Sunny.", "cache_control": {"type": "ephemeral"}},
        ]
        assert ask(fresh, model=models.NOVA, messages=messages, tools=[WEATHER]).status == 200
        content = [
            {"type": "text", "text": long, "cache_control": {"type": "ephemeral"}},
            CACHED[0] | {"cache_control": None},
        ]
        asked = ask(fresh, content, model=models.NOVA)
        assert "cachePoint" in str(asked.calls[0]), "caching was taken from everyone"

    @pytest.mark.parametrize(
        "fields",
        [
            {"temperature": 0.3},
            {"top_p": 0.3},
            {"top_k": 3},
            {"tools": [WEATHER], "tool_choice": "required"},
        ],
        ids=lambda fields: list(fields)[-1],
    )
    @pytest.mark.parametrize("place", ["thinking", "additionalModelRequestFields"])
    def test_what_thinking_forbids(self, fresh, fields, place):
        """Where the gateway sees the thinking it adapts; where it doesn't, it may fail but not learn."""
        thinking = {"type": "enabled", "budget_tokens": 2000}
        given = {"thinking": thinking} if place == "thinking" else {place: {"thinking": thinking}}
        asked = ask(fresh, model=models.CLAUDE_4, max_tokens=4000, **fields, **given)
        assert asked.status == 200 or place != "thinking", asked.reply.text
        alone = ask(fresh, model=models.CLAUDE_4, **fields)
        assert alone.status == 200 and not alone.notes and len(alone.calls) == 1

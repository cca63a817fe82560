"""Pre-fill: a last message of the assistant's is the beginning of its answer."""

import pytest

from support import models, shapes
from support.exchange import WEATHER, ask, assistant, both, result, texts, user

ASKED = user('\'Hello\' in German, as JSON? [[sim:text "Hello": "Hallo"}]]')
TAKES = [models.CLAUDE_3, models.CLAUDE_4, models.CLAUDE_4_5]
REFUSES = [models.CLAUDE_4_6, models.OPUS_4_7, models.OPUS_5_5, models.NOVA, models.LLAMA_3_1, models.QWEN]


@pytest.mark.parametrize("model", TAKES, ids=models.short)
@pytest.mark.parametrize("text", ["{", "{ \n\t", '{\n  "'], ids=repr)
def test_a_model_goes_on_from_there(stack, model, text):
    for asked in both(stack, model=model, messages=[ASKED, assistant(text)]):
        last = asked.call["messages"][-1]
        assert last["role"] == "assistant"
        assert texts(last["content"]) == [text.rstrip()], "Claude refuses white space at the end"
        assert asked.answer.content == '"Hello": "Hallo"}', "the beginning isn't repeated"
        assert asked.answer.finish == "stop"


@pytest.mark.parametrize("model", TAKES, ids=models.short)
def test_in_parts(stack, model):
    parts = [{"type": "text", "text": "Well, "}, {"type": "text", "text": "{ "}]
    last = ask(stack, model=model, messages=[ASKED, assistant(parts)]).call["messages"][-1]
    assert "".join(texts(last["content"])) == "Well, {"


@pytest.mark.parametrize("model", TAKES + REFUSES, ids=models.short)
@pytest.mark.parametrize("content", ["", "  ", None, []], ids=repr)
def test_an_empty_one_is_none(stack, model, content):
    """As in bedrock-wrapper's own example."""
    asked = ask(stack, model=model, messages=[ASKED, assistant(content)])
    assert [message["role"] for message in asked.call["messages"]] == ["user"]


@pytest.mark.parametrize("model", REFUSES, ids=models.short)
def test_a_model_that_refuses_is_asked_to_continue(stack, model):
    for asked in both(stack, model=model, messages=[ASKED, assistant("{")]):
        assert asked.status == 200, asked.reply.text
        assert len(asked.calls) <= 2, "known before, or learned from one refusal"
        turns = asked.calls[-1]["messages"]
        assert [message["role"] for message in turns] == ["user", "assistant", "user"]
        assert texts(turns[1]["content"]) == ["{"]
        assert texts(turns[2]["content"])[0].strip()
        assert asked.noted("messages", "prefill"), asked.notes


@pytest.mark.parametrize("model", REFUSES, ids=models.short)
def test_or_the_request_is_refused(stack, model):
    asked = ask(stack, model=model, messages=[ASKED, assistant("{")], on_unsupported="reject")
    shapes.check_error(asked.reply, 400, param="messages")
    assert len(asked.calls) <= 1


def test_thinking_forbids_it(stack):
    """A model that begins with its thoughts can't go on from words."""
    asked = ask(stack, messages=[ASKED, assistant("{")], reasoning_effort="low", max_tokens=4000)
    assert asked.status == 200, asked.reply.text
    assert asked.notes, "something had to give"


def test_after_tools(stack):
    messages = [
        user("Weather?"),
        assistant(calls=[("call_1", "get_weather", {"city": "Rome"})]),
        result("call_1", "Sunny."),
        assistant("In Rome it is "),
    ]
    asked = ask(stack, messages=messages, tools=[WEATHER])
    assert texts(asked.call["messages"][-1]["content"]) == ["In Rome it is"]


def test_two_of_them_are_one(stack):
    asked = ask(stack, messages=[ASKED, assistant("One."), assistant("Two. ")])
    assert [message["role"] for message in asked.call["messages"]] == ["user", "assistant"]
    assert "".join(texts(asked.call["messages"][-1]["content"])).replace("\n", "") == "One.Two."

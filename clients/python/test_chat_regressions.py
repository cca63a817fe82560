"""What hostile readers of the translation found: named after what a user would have seen."""

import json

import pytest

from support import models
from support.exchange import ask

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
FORM = {"type": "json_schema", "json_schema": {"name": "form", "strict": True, "schema": SCHEMA}}
THINKING = {"type": "enabled", "budget_tokens": 2000}


@pytest.mark.parametrize(
    "given",
    [
        {"temperature": 0.2},
        {"tools": [TOOL], "tool_choice": "required"},
        {"response_format": {"type": "json_object"}},
    ],
    ids=["temperature", "forced tool", "json"],
)
@pytest.mark.parametrize(
    "thinking",
    [
        {"thinking": {"type": "adaptive"}},
        {"reasoning_config": THINKING},
        {"additionalModelRequestFields": {"thinking": THINKING}},
        {"include_thinking_data": True},
    ],
    ids=["adaptive", "reasoning_config", "additional", "include_thinking_data"],
)
def test_the_rules_of_thinking_hold_under_each_of_its_names(stack, thinking, given):
    asked = ask(stack, "[[sim:text {}]]", model=models.CLAUDE_4_6, max_tokens=4000, **thinking, **given)
    assert asked.status == 200 and asked.notes
    assert "thinking" in asked.extra


def test_thinking_is_said_once(stack):
    asked = ask(
        stack,
        model=models.CLAUDE_4,
        max_tokens=4000,
        reasoning_effort="low",
        additionalModelRequestFields={"thinking": THINKING},
    )
    assert asked.extra["thinking"] == THINKING and asked.noted("reasoning_effort")


def test_asking_to_see_thoughts_is_asking_for_them(stack):
    asked = ask(stack, "Why?", model=models.CLAUDE_4, max_tokens=4000, include_thinking_data=True)
    assert asked.extra["thinking"] == {"type": "enabled", "budget_tokens": 3200}
    assert asked.answer.content.startswith("<think>") and "</think>" in asked.answer.content


@pytest.mark.parametrize("model", [models.CLAUDE_5, models.OPUS_4_7])
def test_no_effort_is_no_thinking(stack, model):
    asked = ask(stack, "[[sim:text Yes.]]", model=model, reasoning_effort="none")
    assert asked.extra["thinking"] == {"type": "disabled"}
    assert not asked.answer.blocks


@pytest.mark.parametrize("model", [models.NOVA, models.NOVA_2, models.DEEPSEEK_R1])
def test_switching_off_what_is_not_on_asks_for_nothing(stack, model):
    assert ask(stack, model=model, thinking={"type": "disabled"}).extra == {}


def test_anthropics_words_reach_nova_in_its_own_and_spoil_nothing(stack):
    asked = ask(stack, model=models.NOVA_2, thinking=THINKING)
    assert asked.extra == {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}
    asked = ask(stack, model=models.NOVA_2, reasoning_effort="medium")
    assert asked.extra == {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}}


@pytest.mark.parametrize(
    "thinking, max_tokens, sent",
    [
        ({"type": "enabled", "budget_tokens": 500}, 900, None),
        ({"type": "enabled", "budget_tokens": 4096}, 2048, 2047),
        ({"type": "enabled", "budget_tokens": 500}, 4000, 1024),
    ],
)
def test_a_budget_fits_into_max_tokens(stack, thinking, max_tokens, sent):
    asked = ask(stack, model=models.CLAUDE_4, thinking=thinking, max_tokens=max_tokens)
    assert (asked.extra.get("thinking") or {}).get("budget_tokens") == sent
    assert asked.notes


def test_betas_as_one_text(stack):
    asked = ask(
        stack,
        model=models.CLAUDE_4,
        max_tokens=2048,
        thinking={"type": "enabled", "budget_tokens": 4096},
        anthropic_beta="interleaved-thinking-2025-05-14",
    )
    assert asked.extra["anthropic_beta"] == ["interleaved-thinking-2025-05-14"]
    assert asked.extra["thinking"]["budget_tokens"] == 4096


def test_one_tool_at_a_time_beside_a_form_by_tool(stack):
    asked = ask(
        stack,
        '[[sim:tool answer_in_json {"a": 1}]]',
        model=models.OPUS_4_7,
        tools=[TOOL],
        parallel_tool_calls=False,
        response_format=FORM,
    )
    assert json.loads(asked.answer.content) == {"a": 1}
    assert "type" not in asked.extra["tool_choice"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_form_gives_way_to_a_prefill(stack, stream):
    messages = [{"role": "user", "content": '[[sim:text "a": 1}]]'}, {"role": "assistant", "content": "{"}]
    asked = ask(stack, model=models.CLAUDE_4_5, messages=messages, response_format=FORM, stream=stream)
    assert asked.answer.content == '"a": 1}' and asked.noted("response_format")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_half_a_call_is_no_call(stack, stream):
    prompt = '[[sim:raw-tool look {"q": ]][[sim:stop malformed_tool_use]]'
    asked = ask(stack, prompt, model=models.NOVA, tools=[TOOL], stream=stream)
    assert "upstream_model_error" in asked.reply.text


def test_a_prefill_of_two_parts_is_not_repeated(stack):
    parts = [{"type": "text", "text": "The"}, {"type": "text", "text": " sky"}]
    messages = [
        {"role": "user", "content": "Go on."},
        {"role": "assistant", "content": parts},
    ]
    asked = ask(stack, model=models.OPUS_4_7, messages=messages, extra_body={})
    assert asked.noted("messages")


@pytest.mark.parametrize("junk", ["system prompt", "x temperature x", "my stop sequence", "textformat"])
def test_one_clients_junk_is_nobody_elses_loss(stack, junk):
    system = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi."}]
    ask(stack, model=models.CLAUDE_4_5, messages=system, temperature=0.5, stop=["x"], response_format=FORM, **{junk: 1})
    asked = ask(
        stack,
        messages=[system[0], {"role": "user", "content": '[[sim:text {"a": 1}]]'}],
        model=models.CLAUDE_4_5,
        temperature=0.5,
        stop=["x"],
        response_format=FORM,
    )
    assert asked.call["system"] == [{"text": "Be brief."}]
    assert asked.inference == {"temperature": 0.5, "stopSequences": ["x"]}
    assert "textFormat" in asked.call["outputConfig"]


def test_some_of_the_tools_may_be_called(stack):
    other = {"type": "function", "function": {"name": "listen"}}
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "listen"}}]}
    asked = ask(
        stack,
        model=models.NOVA,
        tools=[TOOL, other],
        tool_choice={"type": "allowed_tools", "allowed_tools": allowed},
    )
    config = asked.call["toolConfig"]
    assert [tool["toolSpec"]["name"] for tool in config["tools"]] == ["listen"]
    assert config["toolChoice"] == {"any": {}}


def test_numbers_come_out_of_a_wrapped_answer_as_they_went_in(stack):
    schema = {"type": "array", "items": {"type": "number"}}
    form = {"type": "json_schema", "json_schema": {"name": "list", "strict": True, "schema": schema}}
    text = '{"value": [12345678901234567890123, 1e2]}'
    for stream in (False, True):
        asked = ask(stack, f"[[sim:text {text}]]", model=models.CLAUDE_4_5, response_format=form, stream=stream)
        assert asked.answer.content == "[12345678901234567890123, 1e2]"

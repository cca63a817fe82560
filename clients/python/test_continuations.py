"""Conversations that go on after the model has thought: by clients that send back all of it, some, or nothing."""

import pytest

from support import models
from support.exchange import WEATHER, ask, blocks, kinds, result, user

THINKS_AND_CALLS = '[[sim:reasoning I should look.]][[sim:tool get_weather {"city": "Rome"}]]'
KEPT = {
    "all": ("content", "tool_calls", "reasoning_content", "thinking_blocks"),
    "blocks": ("content", "tool_calls", "thinking_blocks"),
    "text": ("content", "tool_calls", "reasoning_content"),
    "nothing": ("content", "tool_calls"),
}
CASES = [
    (models.CLAUDE_3_7, {"reasoning_effort": "low", "max_tokens": 4000}),
    (models.CLAUDE_4_5, {"reasoning_effort": "low", "max_tokens": 4000}),
    (models.CLAUDE_4_5, {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 4000}),
    (models.CLAUDE_4_6, {"reasoning_effort": "high"}),
    (models.OPUS_4_7, {"reasoning_effort": "medium"}),
    (models.OPUS_5_5, {}),
    (models.GPT_OSS, {"reasoning_effort": "low"}),
    (models.NOVA_2, {"reasoning_effort": "low"}),
    (models.QWEN, {}),
]


def first(stack, model, fields, stream=False):
    return ask(stack, THINKS_AND_CALLS, model=model, tools=[WEATHER], stream=stream, **fields).answer


def kept(message, how):
    return {"role": "assistant"} | {name: message[name] for name in KEPT[how] if name in message}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("how", KEPT)
@pytest.mark.parametrize("model, fields", CASES, ids=[f"{models.short(model)}-{len(f)}" for model, f in CASES])
def test_a_tool_conversation_goes_on(stack, model, fields, how, stream):
    answer = first(stack, model, fields, stream)
    assert answer.names == ["get_weather"]
    messages = [
        user("Weather in Rome?"),
        kept(answer.message, how),
        result(answer.calls[0]["id"], "Sunny."),
    ]
    asked = ask(stack, model=model, messages=messages, tools=[WEATHER], stream=stream, **fields)
    assert asked.status == 200, asked.reply.text
    assert "Sunny." in asked.answer.content
    assert asked.answer.finish == "stop"


@pytest.mark.parametrize("how", ["all", "blocks"])
def test_signed_thoughts_go_back_as_they_came_and_first(stack, how):
    model, fields = CASES[1]
    answer = first(stack, model, fields)
    messages = [user("Weather?"), kept(answer.message, how), result(answer.calls[0]["id"], "Sunny.")]
    call = ask(stack, model=model, messages=messages, tools=[WEATHER], **fields).call
    assert kinds(call["messages"][1]["content"]) == ["reasoningContent", "toolUse"]
    (thought,) = blocks(call, "reasoningContent")
    signature = answer.blocks[0]["signature"]
    assert thought["reasoningText"] == {"text": "I should look.", "signature": signature}
    assert call["additionalModelRequestFields"]["thinking"]["type"] == "enabled", "it can go on thinking"


@pytest.mark.parametrize("how", ["text", "nothing"])
def test_what_cannot_go_on_thinking_says_so(stack, how):
    """Claude wants signed thoughts before its call; without them it goes on without thinking, visibly."""
    model, fields = CASES[1]
    answer = first(stack, model, fields)
    messages = [user("Weather?"), kept(answer.message, how), result(answer.calls[0]["id"], "Sunny.")]
    asked = ask(stack, model=model, messages=messages, tools=[WEATHER], **fields)
    restored = blocks(asked.call, "reasoningContent")
    assert restored or asked.noted("reasoning_effort", "thinking", "reasoning"), asked.notes
    if restored:
        assert restored[0]["reasoningText"]["signature"] == answer.blocks[0]["signature"]


def test_thoughts_between_plain_turns(stack):
    fields = {"reasoning_effort": "low", "max_tokens": 4000}
    script = "[[sim:reasoning I think.]][[sim:text I say.]]"
    answer = ask(stack, script, **fields).answer
    for how in KEPT:
        messages = [user("Go."), kept(answer.message, how), user("Go on. [[sim:text ok]]")]
        asked = ask(stack, messages=messages, **fields)
        assert asked.answer.content == "ok"


def test_thoughts_of_another_model(stack):
    """Clients change models in the middle of a conversation; the other one's signature is worth nothing."""
    messages = [
        user("Weather?"),
        {
            "role": "assistant",
            "content": "Sunny.",
            "reasoning_content": "It is.",
            "thinking_blocks": [{"type": "thinking", "thinking": "It is.", "signature": "c2lnbmF0dXJl"}],
        },
        user("Sure? [[sim:text Yes.]]"),
    ]
    for model in (models.NOVA, models.LLAMA_3_1, models.DEEPSEEK_R1, models.GPT_OSS):
        assert ask(stack, model=model, messages=messages).answer.content == "Yes."


def test_thoughts_that_were_changed_are_never_sent_as_signed_ones(stack):
    """Claude refuses them; whether they are mended or refused, it is said."""
    model, fields = CASES[1]
    answer = first(stack, model, fields)
    message = answer.message
    message["thinking_blocks"] = [message["thinking_blocks"][0] | {"thinking": "I was changed."}]
    messages = [user("Weather?"), message, result(answer.calls[0]["id"], "Sunny.")]
    asked = ask(stack, model=model, messages=messages, tools=[WEATHER], **fields)
    assert asked.status == 400 or asked.notes, asked.reply.text


@pytest.mark.parametrize(
    "blocks_",
    ["text", [3], [{"type": "thinking"}], [{"type": "thinking", "thinking": 3}], [{"type": "redacted_thinking"}], [{}]],
    ids=repr,
)
def test_bad_blocks_are_named_or_left_out_visibly(stack, blocks_):
    messages = [user("Hi."), {"role": "assistant", "content": "Hi.", "thinking_blocks": blocks_}, user("Go on.")]
    asked = ask(stack, messages=messages)
    if asked.status == 200:
        assert asked.notes, "left out in silence"
    else:
        assert "thinking_blocks" in asked.reply.json()["error"]["param"]


def test_null_blocks_are_none(stack):
    messages = [
        user("Hi."),
        {"role": "assistant", "content": "Hi.", "thinking_blocks": None, "reasoning_content": None},
        user("Go on."),
    ]
    assert not ask(stack, messages=messages).notes

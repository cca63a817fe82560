"""Reasoning: how models are asked to think, and how their thoughts reach the client."""

import pytest

from support import models, shapes
from support.exchange import TIME, WEATHER, ask, blocks, both, result, schema, tool, user

BUDGET_MODELS = [models.CLAUDE_3_7, models.CLAUDE_4, models.CLAUDE_4_5]
ADAPTIVE_MODELS = [models.OPUS_4_7, models.CLAUDE_5, models.FABLE_5, models.OPUS_5_5]
ALWAYS_THINKING = [models.FABLE_5, models.OPUS_5_5, models.SONNET_5_5]
EFFORTS = ["minimal", "low", "medium", "high", "xhigh", "max"]
THINKS = "[[sim:reasoning I think.]][[sim:text I say.]]"


def thinking(asked):
    """How Claude was asked to think: either name does."""
    return asked.extra.get("thinking") or asked.extra.get("reasoning_config")


def effort(asked):
    """The effort that adaptive thinking got, wherever it stands."""
    beside = (asked.call.get("outputConfig") or {}).get("effort")
    return beside or (asked.extra.get("output_config") or {}).get("effort")


class TestBudgets:
    @pytest.mark.parametrize(
        "asked_for, budget",
        [("low", 3000), ("medium", 6000), ("high", 9999), ("xhigh", 9999), ("max", 9999), ("minimal", 1024)],
    )
    @pytest.mark.parametrize("model", BUDGET_MODELS, ids=models.short)
    def test_a_share_of_max_tokens(self, stack, model, asked_for, budget):
        """bedrock-access-gateway's shares: 30, 60 and 100 %, at least 1,024 and below max_tokens."""
        asked = ask(stack, THINKS, model=model, reasoning_effort=asked_for, max_completion_tokens=10000)
        assert thinking(asked)["type"] == "enabled"
        assert asked.inference["maxTokens"] == 10000
        assert abs(thinking(asked)["budget_tokens"] - budget) <= 1, thinking(asked)
        assert thinking(asked)["budget_tokens"] < 10000

    @pytest.mark.parametrize("asked_for", ["minimal", "low", "medium"])
    def test_never_below_the_least(self, stack, asked_for):
        asked = ask(stack, THINKS, reasoning_effort=asked_for, max_tokens=1500)
        assert thinking(asked)["budget_tokens"] == 1024

    @pytest.mark.parametrize("max_tokens", [16, 1000, 1024])
    def test_too_few_tokens_to_think_is_told(self, stack, max_tokens):
        asked = ask(stack, THINKS, reasoning_effort="low", max_tokens=max_tokens)
        assert asked.status == 200, asked.reply.text
        assert asked.noted("reasoning_effort", "max_"), asked.notes

    @pytest.mark.parametrize("asked_for", EFFORTS)
    @pytest.mark.parametrize("model", BUDGET_MODELS, ids=models.short)
    def test_without_max_tokens(self, stack, model, asked_for):
        asked = ask(stack, THINKS, model=model, reasoning_effort=asked_for)
        assert thinking(asked)["budget_tokens"] >= 1024
        # Without a number, Bedrock takes the most that the model can.
        assert asked.inference.get("maxTokens", 64000) > thinking(asked)["budget_tokens"]

    @pytest.mark.parametrize("model", BUDGET_MODELS, ids=models.short)
    def test_none_is_off(self, stack, model):
        asked = ask(stack, model=model, reasoning_effort="none")
        assert (thinking(asked) or {"type": "disabled"})["type"] == "disabled"
        assert not asked.notes

    def test_a_model_that_takes_both(self, stack):
        asked = ask(stack, THINKS, model=models.CLAUDE_4_6, reasoning_effort="medium", max_tokens=10000)
        assert thinking(asked)["type"] in ("adaptive", "enabled")

    @pytest.mark.parametrize("model", [models.CLAUDE_3, models.NOVA, models.LLAMA_3_1, models.QWEN], ids=models.short)
    def test_a_model_that_cannot_think_says_so(self, stack, model):
        asked = ask(stack, model=model, reasoning_effort="low", max_tokens=4000)
        assert asked.status == 200 and (asked.noted("reasoning_effort") or asked.extra), asked.notes

    @pytest.mark.parametrize("value", ["fierce", 3, {}, True], ids=repr)
    def test_no_effort_at_all(self, stack, value):
        asked = ask(stack, reasoning_effort=value)
        shapes.check_error(asked.reply, 400, param="reasoning_effort")


class TestAdaptive:
    @pytest.mark.parametrize("asked_for", EFFORTS)
    @pytest.mark.parametrize("model", ADAPTIVE_MODELS, ids=models.short)
    def test_effort(self, stack, model, asked_for):
        asked = ask(stack, THINKS, model=model, reasoning_effort=asked_for, max_tokens=10000)
        assert thinking(asked)["type"] == "adaptive"
        assert "budget_tokens" not in thinking(asked)
        assert thinking(asked)["display"] == "summarized", "or the text of the thoughts is blank"
        # Whether `max` is known beside `xhigh` is told in two ways by third parties.
        assert effort(asked) in {"minimal": ["low"], "max": ["max", "xhigh"]}.get(asked_for, [asked_for])

    def test_none_is_off(self, stack):
        asked = ask(stack, model=models.OPUS_4_7, reasoning_effort="none")
        assert (thinking(asked) or {"type": "disabled"})["type"] == "disabled"
        assert not asked.noted("reasoning_effort"), asked.notes

    @pytest.mark.parametrize("model", ALWAYS_THINKING, ids=models.short)
    def test_none_where_thinking_cannot_be_turned_off(self, stack, model):
        asked = ask(stack, model=model, reasoning_effort="none")
        assert (thinking(asked) or {}).get("type") != "disabled"
        assert asked.noted("reasoning_effort"), asked.notes

    @pytest.mark.parametrize("model", ALWAYS_THINKING, ids=models.short)
    def test_nothing_asked_for_is_nothing_noted(self, stack, model):
        assert not ask(stack, model=model).notes

    @pytest.mark.parametrize("model", ADAPTIVE_MODELS, ids=models.short)
    def test_a_budget_on_models_that_take_none(self, stack, model):
        """What clients of older models send in `thinking` is put into the newer form."""
        budget = {"type": "enabled", "budget_tokens": 4096}
        asked = ask(stack, THINKS, model=model, thinking=budget, max_tokens=10000)
        assert thinking(asked)["type"] == "adaptive"
        assert asked.noted("thinking"), asked.notes


class TestOthers:
    @pytest.mark.parametrize("asked_for", ["low", "medium", "high"])
    def test_nova_2(self, stack, asked_for):
        asked = ask(stack, model=models.NOVA_2, reasoning_effort=asked_for)
        assert asked.extra["reasoningConfig"] == {"type": "enabled", "maxReasoningEffort": asked_for}

    @pytest.mark.parametrize("asked_for, sent", [("minimal", "low"), ("xhigh", "high"), ("max", "high")])
    def test_nova_2_beyond_its_scale(self, stack, asked_for, sent):
        asked = ask(stack, model=models.NOVA_2, reasoning_effort=asked_for)
        assert asked.extra["reasoningConfig"]["maxReasoningEffort"] == sent

    def test_nova_2_at_its_highest_takes_nothing_else(self, stack):
        fields = {"temperature": 0.3, "top_p": 0.5, "max_tokens": 5000}
        asked = ask(stack, model=models.NOVA_2, reasoning_effort="high", **fields)
        for name in ("temperature", "topP", "maxTokens"):
            assert name not in asked.inference
        for name in fields:
            assert asked.noted(name), f"`{name}` went in silence: {asked.notes}"

    def test_nova_2_below_keeps_them(self, stack):
        asked = ask(stack, model=models.NOVA_2, reasoning_effort="low", temperature=0.3, max_tokens=5000)
        assert asked.inference == {"temperature": 0.3, "maxTokens": 5000}

    def test_nova_2_none(self, stack):
        asked = ask(stack, model=models.NOVA_2, reasoning_effort="none")
        assert asked.extra.get("reasoningConfig", {"type": "disabled"})["type"] == "disabled"

    @pytest.mark.parametrize("asked_for", ["low", "medium", "high"])
    def test_gpt_oss(self, stack, asked_for):
        asked = ask(stack, model=models.GPT_OSS, reasoning_effort=asked_for, bedrock_api="converse")
        assert asked.extra == {"reasoning_effort": asked_for}

    @pytest.mark.parametrize("asked_for, sent", [("minimal", "low"), ("xhigh", "high"), ("max", "high")])
    def test_gpt_oss_beyond_its_scale(self, stack, asked_for, sent):
        asked = ask(stack, model=models.GPT_OSS, reasoning_effort=asked_for, bedrock_api="converse")
        assert asked.extra.get("reasoning_effort") == sent

    @pytest.mark.parametrize(
        "fields",
        [{"reasoning_effort": "low"}, {"thinking": {"type": "enabled", "budget_tokens": 2048}}],
        ids=lambda fields: next(iter(fields)),
    )
    def test_deepseek_r1_gets_nothing(self, stack, fields):
        """It thinks anyway, and refuses each field about it."""
        asked = ask(stack, model=models.DEEPSEEK_R1, max_tokens=4096, **fields)
        assert not asked.extra
        assert asked.noted(*fields), asked.notes


class TestInterleaved:
    BETA = ["interleaved-thinking-2025-05-14"]
    THINKING = {"type": "enabled", "budget_tokens": 4096}

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    def test_as_curl_users_send_it(self, stack, stream):
        """bedrock-access-gateway's documented request, `extra_body` included."""
        body = {"anthropic_beta": self.BETA, "thinking": self.THINKING}
        asked = ask(stack, THINKS, model=models.CLAUDE_4, max_tokens=2048, stream=stream, extra_body=body)
        assert asked.extra == body
        assert asked.inference == {"maxTokens": 2048}, "the budget may be above max_tokens here"
        assert asked.answer.reasoning == "I think." and asked.answer.content == "I say."

    def test_as_the_sdk_sends_it(self, stack):
        asked = ask(
            stack, THINKS, model=models.CLAUDE_4, max_tokens=2048, anthropic_beta=self.BETA, thinking=self.THINKING
        )
        assert asked.extra == {"anthropic_beta": self.BETA, "thinking": self.THINKING}

    def test_a_budget_above_max_tokens_without_it_is_told(self, stack):
        asked = ask(stack, THINKS, model=models.CLAUDE_4, max_tokens=2048, thinking=self.THINKING)
        if asked.status == 200:
            assert asked.noted("thinking", "max_tokens"), asked.notes
        else:
            shapes.check_error(asked.reply, 400)

    def test_with_the_effort_of_openais(self, stack):
        """An explicit budget is more exact than an effort."""
        asked = ask(stack, THINKS, max_tokens=9000, thinking=self.THINKING, reasoning_effort="low")
        assert thinking(asked)["budget_tokens"] == 4096


class TestAnswers:
    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    def test_thoughts_and_their_signature(self, stack, stream):
        asked = ask(stack, THINKS, reasoning_effort="low", max_tokens=4000, stream=stream)
        assert asked.answer.reasoning == "I think." and asked.answer.content == "I say."
        (block,) = asked.answer.blocks
        assert block["type"] == "thinking" and block["thinking"] == "I think." and block["signature"]
        assert asked.answer.finish == "stop"

    def test_the_signature_is_the_same_streamed(self, stack):
        whole, streamed = both(stack, THINKS, reasoning_effort="low", max_tokens=4000)
        # Pieces of a stream carry the number of their block, by which OpenAI's SDK joins them.
        assert [{**block, "index": number} for number, block in enumerate(whole.answer.blocks)] == streamed.answer.blocks

    def test_thoughts_without_a_signature(self, stack):
        for asked in both(stack, THINKS, model=models.DEEPSEEK_R1):
            assert asked.answer.reasoning == "I think."
            for block in asked.answer.blocks:
                assert not block.get("signature")

    def test_no_thoughts_no_members(self, stack):
        message = ask(stack, "[[sim:text ok]]").reply.json()["choices"][0]["message"]
        assert "reasoning_content" not in message and "thinking_blocks" not in message

    def test_thoughts_come_before_the_answer(self, stack):
        events = ask(stack, THINKS, reasoning_effort="low", max_tokens=4000, stream=True).events
        deltas = [choice["delta"] for chunk in events.chunks for choice in chunk["choices"]]
        thought = [place for place, delta in enumerate(deltas) if delta.get("reasoning_content")]
        said = [place for place, delta in enumerate(deltas) if delta.get("content")]
        assert thought and said and max(thought) < min(said)

    def test_openais_sdk_shows_them(self, stack):
        """As bedrock-access-gateway's users read them."""
        client, fields = stack.gateway.openai(), {"model": models.CLAUDE_3_7, "messages": [user(THINKS)]}
        fields |= {"reasoning_effort": "low", "max_completion_tokens": 4096}
        completion = client.chat.completions.create(**fields)
        assert completion.choices[0].message.reasoning_content == "I think."
        thought = ""
        for chunk in client.chat.completions.create(**fields, stream=True):
            if getattr(chunk.choices[0].delta, "reasoning_content", None):
                thought += chunk.choices[0].delta.reasoning_content
        assert thought == "I think."

    def test_thoughts_with_calls(self, stack):
        script = '[[sim:reasoning Hm.]][[sim:tool get_weather {"city": "Rome"}]]'
        for asked in both(stack, script, reasoning_effort="low", max_tokens=4000, tools=[WEATHER]):
            assert asked.answer.reasoning == "Hm."
            assert asked.answer.names == ["get_weather"] and asked.answer.finish == "tool_calls"

    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.OPUS_4_7], ids=models.short)
    def test_the_real_count_of_reasoning_tokens(self, stack, model):
        """Converse tells it only if asked to."""
        fields = {"reasoning_effort": "low", "max_tokens": 4000, "stream_options": {"include_usage": True}}
        asked = ask(stack, THINKS, model=model, reasoning_effort="low", max_tokens=4000)
        assert "/usage/output_tokens_details" in asked.call["additionalModelResponseFieldPaths"]
        for answer in (asked.answer, ask(stack, THINKS, model=model, stream=True, **fields).answer):
            details = answer.usage["completion_tokens_details"]
            assert 0 < details["reasoning_tokens"] < answer.usage["completion_tokens"]

    def test_no_count_where_the_model_does_not_tell(self, stack):
        usage = ask(stack, THINKS, model=models.DEEPSEEK_R1).answer.usage
        assert not (usage.get("completion_tokens_details") or {}).get("reasoning_tokens")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
class TestRedacted:
    FIELDS = {"reasoning_effort": "low", "max_tokens": 4000}

    def test_what_is_hidden_is_kept_hidden(self, stack, stream):
        asked = ask(stack, "[[sim:redacted-reasoning]][[sim:text I say.]]", stream=stream, **self.FIELDS)
        (block,) = asked.answer.blocks
        assert block["type"] == "redacted_thinking" and block["data"]
        assert asked.answer.content == "I say." and not asked.answer.reasoning

    def test_between_readable_ones(self, stack, stream):
        said = "[[sim:reasoning One.]][[sim:redacted-reasoning]][[sim:reasoning Two.]][[sim:text I say.]]"
        asked = ask(stack, said, stream=stream, **self.FIELDS)
        kinds = [block["type"] for block in asked.answer.blocks]
        assert kinds == ["thinking", "redacted_thinking", "thinking"]
        assert [block.get("thinking") for block in asked.answer.blocks] == ["One.", None, "Two."]

    def test_it_goes_back_as_it_came(self, stack, stream):
        said = '[[sim:redacted-reasoning]][[sim:tool get_weather {"city": "Rome"}]]'
        answer = ask(stack, said, tools=[WEATHER], stream=stream, **self.FIELDS).answer
        messages = [user("Weather?"), answer.message, result(answer.calls[0]["id"], "Sunny.")]
        asked = ask(stack, messages=messages, tools=[WEATHER], stream=stream, **self.FIELDS)
        assert asked.status == 200, asked.reply.text
        (sent,) = blocks(asked.call, "reasoningContent")
        assert sent == {"redactedContent": answer.blocks[0]["data"]}
        assert "Sunny." in asked.answer.content

    def test_no_tags_around_nothing(self, stack, stream):
        said = "[[sim:redacted-reasoning]][[sim:text I say.]]"
        asked = ask(stack, said, include_thinking_data=True, stream=stream, **self.FIELDS)
        assert asked.answer.content.replace("<think></think>", "").strip() == "I say."


class TestThoughtsInContent:
    """`include_thinking_data`, as bedrock-wrapper has it."""

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    @pytest.mark.parametrize(
        "model, tag",
        [(models.CLAUDE_4_5, "think"), (models.GPT_OSS, "reasoning"), (models.DEEPSEEK_R1, "think")],
        ids=["claude", "gpt-oss", "deepseek"],
    )
    def test_tags(self, stack, model, tag, stream):
        fields = {"include_thinking_data": True, "max_tokens": 4000, "stream": stream, "bedrock_api": "converse"}
        asked = ask(stack, THINKS, model=model, **fields)
        content = asked.answer.content
        opened, rest = content.split(f"<{tag}>", 1)
        thought, said = rest.split(f"</{tag}>", 1)
        assert not opened.strip() and thought.strip() == "I think." and said.strip() == "I say."
        assert "include_thinking_data" not in asked.extra

    def test_the_same_streamed(self, stack):
        whole, streamed = both(stack, THINKS, include_thinking_data=True, reasoning_effort="low", max_tokens=4000)
        assert whole.answer.content == streamed.answer.content

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    def test_no_thoughts_no_tags(self, stack, stream):
        asked = ask(stack, "[[sim:text I say.]]", model=models.NOVA, include_thinking_data=True, stream=stream)
        assert asked.answer.content == "I say."

    def test_tags_are_closed_before_calls(self, stack):
        script = '[[sim:reasoning Hm.]][[sim:tool get_weather {"city": "Rome"}]]'
        fields = {"include_thinking_data": True, "reasoning_effort": "low", "max_tokens": 4000, "tools": [WEATHER]}
        for asked in both(stack, script, **fields):
            assert asked.answer.content.strip() == "<think>Hm.</think>"
            assert asked.answer.names == ["get_weather"]

    def test_false_is_the_default(self, stack):
        asked = ask(stack, THINKS, include_thinking_data=False, reasoning_effort="low", max_tokens=4000)
        assert asked.answer.content == "I say." and asked.answer.reasoning == "I think."


class TestWhatThinkingForbids:
    FIELDS = {"reasoning_effort": "low", "max_tokens": 4000}

    @pytest.mark.parametrize("temperature", [0, 0.7])
    def test_temperature_becomes_1(self, stack, temperature):
        asked = ask(stack, THINKS, temperature=temperature, **self.FIELDS)
        assert asked.inference.get("temperature", 1) == 1
        assert asked.noted("temperature"), asked.notes

    def test_1_is_no_adaptation(self, stack):
        assert not ask(stack, THINKS, temperature=1, **self.FIELDS).notes

    def test_top_p_and_top_k(self, stack):
        asked = ask(stack, THINKS, model=models.CLAUDE_4, top_p=0.5, top_k=5, **self.FIELDS)
        assert asked.inference.get("topP", 1) >= 0.95 and "top_k" not in asked.extra
        assert asked.noted("top_p") and asked.noted("top_k"), asked.notes

    @pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_time"}}], ids=str)
    @pytest.mark.parametrize(
        "fields",
        [{"reasoning_effort": "low"}, {"thinking": {"type": "enabled", "budget_tokens": 2048}}],
        ids=["effort", "thinking"],
    )
    def test_forced_calls_become_free_ones(self, stack, fields, choice):
        asked = ask(stack, THINKS, tools=[WEATHER, TIME], tool_choice=choice, max_tokens=4000, **fields)
        assert asked.call["toolConfig"].get("toolChoice", {"auto": {}}) == {"auto": {}}
        assert asked.noted("tool_choice"), asked.notes

    def test_forced_calls_are_refused_where_adapting_is_not_wanted(self, stack):
        asked = ask(stack, tools=[WEATHER], tool_choice="required", on_unsupported="reject", **self.FIELDS)
        shapes.check_error(asked.reply, 400, code="unsupported_parameter", param="tool_choice")

    def test_parallel_calls_can_still_be_forbidden(self, stack):
        described = tool("go", schema(a="string"), description="Go.")
        asked = ask(stack, THINKS, tools=[described], parallel_tool_calls=False, **self.FIELDS)
        assert asked.extra["tool_choice"]["disable_parallel_tool_use"] is True

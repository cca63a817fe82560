"""Prompt caching: where cache points come from, and how they are counted."""

import json

import pytest

from support import models, shapes
from support.exchange import TIME, WEATHER, ask, assistant, kinds, user

PROMPT_CACHING = "OUTCROP_PROMPT_CACHING"
EPHEMERAL = {"type": "ephemeral"}
POINT = {"cachePoint": {"type": "default"}}
# Some 6,000 tokens: above each model's least prefix.
LONG = "Granite is an igneous rock that crystallises slowly, deep below. " * 400


def part(text, **fields):
    return {"type": "text", "text": text} | fields


def points(call):
    """How many cache points a call has, by place."""
    return {
        "system": kinds(call.get("system", [])).count("cachePoint"),
        "tools": kinds(call.get("toolConfig", {}).get("tools", [])).count("cachePoint"),
        "messages": sum(kinds(message["content"]).count("cachePoint") for message in call["messages"]),
    }


NOWHERE = {"system": 0, "tools": 0, "messages": 0}


class TestExplicit:
    def test_nothing_by_itself(self, stack):
        messages = [{"role": "system", "content": LONG}, user("[[sim:text ok]]")]
        assert points(ask(stack, messages=messages, tools=[WEATHER]).call) == NOWHERE

    def test_on_a_users_text(self, stack):
        content = [part(LONG, cache_control=EPHEMERAL), part("[[sim:text ok]]")]
        call = ask(stack, content).call
        assert kinds(call["messages"][0]["content"]) == ["text", "cachePoint", "text"]
        assert call["messages"][0]["content"][1] == POINT

    def test_on_a_system_prompts_text(self, stack):
        messages = [
            {"role": "system", "content": [part(LONG, cache_control=EPHEMERAL), part("Be brief.")]},
            user("[[sim:text ok]]"),
        ]
        assert kinds(ask(stack, messages=messages).call["system"]) == ["text", "cachePoint", "text"]

    @pytest.mark.parametrize("role", ["system", "user"])
    def test_on_a_whole_message(self, stack, role):
        """LiteLLM's form."""
        messages = [{"role": role, "content": LONG, "cache_control": EPHEMERAL}, user("[[sim:text ok]]")]
        call = ask(stack, messages=messages).call
        assert sum(points(call).values()) == 1
        place = call["system"] if role == "system" else call["messages"][0]["content"]
        assert kinds(place)[:2] == ["text", "cachePoint"]

    def test_on_an_assistants_message(self, stack):
        messages = [user(LONG), assistant("Yes.", cache_control=EPHEMERAL), user("[[sim:text ok]]")]
        assert kinds(ask(stack, messages=messages).call["messages"][1]["content"]) == ["text", "cachePoint"]

    def test_on_a_tools_result(self, stack):
        messages = [
            user("Go."),
            assistant(calls=[("call_1", "get_weather", {"city": "Rome"})]),
            {"role": "tool", "tool_call_id": "call_1", "content": LONG, "cache_control": EPHEMERAL},
        ]
        assert kinds(ask(stack, messages=messages, tools=[WEATHER]).call["messages"][2]["content"]) == [
            "toolResult",
            "cachePoint",
        ]

    @pytest.mark.parametrize("inside", [False, True], ids=["tool", "function"])
    def test_on_a_tool(self, stack, inside):
        marked = {"type": "function", "function": dict(WEATHER["function"])}
        (marked["function"] if inside else marked)["cache_control"] = EPHEMERAL
        tools = ask(stack, tools=[marked, TIME]).call["toolConfig"]["tools"]
        assert kinds(tools) == ["toolSpec", "cachePoint", "toolSpec"]

    @pytest.mark.parametrize("ttl", ["5m", "1h"])
    def test_its_time_to_live(self, stack, ttl):
        content = [part(LONG, cache_control=EPHEMERAL | {"ttl": ttl}), part("[[sim:text ok]]")]
        point = ask(stack, content).call["messages"][0]["content"][1]["cachePoint"]
        assert point.get("ttl", "5m") == ttl

    def test_an_hour_where_the_model_has_five_minutes(self, stack):
        content = [part(LONG, cache_control=EPHEMERAL | {"ttl": "1h"}), part("[[sim:text ok]]")]
        asked = ask(stack, content, model=models.NOVA)
        assert points(asked.call)["messages"] == 1
        assert asked.noted("cache", "ttl"), asked.notes

    def test_on_an_image(self, stack):
        from support.media import data_url, png

        image = {"type": "image_url", "image_url": {"url": data_url(png())}, "cache_control": EPHEMERAL}
        content = ask(stack, [image, part("[[sim:text ok]]")]).call["messages"][0]["content"]
        assert kinds(content) == ["image", "cachePoint", "text"]

    def test_cache_control_of_null_is_none(self, stack):
        asked = ask(stack, [part("[[sim:text ok]]", cache_control=None)])
        assert points(asked.call) == NOWHERE and not asked.notes

    @pytest.mark.parametrize("given", ["ephemeral", {"type": "eternal"}, {"type": "ephemeral", "ttl": "9y"}], ids=str)
    def test_bad_ones_are_named_or_left_out_visibly(self, stack, given):
        asked = ask(stack, [part("[[sim:text ok]]", cache_control=given)])
        if asked.status == 200:
            assert asked.noted("cache"), asked.notes
        else:
            shapes.check_error(asked.reply, 400, param="cache_control")


class TestOpenais:
    BREAKPOINT = {"prompt_cache_breakpoint": {"mode": "explicit"}}

    def test_a_breakpoint(self, stack):
        content = [part(LONG, **self.BREAKPOINT), part("[[sim:text ok]]")]
        assert kinds(ask(stack, content).call["messages"][0]["content"]) == ["text", "cachePoint", "text"]

    def test_a_breakpoint_in_the_system_prompt(self, stack):
        messages = [{"role": "system", "content": [part(LONG, **self.BREAKPOINT)]}, user("[[sim:text ok]]")]
        assert kinds(ask(stack, messages=messages).call["system"]) == ["text", "cachePoint"]

    def test_implicit_asks_for_automatic_points(self, stack):
        messages = [{"role": "system", "content": LONG}, user("[[sim:text ok]]")]
        asked = ask(stack, messages=messages, prompt_cache_options={"mode": "implicit"})
        assert sum(points(asked.call).values()) > 0

    def test_explicit_asks_for_none(self, stack):
        messages = [{"role": "system", "content": LONG}, user("[[sim:text ok]]")]
        asked = ask(stack, messages=messages, prompt_cache_options={"mode": "explicit"}, prompt_caching="auto")
        assert points(asked.call) == NOWHERE

    @pytest.mark.parametrize(
        "given",
        [{"prompt_cache_key": "k"}, {"prompt_cache_retention": "24h"}, {"prompt_cache_options": {"ttl": "30m"}}],
        ids=lambda given: next(iter(given)),
    )
    def test_hints_do_no_harm(self, stack, given):
        asked = ask(stack, **given)
        assert asked.status == 200 and "prompt_cache" not in json.dumps(asked.call)


def marked(count):
    return [part(f"{place} {LONG[:600]}", cache_control=EPHEMERAL) for place in range(count)]


class TestLimits:
    @pytest.mark.parametrize("count", [4, 5, 9])
    def test_four_at_most_and_the_last_ones_count_most(self, stack, count):
        asked = ask(stack, [*marked(count), part("[[sim:text ok]]")])
        assert points(asked.call)["messages"] == 4
        assert kinds(asked.call["messages"][0]["content"])[-3:] == ["text", "cachePoint", "text"]
        assert asked.noted("cache") == (count > 4), asked.notes

    def test_four_over_all_places(self, stack):
        messages = [
            {"role": "system", "content": marked(2)},
            user(marked(2)),
            assistant("Yes."),
            user([*marked(1), part("[[sim:text ok]]")]),
        ]
        asked = ask(stack, messages=messages, tools=[WEATHER | {"cache_control": EPHEMERAL}])
        assert sum(points(asked.call).values()) == 4 and asked.noted("cache")

    @pytest.mark.parametrize(
        "model",
        [models.CLAUDE_3, models.LLAMA_3_1, models.QWEN, models.GPT_OSS, models.COMMAND_R, models.MISTRAL_7B],
        ids=models.short,
    )
    @pytest.mark.parametrize("caching", ["explicit", "auto"])
    def test_models_without(self, stack, model, caching):
        """A hint about cost, which changes no answer."""
        content = [part(LONG, cache_control=EPHEMERAL), part("[[sim:text ok]]")]
        asked = ask(stack, content, model=model, prompt_caching=caching)
        assert points(asked.call) == NOWHERE and asked.answer.content == "ok"

    @pytest.mark.parametrize(
        "model", [models.CLAUDE_4, models.CLAUDE_4_5, models.OPUS_4_7, models.NOVA], ids=models.short
    )
    def test_models_with(self, stack, model):
        content = [part(LONG, cache_control=EPHEMERAL), part("[[sim:text ok]]")]
        assert points(ask(stack, content, model=model).call)["messages"] == 1


class TestModes:
    SYSTEM = {"role": "system", "content": LONG}

    def test_off(self, stack):
        content = [part(LONG, cache_control=EPHEMERAL), part("[[sim:text ok]]")]
        assert points(ask(stack, content, prompt_caching="off").call) == NOWHERE

    def test_auto(self, stack):
        messages = [self.SYSTEM, user(LONG), assistant("Yes."), user("[[sim:text ok]]")]
        asked = ask(stack, messages=messages, tools=[WEATHER, TIME], prompt_caching="auto")
        found = points(asked.call)
        assert found["messages"] >= 1 and 1 < sum(found.values()) <= 4, found
        assert found["system"] <= 1 and found["tools"] <= 1
        if found["tools"]:
            assert kinds(asked.call["toolConfig"]["tools"])[-1] == "cachePoint"
        if found["system"]:
            assert kinds(asked.call["system"])[-1] == "cachePoint"

    def test_auto_marks_the_same_borders_in_the_next_turn(self, stack):
        """Or nothing would be read from the cache: what was marked last must still be a prefix."""
        messages = [self.SYSTEM, user(LONG)]
        first = ask(stack, messages=messages, prompt_caching="auto").call
        messages += [assistant("Yes."), user("Go on. [[sim:text ok]]")]
        second = ask(stack, messages=messages, prompt_caching="auto").call

        def bare(blocks):
            return [block for block in blocks if "cachePoint" not in block]

        assert bare(first["system"]) == bare(second["system"])
        assert points(first)["messages"] and points(second)["messages"]
        marked_turns = [place for place, m in enumerate(second["messages"]) if "cachePoint" in kinds(m["content"])]
        assert 0 in marked_turns or len(marked_turns) < 2, "the turn that was written must be read again"
        assert max(marked_turns) == 2, "the newest turn is written"

    def test_auto_below_the_least_prefix(self, stack):
        messages = [{"role": "system", "content": "Be brief."}, user("[[sim:text ok]]")]
        assert points(ask(stack, messages=messages, tools=[WEATHER], prompt_caching="auto").call) == NOWHERE

    @pytest.mark.parametrize(
        "model, words, marked_",
        [(models.HAIKU_4_5, 300, False), (models.HAIKU_4_5, 3000, True), (models.CLAUDE_4_5, 600, True)],
        ids=str,
    )
    def test_auto_knows_each_models_least_prefix(self, stack, model, words, marked_):
        """4,096 tokens for Haiku 4.5, 1,024 for Sonnet 4.5; a token is some four characters."""
        messages = [{"role": "system", "content": "granites " * words}, user("[[sim:text ok]]")]
        asked = ask(stack, messages=messages, model=model, prompt_caching="auto")
        assert bool(sum(points(asked.call).values())) == marked_

    def test_auto_leaves_points_of_the_clients_own(self, stack):
        content = [part(LONG, cache_control=EPHEMERAL), part(LONG), part("[[sim:text ok]]")]
        asked = ask(stack, content, prompt_caching="auto")
        assert kinds(asked.call["messages"][0]["content"])[:2] == ["text", "cachePoint"]
        assert sum(points(asked.call).values()) <= 4

    @pytest.mark.parametrize(
        "given, where",
        [
            ({"system": True}, ["system"]),
            ({"messages": True}, ["messages"]),
            ({"system": True, "messages": True}, ["system", "messages"]),
            ({"system": False, "messages": False}, []),
        ],
        ids=str,
    )
    def test_bedrock_access_gateways_object(self, stack, given, where):
        messages = [self.SYSTEM, user(f"{LONG} [[sim:text ok]]")]
        found = points(ask(stack, messages=messages, prompt_caching=given).call)
        assert [place for place, count in found.items() if count] == where

    @pytest.mark.parametrize("given", ["always", 3, {"tools": "yes"}, {"system": 1}], ids=str)
    def test_other_words_are_named(self, stack, given):
        shapes.check_error(ask(stack, prompt_caching=given).reply, 400, param="prompt_caching")

    def test_of_the_gateway(self, stacked):
        stack = stacked(env={PROMPT_CACHING: "auto"})
        messages = [self.SYSTEM, user("[[sim:text ok]]")]
        assert sum(points(ask(stack, messages=messages).call).values()) > 0
        assert points(ask(stack, messages=messages, prompt_caching="off").call) == NOWHERE
        assert points(ask(stack, messages=messages, prompt_caching="explicit").call) == NOWHERE


class TestWhereBedrockRefusesPoints:
    """A hint about cost must never make a request fail."""

    @pytest.mark.parametrize(
        "model, fields",
        [
            (models.NOVA, {"tools": [WEATHER | {"cache_control": EPHEMERAL}]}),
            (models.NOVA, {"tools": [WEATHER], "prompt_caching": "auto"}),
            (
                models.CLAUDE_4_5,
                {"messages": [{"role": "system", "content": [part("", cache_control=EPHEMERAL)]}, user("Hi.")]},
            ),
            (models.CLAUDE_4_5, {"messages": [user([part(" ", cache_control=EPHEMERAL), part("Hi.")])]}),
        ],
        ids=["nova's tools", "nova's tools by themselves", "a blank system prompt", "a blank text"],
    )
    def test_at_odd_places(self, stack, model, fields):
        messages = fields.pop("messages", [{"role": "system", "content": LONG}, user("Hi.")])
        assert ask(stack, model=model, messages=messages, **fields).status == 200

    @pytest.mark.parametrize("caching", ["explicit", "auto"])
    @pytest.mark.parametrize("model", [models.NOVA, models.CLAUDE_4_5], ids=models.short)
    def test_behind_results(self, stack, model, caching):
        messages = [
            user(LONG),
            assistant(calls=[("call_1", "get_weather", {"city": "Rome"})], cache_control=EPHEMERAL),
            {"role": "tool", "tool_call_id": "call_1", "content": LONG, "cache_control": EPHEMERAL},
        ]
        asked = ask(stack, model=model, messages=messages, tools=[WEATHER], prompt_caching=caching)
        assert asked.status == 200, asked.reply.text

    def test_an_hour_behind_five_minutes(self, stack):
        content = [
            part(LONG, cache_control=EPHEMERAL | {"ttl": "5m"}),
            part(LONG, cache_control=EPHEMERAL | {"ttl": "1h"}),
            part("[[sim:text ok]]"),
        ]
        asked = ask(stack, content)
        assert asked.status == 200, asked.reply.text
        assert asked.noted("cache", "ttl"), asked.notes

    def test_behind_a_document_that_is_no_pdf(self, stack):
        from support import media

        document = {
            "type": "file",
            "file": {"filename": "a.txt", "file_data": media.data_url(LONG.encode(), "text/plain")},
            "cache_control": EPHEMERAL,
        }
        asked = ask(stack, [document, part("[[sim:text ok]]")])
        assert asked.status == 200, asked.reply.text

    def test_behind_what_a_turn_ends_with(self, stack):
        """Points that are set by themselves must stand where each kind of block bears them."""
        from support import media

        text = {"type": "file", "file": {"filename": "a.txt", "file_data": media.data_url(LONG.encode(), "text/plain")}}
        picture = {"type": "image_url", "image_url": {"url": media.data_url(media.png())}}
        for model in (models.CLAUDE_4_5, models.NOVA):
            for last in (text, picture):
                asked = ask(stack, [part(f"{LONG} [[sim:text ok]]"), last], model=model, prompt_caching="auto")
                assert asked.status == 200, asked.reply.text
                thought = ask(stack, messages=[user(LONG), assistant("Hm."), user([last, part("Go.")])], model=model)
                assert thought.status == 200, thought.reply.text


@pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.HAIKU_4_5, models.OPUS_4_7, models.NOVA], ids=models.short)
class TestHits:
    def test_a_conversation_reads_what_it_wrote(self, stack, model):
        """The simulator really caches: each turn finds the one before."""
        messages = [{"role": "system", "content": f"{LONG} {model}"}, user("Hello. [[sim:text Hi.]]")]
        read = []
        for turn in range(3):
            asked = ask(stack, model=model, messages=messages, tools=[WEATHER], prompt_caching="auto", keep=turn > 0)
            details = asked.answer.usage["prompt_tokens_details"]
            read.append(details["cached_tokens"])
            messages += [assistant(asked.answer.content), user(f"And {turn}? {LONG} [[sim:text Hi.]]")]
        assert read[0] == 0 and 0 < read[1] < read[2], read

    def test_by_points_of_the_clients_own(self, stack, model):
        content = [part(f"{LONG} {model} own", cache_control=EPHEMERAL), part("[[sim:text ok]]")]
        first = ask(stack, content, model=model).answer.usage["prompt_tokens_details"]
        second = ask(stack, content, model=model, keep=True).answer.usage["prompt_tokens_details"]
        assert first["cached_tokens"] == 0 and first["cache_write_tokens"] > 1000
        assert second["cached_tokens"] == first["cache_write_tokens"] and second["cache_write_tokens"] == 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_usage(stack, stream):
    """`prompt_tokens` includes what was read from the cache and written to it, as OpenAI's does."""
    options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    plain = ask(stack, "Same. [[sim:text ok]] [[sim:cache read=000 write=00]]", **options).answer.usage
    asked = ask(stack, "Same. [[sim:text ok]] [[sim:cache read=100 write=20]]", **options)
    usage = asked.answer.usage
    assert usage["prompt_tokens"] == plain["prompt_tokens"] + 120
    details = usage["prompt_tokens_details"]
    assert details["cached_tokens"] == 100 and details["cache_write_tokens"] == 20
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]

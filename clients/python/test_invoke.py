"""The Invoke API: how it is chosen, and Claude, which can the same on both.

What each other family can is in test_invoke_families.py.
"""

import json

import pytest

from support import media, models, shapes
from support.exchange import (
    TIME,
    WEATHER,
    assistant,
    blocks,
    result,
    schema,
    tool,
    user,
)
from support.process import run
from support.routed import CLAUDE, CONVERSE, INVOKE, dry, invoke, send, went

CALL = '[[sim:tool get_weather {"city": "Paris"}]]'
BOTH_CALLS = '[[sim:tool get_weather {"city": "Paris"}]][[sim:tool get_time {"zone": "CET"}]]'
THINKS = "[[sim:reasoning I think.]][[sim:text I say.]]"
PICTURE = {"type": "image_url", "image_url": {"url": media.data_url(media.png())}}
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
APIS = [CONVERSE, INVOKE]


def usage(exchange):
    """What was counted, whole or streamed."""
    counted = exchange.answer.usage
    return {name: counted[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")}


def streamed(stack, *arguments, **fields):
    return send(stack, *arguments, stream=True, stream_options={"include_usage": True}, **fields)


class TestChoice:
    @STREAMS
    @pytest.mark.parametrize(
        "fields, route",
        [
            ({}, CONVERSE),
            ({"bedrock_api": "converse"}, CONVERSE),
            ({"bedrock_api": "invoke"}, INVOKE),
            ({"useConverseAPI": True}, CONVERSE),
            ({"useConverseAPI": False}, INVOKE),
            ({"use_converse_api": True}, CONVERSE),
            ({"use_converse_api": False}, INVOKE),
            ({"bedrock_api": None, "useConverseAPI": None}, CONVERSE),
            ({"extra_body": {"bedrock_api": "invoke"}}, INVOKE),
        ],
        ids=str,
    )
    def test_by_the_request(self, stack, fields, route, stream):
        asked = send(stack, "[[sim:text Here.]]", stream=stream, **fields)
        assert asked.answer.content == "Here." and asked.route == route
        body = json.dumps(asked.call)
        assert not [name for name in ("bedrock_api", "useConverseAPI", "use_converse_api") if name in body]

    def test_the_paths(self, stack):
        assert invoke(stack).path.replace("%3A", ":") == f"/model/{CLAUDE}/invoke"
        assert invoke(stack, stream=True).path.replace("%3A", ":") == f"/model/{CLAUDE}/invoke-with-response-stream"

    @pytest.mark.parametrize("source", ["flag", "variable", "file"])
    def test_by_the_operator(self, stacked, tmp_path, source):
        file = tmp_path / "outcrop.toml"
        file.write_text('bedrock_api = "invoke"\n' if source == "file" else "")
        flags = ["--bedrock-api", "invoke"] if source == "flag" else ["--config", file]
        stack = stacked(*flags, env={"OUTCROP_BEDROCK_API": "invoke"} if source == "variable" else {})
        assert send(stack).route == INVOKE
        assert send(stack, bedrock_api="converse").route == CONVERSE, "the request goes before the operator"
        assert send(stack, model=models.NOVA).route == INVOKE

    def test_by_a_policy(self, stacked, tmp_path):
        file = tmp_path / "outcrop.toml"
        file.write_text('[[policies]]\nmodels = ["*nova*"]\nbedrock_api = "invoke"\n')
        stack = stacked("--config", file)
        assert send(stack, model=models.NOVA).route == INVOKE
        assert send(stack, model="Nova-Pro").route == INVOKE
        assert send(stack).route == CONVERSE

    def test_by_the_name(self, stack):
        assert send(stack, model=f"bedrock/invoke/{CLAUDE}").route == INVOKE
        both = send(stack, model=f"bedrock/invoke/{CLAUDE}", bedrock_api="converse")
        assert both.route == CONVERSE, "the member says it more plainly than the name"

    @pytest.mark.parametrize("flag", ["useConverseAPI", "use_converse_api"])
    def test_models_that_have_only_converse(self, stack, flag):
        """bedrock-wrapper does so, whatever it is told."""
        asked = send(stack, "[[sim:text Here.]]", model=models.DEEPSEEK_V3, **{flag: False})
        assert asked.answer.content == "Here." and asked.route == CONVERSE

    @pytest.mark.parametrize(
        "fields",
        [{"bedrock_api": "convers"}, {"bedrock_api": 1}, {"useConverseAPI": "no"}, {"use_converse_api": 0}],
        ids=str,
    )
    def test_nonsense_is_named(self, stack, fields):
        asked = send(stack, **fields)
        shapes.check_error(asked.reply, 400, param=next(iter(fields)))
        assert not asked.requests

    @pytest.mark.parametrize("value", ['"quick"', "true"])
    def test_nonsense_of_the_operators_is_found_before_it_serves(self, tmp_path, value):
        file = tmp_path / "outcrop.toml"
        file.write_text('bedrock_api = "invoke"\n')
        assert run("config", "check", cwd=tmp_path).returncode == 0
        file.write_text(f"bedrock_api = {value}\n")
        ended = run("config", "check", cwd=tmp_path)
        assert ended.returncode != 0 and "bedrock_api" in ended.stderr + ended.stdout, ended

    def test_is_in_every_answer(self, gateway):
        for body in ({}, {"stream": True}):
            assert gateway.chat("[[sim:text ok]]", body=body).headers["x-outcrop-route"] == CONVERSE

    def test_is_in_the_answer_of_an_error_of_bedrocks(self, stack):
        asked = invoke(stack, "[[sim:error ThrottlingException times=9]]")
        shapes.check_error(asked.reply, 429, code="throttled")
        assert asked.reply.headers["x-outcrop-route"] == INVOKE


class TestDryRun:
    @STREAMS
    def test_shows_the_call(self, stack, stream):
        said = dry(stack, "Hello.", bedrock_api="invoke", stream=stream, max_tokens=99)
        suffix = "/invoke-with-response-stream" if stream else "/invoke"
        assert said["url"].replace("%3A", ":").endswith(f"/model/{CLAUDE}{suffix}")
        assert said["body"]["anthropic_version"] == "bedrock-2023-05-31"
        assert said["body"]["max_tokens"] == 99 and "Hello." in json.dumps(said["body"]["messages"])
        action = "bedrock:InvokeModelWithResponseStream" if stream else "bedrock:InvokeModel"
        assert action in [entry["action"] for entry in said["iam"]]

    def test_is_the_call(self, stack):
        fields = {"temperature": 0.2, "tools": [WEATHER], "tool_choice": "required", "stop": ["END"]}
        said, real = dry(stack, bedrock_api="invoke", **fields), invoke(stack, **fields)
        assert said["body"] == real.call
        assert said["url"] == stack.simulator.url + real.requests[0]["path"]


class TestClaude:
    """The same result by either API."""

    @pytest.mark.parametrize(
        "said",
        ["[[sim:text Héllo, wörld 💥 — line\nline]]", "[[sim:tokens 300]]", "Why is the sky blue?"],
        ids=["text", "tokens", "quoted"],
    )
    def test_says_the_same(self, stack, said):
        whole = [send(stack, said, bedrock_api=api, max_tokens=1000) for api in APIS]
        parts = [streamed(stack, said, bedrock_api=api, max_tokens=1000) for api in APIS]
        assert len({one.answer.content for one in whole + parts}) == 1
        assert {one.answer.finish for one in whole + parts} == {"stop"}
        assert [one.route for one in whole + parts] == APIS * 2
        counts = [usage(one) for one in whole + parts]
        assert all(count == counts[0] for count in counts), counts

    @STREAMS
    def test_is_openais_to_the_letter(self, stack, stream):
        asked = invoke(stack, "[[sim:text Here.]]", stream=stream)
        if stream:
            assert shapes.check_stream(asked.events.chunks) == ["Here."] and asked.events.done
        else:
            shapes.check_completion(asked.reply.json())
        assert asked.answer.document["model"] == CLAUDE
        assert asked.model == CLAUDE

    def test_by_the_sdk(self, stack):
        client = stack.gateway.openai()
        fields = {"model": CLAUDE, "messages": [user("[[sim:text One two three.]] [[sim:chunk 4]]")]}
        fields["extra_body"] = {"bedrock_api": "invoke"}
        raw = client.chat.completions.with_raw_response.create(**fields)
        assert raw.headers["x-outcrop-route"] == INVOKE
        assert raw.parse().choices[0].message.content == "One two three."
        with client.chat.completions.create(stream=True, **fields) as chunks:
            said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert "".join(said) == "One two three." and len([piece for piece in said if piece]) > 2, "it came in one piece"

    def test_the_usage_is_in_the_headers(self, stack):
        asked = invoke(stack, "[[sim:text One two three.]]")
        assert int(asked.reply.headers["x-token-usage-input"]) == asked.answer.usage["prompt_tokens"]
        assert int(asked.reply.headers["x-token-usage-output"]) == asked.answer.usage["completion_tokens"]

    def test_usage_of_a_stream_only_where_it_is_asked_for(self, stack):
        assert invoke(stack, stream=True).answer.usage is None
        chunks = streamed(stack, bedrock_api="invoke").events.chunks
        shapes.check_stream(chunks, include_usage=True)

    @STREAMS
    def test_length(self, stack, stream):
        asked = invoke(stack, "[[sim:tokens 300]]", max_tokens=20, stream=stream)
        assert asked.answer.finish == "length"
        assert asked.call["max_tokens"] == 20

    def test_a_limit_is_sent_where_the_client_gives_none(self, stack):
        """Claude's own body must have one, Converse's needn't."""
        asked = invoke(stack, "[[sim:tokens 600]]")
        assert asked.call["max_tokens"] >= 4096 and asked.answer.finish == "stop"

    @STREAMS
    def test_stop_sequences(self, stack, stream):
        asked = invoke(stack, "[[sim:text One two END three.]]", stop=["END"], stream=stream)
        assert asked.call["stop_sequences"] == ["END"]
        assert asked.answer.content == "One two " and asked.answer.finish == "stop"

    def test_system_prompts_and_turns(self, stack):
        messages = [
            {"role": "system", "content": "Be brief."},
            user("One?"),
            assistant("Two."),
            user("[[sim:text Three.]]"),
        ]
        asked = invoke(stack, messages=messages)
        assert asked.answer.content == "Three."
        assert "Be brief." in json.dumps(asked.call["system"])
        assert [message["role"] for message in asked.call["messages"]] == ["user", "assistant", "user"]

    @pytest.mark.parametrize(
        "given, sent",
        [
            ({"temperature": 0.5}, {"temperature": 0.5}),
            ({"top_p": 0.5}, {"top_p": 0.5}),
            ({"top_k": 5}, {"top_k": 5}),
            ({"max_completion_tokens": 77}, {"max_tokens": 77}),
        ],
        ids=str,
    )
    def test_sampling(self, stack, given, sent):
        call = invoke(stack, **given).call
        assert call == call | sent

    def test_one_of_the_two_is_dropped_as_ever(self, stack):
        asked = invoke(stack, temperature=0.5, top_p=0.5)
        assert "top_p" not in asked.call and asked.notes["top_p"] == ["dropped(temperature-set)"]

    @pytest.mark.parametrize("model", [models.OPUS_4_7, models.CLAUDE_5, models.OPUS_5_5], ids=models.short)
    def test_those_that_take_no_sampling(self, stack, model):
        asked = invoke(stack, "[[sim:text Here.]]", model=model, temperature=0.5, top_k=5)
        assert asked.answer.content == "Here." and asked.notes
        assert not {"temperature", "top_k", "top_p"} & set(asked.call)

    @pytest.mark.parametrize(
        "model",
        [models.CLAUDE_3, models.CLAUDE_3_7, models.CLAUDE_4, models.CLAUDE_4_6, models.FABLE_5],
        ids=models.short,
    )
    @STREAMS
    def test_every_generation(self, stack, model, stream):
        asked = invoke(stack, "[[sim:text Here.]]", model=model, stream=stream)
        assert asked.answer.content == "Here." and asked.answer.finish == "stop" and asked.route == INVOKE


class TestTools:
    @STREAMS
    def test_a_call(self, stack, stream):
        asked = invoke(stack, f"[[sim:text Let me see.]] {CALL}", tools=[WEATHER], stream=stream)
        answer = asked.answer
        assert answer.names == ["get_weather"] and answer.arguments == [{"city": "Paris"}]
        assert answer.finish == "tool_calls" and "Let me see." in answer.content
        (sent,) = asked.call["tools"]
        assert sent["name"] == "get_weather" and sent["input_schema"] == WEATHER["function"]["parameters"]

    @STREAMS
    def test_calls_side_by_side(self, stack, stream):
        answer = invoke(stack, BOTH_CALLS, tools=[WEATHER, TIME], stream=stream).answer
        assert answer.names == ["get_weather", "get_time"]
        assert answer.arguments == [{"city": "Paris"}, {"zone": "CET"}]
        assert len({call["id"] for call in answer.calls}) == 2

    @STREAMS
    def test_a_call_without_arguments(self, stack, stream):
        answer = invoke(stack, "[[sim:tool go {}]]", tools=[tool("go", description="Go.")], stream=stream).answer
        assert answer.calls[0]["function"]["arguments"] == "{}"

    @pytest.mark.parametrize(
        "choice, sent",
        [
            ("auto", {"type": "auto"}),
            ("required", {"type": "any"}),
            ({"type": "function", "function": {"name": "get_time"}}, {"type": "tool", "name": "get_time"}),
        ],
        ids=["auto", "required", "named"],
    )
    def test_choices(self, stack, choice, sent):
        call = invoke(stack, tools=[WEATHER, TIME], tool_choice=choice).call
        assert call.get("tool_choice", {"type": "auto"}) == sent

    def test_one_at_a_time(self, stack):
        asked = invoke(stack, BOTH_CALLS, tools=[WEATHER, TIME], parallel_tool_calls=False)
        assert asked.call["tool_choice"]["disable_parallel_tool_use"] is True
        assert asked.answer.names == ["get_weather"]

    @STREAMS
    def test_two_rounds(self, stack, stream):
        first = invoke(stack, f"Weather? {CALL}", tools=[WEATHER], stream=stream).answer
        messages = [user("Weather?"), first.message, result(first.calls[0]["id"], "Sunny.")]
        asked = invoke(stack, messages=messages, tools=[WEATHER], stream=stream)
        assert asked.answer.finish == "stop" and "Sunny." in asked.answer.content
        said = json.dumps(asked.call["messages"])
        assert "tool_use" in said and "tool_result" in said

    def test_parallel_results_are_one_turn(self, stack):
        messages = [
            user("Weather and time?"),
            assistant(calls=[("call_a", "get_weather", {"city": "Paris"}), ("call_b", "get_time", {"zone": "CET"})]),
            result("call_b", "Noon."),
            result("call_a", "Sunny."),
        ]
        sent = invoke(stack, messages=messages, tools=[WEATHER, TIME]).call["messages"]
        assert [message["role"] for message in sent] == ["user", "assistant", "user"]
        assert [block["tool_use_id"] for block in sent[2]["content"]] == ["call_a", "call_b"]

    def test_an_error_is_marked_as_one(self, stack):
        messages = [user("Weather?"), assistant(calls=[("c", "get_weather", {"city": "X"})])]
        messages.append(result("c", "No such city.", is_error=True))
        sent = invoke(stack, messages=messages, tools=[WEATHER]).call["messages"]
        assert sent[2]["content"][0]["is_error"] is True


class TestPictures:
    @STREAMS
    def test_reach_the_model(self, stack, stream):
        content = [{"type": "text", "text": "What is it? [[sim:text A square.]]"}, PICTURE]
        asked = invoke(stack, messages=[user(content)], stream=stream)
        assert asked.answer.content == "A square."
        (picture,) = [block for block in asked.call["messages"][0]["content"] if block["type"] == "image"]
        assert picture["source"] == {
            "type": "base64",
            "media_type": "image/png",
            "data": media.base64_of(media.png()),
        }

    def test_of_a_tool(self, stack):
        messages = [user("Map?"), assistant(calls=[("c", "get_weather", {"city": "X"})])]
        messages.append(result("c", [{"type": "text", "text": "A map:"}, PICTURE]))
        asked = invoke(stack, messages=messages, tools=[WEATHER])
        assert asked.status == 200, asked.reply.text
        assert media.base64_of(media.png()) in json.dumps(asked.call["messages"])


class TestThinking:
    @STREAMS
    def test_with_a_budget(self, stack, stream):
        asked = invoke(stack, THINKS, reasoning_effort="low", max_tokens=10000, stream=stream)
        assert asked.call["thinking"] == {"type": "enabled", "budget_tokens": 3000}
        answer = asked.answer
        assert answer.reasoning == "I think." and answer.content == "I say."
        (block,) = answer.blocks
        assert block["type"] == "thinking" and block["thinking"] == "I think." and block["signature"]

    @STREAMS
    def test_adaptively(self, stack, stream):
        asked = invoke(stack, THINKS, model=models.CLAUDE_5, reasoning_effort="medium", stream=stream)
        assert asked.call["thinking"]["type"] == "adaptive"
        assert asked.call["output_config"]["effort"] == "medium"
        assert asked.answer.reasoning == "I think."

    @STREAMS
    def test_redacted(self, stack, stream):
        said = "[[sim:redacted-reasoning]][[sim:text I say.]]"
        answer = invoke(stack, said, reasoning_effort="low", max_tokens=10000, stream=stream).answer
        assert [block["type"] for block in answer.blocks] == ["redacted_thinking"] and answer.blocks[0]["data"]

    @STREAMS
    def test_goes_on_after_a_call(self, stack, stream):
        """The simulator refuses thoughts that come back changed."""
        fields = {"tools": [WEATHER], "reasoning_effort": "low", "max_tokens": 10000, "stream": stream}
        first = invoke(stack, f"[[sim:reasoning I think.]]{CALL}", **fields).answer
        assert first.blocks and first.calls
        messages = [user("Weather?"), first.message, result(first.calls[0]["id"], "Sunny.")]
        asked = invoke(stack, messages=messages, **fields)
        assert asked.status == 200, asked.reply.text
        assert asked.call["messages"][1]["content"][0]["type"] == "thinking"
        assert asked.call["thinking"]["type"] == "enabled"

    def test_thoughts_of_one_api_go_back_by_the_other(self, stack):
        fields = {"tools": [WEATHER], "reasoning_effort": "low", "max_tokens": 10000}
        first = send(stack, f"[[sim:reasoning I think.]]{CALL}", bedrock_api="converse", **fields).answer
        messages = [user("Weather?"), first.message, result(first.calls[0]["id"], "Sunny.")]
        asked = invoke(stack, messages=messages, **fields)
        assert asked.status == 200, asked.reply.text

    def test_is_counted_the_same(self, stack):
        counts = []
        for api in APIS:
            asked = went(send(stack, THINKS, bedrock_api=api, reasoning_effort="low", max_tokens=10000), api)
            counts.append(asked.answer.usage.get("completion_tokens_details", {}).get("reasoning_tokens"))
        assert counts[0] and counts[0] == counts[1], counts

    def test_betas_stand_where_invoke_has_them(self, stack):
        asked = invoke(stack, anthropic_beta=["interleaved-thinking-2025-05-14"])
        assert asked.call["anthropic_beta"] == ["interleaved-thinking-2025-05-14"]


FORM = {
    "type": "json_schema",
    "json_schema": {
        "name": "place",
        "strict": True,
        "schema": schema(city="string", people="integer") | {"additionalProperties": False},
    },
}


class TestStructuredOutput:
    @STREAMS
    @pytest.mark.parametrize(
        "model",
        [models.CLAUDE_4_5, models.CLAUDE_4, models.CLAUDE_3, models.OPUS_4_7, models.OPUS_5_5],
        ids=models.short,
    )
    def test_fits(self, stack, model, stream):
        said = 'A place. [[sim:text {"city": "Rome", "people": 3}]]' if model == models.OPUS_5_5 else "A place."
        asked = invoke(stack, said, model=model, response_format=FORM, stream=stream)
        value = json.loads(asked.answer.content)
        assert set(value) == {"city", "people"} and isinstance(value["people"], int)
        assert asked.answer.finish == "stop" and not asked.answer.calls
        assert {request["path"].split("/")[-1] for request in asked.requests} <= {
            "invoke",
            "invoke-with-response-stream",
        }


class TestCaching:
    def test_points(self, stack):
        long = "A long story. " * 2000
        content = [{"type": "text", "text": long, "cache_control": {"type": "ephemeral"}}]
        messages = [{"role": "system", "content": content}, user("[[sim:text ok]]")]
        asked = invoke(stack, messages=messages)
        assert asked.call["system"][-1]["cache_control"]["type"] == "ephemeral"
        details = asked.answer.usage["prompt_tokens_details"]
        assert details["cache_write_tokens"] > 0 and details["cached_tokens"] == 0
        assert asked.answer.usage["prompt_tokens"] > details["cache_write_tokens"]


class TestOtherMembers:
    def test_guardrails_go_into_headers(self, stack):
        config = {"guardrailIdentifier": "simguardrail1", "guardrailVersion": "1"}
        said = dry(stack, bedrock_api="invoke", guardrailConfig=config)
        headers = {name.lower(): value for name, value in said["headers"].items()}
        assert headers["x-amzn-bedrock-guardrailidentifier"] == "simguardrail1"
        assert headers["x-amzn-bedrock-guardrailversion"] == "1"
        assert "guardrailConfig" not in said["body"]

    @STREAMS
    @pytest.mark.parametrize("model", [CLAUDE, models.NOVA], ids=models.short)
    def test_a_guardrail_that_intervenes(self, stack, model, stream):
        config = {"guardrailIdentifier": "simguardrail1", "guardrailVersion": "1"}
        answer = invoke(stack, "BLOCKED-INPUT", model=model, guardrailConfig=config, stream=stream).answer
        assert answer.content == "Sorry, the model cannot answer this question."
        assert answer.finish == "content_filter"

    def test_service_tiers_and_latency_go_into_headers(self, stack):
        said = dry(stack, bedrock_api="invoke", service_tier="flex", performanceConfig={"latency": "optimized"})
        headers = {name.lower(): value for name, value in said["headers"].items()}
        assert headers["x-amzn-bedrock-service-tier"] == "flex"
        assert headers["x-amzn-bedrock-performanceconfig-latency"] == "optimized"

    def test_metadata_goes_into_a_header(self, stack):
        said = dry(stack, bedrock_api="invoke", metadata={"team": "quarry"})
        headers = {name.lower(): value for name, value in said["headers"].items()}
        assert json.loads(headers["x-amzn-bedrock-request-metadata"])["team"] == "quarry"

    def test_unknown_members_reach_the_model(self, stack):
        assert dry(stack, bedrock_api="invoke", quartz={"a": 1})["body"]["quartz"] == {"a": 1}

    def test_several_choices(self, stack):
        asked = invoke(stack, "[[sim:text Here.]]", n=2)
        assert [choice["message"]["content"] for choice in asked.reply.json()["choices"]] == ["Here."] * 2


class TestErrors:
    @STREAMS
    @pytest.mark.parametrize(
        "exception, status, code",
        [
            ("AccessDeniedException", 403, "model_access_denied"),
            ("ValidationException", 400, "bedrock_validation"),
            ("ResourceNotFoundException", 404, "model_not_found"),
            ("ModelTimeoutException", 504, "model_timeout"),
        ],
    )
    def test_are_those_of_converse(self, stack, exception, status, code, stream):
        asked = invoke(stack, f"[[sim:error {exception}]]", stream=stream)
        shapes.check_error(asked.reply, status, code=code)

    @pytest.mark.parametrize("fault", ["stream-error modelStreamErrorException", "truncate", "corrupt", "cut"])
    def test_in_mid_stream(self, stack, fault):
        asked = invoke(stack, f"[[sim:tokens 60]] [[sim:{fault} after=4]]", stream=True)
        assert asked.status == 200
        assert asked.events.chunks and asked.events.errors and not asked.events.done

    def test_are_tried_again(self, stack):
        asked = invoke(stack, "[[sim:error ThrottlingException times=1]] [[sim:text Here.]]")
        assert asked.answer.content == "Here." and len(asked.requests) == 2

    def test_teach(self, stacked):
        """What is refused is left out, as by Converse. The lesson stays with a gateway of this test's own."""
        stack = stacked()
        asked = invoke(stack, "[[sim:refuse-field top_k]] [[sim:text Here.]]", top_k=5, model=models.CLAUDE_4)
        assert asked.answer.content == "Here." and asked.noted("top_k")


def test_converses_blocks_are_not_in_an_invoke_body(stack):
    """The two languages aren't mixed."""
    asked = invoke(stack, tools=[WEATHER])
    assert "toolConfig" not in asked.call and "inferenceConfig" not in asked.call
    assert not blocks({"messages": [m for m in asked.call["messages"] if isinstance(m["content"], list)]}, "toolUse")

"""Straight through: models that speak OpenAI's API on Bedrock get OpenAI's request as it is, without Converse."""

import json

import pytest

from support import models, settings, shapes
from support.exchange import TIME, WEATHER, assistant, result, schema, user
from support.routed import CONVERSE, GPT_OSS, INVOKE, OPENAI, dry, send, went

GPT_OSS_20B = "openai.gpt-oss-20b-1:0"
CALL = '[[sim:tool get_weather {"city": "Paris"}]]'
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def passed(stack, *arguments, **fields):
    """A request that must have gone straight through."""
    asked = send(stack, *arguments, **{"model": GPT_OSS} | fields)
    assert asked.status == 200, f"{asked.status} {asked.reply.text[:1000]}"
    assert asked.route == OPENAI
    return asked


class TestRoute:
    @STREAMS
    @pytest.mark.parametrize("model", [GPT_OSS, GPT_OSS_20B])
    def test_by_default(self, stack, model, stream):
        asked = passed(stack, "[[sim:text Here.]]", model=model, stream=stream)
        assert asked.answer.content == "Here." and asked.model == model
        assert asked.path.endswith("/openai/v1/chat/completions")

    @pytest.mark.parametrize("name", ["GPT-OSS-120B", "gpt-oss-120b", f"bedrock/{GPT_OSS}", "GPT-OSS-120B-Thinking"])
    def test_by_any_name(self, stack, name):
        asked = passed(stack, "[[sim:text Here.]]", model=name)
        assert asked.model == GPT_OSS and asked.answer.content == "Here."
        assert asked.call["model"] == GPT_OSS, "Bedrock is asked for its own id"
        assert asked.answer.document["model"] == name, "the client gets back the name that it used"

    @pytest.mark.parametrize(
        "fields, route",
        [
            ({"bedrock_api": "openai"}, OPENAI),
            ({"bedrock_api": "converse"}, CONVERSE),
            ({"bedrock_api": "invoke"}, INVOKE),
            ({"useConverseAPI": True}, CONVERSE),
            ({"useConverseAPI": False}, INVOKE),
        ],
        ids=str,
    )
    @STREAMS
    def test_by_the_request(self, stack, fields, route, stream):
        asked = send(stack, "[[sim:text Here.]]", model=GPT_OSS, stream=stream, **fields)
        assert asked.route == route and asked.answer.content == "Here."

    def test_by_the_operator(self, stacked, tmp_path):
        file = tmp_path / "outcrop.toml"
        file.write_text('[[policies]]\nmodels = ["*gpt-oss-20b*"]\nbedrock_api = "converse"\n')
        stack = stacked("--config", file)
        assert send(stack, model=GPT_OSS_20B).route == CONVERSE
        assert send(stack, model=GPT_OSS).route == OPENAI

    def test_not_for_models_that_do_not_speak_it(self, stack):
        """Asked for all the same, they get what they have, or the client is told."""
        asked = send(stack, "[[sim:text Here.]]", model=settings.CLAUDE, bedrock_api="openai")
        if asked.status == 200:
            assert asked.route == CONVERSE and asked.answer.content == "Here."
        else:
            shapes.check_error(asked.reply, 400, param="bedrock_api")

    @pytest.mark.parametrize(
        "fields",
        [{"additionalModelResponseFieldPaths": ["/x"]}],
        ids=lambda fields: next(iter(fields)),
    )
    def test_what_that_endpoint_cannot_goes_by_converse(self, stack, fields):
        assert send(stack, "[[sim:text Here.]]", model=GPT_OSS, **fields).route == CONVERSE

    @STREAMS
    def test_the_dry_run_shows_it(self, stack, stream):
        said = dry(stack, "Hello.", model=GPT_OSS, stream=stream, max_tokens=9)
        assert said["method"] == "POST" and said["url"].endswith("/openai/v1/chat/completions")
        assert said["body"]["model"] == GPT_OSS and said["body"]["messages"] == [user("Hello.")]
        assert "bedrock:InvokeModel" in json.dumps(said["iam"])


class TestRequest:
    """What the client wrote reaches the model as it was written."""

    @pytest.mark.parametrize(
        "fields",
        [
            {"seed": 7},
            {"temperature": 1.7},
            {"temperature": 0, "top_p": 0.5},
            {"presence_penalty": 0.5, "frequency_penalty": -0.5},
            {"logprobs": True, "top_logprobs": 3},
            {"logit_bias": {"50256": -100}},
            {"quartz": {"grain": [1, 2.5, None, "x"]}},
            {"stop": ["END", "STOP"]},
            {"reasoning_effort": "high"},
            {"user": "user-42"},
        ],
        ids=lambda fields: next(iter(fields)),
    )
    def test_parameters(self, stack, fields):
        body = dry(stack, model=GPT_OSS, **fields)["body"]
        assert body == body | fields

    def test_parameters_reach_the_simulator(self, stack):
        asked = passed(stack, seed=7, temperature=1.5, logprobs=False)
        assert asked.call["seed"] == 7 and asked.call["temperature"] == 1.5
        assert not asked.notes

    @pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
    def test_limits(self, stack, name):
        """By either name; the model's own is `max_completion_tokens`."""
        asked = passed(stack, "[[sim:tokens 300]]", **{name: 20})
        assert 20 in (asked.call.get("max_tokens"), asked.call.get("max_completion_tokens"))
        assert asked.answer.finish == "length"

    def test_messages(self, stack):
        messages = [
            {"role": "system", "content": "Be brief."},
            user("First."),
            assistant("Second."),
            user([{"type": "text", "text": "Third. [[sim:text Here.]]"}]),
        ]
        asked = passed(stack, messages=messages)
        assert asked.answer.content == "Here."
        sent = asked.call["messages"]
        assert [message["role"] for message in sent] == ["system", "user", "assistant", "user"]
        assert sent[:3] == messages[:3]

    def test_tools_and_their_history(self, stack):
        messages = [user("Weather?"), assistant(calls=[("c1", "get_weather", {"city": "X"})]), result("c1", "Sunny.")]
        asked = passed(stack, messages=messages, tools=[WEATHER], tool_choice="auto")
        assert asked.call["tools"] == [WEATHER] and asked.call["tool_choice"] == "auto"
        assert asked.call["messages"][2]["tool_call_id"] == "c1"
        assert "Sunny." in asked.answer.content

    def test_what_is_the_gateways_own_does_not(self, stack):
        own = {
            "bedrock_api": "openai",
            "on_unsupported": "adapt",
            "prompt_caching": "off",
            "model_provider": "openai",
            "drop_params": True,
            "include_thinking_data": False,
        }
        body = passed(stack, **own).call
        assert not set(own) & set(body), body

    @pytest.mark.parametrize(
        "fields", [{"temperature": 3}, {"max_tokens": 0}, {"messages": []}, {"tools": "x"}], ids=str
    )
    def test_nonsense_is_refused_as_ever(self, stack, fields):
        asked = send(stack, **{"model": GPT_OSS} | fields)
        shapes.check_error(asked.reply, 400, param=next(iter(fields)))
        assert not asked.requests

    @pytest.mark.parametrize("name", ["aws_access_key_id", "api_base", "endpoint_url", "region_name"])
    def test_whose_account_is_asked_is_not_the_clients_to_say(self, stack, name):
        asked = send(stack, model=GPT_OSS, **{name: "x"})
        shapes.check_error(asked.reply, 400, param=name)


class TestAnswer:
    @STREAMS
    def test_openais_to_the_letter(self, stack, stream):
        asked = passed(stack, "[[sim:text One two three.]]", stream=stream)
        document = asked.answer.document
        assert asked.answer.content == "One two three." and asked.answer.finish == "stop"
        assert document["model"] == GPT_OSS and document["id"].startswith("chatcmpl-")
        assert document["object"] == ("chat.completion.chunk" if stream else "chat.completion")
        for name in ("x-request-id", "x-bedrock-model"):
            assert asked.reply.headers[name]

    def test_a_stream_ends_with_done(self, stack):
        asked = passed(stack, "[[sim:text One two three.]] [[sim:chunk 4]]", stream=True)
        assert asked.events.done and len(asked.events.chunks) > 4, "it came in one piece"
        assert [chunk["model"] for chunk in asked.events.chunks] == [GPT_OSS] * len(asked.events.chunks)

    def test_usage_of_a_stream_only_where_it_is_asked_for(self, stack):
        assert all(chunk.get("usage") is None for chunk in passed(stack, stream=True).events.chunks)
        asked = passed(stack, stream=True, stream_options={"include_usage": True})
        *others, last = asked.events.chunks
        assert last["choices"] == [] and all(chunk.get("usage") is None for chunk in others)
        shapes.check_usage(last["usage"])

    def test_the_usage_is_in_the_headers_and_the_log(self, stack):
        asked = passed(stack, "[[sim:text One two three.]]")
        usage = asked.answer.usage
        assert int(asked.reply.headers["x-token-usage-input"]) == usage["prompt_tokens"]
        assert int(asked.reply.headers["x-token-usage-output"]) == usage["completion_tokens"]

    def test_the_same_by_all_ways(self, stack):
        said = "[[sim:reasoning I think.]][[sim:text I say.]]"
        answers = [
            went(send(stack, said, model=GPT_OSS, bedrock_api=route, stream=stream), route).answer
            for route in (OPENAI, CONVERSE, INVOKE)
            for stream in (False, True)
        ]
        assert {(answer.content, answer.reasoning, answer.finish) for answer in answers} == {
            ("I say.", "I think.", "stop")
        }

    @STREAMS
    def test_calls(self, stack, stream):
        said = f'{CALL}[[sim:tool get_time {{"zone": "CET"}}]]'
        answer = passed(stack, said, tools=[WEATHER, TIME], stream=stream).answer
        assert answer.names == ["get_weather", "get_time"] and answer.finish == "tool_calls"
        assert answer.arguments == [{"city": "Paris"}, {"zone": "CET"}]

    @STREAMS
    def test_a_form_that_must_be_kept_is_kept(self, stack, stream):
        """That endpoint takes a schema and doesn't enforce it: the answer fits all the same."""
        form = {"name": "place", "strict": True, "schema": schema(city="string") | {"additionalProperties": False}}
        asked = send(
            stack,
            'A place. [[sim:turns {"town": 3} | {"city": "Rome"}]]',
            model=GPT_OSS,
            response_format={"type": "json_schema", "json_schema": form},
            stream=stream,
        )
        if asked.status == 200 and not (stream and asked.events.errors):
            assert set(json.loads(asked.answer.content)) == {"city"}
        elif stream and asked.status == 200:
            assert asked.events.errors[0]["error"]["code"] == "invalid_structured_output"
        else:
            shapes.check_error(asked.reply, 502, code="invalid_structured_output")

    def test_by_the_sdk(self, stack):
        client = stack.gateway.openai()
        fields = {"model": GPT_OSS, "messages": [user("[[sim:text One two three.]]")], "seed": 7}
        raw = client.chat.completions.with_raw_response.create(**fields)
        assert raw.headers["x-outcrop-route"] == OPENAI
        assert raw.parse().choices[0].message.content == "One two three."
        with client.chat.completions.create(stream=True, **fields) as chunks:
            said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert "".join(said) == "One two three."

    def test_several_choices(self, stack):
        asked = went(send(stack, "[[sim:text Here.]]", model=GPT_OSS, n=2), OPENAI)
        assert [choice["message"]["content"] for choice in asked.reply.json()["choices"]] == ["Here.", "Here."]


def failing(stack, said, **fields):
    return went(send(stack, said, model=GPT_OSS, **fields), OPENAI)


class TestErrors:
    @STREAMS
    @pytest.mark.parametrize(
        "exception, status, code",
        [
            ("ThrottlingException", 429, "throttled"),
            ("AccessDeniedException", 403, "model_access_denied"),
            ("ValidationException", 400, None),
        ],
    )
    def test_are_as_ever(self, stack, exception, status, code, stream):
        asked = failing(stack, f"[[sim:error {exception}]]", stream=stream)
        shapes.check_error(asked.reply, status, code=code)

    @pytest.mark.parametrize("fault", ["truncate", "cut"])
    def test_a_stream_that_ends_too_early(self, stack, fault):
        asked = failing(stack, f"[[sim:tokens 60]] [[sim:{fault} after=4]]", stream=True)
        assert asked.status == 200 and asked.events.errors and not asked.events.done

    def test_are_tried_again(self, stack):
        asked = failing(stack, "[[sim:error ThrottlingException times=1]] [[sim:text Here.]]")
        assert asked.answer.content == "Here." and len(asked.requests) == 2

    def test_no_secrets_of_the_clients_reach_bedrock(self, stack):
        asked = passed(stack)
        assert settings.KEY not in json.dumps(asked.requests)


def test_other_models_are_as_they_were(stack):
    for model in (settings.CLAUDE, models.NOVA, models.LLAMA_3_1):
        assert send(stack, model=model).route == CONVERSE

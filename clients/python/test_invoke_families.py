"""The Invoke API family by family: each has a body of its own, and all give the client the same."""

import json

import pytest

from support import media, models, shapes
from support.exchange import TIME, WEATHER, assistant, result, user
from support.mapping import resolve
from support.routed import (
    CLAUDE,
    CLAUDE_2,
    CLAUDE_2_1,
    CLAUDE_INSTANT,
    COMMAND,
    COMMAND_R,
    CONVERSE,
    CONVERSING,
    DEEPSEEK_R1,
    FAMILIES,
    GEMMA,
    GLM,
    GPT_OSS,
    INVOKE,
    J2,
    JAMBA,
    JAMBA_INSTRUCT,
    KIMI,
    LLAMA_2,
    LLAMA_3,
    LLAMA_4,
    MINIMAX,
    MISTRAL_7B,
    MISTRAL_LARGE_3,
    MIXTRAL,
    NOVA,
    OPENAI,
    PROMPTED,
    QWEN,
    TITAN,
    TITAN_LITE,
    dry,
    invoke,
    send,
    went,
)

CALL = '[[sim:tool get_weather {"city": "Paris"}]]'
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
PICTURE = {"type": "image_url", "image_url": {"url": media.data_url(media.png())}}
SYSTEM = {"role": "system", "content": "Be brief."}
TURNS = [user("Hello."), assistant("Hi."), user("How are you?")]

# What each family can on Invoke, beside text.
CALLING = [CLAUDE, NOVA, COMMAND_R, MISTRAL_LARGE_3, GPT_OSS, QWEN, MINIMAX, KIMI, GLM]
SEEING = [CLAUDE, NOVA, MISTRAL_LARGE_3, GEMMA]
NOT_CALLING = [CLAUDE_2, TITAN, COMMAND, J2, LLAMA_2, LLAMA_3, MISTRAL_7B, MIXTRAL, DEEPSEEK_R1, JAMBA_INSTRUCT]
NOT_SEEING = [*NOT_CALLING, COMMAND_R, JAMBA, GPT_OSS, QWEN]
# Those that are not told where to stop; the gateway looks for it.
NOT_STOPPING = [LLAMA_2, LLAMA_3, LLAMA_4]
REASONING = [DEEPSEEK_R1, GPT_OSS]


def by(models_of):
    return pytest.mark.parametrize("model", models_of, ids=[model.split(".", 1)[-1] for model in models_of])




class TestText:
    @by(FAMILIES)
    def test_whole_and_streamed(self, stack, model):
        said = "[[sim:text Héllo, wörld — two\nlines.]]"
        whole, parts = invoke(stack, said, model=model), invoke(stack, said, model=model, stream=True)
        assert whole.route == parts.route == INVOKE
        assert whole.answer.content == parts.answer.content == "Héllo, wörld — two\nlines."
        assert whole.answer.finish == parts.answer.finish == "stop"
        assert whole.model == parts.model

    @by(FAMILIES)
    def test_is_openais_to_the_letter(self, stack, model):
        fields = {"stream": True, "stream_options": {"include_usage": True}}
        whole, parts = invoke(stack, model=model), invoke(stack, model=model, **fields)
        # Thoughts stand in members that OpenAI doesn't have.
        if model not in REASONING:
            shapes.check_completion(whole.reply.json())
            shapes.check_stream(parts.events.chunks, include_usage=True)
        assert parts.events.done
        assert whole.answer.document["model"] == parts.answer.document["model"] == model

    @by(FAMILIES)
    def test_by_the_sdk(self, stack, model):
        client = stack.gateway.openai()
        fields = {"model": model, "messages": [user("[[sim:text One two three four.]]")]}
        fields["extra_body"] = {"bedrock_api": "invoke"}
        raw = client.chat.completions.with_raw_response.create(**fields)
        assert raw.headers["x-outcrop-route"] == INVOKE
        assert raw.parse().choices[0].message.content == "One two three four."
        raw = client.chat.completions.with_raw_response.create(stream=True, **fields)
        assert raw.headers["x-outcrop-route"] == INVOKE
        with raw.parse() as chunks:
            said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert "".join(said) == "One two three four."

    @by(FAMILIES)
    def test_the_other_api_says_the_same(self, stack, model):
        """Where a model has both; Converse is what it gets by itself, or Bedrock's own OpenAI endpoint."""
        said = "[[sim:text One two three.]]"
        usual, invoked = send(stack, said, model=model), invoke(stack, said, model=model)
        assert usual.route in (CONVERSE, INVOKE, OPENAI)
        assert usual.answer.content == invoked.answer.content == "One two three."
        assert usual.answer.finish == invoked.answer.finish == "stop"
        assert set(usual.answer.document) - {"service_tier", "system_fingerprint"} == set(invoked.answer.document) - {
            "service_tier",
            "system_fingerprint",
        }

    @by(FAMILIES)
    def test_length(self, stack, model):
        for stream in (False, True):
            asked = invoke(stack, "[[sim:tokens 400]]", model=model, max_tokens=20, stream=stream)
            assert asked.answer.finish == "length"
            assert len(asked.answer.content + asked.answer.reasoning) < 400

    @by([model for model in FAMILIES if model not in NOT_STOPPING])
    def test_stop_sequences(self, stack, model):
        """The model stops by itself, or the gateway makes it look so."""
        for stream in (False, True):
            asked = invoke(stack, "[[sim:text One two END three.]]", model=model, stop=["END"], stream=stream)
            assert asked.answer.content == "One two ", asked.answer.content
            assert asked.answer.finish == "stop"

    @by(NOT_STOPPING)
    def test_stop_sequences_that_the_gateway_looks_for(self, stack, model):
        for stream in (False, True):
            asked = invoke(stack, "[[sim:text One two END three.]]", model=model, stop=["END"], stream=stream)
            assert asked.answer.content == "One two " and asked.answer.finish == "stop"
            assert "END" not in json.dumps({k: v for k, v in asked.call.items() if k != "prompt"})
            assert asked.noted("stop")

    @by(FAMILIES)
    def test_turns_and_system_prompts(self, stack, model):
        """All of it reaches the model, in order, whatever the body looks like."""
        messages = [SYSTEM, user("First."), assistant("Second."), user("Third. [[sim:text Fourth.]]")]
        asked = invoke(stack, messages=messages, model=model)
        assert asked.answer.content == "Fourth."
        body = json.dumps(asked.call)
        # Command R has the last message, the history and the system prompt in members of their own.
        for text in ("Be brief.", "First.", "Second.", "Third."):
            assert body.count(text) == 1, f"{text} in {body}"
        if model in PROMPTED:
            order = [body.find(text) for text in ("Be brief.", "First.", "Second.", "Third.")]
            assert order == sorted(order), body

    @by(FAMILIES)
    def test_sampling(self, stack, model):
        body = invoke(stack, model=model, temperature=0.25, max_tokens=500).call
        assert 0.25 in numbers(body) and 500 in numbers(body), body

    @by(FAMILIES)
    def test_nothing_of_converses_is_in_the_body(self, stack, model):
        body = dry(stack, model=model, bedrock_api="invoke", max_tokens=100, stop=["X"])["body"]
        if model != NOVA:
            assert "inferenceConfig" not in body
        assert "bedrock_api" not in body

    @by(FAMILIES)
    def test_the_dry_run_is_the_call(self, stack, model):
        fields = {"messages": TURNS, "model": model, "max_tokens": 50}
        said, real = dry(stack, bedrock_api="invoke", **fields), invoke(stack, **fields)
        assert said["body"] == real.call
        assert said["url"].replace("%3A", ":").endswith(f"/model/{model}/invoke")


def numbers(value):
    """All numbers of a document."""
    if isinstance(value, dict):
        return [number for member in value.values() for number in numbers(member)]
    if isinstance(value, list):
        return [number for member in value for number in numbers(member)]
    return [value] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


# What a body has beside the conversation, as its provider's documents name it.
ASKED = {"max_tokens": 90, "temperature": 0.5, "top_p": 0.25, "stop": ["X"]}
BODIES = [
    (CLAUDE, {"max_tokens": 90, "temperature": 0.5, "stop_sequences": ["X"]}),
    (CLAUDE_2, {"max_tokens_to_sample": 90, "temperature": 0.5, "top_p": 0.25}),
    (COMMAND, {"max_tokens": 90, "temperature": 0.5, "p": 0.25, "stop_sequences": ["X"]}),
    (COMMAND_R, {"max_tokens": 90, "temperature": 0.5, "p": 0.25, "stop_sequences": ["X"]}),
    (JAMBA, {"max_tokens": 90, "temperature": 0.5, "top_p": 0.25, "stop": ["X"]}),
    (LLAMA_2, {"max_gen_len": 90, "temperature": 0.5, "top_p": 0.25}),
    (LLAMA_3, {"max_gen_len": 90, "temperature": 0.5, "top_p": 0.25}),
    (MISTRAL_7B, {"max_tokens": 90, "temperature": 0.5, "top_p": 0.25, "stop": ["X"]}),
    (DEEPSEEK_R1, {"max_tokens": 90, "temperature": 0.5, "top_p": 0.25, "stop": ["X"]}),
    (QWEN, {"temperature": 0.5, "top_p": 0.25, "stop": ["X"]}),
]
# Each provider's own place for what OpenAI doesn't have.
TOP_K = [(CLAUDE, "top_k"), (CLAUDE_2, "top_k"), (COMMAND, "k"), (COMMAND_R, "k"), (MISTRAL_7B, "top_k")]


class TestBodies:
    """The body of each family, in its provider's own words."""

    @pytest.mark.parametrize("model, members", BODIES, ids=[row[0].split(".", 1)[1] for row in BODIES])
    def test_parameters(self, stack, model, members):
        body = dry(stack, "Hello.", model=model, bedrock_api="invoke", **ASKED)["body"]
        assert body == body | members

    @pytest.mark.parametrize("model, member", TOP_K, ids=[row[0].split(".", 1)[1] for row in TOP_K])
    def test_top_k(self, stack, model, member):
        assert dry(stack, "Hello.", model=model, bedrock_api="invoke", top_k=5)["body"][member] == 5

    def test_of_llama_has_nothing_else(self, stack):
        body = dry(stack, "Hello.", model=LLAMA_3, bedrock_api="invoke", **ASKED, top_k=5, seed=1)["body"]
        assert set(body) == {"prompt", "max_gen_len", "temperature", "top_p"}

    def test_of_titan(self, stack):
        body = dry(stack, "Hello.", model=TITAN, bedrock_api="invoke", **ASKED)["body"]
        config = body["textGenerationConfig"]
        assert config == config | {"maxTokenCount": 90, "temperature": 0.5, "topP": 0.25}

    def test_of_nova(self, stack):
        messages = [SYSTEM, *TURNS]
        body = dry(stack, messages=messages, model=NOVA, bedrock_api="invoke", **ASKED, top_k=5)["body"]
        assert body["schemaVersion"] == "messages-v1" and body["system"] == [{"text": "Be brief."}]
        assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
        config = {"maxTokens": 90, "temperature": 0.5, "topP": 0.25, "topK": 5, "stopSequences": ["X"]}
        assert body["inferenceConfig"] == config

    def test_of_command_r(self, stack):
        body = dry(stack, messages=[SYSTEM, *TURNS], model=COMMAND_R, bedrock_api="invoke")["body"]
        assert body["message"] == "How are you?" and body["preamble"] == "Be brief."
        assert [(turn["role"], turn["message"]) for turn in body["chat_history"]] == [
            ("USER", "Hello."),
            ("CHATBOT", "Hi."),
        ]

    def test_of_gpt_oss(self, stack):
        body = dry(stack, messages=[SYSTEM, *TURNS], model=GPT_OSS, bedrock_api="invoke", **ASKED)["body"]
        assert body["max_completion_tokens"] == 90 and body["temperature"] == 0.5
        assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]


class TestUsage:
    """Counts come from the body, from headers, or from a stream's last chunk."""

    @by(FAMILIES)
    def test_is_there_and_the_same_streamed(self, stack, model):
        fields = {"model": model, "max_tokens": 200}
        whole = invoke(stack, "[[sim:text One two three four five.]]", **fields)
        parts = invoke(
            stack,
            "[[sim:text One two three four five.]]",
            stream=True,
            stream_options={"include_usage": True},
            **fields,
        )
        shapes.check_usage(whole.answer.usage)
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            assert whole.answer.usage[name] == parts.answer.usage[name], (whole.answer.usage, parts.answer.usage)
        assert whole.reply.headers["x-token-usage-input"] == str(whole.answer.usage["prompt_tokens"])

    @by([model for model in CONVERSING if model not in (COMMAND_R, GPT_OSS)])
    def test_is_that_of_converse(self, stack, model):
        said = "[[sim:text One two three four five.]]"
        one = send(stack, said, model=model, bedrock_api="converse").answer.usage
        other = invoke(stack, said, model=model).answer.usage
        assert one["completion_tokens"] == other["completion_tokens"]
        assert abs(one["prompt_tokens"] - other["prompt_tokens"]) <= 10, "a body's own words may count"

    @by([LLAMA_2, LLAMA_3, LLAMA_4])
    def test_of_llamas_streams_is_not_added_up_twice(self, stack, model):
        """Each chunk tells the count so far."""
        fields = {"model": model, "stream": True, "stream_options": {"include_usage": True}}
        usage = invoke(stack, "[[sim:tokens 200]] [[sim:chunk 4]]", max_tokens=500, **fields).answer.usage
        assert 150 <= usage["completion_tokens"] <= 250, usage


# The exact prompts. Bedrock's own documents have them; a byte more or less is another text to the model.
PROMPTS = [
    (
        CLAUDE_2_1,
        [SYSTEM, *TURNS],
        "Be brief.\n\nHuman: Hello.\n\nAssistant: Hi.\n\nHuman: How are you?\n\nAssistant:",
    ),
    (CLAUDE_2, TURNS, "\n\nHuman: Hello.\n\nAssistant: Hi.\n\nHuman: How are you?\n\nAssistant:"),
    (CLAUDE_INSTANT, TURNS[:1], "\n\nHuman: Hello.\n\nAssistant:"),
    (TITAN, TURNS[:1], "User: Hello.\nBot:"),
    (TITAN_LITE, TURNS, "User: Hello.\nBot: Hi.\nUser: How are you?\nBot:"),
    (
        LLAMA_2,
        [SYSTEM, *TURNS],
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHello. [/INST] Hi. </s><s>[INST] How are you? [/INST]",
    ),
    (LLAMA_2, TURNS[:1], "<s>[INST] Hello. [/INST]"),
    (
        LLAMA_3,
        [SYSTEM, *TURNS],
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHello.<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHi.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHow are you?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    (
        LLAMA_4,
        [SYSTEM, *TURNS[:1]],
        "<|begin_of_text|><|header_start|>system<|header_end|>\n\nBe brief.<|eot|>"
        "<|header_start|>user<|header_end|>\n\nHello.<|eot|>"
        "<|header_start|>assistant<|header_end|>\n\n",
    ),
    (MISTRAL_7B, TURNS, "<s>[INST] Hello. [/INST] Hi.</s>[INST] How are you? [/INST]"),
    (MIXTRAL, TURNS[:1], "<s>[INST] Hello. [/INST]"),
    (
        DEEPSEEK_R1,
        TURNS[:1],
        "<｜begin▁of▁sentence｜><｜User｜>Hello.<｜Assistant｜><think>\n",  # noqa: RUF001
    ),
]


class TestPrompts:
    @pytest.mark.parametrize(
        "model, messages, prompt", PROMPTS, ids=[f"{row[0].split('.', 1)[1]}-{len(row[1])}" for row in PROMPTS]
    )
    def test_to_the_byte(self, stack, model, messages, prompt):
        body = dry(stack, messages=messages, model=model, bedrock_api="invoke")["body"]
        assert (body.get("prompt") or body.get("inputText")) == prompt

    @by([CLAUDE_2_1, CLAUDE_2, CLAUDE_INSTANT])
    def test_prefill_of_claude(self, stack, model):
        """What the assistant has begun stands at the end, and isn't returned."""
        messages = [user("As JSON. [[sim:text world]]"), assistant("Hello,")]
        asked = invoke(stack, messages=messages, model=model)
        assert asked.call["prompt"].endswith("\n\nAssistant: Hello,")
        assert "Hello," not in asked.answer.content

    def test_claude_2_1s_limit_is_sent_though_nobody_gave_one(self, stack):
        assert invoke(stack, model=CLAUDE_2_1).call["max_tokens_to_sample"] > 0

    @by([CLAUDE_2, CLAUDE_2_1, CLAUDE_INSTANT, TITAN, COMMAND])
    def test_the_space_at_the_start_of_an_answer_is_the_templates(self, stack, model):
        for stream in (False, True):
            answer = invoke(stack, "[[sim:text Here.]]", model=model, stream=stream).answer
            assert answer.content == "Here."

    def test_a_command_stream_says_so_in_the_body(self, stack):
        assert invoke(stack, model=COMMAND, stream=True).call["stream"] is True


class TestJurassic:
    def test_is_streamed_although_bedrock_does_not(self, stack):
        asked = invoke(stack, "[[sim:text One two three.]]", model=J2, stream=True)
        assert asked.answer.content == "One two three." and asked.answer.finish == "stop"
        assert asked.path.endswith("/invoke"), "it has no stream"
        shapes.check_stream(asked.events.chunks)

    def test_is_streamed_without_being_asked_to_invoke(self, stack):
        asked = send(stack, "[[sim:text One two three.]]", model=J2, stream=True)
        assert asked.answer.content == "One two three." and asked.events.done

    def test_parameters(self, stack):
        body = invoke(stack, model=J2, max_tokens=9, temperature=0.5, top_p=0.5, stop=["X"]).call
        assert body == body | {"maxTokens": 9, "temperature": 0.5, "topP": 0.5, "stopSequences": ["X"]}

    def test_penalties(self, stack):
        body = invoke(stack, model=J2, frequency_penalty=0.5, presence_penalty=1).call
        assert body["frequencyPenalty"] == {"scale": 0.5} and body["presencePenalty"]["scale"] == 1


class TestTools:
    @by(CALLING)
    def test_a_call(self, stack, model):
        for stream in (False, True):
            asked = invoke(stack, CALL, model=model, tools=[WEATHER], stream=stream)
            assert asked.answer.names == ["get_weather"] and asked.answer.arguments == [{"city": "Paris"}]
            assert asked.answer.finish == "tool_calls"
            sent = asked.call["toolConfig" if model == NOVA else "tools"]
            assert asked.route == INVOKE and "get_weather" in json.dumps(sent)

    @by(CALLING)
    def test_two_rounds(self, stack, model):
        first = invoke(stack, f"Weather? {CALL}", model=model, tools=[WEATHER]).answer
        messages = [user("Weather?"), first.message, result(first.calls[0]["id"], "Sunny.")]
        asked = invoke(stack, messages=messages, model=model, tools=[WEATHER])
        assert asked.answer.finish == "stop" and asked.answer.content
        assert "Sunny." in json.dumps(asked.call)

    @by([CLAUDE, NOVA, QWEN, GPT_OSS, MISTRAL_LARGE_3])
    def test_calls_side_by_side(self, stack, model):
        said = f'{CALL}[[sim:tool get_time {{"zone": "CET"}}]]'
        for stream in (False, True):
            answer = invoke(stack, said, model=model, tools=[WEATHER, TIME], stream=stream).answer
            assert answer.names == ["get_weather", "get_time"]
            assert answer.arguments == [{"city": "Paris"}, {"zone": "CET"}]
            assert len({call["id"] for call in answer.calls}) == 2

    @by(NOT_CALLING)
    def test_models_without_them_say_so(self, stack, model):
        for stream in (False, True):
            asked = invoke(stack, model=model, tools=[WEATHER], stream=stream)
            error = shapes.check_error(asked.reply, 400, param="tools")
            assert "tool" in error["message"] and not asked.requests


class TestPictures:
    CONTENT = [{"type": "text", "text": "What is it? [[sim:text A square.]]"}, PICTURE]

    @by(SEEING)
    def test_reach_the_model(self, stack, model):
        asked = invoke(stack, messages=[user(self.CONTENT)], model=model)
        assert asked.answer.content == "A square." and asked.route == INVOKE
        assert media.base64_of(media.png()) in json.dumps(asked.call)

    @by(NOT_SEEING)
    def test_models_without_them_say_so(self, stack, model):
        asked = invoke(stack, messages=[user(self.CONTENT)], model=model)
        error = shapes.check_error(asked.reply, 400, param="messages")
        assert "image" in error["message"].lower() and not asked.requests


class TestReasoning:
    """Thoughts are split from what is said, however the model marks them."""

    SAID = "[[sim:reasoning I think.]][[sim:text I say.]]"

    @pytest.mark.parametrize("route", [CONVERSE, INVOKE, OPENAI])
    @STREAMS
    def test_of_gpt_oss(self, stack, route, stream):
        asked = send(stack, self.SAID, model=GPT_OSS, bedrock_api=route, stream=stream)
        assert asked.route == route
        assert asked.answer.content == "I say." and asked.answer.reasoning == "I think."

    @pytest.mark.parametrize("size", [1, 2, 7, 100])
    @pytest.mark.parametrize("route", [INVOKE, OPENAI])
    def test_of_gpt_oss_wherever_a_chunk_ends(self, stack, route, size):
        said = f"{self.SAID}[[sim:chunk {size}]]"
        answer = went(send(stack, said, model=GPT_OSS, bedrock_api=route, stream=True), route).answer
        assert answer.content == "I say." and answer.reasoning == "I think."

    @pytest.mark.parametrize("route", [CONVERSE, INVOKE])
    @STREAMS
    def test_of_deepseek_r1(self, stack, route, stream):
        asked = send(stack, self.SAID, model=DEEPSEEK_R1, bedrock_api=route, stream=stream)
        assert asked.route == route
        assert asked.answer.content.strip() == "I say." and asked.answer.reasoning.strip() == "I think."
        assert "think>" not in asked.answer.content + asked.answer.reasoning

    @pytest.mark.parametrize("route", [CONVERSE, INVOKE, OPENAI])
    def test_in_the_text_where_it_is_asked_for(self, stack, route):
        asked = went(send(stack, self.SAID, model=GPT_OSS, bedrock_api=route, include_thinking_data=True), route)
        assert asked.answer.content.startswith("<reasoning>I think.</reasoning>"), asked.answer.content
        assert asked.answer.content.endswith("I say.") and not asked.answer.reasoning

    @STREAMS
    def test_tags_later_in_the_text_are_text(self, stack, stream):
        said = "[[sim:reasoning I think.]][[sim:text The tag <reasoning> opens </reasoning> so.]]"
        answer = invoke(stack, said, model=GPT_OSS, stream=stream).answer
        assert answer.content == "The tag <reasoning> opens </reasoning> so."

    def test_effort_of_gpt_oss(self, stack):
        assert invoke(stack, model=GPT_OSS, reasoning_effort="high").call["reasoning_effort"] == "high"

    def test_goes_to_no_model_twice(self, stack):
        """Thoughts that come back in the history aren't shown to a model that takes none."""
        messages = [user("Hello."), assistant("Hi.", reasoning_content="SECRET-THOUGHT"), user("And?")]
        for model in (DEEPSEEK_R1, LLAMA_3, QWEN):
            assert "SECRET-THOUGHT" not in json.dumps(invoke(stack, messages=messages, model=model).call)


IMPORTED = "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghijkl"


class TestImportedModels:
    """Their format is named by the model that they are made of."""

    @pytest.mark.parametrize(
        "model, start",
        [
            (LLAMA_3, "<|begin_of_text|><|start_header_id|>user"),
            (f"bedrock/{LLAMA_3}", "<|begin_of_text|><|start_header_id|>user"),
            (LLAMA_2, "<s>[INST] "),
            (MISTRAL_7B, "<s>[INST] "),
        ],
        ids=["llama3", "bedrock/llama3", "llama2", "mistral"],
    )
    def test_by_the_model_beside_the_arn(self, stack, model, start):
        said = dry(stack, "Hello.", model=model, model_id=IMPORTED, bedrock_api="invoke")
        assert said["url"].replace("%3A", ":").replace("%2F", "/").endswith(f"/model/{IMPORTED}/invoke")
        assert said["body"]["prompt"].startswith(start) and "Hello." in said["body"]["prompt"]

    @pytest.mark.parametrize(
        "word, start",
        [("llama", "<|begin_of_text|>"), ("deepseek_r1", "<｜begin▁of▁sentence｜>")],  # noqa: RUF001
        ids=["llama", "deepseek_r1"],
    )
    def test_by_litellms_word(self, stack, word, start):
        said = dry(stack, "Hello.", model=f"bedrock/{word}/{IMPORTED}")
        assert said["url"].replace("%3A", ":").replace("%2F", "/").endswith(f"/model/{IMPORTED}/invoke")
        assert said["body"]["prompt"].startswith(start)

    @pytest.mark.parametrize("word", ["llama", "deepseek_r1"])
    def test_litellms_word_is_a_step(self, stack, word):
        mapping = resolve(stack.gateway, f"bedrock/{word}/{IMPORTED}")
        assert mapping["model_id"] == IMPORTED and mapping["bedrock_api"] == INVOKE

    def test_need_the_account_that_they_are_of(self, stack):
        said = dry(stack, model=LLAMA_3, model_id=IMPORTED, bedrock_api="invoke")
        assert IMPORTED in [entry["resource"] for entry in said["iam"]]


class TestMidStream:
    @by(FAMILIES)
    def test_a_stream_that_ends_too_early_is_an_error(self, stack, model):
        if model == J2:
            pytest.skip("it has no stream")
        asked = invoke(stack, "[[sim:tokens 80]] [[sim:truncate after=4]]", model=model, stream=True)
        assert asked.status == 200
        assert asked.events.errors and not asked.events.done, asked.reply.text[-500:]


# Models of images, vectors, speech and rankings, the simulator's own, and one whose life is over.
NO_CHAT = ("embed", "canvas", "stability.", "simulator.", "sonic", "reel", "rerank", "image", "titan-text-premier", "pegasus")


def test_every_chat_model_of_the_list_answers_on_invoke(stack):
    """Or says that it has no Invoke API, and is asked by the other: nobody gets a broken answer."""
    listed = stack.gateway.get("/v1/models?type=chat&kind=foundation_model,inference_profile").json()["data"]
    broken = {}
    for entry in listed:
        model = entry["id"]
        if any(word in model for word in NO_CHAT):
            continue
        asked = send(stack, "[[sim:text Here.]]", model=model, max_tokens=500, bedrock_api="invoke")
        said = asked.answer.content.strip() if asked.status == 200 else asked.reply.text[:200]
        if said != "Here.":
            broken[model] = said
    assert not broken, broken


def test_models_in_this_file_are_those_of_the_families():
    """A family that falls out of the list would go untested."""
    assert len(FAMILIES) == 25 and set(PROMPTED).isdisjoint(CONVERSING)
    assert models.CLAUDE_4_5 in FAMILIES

"""`POST /v1/completions`, OpenAI's older endpoint, by HTTP and by OpenAI's SDK."""

import asyncio

import openai
import pytest

from support import models, settings, shapes
from support.endpoints import good, post
from support.wire import Events

PATH = "/v1/completions"
TITAN, COMMAND, J2 = "amazon.titan-text-express-v1", "cohere.command-text-v14", "ai21.j2-ultra-v1"
MODELS = [settings.NOVA, settings.CLAUDE, models.GPT_OSS, models.LLAMA_3, models.MISTRAL_7B, TITAN, COMMAND, J2]
each_model = pytest.mark.parametrize("model", MODELS)
HELLO = [15339, 1917]


def text(*words):
    return "".join(f"[[sim:text {word}]]" for word in words)


def complete(gateway, prompt, model=settings.NOVA, **more):
    """The choices of a whole answer, after checking all around them to the letter."""
    body = good(post(gateway, PATH, model=model, prompt=prompt, **more))
    shapes.check(body, "CreateCompletionResponse", extra=["reasoning_content"])
    assert body["object"] == "text_completion" and body["id"].startswith("cmpl-"), body["id"]
    assert body["model"] == model and body["created"] > 1_700_000_000
    assert [choice["index"] for choice in body["choices"]] == list(range(len(body["choices"])))
    shapes.check_usage(body["usage"])
    return body["choices"]


def stream(gateway, prompt, model=settings.NOVA, **more):
    """The texts of a stream's choices, and its chunks."""
    reply = post(gateway, PATH, model=model, prompt=prompt, stream=True, **more)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = Events(reply.text)
    assert events.done and not events.errors, reply.text[-2000:]
    texts, ends = {}, {}
    for chunk in events.chunks:
        assert chunk["object"] == "text_completion"
        for choice in chunk["choices"]:
            assert choice["index"] not in ends, f"choice {choice['index']} goes on after its end"
            texts[choice["index"]] = texts.get(choice["index"], "") + choice["text"]
            if choice["finish_reason"]:
                ends[choice["index"]] = choice["finish_reason"]
    assert len({chunk["id"] for chunk in events.chunks}) == 1
    assert sorted(texts) == sorted(ends) == list(range(len(texts)))
    return [texts[index] for index in sorted(texts)], ends, events.chunks


def refuse(gateway, param, **body):
    return shapes.check_error(
        post(gateway, PATH, **{"model": settings.NOVA, "prompt": "hello"} | body), 400, param=param
    )


class TestPrompts:
    @each_model
    def test_a_text(self, gateway, model):
        [choice] = complete(gateway, text("Hello there."), model)
        assert choice["text"].strip() == "Hello there." and choice["finish_reason"] == "stop"
        assert choice["logprobs"] is None

    @each_model
    def test_texts_side_by_side(self, gateway, model):
        choices = complete(gateway, [text("One."), text("Two."), text("Three.")], model)
        assert [choice["text"].strip() for choice in choices] == ["One.", "Two.", "Three."]

    @pytest.mark.parametrize("prompt", [HELLO, [HELLO]], ids=["tokens", "list of tokens"])
    def test_tokens(self, gateway, prompt):
        [choice] = complete(gateway, prompt)
        assert "hello world" in choice["text"]

    def test_lists_of_tokens_are_a_prompt_each(self, gateway):
        choices = complete(gateway, [HELLO, [2028, 374, 264, 1296, 2246, 13]])
        assert "hello world" in choices[0]["text"] and "This is a test document." in choices[1]["text"]

    @pytest.mark.parametrize(
        "prompt",
        [[], [[]], ["a", 1], [1, "a"], ["a", [1]], [[1], "a"], [[1], []], {"text": "x"}, 5, True, [None], [-1], [1.5]],
        ids=repr,
    )
    def test_what_is_no_prompt(self, gateway, prompt):
        refuse(gateway, "prompt", prompt=prompt)

    def test_no_prompt(self, gateway):
        shapes.check_error(post(gateway, PATH, model=settings.NOVA), 400, param="prompt")

    def test_no_model(self, gateway):
        shapes.check_error(post(gateway, PATH, prompt="hello"), 400, param="model")

    @pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
    def test_one_that_fails_is_named(self, gateway, streamed):
        wrong = "[[sim:error ValidationException message=not this one]]"
        error = refuse(gateway, "prompt[1]", prompt=["fine", wrong], n=2, stream=streamed)
        assert "prompt[1]" in error["message"] and "not this one" in error["message"]
        refuse(gateway, None, prompt=[wrong], stream=streamed)

    def test_too_many(self, gateway):
        refuse(gateway, "prompt", prompt=["x"] * 5000)


class TestParameters:
    @each_model
    @pytest.mark.parametrize("n", [1, 3])
    def test_n(self, gateway, model, n):
        assert [choice["text"].strip() for choice in complete(gateway, text("Yes."), model, n=n)] == ["Yes."] * n

    def test_n_of_several_prompts(self, gateway):
        """As OpenAI numbers them: those of the first prompt first."""
        choices = complete(gateway, [text("One."), text("Two.")], n=2)
        assert [choice["text"] for choice in choices] == ["One.", "One.", "Two.", "Two."]

    @pytest.mark.parametrize("n", [0, -1, 1.5, "2", 1000])
    def test_what_is_no_n(self, gateway, n):
        refuse(gateway, "n", n=n)

    @each_model
    @pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
    def test_echo(self, gateway, model, streamed):
        prompt = f"Say it. {text('It.')}"
        if streamed:
            [given], _, _ = stream(gateway, prompt, model, echo=True)
        else:
            [choice] = complete(gateway, prompt, model, echo=True)
            given = choice["text"]
        assert given.startswith(prompt) and given.endswith("It.")

    def test_echo_of_tokens(self, gateway):
        [choice] = complete(gateway, HELLO, echo=True)
        assert choice["text"].startswith("hello world")

    @each_model
    @pytest.mark.parametrize("stop", ["three", ["three", "never"]])
    def test_stop(self, gateway, model, stop):
        [choice] = complete(gateway, text("one two three four"), model, stop=stop)
        assert choice["text"].strip() == "one two" and choice["finish_reason"] == "stop"

    @each_model
    def test_max_tokens(self, gateway, model):
        [choice] = complete(gateway, "[[sim:tokens 500]]", model, max_tokens=5)
        assert choice["finish_reason"] == "length" and len(choice["text"]) < 200

    def test_sampling_reaches_the_model(self, stack, mark):
        good(post(stack.gateway, PATH, model=settings.NOVA, prompt=mark, temperature=0.2, top_p=0.5, max_tokens=99))
        [call] = stack.simulator.requests(mark)
        assert call["body"]["inferenceConfig"] == {"temperature": 0.2, "topP": 0.5, "maxTokens": 99}

    @pytest.mark.parametrize("field, value", [("suffix", "the end"), ("logprobs", 2), ("best_of", 3)])
    def test_what_no_model_of_bedrocks_can(self, gateway, field, value):
        error = refuse(gateway, field, **{field: value})
        assert len(error["message"]) > 30 and field in error["message"], "the reason isn't told"

    @pytest.mark.parametrize("field, value", [("suffix", None), ("logprobs", None), ("best_of", 1), ("best_of", None)])
    def test_what_asks_for_nothing(self, gateway, field, value):
        assert complete(gateway, text("Yes."), **{field: value})[0]["text"] == "Yes."

    @pytest.mark.parametrize(
        "field, value",
        [
            ("temperature", "hot"),
            ("temperature", 5),
            ("max_tokens", -1),
            ("stream", "yes"),
            ("echo", "yes"),
            ("stop", 5),
        ],
    )
    def test_wrong_values(self, gateway, field, value):
        refuse(gateway, field, **{field: value})


class TestTemplates:
    """A text model gets the prompt as it is; a chat model gets it as what the user says."""

    def body(self, stack, mark, model):
        good(post(stack.gateway, PATH, model=model, prompt=f"{mark} Once upon a time"))
        return stack.simulator.requests(mark)[-1]

    @pytest.mark.parametrize("model, field", [(TITAN, "inputText"), (COMMAND, "prompt"), (J2, "prompt")])
    def test_text_models_are_invoked(self, stack, mark, model, field):
        call = self.body(stack, mark, model)
        assert call["operation"].startswith("InvokeModel") and f"{mark} Once upon a time" in call["body"][field]

    def test_chat_models_are_asked(self, stack, mark):
        call = self.body(stack, mark, settings.NOVA)
        assert call["body"]["messages"] == [{"role": "user", "content": [{"text": f"{mark} Once upon a time"}]}]


class TestStreams:
    @each_model
    def test_a_text(self, gateway, model):
        [given], ends, chunks = stream(gateway, text("One by one, and all of them."), model)
        assert given.strip() == "One by one, and all of them." and ends == {0: "stop"}
        assert all(chunk.get("usage") is None for chunk in chunks)

    def test_several_prompts(self, gateway):
        texts, _, _ = stream(gateway, [text("One."), text("Two."), text("Three.")])
        assert texts == ["One.", "Two.", "Three."]

    def test_n(self, gateway):
        texts, _, _ = stream(gateway, text("Yes."), n=3)
        assert texts == ["Yes."] * 3

    def test_usage(self, gateway):
        _, _, chunks = stream(gateway, text("Yes."), stream_options={"include_usage": True})
        assert chunks[-1]["choices"] == []
        shapes.check_usage(chunks[-1]["usage"])

    def test_an_error_on_the_way(self, gateway):
        prompt = "[[sim:tokens 100]][[sim:stream-error modelStreamErrorException after=3]]"
        events = Events(post(gateway, PATH, model=settings.NOVA, prompt=prompt, stream=True).text)
        assert events.errors and not events.done

    def test_an_error_before(self, gateway):
        prompt = "[[sim:error AccessDeniedException]]"
        reply = post(gateway, PATH, model=settings.NOVA, prompt=prompt, stream=True)
        shapes.check_error(reply, 403, code="model_access_denied")


def test_one_prompt_of_several_that_fails_is_named(gateway):
    prompt = [text("One."), "[[sim:error AccessDeniedException]]"]
    error = shapes.check_error(post(gateway, PATH, model=settings.NOVA, prompt=prompt), 403)
    assert error["code"] == "model_access_denied"


def test_reasoning_is_not_part_of_the_text(gateway):
    prompt = "[[sim:reasoning I think.]][[sim:text I say.]]"
    [choice] = complete(gateway, prompt, models.DEEPSEEK_R1)
    assert choice["text"].strip() == "I say." and choice["reasoning_content"] == "I think."


def test_a_name_that_nobody_knows(gateway):
    reply = post(gateway, PATH, model="davinci-002", prompt="hello")
    shapes.check_error(reply, 404, code="model_not_found", param="model")


def test_a_model_that_writes_nothing(gateway):
    reply = post(gateway, PATH, model="amazon.titan-embed-text-v2:0", prompt="hello")
    shapes.check_error(reply, (400, 404))


@pytest.mark.parametrize("path", ["/api/v1/completions", "/completions"])
def test_other_paths(gateway, path):
    assert good(post(gateway, path, model=settings.NOVA, prompt=text("Yes.")))["choices"][0]["text"] == "Yes."


class TestTheSdk:
    @each_model
    def test_whole(self, client, model):
        answer = client.completions.create(model=model, prompt=text("Hello there."), max_tokens=50)
        assert answer.choices[0].text.strip() == "Hello there." and answer.usage.total_tokens > 0

    @each_model
    def test_streamed(self, client, model):
        pieces = list(client.completions.create(model=model, prompt=text("Hello there."), stream=True))
        assert "".join(piece.choices[0].text for piece in pieces).strip() == "Hello there."

    def test_async(self, gateway):
        async def ask():
            async with gateway.async_openai() as client:
                whole = await client.completions.create(model=settings.NOVA, prompt=text("Yes."))
                pieces = await client.completions.create(model=settings.NOVA, prompt=text("Yes."), stream=True)
                return whole.choices[0].text, "".join([piece.choices[0].text async for piece in pieces])

        assert asyncio.run(ask()) == ("Yes.", "Yes.")

    def test_errors_have_their_classes(self, client):
        with pytest.raises(openai.BadRequestError) as caught:
            client.completions.create(model=settings.NOVA, prompt="hello", best_of=3)
        assert caught.value.param == "best_of"

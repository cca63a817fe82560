"""`POST /v1/embeddings`, by HTTP and by OpenAI's SDK."""

import asyncio
import random

import openai
import pytest

from support import media, settings, shapes
from support.endpoints import (
    COHERE_3,
    COHERE_4,
    COHERE_ENGLISH,
    EMBEDDING,
    NOVA_EMBED,
    SEEING,
    TITAN_1,
    TITAN_2,
    TITAN_IMAGE,
    TOKENS,
    cosine,
    float32,
    floats,
    good,
    length,
    post,
)

PATH = "/v1/embeddings"
COHERE = [COHERE_ENGLISH, COHERE_3, COHERE_4]
each_model = pytest.mark.parametrize("model", EMBEDDING)


def embed(gateway, given, model=TITAN_2, tokens=True, **more):
    """The vectors, after checking all around them to the letter; `tokens` are counted, but for pictures."""
    body = good(post(gateway, PATH, model=model, input=given, **more))
    shapes.check(body, "CreateEmbeddingResponse")
    assert [one["index"] for one in body["data"]] == list(range(len(body["data"])))
    assert body["usage"]["prompt_tokens"] == body["usage"]["total_tokens"]
    assert body["usage"]["total_tokens"] > 0 or not tokens
    return [one["embedding"] for one in body["data"]]


def refuse(gateway, given, param="input", model=TITAN_2, **more):
    return shapes.check_error(post(gateway, PATH, model=model, input=given, **more), 400, param=param)


class TestForms:
    """All four forms of `input` mean the same to each model."""

    @each_model
    def test_a_text(self, gateway, model):
        [vector] = embed(gateway, "hello world", model)
        assert len(vector) == EMBEDDING[model][0]
        assert all(isinstance(number, float) for number in vector)
        assert length(vector) == pytest.approx(1, abs=1e-3)

    @each_model
    def test_texts(self, gateway, model):
        texts = ["hello world", "snowman ☃", "hello world"]
        one, other, again = embed(gateway, texts, model)
        assert one == again != other
        assert [one] == embed(gateway, "hello world", model)

    @each_model
    def test_tokens_are_one_text(self, gateway, model):
        for text, tokens in TOKENS.items():
            assert embed(gateway, tokens, model) == embed(gateway, text, model)

    @each_model
    def test_lists_of_tokens_are_a_text_each(self, gateway, model):
        assert embed(gateway, list(TOKENS.values()), model) == embed(gateway, list(TOKENS), model)

    def test_the_model_reads_words(self, stack, mark):
        embed(stack.gateway, f"{mark} before", COHERE_3)
        embed(stack.gateway, [[15339, 1917]], COHERE_3)
        assert stack.simulator.state()["requests"][-1]["body"]["texts"] == ["hello world"]

    @pytest.mark.parametrize("model", [TITAN_2, COHERE_3, NOVA_EMBED])
    @pytest.mark.parametrize(
        "given",
        [
            [],
            [[]],
            "",
            [""],
            ["hello", ""],
            [[15339], []],
            ["hello", 15339],
            [15339, "hello"],
            ["hello", [15339]],
            [[15339], "hello"],
            [[15339], 15339],
            [[["hello"]]],
        ],
        ids=repr,
    )
    def test_what_is_mixed_or_empty_is_refused(self, gateway, model, given):
        refuse(gateway, given, model=model)

    @pytest.mark.parametrize(
        "given",
        [None, True, 5, {"text": 5}, [None], [True], [1.5], [-1], [10**12], [[15339, -1]], [[1.5]]],
        ids=repr,
    )
    def test_what_is_no_input_is_refused(self, gateway, given):
        refuse(gateway, given)

    def test_a_token_that_there_is_not_is_named(self, gateway):
        error = refuse(gateway, [[15339], [15339, 99_999_999]])
        assert "1" in error["param"]

    def test_no_input(self, gateway):
        reply = post(gateway, PATH, model=TITAN_2)
        shapes.check_error(reply, 400, code="missing_required_parameter", param="input")

    def test_no_model(self, gateway):
        shapes.check_error(post(gateway, PATH, input="hello"), 400, code="missing_required_parameter", param="model")

    @each_model
    def test_words_of_all_kinds(self, gateway, model):
        texts = ["日本語のテキスト", "emoji 🦔🦔", 'quotes " and \\ and \n lines\t', "\u0000 nought", " x "]
        vectors = embed(gateway, texts, model)
        assert len(vectors) == len(texts)


class TestEncodings:
    @each_model
    def test_base64_is_the_same_numbers(self, gateway, model):
        plain = embed(gateway, ["hello world", "good night"], model, encoding_format="float")
        body = good(post(gateway, PATH, model=model, input=["hello world", "good night"], encoding_format="base64"))
        given = [floats(one["embedding"]) for one in body["data"]]
        assert given == [float32(vector) for vector in plain]

    @pytest.mark.parametrize("wrong", ["binary", "int8", "", 5, ["float"]])
    def test_another_is_refused(self, gateway, wrong):
        refuse(gateway, "hello", param="encoding_format", encoding_format=wrong)


class TestDimensions:
    @pytest.mark.parametrize(
        "model, size", [(model, size) for model, sizes in EMBEDDING.items() for size in sizes if len(sizes) > 1]
    )
    def test_those_that_a_model_has(self, gateway, model, size):
        [vector] = embed(gateway, "hello world", model, dimensions=size)
        assert len(vector) == size and length(vector) == pytest.approx(1, abs=1e-3)

    @each_model
    @pytest.mark.parametrize("size", [100, 1000, 4096])
    def test_those_that_it_has_not(self, gateway, model, size):
        error = refuse(gateway, "hello", param="dimensions", model=model, dimensions=size)
        for possible in EMBEDDING[model]:
            assert str(possible) in error["message"], error

    @pytest.mark.parametrize("size", [0, -1, 1.5, "256", [256], 10**30])
    def test_what_is_no_number_of_dimensions(self, gateway, size):
        refuse(gateway, "hello", param="dimensions", dimensions=size)

    @pytest.mark.parametrize("model", [TITAN_1, COHERE_3, COHERE_ENGLISH])
    def test_a_model_that_has_one_size_only(self, gateway, model):
        refuse(gateway, "hello", param="dimensions", model=model, dimensions=256)


class TestMany:
    def test_two_hundred_texts_for_cohere(self, stack, mark):
        texts = [f"{mark} text number {number}" for number in range(200)]
        vectors = embed(stack.gateway, texts, COHERE_3)
        assert len(vectors) == 200
        sizes = [len(call["body"]["texts"]) for call in stack.simulator.requests(mark)]
        assert sorted(sizes) == [8, 96, 96], "no more than 96 a call, and no more calls than that takes"
        for index in (0, 1, 95, 96, 97, 191, 192, 199):
            assert embed(stack.gateway, texts[index], COHERE_3) == [vectors[index]], (
                f"text {index} has another's vector"
            )

    @pytest.mark.parametrize("model", [TITAN_1, TITAN_2, TITAN_IMAGE, NOVA_EMBED])
    def test_models_of_one_text_a_call(self, gateway, model):
        texts = [f"text number {number}" for number in range(40)]
        vectors = embed(gateway, texts, model)
        for index in (0, 1, 20, 39):
            assert embed(gateway, texts[index], model) == [vectors[index]], f"text {index} has another's vector"

    @each_model
    def test_the_tokens_are_added_up(self, gateway, model):
        def used(given):
            return good(post(gateway, PATH, model=model, input=given))["usage"]["prompt_tokens"]

        assert used(["hello world", "a text that is longer"]) == used("hello world") + used("a text that is longer")

    def test_a_text_that_is_too_long_is_named(self, gateway):
        texts = ["short"] * 3 + ["long " * 50_000] + ["short"]
        error = shapes.check_error(post(gateway, PATH, model=TITAN_2, input=texts), 400)
        assert "3" in (error["param"] or "") and "input" in error["param"], error

    def test_more_than_openai_takes(self, gateway):
        refuse(gateway, ["x"] * 2049)


class TestMeaning:
    """The simulator's vectors are like one another as the texts are; so the order that they are in is told."""

    @each_model
    def test_like_is_near(self, gateway, model):
        texts = [
            "the cat sleeps on the sofa",
            "a cat is sleeping on the sofa",
            "quarterly revenue rose by nine percent",
        ]
        cat, same, other = embed(gateway, texts, model)
        assert cosine(cat, same) > cosine(cat, other) + 0.1

    def test_a_search(self, gateway):
        documents = ["how to bake bread", "how to repair a bicycle", "the history of the violin"]
        vectors = embed(gateway, documents, COHERE_3)
        [query] = embed(gateway, "repair my bicycle", COHERE_3, input_type="search_query")
        scores = [cosine(query, vector) for vector in vectors]
        assert scores.index(max(scores)) == 1


class TestParameters:
    def sent(self, stack, mark, model, **more):
        embed(stack.gateway, f"{mark} text", model, **more)
        [call] = stack.simulator.requests(mark)
        return call["body"]

    @pytest.mark.parametrize("model", COHERE)
    def test_documents_unless_said_otherwise(self, stack, mark, model):
        assert self.sent(stack, mark, model)["input_type"] == "search_document"

    @pytest.mark.parametrize("model", COHERE)
    @pytest.mark.parametrize("kind", ["search_query", "classification", "clustering", "search_document"])
    def test_input_type(self, stack, mark, model, kind):
        assert self.sent(stack, mark, model, input_type=kind)["input_type"] == kind

    @pytest.mark.parametrize("wrong", ["questions", "", 5])
    def test_an_input_type_that_there_is_not(self, gateway, wrong):
        refuse(gateway, "hello", param="input_type", model=COHERE_3, input_type=wrong)

    def test_input_type_where_the_model_has_none(self, gateway):
        """It is said that it makes no difference, or refused; not left out in silence."""
        reply = post(gateway, PATH, model=TITAN_2, input="hello", input_type="search_query")
        if reply.status_code == 200:
            assert "input_type" in reply.headers["x-outcrop-adapted"]
        else:
            shapes.check_error(reply, 400, param="input_type")

    @pytest.mark.parametrize("end", ["START", "END", "NONE"])
    def test_truncate(self, stack, mark, end):
        assert self.sent(stack, mark, COHERE_3, truncate=end)["truncate"] == end

    def test_normalize(self, stack, mark):
        assert self.sent(stack, mark, TITAN_2, normalize=False)["normalize"] is False

    def test_user_is_no_parameter_of_the_models(self, stack, mark):
        assert "user" not in self.sent(stack, mark, TITAN_2, user="somebody")

    def test_never_titans_bits(self, stack, mark):
        body = good(post(stack.gateway, PATH, model=TITAN_2, input=f"{mark} text", encoding_format="base64"))
        assert len(floats(body["data"][0]["embedding"])) == 1024
        [call] = stack.simulator.requests(mark)
        assert "binary" not in call["body"].get("embeddingTypes", [])

    def test_awss_credentials_are_not_the_clients_business(self, gateway):
        refuse(gateway, "hello", param="aws_access_key_id", aws_access_key_id="AKIDANYTHING00000000")


class TestNames:
    @pytest.mark.parametrize(
        "name, model",
        [
            ("bedrock/amazon.titan-embed-text-v2:0", TITAN_2),
            ("titan-embed-text-v2", TITAN_2),
            ("cohere.embed-v4:0", COHERE_4),
            ("arn:aws:bedrock:us-east-1::foundation-model/cohere.embed-english-v3", COHERE_ENGLISH),
        ],
    )
    def test_all_that_chat_knows(self, gateway, name, model):
        reply = post(gateway, PATH, model=name, input="hello")
        assert len(good(reply)["data"][0]["embedding"]) == EMBEDDING[model][0]
        assert model.split(".", 1)[-1].removeprefix("cohere.") in reply.headers["x-bedrock-model"]
        assert reply.json()["model"] == name

    @pytest.mark.parametrize("name", ["text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"])
    def test_openais_by_an_alias(self, serve, name):
        gateway = serve(env={"OUTCROP_ALIASES": f"text-embedding-*={TITAN_2}"})
        reply = post(gateway, PATH, model=name, input="hello")
        assert len(good(reply)["data"][0]["embedding"]) == 1024
        assert reply.headers["x-bedrock-model"] == TITAN_2

    @pytest.mark.parametrize("name", ["text-embedding-3-small", "text-embedding-ada-002", "my-embedder"])
    def test_openais_by_the_default(self, serve, name):
        gateway = serve(env={"OUTCROP_DEFAULT_EMBEDDING_MODEL": COHERE_3, "OUTCROP_DEFAULT_MODEL": settings.NOVA})
        reply = post(gateway, PATH, model=name, input="hello")
        assert len(good(reply)["data"][0]["embedding"]) == 1024
        assert reply.headers["x-bedrock-model"] == COHERE_3

    def test_one_that_nobody_knows(self, gateway):
        reply = post(gateway, PATH, model="text-embeding-9", input="hello")
        shapes.check_error(reply, 404, code="model_not_found", param="model")

    @pytest.mark.parametrize(
        "model", [settings.NOVA, settings.CLAUDE, "cohere.rerank-v3-5:0", "amazon.nova-canvas-v1:0"]
    )
    def test_a_model_that_embeds_nothing(self, gateway, model):
        error = shapes.check_error(post(gateway, PATH, model=model, input="hello"), (400, 404), param="model")
        assert "embedding" in error["message"], error

    def test_an_embedding_model_does_not_chat(self, gateway):
        error = shapes.check_error(gateway.chat("hello", model=TITAN_2), (400, 404))
        assert "embed" in error["message"].lower() or "chat" in error["message"].lower(), error


class TestPaths:
    @pytest.mark.parametrize("path", ["/v1/embeddings", "/api/v1/embeddings", "/embeddings"])
    def test_each(self, gateway, path):
        assert good(post(gateway, path, model=TITAN_2, input="hello"))["data"]

    def test_azures(self, gateway):
        data = gateway.azure().embeddings.create(model=TITAN_2, input="hello").data
        assert len(data[0].embedding) == 1024

    def test_what_it_says_of_itself(self, gateway):
        reply = post(gateway, PATH, model=COHERE_3, input=["hello", "world"], headers={"x-request-id": "told-1"})
        assert reply.headers["x-bedrock-model"] == COHERE_3 and reply.headers["x-request-id"] == "told-1"
        assert int(reply.headers["x-token-usage-input"]) == good(reply)["usage"]["prompt_tokens"]


class TestPictures:
    @pytest.mark.parametrize("model", SEEING)
    def test_a_picture_is_an_input(self, gateway, model):
        url = media.data_url(media.png(64, 64))
        [vector] = embed(gateway, [url], model, tokens=False)
        assert len(vector) == EMBEDDING[model][0]

    @pytest.mark.parametrize("model", SEEING)
    def test_another_picture_is_another_vector(self, gateway, model):
        one, other = media.data_url(media.png(64, 64)), media.data_url(media.png(65, 64))
        [first] = embed(gateway, one, model, tokens=False)
        [second] = embed(gateway, other, model, tokens=False)
        assert first != second

    @pytest.mark.parametrize("model", [TITAN_1, TITAN_2])
    def test_a_model_that_sees_nothing_says_so(self, gateway, model):
        refuse(gateway, [media.data_url(media.png())], model=model)


class TestTheSdk:
    @each_model
    def test_as_it_is(self, client, model):
        """It asks for base64 by itself, and unpacks it."""
        answer = client.embeddings.create(model=model, input=["hello world", "good night"])
        assert [len(one.embedding) for one in answer.data] == [EMBEDDING[model][0]] * 2
        plain = client.embeddings.create(model=model, input="hello world", encoding_format="float").data[0].embedding
        assert answer.data[0].embedding == pytest.approx(plain)
        assert answer.model == model and answer.usage.total_tokens > 0

    def test_async(self, gateway):
        async def ask(client, number):
            answer = await client.embeddings.create(model=COHERE_3, input=[f"text {number}"])
            return answer.data[0].embedding

        async def all_of_them():
            async with gateway.async_openai() as client:
                return await asyncio.gather(*(ask(client, number) for number in range(20)))

        vectors = asyncio.run(all_of_them())
        numbers = random.Random(1).sample(range(20), 4)
        with gateway.openai() as client:
            for number in numbers:
                again = client.embeddings.create(model=COHERE_3, input=f"text {number}").data[0].embedding
                assert again == vectors[number]

    def test_errors_have_their_classes(self, client):
        with pytest.raises(openai.NotFoundError):
            client.embeddings.create(model="no-such-model", input="hello")
        with pytest.raises(openai.BadRequestError) as caught:
            client.embeddings.create(model=TITAN_2, input="hello", dimensions=7)
        assert caught.value.param == "dimensions"

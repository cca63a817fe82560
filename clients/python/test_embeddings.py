"""Embeddings: OpenAI's client gets vectors of each model, in order, of whatever it sends."""

import asyncio
import base64
import json
import struct

import openai
import pytest

from support import media, process, shapes

TITAN_1 = "amazon.titan-embed-text-v1"
TITAN_2 = "amazon.titan-embed-text-v2:0"
TITAN_IMAGE = "amazon.titan-embed-image-v1"
COHERE_3 = "cohere.embed-english-v3"
COHERE_4 = "cohere.embed-v4:0"
NOVA = "amazon.nova-2-multimodal-embeddings-v1:0"
MARENGO_2 = "us.twelvelabs.marengo-embed-2-7-v1:0"
MARENGO_3 = "us.twelvelabs.marengo-embed-3-0-v1:0"

# How many numbers a vector has unless something else is asked for.
DIMENSIONS = {
    TITAN_1: 1536,
    "amazon.titan-embed-g1-text-02": 1536,
    TITAN_2: 1024,
    TITAN_IMAGE: 1024,
    COHERE_3: 1024,
    "cohere.embed-multilingual-v3": 1024,
    COHERE_4: 1536,
    NOVA: 3072,
    MARENGO_2: 1024,
    MARENGO_3: 512,
}
DOCUMENTS = [
    "To reset your password, open the settings and choose 'Security'.",
    "Our office in Lyon is closed on public holidays.",
    "Invoices are sent by mail on the first day of each month.",
    "The cafeteria serves soup and salad from noon.",
]
PICTURE = media.png(8, 8)


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b))


def as_sent(numbers):
    """Numbers as a list of 32 bits each has them."""
    return list(struct.unpack(f"<{len(numbers)}f", struct.pack(f"<{len(numbers)}f", *numbers)))


def embed(gateway, model, given, **more):
    return gateway.request("POST", "/v1/embeddings", json={"model": model, "input": given} | more)


def problem(reply, status=400):
    assert reply.status_code == status, reply.text
    return reply.json()["error"]


@pytest.mark.parametrize("model", DIMENSIONS)
def test_a_search_among_a_few_texts_finds_what_a_person_would(client, model):
    answer = client.embeddings.create(model=model, input=DOCUMENTS)
    assert [item.index for item in answer.data] == [0, 1, 2, 3]
    assert all(len(item.embedding) == DIMENSIONS[model] for item in answer.data)
    assert answer.model == model and answer.object == "list"
    for query, best in [("how do I reset the password", 0), ("closed on which public holidays?", 1), ("soup at noon", 3)]:
        vector = client.embeddings.create(model=model, input=query, extra_body={"input_type": "search_query"})
        near = [cosine(vector.data[0].embedding, item.embedding) for item in answer.data]
        assert near.index(max(near)) == best, (query, near)


@pytest.mark.parametrize("model", DIMENSIONS)
def test_usage_is_bedrocks_own_count(client, model):
    one = client.embeddings.create(model=model, input="four words of it").usage
    three = client.embeddings.create(model=model, input=["four words of it"] * 3).usage
    assert one.prompt_tokens == one.total_tokens > 0
    assert three.prompt_tokens == three.total_tokens == 3 * one.prompt_tokens


@pytest.mark.parametrize("model", [TITAN_2, COHERE_3, COHERE_4, NOVA])
def test_floats_and_base64_are_the_same_numbers(gateway, model):
    floats = embed(gateway, model, ["one", "two"], encoding_format="float").json()
    encoded = embed(gateway, model, ["one", "two"], encoding_format="base64").json()
    plain = embed(gateway, model, ["one", "two"]).json()
    assert plain == floats
    for item, other in zip(floats["data"], encoded["data"]):
        numbers = list(memoryview(base64.b64decode(other["embedding"])).cast("f"))
        assert numbers == as_sent(item["embedding"])


@pytest.mark.parametrize("model", [TITAN_1, COHERE_3, NOVA, MARENGO_3])
def test_the_answer_has_openais_shape(gateway, model):
    reply = embed(gateway, model, ["one", "two"])
    assert reply.headers["content-type"] == "application/json"
    assert shapes.problems(reply.json(), "CreateEmbeddingResponse") == []


def test_the_async_client_asks_side_by_side(gateway):
    async def ask():
        async with gateway.async_openai() as client:
            asked = [client.embeddings.create(model=TITAN_2, input=[f"text {n}", "same"]) for n in range(8)]
            return await asyncio.gather(*asked)

    answers = asyncio.run(ask())
    assert len({tuple(answer.data[0].embedding) for answer in answers}) == 8
    assert len({tuple(answer.data[1].embedding) for answer in answers}) == 1


@pytest.mark.parametrize("model", [TITAN_2, COHERE_3])
def test_the_order_is_kept_over_many_calls(client, stack, model, mark):
    texts = [f"{mark} number {n}" for n in range(200)]
    answer = stack.gateway.openai().embeddings.create(model=model, input=texts)
    assert [item.index for item in answer.data] == list(range(200))
    for index in (0, 95, 96, 199):
        alone = client.embeddings.create(model=model, input=texts[index])
        assert alone.data[0].embedding == answer.data[index].embedding, index


def test_headers_stay_short_over_many_calls(gateway):
    reply = embed(gateway, TITAN_2, [f"text {n}" for n in range(300)])
    assert reply.status_code == 200 and len(reply.json()["data"]) == 300
    # Node's clients take 16 KB of headers in all.
    assert sum(len(name) + len(value) for name, value in reply.headers.items()) < 4000
    assert reply.headers["x-amzn-requestid"].endswith("and 284 more")


def test_cohere_is_asked_for_96_texts_at_a_time(stack, mark):
    stack.gateway.openai().embeddings.create(model=COHERE_3, input=[f"{mark} {n}" for n in range(200)])
    calls = [request["body"]["texts"] for request in stack.simulator.requests(mark)]
    assert sorted(len(texts) for texts in calls) == [8, 96, 96]


@pytest.mark.parametrize("model", [TITAN_2, COHERE_3, COHERE_4, NOVA, MARENGO_2])
def test_tokens_are_the_text_that_they_stand_for(client, model):
    # "hello world" in cl100k_base, which is OpenAI's encoding for vectors.
    tokens = [15339, 1917]
    text = client.embeddings.create(model=model, input="hello world").data[0].embedding
    one = client.embeddings.create(model=model, input=tokens).data
    assert [item.embedding for item in one] == [text]
    two = client.embeddings.create(model=model, input=[tokens, tokens[:1]]).data
    assert len(two) == 2 and two[0].embedding == text and two[1].embedding != text


@pytest.mark.parametrize("model", [TITAN_1, TITAN_IMAGE, COHERE_3, COHERE_4, NOVA, MARENGO_3])
@pytest.mark.parametrize(
    "given, param",
    [
        ("", "input"),
        ([], "input"),
        (["a", ""], "input[1]"),
        ([[1], []], "input[1]"),
        (["a", [1]], "input[1]"),
        ([1, "a"], "input[1]"),
        ([1, -1], "input[1]"),
        ([[1, 2], [3, 300000]], "input[1][1]"),
        (["a", None], "input[1]"),
        (7, "input"),
        (None, "input"),
        (["a"] * 2049, "input"),
    ],
)
def test_input_that_is_none_is_refused_by_its_place(gateway, model, given, param):
    error = problem(embed(gateway, model, given))
    assert error["type"] == "invalid_request_error" and error["param"] == param


def test_a_failure_names_the_text_that_failed(gateway, mark):
    texts = ["fine", f"[[sim:error ValidationException message=No {mark}.]]", "fine too"]
    error = problem(embed(gateway, TITAN_2, texts))
    assert error["param"] == "input[1]" and mark in error["message"]
    error = problem(embed(gateway, TITAN_2, ["ok", f"{mark} [[sim:error AccessDeniedException]]"]), 403)
    assert error["param"] == "input[1]"
    error = problem(embed(gateway, COHERE_3, ["ok"] * 100 + ["x" * 2049]))
    assert error["param"] == "input[100]" and error["code"] == "context_length_exceeded"


def test_what_is_not_about_a_text_names_none(gateway):
    error = problem(embed(gateway, TITAN_2, ["ok", "[[sim:error ExpiredTokenException]]"]), 502)
    assert error["code"] == "upstream_credentials" and error["param"] is None


def test_a_failure_waits_for_no_text_before_it(gateway):
    """The first text's vector would come only after the client has given up."""
    error = problem(embed(gateway, TITAN_2, ["[[sim:delay 300s]]", "[[sim:error ValidationException message=No.]]"]))
    assert error["param"] == "input[1]"


@pytest.mark.parametrize("model", [TITAN_2, MARENGO_2])
def test_a_text_with_too_many_tokens_is_too_long(gateway, model):
    for given, param in ("word " * 9000, "input"), (["ok", "word " * 9000], "input[1]"):
        error = problem(embed(gateway, model, given))
        assert (error["code"], error["param"]) == ("context_length_exceeded", param), error


def test_a_failure_of_several_texts_names_all(gateway):
    texts = ["ok", "[[sim:error ValidationException message=No.]]", "ok"]
    assert problem(embed(gateway, COHERE_3, texts))["param"] == "input[0-2]"
    assert problem(embed(gateway, COHERE_3, texts[1]))["param"] == "input"


def test_too_many_characters_are_cut_for_a_model_that_cuts_no_tokens(stack, mark):
    # What is left has too many tokens still, which is for Bedrock to say.
    reply = embed(stack.gateway, TITAN_2, mark + "x" * 60_000, truncate="END")
    assert "can be 'START'" not in reply.text and "input=cut" in reply.headers["x-outcrop-adapted"]
    [request] = stack.simulator.requests(mark)
    assert len(request["body"]["inputText"]) == 50_000


@pytest.mark.parametrize(
    "model, fields, param",
    [
        (NOVA, {"normalize": 1}, "normalize"),
        (COHERE_3, {"embedding_types": ["int9"]}, "embedding_types"),
        (TITAN_2, {"embedding_types": ["int9"]}, "embedding_types"),
        (COHERE_4, {"max_tokens": "x"}, "max_tokens"),
        (NOVA, {"input_type": "bogus"}, "input_type"),
        (TITAN_2, {"input_type": "bogus"}, "input_type"),
        (f"{COHERE_3}#bogus", {}, "model"),
        (f"{COHERE_3}#", {}, "model"),
    ],
)
def test_a_refusal_names_the_clients_parameter(gateway, model, fields, param):
    for given in "Hello", ["Hello", "you"]:
        assert problem(embed(gateway, model, given, **fields))["param"] == param


def test_an_alias_may_say_what_vectors_are_for(serve):
    alias = f"q={COHERE_3}#search_query"
    gateway = serve("--aliases", alias, "--default-embedding-model", f"{COHERE_3}#search_query")

    def vector(name, **fields):
        reply = embed(gateway, name, "Hello", **fields)
        assert reply.status_code == 200, reply.text
        return reply.json()["data"][0]["embedding"]

    query = vector(COHERE_3, input_type="search_query")
    assert vector("q") == vector("text-embedding-3-small") == query != vector(COHERE_3)
    assert vector("q#search_document") == vector("q", input_type="document") == vector(COHERE_3)


def test_an_alias_for_nothing_known_stops_the_start():
    told = process.run("serve", "--simulate", "--aliases", f"q={COHERE_3}#bogus")
    assert told.returncode != 0 and "bogus" in told.stderr


def test_throttling_is_tried_again(gateway, mark):
    text = f"{mark} [[sim:error ThrottlingException times=1]]"
    assert embed(gateway, COHERE_3, [text, "other"]).status_code == 200


@pytest.mark.parametrize(
    "model, possible, impossible",
    [
        (TITAN_2, [256, 512, 1024], 1536),
        (TITAN_IMAGE, [256, 384, 1024], 512),
        (COHERE_4, [256, 512, 1024, 1536], 3072),
        (NOVA, [256, 384, 1024, 3072], 512),
        (TITAN_1, [1536], 256),
        (COHERE_3, [1024], 256),
    ],
)
def test_dimensions_are_those_of_the_model(client, model, possible, impossible):
    for dimensions in possible:
        answer = client.embeddings.create(model=model, input="Hello", dimensions=dimensions)
        assert len(answer.data[0].embedding) == dimensions
    with pytest.raises(openai.BadRequestError) as error:
        client.embeddings.create(model=model, input="Hello", dimensions=impossible)
    assert error.value.param == "dimensions"
    assert all(str(dimensions) in error.value.message for dimensions in possible)


@pytest.mark.parametrize("model", [COHERE_3, COHERE_4, NOVA])
def test_queries_can_be_told_from_documents(client, model):
    def vector(name=model, **more):
        return client.embeddings.create(model=name, input="Hello", extra_body=more).data[0].embedding

    document, query = vector(), vector(input_type="search_query")
    assert vector(input_type="search_document") == document != query
    # For clients that can't send anything else.
    assert vector(f"{model}#search_query") == vector(input_type="query") == query


def test_parameters_reach_the_model(stack, mark):
    client = stack.gateway.openai()
    sent = {"input_type": "classification", "truncate": "LEFT", "max_tokens": 100}
    client.embeddings.create(model=COHERE_4, input=mark, dimensions=256, user="ann", extra_body=sent)
    [request] = stack.simulator.requests(mark)
    assert request["body"] == sent | {"texts": [mark], "output_dimension": 256}
    assert json.loads(request["headers"]["x-amzn-bedrock-request-metadata"]) == {"user": "ann"}


def test_what_a_model_hasnt_got_is_told(gateway):
    reply = embed(gateway, TITAN_2, "Hello", truncate="END", input_type="search_query")
    notes = reply.headers["x-outcrop-adapted"]
    assert "truncate=dropped(unsupported-by-model)" in notes and "input_type=dropped" in notes
    error = problem(embed(gateway, TITAN_2, "Hello", truncate="END", on_unsupported="reject"))
    assert error["param"] == "truncate"
    error = problem(embed(gateway, TITAN_2, "Hello", foo=1))
    assert "extraneous key [foo]" in error["message"]


def test_vectors_are_as_long_as_asked_for(client):
    long = client.embeddings.create(model=TITAN_2, input="Hello", extra_body={"normalize": False}).data[0].embedding
    short = client.embeddings.create(model=TITAN_2, input="Hello").data[0].embedding
    assert cosine(long, long) > 2 and cosine(short, short) == pytest.approx(1, abs=1e-4)
    made = client.embeddings.create(model=COHERE_3, input="Hello", extra_body={"normalize": True}).data[0].embedding
    assert cosine(made, made) == pytest.approx(1, abs=1e-6)


def test_types_of_numbers(gateway):
    item = embed(gateway, COHERE_3, "Hello", embedding_types=["int8"]).json()["data"][0]
    assert len(item["embedding"]) == 1024 and all(isinstance(number, int) for number in item["embedding"])
    item = embed(gateway, COHERE_3, "Hello", embedding_types=["float", "ubinary"]).json()["data"][0]
    assert item["embedding"] == item["embeddings_by_type"]["float"]
    assert len(item["embeddings_by_type"]["ubinary"]) == 128


@pytest.mark.parametrize("model", [TITAN_IMAGE, COHERE_3, COHERE_4, NOVA, MARENGO_2, MARENGO_3])
def test_images_become_vectors(gateway, model):
    image = media.data_url(PICTURE)
    forms = [image, {"image": image}, {"image": media.base64_of(PICTURE)}, {"type": "image_url", "image_url": {"url": image}}]
    answer = embed(gateway, model, [*forms, "a text"])
    assert answer.status_code == 200, answer.text
    vectors = [item["embedding"] for item in answer.json()["data"]]
    assert len(vectors) == 5 and all(vector == vectors[0] for vector in vectors[:4]) and vectors[4] != vectors[0]


@pytest.mark.parametrize("model", [TITAN_IMAGE, COHERE_4, MARENGO_3])
def test_a_text_and_an_image_become_one_vector(gateway, model):
    answer = embed(gateway, model, [{"text": "A picture", "image": media.base64_of(PICTURE)}, "A picture"]).json()
    both, text = (item["embedding"] for item in answer["data"])
    assert both != text and cosine(both, text) > 0.3


def test_images_are_refused_by_models_without(gateway):
    error = problem(embed(gateway, TITAN_2, ["a", media.data_url(PICTURE)]))
    assert error["param"] == "input[1]" and error["code"] == "unsupported_content"


@pytest.mark.parametrize("name", ["text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"])
def test_openais_names_mean_a_model_of_bedrocks(client, name):
    answer = client.embeddings.create(model=name, input="Hello", encoding_format="float")
    assert answer.model == "cohere.embed-multilingual-v3" and len(answer.data[0].embedding) == 1024


def test_openais_names_mean_what_the_operator_says(serve):
    client = serve(env={"DEFAULT_EMBEDDING_MODEL": TITAN_2}).openai()
    answer = client.embeddings.create(model="text-embedding-3-small", input="Hello", dimensions=512)
    assert answer.model == TITAN_2 and len(answer.data[0].embedding) == 512


@pytest.mark.parametrize("name", ["bedrock/amazon.titan-embed-text-v1", "Titan-Embed-Text-v2", "embed-english-v3.0"])
def test_other_names(client, name):
    answer = client.embeddings.create(model=name, input="Hello")
    assert answer.model == name and answer.data[0].embedding


def test_azures_clients_name_the_deployment(gateway):
    answer = gateway.azure().embeddings.create(model=COHERE_4, input="Hello")
    assert len(answer.data[0].embedding) == 1536


def test_models_are_told_where_they_belong(gateway):
    error = problem(embed(gateway, "amazon.nova-lite-v1:0", "Hello"))
    assert error["param"] == "model" and TITAN_2 in error["message"]
    error = problem(gateway.chat("Hello", TITAN_2))
    assert error["param"] == "model" and "/v1/embeddings" in error["message"]
    assert problem(embed(gateway, "no-such-model", "Hello"), 404)["code"] == "model_not_found"


def test_a_dry_run_shows_the_calls(gateway):
    body = {"model": TITAN_2, "input": ["one", "two"]}
    reply = gateway.request("POST", "/v1/embeddings", json=body, headers={"x-outcrop-dry-run": "true"})
    assert reply.status_code == 200 and "InvokeModel" in reply.text
    assert '"inputText":"one"' in reply.text.replace(" ", "")


def test_headers_and_the_log_tell_of_the_call(gateway):
    reply = embed(gateway, COHERE_3, ["one", "two"])
    assert reply.headers["x-bedrock-model"] == COHERE_3 and reply.headers["x-outcrop-route"] == "invoke"
    assert int(reply.headers["x-token-usage-input"]) == reply.json()["usage"]["prompt_tokens"]

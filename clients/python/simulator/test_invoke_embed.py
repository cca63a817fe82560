"""Models that make vectors, by InvokeModel, as boto3's users ask them."""

import base64
import struct
import zlib

import pytest
from botocore.exceptions import ClientError
from invoking import invoke

TITAN_1 = "amazon.titan-embed-text-v1"
TITAN_2 = "amazon.titan-embed-text-v2:0"
TITAN_IMAGE = "amazon.titan-embed-image-v1"
COHERE_3 = "cohere.embed-english-v3"
COHERE_4 = "cohere.embed-v4:0"
NOVA = "amazon.nova-2-multimodal-embeddings-v1:0"
MARENGO_2 = "us.twelvelabs.marengo-embed-2-7-v1:0"
MARENGO_3 = "us.twelvelabs.marengo-embed-3-0-v1:0"


def png(red=200):
    """A picture of one colour, in base64."""
    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    pixels = (b"\0" + bytes([red, 10, 20]) * 16) * 16
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    written = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(written)).decode()


def nova(dimension=None, purpose="GENERIC_INDEX", **content):
    params = {"embeddingPurpose": purpose, **content}
    if dimension:
        params["embeddingDimension"] = dimension
    return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params}


def nova_text(value, **more):
    return nova(text={"truncationMode": "NONE", "value": value}, **more)


# What each model is asked for one text, and where its vector stands in the answer.
ONE_TEXT = {
    TITAN_1: (lambda text: {"inputText": text}, lambda answer: answer["embedding"], 1536),
    "amazon.titan-embed-g1-text-02": (lambda text: {"inputText": text}, lambda answer: answer["embedding"], 1536),
    TITAN_2: (lambda text: {"inputText": text}, lambda answer: answer["embedding"], 1024),
    TITAN_IMAGE: (lambda text: {"inputText": text}, lambda answer: answer["embedding"], 1024),
    COHERE_3: (
        lambda text: {"texts": [text], "input_type": "search_document"},
        lambda answer: answer["embeddings"][0],
        1024,
    ),
    COHERE_4: (
        lambda text: {"texts": [text], "input_type": "search_document"},
        lambda answer: answer["embeddings"][0],
        1536,
    ),
    NOVA: (nova_text, lambda answer: answer["embeddings"][0]["embedding"], 3072),
    MARENGO_2: (
        lambda text: {"inputType": "text", "inputText": text},
        lambda answer: answer["data"][0]["embedding"],
        1024,
    ),
    MARENGO_3: (
        lambda text: {"inputType": "text", "text": {"inputText": text}},
        lambda answer: answer["data"][0]["embedding"],
        512,
    ),
}


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b))


@pytest.mark.parametrize("model", ONE_TEXT)
def test_vectors_follow_the_texts_likeness(runtime, model):
    ask, vector, dimension = ONE_TEXT[model]
    texts = ["How do I reset my password?", "The cat sleeps on the sofa.", "Reset the password, please"]
    first, other, alike = (vector(invoke(runtime, model, ask(text))[0]) for text in texts)
    assert len(first) == dimension
    assert cosine(first, first) == pytest.approx(1, abs=1e-6)
    assert cosine(first, alike) > cosine(first, other) + 0.15
    assert vector(invoke(runtime, model, ask(texts[0]))[0]) == first


@pytest.mark.parametrize("model", ONE_TEXT)
def test_a_header_tells_the_tokens(runtime, model):
    ask = ONE_TEXT[model][0]
    short, long = (invoke(runtime, model, ask(text))[1] for text in ("Hi", "Hi there, " * 10))
    counts = [int(headers["x-amzn-bedrock-input-token-count"]) for headers in (short, long)]
    assert 0 < counts[0] < counts[1]
    assert "x-amzn-bedrock-output-token-count" not in short


@pytest.mark.parametrize("model", ONE_TEXT)
def test_what_a_model_doesnt_know_is_refused(runtime, model):
    body = {**ONE_TEXT[model][0]("Hi"), "dimension": 256}
    with pytest.raises(ClientError, match=r"#: extraneous key \[dimension\] is not permitted"):
        invoke(runtime, model, body)
    with pytest.raises(ClientError, match="required key"):
        invoke(runtime, model, {})


def test_vectors_arent_streamed_nor_guarded(runtime):
    with pytest.raises(ClientError) as error:
        runtime.invoke_model_with_response_stream(modelId=TITAN_2, body='{"inputText": "Hi"}')
    assert error.value.response["Error"]["Code"] == "ValidationException"
    guardrail = {"guardrailIdentifier": "simguardrail1", "guardrailVersion": "1", "contentType": "application/json"}
    with pytest.raises(ClientError, match="Guardrails are not supported"):
        invoke(runtime, TITAN_2, {"inputText": "Hi"}, **guardrail)


def test_markers_work_and_arent_embedded(runtime):
    with pytest.raises(ClientError, match="Slow down") as error:
        invoke(runtime, TITAN_2, {"inputText": "[[sim:error ThrottlingException message=Slow down.]]"})
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    plain, _ = invoke(runtime, TITAN_2, {"inputText": "Hello"})
    marked, _ = invoke(runtime, TITAN_2, {"inputText": "Hello[[sim:delay 0ms]]"})
    assert marked == plain


def test_titan_1_has_no_parameters(runtime):
    answer, headers = invoke(runtime, TITAN_1, {"inputText": "Hello there"})
    assert set(answer) == {"embedding", "inputTextTokenCount"}
    assert str(answer["inputTextTokenCount"]) == headers["x-amzn-bedrock-input-token-count"]


def test_titan_2_gives_numbers_and_bits(runtime):
    answer, _ = invoke(runtime, TITAN_2, {"inputText": "Hello", "dimensions": 256})
    assert len(answer["embedding"]) == 256
    assert answer["embeddingsByType"] == {"float": answer["embedding"]}
    answer, _ = invoke(runtime, TITAN_2, {"inputText": "Hello", "embeddingTypes": ["binary"]})
    assert list(answer["embeddingsByType"]) == ["binary"]
    assert answer["embeddingsByType"]["binary"] == [int(number > 0) for number in answer["embedding"]]


def test_titan_2_can_leave_vectors_as_long_as_they_are(runtime):
    answer, _ = invoke(runtime, TITAN_2, {"inputText": "Hello", "normalize": False})
    assert cosine(answer["embedding"], answer["embedding"]) > 2


@pytest.mark.parametrize(
    "body, complaint",
    [
        ({"inputText": ""}, "#/inputText: expected minLength: 1, actual: 0"),
        ({"inputText": "x" * 50_001}, "#/inputText: expected maxLength: 50000, actual: 50001"),
        ({"inputText": "x" * 40_000}, "Too many input tokens. Max input tokens: 8192, request input token count: 10"),
        ({"inputText": ["a", "b"]}, "#/inputText: expected type: String, found: JSONArray"),
        ({"inputText": "a", "dimensions": 300}, "#/dimensions: 300 is not a valid enum value"),
        ({"inputText": "a", "embeddingTypes": ["int8"]}, "#/embeddingTypes/0: int8 is not a valid enum value"),
    ],
)
def test_titan_2_is_strict(runtime, body, complaint):
    with pytest.raises(ClientError) as error:
        invoke(runtime, TITAN_2, body)
    assert complaint in error.value.response["Error"]["Message"]


def test_titans_images_and_texts_are_averaged(runtime):
    words, picture = {"inputText": "a red square"}, {"inputImage": png()}
    text, image, both = (invoke(runtime, TITAN_IMAGE, body)[0] for body in (words, picture, {**words, **picture}))
    assert cosine(both["embedding"], text["embedding"]) > 0.6 < cosine(both["embedding"], image["embedding"])
    assert image["inputTextTokenCount"] == 0 and image["message"] is None
    config = {"embeddingConfig": {"outputEmbeddingLength": 384}}
    assert len(invoke(runtime, TITAN_IMAGE, {"inputText": "a", **config})[0]["embedding"]) == 384
    with pytest.raises(ClientError, match="could not be processed"):
        invoke(runtime, TITAN_IMAGE, {"inputImage": base64.b64encode(b"no image").decode()})
    with pytest.raises(ClientError, match="Max input tokens: 128"):
        invoke(runtime, TITAN_IMAGE, {"inputText": "word " * 200})


def test_cohere_takes_up_to_96_texts_in_order(runtime):
    texts = [f"text number {index}" for index in range(96)]
    answer, headers = invoke(runtime, COHERE_3, {"texts": texts, "input_type": "search_document"})
    assert answer["texts"] == texts and answer["response_type"] == "embeddings_floats"
    assert len(answer["embeddings"]) == 96
    alone, _ = invoke(runtime, COHERE_3, {"texts": [texts[50]], "input_type": "search_document"})
    assert alone["embeddings"][0] == answer["embeddings"][50]
    message = refused_whole(runtime, COHERE_3, {"texts": [*texts, "more"], "input_type": "search_document"})
    assert "#/texts: expected maximum item count: 96, found: 97" in message


def test_cohere_distinguishes_documents_and_queries(runtime):
    document, query = (
        invoke(runtime, COHERE_3, {"texts": ["Hello"], "input_type": kind})[0]["embeddings"][0]
        for kind in ("search_document", "search_query")
    )
    assert document != query and cosine(document, query) > 0.9


@pytest.mark.parametrize("model", [COHERE_3, COHERE_4])
def test_coheres_types_of_vectors(runtime, model):
    types = ["float", "int8", "uint8", "binary", "ubinary"]
    body = {"texts": ["Hello", "World"], "input_type": "clustering", "embedding_types": types}
    answer, _ = invoke(runtime, model, body)
    assert answer["response_type"] == "embeddings_by_type"
    assert set(answer["embeddings"]) == set(types)
    numbers = answer["embeddings"]["float"][1]
    whole = answer["embeddings"]["int8"][1]
    assert len(whole) == len(numbers) and all(-128 <= number <= 127 for number in whole)
    bits = "".join(f"{byte:08b}" for byte in answer["embeddings"]["ubinary"][1])
    assert bits == "".join("1" if number > 0 else "0" for number in numbers)
    assert answer["embeddings"]["binary"][1] == [byte - 128 for byte in answer["embeddings"]["ubinary"][1]]


@pytest.mark.parametrize(
    "model, body, complaint",
    [
        (COHERE_3, {"texts": ["a"]}, "#: required key [input_type] not found"),
        (COHERE_3, {"inputText": "a"}, "#: extraneous key [inputText] is not permitted"),
        (COHERE_3, {"input_type": "search_query"}, "#: required key [texts] not found"),
        (COHERE_3, {"texts": ["a" * 3000], "input_type": "search_query"}, "#/texts/0: expected maxLength: 2048"),
        (COHERE_3, {"texts": ["a", ""], "input_type": "search_query"}, "#/texts/1: expected minLength: 1, actual: 0"),
        (COHERE_3, {"texts": ["a"], "input_type": "query"}, "#/input_type: query is not a valid enum value"),
        (COHERE_3, {"texts": ["a"], "input_type": "search_query", "truncate": "LEFT"}, "LEFT is not a valid"),
        (COHERE_3, {"texts": ["a"], "input_type": "image"}, "input_type image"),
        (COHERE_4, {"texts": ["a"], "input_type": "search_query", "output_dimension": 384}, "384 is not a valid"),
        (COHERE_4, {"texts": ["a"], "input_type": "search_query", "truncate": "END"}, "END is not a valid enum value"),
        (COHERE_4, {"texts": ["a"], "images": ["b"], "input_type": "search_query"}, "only one of"),
        (COHERE_4, {"images": ["b"], "input_type": "search_query"}, "data URI"),
    ],
)
def test_cohere_is_strict(runtime, model, body, complaint):
    assert complaint in refused_whole(runtime, model, body)


def test_cohere_4_takes_texts_without_a_limit_of_characters_and_pages(runtime):
    long = {"texts": ["word " * 1000], "input_type": "search_query", "output_dimension": 256}
    answer, _ = invoke(runtime, COHERE_4, long)
    assert len(answer["embeddings"][0]) == 256
    url = f"data:image/png;base64,{png()}"
    page = {"content": [{"type": "text", "text": "A red square"}, {"type": "image_url", "image_url": url}]}
    for body in ({"images": [url]}, {"inputs": [page]}):
        answer, _ = invoke(runtime, COHERE_4, {**body, "input_type": "search_document"})
        assert len(answer["embeddings"]) == 1


def test_novas_body(runtime):
    answer, _ = invoke(runtime, NOVA, nova_text("Hello", dimension=384))
    assert answer["embeddings"][0]["embeddingType"] == "TEXT" and len(answer["embeddings"][0]["embedding"]) == 384
    image = {"format": "png", "source": {"bytes": png()}}
    assert invoke(runtime, NOVA, nova(image=image))[0]["embeddings"][0]["embeddingType"] == "IMAGE"
    message = refused_whole(runtime, NOVA, nova_text("x" * 8193))
    assert "#/singleEmbeddingParams/text/value: expected maxLength: 8192" in message
    assert "required key [truncationMode]" in refused_whole(runtime, NOVA, nova(text={"value": "a"}))
    both = nova(text={"truncationMode": "END", "value": "a"}, image=image)
    assert "Exactly one" in refused_whole(runtime, NOVA, both)
    assert "could not be processed" in refused_whole(runtime, NOVA, nova(image={**image, "format": "webp"}))


def test_marengos_bodies(runtime):
    source = {"base64String": png()}
    answer, _ = invoke(runtime, MARENGO_2, {"inputType": "image", "mediaSource": source})
    assert len(answer["data"][0]["embedding"]) == 1024
    for body in (
        {"inputType": "image", "image": {"mediaSource": source}},
        {"inputType": "text_image", "text_image": {"inputText": "A red square", "mediaSource": source}},
    ):
        assert len(invoke(runtime, MARENGO_3, body)[0]["data"][0]["embedding"]) == 512
    assert "StartAsyncInvoke" in refused_whole(runtime, MARENGO_2, {"inputType": "video", "mediaSource": source})
    long = {"inputType": "text", "inputText": "word " * 100}
    assert invoke(runtime, MARENGO_2, long)[0]["data"]
    assert "77 tokens" in refused_whole(runtime, MARENGO_2, {**long, "textTruncate": "none"})


def refused_whole(runtime, model, body):
    with pytest.raises(ClientError) as error:
        invoke(runtime, model, body)
    assert error.value.response["Error"]["Code"] == "ValidationException"
    return error.value.response["Error"]["Message"]

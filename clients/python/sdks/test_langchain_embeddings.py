"""LangChain's `OpenAIEmbeddings`, as it is: it counts in OpenAI's tokens, and sends what it has counted."""

import asyncio

import pytest
import tiktoken
from langchain_openai import OpenAIEmbeddings

from support import settings

TITAN = "amazon.titan-embed-text-v2:0"
COHERE = "cohere.embed-multilingual-v3"
MODELS = ["text-embedding-3-small", TITAN, COHERE, "cohere.embed-v4:0", "amazon.nova-2-multimodal-embeddings-v1:0"]
DOCUMENTS = [
    "To reset your password, open the settings and choose 'Security'.",
    "Our office in Lyon is closed on public holidays.",
    "The cafeteria serves soup and salad from noon.",
]


def byte_tokens():
    """The first 256 tokens of cl100k_base: the bytes, those that can be seen before the others. tiktoken would fetch the
    rest, and a test fetches nothing."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    order = seen + [byte for byte in range(256) if byte not in seen]
    ranks = {bytes([byte]): rank for rank, byte in enumerate(order)}
    return tiktoken.Encoding("bytes", pat_str=r"(?s).", mergeable_ranks=ranks, special_tokens={})


@pytest.fixture(autouse=True)
def tokens_without_a_download(monkeypatch):
    encoding = byte_tokens()
    monkeypatch.setattr(tiktoken, "encoding_for_model", lambda model: encoding)
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: encoding)


def embeddings(gateway, model, **options):
    return OpenAIEmbeddings(model=model, base_url=gateway.base_url, api_key=settings.KEY, max_retries=0, **options)


@pytest.mark.parametrize("model", MODELS)
def test_documents_are_found(gateway, model):
    ours = embeddings(gateway, model)
    vectors = ours.embed_documents(DOCUMENTS)
    for query, best in [("reset a password", 0), ("closed on holidays", 1)]:
        query = ours.embed_query(query)
        near = [sum(a * b for a, b in zip(query, vector)) for vector in vectors]
        assert near.index(max(near)) == best


@pytest.mark.parametrize("model", MODELS)
def test_tokens_and_texts_are_the_same(gateway, model):
    texts = ["Grüße aus Lyon", "naïve 日本"]
    by_tokens = embeddings(gateway, model).embed_documents(texts)
    by_text = embeddings(gateway, model, check_embedding_ctx_length=False).embed_documents(texts)
    for one, other in zip(by_tokens, by_text):
        assert one == pytest.approx(other, abs=1e-6)


def test_it_really_sends_tokens(stack, mark):
    embeddings(stack.gateway, TITAN).embed_documents([f"{mark} of bytes"])
    [request] = stack.simulator.requests(mark)
    assert request["body"] == {"inputText": f"{mark} of bytes"}


def test_many_documents_keep_their_order(gateway):
    texts = [f"document number {n}" for n in range(150)]
    ours = embeddings(gateway, COHERE)
    vectors = ours.embed_documents(texts, chunk_size=150)
    assert len(vectors) == 150
    assert vectors[120] == pytest.approx(ours.embed_query(texts[120]), abs=1e-6)


def test_queries_by_the_name_of_the_model(gateway):
    document = embeddings(gateway, COHERE).embed_query("Hello")
    query = embeddings(gateway, f"{COHERE}#search_query").embed_query("Hello")
    by_parameter = embeddings(gateway, COHERE, model_kwargs={"extra_body": {"input_type": "search_query"}})
    assert query != document and query == by_parameter.embed_query("Hello")


def test_dimensions_and_async(gateway):
    vectors = asyncio.run(embeddings(gateway, TITAN, dimensions=256).aembed_documents(DOCUMENTS))
    assert [len(vector) for vector in vectors] == [256] * 3

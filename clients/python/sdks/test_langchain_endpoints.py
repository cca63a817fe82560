"""LangChain's `OpenAI`, for the older completions, and its `OpenAIEmbeddings`.

As it comes, `OpenAIEmbeddings` sends tokens, for which it fetches a table from the web; so that is tried where the
table is at hand, in `openai2/test_embeddings.py`.
"""

import asyncio

import pytest
from langchain_openai import OpenAI, OpenAIEmbeddings

from support import scenes, settings
from support.endpoints import COHERE_3, EMBEDDING, TITAN_2, cosine

pytestmark = pytest.mark.filterwarnings(*scenes.SILENT)
TEXT_MODELS = [settings.NOVA, settings.CLAUDE, "amazon.titan-text-express-v1", "cohere.command-text-v14"]


def completing(gateway, model, **options):
    defaults = {"base_url": gateway.base_url, "api_key": settings.KEY, "max_retries": 0}
    return OpenAI(model=model, **defaults | options)


def embeddings(gateway, model, **options):
    defaults = {"base_url": gateway.base_url, "api_key": settings.KEY, "max_retries": 0}
    return OpenAIEmbeddings(model=model, check_embedding_ctx_length=False, **defaults | options)


@pytest.mark.parametrize("model", TEXT_MODELS)
def test_a_completion(gateway, model):
    assert completing(gateway, model).invoke(scenes.answer("Hello there.")).strip() == "Hello there."


@pytest.mark.parametrize("model", TEXT_MODELS)
def test_a_stream(gateway, model):
    pieces = list(completing(gateway, model).stream(scenes.answer("One by one, and all of them.")))
    assert "".join(pieces).strip() == "One by one, and all of them." and len(pieces) > 1


def test_a_batch(gateway):
    """Which is one request with several prompts."""
    result = completing(gateway, settings.NOVA).generate([scenes.answer("One."), scenes.answer("Two.")])
    assert [one[0].text for one in result.generations] == ["One.", "Two."]
    assert result.llm_output["token_usage"]["total_tokens"] > 0


def test_a_stop_sequence(gateway):
    assert completing(gateway, settings.NOVA).invoke(scenes.answer("one two three"), stop=["three"]) == "one two "


def test_async(gateway):
    async def ask():
        llm = completing(gateway, settings.NOVA)
        whole = await llm.ainvoke(scenes.answer("Yes."))
        return whole, "".join([piece async for piece in llm.astream(scenes.answer("Yes."))])

    assert asyncio.run(ask()) == ("Yes.", "Yes.")


@pytest.mark.parametrize("model", EMBEDDING)
def test_embeddings(gateway, model):
    embedder = embeddings(gateway, model)
    vectors = embedder.embed_documents(["hello world", "good night"])
    assert [len(vector) for vector in vectors] == [EMBEDDING[model][0]] * 2
    assert cosine(embedder.embed_query("hello world"), vectors[0]) == pytest.approx(1, abs=1e-3)


def test_dimensions(gateway):
    assert len(embeddings(gateway, TITAN_2, dimensions=256).embed_query("hello")) == 256


def test_async_embeddings(gateway):
    async def ask():
        return await embeddings(gateway, TITAN_2).aembed_documents([f"text {number}" for number in range(5)])

    assert len(asyncio.run(ask())) == 5


def test_what_is_looked_for_is_found(gateway):
    embedder = embeddings(gateway, COHERE_3)
    vectors = embedder.embed_documents(["how to bake bread", "how to repair a bicycle", "the history of the violin"])
    query = embedder.embed_query("repair my bicycle")
    scores = [cosine(query, vector) for vector in vectors]
    assert scores.index(max(scores)) == 1


def test_hundreds_of_documents(gateway):
    texts = [f"document number {number}" for number in range(250)]
    embedder = embeddings(gateway, COHERE_3, chunk_size=200)
    vectors = embedder.embed_documents(texts)
    assert len(vectors) == 250
    for index in (0, 95, 96, 199, 200, 249):
        assert embedder.embed_documents([texts[index]])[0] == pytest.approx(vectors[index], abs=1e-6)

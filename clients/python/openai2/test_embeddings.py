"""Embeddings by LlamaIndex, and by LangChain as it comes: it sends tokens, and no text."""

import asyncio
import os

import llama_index.core
import pytest
from langchain_openai import OpenAIEmbeddings
from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.embeddings.openai import OpenAIEmbedding

from support import scenes, settings
from support.endpoints import COHERE_3, EMBEDDING, TITAN_1, TITAN_2, cosine

pytestmark = pytest.mark.filterwarnings(*scenes.SILENT)
# OpenAI's table of tokens, which LlamaIndex brings along.
TABLE = os.path.join(os.path.dirname(llama_index.core.__file__), "_static", "tiktoken_cache")
DOCUMENTS = ["how to bake bread", "how to repair a bicycle", "the history of the violin"]


@pytest.fixture(autouse=True)
def table(monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", TABLE)


class TestLlamaIndex:
    def embedder(self, gateway, model, **options):
        return OpenAIEmbedding(
            model_name=model, api_base=gateway.base_url, api_key=settings.KEY, max_retries=0, **options
        )

    @pytest.mark.parametrize("model", EMBEDDING)
    def test_each_model(self, gateway, model):
        embedder = self.embedder(gateway, model)
        vectors = embedder.get_text_embedding_batch(["hello world", "good night"])
        assert [len(vector) for vector in vectors] == [EMBEDDING[model][0]] * 2
        assert len(embedder.get_query_embedding("hello world")) == EMBEDDING[model][0]

    def test_dimensions(self, gateway):
        assert len(self.embedder(gateway, TITAN_2, dimensions=256).get_text_embedding("hello")) == 256

    def test_many(self, gateway):
        embedder = self.embedder(gateway, COHERE_3, embed_batch_size=150)
        texts = [f"text number {number}" for number in range(200)]
        vectors = embedder.get_text_embedding_batch(texts)
        assert len(vectors) == 200
        for index in (0, 96, 149, 150, 199):
            assert embedder.get_text_embedding(texts[index]) == pytest.approx(vectors[index], abs=1e-6)

    def test_async(self, gateway):
        async def ask():
            return await self.embedder(gateway, TITAN_2, reuse_client=False).aget_text_embedding_batch(["a", "b", "c"])

        assert len(asyncio.run(ask())) == 3

    def test_an_index_finds_what_is_looked_for(self, gateway):
        Settings.llm = MockLLM()
        index = VectorStoreIndex.from_documents(
            [Document(text=text) for text in DOCUMENTS], embed_model=self.embedder(gateway, COHERE_3)
        )
        [found] = index.as_retriever(similarity_top_k=1).retrieve("repair my bicycle")
        assert found.text == DOCUMENTS[1]


class TestLangChain:
    def embedder(self, gateway, model, **options):
        return OpenAIEmbeddings(model=model, base_url=gateway.base_url, api_key=settings.KEY, max_retries=0, **options)

    @pytest.mark.parametrize("model", EMBEDDING)
    def test_tokens_say_the_same_as_words(self, gateway, model):
        texts = ["hello world", "snowman ☃ and 日本語", 'code: print("x")\n']
        tokens = self.embedder(gateway, model).embed_documents(texts)
        words = self.embedder(gateway, model, check_embedding_ctx_length=False).embed_documents(texts)
        assert [len(vector) for vector in tokens] == [EMBEDDING[model][0]] * 3
        for one, other in zip(tokens, words, strict=True):
            assert cosine(one, other) == pytest.approx(1, abs=1e-6)

    @pytest.mark.parametrize("model", [TITAN_1, COHERE_3])
    def test_a_long_document_is_cut_and_put_together(self, gateway, model):
        """Into pieces of so many tokens, whose vectors LangChain then averages."""
        embedder = self.embedder(gateway, model, embedding_ctx_length=50)
        [vector] = embedder.embed_documents(["a long story of bread and wine " * 30])
        assert len(vector) == EMBEDDING[model][0]
        assert sum(number * number for number in vector) == pytest.approx(1, abs=1e-3)

    def test_a_query(self, gateway):
        embedder = self.embedder(gateway, TITAN_2)
        vectors = embedder.embed_documents(DOCUMENTS)
        query = embedder.embed_query("repair my bicycle")
        scores = [cosine(query, vector) for vector in vectors]
        assert scores.index(max(scores)) == 1

    def test_async(self, gateway):
        async def ask():
            return await self.embedder(gateway, TITAN_2).aembed_documents(DOCUMENTS)

        assert len(asyncio.run(ask())) == 3

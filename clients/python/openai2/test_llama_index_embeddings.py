"""LlamaIndex's `OpenAIEmbedding`, as it is."""

import asyncio

import pytest
from llama_index.embeddings.openai import OpenAIEmbedding

from support import settings

TITAN = "amazon.titan-embed-text-v2:0"
COHERE = "cohere.embed-multilingual-v3"
MODELS = [TITAN, COHERE, "cohere.embed-v4:0", "amazon.nova-2-multimodal-embeddings-v1:0"]
DOCUMENTS = [
    "To reset your password, open the settings and choose 'Security'.",
    "Our office in Lyon is closed on public holidays.",
    "The cafeteria serves soup and salad from noon.",
]


def embedding(gateway, **options):
    return OpenAIEmbedding(api_base=gateway.base_url, api_key=settings.KEY, max_retries=0, **options)


def best(model, query, vectors):
    near = [model.similarity(query, vector) for vector in vectors]
    return near.index(max(near))


@pytest.mark.parametrize("name", MODELS)
def test_documents_are_found(gateway, name):
    model = embedding(gateway, model_name=name)
    vectors = model.get_text_embedding_batch(DOCUMENTS)
    assert best(model, model.get_query_embedding("reset a password"), vectors) == 0
    assert best(model, model.get_query_embedding("soup at noon"), vectors) == 2


@pytest.mark.parametrize("name", ["text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"])
def test_openais_names(gateway, name):
    assert len(embedding(gateway, model=name).get_text_embedding("Hello")) == 1024


def test_many_texts_keep_their_order(gateway):
    model = embedding(gateway, model_name=COHERE, embed_batch_size=2000)
    texts = [f"document number {n}" for n in range(250)]
    vectors = asyncio.run(model.aget_text_embedding_batch(texts))
    assert len(vectors) == 250
    assert vectors[200] == pytest.approx(model.get_text_embedding(texts[200]), abs=1e-6)


def test_dimensions_and_parameters(gateway):
    assert len(embedding(gateway, model_name=TITAN, dimensions=512).get_text_embedding("Hello")) == 512
    document = embedding(gateway, model_name=COHERE).get_query_embedding("Hello")
    query = embedding(gateway, model_name=f"{COHERE}#search_query").get_query_embedding("Hello")
    sent = {"extra_body": {"input_type": "search_query"}}
    by_parameter = embedding(gateway, model_name=COHERE, additional_kwargs=sent).get_query_embedding("Hello")
    assert document != query == by_parameter

"""LiteLLM's SDK asks for reranking as if the gateway were Cohere, or a server of Infinity's."""

import litellm
import pytest

from support import settings

QUERY = "What is the capital of the United States?"
DOCUMENTS = ["Bananas are yellow.", "Washington, D.C. is the capital of the United States."]


def rerank(gateway, model, **more):
    asked = {"query": QUERY, "documents": DOCUMENTS, "api_key": settings.KEY, "num_retries": 0} | more
    return litellm.rerank(model=model, **{"api_base": gateway.root, **asked})


def test_as_cohere(gateway):
    answer = rerank(gateway, "cohere/rerank-v3.5", top_n=1)
    assert [result["index"] for result in answer.results] == [1]
    assert 0 < answer.results[0]["relevance_score"] < 1
    # It asks for them unless it is told not to.
    assert answer.results[0]["document"]["text"] == DOCUMENTS[1]


@pytest.mark.parametrize("address", ["root", "base_url"])
def test_as_infinity(gateway, address):
    """Infinity's documents are bare texts, Cohere's are objects: this provider can't read them."""
    answer = rerank(
        gateway, "infinity/cohere.rerank-v3-5:0", api_base=getattr(gateway, address), return_documents=False
    )
    assert [result["index"] for result in answer.results] == [1, 0]


def test_shows_the_message_of_an_error(gateway):
    with pytest.raises(litellm.exceptions.BadRequestError, match="'documents'"):
        rerank(gateway, "cohere/rerank-v3.5", documents=[])

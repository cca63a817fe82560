"""`POST /v1/rerank` and `/v2/rerank`, in Cohere's shape."""

import pytest

from support import settings
from support.endpoints import RERANK, calls, good, post, wrong

PATHS = ["/v1/rerank", "/v2/rerank"]
QUERY = "repair my bicycle"
DOCUMENTS = ["how to bake bread", "how to repair a bicycle", "the history of the violin"]
each_path = pytest.mark.parametrize("path", PATHS)
each_model = pytest.mark.parametrize("model", RERANK)


def rank(gateway, documents=DOCUMENTS, model=RERANK[0], path=PATHS[0], **more):
    body = good(post(gateway, path, **{"model": model, "query": QUERY, "documents": documents} | more))
    assert isinstance(body["id"], str) and body["id"]
    scores = [one["relevance_score"] for one in body["results"]]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores), scores
    return body["results"]


def refuse(gateway, param, **body):
    body = {"model": RERANK[0], "query": QUERY, "documents": DOCUMENTS} | body
    for path in PATHS:
        error = wrong(post(gateway, path, **body), 400, param=param)
    return error


@each_path
@each_model
def test_the_best_comes_first(gateway, path, model):
    results = rank(gateway, model=model, path=path)
    assert results[0]["index"] == 1
    assert sorted(one["index"] for one in results) == [0, 1, 2]


@each_path
@each_model
@pytest.mark.parametrize("top", [1, 2, 3])
def test_top_n(gateway, path, model, top):
    results = rank(gateway, model=model, path=path, top_n=top)
    assert len(results) == top and results[0]["index"] == 1


def test_more_than_there_are(gateway):
    reply = post(gateway, PATHS[0], model=RERANK[0], query=QUERY, documents=DOCUMENTS, top_n=10)
    if reply.status_code == 200:
        assert len(reply.json()["results"]) == 3
    else:
        wrong(reply, 400, param="top_n")


def test_return_documents(gateway):
    """Version 1 has it; clients still send it to version 2."""
    for path in PATHS:
        results = rank(gateway, path=path, return_documents=True)
        assert [one["document"]["text"] for one in results] == [DOCUMENTS[one["index"]] for one in results]
        assert all("document" not in one for one in rank(gateway, path=path, return_documents=False))


def test_documents_as_objects(gateway):
    results = rank(gateway, [{"text": text} for text in DOCUMENTS])
    assert results[0]["index"] == 1


def test_documents_with_fields(stack, mark):
    documents = [{"title": mark, "text": text} for text in DOCUMENTS]
    results = rank(stack.gateway, documents, rank_fields=["title", "text"])
    assert results[0]["index"] == 1
    [call] = stack.simulator.requests(mark)
    assert call["operation"] == "Rerank"


def test_it_is_bedrocks_own_api_that_is_asked(stack, mark):
    rank(stack.gateway, [f"{mark} {text}" for text in DOCUMENTS], top_n=2)
    [call] = stack.simulator.requests(mark)
    assert call["operation"] == "Rerank" and len(call["body"]["sources"]) == 3
    model = call["body"]["rerankingConfiguration"]["bedrockRerankingConfiguration"]["modelConfiguration"]["modelArn"]
    assert model.endswith("foundation-model/cohere.rerank-v3-5:0") and settings.REGION in model


def test_many_documents(gateway):
    documents = [f"about subject number {number}" for number in range(300)]
    documents[217] = DOCUMENTS[1]
    results = rank(gateway, documents, top_n=5)
    assert results[0]["index"] == 217 and len(results) == 5


def test_usage_and_version(gateway):
    meta = good(post(gateway, PATHS[1], model=RERANK[0], query=QUERY, documents=DOCUMENTS))["meta"]
    assert meta["billed_units"]["search_units"] >= 1 and meta["api_version"]["version"] == "2"


@pytest.mark.parametrize("documents", [[], None, "text", [5], [None], [[]], [{}], [""], {"text": "x"}], ids=repr)
def test_what_are_no_documents(gateway, documents):
    refuse(gateway, "documents", documents=documents)


@pytest.mark.parametrize("query", ["", None, 5, ["x"]], ids=repr)
def test_what_is_no_query(gateway, query):
    refuse(gateway, "query", query=query)


@pytest.mark.parametrize("top", [0, -1, 1.5, "2"], ids=repr)
def test_what_is_no_number(gateway, top):
    refuse(gateway, "top_n", top_n=top)


def test_too_many_documents(gateway):
    refuse(gateway, "documents", documents=["x"] * 1001)


@pytest.mark.parametrize("field", ["model", "query", "documents"])
def test_what_is_missing_is_named(gateway, field):
    body = {"model": RERANK[0], "query": QUERY, "documents": DOCUMENTS}
    del body[field]
    for path in PATHS:
        wrong(post(gateway, path, **body), 400, code="missing_required_parameter", param=field)


def test_a_name_that_nobody_knows(gateway):
    reply = post(gateway, PATHS[0], model="rerank-english-v9", query=QUERY, documents=DOCUMENTS)
    wrong(reply, 404, code="model_not_found", param="model")


@pytest.mark.parametrize("model", [settings.NOVA, "amazon.titan-embed-text-v2:0"])
def test_a_model_that_ranks_nothing(gateway, model):
    error = wrong(post(gateway, PATHS[0], model=model, query=QUERY, documents=DOCUMENTS), 400, param="model")
    assert "rank" in error["message"].lower(), error


@pytest.mark.parametrize("name", ["rerank-v3-5", "bedrock/cohere.rerank-v3-5:0"])
def test_other_names(gateway, name):
    assert rank(gateway, model=name)[0]["index"] == 1


@pytest.mark.parametrize("path", ["/api/v1/rerank", "/rerank"])
def test_other_paths(gateway, path):
    assert rank(gateway, path=path)[0]["index"] == 1


def test_headers(stack):
    reply = post(stack.gateway, PATHS[0], model=RERANK[0], query=QUERY, documents=DOCUMENTS)
    assert good(reply) and reply.headers["x-bedrock-model"].endswith(RERANK[0])
    assert calls(stack, "Rerank")

"""Reranking: the agent runtime's Rerank, and the models' own bodies."""

import pytest
from invoking import invoke
from talk import refused

COHERE, AMAZON = "cohere.rerank-v3-5:0", "amazon.rerank-v1:0"
QUERY = "What is the capital of the United States?"
DOCUMENTS = [
    "Carson City is the capital city of the American state of Nevada.",
    "Bananas are yellow.",
    "Washington, D.C. is the capital of the United States.",
]


def arn(model=COHERE, region="us-east-1"):
    return f"arn:aws:bedrock:{region}::foundation-model/{model}"


def text(content):
    return {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": content}}}


def ask(agent, documents=DOCUMENTS, model=None, token=None, number=None, query=QUERY, **fields):
    configuration = {"modelConfiguration": {"modelArn": model or arn(), **fields}}
    if number is not None:
        configuration["numberOfResults"] = number
    more = {"nextToken": token} if token else {}
    return agent.rerank(
        queries=[{"type": "TEXT", "textQuery": {"text": query}}],
        sources=[text(document) if isinstance(document, str) else document for document in documents],
        rerankingConfiguration={
            "type": "BEDROCK_RERANKING_MODEL",
            "bedrockRerankingConfiguration": configuration,
        },
        **more,
    )


@pytest.fixture
def agent(connect):
    return connect("bedrock-agent-runtime")


def test_the_best_document_comes_first(agent):
    results = ask(agent)["results"]
    assert [result["index"] for result in results] == [2, 0, 1]
    scores = [result["relevanceScore"] for result in results]
    assert scores == sorted(scores, reverse=True) and all(0 < score < 1 for score in scores)
    assert ask(agent)["results"] == results, "the same request has the same answer"


def test_only_so_many_results_as_asked_for(agent):
    assert [result["index"] for result in ask(agent, number=1)["results"]] == [2]
    assert len(ask(agent, number=1000)["results"]) == 3


def test_documents_may_be_json(agent):
    fact = {"title": "Washington", "text": "capital of the United States"}
    source = {"type": "INLINE", "inlineDocumentSource": {"type": "JSON", "jsonDocument": fact}}
    assert ask(agent, ["Bananas", source])["results"][0]["index"] == 1


def test_all_pages_together_are_all_results(agent):
    documents = [f"fact {number} of the United States" for number in range(250)]
    seen, token = [], None
    while True:
        page = ask(agent, documents, token=token)
        assert len(page["results"]) <= 100
        seen += [result["index"] for result in page["results"]]
        token = page.get("nextToken")
        if not token:
            break
    assert sorted(seen) == list(range(250))


def test_a_token_belongs_to_its_request(agent):
    token = ask(agent, [f"fact {number}" for number in range(150)])["nextToken"]
    assert "nextToken" in refused(lambda: ask(agent, token=token))


def test_models_are_where_aws_has_them(agent, connect):
    assert "isn't available" in refused(lambda: ask(agent, model=arn(AMAZON)))
    assert "isn't a reranker" in refused(lambda: ask(agent, model=arn("amazon.nova-lite-v1:0")))
    assert "invalid" in refused(lambda: ask(agent, model=COHERE)), "by its ARN only"


def test_what_the_service_model_forbids(connect):
    unchecked = connect("bedrock-agent-runtime", parameter_validation=False)
    assert "'sources'" in refused(lambda: ask(unchecked, []))
    assert "less than or equal to 1000" in refused(lambda: ask(unchecked, ["x"] * 1001))
    assert "'queries.1.member.textQuery.text'" in refused(lambda: ask(unchecked, query="x" * 32_001))
    assert "numberOfResults" in refused(lambda: ask(unchecked, number=1001))
    wrong = {"type": "INLINE", "inlineDocumentSource": {"type": "JSON", "textDocument": {"text": "x"}}}
    assert "sources.1" in refused(lambda: ask(unchecked, ["x", wrong]))


def test_markers_in_the_query_are_followed(agent):
    error = lambda: ask(agent, query="x [[sim:error ThrottlingException]]")
    refused(error, "ThrottlingException")


def test_coheres_own_body(runtime):
    body = {"query": QUERY, "documents": DOCUMENTS, "api_version": 2}
    answer, headers = invoke(runtime, COHERE, body)
    assert [result["index"] for result in answer["results"]] == [2, 0, 1]
    assert all(0 < result["relevance_score"] < 1 for result in answer["results"])
    assert int(headers["x-amzn-bedrock-input-token-count"]) > 0
    assert len(invoke(runtime, COHERE, body | {"top_n": 1, "max_tokens_per_doc": 9})[0]["results"]) == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"api_version": 1}, "api_version"),
        ({"documents": []}, "#/documents"),
        ({"model": COHERE}, "extraneous key [model]"),
        ({"top_n": 0}, "#/top_n"),
        ({"query": ""}, "#/query"),
    ],
)
def test_a_body_that_isnt_coheres_is_refused(runtime, change, expected):
    body = {"query": QUERY, "documents": DOCUMENTS, "api_version": 2} | change
    assert expected in refused(lambda: invoke(runtime, COHERE, body))

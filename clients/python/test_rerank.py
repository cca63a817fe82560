"""Reranking: Cohere's own client, and what reaches Bedrock."""

import cohere
import httpx
import pytest

from support import settings
from support.exchange import NOTE

COHERE, AMAZON = "cohere.rerank-v3-5:0", "amazon.rerank-v1:0"
QUERY = "What is the capital of the United States?"
DOCUMENTS = [
    "Carson City is the capital city of the American state of Nevada.",
    "Bananas are yellow.",
    "Washington, D.C. is the capital of the United States.",
]
ORDER = [2, 0, 1]


def rerank(gateway, path="/v2/rerank", headers=None, **fields):
    body = {"model": COHERE, "query": QUERY, "documents": DOCUMENTS} | fields
    body = {name: value for name, value in body.items() if value is not None}
    return gateway.request("POST", path, json=body, headers=headers)


def refused(reply, param, status=400):
    """An error that both Cohere's clients and OpenAI's understand."""
    assert reply.status_code == status, reply.text
    body = reply.json()
    assert body["message"] == body["error"]["message"] and body["message"].strip()
    assert body["error"]["param"] == param, body
    return body["message"]


def order(reply):
    assert reply.status_code == 200, reply.text
    return [result["index"] for result in reply.json()["results"]]


@pytest.fixture
def ask(stack):
    """Asks, and tells what reached Bedrock."""

    def ask(**fields):
        httpx.delete(f"{stack.simulator.url}/_simulator/state", trust_env=False).raise_for_status()
        reply = rerank(stack.gateway, **fields)
        return reply, [request["body"] for request in stack.simulator.state()["requests"]]

    return ask


class TestCoheresClient:
    @pytest.fixture(params=[cohere.Client, cohere.ClientV2])
    def client(self, gateway, request):
        return request.param(api_key=settings.KEY, base_url=gateway.root)

    def test_ranks(self, client):
        answer = client.rerank(model="rerank-v3.5", query=QUERY, documents=DOCUMENTS, top_n=2)
        assert [result.index for result in answer.results] == ORDER[:2]
        scores = [result.relevance_score for result in answer.results]
        assert 1 > scores[0] > scores[1] > 0
        assert answer.id and answer.meta.billed_units.search_units == 1
        version = {cohere.Client: "1"}.get(type(client), "2")
        assert answer.meta.api_version.version == version

    def test_shows_the_message_of_an_error(self, client):
        with pytest.raises(cohere.errors.BadRequestError) as raised:
            client.rerank(model=COHERE, query=QUERY, documents=[])
        assert "'documents'" in raised.value.body["message"]
        with pytest.raises(cohere.errors.NotFoundError) as raised:
            client.rerank(model="rerank-v99", query=QUERY, documents=DOCUMENTS)
        assert "rerank-v99" in str(raised.value)

    def test_documents_come_back(self, gateway):
        client = cohere.Client(api_key=settings.KEY, base_url=gateway.root)
        documents = [{"text": "Bananas", "n": "1"}, {"text": DOCUMENTS[2], "n": "2"}]
        answer = client.rerank(model=COHERE, query=QUERY, documents=documents, return_documents=True)
        assert [result.document.text for result in answer.results] == [DOCUMENTS[2], "Bananas"]


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank", "/api/v1/rerank"])
def test_all_paths(gateway, path):
    reply = rerank(gateway, path)
    assert order(reply) == ORDER
    assert reply.headers["x-bedrock-model"] == COHERE
    assert set(reply.json()) == {"id", "results", "meta"}


def test_the_call_is_bedrocks_rerank(ask):
    reply, [call] = ask(top_n=2, max_tokens_per_doc=99, documents=[*DOCUMENTS, {"title": "Nevada"}])
    assert order(reply) == ORDER[:2]
    assert [source["inlineDocumentSource"]["type"] for source in call["sources"]] == ["TEXT"] * 3 + ["JSON"]
    own = call["rerankingConfiguration"]["bedrockRerankingConfiguration"]
    assert own["numberOfResults"] == 2
    assert own["modelConfiguration"] == {
        "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{COHERE}",
        "additionalModelRequestFields": {"max_tokens_per_doc": 99},
    }


def test_a_thousand_documents_come_in_pages_that_nobody_sees(ask):
    documents = [f"Fact {number} of the United States" for number in range(999)] + [DOCUMENTS[2]]
    reply, calls = ask(documents=documents)
    found = order(reply)
    assert found[0] == 999 and sorted(found) == list(range(1000))
    assert len(calls) == 10 and all(call["nextToken"] for call in calls[1:])
    assert reply.json()["meta"]["billed_units"]["search_units"] == 10


def test_texts_pass_as_they_are(ask):
    odd = 'Zeile\nzwei "ü" \u2028 😀 \\'
    reply, [call] = ask(documents=[odd], return_documents=True)
    assert call["sources"][0]["inlineDocumentSource"]["textDocument"]["text"] == odd
    assert reply.json()["results"][0]["document"] == {"text": odd}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"documents": []}, "documents"),
        ({"documents": ["x"] * 1001}, "documents"),
        ({"documents": None}, "documents"),
        ({"documents": "x"}, "documents"),
        ({"documents": ["x", ["y"]]}, "documents[1]"),
        ({"documents": ["x", "y" * 32_001]}, "documents[1]"),
        ({"documents": [{"title": "x"}], "rank_fields": ["text"]}, "documents[0]"),
        ({"query": None}, "query"),
        ({"query": ""}, "query"),
        ({"query": 5}, "query"),
        ({"model": None}, "model"),
        ({"model": settings.NOVA}, "model"),
        ({"top_n": 0}, "top_n"),
        ({"top_n": 1.5}, "top_n"),
        ({"return_documents": "yes"}, "return_documents"),
    ],
)
def test_errors_name_the_field(gateway, fields, param):
    refused(rerank(gateway, **fields), param)


def test_a_body_that_is_no_json(gateway):
    reply = gateway.request("POST", "/v2/rerank", content=b"{", headers={"content-type": "application/json"})
    assert "not valid JSON" in refused(reply, None)


def test_an_unknown_model_is_not_found(gateway):
    message = refused(rerank(gateway, model="rerank-english-v9"), "model", 404)
    assert "rerank-english-v9" in message


def test_what_bedrock_says_is_told(gateway):
    reply = rerank(gateway, query="x [[sim:error AccessDeniedException message=Not yours.]]")
    assert "Not yours." in refused(reply, None, 403)


def test_a_model_that_the_region_lacks(gateway):
    assert "Region" in refused(rerank(gateway, model=AMAZON), "model", 404)
    arn = f"arn:aws:bedrock:us-west-2::foundation-model/{AMAZON}"
    assert order(rerank(gateway, model=arn)) == ORDER, "an ARN names a region that has it"


def test_a_model_of_another_region_is_found_right_after_the_start(slow_list):
    assert order(rerank(slow_list("us-east-1"), model=AMAZON)) == ORDER


@pytest.mark.parametrize("path", ["/v2/rerank", "/v1/moderations", "/v1/chat/completions/input_tokens"])
def test_tokens_that_nobody_counted_are_not_told(gateway, path):
    messages = [{"role": "user", "content": "Hi"}]
    body = {
        "/v2/rerank": {"model": COHERE, "query": QUERY, "documents": DOCUMENTS},
        "/v1/moderations": {"input": "Hi"},
        "/v1/chat/completions/input_tokens": {"model": settings.CLAUDE, "messages": messages},
    }[path]
    reply = gateway.request("POST", path, json=body)
    assert reply.status_code == 200, reply.text
    assert not {"x-token-usage-input", "x-token-usage-output"} & set(reply.headers)


def test_what_bedrock_has_nothing_for_is_noted_or_refused(gateway):
    reply = rerank(gateway, max_chunks_per_doc=10, priority=1)
    notes = {note[0]: note[1] for note in NOTE.findall(reply.headers["x-outcrop-adapted"])}
    assert notes == {"max_chunks_per_doc": "dropped", "priority": "dropped"}
    strict = rerank(gateway, priority=1, headers={"x-outcrop-on-unsupported": "reject"})
    refused(strict, "priority")


def test_a_dry_run_tells_the_call_and_the_rights(gateway):
    told = rerank(gateway, headers={"x-outcrop-dry-run": "true"}).json()
    assert told["route"] == "rerank" and told["url"].endswith("/rerank")
    actions = {need["action"] for need in told["iam"]}
    assert actions == {"bedrock:Rerank", "bedrock:InvokeModel"}


def test_a_key_is_needed(gateway):
    assert rerank(gateway, headers={"authorization": None}).status_code == 401


def test_credentials_and_routing_are_the_operators(gateway):
    for fields in {"aws_secret_access_key": "x"}, {"extra_body": {"aws_secret_access_key": "x"}}:
        reply = rerank(gateway, **fields)
        assert "aws_secret_access_key" in refused(reply, "aws_secret_access_key")
        assert reply.json()["error"]["code"] == "unsupported_parameter"


def test_a_guardrail_is_said_not_to_be_applied(serve):
    gateway = serve("--guardrail-id", "simguardrail1", "--guardrail-version", "1")
    assert "guardrailConfig=not-applied" in rerank(gateway).headers["x-outcrop-adapted"]


def test_a_field_that_the_model_hasnt_got_is_refused_by_name(gateway):
    assert "colour" in refused(rerank(gateway, colour="red"), "colour")

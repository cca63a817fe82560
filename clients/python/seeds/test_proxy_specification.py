"""What the API specification of the Bedrock proxy promises. It has no examples; each test is a line of it."""

import pytest

from support import models, settings, shapes
from support.endpoints import wrong
from support.process import poll
from support.wire import Connection, Events, chat_request

ASK = {"model": settings.NOVA, "messages": [{"role": "user", "content": "[[sim:text ok]]"}]}


class TestHeaders:
    @pytest.mark.parametrize(
        "path, body",
        [
            ("/v1/chat/completions", ASK),
            ("/v1/completions", {"model": settings.NOVA, "prompt": "[[sim:text ok]]"}),
            ("/v1/embeddings", {"model": "amazon.titan-embed-text-v2:0", "input": "hello"}),
        ],
        ids=["chat", "completions", "embeddings"],
    )
    def test_the_model_the_tokens_and_the_request_are_told(self, gateway, path, body):
        reply = gateway.request("POST", path, json=body, headers={"x-request-id": "traced-1"})
        assert reply.status_code == 200, reply.text
        assert reply.headers["x-bedrock-model"] == body["model"]
        assert reply.headers["x-request-id"] == "traced-1"
        usage = reply.json()["usage"]
        assert int(reply.headers["x-token-usage-input"]) == usage["prompt_tokens"] > 0
        if "completion_tokens" in usage:
            assert int(reply.headers["x-token-usage-output"]) == usage["completion_tokens"] > 0

    def test_the_model_that_was_really_asked(self, seeds):
        reply = seeds.gateway.request("POST", "/v1/embeddings", json={"model": "text-embedding-ada-002", "input": "hi"})
        assert reply.status_code == 200, reply.text
        assert reply.headers["x-bedrock-model"] == "cohere.embed-multilingual-v3"


class TestParameters:
    def test_bedrock_model_selects_the_model(self, gateway):
        reply = gateway.request(
            "POST", "/v1/chat/completions", json=ASK | {"model": "gpt-4", "bedrock_model": "Nova-Pro"}
        )
        assert reply.headers["x-bedrock-model"] == "us.amazon.nova-pro-v1:0"

    @pytest.mark.parametrize("provider, status", [("amazon", 200), ("anthropic", 400)])
    def test_model_provider(self, gateway, provider, status):
        reply = gateway.request("POST", "/v1/chat/completions", json=ASK | {"model_provider": provider})
        assert reply.status_code == status, reply.text

    def test_the_same_parameters_for_completions(self, gateway):
        body = {"model": "gpt-4", "bedrock_model": settings.NOVA, "prompt": "[[sim:text ok]]"}
        reply = gateway.request("POST", "/v1/completions", json=body)
        assert reply.status_code == 200, reply.text
        assert reply.headers["x-bedrock-model"] == settings.NOVA


class TestCompletions:
    """The legacy endpoint, with chat models mapped to it."""

    @pytest.mark.parametrize("model", [settings.NOVA, settings.CLAUDE, models.GPT_OSS])
    def test_chat_models_answer(self, gateway, model):
        reply = gateway.request("POST", "/v1/completions", json={"model": model, "prompt": "[[sim:text Sure.]]"})
        assert reply.status_code == 200, reply.text
        shapes.check(reply.json(), "CreateCompletionResponse")
        assert "Sure." in reply.json()["choices"][0]["text"]


class TestModels:
    def test_the_provider_of_each(self, gateway):
        data = gateway.get("/v1/models").json()["data"]
        assert data and all(isinstance(one.get("provider"), str) and one["provider"] for one in data)
        of = {one["id"]: one["provider"] for one in data}
        assert of[settings.NOVA] == "amazon" and of[settings.CLAUDE] == "anthropic"

    def test_more_about_each(self, gateway):
        reply = gateway.get(f"/v1/models/{settings.CLAUDE}")
        more = set(reply.json()) - {"id", "object", "created", "owned_by", "provider"}
        assert more, reply.text


class TestMetadata:
    def test_providers(self, gateway):
        reply = gateway.get("/v1/providers")
        assert reply.status_code == 200, reply.text
        body = reply.json()
        assert body["object"] == "list"
        assert {"amazon", "anthropic", "cohere", "meta", "mistral"} <= {one["id"] for one in body["data"]}, body

    def test_mappings(self, gateway):
        reply = gateway.get("/v1/mappings")
        assert reply.status_code == 200
        of = {one["name"]: one["model_id"] for one in reply.json()["data"]}
        assert of["Claude-4-5-Sonnet"] == settings.CLAUDE


class TestErrors:
    def test_an_error_of_awss_has_more_to_say(self, gateway, mark):
        reply = gateway.chat(f"{mark} [[sim:error AccessDeniedException]]")
        error = shapes.check_error(reply, 403, code="model_access_denied")
        assert error["aws_error_type"] == "AccessDeniedException" and error["region"] == settings.REGION
        assert error["model"] == settings.NOVA

    def test_an_error_in_a_stream(self, gateway):
        reply = gateway.chat("[[sim:stream-error modelStreamErrorException after=3]]", body={"stream": True})
        events = Events(reply.text)
        assert events.errors and not events.done

    def test_the_limits_are_awss(self, gateway):
        reply = gateway.chat("[[sim:error ThrottlingException]]")
        shapes.check_error(reply, 429, code="throttled", kind="rate_limit_error")
        assert int(reply.headers["retry-after"]) > 0


class TestKeys:
    def test_in_the_authorization_header(self, gateway):
        assert gateway.get("/v1/models").status_code == 200
        shapes.check_error(gateway.get("/v1/models", headers={"authorization": None}), 401)

    def test_all_endpoints_need_one(self, gateway):
        for path in ("/v1/models", "/v1/providers", "/v1/mappings"):
            shapes.check_error(gateway.get(path, headers={"authorization": None}), 401)
        for path in ("chat/completions", "completions", "embeddings", "images/generations", "rerank", "moderations"):
            reply = gateway.request("POST", f"/v1/{path}", headers={"authorization": None}, json={})
            wrong(reply, 401)


def test_a_stream_tells_the_tokens_in_its_trailers(gateway):
    with Connection(gateway.port) as connection:
        connection.send(chat_request("[[sim:text ok]]", extra=["TE: trailers"], stream=True))
        reply = connection.reply()
    assert int(reply.trailers["x-token-usage-input"]) > 0 and int(reply.trailers["x-token-usage-output"]) > 0


def test_usage(gateway):
    """`/v1/usage`: the account's tokens."""
    usage = gateway.chat("how much?").json()["usage"]

    def counted():
        reply = gateway.get("/v1/usage")
        assert reply.status_code == 200, reply.text
        total = reply.json()["total"]
        return total["input_tokens"] >= usage["prompt_tokens"] and total["output_tokens"] >= usage["completion_tokens"]

    poll(counted, "the tokens of an answer")

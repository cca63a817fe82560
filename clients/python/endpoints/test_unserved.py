"""OpenAI's endpoints that nothing here serves: 404 in its shape, with the nearest thing that does."""

import openai
import pytest

from support import settings, shapes
from support.endpoints import wrong

# Method, path, and a word of what is offered instead.
UNSERVED = [
    ("POST", "/v1/audio/speech", None),
    ("POST", "/v1/audio/transcriptions", "chat/completions"),
    ("POST", "/v1/audio/translations", "chat/completions"),
    ("POST", "/v1/fine_tuning/jobs", None),
    ("GET", "/v1/fine_tuning/jobs", None),
    ("GET", "/v1/assistants", "chat/completions"),
    ("POST", "/v1/threads", "chat/completions"),
    ("POST", "/v1/threads/runs", "chat/completions"),
    ("POST", "/v1/edits", None),
    ("GET", "/v1/engines", "models"),
    ("GET", "/v1/vector_stores", None),
    ("POST", "/v1/vector_stores", None),
    ("POST", "/v1/uploads", None),
    ("POST", "/v1/realtime/sessions", "chat/completions"),
    ("POST", "/v1/videos", None),
    ("GET", "/v1/evals", None),
    ("POST", "/v1/containers", None),
    ("GET", "/v1/chat/completions/chatcmpl-1", "not stored"),
    ("DELETE", "/v1/chat/completions/abc", "not stored"),
    ("POST", "/v1//responses", "chat/completions"),
    ("POST", "/v1/engines/ada/embeddings", "/v1/embeddings"),
    ("POST", "/v2/embed", "/v1/embeddings"),
    ("POST", "/v2/chat", "chat/completions"),
    ("POST", "/openai/responses", "chat/completions"),
    ("POST", "/v1/images", "/v1/images/generations"),
    ("GET", "/v1/nothing/of/this/kind", None),
]
SERVED = ["chat/completions", "completions", "embeddings", "images/generations", "images/edits", "images/variations"]
SERVED += ["moderations", "rerank"]


@pytest.mark.parametrize("method, path, near", UNSERVED, ids=lambda value: value if value else "-")
def test_what_is_not_served_says_what_is(gateway, method, path, near):
    reply = gateway.request(method, path, json={} if method == "POST" else None)
    error = shapes.check_error(reply, 404, code="unknown_url", kind="invalid_request_error")
    assert "/v1/" in error["message"] or "/docs" in error["message"], error
    if near:
        assert near in error["message"], error


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("/v1/chat/completion", "/v1/chat/completions"),
        ("/v1/embedding", "/v1/embeddings"),
        ("/v1/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/model", "/v1/models"),
        ("/v1/docs", "/docs"),
        ("/v1/healthz", "/healthz"),
        ("/healthz/", "/healthz"),
        ("/docs/", "/docs"),
    ],
)
def test_a_slip_is_understood(gateway, typed, meant):
    error = shapes.check_error(gateway.request("POST", typed, json={}), 404, code="unknown_url")
    assert meant in error["message"], error


@pytest.mark.parametrize("path", SERVED)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_wrong_methods(gateway, path, method):
    reply = gateway.request(method, f"/v1/{path}")
    shapes.check_error(reply, 405, code="method_not_allowed")
    assert reply.headers["allow"] == "POST"


@pytest.mark.parametrize("path", [path for path in SERVED if path not in ("images/edits", "images/variations")])
class TestBodies:
    """What goes for one endpoint goes for all."""

    def test_json_only(self, gateway, path):
        reply = gateway.request("POST", f"/v1/{path}", content=b"a=b", headers={"content-type": "text/plain"})
        wrong(reply, 415, code="unsupported_content_type")

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b'{"model": "\xff"}', b"[" * 5000])
    def test_what_is_no_object(self, gateway, path, body):
        reply = gateway.request("POST", f"/v1/{path}", content=body, headers={"content-type": "application/json"})
        wrong(reply, 400)

    def test_a_body_that_is_too_large(self, gateway, path):
        body = b'{"model": "' + b"x" * (settings.BODY_LIMIT + 1)
        reply = gateway.request("POST", f"/v1/{path}", content=body, headers={"content-type": "application/json"})
        wrong(reply, 413, code="request_too_large")

    def test_no_key(self, gateway, path):
        reply = gateway.request("POST", f"/v1/{path}", json={}, headers={"authorization": None})
        wrong(reply, 401, code="missing_api_key")

    @pytest.mark.parametrize(
        "model",
        ["", 5, None, ["a"], "x" * 5000, "a b", "\u0000", "../../etc", "amazon..x"],
        ids=lambda model: repr(model)[:20],
    )
    def test_what_is_no_model(self, gateway, path, model):
        body = {"prompt": "x", "query": "x", "documents": ["x"], "input": "x", "model": model}
        body["messages"] = [{"role": "user", "content": "x"}]
        known = {
            "chat/completions": ["messages"],
            "completions": ["prompt"],
            "embeddings": ["input"],
            "images/generations": ["prompt"],
            "moderations": ["input"],
            "rerank": ["query", "documents"],
        }[path]
        reply = gateway.request("POST", f"/v1/{path}", json={name: body[name] for name in ["model", *known]})
        # Which one it is makes no difference there, or there is a default.
        if path in ("moderations", "images/generations") and model in (None, ""):
            assert reply.status_code == 200, reply.text
        else:
            wrong(reply, (400, 404), param="model")


@pytest.mark.parametrize("prefix", ["/openai", "/openai/v1"])
def test_azures_prefixes(gateway, prefix):
    assert gateway.get(f"{prefix}/models?api-version=2024-10-21").json()["object"] == "list"
    reply = gateway.request("POST", f"{prefix}/moderations", json={"input": "hello"})
    assert reply.status_code == 200, reply.text
    error = shapes.check_error(gateway.get(f"{prefix}/model"), 404, code="unknown_url")
    assert "/v1/models" in error["message"]


def test_azures_client_lists_models_and_moderates(gateway):
    azure = openai.AzureOpenAI(azure_endpoint=gateway.root, api_key=gateway.key, api_version="2024-10-21")
    assert settings.NOVA in {model.id for model in azure.models.list()}
    assert azure.models.retrieve(settings.NOVA).id == settings.NOVA
    assert azure.moderations.create(input="hello").results
    answer = azure.chat.completions.create(
        model=settings.NOVA, messages=[{"role": "user", "content": "[[sim:text Here.]]"}]
    )
    assert answer.choices[0].message.content == "Here."


def test_what_openais_sdk_makes_of_it(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
    assert caught.value.code == "unknown_url"
    with pytest.raises(openai.NotFoundError):
        client.vector_stores.list()
    with pytest.raises(openai.NotFoundError):
        client.fine_tuning.jobs.list()

"""Every way to the same endpoint, and what other paths and methods get."""

import pytest

from support import settings, shapes

MESSAGES = [{"role": "user", "content": "[[sim:text Hello there.]]"}]


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1", ""], ids=["v1", "api-v1", "bare"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_prefixes(gateway, prefix, stream):
    client = gateway.openai(base_url=gateway.root + prefix)
    answer = client.chat.completions.create(model=settings.NOVA, messages=MESSAGES, stream=stream)
    if stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in answer)
    else:
        text = answer.choices[0].message.content
    assert text == "Hello there."


@pytest.mark.parametrize("model", [settings.NOVA, settings.CLAUDE])
def test_azure(gateway, model):
    completion = gateway.azure().chat.completions.create(model=model, messages=MESSAGES)
    assert completion.choices[0].message.content == "Hello there."
    assert completion.model == model


def test_azure_stream(gateway):
    stream = gateway.azure().chat.completions.create(model=settings.NOVA, messages=MESSAGES, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == "Hello there."


def test_azure_names_the_deployment_once_for_all(gateway):
    client = gateway.azure(azure_deployment=settings.NOVA)
    completion = client.chat.completions.create(model="ignored-by-azure", messages=MESSAGES)
    assert completion.model == settings.NOVA


def test_azure_needs_no_model_in_the_body(gateway):
    path = f"/openai/deployments/{settings.NOVA}/chat/completions?api-version=2024-10-21"
    reply = gateway.request(
        "POST", path, headers={"authorization": None, "api-key": gateway.key}, json={"messages": MESSAGES}
    )
    assert reply.status_code == 200, reply.text
    shapes.check_completion(reply.json())


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1", ""], ids=["v1", "api-v1", "bare"])
def test_models(gateway, prefix):
    reply = gateway.get(f"{prefix}/models")
    assert reply.status_code == 200, reply.text
    body = reply.json()
    known = {"id", "object", "created", "owned_by"}
    extra = {name for model in body["data"] for name in model} - known
    shapes.check(body, "ListModelsResponse", extra=extra)
    assert settings.NOVA in {model["id"] for model in body["data"]}


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/", "/v1/nothing", "/v1/chat", "/v2/chat/completions", "/v1/chat/completions/x", "/%00", "/..%2f"],
)
def test_unknown_paths(gateway, path):
    error = shapes.check_error(gateway.request("POST", path, json={}), 404)
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_wrong_methods(gateway, method):
    reply = gateway.request(method, "/v1/chat/completions")
    shapes.check_error(reply, 405)
    assert "POST" in reply.headers["allow"]


def test_an_invented_method(gateway):
    shapes.check_error(gateway.request("QUARRY", "/v1/chat/completions"), (400, 405, 501))

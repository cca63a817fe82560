"""Tenants: what a key may ask for, what holds for its requests, and that none sees anything of another."""

import json
import time

import pytest

from support import admin, settings, shapes
from support.admin import chat
from support.exchange import ask
from support.process import Gateway, Simulator

TITAN = "amazon.titan-embed-text-v2:0"
CANVAS = "amazon.nova-canvas-v1:0"
GUARDRAIL = {"id": "simguardrail1", "version": "1"}
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/simulator001"
ROLE = "arn:aws:iam::123456789012:role/simulator-bedrock"


@pytest.fixture(scope="module")
def running():
    with admin.start("--response-cache", "memory", key=settings.KEY) as stack:
        yield stack


@pytest.fixture(scope="module")
def gateway(running):
    return running.gateway


@pytest.fixture(scope="module")
def administrator(gateway):
    return admin.Admin(gateway)


def refused(reply, status, code, param=None):
    error = shapes.check_error(reply, status)
    assert error["code"] == code, error
    if param:
        assert error["param"] == param, error
    return error["message"]


def models_of(gateway, key):
    reply = gateway.get("/v1/models", headers={"authorization": f"Bearer {key['key']}"})
    assert reply.status_code == 200, reply.text
    return {model["id"] for model in reply.json()["data"]}


class TestTheDoor:
    def test_it_is_open_until_the_first_key_and_never_again(self):
        with admin.start() as stack:
            assert stack.gateway.chat("hi").status_code == 200
            key = admin.Admin(stack.gateway).key()
            assert chat(stack.gateway, key).status_code == 200
            refused(stack.gateway.chat("hi"), 401, "missing_api_key")
            admin.Admin(stack.gateway).revoke(key)
            refused(chat(stack.gateway, key), 401, "invalid_api_key")
            refused(stack.gateway.chat("hi"), 401, "missing_api_key")

    def test_keys_of_the_settings_go_on(self, gateway, administrator):
        administrator.key()
        assert gateway.chat("hi").status_code == 200

    def test_openais_client_and_azures_header_take_the_key(self, gateway, administrator):
        key = administrator.key()
        answer = gateway.openai(api_key=key["key"]).chat.completions.create(
            model=settings.NOVA, messages=[{"role": "user", "content": "hi"}]
        )
        assert answer.choices[0].message.content
        reply = gateway.chat("hi", headers={"authorization": None, "api-key": key["key"]})
        assert reply.status_code == 200

    @pytest.mark.parametrize("change", [lambda key: key[:-1], lambda key: key + "a", lambda key: key[:-1] + "-"])
    def test_a_key_that_is_nearly_right_is_wrong(self, gateway, administrator, change):
        key = administrator.key()
        refused(chat(gateway, {"key": change(key["key"])}), 401, "invalid_api_key")

    def test_a_secret_of_another_key_is_wrong(self, gateway, administrator):
        one, other = administrator.key()["key"], administrator.key()["key"]
        mixed = one[: one.rindex("-")] + other[other.rindex("-") :]
        refused(chat(gateway, {"key": mixed}), 401, "invalid_api_key")

    def test_a_key_for_administration_asks_no_models(self, gateway, administrator):
        made = administrator.done("POST", "/admin_keys", json={"name": "n", "role": "viewer"})
        refused(chat(gateway, made), 403, "admin_key")

    def test_an_expired_key(self, gateway, administrator):
        key = administrator.done(
            "POST", "/keys", json={"name": "short", "expires_at": int(time.time()) + 2, "settings": {}}
        )
        assert chat(gateway, key).status_code == 200
        time.sleep(2.2)
        refused(chat(gateway, key), 401, "expired_api_key")

    def test_a_disabled_project_and_organization(self, gateway, administrator):
        organization = administrator.organization()
        project = administrator.project(organization)
        key = administrator.key(project)
        for kind, thing in (("projects", project), ("organizations", organization)):
            administrator.update(kind, thing, status="disabled")
            refused(chat(gateway, key), 401, "disabled_project")
            administrator.update(kind, thing, status="active")
            assert chat(gateway, key).status_code == 200


class TestRights:
    def test_models_by_any_name(self, gateway, administrator):
        key = administrator.key(allowed_models=["*nova*"])
        assert chat(gateway, key).status_code == 200
        message = refused(chat(gateway, key, settings.CLAUDE), 404, "model_not_found", "model")
        assert message == refused(
            chat(gateway, key, "no-such-model"), 404, "model_not_found"
        ).replace("no-such-model", settings.CLAUDE) or "may not use" in message

    @pytest.mark.parametrize("name", ["claude-sonnet-4-5", "bedrock/" + settings.CLAUDE, "Claude-4-5-Sonnet"])
    def test_other_names_of_a_model_that_is_not_allowed(self, gateway, administrator, name):
        refused(chat(gateway, administrator.key(allowed_models=["*nova*"]), name), 404, "model_not_found")
        refused(chat(gateway, administrator.key(denied_models=["*claude*"]), name), 404, "model_not_found")

    def test_a_word_of_the_clients_is_no_way_around(self, gateway, administrator):
        """What the client says that an ARN is, it need not be."""
        key = administrator.key(allowed_models=["*nova*"])
        arn = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"
        for body in ({"model": f"bedrock/converse/{settings.NOVA}", "model_id": arn}, {"model": arn}):
            reply = gateway.chat("hi", headers={"authorization": f"Bearer {key['key']}"}, body=body)
            refused(reply, 404, "model_not_found")

    def test_levels_restrict_together(self, gateway, administrator):
        organization = administrator.organization(denied_models=["*claude*"])
        key = administrator.key(administrator.project(organization), allowed_models=["*claude*", "*nova*"])
        assert chat(gateway, key).status_code == 200
        refused(chat(gateway, key, settings.CLAUDE), 404, "model_not_found")

    def test_every_endpoint_asks(self, gateway, administrator):
        key = administrator.key(allowed_models=["nothing"])
        headers = {"authorization": f"Bearer {key['key']}"}
        for path, body in {
            "completions": {"model": settings.NOVA, "prompt": "hi"},
            "embeddings": {"model": TITAN, "input": "hi"},
            "images/generations": {"model": CANVAS, "prompt": "a hill"},
            "rerank": {"model": "cohere.rerank-v3-5:0", "query": "hi", "documents": ["a", "b"]},
            "chat/completions/input_tokens": {
                "model": "anthropic.claude-3-5-haiku-20241022-v1:0",
                "messages": [{"role": "user", "content": "hi"}],
            },
        }.items():
            reply = gateway.request("POST", f"/v1/{path}", json=body, headers=headers)
            assert reply.status_code == 404 and reply.json()["error"]["code"] == "model_not_found", f"{path} {reply.text}"

    def test_endpoints_by_any_prefix(self, gateway, administrator):
        key = administrator.key(allowed_endpoints=["/v1/embeddings", "/v1/chat/*"])
        headers = {"authorization": f"Bearer {key['key']}"}
        assert chat(gateway, key).status_code == 200
        body = {"model": TITAN, "input": "hi"}
        for path in ("/v1/embeddings", "/embeddings", "/api/v1/embeddings", f"/openai/deployments/{TITAN}/embeddings"):
            assert gateway.request("POST", path, json=body, headers=headers).status_code == 200, path
        for path in ("/v1/completions", "/completions", f"/openai/deployments/{settings.NOVA}/completions"):
            reply = gateway.request("POST", path, json={"model": settings.NOVA, "prompt": "hi"}, headers=headers)
            refused(reply, 403, "endpoint_not_allowed")
        refused(gateway.get("/v1/models", headers=headers), 403, "endpoint_not_allowed")

    def test_networks(self, gateway, administrator):
        assert chat(gateway, administrator.key(allowed_networks=["127.0.0.0/8"])).status_code == 200
        elsewhere = administrator.key(allowed_networks=["10.0.0.0/8"])
        refused(chat(gateway, elsewhere), 403, "network_not_allowed")
        # Nobody has said that this one is a proxy.
        reply = chat(gateway, elsewhere, headers={"x-forwarded-for": "10.1.2.3"})
        refused(reply, 403, "network_not_allowed")

    def test_networks_behind_a_proxy(self):
        with admin.start("--trusted-proxies", "127.0.0.1") as stack:
            key = admin.Admin(stack.gateway).key(allowed_networks=["10.0.0.0/8"])
            assert chat(stack.gateway, key, headers={"x-forwarded-for": "10.1.2.3"}).status_code == 200
            assert chat(stack.gateway, key, headers={"x-forwarded-for": "10.1.2.3, 192.0.2.1"}).status_code == 403
            assert chat(stack.gateway, key).status_code == 403


class TestWhatHolds:
    def test_parameters_for_requests_that_lack_them(self, running, administrator):
        key = administrator.key(parameters={"temperature": 0.25, "max_tokens": 77})["key"]
        asked = ask(running, model=settings.NOVA, key=key)
        assert asked.inference["temperature"] == 0.25 and asked.inference["maxTokens"] == 77
        asked = ask(running, model=settings.NOVA, key=key, max_tokens=5)
        assert asked.inference["temperature"] == 0.25 and asked.inference["maxTokens"] == 5

    def test_metadata_comes_before_the_clients(self, running, administrator):
        project = administrator.project(administrator.organization(metadata={"team": "search"}))
        key = administrator.key(project, metadata={"app": "bot"})["key"]
        asked = ask(running, model=settings.NOVA, key=key, metadata={"team": "mine", "other": "x"})
        assert asked.call["requestMetadata"] == {"team": "search", "app": "bot", "other": "x"}

    def test_a_guardrail_that_no_request_changes(self, running, gateway, administrator):
        key = administrator.key(guardrail=GUARDRAIL)
        asked = ask(running, model=settings.NOVA, key=key["key"])
        assert asked.call["guardrailConfig"]["guardrailIdentifier"] == GUARDRAIL["id"]
        other = {"guardrailIdentifier": "mine", "guardrailVersion": "1"}
        refused(chat(gateway, key, body={"guardrailConfig": other}), 403, "guardrail_fixed")
        headers = {"X-Amzn-Bedrock-GuardrailIdentifier": "mine", "X-Amzn-Bedrock-GuardrailVersion": "1"}
        refused(chat(gateway, key, headers=headers), 403, "guardrail_fixed")

    def test_caching_and_what_is_unsupported(self, running, administrator):
        key = administrator.key(prompt_caching="auto", on_unsupported="reject")["key"]
        asked = ask(running, "word " * 3000, model=settings.CLAUDE, key=key)
        assert "cachePoint" in json.dumps(asked.call)
        assert ask(running, model=settings.NOVA, key=key, logit_bias={"1": 1}).status == 400

    def test_names_of_its_own(self, running, gateway, administrator):
        key = administrator.key(aliases={"fast": settings.NOVA}, allowed_models=["fast"])
        asked = ask(running, model="fast", key=key["key"])
        assert asked.requests[0]["model_id"] == settings.NOVA if "model_id" in asked.requests[0] else asked.status == 200
        assert asked.reply.headers["x-bedrock-model"] == settings.NOVA
        refused(chat(gateway, key, settings.NOVA), 404, "model_not_found")
        assert models_of(gateway, key) == {"fast"}
        one = gateway.get("/v1/models/fast", headers={"authorization": f"Bearer {key['key']}"})
        assert one.status_code == 200 and one.json()["id"] == "fast"

    def test_a_region_of_its_own(self, gateway, administrator):
        """The simulator is in one region, and says so of calls for another."""
        key = administrator.key(region="eu-west-1")
        reply = chat(gateway, key, body={"stream": False})
        assert reply.headers.get("x-bedrock-region") == "eu-west-1" or reply.status_code >= 500, reply.headers

    def test_a_role_of_its_own(self):
        """Its calls are made by a session of the role, which is named after the organization and the project."""
        with Simulator() as simulator:
            around = simulator.endpoints | simulator.credentials | {"AWS_ENDPOINT_URL": simulator.url}
            with Gateway("--database", "memory", env=around | {admin.ADMIN_KEYS: admin.ADMIN_KEY}, key=None) as gateway:
                administrator = admin.Admin(gateway)
                project = administrator.project(administrator.organization("acme", role_arn=ROLE), "search")
                key = administrator.key(project, session_tags={"cost-center": "7"})
                assert chat(gateway, key).status_code == 200
                assumed = [request for request in simulator.state()["requests"] if request["operation"] == "AssumeRole"]
                said = json.dumps(assumed)
                assert len(assumed) == 1, assumed
                for word in (ROLE, "outcrop-acme-search", "outcrop:organization", "acme", "cost-center"):
                    assert word in said, said


class TestIsolation:
    def test_models(self, gateway, administrator):
        key = administrator.key(allowed_models=["*nova*"])
        headers = {"authorization": f"Bearer {key['key']}"}
        # Of an ARN, it is the model behind it that is called so.
        seen = gateway.get("/v1/models", headers=headers).json()["data"]
        assert seen and not [model for model in seen if "nova" not in (model["id"] + model["base_model"]).lower()]
        refused(gateway.get(f"/v1/models/{settings.CLAUDE}", headers=headers), 404, "model_not_found")
        providers = gateway.get("/v1/providers", headers=headers).json()["data"]
        assert [provider["id"] for provider in providers] == ["amazon"]
        mappings = gateway.get("/v1/mappings", headers=headers).json()["data"]
        assert mappings and all("nova" in json.dumps(row).lower() for row in mappings)
        refused(gateway.get("/v1/mappings?name=claude-sonnet-4-5", headers=headers), 404, "model_not_found")

    def test_an_inference_profile_of_another_tenant(self, gateway, administrator):
        theirs = administrator.key(administrator.project(administrator.organization(aliases={"sonnet": PROFILE})))
        assert chat(gateway, theirs, "sonnet").status_code == 200
        mine = administrator.key()
        refused(chat(gateway, mine, PROFILE), 404, "model_not_found")
        refused(chat(gateway, mine, "sonnet"), 404, "model_not_found")
        assert PROFILE not in models_of(gateway, mine)
        assert "sonnet" in models_of(gateway, theirs)
        assert "sonnet" not in models_of(gateway, mine)
        for path in ("/v1/mappings", "/v1/models"):
            reply = gateway.get(path, headers={"authorization": f"Bearer {mine['key']}"})
            assert PROFILE not in reply.text, path

    def test_the_response_cache(self, gateway, administrator):
        mine, theirs = administrator.key(), administrator.key()
        body = {"temperature": 0}

        def state(key):
            return chat(gateway, key, body=body, text="the same").headers.get("x-outcrop-cache")

        assert [state(mine), state(mine), state(theirs)] == ["miss", "hit", "miss"]

    def test_files(self, gateway, administrator):
        organization = administrator.organization()
        mine = administrator.key(administrator.project(organization))
        sister = administrator.key(administrator.project(organization))
        theirs = administrator.key()
        made = gateway.request(
            "POST",
            "/v1/images/generations",
            json={"model": CANVAS, "prompt": "a hill", "response_format": "url"},
            headers={"authorization": f"Bearer {mine['key']}"},
        )
        url = made.json()["data"][0]["url"]
        path = url[url.index("/v1/") :]

        def status(key):
            return gateway.get(path, headers={"authorization": f"Bearer {key}" if key else None}).status_code

        assert status(mine["key"]) == 200 and status(sister["key"]) == 200
        assert status(theirs["key"]) == 404
        assert status("sk-nobody") == 401
        assert status(None) == 200, "the name itself is the key, as with OpenAI's URLs"

    def test_administration_of_one_organization(self, gateway, administrator):
        mine, theirs = administrator.organization(), administrator.organization()
        their_project = administrator.project(theirs)
        their_key = administrator.key(their_project)
        made = administrator.done(
            "POST", "/admin_keys", json={"name": "n", "role": "admin", "organization": mine["id"]}
        )
        bound = admin.Admin(gateway, made["key"])
        for path in (f"/organizations/{theirs['id']}", f"/projects/{their_project['id']}", f"/keys/{their_key['id']}"):
            assert bound.request("GET", path).status_code == 404, path
            assert bound.request("DELETE", path).status_code == 404, path
        for path in ("/organizations", "/projects", "/keys", "/audit_log", "/budgets"):
            assert theirs["id"] not in bound.request("GET", path).text, path
        assert bound.request("POST", "/keys", json={"project": their_project["id"], "name": "n"}).status_code == 404
        assert chat(gateway, their_key).status_code == 200

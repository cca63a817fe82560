"""`GET /v1/models`, `/v1/models/{id}`, `/v1/providers` and `/v1/mappings`, by HTTP and by OpenAI's SDK."""

import asyncio
import urllib.parse

import openai
import pytest

from support import settings, shapes
from support.endpoints import EMBEDDING, PICTURE, RERANK, good
from support.process import poll

ACCOUNT = f"arn:aws:bedrock:{settings.REGION}:123456789012"
PROFILE = f"{ACCOUNT}:application-inference-profile/simulator001"
# What the simulator's account has of its own, and can call.
OWN = {
    "application profile": PROFILE,
    "provisioned throughput": f"{ACCOUNT}:provisioned-model/simulator001",
    "custom model's deployment": f"{ACCOUNT}:custom-model-deployment/simulator001",
    "imported model": f"{ACCOUNT}:imported-model/simllama0001",
}


def listed(gateway, query=""):
    body = good(gateway.get(f"/v1/models{query}"))
    assert body["object"] == "list"
    for model in body["data"]:
        shapes.check({name: model[name] for name in ("id", "object", "created", "owned_by")}, "Model")
    ids = [model["id"] for model in body["data"]]
    assert len(ids) == len(set(ids)), "an id stands there twice"
    return {model["id"]: model for model in body["data"]}


class TestTheList:
    def test_has_models_and_profiles(self, gateway):
        models = listed(gateway)
        assert settings.NOVA in models and settings.CLAUDE in models
        assert "global.anthropic.claude-sonnet-4-5-20250929-v1:0" in models

    @pytest.mark.parametrize("kind", OWN)
    def test_has_what_the_account_has_of_its_own(self, gateway, kind):
        assert OWN[kind] in listed(gateway)

    def test_has_only_what_can_be_called(self, gateway):
        models = listed(gateway)
        # By its id the gateway calls its profile.
        assert models[settings.CLAUDE_WITHOUT_PROFILE]["resolves_to"] == settings.CLAUDE
        assert "eu.anthropic.claude-sonnet-4-5-20250929-v1:0" not in models, "of another geography"

    def test_has_aliases(self, serve):
        gateway = serve(env={"OUTCROP_ALIASES": f"fast={settings.NOVA},gpt-4o*=Nova-Pro"})
        models = listed(gateway)
        assert "fast" in models and "gpt-4o*" not in models, "a pattern is no name"
        assert good(gateway.get("/v1/models/fast"))["id"] == "fast"
        assert good(gateway.get("/v1/models/gpt-4o-mini"))["id"] == "gpt-4o-mini"

    def test_tells_the_provider_of_each(self, gateway):
        models = listed(gateway)
        assert all(model["provider"] for model in models.values())
        assert models[settings.CLAUDE]["provider"] == "anthropic" and models[settings.NOVA]["provider"] == "amazon"
        assert models[PROFILE]["provider"] == "anthropic"

    def test_models_of_each_kind_are_there(self, gateway):
        models = listed(gateway)
        for model in [*EMBEDDING, *PICTURE, RERANK[0]]:
            assert model in models

    def test_is_kept(self, stack):
        """Asking for it again asks AWS nothing."""
        listed(stack.gateway)
        listed(stack.gateway, "?refresh=true")
        before = len(stack.simulator.state()["requests"])
        for _ in range(5):
            listed(stack.gateway)
        after = stack.simulator.state()["requests"]
        assert len(after) == before or not [one for one in after[before:] if one["operation"].startswith("List")]

    def test_refresh_asks_again(self, stack):
        listed(stack.gateway)

        def asked():
            requests = stack.simulator.state()["requests"]
            return len([one for one in requests if one["operation"] == "ListFoundationModels"])

        stack_before = asked()
        listed(stack.gateway, "?refresh=true")
        assert asked() == stack_before + 1

    def test_a_new_model_is_there_after_a_refresh(self, gateway):
        assert set(listed(gateway, "?refresh=true")) == set(listed(gateway))

    @pytest.mark.parametrize("wrong", ["maybe", "2"])
    def test_what_is_no_yes_or_no(self, gateway, wrong):
        shapes.check_error(gateway.get(f"/v1/models?refresh={wrong}"), 400, param="refresh")

    def test_without_the_right_to_one_list_there_are_the_others(self, stacked, tmp_path):
        scenario = tmp_path / "scenario.toml"
        scenario.write_text(
            '[[rules]]\noperation = "ListProvisionedModelThroughputs"\nactions = ["error AccessDeniedException"]\n'
        )
        from support.process import Gateway, Simulator

        with Simulator("--simulator-scenario", scenario) as simulator:
            with Gateway(env=simulator.endpoints | simulator.credentials) as gateway:
                models = listed(gateway)
                assert settings.NOVA in models and OWN["provisioned throughput"] not in models
                assert OWN["imported model"] in models
                poll(
                    lambda: any("ListProvisionedModelThroughputs" in line for line in gateway.stderr),
                    "a warning that names what isn't allowed",
                )

    def test_without_any_right_there_is_a_word_about_it(self, stacked):
        """Never an empty page without a word."""
        stack = stacked(env={"AWS_ACCESS_KEY_ID": "AKIDSIMULATORRUNTIME"})
        reply = stack.gateway.get("/v1/models")
        if reply.status_code == 200:
            assert reply.json()["data"], "an empty list"
            assert settings.NOVA in {one["id"] for one in reply.json()["data"]}
        else:
            error = shapes.check_error(reply, (403, 502))
            assert (
                "bedrock:List" in error["message"]
                or "AccessDenied" in error["message"]
                or "not authorized" in error["message"]
            ), error


class TestFilters:
    @pytest.mark.parametrize("provider", ["anthropic", "amazon", "cohere", "meta", "Anthropic"])
    def test_provider(self, gateway, provider):
        models = listed(gateway, f"?provider={provider}")
        assert models and {model["provider"] for model in models.values()} == {provider.lower()}
        assert len(models) < len(listed(gateway))

    @pytest.mark.parametrize(
        "kind, one, other",
        [
            ("embedding", "amazon.titan-embed-text-v2:0", settings.NOVA),
            ("image", "amazon.nova-canvas-v1:0", settings.NOVA),
            ("chat", settings.NOVA, "amazon.titan-embed-text-v2:0"),
            ("rerank", "cohere.rerank-v3-5:0", settings.NOVA),
        ],
    )
    def test_type(self, gateway, kind, one, other):
        models = listed(gateway, f"?type={kind}")
        assert one in models and other not in models

    def test_both(self, gateway):
        models = listed(gateway, "?provider=cohere&type=embedding")
        assert "cohere.embed-multilingual-v3" in models
        assert all("embed" in name.lower() for name in models)

    def test_a_provider_that_there_is_not(self, gateway):
        reply = gateway.get("/v1/models?provider=nobody")
        if reply.status_code == 200:
            assert reply.json()["data"] == []
        else:
            shapes.check_error(reply, 400, param="provider")

    def test_a_type_that_there_is_not(self, gateway):
        shapes.check_error(gateway.get("/v1/models?type=weather"), 400, param="type")


class TestOne:
    @pytest.mark.parametrize("name", [settings.NOVA, settings.CLAUDE, *OWN.values()], ids=str)
    @pytest.mark.parametrize("quote", [urllib.parse.quote, lambda name: urllib.parse.quote(name, safe="")])
    def test_by_its_id(self, gateway, name, quote):
        """With colons and slashes, which clients encode or don't."""
        model = good(gateway.get(f"/v1/models/{quote(name)}"))
        assert model["id"] == name and model["object"] == "model"

    def test_is_what_the_list_says(self, gateway):
        models = listed(gateway)
        for name in (settings.NOVA, settings.CLAUDE, PROFILE):
            assert good(gateway.get(f"/v1/models/{urllib.parse.quote(name)}")) == models[name]

    @pytest.mark.parametrize("name", ["Claude-4-5-Sonnet", "bedrock/amazon.nova-lite-v1:0", "claude-sonnet-4-5"])
    def test_by_any_name(self, gateway, name):
        model = good(gateway.get(f"/v1/models/{urllib.parse.quote(name)}"))
        assert model["id"] == name
        assert "amazon.nova-lite-v1:0" in str(model) or settings.CLAUDE in str(model), "it says what it resolves to"

    @pytest.mark.parametrize(
        "name", ["nothing", "a/b/c", "amazon.nothing-v1:0", f"{ACCOUNT}:imported-model/nothing00000", "%00", "ü"]
    )
    def test_one_that_there_is_not(self, gateway, name):
        quoted = name if name == "%00" else urllib.parse.quote(name, safe="")
        shapes.check_error(gateway.get(f"/v1/models/{quoted}"), 404, code="model_not_found", param="model")

    @pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
    def test_other_methods(self, gateway, method):
        reply = gateway.request(method, f"/v1/models/{settings.NOVA}")
        shapes.check_error(reply, 405, code="method_not_allowed")
        assert "GET" in reply.headers["allow"]

    def test_tells_what_it_can_and_where(self, gateway):
        model = good(gateway.get(f"/v1/models/{settings.CLAUDE}"))
        said = str(model).lower()
        for word in ("tools", "image", "region", "lifecycle", "price"):
            assert word in said, f"nothing about {word}: {model}"

    def test_tells_the_end_of_a_model(self, gateway):
        legacy = [model for model in listed(gateway).values() if "legacy" in str(model.get("lifecycle", "")).lower()]
        assert legacy

    @pytest.mark.parametrize("prefix", ["/api/v1", ""])
    def test_other_paths(self, gateway, prefix):
        assert good(gateway.get(f"{prefix}/models"))["data"]
        assert good(gateway.get(f"{prefix}/models/{settings.NOVA}"))["id"] == settings.NOVA


class TestProvidersAndMappings:
    def test_providers(self, gateway):
        body = good(gateway.get("/v1/providers"))
        assert body["object"] == "list"
        providers = {model["provider"] for model in listed(gateway).values()}
        assert {one["id"] for one in body["data"]} >= providers

    def test_mappings(self, gateway):
        data = good(gateway.get("/v1/mappings"))["data"]
        assert {"name", "model_id", "kind"} <= set(data[0])

    def test_mappings_of_embeddings(self, gateway):
        mapping = good(gateway.get("/v1/mappings?name=titan-embed-text-v2&type=embedding"))
        assert mapping["model_id"] == "amazon.titan-embed-text-v2:0"

    @pytest.mark.parametrize("path", ["/v1/models", "/v1/providers", "/v1/mappings"])
    def test_a_key_is_needed(self, gateway, path):
        shapes.check_error(gateway.get(path, headers={"authorization": "Bearer wrong"}), 401)

    @pytest.mark.parametrize("path", ["/v1/models", "/v1/providers", "/v1/mappings"])
    def test_only_to_be_read(self, gateway, path):
        shapes.check_error(gateway.request("POST", path, json={}), 405, code="method_not_allowed")


class TestTheSdk:
    def test_list(self, client):
        models = list(client.models.list())
        assert {settings.NOVA, settings.CLAUDE, PROFILE} <= {model.id for model in models}
        assert {model.object for model in models} == {"model"}

    @pytest.mark.parametrize("name", [settings.NOVA, settings.CLAUDE, PROFILE, "bedrock/amazon.nova-lite-v1:0"])
    def test_retrieve(self, client, name):
        model = client.models.retrieve(name)
        assert model.id == name and model.provider in ("amazon", "anthropic")

    def test_async(self, gateway):
        async def ask():
            async with gateway.async_openai() as client:
                ids = [model.id async for model in client.models.list()]
                return ids, (await client.models.retrieve(settings.CLAUDE)).id

        ids, one = asyncio.run(ask())
        assert settings.NOVA in ids and one == settings.CLAUDE

    def test_errors_have_their_classes(self, client):
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve("no-such-model")
        assert caught.value.code == "model_not_found"

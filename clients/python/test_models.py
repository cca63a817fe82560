"""The list of models: what the account can call, what is told of it, and what happens where a list can't be read."""

import concurrent.futures
import urllib.parse

import boto3
import openai
import pytest
from botocore.config import Config

from support import models, process, settings, shapes

ACCOUNT = f"arn:aws:bedrock:{settings.REGION}:123456789012:"
NOVA_ARN = f"arn:aws:bedrock:{settings.REGION}::foundation-model/{models.NOVA}"
APPLICATION = ACCOUNT + "application-inference-profile/simulator001"
# What the simulated account has, by kind.
LISTED = {
    "foundation_model": [models.NOVA, settings.CLAUDE_WITHOUT_PROFILE, models.NOVEL],
    "inference_profile": [settings.CLAUDE, f"global.{settings.CLAUDE_WITHOUT_PROFILE}"],
    "application_inference_profile": [APPLICATION],
    "provisioned_throughput": [ACCOUNT + "provisioned-model/simulator001"],
    "custom_model_deployment": [ACCOUNT + "custom-model-deployment/simulator001"],
    "imported_model": [ACCOUNT + "imported-model/simllama0001", ACCOUNT + "imported-model/simgptoss001"],
    "short_name": ["Claude-4-5-Sonnet", "Nova-Lite"],
}
LISTS = [
    "ListFoundationModels",
    "ListInferenceProfiles",
    "ListProvisionedModelThroughputs",
    "ListCustomModels",
    "ListCustomModelDeployments",
    "ListImportedModels",
]


def listing(gateway, query=""):
    reply = gateway.get(f"/v1/models{query}")
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert body["object"] == "list"
    return body


def by_id(gateway, query=""):
    return {model["id"]: model for model in listing(gateway, query)["data"]}


def one(gateway, identifier):
    return gateway.get(f"/v1/models/{urllib.parse.quote(identifier, safe='')}")


def control(stack):
    """boto3 on the simulator behind a gateway."""
    return boto3.Session().client(
        "bedrock",
        region_name=settings.REGION,
        endpoint_url=stack.simulator.url,
        aws_access_key_id=stack.simulator.credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=stack.simulator.credentials["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def make_profile(stack, name):
    made = control(stack).create_inference_profile(inferenceProfileName=name, modelSource={"copyFrom": NOVA_ARN})
    return made["inferenceProfileArn"]


def asked(stack):
    """How often each list was asked for."""
    operations = [request["operation"] for request in stack.simulator.state()["requests"]]
    return {operation: operations.count(operation) for operation in LISTS}


class TestWhatIsListed:
    def test_all_kinds_of_the_account(self, gateway):
        listed = by_id(gateway)
        for kind, ids in LISTED.items():
            for identifier in ids:
                assert listed[identifier]["kind"] == kind

    def test_each_id_once(self, gateway):
        ids = [model["id"] for model in listing(gateway)["data"]]
        assert len(ids) == len(set(ids)) > 300

    def test_every_chat_id_answers(self, gateway):
        """By that very id: nothing is listed that a client then can't use."""
        client = gateway.openai()

        def ask(identifier):
            try:
                answer = client.chat.completions.create(
                    model=identifier, messages=[{"role": "user", "content": "[[sim:text Here.]]"}]
                )
                return identifier, (answer.choices[0].message.content or "").strip()
            except openai.APIError as error:
                return identifier, str(error)

        ids = [model["id"] for model in listing(gateway, "?type=chat")["data"]]
        assert ACCOUNT + "imported-model/simr1distill" in ids
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = dict(pool.map(ask, ids))
        assert len(ids) > 200
        assert {identifier: answer for identifier, answer in answers.items() if "Here." not in answer} == {}

    def test_what_it_says_it_resolves_to_is_called(self, gateway):
        listed = by_id(gateway)
        for identifier in ("Claude-4-5-Sonnet", settings.CLAUDE_WITHOUT_PROFILE, models.NOVA, APPLICATION):
            reply = gateway.chat("[[sim:text Here.]]", model=identifier)
            assert reply.headers["x-bedrock-model"] == listed[identifier]["resolves_to"]

    def test_whose_life_is_over_isnt(self, gateway):
        assert "amazon.titan-text-premier-v1:0" not in by_id(gateway)
        error = shapes.check_error(one(gateway, "amazon.titan-text-premier-v1:0"), 404, code="model_not_found")
        assert "amazon.nova-pro-v1:0" in error["message"]

    def test_what_no_endpoint_is_for_isnt(self, gateway):
        listed = by_id(gateway)
        assert not [identifier for identifier in listed if "sonic" in identifier or "reel" in identifier]
        shapes.check_error(one(gateway, "amazon.nova-sonic-v1:0"), 404, code="model_not_found", param="model")

    def test_aliases_are_and_patterns_arent(self, serve):
        gateway = serve("--aliases", f"gpt-4o={models.NOVA}", "--aliases", "o3*=Claude-4-5-Sonnet")
        listed = by_id(gateway)
        assert (listed["gpt-4o"]["kind"], listed["gpt-4o"]["resolves_to"]) == ("alias", models.NOVA)
        assert not [identifier for identifier in listed if identifier.startswith("o3")]
        told = one(gateway, "o3-mini").json()
        assert (told["id"], told["resolves_to"]) == ("o3-mini", settings.CLAUDE)

    def test_openais_embeddings_where_they_mean_something(self, gateway, serve):
        with_default = by_id(serve("--default-embedding-model", "amazon.titan-embed-text-v2:0"), "?type=embedding")
        for name in ("text-embedding-3-small", "text-embedding-ada-002"):
            assert with_default[name]["resolves_to"] == "amazon.titan-embed-text-v2:0"

    def test_what_the_operator_has_a_row_for(self, serve, tmp_path):
        """Also an ARN that no list has: the operator vouches for it."""
        rows = tmp_path / "models.toml"
        arn = ACCOUNT + "default-prompt-router/anthropic.claude:1"
        rows.write_text(f'[[model]]\nid = "{arn}"\nbase_model = "{models.CLAUDE_3}"\nshort_names = ["our-claude"]\n')
        gateway = serve("--catalogue", rows)
        listed = by_id(gateway)
        assert listed["our-claude"]["resolves_to"] == arn and listed[arn]["provider"] == "anthropic"
        assert gateway.chat("[[sim:text Here.]]", model="our-claude").status_code == 200

    def test_retired_models_whose_successor_is_asked(self, serve):
        listed = by_id(serve("--redirect-retired"))
        assert listed["amazon.titan-text-premier-v1:0"]["base_model"] == "amazon.nova-pro-v1:0"


class TestWhatIsTold:
    def test_openais_own_fields(self, client):
        for model in client.models.list():
            assert model.object == "model" and model.owned_by == "bedrock" and isinstance(model.created, int)

    def test_a_model(self, client):
        model = client.models.retrieve(settings.CLAUDE)
        told = model.model_extra
        assert model.created == 1759104000, "the day on which it came out"
        assert (told["provider"], told["provider_name"], told["type"]) == ("anthropic", "Anthropic", "chat")
        assert told["base_model"] == settings.CLAUDE_WITHOUT_PROFILE
        assert told["regions"] == [settings.REGION] and "us-west-2" in told["routed_to"]
        can = told["capabilities"]
        assert can["tools"] and can["streaming"] and can["reasoning"] and can["prompt_caching"] and can["system"]
        assert set(can["input"]) == {"text", "image", "document"} and can["output"] == ["text"]
        assert told["context_window"] == 200000 and told["max_output_tokens"] == 64000

    def test_what_a_model_cant(self, gateway):
        listed = by_id(gateway)
        can = listed[models.MISTRAL_7B]["capabilities"]
        assert not can["tools"] and not can["system"] and not can["reasoning"]
        assert not listed["ai21.j2-mid-v1"]["capabilities"]["streaming"]
        assert listed["amazon.titan-embed-text-v2:0"]["capabilities"]["output"] == ["embedding"]

    def test_prices_are_those_of_the_profile(self, gateway):
        """That of a geography costs more than the one for all the world."""
        listed = by_id(gateway)
        near, far = (listed[f"{prefix}.{settings.CLAUDE_WITHOUT_PROFILE}"]["prices"] for prefix in ("us", "global"))
        assert near["input"] > far["input"] == 3.0 and far["currency"] == "USD" and far["per"] == "1M tokens"
        assert "prices" not in listed[ACCOUNT + "provisioned-model/simulator001"], "it costs by the hour"

    def test_the_life_of_a_model_is_as_bedrock_tells_it_now(self, gateway):
        assert by_id(gateway)[models.NOVEL_2]["lifecycle"] == {
            "status": "legacy",
            "start_of_life": "2026-01-05",
            "legacy": "2026-09-01",
            "public_extended_access": "2027-03-01",
            "end_of_life": "2027-06-01",
        }
        assert by_id(gateway)[models.NOVA]["lifecycle"]["status"] == "active"

    def test_what_is_behind_what_the_account_has(self, gateway):
        listed = by_id(gateway)
        assert listed[ACCOUNT + "provisioned-model/simulator001"]["base_model"] == models.CLAUDE_3
        deployment = listed[ACCOUNT + "custom-model-deployment/simulator001"]
        assert (deployment["name"], deployment["base_model"]) == ("simulator-deployment", models.NOVA)
        assert listed[ACCOUNT + "imported-model/simqwen25001"]["architecture"] == "qwen2"
        assert listed[APPLICATION]["base_model"] == settings.CLAUDE_WITHOUT_PROFILE

    def test_a_model_that_the_catalogue_doesnt_know_is_told_as_bedrock_tells_it(self, gateway):
        model = by_id(gateway)[models.NOVEL]
        assert (model["name"], model["provider"]) == ("Novel 1", "simulator")
        assert model["capabilities"] == {"input": ["text", "image"], "output": ["text"], "streaming": True}


    def test_it_is_as_it_is_described(self, gateway):
        described = gateway.get("/v1/openapi.json").json()["components"]["schemas"]["Model"]
        properties = described["properties"]
        for model in listing(gateway)["data"]:
            assert set(described["required"]) <= set(model) <= set(properties)
            assert model["kind"] in properties["kind"]["enum"] and model["type"] in properties["type"]["enum"]
            for part in ("capabilities", "lifecycle", "prices"):
                assert set(model.get(part, {})) <= set(properties[part]["properties"]), model


class TestOne:
    @pytest.mark.parametrize(
        "identifier",
        [models.NOVA, settings.CLAUDE, APPLICATION, ACCOUNT + "imported-model/simllama0001", NOVA_ARN, "Nova-Lite"],
    )
    def test_by_any_id_written_in_any_way(self, gateway, client, identifier):
        for written in (identifier, urllib.parse.quote(identifier, safe=""), urllib.parse.quote(identifier, safe="/")):
            reply = gateway.get(f"/v1/models/{written}")
            assert reply.status_code == 200 and reply.json()["id"] == identifier, reply.text
        assert client.models.retrieve(identifier).id == identifier

    def test_by_names_that_arent_listed(self, gateway):
        for name, model in [
            ("Claude-4-5-Sonnet-Thinking", settings.CLAUDE),
            (f"bedrock/converse/{models.NOVA}", models.NOVA),
            ("CLAUDE-4-5-SONNET", settings.CLAUDE),
            (f"{settings.CLAUDE}[1m]", settings.CLAUDE),
        ]:
            told = one(gateway, name).json()
            assert (told["id"], told["resolves_to"]) == (name, model)
        told = one(gateway, f"bedrock/us-west-2/{models.NOVA}").json()
        assert told["region"] == "us-west-2" and told["regions"] == ["us-west-2"]
        router = ACCOUNT + "default-prompt-router/anthropic.claude:1"
        assert one(gateway, router).json()["base_model"] == models.CLAUDE_3

    @pytest.mark.parametrize(
        "identifier, offered",
        [
            ("amazon.nova-lit-v1:0", models.NOVA),
            ("Claude-4-5-Sonet", "Claude-4-5-Sonnet"),
            ("acme.model-1", None),
            ("gpt-4", None),
            ("eu.amazon.nova-lite-v1:0", models.NOVA),
            (ACCOUNT + "imported-model/simllama0009", None),
            (ACCOUNT + "application-inference-profile/simulator009", None),
        ],
    )
    def test_an_unknown_id_isnt_found(self, gateway, identifier, offered):
        error = shapes.check_error(one(gateway, identifier), 404, code="model_not_found", param="model")
        assert (f"'{offered}'" in error["message"]) if offered else ("Did you mean" not in error["message"])

    def test_the_sdk_says_so(self, client):
        with pytest.raises(openai.NotFoundError) as error:
            client.models.retrieve("acme.model-1")
        assert error.value.code == "model_not_found"

    @pytest.mark.parametrize("identifier", ["%00", "%ff", "..%2f..%2fetc", "a" * 5000, "arn:aws:s3:::bucket/key", "%20"])
    def test_what_is_no_id(self, gateway, identifier):
        shapes.check_error(gateway.get(f"/v1/models/{identifier}"), (400, 404))


class TestFilters:
    def test_by_provider(self, gateway):
        for typed in ("anthropic", "ANTHROPIC", "Anthropic"):
            found = by_id(gateway, f"?provider={typed}")
            assert settings.CLAUDE in found and "Claude-4-5-Sonnet" in found and APPLICATION in found
            assert {model["provider"] for model in found.values()} == {"anthropic"}
        assert "mistral" in {model["provider"] for model in by_id(gateway, "?provider=Mistral%20AI").values()}

    def test_by_type(self, gateway):
        for kind, identifier in [
            ("chat", models.NOVA),
            ("embedding", "amazon.titan-embed-text-v2:0"),
            ("image", "stability.sd3-5-large-v1:0"),
            ("rerank", "cohere.rerank-v3-5:0"),
        ]:
            found = by_id(gateway, f"?type={kind}")
            assert identifier in found and {model["type"] for model in found.values()} == {kind}
        both = by_id(gateway, "?type=image,rerank")
        assert {model["type"] for model in both.values()} == {"image", "rerank"}

    def test_by_kind_and_together(self, gateway):
        found = by_id(gateway, "?kind=foundation_model&provider=amazon&type=embedding")
        assert found and all(identifier.startswith("amazon.") and "embed" in identifier for identifier in found)

    @pytest.mark.parametrize("path", ["/v1/models", "/v1/providers"])
    @pytest.mark.parametrize(
        "query, param, named",
        [
            ("type=video", "type", "'embedding'"),
            ("type=", "type", "'chat'"),
            ("kind=thing", "kind", "'imported_model'"),
            ("refresh=maybe", "refresh", "'true'"),
        ],
    )
    def test_an_unknown_value_is_refused(self, gateway, path, query, param, named):
        error = shapes.check_error(gateway.get(f"{path}?{query}"), 400, param=param, code="invalid_value")
        assert named in error["message"]

    def test_an_unknown_provider_has_none_and_is_told(self, gateway):
        body = listing(gateway, "?provider=acme")
        assert body["data"] == []
        [warning] = body["warnings"]
        assert warning["code"] == "unknown_provider" and "anthropic" in warning["message"]
        for path in ("models", "providers"):
            assert "acme" in gateway.get(f"/v1/{path}?provider=acme").headers["x-outcrop-warning"]

    def test_said_again_adds(self, gateway):
        both = by_id(gateway, "?type=chat&type=embedding")
        assert both == by_id(gateway, "?type=chat,embedding") and {settings.NOVA} < set(both)
        assert {model["type"] for model in both.values()} == {"chat", "embedding"}
        kinds = by_id(gateway, "?kind=alias&kind=short_name").values()
        assert {model["kind"] for model in kinds} == {"alias", "short_name"}


class TestProviders:
    def test_are_listed_with_their_models(self, gateway):
        reply = gateway.get("/v1/providers")
        assert reply.status_code == 200 and reply.json()["object"] == "list"
        makers = {provider["id"]: provider for provider in reply.json()["data"]}
        amazon = makers["amazon"]
        assert (amazon["object"], amazon["name"], amazon["regions"]) == ("provider", "Amazon", [settings.REGION])
        listed = by_id(gateway, "?provider=amazon")
        assert amazon["ids"] == len(listed)
        assert amazon["models"] == len({model["base_model"] for model in listed.values()})
        assert amazon["types"]["embedding"] >= 4 and "rerank" in makers["cohere"]["types"]
        assert set(makers) == {model["provider"] for model in by_id(gateway).values() if "provider" in model}

    def test_a_key_is_needed(self, gateway):
        for path in ("/v1/providers", "/v1/models", f"/v1/models/{models.NOVA}"):
            shapes.check_error(gateway.get(path, headers={"authorization": "Bearer wrong"}), 401)

    @pytest.mark.parametrize("prefix", ["/v1", "/api/v1", ""])
    def test_under_each_prefix(self, gateway, prefix):
        assert gateway.get(f"{prefix}/providers").status_code == 200
        assert gateway.request("POST", f"{prefix}/providers").status_code == 405


class TestTheCache:
    def test_bedrock_is_asked_once(self, stacked):
        stack = stacked()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            lists = list(pool.map(lambda _: listing(stack.gateway), range(16)))
        assert all(one == lists[0] and one["data"] for one in lists)
        one(stack.gateway, settings.CLAUDE)
        assert asked(stack) == dict.fromkeys(LISTS, 1)

    def test_a_refresh_shows_a_new_model_at_once(self, stacked):
        stack = stacked()
        before = by_id(stack.gateway)
        arn = make_profile(stack, "made meanwhile")
        assert by_id(stack.gateway) == before
        shown = by_id(stack.gateway, "?refresh=true")[arn]
        assert (shown["name"], shown["base_model"]) == ("made meanwhile", models.NOVA)
        assert arn in by_id(stack.gateway)
        assert stack.gateway.chat("[[sim:text Here.]]", model=arn).status_code == 200
        control(stack).delete_inference_profile(inferenceProfileIdentifier=arn)
        assert arn not in by_id(stack.gateway, "?refresh=true")

    def test_an_old_page_is_handed_out_once_more_and_made_anew_behind_it(self, stacked):
        """Nobody waits for Bedrock but the first."""
        stack = stacked("--model-list-max-age", "0")
        before = by_id(stack.gateway)
        arn = make_profile(stack, "made meanwhile")
        assert by_id(stack.gateway) == before
        process.poll(lambda: arn in by_id(stack.gateway), "the new model, without having been asked for")

    def test_one_model_can_be_refreshed_too(self, stacked):
        stack = stacked()
        listing(stack.gateway)
        arn = make_profile(stack, "made meanwhile")
        reply = stack.gateway.get(f"/v1/models/{urllib.parse.quote(arn, safe='')}?refresh=true")
        assert reply.status_code == 200 and reply.json()["kind"] == "application_inference_profile"

    def test_a_refresh_knows_nothing_of_what_is_deleted(self, stacked):
        """Also of what was called, or asked for, while it was there."""
        stack = stacked()
        arn = make_profile(stack, "soon-gone")
        assert stack.gateway.chat("[[sim:text Here.]]", model=arn).status_code == 200
        assert arn in by_id(stack.gateway, "?refresh=true")
        control(stack).delete_inference_profile(inferenceProfileIdentifier=arn)
        path = f"/v1/models/{urllib.parse.quote(arn, safe='')}?refresh=true"
        shapes.check_error(stack.gateway.get(path), 404, code="model_not_found")
        assert arn not in by_id(stack.gateway)
        shapes.check_error(one(stack.gateway, arn), 404, code="model_not_found")

    def test_many_refreshes_at_once_are_few(self, tmp_path):
        """While one is under way, all that come wait for one and the same that follows it."""
        scenario = tmp_path / "slow.toml"
        scenario.write_text('[[rules]]\noperation = "ListFoundationModels"\nactions = ["delay 1s"]\n')
        with process.Simulator("--simulator-scenario", scenario) as simulator:
            with process.Gateway(env=simulator.endpoints | simulator.credentials) as gateway:
                with concurrent.futures.ThreadPoolExecutor(16) as pool:
                    list(pool.map(lambda _: listing(gateway, "?refresh=true&kind=alias"), range(16)))
                operations = [request["operation"] for request in simulator.state()["requests"]]
        assert operations.count("ListFoundationModels") <= 4

    def test_who_has_it_isnt_sent_it_again(self, stacked):
        stack = stacked()
        first = stack.gateway.get("/v1/models")
        tag = {"if-none-match": first.headers["etag"]}
        again = stack.gateway.get("/v1/models", headers=tag)
        assert (again.status_code, again.content) == (304, b"")
        assert stack.gateway.get("/v1/models?refresh=true", headers=tag).status_code == 304, "nothing has changed"
        make_profile(stack, "made meanwhile")
        changed = stack.gateway.get("/v1/models?refresh=true", headers=tag)
        assert changed.status_code == 200 and changed.headers["etag"] != first.headers["etag"]

    def test_lists_are_read_to_their_end(self, stacked):
        stack = stacked()
        arns = [make_profile(stack, f"number {number}") for number in range(3)]
        assert set(arns) <= set(by_id(stack.gateway))


def denying(tmp_path, *operations, error="AccessDeniedException", calls=None):
    """A scenario in which lists can't be read."""
    call = f"call = {list(calls)}\n" if calls else ""
    rules = [f'[[rules]]\noperation = "{name}"\n{call}actions = ["error {error}"]\n' for name in operations]
    path = tmp_path / "scenario.toml"
    path.write_text("\n".join(rules))
    return "--simulator-scenario", path


class TestAMissingPermission:
    @pytest.mark.parametrize(
        "operation, kind",
        [
            ("ListImportedModels", "imported_model"),
            ("ListProvisionedModelThroughputs", "provisioned_throughput"),
            ("ListCustomModelDeployments", "custom_model_deployment"),
        ],
    )
    def test_costs_what_only_that_list_tells(self, serve, tmp_path, operation, kind):
        gateway = serve(*denying(tmp_path, operation))
        reply = gateway.get("/v1/models")
        assert reply.status_code == 200
        kinds = {model["kind"] for model in reply.json()["data"]}
        # OpenAI's names of models of vectors are aliases that everyone has.
        assert kinds == set(LISTED) - {kind} | {"alias"}
        [warning] = reply.json()["warnings"]
        assert (warning["code"], warning["action"]) == ("missing_permission", f"bedrock:{operation}")
        assert warning["region"] == settings.REGION and operation in warning["message"]
        assert f"bedrock:{operation} is not allowed in {settings.REGION}" in reply.headers["x-outcrop-warning"]
        process.poll(lambda: any(operation in line for line in gateway.stderr), "a warning in the log")

    def test_for_custom_models_costs_what_is_behind_deployments(self, serve, tmp_path):
        listed = by_id(serve(*denying(tmp_path, "ListCustomModels")))
        deployment = listed[ACCOUNT + "custom-model-deployment/simulator001"]
        assert "base_model" not in deployment and deployment["type"] == "chat"

    @pytest.mark.parametrize("operation", ["ListFoundationModels", "ListInferenceProfiles"])
    def test_for_a_basic_list_brings_in_the_catalogue(self, serve, tmp_path, operation):
        gateway = serve(*denying(tmp_path, operation))
        body = listing(gateway)
        listed = {model["id"]: model for model in body["data"]}
        assert {models.NOVA, settings.CLAUDE, settings.CLAUDE_WITHOUT_PROFILE, "Claude-4-5-Sonnet"} <= set(listed)
        assert "eu." + settings.CLAUDE_WITHOUT_PROFILE not in listed, "it is another geography's"
        [warning] = body["warnings"]
        assert "the catalogue" in warning["message"] and "may not have" in warning["message"]
        assert listed[settings.CLAUDE]["lifecycle"]["status"] == "active"

    def test_of_all_lists_leaves_the_catalogue(self, stacked):
        """An identity that may call models, and nothing else."""
        stack = stacked(env={"AWS_ACCESS_KEY_ID": "AKIDSIMULATORRUNTIME"})
        body = listing(stack.gateway)
        assert {models.NOVA, settings.CLAUDE} <= {model["id"] for model in body["data"]}
        assert {warning["action"] for warning in body["warnings"]} == {f"bedrock:{name}" for name in LISTS}
        assert stack.gateway.get("/v1/providers").json()["warnings"]
        assert one(stack.gateway, models.NOVA).headers["x-outcrop-warning"]
        shapes.check_error(one(stack.gateway, "acme.model-1"), 404)

    def test_is_noticed_when_it_is_given(self, serve, tmp_path):
        gateway = serve(*denying(tmp_path, "ListImportedModels", calls=[1]))
        assert listing(gateway)["warnings"]
        body = listing(gateway, "?refresh=true")
        assert "warnings" not in body and "imported_model" in {model["kind"] for model in body["data"]}


class TestAFailure:
    def test_leaves_what_was_known(self, serve, tmp_path):
        gateway = serve(*denying(tmp_path, *LISTS, error="ThrottlingException", calls=[2]))
        before = by_id(gateway)
        body = listing(gateway, "?refresh=true")
        assert {model["id"]: model for model in body["data"]} == before
        assert {warning["code"] for warning in body["warnings"]} == {"list_failed"}
        assert "before" in body["warnings"][0]["message"]
        assert "warnings" not in listing(gateway, "?refresh=true")

    def test_of_the_whole_of_aws_too(self, stacked):
        stack = stacked()
        before = by_id(stack.gateway)
        stack.simulator.close()
        body = listing(stack.gateway, "?refresh=true")
        assert {model["id"]: model for model in body["data"]} == before and len(body["warnings"]) == len(LISTS)

    def test_with_nothing_known_is_an_error(self, stacked):
        stack = stacked()
        stack.simulator.close()
        for path in ("/v1/models", f"/v1/models/{models.NOVA}", "/v1/providers"):
            shapes.check_error(stack.gateway.get(path), 502, code="upstream_unreachable")

    def test_of_credentials_is_an_error(self, stacked):
        stack = stacked(env={"AWS_SECRET_ACCESS_KEY": "wrong"})
        shapes.check_error(stack.gateway.get("/v1/models"), 502)

    def test_of_one_list_of_several_is_only_told(self, serve, tmp_path):
        gateway = serve(*denying(tmp_path, "ListInferenceProfiles", error="InternalServerException"))
        body = listing(gateway)
        assert settings.CLAUDE in {model["id"] for model in body["data"]}
        assert [warning["action"] for warning in body["warnings"]] == ["bedrock:ListInferenceProfiles"]


@pytest.fixture(scope="module")
def both():
    """A gateway of two regions."""
    with process.Gateway("--simulate", "--regions", f"{settings.REGION},eu-west-1") as running:
        yield running


class TestSeveralRegions:
    EUROPEAN = f"eu.{settings.CLAUDE_WITHOUT_PROFILE}"

    def test_are_listed_together(self, both):
        listed = by_id(both)
        assert listed[models.NOVA]["regions"] == [settings.REGION, "eu-west-1"]
        assert listed[settings.CLAUDE]["regions"] == [settings.REGION]
        assert (listed[self.EUROPEAN]["regions"], listed[self.EUROPEAN]["region"]) == (["eu-west-1"], "eu-west-1")
        for region in (settings.REGION, "eu-west-1"):
            arn = f"arn:aws:bedrock:{region}:123456789012:imported-model/simllama0001"
            assert listed[arn]["regions"] == [region]

    def test_each_is_called_where_it_is(self, both):
        listing(both)
        other = "arn:aws:bedrock:eu-west-1:123456789012:provisioned-model/simulator001"
        for identifier in (self.EUROPEAN, settings.CLAUDE, models.NOVA, other):
            reply = both.chat("[[sim:text Here.]]", model=identifier)
            assert reply.status_code == 200, reply.text
        mapping = both.get("/v1/mappings", params={"name": self.EUROPEAN}).json()
        assert mapping["region"] == "eu-west-1" and mapping["steps"][-1]["step"] == "region"

    def test_a_region_that_is_named_is_kept(self, both):
        listing(both)
        reply = both.chat("[[sim:text Here.]]", model=f"bedrock/{settings.REGION}/{self.EUROPEAN}")
        assert reply.status_code != 200

    def test_one_alone_is_the_gateways_own(self, serve):
        listed = by_id(serve("--regions", "eu-west-1"))
        assert self.EUROPEAN in listed and settings.CLAUDE not in listed

    def test_add_to_what_aws_says_is_the_gateways_own(self, stacked):
        """As AWS_REGION says, which is not among them: that is told."""
        gateway = stacked("--regions", "eu-west-1").gateway
        assert gateway.get("/readyz").json()["region"] == settings.REGION
        assert by_id(gateway)[models.NOVA]["regions"][0] == settings.REGION
        assert any("regions" in line and settings.REGION in line for line in gateway.stderr)

    def test_without_the_setting_the_other_isnt_asked(self, gateway):
        assert self.EUROPEAN not in by_id(gateway)

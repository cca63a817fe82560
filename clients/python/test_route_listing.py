"""What routes look like from outside: in the list of models, the mappings, the command line and explanations."""

import json
import subprocess

import pytest

from support import settings, shapes
from support.process import binary, clean_environment

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
SECRETS = ("hush", "AKIAHUSH")
TABLES = f"""
[[accounts]]
name = "europe"
region = "eu-west-1"
access_key_id = "AKIAHUSH"
secret_access_key = "hush"
role_arn = "arn:aws:iam::123456789012:role/bedrock"
external_id = "hush-hush"

[[routes]]
name = "team-chat"
strategy = "weighted"
fallbacks = ["backup", "Nova-Lite"]
context_window_fallbacks = ["amazon.nova-pro-v1:0"]

[[routes.targets]]
model = "{SONNET}"
weight = 3

[[routes.targets]]
model = "Claude-4-5-Sonnet"
account = "europe"
weight = 0
parameters = {{ temperature = 0.5 }}

[[routes]]
name = "backup"
targets = [{{ model = "Nova-Micro" }}, {{ model = "Nova-Lite", region = "us-west-2" }}]

[[routes]]
name = "nova-PRO"
targets = [{{ model = "Claude-4-5-Haiku" }}]

[[routes]]
name = "west/*"
targets = [{{ model = "*", region = "us-west-2" }}]
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("routes") / "outcrop.toml"
    path.write_text(TABLES)
    return path


@pytest.fixture(scope="module")
def served(file):
    from support.process import Gateway

    with Gateway("--simulate", "--simulator-pace", "0", "--config", file) as gateway:
        yield gateway


def outcrop(*arguments, text=None):
    """The command, without any set-up of AWS's."""
    ended = subprocess.run(
        [binary(), *arguments],
        env=clean_environment({}),
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not any(secret in ended.stdout + ended.stderr for secret in SECRETS)
    return ended


def listed(gateway, query=""):
    reply = gateway.get(f"/v1/models{query}")
    assert reply.status_code == 200, reply.text
    assert not any(secret in reply.text for secret in SECRETS)
    return {model["id"]: model for model in reply.json()["data"]}


class TestTheListOfModels:
    def test_has_each_route_by_its_name(self, served):
        routes = listed(served, "?kind=route")
        assert list(routes) == ["backup", "nova-PRO", "team-chat"], "and no pattern"
        for identifier, model in listed(served).items():
            assert (model["kind"] == "route") == (identifier in routes)

    def test_tells_of_the_first_target(self, served):
        models = listed(served)
        told, first = models["team-chat"], models[SONNET]
        for member in ("type", "provider", "resolves_to", "base_model", "capabilities", "context_window", "prices"):
            assert told[member] == first[member], member
        assert told["region"] == settings.REGION
        assert told["regions"] == [settings.REGION, "eu-west-1"]

    def test_tells_of_all_targets_and_fallbacks(self, served):
        assert listed(served)["team-chat"]["route"] == {
            "name": "team-chat",
            "strategy": "weighted",
            "targets": [
                {"model": SONNET, "resolves_to": SONNET, "region": settings.REGION, "weight": 3},
                {
                    "model": "Claude-4-5-Sonnet",
                    "resolves_to": "eu" + SONNET.removeprefix("us"),
                    "region": "eu-west-1",
                    "account": "europe",
                    "weight": 0,
                },
            ],
            "fallbacks": ["backup", "Nova-Lite"],
            "context_window_fallbacks": ["amazon.nova-pro-v1:0"],
        }

    def test_has_no_model_beside_the_route_of_its_name(self, served):
        models = listed(served)
        assert "Nova-Pro" not in models
        assert "haiku" in models["nova-PRO"]["resolves_to"]

    def test_filters_routes_like_models(self, served):
        assert "team-chat" in listed(served, "?provider=anthropic&type=chat")
        assert "team-chat" not in listed(served, "?provider=amazon")

    @pytest.mark.parametrize("name", ["team-chat", "TEAM-chat", "west/Nova-Lite"])
    def test_tells_of_one(self, served, name):
        reply = served.get(f"/v1/models/{name}")
        assert reply.status_code == 200, reply.text
        told = reply.json()
        assert told["id"] == name and told["route"]["targets"]
        assert served.openai().models.retrieve(name).id == name

    def test_a_pattern_is_no_promise(self, served):
        shapes.check_error(served.get("/v1/models/west/nobody-knows-it"), 404)

    def test_what_is_listed_can_be_asked(self, served):
        for name in listed(served, "?kind=route"):
            assert served.chat("[[sim:text ok]]", model=name).status_code == 200, name

    def test_a_route_for_all_names_is_told_at_each(self, serve, tmp_path):
        file = tmp_path / "outcrop.toml"
        file.write_text('[[routes]]\nname = "*"\ntargets = [{ region = "us-west-2" }, { region = "us-east-1" }]\n')
        models = listed(serve("--config", file))
        nova = models[settings.NOVA]
        assert nova["kind"] == "foundation_model" and nova["region"] == "us-west-2"
        assert [target["region"] for target in nova["route"]["targets"]] == ["us-west-2", "us-east-1"]
        assert "*" not in models

    def test_routes_are_there_where_the_gateway_itself_has_no_credentials(self, stacked, tmp_path):
        file = tmp_path / "outcrop.toml"
        file.write_text("")
        nobody = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true"}
        stack = stacked("--config", file, env=nobody)
        shapes.check_error(stack.gateway.get("/v1/models"), 502)

        known = stack.simulator.credentials
        keys = "\n".join(f'{name.removeprefix("AWS_").lower()} = "{value}"' for name, value in known.items())
        route = '[[routes]]\nname = "mine"\ntargets = [{ model = "Nova-Lite", account = "own" }]\n'
        file.write_text(f'[[accounts]]\nname = "own"\n{keys}\n{route}')
        stack = stacked("--config", file, env=nobody)
        assert list(listed(stack.gateway)) == ["mine"]
        reply = stack.gateway.get("/v1/models")
        assert reply.json()["warnings"] and "not allowed" not in reply.headers["x-outcrop-warning"]


class TestMappings:
    def test_begin_with_the_route(self, served):
        told = served.get("/v1/mappings?name=team-chat").json()
        assert told["model_id"] == SONNET and told["region"] == settings.REGION
        assert told["steps"][0] == {
            "step": "routing",
            "result": SONNET,
            "why": "the route 'team-chat': target 1 of 2, weighted",
        }
        assert told["route"] == listed(served)["team-chat"]["route"]

    def test_list_routes_and_what_they_hide(self, served):
        rows = {row["name"]: row for row in served.get("/v1/mappings").json()["data"]}
        assert rows["team-chat"]["kind"] == "route" and rows["team-chat"]["model_id"] == SONNET
        assert rows["west/*"] == {
            "object": "mapping",
            "name": "west/*",
            "model_id": None,
            "kind": "route",
            "pattern": True,
        }
        assert "Nova-Pro" not in rows

    def test_of_names_without_a_route_are_as_ever(self, served):
        told = served.get("/v1/mappings?name=Nova-Lite").json()
        assert "route" not in told and told["steps"][0]["step"] == "short name"

    def test_the_command_says_the_same(self, served, file):
        for name in ("team-chat", "backup", "west/Nova-Lite", "Nova-Lite"):
            ended = outcrop("models", "resolve", name, "--json", "--config", file, "--region", settings.REGION)
            assert ended.returncode == 0, ended.stderr
            assert json.loads(ended.stdout) == served.get(f"/v1/mappings?name={name}").json()


DRY = {"X-Outcrop-Dry-Run": "true"}
NEXT = [
    {
        "when": "failed",
        "model": "Claude-4-5-Sonnet",
        "model_id": "eu" + SONNET.removeprefix("us"),
        "region": "eu-west-1",
        "account": "europe",
    },
    {"when": "failed", "model": "Nova-Micro", "model_id": "us.amazon.nova-micro-v1:0", "region": settings.REGION},
    {"when": "failed", "model": "Nova-Lite", "model_id": "us.amazon.nova-lite-v1:0", "region": "us-west-2"},
    {"when": "failed", "model": "Nova-Lite", "model_id": "us.amazon.nova-lite-v1:0", "region": settings.REGION},
    # By a route of its own, whose name is the same in small letters.
    {"when": "context_window", "model": "amazon.nova-pro-v1:0", "model_id": "amazon.nova-pro-v1:0", "region": settings.REGION},
]


def explained(file, model, *arguments):
    request = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hi"}]})
    place = ["--config", file, "--region", settings.REGION]
    ended = outcrop("explain", *place, *arguments, text=request)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


class TestExplanations:
    def test_tell_what_comes_next(self, served, file):
        # The second target has no share of the requests.
        reply = served.chat("Hi", model="team-chat", headers=DRY)
        assert reply.status_code == 200 and not any(secret in reply.text for secret in SECRETS)
        said = reply.json()
        assert said["url"].endswith("/converse") and said["region"] == settings.REGION and "account" not in said
        assert said["next"] == NEXT
        assert explained(file, "team-chat")["next"] == NEXT

    def test_tell_nothing_where_there_is_nothing(self, served, file):
        assert served.chat("Hi", headers=DRY).json()["next"] == []
        assert explained(file, settings.NOVA)["next"] == []

    def test_other_endpoints_tell_it_too(self, served):
        body = {"model": "west/amazon.titan-embed-text-v2:0", "input": "Hi"}
        said = served.request("POST", "/v1/embeddings", json=body, headers=DRY).json()
        assert said["region"] == "us-west-2" and said["next"] == []

    def test_rights_are_those_of_the_account(self, tmp_path):
        file = tmp_path / "outcrop.toml"
        route = '[[routes]]\nname = "eu"\ntargets = [{ model = "Claude-4-5-Sonnet", account = "europe" }]\n'
        tagged = TABLES.replace('external_id = "hush-hush"', 'session_tags = { team = "blue" }')
        file.write_text(tagged + route)
        said = explained(file, "eu")
        assert said["account"] == "europe" and said["region"] == "eu-west-1"
        assert said["url"].startswith("https://bedrock-runtime.eu-west-1.amazonaws.com/")
        assert "eu-west-1/bedrock" in said["headers"]["authorization"]
        rights = [(right["action"], right["resource"]) for right in said["iam"]]
        model = "anthropic.claude-sonnet-4-5-20250929-v1:0"
        assert rights == [
            ("bedrock:InvokeModel", f"arn:aws:bedrock:eu-west-1:*:inference-profile/eu.{model}"),
            ("bedrock:InvokeModel", f"arn:aws:bedrock:*::foundation-model/{model}"),
            ("sts:AssumeRole", "arn:aws:iam::123456789012:role/bedrock"),
            ("sts:TagSession", "arn:aws:iam::123456789012:role/bedrock"),
        ]
        assert "'europe'" in said["iam"][2]["note"]

    def test_an_accounts_api_key_needs_its_right(self, tmp_path):
        file = tmp_path / "outcrop.toml"
        account = '[[accounts]]\nname = "key"\nbedrock_api_key = "os.environ/GONE"\n'
        file.write_text(f'{account}[[routes]]\nname = "r"\ntargets = [{{ model = "Nova-Lite", account = "key" }}]\n')
        actions = [right["action"] for right in explained(file, "r")["iam"]]
        assert actions[-1] == "bedrock:CallWithBearerToken" and "sts:AssumeRole" not in actions


def test_bedrock_model_may_be_a_route(served):
    reply = served.chat("[[sim:text ok]]", model="nobody-knows-it", body={"bedrock_model": "team-chat"})
    assert reply.status_code == 200, reply.text
    assert reply.headers["x-bedrock-model"] == SONNET

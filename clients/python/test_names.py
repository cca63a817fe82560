"""Names of models: every name of the systems that Outcrop replaces, every form, and what isn't one.

What a name means in other regions is in test_names_regions.py.
"""

import json
import re
import subprocess
import urllib.parse

import pytest

from support import models, process, settings, shapes
from support.mapping import look_up, resolve, resolve_by_command, run_resolve, unknown
from support.names import KNOWN, NAMES, SETTINGS, TOLD
from support.routed import dry, send

SONNET = settings.CLAUDE
BARE_SONNET = settings.CLAUDE_WITHOUT_PROFILE
OPUS = "us.anthropic.claude-opus-4-20250514-v1:0"
ACCOUNT = "123456789012"
WRAPPER = [name for name in NAMES if name.document == "bedrock-wrapper"]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A gateway that was told what can't be known by itself."""
    file = tmp_path_factory.mktemp("told") / "outcrop.toml"
    file.write_text(SETTINGS)
    with process.Gateway("--simulate", "--config", file) as running:
        yield running


@pytest.fixture
def configured(stacked, tmp_path):
    """Starts a gateway with this text as its settings file."""

    def start(text, **options):
        file = tmp_path / "outcrop.toml"
        file.write_text(text)
        return stacked("--config", file, **options)

    return start


def application_profile(region=settings.REGION):
    """The simulator has one in each region, for Claude Sonnet 4.5."""
    return f"arn:aws:bedrock:{region}:{ACCOUNT}:application-inference-profile/simulator001"


class TestEveryNameOfTheDocuments:
    def test_there_are_as_many_as_there_should_be(self):
        """A file cut short would prove little."""
        assert len(WRAPPER) == 57 and len(NAMES) == 96
        assert len({name for name in NAMES}) == len(NAMES)

    @pytest.mark.parametrize("name", KNOWN, ids=str)
    def test_is_known(self, gateway, name):
        mapping = resolve(gateway, name.name)
        assert mapping["model_id"] in name.ids, mapping
        assert mapping["region"] == settings.REGION
        assert mapping["steps"], "it doesn't say why"

    @pytest.mark.parametrize("name", KNOWN, ids=str)
    def test_the_command_says_the_same(self, gateway, name):
        assert resolve_by_command(name.name) == resolve(gateway, name.name)

    @pytest.mark.parametrize("name", TOLD, ids=str)
    def test_is_known_to_those_who_were_told(self, told, name):
        assert resolve(told, name.name)["model_id"] in name.ids

    @pytest.mark.parametrize("name", TOLD, ids=str)
    def test_is_not_known_otherwise(self, gateway, name):
        unknown(gateway, name.name)

    @pytest.mark.parametrize("name", [name for name in KNOWN if name.kind == "chat"], ids=str)
    def test_answers(self, gateway, name):
        reply = gateway.chat("[[sim:text Here.]]", model=name.name, body={"max_tokens": 2000})
        if reply.status_code == 404:
            # Only of a model that is gone, and then with its successor.
            error = shapes.check_error(reply, 404, code="model_not_found")
            others = error["message"].replace("anthropic.claude-3-opus", "")
            assert "claude-3-opus" in name.name and "anthropic.claude-" in others, error
            return
        assert reply.status_code == 200, reply.text
        assert reply.headers["x-bedrock-model"] in name.ids
        assert "Here." in reply.json()["choices"][0]["message"]["content"]
        assert reply.json()["model"] == name.name

    @pytest.mark.parametrize("name", [name for name in TOLD if name.kind == "chat"], ids=str)
    def test_answers_those_who_told(self, told, name):
        reply = told.chat("[[sim:text Here.]]", model=name.name)
        assert reply.status_code == 200, reply.text
        assert reply.headers["x-bedrock-model"] in name.ids

    @pytest.mark.parametrize("change", [str.lower, str.upper, str.swapcase], ids=["lower", "upper", "swapped"])
    def test_short_names_are_not_case_sensitive(self, gateway, change):
        for name in WRAPPER:
            mapping = resolve(gateway, change(name.name))
            assert mapping["model_id"] in name.ids, mapping

    def test_what_is_behind_each(self, gateway):
        for name in WRAPPER:
            (identifier,) = name.ids
            bare = identifier.removeprefix("us.").removeprefix("global.")
            assert resolve(gateway, name.name)["base_model"] == bare


class TestThinking:
    @pytest.mark.parametrize("name", [name for name in WRAPPER if name.name.endswith("-Thinking")], ids=str)
    def test_is_on_where_the_name_says_so(self, gateway, name):
        assert resolve(gateway, name.name)["thinking"] is True
        assert resolve(gateway, name.name.lower())["thinking"] is True

    @pytest.mark.parametrize("name", [name for name in WRAPPER if "Thinking" not in name.name], ids=str)
    def test_is_off_elsewhere(self, gateway, name):
        assert resolve(gateway, name.name)["thinking"] is False

    def test_an_id_is_no_wish(self, gateway):
        """This model's own id ends like that."""
        assert resolve(gateway, "moonshot.kimi-k2-thinking")["thinking"] is False

    @pytest.mark.parametrize(
        "name", ["Claude-4-5-Sonnet-Thinking", "claude-3-7-sonnet-thinking", "Claude-4-5-Opus-Thinking"]
    )
    def test_reaches_the_model(self, stack, name):
        asked = send(stack, "[[sim:reasoning I think.]][[sim:text I say.]]", model=name, max_tokens=4000)
        thinking = asked.extra["thinking"]
        assert thinking["type"] == "enabled" and 1024 <= thinking["budget_tokens"] < 4000
        assert asked.answer.reasoning == "I think." and asked.answer.content == "I say."

    def test_not_without_the_suffix(self, stack):
        assert "thinking" not in send(stack, model="Claude-4-5-Sonnet", max_tokens=4000).extra

    def test_the_request_goes_before_the_name(self, stack):
        asked = send(stack, model="Claude-4-5-Sonnet-Thinking", thinking={"type": "disabled"}, max_tokens=4000)
        assert asked.status == 200, asked.reply.text
        assert asked.extra.get("thinking", {}).get("type") != "enabled"

    def test_the_budget_of_the_request_counts(self, stack):
        wanted = {"type": "enabled", "budget_tokens": 1111}
        asked = send(stack, model="Claude-4-5-Sonnet-Thinking", thinking=wanted, max_tokens=4000)
        assert asked.extra["thinking"]["budget_tokens"] == 1111

    def test_shows_it_where_it_is_asked_to(self, stack):
        """What a user of bedrock-wrapper sent, to the letter."""
        asked = send(
            stack,
            "[[sim:reasoning I think.]][[sim:text I say.]]",
            model="Claude-4-5-Sonnet-Thinking",
            max_tokens=4000,
            temperature=1.0,
            include_thinking_data=True,
        )
        assert asked.answer.content.replace("\n", "").startswith("<think>I think.</think>"), asked.answer.content


class TestFormsOfLiteLLM:
    @pytest.mark.parametrize(
        "name, identifier, api",
        [
            (f"bedrock/{SONNET}", SONNET, "converse"),
            (f"bedrock/{BARE_SONNET}", SONNET, "converse"),
            (f"bedrock/converse/{SONNET}", SONNET, "converse"),
            (f"bedrock/converse/{BARE_SONNET}", SONNET, "converse"),
            (f"bedrock/invoke/{SONNET}", SONNET, "invoke"),
            (f"bedrock/invoke/{BARE_SONNET}", SONNET, "invoke"),
            (f"bedrock/us-east-1/{SONNET}", SONNET, "converse"),
            (f"bedrock/converse/us-east-1/{SONNET}", SONNET, "converse"),
            (f"bedrock/invoke/us-east-1/{BARE_SONNET}", SONNET, "invoke"),
            ("bedrock/amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", "converse"),
            ("bedrock/converse/openai.gpt-oss-20b-1:0", "openai.gpt-oss-20b-1:0", "converse"),
        ],
    )
    def test_routes(self, gateway, name, identifier, api):
        mapping = resolve(gateway, name)
        assert (mapping["model_id"], mapping["bedrock_api"]) == (identifier, api), mapping
        assert mapping["region"] == settings.REGION

    @pytest.mark.parametrize(
        "name, route",
        [
            (f"bedrock/{SONNET}", "converse"),
            (f"bedrock/converse/{SONNET}", "converse"),
            (f"bedrock/invoke/{SONNET}", "invoke"),
            ("bedrock/converse/openai.gpt-oss-20b-1:0", "converse"),
            ("bedrock/invoke/openai.gpt-oss-20b-1:0", "invoke"),
        ],
    )
    def test_go_the_way_they_name(self, stack, name, route):
        asked = send(stack, "[[sim:text Here.]]", model=name)
        assert asked.answer.content == "Here." and asked.route == route

    @pytest.mark.parametrize(
        "name, region, identifier",
        [
            (f"bedrock/us-west-2/{SONNET}", "us-west-2", SONNET),
            (f"bedrock/us-west-2/{BARE_SONNET}", "us-west-2", SONNET),
            (f"bedrock/eu-west-1/{BARE_SONNET}", "eu-west-1", f"eu.{BARE_SONNET}"),
            (f"bedrock/converse/ap-northeast-1/{BARE_SONNET}", "ap-northeast-1", f"jp.{BARE_SONNET}"),
            ("bedrock/ap-southeast-2/Claude-4-5-Sonnet", "ap-southeast-2", f"au.{BARE_SONNET}"),
        ],
    )
    def test_a_region_in_the_name(self, gateway, name, region, identifier):
        """The profile is that of the region which is asked, not of the gateway's."""
        mapping = resolve(gateway, name)
        assert (mapping["region"], mapping["model_id"]) == (region, identifier), mapping

    def test_a_region_in_the_name_is_where_the_call_goes(self):
        body = {"model": f"bedrock/us-west-2/{SONNET}", "messages": [{"role": "user", "content": "Hello."}]}
        said = explained(body)
        assert said["url"].startswith("https://bedrock-runtime.us-west-2.amazonaws.com/model/"), said["url"]
        assert "us-west-2" in json.dumps(said["iam"])

    def test_an_arn(self, gateway):
        arn = application_profile()
        mapping = resolve(gateway, f"bedrock/{arn}")
        assert mapping["model_id"] == arn
        assert resolve(gateway, f"bedrock/converse/{arn}")["model_id"] == arn

    def test_nothing_behind_the_prefix(self, gateway):
        for name in ("bedrock/", "bedrock/converse/", "bedrock/us-west-2/"):
            unknown(gateway, name)


def explained(body, *arguments, env=None):
    """What `outcrop explain` says that a request becomes, without an endpoint of our own."""
    environment = process.clean_environment({"AWS_REGION": settings.REGION} | (env or {}))
    ended = explaining(body, *arguments, environment=environment)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def explaining(body, *arguments, environment):
    return subprocess.run(
        [process.binary(), "explain", "--json", *arguments],
        input=json.dumps(body),
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_goes_to_amazon_or_nowhere(model):
    """What stands in a name must not choose the host that is sent our signature and the client's words."""
    body = {"model": model, "messages": [{"role": "user", "content": "Hello."}]}
    ended = explaining(body, environment=process.clean_environment({"AWS_REGION": settings.REGION}))
    if ended.returncode == 0:
        host = urllib.parse.urlsplit(json.loads(ended.stdout)["url"]).hostname
        assert re.fullmatch(r"bedrock-runtime\.[a-z0-9-]+\.amazonaws\.com", host), host


class TestModelId:
    """LiteLLM's `model_id`: what is called, while `model` says what it is."""

    def test_is_called(self, stack):
        arn = application_profile()
        asked = send(stack, "[[sim:text Here.]]", model=BARE_SONNET, model_id=arn)
        assert asked.answer.content == "Here."
        assert asked.model == arn
        assert urllib.parse.unquote(asked.path) == f"/model/{arn}/converse"
        assert "model_id" not in json.dumps(asked.call), "it is no field of the model's"

    @pytest.mark.parametrize(
        "model", ["bedrock/anthropic.claude-opus-4-7", "us.anthropic.claude-opus-4-7", "anthropic.claude-opus-4-7"]
    )
    def test_the_model_beside_it_says_what_it_can(self, stack, model):
        """This one takes no temperature, which nobody could tell from the ARN."""
        arn = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:provisioned-model/abcdefghijkl"
        said = dry(stack, model=model, model_id=arn, temperature=0.5)
        assert urllib.parse.unquote(said["url"]).endswith(f"/model/{arn}/converse")
        assert "temperature" not in json.dumps(said["body"])

    def test_an_id_that_is_no_arn(self, stack):
        asked = send(stack, "[[sim:text Here.]]", model="bedrock/anthropic.claude-sonnet-4-5", model_id=SONNET)
        assert asked.model == SONNET and asked.answer.content == "Here."

    @pytest.mark.parametrize("value", [7, ["x"], "not an arn at all/../x"], ids=repr)
    def test_nonsense_is_named(self, gateway, value):
        reply = gateway.chat("hi", model=SONNET, body={"model_id": value})
        shapes.check_error(reply, (400, 404), param="model_id")


class TestIds:
    @pytest.mark.parametrize(
        "name, identifier, base",
        [
            ("amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
            ("us.amazon.nova-lite-v1:0", "us.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
            (BARE_SONNET, SONNET, BARE_SONNET),
            (SONNET, SONNET, BARE_SONNET),
            (f"global.{BARE_SONNET}", f"global.{BARE_SONNET}", BARE_SONNET),
            ("anthropic.claude-opus-4-20250514-v1:0", OPUS, OPUS.removeprefix("us.")),
            ("deepseek.r1-v1:0", "us.deepseek.r1-v1:0", "deepseek.r1-v1:0"),
            ("meta.llama3-3-70b-instruct-v1:0", models.LLAMA_3_3, "meta.llama3-3-70b-instruct-v1:0"),
            ("amazon.nova-2-lite-v1:0", models.NOVA_2, "amazon.nova-2-lite-v1:0"),
            ("openai.gpt-oss-120b-1:0", "openai.gpt-oss-120b-1:0", "openai.gpt-oss-120b-1:0"),
            ("anthropic.claude-v2:1", "anthropic.claude-v2:1", "anthropic.claude-v2:1"),
        ],
    )
    def test_of_models_and_profiles(self, gateway, name, identifier, base):
        mapping = resolve(gateway, name)
        assert (mapping["model_id"], mapping["base_model"]) == (identifier, base), mapping

    @pytest.mark.parametrize("prefix", ["us", "eu", "apac", "jp", "au", "us-gov", "global", "in", "ca", "sa", "mx"])
    def test_any_geography_that_is_named_is_taken_at_its_word(self, gateway, prefix):
        """Profiles of a new geography appear before anyone has told us."""
        mapping = resolve(gateway, f"{prefix}.{BARE_SONNET}")
        assert (mapping["model_id"], mapping["base_model"]) == (f"{prefix}.{BARE_SONNET}", BARE_SONNET)

    def test_a_bare_id_answers_by_its_profile(self, stack):
        asked = send(stack, "[[sim:text Here.]]", model=BARE_SONNET)
        assert asked.answer.content == "Here." and asked.model == SONNET
        assert asked.answer.document["model"] == BARE_SONNET, "a client gets back the name that it used"

    def test_a_stream_gets_the_profile_too(self, stack):
        asked = send(stack, "[[sim:text Here.]]", model=BARE_SONNET, stream=True)
        assert asked.answer.content == "Here." and asked.model == SONNET

    @pytest.mark.parametrize(
        "name, base",
        [
            ("amazon.nova-lite-v1:0:300k", "amazon.nova-lite-v1:0"),
            ("anthropic.claude-instant-v1:2:100k", "anthropic.claude-instant-v1"),
            ("anthropic.claude-3-haiku-20240307-v1:0:200k", "anthropic.claude-3-haiku-20240307-v1:0"),
        ],
    )
    def test_a_variant_of_another_length_is_the_same_model(self, gateway, name, base):
        mapping = resolve(gateway, name)
        assert (mapping["model_id"], mapping["base_model"]) == (name, base), mapping

    @pytest.mark.parametrize("suffix", ["[1m]", "[1M]", "[200k]"])
    @pytest.mark.parametrize("name", [SONNET, BARE_SONNET, "Claude-4-5-Sonnet", f"bedrock/{SONNET}"])
    def test_what_tools_hang_on_comes_off(self, gateway, name, suffix):
        mapping = resolve(gateway, name + suffix)
        assert (mapping["model_id"], mapping["base_model"]) == (SONNET, BARE_SONNET)

    def test_what_tools_hang_on_comes_off_before_the_call(self, stack):
        asked = send(stack, "[[sim:text Here.]]", model=f"{SONNET}[1m]")
        assert asked.answer.content == "Here." and asked.model == SONNET
        assert "[1m]" not in urllib.parse.unquote(asked.path)

    def test_a_suffix_may_follow_an_arn(self, gateway):
        assert resolve(gateway, f"{application_profile()}[1m]")["model_id"] == application_profile()


class TestUnknownIds:
    """Models that appeared yesterday."""

    @pytest.mark.parametrize(
        "name, base",
        [
            ("anthropic.claude-quartz-9-20280101-v1:0", "anthropic.claude-quartz-9-20280101-v1:0"),
            ("us.anthropic.claude-sonnet-9", "anthropic.claude-sonnet-9"),
            ("global.amazon.nova-9-pro-v1:0", "amazon.nova-9-pro-v1:0"),
            ("meta.llama9-8b-instruct-v1:0", "meta.llama9-8b-instruct-v1:0"),
            ("mistral.mistral-huge-9", "mistral.mistral-huge-9"),
            ("qwen.qwen9-32b", "qwen.qwen9-32b"),
        ],
    )
    def test_pass_as_they_are(self, gateway, name, base):
        mapping = resolve(gateway, name)
        assert (mapping["model_id"], mapping["base_model"]) == (name, base), mapping

    def test_have_the_rules_of_their_family(self, stack):
        claude = dry(stack, model="us.anthropic.claude-sonnet-9", temperature=0.5, top_k=5, max_tokens=100)
        assert claude["url"].endswith("/us.anthropic.claude-sonnet-9/converse")
        assert "temperature" not in json.dumps(claude["body"]), "the newest generation takes none"
        nova = dry(stack, model="amazon.nova-9-pro-v1:0", top_k=5)
        assert nova["body"]["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 5}}

    def test_are_invoked_in_the_form_of_their_family(self, stack):
        claude = dry(stack, model="us.anthropic.claude-sonnet-9", bedrock_api="invoke", max_tokens=100)
        assert claude["url"].endswith("/us.anthropic.claude-sonnet-9/invoke")
        assert claude["body"]["anthropic_version"].startswith("bedrock-") and claude["body"]["max_tokens"] == 100
        llama = dry(stack, "Hello.", model="meta.llama9-8b-instruct-v1:0", bedrock_api="invoke")
        assert "Hello." in llama["body"]["prompt"]

    def test_that_bedrock_has_not_either_are_compared_with_those_it_has(self, gateway):
        name = SONNET.replace("sonnet", "sonet")
        error = shapes.check_error(gateway.chat("hi", model=name), 404, code="model_not_found", param="model")
        assert "did you mean" in error["message"].lower() and SONNET in error["message"], error

    def test_of_a_model_that_no_table_has(self, stack):
        assert send(stack, "[[sim:text Here.]]", model=models.NOVEL).answer.content == "Here."


ARNS = [
    f"arn:aws:bedrock:us-east-1::foundation-model/{settings.NOVA}",
    f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/{SONNET}",
    application_profile(),
    f"arn:aws:bedrock:us-east-1:{ACCOUNT}:provisioned-model/abcdefghijkl",
    f"arn:aws:bedrock:us-east-1:{ACCOUNT}:imported-model/abcdefghijkl",
    f"arn:aws:bedrock:us-east-1:{ACCOUNT}:custom-model/amazon.titan-text-express-v1/abcdefghijkl",
    f"arn:aws:bedrock:us-east-1:{ACCOUNT}:custom-model-deployment/abcdefghijkl",
    f"arn:aws:bedrock:us-east-1:{ACCOUNT}:prompt/SIMPROMPT1",
    f"arn:aws:bedrock:us-east-1:{ACCOUNT}:prompt/SIMPROMPT1:1",
    f"arn:aws:bedrock:us-east-1:{ACCOUNT}:default-prompt-router/anthropic.claude:1",
    f"arn:aws:bedrock:us-east-1:{ACCOUNT}:prompt-router/abcdefghijkl",
    f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/my-endpoint",
]


def kind(arn):
    return urllib.parse.unquote(arn).split(":")[5].split("/")[0]


class TestArns:
    @pytest.mark.parametrize("arn", ARNS, ids=kind)
    def test_are_called_as_they_are(self, gateway, arn):
        mapping = resolve(gateway, arn)
        assert mapping["model_id"] == arn and mapping["region"] == "us-east-1"

    @pytest.mark.parametrize("arn", ARNS, ids=kind)
    def test_may_come_percent_encoded(self, gateway, arn):
        """In whole, or only what a path can't hold."""
        for encoded in (urllib.parse.quote(arn, safe=""), arn.replace("/", "%2F"), arn.replace(":", "%3a")):
            assert resolve(gateway, encoded)["model_id"] == arn

    @pytest.mark.parametrize(
        "arn, base",
        [
            (ARNS[0], settings.NOVA),
            (ARNS[1], BARE_SONNET),
            (ARNS[5], "amazon.titan-text-express-v1"),
        ],
        ids=["foundation-model", "inference-profile", "custom-model"],
    )
    def test_that_name_their_model(self, gateway, arn, base):
        assert resolve(gateway, arn)["base_model"] == base

    def test_that_are_opaque_are_looked_up(self, gateway):
        """Whatever Bedrock says stands behind it."""
        assert resolve(gateway, application_profile())["base_model"] == BARE_SONNET

    @pytest.mark.parametrize("arn", ARNS[:3], ids=kind)
    @pytest.mark.parametrize("form", [str, lambda arn: urllib.parse.quote(arn, safe="")], ids=["plain", "encoded"])
    def test_answer(self, stack, arn, form):
        asked = send(stack, "[[sim:text Here.]]", model=form(arn))
        assert asked.answer.content == "Here."
        assert urllib.parse.unquote(asked.path) == f"/model/{arn}/converse", "encoded once, not twice"
        assert asked.model == arn

    def test_that_are_opaque_have_the_rules_of_their_model(self, stack):
        """Claude 4.5 takes one of the two."""
        asked = send(stack, model=application_profile(), temperature=0.5, top_p=0.5)
        assert asked.inference == {"temperature": 0.5} and asked.notes["top_p"] == ["dropped(temperature-set)"]

    @pytest.mark.parametrize("region", ["eu-west-1", "us-west-2", "ap-southeast-2"])
    def test_choose_their_region(self, gateway, region):
        arn = f"arn:aws:bedrock:{region}:{ACCOUNT}:application-inference-profile/simulator001"
        mapping = resolve(gateway, arn)
        assert mapping["region"] == region and mapping["model_id"] == arn

    def test_choose_where_the_call_goes(self):
        arn = f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:provisioned-model/abcdefghijkl"
        said = explained({"model": arn, "messages": [{"role": "user", "content": "Hello."}]})
        assert said["url"].startswith("https://bedrock-runtime.eu-west-1.amazonaws.com/model/"), said["url"]

    @pytest.mark.parametrize(
        "name",
        [
            "arn:aws:bedrock",
            "arn:aws:s3:::bucket/key",
            f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/abcdefghijkl",
            f"arn:aws:bedrock:us-east-1:{ACCOUNT}:imported-model/../../x",
            f"arn:aws:bedrock:evil.example.com/:{ACCOUNT}:imported-model/abcdefghijkl",
            f"arn:aws:bedrock:us-east-1.evil.example:{ACCOUNT}:imported-model/abcdefghijkl",
        ],
    )
    def test_of_anything_else_are_refused(self, gateway, name):
        unknown(gateway, name)
        shapes.check_error(gateway.chat("hi", model=name), (400, 404), param="model")
        assert_goes_to_amazon_or_nowhere(name)


class TestAllowedRegions:
    def test_none_but_those(self, stacked):
        stack = stacked("--allowed-regions", "us-east-1,us-west-2")
        gateway = stack.gateway
        assert resolve(gateway, f"bedrock/us-west-2/{SONNET}")["region"] == "us-west-2"
        assert resolve(gateway, f"bedrock/us-east-1/{SONNET}")["region"] == "us-east-1"
        for name in (
            f"bedrock/eu-west-1/{BARE_SONNET}",
            f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:provisioned-model/abcdefghijkl",
        ):
            asked = send(stack, model=name)
            error = shapes.check_error(asked.reply, (400, 403, 404), param="model")
            assert "eu-west-1" in error["message"], error
            assert not asked.requests

    def test_all_where_none_is_named(self, gateway):
        assert resolve(gateway, f"bedrock/eu-west-1/{BARE_SONNET}")["region"] == "eu-west-1"

    @pytest.mark.parametrize(
        "region", ["nowhere", "us-east-1.example.com", "us-west-2@example.com", "..", "US-WEST-2 "]
    )
    def test_what_is_no_region_is_no_host(self, stack, region):
        model = f"bedrock/{region}/{SONNET}"
        shapes.check_error(send(stack, model=model).reply, (400, 404), param="model")
        assert_goes_to_amazon_or_nowhere(model)


class TestBodyMembers:
    def test_bedrock_model_goes_before_the_name(self, stack):
        asked = send(stack, "[[sim:text Here.]]", model="gpt-4o", bedrock_model=settings.NOVA)
        assert asked.answer.content == "Here." and asked.model == settings.NOVA

    @pytest.mark.parametrize("name", ["Nova-Lite", f"bedrock/{SONNET}", BARE_SONNET, f"{SONNET}[1m]"])
    def test_bedrock_model_may_be_any_name(self, stack, name):
        asked = send(stack, model="gpt-4o", bedrock_model=name)
        assert asked.model == resolve(stack.gateway, name)["model_id"]

    @pytest.mark.parametrize("provider", ["anthropic", "Anthropic", "ANTHROPIC"])
    def test_the_right_provider(self, stack, provider):
        asked = send(stack, "[[sim:text Here.]]", model="Claude-4-5-Sonnet", model_provider=provider)
        assert asked.answer.content == "Here."
        assert "model_provider" not in json.dumps(asked.call)

    @pytest.mark.parametrize("model", ["Claude-4-5-Sonnet", SONNET, f"bedrock/{SONNET}"])
    def test_another_provider_is_a_contradiction(self, stack, model):
        asked = send(stack, model=model, model_provider="amazon")
        error = shapes.check_error(asked.reply, 400, param="model_provider")
        assert "amazon" in error["message"] and "anthropic" in error["message"].lower(), error
        assert not asked.requests

    @pytest.mark.parametrize("value", [7, [], {}], ids=repr)
    @pytest.mark.parametrize("member", ["model_provider", "bedrock_model"])
    def test_nonsense_is_named(self, gateway, member, value):
        shapes.check_error(gateway.chat("hi", body={member: value}), 400, param=member)

    @pytest.mark.parametrize("member", ["model_provider", "bedrock_model", "model_id", "bedrock_api"])
    def test_null_is_as_good_as_absent(self, gateway, member):
        assert gateway.chat("[[sim:text ok]]", body={member: None}).status_code == 200


ALIASES = """
[[aliases]]
name = "gpt-4o-mini"
model = "amazon.nova-lite-v1:0"

[[aliases]]
name = "gpt-4o*"
model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

[[aliases]]
name = "*-fast"
model = "Nova-Micro"

[[aliases]]
name = "team/think"
model = "Claude-4-5-Sonnet-Thinking"

[[aliases]]
name = "Nova-Pro"
model = "us.amazon.nova-2-lite-v1:0"

[[aliases]]
name = "old.*"
model = "bedrock/invoke/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
"""


class TestAliases:
    @pytest.mark.parametrize(
        "name, identifier",
        [
            ("gpt-4o", SONNET),
            ("gpt-4o-2024-08-06", SONNET),
            ("GPT-4O", SONNET),
            ("gpt-4o-mini", settings.NOVA),
            ("Gpt-4o-Mini", settings.NOVA),
            ("gpt-4o-mini-2024", SONNET),
            ("any/thing-fast", "us.amazon.nova-micro-v1:0"),
            ("team/think", SONNET),
            ("Nova-Pro", models.NOVA_2),
            ("nova-pro", models.NOVA_2),
            ("old.name", SONNET),
            ("Nova-Lite", "us.amazon.nova-lite-v1:0"),
        ],
    )
    def test_the_first_that_fits(self, aliased, name, identifier):
        mapping = resolve(aliased.gateway, name)
        assert mapping["model_id"] == identifier, mapping
        asked = send(aliased, "[[sim:text Here.]]", model=name)
        assert asked.model == identifier
        assert asked.answer.document["model"] == name

    def test_carries_what_its_model_says(self, aliased):
        assert resolve(aliased.gateway, "team/think")["thinking"] is True
        assert resolve(aliased.gateway, "old.x")["bedrock_api"] == "invoke"
        assert send(aliased, model="old.x").route == "invoke"

    def test_is_one_of_the_steps(self, aliased):
        steps = json.dumps(resolve(aliased.gateway, "gpt-4o-2024-08-06")["steps"])
        assert "alias" in steps.lower() and "gpt-4o*" in steps

    def test_a_pattern_is_of_whole_names(self, aliased):
        unknown(aliased.gateway, "my-gpt-4o")
        unknown(aliased.gateway, "oldxname")

    def test_are_listed(self, aliased):
        listed = entries(aliased.gateway)
        found = {entry["name"]: entry for entry in listed if entry["kind"] == "alias"}
        assert {"gpt-4o-mini", "gpt-4o*", "*-fast", "team/think", "Nova-Pro", "old.*"} <= set(found)
        assert found["gpt-4o*"]["model_id"] == SONNET

    def test_the_command_knows_them(self, aliased, tmp_path):
        file = tmp_path / "outcrop.toml"
        file.write_text(ALIASES)
        assert resolve_by_command("gpt-4o", "--config", str(file))["model_id"] == SONNET

    def test_policies_follow_the_model_behind(self, configured):
        """A policy for a model can't be escaped by another name for it."""
        stack = configured(ALIASES + '[[policies]]\nmodels = ["*nova-lite*"]\non_unsupported = "reject"\n', key=None)
        asked = send(stack, model="gpt-4o-mini", seed=1)
        shapes.check_error(asked.reply, 400, code="unsupported_parameter", param="seed")

    @pytest.mark.parametrize(
        "text, word",
        [
            ('[[aliases]]\nname = "a"\n', "model"),
            ('[[aliases]]\nmodel = "amazon.nova-lite-v1:0"\n', "name"),
            ('[[aliases]]\nname = ""\nmodel = "amazon.nova-lite-v1:0"\n', "name"),
            ('[[aliases]]\nname = "a"\nmodel = "amazon.nova-lite-v1:0"\nmodle = "x"\n', "modle"),
        ],
        ids=["no model", "no name", "empty name", "typo"],
    )
    def test_a_bad_one_is_found_before_it_serves(self, tmp_path, text, word):
        (tmp_path / "outcrop.toml").write_text(text)
        ended = process.run("config", "check", cwd=tmp_path)
        assert ended.returncode != 0 and word in ended.stderr + ended.stdout, ended

    def test_that_bite_their_tails_end(self, tmp_path):
        """At the check or at the name, but they end."""
        (tmp_path / "outcrop.toml").write_text(ALIASES)
        assert process.run("config", "check", cwd=tmp_path).returncode == 0, "good ones are good"
        text = '[[aliases]]\nname = "a"\nmodel = "b"\n[[aliases]]\nname = "b"\nmodel = "a"\n'
        file = tmp_path / "outcrop.toml"
        file.write_text(text)
        checked = process.run("config", "check", cwd=tmp_path)
        ended = run_resolve("a", "--config", str(file))
        assert checked.returncode != 0 or ended.returncode == 1, (checked, ended)


@pytest.fixture(scope="module")
def aliased(tmp_path_factory):
    file = tmp_path_factory.mktemp("aliased") / "outcrop.toml"
    file.write_text(ALIASES)
    with process.Stack("--config", file) as running:
        yield running


class TestDefaults:
    @pytest.mark.parametrize("name", ["gpt-4o", "gpt-3.5-turbo", "o9-mini", "my-model"])
    def test_there_are_none(self, stack, name):
        asked = send(stack, model=name)
        error = shapes.check_error(asked.reply, 404, code="model_not_found", param="model")
        assert name in error["message"] and not asked.requests
        unknown(stack.gateway, name)

    @pytest.mark.parametrize("variable", ["OUTCROP_DEFAULT_MODEL", "DEFAULT_MODEL"])
    def test_of_the_environment(self, stacked, variable):
        stack = stacked(env={variable: settings.NOVA})
        for name in ("gpt-4o", "gpt-3.5-turbo", "GPT-4"):
            asked = send(stack, "[[sim:text Here.]]", model=name)
            assert asked.model == settings.NOVA and asked.answer.content == "Here."
            assert asked.answer.document["model"] == name
        assert resolve(stack.gateway, "gpt-4o")["model_id"] == settings.NOVA

    def test_ours_goes_before_that_of_others(self, stacked):
        stack = stacked(env={"OUTCROP_DEFAULT_MODEL": settings.NOVA, "DEFAULT_MODEL": SONNET})
        assert send(stack, model="gpt-4o").model == settings.NOVA

    @pytest.mark.parametrize(
        "name, identifier",
        [
            ("GPT-OSS-120B", "openai.gpt-oss-120b-1:0"),
            ("gpt-oss-20b", "openai.gpt-oss-20b-1:0"),
            ("Claude-4-5-Sonnet", SONNET),
            (BARE_SONNET, SONNET),
            ("us.anthropic.claude-sonnet-9", "us.anthropic.claude-sonnet-9"),
        ],
    )
    def test_leaves_alone_what_has_a_meaning(self, stacked, name, identifier):
        stack = stacked("--default-model", settings.NOVA)
        assert resolve(stack.gateway, name)["model_id"] == identifier

    def test_may_be_any_name(self, stacked):
        stack = stacked("--default-model", "Claude-4-5-Sonnet")
        assert send(stack, model="gpt-4o").model == SONNET

    def test_a_default_for_chat_is_none_for_embeddings(self, stacked):
        stack = stacked("--default-model", settings.NOVA)
        reply = look_up(stack.gateway, "text-embedding-3-small")
        assert reply.status_code == 404 or reply.json()["model_id"] != settings.NOVA, reply.text

    @pytest.mark.parametrize("variable", ["OUTCROP_DEFAULT_EMBEDDING_MODEL", "DEFAULT_EMBEDDING_MODEL"])
    def test_of_embeddings(self, serve, variable):
        gateway = serve(env={variable: "cohere.embed-multilingual-v3"})
        for name in ("text-embedding-3-small", "text-embedding-ada-002"):
            assert resolve(gateway, name)["model_id"] == "cohere.embed-multilingual-v3"
        unknown(gateway, "gpt-4o")

    def test_are_listed(self, serve):
        gateway = serve("--default-model", settings.NOVA)
        assert [entry["model_id"] for entry in entries(gateway) if entry["kind"] == "default"] == [settings.NOVA]

    def test_one_that_means_nothing_is_found_before_it_serves(self, tmp_path):
        def check(name):
            (tmp_path / "outcrop.toml").write_text(f'default_model = "{name}"\n')
            return process.run("config", "check", cwd=tmp_path, env={"AWS_REGION": settings.REGION})

        assert check("Claude-4-5-Sonnet").returncode == 0
        ended = check("Claude-4-5-Sonet")
        assert ended.returncode != 0 and "default_model" in ended.stderr + ended.stdout, ended


def entries(gateway):
    reply = gateway.get("/v1/mappings")
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert body["object"] == "list"
    return body["data"]


class TestMappings:
    def test_the_list_has_all_short_names(self, gateway):
        listed = {entry["name"].lower(): entry for entry in entries(gateway) if entry["kind"] == "short_name"}
        for name in WRAPPER:
            assert listed[name.name.lower()]["model_id"] in name.ids

    def test_each_entry_is_whole(self, gateway):
        for entry in entries(gateway):
            assert entry["name"] and entry["model_id"] and entry["kind"], entry

    def test_the_list_follows_what_bedrock_lists(self, serve):
        """It is kept, but no longer than names mean the same."""
        gateway = serve()
        for _ in range(2):
            listed = entries(gateway)
            assert listed == entries(gateway)
            anthropics = gateway.get("/v1/mappings?provider=anthropic").json()["data"]
            names = {entry["name"] for entry in anthropics}
            assert [entry for entry in listed if entry["name"] in names] == anthropics
            assert gateway.get("/v1/models").status_code == 200

    def test_a_key_is_needed(self, gateway):
        for path in ("/v1/mappings", "/v1/mappings?name=Nova-Pro"):
            shapes.check_error(gateway.get(path, headers={"authorization": "Bearer wrong"}), 401)

    def test_only_get(self, gateway):
        assert gateway.request("POST", "/v1/mappings").status_code == 405

    def test_an_unknown_type_is_refused(self, gateway):
        for query in ("?name=Nova-Pro&type=video", "?type=video"):
            error = shapes.check_error(gateway.get(f"/v1/mappings{query}"), 400, param="type", code="invalid_value")
            assert "'rerank'" in error["message"]

    def test_of_a_type_only(self, gateway):
        reply = gateway.get("/v1/mappings?name=rerank-v3.5&type=rerank")
        assert reply.status_code == 200 and reply.json()["model_id"].startswith("cohere.rerank")
        listed = [entry["model_id"] for entry in gateway.get("/v1/mappings?type=rerank").json()["data"]]
        assert listed and all("rerank" in model for model in listed)

    def test_of_a_provider_only(self, gateway):
        by_name = gateway.get("/v1/mappings?provider=Mistral%20AI").json()
        assert by_name == gateway.get("/v1/mappings?provider=mistral").json() and by_name["data"]
        shapes.check_error(gateway.get("/v1/mappings?provider="), 400, param="provider", code="invalid_value")

    def test_an_unknown_provider_has_none_and_is_told(self, gateway):
        reply = gateway.get("/v1/mappings?provider=acme")
        assert reply.json()["data"] == [] and reply.json()["warnings"][0]["code"] == "unknown_provider"
        assert "acme" in reply.headers["x-outcrop-warning"]

    @pytest.mark.parametrize(
        "name",
        ["", " ", "\0", "a" * 5000, "é" * 100, "../../etc", "%", "%zz", "a\nb", "💥"],
        ids=lambda name: ascii(name[:9]),
    )
    def test_what_is_no_name(self, gateway, name):
        reply = look_up(gateway, name)
        error = shapes.check_error(reply, (400, 404))
        assert reply.status_code == 400 or error["code"] == "model_not_found", error

    def test_steps_show_the_way(self, gateway):
        steps = resolve(gateway, f"bedrock/us-west-2/{BARE_SONNET}[1m]")["steps"]
        said = json.dumps(steps)
        assert len(steps) >= 3, steps
        assert "us-west-2" in said and BARE_SONNET in said
        assert SONNET in json.dumps(steps[-1]), "the last step is what Bedrock is asked for"


class TestNearMisses:
    @pytest.mark.parametrize(
        "name, meant",
        [
            ("Claude-4-5-Sonet", "Claude-4-5-Sonnet"),
            ("claude-4.5-sonnett", "Claude-4-5-Sonnet"),
            ("Nova-Prro", "Nova-Pro"),
            ("Llama-3-3-7b", "Llama-3-3-70b"),
            ("GPT-OSS-12B", "GPT-OSS-120B"),
        ],
    )
    def test_did_you_mean(self, gateway, name, meant):
        """Not guessed: the error says what is near."""
        error = unknown(gateway, name)
        assert "did you mean" in error["message"].lower() and meant in error["message"], error
        reply = gateway.chat("hi", model=name)
        assert meant in shapes.check_error(reply, 404, code="model_not_found", param="model")["message"]

    def test_nothing_is_suggested_where_nothing_is_near(self, gateway):
        error = unknown(gateway, "zzzzqqqq-xyzzy")
        assert "did you mean" not in error["message"].lower(), error

    def test_a_list_asks_nothing_of_bedrock(self, stack):
        asked = send(stack, model="Claude-4-5-Sonet")
        assert not asked.requests, "the name is wrong: nobody needs to be asked"


class TestRetired:
    """Models that are gone, and who follows them."""

    def test_may_be_redirected(self, stacked):
        stack = stacked(env={"OUTCROP_REDIRECT_RETIRED": "true"})
        mapping = resolve(stack.gateway, "anthropic.claude-v2")
        assert "claude" in mapping["model_id"] and mapping["base_model"] != "anthropic.claude-v2", mapping
        asked = send(stack, "[[sim:text Here.]]", model="anthropic.claude-v2")
        assert asked.answer.content == "Here." and asked.model == mapping["model_id"]
        assert asked.noted("model"), "another model answered in silence"

    def test_are_not_by_themselves(self, gateway):
        assert resolve(gateway, "anthropic.claude-v2")["model_id"] == "anthropic.claude-v2"

    def test_a_living_model_is_never_redirected(self, serve):
        gateway = serve(env={"OUTCROP_REDIRECT_RETIRED": "true"})
        for name in (BARE_SONNET, settings.NOVA, "openai.gpt-oss-20b-1:0"):
            assert resolve(gateway, name)["base_model"] == name

    def test_the_error_names_the_successor(self, stack):
        """Bedrock says no more than that the model has reached its end."""
        message = "This model version has reached the end of its life."
        text = f"[[sim:error ResourceNotFoundException message={message}]]"
        asked = send(stack, text, model="anthropic.claude-v2")
        error = shapes.check_error(asked.reply, 404, code="model_not_found")
        others = error["message"].replace("anthropic.claude-v2", "")
        assert "anthropic.claude-" in others or "Claude-" in others, error


class TestElsewhere:
    """Names mean the same wherever they are said."""

    @pytest.mark.parametrize("name", ["Nova-Lite", "nova-lite", "us.amazon.nova-lite-v1:0"])
    def test_in_azures_paths(self, gateway, name):
        completions = gateway.azure().chat.completions.with_raw_response
        raw = completions.create(model=name, messages=[{"role": "user", "content": "[[sim:text Here.]]"}])
        assert raw.headers["x-bedrock-model"] == "us.amazon.nova-lite-v1:0"
        assert raw.parse().choices[0].message.content == "Here."

    def test_of_the_chat_in_the_terminal(self, gateway):
        env = {settings.CLI_BASE_URL: gateway.base_url, settings.CLI_KEY: gateway.key}
        ended = process.run("chat", "[[sim:text Here.]]", "--model", "Claude-4-5-Sonnet", env=env)
        assert ended.returncode == 0 and ended.stdout.strip() == "Here.", ended

    def test_of_explain(self):
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello."}]}
        said = explained(body, "--model", "Claude-4-5-Sonnet")
        assert urllib.parse.unquote(said["url"]).endswith(f"/model/{SONNET}/converse")

    def test_what_was_learned_of_one_name_holds_for_the_others(self, stacked):
        """A lesson is about the model."""
        stack = stacked()
        first = send(stack, "[[sim:refuse-field top_k]] [[sim:text ok]]", model="Claude-4-Sonnet", top_k=5)
        assert first.answer.content == "ok" and len(first.requests) == 2
        for name in ("us.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic.claude-sonnet-4-20250514-v1:0"):
            asked = send(stack, "[[sim:refuse-field top_k]] [[sim:text ok]]", model=name, top_k=5)
            assert len(asked.requests) == 1 and asked.noted("top_k"), name


class TestCommand:
    def test_prints_the_steps(self):
        ended = run_resolve(f"bedrock/{BARE_SONNET}")
        assert ended.returncode == 0, ended.stderr
        assert SONNET in ended.stdout and len(ended.stdout.strip().splitlines()) > 1

    def test_needs_neither_credentials_nor_a_gateway(self):
        assert resolve_by_command("Nova-Pro")["model_id"] == "us.amazon.nova-pro-v1:0"

    @pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["text", "json"])
    def test_ends_with_1_for_what_is_no_name(self, arguments):
        ended = run_resolve("Claude-4-5-Sonet", *arguments)
        assert ended.returncode == 1
        assert "Claude-4-5-Sonnet" in ended.stderr and "panicked" not in ended.stderr, ended.stderr

    def test_says_what_the_gateway_says(self, gateway):
        error = unknown(gateway, "Claude-4-5-Sonet")
        assert error["message"] in run_resolve("Claude-4-5-Sonet").stderr

    @pytest.mark.parametrize("words", [["resolve"], ["resolve", "--regoin", "x", "y"]], ids=" ".join)
    def test_wrong_words(self, words):
        ended = process.run("models", *words)
        assert ended.returncode == 2 and ended.stderr.strip()

    @pytest.mark.parametrize("verb", ["resolve", "list", "check"])
    def test_help(self, verb):
        ended = process.run("models", verb, "--help")
        assert ended.returncode == 0 and "Usage" in ended.stdout

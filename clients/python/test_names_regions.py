"""What names mean in other regions: which inference profile a bare id gets, and what is said where there is none.

Each region has a gateway of its own, on its embedded simulator, which has the profiles of that region only.
"""

import functools

import pytest

from support import process, shapes
from support.mapping import look_up, resolve, resolve_by_command, run_resolve, unknown
from support.names import KNOWN

SONNET_4 = "anthropic.claude-sonnet-4-20250514-v1:0"
SONNET_4_5 = "anthropic.claude-sonnet-4-5-20250929-v1:0"
HAIKU_4_5 = "anthropic.claude-haiku-4-5-20251001-v1:0"
OPUS_4_5 = "anthropic.claude-opus-4-5-20251101-v1:0"
SONNET_5 = "anthropic.claude-sonnet-5"
SONNET_3_7 = "anthropic.claude-3-7-sonnet-20250219-v1:0"
NOVA_2 = "amazon.nova-2-lite-v1:0"
R1 = "deepseek.r1-v1:0"
LLAMA_3_3 = "meta.llama3-3-70b-instruct-v1:0"
GPT_OSS = "openai.gpt-oss-120b-1:0"

# Region, bare id, and the profile that it gets.
PROFILES = [
    ("us-east-1", SONNET_4_5, "us"),
    ("us-west-2", SONNET_4_5, "us"),
    ("us-west-2", R1, "us"),
    ("eu-west-1", SONNET_4_5, "eu"),
    ("eu-west-1", SONNET_4, "eu"),
    ("eu-west-1", SONNET_3_7, "eu"),
    ("eu-west-1", OPUS_4_5, "eu"),
    ("eu-west-1", SONNET_5, "eu"),
    ("eu-west-1", NOVA_2, "eu"),
    ("eu-central-1", HAIKU_4_5, "eu"),
    ("ap-northeast-1", SONNET_4_5, "jp"),
    ("ap-northeast-1", HAIKU_4_5, "jp"),
    ("ap-northeast-1", SONNET_4, "apac"),
    ("ap-northeast-1", SONNET_3_7, "apac"),
    ("ap-northeast-1", OPUS_4_5, "global"),
    ("ap-northeast-1", NOVA_2, "jp"),
    ("ap-northeast-3", SONNET_4_5, "jp"),
    ("ap-southeast-2", SONNET_4_5, "au"),
    ("ap-southeast-2", SONNET_5, "au"),
    ("ap-southeast-2", SONNET_4, "apac"),
    ("ap-southeast-2", OPUS_4_5, "global"),
    ("ap-southeast-2", NOVA_2, "apac"),
    ("ap-south-1", SONNET_4, "apac"),
    ("ap-south-1", SONNET_4_5, "global"),
    ("ap-south-1", SONNET_5, "apac"),
    ("ca-central-1", SONNET_4_5, "us"),
    ("ca-central-1", HAIKU_4_5, "us"),
    ("sa-east-1", SONNET_4_5, "global"),
    ("sa-east-1", OPUS_4_5, "global"),
]
# Region, bare id, and a profile elsewhere that has it: none here does.
NOWHERE = [
    ("eu-west-1", R1, f"us.{R1}"),
    ("eu-west-1", LLAMA_3_3, f"us.{LLAMA_3_3}"),
        ("ap-northeast-1", R1, f"us.{R1}"),
    ("sa-east-1", SONNET_3_7, f"us.{SONNET_3_7}"),
]
# Names that mean a model, of which the region has a profile of its own.
SHORT_NAMES = [
    ("eu-west-1", "Claude-4-5-Sonnet", f"eu.{SONNET_4_5}"),
    ("eu-west-1", "claude-3-7-sonnet-thinking", f"eu.{SONNET_3_7}"),
    ("eu-west-1", "Nova-2-Lite", f"eu.{NOVA_2}"),
    ("eu-west-1", "Nova-Pro", "eu.amazon.nova-pro-v1:0"),
    ("ap-northeast-1", "Claude-4-5-Haiku", f"jp.{HAIKU_4_5}"),
    ("ap-northeast-1", "Claude-4-Sonnet", f"apac.{SONNET_4}"),
    ("ap-southeast-2", "Claude-4-5-Sonnet", f"au.{SONNET_4_5}"),
    ("sa-east-1", "Claude-4-5-Sonnet", f"global.{SONNET_4_5}"),
    ("eu-west-1", "GPT-OSS-120B", GPT_OSS),
]


@pytest.fixture(scope="module")
def of_region():
    """A gateway of a region, started when a test first needs it."""
    running = []

    @functools.cache
    def start(region):
        running.append(process.Gateway("--simulate", "--region", region))
        return running[-1]

    yield start
    for gateway in running:
        gateway.close()


def answers(gateway, name, identifier):
    reply = gateway.chat("[[sim:text Here.]]", model=name)
    assert reply.status_code == 200, reply.text
    assert reply.headers["x-bedrock-model"] == identifier
    assert reply.json()["choices"][0]["message"]["content"] == "Here."


@pytest.mark.parametrize("region, model, prefix", PROFILES)
def test_a_bare_id_gets_the_profile_of_the_region(of_region, region, model, prefix):
    """That of the geography first, then the one for all the world."""
    gateway = of_region(region)
    mapping = resolve(gateway, model)
    assert (mapping["model_id"], mapping["base_model"]) == (f"{prefix}.{model}", model)
    assert mapping["region"] == region
    answers(gateway, model, f"{prefix}.{model}")


@pytest.mark.parametrize("region, model, prefix", PROFILES)
def test_the_command_says_the_same(region, model, prefix):
    mapping = resolve_by_command(model, region=region)
    assert mapping["model_id"] == f"{prefix}.{model}" and mapping["region"] == region


@pytest.mark.parametrize("region, model, candidate", NOWHERE)
def test_where_there_is_none_those_of_others_are_listed(of_region, region, model, candidate):
    gateway = of_region(region)
    assert candidate in unknown(gateway, model)["message"]
    error = shapes.check_error(gateway.chat("hi", model=model), 404, code="model_not_found", param="model")
    assert candidate in error["message"], error
    ended = run_resolve(model, region=region)
    assert ended.returncode == 1 and candidate in ended.stderr


@pytest.mark.parametrize("region, model, candidate", NOWHERE)
def test_a_profile_of_another_geography_is_not_hidden(of_region, region, model, candidate):
    """It is named, so it is asked for: what Bedrock says of it is Bedrock's."""
    assert resolve(of_region(region), candidate)["model_id"] == candidate


@pytest.mark.parametrize("region, name, identifier", SHORT_NAMES)
def test_short_names_mean_the_model_not_the_geography(of_region, region, name, identifier):
    gateway = of_region(region)
    assert resolve(gateway, name)["model_id"] == identifier
    answers(gateway, name, identifier)


def test_a_short_name_for_all_the_world_stays_in_the_geography_or_goes_out(of_region):
    """The table of bedrock-wrapper has the global profile; either reaches the model."""
    mapping = resolve(of_region("eu-west-1"), "Claude-4-5-Opus")
    assert mapping["model_id"] in (f"eu.{OPUS_4_5}", f"global.{OPUS_4_5}")


@pytest.mark.parametrize("region", ["us-west-2", "eu-west-1", "ap-northeast-1", "ap-southeast-2"])
def test_models_without_a_profile_keep_their_id(of_region, region):
    for model in (GPT_OSS, "qwen.qwen3-32b-v1:0", "mistral.mistral-7b-instruct-v0:2"):
        assert resolve(of_region(region), model)["model_id"] == model


@pytest.mark.parametrize("region", ["eu-west-1", "ap-northeast-1", "us-gov-west-1"])
def test_each_name_of_the_documents_has_an_answer(of_region, region):
    """Not every model is everywhere; then the error lists where it is."""
    for name in KNOWN:
        reply = look_up(of_region(region), name.name)
        if reply.status_code == 200:
            assert any(reply.json()["base_model"] in identifier for identifier in name.ids), reply.text
        else:
            error = shapes.check_error(reply, 404, code="model_not_found")
            assert any(identifier in error["message"] for identifier in name.ids), error


class TestGovCloud:
    REGION = "us-gov-west-1"

    @pytest.mark.parametrize("model", [SONNET_4_5, HAIKU_4_5, SONNET_5, R1])
    def test_never_leaves(self, of_region, model):
        """Its own profile or none: those of the commercial regions don't reach it."""
        reply = look_up(of_region(self.REGION), model)
        if reply.status_code == 200:
            assert reply.json()["model_id"] in (model, f"us-gov.{model}"), reply.text
        else:
            shapes.check_error(reply, 404, code="model_not_found")

    def test_sonnet_4_5_is_there(self, of_region):
        assert resolve(of_region(self.REGION), SONNET_4_5)["model_id"] == f"us-gov.{SONNET_4_5}"

    def test_a_profile_of_its_own(self, of_region):
        mapping = resolve(of_region(self.REGION), f"us-gov.{SONNET_4_5}")
        assert (mapping["model_id"], mapping["base_model"]) == (f"us-gov.{SONNET_4_5}", SONNET_4_5)

    def test_arns_of_its_partition(self, of_region):
        arn = "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:provisioned-model/abcdefghijkl"
        mapping = resolve(of_region(self.REGION), arn)
        assert (mapping["model_id"], mapping["region"]) == (arn, self.REGION)

    def test_as_liteLLM_names_it(self, of_region):
        name = f"bedrock/us-gov-west-1/us-gov.{SONNET_4_5}"
        mapping = resolve(of_region(self.REGION), name)
        assert (mapping["model_id"], mapping["region"]) == (f"us-gov.{SONNET_4_5}", self.REGION)
        # Credentials of one partition are good for nothing in another, so nothing of the request goes there.
        reply = of_region("us-east-1").chat("hi", model=name)
        shapes.check_error(reply, 403, code="region_not_allowed", param="model")


@pytest.mark.parametrize(
    "region, name, other, identifier",
    [
        ("us-east-1", f"bedrock/eu-west-1/{SONNET_4_5}", "eu-west-1", f"eu.{SONNET_4_5}"),
        ("eu-west-1", f"bedrock/us-west-2/{SONNET_4_5}", "us-west-2", f"us.{SONNET_4_5}"),
        ("eu-west-1", f"bedrock/us-west-2/{R1}", "us-west-2", f"us.{R1}"),
        ("ap-southeast-2", f"bedrock/invoke/ap-northeast-1/{SONNET_4_5}", "ap-northeast-1", f"jp.{SONNET_4_5}"),
    ],
)
def test_a_region_in_the_name_is_the_region_that_counts(of_region, region, name, other, identifier):
    mapping = resolve(of_region(region), name)
    assert (mapping["region"], mapping["model_id"]) == (other, identifier)


def test_the_region_of_an_arn_counts(of_region):
    arn = f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.{SONNET_4_5}"
    mapping = resolve(of_region("us-east-1"), arn)
    assert (mapping["region"], mapping["model_id"], mapping["base_model"]) == ("eu-west-1", arn, SONNET_4_5)


def test_an_application_profile_of_the_region_answers(of_region):
    arn = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/simulator001"
    answers(of_region("eu-west-1"), arn, arn)


def test_a_model_of_another_region_is_found_right_after_the_start(slow_list):
    """Before anybody knows what the regions have."""
    reply = slow_list("eu-west-1").chat("[[sim:text Here.]]", model=R1)
    assert reply.status_code == 200, reply.text
    assert reply.headers["x-bedrock-model"] == f"us.{R1}"

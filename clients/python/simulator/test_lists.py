"""The control plane's lists: pages, filters, limits, and lists that a caller isn't allowed to read."""

import datetime

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from known_keys import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from talk import refused, text_of, user

from support import process

NOVA = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"
SONNET = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6"
# Each list, the member that holds it, and the operation.
PAGED = {
    "list_inference_profiles": "inferenceProfileSummaries",
    "list_custom_models": "modelSummaries",
    "list_custom_model_deployments": "modelDeploymentSummaries",
    "list_imported_models": "modelSummaries",
    "list_provisioned_model_throughputs": "provisionedModelSummaries",
    "list_prompt_routers": "promptRouterSummaries",
}


@pytest.fixture
def control(connect):
    return connect("bedrock")


@pytest.fixture
def careless(connect):
    """A client that checks nothing itself."""
    return connect("bedrock", parameter_validation=False)


@pytest.fixture
def profile(control):
    """An inference profile of the account's own, made for one test."""
    made = control.create_inference_profile(inferenceProfileName="made for a test", modelSource={"copyFrom": NOVA})
    yield made["inferenceProfileArn"]
    control.delete_inference_profile(inferenceProfileIdentifier=made["inferenceProfileArn"])


@pytest.mark.parametrize("name", PAGED)
def test_each_list_is_whole_page_by_page(control, name):
    whole = getattr(control, name)(maxResults=1000)
    assert "nextToken" not in whole and whole[PAGED[name]]
    pages = list(control.get_paginator(name).paginate(PaginationConfig={"PageSize": 4}))
    assert [item for page in pages for item in page[PAGED[name]]] == whole[PAGED[name]]
    assert {len(page[PAGED[name]]) for page in pages[:-1]} <= {4}


@pytest.mark.parametrize("name", PAGED)
@pytest.mark.parametrize(
    "given, rule",
    [
        ({"maxResults": 0}, "'maxResults' failed to satisfy constraint: Member must have value greater than"),
        ({"maxResults": 1001}, "'maxResults' failed to satisfy constraint: Member must have value less than"),
        ({"nextToken": "a b"}, "'nextToken' failed to satisfy constraint: Member must satisfy regular expression"),
        ({"nextToken": "x" * 2049}, "'nextToken' failed to satisfy constraint: Member must have length less than"),
        ({"nextToken": "made-up"}, "nextToken"),
    ],
)
def test_limits_are_those_of_the_service_model(careless, name, given, rule):
    assert rule in refused(lambda: getattr(careless, name)(**given))


def test_a_token_belongs_to_its_list(control):
    token = control.list_imported_models(maxResults=1)["nextToken"]
    assert control.list_imported_models(maxResults=1, nextToken=token)["modelSummaries"]
    refused(lambda: control.list_inference_profiles(nextToken=token))


@pytest.mark.parametrize(
    "name, given",
    [
        ("list_foundation_models", {"byOutputModality": "SMELL"}),
        ("list_foundation_models", {"byInferenceType": "SOMETIMES"}),
        ("list_foundation_models", {"byCustomizationType": "PAINTING"}),
        ("list_foundation_models", {"byProvider": "a_b"}),
        ("list_inference_profiles", {"typeEquals": "OTHER"}),
        ("list_custom_models", {"sortBy": "Name"}),
        ("list_custom_models", {"modelStatus": "Gone"}),
        ("list_custom_models", {"baseModelArnEquals": "arn:aws:s3:::bucket/and-its-key"}),
        ("list_custom_model_deployments", {"statusEquals": "Sleeping"}),
        ("list_imported_models", {"sortOrder": "Up"}),
        ("list_imported_models", {"nameContains": "-"}),
        ("list_provisioned_model_throughputs", {"statusEquals": "Gone"}),
        ("list_prompt_routers", {"type": "other"}),
    ],
)
def test_filters_are_checked(careless, name, given):
    [parameter] = given
    message = refused(lambda: getattr(careless, name)(**given))
    assert f"'{parameter}' failed to satisfy constraint" in message


def test_filters_narrow_foundation_models(control):
    def ids(**given):
        return {model["modelId"] for model in control.list_foundation_models(**given)["modelSummaries"]}

    assert ids(byProvider="anthropic") and all(model.startswith("anthropic.") for model in ids(byProvider="Anthropic"))
    assert all("embed" in model for model in ids(byOutputModality="EMBEDDING"))
    assert ids(byInferenceType="ON_DEMAND") < ids()
    assert ids(byProvider="Amazon", byOutputModality="IMAGE") < ids(byProvider="Amazon")
    assert ids(byProvider="Nobody") == set()


def test_profiles_are_of_two_types(control, profile):
    def arns(kind):
        pages = control.get_paginator("list_inference_profiles").paginate(typeEquals=kind)
        return [one["inferenceProfileArn"] for page in pages for one in page["inferenceProfileSummaries"]]

    assert profile in arns("APPLICATION") and profile not in arns("SYSTEM_DEFINED")
    assert all(":inference-profile/" in arn for arn in arns("SYSTEM_DEFINED"))


def test_filters_narrow_what_the_account_has(control):
    long_ago, far_away = datetime.datetime(2020, 1, 1), datetime.datetime(2100, 1, 1)
    for name, before, after in [
        ("list_custom_models", "creationTimeBefore", "creationTimeAfter"),
        ("list_imported_models", "creationTimeBefore", "creationTimeAfter"),
        ("list_provisioned_model_throughputs", "creationTimeBefore", "creationTimeAfter"),
        ("list_custom_model_deployments", "createdBefore", "createdAfter"),
    ]:
        ask = lambda **given: getattr(control, name)(**given)[PAGED[name]]
        assert ask(**{after: long_ago, before: far_away}) == ask()
        assert ask(**{before: long_ago}) == [] and ask(**{after: far_away}) == []
    assert control.list_provisioned_model_throughputs(statusEquals="Failed")["provisionedModelSummaries"] == []
    assert control.list_custom_model_deployments(statusEquals="Active")["modelDeploymentSummaries"]
    assert control.list_custom_models(modelStatus="Creating")["modelSummaries"] == []
    assert control.list_custom_models(isOwned=False)["modelSummaries"] == []
    assert control.list_custom_models(foundationModelArnEquals=NOVA)["modelSummaries"]
    assert control.list_custom_models(baseModelArnEquals=NOVA.replace("lite", "pro"))["modelSummaries"] == []


def test_lists_are_sorted_by_age(control):
    def times(order):
        return [one["creationTime"] for one in control.list_imported_models(sortBy="CreationTime", sortOrder=order)["modelSummaries"]]

    assert times("Ascending") == sorted(times("Ascending")) != times("Descending")
    assert times("Descending") == times("Ascending")[::-1]


def test_foundation_models_tell_their_life(control):
    [model] = [
        model
        for model in control.list_foundation_models()["modelSummaries"]
        if model["modelId"] == "simulator.novel-v2:0"
    ]
    life = model["modelLifecycle"]
    assert life["status"] == "LEGACY"
    assert life["startOfLifeTime"] < life["legacyTime"] < life["publicExtendedAccessTime"] < life["endOfLifeTime"]


class TestAProfileOfOnesOwn:
    def test_is_listed_and_called(self, control, runtime, profile):
        one = control.get_inference_profile(inferenceProfileIdentifier=profile)
        assert (one["type"], one["inferenceProfileName"]) == ("APPLICATION", "made for a test")
        assert [model["modelArn"] for model in one["models"]] == [NOVA]
        assert "Hello" in text_of(runtime.converse(modelId=profile, messages=[user("Hello")]))

    def test_may_copy_another_profile(self, control):
        made = control.create_inference_profile(inferenceProfileName="a copy", modelSource={"copyFrom": SONNET})
        arn = made["inferenceProfileArn"]
        assert made["status"] == "ACTIVE" and made["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert len(control.get_inference_profile(inferenceProfileIdentifier=arn)["models"]) > 1
        control.delete_inference_profile(inferenceProfileIdentifier=arn)
        refused(lambda: control.get_inference_profile(inferenceProfileIdentifier=arn), "ResourceNotFoundException")

    def test_needs_a_name_of_its_own_and_a_model(self, control, careless, profile):
        again = lambda: control.create_inference_profile(inferenceProfileName="made for a test", modelSource={"copyFrom": NOVA})
        refused(again, "ConflictException")
        missing = NOVA.replace("nova-lite", "nova-heavy")
        unknown = lambda: control.create_inference_profile(inferenceProfileName="x", modelSource={"copyFrom": missing})
        refused(unknown, "ResourceNotFoundException")
        assert "'inferenceProfileName'" in refused(
            lambda: careless.create_inference_profile(inferenceProfileName="--", modelSource={"copyFrom": NOVA})
        )
        assert "InferenceProfileModelSource" in refused(
            lambda: careless.create_inference_profile(inferenceProfileName="x", modelSource={})
        )

    def test_only_ones_own_can_be_deleted(self, control):
        refused(lambda: control.delete_inference_profile(inferenceProfileIdentifier=SONNET))


def test_a_scenario_refuses_one_list(tmp_path):
    """Of all rights, one is missing."""
    scenario = tmp_path / "scenario.toml"
    scenario.write_text('[[rules]]\noperation = "ListImportedModels"\nactions = ["error AccessDeniedException"]\n')
    with process.Simulator("--simulator-scenario", scenario) as simulator:
        control = boto3.Session().client(
            "bedrock",
            region_name="us-east-1",
            endpoint_url=simulator.url,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
            config=Config(retries={"total_max_attempts": 1}),
        )
        with pytest.raises(ClientError) as error:
            control.list_imported_models()
        told = error.value.response["Error"]
        assert told["Code"] == "AccessDeniedException"
        assert "is not authorized to perform: bedrock:ListImportedModels" in told["Message"]
        assert control.list_custom_models()["modelSummaries"]

"""What an account has of its own: looked up by name and ARN, and called by ARN."""

import json

import pytest
from botocore.exceptions import ClientError
from known_keys import SECRET_ACCESS_KEY
from talk import refused, text_of, user

PREFIX = "arn:aws:bedrock:us-east-1:123456789012:"
PROVISIONED = PREFIX + "provisioned-model/simulator001"
CUSTOM = PREFIX + "custom-model/amazon.nova-lite-v1:0/simulator001"
DEPLOYMENT = PREFIX + "custom-model-deployment/simulator001"
ROUTER = PREFIX + "default-prompt-router/anthropic.claude:1"
APPLICATION = PREFIX + "application-inference-profile/simulator001"
LLAMA = PREFIX + "imported-model/simllama0001"
GPT_OSS = PREFIX + "imported-model/simgptoss001"
FOUNDATION = "arn:aws:bedrock:us-east-1::foundation-model/"
HAIKU = FOUNDATION + "anthropic.claude-3-haiku-20240307-v1:0"


@pytest.fixture
def control(connect):
    return connect("bedrock")


def test_inference_profiles_tell_their_models(control):
    system = control.get_inference_profile(inferenceProfileIdentifier="us.amazon.nova-lite-v1:0")
    assert system["type"] == "SYSTEM_DEFINED"
    assert FOUNDATION + "amazon.nova-lite-v1:0" in [model["modelArn"] for model in system["models"]]
    application = control.get_inference_profile(inferenceProfileIdentifier=APPLICATION)
    assert application["type"] == "APPLICATION"
    assert [model["modelArn"] for model in application["models"]] == [
        FOUNDATION + "anthropic.claude-sonnet-4-5-20250929-v1:0"
    ]


def test_provisioned_throughput(control):
    for identifier in [PROVISIONED, "simulator-throughput"]:
        one = control.get_provisioned_model_throughput(provisionedModelId=identifier)
        assert (one["modelArn"], one["foundationModelArn"], one["status"]) == (HAIKU, HAIKU, "InService")
    [listed] = control.list_provisioned_model_throughputs()["provisionedModelSummaries"]
    assert listed["provisionedModelArn"] == PROVISIONED


def test_custom_models_and_deployments(control):
    for identifier in [CUSTOM, "simulator-custom"]:
        one = control.get_custom_model(modelIdentifier=identifier)
        assert one["baseModelArn"] == FOUNDATION + "amazon.nova-lite-v1:0"
    [listed] = control.list_custom_models()["modelSummaries"]
    assert (listed["modelArn"], listed["baseModelName"]) == (CUSTOM, "amazon.nova-lite-v1")
    for identifier in [DEPLOYMENT, "simulator-deployment"]:
        one = control.get_custom_model_deployment(customModelDeploymentIdentifier=identifier)
        assert (one["modelArn"], one["status"]) == (CUSTOM, "Active")
    [listed] = control.list_custom_model_deployments()["modelDeploymentSummaries"]
    assert listed["customModelDeploymentArn"] == DEPLOYMENT


def test_imported_models(control):
    listed = control.list_imported_models()["modelSummaries"]
    assert {model["modelArchitecture"] for model in listed} == {"llama", "qwen2", "gpt_oss", "mistral"}
    for model in listed:
        for identifier in [model["modelArn"], model["modelName"]]:
            one = control.get_imported_model(modelIdentifier=identifier)
            assert one["instructSupported"] == model["instructSupported"]
            assert one["modelDataSource"]["s3DataSource"]["s3Uri"].startswith("s3://")


def test_prompt_routers(control):
    one = control.get_prompt_router(promptRouterArn=ROUTER)
    assert one["models"][0]["modelArn"] == one["fallbackModel"]["modelArn"] == HAIKU
    assert len(one["models"]) == 2
    [listed] = control.list_prompt_routers()["promptRouterSummaries"]
    assert listed["promptRouterArn"] == ROUTER
    assert control.list_prompt_routers(type="custom")["promptRouterSummaries"] == []


def test_lists_come_in_pages(control):
    pages = list(control.get_paginator("list_imported_models").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["modelSummaries"]) for page in pages] == [2, 2, 1]
    named = control.list_imported_models(nameContains="qwen")["modelSummaries"]
    assert [model["modelName"] for model in named] == ["simulator-qwen"]


def test_what_isnt_there_isnt_found(control):
    calls = [
        lambda: control.get_inference_profile(inferenceProfileIdentifier=APPLICATION[:-1] + "2"),
        lambda: control.get_provisioned_model_throughput(provisionedModelId=PROVISIONED[:-1] + "2"),
        lambda: control.get_custom_model(modelIdentifier="simulator-nothing"),
        lambda: control.get_custom_model_deployment(customModelDeploymentIdentifier=DEPLOYMENT[:-1] + "2"),
        lambda: control.get_imported_model(modelIdentifier="simulator-nothing"),
        lambda: control.get_prompt_router(promptRouterArn=ROUTER[:-1] + "2"),
    ]
    for call in calls:
        refused(call, "ResourceNotFoundException")


@pytest.mark.parametrize("arn", [PROVISIONED, DEPLOYMENT, LLAMA, APPLICATION, ROUTER])
def test_each_can_be_called(runtime, arn):
    reply = runtime.converse(modelId=arn, messages=[user("Why is the sky blue?")])
    assert "Why is the sky blue?" in text_of(reply)
    events = list(runtime.converse_stream(modelId=arn, messages=[user("Hi")])["stream"])
    assert events[-1]["metadata"]["usage"]["outputTokens"] > 0


def test_the_base_models_rules_hold(runtime):
    image = {"image": {"format": "png", "source": {"bytes": b"not one"}}}
    refused(lambda: runtime.converse(modelId=PROVISIONED, messages=[user("Hi", image)]))
    budget = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    call = lambda: runtime.converse(
        modelId=PROVISIONED, messages=[user("Hi")], additionalModelRequestFields=budget
    )
    refused(call)


def test_a_router_tells_which_model_it_chose(runtime):
    reply = runtime.converse(modelId=ROUTER, messages=[user("Hi")])
    assert reply["trace"]["promptRouter"] == {"invokedModelId": HAIKU}
    events = list(runtime.converse_stream(modelId=ROUTER, messages=[user("Hi")])["stream"])
    assert events[-1]["metadata"]["trace"]["promptRouter"] == {"invokedModelId": HAIKU}


def test_a_custom_model_is_called_by_its_deployment(runtime):
    message = refused(lambda: runtime.converse(modelId=CUSTOM, messages=[user("Hi")]))
    assert "with on-demand throughput isn’t supported" in message


def test_some_imported_models_cant_converse(runtime):
    message = refused(lambda: runtime.converse(modelId=GPT_OSS, messages=[user("Hi")]))
    assert "doesn't support the model" in message
    body = json.dumps({"messages": [{"role": "user", "content": "Why?"}]})
    answer = json.loads(runtime.invoke_model(modelId=GPT_OSS, body=body)["body"].read())
    assert "Why?" in answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize("arn", [PROVISIONED, DEPLOYMENT, LLAMA, APPLICATION])
def test_unknown_arns_arent_found(runtime, arn):
    call = lambda: runtime.converse(modelId=arn[:-1] + "9", messages=[user("Hi")])
    refused(call, "ResourceNotFoundException")


def test_a_caller_may_be_allowed_to_call_models_only(connect):
    keys = {"aws_access_key_id": "AKIDSIMULATORRUNTIME", "aws_secret_access_key": SECRET_ACCESS_KEY}
    control = connect("bedrock", **keys)
    for call, operation in [
        (lambda: control.get_inference_profile(inferenceProfileIdentifier=APPLICATION), "GetInferenceProfile"),
        (lambda: control.get_imported_model(modelIdentifier=LLAMA), "GetImportedModel"),
        (control.list_foundation_models, "ListFoundationModels"),
    ]:
        with pytest.raises(ClientError) as error:
            call()
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert error.value.response["Error"]["Code"] == "AccessDeniedException"
        assert f"is not authorized to perform: bedrock:{operation}" in error.value.response["Error"]["Message"]
    assert text_of(connect(**keys).converse(modelId=APPLICATION, messages=[user("Hi")]))

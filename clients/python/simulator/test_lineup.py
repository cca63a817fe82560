"""The models that there are, and those that there aren't any more."""

import pytest
from invoking import invoke
from talk import refused, text_of, user

OLD_TEXT_MODELS = [
    "anthropic.claude-v2",
    "anthropic.claude-v2:1",
    "anthropic.claude-instant-v1",
    "amazon.titan-text-lite-v1",
    "amazon.titan-text-express-v1",
    "cohere.command-text-v14",
    "cohere.command-light-text-v14",
    "ai21.j2-mid-v1",
    "ai21.j2-ultra-v1",
    "ai21.jamba-instruct-v1:0",
    "meta.llama2-13b-chat-v1",
    "meta.llama2-70b-chat-v1",
    "mistral.mistral-7b-instruct-v0:2",
    "mistral.mixtral-8x7b-instruct-v0:1",
    "mistral.mistral-small-2402-v1:0",
]
NEWEST = [
    "us.anthropic.claude-opus-5-5",
    "global.openai.gpt-6.1-sol",
    "us.xai.grok-4.7",
    "global.moonshotai.kimi-k3",
    "us.zai.glm-5.3",
    "us.writer.palmyra-x5-v1:0",
    "minimax.minimax-m2.5",
    "qwen.qwen3-coder-next",
    "nvidia.nemotron-super-3-120b",
    "mistral.devstral-2-123b",
]
RETIRED = "amazon.titan-text-premier-v1:0"
END = "This model version has reached the end of its life. Please refer to the AWS documentation for more details."
TOOLS = {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]}


@pytest.fixture
def control(connect):
    return connect("bedrock")


@pytest.fixture
def listed(control):
    return {model["modelId"]: model for model in control.list_foundation_models()["modelSummaries"]}


@pytest.mark.parametrize("model", OLD_TEXT_MODELS + NEWEST)
def test_each_answers_by_converse(runtime, model):
    reply = runtime.converse(modelId=model, messages=[user("Why is the sky blue?")])
    assert "Why is the sky blue?" in text_of(reply)


@pytest.mark.parametrize("model", [model for model in NEWEST if "claude" not in model])
def test_the_newest_take_openais_body(runtime, model):
    answer, _ = invoke(runtime, model, {"messages": [{"role": "user", "content": "Why is the sky blue?"}]})
    assert "Why is the sky blue?" in answer["choices"][0]["message"]["content"]


def test_old_text_models_take_no_tools(runtime):
    for model in OLD_TEXT_MODELS:
        if "mistral-small" not in model:
            call = lambda: runtime.converse(modelId=model, messages=[user("Hi")], toolConfig=TOOLS)
            assert "tool" in refused(call)


def test_some_take_no_system_prompt_and_no_history(runtime):
    for model in ["cohere.command-text-v14", "ai21.j2-ultra-v1", "amazon.titan-text-lite-v1"]:
        call = lambda: runtime.converse(modelId=model, messages=[user("Hi")], system=[{"text": "Be brief."}])
        assert "doesn't support system messages" in refused(call)
    turns = [user("Hi"), {"role": "assistant", "content": [{"text": "Hello"}]}, user("Why?")]
    for model in ["cohere.command-text-v14", "ai21.j2-ultra-v1"]:
        assert "only contains one user message" in refused(lambda: runtime.converse(modelId=model, messages=turns))


def test_jurassic_doesnt_stream(runtime, listed):
    assert not listed["ai21.j2-ultra-v1"]["responseStreamingSupported"]
    call = lambda: runtime.converse_stream(modelId="ai21.j2-ultra-v1", messages=[user("Hi")])
    assert "unsupported for streaming" in refused(call)


def test_a_retired_model_isnt_found(runtime, listed):
    call = lambda: runtime.converse(modelId=RETIRED, messages=[user("Hi")])
    assert refused(call, "ResourceNotFoundException") == END
    call = lambda: runtime.invoke_model(modelId=RETIRED, body=b'{"inputText": "Hi"}')
    assert refused(call, "ResourceNotFoundException") == END
    lifecycle = listed[RETIRED]["modelLifecycle"]
    assert lifecycle["status"] == "LEGACY"
    assert lifecycle["startOfLifeTime"] < lifecycle["legacyTime"] < lifecycle["endOfLifeTime"]


def test_an_end_may_be_announced(runtime, listed):
    jamba = "ai21.jamba-1-5-large-v1:0"
    assert listed[jamba]["modelLifecycle"]["endOfLifeTime"].date().isoformat() == "2026-11-26"
    assert text_of(runtime.converse(modelId=jamba, messages=[user("Hi")]))


def test_a_model_may_need_a_profile(runtime, listed):
    for model in ["openai.gpt-6.1-sol", "xai.grok-4.7", "writer.palmyra-x5-v1:0"]:
        assert listed[model]["inferenceTypesSupported"] == ["INFERENCE_PROFILE"]
        message = refused(lambda: runtime.converse(modelId=model, messages=[user("Hi")]))
        assert message == (
            f"Invocation of model ID {model} with on-demand throughput isn’t supported. Retry your request with the ID "
            "or ARN of an inference profile that contains this model."
        )


def test_models_that_dont_chat_are_listed_all_the_same(runtime, listed):
    for model in ["cohere.rerank-v3-5:0", "stability.stable-diffusion-xl-v1", "amazon.titan-embed-image-v1"]:
        assert model in listed
        refused(lambda: runtime.converse(modelId=model, messages=[user("Hi")]))


def test_each_profile_has_a_listed_model(control, listed):
    pages = control.get_paginator("list_inference_profiles").paginate(typeEquals="SYSTEM_DEFINED")
    profiles = [profile for page in pages for profile in page["inferenceProfileSummaries"]]
    assert {profile["inferenceProfileId"].split(".")[0] for profile in profiles} == {"us", "global"}
    for profile in profiles:
        assert profile["inferenceProfileId"].split(".", 1)[1] in listed

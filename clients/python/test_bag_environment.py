"""bedrock-access-gateway's environment, as it is."""

import openai
import pytest

from support import settings


def models(client):
    return {model.id for model in client.models.list()}


def test_its_variables_work(serve):
    env = {
        "API_KEY": "bedrock",
        "API_ROUTE_PREFIX": "/proxy/v1",
        "AWS_REGION": "us-west-2",
        "DEFAULT_MODEL": settings.NOVA,
        "DEFAULT_EMBEDDING_MODEL": "cohere.embed-multilingual-v3",
        "ENABLE_CROSS_REGION_INFERENCE": "true",
        "ENABLE_APPLICATION_INFERENCE_PROFILES": "true",
        "ENABLE_PROMPT_CACHING": "false",
        "DEBUG": "false",
    }
    gateway = serve(key=None, env=env)
    for prefix in ["/proxy/v1", "/api/v1", "/v1"]:
        client = gateway.openai(base_url=gateway.root + prefix, api_key="bedrock")
        answer = client.chat.completions.create(
            model="gpt-3.5-turbo", messages=[{"role": "user", "content": "[[sim:text hello]]"}]
        )
        assert answer.choices[0].message.content == "hello"
        embedding = client.embeddings.create(model="text-embedding-ada-002", input="hello")
        assert embedding.data[0].embedding
    with pytest.raises(openai.AuthenticationError):
        gateway.openai(api_key="other").models.list()


def test_profiles_can_be_left_out_of_the_list(serve):
    everything = models(serve().openai())
    profiles = {model for model in everything if model.startswith(("us.", "global."))}
    assert profiles
    without = models(serve(env={"ENABLE_CROSS_REGION_INFERENCE": "false"}).openai())
    assert not without & profiles
    assert settings.NOVA in without
    arns = {model for model in everything if ":application-inference-profile/" in model}
    assert arns <= without
    bare = models(serve(env={"ENABLE_APPLICATION_INFERENCE_PROFILES": "false"}).openai())
    assert not bare & arns


def test_a_profile_that_is_not_listed_still_answers(serve):
    gateway = serve(env={"ENABLE_CROSS_REGION_INFERENCE": "false"})
    answer = gateway.chat("[[sim:text yes]]", model=settings.CLAUDE)
    assert answer.status_code == 200, answer.text


def test_a_prefix_may_not_hide_the_health_checks(serve):
    gateway = serve(env={"API_ROUTE_PREFIX": "/"})
    assert gateway.get("/healthz").status_code == 200
    assert gateway.get("/models").status_code == 200

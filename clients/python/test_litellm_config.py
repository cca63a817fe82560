"""LiteLLM's config.yaml, run as it is: the examples of its page on Bedrock, and what they become."""

import json

import openai
import pytest

from support import settings
from support.process import Gateway, Simulator, poll

AUTH = """
model_list:
  - model_name: bedrock-claude-v1
    litellm_params:
      model: bedrock/anthropic.claude-instant-v1
      aws_access_key_id: os.environ/CUSTOM_AWS_ACCESS_KEY_ID
      aws_secret_access_key: os.environ/CUSTOM_AWS_SECRET_ACCESS_KEY
      aws_region_name: os.environ/CUSTOM_AWS_REGION_NAME
"""

# The page has words in angle brackets for the numbers.
SAMPLING = """
model_list:
  - model_name: bedrock-claude-v1
    litellm_params:
      model: bedrock/anthropic.claude-instant-v1
      temperature: 0.7
      top_p: 1
"""

TOP_K = """
model_list:
  - model_name: bedrock-claude-v1
    litellm_params:
      model: bedrock/anthropic.claude-instant-v1
      top_k: 1
"""

MODEL = "bedrock-claude-v1"


def ask(client, text, model=MODEL, **options):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], **options)


@pytest.fixture
def configured(serve, tmp_path):
    """Starts a gateway on its embedded simulator with a config.yaml."""

    def start(config, *arguments, **options):
        path = tmp_path / "config.yaml"
        path.write_text(config)
        return serve("--config", path, *arguments, **options)

    return start


@pytest.fixture
def watched(tmp_path):
    """Starts a gateway with a config.yaml in front of a simulator that can be looked into."""
    running = []

    def start(config, **env):
        path = tmp_path / "config.yaml"
        path.write_text(config)
        simulator = Simulator()
        running.append(simulator)
        gateway = Gateway("--config", path, env=simulator.endpoints | simulator.credentials | env)
        running.append(gateway)
        return simulator, gateway

    yield start
    for one in reversed(running):
        one.close()


@pytest.mark.parametrize("config", [AUTH, SAMPLING, TOP_K], ids=["auth", "sampling", "provider's own"])
@pytest.mark.parametrize("stream", [False, True])
def test_the_examples_start_and_answer(configured, config, stream):
    names = ["CUSTOM_AWS_ACCESS_KEY_ID", "CUSTOM_AWS_SECRET_ACCESS_KEY"]
    env = dict.fromkeys(names, "x") | {"CUSTOM_AWS_REGION_NAME": "us-east-1"}
    client = configured(config, env=env).openai()
    answer = ask(client, "[[sim:text a poem]]", stream=stream)
    if stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)
    else:
        text = answer.choices[0].message.content
    assert text == "a poem"


def test_default_parameters_give_way_to_the_requests_own(watched, mark):
    simulator, gateway = watched(SAMPLING.replace("instant-v1", "3-haiku-20240307-v1:0"))
    ask(gateway.openai(), mark)
    [first] = simulator.requests(mark)
    assert '"temperature": 0.7' in json.dumps(first["body"])
    ask(gateway.openai(), mark, temperature=0.2)
    assert '"temperature": 0.2' in json.dumps(simulator.requests(mark)[-1]["body"])


def test_an_entry_asks_as_its_keys_say(watched, mark):
    config = AUTH.replace("instant-v1", "3-haiku-20240307-v1:0")
    simulator = Simulator()
    keys = simulator.credentials
    simulator.close()
    env = {
        "CUSTOM_AWS_ACCESS_KEY_ID": keys["AWS_ACCESS_KEY_ID"],
        "CUSTOM_AWS_SECRET_ACCESS_KEY": keys["AWS_SECRET_ACCESS_KEY"],
        "CUSTOM_AWS_REGION_NAME": settings.REGION,
    }
    # The gateway's own are no use.
    simulator, gateway = watched(config, **env, AWS_ACCESS_KEY_ID="AKIAWRONG", AWS_SECRET_ACCESS_KEY="wrong")
    ask(gateway.openai(), mark)
    assert len(simulator.requests(mark)) == 1
    with pytest.raises(openai.APIStatusError):
        ask(gateway.openai(), mark, model=settings.NOVA)


def test_the_master_key_lets_in_and_others_do_not(configured):
    config = SAMPLING + "general_settings:\n  master_key: os.environ/MASTER\n"
    gateway = configured(config, key=None, env={"MASTER": "sk-master"})
    assert ask(gateway.openai(api_key="sk-master"), "[[sim:text hi]]").choices[0].message.content == "hi"
    with pytest.raises(openai.AuthenticationError):
        ask(gateway.openai(api_key="sk-other"), "hi")


def test_patterns_aliases_and_fallbacks_answer(configured):
    config = """
model_list:
  - model_name: sonnet
    litellm_params: {model: bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0}
  - model_name: nova
    litellm_params: {model: bedrock/amazon.nova-lite-v1:0, aws_region_name: us-west-2}
  - model_name: bedrock/*
    litellm_params: {model: bedrock/*}
router_settings:
  model_group_alias: {gpt-4o: sonnet}
  fallbacks: [{sonnet: [nova]}]
  num_retries: 0
"""
    gateway = configured(config)
    for model in ["sonnet", "gpt-4o", "nova", "bedrock/amazon.nova-micro-v1:0"]:
        answer = gateway.chat("[[sim:text yes]]", model=model)
        assert answer.status_code == 200, answer.text
    assert "nova-micro" in answer.headers["x-bedrock-model"]


def test_names_of_the_file_are_in_the_list_of_models(configured):
    config = """
model_list:
  - model_name: sonnet
    litellm_params: {model: bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0}
  - model_name: bedrock/*
    litellm_params: {model: bedrock/*}
"""
    client = configured(config).openai()
    listed = {model.id for model in client.models.list()}
    assert "sonnet" in listed and "bedrock/*" not in listed
    assert client.models.retrieve("sonnet").id == "sonnet"
    assert client.models.retrieve("sonnet").model_dump()["provider"] == "anthropic"


def test_what_does_not_count_is_in_the_log(configured):
    config = SAMPLING + "litellm_settings:\n  success_callback: [langfuse]\n"
    gateway = configured(config)
    lines = lambda: [line for line in gateway.stderr if "success_callback" in line]
    [line] = poll(lines, "the warning is in the log")
    assert "config.yaml:9" in line

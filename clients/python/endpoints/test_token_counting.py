"""How many tokens a request has: by HTTP, and by the command."""

import json

import pytest

from support import models, process, settings, shapes
from support.endpoints import good, post

PATH = "/v1/chat/completions/input_tokens"
MODEL = models.CLAUDE_4_5


def ask(text, **more):
    return {"model": MODEL, "messages": [{"role": "user", "content": text}]} | more


def count(gateway, text="How many are these?", **more):
    body = good(post(gateway, PATH, **ask(text, **more)))
    assert isinstance(body["input_tokens"], int) and body["input_tokens"] > 0, body
    return body["input_tokens"]


def test_it_is_what_the_answer_says_that_it_was(gateway):
    for text in ("How many are these?", "A longer text, of which there are more. " * 20):
        answer = good(post(gateway, "/v1/chat/completions", **ask(text)))
        assert count(gateway, text) == answer["usage"]["prompt_tokens"]


def test_more_is_more(gateway):
    few = count(gateway)
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    assert count(gateway, "How many are these? And those?") > few
    assert count(gateway, tools=[tool]) > few
    system = {"role": "system", "content": "Be very brief."}
    messages = [system, *ask("How many are these?")["messages"]]
    assert count(gateway, messages=messages) > few


def test_no_model_is_asked(stack, mark):
    count(stack.gateway, mark)
    assert [call["operation"] for call in stack.simulator.requests(mark)] == ["CountTokens"]


def test_wrong_requests(gateway):
    shapes.check_error(post(gateway, PATH, model=MODEL), 400, param="messages")
    shapes.check_error(post(gateway, PATH, messages=ask("x")["messages"]), 400, param="model")
    shapes.check_error(post(gateway, PATH, **ask("x", model="no-such-model")), 404, param="model")
    shapes.check_error(post(gateway, PATH, **ask("x", temperature="hot")), 400, param="temperature")
    shapes.check_error(gateway.get(PATH), 405)
    shapes.check_error(post(gateway, PATH, headers={"authorization": None}, **ask("x")), 401)


@pytest.mark.parametrize("model", [settings.NOVA, "meta.llama3-8b-instruct-v1:0"])
def test_a_model_whose_tokens_bedrock_does_not_count(gateway, model):
    error = shapes.check_error(post(gateway, PATH, **ask("x", model=model)), 400)
    assert "count" in error["message"].lower(), error


class TestTheCommand:
    def test_of_a_text(self):
        ended = process.run("count-tokens", "--simulate", "--model", MODEL, "How many are these?")
        assert ended.returncode == 0, ended.stderr
        assert int(ended.stdout.split()[0]) > 0, ended.stdout

    def test_of_the_same_gateway(self, gateway):
        env = {settings.CLI_BASE_URL: gateway.base_url, settings.CLI_KEY: gateway.key}
        ended = process.run("count-tokens", "--model", MODEL, "How many are these?", env=env)
        assert ended.returncode == 0, ended.stderr
        assert str(count(gateway)) in ended.stdout

    def test_of_a_request(self, tmp_path, gateway):
        file = tmp_path / "request.json"
        file.write_text(json.dumps(ask("How many are these?")))
        ended = process.run("count-tokens", "--simulate", "--file", str(file))
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.split() == [str(count(gateway))]


def test_as_litellms_proxy(gateway):
    body = good(post(gateway, "/utils/token_counter", **ask("How many are these?")))
    assert body["total_tokens"] == count(gateway) and body["request_model"] == MODEL
    assert good(post(gateway, "/utils/token_counter", model=MODEL, prompt="How many are these?"))["total_tokens"] > 0

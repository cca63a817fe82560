"""Counting tokens: the endpoint, LiteLLM's way, and the command."""

import json

import httpx
import pytest

from support import media, process, settings, shapes
from support.exchange import NOTE, WEATHER

PATH, LITELLM = "/v1/chat/completions/input_tokens", "/utils/token_counter"
MODEL = settings.CLAUDE_WITHOUT_PROFILE
HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Why is the sky blue?"},
    {"role": "assistant", "content": "Because of Rayleigh scattering."},
    {"role": "user", "content": [{"type": "text", "text": "And this?"}]},
]


def count(gateway, path=PATH, **fields):
    body = {"model": settings.CLAUDE, "messages": CONVERSATION} | fields
    return gateway.request("POST", path, json={name: value for name, value in body.items() if value is not None})


def tokens(reply):
    assert reply.status_code == 200, reply.text
    return reply.json()["input_tokens"]


@pytest.fixture
def sent(stack):
    """Counts, and gives the call that reached Bedrock."""

    def sent(**fields):
        httpx.delete(f"{stack.simulator.url}/_simulator/state", trust_env=False).raise_for_status()
        reply = count(stack.gateway, **fields)
        assert reply.status_code == 200, reply.text
        (call,) = stack.simulator.state()["requests"]
        assert call["operation"] == "CountTokens"
        return call

    return sent


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"tools": [WEATHER], "tool_choice": "required"},
        {"bedrock_api": "invoke"},
        {"model": HAIKU},
        {"stream": True, "n": 2, "max_tokens": 5},
    ],
)
def test_it_is_what_the_request_costs(gateway, more):
    counted = tokens(count(gateway, **more))
    asked = {"model": settings.CLAUDE, "messages": CONVERSATION} | more | {"stream": False, "n": 1}
    usage = gateway.request("POST", "/v1/chat/completions", json=asked).json()["usage"]
    assert counted == usage["prompt_tokens"]


def test_images_count(gateway):
    seen = [{"type": "image_url", "image_url": {"url": media.data_url(media.png())}}]
    more = [*CONVERSATION[:-1], {"role": "user", "content": [*CONVERSATION[-1]["content"], *seen]}]
    assert tokens(count(gateway, messages=more)) > tokens(count(gateway)) + 100


def test_the_answer(gateway):
    answer = count(gateway)
    assert answer.json() == {
        "object": "chat.completion.input_tokens",
        "input_tokens": tokens(answer),
        "model": MODEL,
    }
    assert answer.headers["x-outcrop-route"] == "count-tokens"
    assert "x-token-usage-input" not in answer.headers or answer.headers["x-token-usage-input"] == "0"


class TestTheCall:
    def test_a_profile_is_counted_by_its_model(self, sent):
        call = sent()
        assert call["path"] == f"/model/{MODEL.replace(':', '%3A')}/count-tokens"
        assert set(call["body"]["input"]["converse"]) == {"messages", "system"}

    def test_an_arn_is_counted_by_the_model_behind_it(self, sent):
        arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/" + settings.CLAUDE
        assert MODEL.replace(":", "%3A") in sent(model=arn)["path"]

    def test_a_body_of_the_models_own(self, sent):
        import base64

        body = sent(bedrock_api="invoke")["body"]["input"]["invokeModel"]["body"]
        assert json.loads(base64.b64decode(body))["anthropic_version"] == "bedrock-2023-05-31"


def test_a_profile_of_ones_own_is_counted_by_its_model(gateway):
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/simulator001"
    assert count(gateway, model=arn).json()["model"] == MODEL


@pytest.mark.parametrize("model", [settings.NOVA, "us.anthropic.claude-opus-4-8", "openai.gpt-oss-20b-1:0"])
def test_models_that_cant_count_say_which_can(gateway, model):
    error = shapes.check_error(count(gateway, model=model), 400, code="model_not_supported", param="model")
    assert model.removeprefix("us.") in error["message"] and HAIKU in error["message"]


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"model": None}, 400, "model"),
        ({"model": "unheard-of"}, 404, "model"),
        ({"messages": None}, 400, "messages"),
        ({"messages": "x"}, 400, "messages"),
        ({"messages": [{"role": "user", "content": 5}]}, 400, "messages[0].content"),
    ],
)
def test_errors_are_those_of_chat(gateway, fields, status, param):
    error = shapes.check_error(count(gateway, **fields), status)
    assert error["param"] == param


def test_what_bedrock_doesnt_count_is_noted(gateway):
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}}
    reply = count(gateway, response_format=form)
    notes = {note[0]: note[1] for note in NOTE.findall(reply.headers["x-outcrop-adapted"])}
    assert notes["outputConfig"] == "not-counted"


def test_a_dry_run_tells_the_rights(gateway):
    body = {"model": settings.CLAUDE, "messages": CONVERSATION}
    told = gateway.request("POST", PATH, json=body, headers={"x-outcrop-dry-run": "true"}).json()
    assert told["url"].endswith("/count-tokens")
    assert told["iam"] == [
        {"action": "bedrock:CountTokens", "resource": f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}"}
    ]


@pytest.mark.parametrize("path", ["/api/v1/chat/completions/input_tokens", "/chat/completions/input_tokens"])
def test_all_paths(gateway, path):
    assert tokens(count(gateway, path)) == tokens(count(gateway))


def test_azures_path(gateway):
    path = f"/openai/deployments/{HAIKU}/chat/completions/input_tokens?api-version=2024-10-21"
    assert count(gateway, path, model=None).json()["model"] == HAIKU


class TestLiteLlmsWay:
    def test_messages(self, gateway):
        reply = count(gateway, LITELLM)
        assert reply.json() == {
            "total_tokens": tokens(count(gateway)),
            "request_model": settings.CLAUDE,
            "model_used": MODEL,
            "tokenizer_type": "bedrock_api",
        }

    def test_a_prompt(self, gateway):
        reply = count(gateway, LITELLM, messages=None, prompt="Why is the sky blue?")
        same = [{"role": "user", "content": "Why is the sky blue?"}]
        assert reply.json()["total_tokens"] == tokens(count(gateway, messages=same))

    @pytest.mark.parametrize(
        ("fields", "param"),
        [
            ({"messages": None}, "messages"),
            ({"prompt": "x"}, "prompt"),
            ({"messages": None, "prompt": 1}, "prompt"),
            ({"messages": None, "contents": []}, "contents"),
        ],
    )
    def test_errors_name_the_field(self, gateway, fields, param):
        error = shapes.check_error(count(gateway, LITELLM, **fields), 400)
        assert error["param"] == param


class TestTheCommand:
    def run(self, *arguments):
        return process.run("count-tokens", "--simulate", *arguments)

    def test_a_text(self, gateway):
        ran = self.run("Why is the sky blue?", "--system", "Be brief.")
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout == f"{tokens(count(gateway, messages=CONVERSATION[:2]))}\n" and ran.stderr == ""

    def test_a_request_in_a_file(self, gateway, tmp_path):
        file = tmp_path / "request.json"
        file.write_text(json.dumps({"model": settings.CLAUDE, "messages": CONVERSATION, "max_tokens": 3}))
        assert self.run("--file", str(file)).stdout == f"{tokens(count(gateway))}\n"
        told = json.loads(self.run("--file", str(file), "--model", HAIKU, "--json").stdout)
        assert told["model"] == HAIKU and told["input_tokens"] == tokens(count(gateway))

    def test_through_a_gateway(self, gateway):
        ran = process.run("count-tokens", "--base-url", gateway.base_url, "--api-key", settings.KEY, "x")
        assert ran.returncode == 0 and int(ran.stdout) > 0

    def test_a_model_that_cant(self):
        ran = self.run("--model", settings.NOVA, "x")
        assert ran.returncode == 1 and ran.stdout == "" and HAIKU in ran.stderr

    def test_nothing_to_count(self):
        ran = self.run()
        assert ran.returncode == 2 and ran.stdout == "" and ran.stderr.startswith("error: ")

    def test_help_shows_examples(self):
        assert "outcrop count-tokens --simulate" in process.run("count-tokens", "--help").stdout

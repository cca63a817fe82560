"""What a request becomes, without Bedrock being called: the dry-run header and `outcrop explain`."""

import json
import subprocess

import pytest

from support import models, settings, shapes
from support.exchange import WEATHER, ask, user
from support.process import binary, clean_environment

DRY = {"X-Outcrop-Dry-Run": "true"}
REQUEST = {"model": models.CLAUDE_4_5, "messages": [user("Hello.")], "temperature": 0.2, "top_p": 0.5, "max_tokens": 9}


def dry(stack, **fields):
    asked = ask(stack, **{"headers": DRY, "model": REQUEST["model"], "messages": REQUEST["messages"]} | fields)
    assert asked.status == 200, asked.reply.text
    assert asked.reply.headers["content-type"].startswith("application/json")
    assert not asked.calls, "Bedrock was called"
    return asked.reply.json()


def explain(request, *arguments, env=None):
    text = request if isinstance(request, str) else json.dumps(request)
    return subprocess.run(
        [binary(), "explain", *arguments],
        env=clean_environment({"AWS_REGION": settings.REGION} | (env or {})),
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class TestDryRun:
    def test_says_all_there_is_to_say(self, stack):
        said = dry(stack)
        assert set(said) >= {"method", "url", "headers", "body", "adaptations", "iam"}
        assert said["method"] == "POST" and said["adaptations"] == []

    def test_the_url_and_body_are_those_of_the_call(self, stack):
        fields = {"temperature": 0.2, "tools": [WEATHER], "tool_choice": "required", "stop": ["END"]}
        said = dry(stack, **fields)
        real = ask(stack, model=REQUEST["model"], messages=REQUEST["messages"], **fields)
        assert said["body"] == real.call
        assert said["url"].endswith(real.requests[0]["path"])
        assert said["url"].startswith(stack.simulator.url)

    @pytest.mark.parametrize(
        "stream, path, action",
        [
            (False, "/converse", "bedrock:InvokeModel"),
            (True, "/converse-stream", "bedrock:InvokeModelWithResponseStream"),
        ],
        ids=["whole", "stream"],
    )
    def test_streams_are_another_operation_and_another_right(self, stack, stream, path, action):
        said = dry(stack, stream=stream)
        assert said["url"].endswith(path)
        assert action in [entry["action"] for entry in said["iam"]]

    def test_the_resource_of_a_model(self, stack):
        said = dry(stack, model=models.NOVA)
        resources = [entry["resource"] for entry in said["iam"]]
        assert f"arn:aws:bedrock:{settings.REGION}::foundation-model/{models.NOVA}" in resources

    def test_the_resources_of_a_profile(self, stack):
        """A profile needs both: the right to it and to the models behind it."""
        resources = " ".join(entry["resource"] for entry in dry(stack)["iam"])
        assert f"inference-profile/{models.CLAUDE_4_5}" in resources
        assert f"foundation-model/{models.CLAUDE_4_5.removeprefix('us.')}" in resources

    def test_a_guardrail_needs_a_right_too(self, stack):
        said = dry(stack, guardrailConfig={"guardrailIdentifier": "gr0abc", "guardrailVersion": "1"})
        entry = next(entry for entry in said["iam"] if entry["action"] == "bedrock:ApplyGuardrail")
        assert "gr0abc" in entry["resource"]

    def test_adaptations_with_their_reasons(self, stack):
        said = dry(stack, temperature=0.2, top_p=0.5, seed=1)
        told = [(entry["parameter"], entry["outcome"], entry["reason"]) for entry in said["adaptations"]]
        assert ("top_p", "dropped", "temperature-set") in told
        assert {entry["parameter"] for entry in said["adaptations"]} == {"top_p", "seed"}

    def test_no_secrets(self, stack):
        said = dry(stack)
        text = json.dumps(said)
        for secret in stack.simulator.credentials.values():
            assert secret not in text
        assert settings.KEY not in text
        headers = {name.lower(): value for name, value in said["headers"].items()}
        assert headers["content-type"] == "application/json"
        if "authorization" in headers:
            assert "redacted" in headers["authorization"].lower() and "Signature=0" not in headers["authorization"]
        assert "x-amz-security-token" not in headers or "redacted" in headers["x-amz-security-token"].lower()

    def test_only_true_is_true(self, stack):
        for value in ("false", "0", ""):
            asked = ask(stack, "[[sim:text Really.]]", headers={"X-Outcrop-Dry-Run": value})
            assert asked.answer.content == "Really."

    def test_errors_are_as_ever(self, stack):
        shapes.check_error(ask(stack, headers=DRY, functions=[{}]).reply, 400, param="functions")
        asked = ask(stack, headers=DRY, seed=1, on_unsupported="reject")
        shapes.check_error(asked.reply, 400, code="unsupported_parameter", param="seed")

    def test_a_key_is_needed_as_ever(self, stack):
        shapes.check_error(ask(stack, headers=DRY | {"authorization": "Bearer sk-wrong"}).reply, 401)

    def test_a_model_that_nobody_has(self, stack):
        """Nothing is called, so nobody knows."""
        said = dry(stack, model="nobody.nothing-v1:0")
        assert "nobody.nothing-v1" in said["url"]

    def test_each_way_of_structured_output(self, stack):
        given = {
            "type": "json_schema",
            "json_schema": {
                "name": "n",
                "strict": True,
                "schema": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
            },
        }
        assert "outputConfig" in dry(stack, response_format=given)["body"]
        assert "toolConfig" in dry(stack, model=models.NOVA, response_format=given)["body"]

    def test_a_model_that_cannot_stream_tools(self, stack):
        said = dry(stack, model=models.LLAMA_3_3, tools=[WEATHER], stream=True)
        assert said["url"].endswith("/converse")


class TestCommand:
    def test_prints_the_same(self, stack):
        ended = explain(REQUEST, env=stack.simulator.endpoints | stack.simulator.credentials)
        assert ended.returncode == 0, ended.stderr
        said = json.loads(ended.stdout)
        over_http = dry(stack, **REQUEST)
        for part in ("method", "url", "body", "adaptations", "iam"):
            assert said[part] == over_http[part]
        assert not [secret for secret in stack.simulator.credentials.values() if secret in ended.stdout]

    def test_needs_no_credentials(self):
        ended = explain(REQUEST)
        assert ended.returncode == 0, ended.stderr
        said = json.loads(ended.stdout)
        assert f"bedrock-runtime.{settings.REGION}.amazonaws.com" in said["url"]

    def test_heeds_the_settings(self):
        ended = explain(REQUEST | {"seed": 1}, env={"OUTCROP_ON_UNSUPPORTED": "reject"})
        assert ended.returncode != 0
        assert "unsupported_parameter" in ended.stdout + ended.stderr or "seed" in ended.stderr

    @pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"model": "m"}'], ids=repr)
    def test_a_bad_request_is_said_so(self, text):
        ended = explain(text)
        assert ended.returncode != 0
        assert ended.stderr.strip() and "panicked" not in ended.stderr, ended.stderr

    def test_help(self):
        ended = explain("", "--help")
        assert ended.returncode == 0 and "Usage" in ended.stdout

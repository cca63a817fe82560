"""`outcrop iam-policy` against AWS's service models: each action that it may print is an operation of its service."""

import json
import os
import subprocess

import botocore.session
import pytest

# The services whose operations an action's prefix stands for.
SERVICES = {
    "bedrock": ["bedrock", "bedrock-runtime", "bedrock-agent-runtime"],
    "sts": ["sts"],
    "secretsmanager": ["secretsmanager"],
    "ssm": ["ssm"],
    "servicequotas": ["service-quotas"],
    "kms": ["kms"],
    "s3": ["s3"],
    "sagemaker": ["sagemaker-runtime"],
    "logs": ["logs"],
    "ec2": ["ec2"],
}

# Actions without an operation of the name: what they allow, in AWS's Service Authorization Reference.
WITHOUT_OPERATION = {
    "bedrock:CallWithBearerToken",  # asking by a Bedrock API key
    "bedrock:RenderPrompt",  # naming a prompt in Converse
    "sts:TagSession",  # tags in AssumeRole
}

# What Converse and its kin need: they have no actions of their own.
CALLS = {
    "Converse": "bedrock:InvokeModel",
    "ConverseStream": "bedrock:InvokeModelWithResponseStream",
    "InvokeModel": "bedrock:InvokeModel",
    "InvokeModelWithResponseStream": "bedrock:InvokeModelWithResponseStream",
    "CountTokens": "bedrock:CountTokens",
    "ApplyGuardrail": "bedrock:ApplyGuardrail",
    "InvokeGuardrailChecks": "bedrock:InvokeGuardrailChecks",
}


def run(*arguments):
    command = [os.path.abspath(os.environ["OUTCROP_BIN"]), "iam-policy", *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, env={}, check=True).stdout)


@pytest.fixture(scope="module")
def operations():
    session = botocore.session.get_session()
    names = {name for services in SERVICES.values() for name in services}
    return {name: set(session.get_service_model(name).operation_names) for name in names}


def test_each_action_is_an_operation_of_its_service(operations):
    rows = run("--table", "--json")
    actions = {action for row in rows for action in row["actions"]}
    assert len(actions) > 30
    for action in actions - WITHOUT_OPERATION:
        service, name = action.split(":")
        assert any(name in operations[model] for model in SERVICES[service]), action
    assert not any(
        action.split(":")[1] in operations[model]
        for action in WITHOUT_OPERATION
        for model in SERVICES[action.split(":")[0]]
    )


def test_each_call_that_the_gateway_makes_of_the_runtime_is_allowed(operations):
    policy = run("--region", "us-east-1", "--guardrail-id", "gr1", "--guardrail-version", "1")
    policy["Statement"] += run("--region", "us-east-1")["Statement"]
    granted = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert set(CALLS) <= operations["bedrock-runtime"]
    assert set(CALLS.values()) <= granted
    assert "Rerank" in operations["bedrock-agent-runtime"] and "bedrock:Rerank" in granted

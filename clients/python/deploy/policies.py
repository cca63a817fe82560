"""What `outcrop iam-policy` prints, for the tests of templates and modules."""

import json
import os
import subprocess

import pytest


def printed(*arguments):
    """The policy for these flags, with no settings but theirs."""
    binary = os.environ.get("OUTCROP_BIN")
    if not binary:
        pytest.skip("OUTCROP_BIN names no binary")
    run = subprocess.run([binary, "iam-policy", *arguments], capture_output=True, text=True, env={}, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def actions(policy):
    found = set()
    for statement in policy["Statement"]:
        listed = statement["Action"]
        found |= {listed} if isinstance(listed, str) else set(listed)
    return found


SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
OWN = "own-models,own-model-list,look-up"

# Settings of the templates and the modules, with the flags that say the same to the command.
CASES = {
    "plain": ({}, ["--without", OWN]),
    "own models": ({"own_models": True}, []),
    "guardrail": ({"guardrail": True}, ["--guardrail-id", "gr1", "--guardrail-version", "1", "--without", OWN]),
    "database": ({"database": True}, ["--database", f"{SECRET}db-AbCdEf", "--without", OWN]),
}


def expected(place, flags):
    """Of a deployment whose key stands in Secrets Manager."""
    return actions(printed("--region", "us-east-1", "--for", place, "--api-keys", f"{SECRET}keys-AbCdEf", *flags))

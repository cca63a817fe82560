"""Secrets Manager and Systems Manager's parameters, as boto3 sees them."""

import json

import pytest

from known_keys import API_KEY
from talk import refused


@pytest.fixture
def secrets(connect):
    return connect("secretsmanager")


@pytest.fixture
def ssm(connect):
    return connect("ssm")


OTHER = {"aws_access_key_id": "AKIDSIMULATOROTHER00"}
RUNTIME = {"aws_access_key_id": "AKIDSIMULATORRUNTIME"}


def test_secrets(secrets):
    plain = secrets.get_secret_value(SecretId="simulator/api-key")
    assert plain["SecretString"] == API_KEY and plain["VersionStages"] == ["AWSCURRENT"]
    assert secrets.get_secret_value(SecretId=plain["ARN"])["Name"] == "simulator/api-key"
    assert secrets.get_secret_value(SecretId=plain["ARN"].rsplit("-", 1)[0])["SecretString"] == API_KEY
    held = secrets.get_secret_value(SecretId="simulator/json", VersionStage="AWSCURRENT")["SecretString"]
    assert json.loads(held)["api_key"] == API_KEY
    assert secrets.get_secret_value(SecretId="simulator/binary")["SecretBinary"] == b"simulator-bytes"


def test_secrets_that_arent_there(connect, secrets):
    message = refused(lambda: secrets.get_secret_value(SecretId="nothing"), "ResourceNotFoundException")
    assert message == "Secrets Manager can't find the specified secret."
    message = refused(
        lambda: secrets.get_secret_value(SecretId="simulator/json", VersionStage="AWSPREVIOUS"),
        "ResourceNotFoundException",
    )
    assert message.endswith("for staging label: AWSPREVIOUS")
    other = connect("secretsmanager", **OTHER)
    refused(lambda: other.get_secret_value(SecretId="simulator/json"), "ResourceNotFoundException")


def test_parameters(ssm):
    plain = ssm.get_parameter(Name="/simulator/region")["Parameter"]
    assert (plain["Type"], plain["Value"], plain["Version"]) == ("String", "us-east-1", 1)
    sealed = ssm.get_parameter(Name="/simulator/api-key")["Parameter"]
    assert sealed["Type"] == "SecureString" and API_KEY not in sealed["Value"]
    assert ssm.get_parameter(Name="/simulator/api-key", WithDecryption=True)["Parameter"]["Value"] == API_KEY
    assert ssm.get_parameter(Name=sealed["ARN"], WithDecryption=True)["Parameter"]["Value"] == API_KEY
    assert ssm.get_parameter(Name="/simulator/api-key:1")["Parameter"]["Selector"] == ":1"


def test_several_parameters(ssm):
    found = ssm.get_parameters(Names=["/simulator/json", "/simulator/region", "/nothing"], WithDecryption=True)
    assert [parameter["Name"] for parameter in found["Parameters"]] == ["/simulator/json", "/simulator/region"]
    assert json.loads(found["Parameters"][0]["Value"])["api_key"] == API_KEY
    assert found["InvalidParameters"] == ["/nothing"]


def test_parameters_that_arent_there(ssm):
    refused(lambda: ssm.get_parameter(Name="/nothing"), "ParameterNotFound")
    refused(lambda: ssm.get_parameter(Name="/simulator/region:2"), "ParameterVersionNotFound")


def test_rights_are_needed(connect):
    message = refused(
        lambda: connect("secretsmanager", **RUNTIME).get_secret_value(SecretId="simulator/json"),
        "AccessDeniedException",
    )
    assert "is not authorized to perform: secretsmanager:GetSecretValue on resource: simulator/json" in message
    ssm = connect("ssm", **RUNTIME)
    refused(lambda: ssm.get_parameter(Name="/simulator/region"), "AccessDeniedException")


def test_signatures_are_checked(connect):
    wrong = connect("ssm", aws_secret_access_key="wrong")
    refused(lambda: wrong.get_parameter(Name="/simulator/region"), "InvalidSignatureException")
    far = connect("secretsmanager", region_name="eu-west-1")
    refused(lambda: far.get_secret_value(SecretId="simulator/json"), "InvalidSignatureException")


def test_members_are_checked(connect):
    ssm = connect("ssm", parameter_validation=False)
    assert "at 'names'" in refused(lambda: ssm.get_parameters(Names=[]))
    assert "at 'secretId'" in refused(
        lambda: connect("secretsmanager", parameter_validation=False).get_secret_value(SecretId="")
    )
    refused(lambda: connect("ssm").describe_parameters(), "UnknownOperationException")

"""Where the gateway finds its own credentials, as all of AWS's SDKs do: each of them is played by the simulator."""

import datetime
import hashlib
import json

import pytest

from support.process import Gateway, Simulator

ROLE = "arn:aws:iam::123456789012:role/simulator-"


@pytest.fixture(scope="module")
def simulator():
    running = Simulator()
    yield running
    running.close()


@pytest.fixture
def ask(simulator):
    """Starts a gateway with an environment, asks a model, and tells what the simulator was asked for."""

    def asked(**environment):
        url = simulator.endpoints["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
        before = simulator.state()["calls"]["total"]
        given = {name: value.replace("URL", url) for name, value in environment.items()}
        around = {**simulator.endpoints, "AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1"}
        with Gateway(env=around | given) as gateway:
            reply = gateway.chat("[[sim:text Hello]]")
        assert reply.status_code == 200, reply.text
        state = simulator.state()
        calls = state["calls"]["total"] - before
        return [request["operation"] for request in state["requests"][-calls:]]

    return asked


def test_an_instance(ask):
    operations = ask(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT="URL")
    assert "GetMetadataToken" in operations and "GetMetadata" in operations


def test_a_container(ask):
    assert "GetContainerCredentials" in ask(AWS_CONTAINER_CREDENTIALS_FULL_URI="URL/v2/credentials/simulator")


def test_a_pod(ask):
    operations = ask(
        AWS_CONTAINER_CREDENTIALS_FULL_URI="URL/v1/credentials",
        AWS_CONTAINER_AUTHORIZATION_TOKEN="simulator-container-token",
    )
    assert "GetPodCredentials" in operations


def test_a_web_identity(ask, tmp_path):
    (tmp_path / "token").write_text("simulator-web-identity-token")
    operations = ask(AWS_ROLE_ARN=f"{ROLE}web", AWS_WEB_IDENTITY_TOKEN_FILE=str(tmp_path / "token"))
    assert "AssumeRoleWithWebIdentity" in operations


def test_a_profile_with_a_chain_of_roles(ask, tmp_path):
    (tmp_path / "config").write_text(
        f"""[profile base]
aws_access_key_id = AKIDSIMULATOR0000000
aws_secret_access_key = simulator-secret-access-key
[profile first]
role_arn = {ROLE}bedrock
source_profile = base
[profile chained]
role_arn = arn:aws:iam::210987654321:role/simulator-other-account
source_profile = first
"""
    )
    operations = ask(AWS_CONFIG_FILE=str(tmp_path / "config"), AWS_PROFILE="chained")
    assert operations.count("AssumeRole") == 2


def test_a_user_who_signed_in(ask, tmp_path):
    (tmp_path / "config").write_text(
        """[sso-session simulator]
sso_region = us-east-1
sso_start_url = https://simulator.awsapps.com/start
[profile signed-in]
sso_session = simulator
sso_account_id = 123456789012
sso_role_name = simulator-sso
"""
    )
    cache = tmp_path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    now = datetime.datetime.now(datetime.timezone.utc)

    def moment(**away):
        return (now + datetime.timedelta(**away)).strftime("%Y-%m-%dT%H:%M:%SZ")

    held = {
        "startUrl": "https://simulator.awsapps.com/start",
        "region": "us-east-1",
        "accessToken": "an old one",
        "expiresAt": moment(minutes=-1),
        "clientId": "simulator-client",
        "clientSecret": "simulator-client-secret",
        "registrationExpiresAt": moment(days=1),
        "refreshToken": "simulator-refresh-token",
    }
    (cache / (hashlib.sha1(b"simulator").hexdigest() + ".json")).write_text(json.dumps(held))
    operations = ask(AWS_CONFIG_FILE=str(tmp_path / "config"), AWS_PROFILE="signed-in", HOME=str(tmp_path))
    assert {"CreateToken", "GetRoleCredentials"} <= set(operations)

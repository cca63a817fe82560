"""Credentials that boto3 finds where it runs: EC2, ECS, EKS, and IAM Identity Center."""

import datetime
import hashlib
import json
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.exceptions import ClientError, UnauthorizedSSOTokenError

from talk import NOVA, text_of, user


@pytest.fixture
def session(endpoint, monkeypatch):
    """Makes a session that finds its credentials itself."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def make(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return boto3.Session()

    return make


def who(session):
    asked = session.client("bedrock-runtime").converse(modelId=NOVA, messages=[user("[[sim:text Hello]]")])
    assert text_of(asked) == "Hello"
    return session.client("sts").get_caller_identity()["Arn"]


def fetch(url, method="GET", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, method=method, headers=named)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_an_instance(endpoint, session):
    found = session(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=endpoint)
    assert who(found) == "arn:aws:sts::123456789012:assumed-role/simulator-instance/i-0123456789abcdef0"


def test_metadata_needs_a_token(endpoint):
    path = f"{endpoint}/latest/meta-data/placement/region"
    assert fetch(path)[0] == 401
    assert fetch(path, X_aws_ec2_metadata_token="made up")[0] == 401
    assert fetch(f"{endpoint}/latest/api/token", "PUT")[0] == 400
    assert fetch(f"{endpoint}/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="90000")[0] == 400
    proxied = {"X_aws_ec2_metadata_token_ttl_seconds": "60", "X_Forwarded_For": "10.0.0.1"}
    assert fetch(f"{endpoint}/latest/api/token", "PUT", **proxied)[0] == 403
    _, token = fetch(f"{endpoint}/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="60")
    assert fetch(path, X_aws_ec2_metadata_token=token) == (200, "us-east-1")
    document = fetch(f"{endpoint}/latest/dynamic/instance-identity/document", X_aws_ec2_metadata_token=token)[1]
    assert json.loads(document)["region"] == "us-east-1"
    missing = f"{endpoint}/latest/meta-data/iam/security-credentials/another"
    assert fetch(missing, X_aws_ec2_metadata_token=token)[0] == 404


def test_a_container(endpoint, session):
    found = session(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{endpoint}/v2/credentials/simulator")
    assert who(found).endswith("assumed-role/simulator-task/simulator-container")
    assert fetch(f"{endpoint}/v2/credentials/another")[0] == 404
    assert fetch(f"{endpoint}/v2/credentials/simulator", Authorization="wrong")[0] == 401


def test_a_pod(endpoint, session, tmp_path):
    (tmp_path / "token").write_text("simulator-container-token")
    found = session(
        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{endpoint}/v1/credentials",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "token"),
    )
    assert who(found).endswith("assumed-role/simulator-pod/simulator-container")
    assert fetch(f"{endpoint}/v1/credentials")[0] == 401


def sign_in(monkeypatch, tmp_path, token="simulator-sso-token", role="simulator-sso", minutes=60):
    """What `aws sso login` leaves behind."""
    (tmp_path / "config").write_text(
        f"""[sso-session simulator]
sso_region = us-east-1
sso_start_url = https://simulator.awsapps.com/start
[profile signed-in]
sso_session = simulator
sso_account_id = 123456789012
sso_role_name = {role}
region = us-east-1
"""
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    cache = tmp_path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    form = "%Y-%m-%dT%H:%M:%SZ"
    held = {
        "startUrl": "https://simulator.awsapps.com/start",
        "region": "us-east-1",
        "accessToken": token,
        "expiresAt": (now + datetime.timedelta(minutes=minutes)).strftime(form),
        "clientId": "simulator-client",
        "clientSecret": "simulator-client-secret",
        "registrationExpiresAt": (now + datetime.timedelta(days=1)).strftime(form),
        "refreshToken": "simulator-refresh-token",
    }
    (cache / (hashlib.sha1(b"simulator").hexdigest() + ".json")).write_text(json.dumps(held))


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """botocore's own place for tokens is read at import; another one for the time of a test."""
    from botocore.tokens import SSOTokenProvider
    from botocore.utils import JSONFileCache

    import botocore.credentials

    folder = str(tmp_path / ".aws" / "sso" / "cache")
    monkeypatch.setattr(SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", folder)
    monkeypatch.setattr(botocore.credentials.SSOProvider, "_SSO_TOKEN_CACHE_DIR", folder)
    return JSONFileCache(folder)


def test_a_user_who_signed_in(session, monkeypatch, tmp_path, cache):
    sign_in(monkeypatch, tmp_path)
    session()
    arn = who(boto3.Session(profile_name="signed-in"))
    assert arn == "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_simulator-sso_0123456789abcdef/simulator"


def test_a_token_is_renewed(session, monkeypatch, tmp_path, cache, state):
    sign_in(monkeypatch, tmp_path, token="an old one", minutes=-1)
    session()
    assert "simulator-sso" in who(boto3.Session(profile_name="signed-in"))
    renewed = [request for request in state()["requests"] if request["operation"] == "CreateToken"][-1]
    assert renewed["body"]["refreshToken"] == "[redacted]" and renewed["body"]["clientSecret"] == "[redacted]"


@pytest.mark.parametrize(
    ("more", "error"), [({"token": "wrong"}, UnauthorizedSSOTokenError), ({"role": "admin"}, ClientError)]
)
def test_who_may_not(session, monkeypatch, tmp_path, cache, more, error):
    sign_in(monkeypatch, tmp_path, **more)
    session()
    with pytest.raises(error):
        who(boto3.Session(profile_name="signed-in"))

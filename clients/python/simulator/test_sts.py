"""STS, and what its credentials are good for, as boto3 sees them."""

import time
import urllib.error
import urllib.request

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from known_keys import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from talk import NOVA, refused, text_of, user

ROLE = "arn:aws:iam::123456789012:role/simulator-"
OTHER_ACCOUNT = "arn:aws:iam::210987654321:role/simulator-other-account"


@pytest.fixture
def sts(connect):
    return connect("sts")


def keys(credentials):
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def assume(sts, role=f"{ROLE}bedrock", **more):
    return sts.assume_role(RoleArn=role, RoleSessionName="me", **more)


def ask(client):
    return text_of(client.converse(modelId=NOVA, messages=[user("[[sim:text Hello]]")]))


def test_who_calls(connect, sts):
    identity = sts.get_caller_identity()
    assert identity["Account"] == "123456789012" and identity["Arn"] == "arn:aws:iam::123456789012:user/simulator"
    other = connect("sts", aws_access_key_id="AKIDSIMULATOROTHER00").get_caller_identity()
    assert other["Account"] == "210987654321"


def test_an_assumed_role_asks_a_model(connect, sts):
    tags = [{"Key": "team", "Value": "a b"}]
    answer = assume(sts, DurationSeconds=900, Tags=tags, Policy='{"Version": "2012-10-17"}')
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/simulator-bedrock/me"
    assert answer["PackedPolicySize"] > 0
    assert 800 < answer["Credentials"]["Expiration"].timestamp() - time.time() <= 900
    assert ask(connect(**keys(answer["Credentials"]))) == "Hello"
    assert connect("sts", **keys(answer["Credentials"])).get_caller_identity()["Arn"].endswith("simulator-bedrock/me")
    assert connect("bedrock", **keys(answer["Credentials"])).list_foundation_models()["modelSummaries"]


def test_any_region_signs_for_sts(connect):
    assert assume(connect("sts", region_name="eu-west-1"))["Credentials"]


def test_a_chain_of_roles_leads_to_another_account(connect, sts):
    message = refused(lambda: assume(sts, OTHER_ACCOUNT), "AccessDenied")
    assert message == (
        "User: arn:aws:iam::123456789012:user/simulator is not authorized to perform: sts:AssumeRole on resource: "
        + OTHER_ACCOUNT
    )
    first = connect("sts", **keys(assume(sts)["Credentials"]))
    second = assume(first, OTHER_ACCOUNT)["Credentials"]
    assert connect("sts", **keys(second)).get_caller_identity()["Account"] == "210987654321"
    assert ask(connect(**keys(second))) == "Hello"
    assert "role chaining" in refused(lambda: assume(first, OTHER_ACCOUNT, DurationSeconds=7200), "ValidationError")


def test_an_external_id_is_asked_for(sts):
    assert assume(sts, f"{ROLE}external", ExternalId="simulator-external-id")["Credentials"]
    for more in ({}, {"ExternalId": "another"}):
        assert "not authorized to perform: sts:AssumeRole" in refused(
            lambda: assume(sts, f"{ROLE}external", **more), "AccessDenied"
        )


@pytest.mark.parametrize("name", ["nobody", "that-isnt-there", "web"])
def test_roles_that_are_not_for_the_caller(sts, name):
    refused(lambda: assume(sts, f"{ROLE}{name}"), "AccessDenied")


def test_credentials_end(connect, endpoint):
    sts = connect("sts", parameter_validation=False)
    client = connect(**keys(assume(sts, f"{ROLE}short", DurationSeconds=1)["Credentials"]))
    deadline = time.time() + 30
    while time.time() < deadline:
        try:
            ask(client)
        except client.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "ExpiredTokenException"
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
            break
        time.sleep(0.1)
    else:
        pytest.fail("the credentials never ended")
    old = connect("sts", aws_access_key_id="ASIASIMULATOREXPIRED", aws_session_token="simulator-expired-token")
    assert "expired" in refused(old.get_caller_identity, "ExpiredToken")


def test_another_token_isnt_good(connect, sts):
    credentials = assume(sts)["Credentials"]
    other = assume(sts)["Credentials"]
    mixed = {**credentials, "SessionToken": other["SessionToken"]}
    refused(lambda: ask(connect(**keys(mixed))), "UnrecognizedClientException")
    mixed = {**credentials, "SecretAccessKey": other["SecretAccessKey"]}
    refused(lambda: ask(connect(**keys(mixed))), "InvalidSignatureException")


def test_wrong_keys(connect):
    refused(connect("sts", aws_secret_access_key="wrong").get_caller_identity, "SignatureDoesNotMatch")
    refused(connect("sts", aws_access_key_id="AKIDUNKNOWN").get_caller_identity, "InvalidClientTokenId")


@pytest.fixture
def unsigned(connect):
    return connect("sts", config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}))


def federate(sts, token="simulator-web-identity-token", role=f"{ROLE}web"):
    return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="pod", WebIdentityToken=token)


def test_a_web_identity_needs_no_signature(connect, unsigned):
    answer = federate(unsigned)
    assert answer["AssumedRoleUser"]["Arn"].endswith("assumed-role/simulator-web/pod")
    assert answer["SubjectFromWebIdentityToken"]
    assert ask(connect(**keys(answer["Credentials"]))) == "Hello"


def test_web_identities_that_arent_right(unsigned):
    refused(lambda: federate(unsigned, "another-token"), "InvalidIdentityToken")
    refused(lambda: federate(unsigned, "simulator-expired-web-identity-token"), "ExpiredTokenException")
    message = refused(lambda: federate(unsigned, role=f"{ROLE}bedrock"), "AccessDenied")
    assert message == "Not authorized to perform sts:AssumeRoleWithWebIdentity"


def test_web_identity_tokens_arent_shown(unsigned, state):
    federate(unsigned)
    last = state()["requests"][-1]
    assert last["operation"] == "AssumeRoleWithWebIdentity"
    assert last["body"]["WebIdentityToken"] == "[redacted]" and last["body"]["RoleSessionName"] == "pod"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"RoleSessionName": "a b"}, "at 'roleSessionName' failed to satisfy constraint"),
        ({"RoleArn": "short"}, "at 'roleArn' failed to satisfy constraint"),
        ({"RoleArn": "not-an-arn-but-long-enough"}, "not-an-arn-but-long-enough is invalid"),
        ({"DurationSeconds": 60}, "at 'durationSeconds' failed to satisfy constraint"),
        ({"DurationSeconds": 7200}, "exceeds the MaxSessionDuration"),
        ({"ExternalId": "x"}, "at 'externalId' failed to satisfy constraint"),
    ],
)
def test_parameters_are_checked(connect, fields, expected):
    sts = connect("sts", parameter_validation=False)
    given = {"RoleArn": f"{ROLE}bedrock", "RoleSessionName": "me", **fields}
    assert expected in refused(lambda: sts.assume_role(**given), "ValidationError")


def test_what_isnt_sts_is_refused(endpoint):
    for body in ("Action=Fly&Version=2011-06-15", "Action=AssumeRole&Version=2010-01-01", ""):
        request = urllib.request.Request(f"{endpoint}/", data=body.encode(), method="POST")
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request)
        assert raised.value.code == 400 and b"<Code>InvalidAction</Code>" in raised.value.read()
    unsigned = f"{endpoint}/", b"Action=GetCallerIdentity&Version=2011-06-15"
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(*unsigned)
    assert raised.value.code == 403 and b"<Code>MissingAuthenticationToken</Code>" in raised.value.read()


def test_a_policy_is_json(sts):
    refused(lambda: assume(sts, Policy="{"), "MalformedPolicyDocument")


def test_a_profile_with_a_role(endpoint, monkeypatch, tmp_path):
    (tmp_path / "config").write_text(
        f"""[profile base]
aws_access_key_id = {ACCESS_KEY_ID}
aws_secret_access_key = {SECRET_ACCESS_KEY}
[profile first]
role_arn = {ROLE}bedrock
source_profile = base
[profile chained]
role_arn = {OTHER_ACCOUNT}
source_profile = first
role_session_name = chained
region = us-east-1
"""
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    session = boto3.Session(profile_name="chained")
    assert session.client("sts").get_caller_identity()["Arn"].endswith("simulator-other-account/chained")
    assert ask(session.client("bedrock-runtime")) == "Hello"


def test_a_web_identity_from_the_environment(endpoint, monkeypatch, tmp_path):
    (tmp_path / "token").write_text("simulator-web-identity-token")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ROLE_ARN", f"{ROLE}web")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    assert ask(boto3.Session().client("bedrock-runtime")) == "Hello"


class TestPresigned:
    """A request that one signs and another sends."""

    HEADER = "x-outcrop-gateway"

    def url(self, sts, seconds=900, header="gateway.example"):
        def add(request, **_):
            request.headers[self.HEADER] = header

        sts.meta.events.register("before-sign.sts.GetCallerIdentity", add)
        return sts.generate_presigned_url("get_caller_identity", ExpiresIn=seconds, HttpMethod="GET")

    def send(self, url, **headers):
        request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def test_says_who_signed_it(self, sts, connect):
        status, body = self.send(self.url(sts), x_outcrop_gateway="gateway.example")
        assert status == 200 and "<Arn>arn:aws:iam::123456789012:user/simulator</Arn>" in body
        session = connect("sts", **keys(assume(sts)["Credentials"]))
        status, body = self.send(self.url(session), x_outcrop_gateway="gateway.example")
        assert status == 200 and ":assumed-role/simulator-bedrock/me</Arn>" in body

    def test_is_sent_with_what_was_signed(self, sts):
        url = self.url(sts)
        assert self.send(url)[0] == 403
        for value in ("other.example", "gateway.example;1"):
            status, body = self.send(url, x_outcrop_gateway=value)
            assert status == 403 and "<Code>SignatureDoesNotMatch</Code>" in body

    @pytest.mark.parametrize(
        ("was", "becomes", "code"),
        [
            ("GetCallerIdentity", "AssumeRole", "SignatureDoesNotMatch"),
            ("X-Amz-Expires=900", "X-Amz-Expires=899", "SignatureDoesNotMatch"),
            ("&Version=2011-06-15", "&Version=2011-06-15&RoleArn=a", "SignatureDoesNotMatch"),
            ("X-Amz-Credential=AKIDSIMULATOR0000000", "X-Amz-Credential=AKIDSIMULATOR0000009", "InvalidClientTokenId"),
            ("X-Amz-Expires=900&", "", "IncompleteSignature"),
            ("X-Amz-Expires=900", "X-Amz-Expires=0", "IncompleteSignature"),
            ("%2Fsts%2F", "%2Fs3%2F", "SignatureDoesNotMatch"),
        ],
    )
    def test_is_sent_as_it_was_signed(self, sts, was, becomes, code):
        url = self.url(sts)
        assert was in url
        status, body = self.send(url.replace(was, becomes), x_outcrop_gateway="gateway.example")
        assert status in (400, 403) and f"<Code>{code}</Code>" in body, body

    def test_ends(self, sts):
        url = self.url(sts, seconds=1)
        deadline = time.monotonic() + 15
        while (answer := self.send(url, x_outcrop_gateway="gateway.example"))[0] == 200:
            assert time.monotonic() < deadline, "it goes on and on"
            time.sleep(0.1)
        assert answer[0] == 403 and "<Code>SignatureDoesNotMatch</Code>" in answer[1] and "expired" in answer[1]

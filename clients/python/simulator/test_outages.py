"""Regions that are slow, that fail and come back, and connections that break, as boto3 sees them."""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from known_keys import API_KEY
from talk import CLAUDE, NOVA, events, refused, text_of, user

REGIONS = "other_regions = true\n"
QUICK = Config(retries={"total_max_attempts": 1}, read_timeout=1)


@pytest.fixture
def world(simulator, connect):
    """A simulator of all regions, and a client maker."""

    def start(scenario=""):
        running = simulator(REGIONS + scenario)
        running.connect = lambda region="us-east-1", service="bedrock-runtime", **more: connect(
            service, endpoint_url=running.url, region_name=region, **more
        )
        return running

    return start


def ask(client, model=NOVA, text="[[sim:text Hello]]"):
    return text_of(client.converse(modelId=model, messages=[user(text)]))


# Outages


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("throttle", "ThrottlingException", 429),
        ("unavailable", "ServiceUnavailableException", 503),
        ("internal", "InternalServerException", 500),
        ("not-ready", "ModelNotReadyException", 429),
    ],
)
def test_a_region_goes_and_comes_back(world, kind, code, status):
    running = world()
    running.put("outages", {"region": "us-west-2", "kind": kind})
    west = running.connect("us-west-2")
    with pytest.raises(ClientError) as raised:
        ask(west)
    assert raised.value.response["Error"]["Code"] == code
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    refused(running.connect("us-west-2", "bedrock").list_foundation_models, code)
    assert ask(running.connect()) == "Hello"
    running.delete("outages")
    assert ask(west) == "Hello"


def test_an_outage_of_a_model_or_an_operation(world):
    running = world()
    running.put("outages", {"model": "claude"}, {"operation": "ListFoundationModels"})
    client = running.connect()
    refused(lambda: ask(client, CLAUDE), "ServiceUnavailableException")
    assert ask(client) == "Hello"
    control = running.connect(service="bedrock")
    refused(control.list_foundation_models, "ServiceUnavailableException")
    assert control.list_inference_profiles()["inferenceProfileSummaries"]


def test_an_outage_of_an_account(world):
    running = world()
    running.put("outages", {"account": "210987654321"})
    refused(lambda: ask(running.connect(aws_access_key_id="AKIDSIMULATOROTHER00")), "ServiceUnavailableException")
    assert ask(running.connect()) == "Hello"


def test_an_outage_of_a_scenario_ends(world):
    client = world('[[outages]]\nuntil = "3s"\nkind = "throttle"\n').connect()
    refused(lambda: ask(client), "ThrottlingException")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            assert ask(client) == "Hello"
            return
        except ClientError:
            time.sleep(0.05)
    pytest.fail("it never ended")


def test_an_outage_begins_later(world):
    running = world()
    running.put("outages", {"from": "10h"})
    assert ask(running.connect()) == "Hello"
    shown = running.get("outages")["outages"]
    assert shown == [{"from": "10h", "until": None, "kind": "unavailable"}]


def test_connections_break_in_an_outage(world):
    running = world()
    running.put("outages", {"kind": "reset"})
    with pytest.raises(ConnectionClosedError):
        ask(running.connect(config=QUICK))
    running.put("outages", {"kind": "silence"})
    with pytest.raises(ReadTimeoutError):
        ask(running.connect(config=QUICK))
    running.put("outages", {"kind": "html"})
    with pytest.raises(ClientError) as raised:
        ask(running.connect(config=QUICK))
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    running.delete("outages")
    assert ask(running.connect()) == "Hello"


def test_mistakes_are_told(world):
    with pytest.raises(urllib.error.HTTPError) as raised:
        world().put("outages", {"kind": "flood"})
    assert raised.value.code == 400 and "flood" in json.load(raised.value)["message"]


# Latencies


def test_slow_regions(world):
    running = world('[[latencies]]\nregion = "us-west-2"\nmodel = "nova"\nfirst_byte = "1h"\n')
    with pytest.raises(ReadTimeoutError):
        ask(running.connect("us-west-2", config=QUICK))
    assert ask(running.connect("us-west-2"), CLAUDE)
    assert ask(running.connect()) == "Hello"
    running.delete("latencies")
    assert ask(running.connect("us-west-2")) == "Hello"


# Regions of API keys


def converse(url, key, host=None):
    target = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(target.hostname, target.port)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **({"Host": host} if host else {})}
    body = json.dumps({"messages": [user("Hello")]})
    connection.request("POST", f"/model/{urllib.parse.quote(NOVA, safe='')}/converse", body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_api_keys_of_regions(world):
    running = world()
    running.put("outages", {"region": "eu-west-1"})
    assert converse(running.url, API_KEY) == 200
    assert converse(running.url, f"{API_KEY}-eu-west-1") == 503
    assert converse(running.url, API_KEY, "bedrock-runtime.eu-west-1.amazonaws.com") == 503
    assert converse(running.url, "another") == 403
    running.put("outages", {"account": "210987654321"})
    assert converse(running.url, f"{API_KEY}-other") == 503
    assert converse(running.url, f"{API_KEY}-other-eu-west-1") == 503
    assert converse(running.url, f"{API_KEY}-eu-west-1") == 200


# Faults of one call


def test_a_connection_is_reset_before_any_answer(connect):
    with pytest.raises(ConnectionClosedError):
        ask(connect(), text="[[sim:reset]]")


def test_nobody_answers(connect):
    with pytest.raises(ReadTimeoutError):
        ask(connect(config=QUICK), text="[[sim:silence]]")


def test_a_frame_is_cut(connect):
    seen = []
    stream = events(connect(), "[[sim:tokens 50]] [[sim:cut-frame after=4]]", model=CLAUDE)
    for event in stream:
        seen.append(event)
    assert len(seen) == 4 and "messageStop" not in seen[-1]


def test_retry_after_is_told(connect):
    with pytest.raises(ClientError) as raised:
        ask(connect(), text="[[sim:error ThrottlingException retry-after=7]]")
    assert raised.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"


def test_a_throttle_once_then_an_answer(world):
    running = world('[[rules]]\ncall = 1\nactions = ["error ThrottlingException"]\n')
    client = running.connect()
    refused(lambda: ask(client), "ThrottlingException")
    assert ask(client) == "Hello"


def test_other_services_fail_by_scenario(world):
    running = world('[[rules]]\noperation = "AssumeRole"\ncall = 1\nactions = ["error ServiceUnavailableException"]\n')
    sts = running.connect(service="sts")
    role = {"RoleArn": "arn:aws:iam::123456789012:role/simulator-bedrock", "RoleSessionName": "me"}
    refused(lambda: sts.assume_role(**role), "ServiceUnavailable")
    assert sts.assume_role(**role)["Credentials"]


# What accounts hold


def test_roles_secrets_and_parameters_of_a_scenario(world):
    running = world(
        """
[[roles]]
arn = "arn:aws:iam::555555555555:role/mine"
principals = ["arn:aws:iam::123456789012:user/simulator"]
[[secrets]]
name = "mine"
value = "first"
[[parameters]]
name = "/mine"
value = "sealed"
secure = true
"""
    )
    role = {"RoleArn": "arn:aws:iam::555555555555:role/mine", "RoleSessionName": "me"}
    assert running.connect(service="sts").assume_role(**role)["Credentials"]
    other = running.connect(service="sts", aws_access_key_id="AKIDSIMULATOROTHER00")
    refused(lambda: other.assume_role(**role), "AccessDenied")
    secrets = running.connect("eu-west-1", "secretsmanager")
    assert secrets.get_secret_value(SecretId="mine")["SecretString"] == "first"
    running.put("secrets", {"name": "mine", "value": "second"})
    assert secrets.get_secret_value(SecretId="mine")["SecretString"] == "second"
    ssm = running.connect(service="ssm")
    assert ssm.get_parameter(Name="/mine", WithDecryption=True)["Parameter"]["Value"] == "sealed"
    running.put("parameters", {"name": "/mine", "value": "plain"})
    assert ssm.get_parameter(Name="/mine")["Parameter"]["Value"] == "plain"

"""Our credentials towards AWS, and what the client learns of them: nothing that reads like its own."""

import re

import pytest

from support import settings, shapes
from support.process import Gateway

WRONG = {
    "wrong secret": {"AWS_SECRET_ACCESS_KEY": "wrongwrongwrongwrongwrongwrongwrongwrong"},
    "unknown access key": {"AWS_ACCESS_KEY_ID": "AKIAUNKNOWNUNKNOWN00"},
    "no credentials": {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
    "wrong api key": {"AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key-wrong"},
}


@pytest.mark.parametrize("env", WRONG.values(), ids=WRONG)
def test_wrong_credentials_are_never_the_clients_401(stacked, env):
    stack = stacked(env=env)
    for stream in (False, True):
        reply = stack.gateway.chat("[[sim:text ok]]", body={"stream": stream})
        error = shapes.check_error(reply, (502, 503), code="upstream_credentials")
        assert "wrongwrong" not in reply.text and "bedrock-api-key-wrong" not in reply.text, error


def test_an_api_key_of_bedrocks(stacked, mark):
    """The simulator may or may not know this key; that it is sent, and nothing is signed, is what matters."""
    stack = stacked(env={"AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key-for-tests", "AWS_ACCESS_KEY_ID": None})
    stack.gateway.chat(f"{mark} [[sim:text ok]]")
    requests = stack.simulator.requests(mark)
    assert requests, f"no call came: {stack.simulator.state()['requests']}"
    headers = {name.lower(): value for name, value in dict(requests[-1]["headers"]).items()}
    assert headers["authorization"] == "Bearer [redacted]"
    assert "x-amz-security-token" not in headers


def test_an_api_key_that_the_simulator_takes(stacked):
    stack = stacked()
    lines = "\n".join(stack.simulator.stdout)
    token = re.search(r"AWS_BEARER_TOKEN_BEDROCK=['\"]?([^\s'\"]+)", lines)
    if not token:
        pytest.skip("the simulator prints no API key")
    with Gateway(env=stack.simulator.endpoints | {"AWS_BEARER_TOKEN_BEDROCK": token.group(1)}) as gateway:
        assert gateway.chat("[[sim:text ok]]").status_code == 200


def test_a_shared_credentials_file(stacked, tmp_path):
    stack = stacked()
    given = stack.simulator.credentials
    (tmp_path / "credentials").write_text(
        f"[quarry]\naws_access_key_id = {given['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {given['AWS_SECRET_ACCESS_KEY']}\n"
    )
    (tmp_path / "config").write_text("[profile quarry]\nregion = us-east-1\n")
    env = {name: value for name, value in stack.simulator.endpoints.items() if name != "AWS_REGION"}
    env |= {
        "AWS_PROFILE": "quarry",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
    }
    with Gateway(env=env) as gateway:
        assert gateway.chat("[[sim:text ok]]").status_code == 200


def test_the_secret_is_in_no_log(stacked):
    stack = stacked(env={"RUST_LOG": "trace"})
    assert stack.gateway.chat("[[sim:text ok]]").status_code == 200
    stack.gateway.terminate()
    stack.gateway.wait()
    assert stack.simulator.credentials["AWS_SECRET_ACCESS_KEY"] not in "\n".join(stack.gateway.stderr)


def test_the_region_is_in_the_signature(stacked, mark):
    stack = stacked()
    assert stack.gateway.chat(f"{mark} [[sim:text ok]]").status_code == 200
    headers = {name.lower(): value for name, value in dict(stack.simulator.requests(mark)[0]["headers"]).items()}
    assert f"/{settings.REGION}/bedrock/aws4_request" in headers["authorization"], headers
    assert settings.KEY not in str(headers), "the client's key went to AWS"

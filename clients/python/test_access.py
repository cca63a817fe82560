"""Who may ask: keys, and what the gateway listens on without one."""

import openai
import pytest

from support import settings, shapes
from support.process import Gateway, Process, run
from support.wire import Connection, chat_body, chat_head

BODY = {"model": settings.NOVA, "messages": [{"role": "user", "content": "[[sim:text ok]]"}]}


def ask(gateway, path="/v1/chat/completions", **headers):
    """A request with exactly these credentials."""
    headers = {"authorization": None} | {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway.request("POST", path, json=BODY, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {settings.KEY}"},
        {"authorization": f"bearer {settings.KEY}"},
        {"api_key": settings.KEY},
    ],
    ids=str,
)
def test_the_key_opens(gateway, headers):
    assert ask(gateway, **headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer"},
        {"authorization": settings.KEY},
        {"authorization": f"Basic {settings.KEY}"},
        {"authorization": f"Bearer {settings.KEY}x"},
        {"authorization": f"Bearer {settings.KEY[:-1]}"},
        {"authorization": f"Bearer {settings.KEY.upper()}"},
        {"authorization": f"Bearer {settings.KEY} {settings.KEY}"},
        {"authorization": f"Bearer {settings.KEY},sk-other"},
        {"api_key": "wrong"},
        {"api_key": ""},
        {"authorization": "Bearer " + "x" * 5000},
    ],
    ids=lambda headers: str(headers)[:60],
)
def test_anything_else_does_not(gateway, headers):
    reply = ask(gateway, **headers)
    error = shapes.check_error(reply, 401, kind="invalid_request_error")
    assert settings.KEY not in reply.text
    assert "x" * 100 not in error["message"], "the key comes back unchecked"


def test_the_sdk_raises_its_authentication_error(gateway):
    with pytest.raises(openai.AuthenticationError) as caught:
        gateway.openai(api_key="sk-wrong").chat.completions.create(**BODY)
    assert caught.value.code == "invalid_api_key"


@pytest.mark.parametrize(
    "path", ["/v1/models", "/models", "/v1/chat/completions", "/openai/deployments/x/chat/completions"]
)
def test_no_route_forgets_to_ask(gateway, path):
    shapes.check_error(gateway.request("POST" if "chat" in path else "GET", path, headers={"authorization": None}), 401)


def test_two_credentials_that_contradict_each_other_are_refused(gateway):
    for headers in (
        {"authorization": f"Bearer {settings.KEY}", "api_key": "sk-other"},
        {"authorization": "Bearer sk-other", "api_key": settings.KEY},
    ):
        shapes.check_error(ask(gateway, **headers), (400, 401))


def test_two_credentials_that_agree_are_fine(gateway):
    assert ask(gateway, authorization=f"Bearer {settings.KEY}", api_key=settings.KEY).status_code == 200


@pytest.mark.parametrize("second", ["sk-other", ""], ids=["other", "empty"])
@pytest.mark.parametrize("swap", [False, True], ids=["right first", "right last"])
def test_two_headers_of_one_name_are_refused(gateway, second, swap):
    body = chat_body("[[sim:text ok]]")
    headers = [f"Authorization: Bearer {settings.KEY}", f"Authorization: Bearer {second}"]
    with Connection(gateway.port) as connection:
        connection.send(chat_head(reversed(headers) if swap else headers, length=len(body), key=None) + body)
        shapes.check_error(connection.reply(), (400, 401))


def test_several_keys(serve):
    gateway = serve(env={settings.API_KEYS: "sk-one,sk-two"})
    for key in ("sk-one", "sk-two"):
        assert ask(gateway, authorization=f"Bearer {key}").status_code == 200
    for key in ("sk-one,sk-two", "sk-", "sk-one,"):
        assert ask(gateway, authorization=f"Bearer {key}").status_code == 401


def test_bedrock_access_gateways_variable(serve):
    gateway = serve(key=None, env={"API_KEY": "from-the-other-gateway"})
    assert ask(gateway, authorization="Bearer from-the-other-gateway").status_code == 200
    assert ask(gateway).status_code == 401


def aws(port=9):
    return {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": settings.REGION,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": f"http://127.0.0.1:{port}",
        "AWS_ENDPOINT_URL_BEDROCK": f"http://127.0.0.1:{port}",
    }


def test_without_a_key_on_loopback_it_serves_and_says_so(stack):
    env = stack.simulator.endpoints | stack.simulator.credentials
    with Gateway(env=env, key=None) as gateway:
        assert ask(gateway).status_code == 200
        said = "\n".join(gateway.stdout + gateway.stderr).lower()
        assert "key" in said, f"nothing about the missing key in {gateway.report()}"


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_without_a_key_it_does_not_bind_a_public_address(address):
    ended = run("serve", "--listen", address, env=aws(), timeout=20)
    assert ended.returncode != 0
    assert "--insecure-no-auth" in ended.stderr, f"the way out should be named: {ended.stderr}"


def test_an_empty_key_is_no_key():
    """A forgotten variable must not turn into a password of no letters."""
    ended = run("serve", "--listen", "0.0.0.0:0", env=aws() | {"API_KEY": "", settings.API_KEYS: ""}, timeout=20)
    assert ended.returncode != 0 and "key is empty" in ended.stderr, ended.stderr


def test_unless_told_so():
    with Process("serve", "--listen", "0.0.0.0:0", "--insecure-no-auth", env=aws()) as process:
        process.expect(r"http://\S+:\d+/v1")


def test_with_a_key_it_binds_a_public_address():
    with Process("serve", "--listen", "0.0.0.0:0", env=aws() | {settings.API_KEYS: settings.KEY}) as process:
        process.expect(r"http://\S+:\d+/v1")


def test_the_key_is_in_no_log(serve):
    gateway = serve(env={"RUST_LOG": "trace", settings.API_KEYS: "sk-very-secret-9"}, key=None)
    assert ask(gateway, authorization="Bearer sk-very-secret-9").status_code == 200
    assert ask(gateway, authorization="Bearer sk-guess-of-someone").status_code == 401
    gateway.terminate()
    gateway.wait()
    log = "\n".join(gateway.stderr)
    assert "sk-very-secret-9" not in log and "sk-guess-of-someone" not in log

"""Requests that say themselves who Bedrock is asked as: only as far as the operator allows, and never with a trace."""

import http.server
import json
import threading

import pytest

from support import settings, shapes
from support.process import Gateway, Simulator

ROLE = "arn:aws:iam::123456789012:role/simulator-"
OTHERS_KEYS = {"aws_access_key_id": "AKIDSIMULATOROTHER00", "aws_secret_access_key": "simulator-secret-access-key"}
SESSION = {
    "aws_access_key_id": "ASIASIMULATORSESSION",
    "aws_secret_access_key": "simulator-secret-access-key",
    "aws_session_token": "simulator-session-token",
}
TOKEN = "simulator-web-identity-token"
ALL = (
    "aws_region_name,aws_access_key_id,aws_secret_access_key,aws_session_token,aws_role_name,aws_session_name,"
    "aws_external_id,aws_web_identity_token,aws_profile_name,aws_sts_endpoint,aws_bedrock_runtime_endpoint"
)
SECRETS = ("simulator-secret-access-key", "simulator-session-token", TOKEN, "simulator-external-id", "hush")
# A request to each endpoint that calls models.
REQUESTS = {
    "chat/completions": {"model": settings.NOVA, "messages": [{"role": "user", "content": "hi"}]},
    "completions": {"model": settings.NOVA, "prompt": "hi"},
    "embeddings": {"model": "amazon.titan-embed-text-v2:0", "input": "hi"},
    "images/generations": {"model": "amazon.nova-canvas-v1:0", "prompt": "a hill"},
    "rerank": {"model": "cohere.rerank-v3-5:0", "query": "hi", "documents": ["a", "b"]},
    "moderations": {"model": "simulator00001", "input": "hi"},
    "chat/completions/input_tokens": {
        "model": "anthropic.claude-3-5-haiku-20241022-v1:0",
        "messages": [{"role": "user", "content": "hi"}],
    },
}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    scenario = tmp_path_factory.mktemp("scenario") / "regions.toml"
    scenario.write_text("other_regions = true\n")
    with Simulator("--simulator-scenario", scenario) as running:
        yield running


@pytest.fixture(scope="module")
def start(simulator, tmp_path_factory):
    """Starts a gateway that allows these parameters; afterwards its log, as long as can be, is searched for secrets."""
    running = {}
    folder = tmp_path_factory.mktemp("aws")
    (folder / "config").write_text(f"[profile other]\nrole_arn = {ROLE}bedrock\nsource_profile = keys\n")
    (folder / "credentials").write_text(
        "[keys]\naws_access_key_id = AKIDSIMULATOR0000000\naws_secret_access_key = simulator-secret-access-key\n"
    )

    def started(allowed, *arguments, **environment):
        around = simulator.endpoints | simulator.credentials | {"AWS_ENDPOINT_URL": simulator.url}
        around |= {"AWS_CONFIG_FILE": str(folder / "config"), "RUST_LOG": "trace"}
        around |= {"AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials")}
        around |= {"OUTCROP_REQUEST_AWS_PARAMETERS": allowed} | environment
        like = (arguments, tuple(sorted(around.items())))
        if like not in running:
            running[like] = Gateway(*arguments, env=around)
        return running[like]

    yield started
    for gateway in running.values():
        gateway.terminate()
        gateway.wait()
        log = "\n".join(gateway.stderr)
        assert not [secret for secret in SECRETS if secret in log]


@pytest.fixture(scope="module")
def gateway(start):
    return start(ALL)


@pytest.fixture
def ask(gateway, simulator):
    """Sends a chat with these parameters; gives the reply, and who signed each call that it led to, where, for what."""

    def asked(parameters, to=gateway, **options):
        before = simulator.state()["calls"]["total"]
        reply = to.chat("[[sim:text ok]]", body=parameters, **options)
        assert not [secret for secret in SECRETS if secret in reply.text]
        state = simulator.state()
        calls = state["calls"]["total"] - before
        return reply, [signer(request) for request in state["requests"][len(state["requests"]) - calls :]]

    return asked


def signer(request):
    authorization = request["headers"].get("authorization", "")
    if "Credential=" not in authorization:
        return request["operation"], None, None
    key, _, region, *_ = authorization.split("Credential=")[1].split("/")
    return request["operation"], key, region


@pytest.mark.parametrize("endpoint", REQUESTS)
def test_what_is_not_allowed_is_refused_by_name(start, endpoint):
    for allowed, name in (("", "aws_region_name"), ("aws_region_name", "aws_role_name")):
        gateway = start(allowed)
        for body in ({name: "hush"}, {"extra_body": {name: "hush"}}):
            reply = gateway.request("POST", f"/v1/{endpoint}", json=REQUESTS[endpoint] | body)
            # Cohere's errors have a member more.
            assert (reply.status_code, reply.json()["error"]["param"]) == (400, name), reply.text


def test_a_forms_fields_are_refused_by_name_or_taken(start, gateway, simulator):
    picture = {"image": ("a.png", b"\x89PNG", "image/png")}
    fields = {"model": "amazon.nova-canvas-v1:0", "prompt": "a hill", "aws_region_name": "eu-west-1"}
    reply = start("").request("POST", "/v1/images/edits", data=fields, files=picture)
    shapes.check_error(reply, 400, param="aws_region_name")
    reply = gateway.request("POST", "/v1/images/edits", data=fields | {"aws_region_name": "nowhere"}, files=picture)
    assert "eu-central-1" in shapes.check_error(reply, 400, param="aws_region_name")["message"]


@pytest.mark.parametrize("endpoint", REQUESTS)
def test_each_endpoint_asks_where_the_request_says(gateway, simulator, endpoint):
    gateway.request("POST", f"/v1/{endpoint}", json=REQUESTS[endpoint] | SESSION | {"aws_region_name": "us-west-2"})
    last = simulator.state()["requests"][-1]
    assert signer(last)[1:] == ("ASIASIMULATORSESSION", "us-west-2"), last
    assert "aws_" not in json.dumps(last["body"])


def test_a_region_alone_is_asked_as_the_gateway_itself(ask):
    reply, calls = ask({"aws_region_name": "eu-west-1"})
    assert (reply.status_code, reply.headers["x-bedrock-region"]) == (200, "eu-west-1")
    assert calls == [("Converse", "AKIDSIMULATOR0000000", "eu-west-1")]
    # An SDK's `extra_body` is a part of the body; written by hand it may stand there as it is.
    reply, calls = ask({"extra_body": {"aws_region_name": "us-west-2"}, "aws_region_name": None})
    assert calls == [("Converse", "AKIDSIMULATOR0000000", "us-west-2")]


def test_a_profile_of_the_region_is_called(gateway, simulator, mark):
    body = {"aws_region_name": "eu-west-1"}
    gateway.chat(f"{mark} [[sim:text ok]]", model="claude-sonnet-4-5", body=body)
    (call,) = simulator.requests(mark)
    assert call["path"].startswith("/model/eu.anthropic.claude-sonnet-4-5")


def test_only_allowed_regions(start, ask):
    narrow = start("aws_region_name", "--allowed-regions", "eu-west-1")
    assert ask({"aws_region_name": "eu-west-1"}, narrow)[0].status_code == 200
    reply, calls = ask({"aws_region_name": "us-west-2"}, narrow)
    shapes.check_error(reply, 403, code="region_not_allowed", param="aws_region_name")
    assert not calls
    shapes.check_error(ask({"aws_region_name": "cn-north-1"})[0], 403, code="region_not_allowed")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_keys(ask, stream):
    reply, calls = ask(OTHERS_KEYS | {"stream": stream})
    assert reply.status_code == 200, reply.text
    assert [key for _, key, _ in calls] == ["AKIDSIMULATOROTHER00"]
    reply, calls = ask(SESSION | {"stream": stream})
    assert (reply.status_code, [key for _, key, _ in calls]) == (200, ["ASIASIMULATORSESSION"])


def test_roles(ask, simulator):
    said = {"aws_role_name": f"{ROLE}external", "aws_external_id": "simulator-external-id", "aws_session_name": "me"}
    reply, calls = ask(said)
    assert reply.status_code == 200, reply.text
    assert [operation for operation, *_ in calls] == ["AssumeRole", "Converse"]
    asked = next(request for request in reversed(simulator.state()["requests"]) if request["operation"] == "AssumeRole")
    assert (asked["body"]["RoleSessionName"], asked["body"]["RoleArn"]) == ("me", f"{ROLE}external")
    # The session lasts: the next request needs no other one, and who says something else has none of it.
    assert [operation for operation, *_ in ask(said)[1]] == ["Converse"]
    reply, _ = ask(said | {"aws_external_id": "wrong"})
    shapes.check_error(reply, 502, code="upstream_credentials")
    assert reply.headers["x-should-retry"] == "false"
    # With its own keys, the request assumes the role itself.
    reply, calls = ask(SESSION | {"aws_role_name": f"{ROLE}bedrock"})
    assert (calls[0][:2], reply.status_code) == (("AssumeRole", "ASIASIMULATORSESSION"), 200)


def test_a_web_identity_token(ask):
    reply, calls = ask({"aws_role_name": f"{ROLE}web", "aws_web_identity_token": TOKEN})
    assert reply.status_code == 200, reply.text
    assert calls[0] == ("AssumeRoleWithWebIdentity", None, None)


def test_a_profile(ask):
    reply, calls = ask({"aws_profile_name": "other"})
    assert reply.status_code == 200, reply.text
    assert [operation for operation, *_ in calls] == ["AssumeRole", "Converse"]


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"aws_region_name": 7}, "aws_region_name"),
        ({"aws_region_name": "evil.example/a-b-1"}, "aws_region_name"),
        ({"aws_access_key_id": "AKIDSIMULATOROTHER00"}, "aws_access_key_id"),
        ({"aws_secret_access_key": "hush"}, "aws_secret_access_key"),
        ({"aws_session_token": "hush"}, "aws_session_token"),
        ({"aws_role_name": "simulator-bedrock"}, "aws_role_name"),
        ({"aws_web_identity_token": "hush"}, "aws_web_identity_token"),
        ({"aws_role_name": f"{ROLE}web", "aws_web_identity_token": "file:/etc/passwd"}, "aws_web_identity_token"),
        (OTHERS_KEYS | {"aws_session_token": "os.environ/AWS_SECRET_ACCESS_KEY"}, "aws_session_token"),
        (OTHERS_KEYS | {"aws_profile_name": "other"}, "aws_profile_name"),
    ],
)
def test_what_cannot_be_is_a_400_that_names_it(ask, said, param):
    reply, calls = ask(said)
    shapes.check_error(reply, 400, code="invalid_value", param=param)
    assert not calls and "passwd" not in reply.text


@pytest.fixture
def stranger():
    """A host that is none of AWS's, and what it gets."""

    class Host(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.seen.append(dict(self.headers))
            self.send_error(403)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_host_of_the_requests_choice_gets_nothing_of_the_gateways(start, ask, stranger):
    address = {"aws_bedrock_runtime_endpoint": f"http://127.0.0.1:{stranger.server_port}"}
    keyed = start(ALL, AWS_BEARER_TOKEN_BEDROCK="hush")
    for to in (keyed, start(ALL)):
        for said in (
            address,
            address | {"aws_role_name": f"{ROLE}bedrock"},
            address | {"aws_profile_name": "other"},
            {"aws_sts_endpoint": address["aws_bedrock_runtime_endpoint"], "aws_role_name": f"{ROLE}bedrock"},
        ):
            shapes.check_error(ask(said, to)[0], 400, code="invalid_value")
    assert not stranger.seen
    ask(SESSION | address, keyed)
    assert "ASIASIMULATORSESSION" in stranger.seen[0]["authorization"]


def test_a_dry_run_tells_where_and_no_secret(ask):
    said = SESSION | {"aws_region_name": "eu-west-1", "aws_role_name": f"{ROLE}bedrock"}
    reply, calls = ask(said, headers={"x-outcrop-dry-run": "true"})
    told = reply.json()
    assert "/eu-west-1/bedrock/" in told["headers"]["authorization"]
    assert "aws_" not in json.dumps(told["body"]) and "ASIASIMULATORSESSION" not in reply.text
    assert not calls


def test_answers_are_kept_for_the_same_credentials_alone(start, ask):
    keeping = start(ALL, OUTCROP_RESPONSE_CACHE="memory")
    wrong = SESSION | {"aws_secret_access_key": "hush"}
    for said, expected in ((SESSION, "miss"), (SESSION, "hit"), ({}, "miss"), (OTHERS_KEYS, "miss"), (wrong, None)):
        reply, _ = ask(said | {"temperature": 0}, keeping)
        assert reply.headers.get("x-outcrop-cache") == expected or (reply.status_code, expected) == (502, None), said


def test_what_a_request_brings_counts_for_no_target(start, ask, tmp_path):
    (tmp_path / "outcrop.toml").write_text(
        "breaker_min_calls = 1\nservice_quotas = true\n"
        f'[[accounts]]\nname = "own"\nregion = "eu-west-1"\n'
        f'[[routes]]\nname = "chat"\ntargets = [{{ model = "{settings.NOVA}", account = "own" }}]\n'
    )
    routed = start(ALL, "--config", tmp_path / "outcrop.toml")
    for _ in range(5):
        wrong = SESSION | {"aws_secret_access_key": "hush"}
        reply, calls = ask(wrong | {"model": "chat"}, routed)
        shapes.check_error(reply, 502, code="upstream_credentials")
        # In the region of the target, and by nobody else; nobody asks for quotas in its name.
        assert calls == [("Converse", "ASIASIMULATORSESSION", "eu-west-1")]
    reply, calls = ask({"model": "chat"}, routed)
    assert reply.status_code == 200, reply.text
    assert ("Converse", "AKIDSIMULATOR0000000", "eu-west-1") in calls

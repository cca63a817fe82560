"""Each way to log in at AWS, as an account behind a route: the simulator plays AWS, and what it saw is what counts.

What the gateway itself finds in its environment is in `test_credential_sources.py`, the forms of what goes to STS and
Secrets Manager are in `test_accounts.py`.
"""

import datetime
import hashlib
import json

import pytest

from support import settings, shapes
from support.process import Gateway, Simulator, poll, run

ROLE = "arn:aws:iam::123456789012:role/simulator-"
SECRET = "simulator-secret-access-key"
# Each of these would be enough to be somebody else; none may be seen.
SECRETS = (
    SECRET,
    "simulator-session-token",
    "simulator-web-identity-token",
    "simulator-external-id",
    "simulator-sso-token",
    "bedrock-api-key-simulator",
)
# For each way: what its account says, whose calls are the last, and what was asked before them.
WAYS = {
    "keys": (f'access_key_id = "AKIDSIMULATOROTHER00"\nsecret_access_key = "{SECRET}"', "AKIDSIMULATOROTHER00", []),
    "token": (
        f'access_key_id = "ASIASIMULATORSESSION"\nsecret_access_key = "{SECRET}"\n'
        'session_token = "simulator-session-token"',
        "ASIASIMULATORSESSION",
        [],
    ),
    "profile": ('profile = "chained"', "ASIA", ["AssumeRole", "AssumeRole"]),
    "sso": ('profile = "signed-in"', "ASIA", ["GetRoleCredentials"]),
    "role": (
        f'role_arn = "{ROLE}external"\nexternal_id = "os.environ/EXTERNAL_ID"\nrole_session_name = "me"\n'
        'session_tags = { team = "search" }',
        "ASIA",
        ["AssumeRole"],
    ),
    "hub": (f'role_arn = "{ROLE}bedrock"', "ASIA", ["AssumeRole"]),
    "spoke": (
        'source_account = "hub"\nrole_arn = "arn:aws:iam::210987654321:role/simulator-other-account"',
        "ASIA",
        ["AssumeRole", "AssumeRole"],
    ),
    "web": (
        f'role_arn = "{ROLE}web"\nweb_identity_token = "file:@FOLDER@/token"',
        "ASIA",
        ["AssumeRoleWithWebIdentity"],
    ),
    "api-key": ('bedrock_api_key = "bedrock-api-key-simulator"', "Bearer", []),
    "of-environment": ('bedrock_api_key = "${API_KEY}"', "Bearer", []),
    "of-file": ('bedrock_api_key = "file:@FOLDER@/api-key"', "Bearer", []),
    "of-secret": ('bedrock_api_key = "secretsmanager:simulator/api-key"', "Bearer", ["GetSecretValue"]),
    "of-member": (
        'access_key_id = "secretsmanager:simulator/json#access_key_id"\n'
        'secret_access_key = "secretsmanager:simulator/json#secret_access_key"',
        "AKIDSIMULATOR",
        ["GetSecretValue"],
    ),
    "of-parameter": ('bedrock_api_key = "ssm:/simulator/api-key"', "Bearer", ["GetParameter"]),
    "elsewhere": ('region = "eu-west-1"', "AKIDSIMULATOR0000000", []),
}
CONFIG = f"""
[profile base]
aws_access_key_id = AKIDSIMULATOR0000000
aws_secret_access_key = {SECRET}
[profile first]
role_arn = {ROLE}bedrock
source_profile = base
[profile chained]
role_arn = arn:aws:iam::210987654321:role/simulator-other-account
source_profile = first
[sso-session simulator]
sso_region = us-east-1
sso_start_url = https://simulator.awsapps.com/start
[profile signed-in]
sso_session = simulator
sso_account_id = 123456789012
sso_role_name = simulator-sso
"""


def account(name, said):
    target = f'model = "{settings.NOVA}", account = "{name}"'
    return (
        f'[[accounts]]\nname = "{name}"\n{said}\n',
        f'[[routes]]\nname = "{name}"\ntargets = [{{ {target} }}]\n',
    )


def tables(accounts):
    """Accounts by name, each behind a route of the same name."""
    written = [account(name, said) for name, said in accounts.items()]
    return "\n".join(accounts for accounts, _ in written) + "\n" + "\n".join(routes for _, routes in written)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What lies about on the gateway's machine."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "config").write_text(CONFIG)
    (folder / "token").write_text("simulator-web-identity-token\n")
    (folder / "api-key").write_text("bedrock-api-key-simulator\n")
    cache = folder / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    held = {
        "startUrl": "https://simulator.awsapps.com/start",
        "region": "us-east-1",
        "accessToken": "simulator-sso-token",
        "expiresAt": later.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    (cache / (hashlib.sha1(b"simulator").hexdigest() + ".json")).write_text(json.dumps(held))
    return folder


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    scenario = tmp_path_factory.mktemp("scenario") / "regions.toml"
    scenario.write_text("other_regions = true\n")
    with Simulator("--simulator-scenario", scenario) as running:
        yield running


@pytest.fixture(scope="module")
def environment(simulator, folder):
    around = simulator.endpoints | simulator.credentials | {"AWS_ENDPOINT_URL": simulator.url, "HOME": str(folder)}
    around |= {"AWS_CONFIG_FILE": str(folder / "config"), "EXTERNAL_ID": "simulator-external-id"}
    return around | {"API_KEY": "bedrock-api-key-simulator", "RUST_LOG": "trace"}


@pytest.fixture(scope="module")
def file(folder):
    path = folder / "outcrop.toml"
    ways = {name: said for name, (said, *_) in WAYS.items()}
    path.write_text(tables(ways).replace("@FOLDER@", str(folder)))
    return path


@pytest.fixture(scope="module")
def gateway(environment, file):
    with Gateway("--config", file, env=environment) as running:
        yield running
        running.terminate()
        running.wait()
        log = "\n".join(running.stderr)
        assert not [secret for secret in SECRETS if secret in log]


def calls_since(simulator, before):
    state = simulator.state()
    new = state["calls"]["total"] - before
    return state["requests"][len(state["requests"]) - new :]


def signed_by(request):
    authorization = request["headers"]["authorization"]
    return authorization.split("Credential=")[1] if "Credential=" in authorization else authorization


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_log_in(environment, file, simulator, way):
    """In a gateway of its own, so that nothing was asked before."""
    _, key, asked = WAYS[way]
    with Gateway("--config", file, env=environment) as gateway:
        before = simulator.state()["calls"]["total"]
        reply = gateway.chat("[[sim:text ok]]", model=way)
        assert reply.status_code == 200, reply.text
        *first, last = calls_since(simulator, before)
        assert [request["operation"] for request in first] == asked
        assert signed_by(last).startswith(key)
        # Once is enough, for streams too.
        assert gateway.chat("[[sim:text ok]]", model=way, body={"stream": True}).status_code == 200
        assert [request["operation"] for request in calls_since(simulator, before)][len(first) + 1 :] == ["ConverseStream"]


def test_a_session_is_named_tagged_and_known_by_its_external_id(gateway, simulator):
    before = simulator.state()["calls"]["total"]
    assert gateway.chat("[[sim:text ok]]", model="role").status_code == 200
    asked = calls_since(simulator, before)[0]["body"]
    assert (asked["RoleSessionName"], asked["RoleArn"]) == ("me", f"{ROLE}external")
    assert "search" in json.dumps(asked)


def test_a_region_of_its_own(gateway):
    reply = gateway.chat("[[sim:text ok]]", model="elsewhere")
    assert reply.headers["x-bedrock-region"] == "eu-west-1"


def test_endpoints_of_its_own(environment, tmp_path):
    with Simulator() as other:
        mine = f'endpoint_url = "{other.url}"\nsts_endpoint_url = "{other.url}"\nrole_arn = "{ROLE}bedrock"'
        path = tmp_path / "outcrop.toml"
        path.write_text(tables({"mine": mine}))
        with Gateway("--config", path, env=environment) as gateway:
            assert gateway.chat("[[sim:text ok]]", model="mine").status_code == 200
        assert [request["operation"] for request in other.state()["requests"]] == ["AssumeRole", "Converse"]


def test_nothing_that_is_shown_has_a_secret(gateway, environment, file):
    shown = [
        gateway.get("/v1/models").text,
        gateway.get("/v1/mappings").text,
        gateway.get("/readyz").text,
        *(gateway.chat("hi", model=way, headers={"x-outcrop-dry-run": "true"}).text for way in WAYS),
    ]
    printed = run("config", "print", "--config", str(file), env=environment)
    assert "role_arn" in printed.stdout
    for text in (*shown, printed.stdout, printed.stderr):
        assert not [secret for secret in SECRETS if secret in text], text


# Credentials that end.


def short(simulator):
    """STS and Bedrock at addresses of their own, so that one can go away: the sessions outlive the simulator."""
    return f'role_arn = "{ROLE}short"\nsts_endpoint_url = "{simulator.url}"'


@pytest.fixture
def sts():
    with Simulator() as running:
        yield running


@pytest.fixture
def routed(environment, tmp_path):
    running = []

    def start(text):
        path = tmp_path / "outcrop.toml"
        path.write_text(text)
        running.append(Gateway("--config", path, env=environment))
        return running[-1]

    yield start
    for one in running:
        one.terminate()
        one.wait()
        log = "\n".join(one.stderr)
        one.close()
        assert not [secret for secret in SECRETS if secret in log]


def sessions(sts):
    return [request["operation"] for request in sts.state()["requests"]].count("AssumeRole")


def test_calls_go_on_when_credentials_end(routed, sts):
    gateway = routed(tables({"short": short(sts)}))

    def renewed():
        reply = gateway.chat("[[sim:text ok]]", model="short")
        assert reply.status_code == 200, reply.text
        return sessions(sts) > 2

    # A session lives for five seconds.
    poll(renewed, "a third session", timeout=60)


def test_without_sts_the_old_ones_are_used_until_they_end(routed, sts):
    gateway = routed(tables({"short": short(sts)}))
    assert gateway.chat("[[sim:text ok]]", model="short").status_code == 200
    sts.close()
    assert gateway.chat("[[sim:text ok]]", model="short").status_code == 200
    poll(lambda: gateway.chat("[[sim:text ok]]", model="short").status_code != 200, "the session's end", timeout=60)
    for stream in (False, True):
        reply = gateway.chat("[[sim:text ok]]", model="short", body={"stream": stream})
        shapes.check_error(reply, 502, code="upstream_credentials")
    assert "account 'short'" in str(gateway.record(reply))


def test_another_target_answers_where_there_is_one(routed, sts):
    accounts, _ = account("short", short(sts))
    targets = f'{{ model = "{settings.NOVA}", account = "short" }}, {{ model = "{settings.CLAUDE}" }}'
    gateway = routed(f'{accounts}\n[[routes]]\nname = "chat"\ntargets = [{targets}]\n')

    def answered_by():
        reply = gateway.chat("[[sim:text ok]]", model="chat")
        assert reply.status_code == 200, reply.text
        return reply.headers["x-bedrock-model"]

    assert answered_by() == settings.NOVA
    sts.close()
    poll(lambda: answered_by() == settings.CLAUDE, "an answer of the other target", timeout=60)


# Whether it is ready.


def test_an_account_without_credentials_is_told_and_no_reason_to_go(routed, simulator):
    gateway = routed(tables({"nobody": f'role_arn = "{ROLE}nobody"', "hub": f'role_arn = "{ROLE}bedrock"'}))
    reply = gateway.get("/readyz")
    assert reply.status_code == 200, reply.text
    assert reply.json()["accounts"] == {"hub": "ready", "nobody": "no credentials"}
    assert "role/" not in reply.text

    def logged(*words):
        return lambda: any(all(word in line for word in words) for line in gateway.stderr)

    poll(logged("an account is not ready", "AccessDenied"), "the reason in the log")
    poll(logged("models are routed", "hub"), "the accounts in the log")


def test_no_account_has_credentials(routed):
    gateway = routed(tables({"nobody": f'role_arn = "{ROLE}nobody"'}))
    reply = gateway.get("/readyz")
    assert (reply.status_code, reply.json()["failed"]) == (503, "credentials"), reply.text


def test_the_gateways_own_credentials_may_be_missing(simulator, tmp_path):
    path = tmp_path / "outcrop.toml"
    path.write_text(tables({"keys": WAYS["keys"][0]}))
    with Gateway("--config", path, env=simulator.endpoints) as gateway:
        assert gateway.get("/readyz").status_code == 200
        assert gateway.chat("[[sim:text ok]]", model="keys").status_code == 200
        shapes.check_error(gateway.chat("[[sim:text ok]]"), 502, code="upstream_credentials")
    path.write_text(path.read_text() + f'[[routes]]\nname = "own"\ntargets = [{{ model = "{settings.NOVA}" }}]\n')
    with Gateway("--config", path, env=simulator.endpoints) as gateway:
        reply = gateway.get("/readyz")
        assert (reply.status_code, reply.json()["failed"]) == (503, "credentials"), reply.text

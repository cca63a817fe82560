"""AWS identities as logins: boto3 makes the tokens, the simulator is AWS."""

import base64
import concurrent.futures
import pathlib
import re
import time

import boto3
import httpx
import pytest

from support import settings
from support.logins import Logins
from support.process import Gateway, Simulator, poll, run

ACCOUNT = "123456789012"
USER = f"arn:aws:iam::{ACCOUNT}:user/simulator"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/simulator-bedrock"
PAGE = pathlib.Path(__file__).parents[2] / "docs" / "login.md"
GATEWAY = "127.0.0.1"


def documented():
    """The function that the documentation shows, as it stands there."""
    (code,) = re.findall(r"<!-- the tests run this -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    scope = {}
    exec(code, scope)
    return scope["outcrop_token"]


outcrop_token = documented()


@pytest.fixture(scope="module")
def simulator():
    with Simulator() as running:
        yield running


class Stand:
    """A gateway with a database, and somebody at AWS."""

    def __init__(self, simulator, folder, *arguments, env=None, key=None):
        self.simulator, self.logins = simulator, Logins(folder)
        self.env = simulator.endpoints | simulator.credentials | {"OUTCROP_STS_ENDPOINT_URL": simulator.url}
        self.arguments, self.extra, self.key = arguments, env or {}, key
        self.gateway = self.start()
        self.logins.prepare()

    def start(self):
        return Gateway(*self.arguments, env=self.env | self.logins.environment | self.extra, key=self.key)

    def options(self, **more):
        credentials = self.simulator.credentials
        return {
            "region_name": settings.REGION,
            "endpoint_url": self.simulator.url,
            "aws_access_key_id": credentials["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": credentials["AWS_SECRET_ACCESS_KEY"],
        } | more

    def token(self, gateway=GATEWAY, **more):
        return outcrop_token(gateway, **self.options(**more))

    def session_of_role(self, name="me"):
        sts = boto3.client("sts", **self.options())
        keys = sts.assume_role(RoleArn=ROLE, RoleSessionName=name)["Credentials"]
        return {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }

    def get(self, bearer, path="/v1/models", gateway=None, method="GET", **headers):
        gateway = gateway or self.gateway
        return gateway.request(method, path, headers={"authorization": f"Bearer {bearer}"} | headers)

    def forget(self):
        """Makes the simulator count anew: it keeps the latest requests only, so their number stops growing."""
        httpx.delete(f"{self.simulator.url}/_simulator/state", trust_env=False).raise_for_status()

    def asked(self):
        return [one for one in self.simulator.state()["requests"] if one["operation"] == "GetCallerIdentity"]


@pytest.fixture
def stand(simulator, tmp_path):
    running = []

    def start(*arguments, **options):
        folder = tmp_path / f"state{len(running)}"
        folder.mkdir()
        running.append(Stand(simulator, folder, *arguments, **options))
        return running[-1]

    yield start
    for one in running:
        one.gateway.close()


def code(reply):
    return reply.status_code, reply.json()["error"]["code"]


def let_in(stand, make=None):
    make = make or stand.token
    poll(lambda: stand.get("nobody").status_code == 401, "the gateway asks for a key")
    poll(lambda: stand.get(make()).status_code == 200, "a login is known")


class TestTokens:
    def test_boto3s_token_lets_a_user_in(self, stand):
        one = stand()
        one.logins.iam(USER)
        let_in(one)
        client = one.gateway.openai(api_key=one.token)
        for _ in range(3):
            answer = client.chat.completions.create(
                model=settings.NOVA, messages=[{"role": "user", "content": "[[sim:text Hello]]"}]
            )
            assert answer.choices[0].message.content == "Hello"

    def test_a_role_is_meant_by_its_own_arn(self, stand):
        one = stand()
        one.logins.iam(ROLE)
        keys = one.session_of_role()
        let_in(one, lambda: one.token(**keys))
        assert code(one.get(one.token())) == (403, "unknown_identity")

    def test_whom_nobody_knows_learns_their_own_name(self, stand):
        one = stand()
        one.logins.iam(ROLE)
        let_in(one, lambda: one.token(**one.session_of_role()))
        refused = one.get(one.token())
        assert code(refused) == (403, "unknown_identity") and USER in refused.json()["error"]["message"]

    def test_a_token_is_good_once(self, stand):
        one = stand()
        one.logins.iam(USER)
        let_in(one)
        token = one.token()
        assert one.get(token).status_code == 200
        assert code(one.get(token)) == (401, "replayed_token")
        shared = one.token()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: one.get(shared), range(8)))
        assert sorted(reply.status_code for reply in replies) == [200] + 7 * [401]

    def test_an_instance_that_shares_the_database_knows_what_was_used(self, stand):
        one = stand()
        one.logins.iam(USER)
        let_in(one)
        other = one.start()
        try:
            token = one.token()
            assert one.get(token).status_code == 200
            assert code(one.get(token, gateway=other)) == (401, "replayed_token")
        finally:
            other.close()

    def test_may_be_good_until_it_ends(self, stand):
        one = stand(env={"OUTCROP_IAM_REPLAY": "allow"})
        one.logins.iam(USER)
        let_in(one)
        # Within a second, the same words are signed, and it would be the same token.
        time.sleep(1.1)
        token = one.token()
        one.forget()
        assert [one.get(token).status_code for _ in range(3)] == [200] * 3
        assert len(one.asked()) == 1

    def test_is_for_one_gateway(self, stand):
        one = stand(env={"OUTCROP_IAM_AUDIENCE": "a.example,gateway.example"})
        one.logins.iam(USER)
        let_in(one, lambda: one.token("gateway.example"))
        assert one.get(one.token("a.example")).status_code == 200
        for other in ("b.example", GATEWAY, "gateway.example.evil.example"):
            assert code(one.get(one.token(other))) == (401, "wrong_audience"), other

    def test_a_name_that_the_client_says_is_not_believed(self, stand):
        one = stand()
        one.logins.iam(USER)
        let_in(one)
        reply = one.get(one.token("evil.example"), host="evil.example")
        assert code(reply) == (401, "invalid_token")
        named = stand("--public-url", "https://gateway.example:8443/llm")
        named.logins.iam(USER)
        let_in(named, lambda: named.token("gateway.example"))

    @pytest.mark.parametrize(
        ("was", "becomes", "code_of_it"),
        [
            (b"Action=GetCallerIdentity", b"Action=GetSessionToken", "invalid_token"),
            (b"X-Amz-Expires=900", b"X-Amz-Expires=901", "invalid_token"),
            (b"X-Amz-Expires=900", b"X-Amz-Expires=899", "wrong_audience"),
            (b"http://127.0.0.1", b"http://127.0.0.2", "invalid_token"),
            (b"http://127.0.0.1", b"http://a@127.0.0.1", "invalid_token"),
            (b"AKIDSIMULATOR0000000", b"AKIDSIMULATOR0000009", "invalid_token"),
            (b"&Version=", b"&DurationSeconds=1&Version=", "invalid_token"),
        ],
    )
    def test_a_changed_token_is_refused_and_not_repeated(self, stand, was, becomes, code_of_it):
        one = stand()
        one.logins.iam(USER)
        let_in(one)
        start, encoded, nonce = one.token().split(".")
        url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        assert was in url
        changed = base64.urlsafe_b64encode(url.replace(was, becomes)).decode().rstrip("=")
        reply = one.get(f"{start}.{changed}.{nonce}")
        assert code(reply) == (401, code_of_it), reply.text
        assert changed[:60] not in reply.text and "X-Amz" not in reply.text.replace("X-Amz-Expires is not", "")

    def test_ends(self, stand):
        one = stand(env={"OUTCROP_IAM_MAX_AGE": "1s"})
        one.logins.iam(USER)
        let_in(one)
        token = one.token()
        # As it is good once, it isn't shown while it is.
        time.sleep(2.5)
        assert code(one.get(token)) == (401, "expired_token")

    def test_nobody_is_asked_where_no_login_is_for_aws(self, stand):
        one = stand(key=settings.KEY)
        one.forget()
        assert code(one.get(one.token())) == (401, "invalid_token")
        assert one.asked() == []

    def test_a_login_that_is_taken_away_is_of_no_use(self, stand):
        one = stand()
        general = one.logins.iam(f"arn:aws:iam::{ACCOUNT}:*")
        special = one.logins.iam(USER)
        let_in(one)
        one.logins.set_status(special, "disabled")
        poll(lambda: one.get(one.token()).status_code == 401, "the disabled login ends")
        one.logins.set_status(special, "deleted")
        let_in(one)
        one.logins.set_status(general, "deleted")
        poll(lambda: one.get(one.token()).status_code == 401, "the last login ends")

    def test_nothing_secret_is_logged(self, stand):
        one = stand("--log", "debug")
        one.logins.iam(USER)
        let_in(one)
        token = one.token()
        one.get(token), one.get(token)
        reply = one.get(one.token("other.example"))
        one.gateway.record(reply)
        log = "\n".join(one.gateway.stderr)
        encoded = token.split(".")[1]
        signature = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).split(b"X-Amz-Signature=")[1].decode()
        assert signature[:64] not in log and encoded[:80] not in log


class TestSessions:
    def begin(self, one, token=None):
        reply = one.get(token or one.token(), "/v1/auth/session", method="POST")
        assert reply.status_code == 200, reply.text
        return reply.json()

    def test_a_session_is_a_key_for_an_hour(self, stand):
        one = stand()
        login = one.logins.iam(USER)
        let_in(one)
        session = self.begin(one)
        assert session["key"].startswith("sk-ocs-") and session["user"] == USER
        assert 3590 < session["expires_at"] - time.time() <= 3601
        assert one.gateway.openai(api_key=session["key"]).models.list().data
        other = one.start()
        try:
            assert one.get(session["key"], gateway=other).status_code == 200
        finally:
            other.close()
        assert code(one.get(session["key"], "/v1/auth/session", method="POST")) == (400, "no_session")
        changed = session["key"][:-1] + ("A" if session["key"][-1] != "A" else "B")
        assert one.get(changed).status_code == 401
        one.logins.set_status(login, "disabled")
        poll(lambda: one.get(session["key"]).status_code == 401, "the session ends with its login")

    def test_a_session_ends(self, stand):
        one = stand(env={"OUTCROP_SESSION_DURATION": "1s"})
        one.logins.iam(USER)
        let_in(one)
        key = self.begin(one)["key"]
        poll(lambda: one.get(key).status_code == 401 and code(one.get(key))[1] == "expired_token", "the session ends")

    def test_a_login_for_some_endpoints_begins_a_session_too(self, stand):
        one = stand()
        one.logins.iam(USER, allowed_endpoints=["/v1/models"])
        let_in(one)
        key = self.begin(one)["key"]
        assert one.get(key).status_code == 200
        assert code(one.get(key, "/v1/providers")) == (403, "endpoint_not_allowed")

    def test_the_command_makes_both(self, stand):
        one = stand()
        one.logins.iam(USER)
        let_in(one)
        environment = one.env | {
            "AWS_ENDPOINT_URL_STS": one.simulator.url,
            "OPENAI_BASE_URL": one.gateway.base_url,
        }
        made = run("token", env=environment)
        assert made.returncode == 0 and made.stdout.startswith("outcrop-aws-v1."), made.stderr
        assert one.get(made.stdout.strip()).status_code == 200
        began = run("token", "--session", "--url", one.gateway.base_url, env=environment)
        assert began.returncode == 0 and began.stdout.startswith("sk-ocs-"), began.stderr
        assert one.get(began.stdout.strip()).status_code == 200
        told = run("token", "--json", "--gateway", "other.example", env=environment)
        assert '"gateway":"other.example"' in told.stdout.replace(" ", "")
        nobody = {name: value for name, value in environment.items() if not name.startswith("AWS_ACCESS")}
        failed = run("token", env=nobody)
        assert failed.returncode != 0 and "credentials" in failed.stderr


class TestForwarded:
    CONTEXT = '{"authorizer": {"iam": {"userArn": "%s"}}}'

    def test_what_a_trusted_proxy_says_is_believed(self, stand):
        one = stand(env={"OUTCROP_FORWARDED_IDENTITY": "aws-request-context", "OUTCROP_TRUSTED_PROXIES": "127.0.0.1"})
        one.logins.iam(USER)
        let_in(one)
        ask = lambda **headers: one.gateway.request("GET", "/v1/models", headers=headers)
        signed = {"authorization": "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b"}
        context = {"x-amzn-request-context": self.CONTEXT % USER}
        assert ask(**context).status_code == 200
        assert ask(**context | signed).status_code == 200
        assert ask(**{"x-amzn-request-context": '{"identity": {"userArn": "%s"}}' % USER}).status_code == 200
        assert ask(**{"x-amzn-request-context": self.CONTEXT % USER.replace("simulator", "other")}).status_code == 403
        for nothing in ("", "{}", "[", self.CONTEXT % "arn:aws:iam::123456789012:user/*"):
            assert ask(**{"x-amzn-request-context": nothing}).status_code == 401, nothing

    @pytest.mark.parametrize(
        "environment",
        [
            {"OUTCROP_FORWARDED_IDENTITY": "x-caller-arn"},
            {"OUTCROP_FORWARDED_IDENTITY": "x-caller-arn", "OUTCROP_TRUSTED_PROXIES": "10.0.0.0/8"},
            {"OUTCROP_TRUSTED_PROXIES": "127.0.0.1"},
        ],
    )
    def test_what_anybody_says_is_not(self, stand, environment):
        one = stand(env=environment)
        one.logins.iam(USER)
        let_in(one)
        headers = {"x-caller-arn": USER, "x-amzn-request-context": self.CONTEXT % USER}
        assert one.gateway.request("GET", "/v1/models", headers=headers).status_code == 401

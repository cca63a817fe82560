"""How a function is set up, who is let in, and what stays from one invocation to the next."""

import json
import pathlib

import pytest

from support import admin, settings, shapes
from support.lambda_events import function_url
from support.lambda_runtime import Function
from support.process import Simulator, new_folder, poll, run

ACCOUNT = "123456789012"
USER = f"arn:aws:iam::{ACCOUNT}:user/simulator"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/simulator-bedrock"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/simulator-bedrock/me"
SECRET = "bedrock-api-key-simulator"
SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b"}


@pytest.fixture(scope="module")
def simulator():
    with Simulator("--simulator-pace", "0") as running:
        yield running


@pytest.fixture
def start(simulator):
    running = []

    def function(**options):
        running.append(Function(simulator, **options))
        return running[-1]

    yield function
    for one in running:
        one.close()


def status(function, key, **options):
    headers = {"authorization": f"Bearer {key}" if key else None}
    return function.get("/v1/models", headers=headers, **options).status_code


class TestSettings:
    BUNDLED = {"outcrop.toml": 'api_keys = ["sk-bundled"]\nbody_limit = 2000\n'}

    def test_from_a_file_beside_bootstrap(self, start):
        function = start(files=self.BUNDLED, key=None)
        assert (status(function, "sk-bundled"), status(function, "sk-test")) == (200, 401)
        assert function.chat("x" * 3000, headers={"authorization": "Bearer sk-bundled"}).status_code == 413

    def test_wherever_it_is_started(self, start):
        function = start(files=self.BUNDLED, key=None, folder=new_folder("elsewhere-"))
        assert (status(function, "sk-bundled"), status(function, "sk-test")) == (200, 401)

    def test_the_environment_wins(self, start):
        function = start(files=self.BUNDLED, key="sk-of-the-environment")
        assert (status(function, "sk-of-the-environment"), status(function, "sk-bundled")) == (200, 401)

    def test_another_file_may_be_named(self, start):
        other = pathlib.Path(new_folder("settings-")) / "other.toml"
        other.write_text('api_keys = ["sk-other"]\n')
        function = start(files=self.BUNDLED, key=None, env={"OUTCROP_CONFIG": str(other)})
        assert (status(function, "sk-other"), status(function, "sk-bundled")) == (200, 401)

    @pytest.mark.parametrize("reference", ["secretsmanager:simulator/api-key", "ssm:/simulator/api-key"])
    def test_secrets(self, start, simulator, reference):
        env = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": simulator.url, "AWS_ENDPOINT_URL_SSM": simulator.url}
        function = start(key=reference, env=env)
        assert (status(function, SECRET), status(function, reference)) == (200, 401)

    def test_a_secret_that_isnt_there_fails_the_start(self, start, simulator):
        env = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": simulator.url}
        function = start(key="secretsmanager:simulator/nothing", env=env)
        assert "simulator/nothing" in function.has_failed()

    @pytest.mark.parametrize(
        "files, env, said",
        [
            ({"outcrop.toml": "body_limit = \n"}, {}, "outcrop.toml"),
            ({"outcrop.toml": "body_limits = 1\n"}, {}, "body_limits"),
            ({}, {"OUTCROP_BODY_LIMIT": "much"}, "body_limit"),
        ],
    )
    def test_that_arent_in_order_fail_the_start_and_say_why(self, start, files, env, said):
        assert said in start(files=files, env=env).has_failed().lower()

    def test_without_any_key_it_doesnt_serve_whoever_comes(self, start):
        """A function URL may be open to the world. Either it says so at the start, or it lets nobody in."""
        function = start(key=None)
        poll(lambda: function.runtime.asked.is_set() or function.handle.poll() is not None, "it has started or failed")
        if function.runtime.asked.is_set():
            assert status(function, None) == 401
        else:
            assert "outcrop_api_keys" in function.has_failed().lower()

    def test_a_start_that_failed_is_told_to_lambda(self, start):
        function = start(key=None)
        function.has_failed()
        function.wait()
        assert "OUTCROP_API_KEYS" in function.runtime.init_error["errorMessage"]
        function = start(env={"OUTCROP_BODY_LIMIT": "much"})
        function.has_failed()
        function.wait()
        assert "body_limit" in function.runtime.init_error["errorMessage"].lower()

    def test_without_any_key_if_wanted(self, start):
        function = start(key=None, env={"OUTCROP_INSECURE_NO_AUTH": "true"})
        assert status(function, None) == 200

    def test_it_is_a_function_without_a_command_only(self, simulator):
        env = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"}
        told = run("--version", env=env)
        assert told.returncode == 0 and told.stdout.startswith("outcrop ")
        assert run("config", "check", env=env | {settings.API_KEYS: "sk-test"}).returncode == 0

    def test_it_writes_nothing_beside_itself(self, start):
        """All but /tmp is read-only in Lambda."""
        function = start()
        assert function.chat("hi").status_code == 200
        assert [file.name for file in pathlib.Path(function.folder).iterdir()] == ["bootstrap"]


class TestWarm:
    CACHE = {"OUTCROP_RESPONSE_CACHE": "memory"}

    def test_state_is_kept_until_the_next_cold_start(self, start, simulator, mark):
        for cold in (1, 2):
            function = start(env=self.CACHE)
            process = function.handle.pid
            for kind in ("function-url", "rest-api", "alb"):
                assert function.chat(f"{mark} hi", kind=kind, body={"temperature": 0}).status_code == 200
            assert function.handle.pid == process
            assert len(simulator.requests(mark)) == cold

    def test_the_first_event_may_wait_already(self, start):
        """An invocation is there before the function has started, and may be what is wrong."""
        function = start()
        for event in ({}, {"source": "aws.events"}):
            assert function.put(event).is_over().state in ("answered", "failed")
        assert status(function, settings.KEY) == 200

    def test_a_hundred_invocations(self, start):
        function = start()
        for number in range(100):
            body = {"stream": number % 2 == 0}
            assert function.chat("[[sim:text ok]]", body=body).status_code == 200

    def test_sigterm_ends_it(self, start):
        """Lambda sends it to functions with extensions."""
        function = start()
        assert status(function, settings.KEY) == 200
        function.thaw()
        function.terminate()
        function.wait(10)


class TestIdentity:
    """Who signed a request with AWS's signature, as the event says it."""

    @pytest.fixture
    def function(self, start, server):
        env = {"OUTCROP_DATABASE": server.database(), admin.ADMIN_KEYS: admin.ADMIN_KEY}
        function = start(env=env)
        self.admin = admin.Admin(function)
        self.project = self.admin.project(self.admin.organization())
        return function

    def login(self, arn, **said):
        body = {"project": self.project["id"], "name": admin.unique("login"), "iam": {"arn": arn}, "settings": said}
        return self.admin.done("POST", "/logins", json=body)

    def get(self, function, identity, headers=SIGNED, **options):
        return function.get("/v1/models", headers={"authorization": None} | headers, identity=identity, **options)

    @pytest.mark.parametrize("kind", ["function-url", "http-api", "rest-api"])
    def test_is_a_login(self, function, kind):
        self.login(USER)
        poll(lambda: self.get(function, USER, kind=kind).status_code == 200, "the login is known")
        assert self.get(function, USER, headers={}, kind=kind).status_code == 200
        other = USER.replace("simulator", "other")
        error = shapes.check_error(self.get(function, other, kind=kind), 403, code="unknown_identity")
        assert other in error["message"]
        shapes.check_error(self.get(function, None, headers={}, kind=kind), 401)

    def test_needs_no_key_beside_it(self, start, server):
        """A database without keys, and an administrator: nobody is let in until there is a login, and then who it is for."""
        env = {"OUTCROP_DATABASE": server.database(), admin.ADMIN_KEYS: admin.ADMIN_KEY}
        function = start(env=env, key=None)
        shapes.check_error(self.get(function, None, headers={}), 401)
        shapes.check_error(self.get(function, USER), 403, code="unknown_identity")
        assert self.get(function, None, headers={"authorization": f"Bearer {settings.KEY}"}).status_code == 401
        self.admin = admin.Admin(function)
        self.project = self.admin.project(self.admin.organization())
        shapes.check_error(self.get(function, None, headers={}), 401)
        self.login(USER)
        poll(lambda: self.get(function, USER).status_code == 200, "the login is known")
        shapes.check_error(self.get(function, None, headers={}), 401)
        other = start(env={"OUTCROP_DATABASE": env["OUTCROP_DATABASE"]}, key=None)
        assert self.get(other, USER).status_code == 200

    def test_of_a_role_is_meant_by_its_own_arn(self, function):
        self.login(ROLE)
        poll(lambda: self.get(function, SESSION).status_code == 200, "the login is known")

    def test_may_not_do_what_the_login_may_not(self, function):
        self.login(USER, allowed_endpoints=["/v1/models"])
        poll(lambda: self.get(function, USER).status_code == 200, "the login is known")
        reply = function.chat("hi", headers=SIGNED, identity=USER)
        shapes.check_error(reply, 403, code="endpoint_not_allowed")

    def test_is_never_what_a_client_says_of_itself(self, function):
        self.login(USER)
        poll(lambda: self.get(function, USER).status_code == 200, "the login is known")
        context = json.dumps({"authorizer": {"iam": {"userArn": USER}}, "identity": {"userArn": USER}})
        for kind in ("function-url", "http-api", "rest-api", "alb", "alb-multi-value"):
            for name in ("x-amzn-request-context", "x-amzn-lambda-context", "x-caller-arn", "x-amz-user-arn"):
                said = {name: context if name.startswith("x-amzn") else USER}
                assert self.get(function, None, headers=said, kind=kind).status_code == 401, (kind, name)
                other = self.get(function, USER + "2", headers=said, kind=kind)
                assert other.status_code == (401 if kind.startswith("alb") else 403), (kind, name)

    def test_of_another_type_is_none(self, function):
        self.login(USER)
        poll(lambda: self.get(function, USER).status_code == 200, "the login is known")
        for arn in ("", "*", "arn:aws:iam::123456789012:user/*", 7, [USER], {"a": USER}):
            event = self.event(arn)
            invocation = function.put(event).is_over()
            assert invocation.state == "failed" or invocation.reply().status_code in (400, 401, 403), arn
        assert self.get(function, USER).status_code == 200

    def event(self, arn):
        event = function_url("GET", "/v1/models", [("host", "a.example")], b"", identity=USER)
        event["requestContext"]["authorizer"]["iam"]["userArn"] = arn
        return event

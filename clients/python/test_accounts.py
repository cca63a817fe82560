"""Accounts: who calls, what AWS is told of it, and what a client and the log learn where it doesn't work."""

import http.server
import json
import re
import threading
import urllib.parse

import pytest

from support import shapes
from support.process import Gateway

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
HELLO = {
    "output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    "metrics": {"latencyMs": 1},
}
# None of them may be seen by anyone.
SECRETS = ("own-hush", "hub-hush", "role-hush", "token-hush", "web-hush", "external-hush", "key-hush")
ACCOUNTS = """
[[accounts]]
name = "hub"
access_key_id = "secretsmanager:keys#id"
secret_access_key = "secretsmanager:keys#key"

[[accounts]]
name = "spoke"
source_account = "hub"
role_arn = "arn:aws:iam::123456789012:role/spoke"
external_id = "external-hush"
session_tags = { team = "search" }

[[accounts]]
name = "web"
region = "eu-west-1"
role_arn = "arn:aws:iam::123456789012:role/web"
web_identity_token = "file:@FOLDER@/token"

[[accounts]]
name = "key"
bedrock_api_key = "os.environ/TEAM_KEY"

[[accounts]]
name = "profile"
profile = "chained"

[[accounts]]
name = "process"
profile = "process"

[[accounts]]
name = "lost"
role_arn = "arn:aws:iam::123456789012:role/lost"
"""
PROFILES = """
[profile base]
aws_access_key_id = AKIDPROFILE
aws_secret_access_key = hub-hush

[profile chained]
region = eu-central-1
source_profile = base
role_arn = arn:aws:iam::123456789012:role/profile

[profile process]
credential_process = sh @FOLDER@/process
"""
PROCESS = """echo '{"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "hub-hush"}'"""
ROUTE = '\n[[routes]]\nname = "{0}"\ntargets = [{{ model = "amazon.nova-lite-v1:0", account = "{0}" }}]\n'


class Aws(http.server.BaseHTTPRequestHandler):
    """Plays STS, Secrets Manager and Bedrock at one address."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.seen.append((self.path, dict(self.headers), body))
        if self.headers.get("x-amz-target"):
            secret = json.dumps({"id": "AKIDHUB", "key": "hub-hush"})
            self.answer(200, "application/x-amz-json-1.1", json.dumps({"SecretString": secret}))
        elif "role%2Flost" in body:
            error = "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not yours</Message></Error>"
            self.answer(403, "text/xml", f'<ErrorResponse xmlns="{NAMESPACE}">{error}</ErrorResponse>')
        elif action := urllib.parse.parse_qs(body).get("Action"):
            self.answer(200, "text/xml", session(action[0]))
        else:
            self.answer(200, "application/json", json.dumps(HELLO))

    def answer(self, status, media_type, body):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def session(action):
    keys = "<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role-hush</SecretAccessKey>"
    rest = "<SessionToken>token-hush</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>"
    result = f"<{action}Result><Credentials>{keys}{rest}</Credentials></{action}Result>"
    return f'<{action}Response xmlns="{NAMESPACE}">{result}</{action}Response>'


@pytest.fixture
def aws():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Aws)
    server.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def gateway(aws, tmp_path):
    (tmp_path / "token").write_text("web-hush\n")
    (tmp_path / "config").write_text(PROFILES.replace("@FOLDER@", str(tmp_path)))
    (tmp_path / "process").write_text(PROCESS)
    names = ("hub", "spoke", "web", "key", "profile", "process", "lost")
    routes = "".join(ROUTE.format(name) for name in names)
    (tmp_path / "outcrop.toml").write_text(ACCOUNTS.replace("@FOLDER@", str(tmp_path)) + routes)
    env = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws.server_port}",
        "AWS_ACCESS_KEY_ID": "AKIDOWN",
        "AWS_SECRET_ACCESS_KEY": "own-hush",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "TEAM_KEY": "key-hush",
        "RUST_LOG": "trace",
    }
    with Gateway("--config", str(tmp_path / "outcrop.toml"), env=env) as gateway:
        yield gateway
        gateway.terminate()
        gateway.wait()
    log = "\n".join(gateway.stderr)
    assert not [secret for secret in SECRETS if secret in log]


def signer(headers):
    """Whose key signed, where, for which service."""
    authorization = {name.lower(): value for name, value in headers.items()}.get("authorization", "")
    found = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request", authorization)
    return found.groups() if found else authorization


def test_keys_of_a_secret_assume_a_role(gateway, aws):
    assert gateway.chat("hi", model="spoke").status_code == 200
    assert [signer(headers) for _, headers, _ in aws.seen] == [
        ("AKIDOWN", "us-east-1", "secretsmanager"),
        ("AKIDHUB", "us-east-1", "sts"),
        ("ASIAROLE", "us-east-1", "bedrock"),
    ]
    asked = urllib.parse.parse_qs(aws.seen[1][2])
    assert asked["RoleArn"] == ["arn:aws:iam::123456789012:role/spoke"]
    assert asked["RoleSessionName"] == ["outcrop-spoke"]
    assert asked["ExternalId"] == ["external-hush"]
    assert (asked["Tags.member.1.Key"], asked["Tags.member.1.Value"]) == (["team"], ["search"])
    # All of it once; from now on there are calls alone.
    assert gateway.chat("hi", model="spoke").status_code == 200
    assert len(aws.seen) == 4
    assert gateway.chat("hi", model="hub").status_code == 200
    assert signer(aws.seen[-1][1]) == ("AKIDHUB", "us-east-1", "bedrock")


def test_a_token_assumes_a_role_in_the_accounts_region(gateway, aws):
    assert gateway.chat("hi", model="web").status_code == 200
    asked = urllib.parse.parse_qs(aws.seen[0][2])
    assert (asked["Action"], asked["WebIdentityToken"]) == (["AssumeRoleWithWebIdentity"], ["web-hush"])
    assert signer(aws.seen[0][1]) == "", "nothing signs it"
    assert signer(aws.seen[1][1]) == ("ASIAROLE", "eu-west-1", "bedrock")


def test_a_profile_counts_more_than_keys_of_the_environment(gateway, aws):
    assert gateway.chat("hi", model="profile").status_code == 200
    assert [signer(headers) for _, headers, _ in aws.seen] == [
        ("AKIDPROFILE", "eu-central-1", "sts"),
        ("ASIAROLE", "eu-central-1", "bedrock"),
    ]
    assert gateway.chat("hi", model="process").status_code == 200
    assert signer(aws.seen[-1][1]) == ("AKIDPROCESS", "us-east-1", "bedrock")


def test_an_api_key_is_sent_as_it_is(gateway, aws):
    assert gateway.chat("hi", model="key").status_code == 200
    assert signer(aws.seen[0][1]) == "Bearer key-hush"


def test_a_role_that_is_refused_is_not_the_clients_fault(gateway):
    reply = gateway.chat("hi", model="lost")
    shapes.check_error(reply, (502, 503), code="upstream_credentials")
    assert "role/lost" not in reply.text and "not yours" not in reply.text
    assert "account 'lost': STS refused AssumeRole: AccessDenied: not yours" in str(gateway.record(reply))

"""Tokens of an issuer (OIDC, JWT) as logins: the issuer is a small server of the test's own."""

import base64
import http.server
import json
import threading
import time

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from support import settings
from support.logins import Logins
from support.process import Gateway, poll

AUDIENCE = "https://gateway.example"


class Issuer:
    """Publishes keys, and signs with them."""

    def __init__(self):
        self.keys, self.published, self.asked, self.broken = {}, [], 0, None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, body, headers = outer.answer(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path):
        if path == "/.well-known/openid-configuration":
            body = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        elif path == "/keys":
            self.asked += 1
            if self.broken == "away":
                return 500, b"", {}
            if self.broken == "elsewhere":
                return 302, b"", {"location": f"{self.url}/other"}
            if self.broken == "large":
                return 200, b" " * (1 << 20) + b"{}", {}
            body = {"keys": [self.public(name) for name in self.published]}
        else:
            return 404, b"", {}
        return 200, json.dumps(body).encode(), {"content-type": "application/json"}

    def add(self, name, kind="RS256"):
        made = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048)
            if kind.startswith(("RS", "PS"))
            else ec.generate_private_key(ec.SECP256R1())
        )
        self.keys[name] = (kind, made)
        self.published.append(name)

    def public(self, name):
        kind, key = self.keys[name]
        algorithm = jwt.algorithms.RSAAlgorithm if kind.startswith(("RS", "PS")) else jwt.algorithms.ECAlgorithm
        return json.loads(algorithm.to_jwk(key.public_key())) | {"kid": name, "use": "sig", "alg": kind}

    def claims(self, **more):
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "me", "iat": now, "exp": now + 300} | more
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, name="one", header=None, **claims):
        kind, key = self.keys[name]
        return jwt.encode(self.claims(**claims), key, algorithm=kind, headers={"kid": name} | (header or {}))

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Stand:
    def __init__(self, folder, issuer, *arguments, said=""):
        self.issuer, self.logins = issuer, Logins(folder)
        path = folder / "outcrop.toml"
        path.write_text(
            f'[[issuers]]\nissuer = "{issuer.url}"\naudiences = ["{AUDIENCE}"]\nleeway = "2s"\nuser_claim = "email"\n{said}\n'
        )
        self.gateway = Gateway(
            "--simulate", "--config", str(path), *arguments, env=self.logins.environment, key=None
        )
        self.logins.prepare()

    def get(self, token):
        return self.gateway.request("GET", "/v1/models", headers={"authorization": f"Bearer {token}"})

    def let_in(self):
        poll(lambda: self.get("nobody").status_code == 401, "the gateway asks for a key")
        poll(lambda: self.get(self.issuer.token()).status_code == 200, "a login is known")


@pytest.fixture
def issuer():
    running = Issuer()
    running.add("one")
    yield running
    running.close()


@pytest.fixture
def stand(issuer, tmp_path):
    running = []

    def start(*arguments, **options):
        running.append(Stand(tmp_path, issuer, *arguments, **options))
        running[-1].logins.jwt(issuer.url)
        return running[-1]

    yield start
    for one in running:
        one.gateway.close()


def code(reply):
    return reply.status_code, reply.json()["error"]["code"]


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_the_bearer_of_a_right_token_is_let_in(stand, issuer):
    one = stand()
    one.let_in()
    client = one.gateway.openai(api_key=issuer.token())
    answer = client.chat.completions.create(
        model=settings.NOVA, messages=[{"role": "user", "content": "[[sim:text Hello]]"}]
    )
    assert answer.choices[0].message.content == "Hello"
    before = issuer.asked
    token = issuer.token(jti="a")
    assert [one.get(token).status_code for _ in range(5)] == [200] * 5
    assert issuer.asked == before, "the keys are known"


def test_an_issuer_of_elliptic_curves_is_taken(stand, issuer):
    issuer.add("curve", "ES256")
    one = stand()
    one.let_in()
    assert one.get(issuer.token("curve")).status_code == 200


def test_no_token_chooses_how_it_is_checked(stand, issuer):
    issuer.add("curve", "ES256")
    one = stand()
    one.let_in()
    body = part(issuer.claims(sub="admin"))
    _, key = issuer.keys["one"]
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    secrets = [pem, pem.strip(), json.dumps(issuer.public("one")).encode(), b""]
    tokens = [f"{part({'alg': name, 'kid': 'one'})}.{body}." for name in ("none", "None", "nOnE", "")]
    for secret in secrets:
        for header in ({"alg": "HS256", "kid": "one"}, {"alg": "RS256", "kid": "one"}, {"alg": "HS256"}):
            message = f"{part(header)}.{body}"
            mac = hmac.HMAC(secret, hashes.SHA256())
            mac.update(message.encode())
            signature = base64.urlsafe_b64encode(mac.finalize()).decode().rstrip("=")
            tokens.append(f"{message}.{signature}")
    # A right signature under the name of another algorithm, or of another key.
    tokens.append(issuer.token("one", {"kid": "curve"}))
    tokens.append(issuer.token("curve", {"kid": "one"}))
    tokens.append(jwt.encode(issuer.claims(), key, algorithm="RS384", headers={"kid": "one"}))
    tokens.append(jwt.encode(issuer.claims(), key, algorithm="PS256", headers={"kid": "one"}))
    # A key that the token brings itself.
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(stranger.public_key()))
    for header in ({"jwk": own}, {"jku": f"{issuer.url}/other"}, {"kid": "one", "jwk": own}):
        tokens.append(jwt.encode(issuer.claims(), stranger, algorithm="RS256", headers=header))
    tokens.append(issuer.token("one", {"crit": ["exp"]}))
    # Which of several it means must be said.
    tokens.append(jwt.encode(issuer.claims(), key, algorithm="RS256"))
    for token in tokens:
        reply = one.get(token)
        assert code(reply) == (401, "invalid_token"), (token, reply.text)
        assert token[-40:] not in reply.text or token.endswith(".")
    changed = issuer.token().split(".")
    assert code(one.get(f"{changed[0]}.{body}.{changed[2]}")) == (401, "invalid_token")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"aud": "https://other.example"}, "wrong_audience"),
        ({"aud": ["https://other.example", AUDIENCE]}, None),
        ({"aud": None}, "wrong_audience"),
        ({"aud": []}, "wrong_audience"),
        ({"iss": "https://other.example"}, "invalid_token"),
        ({"exp": None}, "invalid_token"),
        ({"exp": 1}, "expired_token"),
        ({"exp": "tomorrow"}, "invalid_token"),
        ({"nbf": 32503680000}, "invalid_token"),
        ({"iat": 32503680000}, "invalid_token"),
        ({"nbf": 1, "iat": 1.5}, None),
    ],
)
def test_claims_are_checked(stand, issuer, claims, expected):
    one = stand()
    one.let_in()
    kind, key = issuer.keys["one"]
    message = f"{part({'alg': kind, 'kid': 'one'})}.{part(issuer.claims(**claims))}"
    signature = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).sign(message.encode(), key)
    reply = one.get(f"{message}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}")
    if expected is None:
        assert reply.status_code == 200, reply.text
    else:
        assert code(reply) == (401, expected)


def test_a_token_ends_though_it_is_remembered(stand, issuer):
    one = stand()
    one.let_in()
    token = issuer.token(exp=int(time.time()) + 1)
    assert one.get(token).status_code == 200
    poll(lambda: one.get(token).status_code == 401 and code(one.get(token))[1] == "expired_token", "the token ends")


def test_a_new_key_is_found_and_the_issuer_is_asked_seldom(stand, issuer):
    one = stand()
    one.let_in()
    issuer.add("two")
    poll(lambda: one.get(issuer.token("two")).status_code == 200, "the new key is found", timeout=30)
    assert one.get(issuer.token()).status_code == 200
    before = issuer.asked
    issuer.keys["three"] = issuer.keys["one"]
    assert [one.get(issuer.token("three", jti=str(number))).status_code for number in range(20)] == [401] * 20
    assert issuer.asked <= before + 1


def test_keys_are_kept_while_the_issuer_is_away(stand, issuer):
    one = stand()
    one.let_in()
    for issuer.broken in ("away", "elsewhere", "large"):
        assert one.get(issuer.token(jti=issuer.broken)).status_code == 200


@pytest.mark.parametrize("broken", ["away", "elsewhere", "large"])
def test_nobody_is_let_in_without_keys(stand, issuer, broken):
    issuer.broken = broken
    one = stand()
    poll(lambda: one.get(issuer.token()).status_code == 503, "the gateway asks for a key")
    assert code(one.get(issuer.token())) == (503, "identity_unavailable")


def test_claims_choose_the_login(stand, issuer):
    one = stand()
    one.logins.jwt(issuer.url, groups="search", **{"realm.role": "adm*"})
    one.logins.add("jwt", {"allowed_endpoints": ["/v1/models"]}, issuer=issuer.url, claims={"groups": "search"})
    providers = lambda **claims: one.gateway.request(
        "GET", "/v1/providers", headers={"authorization": f"Bearer {issuer.token(**claims)}"}
    )
    one.let_in()
    poll(lambda: providers(groups=["other", "search"]).status_code == 403, "the narrower login is known")
    assert providers().status_code == 200
    assert providers(groups=["search"], realm={"role": ["admin"]}).status_code == 200
    assert providers(groups=["search"], realm={"role": "user"}).status_code == 403


def test_without_an_issuer_a_token_is_a_wrong_key(gateway, issuer):
    reply = gateway.request("GET", "/v1/models", headers={"authorization": f"Bearer {issuer.token()}"})
    assert code(reply) == (401, "invalid_api_key")

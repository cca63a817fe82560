"""Keys that the command line makes, at a gateway that runs: both only share the database."""

import json
import time

import httpx
import openai
import pytest

from support import settings
from support.process import Gateway, poll, run

# What a gateway may take to notice, and what a busy machine adds to it.
NOTICED = 1.0
SLACK = 5.0


@pytest.fixture
def office(tmp_path):
    """Runs commands on a database, for a gateway that runs on it."""
    database = f"sqlite:{tmp_path / 'outcrop.db'}"
    env = {"OUTCROP_DATABASE": database, "USER": "ann"}

    def command(*arguments):
        done = run(*arguments, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    command.env = env
    return command


@pytest.fixture
def gateway(office):
    # It asks for a key from the start, so that being let in means something.
    office("keys", "create", "--name", "first")
    with Gateway("--simulate", env=office.env, key=None) as running:
        yield running


def ask(gateway, key, model=settings.NOVA):
    client = gateway.openai(api_key=key)
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": "[[sim:text hi]]"}])


def is_let_in(gateway, key):
    try:
        return bool(ask(gateway, key).choices)
    except openai.AuthenticationError:
        return False


def soon(condition, what):
    """Within the second that is promised, as far as this machine can tell."""
    began = time.monotonic()
    poll(condition, what, timeout=NOTICED + SLACK)
    return time.monotonic() - began


def test_a_key_works_at_once_and_a_revoked_one_does_not(office, gateway):
    key = office("keys", "create", "--name", "ci")
    soon(lambda: is_let_in(gateway, key), "the new key works")
    assert not is_let_in(gateway, key[:-1] + ("a" if key[-1] != "a" else "b")), "another secret"
    assert httpx.get(f"{gateway.base_url}/models").status_code == 401

    office("keys", "disable", "ci")
    soon(lambda: not is_let_in(gateway, key), "the disabled key is refused")
    office("keys", "enable", "ci")
    soon(lambda: is_let_in(gateway, key), "the enabled key works")
    office("keys", "revoke", "ci")
    soon(lambda: not is_let_in(gateway, key), "the revoked key is refused")


def test_of_a_rotated_key_both_work_until_the_overlap_ends(office, gateway):
    old = office("keys", "create", "--name", "ci")
    new = office("keys", "rotate", "ci", "--overlap", "1h")
    soon(lambda: is_let_in(gateway, new), "the new key works")
    assert is_let_in(gateway, old)
    newest = office("keys", "rotate", new.rsplit("-", 1)[0], "--overlap", "0")
    soon(lambda: not is_let_in(gateway, new), "the one without an overlap is refused")
    assert is_let_in(gateway, newest)


def test_what_a_key_may_not_ask_is_refused(office, gateway):
    key = office("keys", "create", "--project", "acme/search", "--create", "--models", "*nova*")
    soon(lambda: is_let_in(gateway, key), "the new key works")
    with pytest.raises(openai.APIStatusError) as refused:
        ask(gateway, key, model="us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert refused.value.status_code in (403, 404)
    office("tenants", "disable", "acme")
    soon(lambda: not is_let_in(gateway, key), "keys of a disabled organization are refused")


def test_what_was_asked_is_in_the_sums(office, gateway):
    key = office("keys", "create", "--project", "acme/search", "--create", "--name", "ci")
    soon(lambda: is_let_in(gateway, key), "the new key works")
    ask(gateway, key)

    def sums():
        return json.loads(office("usage", "--by", "key", "--last", "1h"))["data"]

    def asked_twice():
        return next((row for row in sums() if row["key"] == "ci" and row["requests"] >= 2), None)

    row = poll(asked_twice, "usage of the key")
    assert row["failed"] == 0 and row["tokens"]["output"] > 0


def test_an_admin_key_opens_the_admin_api(office, gateway):
    key = office("admins", "create", "--role", "viewer")
    root = gateway.base_url.removesuffix("/v1")

    def status(method, path, **options):
        headers = {"authorization": f"Bearer {key}"}
        return httpx.request(method, f"{root}{path}", headers=headers, **options).status_code

    soon(lambda: status("GET", "/admin/v1/keys") == 200, "the admin key works")
    assert status("POST", "/admin/v1/organizations", json={"name": "acme"}) == 403


def test_an_open_gateway_asks_for_a_key_as_soon_as_there_is_one(office):
    with Gateway("--simulate", env=office.env, key=None) as gateway:
        assert httpx.get(f"{gateway.base_url}/models").status_code == 200
        key = office("keys", "create")
        soon(lambda: httpx.get(f"{gateway.base_url}/models").status_code == 401, "a key is asked for")
        assert is_let_in(gateway, key)


def test_keys_are_hashed_with_the_secret_of_the_settings(office):
    env = office.env | {"OUTCROP_KEY_SECRET": "a secret of the settings"}
    made = run("keys", "create", env=env)
    other = office("keys", "create")
    with Gateway("--simulate", env=env, key=None) as gateway:
        assert is_let_in(gateway, made.stdout.strip())
        assert not is_let_in(gateway, other), "it was hashed with another secret"

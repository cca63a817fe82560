"""Attempts at what nobody may: by those who look after one organization only, and by whoever breaks the database."""

import json
import subprocess

import pytest

from support import admin, settings, shapes
from support.admin import chat
from support.process import Gateway, Simulator, binary, clean_environment, new_folder

PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/simulator001"
FOUNDATION = f"arn:aws:bedrock:us-east-1::foundation-model/{settings.NOVA}"


@pytest.fixture(scope="module")
def gateway():
    with admin.start(key=settings.KEY) as stack:
        yield stack.gateway


@pytest.fixture(scope="module")
def administrator(gateway):
    return admin.Admin(gateway)


def refused(reply, status, code, param=None):
    error = shapes.check_error(reply, status)
    assert (error["code"], error["param"]) == (code, param), error


class TestWhoLooksAfterOneOrganization:
    """Whoever administers one organization gets nothing of others by it, and no more than the organization may."""

    @pytest.fixture
    def organization(self, administrator):
        return administrator.organization()

    @pytest.fixture
    def bound(self, gateway, administrator, organization):
        body = {"name": "n", "role": "owner", "organization": organization["id"]}
        return admin.Admin(gateway, administrator.done("POST", "/admin_keys", json=body)["key"])

    @pytest.mark.parametrize("model", [PROFILE, f"bedrock/{PROFILE}", f"bedrock/converse/{PROFILE}"])
    def test_takes_no_inference_profile_by_naming_it(self, gateway, administrator, organization, bound, model):
        theirs = administrator.key(administrator.project(administrator.organization(aliases={"sonnet": PROFILE})))
        project = bound.project(organization)
        said = {"aliases": {"mine": model}}
        for method, path, body in (
            ("POST", "/keys", {"project": project["id"], "name": "k", "settings": said}),
            ("POST", "/projects", {"organization": organization["id"], "name": "p", "settings": said}),
            ("PATCH", f"/projects/{project['id']}", {"settings": said}),
        ):
            refused(bound.request(method, path, json=body), 403, "bound_admin_key", "settings.aliases.mine")
        as_litellm = {"team_id": project["id"], "aliases": {"mine": model}}
        reply = gateway.request("POST", "/key/generate", json=as_litellm, headers=bound.headers)
        assert reply.status_code == 403, reply.text
        assert chat(gateway, theirs, "sonnet").status_code == 200

    def test_keeps_the_names_that_others_gave_it(self, administrator, organization, bound):
        project = administrator.project(organization, aliases={"sonnet": PROFILE})
        body = {"settings": {"requests_per_minute": 60, "aliases": {"fast": settings.NOVA}}}
        changed = bound.done("PATCH", f"/projects/{project['id']}", json=body)
        assert changed["settings"]["aliases"] == {"sonnet": PROFILE, "fast": settings.NOVA}

    def test_says_of_nobody_that_they_are_its_own(self, bound, organization):
        """A pattern that says more than others' would take their people."""
        project = bound.project(organization)["id"]
        for who in (
            {"iam": {"arn": "arn:aws:iam::123456789012:role/somebody-elses"}},
            {"jwt": {"issuer": "https://login.example.com", "claims": {"sub": "*", "iss": "*", "aud": "*"}}},
        ):
            reply = bound.request("POST", "/logins", json={"project": project, "name": "l"} | who)
            refused(reply, 403, "bound_admin_key")

    def test_allows_no_more_than_the_organization_may(self, gateway, administrator):
        organization = administrator.organization(allowed_models=["*nova*"])
        body = {"name": "n", "role": "admin", "organization": organization["id"]}
        bound = admin.Admin(gateway, administrator.done("POST", "/admin_keys", json=body)["key"])
        key = bound.key(bound.project(organization), aliases={"nova-mine": settings.CLAUDE, "quick": settings.NOVA})
        assert chat(gateway, key, "quick").status_code == 200
        refused(chat(gateway, key, "nova-mine"), 404, "model_not_found", "model")
        headers = {"authorization": f"Bearer {key['key']}"}
        assert "nova-mine" not in gateway.get("/v1/models", headers=headers).text
        assert gateway.get("/v1/mappings?name=nova-mine", headers=headers).status_code == 404


class TestOwnModels:
    def test_a_word_before_the_arn_makes_it_nobody_elses(self, gateway, administrator):
        arn = PROFILE.replace("simulator001", "simulator002")
        administrator.organization(aliases={"sonnet": f"bedrock/{arn}"})
        message = chat(gateway, administrator.key(), arn).json()["error"]["message"]
        assert "or this API key may not use it" in message

    def test_what_is_everybodys_is_not_taken_by_naming_it(self, gateway, administrator):
        other = administrator.key()
        assert chat(gateway, other, FOUNDATION).status_code == 200
        administrator.organization(aliases={"mine": FOUNDATION})
        assert chat(gateway, other, FOUNDATION).status_code == 200


class TestTheDoor:
    def test_a_database_that_is_broken_opens_no_gateway(self):
        """Its keys can't be read, so nobody would be asked for one."""
        folder = new_folder("state-")
        with Simulator() as simulator:
            env = simulator.endpoints | simulator.credentials
            env |= {admin.ADMIN_KEYS: admin.ADMIN_KEY, "OUTCROP_STATE_DIR": folder}
            with Gateway(env=env, key=None) as gateway:
                admin.Admin(gateway).key()
                assert gateway.chat("hi").status_code == 401
            for ending in ("", "-wal", "-shm"):
                with open(f"{folder}/outcrop.db{ending}", "wb") as file:
                    file.write(b"no database" * 100)
            command = [binary(), "serve", "--listen", "127.0.0.1:0"]
            ended = subprocess.run(command, env=clean_environment(env), capture_output=True, text=True, timeout=60)
            assert ended.returncode == 1 and f"{folder}/outcrop.db" in ended.stderr, ended.stderr

    def test_a_new_key_is_known_though_somebody_tries_wrong_ones(self):
        """Wrong keys have the database looked into seldom; a new one mustn't be taken for one of them."""
        with Simulator() as simulator:
            database = {"OUTCROP_DATABASE": f"sqlite:{new_folder('state-')}/t.db"}
            env = simulator.endpoints | simulator.credentials | database
            with Gateway(env=env, key=settings.KEY) as gateway:
                for number in range(5):
                    command = [binary(), "keys", "create", "--name", f"new {number}", "--json"]
                    made = subprocess.run(command, env=clean_environment(env), capture_output=True, text=True, timeout=60)
                    key = json.loads(made.stdout)
                    wrong = {"key": key["key"].replace(key["prefix"], "sk-oc-AAAAAAAAAAAA")}
                    assert chat(gateway, wrong).status_code == 401
                    assert chat(gateway, key).status_code == 200


class TestTheAuditLog:
    def test_a_login_is_called_one_from_the_start(self, administrator):
        project = administrator.project(administrator.organization())
        body = {"project": project["id"], "name": "l", "iam": {"arn": "arn:aws:iam::123456789012:role/x"}}
        login = administrator.done("POST", "/logins", json=body)
        administrator.update("logins", login, name="m")
        administrator.request("DELETE", f"/logins/{login['id']}")
        log = administrator.done("GET", f"/audit_log?object={login['id']}")["data"]
        assert [line["action"] for line in reversed(log)] == ["login.create", "login.update", "login.revoke"]


OWN = PROFILE.replace("simulator001", "simulator003")


@pytest.fixture(scope="module")
def routed():
    """A route may lead to what is not everybody's."""
    path = f"{new_folder('settings-')}/outcrop.toml"
    targets = ", ".join(f'{{ model = "{model}" }}' for model in (settings.NOVA, OWN, settings.CLAUDE))
    with open(path, "w") as file:
        file.write(f'[[routes]]\nname = "nova-mix"\ntargets = [{targets}]\n')
    with admin.start("--config", path, key=settings.KEY) as stack:
        yield stack.gateway


def test_routes_tell_of_nothing_that_a_key_may_not_ask(routed):
    administrator = admin.Admin(routed)
    administrator.organization(aliases={"sonnet": OWN})
    for key, sees_claude in ((administrator.key(), True), (administrator.key(denied_models=["*claude*"]), False)):
        headers = {"authorization": f"Bearer {key['key']}"}
        told = [routed.get(path, headers=headers) for path in ("/v1/models", "/v1/models/nova-mix")]
        told.append(routed.get("/v1/mappings?name=nova-mix", headers=headers))
        told.append(chat(routed, key, "nova-mix", headers={"X-Outcrop-Dry-Run": "true"}))
        for reply in told:
            assert reply.status_code == 200 and settings.NOVA in reply.text, reply.text
            assert OWN not in reply.text, reply.url
            assert (settings.CLAUDE in reply.text) == sees_claude, reply.url

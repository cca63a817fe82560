"""The API for administration does what its description says, whatever is sent: no failure, and errors that name a field.

schemathesis makes requests from the description, right and wrong ones, always the same. Most of them name what there is.
"""

import contextlib
import re
import tempfile
import uuid

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies
from hypothesis.configuration import set_hypothesis_home_dir
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from support.administration import OPERATIONS, Administered

set_hypothesis_home_dir(tempfile.mkdtemp(prefix="outcrop-hypothesis-"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 8


class Things:
    """What requests can name: of each kind one, and another one once it is gone."""

    def __init__(self, admin):
        self.admin = admin
        self.made = {}

    def name(self, kind):
        if kind == "organization":
            return self.there("organizations", lambda: {"name": uuid.uuid4().hex})
        if kind == "project":
            return self.there("projects", lambda: {"organization": self.name("organization"), "name": uuid.uuid4().hex})
        if kind == "key":
            return self.there("keys", lambda: {"project": self.name("project")})
        if kind == "login":
            iam = {"arn": "arn:aws:iam::123456789012:role/x"}
            return self.there("logins", lambda: {"project": self.name("project"), "iam": iam})
        return self.there("admin_keys", lambda: {"role": "viewer"})

    def there(self, what, members):
        known = self.made.get(what)
        if known and self.admin.get(f"/admin/v1/{what}/{known}").json().get("status") == "active":
            return known
        self.made[what] = self.admin.make(what, **members())["id"]
        return self.made[what]

    def put_into(self, case):
        """Names what there is in place of what was made up."""
        for brace in list(case.path_parameters or {}):
            case.path_parameters[brace] = self.name(brace)
        (case.query or {}).pop("after", None)
        of_query = {"team_id": "project", "api_key": "key"}
        for member in list(case.query or {}):
            kind = of_query.get(member, member)
            if kind in ("organization", "project", "key"):
                case.query[member] = self.name(kind)
        if not isinstance(case.body, dict):
            return
        of_body = {"organization": "organization", "project": "project", "key": "key", "team_id": "project"}
        of_body |= {"project_id": "project", "organization_id": "organization"}
        for member, kind in of_body.items():
            if isinstance(case.body.get(member), str) and case.path != "/team/new":
                case.body[member] = self.name(kind)
        for member, kind in (("keys", "key"), ("team_ids", "project")):
            if case.body.get(member):
                case.body[member] = [self.name(kind)]
        case.body.pop("key_aliases", None)
        # What has a form that the description can't say.
        fitting = {"expires_at": 4_000_000_000, "duration": "30d", "budget_duration": "30d", "grace_period": "1h"}
        fitting |= {name: uuid.uuid4().hex for name in ("name", "user", "key_alias", "user_id", "team_alias")}
        fitting |= {"iam": {"arn": "arn:aws:iam::123456789012:role/x"}, "budget_limits": [], "allowed_routes": []}
        for member in set(fitting) & set(case.body):
            case.body[member] = fitting[member]
        if "budget_duration" in case.body:
            case.body["max_budget"] = 5
        if "iam" in case.body:
            case.body.pop("jwt", None)


@pytest.fixture(scope="module")
def admin():
    with Administered() as running:
        yield running


@pytest.fixture(scope="module")
def things(admin):
    return Things(admin)


@pytest.fixture(scope="module")
def description(admin):
    return admin.get("/v1/openapi.json").json()


@pytest.fixture(scope="module")
def schema(description):
    return schemathesis.openapi.from_dict(description)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_answers_are_as_described(admin, things, schema, operation, mode):
    method, path = operation.split(" ", 1)

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(
        case=schema[path][method].as_strategy(generation_mode=mode),
        help_it=strategies.sampled_from([True, True, True, False]),
    )
    def answer(case, help_it):
        headers = {"authorization": f"Bearer {admin.key}"}
        for name in list(case.headers or {}):
            if name.lower() in ("authorization", "api-key"):
                del case.headers[name]
        if help_it:
            things.put_into(case)
        reply = case.call(base_url=admin.gateway.root, headers=headers, timeout=30)
        case.validate_response(reply, checks=CHECKS, headers=headers)
        if reply.status_code == 400:
            error = reply.json()["error"]
            assert error["param"] or error["code"] == "invalid_json" or "the body" in error["message"], error

    if mode == GenerationMode.NEGATIVE:
        # Any text may stand in an address, and some take no body: of those there is no wrong request.
        with contextlib.suppress(hypothesis.errors.Unsatisfiable):
            answer()
    else:
        answer()


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.startswith(("POST /admin", "PATCH /admin"))])
def test_all_members_are_described(admin, things, description, operation):
    """What the gateway says that it takes is what is described."""
    method, path = operation.split(" ", 1)
    described = description["paths"][path][method.lower()].get("requestBody")
    if not described:
        return
    url = re.sub(r"\{([^}]*)\}", lambda brace: things.name(brace.group(1)), path)
    said = admin.ask(method, url, json={"zzz": 1}).json()["error"]["message"]
    known = set(re.findall(r"`([^`]*)`", said.split("expected", 1)[1]))
    assert known == set(described["content"]["application/json"]["schema"]["properties"])


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.startswith(("POST /key", "POST /team"))])
def test_all_that_is_described_is_known(admin, description, operation):
    method, path = operation.split(" ", 1)
    properties = description["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    for member in properties:
        reply = admin.ask(method, path.replace("{key}", "nothing"), json={member: {"?": []}})
        assert "is not known" not in reply.text, f"{operation} {member}"

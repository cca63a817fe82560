"""The API for administration: organizations, projects, keys, logins, admin keys, the audit log."""

import time
import uuid

import pytest

from support import settings
from support.administration import ADMIN_KEY, ALL, OPERATIONS, Administered, error


@pytest.fixture(scope="module")
def admin():
    with Administered() as running:
        yield running


@pytest.fixture
def name():
    return f"n{uuid.uuid4().hex[:12]}"


@pytest.fixture
def organization(admin, name):
    return admin.make("organizations", name=name)


@pytest.fixture
def project(admin, organization):
    return admin.make("projects", organization=organization["id"], name="search")


@pytest.fixture
def key(admin, project):
    return admin.make("keys", project=project["id"])


class TestAccess:
    def test_needs_an_admin_key(self, admin, key):
        for shown, expected in [
            ("", (401, "missing_api_key", None)),
            ("nonsense", (401, "invalid_api_key", None)),
            (ADMIN_KEY + "x", (401, "invalid_api_key", None)),
            (key["key"], (403, "client_key", None)),
            (key["key"][:-1] + ("a" if key["key"][-1] != "a" else "b"), (401, "invalid_api_key", None)),
        ]:
            reply = admin.get("/admin/v1/keys", headers={"authorization": f"Bearer {shown}".strip()})
            assert error(reply) == expected, shown

    def test_an_admin_key_is_none_for_models(self, admin, name):
        made = admin.make("admin_keys", name=name, role="owner")
        assert admin.chat(made["key"]) == 403

    def test_says_who_asks(self, admin, name):
        own = admin.good("GET", "/admin/v1/whoami")
        assert (own["id"], own["role"], own["address"]) == ("settings", "owner", "127.0.0.1")
        made = admin.make("admin_keys", name=name, role="viewer")
        assert admin.good("GET", "/admin/v1/whoami", key=made["key"])["id"] == made["id"]

    def test_a_revoked_admin_key_is_none(self, admin, name):
        made = admin.make("admin_keys", name=name, role="owner")
        admin.good("PATCH", f"/admin/v1/admin_keys/{made['id']}", {"status": "disabled"})
        assert admin.get("/admin/v1/whoami", key=made["key"]).status_code == 401
        admin.good("PATCH", f"/admin/v1/admin_keys/{made['id']}", {"status": "active"})
        admin.good("DELETE", f"/admin/v1/admin_keys/{made['id']}")
        assert admin.get("/admin/v1/whoami", key=made["key"]).status_code == 401

    def test_each_role_may_what_is_its_own(self, admin, name):
        keys = {role: admin.make("admin_keys", name=name, role=role)["key"] for role in ALL}
        for operation, roles in OPERATIONS.items():
            method, path = operation.split(" ", 1)
            for brace in ("organization", "project", "key", "login", "admin_key"):
                path = path.replace("{" + brace + "}", "nothing")
            for role, key in keys.items():
                body = {"json": {}} if method in ("POST", "PATCH") else {}
                reply = admin.ask(method, path, key=key, **body)
                refused = reply.status_code == 403 and reply.json()["error"]["code"] == "role_not_allowed"
                assert refused == (role not in roles), f"{role} {operation}: {reply.text}"

    def test_the_last_owner_is_kept_where_the_settings_have_none(self, name, tmp_path):
        file = {"OUTCROP_DATABASE": f"sqlite:{tmp_path}/outcrop.db"}
        with Administered(env=file) as first:
            owner = first.make("admin_keys", name=name, role="owner")
            path = f"/admin/v1/admin_keys/{owner['id']}"
            # The settings' own remain.
            first.good("PATCH", path, {"role": "viewer"})
            first.good("PATCH", path, {"role": "owner"})
        with Administered(env=file, admin_key=None) as second:
            second.key = owner["key"]
            for change in ({"role": "admin"}, {"status": "disabled"}, {"expires_at": 1}):
                assert error(second.patch(path, change)) == (409, "last_owner", None)
            assert error(second.delete(path)) == (409, "last_owner", None)
            second.make("admin_keys", name="another", role="owner")
            second.good("DELETE", path)


class TestOneOrganization:
    @pytest.fixture
    def bound(self, admin, organization, name):
        return admin.make("admin_keys", name=name, role="owner", organization=organization["id"])["key"]

    def test_is_all_that_there_is(self, admin, organization, project, key, bound, name):
        other = admin.make("organizations", name=name + "-other")
        other_project = admin.make("projects", organization=other["id"], name="x")
        other_key = admin.make("keys", project=other_project["id"])
        other_admin = admin.make("admin_keys", role="viewer", organization=other["id"])
        for path, there in [
            (f"organizations/{organization['id']}", True),
            (f"projects/{project['id']}", True),
            (f"keys/{key['id']}", True),
            (f"organizations/{other['id']}", False),
            (f"projects/{other_project['id']}", False),
            (f"projects/{other['name']}/x", False),
            (f"keys/{other_key['id']}", False),
            (f"admin_keys/{other_admin['id']}", False),
        ]:
            assert (admin.get(f"/admin/v1/{path}", key=bound).status_code == 200) == there, path
        for what, expected in [("organizations", [organization["id"]]), ("projects", [project["id"]])]:
            listed = admin.good("GET", f"/admin/v1/{what}", key=bound)["data"]
            assert [one["id"] for one in listed] == expected
        assert {one["id"] for one in admin.good("GET", "/admin/v1/keys", key=bound)["data"]} == {key["id"]}
        for method, path, body in [
            ("PATCH", f"keys/{other_key['id']}", {"name": "mine"}),
            ("DELETE", f"keys/{other_key['id']}", None),
            ("POST", f"keys/{other_key['id']}/rotate", {}),
            ("DELETE", f"projects/{other_project['id']}", None),
            ("POST", "keys", {"name": "x", "project": other_project["id"]}),
            ("POST", "projects", {"name": "x", "organization": other["id"]}),
        ]:
            reply = admin.ask(method, f"/admin/v1/{path}", key=bound, **({"json": body} if body is not None else {}))
            assert reply.status_code == 404, f"{method} {path}: {reply.text}"
        log = admin.good("GET", "/admin/v1/audit_log?limit=1000", key=bound)["data"]
        assert {one["object_id"] for one in log} >= {organization["id"], project["id"], key["id"]}
        assert not {one["object_id"] for one in log} & {other["id"], other_project["id"], other_key["id"]}
        budgets = admin.get(f"/admin/v1/budgets?key={other_key['id']}", key=bound)
        assert budgets.status_code == 404
        assert admin.get(f"/spend/logs?api_key={other_key['id']}", key=bound).status_code == 404
        assert admin.get(f"/key/info?key={other_key['key']}", key=bound).status_code == 404

    def test_cannot_be_left(self, admin, organization, project, bound):
        for method, path, body, param in [
            ("POST", "organizations", {"name": "more"}, None),
            ("PATCH", f"organizations/{organization['id']}", {"settings": {"budgets": []}}, None),
            ("DELETE", f"organizations/{organization['id']}", None, None),
            ("POST", "admin_keys", {"name": "x", "role": "owner"}, "organization"),
            (
                "POST",
                "keys",
                {
                    "name": "x",
                    "project": project["id"],
                    "settings": {"role_arn": "arn:aws:iam::123456789012:role/other"},
                },
                "settings.role_arn",
            ),
            ("PATCH", f"projects/{project['id']}", {"settings": {"account": "other"}}, "settings.account"),
        ]:
            reply = admin.ask(method, f"/admin/v1/{path}", key=bound, **({"json": body} if body is not None else {}))
            assert error(reply) == (403, "bound_admin_key", param), f"{method} {path}"


class TestKeys:
    def test_hold_at_once_until_they_are_revoked(self, admin, key):
        assert admin.chat(key["key"]) == 200
        assert admin.good("DELETE", f"/admin/v1/keys/{key['id']}") == {
            "object": "key.deleted",
            "id": key["id"],
            "deleted": True,
        }
        assert admin.chat(key["key"]) == 401
        assert admin.get(f"/admin/v1/keys/{key['id']}").json()["status"] == "deleted"
        assert error(admin.patch(f"/admin/v1/keys/{key['id']}", {"status": "active"})) == (409, "deleted", None)

    def test_are_shown_once(self, admin, key):
        secret = key["key"].rsplit("-", 1)[1]
        assert key["key"].startswith(key["prefix"] + "-")
        for path in (f"/admin/v1/keys/{key['id']}", "/admin/v1/keys?limit=1000", "/admin/v1/audit_log?limit=1000"):
            assert secret not in admin.get(path).text
        assert admin.get("/admin/v1/keys").headers["cache-control"] == "no-store"

    def test_can_be_disabled_for_a_while(self, admin, key):
        path = f"/admin/v1/keys/{key['id']}"
        assert admin.good("POST", f"{path}/disable")["status"] == "disabled"
        assert admin.chat(key["key"]) == 401
        assert admin.good("POST", f"{path}/enable")["status"] == "active"
        assert admin.chat(key["key"]) == 200

    def test_of_a_project_or_organization_that_is_disabled_do_not_hold(self, admin, organization, project, key):
        for path in (f"/admin/v1/projects/{project['id']}", f"/admin/v1/organizations/{organization['id']}"):
            admin.good("PATCH", path, {"status": "disabled"})
            assert admin.chat(key["key"]) in (401, 403)
            admin.good("PATCH", path, {"status": "active"})
            assert admin.chat(key["key"]) == 200

    def test_are_rotated_with_overlap(self, admin, key):
        new = admin.good("POST", f"/admin/v1/keys/{key['id']}/rotate", {"overlap_seconds": 3600})
        assert new["rotated_from"] == key["id"] and new["id"] != key["id"] and new["settings"] == key["settings"]
        assert admin.chat(key["key"]) == admin.chat(new["key"]) == 200
        old = admin.good("GET", f"/admin/v1/keys/{key['id']}")
        assert 0 < old["expires_at"] - time.time() <= 3600
        newest = admin.good("POST", f"/admin/v1/keys/{new['id']}/rotate", {"overlap_seconds": 0})
        assert (admin.chat(new["key"]), admin.chat(newest["key"])) == (401, 200)

    def test_take_what_is_said_of_them(self, admin, project):
        made = admin.make("keys", project=project["id"], settings={"allowed_models": ["*claude*"]}, user="ann")
        assert admin.chat(made["key"], model=settings.NOVA) in (403, 404)
        path = f"/admin/v1/keys/{made['id']}"
        changed = admin.good("PATCH", path, {"settings": {"allowed_models": None, "requests_per_minute": 5000}, "user": None})
        assert changed["settings"] == {"requests_per_minute": 5000} and changed["user"] is None
        assert admin.chat(made["key"]) == 200

    def test_without_a_project_are_of_the_default(self, admin, name):
        made = admin.make("keys", name=name)
        project = admin.good("GET", f"/admin/v1/projects/{made['project_id']}")
        assert project["name"] == "default"

    def test_that_have_expired_do_not_hold(self, admin, key):
        admin.good("PATCH", f"/admin/v1/keys/{key['id']}", {"expires_at": 1})
        assert admin.chat(key["key"]) == 401
        assert error(admin.post(f"/admin/v1/keys/{key['id']}/rotate"))[2] == "expires_at"

    @pytest.mark.parametrize(
        "members, field",
        [
            ({"name": ""}, "name"),
            ({"name": 5}, "name"),
            ({"name": "x" * 129}, "name"),
            ({"name": "x", "more": 1}, "more"),
            ({"name": "x", "project": "nobody/nothing"}, "project"),
            ({"name": "x", "expires_at": 5}, "expires_at"),
            ({"name": "x", "expires_at": "tomorrow"}, "expires_at"),
            ({"name": "x", "user": "a\nb"}, "user"),
            ({"name": "x", "settings": []}, "settings"),
            ({"name": "x", "settings": {"rpm": 3}}, "settings.rpm"),
            ({"name": "x", "settings": {"budgets": [{"period": "month", "limit_usd": -1}]}}, "settings.budgets[0].limit_usd"),
            ({"name": "x", "settings": {"allowed_networks": ["10.0.0.1/8"]}}, "settings.allowed_networks[0]"),
            ({"name": "x", "settings": {"metadata": {"team": "Süd"}}}, "settings.metadata.team"),
            ({"name": "x", "settings": {"role_arn": "me"}}, "settings.role_arn"),
            ({"name": "x", "settings": {"session_tags": {"aws:x": "y"}}}, "settings.session_tags.aws:x"),
            ({"name": "x", "settings": {"prompt_caching": "always"}}, "settings.prompt_caching"),
        ],
    )
    def test_what_is_wrong_is_named(self, admin, members, field):
        reply = admin.post("/admin/v1/keys", members)
        assert reply.status_code in (400, 404) and reply.json()["error"]["param"] == field, reply.text

    def test_bodies_that_are_none_are_refused(self, admin):
        for body in (b"", b"[]", b"nonsense", b'{"name": "x"', b"\xff", b'{"name": "x"} more', b"[" * 100_000):
            reply = admin.ask("POST", "/admin/v1/keys", content=body, headers={"content-type": "application/json"})
            assert reply.status_code == 400, reply.text
        large = admin.ask("POST", "/admin/v1/keys", json={"name": "x" * 2_000_000})
        assert large.status_code == 413


class TestLists:
    def test_have_pages(self, admin, project):
        made = [admin.make("keys", project=project["id"], name=f"k{number}")["id"] for number in range(5)]
        seen, after = [], ""
        while True:
            page = admin.good("GET", f"/admin/v1/keys?project={project['id']}&limit=2{after}")
            assert len(page["data"]) <= 2
            seen += [one["id"] for one in page["data"]]
            if not page["has_more"]:
                assert page["next"] is None
                break
            after = f"&after={page['next']}"
        assert sorted(seen) == sorted(made)

    def test_have_filters(self, admin, organization, project, key):
        admin.good("POST", f"/admin/v1/keys/{key['id']}/disable")
        other = admin.make("keys", project=project["id"], name="other", user="bob")

        def of(query):
            return [one["id"] for one in admin.good("GET", f"/admin/v1/keys?{query}")["data"]]

        assert of(f"organization={organization['name']}&status=disabled") == [key["id"]]
        assert of(f"project={organization['name']}/search&name=other") == [other["id"]]
        assert of(f"project={project['id']}&user=bob&limit=1") == [other["id"]]
        admin.good("DELETE", f"/admin/v1/keys/{key['id']}")
        assert of(f"project={project['id']}") == [other["id"]]
        assert of(f"project={project['id']}&status=deleted") == [key["id"]]

    @pytest.mark.parametrize(
        "query, field",
        [
            ("limit=0", "limit"),
            ("limit=x", "limit"),
            ("after=nonsense", "after"),
            ("status=on", "status"),
            ("colour=red", "colour"),
            ("project=nobody/nothing", "project"),
        ],
    )
    def test_refuse_what_they_do_not_know(self, admin, query, field):
        reply = admin.get(f"/admin/v1/keys?{query}")
        assert reply.status_code in (400, 404) and reply.json()["error"]["param"] == field


class TestChanges:
    def test_do_not_overwrite_what_nobody_has_seen(self, admin, project):
        path = f"/admin/v1/projects/{project['id']}"
        tag = admin.get(path).headers["etag"]
        assert admin.patch(path, {"name": "one"}, headers={"if-match": tag}).status_code == 200
        assert error(admin.patch(path, {"name": "two"}, headers={"if-match": tag})) == (412, "changed", "if-match")
        assert error(admin.delete(path, headers={"if-match": tag})) == (412, "changed", "if-match")
        assert admin.good("GET", path)["name"] == "one"
        assert admin.patch(path, {"name": "two"}, headers={"if-match": "*"}).status_code == 200

    def test_names_are_there_once(self, admin, organization, project):
        assert error(admin.post("/admin/v1/organizations", {"name": organization["name"]})) == (409, "name_taken", "name")
        body = {"name": project["name"], "organization": organization["id"]}
        assert error(admin.post("/admin/v1/projects", body)) == (409, "name_taken", "name")

    def test_are_written_down(self, admin, organization, project, key):
        admin.good("PATCH", f"/admin/v1/keys/{key['id']}", {"name": "renamed"})
        admin.good("DELETE", f"/admin/v1/keys/{key['id']}")
        log = admin.good("GET", f"/admin/v1/audit_log?object={key['id']}")["data"]
        assert [one["action"] for one in log] == ["key.revoke", "key.update", "key.create"]
        assert {one["actor"] for one in log} == {"settings"} and {one["address"] for one in log} == {"127.0.0.1"}
        [created] = admin.good("GET", f"/admin/v1/audit_log?object={project['id']}")["data"]
        assert created["action"] == "project.create"
        # An organization's log is of all that it has and had.
        log = admin.good("GET", f"/admin/v1/audit_log?object={organization['id']}")["data"]
        assert [one["action"] for one in log][-3:] == ["key.create", "project.create", "organization.create"]

    def test_cannot_be_taken_out_of_the_log(self, admin):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert admin.ask(method, "/admin/v1/audit_log").status_code == 405


class TestLogins:
    def test_are_made_changed_and_deleted(self, admin, project):
        arn = "arn:aws:iam::123456789012:role/search-*"
        made = admin.make("logins", project=project["id"], iam={"arn": arn})
        assert made["object"] == "login" and made["iam"] == {"arn": arn} and "key" not in made
        path = f"/admin/v1/logins/{made['id']}"
        assert admin.good("PATCH", path, {"settings": {"region": "eu-west-1"}})["settings"] == {"region": "eu-west-1"}
        listed = admin.good("GET", f"/admin/v1/logins?project={project['id']}")["data"]
        assert [one["id"] for one in listed] == [made["id"]]
        assert admin.good("GET", f"/admin/v1/keys?project={project['id']}")["data"] == []
        assert admin.get(f"/admin/v1/keys/{made['id']}").status_code == 404
        admin.good("DELETE", path)
        assert admin.good("GET", f"/admin/v1/logins?project={project['id']}")["data"] == []

    @pytest.mark.parametrize(
        "members, field",
        [
            ({}, "iam"),
            ({"iam": {"arn": "*"}}, "iam.arn"),
            ({"iam": {"arn": "arn:aws:iam::*:role/x"}}, "iam.arn"),
            ({"jwt": {"issuer": "https://x.example", "claims": {}}}, "jwt.claims"),
            ({"jwt": {"issuer": "x", "claims": {"a": "b"}}}, "jwt.issuer"),
            (
                {"iam": {"arn": "arn:aws:iam::123456789012:role/x"}, "jwt": {"issuer": "https://x.example", "claims": {"a": "b"}}},
                "jwt",
            ),
        ],
    )
    def test_say_whom_they_mean(self, admin, members, field):
        assert error(admin.post("/admin/v1/logins", {"name": "x"} | members)) == (400, "invalid_value", field)


class TestBudgets:
    def test_of_a_scope_are_shown(self, admin, organization, project):
        budget = {"period": "month", "limit_usd": 5, "warn_at": 0.8}
        admin.good("PATCH", f"/admin/v1/organizations/{organization['id']}", {"settings": {"budgets": [budget]}})
        key = admin.make("keys", project=project["id"], settings={"budgets": [{"period": "day", "limit_usd": "0.5"}]})
        for scope, named in [("organization", organization["name"]), ("project", project["id"]), ("key", key["id"])]:
            shown = admin.good("GET", f"/admin/v1/budgets?{scope}={named}")["data"]
            assert [(one["scope"], one["period"], one["limit_usd"]) for one in shown] == [
                ("organization", "month", 5),
                ("key", "day", 0.5),
            ]
            assert all(one["state"] == "ok" and one["remaining_usd"] == one["limit_usd"] for one in shown)
            assert all(one["resets_at"] > time.time() for one in shown)
        page = admin.good("GET", f"/admin/v1/budgets?organization={organization['id']}&limit=1")
        assert page["has_more"] and len(page["data"]) == 1
        assert error(admin.get("/admin/v1/budgets")) == (400, "invalid_value", "organization")


def test_nothing_is_administered_without_a_database():
    with Administered(env={"OUTCROP_DATABASE": "none"}) as admin:
        assert error(admin.get("/admin/v1/keys")) == (503, "no_database", None)


def test_is_never_open():
    """Also where no key is asked for to ask models."""
    with Administered(admin_key=None) as admin:
        reply = admin.http.get("/admin/v1/keys")
        assert error(reply) == (401, "missing_api_key", None)
        assert error(admin.http.get("/admin/v1/keys", headers={"authorization": "Bearer x"}))[0] == 401

"""LiteLLM's paths for keys, teams and what was spent, as its scripts use them."""

import datetime
import uuid

import pytest

from support.administration import Administered, error


@pytest.fixture(scope="module")
def admin():
    with Administered() as running:
        yield running


@pytest.fixture
def alias():
    return f"a{uuid.uuid4().hex[:12]}"


@pytest.fixture
def team(admin, alias):
    return admin.good("POST", "/team/new", {"team_alias": f"team-{alias}", "max_budget": 500, "budget_duration": "30d"})


@pytest.fixture
def key(admin, alias, team):
    return admin.good("POST", "/key/generate", {"key_alias": alias, "team_id": team["team_id"]})


class TestKeys:
    def test_are_generated_with_what_litellm_has(self, admin, alias, team):
        made = admin.good(
            "POST",
            "/key/generate",
            {
                "key_alias": alias,
                "team_id": team["team_alias"],
                "user_id": "ann",
                "models": ["*nova*"],
                "max_budget": 25,
                "soft_budget": 20,
                "budget_duration": "30d",
                "rpm_limit": 100,
                "tpm_limit": 100_000,
                "max_parallel_requests": 5,
                "duration": "30d",
                "metadata": {"team": "core", "level": 2},
                "aliases": {"gpt-4": "amazon.nova-lite-v1:0"},
                # They say nothing, and scripts send them.
                "config": {},
                "permissions": {},
                "spend": 0,
                "model_max_budget": {},
                "send_invite_email": False,
            },
        )
        assert made["key"].startswith("sk-") and made["key_name"].startswith("sk-")
        assert made["token"] == made["token_id"]
        expected = {
            "key_alias": alias,
            "team_id": team["team_id"],
            "user_id": "ann",
            "models": ["*nova*"],
            "max_budget": 25,
            "soft_budget": 20,
            "budget_duration": "30d",
            "rpm_limit": 100,
            "tpm_limit": 100_000,
            "max_parallel_requests": 5,
            "metadata": {"team": "core", "level": "2"},
            "spend": 0,
            "blocked": False,
        }
        assert {name: made[name] for name in expected} == expected
        left = datetime.datetime.fromisoformat(made["expires"]) - datetime.datetime.now(datetime.UTC)
        assert datetime.timedelta(days=29) < left <= datetime.timedelta(days=30)
        assert admin.chat(made["key"]) == 200
        assert admin.chat(made["key"], model="gpt-4") == 200
        info = admin.good("GET", f"/key/info?key={made['key']}")
        assert info["key"] == made["token"]
        # What the two answers have cost comes a little later.
        del expected["spend"]
        assert {name: info["info"][name] for name in expected} == expected
        ours = admin.good("GET", f"/admin/v1/keys/{made['token']}")["settings"]
        assert ours["budgets"] == [
            {"period": "month", "limit_usd": 25},
            {"period": "month", "limit_usd": 20, "soft": True},
        ]

    def test_need_no_words(self, admin):
        made = admin.good("POST", "/key/generate", {})
        assert made["key_alias"] is None and made["models"] == [] and made["max_budget"] is None
        assert admin.chat(made["key"]) == 200

    def test_tell_of_themselves(self, admin, key):
        told = admin.good("GET", "/key/info", key=key["key"])
        assert told["info"]["key_alias"] == key["key_alias"]
        assert admin.good("GET", f"/key/info?key={key['key']}", key=key["key"])["key"] == key["token"]
        other = admin.good("POST", "/key/generate", {})
        assert error(admin.get(f"/key/info?key={other['key']}", key=key["key"])) == (403, "client_key", None)
        assert admin.post("/key/generate", key=key["key"]).status_code == 403

    def test_are_updated(self, admin, key):
        changed = admin.good("POST", "/key/update", {"key": key["key"], "max_budget": 5, "rpm_limit": 7})
        assert (changed["max_budget"], changed["budget_duration"], changed["rpm_limit"]) == (5, None, 7)
        changed = admin.good("POST", "/key/update", {"key": key["token"], "budget_duration": "7d", "rpm_limit": None})
        assert (changed["max_budget"], changed["budget_duration"], changed["rpm_limit"]) == (5, "7d", None)
        assert changed["key_alias"] == key["key_alias"]

    def test_are_blocked_and_unblocked(self, admin, key):
        assert admin.good("POST", "/key/block", {"key": key["key"]})["blocked"] is True
        assert admin.chat(key["key"]) == 401
        assert admin.good("POST", "/key/unblock", {"key": key["key"]})["blocked"] is False
        assert admin.chat(key["key"]) == 200

    def test_are_deleted_all_or_none(self, admin, key):
        other = admin.good("POST", "/key/generate", {"key_alias": f"{key['key_alias']}-2"})
        reply = admin.post("/key/delete", {"keys": [key["key"], "key_nothing"]})
        assert error(reply) == (404, "not_found", "keys[1]")
        assert admin.chat(key["key"]) == 200
        assert admin.good("POST", "/key/delete", {"keys": [key["key"]]}) == {"deleted_keys": [key["key"]]}
        assert admin.good("POST", "/key/delete", {"key_aliases": [other["key_alias"]]}) == {
            "deleted_keys": [other["token"]]
        }
        assert [admin.chat(one["key"]) for one in (key, other)] == [401, 401]

    def test_are_regenerated(self, admin, key):
        new = admin.good("POST", f"/key/{key['token']}/regenerate", {"grace_period": "24h"})
        assert new["key"] != key["key"] and new["key_alias"] == key["key_alias"]
        assert [admin.chat(one["key"]) for one in (key, new)] == [200, 200]
        newest = admin.good("POST", "/key/regenerate", {"key": new["key"], "max_budget": 3})
        assert newest["max_budget"] == 3
        assert [admin.chat(one["key"]) for one in (new, newest)] == [401, 200]

    def test_are_listed(self, admin, key, team):
        listed = admin.good("GET", f"/key/list?team_id={team['team_id']}")
        assert listed == {"keys": [key["token"]], "total_count": 1, "current_page": 1, "total_pages": 1}
        [full] = admin.good("GET", f"/key/list?key_alias={key['key_alias']}&return_full_object=true&size=5")["keys"]
        assert full["token"] == key["token"] and full["spend"] == 0

    @pytest.mark.parametrize(
        "members, field",
        [
            ({"max_budget": 5, "budget_duration": "12h"}, "budget_duration"),
            ({"budget_duration": "30d"}, "budget_duration"),
            ({"duration": "soon"}, "duration"),
            ({"key": "sk-my-own"}, "key"),
            ({"permissions": {"allow_pii_controls": True}}, "permissions"),
            ({"model_max_budget": {"gpt-4": 1}}, "model_max_budget"),
            ({"guardrails": ["pii"]}, "guardrails"),
            ({"auto_rotate": True}, "auto_rotate"),
            ({"metadata": {"nested": {"a": 1}}}, "metadata.nested"),
            ({"key_type": "management"}, "key_type"),
            ({"rpm_limit": -1}, "rpm_limit"),
            ({"team_id": "nobody"}, "team_id"),
            ({"not_litellms": None}, "not_litellms"),
        ],
    )
    def test_what_cannot_be_said_is_refused_by_name(self, admin, members, field):
        reply = admin.post("/key/generate", members)
        assert reply.status_code in (400, 404) and reply.json()["error"]["param"] == field, reply.text

    def test_have_an_alias_of_their_own(self, admin, key):
        assert error(admin.post("/key/generate", {"key_alias": key["key_alias"]})) == (400, "invalid_value", "key_alias")


class TestTeams:
    def test_are_projects(self, admin, team, key):
        project = admin.good("GET", f"/admin/v1/projects/{team['team_id']}")
        assert project["name"] == team["team_alias"]
        assert project["settings"]["budgets"] == [{"period": "month", "limit_usd": 500}]
        told = admin.good("GET", f"/team/info?team_id={team['team_id']}")
        assert told["team_info"]["max_budget"] == 500
        assert [one["token"] for one in told["keys"]] == [key["token"]]
        assert team["team_id"] in [one["team_id"] for one in admin.good("GET", "/team/list")]

    def test_are_changed_and_deleted_with_their_keys(self, admin, team, key):
        changed = admin.good("POST", "/team/update", {"team_id": team["team_alias"], "max_budget": 600})
        assert changed["team_id"] == team["team_id"] and changed["data"]["max_budget"] == 600
        admin.good("POST", "/team/update", {"team_id": team["team_id"], "blocked": True})
        assert admin.chat(key["key"]) in (401, 403)
        admin.good("POST", "/team/update", {"team_id": team["team_id"], "blocked": False})
        assert admin.chat(key["key"]) == 200
        assert admin.good("POST", "/team/delete", {"team_ids": [team["team_id"]]}) == {
            "deleted_teams": [team["team_id"]]
        }
        assert admin.chat(key["key"]) in (401, 403)

    def test_have_no_members(self, admin, alias):
        members = [{"role": "admin", "user_id": "ann"}]
        reply = admin.post("/team/new", {"team_alias": alias, "members_with_roles": members})
        assert error(reply) == (400, "invalid_value", "members_with_roles")
        assert error(admin.post("/team/new", {}))[2] == "team_alias"


class TestSpend:
    def test_has_records_and_sums(self, admin, key):
        assert isinstance(admin.good("GET", f"/spend/logs?api_key={key['key']}"), list)
        assert isinstance(admin.good("GET", "/spend/logs?start_date=2026-01-01&end_date=2026-01-02"), list)

    @pytest.mark.parametrize("query", ["start_date=today", "colour=red", "api_key=nothing"])
    def test_refuses_what_it_does_not_know(self, admin, query):
        reply = admin.get(f"/spend/logs?{query}")
        assert reply.status_code in (400, 404) and reply.json()["error"]["param"] == query.split("=")[0]

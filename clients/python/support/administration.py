"""What administrators can do, and a gateway for them."""

import httpx

from . import process, settings

ADMIN_KEY = "sk-owner-of-the-settings-0001"
READERS, WRITERS = {"owner", "admin", "viewer"}, {"owner", "admin"}
ALL = READERS | {"billing"}

# Each operation, and the roles that may.
OPERATIONS = {
    "GET /admin/v1/whoami": ALL,
    "GET /admin/v1/organizations": READERS,
    "POST /admin/v1/organizations": WRITERS,
    "GET /admin/v1/organizations/{organization}": READERS,
    "PATCH /admin/v1/organizations/{organization}": WRITERS,
    "DELETE /admin/v1/organizations/{organization}": WRITERS,
    "GET /admin/v1/projects": READERS,
    "POST /admin/v1/projects": WRITERS,
    "GET /admin/v1/projects/{project}": READERS,
    "PATCH /admin/v1/projects/{project}": WRITERS,
    "DELETE /admin/v1/projects/{project}": WRITERS,
    "GET /admin/v1/keys": READERS,
    "POST /admin/v1/keys": WRITERS,
    "GET /admin/v1/keys/{key}": READERS,
    "PATCH /admin/v1/keys/{key}": WRITERS,
    "DELETE /admin/v1/keys/{key}": WRITERS,
    "POST /admin/v1/keys/{key}/rotate": WRITERS,
    "POST /admin/v1/keys/{key}/disable": WRITERS,
    "POST /admin/v1/keys/{key}/enable": WRITERS,
    "GET /admin/v1/logins": READERS,
    "POST /admin/v1/logins": WRITERS,
    "GET /admin/v1/logins/{login}": READERS,
    "PATCH /admin/v1/logins/{login}": WRITERS,
    "DELETE /admin/v1/logins/{login}": WRITERS,
    "GET /admin/v1/admin_keys": READERS,
    "POST /admin/v1/admin_keys": {"owner"},
    "GET /admin/v1/admin_keys/{admin_key}": READERS,
    "PATCH /admin/v1/admin_keys/{admin_key}": {"owner"},
    "DELETE /admin/v1/admin_keys/{admin_key}": {"owner"},
    "GET /admin/v1/audit_log": WRITERS,
    "GET /admin/v1/budgets": ALL,
    "POST /key/generate": WRITERS,
    "GET /key/info": READERS,
    "GET /key/list": READERS,
    "POST /key/update": WRITERS,
    "POST /key/delete": WRITERS,
    "POST /key/block": WRITERS,
    "POST /key/unblock": WRITERS,
    "POST /key/regenerate": WRITERS,
    "POST /key/{key}/regenerate": WRITERS,
    "POST /team/new": WRITERS,
    "GET /team/info": READERS,
    "GET /team/list": READERS,
    "POST /team/update": WRITERS,
    "POST /team/delete": WRITERS,
    "GET /spend/logs": ALL,
}


class Administered:
    """A gateway with an owner in its settings, and without keys of models there."""

    def __init__(self, *arguments, env=None, admin_key=ADMIN_KEY):
        owner = {"OUTCROP_ADMIN_KEYS": admin_key} if admin_key else {}
        self.gateway = process.Gateway("--simulate", *arguments, env=owner | (env or {}), key=None)
        self.key = admin_key
        self.http = httpx.Client(trust_env=False, timeout=60, base_url=self.gateway.root, verify=False)

    def ask(self, method, path, key=None, headers=None, **options):
        headers = {"authorization": f"Bearer {key or self.key}"} | (headers or {})
        return self.http.request(method, path, headers=headers, **options)

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.ask("POST", path, json={} if body is None else body, **options)

    def patch(self, path, body, **options):
        return self.ask("PATCH", path, json=body, **options)

    def delete(self, path, **options):
        return self.ask("DELETE", path, **options)

    def good(self, method, path, body=None, **options):
        """The answer, which must be a good one."""
        reply = self.ask(method, path, json=body, **options) if body is not None else self.ask(method, path, **options)
        assert reply.status_code == 200, f"{method} {path}: {reply.status_code} {reply.text[:2000]}"
        return reply.json()

    def make(self, what, **members):
        return self.good("POST", f"/admin/v1/{what}", {"name": "x"} | members)

    def chat(self, key, model=settings.NOVA, text="[[sim:text ok]]"):
        """The status of a request to a model."""
        body = {"model": model, "messages": [{"role": "user", "content": text}]}
        return self.ask("POST", "/v1/chat/completions", key=key, json=body).status_code

    def close(self):
        self.http.close()
        self.gateway.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def error(reply):
    """Status, code and field of an error."""
    said = reply.json()["error"]
    assert set(said) >= {"message", "type", "param", "code"}
    return reply.status_code, said["code"], said["param"]

"""The API for administration, as a script would use it."""

import uuid

from . import settings
from .process import Stack

ADMIN_KEY = "sk-admin-of-the-tests"
ADMIN_KEYS = "OUTCROP_ADMIN_KEYS"


def start(*arguments, env=None, key=None, **options):
    """A gateway with administration and a database of its own, in front of a simulator. It is open until there is a key."""
    if "--database" not in arguments:
        arguments = ("--database", "memory", *arguments)
    return Stack(*arguments, env={ADMIN_KEYS: ADMIN_KEY} | (env or {}), key=key, **options)


class Admin:
    """What an administrator does at a gateway."""

    def __init__(self, gateway, key=ADMIN_KEY):
        self.gateway = gateway
        self.headers = {"authorization": f"Bearer {key}"}

    def request(self, method, path, **options):
        return self.gateway.request(method, f"/admin/v1{path}", headers=self.headers, **options)

    def done(self, method, path, **options):
        """The document that a request is answered with, which must have gone well."""
        reply = self.request(method, path, **options)
        assert reply.status_code in (200, 201), f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json()

    def organization(self, name=None, **said):
        return self.done("POST", "/organizations", json={"name": name or unique("org"), "settings": said})

    def project(self, organization, name=None, **said):
        body = {"organization": organization["id"], "name": name or unique("project"), "settings": said}
        return self.done("POST", "/projects", json=body)

    def key(self, project=None, name="a key", **said):
        """A new key, with the secret as `key`. Without a project, in one of its own of an organization of its own."""
        project = project or self.project(self.organization())
        body = {"project": project["id"], "name": name, "settings": said}
        return self.done("POST", "/keys", json=body)

    def update(self, kind, thing, **body):
        return self.done("PATCH", f"/{kind}/{thing['id']}", json=body)

    def revoke(self, key):
        reply = self.request("DELETE", f"/keys/{key['id']}")
        assert reply.status_code in (200, 204), reply.text


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def chat(gateway, key, model=settings.NOVA, text="hi", **options):
    """A chat completion with a key."""
    headers = {"authorization": f"Bearer {key['key']}"} | options.pop("headers", {})
    return gateway.chat(text, model=model, headers=headers, **options)

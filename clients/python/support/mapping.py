"""What a name means: asked of a running gateway (`/v1/mappings`) and of the command (`outcrop models resolve`)."""

import json

from . import settings, shapes
from .process import run

MEMBERS = {"name", "model_id", "base_model", "region", "bedrock_api", "thinking", "steps"}
ROUTES = ("converse", "invoke", "openai")


def look_up(gateway, name):
    """The reply, whatever it is."""
    return gateway.get("/v1/mappings", params={"name": name})


def resolve(gateway, name):
    """What a gateway makes of a name that it knows."""
    reply = look_up(gateway, name)
    assert reply.status_code == 200, f"{name}: {reply.status_code} {reply.text[:1000]}"
    return check(reply.json(), name)


def unknown(gateway, name):
    """The error for a name that it doesn't know."""
    return shapes.check_error(look_up(gateway, name), 404, code="model_not_found")


def run_resolve(name, *arguments, region=settings.REGION, env=None):
    return run("models", "resolve", name, "--region", region, *arguments, env=env)


def resolve_by_command(name, *arguments, **options):
    ended = run_resolve(name, "--json", *arguments, **options)
    assert ended.returncode == 0, f"{name}: {ended.stderr or ended.stdout}"
    return check(json.loads(ended.stdout), name)


def check(mapping, name):
    missing = MEMBERS - set(mapping)
    assert not missing, f"{name}: no {missing} in {mapping}"
    assert mapping["name"] == name, mapping
    assert mapping["model_id"] and mapping["region"], mapping
    assert mapping["bedrock_api"] in ROUTES and isinstance(mapping["thinking"], bool), mapping
    for step in mapping["steps"]:
        assert step["step"] and step["why"] and "result" in step, f"a step says what, to what, and why: {step}"
    return mapping

"""A simulator of all regions, and a gateway with a settings file of the test's own in front of it."""

import asyncio
import json
import pathlib

import httpx

from . import settings
from .process import Gateway, Simulator, poll

EAST, WEST, EU = "us-east-1", "us-west-2", "eu-west-1"
REGIONS = [EAST, WEST, EU]


def toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


def table(kind, **members):
    """A table of the settings, such as `[[routes]]`; a list of dictionaries in it becomes tables of its own."""
    plain = {key: value for key, value in members.items() if not is_tables(value)}
    text = f"[[{kind}]]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in plain.items())
    for key, value in members.items():
        if is_tables(value):
            text += "".join(table(f"{kind}.{key}", **one) for one in value)
    return text


def is_tables(value):
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def route(name="chat", targets=(), **members):
    """Targets are regions of Nova, models, or dictionaries."""
    return table("routes", name=name, **members, targets=[target(one) for one in targets])


def target(one):
    if isinstance(one, dict):
        return {"model": settings.NOVA} | one
    return {"model": settings.NOVA, "region": one} if one in REGIONS else {"model": one}


class Front:
    def __init__(self, folder, text="", *arguments, name="outcrop.toml", scenario="", env=None, key=settings.KEY):
        self.file = pathlib.Path(folder) / name
        self.file.write_text(text)
        script = pathlib.Path(folder) / "scenario.toml"
        script.write_text(f"other_regions = true\n{scenario}")
        self.simulator = Simulator("--simulator-scenario", script)
        self.running = [self.simulator]
        # One for all of a test's requests: each new one reads all certificates of the machine, unless it verifies none.
        self.http = httpx.Client(trust_env=False, timeout=60, verify=False)
        self.arguments, self.key = arguments, key
        self.env = self.simulator.endpoints | self.simulator.credentials | (env or {})
        self.env |= {name: self.simulator.url for name in ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_SECRETS_MANAGER")}
        self.env |= {name: self.simulator.url for name in ("AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL_SERVICE_QUOTAS")}
        self.env = {name: value for name, value in self.env.items() if value is not None}
        try:
            self.gateway = self.another()
        except BaseException:
            self.close()
            raise

    def another(self):
        """A gateway with the same settings."""
        gateway = Gateway("--config", self.file, *self.arguments, env=self.env, key=self.key)
        gateway.key = (self.key or settings.KEY).split(",")[0]
        self.running.append(gateway)
        return gateway

    def simulate(self, what, *rows):
        """Replaces the simulator's quotas, latencies or outages; with no rows there are none."""
        reply = self.http.put(f"{self.simulator.url}/_simulator/{what}", json=list(rows))
        assert reply.is_success, reply.text

    @property
    def total(self):
        """Calls that reached Bedrock."""
        return self.state()["calls"]["total"]

    def state(self):
        return self.http.get(f"{self.simulator.url}/_simulator/state").json()

    def requests(self, mark):
        """The calls with this word in them, oldest first."""
        return [request for request in self.state()["requests"] if mark in json.dumps(request)]

    def asked(self, mark):
        """The models that were asked with this word, oldest first."""
        calls = [call for call in self.requests(mark) if "/model/" in call["path"]]
        return [call["path"].split("/")[2].replace("%3A", ":") for call in calls]

    def chat(self, text="[[sim:text ok]]", model="chat", headers=None, gateway=None, **body):
        gateway = gateway or self.gateway
        body = {"model": model, "messages": [{"role": "user", "content": text}]} | body
        url = f"{gateway.base_url}/chat/completions"
        return self.http.post(url, json=body, headers=gateway.headers | (headers or {}))

    def good(self, *arguments, **options):
        reply = self.chat(*arguments, **options)
        assert reply.status_code == 200, f"{reply.status_code} {reply.text[:2000]}"
        return reply

    def region(self, *arguments, **options):
        """The region that answers."""
        return self.good(*arguments, **options).headers["x-bedrock-region"]

    def many(self, requests):
        """The answers to many requests at the same time; each is what `chat` takes, with `key` besides."""
        return asyncio.run(self.all_of(requests))

    async def all_of(self, requests):
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(trust_env=False, timeout=60, limits=limits, verify=False) as client:
            return await asyncio.gather(*(self.send(client, **request) for request in requests))

    async def send(self, client, text="[[sim:text ok]]", model="chat", key=None, headers=None, **body):
        body = {"model": model, "messages": [{"role": "user", "content": text}]} | body
        headers = {"authorization": f"Bearer {key or self.gateway.key}"} | (headers or {})
        return await client.post(f"{self.gateway.base_url}/chat/completions", json=body, headers=headers)

    def streaming(self, text, key=None, gateway=None, **body):
        """A stream that has begun, with its client: for `with`."""
        body = {"model": "chat", "stream": True, "messages": [{"role": "user", "content": text}]} | body
        return Streaming(gateway or self.gateway, key, body)

    def idle(self):
        poll(lambda: self.state()["calls"]["active"] == 0, "no call is under way")

    def close(self):
        self.http.close()
        for one in reversed(self.running):
            one.close()


class Streaming:
    """A stream of which the first line has come. Leaving it early hangs up."""

    def __init__(self, gateway, key, body):
        self.client = httpx.Client(trust_env=False, timeout=60, verify=False)
        headers = {"authorization": f"Bearer {key or gateway.key}"}
        request = self.client.build_request("POST", f"{gateway.base_url}/chat/completions", json=body, headers=headers)
        self.reply = self.client.send(request, stream=True)
        self.lines = self.reply.iter_lines()
        self.text = ""
        if self.reply.status_code == 200:
            self.text = next(self.lines) + "\n"
        else:
            self.reply.read()

    @property
    def headers(self):
        return self.reply.headers

    def rest(self):
        """All of it."""
        self.text += "".join(f"{line}\n" for line in self.lines)
        return self.text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reply.close()
        self.client.close()

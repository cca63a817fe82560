"""Load: many clients with many keys at several instances, and what became of each of their requests."""

import dataclasses
import http.client
import json
import pathlib
import re
import threading
import time
import uuid

import httpx

from . import admin, settings
from .admin import Admin
from .process import Gateway, Simulator, new_folder, poll

TIMEOUT = 30
WORD = re.compile(rb'"content": ?"[^"]')
WHOLE, STREAM, LEAVE = "whole", "stream", "leave"
# Of each kind of request the most that it may write, and dollars of a token of each model.
MOST_TOKENS = 60
PRICES = {settings.NOVA: (0.06e-6, 0.24e-6), settings.CLAUDE: (3.3e-6, 16.5e-6)}


@dataclasses.dataclass
class Sent:
    """A request. Times are the client's."""

    id: str
    key: str
    instance: "Instance"
    kind: str
    sent: float
    # When its status was there, and when it was over.
    begun: float = 0.0
    ended: float = 0.0
    # None: the connection broke before there was one.
    status: int = None
    code: str = None
    is_broken: bool = False
    # It never left: nobody listened.
    is_refused: bool = False
    tokens: tuple = None


class Administrator(Admin):
    """An administrator with a connection that stays, since there is much to do."""

    def __init__(self, gateway):
        super().__init__(gateway)
        self.http = httpx.Client(trust_env=False, verify=False, timeout=60, base_url=gateway.root, headers=self.headers)

    def request(self, method, path, **options):
        return self.http.request(method, f"/admin/v1{path}", **options)

    def get(self, path, **parameters):
        reply = self.http.get(path, params=parameters)
        assert reply.status_code == 200, reply.text
        return reply.json()


class Instance:
    """A gateway from its start to its end."""

    def __init__(self, name, folder, arguments, environment, port=0):
        self.name = name
        self.folder = folder
        self.gateway = Gateway(*arguments, "--state-dir", folder, env=environment, key=None, port=port)
        self.admin = Administrator(self.gateway)
        # Between these two it was killed.
        self.killed = self.gone = None

    def kill(self):
        self.killed = time.monotonic()
        self.gateway.handle.kill()
        self.gateway.handle.wait()
        self.gone = time.monotonic()


class Fleet:
    """Instances with one database, and perhaps one Redis, in front of one simulator."""

    def __init__(self, database, shared=None, names=("a", "b"), more=()):
        self.simulator = Simulator("--simulator-pace", "0")
        keys = {admin.ADMIN_KEYS: admin.ADMIN_KEY}
        self.environment = self.simulator.endpoints | self.simulator.credentials | keys
        self.arguments = ["--database", database, "--shared-counters", shared or "off", *more]
        self.all = []
        # Those that run, by name.
        self.instances = {}
        try:
            for name in names:
                self.start(name)
        except BaseException:
            self.close()
            raise

    def start(self, name, *more, port=0):
        """Starts an instance, again if there was one of this name, on the same folder. `more` are arguments of its own."""
        folder = next((one.folder for one in self.all if one.name == name), None) or new_folder(f"state-{name}-")
        instance = Instance(name, folder, [*self.arguments, *more], self.environment, port)
        self.all.append(instance)
        self.instances[name] = instance
        return instance

    def stop(self):
        """Stops all in order, and tells by what statuses they ended, and what is left of their journals."""
        running = [one for one in self.instances.values() if one.gateway.handle.poll() is None]
        for one in running:
            one.gateway.terminate()
        statuses = {one.name: one.gateway.wait(60) for one in running}
        left = [path for one in running for path in files(f"{one.folder}/journal")]
        return statuses, left

    def close(self):
        for one in self.all:
            one.gateway.close()
        self.simulator.close()


def files(folder):
    return [path for path in pathlib.Path(folder).rglob("*.usage") if path.is_file()]


class Client:
    """One thread's connections. It sends one request at a time, and waits for its end."""

    def __init__(self, log):
        self.log = log
        self.connections = {}

    def connection(self, instance):
        port = instance.gateway.port
        if port not in self.connections:
            self.connections[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        return self.connections[port]

    def drop(self, instance):
        self.connections.pop(instance.gateway.port).close()

    def close(self):
        for connection in self.connections.values():
            connection.close()

    def ask(self, instance, key, kind=WHOLE, model=settings.NOVA, tokens=20):
        """Sends a request; what became of it goes to the log as well."""
        pace = "[[sim:pace 100ms]] [[sim:chunk 5]] " if kind == LEAVE else ""
        body = {
            "model": model,
            "messages": [{"role": "user", "content": f"{pace}[[sim:tokens {tokens}]] a question"}],
            "max_tokens": MOST_TOKENS,
        }
        if kind != WHOLE:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        headers = {"authorization": f"Bearer {key['key']}", "content-type": "application/json"}
        identifier = f"load-{uuid.uuid4().hex}"
        sent = Sent(identifier, key["name"], instance, kind, time.monotonic())
        try:
            connection = self.connection(instance)
            connection.request(
                "POST", "/v1/chat/completions", json.dumps(body), headers | {"x-request-id": identifier}
            )
            reply = connection.getresponse()
            sent.begun = time.monotonic()
            sent.status = reply.status
            if kind == LEAVE and sent.status == 200:
                leave(reply)
                self.drop(instance)
            else:
                read(sent, reply.read())
        except ConnectionRefusedError:
            sent.is_refused = True
            self.drop(instance)
        except (OSError, http.client.HTTPException):
            sent.is_broken = True
            self.drop(instance)
        sent.ended = time.monotonic()
        self.log.append(sent)
        return sent


def leave(reply):
    """Reads until there is a word of the answer."""
    while line := reply.readline():
        if WORD.search(line):
            return
    raise http.client.HTTPException("the stream has ended")


def read(sent, body):
    if sent.status != 200:
        sent.code = json.loads(body)["error"]["code"]
        return
    if sent.kind == WHOLE:
        usage = json.loads(body)["usage"]
    else:
        lines = [line[6:] for line in body.decode().splitlines() if line.startswith("data: ")]
        assert lines[-1] == "[DONE]", f"a stream without an end: {body[-300:]!r}"
        chunks = [json.loads(line) for line in lines[:-1]]
        usage = [chunk["usage"] for chunk in chunks if chunk.get("usage")][-1]
    sent.tokens = usage["prompt_tokens"], usage["completion_tokens"]


class Crowd:
    """Threads that go on until they are stopped. What fails in one fails in `join`."""

    def __init__(self):
        self.log = []
        self.stopping = threading.Event()
        self.failures = []
        self.threads = []

    def start(self, count, turn):
        """So many threads that call `turn(client, number)` over and over."""
        for number in range(count):
            thread = threading.Thread(target=self._run, args=(turn, number), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _run(self, turn, number):
        client = Client(self.log)
        try:
            while not self.stopping.is_set():
                turn(client, number)
        except BaseException as failure:
            self.failures.append(failure)
            raise
        finally:
            client.close()

    def join(self):
        """Stops all of them, which must be over soon: nothing hangs."""
        self.stopping.set()
        deadline = time.monotonic() + TIMEOUT + 10
        for thread in self.threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        assert not any(thread.is_alive() for thread in self.threads), "a request hangs"
        if self.failures:
            raise self.failures[0]
        return self.log

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()


def records(instance):
    """All records of usage that the database has."""
    found, page = [], {}
    while True:
        answer = instance.admin.get("/v1/usage/records", limit=1000, **page)
        found += answer["data"]
        if not answer["has_more"]:
            return found
        page = {"page": answer["next_page"]}


def sums(instance):
    """Usage by key: the sums of a report, by the key's id."""
    report = instance.admin.get("/v1/usage", days=2, bucket="none", group_by="key")
    return {row["key_id"]: row for slot in report["data"] for row in slot["results"]}


def ledger(simulator):
    """What the simulator has answered, by the name in the metadata of a key: sums of what ended well, and the rest."""
    poll(lambda: simulator.active() == 0, "the end of all calls")
    rows = {}
    for row in simulator.state()["ledger"]:
        name = row["requestMetadata"].get("load")
        for kind in ("finished", "aborted"):
            into = rows.setdefault(name, {}).setdefault(kind, {"calls": 0, "input": 0, "output": 0})
            into["calls"] += row[kind]["calls"]
            into["input"] += row[kind]["inputTokens"]
            into["output"] += row[kind]["outputTokens"]
    return rows

"""Three gateways with one PostgreSQL and one Redis, behind nginx: restarts, upgrades, and what happens when one is gone.

`OUTCROP_LONG=1` has more clients, and restarts each instance five times.
"""

import collections
import dataclasses
import itertools
import os
import threading
import time
import uuid

import httpx
import openai
import pytest

from support import balancer, load, redis, settings
from support.balancer import Balancer
from support.load import Fleet
from support.process import poll

LONG = os.environ.get("OUTCROP_LONG") == "1"
CLIENTS = 24 if LONG else 6
ROUNDS = 5 if LONG else 1
NAMES = ("a", "b", "c")
RATE = 6
# A record is in the journal some milliseconds after its request has ended; a machine that is busy gets a second.
JOURNAL_BOUND = 1.0
STOPPING = ("--shutdown-delay", "1s", "--shutdown-timeout", "60s")
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
WHOLE, STREAM, TOOLS, SLOW = "whole", "stream", "tools", "slow"

pytestmark = pytest.mark.timeout(900 if LONG else 240)


@pytest.fixture
def site(server, a_redis):
    balancer.need()
    running = Site(server, a_redis)
    yield running
    running.close()


class Site:
    """The three behind nginx, on ports that stay."""

    def __init__(self, server, shared):
        self.fleet = Fleet(server.database(), shared.url, names=(), more=STOPPING)
        self.balancer = None
        try:
            for name in NAMES:
                self.fleet.start(name)
            self.ports = {name: one.gateway.port for name, one in self.fleet.instances.items()}
            self.balancer = Balancer([f"127.0.0.1:{port}" for port in self.ports.values()])
        except BaseException:
            self.close()
            raise

    def instance(self, name):
        return self.fleet.instances[name]

    @property
    def admin(self):
        return self.instance("a").admin

    def key(self, name, **said):
        """A new key that all know."""
        key = self.admin.key(name=name, metadata={"load": name}, **said)
        for name in NAMES:
            poll(lambda name=name: self.ask(name, key, path="/v1/models") == 200, "the key is known", timeout=20)
        return key

    def ask(self, name, key, path=None, model=settings.NOVA):
        """The status that an instance itself answers with."""
        gateway, headers = self.instance(name).gateway, {"authorization": f"Bearer {key['key']}"}
        if path:
            return gateway.get(path, headers=headers).status_code
        return gateway.chat("[[sim:text ok]]", model=model, headers=headers).status_code

    def served(self, name):
        """How many answers an instance has in its log."""
        return sum('"message":"request"' in line for line in self.instance(name).gateway.stderr)

    def start(self, name, *more):
        """Starts an instance again where it was, and waits until nginx has it do some work."""
        self.fleet.start(name, *more, port=self.ports[name])
        poll(lambda: self.served(name) >= 3, "requests at the one that was started", timeout=60)

    def stop(self, name):
        gateway = self.instance(name).gateway
        gateway.terminate()
        assert gateway.wait(90) == 0, gateway.report()

    def end(self):
        """Stops all in order; then all that they know is in the database."""
        statuses, left = self.fleet.stop()
        assert set(statuses.values()) == {0} and left == [], (statuses, left)

    def close(self):
        if self.balancer:
            self.balancer.close()
        self.fleet.close()


@dataclasses.dataclass
class Asked:
    """What a client of OpenAI's saw of a request."""

    id: str
    key: str
    kind: str
    sent: float
    ended: float = 0.0
    tokens: tuple = None
    failure: Exception = None
    # Whether there was a piece of a stream before it failed.
    has_begun: bool = False


class Crowd:
    """Clients that ask through nginx, one request each at a time, until they are stopped."""

    def __init__(self, site, keys, kinds=(WHOLE, STREAM, TOOLS, SLOW), count=CLIENTS):
        self.log, self.stopping, self.failures = [], threading.Event(), []
        self.base_url, self.keys, self.kinds = site.balancer.base_url, keys, kinds
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(count)]

    def _run(self, number):
        try:
            with httpx.Client(trust_env=False, timeout=60) as http:
                for turn in itertools.count(number):
                    if self.stopping.is_set():
                        return
                    key = self.keys[turn % len(self.keys)]
                    client = openai.OpenAI(
                        base_url=self.base_url, api_key=key["key"], max_retries=0, timeout=60, http_client=http
                    )
                    self.ask(client, key["name"], self.kinds[turn % len(self.kinds)])
        except BaseException as failure:
            self.failures.append(failure)
            raise

    def ask(self, client, key, kind):
        asked = Asked(f"scale-{uuid.uuid4().hex}", key, kind, time.monotonic())
        pace = "[[sim:pace 60ms]] [[sim:tokens 30]]" if kind == SLOW else "[[sim:tokens 20]]"
        if kind == TOOLS:
            pace = "a question"
        request = {"model": settings.NOVA, "messages": [{"role": "user", "content": pace}], "max_tokens": 60}
        if kind == TOOLS:
            request |= {"tools": [TOOL], "tool_choice": "required"}
        try:
            if kind == WHOLE:
                answer = client.chat.completions.create(**request, extra_headers={"x-request-id": asked.id})
                usage = answer.usage
            else:
                usage = self.stream(client, asked, request)
            asked.tokens = usage.prompt_tokens, usage.completion_tokens
        except (openai.APIError, httpx.HTTPError) as failure:
            asked.failure = failure
        asked.ended = time.monotonic()
        self.log.append(asked)

    @staticmethod
    def stream(client, asked, request):
        usage = finish = None
        stream = client.chat.completions.create(
            **request, stream=True, stream_options={"include_usage": True}, extra_headers={"x-request-id": asked.id}
        )
        for chunk in stream:
            asked.has_begun = True
            usage = chunk.usage or usage
            for choice in chunk.choices:
                finish = choice.finish_reason or finish
        assert finish == ("tool_calls" if asked.kind == TOOLS else "stop"), finish
        return usage

    def wait(self, more):
        """Waits for so many further answers."""
        count = len(self.log) + more
        poll(lambda: len(self.log) >= count or self.failures, f"{more} answers more", timeout=90)
        assert not self.failures, self.failures

    def join(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(90)
        assert not any(thread.is_alive() for thread in self.threads), "a request hangs"
        assert not self.failures, self.failures
        return self.log

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()


def check_books(site, log, may_miss=()):
    """The database has each request once, with the tokens that its client saw, and what the simulator's ledger has."""
    site.fleet.start("reader")
    reader = site.instance("reader")
    records, by_id = load.records(reader), collections.defaultdict(list)
    for record in records:
        by_id[record["request_id"]].append(record)
    assert not [found for found in by_id.values() if len(found) > 1], "counted twice"
    for one in log:
        found = by_id.get(one.id)
        if one.tokens and one.id not in may_miss:
            assert found, f"it isn't in the database: {one}"
        if one.tokens and found:
            assert (found[0]["tokens"]["input"], found[0]["tokens"]["output"]) == one.tokens
    if may_miss:
        return
    for name, row in load.ledger(site.fleet.simulator).items():
        exact = [record for record in records if record["metadata"].get("load") == name]
        assert row["aborted"]["calls"] == 0 and row["finished"]["calls"] == len(exact)
        for member in ("input", "output"):
            assert row["finished"][member] == sum(record["tokens"][member] for record in exact)


def told(site, text, names=NAMES):
    for name in names:
        gateway = site.instance(name).gateway
        poll(lambda gateway=gateway: [line for line in gateway.stderr if text in line], text, timeout=60)


def report(log, began):
    kinds = collections.Counter(one.kind for one in log)
    failed = sum(one.failure is not None for one in log)
    print(f"\n{len(log)} requests in {time.monotonic() - began:.1f} s, {failed} failed: {dict(kinds)}")


def test_a_rolling_restart_and_an_upgrade_drop_nothing(site):
    keys = [site.key(name) for name in ("one", "two")]
    began = time.monotonic()
    with Crowd(site, keys) as crowd:
        crowd.wait(10)
        for _ in range(ROUNDS):
            for name in NAMES:
                site.stop(name)
                crowd.wait(5)
                # The version of tomorrow has an alias more.
                site.start(name, "--aliases", f"tomorrow={settings.NOVA}")
        log = crowd.join()
    assert [site.ask(name, keys[0], model="tomorrow") for name in NAMES] == [200] * 3
    assert not [one for one in log if one.failure], [one.failure for one in log if one.failure]
    site.end()
    check_books(site, log)
    report(log, began)


def test_one_is_taken_out_by_hand(site):
    key = site.key("one")
    ports = site.ports.items()
    client = openai.OpenAI(base_url=site.balancer.base_url, api_key=key["key"], max_retries=0, timeout=60)

    def ask(text, **fields):
        messages = [{"role": "user", "content": text}]
        return client.chat.completions.create(model=settings.NOVA, messages=messages, **fields)

    # One at each: whoever has the fewest open requests is next.
    streams = [ask("[[sim:pace 200ms]] [[sim:tokens 30]]", stream=True) for _ in NAMES]
    before = [next(stream) for stream in streams]
    site.balancer.reload([f"127.0.0.1:{port}{' down' if name == 'b' else ''}" for name, port in ports])
    finishes = [[choice.finish_reason for chunk in stream for choice in chunk.choices][-1] for stream in streams]
    assert len(before) == 3 and finishes == ["stop"] * 3, "they stay with the workers that have them"
    served = site.served("b")
    client = openai.OpenAI(base_url=site.balancer.base_url, api_key=key["key"], max_retries=0, timeout=60)
    for _ in range(10):
        assert ask("[[sim:text ok]]").choices[0].message.content == "ok"
    poll(lambda: site.served("a") + site.served("c") >= 12, "answers of the others")
    assert site.served("b") == served


def test_what_instances_share(site):
    free, slow, poor = (
        site.key("free"),
        site.key("slow", requests_per_minute=RATE),
        site.key("poor", budgets=[{"period": "total", "limit_usd": 0.00002}]),
    )
    # An instance that found Redis too slow counts for itself, until it reaches it again.
    statuses = [site.ask(name, slow) for name in NAMES * 5]
    lonely = any("doesn't answer" in line for name in NAMES for line in site.instance(name).gateway.stderr)
    assert set(statuses) == {200, 429}
    assert lonely or statuses.count(200) == RATE, "limits hold over all"
    poll(lambda: site.ask("a", poor) == 429, "the budget is spent", timeout=30)
    for name in NAMES:
        poll(lambda name=name: site.ask(name, poor) == 429, "a budget that is spent is spent everywhere")
    site.instance("b").admin.revoke(free)
    for name in NAMES:
        poll(lambda name=name: site.ask(name, free, path="/v1/models") == 401, "a key that is revoked is so everywhere")


def test_postgresql_and_redis_go_away_and_come_back(site, server, a_redis):
    keys = [site.key(name) for name in ("one", "two")]
    slow = site.key("slow", requests_per_minute=RATE)
    began = time.monotonic()
    again = None
    try:
        with Crowd(site, keys) as crowd:
            crowd.wait(10)
            server.stop()
            a_redis.close()
            cut = time.monotonic()
            crowd.wait(40)
            alone = [site.ask(name, slow) for name in NAMES * (RATE + 2)]
            # What has no limits doesn't ask it.
            told(site, "the Redis of `shared_counters` doesn't answer")
            # Each for itself, and none without limits.
            assert set(alone) <= {200, 429} and alone.count(200) <= len(NAMES) * RATE
            assert alone.count(429) > 0
            while time.monotonic() < cut + 3:
                crowd.wait(1)
            server.start()
            again = redis.Redis(port=a_redis.port)
            told(site, "usage is written to the database again")
            told(site, "is reached again")
            crowd.wait(20)
            log = crowd.join()
    finally:
        if server.handle.poll() is not None:
            server.start()
    assert not [one for one in log if one.failure], [one.failure for one in log if one.failure]
    later = site.key("later", requests_per_minute=RATE)
    statuses = [site.ask(name, later) for name in NAMES * 4]
    assert 429 in statuses, "counted together again"
    site.end()
    again.close()
    check_books(site, log)
    report(log, began)


def test_one_is_killed_and_the_others_take_over(site):
    keys = [site.key(name) for name in ("one", "two")]
    began = time.monotonic()
    with Crowd(site, keys) as crowd:
        crowd.wait(20)
        killed = time.monotonic()
        gateway = site.instance("b").gateway
        gateway.handle.kill()
        gateway.handle.wait()
        gone = time.monotonic()
        crowd.wait(40)
        site.start("b")
        crowd.wait(10)
        log = crowd.join()
    failed = [one for one in log if one.failure]
    for one in failed:
        assert one.sent <= gone and one.ended >= killed, f"it wasn't open when the instance was killed: {one}"
        # Whoever had read some of it sees a broken connection, others the balancer's 502.
        is_clear = isinstance(one.failure, (openai.APIConnectionError, httpx.RemoteProtocolError, httpx.ReadError))
        assert is_clear or (not one.has_begun and one.failure.status_code == 502), one
    assert len(failed) <= CLIENTS
    site.end()
    check_books(site, log, {one.id for one in log if killed - JOURNAL_BOUND < one.ended <= gone} | {""})
    report(log, began)

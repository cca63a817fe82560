"""Limits and budgets of tenants: what is let through, what clients are told, and that no budget is run over."""

import concurrent.futures
import re
import time

import openai
import pytest

from support import admin, redis, settings, shapes
from support.admin import Admin, chat
from support.process import Gateway, Simulator, poll

MESSAGES = [{"role": "user", "content": "hi"}]
# Dollars of a token that is written, of the dearest model below.
PRICE = 15e-6
LEAST = 100


@pytest.fixture(scope="module")
def running():
    with admin.start("--response-cache", "memory") as stack:
        yield stack


@pytest.fixture(scope="module")
def gateway(running):
    return running.gateway


@pytest.fixture(scope="module")
def administrator(gateway):
    return Admin(gateway)


def client_of(gateway, key, **options):
    return gateway.openai(api_key=key["key"], max_retries=0, **options)


def budget(limit, period="month", **said):
    return [{"period": period, "limit_usd": limit} | said]


def refused(reply, code):
    error = shapes.check_error(reply, 429)
    assert error["code"] == code, error
    return error


class TestRates:
    def test_requests_of_a_minute(self, gateway, administrator):
        key = administrator.key(requests_per_minute=2)
        client = client_of(gateway, key)
        for left in (1, 0):
            raw = client.chat.completions.with_raw_response.create(model=settings.NOVA, messages=MESSAGES)
            assert raw.headers["x-ratelimit-limit-requests"] == "2"
            assert raw.headers["x-ratelimit-remaining-requests"] == str(left)
        with pytest.raises(openai.RateLimitError) as failure:
            client.chat.completions.create(model=settings.NOVA, messages=MESSAGES)
        headers = failure.value.response.headers
        assert failure.value.code == "rate_limit_exceeded"
        assert 1 <= int(headers["retry-after"]) <= 61
        assert int(headers["retry-after-ms"]) <= 61_000
        assert headers["x-ratelimit-remaining-requests"] == "0"
        assert "2 requests per minute" in failure.value.message

    def test_an_organization_counts_all_of_its_keys(self, gateway, administrator):
        organization = administrator.organization(requests_per_minute=3)
        keys = [administrator.key(administrator.project(organization)) for _ in range(2)]
        replies = [chat(gateway, keys[turn % 2]).status_code for turn in range(5)]
        assert replies == [200, 200, 200, 429, 429]
        assert chat(gateway, administrator.key()).status_code == 200

    def test_tokens_of_a_minute(self, gateway, administrator):
        key = administrator.key(tokens_per_minute=400)
        reply = chat(gateway, key, body={"max_tokens": 300})
        assert reply.status_code == 200
        # What wasn't written came back.
        assert chat(gateway, key, body={"max_tokens": 300}).status_code == 200
        error = refused(chat(gateway, key, text="word " * 4000, body={"max_tokens": 10}), "rate_limit_exceeded")
        assert "too large" in error["message"]

    def test_streams_that_are_open(self, gateway, administrator):
        key = administrator.key(concurrent_streams=2)
        client = client_of(gateway, key)

        def stream():
            text = "[[sim:pace 500ms]] [[sim:chunk 1]] " + "a long answer " * 20
            return client.chat.completions.create(
                model=settings.NOVA, messages=[{"role": "user", "content": text}], stream=True
            )

        streams = [stream(), stream()]
        with pytest.raises(openai.RateLimitError) as failure:
            stream()
        assert "2 streams" in failure.value.message
        assert chat(gateway, key).status_code == 200, "it is no stream"
        streams[0].close()
        poll(lambda: chat(gateway, key, body={"stream": True}).status_code == 200, "room for a stream")
        streams[1].close()

    def test_a_kept_answer_counts_as_a_request_and_costs_nothing(self, gateway, administrator):
        key = administrator.key(requests_per_minute=3, budgets=budget(1))
        replies = [chat(gateway, key, text="the same", body={"temperature": 0}) for _ in range(4)]
        assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
        assert replies[1].headers["x-outcrop-cache"] == "hit"

    def test_what_is_not_limited_tells_nothing(self, gateway, administrator):
        reply = chat(gateway, administrator.key())
        assert not [name for name in reply.headers if name.startswith("x-ratelimit")]


class TestBudgets:
    def test_a_spent_budget_says_whose_it_is_and_when_it_begins_anew(self, gateway, administrator):
        project = administrator.project(administrator.organization(), name="search", budgets=budget(0.00001))
        key = administrator.key(project)
        assert chat(gateway, key, settings.CLAUDE, body={"max_tokens": LEAST}).status_code == 200
        reply = poll_refused(gateway, key)
        error = refused(reply, "insufficient_quota")
        assert error["type"] == "insufficient_quota"
        assert "project 'search'" in error["message"] and "each month" in error["message"]
        assert re.search(r"\$0\.00001\b", error["message"])
        assert reply.headers["x-should-retry"] == "false"
        assert int(reply.headers["retry-after"]) > 0
        assert "retry-after-ms" not in reply.headers

    def test_a_budget_in_total_never_begins_anew(self, gateway, administrator):
        key = administrator.key(budgets=budget(0, "total"))
        reply = chat(gateway, key)
        assert "doesn't begin anew" in refused(reply, "insufficient_quota")["message"]
        assert "retry-after" not in reply.headers

    def test_a_soft_budget_warns(self, running, gateway, administrator):
        key = administrator.key(budgets=budget(0.00001, soft=True))
        first = chat(gateway, key, settings.CLAUDE)
        assert "x-outcrop-budget-warning" not in first.headers
        reply = chat(gateway, key, settings.CLAUDE)
        assert reply.status_code == 200
        assert re.fullmatch(r"key month [\d.]+/0\.00001", reply.headers["x-outcrop-budget-warning"])
        chat(gateway, key, settings.CLAUDE)
        text = "a budget has reached"
        poll(lambda: [line for line in gateway.stderr if text in line], "a line in the log")
        assert len([line for line in gateway.stderr if text in line]) == 1

    def test_a_hundred_at_once(self, gateway, administrator):
        key = administrator.key(budgets=budget(0.01))
        spent = hammer([gateway], key, 100)
        assert 0 < spent <= 0.01 + LEAST * PRICE * 1.5


def poll_refused(gateway, key):
    def reply():
        reply = chat(gateway, key, settings.CLAUDE, body={"max_tokens": LEAST})
        return reply if reply.status_code == 429 else None

    return poll(reply, "a refusal")


def hammer(gateways, key, count):
    """Dollars that so many requests at once have cost; some are refused."""

    def one(turn):
        reply = chat(gateways[turn % len(gateways)], key, settings.CLAUDE, body={"max_tokens": LEAST})
        assert reply.status_code in (200, 429), reply.text
        if reply.status_code == 429:
            assert reply.json()["error"]["code"] == "insufficient_quota"
            return 0
        usage = reply.json()["usage"]
        return usage["prompt_tokens"] * 3e-6 + usage["completion_tokens"] * PRICE

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return sum(pool.map(one, range(count)))


class Sharing:
    """Instances with one database and one Redis."""

    def __init__(self, folder, store, count=3):
        self.simulator = Simulator()
        environment = self.simulator.endpoints | self.simulator.credentials | {admin.ADMIN_KEYS: admin.ADMIN_KEY}
        arguments = ("--database", f"sqlite:{folder}/outcrop.db", "--shared-counters", store.url if store else "off")
        self.gateways = [
            Gateway(*arguments, "--state-dir", f"{folder}/{turn}", env=environment, key=None) for turn in range(count)
        ]

    def close(self):
        for one in [*self.gateways, self.simulator]:
            one.close()


@pytest.fixture
def share(tmp_path):
    open_ones = []

    def start(store, count=3):
        open_ones.append(Sharing(tmp_path, store, count))
        return open_ones[-1]

    yield start
    for one in open_ones:
        one.close()


@pytest.fixture
def a_redis():
    if not redis.is_there():
        pytest.skip("redis-server is not installed")
    running = redis.Redis(password="s3cret-word")
    yield running
    running.close()


def known_to(gateway, key):
    """An answer to a key, if it is known."""
    reply = chat(gateway, key)
    return None if reply.status_code == 401 else reply


def known(gateways, key):
    """Waits until all instances know a key."""
    for gateway in gateways:
        poll(lambda gateway=gateway: known_to(gateway, key), "a key that is known")


class TestSharing:
    def test_the_first_key_holds_at_once_where_no_key_was_asked_for(self, share):
        sharing = share(None)
        key = Admin(sharing.gateways[0]).key(requests_per_minute=10)
        for gateway in sharing.gateways:
            reply = poll(lambda gateway=gateway: known_to(gateway, key), "a key that is known")
            assert reply.status_code == 200
            assert reply.headers["x-ratelimit-remaining-requests"] == "9", "the first one is counted"

    def test_a_key_of_another_database_opens_nothing(self, share):
        gateway = share(None, count=1).gateways[0]
        lost = {"key": "sk-oc-" + "a" * 12 + "-" + "b" * 40}
        assert chat(gateway, lost).status_code == 401
        assert chat(gateway, {"key": "anything"}).status_code == 200, "no key is asked for"

    def test_three_instances_keep_one_budget(self, share, a_redis):
        sharing = share(a_redis)
        administrator = Admin(sharing.gateways[0])
        key = administrator.key(budgets=budget(0.02, "total"))
        known(sharing.gateways, key)
        spent = hammer(sharing.gateways, key, 100) + hammer(sharing.gateways, key, 50)
        assert spent <= 0.02 + LEAST * PRICE * 1.5

    def test_three_instances_count_requests_together(self, share, a_redis):
        sharing = share(a_redis)
        key = Admin(sharing.gateways[0]).key(requests_per_minute=10)
        known(sharing.gateways, key)
        codes = [chat(sharing.gateways[turn % 3], key).status_code for turn in range(15)]
        assert codes == sorted(codes) and codes.count(200) == 7, "three were asked with before"

    def test_redis_dies_and_comes_back(self, share, a_redis):
        sharing = share(a_redis)
        key = Admin(sharing.gateways[0]).key(requests_per_minute=6)
        known(sharing.gateways, key)
        port = a_redis.port
        a_redis.close()
        codes = [chat(sharing.gateways[0], key).status_code for _ in range(8)]
        assert codes.count(200) == 5, "one was asked with before, and each counts for itself"
        text = "the Redis of `shared_counters` doesn't answer"
        poll(lambda: [line for line in sharing.gateways[0].stderr if text in line], "a warning")
        again = redis.Redis(port=port, password="s3cret-word")
        try:
            text = "is reached again"
            for gateway in sharing.gateways:
                poll(lambda gateway=gateway: chat(gateway, key).status_code in (200, 429), "an answer")
            poll(lambda: [line for line in sharing.gateways[0].stderr if text in line], "the connection")
            assert chat(sharing.gateways[0], key).status_code == 429
        finally:
            again.close()

    def test_without_redis_the_database_tells_what_others_have_spent(self, share):
        sharing = share(None)
        key = Admin(sharing.gateways[0]).key(budgets=budget(0.00001, "total"))
        known(sharing.gateways, key)
        assert chat(sharing.gateways[0], key, settings.CLAUDE, body={"max_tokens": LEAST}).status_code in (200, 429)
        started = time.monotonic()
        for gateway in sharing.gateways:
            poll_refused(gateway, key)
        assert time.monotonic() >= started

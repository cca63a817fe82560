"""Limits and budgets of tenants: what is let through, what clients are told, and that no budget is run over."""

import concurrent.futures
import datetime
import re
import time

import openai
import pytest

from support import admin, redis, settings, shapes
from support.admin import Admin, chat
from support.process import Gateway, Simulator, poll

MESSAGES = [{"role": "user", "content": "hi"}]
# Dollars of a token that Claude reads, and of one that it writes, by an inference profile of a geography.
READ, PRICE = 3.3e-6, 16.5e-6
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

    def test_headers_tell_of_the_limit_with_the_least_left(self, gateway, administrator):
        project = administrator.project(administrator.organization(requests_per_minute=9), tokens_per_minute=100_000)
        key = administrator.key(project, requests_per_minute=20, tokens_per_minute=200_000)
        headers = chat(gateway, key, body={"max_tokens": 1000}).headers
        told = {name.removeprefix("x-ratelimit-"): value for name, value in headers.items() if "x-ratelimit" in name}
        assert told["limit-requests"] == "9" and told["remaining-requests"] == "8"
        assert told["limit-tokens"] == "100000"
        assert 98_000 <= int(told["remaining-tokens"]) <= 99_000, "what it may write is reserved"
        for name in ("reset-requests", "reset-tokens"):
            assert re.fullmatch(r"(\d+m)?(\d+(\.\d+)?s)?(\d+ms)?", told[name]) and told[name]

    def test_requests_that_are_open(self, gateway, administrator):
        key = administrator.key(concurrent_requests=1)
        client = client_of(gateway, key)
        text = "[[sim:pace 500ms]] [[sim:chunk 1]] " + "a long answer " * 20
        stream = client.chat.completions.create(
            model=settings.NOVA, messages=[{"role": "user", "content": text}], stream=True
        )
        reply = chat(gateway, key)
        assert "1 requests open" in refused(reply, "rate_limit_exceeded")["message"]
        assert reply.headers["retry-after"] == "1"
        stream.close()
        poll(lambda: chat(gateway, key).status_code == 200, "room for a request")

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

    def test_each_period_is_named(self, gateway, administrator):
        for period, said in {
            "day": "for each day",
            "week": "for each week",
            "month": "for each month",
            "total": "in total",
        }.items():
            reply = chat(gateway, administrator.key(budgets=budget(0, period)))
            message = refused(reply, "insufficient_quota")["message"]
            assert said in message
            anew = re.search(r"begins anew on (\d{4}-\d\d-\d\d) at 00:00 UTC", message)
            assert bool(anew) == (period != "total")
            if anew:
                begins = datetime.datetime.fromisoformat(f"{anew[1]}T00:00:00+00:00")
                wait = begins - datetime.datetime.now(datetime.UTC)
                assert abs(int(reply.headers["retry-after"]) - wait.total_seconds()) < 60
                assert period != "week" or begins.weekday() == 0
                assert period != "month" or begins.day == 1

    def test_a_refusal_tells_of_nobody_else(self, gateway, administrator):
        organization = administrator.organization("acme-of-this-test", budgets=budget(0))
        others = administrator.project(organization, name="a-secret-project")
        administrator.key(others, name="a-secret-key")
        other = administrator.organization("a-secret-organization", budgets=budget(7))
        administrator.key(administrator.project(other))
        reply = chat(gateway, administrator.key(administrator.project(organization, name="mine")))
        assert "organization 'acme-of-this-test'" in refused(reply, "insufficient_quota")["message"]
        assert "secret" not in reply.text + str(reply.headers)
        for thing in (organization, others, other):
            assert thing["id"] not in reply.text + str(reply.headers)

    def test_what_is_reserved_is_refused_for_a_moment(self, gateway, administrator):
        key = administrator.key(budgets=budget(0.01, "total"))

        def standing():
            (own,) = administrator.done("GET", f"/budgets?key={key['id']}")["data"]
            return own

        assert standing()["reserved_usd"] == 0
        text = "[[sim:pace 500ms]] [[sim:chunk 1]] " + "a long answer " * 20
        stream = client_of(gateway, key).chat.completions.create(
            model=settings.CLAUDE, messages=[{"role": "user", "content": text}], stream=True, max_tokens=600
        )
        # 600 tokens may cost 0.009.
        assert 0.009 <= standing()["reserved_usd"] < 0.02
        reply = chat(gateway, key, settings.CLAUDE, body={"max_tokens": 600})
        message = refused(reply, "insufficient_quota")["message"]
        assert re.search(r"requests under way may cost \$0\.0\d+", message)
        assert reply.headers["retry-after"] == "1"
        assert reply.headers.get("x-should-retry") != "false"
        # The client of OpenAI tries again, as it is told to, until there is room.
        stream.close()
        client = client_of(gateway, key).with_options(max_retries=5)
        client.chat.completions.create(model=settings.CLAUDE, messages=MESSAGES, max_tokens=LEAST)
        poll(lambda: standing()["reserved_usd"] == 0, "nothing under way")
        assert standing()["spent_usd"] > 0

    def test_what_a_fallback_costs_counts(self, tmp_path):
        scenario = tmp_path / "scenario.toml"
        scenario.write_text('[[rules]]\nmodel = "nova"\nactions = ["error ThrottlingException"]\n')
        with admin.start("--fallbacks", settings.CLAUDE, "--max-attempts", "1", scenario=scenario) as stack:
            administrator = Admin(stack.gateway)
            key = administrator.key(budgets=budget(1, "total"))
            reply = chat(stack.gateway, key, text="[[sim:tokens 200]]", body={"max_tokens": 300})
            assert reply.status_code == 200 and reply.headers["x-bedrock-model"] == settings.CLAUDE
            cost = cost_of(reply)
            assert cost > 200 * PRICE * 0.9

            def spent():
                (own,) = administrator.done("GET", f"/budgets?key={key['id']}")["data"]
                return own["spent_usd"]

            poll(lambda: spent() > 0, "what was spent")
            poll(lambda: spent() == pytest.approx(cost, rel=0.01), "no more than that")

    def test_what_a_client_pays_itself_counts_in_no_budget(self):
        allowed = "aws_access_key_id,aws_secret_access_key"
        with admin.start("--request-aws-parameters", allowed) as stack:
            administrator = Admin(stack.gateway)
            key = administrator.key(budgets=budget(0.00001, "total"))
            own = {
                "aws_access_key_id": stack.simulator.credentials["AWS_ACCESS_KEY_ID"],
                "aws_secret_access_key": stack.simulator.credentials["AWS_SECRET_ACCESS_KEY"],
            }
            replies = [chat(stack.gateway, key, settings.CLAUDE, body=own) for _ in range(4)]
            assert [reply.status_code for reply in replies] == [200] * 4

            def records():
                reply = stack.gateway.get(f"/v1/usage/records?key_ids={key['id']}", headers=administrator.headers)
                return reply.json()["data"]

            found = poll(lambda: len(records()) == 4 and records(), "records of usage")
            assert all(record["account"] == "request" and record["cost"] > 0 for record in found)
            (standing,) = administrator.done("GET", f"/budgets?key={key['id']}")["data"]
            assert standing["spent_usd"] == 0
            assert chat(stack.gateway, key, settings.CLAUDE).status_code == 200, "the budget is untouched"
            poll_refused(stack.gateway, key)

    def test_a_budget_warns_before_it_is_spent(self, gateway, administrator):
        key = administrator.key(name="warned", budgets=budget(0.1, "week", warn_at=0.0001))
        assert "x-outcrop-budget-warning" not in chat(gateway, key, settings.CLAUDE).headers
        for _ in range(3):
            reply = chat(gateway, key, settings.CLAUDE)
            assert reply.status_code == 200
            assert re.fullmatch(r"key week 0\.0\d+/0\.1\d*", reply.headers["x-outcrop-budget-warning"])
        assert len(poll(lambda: warnings(gateway, "warned"), "a line in the log")) == 1
        assert "warned" not in reply.headers["x-outcrop-budget-warning"]

    def test_a_soft_budget_warns(self, running, gateway, administrator):
        key = administrator.key(name="softly", budgets=budget(0.00001, soft=True))
        first = chat(gateway, key, settings.CLAUDE)
        assert "x-outcrop-budget-warning" not in first.headers
        reply = chat(gateway, key, settings.CLAUDE)
        assert reply.status_code == 200
        assert re.fullmatch(r"key month [\d.]+/0\.00001", reply.headers["x-outcrop-budget-warning"])
        chat(gateway, key, settings.CLAUDE)
        assert len(poll(lambda: warnings(gateway, "softly"), "a line in the log")) == 1

    def test_a_hundred_at_once(self, gateway, administrator):
        key = administrator.key(budgets=budget(0.01))
        spent = hammer([gateway], key, 100)
        assert 0 < spent <= 0.01 + LEAST * PRICE * 1.5


def warnings(gateway, name):
    """What the log says of the budgets of a key."""
    lines = [line for line in gateway.stderr if "a budget has reached" in line]
    return [line for line in lines if name in line]


def cost_of(reply):
    """Dollars that an answer of Claude has cost."""
    usage = reply.json()["usage"]
    return usage["prompt_tokens"] * READ + usage["completion_tokens"] * PRICE


def poll_refused(gateway, key):
    def reply():
        reply = chat(gateway, key, settings.CLAUDE, body={"max_tokens": LEAST})
        return reply if reply.status_code == 429 else None

    return poll(reply, "a refusal")


def until_refused(gateway, key):
    """The answers that came before a budget was spent."""
    answers = []

    def is_spent():
        reply = chat(gateway, key, settings.CLAUDE, body={"max_tokens": LEAST})
        if reply.status_code == 200:
            answers.append(reply)
        return reply.status_code == 429 and reply.headers.get("x-should-retry") == "false"

    poll(is_spent, "a refusal")
    return answers


def hammer(gateways, key, count, meanwhile=None):
    """Dollars that so many requests at once have cost; some are refused. One thread does something else first."""

    def one(turn):
        if meanwhile and turn == count // 3:
            meanwhile()
        reply = chat(gateways[turn % len(gateways)], key, settings.CLAUDE, body={"max_tokens": LEAST})
        assert reply.status_code in (200, 429), reply.text
        if reply.status_code == 429:
            assert reply.json()["error"]["code"] == "insufficient_quota"
            return 0
        return cost_of(reply)

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


def is_shared(sharing):
    """Whether Redis has always answered in time: where it doesn't, each instance counts for itself, as the log says."""
    text = "the Redis of `shared_counters` doesn't answer"
    return not [line for gateway in sharing.gateways for line in gateway.stderr if text in line]


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
        most = 0.02 + LEAST * PRICE * 1.5
        assert spent <= (most if is_shared(sharing) else 3 * most)

    def test_three_instances_count_requests_together(self, share, a_redis):
        sharing = share(a_redis)
        key = Admin(sharing.gateways[0]).key(requests_per_minute=10)
        known(sharing.gateways, key)
        codes = [chat(sharing.gateways[turn % 3], key).status_code for turn in range(15)]
        if not is_shared(sharing):
            pytest.skip("this machine is too busy for Redis to answer in time")
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

    def test_a_budget_outlives_redis(self, share, a_redis):
        sharing = share(a_redis)
        key = Admin(sharing.gateways[0]).key(budgets=budget(0.02, "total"))
        known(sharing.gateways, key)
        most_of_a_call = LEAST * PRICE * 1.5
        spent = hammer(sharing.gateways, key, 100, meanwhile=a_redis.close)
        # Each goes on with its own limits.
        assert spent <= 3 * (0.02 + most_of_a_call)
        again = redis.Redis(port=a_redis.port, password="s3cret-word")
        try:
            text = "is reached again"
            for gateway in sharing.gateways:
                chat(gateway, key)
                poll(lambda gateway=gateway: [line for line in gateway.stderr if text in line], "the connection")
                # By the database, each learns of all that was spent.
                spent += sum(cost_of(reply) for reply in until_refused(gateway, key))
            later = hammer(sharing.gateways, key, 50)
            assert later <= max(0, 0.02 - spent) + most_of_a_call
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

"""The response cache: what is answered again without a call, for whom, for how long, and what never is."""

import json
import socket

import pytest

from support import redis, settings, shapes
from support.fetched import Site
from support.process import Gateway, Simulator, poll
from support.wire import Events

CACHE, TTL, LIMIT = "OUTCROP_RESPONSE_CACHE", "OUTCROP_RESPONSE_CACHE_TTL", "OUTCROP_RESPONSE_CACHE_LIMIT"
COLD = {"temperature": 0}
GUARDRAIL = {"X-Amzn-Bedrock-GuardrailIdentifier": "simguardrail1", "X-Amzn-Bedrock-GuardrailVersion": "1"}
TITAN = "amazon.titan-embed-text-v2:0"


class Cached:
    """Gateways in front of one simulator."""

    def __init__(self, store, count=1, env=None, keys=settings.KEY):
        self.simulator = Simulator()
        self.gateways = []
        environment = self.simulator.endpoints | self.simulator.credentials | {CACHE: store} | (env or {})
        for _ in range(count):
            self.gateways.append(Gateway(env=environment, key=keys))
            self.gateways[-1].key = keys.split(",")[0]

    @property
    def gateway(self):
        return self.gateways[0]

    def calls(self, mark):
        return len(self.simulator.requests(mark))

    def chat(self, text, gateway=None, headers=None, **body):
        return (gateway or self.gateway).chat(text, body=COLD | body, headers=headers)

    def close(self):
        for one in [*self.gateways, self.simulator]:
            one.close()


@pytest.fixture(scope="module")
def cached():
    running = Cached("memory", keys=f"{settings.KEY},sk-other")
    yield running
    running.close()


@pytest.fixture
def start():
    running = []

    def starter(*arguments, **options):
        running.append(Cached(*arguments, **options))
        return running[-1]

    yield starter
    for one in running:
        one.close()


@pytest.fixture
def a_redis():
    need_redis()
    running = redis.Redis(password="s3cret-word")
    yield running
    running.close()


def need_redis():
    if not redis.is_there():
        pytest.skip("redis-server is not installed")


def state(reply):
    assert reply.status_code == 200, reply.text
    return reply.headers.get("x-outcrop-cache")


class TestHits:
    def test_the_same_question_is_asked_once(self, cached, mark):
        first, second = cached.chat(mark), cached.chat(mark)
        assert (state(first), state(second)) == ("miss", "hit")
        assert cached.calls(mark) == 1
        assert second.json() == first.json(), "id, time and usage are those of the first"
        shapes.check_completion(second.json())
        assert "age" not in first.headers and int(second.headers["age"]) >= 0
        for name in ("content-type", "x-bedrock-model", "x-outcrop-route"):
            assert second.headers[name] == first.headers[name]

    def test_a_hit_costs_nothing(self, cached, mark):
        first, second = cached.chat(mark), cached.chat(mark)
        usage = second.json()["usage"]
        assert usage["total_tokens"] > 0
        assert second.headers["x-token-usage-input"] == second.headers["x-token-usage-output"] == "0"
        told = {"x-amzn-requestid", "x-outcrop-attempts", "x-bedrock-region"} & set(second.headers)
        assert not told, "nobody was asked"
        missed, hit = cached.gateway.record(first), cached.gateway.record(second)
        assert missed["input_tokens"] == usage["prompt_tokens"] and not missed["cache_hit"]
        assert (hit["input_tokens"], hit["output_tokens"], hit["attempts"], hit["cache_hit"]) == (0, 0, 0, True)
        assert hit["outcome"] == "completed"

    def test_openais_client(self, cached, mark):
        client = cached.gateway.openai()

        def ask(**cache):
            raw = client.chat.completions.with_raw_response.create(
                model=settings.NOVA,
                messages=[{"role": "user", "content": mark}],
                temperature=0,
                extra_body={"cache": cache} if cache else None,
            )
            return raw.headers.get("x-outcrop-cache"), raw.parse()

        (missed, first), (hit, second) = ask(), ask(ttl=60)
        assert (missed, hit) == ("miss", "hit") and first == second
        assert ask(**{"no-cache": True})[1].id != first.id

    def test_order_and_white_space_dont_matter(self, cached, mark):
        body = {"model": settings.NOVA, "messages": [{"role": "user", "content": mark}], "temperature": 0}
        turned = {"temperature": 0, "messages": [{"content": mark, "role": "user"}], "model": settings.NOVA}
        headers = {"content-type": "application/json"}
        texts = [json.dumps(body), json.dumps(turned, indent=3), json.dumps(turned, separators=(",", ":"))]
        replies = [
            cached.gateway.request("POST", "/v1/chat/completions", content=text, headers=headers) for text in texts
        ]
        assert [state(reply) for reply in replies] == ["miss", "hit", "hit"]

    def test_several_choices(self, cached, mark):
        first, second = cached.chat(mark, n=2), cached.chat(mark, n=2)
        assert state(second) == "hit" and len(second.json()["choices"]) == 2
        assert first.json() == second.json() and cached.calls(mark) == 2

    def test_what_was_adapted_is_told_again(self, cached, mark):
        first, second = cached.chat(mark, logit_bias={"1": 1}), cached.chat(mark, logit_bias={"1": 1})
        assert state(second) == "hit"
        assert first.headers["x-outcrop-adapted"] == second.headers["x-outcrop-adapted"]


class TestStreams:
    def test_a_stream_is_played_again(self, cached, mark):
        options = {"stream": True, "stream_options": {"include_usage": True}}
        text = f"{mark} [[sim:tokens 200]]"
        first, second = cached.chat(text, **options), cached.chat(text, **options)
        assert (state(first), state(second)) == ("miss", "hit")
        assert first.text == second.text and cached.calls(mark) == 1
        assert second.headers["content-type"] == first.headers["content-type"]
        assert Events(second.text).done
        record = cached.gateway.record(second)
        assert (record["output_tokens"], record["stream"], record["cache_hit"]) == (0, True, True)

    def test_openais_client(self, cached, mark):
        def chunks():
            stream = cached.gateway.openai().chat.completions.create(
                model=settings.NOVA, messages=[{"role": "user", "content": mark}], temperature=0, stream=True
            )
            return list(stream)

        assert chunks() == chunks() and cached.calls(mark) == 1

    def test_streamed_and_whole_are_apart(self, cached, mark):
        whole, stream = cached.chat(mark, stream=False), cached.chat(mark, stream=True)
        assert (state(whole), state(stream)) == ("miss", "miss")
        assert [state(cached.chat(mark, stream=flag)) for flag in (False, True)] == ["hit", "hit"]

    @pytest.mark.parametrize("fault", ["[[sim:stream-error modelStreamErrorException after=3]]", "[[sim:cut after=3]]"])
    def test_a_broken_stream_is_not_kept(self, cached, mark, fault):
        text = f"{mark} [[sim:tokens 50]] {fault}"
        for _ in range(2):
            reply = cached.chat(text, stream=True)
            assert state(reply) == "miss" and not Events(reply.text).done

    def test_a_stream_that_the_client_left_is_not_kept(self, cached, mark):
        text = f"{mark} [[sim:tokens 400]] [[sim:pace 20ms]]"
        stream = cached.gateway.openai().chat.completions.create(
            model=settings.NOVA, messages=[{"role": "user", "content": text}], temperature=0, stream=True
        )
        next(iter(stream))
        stream.close()
        poll(lambda: cached.simulator.active() == 0, "the call's end")
        second = cached.gateway.openai().chat.completions.with_raw_response.create(
            model=settings.NOVA, messages=[{"role": "user", "content": text}], temperature=0, stream=True
        )
        assert second.headers["x-outcrop-cache"] == "miss"
        second.parse().close()


class TestWhatIsKept:
    @pytest.mark.parametrize("temperature", [None, 1, 0.1])
    def test_only_what_is_deterministic(self, cached, mark, temperature):
        for _ in range(2):
            reply = cached.chat(mark, temperature=temperature)
            assert state(reply) is None
        assert cached.calls(mark) == 2

    def test_unless_the_request_wants_it(self, cached, mark):
        wish = {"temperature": 1, "cache": {"use-cache": True}}
        assert [state(cached.chat(mark, **wish)) for _ in range(2)] == ["miss", "hit"]

    def test_not_where_the_model_has_no_temperature(self, cached, mark):
        """It thinks, and thinks otherwise each time."""
        thinking = {"model": settings.CLAUDE, "thinking": {"type": "enabled", "budget_tokens": 1024}}
        replies = [cached.chat(mark, max_tokens=4096, **thinking) for _ in range(2)]
        assert [state(reply) for reply in replies] == [None, None]
        assert "temperature=" in replies[0].headers["x-outcrop-adapted"]

    def test_no_errors(self, cached, mark):
        text = f"{mark} [[sim:error ValidationException times=1]] [[sim:text ok]]"
        shapes.check_error(cached.chat(text), 400)
        assert state(cached.chat(text)) == "miss"
        assert state(cached.chat(text)) == "hit"

    def test_nothing_that_was_fetched(self, start, mark):
        """What is behind a URL may be something else the next time."""
        running = start("memory", env={"OUTCROP_FETCH_PRIVATE_NETWORKS": "127.0.0.0/8"})
        with Site() as site:
            image = {"type": "image_url", "image_url": {"url": site.url()}}
            content = [{"type": "text", "text": mark}, image]
            assert [state(running.chat(content)) for _ in range(2)] == [None, None]

    def test_nothing_for_a_dry_run(self, cached, mark):
        cached.chat(mark)
        reply = cached.chat(mark, headers={"X-Outcrop-Dry-Run": "1"})
        assert state(reply) is None and "choices" not in reply.json()


class TestApart:
    def test_each_key_has_its_own(self, cached, mark):
        other = {"authorization": "Bearer sk-other"}
        assert state(cached.chat(mark)) == "miss"
        assert state(cached.chat(mark, headers=other)) == "miss"
        assert state(cached.chat(mark, headers=other)) == "hit"
        assert cached.calls(mark) == 2

    def test_a_guardrail_is_another_question(self, cached, mark):
        assert state(cached.chat(mark)) == "miss"
        assert state(cached.chat(mark, headers=GUARDRAIL)) == "miss"
        assert [state(cached.chat(mark, headers=headers)) for headers in (None, GUARDRAIL)] == ["hit", "hit"]

    @pytest.mark.parametrize(
        "change", [{"max_tokens": 5}, {"model": settings.CLAUDE}, {"seed": 1}, {"user": "u"}, {"stop": ["x"]}]
    )
    def test_any_other_parameter_is(self, cached, mark, change):
        cached.chat(mark)
        assert state(cached.chat(mark, **change)) == "miss"

    def test_namespaces(self, cached, mark):
        names = [{}, {"namespace": "a"}, {"namespace": "b"}, {"namespace": "a"}]
        assert [state(cached.chat(mark, cache=name)) for name in names] == ["miss", "miss", "miss", "hit"]


class TestControl:
    @pytest.mark.parametrize("way", ["body", "extra_body", "header"])
    def test_no_cache(self, cached, mark, way):
        """It is answered anew, and the new answer is kept."""
        first = cached.chat(mark)
        anew = cached.chat(mark, **wish(way, "no-cache"))
        assert state(anew) is None and anew.json()["id"] != first.json()["id"]
        assert cached.chat(mark).json()["id"] == anew.json()["id"]

    @pytest.mark.parametrize("way", ["body", "extra_body", "header"])
    def test_no_store(self, cached, mark, way):
        assert [state(cached.chat(mark, **wish(way, "no-store"))) for _ in range(2)] == ["miss", "miss"]
        cached.chat(mark)
        assert state(cached.chat(mark, **wish(way, "no-store"))) == "hit"

    def test_ttl(self, cached, mark):
        cached.chat(mark, cache={"ttl": 0.3})
        poll(lambda: state(cached.chat(mark, cache={"no-store": True})) == "miss", "the end of its time")

    def test_ttl_zero(self, cached, mark):
        assert [state(cached.chat(mark, cache={"ttl": 0})) for _ in range(2)] == ["miss", "miss"]

    def test_age(self, cached, mark):
        cached.chat(mark)
        assert state(cached.chat(mark, cache={"s-maxage": 600})) == "hit"
        fresh = {"s-maxage": 0.05, "no-store": True}
        poll(lambda: state(cached.chat(mark, cache=fresh)) == "miss", "too old an answer")
        assert state(cached.chat(mark)) == "hit"

    @pytest.mark.parametrize(
        "cache, param",
        [({"ttl": "soon"}, "cache.ttl"), ({"no-cache": 1}, "cache.no-cache"), ({"ttl": -1}, "cache.ttl"), (1, "cache")],
    )
    def test_wrong_values(self, cached, mark, cache, param):
        error = shapes.check_error(cached.chat(mark, cache=cache), 400)
        assert error["param"] == param
        assert cached.calls(mark) == 0

    def test_it_never_reaches_bedrock(self, cached, stack, mark):
        wanted = {"cache": {"no-store": True, "namespace": "n"}}
        cached.chat(mark, **wanted)
        (call,) = cached.simulator.requests(mark)
        assert "namespace" not in json.dumps(call["body"])
        # Nor where there is no cache.
        reply = stack.gateway.chat(mark, body=COLD | wanted)
        assert state(reply) is None
        (call,) = stack.simulator.requests(mark)
        assert "namespace" not in json.dumps(call["body"])


class TestEndpoints:
    @pytest.mark.parametrize(
        "path, body",
        [
            ("/v1/embeddings", {"model": TITAN, "input": "{mark}"}),
            ("/v1/completions", {"model": settings.NOVA, "prompt": "{mark}", "temperature": 0}),
            ("/v1/moderations", {"input": "{mark}"}),
            ("/v1/rerank", {"model": "cohere.rerank-v3-5:0", "query": "{mark}", "documents": ["a", "b"]}),
            (
                "/v1/chat/completions/input_tokens",
                {"model": settings.CLAUDE, "messages": [{"role": "user", "content": "{mark}"}]},
            ),
        ],
    )
    def test_each_has_a_cache(self, cached, mark, path, body):
        body = json.loads(json.dumps(body).replace("{mark}", mark))
        replies = [cached.gateway.request("POST", path, json=body) for _ in range(2)]
        if replies[0].status_code in (404, 503):
            pytest.skip(replies[0].text)
        assert [state(reply) for reply in replies] == ["miss", "hit"]
        assert replies[0].json() == replies[1].json()
        anew = cached.gateway.request("POST", path, json=body | {"cache": {"no-cache": True, "no-store": True}})
        assert state(anew) is None and "cache" not in anew.headers.get("x-outcrop-adapted", "")
        wrong = cached.gateway.request("POST", path, json=body | {"cache": {"ttl": []}})
        assert wrong.status_code == 400 and wrong.json()["error"]["param"] == "cache.ttl"

    def test_images_only_with_a_seed(self, cached, mark):
        body = {"model": "amazon.nova-canvas-v1:0", "prompt": mark, "response_format": "b64_json"}

        def states(**options):
            return [
                state(cached.gateway.request("POST", "/v1/images/generations", json=body | options)) for _ in range(2)
            ]

        assert states() == [None, None]
        assert states(seed=7) == ["miss", "hit"]
        assert states(seed=7, response_format="url") == [None, None], "URLs end before answers do"


class TestLimits:
    def test_what_is_too_large_is_not_kept(self, start, mark):
        running = start("memory", env={LIMIT: "64KiB"})
        long = f"{mark} [[sim:pace 0ms]] [[sim:text {'x' * 20_000}]]"
        for stream in (False, True):
            assert [state(running.chat(long, stream=stream)) for _ in range(2)] == ["miss", "miss"]
        assert [state(running.chat(mark)) for _ in range(2)] == ["miss", "hit"]

    def test_the_least_used_make_room(self, start, mark):
        running = start("memory", env={LIMIT: "64KiB"})
        texts = [f"{mark}{number} [[sim:text {'x' * 12_000}]]" for number in range(6)]
        assert [state(running.chat(text)) for text in texts] == ["miss"] * 6
        assert state(running.chat(texts[-1])) == "hit"
        assert state(running.chat(texts[0], cache={"no-store": True})) == "miss"

    def test_time(self, start, mark):
        running = start("memory", env={TTL: "300ms"})
        running.chat(mark)
        poll(lambda: state(running.chat(mark, cache={"no-store": True})) == "miss", "the end of its time")

    def test_off_by_itself(self, stack, mark):
        assert [state(stack.gateway.chat(mark, body=COLD)) for _ in range(2)] == [None, None]
        assert len(stack.simulator.requests(mark)) == 2


class TestRedis:
    def test_two_gateways_share_one(self, start, a_redis, mark):
        running = start(a_redis.url, count=2)
        first, second = running.gateways
        for stream in (False, True):
            one = running.chat(mark, gateway=first, stream=stream)
            assert state(one) == "miss"
            # It is written behind the answer.
            other = poll(lambda: hit(running.chat(mark, gateway=second, stream=stream)), "a hit")
            if not stream:
                assert "age" in other.headers
            shapes.check_completion(other.json()) if not stream else shapes.check_stream(Events(other.text).chunks)
        keys = a_redis.keys()
        assert len(keys) == 2 and all(key.startswith("outcrop:") for key in keys)
        assert all(0 < int(a_redis.command("PTTL", key)[1:]) <= 600_000 for key in keys)

    def test_nothing_secret_is_told(self, start, a_redis, mark):
        running = start(a_redis.url)
        running.chat(mark)
        keys = poll(a_redis.keys, "a key")
        assert settings.KEY not in "".join(keys)
        assert "s3cret-word" not in "\n".join(running.gateway.stderr + running.gateway.stdout)

    def test_without_it_all_goes_on(self, start, mark):
        running = start(f"redis://127.0.0.1:{redis.free_port()}")
        for number in range(5):
            assert state(running.chat(f"{mark}{number}")) is None
        assert len(told(running.gateway)) == 1, "once, not for each request"

    def test_one_that_speaks_no_tls(self, start, a_redis, mark):
        running = start(a_redis.url.replace("redis://", "rediss://"))
        assert state(running.chat(mark)) is None
        (line,) = poll(lambda: told(running.gateway), "a word of it")
        assert "s3cret-word" not in line

    def test_it_may_come_and_go(self, start, mark):
        need_redis()
        port = redis.free_port()
        running = start(f"redis://127.0.0.1:{port}")
        assert state(running.chat(mark)) is None
        one = redis.Redis(port)
        poll(lambda: state(running.chat(mark)) == "hit", "Redis in use", timeout=30)
        one.close()
        for _ in range(3):
            assert state(running.chat(mark)) is None
        poll(lambda: len(told(running.gateway)) == 2, "a word of each outage")

    def test_one_that_is_silent_is_left_alone(self, start, mark):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            running = start(f"redis://127.0.0.1:{silent.getsockname()[1]}")
            for number in range(5):
                assert state(running.chat(f"{mark}{number}")) is None
            poll(lambda: told(running.gateway), "a word of it", timeout=30)

    def test_what_others_wrote_is_no_answer(self, start, a_redis, mark):
        running = start(a_redis.url)
        running.chat(mark)
        (key,) = poll(a_redis.keys, "a key")
        a_redis.command("SET", key, "something else")
        length = a_redis.command("STRLEN", key)
        assert state(running.chat(mark)) == "miss"
        # The new answer is written behind the request, and would else come after the list.
        poll(lambda: a_redis.command("STRLEN", key) != length, "the answer in place of what others wrote")
        a_redis.command("DEL", key)
        a_redis.command("LPUSH", key, "a list")
        assert state(running.chat(mark)) is None


def wish(way, word):
    """A wish for the cache, in one of the ways to say it."""
    said = {word: True}
    return {
        "body": {"cache": said},
        "extra_body": {"extra_body": {"cache": said}},
        "header": {"headers": {"Cache-Control": word}},
    }[way]


def hit(reply):
    return reply if state(reply) == "hit" else None


def told(gateway):
    """What the log says of Redis being away."""
    return [line for line in gateway.stderr if "Redis doesn't answer" in line]

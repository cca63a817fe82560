"""What quotas.md promises: nothing is sent that has no room, what is left is told truly, and nobody is starved."""

import asyncio
import re

import openai
import pytest

from support import settings, shapes
from support.front import EAST, EU, REGIONS, WEST, route, table
from support.process import poll
from support.settings import CLAUDE, NOVA
from support.wire import Events

TITAN = "amazon.titan-embed-text-v2:0"
TIME = re.compile(r"(\d+h)?(\d+m)?(\d+(\.\d+)?s)?|\d+ms")
KINDS = ("requests", "tokens")
NOW = ("--admission", "--queue-timeout", "0")
PATIENT = ("--admission", "--queue-timeout", "30s")
OTHER = "sk-other"
# A stream that ends when its client has had enough.
LONG = "[[sim:pace 1s]] [[sim:tokens 60]]"


def quota(model=NOVA, **numbers):
    return table("quotas", model=model, **numbers)


def ratelimit(reply):
    """The headers of OpenAI's, of which each kind is there as a whole or not at all."""
    found = {}
    for kind in KINDS:
        names = [f"x-ratelimit-{part}-{kind}" for part in ("limit", "remaining", "reset")]
        values = [reply.headers.get(name) for name in names]
        if any(values):
            assert all(values), dict(reply.headers)
            limit, remaining, reset = values
            assert 0 <= int(remaining) <= int(limit)
            assert reset and TIME.fullmatch(reset), reset
            found[kind] = (int(limit), int(remaining), reset)
    return found


def left(reply, kind):
    return ratelimit(reply)[kind][1]


def used(reply):
    return reply.json()["usage"]


class TestRequests:
    def test_they_are_counted_down_and_then_refused(self, fronted):
        front = fronted(route(targets=[WEST]) + quota(requests_per_minute=3), *NOW)
        replies = [front.good() for _ in range(3)]
        assert [ratelimit(reply)["requests"][:2] for reply in replies] == [(3, 2), (3, 1), (3, 0)]
        assert all("tokens" not in ratelimit(reply) for reply in replies), "of tokens nothing is known"
        reply = front.chat()
        error = shapes.check_error(reply, 429, kind="rate_limit_error")
        assert NOVA in error["message"] and WEST in error["message"] and "3 requests per minute" in error["message"]
        assert re.search(r"about \d+ seconds", error["message"])
        assert 1 <= int(reply.headers["retry-after"]) <= 62
        assert ratelimit(reply)["requests"][:2] == (3, 0)
        assert front.total == 3, "Bedrock was not bothered"

    def test_openais_client_raises_what_it_would_for_openai(self, fronted):
        front = fronted(route(targets=[EAST]) + quota(requests_per_minute=1), *NOW)
        client = front.gateway.openai()
        for stream in (False, True):
            create = client.chat.completions.create
            if not stream:
                create(model="chat", messages=[{"role": "user", "content": "hi"}])
            with pytest.raises(openai.RateLimitError) as raised:
                create(model="chat", messages=[{"role": "user", "content": "hi"}], stream=stream)
            assert int(raised.value.response.headers["retry-after"]) > 0
            assert NOVA in raised.value.message and EAST in raised.value.message
            assert raised.value.body["region"] == EAST and raised.value.body["model"] == NOVA
            assert raised.value.response.headers["x-bedrock-region"] == EAST

    def test_a_name_without_a_route_has_quotas_too(self, fronted):
        front = fronted(quota(requests_per_minute=1), *NOW)
        assert ratelimit(front.good(model=NOVA))["requests"][:2] == (1, 0)
        shapes.check_error(front.chat(model=NOVA), 429)
        assert ratelimit(front.good(model=CLAUDE)) == {}

    def test_each_region_has_its_own(self, fronted):
        front = fronted(route(targets=REGIONS) + quota(requests_per_minute=2), *NOW)
        regions = [front.good().headers["x-bedrock-region"] for _ in range(6)]
        assert regions == [EAST, EAST, WEST, WEST, EU, EU]
        assert front.total == 6
        shapes.check_error(front.chat(), 429)
        assert front.total == 6

    def test_an_answer_tells_of_the_region_that_gave_it(self, fronted):
        text = quota(requests_per_minute=1, region=EAST) + quota(requests_per_minute=50, region=WEST)
        front = fronted(route(targets=[EAST, WEST]) + text, *NOW)
        assert [ratelimit(front.good())["requests"][:2] for _ in range(3)] == [(1, 0), (50, 49), (50, 48)]

    def test_other_models_follow_where_one_has_no_room(self, fronted):
        front = fronted(route(targets=[EAST], fallbacks=[CLAUDE]) + quota(requests_per_minute=1), *NOW)
        assert [front.good().headers["x-bedrock-model"] for _ in range(2)] == [NOVA, CLAUDE]

    def test_later_tables_win(self, fronted):
        text = quota("*", requests_per_minute=5, tokens_per_minute=90_000) + quota("amazon.nova-*", requests_per_minute=7)
        front = fronted(text, *NOW)
        told = ratelimit(front.good(model=NOVA))
        assert told["requests"][0] == 7 and told["tokens"][0] == 90_000

    def test_without_admission_they_are_only_told(self, fronted):
        front = fronted(quota(requests_per_minute=2))
        assert [left(front.good(model=NOVA), "requests") for _ in range(4)] == [1, 0, 0, 0]

    def test_unknown_ones_are_not_told(self, fronted):
        front = fronted("", "--admission")
        assert ratelimit(front.good(model=NOVA)) == {}

    @pytest.mark.parametrize("admission", [(), ("--admission",)], ids=["told", "kept"])
    def test_streams_and_errors_tell_them(self, fronted, admission):
        front = fronted(quota(requests_per_minute=10, tokens_per_minute=100_000), *admission)
        stream = front.good(model=NOVA, stream=True)
        assert ratelimit(stream)["requests"][:2] == (10, 9)
        assert 0 < left(stream, "tokens") < 100_000
        error = front.chat("[[sim:error ValidationException]]", model=NOVA)
        shapes.check_error(error, 400)
        assert ratelimit(error)["requests"][:2] == (10, 8), "a refusal is a request too"


class TestTokens:
    def test_what_is_left_is_what_was_used_and_reserved(self, fronted):
        limit = 100_000
        front = fronted(quota(tokens_per_minute=limit), *NOW)
        first = front.good("[[sim:tokens 300]] count", model=NOVA, max_tokens=2000)
        prompt = used(first)["prompt_tokens"]
        assert 0 <= limit - left(first, "tokens") - 2000 <= 4 * prompt + 64, "prompt and limit are reserved"
        second = front.good("[[sim:tokens 300]] count", model=NOVA, max_tokens=2000)
        spent = left(first, "tokens") - left(second, "tokens")
        assert abs(spent - used(first)["total_tokens"]) <= 2 * prompt, "then it is what it was"

    def test_claudes_output_burns_five_times(self, fronted):
        front = fronted(quota(CLAUDE, tokens_per_minute=1_000_000), *NOW)
        text = "[[sim:tokens 400]] count"
        first, second = (front.good(text, model=CLAUDE, max_tokens=9000) for _ in range(2))
        spent = left(first, "tokens") - left(second, "tokens")
        burned = used(first)["prompt_tokens"] + 5 * used(first)["completion_tokens"]
        assert abs(spent - burned) <= 2 * used(first)["prompt_tokens"]

    def test_where_answers_burn_more_than_their_limit_more_is_reserved(self, fronted):
        front = fronted(quota(CLAUDE, tokens_per_minute=1_000_000), *NOW)
        first, second = (front.good("[[sim:tokens 400]] count", model=CLAUDE, max_tokens=500) for _ in range(2))
        burned = used(first)["prompt_tokens"] + 5 * used(first)["completion_tokens"]
        assert left(first, "tokens") - left(second, "tokens") > burned

    def test_what_the_cache_had_costs_nothing(self, fronted):
        front = fronted(quota(CLAUDE, tokens_per_minute=1_000_000), *NOW)
        text = "[[sim:cache read=5000 write=70]] [[sim:text ok]]"
        first, second = (front.good(text, model=CLAUDE, max_tokens=100) for _ in range(2))
        spent = left(first, "tokens") - left(second, "tokens")
        assert 70 <= spent < 1000, (spent, used(first))

    def test_too_much_for_the_whole_quota(self, fronted):
        front = fronted(route(targets=[EAST, WEST]) + quota(tokens_per_minute=1000), *PATIENT)
        reply = front.chat(max_tokens=5000)
        error = shapes.check_error(reply, 429, kind="rate_limit_error")
        assert "retry-after" not in reply.headers and "max_tokens" in error["message"]
        assert "1000 tokens per minute" in error["message"] and NOVA in error["message"]
        assert front.total == 0
        front.good(max_tokens=500)

    def test_a_claude_without_a_limit_takes_its_maximum(self, fronted):
        front = fronted(route(targets=[CLAUDE]) + quota(CLAUDE, tokens_per_minute=200_000), *NOW)
        streams = [front.streaming(LONG) for _ in range(4)]
        assert [stream.reply.status_code for stream in streams] == [200, 200, 200, 429]
        for stream in streams:
            stream.__exit__()

    def test_a_targets_limit_makes_room(self, fronted):
        target = {"model": CLAUDE, "parameters": {"max_tokens": 4096}}
        front = fronted(route(targets=[target]) + quota(CLAUDE, tokens_per_minute=200_000), *NOW)
        streams = [front.streaming(LONG) for _ in range(6)]
        assert [stream.reply.status_code for stream in streams] == [200] * 6
        for stream in streams:
            stream.__exit__()

    def test_a_stream_gives_back_what_it_did_not_use(self, fronted):
        front = fronted(route(targets=[EAST]) + quota(tokens_per_minute=10_000), *NOW)
        with front.streaming("[[sim:pace 50ms]] [[sim:tokens 40]]", max_tokens=9000) as stream:
            shapes.check_error(front.chat(max_tokens=5000), 429)
            assert Events(stream.rest()).done
        reply = poll(lambda: (lambda one: one if one.status_code == 200 else None)(front.chat(max_tokens=5000)), "there is room")
        assert 10_000 - left(reply, "tokens") < 5000 + 500

    def test_what_was_cut_off_stays_taken(self, fronted):
        """Bedrock doesn't say what it has burned."""
        front = fronted(route(targets=[EAST]) + quota(tokens_per_minute=10_000), *NOW)
        with front.streaming(LONG, max_tokens=9000):
            pass
        front.idle()
        shapes.check_error(front.chat(max_tokens=5000), 429)

    def test_a_refused_request_takes_no_tokens(self, fronted):
        front = fronted(route(targets=[EAST]) + quota(tokens_per_minute=10_000), *NOW)
        for _ in range(4):
            shapes.check_error(front.chat("[[sim:error ValidationException]]", max_tokens=9000), 400)
        front.good(max_tokens=9000)

    def test_other_calls_count(self, fronted):
        front = fronted(route("vectors", [TITAN]) + quota(TITAN, requests_per_minute=10, tokens_per_minute=10_000), *NOW)
        client = front.gateway.openai()
        raw = client.embeddings.with_raw_response.create(model="vectors", input=[f"text {one}" for one in range(5)])
        assert len(raw.parse().data) == 5 and ratelimit(raw)["requests"][0] == 10
        raw = client.embeddings.with_raw_response.create(model="vectors", input="one more")
        assert ratelimit(raw)["requests"][:2] == (10, 4), "each text is a call of its own"
        with pytest.raises(openai.RateLimitError):
            client.embeddings.create(model="vectors", input=[f"text {one}" for one in range(8)])
        assert front.total <= 10

    def test_a_batch_uses_the_room_of_several_regions(self, fronted):
        targets = [{"model": TITAN, "region": one} for one in (EAST, WEST)]
        front = fronted(route("vectors", targets) + quota(TITAN, requests_per_minute=6), *NOW)
        answer = front.gateway.openai().embeddings.create(model="vectors", input=[f"text {one}" for one in range(12)])
        assert [one.index for one in answer.data] == list(range(12))
        assert front.total == 12

    def test_choices_are_calls_each(self, fronted):
        front = fronted(route(targets=[EAST]) + quota(requests_per_minute=10), *NOW)
        front.good(n=4)
        assert left(front.good(), "requests") == 5


class TestWaiting:
    """Each of these requests takes more than half of the quota, so that one is under way at a time."""

    TEXT = route(targets=[EAST]) + quota(tokens_per_minute=10_000)
    LARGE = {"max_tokens": 6_000}

    def test_it_ends_with_room(self, fronted):
        front = fronted(self.TEXT, *PATIENT)
        replies = front.many([{"text": f"[[sim:delay 50ms]] [[sim:text {one}]]"} | self.LARGE for one in range(8)])
        assert [reply.json()["choices"][0]["message"]["content"] for reply in replies] == [str(one) for one in range(8)]
        assert {reply.headers["x-outcrop-attempts"] for reply in replies} == {"1"}

    def test_a_stream_waits_too(self, fronted):
        front = fronted(self.TEXT, *PATIENT)
        replies = front.many([{"text": "[[sim:delay 50ms]] [[sim:text ok]]", "stream": True} | self.LARGE for _ in range(5)])
        assert all(Events(reply.text).done for reply in replies)

    def test_it_ends_with_its_time(self, fronted):
        front = fronted(self.TEXT, "--admission", "--queue-timeout", "300ms")
        with front.streaming(LONG, **self.LARGE):
            error = shapes.check_error(front.chat(**self.LARGE), 429)
            assert "10000 tokens per minute" in error["message"]

    def test_it_ends_with_the_clients_time(self, fronted):
        front = fronted(self.TEXT, "--admission", "--queue-timeout", "60s")
        with front.streaming(LONG, **self.LARGE):
            reply = front.chat(headers={"x-outcrop-timeout": "0.4"}, **self.LARGE)
            assert reply.status_code in (429, 504), reply.text

    def test_what_fits_elsewhere_does_not_wait(self, fronted):
        front = fronted(route(targets=[EAST, WEST]) + quota(tokens_per_minute=10_000), *PATIENT)
        with front.streaming(LONG, **self.LARGE) as one, front.streaming(LONG, **self.LARGE) as other:
            assert (one.headers["x-bedrock-region"], other.headers["x-bedrock-region"]) == (EAST, WEST)

    def test_who_waits_takes_the_first_that_has_room(self, fronted):
        front = fronted(route(targets=[EAST, WEST]) + quota(tokens_per_minute=10_000), *PATIENT)

        async def work():
            waiting = asyncio.create_task(front.all_of([self.LARGE]))
            await asyncio.sleep(0.3)
            assert not waiting.done()
            await asyncio.to_thread(other.rest)
            (reply,) = await waiting
            return reply

        with front.streaming(LONG, **self.LARGE), front.streaming("[[sim:pace 40ms]] [[sim:tokens 60]]", **self.LARGE) as other:
            reply = asyncio.run(work())
        assert reply.status_code == 200 and reply.headers["x-bedrock-region"] == WEST

    def test_who_leaves_holds_nothing(self, fronted):
        front = fronted(self.TEXT, *PATIENT)

        async def work():
            tasks = [asyncio.create_task(front.all_of([self.LARGE])) for _ in range(5)]
            await asyncio.sleep(0.3)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        with front.streaming("[[sim:pace 50ms]] [[sim:tokens 60]]", **self.LARGE) as stream:
            asyncio.run(work())
            assert Events(stream.rest()).done
        before = front.total
        front.good(**self.LARGE)
        assert front.total == before + 1 == 2, "nobody asked for those that left"

    def test_only_so_many_wait(self, fronted):
        front = fronted(self.TEXT, *PATIENT, "--queue-limit", "2")

        async def work():
            tasks = [asyncio.create_task(front.all_of([self.LARGE])) for _ in range(5)]
            done, _ = await asyncio.wait(tasks[:], return_when=asyncio.FIRST_COMPLETED)
            while len(done) < 3:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.ALL_COMPLETED if len(done) >= 3 else asyncio.FIRST_COMPLETED, timeout=0.2)
            refused = [task.result()[0].status_code for task in done]
            await asyncio.to_thread(stream.rest)
            replies = [(await task)[0].status_code for task in tasks]
            return refused, sorted(replies)

        with front.streaming("[[sim:pace 100ms]] [[sim:tokens 60]]", **self.LARGE) as stream:
            refused, all_of_them = asyncio.run(work())
        assert refused == [429] * 3 and all_of_them == [200, 200, 429, 429, 429]

    def test_a_flood_starves_nobody(self, fronted):
        front = fronted(self.TEXT, *PATIENT, key=f"{settings.KEY},{OTHER}")
        ended = []

        async def one(name, key):
            (reply,) = await front.all_of([{"text": "[[sim:delay 60ms]] [[sim:text ok]]", "key": key} | self.LARGE])
            ended.append((name, reply.status_code))

        async def work():
            flood = [asyncio.create_task(one("flood", settings.KEY)) for _ in range(20)]
            while len(ended) < 3:
                await asyncio.sleep(0.01)
            sent = len(ended)
            await one("single", OTHER)
            place = ended.index(("single", 200))
            await asyncio.gather(*flood)
            return sent, place

        sent, place = asyncio.run(work())
        assert {status for _, status in ended} == {200} and len(ended) == 21
        assert place <= sent + 3, "one is under way, one has its turn, one ends while it is being sent"

    def test_a_full_queue_makes_room_for_another_key(self, fronted):
        front = fronted(self.TEXT, *PATIENT, "--queue-limit", "3", key=f"{settings.KEY},{OTHER}")

        async def work():
            flood = [asyncio.create_task(front.all_of([self.LARGE])) for _ in range(3)]
            await asyncio.sleep(0.4)
            assert not any(task.done() for task in flood)
            single = asyncio.create_task(front.all_of([{"key": OTHER} | self.LARGE]))
            (gone,), _ = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
            assert gone.result()[0].status_code == 429, "the flood's last one gave up its place"
            await asyncio.to_thread(stream.rest)
            return [(await task)[0].status_code for task in [*flood, single]]

        with front.streaming("[[sim:pace 100ms]] [[sim:tokens 60]]", **self.LARGE) as stream:
            statuses = asyncio.run(work())
        assert sorted(statuses[:3]) == [200, 200, 429] and statuses[3] == 200


class TestBedrocksOwn:
    def test_service_quotas_are_asked(self, fronted):
        front = fronted(route(targets=[WEST]), "--service-quotas")
        front.simulate("quotas", {"region": WEST, "model": NOVA, "requests_per_minute": 7700, "tokens_per_minute": 7_700_000})
        told = poll(lambda: ratelimit(front.good()), "the quotas are known")
        assert told["requests"][0] == 7700 and told["tokens"][0] == 7_700_000

    def test_what_the_settings_say_wins_number_by_number(self, fronted):
        front = fronted(route(targets=[WEST]) + quota(requests_per_minute=50), "--service-quotas")
        front.simulate("quotas", {"region": WEST, "model": NOVA, "requests_per_minute": 7700, "tokens_per_minute": 7_700_000})
        told = poll(lambda: (lambda one: one if "tokens" in one else None)(ratelimit(front.good())), "the quotas are known")
        assert told["requests"][0] == 50 and told["tokens"][0] == 7_700_000

    @pytest.mark.parametrize("numbers", [{}, {"requests_per_minute": 100, "tokens_per_minute": 100_000}], ids=["unknown", "known"])
    def test_one_refusal_closes_no_door(self, fronted, numbers):
        """Others have used the quota up for a moment, which is over when the pause is."""
        front = fronted(route(targets=[EAST]) + (quota(**numbers) if numbers else ""), *NOW, "--max-attempts", "1")
        for _ in range(3):
            front.good()
        front.simulate("outages", {"region": EAST, "kind": "throttle"})
        shapes.check_error(front.chat(), 429, code="throttled")
        front.simulate("outages")
        poll(lambda: front.chat().status_code == 200, "the pause is over")
        assert [front.chat(max_tokens=1000).status_code for _ in range(12)] == [200] * 12

    def test_refusals_are_learned_from(self, fronted):
        """Bedrock has room for 15 in one region, and nobody said so; 60 come at a time."""
        front = fronted(route(targets=[EAST, WEST]), *PATIENT)
        front.simulate("quotas", {"region": EAST, "requests_per_minute": 15})
        replies = [reply for _ in range(3) for reply in front.many([{}] * 20)]
        assert {reply.status_code for reply in replies} == {200}
        first = front.state()["throttled"][EAST][NOVA]
        replies = [reply for _ in range(4) for reply in front.many([{}] * 20)]
        assert {reply.status_code for reply in replies} == {200}
        assert front.state()["throttled"][EAST][NOVA] <= first + 2

    def test_with_admission_bedrock_never_refuses(self, fronted):
        numbers = {"requests_per_minute": 20, "tokens_per_minute": 100_000}
        front = fronted(route(targets=REGIONS, strategy="weighted") + quota(**numbers), *NOW)
        front.simulate("quotas", {"model": NOVA} | numbers)
        replies = front.many([{"max_tokens": 1000, "stream": bool(one % 2)} for one in range(90)])
        statuses = [reply.status_code for reply in replies]
        assert statuses.count(200) == 60 and statuses.count(429) == 30
        assert not any(front.state()["throttled"].values())

"""What routing.md promises, as clients notice it: who answers, who follows, who is left alone, and what is told."""

import asyncio
import collections
import json
import re

import httpx
import openai
import pytest

from support import media, shapes
from support.front import EAST, EU, REGIONS, WEST, route
from support.models import CLAUDE_4_5
from support.process import poll, run
from support.settings import CLAUDE, NOVA
from support.wire import Events

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
TITAN = "amazon.titan-embed-text-v2:0"
RERANK = "cohere.rerank-v3-5:0"
CANVAS = "amazon.nova-canvas-v1:0"
BOTH = [False, True]
WHOLE_OR_STREAM = pytest.mark.parametrize("stream", BOTH, ids=["whole", "stream"])
ONCE = ("--max-attempts", "1")
WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def down(region, **more):
    return {"region": region} | more


def rules(**actions):
    """A scenario that has the models with these words in their ids do something."""
    return "".join(f'[[rules]]\nmodel = "{word}"\nactions = {json.dumps(told)}\n' for word, told in actions.items())


def told(reply):
    """What an answer's headers say of how it came about."""
    return tuple(reply.headers.get(name) for name in ("x-outcrop-attempts", "x-bedrock-region", "x-bedrock-model"))


def text_of(reply):
    if reply.headers["content-type"].startswith("text/event-stream"):
        events = Events(reply.text)
        assert events.done and not events.errors, reply.text[-1000:]
        return "".join(choice["delta"].get("content") or "" for one in events.chunks for choice in one["choices"])
    shapes.check_completion(reply.json())
    return reply.json()["choices"][0]["message"]["content"]


class TestStrategies:
    def test_ordered(self, fronted):
        front = fronted(route(targets=REGIONS, strategy="ordered"))
        assert [front.region() for _ in range(6)] == [EAST] * 6
        front.simulate("outages", down(EAST))
        assert front.region() == WEST
        front.simulate("outages", down(EAST), down(WEST))
        assert front.region() == EU

    def test_ordered_is_the_default(self, fronted):
        front = fronted(route(targets=[WEST, EAST]))
        assert {front.region() for _ in range(10)} == {WEST}

    def test_weighted_shares(self, fronted):
        weights = {EAST: 3, WEST: 1, EU: 0}
        targets = [{"region": region, "weight": weight} for region, weight in weights.items()]
        front = fronted(route(targets=targets, strategy="weighted"))
        replies = [reply for _ in range(4) for reply in front.many([{}] * 60)]
        shares = collections.Counter(reply.headers["x-bedrock-region"] for reply in replies)
        assert shares[EU] == 0, "a reserve"
        # 180 of 240 are to be expected; a thousand million runs have none that is off by 45.
        assert 135 < shares[EAST] < 225, shares
        assert {reply.status_code for reply in replies} == {200}

    def test_a_reserve_answers_where_the_others_can_not(self, fronted):
        targets = [{"region": EAST}, {"region": WEST}, {"region": EU, "weight": 0}]
        front = fronted(route(targets=targets, strategy="weighted"))
        front.simulate("outages", down(EAST), down(WEST))
        reply = front.good()
        assert told(reply) == ("3", EU, NOVA)

    def test_least_busy(self, fronted):
        front = fronted(route(targets=REGIONS, strategy="least_busy", affinity="none"))
        streams = [front.streaming("[[sim:pace 2s]] [[sim:tokens 40]]") for _ in range(6)]
        regions = collections.Counter(stream.headers["x-bedrock-region"] for stream in streams)
        for stream in streams:
            stream.__exit__()
        assert regions == dict.fromkeys(REGIONS, 2)

    def test_least_busy_counts_what_ended_no_longer(self, fronted):
        front = fronted(route(targets=[EAST, WEST], strategy="least_busy"))
        with front.streaming("[[sim:pace 2s]] [[sim:tokens 40]]") as first:
            busy = first.headers["x-bedrock-region"]
            free = {EAST: WEST, WEST: EAST}[busy]
            assert [front.region() for _ in range(4)] == [free] * 4
            with front.streaming("[[sim:pace 2s]] [[sim:tokens 40]]", model="chat") as second:
                assert second.headers["x-bedrock-region"] == free
        front.idle()
        with front.streaming("[[sim:pace 2s]] [[sim:tokens 40]]") as third:
            other = {EAST: WEST, WEST: EAST}[third.headers["x-bedrock-region"]]
            assert front.region() == other, "those that hung up are no longer counted"

    def test_lowest_latency(self, fronted):
        front = fronted(route(targets=REGIONS, strategy="lowest_latency"))
        front.simulate("latencies", *({"region": region, "first_byte": "400ms"} for region in (EAST, EU)))
        for _ in range(6):
            front.good()
        assert {front.region() for _ in range(10)} == {WEST}
        # Streams are measured by their first token, whole answers by their last.
        regions = [front.chat(stream=True).headers["x-bedrock-region"] for _ in range(10)]
        assert set(regions[-6:]) == {WEST}

    def test_a_star_is_for_all_models_in_two_regions(self, fronted, mark):
        front = fronted('[[routes]]\nname = "*"\ntargets = [{ region = "us-east-1" }, { region = "us-west-2" }]\n')
        front.simulate("outages", down(EAST))
        for model in [NOVA, CLAUDE, "Nova-Micro"]:
            reply = front.good(mark, model=model)
            assert reply.headers["x-bedrock-region"] == WEST
            assert reply.json()["model"] == model

    def test_a_full_target_leaves_room_for_others(self, fronted):
        front = fronted(route(targets=[{"region": EAST, "max_parallel_requests": 1}, WEST]))
        with front.streaming("[[sim:pace 2s]] [[sim:tokens 40]]") as stream:
            assert stream.headers["x-bedrock-region"] == EAST
            assert [front.region() for _ in range(3)] == [WEST] * 3
        front.idle()
        poll(lambda: front.region() == EAST, "the first has room again after its stream was left")


class TestSessions:
    NAMED = [
        ({"x-session-id": "{}"}, {}),
        ({}, {"prompt_cache_key": "{}"}),
        ({}, {"safety_identifier": "{}"}),
        ({}, {"user": "{}"}),
    ]

    @staticmethod
    def named(parts, name):
        return tuple({key: value.format(name) for key, value in part.items()} for part in parts)

    @pytest.mark.parametrize("parts", NAMED, ids=["header", "prompt_cache_key", "safety_identifier", "user"])
    def test_they_stay_also_in_another_instance(self, fronted, parts):
        front = fronted(route(targets=REGIONS, strategy="weighted"))
        other = front.another()
        seen = set()
        for number in range(8):
            headers, body = self.named(parts, f"session-{number}")
            replies = [front.good(headers=headers, gateway=one, **body) for one in [front.gateway, other] * 3]
            regions = {reply.headers["x-bedrock-region"] for reply in replies}
            assert len(regions) == 1, regions
            seen |= regions
        assert len(seen) > 1, "all sessions are at one target"

    def test_the_header_counts_first(self, fronted):
        front = fronted(route(targets=REGIONS, strategy="weighted"))
        for number in range(6):
            header = {"x-session-id": f"h{number}"}
            home = front.region(headers=header)
            assert {front.region(headers=header, user=f"u{one}") for one in range(6)} == {home}

    def test_of_openais_client(self, fronted):
        front = fronted(route(targets=REGIONS, strategy="weighted"))
        create = front.gateway.openai().chat.completions.with_raw_response.create
        messages = [{"role": "user", "content": "[[sim:text ok]]"}]
        for more in [{"user": "u"}, {"prompt_cache_key": "k"}, {"extra_headers": {"X-Session-Id": "s"}}]:
            regions = {create(model="chat", messages=messages, **more).headers["x-bedrock-region"] for _ in range(10)}
            assert len(regions) == 1, more

    def test_in_the_proportion_of_weights(self, fronted):
        targets = [{"region": EAST, "weight": 4}, {"region": WEST, "weight": 1}]
        front = fronted(route(targets=targets, strategy="weighted"))
        replies = [reply for part in range(4) for reply in front.many({"user": f"{part}-{one}"} for one in range(50))]
        east = sum(reply.headers["x-bedrock-region"] == EAST for reply in replies)
        assert 120 < east < 195, east

    def test_without_affinity_they_are_spread(self, fronted):
        front = fronted(route(targets=REGIONS, strategy="weighted", affinity="none"))
        assert {front.region(user="one") for _ in range(60)} == set(REGIONS)

    def test_they_move_and_come_back(self, fronted):
        front = fronted(route(targets=REGIONS, strategy="weighted"), "--breaker-cool-down", "300ms")
        home = front.region(user="one")
        front.simulate("outages", down(home))
        away = {front.region(user="one") for _ in range(10)}
        assert home not in away
        front.simulate("outages")
        poll(lambda: front.region(user="one") == home, "it is home again")

    @pytest.mark.parametrize("strategy", ["least_busy", "lowest_latency"])
    def test_with_other_strategies_too(self, fronted, strategy):
        front = fronted(route(targets=REGIONS, strategy=strategy))
        front.simulate("latencies", {"first_byte": "100ms"})
        for _ in range(6):
            front.good()
        for number in range(2):
            assert len({front.region(prompt_cache_key=f"k{number}") for _ in range(6)}) == 1


class TestFailures:
    KINDS = ["throttle", "unavailable", "internal", "not-ready", "html", "reset"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_another_region_answers_openais_client(self, fronted, kind):
        front = fronted(route(targets=[EAST, WEST]))
        front.simulate("outages", down(EAST, kind=kind))
        client = front.gateway.openai()
        raw = client.chat.completions.with_raw_response.create(
            model="chat", messages=[{"role": "user", "content": "[[sim:text ok]]"}]
        )
        assert raw.parse().choices[0].message.content == "ok"
        assert raw.headers["x-outcrop-attempts"] == "2" and raw.headers["x-bedrock-region"] == WEST
        chunks = client.chat.completions.create(
            model="chat", messages=[{"role": "user", "content": "[[sim:text ok]]"}], stream=True
        )
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "ok"

    def test_the_asynchronous_client_too(self, fronted):
        front = fronted(route(targets=[EAST, WEST]))
        front.simulate("outages", down(EAST))

        async def work():
            async with front.gateway.async_openai() as client:
                messages = [{"role": "user", "content": "[[sim:text ok]]"}]
                create = client.chat.completions.create
                whole = await asyncio.gather(*(create(model="chat", messages=messages) for _ in range(20)))
                stream = await create(model="chat", messages=messages, stream=True)
                streamed = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
                return {one.choices[0].message.content for one in whole}, "".join(streamed)

        assert asyncio.run(work()) == ({"ok"}, "ok")

    def test_a_silent_target_is_left_after_its_own_time(self, fronted):
        front = fronted(route(targets=[{"region": EAST, "first_byte_timeout": "300ms"}, WEST]))
        front.simulate("outages", down(EAST, kind="silence"))
        assert told(front.good()) == ("2", WEST, NOVA)
        front.idle()

    @WHOLE_OR_STREAM
    def test_headers_tell_of_failures_of_all(self, fronted, stream):
        front = fronted(route(targets=[EAST, WEST]))
        front.simulate("outages", down(EAST), down(WEST))
        reply = front.chat(stream=stream)
        error = shapes.check_error(reply, 503, code="upstream_unavailable")
        attempts, region, model = told(reply)
        assert int(attempts) == front.total > 2
        assert region in (EAST, WEST) and model == NOVA
        assert (error["region"], error["model"]) == (region, model)
        assert reply.headers["x-should-retry"] == "false"
        assert reply.headers["retry-after"] == "2"

    @WHOLE_OR_STREAM
    def test_headers_of_what_goes_well(self, fronted, stream):
        front = fronted(route(targets=[EAST, WEST]))
        reply = front.good(stream=stream)
        assert told(reply) == ("1", EAST, NOVA)
        assert "x-should-retry" not in reply.headers
        assert text_of(reply) == "ok"
        reply = front.good(model=NOVA, stream=stream)
        assert told(reply) == ("1", EAST, NOVA)

    def test_headers_of_a_bad_request(self, fronted):
        front = fronted(route(targets=[EAST, WEST]))
        reply = front.chat("[[sim:error ValidationException]]")
        shapes.check_error(reply, 400)
        assert told(reply) == ("1", EAST, NOVA)
        assert "x-should-retry" not in reply.headers, "it was tried once only"

    def test_the_log_has_it_too(self, fronted):
        front = fronted(route(targets=[EAST, WEST]))
        front.simulate("outages", down(EAST))
        line = front.gateway.record(front.good())
        assert (line["attempts"], line["region"]) == (2, WEST)

    def test_nothing_is_asked_again_once_something_came(self, fronted, mark):
        front = fronted(route(targets=[EAST, WEST]))
        reply = front.chat(f"{mark} [[sim:tokens 40]] [[sim:cut after=4]]", stream=True)
        events = Events(reply.text)
        assert not events.done and events.errors
        assert front.asked(mark) == [NOVA]
        assert told(reply) == ("1", EAST, NOVA)

    def test_bedrocks_retry_after_is_passed_on(self, fronted, mark):
        front = fronted(route(targets=[EAST]))
        reply = front.chat(f"{mark} [[sim:error ThrottlingException retry-after=7]]")
        shapes.check_error(reply, 429, code="throttled")
        assert reply.headers["retry-after"] == "7"
        assert len(front.asked(mark)) == 1, "so long is not waited for"

    def test_bedrocks_retry_after_is_waited_for(self, fronted, mark):
        front = fronted(route(targets=[EAST]))
        reply = front.good(f"{mark} [[sim:error ThrottlingException times=1 retry-after=1]] [[sim:text ok]]")
        assert told(reply) == ("2", EAST, NOVA)

    def test_bedrocks_retry_after_makes_a_target_rest(self, fronted, mark):
        front = fronted(route(targets=[EAST, WEST]))
        reply = front.good(f"{mark} [[sim:error ThrottlingException times=1 retry-after=30]] [[sim:text ok]]")
        assert told(reply) == ("2", WEST, NOVA)
        assert [told(front.good()) for _ in range(5)] == [("1", WEST, NOVA)] * 5

    def test_a_throttled_target_comes_back(self, fronted):
        front = fronted(route(targets=[EAST, WEST]))
        front.simulate("outages", down(EAST, kind="throttle"))
        assert front.region() == WEST
        front.simulate("outages")
        poll(lambda: front.region() == EAST, "the first is asked again")

    def test_max_attempts_bound_each_target(self, fronted, mark):
        front = fronted(route(targets=[EAST, WEST]), *ONCE)
        reply = front.chat(f"{mark} [[sim:error InternalServerException]]")
        shapes.check_error(reply, 500)
        assert len(front.asked(mark)) == 2 and reply.headers["x-outcrop-attempts"] == "2"

    def test_openais_client_makes_no_tries_of_its_own(self, fronted, mark):
        front = fronted(route(targets=[EAST]))
        with pytest.raises(openai.InternalServerError) as raised:
            front.gateway.openai(max_retries=4).chat.completions.create(
                model="chat", messages=[{"role": "user", "content": f"{mark} [[sim:error ServiceUnavailableException]]"}]
            )
        assert raised.value.response.headers["x-should-retry"] == "false"
        assert len(front.asked(mark)) == int(raised.value.response.headers["x-outcrop-attempts"]) == 3


class TestFallbacks:
    def test_a_chain_and_a_circle(self, fronted, mark):
        circle = [("a", NOVA, "b"), ("b", HAIKU, "c"), ("c", CLAUDE, "a")]
        text = "".join(route(name, [model], fallbacks=[next_one]) for name, model, next_one in circle)
        throttled = ["error ThrottlingException"]
        front = fronted(text, *ONCE, scenario=rules(nova=throttled, haiku=throttled, sonnet=throttled))
        for name, order in [("a", [NOVA, HAIKU, CLAUDE]), ("c", [CLAUDE, NOVA, HAIKU])]:
            reply = front.chat(f"{mark}{name}", model=name)
            shapes.check_error(reply, 429)
            assert front.asked(f"{mark}{name}") == order
            assert reply.headers["x-outcrop-attempts"] == "3"

    def test_one_that_names_itself_is_a_mistake(self, tmp_path):
        file = tmp_path / "outcrop.toml"
        file.write_text("\n\n" + route(targets=[NOVA], fallbacks=["chat"]))
        checked = run("config", "check", "--config", str(file))
        assert checked.returncode != 0
        assert re.search(r"outcrop\.toml:[3-6]: .*fallbacks", checked.stdout + checked.stderr)

    @WHOLE_OR_STREAM
    def test_the_settings_own_are_for_all(self, fronted, mark, stream):
        front = fronted("", "--fallbacks", HAIKU, *ONCE, scenario=rules(nova=["error ThrottlingException"]))
        reply = front.good(f"{mark} [[sim:text ok]]", model=NOVA, stream=stream)
        assert front.asked(mark) == [NOVA, HAIKU]
        assert told(reply) == ("2", EAST, HAIKU)
        assert text_of(reply) == "ok"

    def test_a_routes_own_list_wins(self, fronted, mark):
        text = route(targets=[NOVA], fallbacks=[CLAUDE])
        front = fronted(text, "--fallbacks", HAIKU, *ONCE, scenario=rules(nova=["error ThrottlingException"]))
        front.good(mark)
        assert front.asked(mark) == [NOVA, CLAUDE]

    def test_all_regions_come_before_another_model(self, fronted):
        front = fronted(route(targets=[EAST, WEST], fallbacks=["other"]) + route("other", [{"model": HAIKU, "region": WEST}]))
        front.simulate("outages", down(EAST))
        assert told(front.good()) == ("2", WEST, NOVA)
        front.simulate("outages", down(EAST, model="nova"), down(WEST, model="nova"))
        reply = front.good()
        assert reply.headers["x-bedrock-model"] == HAIKU
        assert reply.json()["model"] == "chat"

    def test_what_is_wrong_with_a_request_has_none(self, fronted, mark):
        front = fronted(route(targets=[NOVA], fallbacks=[HAIKU]))
        shapes.check_error(front.chat(f"{mark} [[sim:error ValidationException]]"), 400)
        assert front.asked(mark) == [NOVA]

    TOO_LONG = ["error ValidationException message=Input is too long for requested model."]

    @WHOLE_OR_STREAM
    def test_of_prompts_that_are_too_long(self, fronted, mark, stream):
        front = fronted(
            route(targets=[NOVA], fallbacks=[CLAUDE], context_window_fallbacks=[HAIKU]),
            scenario=rules(nova=self.TOO_LONG),
        )
        reply = front.good(f"{mark} [[sim:text ok]]", stream=stream)
        assert front.asked(mark) == [NOVA, HAIKU] and text_of(reply) == "ok"

    def test_of_prompts_that_are_really_too_long(self, fronted):
        front = fronted(route(targets=[HAIKU], context_window_fallbacks=["amazon.nova-pro-v1:0"]))
        reply = front.good("word " * 210_000)
        assert reply.headers["x-bedrock-model"] == "amazon.nova-pro-v1:0"

    def test_of_prompts_that_are_too_long_without_a_list(self, fronted, mark):
        front = fronted(
            route(targets=[EAST, WEST, HAIKU], fallbacks=[CLAUDE]) + route("alone", [EAST, WEST], fallbacks=[CLAUDE]),
            scenario=rules(nova=self.TOO_LONG),
        )
        assert front.good(mark).headers["x-bedrock-model"] == HAIKU
        assert front.asked(mark) == [NOVA, HAIKU], "the same model elsewhere can't read more"
        reply = front.chat(f"{mark}2", model="alone")
        shapes.check_error(reply, 400, code="context_length_exceeded")
        assert front.asked(f"{mark}2") == [NOVA]

    @pytest.mark.parametrize("reason", ["guardrail_intervened", "content_filtered"])
    def test_of_refused_content(self, fronted, mark, reason):
        front = fronted(
            route(targets=[NOVA], fallbacks=[CLAUDE], content_policy_fallbacks=[HAIKU]),
            scenario=rules(nova=[f"stop {reason}"]),
        )
        reply = front.good(f"{mark} [[sim:text ok]]")
        assert reply.json()["choices"][0]["finish_reason"] == "stop"
        assert front.asked(mark) == [NOVA, HAIKU]
        assert told(reply) == ("2", EAST, HAIKU)

    def test_a_stream_of_refused_content_is_the_answer(self, fronted, mark):
        front = fronted(route(targets=[NOVA], content_policy_fallbacks=[HAIKU]), scenario=rules(nova=["stop content_filtered"]))
        reply = front.good(f"{mark} [[sim:text ok]]", stream=True)
        assert Events(reply.text).chunks[-1]["choices"][0]["finish_reason"] == "content_filter"
        assert front.asked(mark) == [NOVA]

    def test_refused_content_without_a_list(self, fronted, mark):
        front = fronted(route(targets=[NOVA], fallbacks=[HAIKU]), scenario=rules(nova=["stop content_filtered"]))
        assert front.good(mark).json()["choices"][0]["finish_reason"] == "content_filter"
        assert front.asked(mark) == [NOVA]


class TestBreaker:
    QUICK = ("--breaker-cool-down", "500ms")

    def test_it_opens_and_closes_again(self, fronted):
        front = fronted(route(targets=[EAST, WEST]), *self.QUICK)
        front.simulate("outages", down(EAST))
        attempts = [told(front.good())[0] for _ in range(6)]
        assert attempts == ["2"] * 5 + ["1"], "five failures say that it is down"
        front.simulate("outages")
        poll(lambda: front.region() == EAST, "it is asked again")
        assert [told(front.good()) for _ in range(5)] == [("1", EAST, NOVA)] * 5

    def test_one_call_looks_whether_it_is_back(self, fronted):
        front = fronted(route(targets=[EAST, WEST]), *self.QUICK)
        front.simulate("outages", down(EAST))
        for _ in range(5):
            front.good()
        assert {told(front.good())[0] for _ in range(3)} == {"1"}
        # One of many at a time looks, once the time is over; it fails, and all are answered nevertheless.
        probes = []

        def looked():
            probes.append([reply.headers["x-outcrop-attempts"] for reply in front.many([{}] * 8)])
            return "2" in probes[-1]

        poll(looked, "one looks")
        assert collections.Counter(probes[-1]) == {"2": 1, "1": 7}

    def test_where_all_are_down_they_are_still_asked(self, fronted):
        front = fronted(route(targets=[EAST, WEST]), "--breaker-cool-down", "60s", *ONCE)
        front.simulate("outages", down(EAST), down(WEST))
        for _ in range(6):
            shapes.check_error(front.chat(), 503)
        front.simulate("outages")
        assert front.good().headers["x-bedrock-region"] in (EAST, WEST)

    def test_streams_that_break_off_count(self, fronted):
        front = fronted(route(targets=[EAST, WEST]), "--breaker-cool-down", "60s")
        for _ in range(5):
            assert Events(front.chat("[[sim:tokens 30]] [[sim:cut after=3]]", stream=True).text).errors
        poll(lambda: front.region() == WEST, "the first is left alone")

    def test_what_clients_do_wrong_does_not_count(self, fronted):
        front = fronted(route(targets=[EAST, WEST]), "--breaker-cool-down", "60s")
        for _ in range(12):
            shapes.check_error(front.chat("[[sim:error ValidationException]]"), 400)
        assert told(front.good()) == ("1", EAST, NOVA)

    def test_clients_that_leave_do_not_count(self, fronted):
        front = fronted(route(targets=[EAST, WEST]), "--breaker-cool-down", "60s")
        for _ in range(8):
            with front.streaming("[[sim:pace 1s]] [[sim:tokens 30]]"):
                pass
        front.idle()
        assert told(front.good()) == ("1", EAST, NOVA)

    def test_no_cool_down_leaves_none_alone(self, fronted):
        front = fronted(route(targets=[EAST, WEST]), "--breaker-cool-down", "0")
        front.simulate("outages", down(EAST))
        assert [told(front.good())[0] for _ in range(12)] == ["2"] * 12

    def test_models_fail_each_for_itself(self, fronted):
        front = fronted(route(targets=[EAST, WEST]) + route("other", [{"model": HAIKU, "region": EAST}, WEST]), "--breaker-cool-down", "60s")
        front.simulate("outages", down(EAST, model="nova"))
        for _ in range(6):
            front.good()
        assert told(front.good(model="other")) == ("1", EAST, HAIKU)

    def test_settings_say_when(self, fronted):
        quick = ("--breaker-min-calls", "2", "--breaker-failure-ratio", "1", "--breaker-cool-down", "60s")
        front = fronted(route(targets=[EAST, WEST]), *quick)
        front.simulate("outages", down(EAST))
        assert [told(front.good())[0] for _ in range(4)] == ["2", "2", "1", "1"]


class TestOutages:
    def test_they_are_not_made_worse(self, fronted):
        front = fronted(route(targets=[EAST, WEST]))
        front.simulate("outages", down(EAST), down(WEST))
        replies = [reply for _ in range(8) for reply in front.many([{}] * 50)]
        assert {reply.status_code for reply in replies} == {503}
        # One call for each request, one in ten, and a hundred in reserve; before the breakers open, the other target.
        assert 400 <= front.total <= 400 + 40 + 100 + 2 * 50
        assert front.total == sum(int(reply.headers["x-outcrop-attempts"]) for reply in replies)
        last = replies[-50:]
        assert sum(int(reply.headers["x-outcrop-attempts"]) for reply in last) <= 60, "the reserve is used up"

    def test_the_reserve_is_for_the_first(self, fronted):
        front = fronted(route(targets=[EAST]), "--retry-budget", "0.5", "--breaker-cool-down", "0")
        front.simulate("outages", down(EAST))
        replies = front.many([{}] * 45)
        assert {reply.headers["x-outcrop-attempts"] for reply in replies} == {"3"}

    def test_one_that_comes_and_goes_is_not_noticed(self, fronted):
        front = fronted(route(targets=REGIONS, strategy="weighted"), "--breaker-cool-down", "300ms")
        for gone in [EAST, WEST, EU]:
            front.simulate("outages", down(gone))
            replies = front.many([{"stream": bool(number % 2)} for number in range(60)])
            assert {reply.status_code for reply in replies} == {200}
            assert {text_of(reply) for reply in replies} == {"ok"}
            assert gone not in {reply.headers["x-bedrock-region"] for reply in replies}


class TestHedging:
    SLOW = {"region": EAST, "first_byte": "20s"}

    @WHOLE_OR_STREAM
    def test_the_faster_answers_and_the_other_is_dropped(self, fronted, stream):
        front = fronted(route(targets=[EAST, WEST]), "--hedge-after", "200ms")
        front.simulate("latencies", self.SLOW)
        reply = front.good(stream=stream)
        assert told(reply) == ("2", WEST, NOVA) and text_of(reply) == "ok"
        front.idle()
        assert front.state()["calls"]["aborted"] == 1

    def test_the_first_may_still_win(self, fronted):
        front = fronted(route(targets=[EAST, WEST]), "--hedge-after", "100ms")
        front.simulate("latencies", {"region": EAST, "first_byte": "600ms"}, {"region": WEST, "first_byte": "20s"})
        assert told(front.good()) == ("2", EAST, NOVA)
        front.idle()

    def test_it_has_a_budget(self, fronted):
        front = fronted(route(targets=[EAST, WEST]), "--hedge-after", "100ms")
        front.simulate("latencies", {"region": EAST, "first_byte": "1s"})
        replies = front.many([{}] * 40)
        assert {reply.status_code for reply in replies} == {200}
        hedged = sum(reply.headers["x-outcrop-attempts"] == "2" for reply in replies)
        assert 10 <= hedged <= 12 and front.total == 40 + hedged

    def test_nobody_is_asked_who_is_down(self, fronted):
        front = fronted(route(targets=[EAST, WEST]), "--hedge-after", "100ms", "--breaker-cool-down", "60s")
        front.simulate("outages", down(WEST, kind="throttle"))
        front.simulate("latencies", {"region": EAST, "first_byte": "400ms"})
        for _ in range(3):
            assert front.good().headers["x-bedrock-region"] == EAST

    def test_several_choices_and_vectors_are_not_hedged(self, fronted, mark):
        text = route(targets=[EAST, WEST]) + route("vectors", [{"model": TITAN, "region": one} for one in (EAST, WEST)])
        front = fronted(text, "--hedge-after", "50ms")
        front.simulate("latencies", {"region": EAST, "first_byte": "400ms"})
        assert told(front.good(n=2)) == ("2", EAST, NOVA)
        reply = front.gateway.request("POST", "/v1/embeddings", json={"model": "vectors", "input": mark})
        assert reply.status_code == 200 and len(front.asked(mark)) == 1


class TestDeadlines:
    @WHOLE_OR_STREAM
    @pytest.mark.parametrize("name", ["X-Outcrop-Timeout", "X-LiteLLM-Timeout", "X-Stainless-Timeout", "X-Stainless-Read-Timeout"])
    def test_a_header_bounds_the_silence_of_all(self, fronted, name, stream):
        front = fronted(route(targets=[EAST, WEST], fallbacks=[HAIKU]))
        reply = front.chat("[[sim:silence]]", headers={name: "0.4"}, stream=stream)
        shapes.check_error(reply, 504)
        front.idle()

    def test_it_bounds_tries_and_waits(self, fronted):
        front = fronted(route(targets=[EAST, WEST, EU], fallbacks=[HAIKU]), "--max-attempts", "50")
        front.simulate("outages", *(down(region, kind="throttle") for region in REGIONS))
        reply = front.chat(headers={"x-outcrop-timeout": "1"})
        assert reply.status_code in (429, 504), reply.text
        front.idle()

    def test_a_whole_answer_has_to_be_whole(self, fronted):
        front = fronted(route(targets=[EAST]))
        shapes.check_error(front.chat("[[sim:tokens 60]] [[sim:delay 3s]]", headers={"x-outcrop-timeout": "0.5"}), 504)

    def test_a_stream_has_to_have_begun(self, fronted):
        front = fronted(route(targets=[EAST]))
        reply = front.good("[[sim:pace 100ms]] [[sim:chunk 4]] [[sim:tokens 24]]", headers={"x-outcrop-timeout": "1"}, stream=True)
        events = Events(reply.text)
        assert events.done and len(events.chunks) > 20

    def test_the_gateways_own_header_counts_first(self, fronted):
        front = fronted(route(targets=[EAST]))
        headers = {"x-outcrop-timeout": "20", "x-stainless-timeout": "0.2"}
        front.good("[[sim:delay 600ms]] [[sim:text ok]]", headers=headers)

    def test_openais_client_says_how_long_it_waits(self, fronted, mark):
        """It tells of its timeout in a header, and gets an answer instead of hanging up."""
        front = fronted(route(targets=[EAST]))
        client = front.gateway.openai(timeout=httpx.Timeout(20, read=20))
        create = client.chat.completions.create
        with pytest.raises(openai.InternalServerError) as raised:
            create(
                model="chat",
                messages=[{"role": "user", "content": f"{mark} [[sim:silence]]"}],
                extra_headers={"X-LiteLLM-Timeout": "0.3"},
            )
        assert raised.value.status_code == 504

    @pytest.mark.parametrize("value", ["soon", "-1", "", "nan"])
    def test_what_is_no_time(self, fronted, value):
        front = fronted(route(targets=[EAST]))
        shapes.check_error(front.chat(headers={"x-outcrop-timeout": value}), 400, code="invalid_header", param="imeout")

    def test_the_total_bounds_it_in_any_case(self, fronted):
        front = fronted(route(targets=[EAST]), "--total-timeout", "400ms")
        shapes.check_error(front.chat("[[sim:silence]]", headers={"x-outcrop-timeout": "60"}), 504)


class TestWhatIsAsked:
    def test_tools_are_translated_for_each_target(self, fronted, mark):
        front = fronted(route(targets=[HAIKU, NOVA]), scenario=rules(haiku=["error ThrottlingException"]))
        text = mark + ' [[sim:tool get_weather {"city": "Paris"}]]'
        for stream in BOTH:
            client = front.gateway.openai()
            answer = client.chat.completions.create(
                model="chat", messages=[{"role": "user", "content": text}], tools=[WEATHER], tool_choice="required", stream=stream
            )
            if stream:
                deltas = [call for one in answer for choice in one.choices for call in choice.delta.tool_calls or []]
                assert json.loads("".join(call.function.arguments or "" for call in deltas)) == {"city": "Paris"}
            else:
                (call,) = answer.choices[0].message.tool_calls
                assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Paris"})
        assert front.asked(mark)[-1] == NOVA

    def test_a_round_of_tools_may_go_on_elsewhere(self, fronted, mark):
        front = fronted(route(targets=[HAIKU, NOVA]))
        messages = [{"role": "user", "content": mark + ' [[sim:turns tool get_weather {"city": "Paris"} | Sunny.]]'}]
        create = front.gateway.openai().chat.completions.with_raw_response.create
        first = create(model="chat", messages=messages, tools=[WEATHER], reasoning_effort="low", max_tokens=4000)
        assert first.headers["x-bedrock-model"] == HAIKU
        message = first.parse().choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        messages.append({"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "25 degrees"})
        front.simulate("outages", {"model": "haiku"})
        second = create(model="chat", messages=messages, tools=[WEATHER], reasoning_effort="low", max_tokens=4000)
        assert second.headers["x-bedrock-model"] == NOVA
        assert second.parse().choices[0].message.content == "Sunny."

    def test_images_reach_the_other_target(self, fronted, mark):
        front = fronted(route(targets=[HAIKU, NOVA]), scenario=rules(haiku=["error ModelNotReadyException"]))
        content = [{"type": "text", "text": mark}, {"type": "image_url", "image_url": {"url": media.data_url(media.png())}}]
        reply = front.gateway.request(
            "POST", "/v1/chat/completions", json={"model": "chat", "messages": [{"role": "user", "content": content}]}
        )
        assert reply.status_code == 200, reply.text
        for call in front.requests(mark):
            assert call["body"]["messages"][0]["content"][1]["image"]["format"] == "png"
        assert front.asked(mark) == [HAIKU, NOVA]

    def test_notes_are_of_the_one_that_answered(self, fronted, mark):
        """Claude 4.5 takes one of the two, Nova both."""
        front = fronted(route(targets=[CLAUDE, NOVA]) + route("well", [CLAUDE]), "--breaker-cool-down", "0")
        front.simulate("outages", {"model": "sonnet"})
        reply = front.good(mark, temperature=0.5, top_p=0.5)
        assert reply.headers["x-bedrock-model"] == NOVA
        assert "top_p" not in reply.headers.get("x-outcrop-adapted", "")
        front.simulate("outages")
        poll(lambda: "top_p" in front.good(model="well", temperature=0.5, top_p=0.5).headers.get("x-outcrop-adapted", ""), "it is a note of Claude's")

    def test_choices_that_were_answered_are_kept(self, fronted, mark):
        front = fronted(route(targets=[EAST, WEST]))
        reply = front.good(f"{mark} [[sim:error ThrottlingException times=1]] [[sim:text ok]]", n=3)
        assert [choice["message"]["content"] for choice in reply.json()["choices"]] == ["ok"] * 3
        assert len(front.asked(mark)) == 4
        assert reply.headers["x-outcrop-attempts"] == "4"

    def test_choices_of_another_model_are_all_its_own(self, fronted, mark):
        front = fronted(route(targets=[NOVA, HAIKU]), scenario=rules(nova=["error ServiceUnavailableException"]))
        reply = front.good(f"{mark} [[sim:text ok]]", n=3)
        assert front.asked(mark).count(HAIKU) == 3
        assert len(reply.json()["choices"]) == 3 and reply.headers["x-bedrock-model"] == HAIKU

    def test_streams_of_several_choices(self, fronted):
        front = fronted(route(targets=[EAST, WEST]))
        front.simulate("outages", down(EAST))
        events = Events(front.good(n=2, stream=True).text)
        assert events.done and shapes.check_stream(events.chunks, choices=2) == ["ok", "ok"]

    def post(self, front, path, **body):
        reply = front.gateway.request("POST", path, json=body)
        assert reply.status_code == 200, reply.text[:2000]
        return reply

    @pytest.fixture
    def all_kinds(self, fronted):
        models = {"text": NOVA, "vectors": TITAN, "ranks": RERANK, "pictures": CANVAS}
        front = fronted("".join(route(name, [{"model": model, "region": one} for one in (EAST, WEST)]) for name, model in models.items()))
        front.simulate("outages", down(EAST))
        return front

    @WHOLE_OR_STREAM
    def test_completions(self, all_kinds, stream):
        reply = self.post(all_kinds, "/v1/completions", model="text", prompt="[[sim:text ok]]", stream=stream)
        assert told(reply) == ("2", WEST, NOVA)
        if not stream:
            assert reply.json()["choices"][0]["text"].strip() == "ok"

    def test_embeddings(self, all_kinds):
        client = all_kinds.gateway.openai()
        raw = client.embeddings.with_raw_response.create(model="vectors", input=["a cat", "a dog", "a boat"])
        assert [one.index for one in raw.parse().data] == [0, 1, 2]
        assert raw.headers["x-bedrock-region"] == WEST and raw.headers["x-bedrock-model"] == TITAN

    def test_rerank(self, all_kinds):
        reply = self.post(all_kinds, "/v1/rerank", model="ranks", query="a cat", documents=["a dog", "a cat"])
        assert reply.json()["results"][0]["index"] == 1
        assert told(reply) == ("2", WEST, RERANK)

    def test_images(self, all_kinds):
        reply = self.post(all_kinds, "/v1/images/generations", model="pictures", prompt="a cat", response_format="b64_json")
        assert reply.json()["data"][0]["b64_json"]
        assert told(reply) == ("2", WEST, CANVAS)

    def test_vectors_of_different_models_never_mix(self, fronted, mark):
        front = fronted(route("vectors", [TITAN, "cohere.embed-multilingual-v3"]))
        texts = [f"{mark} {number}" for number in range(4)] + [f"{mark} [[sim:error ServiceUnavailableException times=1]]"]
        reply = self.post(front, "/v1/embeddings", model="vectors", input=texts)
        assert {len(one["embedding"]) for one in reply.json()["data"]} == {1024}
        assert reply.headers["x-bedrock-model"] in (TITAN, "cohere.embed-multilingual-v3")
        again = [self.post(front, "/v1/embeddings", model=reply.headers["x-bedrock-model"], input=text) for text in texts[:4]]
        assert [one.json()["data"][0]["embedding"] for one in again] == [one["embedding"] for one in reply.json()["data"][:4]]

    def test_a_route_is_listed_and_looked_up(self, fronted):
        front = fronted(route("team-chat", [EAST]))
        client = front.gateway.openai()
        assert "team-chat" in {model.id for model in client.models.list()}
        assert client.models.retrieve("team-chat").id == "team-chat"

    def test_a_name_without_a_route_is_still_a_name(self, fronted):
        front = fronted(route(targets=[EAST]))
        assert front.good(model=CLAUDE_4_5).status_code == 200
        shapes.check_error(front.chat(model="chat-2"), 404, code="model_not_found")

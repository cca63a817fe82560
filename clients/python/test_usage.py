"""Usage: what each request leaves behind, and the reports on it, from outside."""

import collections
import concurrent.futures
import csv
import datetime
import io
import threading
import time

import httpx
import pytest

from support import admin, process, settings
from support.process import poll

ADMIN = "sk-admin-0123456789abcdef"
IN_PRICE, OUT_PRICE = 0.06e-6, 0.24e-6  # of settings.NOVA, in dollars a token
EMBEDDER, PAINTER = "amazon.titan-embed-text-v2:0", "amazon.nova-canvas-v1:0"
SUMS = ["requests", "failed", "cache_hits", "input_tokens", "output_tokens", "images", "cost", "estimated", "unpriced"]


class Metered:
    """A gateway with a database on disk in front of a simulator."""

    def __init__(self, folder, simulator, **env):
        variables = {"OUTCROP_STATE_DIR": str(folder), "OUTCROP_ADMIN_KEYS": ADMIN} | env
        self.gateway = process.Gateway(env=simulator.endpoints | simulator.credentials | variables)

    def read(self, path, key=ADMIN, **parameters):
        return self.gateway.get(path, headers={"authorization": f"Bearer {key}"}, params=parameters)

    def json(self, path, key=ADMIN, **parameters):
        reply = self.read(path, key, **parameters)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def records(self, count=None, **parameters):
        """All records; with `count`, once there are so many."""

        def found():
            records, page = [], {}
            while True:
                answer = self.json("/v1/usage/records", limit=1000, **parameters, **page)
                records += answer["data"]
                if not answer["has_more"]:
                    break
                page = {"page": answer["next_page"]}
            return records if count is None or len(records) >= count else None

        records = poll(found, f"{count} records") if count else found()
        assert count is None or len(records) == count
        return records

    def record(self, reply):
        """The record of an answer that came by HTTP."""
        identifier = reply.headers["x-request-id"]
        [record] = self.records(1, request_id=identifier)
        return record


@pytest.fixture
def simulator():
    with process.Simulator("--simulator-pace", "0") as running:
        yield running


@pytest.fixture
def metered(tmp_path, simulator):
    """Starts a gateway on a folder of the test's own."""
    running = []

    def start(**env):
        running.append(Metered(tmp_path / "state", simulator, **env))
        return running[-1]

    yield start
    for one in running:
        one.gateway.close()


@pytest.fixture
def usage(metered):
    return metered()


def cost(tokens):
    return tokens.prompt_tokens * IN_PRICE + tokens.completion_tokens * OUT_PRICE


class TestRecords:
    def test_a_whole_answer_costs_what_its_tokens_cost(self, usage, mark):
        client = usage.gateway.openai()
        told = client.chat.completions.create(
            model=settings.NOVA, messages=[{"role": "user", "content": mark}], user="ada"
        ).usage
        [record] = usage.records(1)
        assert record["tokens"]["input"] == told.prompt_tokens
        assert record["tokens"]["output"] == told.completion_tokens
        assert record["cost"] == pytest.approx(cost(told), abs=1e-9)
        assert record["user"] == "ada"
        assert record["model"] == record["called_model"] == record["base_model"] == settings.NOVA
        assert record["region"] == settings.REGION
        assert (record["endpoint"], record["operation"]) == ("/v1/chat/completions", "completions")
        assert (record["status"], record["outcome"], record["estimate"]) == (200, "completed", "exact")

    def test_so_does_a_stream_and_the_log_tells_the_same(self, usage, mark):
        client = usage.gateway.openai()
        stream = client.chat.completions.create(
            model=settings.NOVA,
            messages=[{"role": "user", "content": mark}],
            stream=True,
            stream_options={"include_usage": True},
        )
        told = [chunk.usage for chunk in stream if chunk.usage][-1]
        [record] = usage.records(1)
        assert (record["tokens"]["input"], record["tokens"]["output"]) == (told.prompt_tokens, told.completion_tokens)
        assert record["cost"] == pytest.approx(cost(told), abs=1e-9)
        assert record["is_stream"] and record["estimate"] == "exact"

    def test_several_choices_are_paid_for_together(self, usage, mark):
        reply = usage.gateway.chat(mark, body={"n": 3})
        record, told = usage.record(reply), reply.json()["usage"]
        assert (record["tokens"]["input"], record["tokens"]["output"]) == (
            told["prompt_tokens"],
            told["completion_tokens"],
        )

    @pytest.mark.parametrize("stream", [False, True])
    def test_much_input_is_counted_for_each_call(self, usage, mark, stream):
        # Above 200,000 tokens this model costs twice as much: neither choice has so many, both together have.
        prompt = mark + " word" * 88_000
        reply = usage.gateway.chat(prompt, model=settings.CLAUDE, body={"n": 2, "max_tokens": 10, "stream": stream})
        record = usage.record(reply)
        tokens = record["tokens"]
        assert tokens["input"] > 200_000
        assert record["cost"] == pytest.approx(tokens["input"] * 3.3e-6 + tokens["output"] * 16.5e-6, abs=1e-8)

    @pytest.mark.parametrize("action", ["cut after=3", "cut-frame after=3"])
    def test_a_stream_that_is_cut_is_estimated(self, usage, mark, action):
        prompt = f"{mark} [[sim:{action}]]"
        reply = usage.gateway.chat(prompt, body={"stream": True})
        record = usage.record(reply)
        assert record["estimate"] == "estimated"
        assert record["tokens"]["input"] > len(prompt) / 8
        assert record["tokens"]["output"] > 0
        assert record["cost"] > 0
        assert record["outcome"] == "failed"

    def test_so_is_one_that_the_client_leaves(self, usage, mark):
        client = usage.gateway.openai()
        stream = client.chat.completions.create(
            model=settings.NOVA,
            messages=[{"role": "user", "content": f"{mark} [[sim:pace 200ms]]"}],
            stream=True,
        )
        next(chunk for chunk in stream if chunk.choices and chunk.choices[0].delta.content)
        stream.close()
        [record] = usage.records(1)
        assert (record["outcome"], record["estimate"]) == ("client_left", "estimated")
        assert record["tokens"]["input"] > 0 and record["tokens"]["output"] > 0

    def test_an_error_costs_nothing_and_is_there(self, usage, mark):
        reply = usage.gateway.chat(f"{mark} [[sim:error ValidationException]]")
        assert reply.status_code == 400
        record = usage.record(reply)
        assert (record["status"], record["outcome"], record["cost"]) == (400, "failed", 0)
        assert record["error_type"] == reply.json()["error"]["code"]
        assert set(record["tokens"].values()) == {0}

    def test_a_request_that_asks_no_model_leaves_none(self, usage, mark):
        assert usage.gateway.chat(mark, model="no-such-model").status_code == 404
        usage.gateway.get("/v1/models")
        usage.gateway.request("POST", "/v1/chat/completions", content=b"{")
        usage.record(usage.gateway.chat(mark))
        usage.records(1)

    def test_nor_does_one_that_a_limit_stops(self, usage, mark):
        key = admin.Admin(usage.gateway, ADMIN).key(requests_per_minute=1)
        codes = [admin.chat(usage.gateway, key, text=mark).status_code for _ in range(3)]
        assert codes == [200, 429, 429]
        usage.record(usage.gateway.chat(mark))
        assert {record["status"] for record in usage.records(2)} == {200}

    def test_an_answer_of_the_cache_names_its_model(self, metered, mark):
        usage = metered(OUTCROP_RESPONSE_CACHE="memory")
        for _ in range(2):
            reply = usage.gateway.chat(mark, body={"temperature": 0})
        record = usage.record(reply)
        assert record["is_cache_hit"]
        assert record["base_model"] == settings.NOVA

    def test_an_answer_of_the_cache_costs_nothing(self, metered, mark):
        usage = metered(OUTCROP_RESPONSE_CACHE="memory")
        body = {"temperature": 0}
        first = usage.gateway.chat(mark, body=body)
        assert usage.record(first)["cost"] > 0
        again = usage.gateway.chat(mark, body=body)
        record = usage.record(again)
        assert record["is_cache_hit"] and record["cost"] == 0
        total = usage.json("/v1/usage")["total"]
        assert (total["requests"], total["cache_hits"]) == (2, 1)

    def test_vectors_and_images(self, usage, mark):
        client = usage.gateway.openai()
        told = client.embeddings.create(model=EMBEDDER, input=[mark, f"{mark} again"], user="bob").usage
        client.images.generate(model=PAINTER, prompt=mark, n=2, response_format="b64_json")
        records = {record["operation"]: record for record in usage.records(2)}
        assert records["embeddings"]["tokens"]["input"] == told.prompt_tokens
        assert records["embeddings"]["user"] == "bob"
        assert records["embeddings"]["cost"] > 0
        assert records["images"]["tokens"]["images"] == 2

    def test_pages_have_all_of_them_once(self, usage, mark):
        for number in range(5):
            usage.gateway.chat(f"{mark} {number}")
        usage.records(5)
        seen, page = [], {}
        while True:
            answer = usage.json("/v1/usage/records", limit=2, **page)
            seen += [record["id"] for record in answer["data"]]
            if not answer["has_more"]:
                break
            page = {"page": answer["next_page"]}
        assert len(seen) == len(set(seen)) == 5


class TestReports:
    def test_without_parameters_the_last_thirty_days(self, usage, mark):
        told = usage.gateway.chat(mark).json()["usage"]
        usage.records(1)
        report = usage.json("/v1/usage")
        assert len(report["data"]) == 30
        assert report["bucket"] == "day" and report["time_zone"] == "UTC"
        assert report["total"]["requests"] == 1
        assert report["total"]["input_tokens"] == told["prompt_tokens"]
        assert report["data"][-1]["results"][0]["output_tokens"] == told["completion_tokens"]
        assert set(SUMS) <= set(report["total"])

    def test_groups(self, usage, mark):
        for user in ("ada", "bob", "ada"):
            usage.gateway.chat(mark, body={"user": user})
        usage.records(3)
        report = usage.json("/v1/usage", group_by="user,model", days=1)
        [day] = report["data"]
        assert {(row["user"], row["model"], row["requests"]) for row in day["results"]} == {
            ("ada", settings.NOVA, 2),
            ("bob", settings.NOVA, 1),
        }
        only = usage.json("/v1/usage", users="bob")
        assert only["total"]["requests"] == 1
        assert usage.json("/v1/usage", models="nobody's")["total"]["requests"] == 0

    def test_days_of_a_time_zone(self, usage):
        report = usage.json("/v1/usage", time_zone="Europe/Berlin", **{"from": "2026-03-28", "until": "2026-03-31"})
        days = [(day["start"], day["end_time"] - day["start_time"]) for day in report["data"]]
        assert days == [
            ("2026-03-28T00:00:00+01:00", 24 * 3600),
            ("2026-03-29T00:00:00+01:00", 23 * 3600),
            ("2026-03-30T00:00:00+02:00", 24 * 3600),
        ]
        report = usage.json("/v1/usage", time_zone="Europe/Berlin", **{"from": "2026-10-25", "until": "2026-10-26"})
        [day] = report["data"]
        assert day["end_time"] - day["start_time"] == 25 * 3600

    def test_pages_of_slots(self, usage):
        asked = {"from": "2026-01-01", "until": "2026-01-08", "limit": 3}
        first = usage.json("/v1/usage", **asked)
        second = usage.json("/v1/usage", **asked, page=first["next_page"])
        third = usage.json("/v1/usage", **asked, page=second["next_page"])
        starts = [day["start"][:10] for page in (first, second, third) for day in page["data"]]
        assert starts == [f"2026-01-0{day}" for day in range(1, 8)]
        assert third["next_page"] is None

    def test_csv_is_read_by_others(self, usage, mark):
        user = '=HYPERLINK("evil"), "Ada"\nof Ärmel'
        told = usage.gateway.chat(mark, body={"user": user}).json()["usage"]
        usage.records(1)
        reply = usage.read("/v1/usage", format="csv", group_by="user", days=1)
        assert reply.headers["content-type"].startswith("text/csv")
        [row] = csv.DictReader(io.StringIO(reply.text, newline=""))
        # What a spreadsheet would run is text.
        assert row["user"] == "'" + user
        assert int(row["input_tokens"]) == told["prompt_tokens"]
        assert float(row["cost"]) > 0
        accepted = usage.gateway.get(
            "/v1/usage", headers={"authorization": f"Bearer {ADMIN}", "accept": "text/csv"}, params={"days": 1}
        )
        assert accepted.headers["content-type"].startswith("text/csv")

    def test_focus(self, usage, mark):
        reply = usage.gateway.chat(mark)
        record = usage.record(reply)
        answer = usage.read("/v1/usage", format="focus", days=1)
        [row] = csv.DictReader(io.StringIO(answer.text, newline=""))
        tokens = record["tokens"]["input"] + record["tokens"]["output"]
        assert float(row["BilledCost"]) == float(row["EffectiveCost"]) == pytest.approx(record["cost"], abs=1e-9)
        assert (int(row["ConsumedQuantity"]), row["ConsumedUnit"]) == (tokens, "Tokens")
        assert (row["ProviderName"], row["ServiceName"]) == ("AWS", "Amazon Bedrock")
        assert row["ChargeCategory"] == "Usage" and row["BillingCurrency"] == "USD"
        assert row["RegionId"] == settings.REGION
        start = datetime.datetime.fromisoformat(row["ChargePeriodStart"])
        end = datetime.datetime.fromisoformat(row["ChargePeriodEnd"])
        assert end - start == datetime.timedelta(days=1)
        assert row["BillingPeriodStart"].endswith("-01T00:00:00Z")

    @pytest.mark.parametrize(
        ("parameters", "name"),
        [
            ({"bucket": "week"}, "bucket"),
            ({"time_zone": "Nowhere/Land"}, "time_zone"),
            ({"from": "soon"}, "from"),
            ({"group_by": "colour"}, "group_by"),
            ({"projects": "typo"}, "projects"),
        ],
    )
    def test_errors_name_the_parameter(self, usage, parameters, name):
        reply = usage.read("/v1/usage", **parameters)
        assert reply.status_code == 400
        assert reply.json()["error"]["param"] == name

    def test_without_a_database_it_says_so(self, metered):
        usage = metered(OUTCROP_DATABASE="none")
        reply = usage.read("/v1/usage")
        assert (reply.status_code, reply.json()["error"]["code"]) == (501, "no_database")
        assert usage.gateway.chat("hello").status_code == 200

    def test_a_key_is_asked_for(self, usage):
        for path in ("/v1/usage", "/v1/usage/records", "/v1/organization/costs?start_time=1"):
            assert usage.gateway.get(path, headers={"authorization": None}).status_code == 401


class TestOpenAi:
    """OpenAI's own client asks, and what it must be is what OpenAI's description says."""

    def page(self, usage, path, **query):
        client = usage.gateway.openai(api_key=ADMIN)
        midnight = int(time.time()) // 86400 * 86400
        page = client.get(path, cast_to=object, options={"params": {"start_time": midnight} | query})
        assert set(page) == {"object", "data", "has_more", "next_page"} and page["object"] == "page"
        for bucket in page["data"]:
            assert set(bucket) == {"object", "start_time", "end_time", "results"} and bucket["object"] == "bucket"
        return [result for bucket in page["data"] for result in bucket["results"]]

    def test_completions(self, usage, mark):
        told = usage.gateway.chat(mark, body={"user": "ada"}).json()["usage"]
        usage.records(1)
        [result] = self.page(usage, "/organization/usage/completions")
        assert result["object"] == "organization.usage.completions.result"
        assert result["input_tokens"] == told["prompt_tokens"]
        assert result["output_tokens"] == told["completion_tokens"]
        assert result["num_model_requests"] == 1
        assert result["model"] is None and result["user_id"] is None
        [result] = self.page(usage, "/organization/usage/completions", group_by=["model", "user_id", "batch"])
        assert (result["model"], result["user_id"], result["batch"]) == (settings.NOVA, "ada", False)
        assert self.page(usage, "/organization/usage/completions", batch="true") == []
        assert self.page(usage, "/organization/usage/completions", user_ids=["bob"]) == []

    def test_embeddings_and_images(self, usage, mark):
        client = usage.gateway.openai()
        told = client.embeddings.create(model=EMBEDDER, input=mark).usage
        client.images.generate(model=PAINTER, prompt=mark, response_format="b64_json")
        usage.records(2)
        [result] = self.page(usage, "/organization/usage/embeddings")
        assert (result["input_tokens"], result["num_model_requests"]) == (told.prompt_tokens, 1)
        [result] = self.page(usage, "/organization/usage/images", group_by=["source"], sources=["image.generation"])
        assert (result["images"], result["source"]) == (1, "image.generation")
        assert self.page(usage, "/organization/usage/images", sources=["image.edit"]) == []
        assert self.page(usage, "/organization/usage/moderations") == []

    def test_costs(self, usage, mark):
        record = usage.record(usage.gateway.chat(mark))
        [result] = self.page(usage, "/organization/costs")
        assert result["object"] == "organization.costs.result"
        assert result["amount"] == {"value": pytest.approx(record["cost"], abs=1e-9), "currency": "usd"}
        [result] = self.page(usage, "/organization/costs", group_by=["line_item"])
        assert result["line_item"] == settings.NOVA

    def test_slots_and_pages(self, usage, mark):
        usage.record(usage.gateway.chat(mark))
        now = int(time.time())
        found, page = [], {}
        while True:
            answer = usage.json(
                "/v1/organization/usage/completions",
                start_time=now - 7200,
                end_time=now + 60,
                bucket_width="1h",
                limit=1,
                **page,
            )
            found += answer["data"]
            if not answer["has_more"]:
                break
            page = {"page": answer["next_page"]}
        assert all(bucket["end_time"] - bucket["start_time"] == 3600 for bucket in found)
        assert [bucket["start_time"] for bucket in found] == sorted({bucket["start_time"] for bucket in found})
        assert sum(len(bucket["results"]) for bucket in found) == 1

    def test_start_time_is_needed(self, usage):
        reply = usage.read("/v1/organization/costs")
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, "start_time")


class TestKeys:
    """What a key may see."""

    @pytest.fixture
    def keys(self, usage):
        """Two keys of two organizations; each has asked once."""

        def make(organization):
            def post(path, body):
                reply = usage.gateway.request(
                    "POST", f"/admin/v1/{path}", headers={"authorization": f"Bearer {ADMIN}"}, json=body
                )
                if reply.status_code == 404:
                    pytest.skip("this gateway has no API for administration")
                assert reply.status_code in (200, 201), reply.text
                return reply.json()

            one = post("organizations", {"name": organization})
            project = post("projects", {"organization": one["id"], "name": "search"})
            return post("keys", {"project": project["id"], "name": f"key of {organization}"}), project

        made = [make("acme"), make("other")]
        for key, _ in made:
            reply = usage.gateway.chat("hello", headers={"authorization": f"Bearer {key['key']}"})
            assert reply.status_code == 200, reply.text
        usage.records(2)
        return made

    def test_sees_its_own_alone(self, usage, keys):
        (own, project), (other, others_project) = keys
        total = usage.json("/v1/usage", own["key"])["total"]
        assert total["requests"] == 1
        for asked in ({"key_ids": other["id"]}, {"project_ids": others_project["id"]}):
            assert usage.json("/v1/usage", own["key"], **asked)["total"]["requests"] == 0
            assert usage.json("/v1/usage/records", own["key"], **asked)["data"] == []
        [record] = usage.json("/v1/usage/records", own["key"])["data"]
        assert record["key_id"] == own["id"]
        midnight = int(time.time()) // 86400 * 86400
        costs = usage.json("/v1/organization/costs", own["key"], start_time=midnight, group_by="api_key_id")
        assert [result["api_key_id"] for day in costs["data"] for result in day["results"]] == [own["id"]]
        both = usage.json("/v1/usage", group_by="project", days=1)["data"][0]["results"]
        assert {row["project_id"] for row in both} == {project["id"], others_project["id"]}

    def test_a_key_of_the_settings_has_none_of_its_own(self, usage, keys):
        reply = usage.read("/v1/usage", settings.KEY)
        assert reply.status_code in (401, 403)


class TestKilled:
    """What the gateway said that is over must be there after a kill -9."""

    WORKERS = 8

    def test_nothing_is_lost_that_ended_before_the_bound_and_nothing_counts_twice(self, metered, mark):
        first = metered()
        ended, stop = [], threading.Event()

        def ask():
            with_key = first.gateway.headers
            with httpx.Client(trust_env=False, timeout=30, verify=False) as client:
                body = {"model": settings.NOVA, "messages": [{"role": "user", "content": mark}], "max_tokens": 5}
                while not stop.is_set():
                    try:
                        reply = client.post(f"{first.gateway.base_url}/chat/completions", json=body, headers=with_key)
                    except httpx.HTTPError:
                        return
                    if reply.status_code == 200:
                        usage = reply.json()["usage"]
                        ended.append((time.monotonic(), reply.headers["x-request-id"], usage["prompt_tokens"]))

        workers = [threading.Thread(target=ask) for _ in range(self.WORKERS)]
        for worker in workers:
            worker.start()
        poll(lambda: len(ended) > 400, "some load", timeout=60)
        # Some must have ended longer ago than the bound.
        time.sleep(1.2)
        killed = time.monotonic()
        first.gateway.handle.kill()
        first.gateway.handle.wait()
        stop.set()
        for worker in workers:
            worker.join()

        second = metered()
        # The bound is some milliseconds; a machine that is busy gets a second.
        due = {identifier for at, identifier, _ in ended if at < killed - 1}
        assert due

        def arrived():
            found = second.records()
            return found if due <= {record["request_id"] for record in found} else None

        def settled():
            """Those that ended within the bound may arrive later than the rest."""
            found = arrived()
            total = second.json("/v1/usage", days=2)["total"]["requests"]
            return found if found and total == len(found) == len(second.records()) else None

        records = poll(settled, "all that had ended", timeout=30)
        times = collections.Counter(record["request_id"] for record in records)
        assert set(times.values()) == {1}
        tokens = {identifier: tokens for _, identifier, tokens in ended}
        for record in records:
            assert record["tokens"]["input"] == tokens.get(record["request_id"], record["tokens"]["input"])

    def test_a_gateway_that_ends_in_order_leaves_all_in_the_database(self, metered, mark, tmp_path):
        first = metered()
        for number in range(20):
            first.gateway.chat(f"{mark} {number}")
        first.gateway.terminate()
        assert first.gateway.wait() == 0
        assert list((tmp_path / "state" / "journal").glob("*/*.usage")) == []
        assert len(metered().records(20)) == 20


class TestReserved:
    def test_a_long_list_is_reserved_with_all_of_its_search_units(self):
        with admin.start() as stack:
            # A thousand documents are ten units, of 0.2 cents each.
            key = admin.Admin(stack.gateway).key(budgets=[{"period": "day", "limit_usd": 0.021}])
            body = {
                "model": "cohere.rerank-v3-5:0",
                "query": "sky [[sim:delay 300ms]]",
                "documents": ["sky"] * 900,
            }

            def rank(_):
                headers = {"authorization": f"Bearer {key['key']}"}
                return stack.gateway.request("POST", "/v2/rerank", json=body, headers=headers).status_code

            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                statuses = sorted(pool.map(rank, range(6)))
            assert statuses == [200, 429, 429, 429, 429, 429]

    ROUTES = """
        hedge_after = "200ms"
        hedge_budget = 1.0

        [[routes]]
        name = "cheap"
        targets = [
            { model = "amazon.nova-lite-v1:0" },
            { model = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/simulator001" },
        ]

        [[routes]]
        name = "slow"
        targets = [{ model = "amazon.nova-lite-v1:0" }, { model = "amazon.nova-micro-v1:0" }]
    """

    @pytest.fixture
    def routed(self, tmp_path):
        path = tmp_path / "routes.toml"
        path.write_text(self.ROUTES)
        with admin.start("--config", str(path)) as stack:
            yield stack

    def test_a_fallback_without_a_price_is_passed_over(self, routed):
        gateway, url = routed.gateway, routed.simulator.url
        administration = admin.Admin(gateway)
        free = administration.key()
        held = administration.key(budgets=[{"period": "day", "limit_usd": 1}])
        outage = [{"model": "nova-lite", "kind": "unavailable"}]
        httpx.put(f"{url}/_simulator/outages", json=outage, trust_env=False).raise_for_status()
        assert admin.chat(gateway, free, model="cheap").status_code == 200
        assert admin.chat(gateway, held, model="cheap").status_code in (429, 503)

    def test_the_call_that_loses_to_one_beside_is_estimated(self, routed):
        gateway, url = routed.gateway, routed.simulator.url
        latency = [{"model": "nova-lite", "first_byte": "20s"}]
        httpx.put(f"{url}/_simulator/latencies", json=latency, trust_env=False).raise_for_status()
        key = admin.Admin(gateway).key()
        reply = admin.chat(gateway, key, model="slow", text="word " * 4000)
        told = reply.json()["usage"]
        headers = {"authorization": f"Bearer {admin.ADMIN_KEY}"}
        query = {"request_id": reply.headers["x-request-id"]}

        def found():
            return gateway.get("/v1/usage/records", headers=headers, params=query).json()["data"]

        [record] = poll(found, "a record")
        assert record["called_model"] == "amazon.nova-micro-v1:0"
        assert record["estimate"] == "estimated"
        assert record["tokens"]["input"] > 1.5 * told["prompt_tokens"]
        assert record["tokens"]["output"] == told["completion_tokens"]

"""Quotas as Bedrock reserves and burns them, and as Service Quotas tells of them."""

import concurrent.futures
import time

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from talk import CLAUDE, CLAUDE_5, NOVA, events, refused, text_of, user

# So long that nothing comes back while a test runs.
LONG = "1000h"
TOKENS = "Too many tokens, please wait before trying again."
REQUESTS = "Too many requests, please wait before trying again."
OTHER = {"aws_access_key_id": "AKIDSIMULATOROTHER00"}


@pytest.fixture
def limited(simulator, connect):
    """A simulator with quotas, and a client maker."""

    def start(*rows, scenario="other_regions = true\n"):
        running = simulator(scenario)
        running.put("quotas", *rows)
        running.connect = lambda service="bedrock-runtime", **more: connect(service, endpoint_url=running.url, **more)
        running.runtime = running.connect()
        return running

    return start


def ask(client, model=NOVA, tokens=20, maximum=100, text=""):
    said = f"{text}[[sim:tokens {tokens}]]"
    return client.converse(modelId=model, messages=[user(said)], inferenceConfig={"maxTokens": maximum})["usage"]


def left(running, quota="tokens_per_minute", **where):
    levels = running.get("quotas")["levels"]
    found = [level for level in levels if level["quota"] == quota and where.items() <= level.items()]
    return found[0]["left"]


def test_nothing_is_limited_by_default(runtime):
    for _ in range(20):
        ask(runtime)


def test_requests(limited):
    running = limited({"requests_per_minute": 2, "period": LONG})
    ask(running.runtime)
    ask(running.runtime)
    assert refused(lambda: ask(running.runtime), "ThrottlingException") == REQUESTS
    ask(running.runtime, model=CLAUDE)
    ask(running.connect(region_name="us-west-2"))
    ask(running.connect(**OTHER))
    assert running.get("state")["throttled"] == {"us-east-1": {NOVA: 1}}


@pytest.mark.parametrize(("model", "rate"), [(NOVA, 1), (CLAUDE, 5), (CLAUDE_5, 10)])
def test_tokens_are_burned_at_the_models_rate(limited, model, rate):
    running = limited({"tokens_per_minute": 10_000, "period": LONG})
    used = ask(running.runtime, model=model)
    assert 10_000 - left(running) == used["inputTokens"] + rate * used["outputTokens"]


def test_max_tokens_are_reserved(limited):
    running = limited({"tokens_per_minute": 1_000, "period": LONG})
    assert refused(lambda: ask(running.runtime, maximum=1_000), "ThrottlingException") == TOKENS
    ask(running.runtime, maximum=900)
    whole = lambda: running.runtime.converse(modelId=NOVA, messages=[user("[[sim:tokens 20]]")])
    assert refused(whole, "ThrottlingException") == TOKENS, "unset, it is the model's own maximum"


def test_a_stream_holds_its_reservation(limited):
    running = limited({"tokens_per_minute": 1_000, "period": LONG})
    stream = iter(
        events(running.runtime, "[[sim:tokens 20]] [[sim:pace 20ms]]", model=NOVA, inferenceConfig={"maxTokens": 900})
    )
    next(stream)
    refused(lambda: ask(running.runtime, maximum=500), "ThrottlingException")
    used = list(stream)[-1]["metadata"]["usage"]
    eventually(lambda: 1_000 - left(running) == used["inputTokens"] + used["outputTokens"])
    ask(running.runtime, maximum=500)


def eventually(is_so):
    """What was reserved comes back when the server is done, which is a moment after the client is."""
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_a_cache_reads_is_given_back(limited):
    running = limited({"tokens_per_minute": 100_000, "period": LONG})
    system = [{"text": "A long text. " * 600}, {"cachePoint": {"type": "default"}}]

    def burned():
        before = 100_000 if not running.get("quotas")["levels"] else left(running)
        call = {"modelId": CLAUDE, "system": system, "messages": [user("[[sim:tokens 20]]")]}
        used = running.runtime.converse(**call, inferenceConfig={"maxTokens": 100})["usage"]
        return before - left(running), used

    first, wrote = burned()
    assert first == wrote["inputTokens"] + wrote["cacheWriteInputTokens"] + 5 * wrote["outputTokens"]
    second, read = burned()
    assert read["cacheReadInputTokens"] > 1_000
    assert second == read["inputTokens"] + 5 * read["outputTokens"]
    running.put("quotas", {"tokens_per_minute": 1_000, "period": LONG})
    refused(burned, "ThrottlingException")


def test_more_can_burn_than_was_reserved(limited):
    running = limited({"tokens_per_minute": 300, "period": LONG})
    ask(running.runtime, model=CLAUDE, tokens=100, maximum=200)
    assert left(running) < 0
    assert refused(lambda: ask(running.runtime, model=CLAUDE, maximum=1), "ThrottlingException") == TOKENS


def test_tokens_a_day(limited):
    running = limited({"tokens_per_day": 500, "model": "*nova*"})
    message = refused(lambda: ask(running.runtime, maximum=1_000), "ThrottlingException")
    assert message == "Too many tokens per day, please wait before trying again."
    ask(running.runtime, model=CLAUDE, maximum=1_000)


def test_refused_calls_take_nothing(limited):
    running = limited({"tokens_per_minute": 1_000, "requests_per_minute": 2, "period": LONG})
    for _ in range(5):
        refused(lambda: ask(running.runtime, maximum=2_000), "ThrottlingException")
    assert left(running) == 1_000 and left(running, "requests_per_minute") == 2


def test_refused_calls_are_none_of_a_sequence(limited):
    running = limited({"requests_per_minute": 0})
    call = {"modelId": NOVA, "messages": [user("[[sim:sequence one | two]]")]}
    refused(lambda: running.runtime.converse(**call), "ThrottlingException")
    running.delete("quotas")
    assert text_of(running.runtime.converse(**call)) == "one"


def test_a_slow_answer_holds_its_reservation(limited):
    running = limited({"tokens_per_minute": 1_000, "period": LONG})
    running.put("latencies", {"first_byte": "1h"})
    slow = running.connect(config=Config(retries={"total_max_attempts": 1}, read_timeout=1))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(lambda: ask(slow, maximum=900))
        eventually(lambda: running.get("quotas")["levels"] and left(running) < 100)
        assert isinstance(waiting.exception(), ReadTimeoutError)
    eventually(lambda: left(running) == 1_000)


def test_quotas_refill(limited):
    running = limited({"tokens_per_minute": 1_000, "period": "1s"})
    ask(running.runtime, tokens=800, maximum=900)

    def fits():
        try:
            return ask(running.runtime, maximum=900)
        except ClientError as error:
            assert error.response["Error"]["Message"] == TOKENS
            return None

    eventually(fits)


def test_a_profile_has_a_quota_of_its_own(limited):
    running = limited({"model": "us.*", "requests_per_minute": 1, "period": LONG})
    ask(running.runtime, model="us.amazon.nova-lite-v1:0")
    refused(lambda: ask(running.runtime, model="us.amazon.nova-lite-v1:0"), "ThrottlingException")
    ask(running.runtime)
    running.put("quotas", {"model": "amazon.*", "requests_per_minute": 0})
    refused(lambda: ask(running.runtime), "ThrottlingException")
    ask(running.runtime, model="us.amazon.nova-lite-v1:0")


def test_embeddings_count_their_input(limited):
    running = limited({"tokens_per_minute": 1_000, "period": LONG})
    running.runtime.invoke_model(modelId="amazon.titan-embed-text-v2:0", body='{"inputText": "four score and seven"}')
    assert 980 < left(running) < 1_000


def test_quotas_of_a_scenario(simulator, connect):
    running = simulator('[[quotas]]\nmodel = "nova"\nrequests_per_minute = 1\nperiod = "1000h"\n')
    client = connect(endpoint_url=running.url)
    ask(client)
    refused(lambda: ask(client), "ThrottlingException")
    running.delete("state")
    ask(client)
    running.delete("quotas")
    ask(client)


# Service Quotas


def listed(client, operation="list_service_quotas", size=100, **more):
    pages = client.get_paginator(operation).paginate(ServiceCode="bedrock", PaginationConfig={"PageSize": size}, **more)
    return {quota["QuotaName"]: quota for page in pages for quota in page["Quotas"]}


def test_quotas_are_listed_as_they_are_enforced(limited):
    running = limited(
        {"model": "us.anthropic.claude-haiku-4-5*", "tokens_per_minute": 50, "period": "10s", "requests_per_minute": 3},
        {"model": NOVA, "tokens_per_day": 5_000},
        {"model": "us.amazon.nova-lite-v1:0", "tokens_per_day": 10_000},
    )
    client = running.connect("service-quotas")
    quotas = listed(client)
    value = lambda name: quotas[name]["Value"]
    assert value("Cross-region model inference tokens per minute for Anthropic Claude Haiku 4.5") == 300
    assert value("Cross-region model inference requests per minute for Anthropic Claude Haiku 4.5") == 18
    assert value("Model invocation max tokens per day for Amazon Nova Lite (doubled for cross-region calls)") == 5_000
    others = [
        "Global cross-region model inference tokens per minute for Anthropic Claude Haiku 4.5",
        "On-demand model inference requests per minute for Amazon Nova Lite",
        "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1",
    ]
    assert all(value(name) > 100 for name in others)
    by_default = listed(client, "list_aws_default_service_quotas")
    assert by_default.keys() == quotas.keys()
    name = "Cross-region model inference tokens per minute for Anthropic Claude Haiku 4.5"
    assert by_default[name]["Value"] > 300 and by_default[name]["QuotaCode"] == quotas[name]["QuotaCode"]
    elsewhere = listed(running.connect("service-quotas", region_name="eu-west-1"))
    assert elsewhere[name]["Value"] == by_default[name]["Value"]
    other = listed(running.connect("service-quotas", **OTHER))
    assert other[name]["QuotaArn"].startswith("arn:aws:servicequotas:us-east-1:210987654321:bedrock/L-")


def test_quotas_come_page_by_page(connect):
    client = connect("service-quotas")
    assert listed(client, size=7).keys() == listed(client).keys()
    first = client.list_service_quotas(ServiceCode="bedrock", MaxResults=2)
    assert len(first["Quotas"]) == 2
    wrong = lambda: client.list_aws_default_service_quotas(ServiceCode="bedrock", NextToken=first["NextToken"])
    refused(wrong, "InvalidPaginationTokenException")


def test_one_quota(connect):
    client = connect("service-quotas")
    quota = client.list_service_quotas(ServiceCode="bedrock", MaxResults=1)["Quotas"][0]
    assert client.get_service_quota(ServiceCode="bedrock", QuotaCode=quota["QuotaCode"])["Quota"] == quota
    refused(lambda: client.get_service_quota(ServiceCode="bedrock", QuotaCode="L-NOTHING"), "NoSuchResourceException")
    refused(lambda: client.list_service_quotas(ServiceCode="nothing"), "NoSuchResourceException")
    runtime = connect("service-quotas", aws_access_key_id="AKIDSIMULATORRUNTIME")
    refused(lambda: runtime.list_service_quotas(ServiceCode="bedrock"), "AccessDeniedException")

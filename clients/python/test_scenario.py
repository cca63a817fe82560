"""Three regions: one has little quota, one dies in mid-run and comes back, one is out of order for a moment. Clients
notice nothing, and with `admission` AWS has nothing to refuse. `outcrop-bench scenario` does the same at length."""

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from support import settings

US, EU = "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
# A request takes some hundred tokens: all three hundred fit into all regions, but not into one.
REGIONS = {"us-east-1": (US, 22_000), "us-west-2": (US, 22_000), "eu-west-1": (EU, 2_500)}
KEYS = ["sk-loud", "sk-quiet", "sk-shy"]
A_PHASE = 100


def tables(admission):
    routes = '[[routes]]\nname = "chat"\nstrategy = "weighted"\n'
    quotas = ""
    for region, (model, tokens) in REGIONS.items():
        routes += f'[[routes.targets]]\nmodel = "{model}"\nregion = "{region}"\n'
        quotas += f'[[quotas]]\nregion = "{region}"\ntokens_per_minute = {tokens}\n'
    return f"admission = {str(admission).lower()}\n{routes}{quotas if admission else ''}"


class Regions:
    """What happens there is changed while the simulator runs."""

    def __init__(self, simulator):
        self.simulator = simulator
        self._set("quotas", [{"region": name, "tokens_per_minute": tokens} for name, (_, tokens) in REGIONS.items()])
        self._set("latencies", [{"region": name, "first_byte": f"{20 * n}ms"} for n, name in enumerate(REGIONS, 1)])

    def fail(self, region, kind):
        self._set("outages", [{"region": region, "model": "claude", "kind": kind}])

    def recover(self):
        self._set("outages", [])

    def throttled(self):
        regions = self.simulator.state()["throttled"].values()
        return sum(count for models in regions for count in models.values())

    def _set(self, what, rows):
        url = f"{self.simulator.url}/_simulator/{what}"
        httpx.put(url, json=rows, trust_env=False, timeout=10).raise_for_status()


def requests():
    """Of three tenants, one of which asks for most; every third is a stream, and every second has a session."""
    for number in itertools.count():
        body = {
            "model": "chat",
            "messages": [{"role": "user", "content": f"[[sim:tokens 10]][[sim:pace 0ms]] {number} {'word ' * 40}"}],
            "max_tokens": 100,
            "stream": number % 3 == 0,
        }
        if number % 2:
            body["user"] = f"session {number % 10}"
        yield KEYS[0 if number % 10 < 6 else 1 + number % 2], body


def ask(client, key, body):
    answer = client.with_options(api_key=key).chat.completions.create(**body)
    if body["stream"]:
        *_, last = (chunk.choices[0] for chunk in answer if chunk.choices)
        return last.finish_reason
    return answer.choices[0].finish_reason


async def ask_all(client, some):
    at_a_time = asyncio.Semaphore(16)

    async def one(key, body):
        async with at_a_time:
            answer = await client.with_options(api_key=key).chat.completions.create(**body)
            if body["stream"]:
                return [chunk.choices[0].finish_reason async for chunk in answer if chunk.choices][-1]
            return answer.choices[0].finish_reason

    async with client:
        return await asyncio.gather(*(one(key, body) for key, body in some))


def phase(gateway, some):
    """Sends the next requests, half of them by an asynchronous client."""
    some = list(itertools.islice(some, A_PHASE))
    with ThreadPoolExecutor(16) as pool, gateway.openai() as client:
        waiting = [pool.submit(ask, client, key, body) for key, body in some[::2]]
        reasons = asyncio.run(ask_all(gateway.async_openai(), some[1::2]))
        return reasons + [one.result() for one in waiting]


@pytest.fixture
def run(stacked, tmp_path):
    """All three phases, and how often AWS refused; an error of a client's is raised here."""

    def go(admission):
        file, scenario = tmp_path / f"{admission}.toml", tmp_path / "scenario.toml"
        file.write_text(tables(admission))
        scenario.write_text("other_regions = true\n")
        keys = {settings.API_KEYS: ",".join(KEYS), "OUTCROP_BREAKER_COOL_DOWN": "500ms"}
        stack = stacked("--config", file, env=keys, scenario=scenario)
        regions, some = Regions(stack.simulator), requests()
        reasons = phase(stack.gateway, some)
        regions.fail("us-west-2", "reset")
        reasons += phase(stack.gateway, some)
        regions.fail("us-east-1", "throttle")
        reasons += phase(stack.gateway, itertools.islice(some, 0, A_PHASE // 5))
        regions.recover()
        reasons += phase(stack.gateway, some)
        assert set(reasons) == {"stop"} and len(reasons) >= 3 * A_PHASE
        return regions.throttled() / len(reasons)

    return go


def test_no_client_sees_what_another_region_can_avoid(run):
    kept, plain = run(admission=True), run(admission=False)
    assert kept < 0.01
    assert plain > kept

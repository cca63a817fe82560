"""Fixtures: a gateway on its embedded simulator, and one in front of a simulator that tests can look into.

`gateway`, `stack` and `seeds` are shared by all tests of a run; `serve` and `stacked` start one with other settings.
"""

import os
import uuid

import pytest

from support import front, postgres, process, redis, seeded


@pytest.fixture(scope="session")
def gateway():
    with process.Gateway("--simulate") as running:
        yield running


@pytest.fixture(scope="session")
def stack():
    with process.Stack() as running:
        yield running


@pytest.fixture
def serve():
    """Starts a gateway on its embedded simulator, with flags and an environment of the test's own."""
    yield from starter(lambda *arguments, **options: process.Gateway("--simulate", *arguments, **options))


@pytest.fixture
def stacked():
    """Starts a simulator and a gateway in front of it; None in `env` takes a variable away."""
    yield from starter(process.Stack)


@pytest.fixture
def fronted(tmp_path):
    """Starts a simulator of all regions and a gateway with a settings file of the test's own in front of it."""
    yield from starter(lambda *arguments, **options: front.Front(tmp_path, *arguments, **options))


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL, in which each test may have a database of its own."""
    postgres.need()
    running = postgres.Postgres()
    yield running
    running.close()


@pytest.fixture
def a_redis():
    if not redis.is_there():
        assert "CI" not in os.environ, "redis-server is missing"
        pytest.skip("NOT TESTED: redis-server is missing; the Debian package is redis-server")
    running = redis.Redis()
    yield running
    running.close()


@pytest.fixture
def slow_list(serve, tmp_path):
    """Starts a gateway of a region and us-west-2 that learns only after a while what they have."""
    scenario = tmp_path / "slow.toml"
    scenario.write_text('[[rules]]\noperation = "ListFoundationModels"\nactions = ["delay 1s"]\n')

    def start(region):
        return serve("--region", region, "--regions", f"{region},us-west-2", "--simulator-scenario", scenario)

    return start


def starter(start):
    running = []

    def remember(*arguments, **options):
        running.append(start(*arguments, **options))
        return running[-1]

    yield remember
    for one in running:
        one.close()


@pytest.fixture(scope="session")
def seeds():
    """For the examples in the documents of the replaced systems."""
    with seeded.Seeded() as running:
        yield running


@pytest.fixture
def client(gateway):
    return gateway.openai()


@pytest.fixture
def mark():
    """A word that no other test has in its prompts."""
    return f"mark{uuid.uuid4().hex[:12]}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for running in process.LIVE:
            report.sections.append(("outcrop", running.report()))
    return report

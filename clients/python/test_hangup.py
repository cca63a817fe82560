"""A client that goes away takes its call to Bedrock along."""

import asyncio
import json
import subprocess

import pytest

from support import settings
from support.process import poll
from support.wire import Connection, chat_request

# Minutes of work, which only a cancelled call doesn't do.
ENDLESS_STREAM = "[[sim:tokens 100000]] [[sim:pace 50ms]]"
ENDLESS_WAIT = "[[sim:delay 300s]]"
SILENCE = "[[sim:tokens 100]] [[sim:hang after=3]]"


@pytest.fixture
def quiet(stack):
    """A stack with nothing under way."""
    poll(lambda: stack.simulator.active() == 0, "calls of earlier tests have ended")
    return stack


def is_under_way(stack, calls=1):
    poll(lambda: stack.simulator.active() >= calls, f"{calls} calls upstream are under way")


def is_over(stack):
    poll(lambda: stack.simulator.active() == 0, "no call upstream is left; the simulator still has some")


@pytest.mark.parametrize(
    "prompt, stream",
    [(ENDLESS_STREAM, True), (SILENCE, True), (ENDLESS_WAIT, True), (ENDLESS_WAIT, False)],
    ids=["mid-stream", "silent stream", "before the stream", "whole answer"],
)
def test_kill_9_of_a_client(quiet, prompt, stream):
    body = {"model": settings.NOVA, "messages": [{"role": "user", "content": prompt}], "stream": stream}
    command = ["curl", "--silent", "--no-buffer", f"{quiet.gateway.base_url}/chat/completions"]
    command += ["-H", f"Authorization: Bearer {quiet.gateway.key}", "-H", "Content-Type: application/json"]
    curl = subprocess.Popen([*command, "-d", json.dumps(body)], stdout=subprocess.PIPE)
    try:
        if stream and prompt != ENDLESS_WAIT:
            assert curl.stdout.readline().startswith(b"data:")
        is_under_way(quiet)
    finally:
        curl.kill()
        curl.wait()
        curl.stdout.close()
    is_over(quiet)


def test_closing_the_sdks_stream(quiet):
    messages = [{"role": "user", "content": ENDLESS_STREAM}]
    with quiet.gateway.openai() as client:
        stream = client.chat.completions.create(model=settings.NOVA, messages=messages, stream=True)
        next(iter(stream))
        is_under_way(quiet)
        stream.close()
        is_over(quiet)


def test_cancelling_an_async_request(quiet):
    async def ask():
        async with quiet.gateway.async_openai() as client:
            task = asyncio.create_task(
                client.chat.completions.create(
                    model=settings.NOVA, messages=[{"role": "user", "content": ENDLESS_WAIT}]
                )
            )
            await asyncio.to_thread(is_under_way, quiet)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(ask())
    is_over(quiet)


def test_all_choices_go(quiet):
    with Connection(quiet.gateway.port) as connection:
        connection.send(chat_request(ENDLESS_STREAM, stream=True, n=3))
        assert connection.head().status_code == 200
        is_under_way(quiet, calls=3)
    is_over(quiet)


def test_a_client_that_leaves_during_our_retries_stops_them(quiet, mark):
    with Connection(quiet.gateway.port) as connection:
        connection.send(chat_request(f"{mark} [[sim:error ThrottlingException]]"))
        poll(lambda: quiet.simulator.requests(mark), "the first call has been made")
    is_over(quiet)
    assert quiet.gateway.chat("[[sim:text ok]]").status_code == 200

"""Transient faults are retried, but only before the client has got its first byte."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support import shapes
from support.wire import Events

TRANSIENT = ["ThrottlingException", "ServiceUnavailableException", "InternalServerException", "ModelNotReadyException"]
FOR_GOOD = ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("exception", TRANSIENT)
def test_a_passing_fault_is_not_the_clients_business(stack, mark, exception, stream):
    reply = stack.gateway.chat(f"{mark} [[sim:error {exception} times=1]] [[sim:text ok]]", body={"stream": stream})
    assert reply.status_code == 200, reply.text
    if stream:
        events = Events(reply.text)
        assert events.done and shapes.check_stream(events.chunks) == ["ok"]
    else:
        shapes.check_completion(reply.json())
    assert len(stack.simulator.requests(mark)) == 2


@pytest.mark.parametrize("exception", FOR_GOOD)
def test_what_is_wrong_for_good_is_asked_once(stack, mark, exception):
    shapes.check_error(stack.gateway.chat(f"{mark} [[sim:error {exception}]]"), range(400, 500))
    assert len(stack.simulator.requests(mark)) == 1


def test_a_lasting_fault_is_given_up(stack, mark):
    shapes.check_error(stack.gateway.chat(f"{mark} [[sim:error ServiceUnavailableException]]"), 503)
    assert 2 <= len(stack.simulator.requests(mark)) <= 5


def test_an_outage_is_not_amplified(stacked):
    """The retry budget: many failing requests make few calls more than themselves."""
    stack = stacked()
    before, count = stack.simulator.state()["calls"]["total"], 150
    with ThreadPoolExecutor(16) as threads:
        prompts = ["[[sim:error ServiceUnavailableException]]"] * count
        for reply in threads.map(stack.gateway.chat, prompts):
            shapes.check_error(reply, 503)
    calls = stack.simulator.state()["calls"]["total"] - before
    assert calls < 2 * count, f"{calls} calls for {count} requests"


def test_each_retry_is_signed_anew(stack, mark):
    stack.gateway.chat(f"{mark} [[sim:error ThrottlingException times=1]] [[sim:text ok]]")
    bodies = [request.get("body") for request in stack.simulator.requests(mark)]
    assert len(bodies) == 2 and bodies[0] == bodies[1], "the same body both times"

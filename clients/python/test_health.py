"""Is it alive, and could it answer?"""

import socket

from support import settings, shapes


def dead_upstream():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    return {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url, "AWS_ENDPOINT_URL_BEDROCK": url}


def probe(gateway, path):
    """As a load balancer asks: without a key."""
    return gateway.get(path, headers={"authorization": None})


def test_alive_and_ready(gateway):
    assert probe(gateway, "/healthz").status_code == 200
    assert probe(gateway, "/readyz").status_code == 200


def test_alive_and_ready_in_front_of_a_simulator_of_its_own(stack):
    assert probe(stack.gateway, "/healthz").status_code == 200
    reply = probe(stack.gateway, "/readyz")
    assert reply.status_code == 200, reply.text


def test_a_dead_upstream_is_alive_but_not_ready_and_says_why(stacked):
    stack = stacked(env=dead_upstream())
    assert probe(stack.gateway, "/healthz").status_code == 200
    reply = probe(stack.gateway, "/readyz")
    assert reply.status_code == 503, reply.text
    said = reply.text.lower()
    assert any(word in said for word in ("connect", "refused", "upstream", "unreachable")), reply.text


def test_without_credentials_it_is_not_ready_and_says_why(stacked):
    stack = stacked(env={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None})
    assert probe(stack.gateway, "/healthz").status_code == 200
    reply = probe(stack.gateway, "/readyz")
    assert reply.status_code == 503, reply.text
    assert "credential" in reply.text.lower(), reply.text


def test_readiness_gives_no_secrets_away(stacked):
    stack = stacked(env=dead_upstream())
    said = probe(stack.gateway, "/readyz").text
    for secret in (*stack.simulator.credentials.values(), settings.KEY):
        assert secret not in said


def test_a_request_to_a_dead_upstream_is_a_clean_error(stacked):
    stack = stacked(env=dead_upstream())
    for stream in (False, True):
        shapes.check_error(stack.gateway.chat("hi", body={"stream": stream}), (502, 503))


def test_head_requests(gateway):
    reply = gateway.request("HEAD", "/healthz", headers={"authorization": None})
    assert reply.status_code == 200 and not reply.content

"""What hostile readers of the gateway found: one test each, named after what a user would have seen."""

import json
import os
import re
import socket
import subprocess
import tempfile

import httpx

from support import settings, shapes
from support.process import binary, clean_environment, poll

GOOD = {"model": "amazon.nova-lite-v1:0", "messages": [{"role": "user", "content": "[[sim:text ok]]"}]}


def post(url, body, **headers):
    return httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, trust_env=False, timeout=30)


def bare(stderr):
    """A gateway whose log goes to `stderr`, and its address."""
    process = subprocess.Popen(
        [binary(), "serve", "--simulate", "--listen", "127.0.0.1:0"],
        env=clean_environment() | {"OUTCROP_LOG": "trace"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return process, found.group()
    raise AssertionError(f"it ended with {process.wait()}")


def test_a_full_disk_behind_the_log_stops_nothing():
    with open("/dev/full", "w") as full:
        process, url = bare(full)
    try:
        assert post(url, GOOD).status_code == 200
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def test_a_log_that_nobody_reads_stops_nothing():
    read, write = os.pipe()
    process, url = bare(write)
    try:
        for _ in range(100):
            assert post(url, GOOD).status_code == 200
    finally:
        process.kill()
        process.wait()
        os.close(read)
        os.close(write)


def test_more_stop_sequences_than_bedrock_takes_are_refused(gateway):
    reply = gateway.chat("hi", body={"stop": [f"s{number}" for number in range(100_000)]})
    assert "stop" in shapes.check_error(reply, 400)["param"]


def test_an_endless_key_does_not_come_back(gateway):
    reply = gateway.chat("hi", body={"metadata": {"k" * 1_000_000: 1}})
    shapes.check_error(reply, 400)
    assert len(reply.content) < 2_000


def test_a_large_body_with_a_wrong_key_is_answered(gateway):
    body = GOOD | {"padding": "x" * 20_000_000}
    reply = post(f"http://127.0.0.1:{gateway.port}", body, Authorization="Bearer wrong")
    shapes.check_error(reply, 401)


def test_a_web_page_can_not_use_a_gateway_without_a_key(serve):
    gateway = serve(key=None)
    url = f"http://127.0.0.1:{gateway.port}"
    assert post(url, GOOD).status_code == 200
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        shapes.check_error(post(url, GOOD, **headers), 403)


def test_the_services_section_of_a_profile_tells_the_endpoint(stack, stacked, mark):
    lines = [
        "[default]",
        f"region = {settings.REGION}",
        "services = local",
        "[services local]",
        "bedrock_runtime =",
        f"  endpoint_url = {stack.simulator.url}",
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".config") as config:
        config.write("\n".join(lines) + "\n")
        config.flush()
        env = {"AWS_CONFIG_FILE": config.name, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": None, "AWS_REGION": None}
        other = stacked(env=env)
        assert other.gateway.chat(f"{mark} [[sim:text ok]]").status_code == 200
    assert stack.simulator.requests(mark)


def test_an_upstream_401_is_not_the_clients(stacked):
    """Another secret than the simulator's: refused by AWS, and never with a status that blames the caller's key."""
    stack = stacked(env={"AWS_SECRET_ACCESS_KEY": "wrong"})
    shapes.check_error(stack.gateway.chat("hi"), 502)


def test_a_client_that_reads_nothing_does_not_hold_its_call(stacked, mark):
    stack = stacked(env={"OUTCROP_TOTAL_TIMEOUT": "1s"})
    # More than all buffers of the kernel on the way can take.
    prompt = f"{mark} [[sim:tokens 60000]] [[sim:chunk 1]] [[sim:pace 0ms]]"
    body = {"model": settings.CLAUDE, "stream": True, "n": 8, "max_tokens": 64_000}
    body["messages"] = [{"role": "user", "content": prompt}]
    payload = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {settings.KEY}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", stack.gateway.port))
        client.sendall(head.encode() + payload)
        poll(lambda: stack.simulator.state()["calls"]["total"] >= 8, "the calls have come")
        poll(lambda: stack.simulator.active() == 0, "the calls have ended", timeout=30)

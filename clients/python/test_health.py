"""Is it alive, and could it answer?"""

import socket

from support import settings, shapes
from support.process import run


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


def health(*arguments, **options):
    return run("health", *arguments, **options)


def test_the_command_asks_where_the_settings_say(gateway, tmp_path):
    file = tmp_path / "outcrop.toml"
    file.write_text(f'listen = "0.0.0.0:{gateway.port}"\n')
    address = f"127.0.0.1:{gateway.port}"
    for asked in (
        health("--listen", address),
        health(env={"OUTCROP_LISTEN": f"0.0.0.0:{gateway.port}"}),
        health(cwd=tmp_path),
        health("--url", gateway.base_url),
        health("--ready", "--config", str(file)),
    ):
        assert (asked.returncode, asked.stderr) == (0, ""), asked
        assert asked.stdout in (f"http://{address}/healthz: ok\n", f"http://{address}/readyz: ok\n")


def test_the_command_tells_ready_from_alive(stacked):
    stack = stacked(env=dead_upstream())
    assert health("--url", stack.gateway.root).returncode == 0
    asked = health("--ready", "--url", stack.gateway.root)
    assert asked.returncode == 1 and "status 503" in asked.stderr and "upstream" in asked.stderr, asked
    assert len(asked.stderr.splitlines()) == 1 and not asked.stdout, asked


def test_the_command_fails_where_nobody_is():
    url = dead_upstream()["AWS_ENDPOINT_URL_BEDROCK"]
    asked = health("--url", url)
    assert asked.returncode == 1 and f"{url}/healthz" in asked.stderr and "refused" in asked.stderr, asked


def test_the_command_fails_where_nobody_answers():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = health("--url", f"http://127.0.0.1:{silent.getsockname()[1]}", "--timeout", "200ms")
    assert asked.returncode == 1 and "no answer within 200ms" in asked.stderr, asked


def test_the_command_fails_where_the_port_is_left_open():
    asked = health("--listen", "127.0.0.1:0")
    assert asked.returncode == 1 and "--url" in asked.stderr, asked


def test_a_file_that_was_refused_makes_nobody_unwell(gateway, tmp_path):
    """A gateway that runs goes on with the settings that it has."""
    (tmp_path / "outcrop.toml").write_text(f'listen = "127.0.0.1:{gateway.port}"\nbody_limit = "32 potatoes"\n')
    asked = health(cwd=tmp_path)
    assert asked.returncode == 0, asked
    (tmp_path / "outcrop.toml").write_text('body_limit = "32 potatoes\n')
    asked = health(cwd=tmp_path)
    assert asked.returncode == 1 and "outcrop.toml" in asked.stderr, asked
    asked = health(cwd=tmp_path, env={"OUTCROP_LISTEN": f"127.0.0.1:{gateway.port}"})
    assert asked.returncode == 0, asked

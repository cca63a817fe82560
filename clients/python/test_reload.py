"""The settings change while the gateway serves."""

import os
import pathlib
import signal

import httpx
import pytest

from support.process import Process, poll
from support.wire import Connection, Events, chat_request

BEFORE = '[[aliases]]\nname = "mine"\nmodel = "Nova-Lite"\n'
AFTER = '[[aliases]]\nname = "mine"\nmodel = "Nova-Pro"\n'


def asked(gateway):
    """The model that an alias means now."""
    answer = gateway.chat("[[sim:text yes]]", model="mine")
    assert answer.status_code == 200, answer.text
    return answer.headers["x-bedrock-model"]


def log(gateway, words):
    return next((line for line in gateway.stderr if words in line), None)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "outcrop.toml"
    path.write_text(BEFORE)
    return path


def test_a_changed_file_is_taken_over(serve, file):
    gateway = serve("--config", file)
    assert "nova-lite" in asked(gateway)
    file.write_text(AFTER)
    poll(lambda: "nova-pro" in asked(gateway), "the alias means the other model")


def test_a_link_that_points_elsewhere_is_a_change(serve, tmp_path):
    for name, text in [("one", BEFORE), ("two", AFTER)]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "outcrop.toml").write_text(text)
    # As a ConfigMap is mounted.
    data, link = tmp_path / "..data", tmp_path / "outcrop.toml"
    data.symlink_to("one")
    link.symlink_to("..data/outcrop.toml")
    gateway = serve("--config", link)
    assert "nova-lite" in asked(gateway)
    new = tmp_path / "..data_tmp"
    new.symlink_to("two")
    os.replace(new, data)
    poll(lambda: "nova-pro" in asked(gateway), "the alias means the other model")


def test_sighup_reads_the_file_and_what_it_refers_to(serve, tmp_path):
    key, file = tmp_path / "key", tmp_path / "outcrop.toml"
    key.write_text("sk-old\n")
    file.write_text(f'watch_config = false\napi_keys = ["file:{key}"]\n{BEFORE}')
    gateway = serve("--config", file, key=None)
    gateway.key = "sk-old"
    assert "nova-lite" in asked(gateway)
    key.write_text("sk-new\n")
    file.write_text(file.read_text().replace("Nova-Lite", "Nova-Pro"))
    gateway.handle.send_signal(signal.SIGHUP)
    poll(lambda: gateway.chat("hi", model="mine").status_code == 401, "the old key is refused")
    gateway.key = "sk-new"
    assert "nova-pro" in asked(gateway)


def test_a_bad_file_is_refused_with_its_line_and_the_old_one_stays(serve, file):
    gateway = serve("--config", file)
    file.write_text(AFTER + 'strategy = 1\n[[routes]]\nname = "r"\n')
    gateway.handle.send_signal(signal.SIGHUP)
    line = poll(lambda: log(gateway, "those from before stay"), "the refusal is in the log")
    assert "outcrop.toml:4: aliases: unknown key" in line and "outcrop.toml:5: routes: a route needs" in line
    assert "nova-lite" in asked(gateway)
    file.write_text(AFTER)
    poll(lambda: "nova-pro" in asked(gateway), "the file that is in order again is taken over")


def test_a_file_that_is_gone_changes_nothing(serve, file):
    gateway = serve("--config", file)
    file.rename(file.with_suffix(".old"))
    gateway.handle.send_signal(signal.SIGHUP)
    poll(lambda: log(gateway, "cannot read"), "it is in the log")
    assert "nova-lite" in asked(gateway)
    file.write_text(AFTER)
    poll(lambda: "nova-pro" in asked(gateway), "the file that is back is taken over")


def test_a_file_that_nobody_named_is_gone_and_takes_no_key_with_it(serve):
    gateway = serve()
    file = pathlib.Path(gateway.folder, "outcrop.toml")
    file.write_text(BEFORE)
    poll(lambda: gateway.chat("hi", model="mine").status_code == 200, "the file is taken over")
    file.unlink()
    gateway.handle.send_signal(signal.SIGHUP)
    poll(lambda: log(gateway, "the settings file is gone"), "it is in the log")
    assert "nova-lite" in asked(gateway)


def test_what_only_counts_at_the_start_is_named(serve, file):
    gateway = serve("--config", file)
    file.write_text('max_connections = 5\nlog = "warn"\n' + AFTER)
    gateway.handle.send_signal(signal.SIGHUP)
    line = poll(lambda: log(gateway, "only count after a restart"), "it is in the log")
    assert "max_connections" in line and "log" in line
    poll(lambda: "nova-pro" in asked(gateway), "the rest is taken over")


def test_keys_can_not_be_taken_away_from_an_open_address(tmp_path):
    file = tmp_path / "outcrop.toml"
    file.write_text('api_keys = ["sk-a"]\nlisten = "0.0.0.0:0"\nsimulate = true\n')
    with Process("serve", "--config", file) as gateway:
        models = gateway.expect(r"(http://127\.0\.0\.1:\d+/v1)\b").group(1) + "/models"
        file.write_text("")
        gateway.handle.send_signal(signal.SIGHUP)
        poll(lambda: log(gateway, "without an API key"), "it is in the log")
        assert httpx.get(models, trust_env=False).status_code == 401


def test_a_config_of_litellms_is_taken_over_too(serve, tmp_path):
    file = tmp_path / "config.yaml"
    entry = "model_list:\n- model_name: mine\n  litellm_params: {model: bedrock/amazon.nova-lite-v1:0}\n"
    file.write_text(entry)
    gateway = serve("--config", file)
    assert "nova-lite" in asked(gateway)
    file.write_text(entry.replace("lite-v1", "pro-v1"))
    gateway.handle.send_signal(signal.SIGHUP)
    poll(lambda: "nova-pro" in asked(gateway), "the name means the other model")


def test_an_open_stream_and_its_connection_go_on(serve, file):
    gateway = serve("--config", file)
    text = " ".join(f"word{number}" for number in range(20))
    with Connection(gateway.port, timeout=30) as connection:
        connection.send(chat_request(f"[[sim:pace 150ms]] [[sim:text {text}]]", stream=True))
        reply = connection.head()
        pieces = connection.pieces(reply)
        reply.body += next(pieces)
        file.write_text(AFTER)
        gateway.handle.send_signal(signal.SIGHUP)
        poll(lambda: "nova-pro" in asked(gateway), "the settings are new")
        for piece in pieces:
            reply.body += piece
        events = Events(reply.text)
        assert events.done
        told = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in events.chunks if chunk["choices"])
        assert told == text
        # The connection outlives it, and what comes next on it is answered by the new settings.
        connection.send(chat_request("[[sim:text again]]", model="mine"))
        reply = connection.head()
        assert "nova-pro" in reply.headers["x-bedrock-model"]

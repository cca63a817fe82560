"""The other verbs: chat, models, config, and what wrong words get."""

import json

import pytest

from support import settings
from support.process import run


def towards(gateway):
    return {settings.CLI_BASE_URL: gateway.base_url, settings.CLI_KEY: gateway.key}


def test_chat_against_a_running_gateway(gateway):
    ended = run("chat", "[[sim:text Hello from the terminal.]]", "--model", settings.NOVA, env=towards(gateway))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "Hello from the terminal."


def test_chat_has_a_default_model(gateway):
    ended = run("chat", "[[sim:text Hello.]]", env=towards(gateway))
    assert ended.returncode == 0, ended.stderr
    assert "Hello." in ended.stdout


def test_chat_fails_when_the_model_does(gateway):
    ended = run("chat", "[[sim:error AccessDeniedException]]", "--model", settings.NOVA, env=towards(gateway))
    assert ended.returncode != 0
    assert ended.stderr.strip() and "panicked" not in ended.stderr, ended.stderr


def test_chat_fails_when_the_stream_breaks(gateway):
    ended = run("chat", "[[sim:tokens 40]] [[sim:cut after=3]]", "--model", settings.NOVA, env=towards(gateway))
    assert ended.returncode != 0, ended.stdout


def test_models_against_a_running_gateway(gateway):
    ended = run("models", env=towards(gateway))
    assert ended.returncode == 0, ended.stderr
    assert settings.NOVA in ended.stdout and settings.CLAUDE in ended.stdout


def test_models_of_a_part(gateway):
    ended = run("models", "--type", "embedding,image", "--provider", "Amazon", env=towards(gateway))
    listed = ended.stdout.splitlines()
    assert ended.returncode == 0 and "amazon.titan-embed-text-v2:0" in listed, ended.stderr
    assert settings.NOVA not in listed and not [name for name in listed if name.startswith("cohere.")]


def test_models_of_a_type_that_there_is_not(gateway):
    ended = run("models", "--type", "video", env=towards(gateway))
    assert ended.returncode == 1 and "'embedding'" in ended.stderr, ended.stderr


def test_models_of_nobody(gateway):
    ended = run("models", "--provider", "acme & sons", env=towards(gateway))
    assert (ended.returncode, ended.stdout) == (0, "") and "acme & sons" in ended.stderr, ended.stderr


@pytest.mark.parametrize("verb", [["chat", "hi"], ["models"]], ids=["chat", "models"])
def test_a_wrong_key_is_said_so(gateway, verb):
    ended = run(*verb, env=towards(gateway) | {settings.CLI_KEY: "sk-wrong"})
    assert ended.returncode != 0 and "key" in ended.stderr.lower(), ended.stderr


def test_models_by_itself(stack):
    ended = run("models", env=stack.simulator.endpoints | stack.simulator.credentials)
    assert ended.returncode == 0, ended.stderr
    assert settings.NOVA in ended.stdout


def test_chat_by_itself(stack):
    env = stack.simulator.endpoints | stack.simulator.credentials
    ended = run("chat", "[[sim:text Hello.]]", "--model", settings.NOVA, env=env)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "Hello."


def test_a_good_file_is_good(tmp_path):
    (tmp_path / "outcrop.toml").write_text('listen = "127.0.0.1:8089"\n')
    ended = run("config", "check", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_known_one(tmp_path):
    (tmp_path / "outcrop.toml").write_text('# a comment\nlisten = "127.0.0.1:8089"\n\nlisen = "127.0.0.1:8090"\n')
    ended = run("config", "check", cwd=tmp_path)
    assert ended.returncode != 0
    said = ended.stderr + ended.stdout
    assert "lisen" in said and "listen" in said.replace("lisen", ""), said
    assert "4" in said, f"the line is missing: {said}"


def test_serve_does_not_start_on_a_bad_file(tmp_path):
    (tmp_path / "outcrop.toml").write_text("listen = 5\n")
    ended = run("serve", "--simulate", cwd=tmp_path, timeout=20)
    assert ended.returncode != 0 and "listen" in ended.stderr, ended.stderr


def test_flags_go_before_the_environment_and_that_before_the_file(tmp_path):
    (tmp_path / "outcrop.toml").write_text('listen = "file.invalid:1"\n')
    ended = run(
        "serve", "--simulate", "--listen", "flag.invalid:1", env={"OUTCROP_LISTEN": "env.invalid:1"}, cwd=tmp_path
    )
    assert ended.returncode != 0 and "flag.invalid" in ended.stderr, ended.stderr
    ended = run("serve", "--simulate", env={"OUTCROP_LISTEN": "env.invalid:1"}, cwd=tmp_path)
    assert ended.returncode != 0 and "env.invalid" in ended.stderr, ended.stderr
    ended = run("serve", "--simulate", cwd=tmp_path)
    assert ended.returncode != 0 and "file.invalid" in ended.stderr, ended.stderr


def test_the_schema_knows_the_settings():
    ended = run("config", "schema")
    assert ended.returncode == 0, ended.stderr
    schema = json.loads(ended.stdout)
    listen = schema["properties"]["listen"]
    assert listen.get("description"), listen


@pytest.mark.parametrize(
    "verb",
    [[], ["serve"], ["simulate"], ["chat"], ["models"], ["config"]],
    ids=lambda verb: " ".join(verb) or "outcrop",
)
def test_help(verb):
    ended = run(*verb, "--help")
    assert ended.returncode == 0 and "Usage" in ended.stdout, ended.stderr


def test_version():
    ended = run("--version")
    assert ended.returncode == 0 and ended.stdout.startswith("outcrop "), ended.stdout


@pytest.mark.parametrize("words", [["quarry"], ["serve", "--lisen", "x"], ["chat"]], ids=" ".join)
def test_wrong_words(words):
    ended = run(*words, timeout=20)
    assert ended.returncode == 2 and ended.stderr.strip(), ended


def test_a_taken_port_is_said_so(gateway):
    ended = run("serve", "--simulate", "--listen", f"127.0.0.1:{gateway.port}", timeout=20)
    assert ended.returncode != 0 and str(gateway.port) in ended.stderr, ended.stderr
    assert "panicked" not in ended.stderr

"""The first minute: `outcrop serve --simulate`, and the line it prints to paste."""

import subprocess

from support import settings
from support.process import clean_environment, poll
from support.wire import Events


def curl_of(gateway):
    """The banner's curl command, with its continuation lines."""

    def find():
        lines = gateway.stdout
        for start, line in enumerate(lines):
            if "curl " in line:
                command, position = line[line.index("curl ") :], start
                while command.endswith("\\"):
                    position += 1
                    if position >= len(lines):
                        return None
                    command += "\n" + lines[position]
                return command
        return None

    return poll(find, f"a curl line in the banner: {gateway.report()}", timeout=5)


def paste(command):
    return subprocess.run(
        ["bash", "-c", command], env=clean_environment(), capture_output=True, text=True, timeout=60, check=False
    )


def test_the_curl_line_works_when_pasted(serve):
    for key in (None, settings.KEY):
        gateway = serve(key=key)
        command = curl_of(gateway)
        ended = paste(command)
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
        assert "error" not in ended.stdout, f"{command}\n{ended.stdout}"
        if ended.stdout.startswith("data:"):
            assert Events(ended.stdout).done, ended.stdout
        else:
            assert "chat.completion" in ended.stdout, ended.stdout


def test_the_curl_line_streams(gateway):
    ended = paste(curl_of(gateway))
    assert Events(ended.stdout).done, ended.stdout


def test_it_says_that_the_models_are_simulated(gateway):
    curl_of(gateway)
    assert "simulated" in "\n".join(gateway.stdout).lower()


def test_it_is_short(gateway):
    curl_of(gateway)
    assert len(gateway.stdout) <= 20, gateway.report()


def test_the_simulator_alone_says_how_to_reach_it(stack):
    said = "\n".join(stack.simulator.stdout)
    assert stack.simulator.url in said and "AWS_ACCESS_KEY_ID=" in said


def test_the_curl_line_asks_what_the_operator_has_named(serve, tmp_path):
    file = tmp_path / "outcrop.toml"
    file.write_text(
        '[[routes]]\nname = "vectors"\ntargets = [{ model = "amazon.titan-embed-text-v2:0" }]\n'
        '[[routes]]\nname = "team/*"\ntargets = [{ model = "*" }]\n'
        '[[routes]]\nname = "team chat"\ntargets = [{ model = "Nova-Lite" }]\n'
    )
    command = curl_of(serve("--config", file))
    assert '"model":"team chat"' in command
    ended = paste(command)
    assert ended.returncode == 0 and "[DONE]" in ended.stdout, ended.stderr

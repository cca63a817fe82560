"""A Redis: a process of its own, which ends with its test."""

import shutil
import socket
import subprocess

from . import process

COMMAND = "redis-server"


def is_there():
    return shutil.which(COMMAND) is not None


class Redis:
    """`redis-server` on a free port, with nothing on disk."""

    def __init__(self, port=None, password=None):
        self.port = port or free_port()
        self.password = password
        self.folder = process.new_folder("redis-")
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        if password:
            arguments += ["--requirepass", password]
        self.handle = subprocess.Popen(
            [COMMAND, *arguments], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        process.poll(lambda: self.command("PING") == b"+PONG", "an answer of Redis")

    @property
    def url(self):
        secret = f":{self.password}@" if self.password else ""
        return f"redis://{secret}127.0.0.1:{self.port}"

    def command(self, *words):
        """The first line of the answer to a command; None if there is none."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                answers = connection.makefile("rwb")
                commands = ([("AUTH", self.password)] if self.password else []) + [words]
                for command in commands:
                    answers.write(f"*{len(command)}\r\n".encode())
                    for word in command:
                        answers.write(f"${len(word)}\r\n{word}\r\n".encode())
                    answers.flush()
                    line = answers.readline().strip()
                    if line[:1] == b"*":
                        count = int(line[1:])
                        line = [answers.readline() and answers.readline().strip() for _ in range(count)]
                return line
        except OSError:
            return None

    def keys(self):
        return [key.decode() for key in self.command("KEYS", "*") or []]

    def close(self):
        self.handle.kill()
        self.handle.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

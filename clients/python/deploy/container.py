"""Runs the image without a container engine, as one would with `--read-only --cap-drop=ALL`: in namespaces of its own,
in a root that holds what the image holds, read-only but for the volume and /tmp, as the image's user.
"""

import os
import pathlib
import subprocess
import threading
import time

from deploy.dockerfile import ROOT, Image

UNSHARE = ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child", "--propagation=private"]

# $1: the root, $2: the user, $3: the group, $4: the working folder; then pairs of a source and a target, `--`, and the
# program. What an engine mounts is there before the root is made read-only.
SCRIPT = """
set -eu
root=$1 user=$2 group=$3 folder=$4
shift 4
ip link set lo up
mount --bind "$root" "$root"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
while [ "$1" != -- ]; do
    mount --bind "$1" "$root$2"
    shift 2
done
shift
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs unshare --root="$root" --wd="$folder" --setgid="$group" --setuid="$user" -- "$@"
"""


def refused():
    """Why this machine doesn't let us make namespaces and mount in them; nothing if it does."""
    tried = run([*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
    return tried.stderr.strip() if tried.returncode else ""


def gather(folder, binary):
    """The root of the file system and what the volume begins with, by what the Dockerfile runs."""
    subprocess.run(["sh", ROOT / "deploy/image/root.sh", binary, folder], check=True, timeout=60)
    # Those an engine makes for what it mounts.
    for name in ("proc", "dev", "sys"):
        (folder / "root" / name).mkdir()
    for name in ("hosts", "resolv.conf"):
        (folder / "root/etc" / name).touch()
    return folder


class Container:
    """`docker run --read-only`, in a network of its own. Ended by its own handle."""

    def __init__(self, gathered, state, *arguments, env=None, mounts=None, program=None):
        image = Image()
        user, group = image.user.split(":")
        os.chown(state, int(user), int(group))
        pairs = [(state, image.volumes[0]), *(mounts or {}).items()]
        mounted = [str(word) for pair in pairs for word in pair]
        inner = [*(program or image.entrypoint), *(arguments or image.command)]
        self.environment = {"PATH": "/usr/local/bin:/usr/bin", **image.environment, **(env or {})}
        # The programs that make the container are found by our PATH.
        within = ["sh", "-c", SCRIPT, "container", str(gathered / "root"), user, group, image.folder, *mounted, "--"]
        self.handle = subprocess.Popen(
            [*UNSHARE, *within, *inner],
            env=self.environment | {"PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.output = {"stdout": [], "stderr": []}
        self.readers = [
            threading.Thread(target=lambda pipe=pipe, lines=lines: lines.extend(iter(pipe.readline, "")), daemon=True)
            for pipe, lines in zip((self.handle.stdout, self.handle.stderr), self.output.values())
        ]
        for reader in self.readers:
            reader.start()
        self.image, self.user, self.group = image, user, group

    def expect(self, text, stream="stdout", timeout=30):
        """Waits for a line with this text."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = [line for line in list(self.output[stream]) if text in line]
            if found:
                return found[0]
            if self.handle.poll() is not None and not any(reader.is_alive() for reader in self.readers):
                break
            time.sleep(0.02)
        raise AssertionError(f"no line with {text!r} on {stream}: {self.report()}")

    def inner_process(self):
        """The number, as we see it, of the container's first process."""
        mine = str(self.handle.pid)
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if parent == mine:
                return folder.name
        raise AssertionError(f"nothing runs: {self.report()}")

    def execute(self, *command, env=None, timeout=30):
        """`docker exec`: in all its namespaces and its root, as its user."""
        enter = ["nsenter", "--target", self.inner_process(), "--mount", "--pid", "--net", "--ipc", "--uts", "--root"]
        enter += [f"--wd=/proc/{self.inner_process()}/cwd", f"--setgid={self.group}", f"--setuid={self.user}"]
        given = self.environment | {"PATH": os.environ["PATH"]} | (env or {})
        return run([*enter, *command], env=given, timeout=timeout)

    def beside(self, *command, **options):
        """Starts a program of this machine's in the container's network."""
        enter = ["nsenter", "--target", self.inner_process(), "--net"]
        return subprocess.Popen([*enter, *map(str, command)], text=True, stdin=subprocess.DEVNULL, **options)

    def ask(self, url, *options):
        """What curl says, run outside of the root, in the container's network."""
        with self.beside(
            "curl", "--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}", *options, url,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as curl:
            said, error = curl.communicate(timeout=30)
        body, _, status = said.rpartition("\n")
        assert curl.returncode == 0, f"{error}{self.report()}"
        return int(status), body

    def wait(self, timeout=30):
        status = self.handle.wait(timeout)
        for reader in self.readers:
            reader.join(5)
        return status

    def report(self):
        return f"ended with {self.handle.poll()}\n{''.join(self.output['stdout'])}{''.join(self.output['stderr'])}"

    def close(self):
        # With --kill-child what runs within goes too.
        if self.handle.poll() is None:
            self.handle.kill()
            self.handle.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def run(command, **options):
    words = [str(word) for word in command]
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options)

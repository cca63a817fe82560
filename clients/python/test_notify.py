"""What systemd is told, with `Type=notify`."""

import socket

import pytest

from support import process, settings


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_systemd_is_told_when_it_serves_and_when_it_stops(serve, tmp_path, abstract):
    name = f"@{tmp_path.name}-{process.new_folder('notify-')}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name.replace("@", "\0", 1))
        systemd.settimeout(30)
        gateway = serve(env={"NOTIFY_SOCKET": name})
        assert systemd.recv(100) == b"READY=1"
        assert gateway.get("/healthz").status_code == 200
        gateway.terminate()
        assert systemd.recv(100) == b"STOPPING=1"
        assert gateway.wait() == 0


def test_it_serves_if_systemd_does_not_listen(serve):
    gateway = serve(env={"NOTIFY_SOCKET": "/nonexistent/notify"})
    assert gateway.chat("hi", model=settings.NOVA).status_code == 200

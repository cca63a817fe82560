"""The way to AWS out of a company's network: certificate authorities and proxies of its own."""

import contextlib
import http.server
import json
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from support import shapes
from support.process import Gateway, run

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_REGION": "us-east-1"}
SAID = {
    "output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    "metrics": {"latencyMs": 1},
}


class Bedrock(http.server.BaseHTTPRequestHandler):
    """Answers every call with a word."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(SAID).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def bundle(tmp_path):
    """The certificate of an authority, beside that of the hosts that it vouches for."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificates")

    def make(name, *arguments):
        command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem"
        subprocess.run([*command.split(), *arguments], cwd=tmp_path, check=True, capture_output=True)

    make("authority")
    names = "subjectAltName=DNS:localhost,DNS:bedrock.example"
    leaf = ["-addext", names, "-addext", "basicConstraints=critical,CA:FALSE"]
    make("host", "-CA", "authority.pem", "-CAkey", "authority.key", *leaf)
    return tmp_path / "authority.pem"


@pytest.fixture
def bedrock(bundle):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bedrock)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle.parent / "host.pem", bundle.parent / "host.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def proxy(port):
    """A proxy for which each host is this one; gives its port and the heads that it was sent."""
    heads = []
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += client.recv(1)
                heads.append(head.decode())
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                server = socket.create_connection(("127.0.0.1", port))
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], heads
    finally:
        listener.close()


def test_a_bundle_of_certificates_is_trusted(bedrock, bundle):
    env = KEYS | {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": f"https://localhost:{bedrock}"}
    with Gateway(env=env | {"AWS_CA_BUNDLE": str(bundle)}) as gateway:
        reply = gateway.chat("hi")
        assert reply.json()["choices"][0]["message"]["content"] == "hello", reply.text
    with Gateway(env=env) as gateway:
        shapes.check_error(gateway.chat("hi"), (502,), code="upstream_unreachable")


def test_a_bundle_that_isnt_there_is_named_at_the_start():
    ended = run("serve", "--listen", "127.0.0.1:0", env=KEYS | {"AWS_CA_BUNDLE": "/no/such/bundle.pem"})
    assert ended.returncode != 0
    assert "AWS_CA_BUNDLE" in ended.stderr and "/no/such/bundle.pem" in ended.stderr, ended.stderr


def test_a_proxy_is_asked_for_the_way(bedrock, bundle):
    with proxy(bedrock) as (port, heads):
        env = KEYS | {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "https://bedrock.example",
            "AWS_CA_BUNDLE": str(bundle),
            "HTTPS_PROXY": f"http://user:password@127.0.0.1:{port}",
        }
        with Gateway(env=env) as gateway:
            reply = gateway.chat("hi")
            assert reply.json()["choices"][0]["message"]["content"] == "hello", reply.text
        assert heads[0].startswith("CONNECT bedrock.example:443 "), heads
        assert "proxy-authorization: basic" in heads[0].lower(), heads
        seen = len(heads)
        around = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": f"https://localhost:{bedrock}", "NO_PROXY": "localhost"}
        with Gateway(env=env | around) as gateway:
            assert gateway.chat("hi").status_code == 200
        assert len(heads) == seen

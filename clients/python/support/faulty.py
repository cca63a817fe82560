"""The way to Bedrock, broken on purpose: ports where nobody answers, and a relay that spoils what it carries."""

import contextlib
import socket
import struct
import threading

LINGER_NOT = struct.pack("ii", 1, 0)
# Far longer than any limit of a test: who waits so long has been forgotten.
PATIENCE = 60
UNRESOLVED = "http://bedrock-runtime.invalid"


@contextlib.contextmanager
def closed_port():
    """The URL of a port that refuses connections, and that nobody else gets meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextlib.contextmanager
def black_hole():
    """The URL of a port that doesn't answer: its queue is full, and nobody takes anyone from it."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


class Over(Exception):
    """The connection has ended."""


class Relay:
    """Carries requests to a simulator, one at a time on each connection, and answers as `behave` says.

    `behave` is called with an `Exchange` for each request. Without it, answers are carried as they are.
    """

    def __init__(self, upstream):
        self.upstream = upstream.rpartition(":")[2]
        self.behave = Exchange.deliver
        self.lock = threading.Lock()
        self.go = threading.Event()
        self.connections = self.requests = self.held = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def begin(self, behave):
        """From now on, it behaves like this; nothing was asked of it yet, and `go` isn't set."""
        with self.lock:
            self.behave = behave
            self.connections = self.requests = 0
            self.go.clear()

    def close(self):
        self.go.set()
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                client.settimeout(PATIENCE)
                with self.lock:
                    self.connections += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        number = 0
        with client, client.makefile("rb") as reader, contextlib.suppress(Over, OSError):
            while True:
                request = read_message(reader)
                number += 1
                with self.lock:
                    self.requests += 1
                    behave = self.behave
                behave(Exchange(self, client, request, number))


class Exchange:
    """One request, and what it gets."""

    def __init__(self, relay, client, request, number):
        self.relay = relay
        self.client = client
        self.request = request
        # Of those on this connection, from 1.
        self.number = number

    def fetch(self):
        """The simulator's answer: its head, and its body in pieces; those of a stream are its frames or events."""
        head, body = self.request
        head = head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        with socket.create_connection(("127.0.0.1", int(self.relay.upstream)), timeout=PATIENCE) as server:
            server.sendall(head + body)
            with server.makefile("rb") as reader:
                head, body = read_message(reader)
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"transfer-"))]
        if b"vnd.amazon.eventstream" in head:
            pieces = frames(body)
        elif b"text/event-stream" in head:
            pieces = [event + b"\n\n" for event in body.split(b"\n\n") if event]
        else:
            return b"\r\n".join(lines), [body]
        return b"\r\n".join(lines[:-2] + [b"Transfer-Encoding: chunked", b"", b""]), pieces

    def send(self, data):
        self.client.sendall(data)

    def send_frames(self, pieces):
        for piece in pieces:
            self.send(b"%x\r\n%s\r\n" % (len(piece), piece))

    def deliver(self):
        """The simulator's answer, as it is."""
        head, pieces = self.fetch()
        self.send(head)
        if b"chunked" in head:
            self.send_frames([*pieces, b""])
        else:
            self.send(pieces[0])

    def end(self):
        """Closes the connection in order."""
        self.client.shutdown(socket.SHUT_RDWR)
        raise Over

    def reset(self):
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.client.close()
        raise Over

    def hold(self):
        """Says nothing more, until the gateway gives the connection up."""
        with self.relay.lock:
            self.relay.held += 1
        try:
            while self.client.recv(65536):
                pass
        finally:
            with self.relay.lock:
                self.relay.held -= 1
        raise Over

    def wait(self):
        """Until the test says go."""
        assert self.relay.go.wait(PATIENCE)


def read_message(reader):
    """Head and body of a request or an answer, the body without its chunks' frames."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = reader.readline()
        if not line:
            raise Over
        head += line
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        body = b""
        while size := int(reader.readline(), 16):
            body += reader.read(size)
            reader.readline()
        reader.readline()
        return head, body
    _, _, rest = lower.partition(b"content-length:")
    return head, reader.read(int(rest.split(b"\r\n")[0]) if rest else 0)


def frames(body):
    """An event stream's frames."""
    found = []
    while body:
        (size,) = struct.unpack_from(">I", body)
        found.append(body[:size])
        body = body[size:]
    return found


def spoiled(frame):
    """The same frame, with a checksum that is wrong."""
    return frame[:-1] + bytes([frame[-1] ^ 0xFF])


def canned(status, *headers, body=b""):
    """An answer that comes from no Bedrock."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body

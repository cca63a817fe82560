"""Lambda, as a function sees it: the runtime API, played by the test, and the freezer.

Each function is stopped (SIGSTOP) the moment its answer's last byte has come, and goes on when the next event is there:
earlier than Lambda does it, so whatever counts on some time between two invocations fails. At its deadline, an
invocation's function is killed.
"""

import json
import os
import pathlib
import queue
import signal
import socket
import threading
import time
import uuid

import httpx

from . import lambda_events, process, settings
from .lambda_events import MOST

NAME = "outcrop"
ARN = f"arn:aws:lambda:{settings.REGION}:{lambda_events.ACCOUNT}:function:{NAME}"
DELIMITER = b"\0" * 8
PATIENCE = 30


class Invocation:
    """An event and what the function answers, while it does."""

    def __init__(self, event, kind, seconds):
        self.event = event if isinstance(event, bytes) else json.dumps(event).encode()
        self.kind = kind
        self.id = str(uuid.uuid4())
        self.deadline = time.time() + seconds
        self.changed = threading.Condition()
        self.connection = None
        # The head of `/response`, and its body in the pieces that came.
        self.head, self.raw, self.trailers = None, bytearray(), {}
        # What `/error` says.
        self.error = None
        # `answered`, `failed`, `broken` (the connection was lost), `killed`
        self.state = None
        # Where the test says when more of the answer may be read.
        self.reading = None
        self.is_alive = lambda: True

    def change(self, **values):
        with self.changed:
            for name, value in values.items():
                setattr(self, name, value)
            self.changed.notify_all()

    def wait(self, condition, what):
        with self.changed:
            deadline = time.monotonic() + PATIENCE
            while not self.changed.wait_for(condition, 0.5) and self.is_alive() and time.monotonic() < deadline:
                pass
            if not condition():
                raise AssertionError(f"still not: {what}; {self.state}, {self.head}, {self.raw[-2000:]!r}")
        return self

    @property
    def is_stream(self):
        return self.head is not None and self.head.get("lambda-runtime-function-response-mode") == "streaming"

    @property
    def prelude(self):
        at = self.raw.find(DELIMITER)
        return bytes(self.raw[:at]) if at >= 0 else None

    @property
    def body(self):
        """What has come of the answer's body by now, where it is streamed."""
        return bytes(self.raw.partition(DELIMITER)[2])

    @property
    def text(self):
        return self.body.decode(errors="ignore")

    def has_begun(self):
        return self.wait(lambda: self.state or (self.is_stream and self.prelude is not None), "the head of the answer")

    def has_come(self, text):
        """Waits until the answer's body has this text in it."""
        self.wait(lambda: self.state or text in self.text, f"{text!r} in the answer")
        assert text in self.text, f"{self.state} without {text!r}: {self.text[-2000:]}"
        return self

    def is_over(self):
        return self.wait(lambda: self.state, "the answer's end")

    def reply(self):
        """The answer as whoever made the request sees it."""
        self.is_over()
        assert self.state == "answered", f"{self.state}: {self.error or self.raw[-2000:]!r}"
        assert "lambda-runtime-function-error-type" not in self.trailers, self.trailers
        if self.is_stream:
            assert self.head["content-type"] == "application/vnd.awslambda.http-integration-response"
            return lambda_events.of_stream(self.prelude, self.body)
        return lambda_events.of_document(self.kind, json.loads(self.raw))

    def leave(self):
        """The way to the client breaks down, and the function sees it."""
        self.connection.shutdown(socket.SHUT_RDWR)


class Runtime:
    """The runtime API on a port of its own."""

    def __init__(self, freezer):
        self.freezer = freezer
        self.events = queue.Queue()
        self.open = {}
        self.init_error = None
        self.watches_deadlines = True
        # Where the function has asked for the next event.
        self.asked = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()
        self.events.put(None)

    def put(self, invocation):
        self.open[invocation.id] = invocation
        self.events.put(invocation)
        if self.watches_deadlines:
            timer = threading.Timer(invocation.deadline - time.time(), self._late, [invocation])
            timer.daemon = True
            timer.start()
        self.freezer.thaw()

    def _late(self, invocation):
        if invocation.state is None:
            self.freezer.kill()
            invocation.change(state="killed")

    def _accept(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        except OSError:
            pass

    def _serve(self, connection):
        try:
            with connection, connection.makefile("rb") as reader:
                while line := reader.readline():
                    method, path, _ = line.decode().split(" ")
                    headers = read_headers(reader)
                    status, more, body = self._route(method, path, headers, reader, connection)
                    head = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in more.items())]
                    head += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
                    connection.sendall("\r\n".join(head).encode() + body)
        except (OSError, EOFError):
            pass

    def _route(self, method, path, headers, reader, connection):
        prefix = "/2018-06-01/runtime/"
        assert path.startswith(prefix), path
        asked = path.removeprefix(prefix)
        if (method, asked) == ("GET", "invocation/next"):
            return self._next()
        if (method, asked) == ("POST", "init/error"):
            self.init_error = json.loads(b"".join(read_body(reader, headers, {})))
            return "202 Accepted", {}, b'{"status":"OK"}'
        _, identifier, what = asked.split("/")
        invocation = self.open[identifier]
        take = {"response": self._response, "error": self._error}[what]
        return take(invocation, headers, reader, connection)

    def _next(self):
        self.asked.set()
        invocation = self.events.get()
        if invocation is None:
            raise EOFError
        head = {
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": int(invocation.deadline * 1000),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
        }
        return "200 OK", head, invocation.event

    def _response(self, invocation, headers, reader, connection):
        invocation.change(head=headers, connection=connection)
        try:
            for piece in read_body(reader, headers, invocation.trailers):
                with invocation.changed:
                    invocation.raw += piece
                    invocation.changed.notify_all()
                if invocation.reading and invocation.prelude is not None:
                    assert invocation.reading.wait(PATIENCE)
        except (OSError, EOFError, ValueError):
            invocation.change(state="broken")
            raise EOFError from None
        self.freezer.freeze()
        if not invocation.is_stream and len(invocation.raw) > MOST:
            invocation.change(state="failed", error={"errorType": "Function.ResponseSizeTooLarge"})
            return "413 Payload Too Large", {}, b'{"errorType":"RequestEntityTooLarge"}'
        invocation.change(state="answered")
        return "202 Accepted", {}, b'{"status":"OK"}'

    def _error(self, invocation, headers, reader, connection):
        said = b"".join(read_body(reader, headers, {}))
        self.freezer.freeze()
        invocation.change(state="failed", error=json.loads(said))
        return "202 Accepted", {}, b'{"status":"OK"}'


def read_headers(reader):
    headers = {}
    while line := reader.readline().rstrip(b"\r\n").decode("latin-1"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def read_body(reader, headers, trailers):
    """A body in the pieces that it comes in; its trailers go into `trailers`."""
    if headers.get("transfer-encoding") != "chunked":
        left = int(headers.get("content-length", 0))
        body = reader.read(left)
        if len(body) < left:
            raise EOFError
        yield body
        return
    while size := int(reader.readline().split(b";")[0] or b"x", 16):
        piece = reader.read(size)
        if len(piece) < size:
            raise EOFError
        reader.readline()
        yield piece
    trailers.update(read_headers(reader))


def package(files=None):
    """A folder as Lambda unpacks it: `bootstrap`, and what was put beside it."""
    folder = pathlib.Path(process.new_folder("task-"))
    (folder / "bootstrap").symlink_to(process.binary())
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
    return folder


def environment(folder, address, simulator, env=None, key=settings.KEY):
    """Lambda's variables, and the function's own. There is no HOME."""
    found = process.clean_environment()
    found.pop("HOME")
    found |= {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": NAME,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{NAME}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/22/[$LATEST]0123456789abcdef0123456789abcdef",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_DEFAULT_REGION": settings.REGION,
        "LAMBDA_TASK_ROOT": str(folder),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "_HANDLER": "bootstrap",
        "TZ": ":UTC",
        # Below /tmp, which each environment has for itself in Lambda.
        "OUTCROP_STATE_DIR": process.new_folder("tmp-"),
    }
    if key:
        found[settings.API_KEYS] = key
    found |= simulator.endpoints | simulator.credentials | (env or {})
    return {name: value for name, value in found.items() if value is not None}


class Function(process.Process):
    """The function in Lambda: cold until its first event, then warm."""

    def __init__(self, simulator, *, kind="function-url", files=None, folder=None, env=None, key=settings.KEY):
        self.kind, self.key = kind, key
        self.lock = threading.Lock()
        self.frozen = False
        self.handle = None
        self.runtime = Runtime(self)
        task = package(files)
        variables = environment(task, self.runtime.address, simulator, env, key)
        try:
            self._start([str(task / "bootstrap")], folder or task, variables)
        except BaseException:
            self.runtime.close()
            raise

    def freeze(self):
        with self.lock:
            if self.handle.poll() is None:
                self.handle.send_signal(signal.SIGSTOP)
                self.frozen = True

    def thaw(self):
        with self.lock:
            if self.frozen:
                self.handle.send_signal(signal.SIGCONT)
                self.frozen = False

    def kill(self):
        self.handle.kill()

    def close(self):
        self.runtime.close()
        super().close()

    def is_ready(self):
        """Waits until it asks for its first event."""
        process.poll(lambda: self.runtime.asked.is_set() or self.handle.poll() is not None, "it asks for events")
        assert self.runtime.asked.is_set(), self.report()
        return self

    def has_failed(self):
        """Waits until it has given up its start, and returns what it said of that."""
        process.poll(lambda: self.runtime.init_error or self.handle.poll() is not None, "its start fails")
        assert not self.runtime.asked.is_set(), self.report()
        if self.handle.poll() is not None:
            self.wait()
        return f"{self.runtime.init_error} {self.report()}"

    def put(self, event, kind=None, seconds=300, reading=None):
        """Hands it an event, and doesn't wait for the answer."""
        invocation = Invocation(event, kind or self.kind, seconds)
        invocation.reading = reading
        invocation.is_alive = lambda: self.handle.poll() is None
        self.runtime.put(invocation)
        return invocation

    def begin(self, method, path, headers=None, *, json=None, content=None, files=None, data=None, query="", **options):
        """Hands it a request as an event of its kind. The key goes with it unless `headers` say otherwise."""
        kind = options.pop("kind", self.kind)
        how = {name: options.pop(name) for name in ("seconds", "reading") if name in options}
        known = {"authorization": f"Bearer {self.key}"} if self.key else {}
        headers = {name: value for name, value in (known | (headers or {})).items() if value is not None}
        url = httpx.URL(f"https://{lambda_events.HOST}")
        request = httpx.Request(method, url, headers=headers, json=json, content=content, files=files, data=data)
        body = request.read()
        make = lambda_events.KINDS[kind]
        return self.put(make(method, path, list(request.headers.multi_items()), body, query, **options), kind, **how)

    def request(self, method, path, headers=None, **options):
        return self.begin(method, path, headers, **options).reply()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def begin_chat(self, text, model=settings.NOVA, **options):
        body = {"model": model, "messages": [{"role": "user", "content": text}]} | options.pop("body", {})
        return self.begin("POST", "/v1/chat/completions", json=body, **options)

    def chat(self, text, model=settings.NOVA, **options):
        return self.begin_chat(text, model, **options).reply()

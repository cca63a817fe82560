"""HTTP by hand, for what a well-behaved client can't send or doesn't show."""

import json
import re
import socket
import threading

from . import settings


class Reply:
    """What came back. Has enough of httpx's names for `shapes.check_error`."""

    def __init__(self, status, headers):
        self.status_code = status
        self.header_list = headers
        self.headers = dict(headers)
        self.body = b""
        self.trailers = {}

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)


class Closed(Exception):
    """The server closed the connection instead of answering."""


class Connection:
    def __init__(self, port, timeout=15):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, data):
        """Sends, unless the server has closed by now."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def send_in_background(self, pieces):
        """Sends while the caller reads, so that an early answer isn't lost to a reset."""

        def work():
            for piece in pieces:
                try:
                    self.socket.sendall(piece)
                except OSError:
                    return

        threading.Thread(target=work, daemon=True).start()

    def _line(self):
        try:
            line = self.file.readline(65536)
        except ConnectionResetError as error:
            raise Closed from error
        if not line:
            raise Closed
        return line.rstrip(b"\r\n").decode("latin-1")

    def head(self):
        """The status line and the headers of the next final response."""
        while True:
            version, _, rest = self._line().partition(" ")
            assert version.startswith("HTTP/1."), f"not an HTTP response: {version!r}"
            headers = self._headers()
            if not rest.startswith("1"):
                return Reply(int(rest[:3]), headers)

    def _headers(self):
        headers = []
        while line := self._line():
            name, _, value = line.partition(":")
            headers.append((name.strip().lower(), value.strip()))
        return headers

    def pieces(self, reply):
        """The body as it arrives; the trailers go into `reply`."""
        if reply.headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int(self._line().split(";")[0], 16):
                piece = self.file.read(size)
                if len(piece) < size:
                    raise Closed
                self._line()
                yield piece
            reply.trailers = dict(self._headers())
        elif "content-length" in reply.headers:
            yield self.file.read(int(reply.headers["content-length"]))
        elif reply.status_code not in (204, 304):
            yield self.file.read()

    def reply(self):
        """The next response, whole."""
        reply = self.head()
        for piece in self.pieces(reply):
            reply.body += piece
        return reply

    def is_closed(self):
        """Whether the server closes without another byte before our time limit."""
        try:
            rest = self.file.read(1)
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        assert not rest, "the server sent more after its answer"
        return True


def chat_head(extra=(), length=None, key=settings.KEY, path="/v1/chat/completions"):
    """The head of a chat request, without the empty line unless `length` is given."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    lines.extend(extra)
    if length is not None:
        lines += [f"Content-Length: {length}", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def chat_body(text="hello", **fields):
    body = {"model": settings.NOVA, "messages": [{"role": "user", "content": text}]} | fields
    return json.dumps(body).encode()


def chat_request(text="hello", extra=(), **fields):
    body = chat_body(text, **fields)
    return chat_head(extra, len(body)) + body


def aws_request_id(headers):
    """Bedrock's id of the request, under whichever of AWS's names."""
    names = re.compile(r"(amzn?|aws|bedrock).*request-?id", re.IGNORECASE)
    return next((value for name, value in headers.items() if names.search(name)), None)


class Events:
    """A server-sent event stream taken apart: data as text, comments, and whether every byte belonged to either."""

    def __init__(self, text):
        self.data, self.comments, self.names = [], [], []
        assert "\r" not in text.replace("\r\n", "\n"), "a lone carriage return in the stream"
        for block in text.replace("\r\n", "\n").split("\n\n"):
            data, name = [], None
            for line in block.split("\n"):
                field, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if line.startswith(":"):
                    self.comments.append(value)
                elif field == "data":
                    data.append(value)
                elif field == "event":
                    name = value
                else:
                    assert not line, f"neither data, event nor comment: {line!r}"
            if data:
                self.data.append("\n".join(data))
                self.names.append(name)

    @property
    def done(self):
        """Whether it ends as a whole stream does."""
        assert self.data.count("[DONE]") <= 1, "more than one [DONE]"
        assert "[DONE]" not in self.data[:-1], "something follows [DONE]"
        return bool(self.data) and self.data[-1] == "[DONE]"

    @property
    def chunks(self):
        """The chunks, without [DONE] and without errors."""
        parsed = [json.loads(data) for data in self.data if data != "[DONE]"]
        return [chunk for chunk in parsed if "error" not in chunk]

    @property
    def errors(self):
        parsed = [json.loads(data) for data in self.data if data != "[DONE]"]
        return [chunk for chunk in parsed if "error" in chunk]

"""HTTP that is wrong: what could be read in two ways is refused, what never ends is cut off."""

import socket
import time

import pytest

from support import settings, shapes
from support.wire import Closed, Connection, chat_body, chat_head, chat_request

BODY = chat_body("[[sim:text ok]]")
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


def is_refused(connection):
    """A 400-class answer or none, and then the end of the connection."""
    try:
        reply = connection.reply()
    except Closed:
        return
    assert 400 <= reply.status_code < 500 or reply.status_code == 501, f"{reply.status_code} {reply.text!r}"
    if reply.body:
        shapes.check_error(reply)
    assert connection.is_closed(), "the connection stays open after a request of unclear length"


@pytest.mark.parametrize(
    "headers",
    [
        [f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", f"Content-Length: {len(BODY)}"],
        ["Transfer-Encoding: chunked", "Content-Length: 0"],
        [f"Content-Length: {len(BODY)}", f"Content-Length: {len(BODY)}"],
        [f"Content-Length: {len(BODY)}", "Content-Length: 5"],
        [f"Content-Length: {len(BODY)}, {len(BODY)}"],
        [f"Content-Length: {len(BODY)}, 5"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding: chunked, chunked"],
        ["Transfer-Encoding: identity"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: xchunked"],
        [f"Content-Length: +{len(BODY)}"],
        ["Content-Length: -1"],
        ["Content-Length: 0x10"],
        ["Content-Length: 99999999999999999999999"],
        ["Content-Length:"],
        [f"Content-Length : {len(BODY)}"],
        ["Transfer-Encoding : chunked", f"Content-Length: {len(BODY)}"],
        [" Transfer-Encoding: chunked", f"Content-Length: {len(BODY)}"],
    ],
    ids=lambda headers: " + ".join(headers),
)
def test_ambiguous_lengths_are_refused_and_the_connection_closed(gateway, headers):
    with Connection(gateway.port) as connection:
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
        body = chunked if "Transfer-Encoding" in headers[0] else BODY
        connection.send(chat_head([*headers, "", ""]) + body + SMUGGLED)
        is_refused(connection)


def test_ambiguous_lengths_are_refused_without_a_key_too(gateway):
    with Connection(gateway.port) as connection:
        headers = [f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked", "", ""]
        connection.send(chat_head(headers, key=None) + BODY + SMUGGLED)
        is_refused(connection)


@pytest.mark.parametrize("other", ["localhost", "evil.example"])
def test_two_hosts_are_refused_and_the_connection_closed(gateway, other):
    """As RFC 9112 has it, also where they are the same."""
    with Connection(gateway.port) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: %s\r\n\r\n" % other.encode())
        reply = connection.reply()
        shapes.check_error(reply, 400, code="invalid_host")
        assert connection.is_closed()


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n\r\n\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad\x00Name: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nName: a\x00b\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 512,
        b"\x00" * 4096,
    ],
    ids=repr,
)
def test_what_is_not_http(gateway, raw):
    with Connection(gateway.port, timeout=5) as connection:
        connection.send(raw)
        try:
            assert 400 <= connection.reply().status_code < 600
        except (Closed, TimeoutError):
            pass
    assert gateway.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\nhello\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\nx",
        b"-1\r\nx\r\n0\r\n\r\n",
        b"5\r\nhelloXX0\r\n\r\n",
        b"5;" + b"x" * 100_000,
    ],
    ids=lambda chunks: repr(chunks[:20]),
)
def test_broken_chunks(gateway, chunks):
    with Connection(gateway.port) as connection:
        connection.send(chat_head(["Transfer-Encoding: chunked", "", ""]) + chunks)
        is_refused(connection)


def test_a_body_in_chunks_is_fine(gateway):
    with Connection(gateway.port) as connection:
        connection.send(chat_head(["Transfer-Encoding: chunked", "", ""]))
        for start in range(0, len(BODY), 7):
            piece = BODY[start : start + 7]
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")
        assert connection.reply().status_code == 200


def test_requests_in_a_row_on_one_connection(gateway):
    with Connection(gateway.port) as connection:
        connection.send(chat_request("[[sim:text one]]") + chat_request("[[sim:text two]]"))
        said = [connection.reply().json()["choices"][0]["message"]["content"] for _ in range(2)]
    assert said == ["one", "two"]


def test_expect_100_continue(gateway):
    with Connection(gateway.port) as connection:
        connection.send(chat_head(["Expect: 100-continue"], length=len(BODY)) + BODY)
        assert connection.reply().status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        chat_head(["X-Long: " + "x" * 2_000_000, "", ""]),
        chat_head([f"X-Header-{number}: x" for number in range(5000)] + ["", ""]),
        chat_head(path="/" + "x" * 2_000_000, extra=["", ""]),
    ],
    ids=["long header", "many headers", "long path"],
)
def test_endless_heads(gateway, head):
    with Connection(gateway.port) as connection:
        connection.send_in_background([head])
        try:
            assert 400 <= connection.reply().status_code < 500
        except Closed:
            pass
    assert gateway.get("/healthz").status_code == 200


def test_a_head_that_never_ends_in_bytes(gateway):
    def header():
        for number in range(200_000):
            yield f"X-{number}: {'y' * 100}\r\n".encode()

    with Connection(gateway.port) as connection:
        connection.send(chat_head() + b"\r\n")
        connection.send_in_background(header())
        try:
            assert 400 <= connection.reply().status_code < 500
        except Closed:
            pass


def drip(connection, data, seconds=20):
    """Sends a byte at a time until the server closes; False if it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for byte in data:
            if not connection.send(bytes([byte])):
                return True
            connection.socket.settimeout(0.05)
            try:
                if not connection.socket.recv(65536):
                    return True
            except ConnectionResetError:
                return True
            except TimeoutError:
                pass
            if time.monotonic() > deadline:
                break
    return False


@pytest.fixture
def strict(serve):
    return serve(env={settings.HEADER_TIMEOUT: "1s", settings.BODY_TIMEOUT: "1s"})


@pytest.mark.parametrize("sent", [b"P", b"POST /v1/chat", chat_head()[:-10], chat_head() + b"\r\nX-Half: "], ids=repr)
def test_half_a_head(strict, sent):
    with Connection(strict.port, timeout=20) as connection:
        connection.send(sent)
        try:
            assert connection.reply().status_code in (400, 408)
        except Closed:
            pass
        assert connection.is_closed()


def test_a_connection_without_a_request_ends(serve):
    gateway = serve(env={settings.IDLE_TIMEOUT: "1s"})
    with Connection(gateway.port, timeout=20) as unused, Connection(gateway.port, timeout=20) as kept:
        kept.send(chat_request("[[sim:text ok]]"))
        assert "ok" in kept.reply().text
        assert kept.is_closed()
        try:
            assert unused.reply().status_code == 408
        except Closed:
            pass


def test_an_answer_may_take_longer_than_a_connection_without_one(serve):
    gateway = serve(env={settings.IDLE_TIMEOUT: "100ms"})
    with Connection(gateway.port, timeout=20) as connection:
        connection.send(chat_request("[[sim:tokens 20]] [[sim:pace 50ms]]"))
        assert connection.reply().status_code == 200


def test_a_head_byte_by_byte(strict):
    with Connection(strict.port) as connection:
        connection.send(chat_head() + b"\r\nX-Slow: ")
        assert drip(connection, b"x" * 1000), "a head may take for ever"


def test_a_body_that_stops(strict):
    with Connection(strict.port, timeout=20) as connection:
        connection.send(chat_head(length=1000) + b'{"model":')
        try:
            shapes.check_error(connection.reply(), (400, 408))
        except Closed:
            pass
        assert connection.is_closed()


def test_slow_senders_do_not_keep_others_waiting(strict):
    held = [Connection(strict.port) for _ in range(200)]
    try:
        for connection in held:
            connection.send(b"POST /v1/chat/completions HTTP/1.1\r\n")
        assert strict.chat("[[sim:text ok]]").status_code == 200
    finally:
        for connection in held:
            connection.close()


def test_time_limits_are_for_heads_and_not_for_answers(strict):
    assert strict.chat("[[sim:delay 2s]] [[sim:text ok]]").status_code == 200


def test_a_half_closed_connection_still_gets_its_answer_or_is_cancelled(gateway):
    """Some clients shut their sending side down after the request; either way nothing is left hanging."""
    with Connection(gateway.port) as connection:
        connection.send(chat_request("[[sim:text ok]]"))
        connection.socket.shutdown(socket.SHUT_WR)
        try:
            assert connection.reply().status_code == 200
        except Closed:
            pass

"""SIGTERM: what is under way ends well, and then the gateway does."""

import signal
import socket

import pytest

from support import settings, shapes
from support.fetched import Site
from support.process import poll
from support.wire import Connection, Events, chat_request


def begin(gateway, prompt):
    """An open stream whose first bytes have come."""
    connection = Connection(gateway.port, timeout=30)
    connection.send(chat_request(prompt, stream=True))
    reply = connection.head()
    assert reply.status_code == 200
    pieces = connection.pieces(reply)
    reply.body += next(pieces)
    return connection, reply, pieces


def finish(reply, pieces):
    for piece in pieces:
        reply.body += piece
    return Events(reply.text)


def refuses_connections(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return False
    except OSError:
        return True


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_an_idle_gateway_ends_at_once(serve, sent):
    gateway = serve()
    gateway.chat("[[sim:text ok]]")
    gateway.handle.send_signal(sent)
    assert gateway.wait(10) == 0, gateway.report()


def test_a_stream_ends_whole(serve):
    gateway = serve(env={settings.SHUTDOWN_TIMEOUT: "30s"})
    prompt = "[[sim:pace 200ms]] [[sim:text one two three four five six seven eight]]"
    connection, reply, pieces = begin(gateway, prompt)
    with connection:
        gateway.terminate()
        poll(lambda: refuses_connections(gateway.port), "no new connections are taken")
        events = finish(reply, pieces)
    assert events.done
    assert shapes.check_stream(events.chunks) == ["one two three four five six seven eight"]
    assert gateway.wait() == 0, gateway.report()


def test_what_is_left_at_the_limit_gets_a_proper_error(serve):
    gateway = serve(env={settings.SHUTDOWN_TIMEOUT: "1s"})
    connection, reply, pieces = begin(gateway, "[[sim:tokens 100000]] [[sim:pace 50ms]]")
    with connection:
        gateway.terminate()
        events = finish(reply, pieces)
    assert len(events.errors) == 1 and not events.done, events.data[-3:]
    assert "error" in events.data[-1], "the error comes last"
    shapes.check_error_body(events.errors[0])
    assert gateway.wait() == 0, gateway.report()


def test_a_whole_answer_under_way_arrives(serve):
    gateway = serve(env={settings.SHUTDOWN_TIMEOUT: "30s"})
    with Connection(gateway.port, timeout=30) as connection:
        connection.send(chat_request("[[sim:delay 2s]] [[sim:text ok]]"))
        with Connection(gateway.port) as probe:
            # An answer on a second connection says that the first one's request has been read, or nearly so.
            probe.send(chat_request("[[sim:text ok]]"))
            assert probe.reply().status_code == 200
        gateway.terminate()
        assert connection.reply().status_code == 200
    assert gateway.wait() == 0, gateway.report()


def test_idle_connections_do_not_hold_it_up(serve):
    gateway = serve(env={settings.SHUTDOWN_TIMEOUT: "60s"})
    with Connection(gateway.port) as kept, Connection(gateway.port):
        kept.send(chat_request("[[sim:text ok]]"))
        assert kept.reply().status_code == 200
        gateway.terminate()
        assert gateway.wait(20) == 0, gateway.report()


def test_shutting_down_cancels_the_calls_upstream(stacked):
    stack = stacked(env={settings.SHUTDOWN_TIMEOUT: "500ms"})
    connection, reply, pieces = begin(stack.gateway, "[[sim:tokens 100000]] [[sim:pace 50ms]]")
    with connection:
        stack.gateway.terminate()
        finish(reply, pieces)
        assert stack.gateway.wait() == 0, stack.gateway.report()
    poll(lambda: stack.simulator.active() == 0, "no call upstream is left")


def test_a_request_that_waits_for_a_url_gets_a_proper_error(serve):
    environment = {settings.SHUTDOWN_TIMEOUT: "500ms", "OUTCROP_FETCH_PRIVATE_NETWORKS": "127.0.0.0/8"}
    gateway = serve(env=environment)
    with Site() as site, Connection(gateway.port, timeout=30) as connection:
        connection.send(chat_request([{"type": "image_url", "image_url": {"url": site.url("/never")}}], stream=True))
        poll(lambda: site.paths, "the URL is asked for")
        gateway.terminate()
        reply = connection.reply()
        shapes.check_error(reply, 503, code="shutting_down")
        assert gateway.wait() == 0, gateway.report()
        assert gateway.record(reply)["status"] == 503

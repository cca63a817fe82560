"""SIGTERM: what is under way ends well, and then the gateway does."""

import concurrent.futures
import signal
import socket

import pytest

from support import settings, shapes
from support.fetched import Site
from support.front import WEST, route, table
from support.process import Process, poll, run
from support.wire import Connection, Events, chat_request

LONG = "[[sim:tokens 100000]] [[sim:pace 50ms]]"
WORDS = "one two three four five six seven eight"


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


def said(gateway, text):
    return [line for line in gateway.stderr if text in line]


def probe(gateway, path):
    return gateway.get(path, headers={"authorization": None})


def stopping(gateway):
    """The answer of one that isn't ready any more."""
    reply = probe(gateway, "/readyz")
    return reply if reply.status_code == 503 else None


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


def test_a_second_signal_ends_it_at_once_and_says_so(serve):
    gateway = serve(env={settings.SHUTDOWN_TIMEOUT: "10m", settings.SHUTDOWN_DELAY: "10m"})
    connection, _, _ = begin(gateway, LONG)
    with connection:
        gateway.terminate()
        poll(lambda: said(gateway, "a second signal ends it at once"), "it tells of the second signal")
        gateway.terminate()
        assert gateway.wait(20) == 0, gateway.report()
    assert said(gateway, "ended by a second signal"), gateway.report()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_one_that_is_still_starting_ends_at_once(sent):
    """Its database takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as database:
        port = database.getsockname()[1]
        env = {settings.API_KEYS: settings.KEY, "OUTCROP_DATABASE": f"postgres://outcrop@127.0.0.1:{port}/outcrop"}
        with Process("serve", "--listen", "127.0.0.1:0", env=env | {"OUTCROP_LOG": "info"}) as gateway:
            connection, _ = database.accept()
            with connection:
                connection.recv(1)
                gateway.handle.send_signal(sent)
                assert gateway.wait(10) == 0, gateway.report()
            assert not gateway.stdout


class TestDelay:
    """Between the signal and the end of the port, requests are taken, and balancers are told."""

    def test_it_is_alive_and_not_ready_and_takes_requests(self, serve):
        gateway = serve(env={settings.SHUTDOWN_TIMEOUT: "60s", settings.SHUTDOWN_DELAY: "3s"})
        assert probe(gateway, "/readyz").status_code == 200
        gateway.terminate()
        unready = poll(lambda: stopping(gateway), "`/readyz` says that it stops")
        assert unready.json()["status"] == "stopping"
        assert probe(gateway, "/healthz").status_code == 200
        assert gateway.chat("[[sim:text ok]]").json()["choices"][0]["message"]["content"] == "ok"
        events = Events(gateway.chat("[[sim:text ok]]", body={"stream": True}).text)
        assert events.done
        assert gateway.wait() == 0, gateway.report()

    def test_kept_connections_end_after_an_answer(self, serve):
        gateway = serve(env={settings.SHUTDOWN_TIMEOUT: "60s", settings.SHUTDOWN_DELAY: "10m"})
        for body in ({}, {"stream": True}):
            with Connection(gateway.port) as before:
                before.send(chat_request("[[sim:text ok]]", **body))
                assert "close" not in before.reply().headers.get("connection", "")
        with Connection(gateway.port) as whole, Connection(gateway.port) as streamed, Connection(gateway.port) as idle:
            for one in (whole, streamed, idle):
                one.send(chat_request("[[sim:text ok]]"))
                one.reply()
            gateway.terminate()
            poll(lambda: stopping(gateway), "`/readyz` says that it stops")
            for one, body in ((whole, {}), (streamed, {"stream": True})):
                assert one.send(chat_request("[[sim:text ok]]", **body)), "it was closed too early"
                reply = one.reply()
                assert reply.status_code == 200 and reply.headers["connection"] == "close"
                assert one.is_closed()
            idle.send(chat_request("[[sim:text still]]"))
            assert "still" in idle.reply().text, "those that are idle are of use to the end of the delay"
            gateway.terminate()
        gateway.wait(20)

    def test_is_none_of_commands(self):
        """The gateway that a command starts for itself ends with it."""
        env = {settings.SHUTDOWN_DELAY: "10m", "OUTCROP_SIMULATE": "true"}
        done = run("chat", "[[sim:text ok]]", env=env, timeout=30)
        assert (done.returncode, done.stdout.strip()) == (0, "ok"), done.stderr

    def test_the_limit_of_streams_begins_after_it(self, serve):
        gateway = serve(env={settings.SHUTDOWN_TIMEOUT: "30s", settings.SHUTDOWN_DELAY: "1s"})
        connection, reply, pieces = begin(gateway, f"[[sim:pace 300ms]] [[sim:text {WORDS}]]")
        with connection:
            gateway.terminate()
            poll(lambda: refuses_connections(gateway.port), "no new connections are taken")
            events = finish(reply, pieces)
        assert events.done and shapes.check_stream(events.chunks) == [WORDS]
        assert gateway.wait() == 0, gateway.report()

    def test_what_came_before_the_end_of_the_port_is_answered(self, serve):
        """Clients that open a connection for each request, of which none may be reset, until one is refused."""
        gateway = serve(env={settings.SHUTDOWN_TIMEOUT: "60s", settings.SHUTDOWN_DELAY: "500ms"})
        answers = []

        def ask():
            while True:
                try:
                    connection = Connection(gateway.port, timeout=30)
                except OSError:
                    return
                with connection:
                    answers.append((connection.send(chat_request("[[sim:text ok]]")) and connection.reply()).status_code)

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            asking = [pool.submit(ask) for _ in range(6)]
            poll(lambda: len(answers) > 20, "some answers")
            gateway.terminate()
            for one in asking:
                one.result(60)
        assert set(answers) == {200}
        assert gateway.wait() == 0, gateway.report()


def test_a_stream_ends_whole(serve):
    gateway = serve(env={settings.SHUTDOWN_TIMEOUT: "30s"})
    connection, reply, pieces = begin(gateway, f"[[sim:pace 200ms]] [[sim:text {WORDS}]]")
    with connection:
        gateway.terminate()
        poll(lambda: refuses_connections(gateway.port), "no new connections are taken")
        events = finish(reply, pieces)
    assert events.done
    assert shapes.check_stream(events.chunks) == [WORDS]
    assert gateway.wait() == 0, gateway.report()


def test_what_is_left_at_the_limit_gets_a_proper_error(serve):
    gateway = serve(env={settings.SHUTDOWN_TIMEOUT: "1s"})
    connection, reply, pieces = begin(gateway, LONG)
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
    connection, reply, pieces = begin(stack.gateway, LONG)
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


class TestQueue:
    """A request that waits for its quota, and has not been sent."""

    TEXT = route(targets=[WEST]) + table("quotas", model=settings.NOVA, tokens_per_minute=10_000)
    LARGE = {"max_tokens": 9_000}
    PATIENT = ("--admission", "--queue-timeout", "10m")

    def start(self, fronted, timeout):
        return fronted(self.TEXT, *self.PATIENT, "--shutdown-timeout", timeout)

    @staticmethod
    def waiting(front, **body):
        """A request that is on its way, behind another one that was answered by the same gateway."""
        connection = Connection(front.gateway.port, timeout=60)
        connection.send(chat_request("[[sim:text ok]]", model="chat", **TestQueue.LARGE, **body))
        assert front.chat(**TestQueue.LARGE, headers={"x-outcrop-timeout": "0.5"}).status_code in (429, 504)
        return connection

    def test_it_is_sent_once_there_is_room(self, fronted):
        front = self.start(fronted, "60s")
        with front.streaming("[[sim:pace 50ms]] [[sim:tokens 60]]", **self.LARGE) as open_one:
            with self.waiting(front) as connection:
                front.gateway.terminate()
                poll(lambda: refuses_connections(front.gateway.port), "no new connections are taken")
                assert Events(open_one.rest()).done
                reply = connection.reply()
                assert reply.status_code == 200 and reply.headers["connection"] == "close"
        assert front.gateway.wait() == 0, front.gateway.report()

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
    def test_without_room_it_is_told_to_try_elsewhere(self, fronted, stream):
        front = self.start(fronted, "1s")
        with front.streaming("[[sim:pace 1s]] [[sim:tokens 600]]", **self.LARGE):
            with self.waiting(front, stream=stream) as connection:
                front.gateway.terminate()
                reply = connection.reply()
        shapes.check_error(reply, 503, code="shutting_down")
        assert front.gateway.wait() == 0, front.gateway.report()
        assert len(front.requests("[[sim:pace 1s]]")) == front.total == 1, "it was never sent"

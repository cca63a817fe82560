"""A web server on loopback with pictures, and with all that a fetcher of pictures has to survive."""

import http.server
import threading
import urllib.parse

from . import media

PATIENCE = 10


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        site = self.server.site
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        with site.lock:
            site.hits.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            site.inside += 1
            site.most = max(site.most, site.inside)
        self.is_inside = True
        try:
            getattr(self, "at_" + url.path.strip("/").split("/")[0].replace(".", "_"), self.at_nothing)(query)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            self.leave()

    def leave(self):
        """Counts as gone from before the last byte on: whoever has it may come again before this thread goes on."""
        with self.server.site.lock:
            self.server.site.inside -= self.is_inside
            self.is_inside = False

    def answer(self, data, media_type="image/png", status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.leave()
        self.wfile.write(data)

    def at_image(self, query):
        data = media.IMAGES[query.get("kind", "png")]
        self.answer(data, query.get("label", "image/png"))

    def at_pdf(self, query):
        self.answer(media.PDF, "application/pdf")

    def at_page(self, query):
        self.answer(b"<!doctype html><p>No picture.</p>", query.get("label", "text/html"))

    def at_status(self, query):
        self.answer(media.png(), status=int(query["code"]))

    def at_to(self, query):
        self.answer(b"", status=int(query.get("code", "302")), Location=query["url"])

    def at_hops(self, query):
        left = int(query["left"])
        self.answer(b"", status=302, Location=f"/hops?left={left - 1}" if left > 1 else "/image")

    def at_loop(self, query):
        self.answer(b"", status=302, Location="/loop")

    def at_large(self, query):
        """As large as said, its length told before."""
        self.answer(media.png(padding=int(query["bytes"])))

    def at_endless(self, query):
        """Without a length, until the other side has had enough."""
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(media.png())
        for _ in range(4096):
            self.wfile.write(bytes(65536))

    def at_bomb(self, query):
        import gzip

        self.answer(gzip.compress(media.png() + bytes(64 * 1024 * 1024)), **{"Content-Encoding": "gzip"})

    def at_never(self, query):
        """Waits until the test is over."""
        self.server.site.over.wait(PATIENCE * 3)
        self.close_connection = True

    def at_trickle(self, query):
        """A byte now and then, without end."""
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while not self.server.site.over.wait(0.2):
            self.wfile.write(b"\x89")

    def at_together(self, query):
        """Answers once so many requests are here at the same time."""
        self.server.site.meeting(int(query["of"])).wait(PATIENCE)
        self.answer(media.png())

    def at_nothing(self, query):
        self.answer(b"Not here.", "text/plain", 404)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass


class Site:
    def __init__(self):
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.hits, self.inside, self.most, self.barriers = [], 0, 0, {}
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.site = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def meeting(self, of):
        with self.lock:
            return self.barriers.setdefault(of, threading.Barrier(of))

    def url(self, path="/image", host="127.0.0.1", scheme="http"):
        return f"{scheme}://{host}:{self.port}{path}"

    @property
    def paths(self):
        with self.lock:
            return [path for path, _ in self.hits]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

"""Who a gateway in a container speaks to: a name server that knows one name, and an AWS behind TLS.

`python neighbours.py CERTIFICATE KEY` serves both at 127.0.0.1, ports 53 and 443, and prints a line for each request.
"""

import http.server
import json
import socketserver
import ssl
import struct
import sys
import threading

NAME = "bedrock.outcrop.test"
CREDENTIALS = {
    "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
    "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "Token": "a token",
    "Expiration": "2099-01-01T00:00:00Z",
}


class Names(socketserver.BaseRequestHandler):
    """Answers questions for addresses of one name; of others it says that there are none."""

    def handle(self):
        question, socket = self.request
        number, end = question[:2], 12
        labels = []
        while question[end]:
            labels.append(question[end + 1 : end + 1 + question[end]].decode())
            end += 1 + question[end]
        kind = struct.unpack(">H", question[end + 1 : end + 3])[0]
        asked = question[12 : end + 5]
        known = ".".join(labels).lower() == NAME
        address = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])
        answers = [address] if known and kind == 1 else []
        head = struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, len(answers), 0, 0)
        socket.sendto(number + head + asked + b"".join(answers), self.client_address)


class Aws(http.server.BaseHTTPRequestHandler):
    """The credentials of a container, and CountTokens."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(CREDENTIALS)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer({"inputTokens": 4711})

    def answer(self, value):
        print(self.command, self.path, flush=True)
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    aws = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Aws)
    aws.socket = context.wrap_socket(aws.socket, server_side=True)
    threading.Thread(target=aws.serve_forever, daemon=True).start()
    names = socketserver.UDPServer(("127.0.0.1", 53), Names)
    print("ready", flush=True)
    names.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A member: answers UDP, SCTP and TCP on one port with its name, and HTTP on 8080; or a client of SCTP.

    member.py serve NAME PORT STATUS    until it is killed
    member.py sctp ADDRESS PORT         prints what answers, nothing if nobody does
"""

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IPPROTO_SCTP = 132


class DualStack(ThreadingHTTPServer):
    address_family = socket.AF_INET6


def datagrams(name, port):
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind(("::", port))
    while True:
        data, address = server.recvfrom(2048)
        server.sendto(name + b" " + data, address)


def streams(name, port, protocol):
    server = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, protocol)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("::", port))
    server.listen(64)
    while True:
        connection, _ = server.accept()
        threading.Thread(target=answer, args=(name, connection), daemon=True).start()


def answer(name, connection):
    with connection:
        try:
            if connection.recv(64):
                connection.send(name)
        except OSError:
            pass


def serve(name, port, status):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            right = self.path == "/health?a=$b" or "%24" in self.path
            named = self.headers.get("Host", "").startswith("www.example.com")
            self.send_response(status if right and named else 500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    for task in (
        lambda: datagrams(name, port),
        lambda: streams(name, port, IPPROTO_SCTP),
        lambda: streams(name, port, 0),
    ):
        threading.Thread(target=task, daemon=True).start()
    DualStack(("::", 8080), Handler).serve_forever()


def ask_sctp(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    client = socket.socket(family, socket.SOCK_STREAM, IPPROTO_SCTP)
    client.settimeout(3)
    try:
        client.connect((address, port))
        client.send(b"hello")
        print(client.recv(64).decode())
    except OSError as error:
        print(error, file=sys.stderr)


if sys.argv[1] == "serve":
    serve(sys.argv[2].encode(), int(sys.argv[3]), int(sys.argv[4]))
else:
    ask_sctp(sys.argv[2], int(sys.argv[3]))

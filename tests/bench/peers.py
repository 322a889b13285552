"""What a user would pick instead of Keylane to call a function, each as its users run it.

Every peer has `call(event)`, which returns the function's answer, and `close()`. None but the first two
keeps functions apart in any way, and none filters what a function may do.
"""

import http.client
import http.server
import json
import multiprocessing
import socket
import struct
import threading
from concurrent.futures import ProcessPoolExecutor

FORK = multiprocessing.get_context("fork")


def noop(event):
    """The function that does nothing."""
    return event


class ThreadPerCall:
    """A thread started and joined for each function: the reference's scheme for sequences."""

    name = "thread started and joined (the reference's sequences)"

    def __init__(self, function):
        self.function = function

    def call(self, event):
        answer = []
        thread = threading.Thread(target=lambda: answer.append(self.function(event)))
        thread.start()
        thread.join()
        return answer[0]

    def close(self):
        pass


class ForkPerCall:
    """A process with a pipe, forked and joined for each function: the reference's branches."""

    name = "process with a pipe (the reference's branches)"

    def __init__(self, function):
        self.function = function

    def child(self, event, pipe):
        pipe.send(self.function(event))

    def call(self, event):
        here, there = FORK.Pipe(duplex=False)
        process = FORK.Process(target=self.child, args=(event, there))
        process.start()
        there.close()
        # The reference joins first, and hangs where an answer is larger than the pipe.
        answer = here.recv()
        here.close()
        process.join()
        process.close()
        return answer

    def close(self):
        pass


class Pool:
    """concurrent.futures.ProcessPoolExecutor with one worker."""

    name = "ProcessPoolExecutor"

    def __init__(self, function):
        self.function = function
        self.pool = ProcessPoolExecutor(1, mp_context=FORK)

    def call(self, event):
        return self.pool.submit(self.function, event).result()

    def close(self):
        self.pool.shutdown()


def serve_socket(function, listener):
    connection, _ = listener.accept()
    while (body := receive(connection)) is not None:
        send(connection, json.dumps(function(json.loads(body))).encode())


def send(connection, body):
    connection.sendall(struct.pack("<Q", len(body)) + body)


def receive_exactly(connection, count):
    body = bytearray(count)
    view, got = memoryview(body), 0
    while got < count:
        part = connection.recv_into(view[got:])
        if part == 0:
            return None
        got += part
    return bytes(body)


def receive(connection):
    head = receive_exactly(connection, 8)
    return None if head is None else receive_exactly(connection, struct.unpack("<Q", head)[0])


class UnixServer:
    """A server process on a unix socket, JSON with its length before it, one connection kept."""

    name = "unix socket server, JSON"

    def __init__(self, function):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(b"")  # An abstract name of the kernel's choice.
        listener.listen(1)
        self.process = FORK.Process(target=serve_socket, args=(function, listener), daemon=True)
        self.process.start()
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(listener.getsockname())
        listener.close()

    def call(self, event):
        send(self.connection, json.dumps(event).encode())
        return json.loads(receive(self.connection))

    def close(self):
        self.connection.close()
        self.process.join(5)


def serve_http(function, listener):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = json.dumps(function(json.loads(body))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.serve_forever()


class HttpServer:
    """http.server in another process, one connection kept open (HTTP/1.1)."""

    name = "HTTP server, JSON"

    def __init__(self, function):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        self.process = FORK.Process(target=serve_http, args=(function, listener), daemon=True)
        self.process.start()
        self.connection = http.client.HTTPConnection(*listener.getsockname())
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.close()

    def call(self, event):
        self.connection.request("POST", "/", json.dumps(event).encode())
        return json.loads(self.connection.getresponse().read())

    def close(self):
        self.connection.close()
        self.process.terminate()
        self.process.join()


ALL = [ThreadPerCall, ForkPerCall, Pool, UnixServer, HttpServer]

#!/usr/bin/env python3
"""Drives every endpoint of the interop server over real connections.

    interop_test.py PROGRAM [unittest options]

PROGRAM is started with --port=0 and prints `listening PORT` once it serves. Standard library only.
"""

import concurrent.futures
import contextlib
import gzip
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from urllib.parse import quote, urlencode

PROGRAM = ""
TIMEOUT = 60


class Server:
    """A process under test."""

    def __init__(self, *options):
        # AddressSanitizer would keep what is freed, up to 256 MB of it, and a test measures memory.
        sanitizer = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=4"]))
        self.process = subprocess.Popen([PROGRAM, "--port=0", "--log-level=error", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=dict(os.environ, ASAN_OPTIONS=sanitizer))
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening (\d+)\n", line)
        if not found:
            self.process.wait(TIMEOUT)
            raise AssertionError(f"{PROGRAM} said {line!r}, then {self.process.stderr.read()!r}")
        self.port = int(found[1])

    def stop(self):
        """Sends SIGTERM; returns the exit code and what stands on stderr."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, errors

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)

    def raw(self, request):
        """Sends bytes and returns all that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), TIMEOUT) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))


def memory_of(pid, field):
    """In bytes: `VmRSS` is the resident memory, `VmHWM` its peak."""
    return int(re.search(rf"^{field}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1]) * 1024


class EndpointCase(unittest.TestCase):
    """One server for the whole class; it must drain and exit with 0 and a quiet stderr."""

    OPTIONS = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.OPTIONS)

    @classmethod
    def tearDownClass(cls):
        code, errors = cls.server.stop()
        assert (code, errors) == (0, ""), (code, errors)

    def ask(self, method, path, body=None, headers={}):
        """One request on a connection of its own; the answer with its body as `.body`."""
        connection = self.server.connect()
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.body = answer.read()
            return answer

    def get(self, path, **headers):
        answer = self.ask("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        self.assertEqual(answer.status, 200, answer.body)
        return answer


class Endpoints(EndpointCase):
    def test_root(self):
        answer = self.get("/")
        self.assertEqual(answer.body, b"OK")
        self.assertRegex(answer.headers["Content-Type"], "^text/plain")
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = self.ask(method, "/", b"body of " + method.encode())
            self.assertEqual((answer.status, answer.body), (200, b"body of " + method.encode()))
            self.assertRegex(answer.headers["Content-Type"], "^text/plain")

    def test_head_and_options(self):
        for path, length in (("/", "2"), ("/plaintext", "13")):
            answer = self.ask("HEAD", path)
            self.assertEqual((answer.status, answer.body), (200, b""))
            self.assertEqual(answer.headers["Content-Length"], length)
        for path, methods in (("/", "DELETE GET HEAD OPTIONS PATCH POST PUT"), ("/plaintext", "GET HEAD OPTIONS")):
            answer = self.ask("OPTIONS", path)
            self.assertEqual((answer.status, answer.body), (204, b""))
            self.assertEqual(sorted(answer.headers["Allow"].split(", ")), methods.split())
            self.assertIsNone(answer.headers["Content-Length"])

    def test_plaintext(self):
        answer = self.get("/plaintext")
        self.assertEqual(answer.body, b"Hello, World!")
        self.assertEqual(answer.headers["Content-Type"], "text/plain; charset=utf-8")
        self.assertIsNotNone(answer.headers["Date"])
        refused = self.ask("POST", "/plaintext", b"x")
        self.assertEqual(refused.status, 405)
        self.assertEqual(sorted(refused.headers["Allow"].split(", ")), ["GET", "HEAD", "OPTIONS"])

    def test_websockets_of_any_origin(self):
        with socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT) as connection:
            connection.sendall(b"GET /ws/echo HTTP/1.1\r\nHost: h\r\nOrigin: https://elsewhere.example\r\nUpgrade: websocket\r\n"
                               b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                               b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
            head = connection.recv(65536)
            self.assertRegex(head, rb"^HTTP/1.1 101 ")
            self.assertIn(b"\r\nSec-WebSocket-Extensions: permessage-deflate", head)
            connection.sendall(b"\x88\x80mask")
            self.assertEqual(connection.recv(65536)[:1], b"\x88")

    def test_unknown_path(self):
        self.assertEqual(self.ask("GET", "/nothing").status, 404)

    def test_headers(self):
        answer = self.server.raw(b"GET /headers HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-b: 2\r\nX-a: 3\r\n"
                                 b"Connection: close\r\n\r\n")
        fields = json.loads(answer.split(b"\r\n\r\n", 1)[1])
        self.assertEqual(fields, {"host": ["h"], "x-a": ["1", "3"], "x-b": ["2"], "connection": ["close"]})
        self.assertEqual(list(fields), ["host", "x-a", "x-b", "connection"])

    def test_sleep(self):
        begin = time.monotonic()
        self.assertEqual(self.get("/sleep?ms=60").body, b"slept")
        self.assertGreaterEqual(time.monotonic() - begin, 0.060)  # a sleep never ends early
        for query in ("", "?ms=", "?ms=soon", "?ms=-1"):
            self.assertEqual(self.ask("GET", "/sleep" + query).status, 400, query)

    def test_cookie(self):
        answer = self.get("/cookie?" + urlencode({"name": "a", "value": "1/2"}), Cookie="b=2; c=\"x\"; b=3")
        self.assertEqual(json.loads(answer.body), {"b": "3", "c": "x"})
        cookie = answer.headers["Set-Cookie"]
        self.assertTrue(cookie.startswith("a="), cookie)
        self.assertIn("; Path=/", cookie)
        self.assertIn("; HttpOnly", cookie)
        self.assertIsNone(self.get("/cookie").headers["Set-Cookie"])
        self.assertEqual(self.ask("GET", "/cookie?name=a%0Db&value=c").status, 400)

    def test_redirect(self):
        answer = self.ask("GET", "/redirect")
        self.assertEqual((answer.status, answer.headers["Location"]), (302, "/plaintext"))
        answer = self.ask("GET", "/redirect?to=/a%3Fb&code=308")
        self.assertEqual((answer.status, answer.headers["Location"]), (308, "/a?b"))
        for query in ("to=/a%0D%0AX-Evil:%201", "code=200", "code=x"):
            answer = self.ask("GET", "/redirect?" + query)
            self.assertEqual(answer.status, 400, query)
            self.assertIsNone(answer.headers["X-Evil"])

    def test_query(self):
        answer = json.loads(self.get("/query?a=1&b=%C3%A9+x&a=2&c").body)
        self.assertEqual(answer, {"path": "/query", "args": {"a": ["1", "2"], "b": ["é x"], "c": [""]}})
        answer = json.loads(self.get("/query/a+b/" + quote("ü/é", safe="")).body)
        self.assertEqual(answer, {"path": "/query/a+b/ü/é", "args": {}})

    def test_probes(self):
        for method in ("GET", "POST", "PUT"):
            answer = self.ask(method, "/probe/echo", headers={"X-Two": "b", "x-one": "A"})
            self.assertIn("X-Two: b\nx-one: A\n", answer.body.decode())
        answer = self.get("/probe/cookie", Cookie="one=1; two=b=c; three=")
        self.assertEqual(answer.body, b"one=1\ntwo=b=c\nthree=\n")


class Static(EndpointCase):
    """Files, over sockets and so by sendfile; the tests in C++ say more."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="coronado-static-")
        cls.root = Path(cls.folder.name) / "root"
        (cls.root / "docs").mkdir(parents=True)
        (Path(cls.folder.name) / "root_foo.txt").write_text("outside")
        (cls.root / "out.txt").symlink_to("../root_foo.txt")
        (cls.root / "docs/index.html").write_text("docs")
        (cls.root / "robots.txt").write_text("User-agent: *\nDisallow: /\n")
        cls.large = bytes(i * 7 % 251 for i in range(3_000_001))
        (cls.root / "large.bin").write_bytes(cls.large)
        (cls.root / "large.bin.gz").write_bytes(gzip.compress(cls.large))
        cls.OPTIONS = (f"--static={cls.root}", f"--reactor={cls.REACTOR}")
        super().setUpClass()

    REACTOR = "epoll"

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.folder.cleanup()

    def test_files(self):
        for _ in range(2):
            answer = self.ask("GET", "/static/robots.txt")
            self.assertEqual((answer.status, len(answer.body), answer.headers["Content-Type"]), (200, 26, "text/plain"))
            again = self.ask("GET", "/static/robots.txt", headers={"If-None-Match": answer.headers["ETag"]})
            self.assertEqual((again.status, again.body), (304, b""))
            part = self.ask("GET", "/static/robots.txt", headers={"Range": "bytes=-4"})
            self.assertEqual((part.status, part.body, part.headers["Content-Range"]), (206, b": /\n", "bytes 22-25/26"))
            self.assertEqual(self.ask("GET", "/static/large.bin").body, self.large)
            self.assertEqual(self.ask("GET", "/static/large.bin", headers={"Range": "bytes=5-2999999"}).body,
                             self.large[5:3_000_000])
            packed = self.ask("GET", "/static/large.bin", headers={"Accept-Encoding": "br, gzip"})
            self.assertEqual((packed.headers["Content-Encoding"], gzip.decompress(packed.body) == self.large), ("gzip", True))
            self.assertEqual(self.ask("GET", "/static/docs").headers["Location"], "/static/docs/")
            self.assertEqual(self.ask("GET", "/static/docs/").body, b"docs")

    def test_nothing_outside(self):
        for path in ("/static/../root_foo.txt", "/static/%2e%2e/root_foo.txt", "/static/..%2froot_foo.txt", "/static/out.txt",
                     "/static//etc/passwd", "/static/%2fetc/passwd", "/static/docs/../../root_foo.txt"):
            answer = self.ask("GET", path)
            self.assertEqual((answer.status, b"outside" in answer.body, b"root" in answer.body), (403, False, False), path)
        self.assertEqual(self.ask("GET", "/static/%252e%252e/root_foo.txt").status, 404)

    def test_many_at_once_and_a_slow_one(self):
        with socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT) as slow:
            slow.sendall(b"GET /static/large.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                bodies = list(pool.map(lambda _: self.ask("GET", "/static/large.bin").body, range(16)))
            self.assertTrue(all(body == self.large for body in bodies))
            whole = b"".join(iter(lambda: slow.recv(65536), b""))
            self.assertEqual(whole.partition(b"\r\n\r\n")[2], self.large)


class StaticUring(Static):
    REACTOR = "uring"


class JSON(EndpointCase):
    def test_values_come_back(self):
        for value in (None, True, 0, -1, 2**63, 1.5, "", "é\u2028\ud83d\ude00\u0000".encode("utf-16", "surrogatepass")
                      .decode("utf-16"), [], {}, [1, [2, {"a": [None]}]], {"": 1, "a": {"b": [1, 2.5e-3]}}):
            answer = self.ask("POST", "/json", json.dumps(value, ensure_ascii=False).encode())
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(json.loads(answer.body), value)
            self.assertEqual(answer.headers["Content-Type"], "application/json")

    def test_anything_else_is_refused_with_a_reason(self):
        for text, reason in ((b"", "line 1, column 1"), (b"{", "line 1"), (b'{"a":1,}', "column 8"),
                             (b"[1,\n2,,3]", "line 2, column 3"), (b"01", "column"), (b"NaN", "column"),
                             (b"'a'", "column"), (b"1 2", "column 3"), (b'"\xff"', "column"),
                             (b'"\\ud800"', "column"), (b"\xef\xbb\xbf1", "column 1"), (b"[" * 100000, "column")):
            answer = self.ask("POST", "/json", text)
            self.assertEqual(answer.status, 400, text[:40])
            self.assertIn(reason, answer.body.decode(), text[:40])


class Bodies(EndpointCase):
    OPTIONS = ("--max-body-size=8000000",)

    def echo_chunked(self, pieces):
        """Sends a chunked body while another thread of control reads the answer."""
        connection = self.server.connect()
        with contextlib.closing(connection):
            connection.connect()
            connection.putrequest("POST", "/echo")
            connection.putheader("Content-Type", "application/x-numbers")
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders()

            def upload():
                for piece in pieces:
                    connection.sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                connection.sock.sendall(b"0\r\n\r\n")

            sender = threading.Thread(target=upload)
            sender.start()
            answer = connection.getresponse()
            body = answer.read()
            sender.join(TIMEOUT)
            self.assertFalse(sender.is_alive())
            self.assertEqual(answer.headers["Content-Type"], "application/x-numbers")
            return body

    def test_echo_of_five_megabytes_in_chunks(self):
        pieces = [bytes([i % 251]) * (1 + i * 37 % 9973) for i in range(1100)]
        expected = b"".join(pieces)
        self.assertGreater(len(expected), 5_000_000)
        self.assertEqual(self.echo_chunked(pieces), expected)

    def test_echo_of_many_tiny_chunks(self):
        self.assertEqual(self.echo_chunked([b"%d," % i for i in range(5000)]),
                         b"".join(b"%d," % i for i in range(5000)))

    def test_echo_answers_while_the_request_goes_on(self):
        with socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT) as connection:
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            received = b""
            for piece in (b"first", b"second", b"third"):
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                while piece not in received:
                    more = connection.recv(65536)
                    self.assertTrue(more, received)
                    received += more
            connection.sendall(b"0\r\n\r\n")
            while not received.endswith(b"\r\n0\r\n\r\n"):
                received += connection.recv(65536)

    def test_echo_methods_types_and_lengths(self):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = self.ask(method, "/echo", b"abc", {"Content-Type": "text/x"})
            self.assertEqual((answer.status, answer.body), (200, b"abc"))
            self.assertEqual(answer.headers["Content-Type"], "text/x")
        answer = self.ask("POST", "/echo", b"")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(answer.headers["Content-Type"], "application/octet-stream")

    def test_expect_continue(self):
        with socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT) as connection:
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
                               b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
            self.assertEqual(connection.recv(65536), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(b"body")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
            self.assertIn(b" 200 OK\r\n", answer)
            self.assertIn(b"body", answer)

    def test_upload(self):
        content = os.urandom(300_000) + b"\r\n--limi\r\n"
        body = (b'--limit\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
                b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a b.bin"\r\n'
                b'Content-Type: application/x-thing\r\n\r\n' + content + b'\r\n--limit--\r\n')
        form = {"Content-Type": "multipart/form-data; boundary=limit"}
        answer = self.ask("POST", "/upload", body, form)
        self.assertEqual(answer.status, 200)
        self.assertEqual(json.loads(answer.body), {"parts": [
            {"name": "note", "filename": None, "size": 5, "content_type": "",
             "sha256": hashlib.sha256(b"hello").hexdigest()},
            {"name": "file", "filename": "a b.bin", "size": len(content), "content_type": "application/x-thing",
             "sha256": hashlib.sha256(content).hexdigest()}]})
        self.assertEqual(self.ask("POST", "/upload", body[:-12], form).status, 400)
        self.assertEqual(self.ask("POST", "/upload", body, {"Content-Type": "text/plain"}).status, 400)
        self.assertEqual(self.ask("POST", "/upload", body, {"Content-Type": "multipart/form-data"}).status, 400)

    def test_body_over_the_limit(self):
        answer = self.server.raw(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8000001\r\n\r\n")
        self.assertRegex(answer, rb"^HTTP/1.1 413 ")
        answer = self.server.raw(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n7a1201\r\n")
        self.assertRegex(answer, rb"^HTTP/1.1 413 ")


class Streams(EndpointCase):
    def test_chunked(self):
        answer = self.server.raw(b"GET /stream?chunks=3&ms=2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        head, body = answer.split(b"\r\n\r\n", 1)
        self.assertIn(b"Transfer-Encoding: chunked", head)
        self.assertNotIn(b"Content-Length", head)
        self.assertEqual(body, b"8\r\nchunk 0\n\r\n8\r\nchunk 1\n\r\n8\r\nchunk 2\n\r\n0\r\n\r\n")

    def test_http_1_0_ends_with_the_connection(self):
        answer = self.server.raw(b"GET /stream?chunks=3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        head, body = answer.split(b"\r\n\r\n", 1)
        self.assertNotIn(b"Transfer-Encoding", head)
        self.assertNotIn(b"Content-Length", head)
        self.assertEqual(body, b"chunk 0\nchunk 1\nchunk 2\n")

    def test_size(self):
        self.assertEqual(self.get("/stream?chunks=2&size=12").body, b"chunk 0xxxx\nchunk 1xxxx\n")
        self.assertEqual(self.get("/stream?chunks=1&size=3").body, b"chunk 0\n")
        self.assertEqual(self.get("/stream?chunks=0").body, b"")

    def test_head_has_no_body(self):
        answer = self.server.raw(b"HEAD /stream?chunks=3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        self.assertTrue(answer.endswith(b"\r\n\r\n"))
        self.assertNotIn(b"chunk 0", answer)

    def test_server_sent_events(self):
        answer = self.get("/sse?n=3&ms=1")
        self.assertEqual(answer.headers["Content-Type"], "text/event-stream")
        self.assertEqual(answer.body, b"".join(b"id: %d\ndata: event %d\n\n" % (i, i) for i in range(3)))
        self.assertEqual(self.get("/sse?n=0").body, b"")
        head = self.server.raw(b"HEAD /sse HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        self.assertTrue(head.endswith(b"\r\n\r\n"))
        self.assertIn(b"text/event-stream", head)

    def test_a_slow_reader_gets_all_of_it(self):
        with socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT) as connection:
            connection.sendall(b"GET /stream?chunks=300&size=100000 HTTP/1.0\r\n\r\n")
            self.get("/plaintext")  # the loop is free while this client takes nothing
            size = sum(len(piece) for piece in iter(lambda: connection.recv(1 << 20), b""))
        self.assertGreater(size, 300 * 100000)
        self.assertLess(size, 300 * 100000 + 500)


class Connections(EndpointCase):
    def test_pipelined_requests_are_answered_in_order(self):
        answer = self.server.raw(
            b"GET /sleep?ms=20 HTTP/1.1\r\nHost: h\r\n\r\n"
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nsecond"
            b"PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthird\r\n0\r\n\r\n"
            b"GET /stream?chunks=1 HTTP/1.1\r\nHost: h\r\n\r\n"
            b"GET /plaintext HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        self.assertEqual(answer.count(b"HTTP/1.1 200 OK\r\n"), 5)
        places = [answer.index(text) for text in (b"slept", b"second", b"third", b"chunk 0", b"Hello, World!")]
        self.assertEqual(places, sorted(places))

    def test_one_connection_serves_many_requests(self):
        connection = self.server.connect()
        with contextlib.closing(connection):
            for path in ("/", "/headers", "/nothing", "/sleep?ms=1", "/stream?chunks=2", "/query/x") * 20:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                self.assertFalse(answer.will_close, path)

    def test_http_1_0_closes_unless_asked(self):
        answer = self.server.raw(b"GET / HTTP/1.0\r\n\r\n")
        self.assertTrue(answer.endswith(b"\r\n\r\nOK"))
        answer = self.server.raw(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /plaintext HTTP/1.0\r\n\r\n")
        self.assertIn(b"\r\n\r\nOK", answer)
        self.assertTrue(answer.endswith(b"Hello, World!"))

    def test_a_broken_request_is_refused_and_the_connection_closed(self):
        for request in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
                        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
            answer = self.server.raw(request + b"GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertRegex(answer, rb"^HTTP/1.1 400 ", request)
            self.assertNotIn(b"Hello, World!", answer)


class Program(unittest.TestCase):
    def test_echo_of_a_hundred_megabytes_takes_no_memory(self):
        server = Server()  # with its own limit of 128 MiB
        size, piece = 100 << 20, os.urandom(1 << 20)
        sent, received = hashlib.sha256(), hashlib.sha256()
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as connection:
            connection.sendall(b"GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n")
            connection.recv(65536)
            before = memory_of(server.process.pid, "VmRSS")

            def send():
                connection.sendall(b"POST /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size)
                for _ in range(size // len(piece)):
                    connection.sendall(piece)
                    sent.update(piece)
            sender = threading.Thread(target=send)
            sender.start()
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            while data := answer.read(1 << 20):
                received.update(data)
            sender.join()
        self.assertEqual(received.digest(), sent.digest())
        self.assertLess(memory_of(server.process.pid, "VmHWM") - before, 16 << 20)
        self.assertEqual(server.stop(), (0, ""))

    def test_a_body_over_the_default_limit(self):
        server = Server()
        for path in ("/echo", "/upload", "/"):
            answer = server.raw(b"POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (path.encode(), (128 << 20) + 1))
            self.assertRegex(answer, rb"^HTTP/1.1 413 ", path)
        self.assertEqual(server.stop(), (0, ""))

    def test_drains_on_sigterm(self):
        server = Server()
        connection = server.connect()
        with contextlib.closing(connection):
            connection.request("GET", "/sleep?ms=300")
            other = server.connect()  # answered after the first request was read: one loop serves both
            other.request("GET", "/plaintext")
            other.getresponse().read()
            other.close()
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(connection.getresponse().read(), b"slept")
        _, errors = server.process.communicate(timeout=TIMEOUT)
        self.assertEqual((server.process.returncode, errors), (0, ""))

    def test_two_workers(self):
        server = Server("--workers=2")
        for _ in range(20):
            connection = server.connect()
            with contextlib.closing(connection):
                connection.request("GET", "/sleep?ms=1")
                self.assertEqual(connection.getresponse().read(), b"slept")
        self.assertEqual(server.stop(), (0, ""))

    def test_compression_both_ways(self):
        server = Server("--compress-response", "--decompress-request")
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, TIMEOUT)) as connection:
            connection.request("GET", "/stream?chunks=3&size=5000", headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            self.assertEqual(answer.headers["Content-Encoding"], "gzip")
            pieces = gzip.decompress(answer.read()).split(b"\n")
            self.assertEqual([(len(piece), piece[:7]) for piece in pieces[:-1]], [(4999, b"chunk %d" % i) for i in range(3)])
            text = b"some text\n" * 1000
            connection.request("POST", "/", gzip.compress(text), {"Content-Encoding": "gzip", "Accept-Encoding": "gzip;q=0"})
            answer = connection.getresponse()
            self.assertIsNone(answer.headers["Content-Encoding"])
            self.assertEqual((answer.headers["Vary"], answer.read()), ("Accept-Encoding", text))
        self.assertEqual(server.stop(), (0, ""))

    def test_every_option_is_documented_with_its_default(self):
        shown = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, timeout=TIMEOUT).stdout
        offered = dict(re.findall(r"(--[a-z-]+) [A-Z]+(?::{[^}]*})?=(\S+)", shown))
        offered = {name: value for name, value in offered.items() if value != "[]"}  # nothing
        guide = (Path(__file__).parents[2] / "docs/guide/operating.md").read_text()
        documented = dict(re.findall(r"^\| `(--[a-z-]+)` \| (\S+) \|", guide, re.MULTILINE))
        documented["--max-body-size"] = str(128 << 20)  # this server's own
        self.assertGreater(len(offered), 10, shown)
        self.assertEqual(documented, offered)

    def test_options_not_served(self):
        for option in ("--static=/nowhere", "--tls-key=x", "--tls-port=9", "--reactor=x", "--nonsense", "--max-body-size=many"):
            ended = subprocess.run([PROGRAM, "--port=0", option], capture_output=True, text=True, timeout=TIMEOUT)
            self.assertEqual((ended.returncode, ended.stdout), (2, ""), option)
            self.assertEqual(ended.stderr.count("\n"), 1, ended.stderr)
            self.assertIn(option.split("=")[0], ended.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

#!/usr/bin/env python3
"""Checks every profile of the arena server: right answers, also to input in pieces, pipelined and chunked.

    arena_test.py PROGRAM [unittest options]

PROGRAM is started with --port=0 and prints `listening PORT` once it serves. Standard library only.
"""

import base64
import gzip
import http.client
import json
import os
import re
import signal
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = ""
TIMEOUT = 60
ITEMS = [{"id": i, "name": f"Thing {i}", "category": "tools", "price": 100 + i, "quantity": 3 * i, "active": i % 2 == 0,
          "tags": ["sale", "größe"][:i % 3], "rating": {"score": i, "count": i * i}} for i in range(1, 51)]


# How input is cut up: byte by byte, in odd pieces, whole.
PIECES = (1, 7, 1000, None)


class Answers:
    """Responses as they come over a bare connection."""

    def __init__(self, channel):
        self.file = channel.makefile("rb")

    def next(self):
        """Status, body and fields of the next one."""
        status = int(self.file.readline().split()[1])
        fields = http.client.parse_headers(self.file)
        if fields["Transfer-Encoding"] != "chunked":
            return status, self.file.read(int(fields["Content-Length"])), fields
        body = b""
        while size := int(self.file.readline(), 16):
            body += self.file.read(size)
            assert self.file.read(2) == b"\r\n"
        assert self.file.readline() == b"\r\n"
        return status, body, fields


def get(target, fields=""):
    return f"GET {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode()


def chunked(body, size):
    """In chunks of so many bytes."""
    return b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + size]), body[at:at + size])
                    for at in range(0, len(body), size)) + b"0\r\n\r\n"


class ArenaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        with open(os.path.join(cls.folder.name, "dataset.json"), "w", encoding="utf-8") as file:
            json.dump(ITEMS, file)
        cls.files = {"vendor.js": b"let vendor;\n" * 25_000, "hero.webp": os.urandom(300_000), "reset.css": b"* {}\n" * 600}
        static = os.path.join(cls.folder.name, "static")
        os.mkdir(static)
        for name, content in cls.files.items():
            with open(os.path.join(static, name), "wb") as file:
                file.write(content)
        with open(os.path.join(static, "vendor.js.gz"), "wb") as file:
            file.write(gzip.compress(cls.files["vendor.js"]))
        with open(os.path.join(static, "vendor.js.br"), "wb") as file:
            file.write(b"as brotli made it")
        options = [f"--data={cls.folder.name}", f"--static={static}"]
        cls.tls_port = None
        if shutil.which("openssl"):
            pair = [os.path.join(cls.folder.name, name) for name in ("cert.pem", "key.pem")]
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                            "-out", pair[0], "-keyout", pair[1]], check=True, capture_output=True)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                cls.tls_port = probe.getsockname()[1]
            options += [f"--tls-cert={pair[0]}", f"--tls-key={pair[1]}", f"--tls-port={cls.tls_port}"]
        cls.process = subprocess.Popen([PROGRAM, "--port=0", *options], stdout=subprocess.PIPE, text=True)
        cls.port = int(re.fullmatch(r"listening (\d+)\n", cls.process.stdout.readline())[1])

    @classmethod
    def tearDownClass(cls):
        cls.process.send_signal(signal.SIGTERM)
        assert cls.process.wait(TIMEOUT) == 0
        cls.process.stdout.close()
        cls.folder.cleanup()

    def ask(self, method, target, body=None, headers={}, **options):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        connection.request(method, target, body, headers, **options)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response, content

    def converse(self, text, answers, piece=None):
        """Sends `text`, perhaps in pieces of so many bytes, and returns what comes back meanwhile."""
        with socket.create_connection(("127.0.0.1", self.port), TIMEOUT) as channel:
            channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sender = threading.Thread(target=self.send_in_pieces, args=(channel, text, piece))
            sender.start()
            reader = Answers(channel)
            got = [reader.next() for _ in range(answers)]
            sender.join(TIMEOUT)
            self.assertFalse(sender.is_alive())
            return got

    def talk(self, text, answers, piece=None):
        """The same without the fields."""
        return [(status, body) for status, body, _ in self.converse(text, answers, piece)]

    @staticmethod
    def send_in_pieces(channel, text, piece=None):
        for at in range(0, len(text), piece or len(text)):
            channel.sendall(text[at:at + (piece or len(text))])

    def test_baseline(self):
        response, content = self.ask("GET", "/baseline11?a=13&b=42")
        self.assertEqual((response.status, content), (200, b"55"))
        self.assertTrue(response.getheader("Content-Type").startswith("text/plain"))
        self.assertEqual(self.ask("GET", "/baseline11?a=-1&b=9000000000")[1], b"8999999999")
        self.assertEqual(self.ask("POST", "/baseline11?a=13&b=42", "20")[1], b"75")
        self.assertEqual(self.ask("POST", "/baseline11?a=1&b=2", iter([b"1", b"7"]), encode_chunked=True,
                                  headers={"Transfer-Encoding": "chunked"})[1], b"20")
        for method, target, body in (("GET", "/baseline11?a=13", None), ("GET", "/baseline11?a=x&b=1", None),
                                     ("POST", "/baseline11?a=1&b=2", "many"), ("POST", "/baseline11?a=1&b=2", "")):
            with self.subTest(target=target, body=body):
                self.assertEqual(self.ask(method, target, body)[0].status, 400)

    def test_baseline_in_pieces_and_in_rotation(self):
        head = "POST /baseline11?a=%d&b=42 HTTP/1.1\r\nHost: x\r\n"
        text, expected = b"", []
        for i in range(9):
            text += (f"GET /baseline11?a={i}&b=42 HTTP/1.1\r\nHost: x\r\n\r\n",
                     head % i + "Content-Length: 2\r\n\r\n20",
                     head % i + "Transfer-Encoding: chunked\r\n\r\n1\r\n2\r\n1\r\n0\r\n0\r\n\r\n")[i % 3].encode()
            expected.append((200, b"%d" % (i + 42 + (20 if i % 3 else 0))))
        for piece in (1, 7, 64, None):
            with self.subTest(piece=piece):
                self.assertEqual(self.talk(text, len(expected), piece), expected)

    def test_pipeline(self):
        for piece in PIECES:
            self.assertEqual(self.talk(get("/pipeline") * 64, 64, piece), [(200, b"ok")] * 64)

    def test_ten_requests_a_connection(self):
        text = b"GET /baseline11?a=1&b=1 HTTP/1.1\r\nHost: x\r\n\r\n" * 9 + \
            b"GET /baseline11?a=1&b=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        self.assertEqual(self.talk(text, 10), [(200, b"2")] * 10)

    def test_json(self):
        for count, multiplier in ((1, 1), (12, 3), (50, 7)):
            response, content = self.ask("GET", f"/json/{count}?m={multiplier}")
            self.assertTrue(response.getheader("Content-Type").startswith("application/json"))
            self.assertIsNone(response.getheader("Content-Encoding"))
            expected = [dict(item, total=item["price"] * item["quantity"] * multiplier) for item in ITEMS[:count]]
            self.assertEqual(json.loads(content), {"items": expected, "count": count})
        for target in ("/json/0?m=1", "/json/51?m=1", "/json/3", "/json/3?m=x"):
            self.assertEqual(self.ask("GET", target)[0].status, 400, target)

    def test_json_in_pieces_and_pipelined(self):
        counts = [1, 50, 12, 7]
        wanted = [{"items": [dict(item, total=item["price"] * item["quantity"] * m) for item in ITEMS[:count]], "count": count}
                  for m, count in enumerate(counts, 1)]
        for coding in (None, "gzip"):
            fields = f"Accept-Encoding: {coding}\r\n" if coding else ""
            text = b"".join(get(f"/json/{count}?m={m}", fields) for m, count in enumerate(counts, 1))
            for piece in PIECES:
                with self.subTest(coding=coding, piece=piece):
                    got = self.converse(text, len(counts), piece)
                    # What is small stays as it is.
                    self.assertEqual([fields["Content-Encoding"] for _, _, fields in got], [None, coding, coding, coding])
                    bodies = [gzip.decompress(body) if fields["Content-Encoding"] else body for _, body, fields in got]
                    self.assertEqual([(status, json.loads(body)) for (status, _, _), body in zip(got, bodies)],
                                     [(200, each) for each in wanted])

    def test_json_compressed(self):
        plain = self.ask("GET", "/json/40?m=2")[1]
        response, content = self.ask("GET", "/json/40?m=2", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(response.getheader("Content-Encoding"), "gzip")
        self.assertLess(len(content), len(plain) / 2)
        self.assertEqual(gzip.decompress(content), plain)
        response, _ = self.ask("GET", "/json/40?m=2", headers={"Accept-Encoding": "gzip, br"})
        self.assertEqual(response.getheader("Content-Encoding"), "br")

    def test_upload(self):
        body = os.urandom(5_000_000)
        self.assertEqual(self.ask("POST", "/upload", body)[1], b"5000000")
        pieces = [body[at:at + 70_000] for at in range(0, len(body), 70_000)]
        self.assertEqual(self.ask("POST", "/upload", iter(pieces), encode_chunked=True,
                                  headers={"Transfer-Encoding": "chunked"})[1], b"5000000")
        self.assertEqual(self.ask("POST", "/upload", b"")[1], b"0")

    def test_upload_in_pieces_and_pipelined(self):
        head = b"POST /upload HTTP/1.1\r\nHost: x\r\n"
        for piece, size in ((1, 3_000), (7, 20_000), (1000, 300_000), (None, 2_000_000)):
            body = os.urandom(size)
            text = (head + b"Content-Length: %d\r\n\r\n" % size + body +
                    head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 1 + size // 9) +
                    head + b"Content-Length: 0\r\n\r\n" +
                    head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body[:500], 1) + get("/pipeline"))
            with self.subTest(piece=piece):
                self.assertEqual(self.talk(text, 5, piece), [(200, b"%d" % each) for each in (size, size, 0, 500)] + [(200, b"ok")])

    def test_static(self):
        types = {"vendor.js": "text/javascript", "hero.webp": "image/webp", "reset.css": "text/css"}
        for name, content in self.files.items():
            for _ in range(2):
                response, body = self.ask("GET", f"/static/{name}")
                self.assertEqual((response.status, response.getheader("Content-Type")), (200, types[name]))
                self.assertEqual(body, content)
        accept = {"Accept-Encoding": "br;q=1, gzip;q=0.8"}
        response, body = self.ask("GET", "/static/vendor.js", headers=accept)
        self.assertEqual((response.getheader("Content-Encoding"), body), ("br", b"as brotli made it"))
        self.assertEqual((response.getheader("Vary"), response.getheader("Content-Type")), ("Accept-Encoding", "text/javascript"))
        response, body = self.ask("GET", "/static/vendor.js", headers={"Accept-Encoding": "br;q=0, gzip"})
        self.assertEqual((response.getheader("Content-Encoding"), gzip.decompress(body)), ("gzip", self.files["vendor.js"]))
        self.assertEqual(self.ask("GET", "/static/hero.webp", headers=accept)[1], self.files["hero.webp"])
        self.assertEqual(self.ask("GET", "/static/nothing.js", headers=accept)[0].status, 404)

    def test_static_in_pieces_and_pipelined(self):
        accept = "Accept-Encoding: br;q=1, gzip;q=0.8\r\n"
        text = b"".join(get(f"/static/{name}", accept) for name in (*self.files, "nothing.js", "reset.css"))
        for piece in PIECES:
            with self.subTest(piece=piece):
                got = self.converse(text, 5, piece)
                self.assertEqual([status for status, _, _ in got], [200, 200, 200, 404, 200])
                self.assertEqual((got[0][1], got[0][2]["Content-Encoding"]), (b"as brotli made it", "br"))
                self.assertEqual((got[1][1], got[1][2]["Content-Type"]), (self.files["hero.webp"], "image/webp"))
                self.assertEqual(got[2][2]["Content-Type"], "text/css")

    def test_json_and_files_over_tls(self):
        if self.tls_port is None:
            self.skipTest("there is no openssl program")
        self.assertEqual(self.process.stdout.readline(), f"listening {self.tls_port} tls\n")
        context = ssl.create_default_context(cafile=os.path.join(self.folder.name, "cert.pem"))
        context.set_alpn_protocols(["h2", "http/1.1"])
        connection = http.client.HTTPSConnection("localhost", self.tls_port, timeout=TIMEOUT, context=context)
        connection.request("GET", "/json/3?m=2")
        self.assertEqual(connection.sock.selected_alpn_protocol(), "http/1.1")
        self.assertEqual(json.loads(connection.getresponse().read())["count"], 3)
        connection.request("GET", "/static/hero.webp")
        self.assertEqual(connection.getresponse().read(), self.files["hero.webp"])
        connection.close()
        self.assertEqual(self.ask("GET", "/pipeline")[1], b"ok")  # the other port has no TLS

    def test_websocket(self):
        key = base64.b64encode(os.urandom(16)).decode()
        frames = b"".join(b"\x81\x85\0\0\0\0" + b"%05d" % i for i in range(100))
        # A message in fragments, with a ping between them, and one of bytes.
        frames += b"\x01\x83\0\0\0\0one\x89\x81\0\0\0\0p\x80\x83\0\0\0\0two" + b"\x82\x85\0\0\0\0" + b"bytes"
        echoes = b"".join(b"\x81\x05%05d" % i for i in range(100)) + b"\x8a\x01p\x81\x06onetwo\x82\x05bytes"
        head = (f"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode()
        for piece in (13, *PIECES):
            with self.subTest(piece=piece), socket.create_connection(("127.0.0.1", self.port), TIMEOUT) as channel:
                # The first frames may come with the request.
                self.send_in_pieces(channel, head + frames, piece)
                file = channel.makefile("rb")
                self.assertEqual(file.readline(), b"HTTP/1.1 101 Switching Protocols\r\n")
                self.assertIsNone(http.client.parse_headers(file)["Sec-WebSocket-Extensions"])
                self.assertEqual(file.read(len(echoes)), echoes)

    def test_what_is_not_there(self):
        self.assertEqual(self.ask("GET", "/nothing")[0].status, 404)
        self.assertEqual(self.ask("DELETE", "/pipeline")[0].status, 405)

    def test_data_that_cannot_be_read(self):
        for text in (None, "[{]"):
            with tempfile.TemporaryDirectory() as folder:
                if text:
                    with open(os.path.join(folder, "dataset.json"), "w", encoding="utf-8") as file:
                        file.write(text)
                done = subprocess.run([PROGRAM, "--port=0", f"--data={folder}"], capture_output=True, text=True, timeout=TIMEOUT)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, r"dataset\.json: .+\n\Z")
                self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

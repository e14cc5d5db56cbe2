#!/usr/bin/env python3
"""Drives the example SOCKS5 proxy with curl, and with a client that breaks the rules.

    socks5_test.py PROGRAM [unittest options]

Standard library and curl only; everything on 127.0.0.1.
"""

import contextlib
import http.server
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import unittest

PROGRAM = ""
TIMEOUT = 60


class Site(http.server.BaseHTTPRequestHandler):
    """What stands behind the proxy: /big sends 8 MiB, a POST comes back."""

    protocol_version = "HTTP/1.1"
    BIG = bytes(range(256)) * 32768

    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply(self.BIG if self.path == "/big" else b"hello from " + self.path.encode())

    def do_POST(self):
        self.reply(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_):
        pass


def start_proxy(*arguments):
    process = subprocess.Popen([PROGRAM, "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = re.fullmatch(r"listening (\d+)\n", process.stdout.readline())
    if not found:
        raise AssertionError(f"{PROGRAM} did not start: {process.communicate(timeout=TIMEOUT)}")
    return process, int(found[1])


def receive(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            break
        data += piece
    return data


class ProxyCase(unittest.TestCase):
    ARGUMENTS = ()

    @classmethod
    def setUpClass(cls):
        cls.site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
        cls.site.daemon_threads = True
        threading.Thread(target=cls.site.serve_forever, daemon=True).start()
        cls.web = cls.site.server_address[1]
        cls.proxy, cls.port = start_proxy(*cls.ARGUMENTS)

    @classmethod
    def tearDownClass(cls):
        cls.proxy.send_signal(signal.SIGTERM)
        _, errors = cls.proxy.communicate(timeout=TIMEOUT)
        cls.site.shutdown()
        cls.site.server_close()
        if cls.proxy.returncode != 0:
            raise AssertionError(f"the proxy ended with {cls.proxy.returncode}: {errors}")

    def curl(self, url, *options, scheme="socks5h", account=""):
        command = ["curl", "-sS", "--noproxy", "", "--max-time", "30", "--proxy", f"{scheme}://{account}127.0.0.1:{self.port}",
                   *options, url]
        return subprocess.run(command, capture_output=True, timeout=TIMEOUT)

    @contextlib.contextmanager
    def raw(self, *parts):
        with socket.create_connection(("127.0.0.1", self.port), TIMEOUT) as connection:
            for part in parts:
                connection.sendall(part)
            yield connection

    def url(self, path, host="127.0.0.1"):
        return f"http://{host}:{self.web}{path}"


class OpenProxy(ProxyCase):
    def test_names_are_resolved_by_the_proxy(self):
        result = self.curl(self.url("/a", "localhost"))
        self.assertEqual(result.stdout, b"hello from /a", result.stderr)

    def test_addresses_are_taken_as_they_are(self):
        result = self.curl(self.url("/b"), scheme="socks5")
        self.assertEqual(result.stdout, b"hello from /b", result.stderr)

    def test_much_in_both_directions(self):
        self.assertEqual(self.curl(self.url("/big")).stdout, Site.BIG)
        body = Site.BIG[: 1 << 20]
        result = subprocess.run(["curl", "-sS", "--noproxy", "", "--proxy", f"socks5h://127.0.0.1:{self.port}", "-H", "Expect:",
                                 "--data-binary", "@-", self.url("/")], input=body, capture_output=True, timeout=TIMEOUT)
        self.assertEqual(result.stdout, body, result.stderr)

    def test_many_at_a_time(self):
        results = []
        workers = [threading.Thread(target=lambda: results.append(self.curl(self.url("/many")).stdout)) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(results, [b"hello from /many"] * 8)

    def connect_reply(self, request):
        """The reply code to a request after the greeting."""
        with self.raw(b"\x05\x01\x00", request) as connection:
            self.assertEqual(receive(connection, 2), b"\x05\x00")
            return receive(connection, 10)[1]

    def test_failures_have_their_codes(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        address = b"\x01\x7f\x00\x00\x01" + struct.pack(">H", port)
        name = b"\x03\x0bnot.invalid" + struct.pack(">H", 80)
        self.assertEqual(self.connect_reply(b"\x05\x01\x00" + address), 5)  # connection refused
        self.assertEqual(self.connect_reply(b"\x05\x01\x00" + name), 4)  # host unreachable
        self.assertEqual(self.connect_reply(b"\x05\x02\x00" + address), 7)  # BIND
        self.assertEqual(self.connect_reply(b"\x05\x01\x00\x09"), 8)  # address type

    def test_a_client_without_a_method_we_know(self):
        with self.raw(b"\x05\x01\x02") as connection:
            self.assertEqual(receive(connection, 3), b"\x05\xff")

    def test_the_end_of_one_direction_leaves_the_other(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            request = b"\x05\x01\x00\x01\x7f\x00\x00\x01" + struct.pack(">H", port)
            with self.raw(b"\x05\x01\x00", request) as client:
                behind, _ = server.accept()
                with behind:
                    self.assertEqual(receive(client, 12)[3], 0)
                    client.sendall(b"question")
                    client.shutdown(socket.SHUT_WR)
                    self.assertEqual(receive(behind, 100), b"question")  # and its end
                    behind.sendall(b"answer")
                    behind.close()
                    self.assertEqual(receive(client, 100), b"answer")

    def test_a_slow_reader_slows_the_sender_down(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            request = b"\x05\x01\x00\x01\x7f\x00\x00\x01" + struct.pack(">H", port)
            with self.raw(b"\x05\x01\x00", request) as client:
                behind, _ = server.accept()
                with behind:
                    receive(client, 12)
                    behind.settimeout(1)
                    sent = 0
                    with contextlib.suppress(TimeoutError):
                        while sent < 256 << 20:  # the client reads nothing
                            sent += behind.send(b"x" * 65536)
                    self.assertLess(sent, 64 << 20)  # what the kernel and the proxy hold
                    memory = pathlib.Path(f"/proc/{self.proxy.pid}/status").read_text()
                    self.assertLess(int(re.search(r"VmRSS:\s+(\d+)", memory)[1]), 256 << 10)


class ProxyForOne(ProxyCase):
    ARGUMENTS = ("ada:lovelace",)

    def test_the_user_is_let_through(self):
        result = self.curl(self.url("/c"), account="ada:lovelace@")
        self.assertEqual(result.stdout, b"hello from /c", result.stderr)

    def test_others_are_not(self):
        self.assertEqual(self.curl(self.url("/c"), account="ada:wrong@").returncode, 97)
        self.assertNotEqual(self.curl(self.url("/c")).returncode, 0)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

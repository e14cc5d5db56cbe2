#!/usr/bin/env python3
"""Drives coronado-fetch against the interop server, which stands beside it, and against servers that break off.

    fetch_test.py PROGRAM [unittest options]

Standard library only; everything on 127.0.0.1.
"""

import gzip
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = ""
TIMEOUT = 60


def fetch(*arguments, data=None, env=None):
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run([PROGRAM, *arguments], input=data, capture_output=True, timeout=TIMEOUT, env={**clean, **(env or {})})


class OneAnswer:
    """Answers each connection with the same bytes, and closes; a peer that sends nothing stays open."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = b""
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(TIMEOUT)
                self.asked = connection.recv(65536)
                if self.answer is None:
                    connection.recv(1)
                else:
                    connection.sendall(self.answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listening.close()


class FetchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server = pathlib.Path(PROGRAM).parent / "interop_server"
        cls.server = subprocess.Popen([server, "--port=0", "--log-level=error"], stdout=subprocess.PIPE, text=True)
        found = re.fullmatch(r"listening (\d+)\n", cls.server.stdout.readline())
        cls.base = f"http://127.0.0.1:{found[1]}"

    @classmethod
    def tearDownClass(cls):
        cls.server.send_signal(signal.SIGTERM)
        cls.server.wait(TIMEOUT)
        cls.server.stdout.close()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def expect(self, result, code, message=""):
        self.assertEqual(result.returncode, code, result.stderr.decode())
        if message:
            self.assertIn(message, result.stderr.decode())
            self.assertEqual(result.stderr.decode().count("\n"), 1, result.stderr.decode())

    def test_headers_and_method(self):
        result = fetch(f"{self.base}/headers", "--header=X-One: 1", "--header", "X-Two: 2")
        self.expect(result, 0)
        headers = json.loads(result.stdout)
        self.assertEqual((headers["x-one"], headers["x-two"]), (["1"], ["2"]))
        self.assertEqual(headers["user-agent"], ["coronado-fetch"])

    def test_include_shows_the_head(self):
        result = fetch(f"{self.base}/headers", "--include")
        self.assertRegex(result.stdout, rb"\AHTTP 200 OK\r\n(?s:.*)Content-Type: application/json(?s:.*)\r\n\r\n\{")

    def test_compressed(self):
        self.assertNotIn("accept-encoding", json.loads(fetch(f"{self.base}/headers").stdout))
        plain = json.loads(fetch(f"{self.base}/headers", "--compressed").stdout)
        self.assertEqual(plain["accept-encoding"], ["gzip, deflate, br, zstd"])
        body = gzip.compress(b"text " * 1000)
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
        with OneAnswer(head + body) as peer:
            url = f"http://127.0.0.1:{peer.port}/"
            self.assertEqual(fetch(url, "--compressed").stdout, b"text " * 1000)
            self.assertEqual(fetch(url).stdout, body)
        with OneAnswer(head + body[:-8] + bytes(8)) as peer:
            self.expect(fetch(f"http://127.0.0.1:{peer.port}/", "--compressed"), 5, "not what its coding says")

    def test_data_from_everywhere(self):
        self.assertEqual(fetch(f"{self.base}/echo", "--data=hello").stdout, b"hello")
        content = os.urandom(3_000_000)
        (self.folder / "in").write_bytes(content)
        result = fetch(f"{self.base}/echo", f"--data=@{self.folder}/in", "--method=PUT", f"--output={self.folder}/out")
        self.expect(result, 0)
        self.assertEqual(hashlib.sha256((self.folder / "out").read_bytes()).digest(), hashlib.sha256(content).digest())
        self.assertEqual(fetch(f"{self.base}/echo", "--data=@-", data=content).stdout, content)

    def test_data_that_is_sent_twice(self):
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {self.base}/echo\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        (self.folder / "in").write_bytes(b"from a file")
        with OneAnswer(moved.encode()) as peer:
            url = f"http://127.0.0.1:{peer.port}/"
            self.assertEqual(fetch(url, f"--data=@{self.folder}/in").stdout, b"from a file")
            self.expect(fetch(url, "--data=@-", data=b"from a pipe"), 2, "the standard input is gone")

    def test_where_it_connects_from(self):
        for source in ("lo", "127.0.0.1"):
            self.expect(fetch(f"{self.base}/headers", f"--interface={source}"), 0)
        self.expect(fetch(f"{self.base}/headers", "--interface=nosuch0"), 3, 'there is no network interface "nosuch0"')

    def test_timing_goes_to_stderr(self):
        result = fetch(f"{self.base}/headers", "--timing")
        for part in ("connect", "first byte", "total"):
            self.assertRegex(result.stderr.decode(), rf"(?m)^{part} +\d+\.\d+ ms$")

    def test_status(self):
        result = fetch(f"{self.base}/nowhere")
        self.expect(result, 1, "HTTP 404: Not Found")

    def test_wrong_usage(self):
        self.expect(fetch(), 2, "a URL is required")
        self.expect(fetch("ftp://x/"), 2, "unsupported scheme")
        self.expect(fetch("http://x y/"), 2, "invalid URL")
        self.expect(fetch(self.base, "--header=broken"), 2, 'no colon in the header "broken"')
        self.expect(fetch(self.base, "--header=a b: c"), 2, "Invalid header name")
        self.expect(fetch(self.base, "--no-such-option"), 2, "--no-such-option")
        self.expect(fetch(self.base, "--data=@/nowhere/at/all"), 2, "cannot read /nowhere/at/all")
        self.assertIn(b"Exit codes", fetch("--help").stdout)

    def test_no_connection(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        self.expect(fetch(f"http://127.0.0.1:{port}/"), 3, f"cannot connect to 127.0.0.1:{port}")
        with OneAnswer(b"HTTP/1.1 400 No\r\n\r\n") as peer:
            self.expect(fetch(f"https://127.0.0.1:{peer.port}/"), 3, "plain HTTP")

    def test_out_of_time(self):
        with OneAnswer(None) as peer:
            result = fetch(f"http://127.0.0.1:{peer.port}/", "--timeout=200ms")
            self.expect(result, 4, "timed out after 200 ms while waiting for the response")

    def test_a_cut_download_leaves_no_file(self):
        with OneAnswer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") as peer:
            result = fetch(f"http://127.0.0.1:{peer.port}/", f"--output={self.folder}/out")
            self.expect(result, 5, "the server closed the connection while receiving the body")
            self.assertEqual(list(self.folder.iterdir()), [])
        with OneAnswer(b"220 mail ESMTP\r\n") as peer:
            self.expect(fetch(f"http://127.0.0.1:{peer.port}/"), 5, "no valid HTTP response")

    def test_output_that_cannot_be_written(self):
        self.expect(fetch(f"{self.base}/headers", "--output=/nowhere/at/all"), 6, "cannot write /nowhere/at/all")

    def test_proxy_from_the_environment(self):
        with OneAnswer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy") as peer:
            env = {"http_proxy": f"http://me:pw@127.0.0.1:{peer.port}"}
            self.assertEqual(fetch("http://far.invalid/x", env=env).stdout, b"proxy")
            self.assertTrue(peer.asked.startswith(b"GET http://far.invalid/x HTTP/1.1\r\n"), peer.asked)
            self.assertIn(b"Proxy-Authorization: Basic bWU6cHc=\r\n", peer.asked)
            self.expect(fetch(f"{self.base}/headers", env={**env, "no_proxy": "127.0.0.1"}), 0)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()

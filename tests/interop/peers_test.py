#!/usr/bin/env python3
"""Programs of other hands and ours, in both directions: one table of peers, groups of cases, passed and failed.

    peers_test.py DIRECTORY [--all] [--only WORD]

DIRECTORY holds interop_server, interop_client and coronado-fetch. Against interop_server: curl, nghttp2's h2load, Python's
aiohttp, Node's fetch and the package ws. Against nginx and Node: coronado-fetch, HTTPClient with both of its
engines, the WebSocket client. --all, which is `make interop`, adds the suites beside this file: every endpoint of
interop_server by Python's standard library, Python's websockets, OpenSSL as client and server, coronado-fetch against
servers that break off, the black-box cases of Tornado's own tests (cases_server), the profiles of the field's public
benchmark (arena_server), and curl through the example SOCKS5 proxy. --only takes the rows with that word in them.

A peer that is not installed is named as missing and never counted as passed; with CI in the environment it is a failure.
tools/install-deps installs all of them.
"""

import argparse
import asyncio
import gzip
import http.client
import importlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append("/usr/lib/python3/dist-packages")  # Debian's packages, whichever Python runs this
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
TIMEOUT = 100
DIRECTORY = Path()
NODE_PATH = "/usr/share/nodejs"


def program(name):
    return str(DIRECTORY / name)


def run(*command, **options):
    options = {"capture_output": True, "timeout": TIMEOUT, "stdin": subprocess.DEVNULL, **options}
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(command, env={**clean, "NODE_PATH": NODE_PATH}, **options)


def has_module(name):
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def has_node(module=None):
    if not shutil.which("node"):
        return False
    return module is None or run("node", "-e", f"require('{module}')").returncode == 0


class Listening:
    """A program that prints `listening PORT`, and ends on SIGTERM."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "NODE_PATH": NODE_PATH})
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening (\d+)\n", line)
        if not found:
            raise AssertionError(f"{command[0]} said {line!r}")
        self.port = int(found[1])
        self.base = f"http://127.0.0.1:{self.port}"

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(TIMEOUT)
        self.process.stdout.close()


class Nginx:
    """nginx with the endpoints that interop_client asks for."""

    CONFIG = """
daemon off; worker_processes 1; pid {d}/pid; error_log {d}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; default_type text/plain; gzip on; gzip_types text/plain; gzip_min_length 10000; client_max_body_size 10m;
  client_body_temp_path {d}/body; proxy_temp_path {d}/proxy; fastcgi_temp_path {d}/fastcgi;
  uwsgi_temp_path {d}/uwsgi; scgi_temp_path {d}/scgi;
  server {{
    listen 127.0.0.1:{port}; root {d}/files; error_page 405 =200 $uri;
    location = /hello {{ return 200 "hello"; }}
    location = /redirect {{ return 302 /hello; }}
    location = /sink {{ return 200 "taken"; }}
    location = /large {{ gzip off; }}
  }}
}}
"""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        d = Path(self.folder.name)
        os.chmod(d, 0o755)  # its worker may be another user
        (d / "files").mkdir()
        (d / "files/text").write_text("t" * 20_000)
        (d / "files/large").write_text("l" * 5_000_000)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        (d / "nginx.conf").write_text(self.CONFIG.format(d=d, port=port))
        self.base = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([nginx_program(), "-p", str(d), "-c", str(d / "nginx.conf"), "-e", f"{d}/error.log"])
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    raise AssertionError("nginx does not start: " + (d / "error.log").read_text()) from None

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(TIMEOUT)
        self.folder.cleanup()


def nginx_program():
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


class Row(unittest.TestCase):
    """One row of the table: a peer and a group of cases."""

    peer = group = ""

    @staticmethod
    def present():
        return True

    @classmethod
    def start(cls):
        return Listening(program("interop_server"), "--port=0", "--log-level=error")

    @classmethod
    def setUpClass(cls):
        cls.server = cls.start()
        cls.base = cls.server.base

    @classmethod
    def tearDownClass(cls):
        cls.server.end()


class CaseLines(Row):
    """A program that prints `ok NAME` or `failed NAME: why` for each of its cases."""

    def command(self):
        raise NotImplementedError

    def test(self):
        done = run(*self.command(), text=True)
        lines = [line for line in done.stdout.splitlines() if re.match(r"(ok|failed) ", line)]
        self.cases = len(lines)
        failed = [line for line in lines if line.startswith("failed")]
        self.failed = len(failed)
        self.assertEqual(failed, [])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(len(lines), 5, done.stderr)


# --- peers that are clients ------------------------------------------------------------------------


class CurlRequests(Row):
    peer, group = "curl", "requests"

    @staticmethod
    def present():
        return bool(shutil.which("curl"))

    def curl(self, *arguments, code=0, data=None):
        done = run("curl", "-sS", "--max-time", "60", *arguments, **({"input": data, "stdin": None} if data else {}))
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout

    def test_methods(self):
        self.assertEqual(self.curl(f"{self.base}/plaintext"), b"Hello, World!")
        self.assertIn(b"Content-Length: 13\r\n", self.curl("-I", f"{self.base}/plaintext"))
        self.assertIn(b"Allow: ", self.curl("-i", "-X", "OPTIONS", f"{self.base}/"))
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            self.assertEqual(self.curl("-X", method, "--data", "body", f"{self.base}/"), b"body")
        self.curl("--fail", f"{self.base}/nowhere", code=22)

    def test_http_1_0(self):
        self.assertTrue(self.curl("-0", f"{self.base}/stream?chunks=3").startswith(b"chunk 0\n"))

    def test_large_bodies(self):
        body = os.urandom(5_000_000)
        self.assertEqual(self.curl("--data-binary", "@-", f"{self.base}/echo", data=body), body)
        chunked = ["-T", "-", "-H", "Transfer-Encoding: chunked"]
        self.assertEqual(self.curl(*chunked, f"{self.base}/echo", data=body), body)

    def test_expect_continue(self):
        said = self.curl("-i", "-H", "Expect: 100-continue", "--data", "asked", f"{self.base}/echo")
        self.assertTrue(said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), said)
        self.assertTrue(said.endswith(b"\r\n\r\nasked") or said.endswith(b"asked"))

    def test_redirects_cookies_and_forms(self):
        self.assertEqual(self.curl("-L", f"{self.base}/redirect?to=/plaintext"), b"Hello, World!")
        with tempfile.TemporaryDirectory() as folder:
            jar = f"{folder}/jar"
            self.curl("-c", jar, f"{self.base}/cookie?name=a&value=1")
            self.assertEqual(self.curl("-b", jar, f"{self.base}/probe/cookie"), b"a=1\n")
            Path(folder, "f").write_bytes(b"x" * 1000)
            parts = json.loads(self.curl("-F", "a=b", "-F", f"f=@{folder}/f;type=image/png", f"{self.base}/upload"))["parts"]
        self.assertEqual([(part["name"], part["size"]) for part in parts], [("a", 1), ("f", 1000)])

    def test_connections_are_kept(self):
        urls = [f"{self.base}/plaintext"] * 10
        self.assertEqual(self.curl("-w", "%{num_connects}", *[word for url in urls for word in ("-o", "/dev/null", url)]),
                         b"1" + b"0" * 9)

    def test_events(self):
        self.assertEqual(self.curl("-N", f"{self.base}/sse?n=3&ms=1").count(b"data:"), 3)

    def test_compressed_body(self):
        body = gzip.compress(b"text " * 1000)
        echoed = self.curl("-H", "Content-Encoding: gzip", "--data-binary", "@-", f"{self.base}/echo", data=body)
        self.assertIn(echoed, (body, b"text " * 1000))


class H2Load(Row):
    peer, group = "h2load --h1", "load"

    @staticmethod
    def present():
        return bool(shutil.which("h2load"))

    def load(self, *arguments):
        done = run("h2load", "--h1", "-n2000", "-c20", *arguments, text=True)
        self.assertIn("2000 succeeded, 0 failed, 0 errored, 0 timeout", done.stdout, done.stderr)
        self.assertIn("2000 2xx", done.stdout)

    def test_get(self):
        self.load(f"{self.base}/plaintext")

    def test_many_urls(self):
        self.load(f"{self.base}/plaintext", f"{self.base}/headers", f"{self.base}/stream?chunks=3&size=100")

    def test_post(self):
        with tempfile.NamedTemporaryFile() as body:
            body.write(b"x" * 3000)
            body.flush()
            self.load("-d", body.name, f"{self.base}/echo")


class AiohttpRequests(Row):
    peer, group = "aiohttp", "requests"

    @staticmethod
    def present():
        return has_module("aiohttp")

    def run_with(self, conversation):
        import aiohttp

        async def all_of_it():
            async with aiohttp.ClientSession(self.base) as session:
                await conversation(session)
        asyncio.run(asyncio.wait_for(all_of_it(), TIMEOUT))

    def test_methods(self):
        async def conversation(session):
            async with session.get("/plaintext") as answer:
                self.assertEqual((answer.status, await answer.text()), (200, "Hello, World!"))
            async with session.head("/plaintext") as answer:
                self.assertEqual(answer.headers["Content-Length"], "13")
            async with session.get("/nowhere") as answer:
                self.assertEqual(answer.status, 404)
            async with session.post("/json", json={"größe": [1, None]}) as answer:
                self.assertEqual(await answer.json(), {"größe": [1, None]})
        self.run_with(conversation)

    def test_bodies(self):
        async def pieces():
            for _ in range(100):
                yield b"p" * 10_000

        async def conversation(session):
            body = os.urandom(3_000_000)
            async with session.post("/echo", data=body) as answer:
                self.assertEqual(await answer.read(), body)
            async with session.put("/echo", data=pieces()) as answer:
                self.assertEqual(await answer.read(), b"p" * 1_000_000)
            async with session.put("/echo", data=body, expect100=True) as answer:
                self.assertEqual(await answer.read(), body)
            async with session.get("/stream?chunks=5&ms=1") as answer:
                self.assertEqual([line async for line in answer.content], [b"chunk %d\n" % i for i in range(5)])
        self.run_with(conversation)

    def test_forms_redirects_and_cookies(self):
        import aiohttp

        async def conversation(session):
            form = aiohttp.FormData()
            form.add_field("a", "b")
            form.add_field("f", b"x" * 1000, filename="f.png", content_type="image/png")
            async with session.post("/upload", data=form) as answer:
                self.assertEqual([part["size"] for part in (await answer.json())["parts"]], [1, 1000])
            async with session.get("/redirect", params={"to": "/plaintext", "code": "303"}) as answer:
                self.assertEqual(await answer.text(), "Hello, World!")
            async with session.get("/cookie?name=a&value=1"):
                pass
            async with session.get("/headers") as answer:
                self.assertEqual(answer.status, 200)
        self.run_with(conversation)

    def test_many_at_a_time(self):
        async def one(session, i):
            async with session.get(f"/query/{i}") as answer:
                return (await answer.json())["path"]

        async def conversation(session):
            self.assertEqual(await asyncio.gather(*(one(session, i) for i in range(200))), [f"/query/{i}" for i in range(200)])
        self.run_with(conversation)


class AiohttpWebSocket(AiohttpRequests):
    peer, group = "aiohttp", "WebSocket"
    test_methods = test_bodies = test_forms_redirects_and_cookies = test_many_at_a_time = None

    def talk(self, conversation, **options):
        async def with_session(session):
            async with session.ws_connect("/ws/echo", max_msg_size=0, **options) as link:
                await conversation(link)
        self.run_with(with_session)

    def test_sizes(self):
        async def conversation(link):
            for size in (0, 1, 125, 126, 127, 65535, 65536, 1_000_000):
                await link.send_str("é" * size)
                self.assertEqual(await link.receive_str(), "é" * size)
                body = os.urandom(size)
                await link.send_bytes(body)
                self.assertEqual(await link.receive_bytes(), body)
            await link.close(code=4321)
            self.assertEqual(link.close_code, 4321)
        for compress in (0, 15, 9):
            with self.subTest(compress=compress):
                self.talk(conversation, compress=compress)

    def test_pings(self):
        import aiohttp

        async def conversation(link):
            await link.ping(b"there?")
            answer = await link.receive()
            self.assertEqual((answer.type, answer.data), (aiohttp.WSMsgType.PONG, b"there?"))
        self.talk(conversation, autoping=False)


class NodeFetch(CaseLines):
    peer, group = "Node fetch", "requests"

    @staticmethod
    def present():
        return has_node()

    def command(self):
        return ["node", str(HERE / "node_client.js"), "fetch", self.base]


class NodeWebSocket(CaseLines):
    peer, group = "Node ws", "WebSocket"

    @staticmethod
    def present():
        return has_node("ws")

    def command(self):
        return ["node", str(HERE / "node_client.js"), "ws", self.base]


# --- peers that are servers ------------------------------------------------------------------------


class Fetch(Row):
    """coronado-fetch against a server."""

    def fetch(self, *arguments, code=0):
        done = run(program("coronado-fetch"), *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout

    def test_get(self):
        self.assertEqual(self.fetch(f"{self.base}/hello"), b"hello")
        self.assertEqual(self.fetch(f"{self.base}/redirect"), b"hello")
        self.fetch(f"{self.base}/nothing", code=1)

    def test_compressed(self):
        self.assertEqual(self.fetch("--compressed", f"{self.base}/text"), b"t" * 20_000)
        self.assertIn(b"Consumed", self.fetch("--compressed", "--include", f"{self.base}/text"))

    def test_to_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            self.fetch(f"--output={folder}/f", f"{self.base}/large")
            self.assertEqual(Path(folder, "f").read_bytes(), b"l" * 5_000_000)

    def test_post(self):
        self.assertEqual(self.fetch("--data=x", f"{self.base}/sink"), b"taken")


class NginxFetch(Fetch):
    peer, group = "nginx", "coronado-fetch"
    start = Nginx

    @staticmethod
    def present():
        return bool(nginx_program())


class NodeServerFetch(Fetch):
    peer, group = "Node http", "coronado-fetch"

    @staticmethod
    def present():
        return has_node()

    @classmethod
    def start(cls):
        return Listening("node", str(HERE / "node_server.js"))


class NginxClient(CaseLines):
    peer, group = "nginx", "HTTPClient"
    start = Nginx
    present = staticmethod(NginxFetch.present)

    def command(self):
        return [program("interop_client"), "http", "own", self.base]


class NginxCurlEngine(NginxClient):
    group = "HTTPClient on libcurl"

    def command(self):
        return [program("interop_client"), "http", "curl", self.base]


class NodeServerClient(CaseLines):
    peer, group = "Node http", "HTTPClient"
    present = staticmethod(NodeServerFetch.present)
    start = NodeServerFetch.start

    def command(self):
        return [program("interop_client"), "http", "own", self.base, "echo"]


class NodeServerCurlEngine(NodeServerClient):
    group = "HTTPClient on libcurl"

    def command(self):
        return [program("interop_client"), "http", "curl", self.base, "echo"]


class NodeServerWebSocket(CaseLines):
    peer, group = "Node ws", "WebSocket client"
    present = staticmethod(NodeWebSocket.present)
    start = NodeServerFetch.start

    def command(self):
        return [program("interop_client"), "ws", self.base.replace("http", "ws")]


ROWS = [CurlRequests, H2Load, AiohttpRequests, AiohttpWebSocket, NodeFetch, NodeWebSocket, NginxFetch, NginxClient, NginxCurlEngine,
        NodeServerFetch, NodeServerClient, NodeServerCurlEngine, NodeServerWebSocket]

# Suites beside this file, tests of their own for ctest: module, peer, its program, what must be there.
SUITES = [("websocket_test", "Python websockets", "interop_server", lambda: has_module("websockets")),
          ("interop_test", "Python http.client", "interop_server", lambda: True),
          ("tls_test", "OpenSSL", "interop_server", lambda: bool(shutil.which("openssl"))),
          ("fetch_test", "Python sockets", "coronado-fetch", lambda: True),
          ("cases_test", "Tornado's cases", "cases_server", lambda: True),
          ("arena_test", "arena's profiles", "arena_server", lambda: True),
          ("socks5_test", "curl over SOCKS5", "socks5_proxy", lambda: bool(shutil.which("curl")))]


# --- the table -------------------------------------------------------------------------------------


class Counting(unittest.TextTestResult):
    """Counts cases; a row whose program prints its own counts those."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.cases = self.bad = 0

    def stopTest(self, test):
        super().stopTest(test)
        self.cases += getattr(test, "cases", 1)

    def count(self):
        bad = 0
        for test, _ in self.failures + self.errors:
            bad += getattr(test, "failed", 1) or 1
        return max(self.cases - bad, 0), bad


def run_row(case):
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    said = io.StringIO()
    result = unittest.TextTestRunner(stream=said, resultclass=Counting, verbosity=0).run(suite)
    if not result.wasSuccessful():
        print(said.getvalue(), file=sys.stderr)
    return result.count()


def rows_of(args):
    """(peer, group, is it there, test case) of each row."""
    rows = [(row.peer, row.group, row.present, row) for row in ROWS]
    for name, peer, wanted, present in SUITES if args.all else []:
        if not present():
            rows.append((peer, name, present, None))
            continue
        module = importlib.import_module(name)
        module.PROGRAM = program(wanted)
        for case in vars(module).values():
            if isinstance(case, type) and issubclass(case, unittest.TestCase) and case.__module__ == name:
                if unittest.defaultTestLoader.getTestCaseNames(case):
                    rows.append((peer, case.__name__, present, case))
    return [row for row in rows if args.only in f"{row[0]} {row[1]}"]


def main():
    global DIRECTORY
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    DIRECTORY = args.directory.resolve()
    lines, failed, missing = [], 0, []
    for peer, group, present, case in rows_of(args):
        if not present():
            missing.append(peer)
            lines.append((peer, group, "missing", ""))
            continue
        good, bad = run_row(case)
        failed += bad + (good + bad == 0)
        lines.append((peer, group, str(good), str(bad)))
    widths = [max(len(line[i]) for line in [*lines, ("peer", "cases", "passed", "failed")]) for i in range(4)]
    for line in [("peer", "cases", "passed", "failed"), *lines]:
        print(f"{line[0]:{widths[0]}}  {line[1]:{widths[1]}}  {line[2]:>{widths[2]}}  {line[3]:>{widths[3]}}")
    for peer in dict.fromkeys(missing):
        print(f"missing: {peer}; tools/install-deps installs it")
    return 1 if failed or not lines or (missing and os.environ.get("CI")) else 0


if __name__ == "__main__":
    sys.exit(main())

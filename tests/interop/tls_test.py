#!/usr/bin/env python3
"""TLS between ours and everybody else's: openssl s_client and s_server, curl, Python's ssl.

    tls_test.py PROGRAM [unittest options]

PROGRAM is the interop server; `tls` (examples/tls.cpp), when it stands beside it, is the client that
talks to s_server. Certificates are made with the openssl program.
"""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PROGRAM = ""
TIMEOUT = 60
OPENSSL = shutil.which("openssl")
CURL = shutil.which("curl")


def openssl(*arguments, text=""):
    """Runs the openssl program; returns its exit code and all that it says."""
    done = subprocess.run([OPENSSL, *arguments], input=text, capture_output=True, text=True, timeout=TIMEOUT)
    return done.returncode, done.stdout + done.stderr


class Authority:
    """A root in a folder, and what it has signed."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.root = self.folder / "ca.pem"
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                  "-subj", "/CN=Interop CA", "-keyout", self.folder / "ca.key", "-out", self.root)

    def issue(self, name, common_name="localhost"):
        """Writes NAME.pem and NAME.key for localhost."""
        extensions = self.folder / f"{name}.ext"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        self._run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={common_name}",
                  "-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.csr")
        self._run("x509", "-req", "-in", self.folder / f"{name}.csr", "-CA", self.root, "-CAkey", self.folder / "ca.key",
                  "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", self.folder / f"{name}.pem")

    @staticmethod
    def _run(*arguments):
        code, said = openssl(*map(str, arguments))
        assert code == 0, said


@unittest.skipUnless(OPENSSL, "there is no openssl program")
class TLSCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="coronado-tls-")
        cls.authority = Authority(cls.folder.name)
        cls.authority.issue("server")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def path(self, name):
        return str(Path(self.folder.name) / name)


class ServerCase(TLSCase):
    def setUp(self):
        self.process = subprocess.Popen(
            [PROGRAM, "--port=0", "--log-level=info", f"--tls-cert={self.path('server.pem')}",
             f"--tls-key={self.path('server.key')}"], stdout=subprocess.PIPE, stderr=open(self.path("log"), "w"), text=True)
        line = self.process.stdout.readline()
        self.assertRegex(line, r"^listening \d+\n$", Path(self.path("log")).read_text())
        self.port = int(line.split()[1])

    def tearDown(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(TIMEOUT), 0)
        self.process.stdout.close()
        self.assertNotIn("error coronado", self.log())

    def log(self):
        return Path(self.path("log")).read_text()

    def wait_for_log(self, text):
        deadline = time.monotonic() + TIMEOUT
        while text not in self.log() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertIn(text, self.log())

    def s_client(self, *arguments, text="GET /plaintext HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
        return openssl("s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", "localhost", "-CAfile",
                       self.path("ca.pem"), "-verify_return_error", "-verify_hostname", "localhost", "-ign_eof", *arguments,
                       text=text)

    def test_s_client(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                code, said = self.s_client(version, "-alpn", "h2,http/1.1")
                self.assertEqual(code, 0, said)
                self.assertIn("Verification: OK", said)
                self.assertIn("ALPN protocol: http/1.1", said)
                self.assertIn("Compression: NONE", said)
                self.assertIn("Hello, World!", said)
                self.assertNotIn("unexpected eof", said)

    def test_s_client_resumes(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                self.s_client(version, "-sess_out", self.path("session"))
                code, said = self.s_client(version, "-sess_in", self.path("session"))
                self.assertEqual(code, 0, said)
                self.assertIn("Reused, TLSv1", said)

    def test_old_versions_are_refused(self):
        code, said = self.s_client("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        self.assertNotEqual(code, 0)
        self.assertIn("alert protocol version", said)

    def test_renegotiation_is_refused(self):
        code, said = openssl("s_client", "-connect", f"127.0.0.1:{self.port}", "-tls1_2", text="R\n")
        self.assertIn("no renegotiation", said.lower())
        self.assertIn("Renegotiation", said)

    @unittest.skipUnless(CURL, "there is no curl")
    def test_curl(self):
        def curl(*arguments):
            done = subprocess.run([CURL, "-sS", "--max-time", "30", *arguments], capture_output=True, text=True)
            return done.returncode, done.stdout, done.stderr
        url = f"https://localhost:{self.port}/plaintext"
        code, body, error = curl("--cacert", self.path("ca.pem"), url, url)
        self.assertEqual((code, body), (0, "Hello, World!" * 2), error)
        code, _, error = curl(url)
        self.assertEqual(code, 60, error)
        code, body, error = curl("--cacert", self.path("ca.pem"), "--http1.0",
                                 f"https://localhost:{self.port}/stream?chunks=50&size=20000")
        self.assertEqual((code, len(body)), (0, 50 * 20000), error)  # the end is the end of the connection

    def client(self, **options):
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        for name, value in options.items():
            setattr(context, name, value)
        plain = socket.create_connection(("127.0.0.1", self.port), TIMEOUT)
        return context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)

    def test_large_echo(self):
        body = os.urandom(5_000_000)
        with self.client() as connection:
            head = f"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.settimeout(TIMEOUT)
            received = bytearray()
            connection.sendall(head.encode() + body[:1_000_000])
            sent = 1_000_000
            while sent < len(body):
                connection.sendall(body[sent:sent + 500_000])
                sent += 500_000
                received += connection.recv(1 << 20)
            while piece := connection.recv(1 << 20):
                received += piece
        head, _, rest = bytes(received).partition(b"\r\n\r\n")
        self.assertIn(b"200 OK", head)
        pieces = []
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            pieces.append(rest[:int(size, 16)])
            rest = rest[int(size, 16) + 2:]
        self.assertEqual(b"".join(pieces), body)

    def test_plain_http_is_told_apart(self):
        with socket.create_connection(("127.0.0.1", self.port), TIMEOUT) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            plain.recv(1000)
        self.wait_for_log("the peer speaks plain HTTP")

    def test_garbage_does_no_harm(self):
        for garbage in (b"\x16\x03\x01\xff\xff" + b"\0" * 100, os.urandom(2000), b"\x80\x2e\x01\x03\x01", b"\x16", b""):
            with socket.create_connection(("127.0.0.1", self.port), TIMEOUT) as plain:
                plain.sendall(garbage)
        code, said = self.s_client()
        self.assertEqual(code, 0, said)

    def test_certificates_are_read_again(self):
        def shown():
            with self.client() as connection:
                return dict(entry[0] for entry in connection.getpeercert()["subject"])["commonName"]
        self.assertEqual(shown(), "localhost")
        with self.client() as kept:
            try:
                self.authority.issue("server", "renewed")
                self.process.send_signal(signal.SIGHUP)
                self.wait_for_log("were read again")
                self.assertEqual(shown(), "renewed")
            finally:
                self.authority.issue("server")
            kept.sendall(b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"200 OK", kept.recv(1000))


class ClientCase(TLSCase):
    """Our client with `openssl s_server`."""

    def setUp(self):
        self.program = Path(PROGRAM).with_name("tls")
        if not self.program.exists():
            self.skipTest(f"{self.program} is not built")

    def ask(self, version, host, ca):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen(
            [OPENSSL, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", self.path("server.pem"), "-key",
             self.path("server.key"), version, "-rev"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        try:
            while "ACCEPT" not in (line := server.stdout.readline()):
                self.assertTrue(line, "s_server does not start")
            return subprocess.run([self.program, "ask", host, str(port), self.path(ca), "drawer"], capture_output=True,
                                  text=True, timeout=TIMEOUT)
        finally:
            server.kill()
            server.wait()
            server.stdout.close()

    def test_s_server(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                done = self.ask(version, "localhost", "ca.pem")
                self.assertIn("reward", done.stdout, done.stderr)

    def test_wrong_host_and_authority(self):
        done = self.ask("-tls1_3", "example.com", "ca.pem")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is for localhost, 127.0.0.1, not for example.com", done.stderr)
        os.mkdir(self.path("elsewhere"))
        Authority(self.path("elsewhere"))
        done = self.ask("-tls1_3", "localhost", "elsewhere/ca.pem")
        self.assertEqual(done.returncode, 1)
        self.assertIn('signed by "CN=Interop CA", which is not trusted', done.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

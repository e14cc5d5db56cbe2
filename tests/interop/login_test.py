#!/usr/bin/env python3
"""Drives examples/login as a browser would: registration, login, logout, and what must be refused.

    login_test.py PROGRAM [unittest options]

Standard library only; everything on 127.0.0.1.
"""

import http.cookiejar
import re
import signal
import subprocess
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

PROGRAM = ""
TIMEOUT = 60
PASSWORD = "correct horse battery staple"


class Server:
    """The program, with two workers that share the sessions."""

    def __enter__(self):
        self.process = subprocess.Popen([PROGRAM, "--port=0", "--workers=2"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = "http://127.0.0.1:" + re.fullmatch(r"listening (\d+)", self.process.stdout.readline().strip())[1]
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.status = self.process.wait(TIMEOUT)
        self.process.stdout.close()


class Browser:
    def __init__(self, url):
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        opener = urllib.request.HTTPCookieProcessor(self.cookies)
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), opener)

    def visit(self, path, fields=None):
        """The status, the path where it ended, and the page."""
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        try:
            response = self.opener.open(self.url + path, data, TIMEOUT)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            path = response.geturl().removeprefix(self.url)
            return response.status, path, response.read().decode()

    def post(self, path, **fields):
        """Fills in the form of the login page, or of the home page."""
        page = self.visit("/login")[2] if path != "/logout" else self.visit("/")[2]
        token = re.search(r'name="_xsrf" value="([^"]+)"', page)[1]
        return self.visit(path, {"_xsrf": token, **fields})

    def cookie(self, name):
        return next((each.value for each in self.cookies if each.name == name), None)


class LoginTest(unittest.TestCase):
    def test_a_user_comes_and_goes(self):
        with Server() as server:
            ada = Browser(server.url)
            self.assertEqual(ada.visit("/")[:2], (200, "/login?next=%2F"))
            status, path, page = ada.post("/register", name="ada", password=PASSWORD)
            self.assertEqual((status, path), (200, "/"))
            self.assertIn("Hello, ada.", page)
            for _ in range(4):  # whichever worker answers
                self.assertIn("Hello, ada.", ada.visit("/")[2])
            self.assertEqual(ada.post("/register", name="ada", password=PASSWORD)[0], 409)
            self.assertEqual(ada.post("/register", name="eve", password="short")[0], 400)

            stolen = ada.cookie("session")
            self.assertEqual(ada.post("/logout")[:2], (200, "/login"))
            self.assertIsNone(ada.cookie("session"))
            thief = urllib.request.Request(server.url + "/", headers={"Cookie": "session=" + stolen})
            with ada.opener.open(thief, timeout=TIMEOUT) as response:
                self.assertIn("Log in", response.read().decode())

            self.assertEqual(ada.post("/login", name="ada", password="wrong")[0], 403)
            self.assertEqual(ada.post("/login", name="nobody", password=PASSWORD)[0], 403)
            status, path, page = ada.post("/login", name="ada", password=PASSWORD, next="/")
            self.assertEqual((status, path), (200, "/"))
            self.assertIn("Hello, ada.", page)
            self.assertNotEqual(ada.cookie("session"), stolen)
        self.assertEqual(server.status, 0)

    def test_what_is_refused(self):
        with Server() as server:
            ada = Browser(server.url)
            self.assertEqual(ada.visit("/register", {"name": "ada", "password": PASSWORD})[0], 403)  # no token
            self.assertEqual(ada.visit("/logout", {})[0], 403)
            # A link to the login page does not lead to another site.
            status, path, page = ada.post("/register", name="ada", password=PASSWORD, next="https://evil.example/")
            self.assertEqual((status, path), (200, "/"))
            with ada.opener.open(server.url + "/", timeout=TIMEOUT) as response:
                self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
                self.assertIn("frame-ancestors 'none'", response.headers["Content-Security-Policy"])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    unittest.main()

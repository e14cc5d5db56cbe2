#!/usr/bin/env python3
"""Follows the notice board of examples/events.cpp with a browser's EventSource, and with the project's own.

    events_test.py PROGRAM [unittest options]

Needs `chromium` for the browser's part. Everything on 127.0.0.1.
"""

import re
import shutil
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from cdp import Browser  # noqa: E402

PROGRAM = ""
TIMEOUT = 60
NOTES = "[...document.querySelectorAll('#notes li')].map((item) => item.textContent).join('|')"


class Board:
    """The server under test; `start` brings it back on the same port, with no notes."""

    def __init__(self):
        self.port = 0
        self.start()

    def start(self):
        self.process = subprocess.Popen([PROGRAM, "serve", f"--port={self.port}", "--log-level=error"],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(re.fullmatch(r"listening (\d+)\n", self.process.stdout.readline())[1])

    def stop(self):
        self.process.terminate()
        code = self.process.wait(TIMEOUT)
        self.process.stdout.close()
        return code

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def add(self, note):
        urllib.request.urlopen(self.url("/notes"), note.encode(), TIMEOUT).close()


class EventsTest(unittest.TestCase):
    def setUp(self):
        self.board = Board()
        self.addCleanup(lambda: self.board.process.poll() is None and self.board.stop())

    @unittest.skipUnless(shutil.which("chromium"), "no chromium")
    def test_a_browser_follows_and_comes_back(self):
        self.board.add("first\nof two lines")
        with Browser() as browser:
            page = browser.open_page()
            self.addCleanup(page.close)
            page.open(self.board.url())
            page.wait_for(f"{NOTES} === 'first\\nof two lines'")
            self.board.add("second")
            page.wait_for(f"{NOTES}.endsWith('|second')")
            # A drain ends the stream and not after its timeout; the browser comes back to the next server and shows
            # that it has seen number 1, so that only number 2 is sent.
            self.assertEqual(self.board.stop(), 0)
            self.board.start()
            for note in ("zero", "one", "two"):
                self.board.add(note)
            page.wait_for(f"{NOTES} === 'first\\nof two lines|second|two'")

    def test_the_client_follows_and_comes_back(self):
        self.board.add("first")
        client = subprocess.Popen([PROGRAM, "follow", self.board.url("/notes")], stdout=subprocess.PIPE, text=True)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        self.assertEqual(client.stdout.readline(), "0 message: first\n")
        self.assertEqual(self.board.stop(), 0)
        self.board.start()
        for note in ("zero", "one"):
            self.board.add(note)
        self.assertEqual(client.stdout.readline(), "1 message: one\n")

    def test_a_stream_is_given_as_it_comes(self):
        with urllib.request.urlopen(self.board.url("/clock"), timeout=TIMEOUT) as stream:
            self.assertEqual(stream.headers["Content-Type"], "text/event-stream")
            self.assertEqual(stream.headers["Access-Control-Allow-Origin"], "*")
            lines = [stream.readline() for _ in range(5)]
        self.assertEqual(lines, [b"retry: 1000\n", b"\n", b"event: tick\n", b"data: 0\n", b"\n"])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

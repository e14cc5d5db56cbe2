#!/usr/bin/env python3
"""Looks at the error page of an application that serves tracebacks.

    debug_page_test.py PROGRAM [unittest options]

PROGRAM is `cases_server`. Needs `chromium`. Everything on 127.0.0.1. CORONADO_SCREENSHOTS=DIR keeps pictures of the page.
"""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from cdp import Browser  # noqa: E402

PROGRAM = ""
TIMEOUT = 60


class DebugPageTest(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen([PROGRAM, "--port=0", "--log-level=off"], stdout=subprocess.PIPE, text=True,
                                       env=dict(os.environ, CASES_TRACEBACK="yes"))
        self.addCleanup(self.stop)
        port = re.fullmatch(r"listening (\d+)\n", self.server.stdout.readline())[1]
        self.url = f"http://127.0.0.1:{port}"

    def stop(self):
        self.server.terminate()
        self.assertEqual(self.server.wait(TIMEOUT), 0)
        self.server.stdout.close()

    def test_it_says_what_was_thrown_and_where(self):
        with Browser() as browser:
            page = browser.open_page()
            self.addCleanup(page.close)
            page.emulate(1200, 900)
            page.open(self.url + "/err?x=%3Cscript%3Ealert(1)%3C/script%3E")
            self.assertEqual(page.evaluate("document.title"), "500: Internal Server Error")
            self.assertEqual(page.evaluate("document.querySelector('.type').textContent"), "std::runtime_error")
            self.assertEqual(page.evaluate("document.querySelector('pre').textContent"), "on purpose")
            self.assertEqual(page.evaluate("document.scripts.length"), 0)
            self.assertIn("/err", page.evaluate("document.querySelectorAll('pre')[1].textContent"))
            trace = page.evaluate("document.querySelector('.trace').textContent")
            self.assertRegex(trace, r"\Aat cases_server\.cpp:\d+ Fails::get\(\)\n"
                                    r"at cases_server\.cpp:\d+ load_page\(\)\n"
                                    r"thrown in read_page\(\) at cases_server\.cpp:\d+\n\Z")
            page.keep_picture("debug-page")
            page.emulate(420, 900, scheme="dark")
            wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            self.assertFalse(wide, "the page is wider than a telephone")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

#!/usr/bin/env python3
"""Reads the OpenAPI page of examples/orders.cpp in a browser and tries its operations there.

    openapi_test.py PROGRAM [unittest options]

Needs `chromium`. Everything on 127.0.0.1. CORONADO_SCREENSHOTS=DIR keeps pictures of the page.
"""

import json
import re
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from cdp import Browser  # noqa: E402

PROGRAM = ""
TIMEOUT = 60


class OpenAPITest(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen([PROGRAM, "--port=0", "--log-level=error"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        port = re.fullmatch(r"listening (\d+)\n", self.server.stdout.readline())[1]
        self.url = f"http://127.0.0.1:{port}"

    def stop(self):
        self.server.terminate()
        self.assertEqual(self.server.wait(TIMEOUT), 0)
        self.server.stdout.close()

    def test_the_document_is_whole(self):
        with urllib.request.urlopen(self.url + "/openapi.json", timeout=TIMEOUT) as response:
            document = json.load(response)
        self.assertEqual(document["openapi"], "3.1.0")
        references = re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document))
        self.assertEqual(set(references) - set(document["components"]["schemas"]), set())
        names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(len(names), 4)

    def test_wrong_orders_are_answered_field_by_field(self):
        body = json.dumps({"customer": "Ada!", "lines": [{"item": "", "count": 0}]}).encode()
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(self.url + "/orders", body, TIMEOUT)
        self.assertEqual(refused.exception.code, 422)
        fields = [error["field"] for error in json.load(refused.exception)["errors"]]
        self.assertEqual(fields, ["customer", "lines[0].item", "lines[0].count"])

    def test_the_page_is_read_and_tried(self):
        with Browser() as browser:
            page = browser.open_page()
            self.addCleanup(page.close)
            page.emulate(1200, 900)
            page.open(self.url + "/docs")
            page.wait_for("document.body.dataset.ready === 'yes'")
            self.assertEqual(page.evaluate("document.querySelector('h1').textContent"), "Orders")
            self.assertEqual(page.evaluate("[...document.querySelectorAll('h2')].map((h) => h.textContent).join()"),
                             "Orders,Clerks")
            self.assertEqual(page.evaluate("document.querySelectorAll('details.operation').length"), 4)
            self.assertIn("1 to 100", page.evaluate("typeText(schemas.Line.properties.count)"))
            page.evaluate("document.querySelector('#post_orders').open = true")
            fields = page.evaluate("document.querySelector('#post_orders table').textContent")
            self.assertIn("lines[].count", fields)
            self.assertIn("list of Line, 1 to 10 of them", fields)
            self.assertIn("matches [a-z0-9-]{1,20}", fields)
            self.assertIn("What to send", fields)
            page.evaluate("""document.querySelector('#post_orders textarea').value =
                             JSON.stringify({customer: 'ada', lines: [{item: 'tea', count: 2}]})""")
            page.evaluate("document.querySelector('#post_orders form').requestSubmit()")
            page.wait_for("document.querySelector('#post_orders form pre').textContent.startsWith('200')")
            self.assertIn('"id": 1', page.evaluate("document.querySelector('#post_orders form pre').textContent"))
            page.keep_picture("openapi")
            page.emulate(420, 900, scheme="dark")
            wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            self.assertFalse(wide, "the page is wider than a telephone")
            page.keep_picture("openapi-narrow")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

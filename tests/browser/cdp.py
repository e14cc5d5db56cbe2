"""Headless Chromium driven through the DevTools protocol, with the standard library alone.

    WebSocket   the client side of RFC 6455, text messages only
    Browser     a Chromium process with a profile of its own
    Page        one tab: evaluate scripts, wait for conditions, collect problems, take screenshots
"""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--force-color-profile=srgb --hide-scrollbars --remote-debugging-port=0"
).split()


class WebSocket:
    """A blocking WebSocket client."""

    def __init__(self, url, timeout=60):
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode())
        self._input = self._socket.makefile("rb")
        status = self._input.readline()
        if b" 101 " not in status:
            raise ConnectionError(f"{url}: no upgrade: {status!r}")
        while self._input.readline() not in (b"\r\n", b""):
            pass

    def send(self, text):
        self._send_frame(0x1, text.encode())

    def _send_frame(self, opcode, payload):
        # RFC 6455 5.3: a client masks every frame; a mask of zeroes leaves the payload as it is.
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
        elif size < 65536:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
        self._socket.sendall(head + bytes(4) + payload)

    def receive(self):
        """The next text message, fragments joined; pings are answered on the way."""
        message = b""
        while True:
            first, size = self._read(2)
            if size == 126:
                (size,) = struct.unpack("!H", self._read(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", self._read(8))
            payload = self._read(size)
            opcode = first & 0x0F
            if opcode == 0x8:
                raise ConnectionError("the browser closed the connection")
            if opcode == 0x9:
                self._send_frame(0xA, payload)
            elif opcode in (0x0, 0x1):
                message += payload
                if first & 0x80:
                    return message.decode()

    def _read(self, size):
        data = self._input.read(size)
        if len(data) < size:
            raise ConnectionError("the browser went away")
        return data

    def close(self):
        self._input.close()
        self._socket.close()


class Browser:
    """A headless Chromium; use as a context manager."""

    def __init__(self, program="chromium"):
        self._profile = tempfile.mkdtemp(prefix="tour-browser-")
        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self._profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = Path(self._profile) / "DevToolsActivePort"
        until(lambda: port_file.exists() and port_file.read_text().count("\n") > 0, 60,
              "Chromium did not open its debugging port")
        self._port = int(port_file.read_text().split("\n")[0])

    def open_page(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Page(json.load(answer)["webSocketDebuggerUrl"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        until(self._remove_profile, 20, f"cannot remove {self._profile}")

    def _remove_profile(self):
        """Chromium's helper processes may write for a moment after it has ended."""
        shutil.rmtree(self._profile, ignore_errors=True)
        return not os.path.exists(self._profile)


class Page:
    """One tab. `problems` collects console errors, exceptions and failed requests as text."""

    def __init__(self, url):
        self._socket = WebSocket(url)
        self._next_id = 0
        self._requests = {}
        self.problems = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        """Send one command and return its result."""
        self._next_id += 1
        self._socket.send(json.dumps({"id": self._next_id, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.receive())
            if message.get("id") == self._next_id:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]
            self._note(message.get("method"), message.get("params", {}))

    def _note(self, event, params):
        if event == "Network.requestWillBeSent":
            self._requests[params["requestId"]] = f"{params['request']['method']} {params['request']['url']}"
        elif event == "Network.responseReceived" and params["response"]["status"] >= 400:
            self.problems.append(f"{params['response']['status']} {params['response']['url']}")
        elif event == "Network.loadingFailed" and not params.get("canceled"):
            self.problems.append(f"{params['errorText']} {self._requests.get(params['requestId'])}")
        elif event == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description", details["text"]))
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.problems.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
        elif event == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    def requests(self, ending):
        """How many requests so far were for a URL with this ending."""
        self.evaluate("0")  # takes in what the browser has reported meanwhile
        return sum(request.endswith(ending) for request in self._requests.values())

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, script):
        """The value of `script`, which may be a promise."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']['exception']['description']}")
        return result["result"].get("value")

    def wait_for(self, script, seconds=20):
        """Evaluate `script` until it is truthy and return that value."""
        def value():
            try:
                return self.evaluate(script)
            except RuntimeError as error:
                if "Inspected target navigated" not in str(error):
                    raise
                return None  # it is on its way to another page
        return until(value, seconds, f"never true: {script}")

    def click(self, selector):
        """Click the middle of an element as a mouse would, once it has come to rest there."""
        x, y = self.evaluate(
            f"(async () => {{ const e = document.querySelector({json.dumps(selector)});"
            " const frame = () => new Promise((done) => requestAnimationFrame(done));"
            " let before = '';"
            " for (;;) {"
            "   e.scrollIntoView({block: 'center', behavior: 'instant'});"
            "   await frame(); await frame();"
            "   const r = e.getBoundingClientRect();"
            "   const now = [r.x, r.y, r.width, r.height].join();"
            "   if (now === before) return [r.x + r.width / 2, r.y + r.height / 2];"
            "   before = now;"
            " } })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def emulate(self, width, height, scheme="light", reduced_motion=False, scale=1):
        """Set the viewport in CSS pixels and the user's preferences."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=scale, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced_motion else "no-preference"}])

    def screenshot(self, path, full=False):
        clip = {}
        if full:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=full, **clip)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def keep_picture(self, name):
        """A screenshot of the whole page as NAME.png in the folder CORONADO_SCREENSHOTS, if there is one."""
        folder = os.environ.get("CORONADO_SCREENSHOTS")
        if folder:
            self.screenshot(Path(folder) / f"{name}.png", full=True)

    def close(self):
        self._socket.close()


def until(condition, seconds, complaint):
    """Poll `condition` until it is truthy; AssertionError with `complaint` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.03)  # the pace of polling; no result depends on it
    raise AssertionError(f"{complaint} (waited {seconds} s)")

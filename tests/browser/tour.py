"""What the browser tests of the tour share: the process, its pages, and checks that hold for every page."""

import json
import re
import subprocess
import urllib.request
from pathlib import Path

STOPS = ("hello", "waiting", "cancel", "streams", "chat", "forms", "templates", "files", "users", "api", "languages",
         "simulation", "inspector")
PAGES = ("", *STOPS)


class Tour:
    """The process under test; `restart` brings it back on the same port."""

    def __init__(self, program):
        self._program = program
        self.port = 0
        self._process = None
        self.start()

    def start(self):
        self._process = subprocess.Popen([self._program, f"--port={self.port}"], stdout=subprocess.PIPE, text=True)
        for line in self._process.stdout:
            found = re.search(r"listening\D*(?:[\d.]+:)?(\d+)\s*$", line)
            if found:
                self.port = int(found[1])
                return
        raise AssertionError(f"{self._program} ended with {self._process.wait()} before it listened")

    def stop(self):
        """Ends it with SIGTERM; it must drain and exit with 0, whatever runs on it."""
        self._process.terminate()
        try:
            code = self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process.stdout.close()
        assert code == 0, f"{self._program} ended with {code}"

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return json.load(answer)


def text(page, element):
    return page.evaluate(f"document.getElementById({element!r}).textContent")


def number(page, element):
    """The first number an element shows, thousands separators removed."""
    return float(re.search(r"[\d,]+(?:\.\d+)?", text(page, element))[0].replace(",", ""))


def wait_text(page, element, pattern, seconds=20):
    page.wait_for(f"/{pattern}/.test(document.getElementById({element!r}).textContent)", seconds)


def visit(page, tour, path, lang="en"):
    """Open a page in a language, and wait until its scripts run."""
    page.open(f"http://127.0.0.1:{tour.port}/{path}?lang={lang}")
    page.wait_for(f"location.pathname === '/{path}' && document.readyState === 'complete'")
    page.wait_for("document.getElementById('live-rps').textContent !== '–'")


def fits_every_width(page, tour):
    for width in (360, 412, 768, 1024, 1440):
        page.emulate(width, 800)
        page.wait_for(f"innerWidth === {width}")
        over = page.evaluate("document.documentElement.scrollWidth")
        assert over <= width, f"at {width} px the page is {over} px wide"
    page.emulate(1280, 900)


def has_readable_contrast(page, tour):
    """WCAG 2 AA: 4.5 for text, 3 for large text, in both colour schemes."""
    script = (Path(__file__).parent / "contrast.js").read_text()
    for scheme in ("light", "dark"):
        page.emulate(1280, 900, scheme)
        poor = page.evaluate(script)
        assert not poor, f"{scheme}: {poor}"
    page.emulate(1280, 900)


def names_every_control(page, tour):
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, a, input:not([type=hidden]), svg[role=img], pre[tabindex]')].filter(e =>"
        " !(e.textContent.trim() || e.ariaLabel || e.getAttribute('aria-labelledby') || e.labels?.[0]?.textContent.trim())).map(e => e.outerHTML)")
    assert not nameless, nameless
    duplicates = page.evaluate(
        "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)")
    assert not duplicates, duplicates

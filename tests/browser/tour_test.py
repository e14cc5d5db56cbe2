#!/usr/bin/env python3
"""Clicks through the tour in a real browser.

    tour_test.py PROGRAM [--screenshots DIRECTORY] [--only NAME]

PROGRAM is started with --port=0 and prints `listening PORT` once it serves. Needs `chromium`.
Prints one line per check and `N passed, N failed`; exits with 1 when something failed.
"""

import argparse
import json
import re
import subprocess
import sys
import traceback
import urllib.request
from pathlib import Path

from cdp import Browser, until


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


def shows_live_figures(page, tour):
    page.wait_for("document.getElementById('live-rps').textContent !== '–'")
    assert number(page, "live-tasks") >= 1, text(page, "live-tasks")
    assert number(page, "live-rss") > 0, text(page, "live-rss")
    assert text(page, "live-reactor"), "no reactor named"
    page.wait_for("document.querySelectorAll('#live-spark .spark-line').length === 1")


def puts_load_on_the_process(page, tour):
    before = tour.get("/api/stats")["requests"]
    page.click("#load-button")
    assert page.evaluate("document.getElementById('load-button').getAttribute('aria-pressed')") == "true"
    wait_text(page, "load-status", r"^[1-9][\d,]* requests from this page")
    page.wait_for("parseInt(document.getElementById('load-status').textContent.replace(/,/g, '')) > 200", 60)
    page.click("#load-button")
    page.wait_for("document.getElementById('load-button').getAttribute('aria-pressed') === 'false'")
    assert tour.get("/api/stats")["requests"] - before > 200, "the process did not see the load"


def sleeps_and_cancels(page, tour):
    page.click("[data-count='100000']")
    wait_text(page, "sleepers-status", r"^100,000 started in")
    page.wait_for("parseInt(document.getElementById('sleepers-count').textContent.replace(/,/g, '')) > 90000")
    assert 50 <= number(page, "sleepers-bytes") <= 5000, text(page, "sleepers-bytes")
    assert text(page, "sleepers-scale") == "one dot for 50", text(page, "sleepers-scale")
    assert tour.get("/api/sleepers")["sleeping"] > 0
    page.click("#sleepers-cancel")
    wait_text(page, "sleepers-status", r"cancelled and unwound in")
    wait_text(page, "sleepers-count", r"^0$")
    assert number(page, "sleepers-cancelled") > 0, "the page shows no cancelled coroutine"
    assert tour.get("/api/sleepers")["sleeping"] == 0
    assert page.evaluate("document.getElementById('sleepers-cancel').getAttribute('aria-disabled')") == "true"


def draws_three_timelines(page, tour):
    page.click("#timeline-run")
    wait_text(page, "timeline-status", r"^Done:", 60)
    spans = {mode: spans_of(page, mode) for mode in ("sequential", "multi", "blocking")}
    total = {mode: number(page, f"{mode}-total") for mode in spans}
    for mode, bars in spans.items():
        assert len(bars) == 5, f"{mode} shows {len(bars)} spans"
    for mode in ("sequential", "blocking"):
        for (_, end), (start, _) in zip(spans[mode], spans[mode][1:]):
            assert start >= end - 1, f"{mode}: a step starts at {start} px before the last ends at {end} px"
        assert 1000 <= total[mode] < 2000, total
    assert max(start for start, _ in spans["multi"]) < min(end for _, end in spans["multi"]), "multi does not overlap"
    assert 200 <= total["multi"] < 600, total
    silence = {mode: longest_wait(page, mode) for mode in spans}
    assert silence["blocking"] >= 900, silence
    assert silence["sequential"] < 500 and silence["multi"] < 500, silence


def spans_of(page, mode):
    """[left, right] of each bar in pixels, top to bottom."""
    return page.evaluate(
        f"[...document.querySelectorAll('#{mode}-chart .chart-bar')]"
        ".map(b => [b.x.baseVal.value, b.x.baseVal.value + b.width.baseVal.value])")


def longest_wait(page, mode):
    found = re.search(r"longest wait was ([\d,.]+) ms", text(page, f"{mode}-caption"))
    return float(found[1].replace(",", ""))


def folds_a_tree(page, tour):
    living = "document.querySelectorAll('.tree-node:not(.gone)').length"
    assert page.evaluate(living) == 0
    page.click("#tree-start")
    page.wait_for(f"{living} === 40")
    walks_by_keyboard(page)
    page.click("#tree-cancel")
    page.wait_for(f"{living} > 0 && {living} < 40")
    assert page.evaluate("!document.querySelector('.tree-node[aria-level=\"1\"]').classList.contains('gone')"
                         f" || {living} === 0"), "the root ended before its children"
    wait_text(page, "tree-status", r"^Folded: 40 tasks ended")
    assert page.evaluate(living) == 0
    assert tour.get("/api/tree") is None


def walks_by_keyboard(page):
    page.evaluate("document.querySelector('.tree-node[tabindex=\"0\"]').focus()")
    root = text(page, "tree-detail")
    page.press("ArrowDown")
    child = text(page, "tree-detail")
    page.press("ArrowRight")
    sibling = text(page, "tree-detail")
    assert len({root, child, sibling}) == 3, (root, child, sibling)
    page.press("ArrowUp")
    page.wait_for("document.activeElement.getAttribute('aria-level') === '1'")


def shows_the_task_dump(page, tour):
    page.evaluate("document.getElementById('tasks-text').scrollIntoView({block: 'center', behavior: 'instant'})")
    wait_text(page, "tasks-count", r"^dump_tasks\(\): [1-9]")
    assert re.search(r"\w+\.[ch]pp:\d+", text(page, "tasks-text")), "no task names its source line"
    page.click("#tasks-pause")
    page.wait_for("document.getElementById('tasks-pause').textContent === 'Resume'")
    page.evaluate("document.getElementById('tasks-text').textContent = 'kept while paused'")
    asked, polled = page.requests("/api/tasks"), page.requests("/api/stats")
    until(lambda: page.requests("/api/stats") >= polled + 3, 20, "the page stopped polling altogether")
    assert page.requests("/api/tasks") <= asked, "the page asks for tasks while paused"
    assert text(page, "tasks-text") == "kept while paused", "pause does not pause"
    page.click("#tasks-pause")
    page.wait_for("document.getElementById('tasks-text').textContent !== 'kept while paused'")


def open_inspector(page, tour):
    page.open(f"http://127.0.0.1:{tour.port}/inspector.html")
    page.wait_for("location.pathname === '/inspector.html' && document.readyState === 'complete'")
    page.wait_for("document.querySelectorAll('.task').length > 0")


def task_named(name):
    """Script: the entry of the task with that name, if it is on the page."""
    return f"[...document.querySelectorAll('.task')].find(t => t.querySelector('.task-name').textContent === {name!r})"


def has_task(name):
    return f"Boolean({task_named(name)})"


def inspects_every_task(page, tour):
    open_inspector(page, tour)
    request = "[...document.querySelectorAll('.task')].some(t => t.dataset.state === 'running')"
    assert page.evaluate(request), "the request that fetched the tasks is not among them"
    page.click("#example")
    page.wait_for(has_task("talker"))
    shown = page.evaluate("Object.fromEntries([...document.querySelectorAll('.task')].map(t => ["
                          "t.querySelector('.task-name').textContent, t.querySelector('.task-card').textContent]))")
    for name, pattern in {
            "listener": r"reading from a stream, 24 bytes buffered.*at conversation\.cpp:\d+ .*listen",
            "talker": r"writing to a stream, \d+ bytes unsent",
            "sleeper": r"sleeping.*ends in [\d.]+ s.*from conversation\.cpp:\d+",
            "impatient listener": r"reading from a stream.*limit in [\d.]+ s",
            "in line as well": r"lock, number [12] in line",
            "postman": r"waiting for an item"}.items():
        assert re.search(pattern, shown[name]), f"{name}: {shown[name]}"
    below = page.evaluate(f"({task_named('conversation')}).querySelectorAll(':scope > .tasks > .task').length")
    assert below == 7, f"{below} tasks are below the conversation"
    assert number(page, "count-total") >= 9 and number(page, "count-waiting") >= 8


def refreshes_in_place(page, tour):
    """An entry stays the same element; what was closed stays closed, and what has focus keeps it."""
    page.evaluate(f"window.kept = {task_named('listener')}; kept.querySelector('.task-name').focus()")
    page.press("Enter")
    closed = "kept.classList.contains('closed')"
    if not page.evaluate(closed):  # a key without text is no click everywhere
        page.evaluate("document.activeElement.click()")
    due = f"({task_named('sleeper')}).querySelector('.task-time').textContent"
    before = page.evaluate(due)
    page.wait_for(f"{due} !== {before!r}")
    assert page.evaluate(f"kept === {task_named('listener')} && {closed}"), "the entry was made anew"
    assert page.evaluate("document.activeElement === kept.querySelector('.task-name')"), "the focus was lost"
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"
    page.evaluate("document.activeElement.click()")


def look_for(page, wanted):
    page.evaluate(f"(field => {{ field.value = {wanted!r}; field.dispatchEvent(new Event('input')); }})"
                  "(document.getElementById('find'))")


def finds_and_pauses(page, tour):
    visible = "[...document.querySelectorAll('.task-name')].filter(n => n.checkVisibility()).map(n => n.textContent)"
    look_for(page, "number 2 in line")
    assert len(page.evaluate(visible)) == 2 and "conversation" in page.evaluate(visible), page.evaluate(visible)
    look_for(page, "nobody has this name")
    assert page.evaluate("!document.getElementById('nothing').hidden")
    look_for(page, "")
    page.click("#places")
    assert not page.evaluate("document.querySelector('.places').checkVisibility()")
    page.click("#places")
    page.click("#pause")
    page.click("#example")  # ends it, and shows that
    page.wait_for(f"!{has_task('talker')}")
    asked = page.requests("/api/inspect")
    page.click("#example")
    page.wait_for(has_task("talker"))
    page.evaluate("new Promise(done => setTimeout(done, 1500))")  # longer than a refresh takes to come
    assert page.requests("/api/inspect") == asked + 1, "the page asks while it is paused"
    page.click("#pause")


def inspector_is_for_everybody(page, tour):
    fits_every_width(page, tour)
    has_readable_contrast(page, tour)
    names_every_control(page, tour)
    page.click("#example")
    page.wait_for(f"!{has_task('talker')}")
    page.open(f"http://127.0.0.1:{tour.port}/")
    page.wait_for("location.pathname === '/' && document.readyState === 'complete'")


def open_playground(page, tour):
    page.open(f"http://127.0.0.1:{tour.port}/playground.html")
    page.wait_for("location.pathname === '/playground.html' && document.readyState === 'complete'")
    wait_text(page, "status", r"^Compiled and rendered in")


def type_into(page, element, value):
    page.evaluate(f"(e => {{ e.value = {json.dumps(value)}; e.dispatchEvent(new Event('input')); }})"
                  f"(document.getElementById({element!r}))")


def renders_templates_as_they_are_typed(page, tour):
    open_playground(page, tour)
    wait_text(page, "output", r"Ada &lt;ada@example.com&gt; \(admin\): math, engines")
    type_into(page, "template", "{% for n in numbers %}<{{ n }}>{% end %}")
    wait_text(page, "status", r"NameError: name 'numbers' is not defined")
    type_into(page, "context", '{"numbers": [1, 2]}')
    wait_text(page, "output", r"^<1><2>$")
    wait_text(page, "status", r"^Compiled and rendered in")


def shows_where_a_template_is_wrong(page, tour):
    type_into(page, "template", "fine\ngrün {{ numbers[7] }}")
    wait_text(page, "status", r"^Template, line 2, column \d+: IndexError")
    wrong = "document.querySelector('#template-lines .wrong')"
    page.wait_for(f"{wrong} && {wrong}.textContent === '2'")
    assert text(page, "output") == "<1><2>", "the last good output is gone"
    page.click("#go")
    at = page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]")
    assert at == ["template", len("fine\ngrün {{ numbers")], at
    type_into(page, "template", "{% if 1 %}")
    wait_text(page, "status", r"line 1, column 1: Missing \{% end %\} block for if")
    type_into(page, "template", "{% while 1 %}{% end %}")
    wait_text(page, "status", r"LimitError: the template takes more than 200000 steps")
    type_into(page, "context", '{\n "a": }')
    wait_text(page, "status", r"^Context, line 2, column")


def warns_where_escaping_does_not_protect(page, tour):
    page.click("[data-example='danger']")
    page.wait_for("document.querySelectorAll('#warnings li').length === 3")
    wait_text(page, "warnings", r"line 2, column 10: the value of title has no quotes")
    for example in ("layout", "format", "list"):
        page.click(f"[data-example='{example}']")
        page.wait_for("document.getElementById('warnings').hidden")
        wait_text(page, "status", r"^Compiled and rendered in")
    page.click("[data-example='error']")
    wait_text(page, "status", r"line 3, column \d+: AttributeError: 'NoneType'")


def playground_is_for_everybody(page, tour):
    fits_every_width(page, tour)
    has_readable_contrast(page, tour)
    names_every_control(page, tour)
    unlabelled = page.evaluate("[...document.querySelectorAll('textarea')].filter(e => !e.labels.length).length")
    assert unlabelled == 0, unlabelled
    page.open(f"http://127.0.0.1:{tour.port}/")
    page.wait_for("location.pathname === '/' && document.readyState === 'complete'")


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
        "[...document.querySelectorAll('button, a, input, svg[role=img], pre[tabindex]')].filter(e =>"
        " !(e.textContent.trim() || e.ariaLabel || e.labels?.[0]?.textContent.trim())).map(e => e.outerHTML)")
    assert not nameless, nameless
    duplicates = page.evaluate(
        "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)")
    assert not duplicates, duplicates


def makes_no_noise(page, tour):
    """Last of the checks against a healthy server: nothing before may have failed."""
    page.evaluate("1")
    assert not page.problems, page.problems


def survives_a_restart(page, tour):
    """The server goes, with a thousand asleep and a tree; the banner appears, and leaves when it is back."""
    page.click("[data-count='1000']")
    wait_text(page, "sleepers-status", r"^1,000 started in")
    page.click("#tree-start")
    page.wait_for("document.querySelectorAll('.tree-node:not(.gone)').length === 40")
    tour.stop()
    page.wait_for("!document.getElementById('banner').hidden")
    page.click("#timeline-run")
    page.wait_for("document.getElementById('timeline-status').classList.contains('error')")
    tour.start()
    page.wait_for("document.getElementById('banner').hidden")
    page.wait_for("document.getElementById('live-rps').textContent !== '–'")
    page.click("[data-count='1000']")
    wait_text(page, "sleepers-status", r"^1,000 started in")
    page.click("#sleepers-cancel")
    wait_text(page, "sleepers-status", r"cancelled and unwound in")


CHECKS = [
    shows_live_figures, puts_load_on_the_process, sleeps_and_cancels, draws_three_timelines,
    folds_a_tree, shows_the_task_dump, fits_every_width, has_readable_contrast,
    names_every_control, inspects_every_task, refreshes_in_place, finds_and_pauses,
    inspector_is_for_everybody, renders_templates_as_they_are_typed, shows_where_a_template_is_wrong,
    warns_where_escaping_does_not_protect, playground_is_for_everybody, makes_no_noise, survives_a_restart,
]


def take_screenshots(page, tour, directory):
    """The page with every demonstration in use: light, dark, and as a phone shows it."""
    directory.mkdir(parents=True, exist_ok=True)
    page.emulate(1280, 900)
    page.click("#timeline-run")
    wait_text(page, "timeline-status", r"^Done:", 60)
    for name, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("phone", 390, "light")):
        page.emulate(width, 900, scheme, reduced_motion=True, scale=2 if width < 600 else 1)
        page.click("[data-count='100000']")
        wait_text(page, "sleepers-status", r"^100,000 started in")
        wait_text(page, "sleepers-count", r"^100,000$|^9\d,\d\d\d$")
        page.click("#tree-start")
        page.wait_for("document.querySelectorAll('.tree-node:not(.gone)').length === 40")
        page.evaluate("document.getElementById('tasks-text').scrollIntoView({block: 'center', behavior: 'instant'})")
        wait_text(page, "tasks-count", r"^dump_tasks\(\): 1\d\d,\d\d\d|^dump_tasks\(\): 9\d,\d\d\d")
        page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
        page.screenshot(directory / f"tour-{name}-top.png")
        page.screenshot(directory / f"tour-{name}.png", full=True)
        page.click("#tree-cancel")
        wait_text(page, "tree-status", r"^Folded")
        page.click("#sleepers-cancel")
        wait_text(page, "sleepers-status", r"cancelled and unwound in")
    open_inspector(page, tour)
    page.click("#example")
    page.wait_for(has_task("talker"))
    for name, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("phone", 390, "light")):
        page.emulate(width, 900, scheme, reduced_motion=True, scale=2 if width < 600 else 1)
        page.screenshot(directory / f"inspector-{name}.png", full=True)
    take_playground_screenshots(page, tour, directory)


def take_playground_screenshots(page, tour, directory):
    page.emulate(1280, 900)
    open_playground(page, tour)
    for name, width, scheme, example in (("light", 1280, "light", "danger"), ("dark", 1280, "dark", "error"),
                                         ("phone", 390, "light", "list")):
        page.emulate(width, 900, scheme, reduced_motion=True, scale=2 if width < 600 else 1)
        page.click(f"[data-example='{example}']")
        if example == "error":
            wait_text(page, "status", r"AttributeError")
        else:
            wait_text(page, "output", r"without quotes" if example == "danger" else r"2 users, 121 years")
        page.screenshot(directory / f"playground-{name}.png", full=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--screenshots", type=Path)
    parser.add_argument("--only", help="run only the checks whose name contains this")
    args = parser.parse_args()
    passed = failed = 0
    tour = Tour(args.program)
    try:
        with Browser() as browser:
            page = browser.open_page()
            page.emulate(1280, 900)
            page.open(f"http://127.0.0.1:{tour.port}/")
            checks = [c for c in CHECKS if not args.only or args.only in c.__name__]
            for check in checks:
                try:
                    check(page, tour)
                    passed += 1
                    print(f"ok    {check.__name__}")
                except Exception as error:
                    failed += 1
                    print(f"FAIL  {check.__name__}: {error}")
                    if not isinstance(error, AssertionError):
                        traceback.print_exc()
            if args.screenshots:
                take_screenshots(page, tour, args.screenshots)
            page.close()
    finally:
        tour.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Clicks through the tour in a real browser.

    tour_test.py PROGRAM [--screenshots DIRECTORY] [--only NAME]

PROGRAM is started with --port=0 and prints `listening PORT` once it serves. Needs `chromium`.
Prints one line per check and `N passed, N failed`; exits with 1 when something failed.
"""

import argparse
import json
import re
import socket
import sys
import traceback
from pathlib import Path

from cdp import Browser, until
from tour import PAGES, Tour, fits_every_width, has_readable_contrast, names_every_control, number, text, visit, wait_text


def forgive(page, pattern):
    """Forgets the problems a check has caused on purpose."""
    page.evaluate("0")
    page.problems = [problem for problem in page.problems if not re.search(pattern, problem)]


def shows_live_figures(page, tour):
    visit(page, tour, "")
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
    visit(page, tour, "waiting")
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
    visit(page, tour, "waiting")
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
    visit(page, tour, "cancel")
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
    open_inspector(page, tour)
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
    visit(page, tour, "inspector")
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
    streams = page.evaluate("Object.fromEntries([...document.querySelectorAll('.task')].map(t => ["
                            "t.querySelector('.task-name').textContent,"
                            "[...t.querySelector('.streams').children].map(s => s.innerText.split('\\n'))]))")
    assert streams["listener"] == [["no address", "24 bytes buffered"]], streams["listener"]
    assert len(streams["talker"]) == 1 and re.fullmatch(r"[\d.]+ MB unsent", streams["talker"][0][1]), streams["talker"]
    assert streams["sleeper"] == [], streams["sleeper"]
    asked = streams["/api/inspect"]
    assert len(asked) == 1 and re.fullmatch(r"127\.0\.0\.1:\d+", asked[0][0]) and asked[0][1:] == ["HTTP"], asked
    below = page.evaluate(f"({task_named('conversation')}).querySelectorAll(':scope > .tasks > .task').length")
    assert below == 7, f"{below} tasks are below the conversation"
    assert number(page, "count-total") >= 9 and number(page, "count-waiting") >= 8


def shows_connections_without_a_task(page, tour):
    """One that has sent the beginning of a request is shown by itself, whatever others are idle; it goes when it ends."""
    open_inspector(page, tour)
    item = "[...document.querySelectorAll('#rest-streams li')].find(s => s.innerText.includes({!r}))"
    with socket.create_connection(("127.0.0.1", tour.port)) as slow:
        slow.sendall(b"GET /slow")
        here = item.format("127.0.0.1:%d" % slow.getsockname()[1])
        page.wait_for(f"Boolean({here})")
        shown = page.evaluate(f"({here}).innerText.split('\\n').slice(1)")
        assert shown == ["HTTP", "9 bytes buffered"], shown
        look_for(page, "127.0.0.1:%d" % slow.getsockname()[1])
        assert page.evaluate("document.querySelectorAll('#rest-streams li').length") == 1
        assert page.evaluate("document.getElementById('nothing').hidden"), "it is said that nothing matches"
        look_for(page, "")
    page.wait_for(f"!({here})")


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


def open_playground(page, tour):
    visit(page, tour, "templates")
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


def answers_requests_that_are_tried(page, tour):
    visit(page, tour, "hello")
    for trial, status, body in (("/try/hello", 200, "Hello, world"), ("/try/square/12", 200, "144"),
                                ("/try/square/twelve", 404, ""), ("/try/greet?name=Ada", 200, "Hello, Ada"),
                                ("/try/greet", 400, '"status":400'), ("/try/later", 200, "a second later")):
        page.click(f"[href='{trial}'][data-trial=GET]")
        wait_text(page, "answer-text", rf"^HTTP\/1.1 {status} [^]*{re.escape(body)}")
        wait_text(page, "answer-status", rf"^Answered with {status} after")
    page.click("[data-trial=POST]")
    wait_text(page, "answer-text", r"^HTTP\/1.1 405 [^]*allow: GET, HEAD, OPTIONS")
    forgive(page, "/try/")


def shows_what_becomes_of_files(page, tour):
    visit(page, tour, "files")
    for title, pattern in (("With its version", r"HTTP\/1.1 200[^]*cache-control: max-age="),
                           ("Without", r"HTTP\/1.1 200[^]*etag: "),
                           ("Only if it has changed", r"^> If-None-Match: [^]*HTTP\/1.1 304"),
                           ("The first hundred bytes", r"HTTP\/1.1 206[^]*content-range: bytes 0-99\/"),
                           ("Two pieces", r"HTTP\/1.1 206[^]*multipart\/byteranges"),
                           ("Outside of the folder", r"HTTP\/1.1 (403|404)")):
        page.evaluate("document.getElementById('answer-text').textContent = ''")
        page.evaluate(f"[...document.querySelectorAll('.trial')].find(e => e.textContent.startsWith({title!r})).click()")
        wait_text(page, "answer-text", pattern)
    forgive(page, "main.cpp")


def hangs_up_on_a_request(page, tour):
    visit(page, tour, "cancel")
    page.click("#patient-ask")
    wait_text(page, "patient-status", r"^Waiting")
    until(lambda: "answer_patiently" in json.dumps(tour.get("/api/inspect")), 20, "no request waits on the server")
    page.click("#patient-leave")
    wait_text(page, "patient-status", r"^You have hung up")
    wait_text(page, "patient-log", r"^Request 1: cancelled after \d")
    until(lambda: "answer_patiently" not in json.dumps(tour.get("/api/inspect")), 20, "the request goes on for nobody")
    assert tour.get("/api/patient/ended")[0]["cancelled"]


def hears_events(page, tour):
    visit(page, tour, "streams")
    page.click("#events-toggle")
    page.wait_for("document.querySelectorAll('#events-log li').length >= 2")
    assert re.match(r"Event 2 at ", text(page, "events-log")), text(page, "events-log")
    page.click("#events-toggle")
    wait_text(page, "events-status", r"has been cancelled")
    until(lambda: "send_ticks" not in json.dumps(tour.get("/api/inspect")), 20, "the events go on for nobody")


def is_not_flooded(page, tour):
    """A page that stops reading stops the server; what is under way is bounded by the buffers between them."""
    visit(page, tour, "streams")
    page.evaluate("(e => { e.value = 0; e.dispatchEvent(new Event('input')); })(document.getElementById('flood-pace'))")
    page.click("#flood-toggle")
    sent = "document.getElementById('flood-sent').value"
    page.wait_for(f"{sent} > 0")
    before = -1
    while before != (now := page.evaluate(sent)):  # until it does not grow any more
        before = now
        page.evaluate("new Promise(done => setTimeout(done, 600))")
    assert before < 128, f"{before} MiB are sent to a page that reads nothing"
    assert text(page, "flood-pace-text") == "stopped"
    page.evaluate("(e => { e.value = 4; e.dispatchEvent(new Event('input')); })(document.getElementById('flood-pace'))")
    wait_text(page, "flood-status", r"^All of it has arrived", 60)
    assert page.evaluate("document.getElementById('flood-read').value") == 256


def talks_in_a_room(page, tour):
    visit(page, tour, "chat")
    wait_text(page, "chat-status", r"^You are in the room")
    page.evaluate("document.getElementById('chat-name').value = 'Ada'")
    page.evaluate("document.getElementById('chat-text').value = '<b>bold</b> & 你好'")
    page.click("#chat-form button")
    wait_text(page, "chat-log", r"^Ada <b>bold<\/b> & 你好$")
    assert page.evaluate("document.activeElement.id") == "chat-text"


def says_what_is_wrong_with_a_form(page, tour):
    visit(page, tour, "forms")
    page.click(".form button")
    page.wait_for("document.querySelectorAll('.error').length === 3")
    errors = page.evaluate("[...document.querySelectorAll('.error')].map(e => e.textContent)")
    assert errors == ["must have at least 2 characters", "must be an e-mail address", "has to be ticked"], errors
    described = page.evaluate("document.getElementById(document.getElementById('field-name')"
                              ".getAttribute('aria-describedby')).textContent")
    assert described == errors[0], described
    for field, value in (("name", "Ada <&>"), ("email", "ada@example.com"), ("seats", "two")):
        page.evaluate(f"document.getElementById('field-{field}').value = {value!r}")
    page.click("[name=agreed]")
    page.click(".form button")
    page.wait_for("!!document.getElementById('error-seats')")
    assert text(page, "error-seats") == "must be a whole number"
    assert page.evaluate("document.getElementById('field-name').value") == "Ada <&>"
    page.evaluate("document.getElementById('field-seats').value = '2'")
    page.click(".form button")
    page.wait_for("!!document.querySelector('.success')")
    assert page.evaluate("document.querySelector('.success').textContent") == "Booked. 2 seats for Ada <&>."
    forgive(page, "422")


def logs_in_and_out(page, tour):
    def fill(name, password):
        page.evaluate(f"document.getElementById('field-name').value = {name!r}")
        page.evaluate(f"document.getElementById('field-password').value = {password!r}")
        page.click(".form button")

    visit(page, tour, "users")
    fill("Grace", "short")
    page.wait_for("!!document.getElementById('login-error')")
    fill("Grace", "correct horse")
    page.wait_for("document.querySelector('h2')?.textContent === 'Hello, Grace'")
    assert "first visit" not in text(page, "visits"), text(page, "visits")
    page.click(".form button")
    page.wait_for("!!document.getElementById('field-name')")
    fill("Grace", "wrong battery")
    page.wait_for("document.getElementById('login-error')?.textContent === 'This name belongs to another password.'")
    fill("Grace", "correct horse")
    page.wait_for("document.querySelector('h2')?.textContent === 'Hello, Grace'")
    page.click(".form button")
    page.wait_for("!!document.getElementById('field-name')")
    forgive(page, "403|422")


def checks_an_order(page, tour):
    visit(page, tour, "api")
    page.click("#order-form .primary")
    wait_text(page, "order-status", r"^Refused: 3 fields are wrong")
    wait_text(page, "order-answer", r"application\/problem\+json[^]*lines\[0\]\.count")
    page.click("[data-order=right]")
    page.click("#order-form .primary")
    wait_text(page, "order-answer", r"HTTP\/1.1 200[^]*\"pieces\": 7")
    operations = tour.get("/openapi.en.json")["paths"]["/api/orders"]
    assert operations["post"]["summary"] == "Takes an order"
    forgive(page, "/api/orders")


def finds_a_race(page, tour):
    visit(page, tour, "simulation")
    page.click("#search")
    wait_text(page, "search-status", r"^Seed \d+ fails after \d+ that passed: [23] clients", 60)
    assert "client connects" in text(page, "search-events")
    page.click("#replay")
    wait_text(page, "search-status", r"^The same again")
    page.click("[value=careful]")
    page.click("#search")
    wait_text(page, "search-status", r"^All 1,000 seeds pass", 60)


def shows_the_catalogue_at_work(page, tour):
    visit(page, tour, "languages")
    page.evaluate("document.getElementById('field-count').value = 1234567")
    page.click(".form button")
    page.wait_for("location.search.includes('1234567')")
    cells = page.evaluate("[...document.querySelectorAll('.samples tr:first-child td')].map(e => e.textContent)")
    assert cells == ["1,234,567 books", "1,234,567 本书"], cells


def moves_between_stops(page, tour):
    """By the links at the end of each page, and by the menu with the keyboard alone."""
    visit(page, tour, "")
    for stop in PAGES[1:]:
        page.evaluate("document.querySelector('.onward-next').click()")
        page.wait_for(f"location.pathname === '/{stop}' && document.readyState === 'complete'")
    assert page.evaluate("!document.querySelector('.onward-next')")
    page.evaluate("document.querySelector('.stops-menu summary').focus()")
    page.evaluate("document.activeElement.click()")
    page.wait_for("document.querySelector('.stops-menu a').checkVisibility()")
    assert page.evaluate("document.querySelector('.stops-menu [aria-current]').getAttribute('href')") == "/inspector"
    page.press("Escape")
    page.wait_for("!document.querySelector('.stops-menu details').open")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY", "the focus was lost"


def is_for_everybody(page, tour):
    for path in PAGES:
        for lang in ("en", "zh"):
            visit(page, tour, path, lang)
            try:
                fits_every_width(page, tour)
                has_readable_contrast(page, tour)
                names_every_control(page, tour)
            except AssertionError as error:
                raise AssertionError(f"/{path} in {lang}: {error}") from None


def makes_no_noise(page, tour):
    """Last of the checks against a healthy server: nothing before may have failed."""
    page.evaluate("1")
    assert not page.problems, page.problems


def survives_a_restart(page, tour):
    """The server goes, with a thousand asleep; the banner appears, and leaves when it is back."""
    visit(page, tour, "waiting")
    page.click("[data-count='1000']")
    wait_text(page, "sleepers-status", r"^1,000 started in")
    tour.stop()
    page.wait_for("!document.getElementById('banner').hidden")
    page.click("#timeline-run")
    page.wait_for("document.getElementById('timeline-status').classList.contains('error')")
    tour.start()
    page.wait_for("document.getElementById('banner').hidden")
    page.click("[data-count='1000']")
    wait_text(page, "sleepers-status", r"^1,000 started in")
    page.click("#sleepers-cancel")
    wait_text(page, "sleepers-status", r"cancelled and unwound in")


CHECKS = [
    shows_live_figures, puts_load_on_the_process, moves_between_stops, answers_requests_that_are_tried, sleeps_and_cancels,
    draws_three_timelines, folds_a_tree, hangs_up_on_a_request, hears_events, is_not_flooded, talks_in_a_room,
    says_what_is_wrong_with_a_form, renders_templates_as_they_are_typed, shows_where_a_template_is_wrong,
    warns_where_escaping_does_not_protect, shows_what_becomes_of_files, logs_in_and_out, checks_an_order,
    shows_the_catalogue_at_work, finds_a_race, inspects_every_task, shows_connections_without_a_task, refreshes_in_place,
    finds_and_pauses, shows_the_task_dump, is_for_everybody, makes_no_noise, survives_a_restart,
]


def take_screenshots(page, tour, directory):
    """Every page in both languages: wide and as a telephone shows it, light and dark."""
    directory.mkdir(parents=True, exist_ok=True)
    for path in PAGES:
        for lang in ("en", "zh"):
            for width in (1280, 390):
                for scheme in ("light", "dark"):
                    page.emulate(width, 900, scheme, reduced_motion=True)
                    visit(page, tour, path, lang)
                    page.screenshot(directory / f"tour-{path or 'home'}-{lang}-{width}-{scheme}.png", full=True)


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
    return 1 if failed or not (passed or args.screenshots) else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Reads the tour in English and in Chinese, with and without a browser.

    tour_languages_test.py PROGRAM [unittest options]

Needs `chromium`. No word of the other language may be left on a page, but names and code.
"""

import http.cookies
import re
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from cdp import Browser  # noqa: E402
from tour import PAGES, STOPS, Tour, visit, wait_text  # noqa: E402

PROGRAM = ""

# Names and units that are the same in both languages, and nothing else. Code is marked as such in the pages.
SAME_IN_BOTH = set("""
    API Ada CSV Coronado I JSON JavaScript MB MiB O OpenAPI Python SIGUSR1 Tornado UTC WebSocket Web
    co_await cookie dump_tasks epoll uring gettext io_uring kB sendfile static_url C GET POST DELETE
""".split())

# Everything that a reader sees or hears on the page, but what is code or in a language of its own.
TEXTS = """
(() => {
  const parts = [document.title, document.querySelector("meta[name=description]").content];
  const foreign = "code, [translate=no], script, style, [lang]:not(html)";
  const visit = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return parts.push(node.data.replace(/<[^>]*>/g, ""));  // tags in <noscript>
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches(foreign)) return;
    for (const name of ["aria-label", "placeholder", "alt", "title"]) parts.push(node.getAttribute(name) ?? "");
    if (node.matches("input[type=submit]")) parts.push(node.value);
    node.childNodes.forEach(visit);
  };
  visit(document.body);
  return parts.map((part) => part.replace(/\\s+/g, " ").trim()).filter(Boolean);
})()
"""


def foreign_words(texts, lang):
    """The words in these texts that are not of that language, as they stand."""
    if lang == "zh":
        return [word for text in texts for word in re.findall(r"[A-Za-z][\w’'-]*", text) if word not in SAME_IN_BOTH]
    return [text for text in texts if re.search(r"[\u2E80-\u9FFF\uFF00-\uFFEF]", text)]


class Answer:
    """A page as a client without JavaScript gets it."""

    def __init__(self, answer):
        self.status = answer.status
        self.headers = answer.headers
        self.text = answer.read().decode()
        self.lang = re.search(r'<html lang="([^"]*)"', self.text)[1]
        self.cookies = http.cookies.SimpleCookie()
        for field in answer.headers.get_all("Set-Cookie") or []:
            self.cookies.load(field)


class LanguagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tour = Tour(PROGRAM)

    @classmethod
    def tearDownClass(cls):
        cls.tour.stop()

    def get(self, path, data=None, **fields):
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        request = urllib.request.Request(self.tour.url(path), data, {"Accept": "text/html", **fields})
        try:
            return Answer(urllib.request.urlopen(request, timeout=30))
        except urllib.error.HTTPError as error:
            return Answer(error)


class WithoutBrowserTest(LanguagesTest):
    def test_the_browser_says_which_language(self):
        for asked, lang in ((None, "en"), ("en-GB,en;q=0.8", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
                            ("zh-Hant-TW", "zh-CN"), ("zh", "zh-CN"), ("fr,zh;q=0.2,en;q=0.7", "en"), ("xx", "en")):
            with self.subTest(asked=asked):
                page = self.get("hello", **({"Accept_Language": asked} if asked else {}))
                self.assertEqual(page.lang, lang)
                self.assertEqual(page.headers["Content-Language"], lang)

    def test_a_link_switches_and_a_cookie_keeps_it(self):
        page = self.get("forms", Accept_Language="en")
        self.assertIn('<a href="?lang=zh" lang="zh-CN" hreflang="zh-CN">中文</a>', page.text)
        self.assertNotIn("lang", page.cookies)
        page = self.get("forms?lang=zh", Accept_Language="en")
        self.assertEqual(page.lang, "zh-CN")
        self.assertEqual(page.cookies["lang"].value, "zh")
        self.assertEqual(page.cookies["lang"]["path"], "/")
        self.assertGreater(int(page.cookies["lang"]["max-age"]), 86_400)
        page = self.get("chat", Accept_Language="en", Cookie="lang=zh")
        self.assertEqual(page.lang, "zh-CN")
        self.assertIn('<a href="?lang=en" lang="en" hreflang="en">English</a>', page.text)

    def test_a_language_that_is_none_changes_nothing(self):
        page = self.get("?lang=xx", Accept_Language="zh", Cookie="lang=..%2F")
        self.assertEqual(page.lang, "zh-CN")
        self.assertNotIn("lang", page.cookies)

    def test_caches_and_crawlers_are_told(self):
        for path in PAGES:
            with self.subTest(path=path):
                page = self.get(path)
                self.assertEqual(page.status, 200)
                self.assertEqual(page.headers["Vary"], "Accept-Language, Cookie")
                for code, tag in (("en", "en"), ("zh", "zh-CN")):
                    self.assertIn(f'<link rel="alternate" hreflang="{tag}" href="/{path}?lang={code}">', page.text)
                self.assertIn(f'<link rel="alternate" hreflang="x-default" href="/{path}">', page.text)

    def test_everything_comes_from_here(self):
        page = self.get("")
        policy = page.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        for path in PAGES:
            self.assertEqual(re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', self.get(path).text), [], path)

    def test_an_error_is_in_the_language_of_the_reader(self):
        page = self.get("nowhere", Accept_Language="zh")
        self.assertEqual((page.status, page.lang), (404, "zh-CN"))
        self.assertIn("<h1>没有这个页面</h1>", page.text)
        page = self.get("forms", b"name=Ada", Accept_Language="zh")  # without the token against forgery
        self.assertEqual((page.status, page.lang), (403, "zh-CN"))
        self.assertIn("<h1>没有权限</h1>", page.text)
        self.assertEqual(self.get("nowhere").text.count("<h1>There is no such page</h1>"), 1)

    def test_a_form_says_in_chinese_what_is_wrong(self):
        first = self.get("forms", Accept_Language="zh")
        cookie = f"_xsrf={first.cookies['_xsrf'].value}"
        token = re.search(r'name="_xsrf" value="([^"]*)"', first.text)[1]

        def errors(**values):
            values = {"_xsrf": token, "name": "", "email": "", "seats": "", **values}
            data = urllib.parse.urlencode(values).encode()
            page = self.get("forms", data, Accept_Language="zh", Cookie=cookie)
            return page.status, re.findall(r'<p class="error"[^>]*>([^<]*)</p>', page.text)

        self.assertEqual(errors(seats="0"), (422, ["至少需要 2 个字符", "请填写有效的邮箱地址", "不能小于 1", "请勾选此项"]))
        self.assertEqual(errors(name="x" * 41, email="a@b", seats="9", agreed="on"), (422, ["最多 40 个字符", "不能大于 8"]))
        self.assertEqual(errors(name="阿", seats="二"), (422, ["至少需要 2 个字符", "请填写有效的邮箱地址", "请填写整数", "请勾选此项"]))
        self.assertEqual(errors(name="阿达", email="a@b", seats="2", agreed="on"), (200, []))


class WithBrowserTest(LanguagesTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = Browser()
        cls.page = cls.browser.open_page()
        cls.page.emulate(1280, 900)
        cls.page.call("Emulation.setFocusEmulationEnabled", enabled=True)

    @classmethod
    def tearDownClass(cls):
        cls.page.close()
        cls.browser.__exit__()
        super().tearDownClass()

    def check_texts(self, lang, where):
        texts = self.page.evaluate(TEXTS)
        self.assertGreater(len(texts), 30, where)
        self.assertEqual(foreign_words(texts, lang), [], where)

    def test_no_page_has_a_word_of_the_other_language(self):
        for lang in ("zh", "en"):
            for path in PAGES:
                visit(self.page, self.tour, path, lang)
                self.page.evaluate("document.querySelector('.stops-menu details').open = true")
                self.check_texts(lang, f"/{path}")

    def press(self, element, status, pattern, seconds=60):
        self.page.evaluate(f"document.querySelector({element!r}).click()")
        wait_text(self.page, status, pattern, seconds)

    def test_what_the_scripts_say_is_chinese_too(self):
        visits = {stop: lambda path=stop: visit(self.page, self.tour, path, "zh") for stop in STOPS}
        visits["hello"]()
        self.press("[href='/try/square/12']", "answer-status", "返回 200")
        self.check_texts("zh", "a request was tried")
        visits["waiting"]()
        self.press("[data-count='10000']", "sleepers-status", "^启动 10,000 个用时")
        self.press("#sleepers-cancel", "sleepers-status", "^取消并清理")
        self.press("#timeline-run", "timeline-status", "^完成")
        self.check_texts("zh", "after the demonstrations of waiting")
        visits["cancel"]()
        self.press("#tree-start", "tree-status", "40 个任务在等待")
        self.page.evaluate("document.querySelector('.tree-node[aria-level=\"4\"]').focus()")
        wait_text(self.page, "tree-detail", "^分支 1：睡眠中，已持续")
        self.press("#patient-ask", "patient-status", "^正在等待响应")
        self.check_texts("zh", "a tree and a request wait")
        self.press("#patient-leave", "patient-log", "后被取消")
        self.press("#tree-cancel", "tree-status", "^收拢完毕：40 个任务")
        self.check_texts("zh", "both are cancelled")
        visits["streams"]()
        self.press("#events-toggle", "events-log", "^事件 1")
        self.press("#events-toggle", "events-status", "已被取消")
        self.press("#flood-toggle", "flood-status", "^正在下载")
        self.press("#flood-toggle", "flood-status", "^已停止")
        self.check_texts("zh", "after the streams")
        visits["chat"]()
        wait_text(self.page, "chat-status", "^您已进入聊天室")
        visits["api"]()
        self.press("#order-form .primary", "order-status", "有 3 个字段不正确")
        self.check_texts("zh", "an order was refused")
        visits["simulation"]()
        self.press("#search", "search-status", "^前 \\d+ 个种子通过")
        self.press("#replay", "search-status", "^完全重现")
        self.check_texts("zh", "a race was found")
        visits["templates"]()
        wait_text(self.page, "status", "^编译并渲染用时")
        self.press("[data-example=danger]", "warnings", "^警告，第 2 行")
        self.press("[data-example=error]", "status", "^模板，第 3 行")

    def test_the_openapi_page_is_there_in_both_languages(self):
        for lang, words in {"en": ["Body", "Answers", "Try it"], "zh": ["请求体", "响应", "试一试"]}.items():
            visit(self.page, self.tour, "api", lang)
            self.page.evaluate("document.querySelector('a[href^=\"/docs\"]').click()")
            self.page.wait_for("document.body?.dataset.ready === 'yes'")
            self.assertTrue(self.page.evaluate("document.getElementById('post_api_orders').open"), "the link opens nothing")
            heads = self.page.evaluate("[...document.querySelectorAll('#post_api_orders h3')].map((e) => e.textContent)")
            self.assertEqual(heads, words)
            said = self.page.evaluate("[...document.querySelectorAll('h1, h2, h3, th, button, header p, summary span:last-child')]"
                                      ".map((e) => e.textContent)")
            self.assertEqual(foreign_words(said, lang), [])

    def test_the_inspector_speaks_chinese_of_every_task(self):
        visit(self.page, self.tour, "inspector", "zh")
        self.page.evaluate("document.getElementById('example').click()")
        self.page.wait_for("document.querySelectorAll('.task').length >= 9")
        wait_text(self.page, "tasks", "秒后超时")
        self.check_texts("zh", "a conversation goes on")
        self.page.evaluate("document.getElementById('example').click()")
        wait_text(self.page, "example", "^开始一场对话")

    def test_the_server_is_gone_in_chinese(self):
        visit(self.page, self.tour, "waiting", "zh")
        self.tour.stop()
        wait_text(self.page, "banner", "^服务器没有响应。正在重试")
        self.check_texts("zh", "nobody answers")
        self.tour.start()
        self.page.wait_for("document.getElementById('banner').hidden")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    del LanguagesTest
    unittest.main()

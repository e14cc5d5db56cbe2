import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from check_translations import check_readme, check_rows, own_texts, texts_of

FILES = {
    "pages/a.html": """<p title="{{ _('Title') }}">{{ _("Two words") }} {{ _("one", "{count} many", n) }} {{ other_("no") }}""",
    "a.cpp": 'locale().translate("Split "\n   "text"); marked("a\\\\b"); untranslated("no");',
    "static/a.js": 'say(t("Hello, {name}", { name })); tn("a thing", "{count} things", 2); start("no"); a.t("no");',
}
TEXTS = {("Title", ""), ("Two words", ""), ("one", "singular"), ("{count} many", "plural"), ("Split text", ""), ("a\\b", ""),
         ("Hello, {name}", ""), ("a thing", ""), ("{count} things", "")}


def check(*rows, texts=(("Yes", ""),), own=()):
    return [message for _, message in check_rows(enumerate(rows, 1), dict.fromkeys(texts, "a.html"), set(own))]


class Translations(unittest.TestCase):
    def test_finds_what_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in FILES.items():
                path = pathlib.Path(folder) / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
            self.assertEqual(set(texts_of(pathlib.Path(folder))), TEXTS)

    def test_complete(self):
        self.assertEqual(check(["Yes", "是"]), [])

    def test_missing(self):
        self.assertEqual(check(), ["a.html says 'Yes'"])
        self.assertEqual(check(["Yes", ""]), ["no translation of 'Yes'"])

    def test_unused(self):
        self.assertEqual(check(["Yes", "是"], ["No", "否"]), ["nobody says 'No'"])
        self.assertEqual(check(["Yes", "是"], ["Monday", "星期一"], own=["Monday"]), [])

    def test_twice(self):
        self.assertEqual(check(["Yes", "是"], ["Yes", "对"]), ["twice: 'Yes'"])

    def test_plural(self):
        texts = (("one", "singular"), ("{n} many", "plural"))
        self.assertEqual(check(["one", "一", "singular"], ["{n} many", "{n} 个", "plural"], texts=texts), [])
        self.assertIn("a.html says '{n} many' as plural",
                      check(["one", "一", "singular"], ["{n} many", "{n} 个"], texts=texts))

    def test_places(self):
        texts = (("{a} of {b}", ""),)
        self.assertEqual(check(["{a} of {b}", "{b} 中的 {a}"], texts=texts), [])
        self.assertEqual(check(["{a} of {b}", "{b} 中的 {c}"], texts=texts), ["other places than in '{a} of {b}'"])

    def test_cells(self):
        self.assertEqual(check(["Yes", "是"], ["alone"]), ["a row has two or three cells, not 1"])

    def test_own(self):
        self.assertEqual(own_texts('translate("yesterday at %(time)s")'), {"yesterday at %(time)s"})

    def test_readme(self):
        english = "```sh\nmake run  # serves\n```\n- **A**: a\n- **B**: b\n```sh\nmake more\n```\n"
        self.assertEqual(check_readme(english, "```sh\nmake run  # 运行\n```\n- **甲**\n- **乙**\n"), [])
        self.assertEqual(check_readme(english, "```sh\nmake walk\n```\n- **甲**\n- **乙**\n"),
                         ["other listings than README.md begins with"])
        self.assertEqual(check_readme(english, "```sh\nmake run\n```\n- **甲**\n"),
                         ["1 points in its list, and README.md has 2"])


if __name__ == "__main__":
    unittest.main()

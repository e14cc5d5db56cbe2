import pathlib
import sys
import textwrap
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from check_snippets import check_places, check_text

SOURCE = textwrap.dedent("""\
    namespace {
      // [one]
      int one() {
        return 1 < 2;
      }
      // [/one]
    }
    """)
ONE = "int one() {\n  return 1 < 2;\n}\n"


def read(path):
    return SOURCE if path == "a.cpp" else None


def check(text, is_page=False):
    return check_text(text, is_page, read)


class Snippets(unittest.TestCase):
    def test_equal(self):
        text = f"Look:\n\n<!-- a.cpp:one -->\n```cpp\n{ONE}```\n"
        self.assertEqual(check(text), ([], text))

    def test_different_is_found_and_fixed(self):
        text = "<!-- a.cpp:one -->\n```cpp\nint two();\n```\nend\n"
        complaints, fixed = check(text)
        self.assertEqual(complaints, [(1, "differs from a.cpp:one")])
        self.assertEqual(fixed, f"<!-- a.cpp:one -->\n```cpp\n{ONE}```\nend\n")

    def test_unknown_region_and_file(self):
        text = "<!-- a.cpp:two -->\n```cpp\n```\n<!-- b.cpp:one -->\n```cpp\n```\n"
        self.assertEqual(check(text), ([(1, "no region [two] in a.cpp"), (4, "no region [one] in b.cpp")], text))

    def test_unmarked(self):
        self.assertEqual(check("a\n```cpp\nint x;\n```\n")[0], [(2, "C++ without <!-- path:region --> above it")])
        self.assertEqual(check("a\n```sh\nls\n```\n")[0], [])

    def test_page(self):
        page = '<!-- a.cpp:one -->\n<pre tabindex="0"><code class="cpp">{}</code></pre>\n'
        right = page.format("int one() {\n  return 1 &lt; 2;\n}")
        self.assertEqual(check(right, True), ([], right))
        self.assertEqual(check(page.format("x"), True), ([(1, "differs from a.cpp:one")], right))

    def test_places_in_dumps(self):
        source = "Task<> serve() {\n  co_await stop();\n}\nTask<> Server::begin() {\n  group.spawn(serve());\n}\n"
        def find(name):
            return {"a.cpp": ["void other();\n", source]}.get(name, [])

        dump = "```\n#1 waiting, spawned at a.cpp:{} Server::begin()\n   at a.cpp:{} serve()\n```\n"
        self.assertEqual(check_places(dump.format(5, 2), find), ([], dump.format(5, 2)))
        complaints, fixed = check_places("Look:\n" + dump.format(6, 1), find)
        self.assertEqual(complaints, [(3, "begin() does not wait in line 6 of a.cpp, but in 5"),
                                      (4, "serve() does not wait in line 1 of a.cpp, but in 2")])
        self.assertEqual(fixed, "Look:\n" + dump.format(5, 2))
        self.assertEqual(len(check_places(dump.format(5, 5), find)[0]), 1)  # it spawns there, and does not wait
        for wrong in ("at b.cpp:2 serve()", "at a.cpp:2 gone()", "at a.cpp:2 begin()"):
            self.assertEqual(len(check_places(f"```\n{wrong}\n```\n", find)[0]), 1, wrong)


if __name__ == "__main__":
    unittest.main()

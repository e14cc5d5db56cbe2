import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lint_coroutines import check_text


def rules(code, path="src/web/x.cpp"):
    """The names of the rules broken by the statements, put into a coroutine."""
    return [complaint.split(": ")[1] for complaint in check_text(path, f"Task<> f() {{\n{code}\n}}\n")]


class Await(unittest.TestCase):
    def test_binding(self):
        self.assertEqual(rules("  auto [a, b] = co_await pair();"), ["await-binding"])
        self.assertEqual(rules("  auto&& [a, b] =\n      co_await pair();"), ["await-binding"])
        self.assertEqual(rules("  auto result = co_await pair();\n  auto& [a, b] = result;"), [])

    def test_braces(self):
        self.assertEqual(rules("  return_(Point{co_await x(), 1});"), ["await-braces"])
        self.assertEqual(rules("  Point p = {co_await x(), 1};"), ["await-braces"])
        self.assertEqual(rules("  std::vector<int> v{f(co_await x())};"), ["await-braces"])
        self.assertEqual(rules("  if (ready) {\n    co_await x();\n  }"), [])
        self.assertEqual(rules("  co_await Sleep{1s};"), [])
        self.assertEqual(rules("  Table t = {{1, []() -> Task<> { co_await x(); }}};"), [])

    def test_ternary(self):
        self.assertEqual(rules("  int a = c ? co_await x() : 0;"), ["await-ternary"])
        self.assertEqual(rules("  int a = c ? 0 : f(co_await x());"), ["await-ternary"])
        self.assertEqual(rules("  int a = c ? 1 : 0;\n  co_await x(a);"), [])
        self.assertEqual(rules("  co_await x(c ? 1 : 0);"), [])

    def test_range(self):
        self.assertEqual(rules("  for (auto& v : co_await list()) use(v);"), ["await-range"])
        self.assertEqual(rules("  for (auto& v : std::views::all(co_await list())) use(v);"), ["await-range"])
        self.assertEqual(rules("  for (auto& v : list) co_await use(v);"), [])
        self.assertEqual(rules("  for (int i = 0; i < co_await n(); ++i) use(i);"), [])

    def test_lambda(self):
        self.assertEqual(rules("  co_await offload([s] { use(s); });"), ["await-lambda"])
        self.assertEqual(rules("  co_await offload([s] { use(s); });", "examples/blog.cpp"), [])
        self.assertEqual(rules("  co_await offload([] { use(); });"), [])
        self.assertEqual(rules("  co_await get(table[index], other[f(x)]);"), [])
        self.assertEqual(rules("  co_await one();\n  sort(v, [k](int a) { return a < k; });"), [])


class Lambdas(unittest.TestCase):
    def test_called_on_the_spot(self):
        self.assertEqual(rules("  group.spawn([x]() -> Task<> { co_return; }());", "tests/x.cpp"), ["coroutine-call"])
        self.assertEqual(rules("  loop.run_sync([x]() -> Task<> { co_return; }());", "tests/x.cpp"), [])
        self.assertEqual(rules("  co_await [x]() -> Task<> { co_return; }();", "tests/x.cpp"), [])
        self.assertEqual(rules("  group.spawn([](int y) -> Task<> { co_return; }(x));", "tests/x.cpp"), [])
        self.assertEqual(rules("  int a = [x] { return x; }();", "tests/x.cpp"), [])

    def test_named(self):
        named = "  auto step = [&]() -> Task<> { co_await x(); };"
        self.assertEqual(rules(named), ["coroutine-capture"])
        self.assertEqual(rules(named, "tests/x.cpp"), [])
        self.assertEqual(rules("  auto step = [](int a) -> Task<> { co_await x(a); };"), [])
        self.assertEqual(rules("  auto make = [&] { return []() -> Task<> { co_return; }; };"), [])

    def test_handed_over(self):
        self.assertEqual(rules('  app.get("/", [db](int id) -> Task<> { co_await db.get(id); });'), [])


class Text(unittest.TestCase):
    def test_comments_and_literals_do_not_count(self):
        self.assertEqual(rules('  // auto [a, b] = co_await x();\n  log("c ? co_await x() : y");'), [])
        self.assertEqual(rules('  /* { */ auto s = R"({ co_await )";\n  co_await x(\'{\');'), [])

    def test_permission(self):
        self.assertEqual(rules("  auto [a, b] = co_await x();  // NOLINT(await-binding): trivial type"), [])
        self.assertEqual(rules("  // NOLINT(await-binding): trivial type\n  auto [a, b] = co_await x();"), [])
        self.assertEqual(rules("  auto [a, b] = co_await x();  // NOLINT(await-binding)"), ["await-binding"])
        self.assertEqual(rules("  auto [a, b] = co_await x();  // NOLINT(await-range): wrong rule"), ["await-binding"])

    def test_names_the_line(self):
        self.assertEqual(check_text("src/a.cpp", "\n\nauto [a, b] = co_await x();\n"),
                         ["src/a.cpp:3: await-binding: auto [a, b] = co_await x();"])


if __name__ == "__main__":
    unittest.main()

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import check_mirror


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def write(self, name, text=""):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class Tests(Tree):
    def test_source_with_its_test(self):
        self.write("src/net/socket.cpp")
        self.write("tests/net/socket_test.cpp")
        self.assertEqual(check_mirror.check_tests(self.root, {}), [])

    def test_source_without(self):
        self.write("src/net/socket.cpp")
        self.assertEqual(check_mirror.check_tests(self.root, {}), ["src/net/socket.cpp:1: tests/net/socket_test.cpp is missing"])
        self.assertEqual(check_mirror.check_tests(self.root, {"src/net/socket.cpp": "reason"}), [])

    def test_the_list_stays_true(self):
        self.write("src/net/socket.cpp")
        self.write("tests/net/socket_test.cpp")
        self.assertEqual(len(check_mirror.check_tests(self.root, {"src/net/socket.cpp": "reason"})), 1)
        self.assertEqual(len(check_mirror.check_tests(self.root, {"src/net/gone.cpp": "reason"})), 1)


class FirstIncludes(Tree):
    def test_own_header_first(self):
        self.write("include/coronado/net/socket.hpp")
        self.write("src/net/scan.hpp")
        self.write("tests/net/socket_test.cpp", "#include <coronado/net/socket.hpp>\n#include <string>\n")
        self.write("tests/net/scan_test.cpp", '#include "net/scan.hpp"\n')
        self.write("tests/net/whole_test.cpp", "#include <string>\n")
        self.assertEqual(check_mirror.check_first_includes(self.root), [])

    def test_another_first(self):
        self.write("include/coronado/net/socket.hpp")
        self.write("tests/net/socket_test.cpp", "#include <string>\n#include <coronado/net/socket.hpp>\n")
        self.assertEqual(check_mirror.check_first_includes(self.root),
                         ["tests/net/socket_test.cpp:1: the first include is not coronado/net/socket.hpp"])


class CodeLabels(Tree):
    def test_names_files_that_exist(self):
        self.write("src/coro/timeout.cpp")
        self.write("include/coronado/coro/timeout.hpp", "\n/// Code     src/coro/timeout.cpp, tests/coro/timeout_test.cpp\n")
        self.assertEqual(check_mirror.check_code_labels(self.root),
                         ["include/coronado/coro/timeout.hpp:2: Code names tests/coro/timeout_test.cpp, which is not there"])
        self.write("tests/coro/timeout_test.cpp")
        self.assertEqual(check_mirror.check_code_labels(self.root), [])

    def test_prose_is_no_label(self):
        self.write("include/coronado/coro/timeout.hpp", "/// Code in src/coro/gone.cpp is not meant.\n")
        self.assertEqual(check_mirror.check_code_labels(self.root), [])

    def test_continued_line(self):
        self.write("include/coronado/coro/timeout.hpp", "/// Code     src/coro/a.cpp,\n///          src/coro/b.cpp\n")
        self.assertEqual(len(check_mirror.check_code_labels(self.root)), 2)


if __name__ == "__main__":
    unittest.main()

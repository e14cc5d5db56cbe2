import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import check_headers


class Headers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.include = pathlib.Path(folder.name)

    def check(self, text, name="base/x.hpp"):
        path = self.include / "coronado" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#pragma once\n" + text)
        return check_headers.check(name, self.include)

    def test_good(self):
        lines, complaint = self.check("inline int one() { return 1; }\n")
        self.assertEqual(complaint, "")
        self.assertTrue(0 < lines < 100)

    def test_leans_on_another_header(self):
        self.assertIn("does not compile alone", self.check("inline std::string name();\n")[1])

    def test_warning(self):
        self.assertIn("unused", self.check("inline int one(int two) { return 1; }\n")[1])

    def test_too_heavy(self):
        text = "\n".join(f"extern int x{n};" for n in range(check_headers.HEADER_LIMIT))
        self.assertIn("after preprocessing", self.check(text)[1])
        self.assertEqual(self.check(text, "umbrella.hpp")[1], "")


if __name__ == "__main__":
    unittest.main()

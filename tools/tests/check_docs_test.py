import pathlib
import sys
import textwrap
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from check_docs import check_text


def lacking(text):
    """What each complaint says after the line number."""
    return [complaint.split(": ", 1)[1] for complaint in check_text("x.hpp", textwrap.dedent(text))]


class Docs(unittest.TestCase):
    def test_both_labels(self):
        self.assertEqual(lacking("""\
            /// Read a line.
            /// Throws   StreamClosedError  The peer closed.
            /// Cancel   No byte is lost.
            Task<std::string> read_line();
            """), [])

    def test_labels_behind_text(self):
        self.assertEqual(lacking("""\
            /// Wait for the end.   Throws  Nothing.   Cancel  Stops waiting.
            virtual Task<> join() = 0;
            """), [])

    def test_missing(self):
        self.assertEqual(lacking("""\
            /// Read a line. Throws and Cancel in prose are no labels.
            [[nodiscard]] virtual Task<std::expected<std::string, int>> read_line(
                int limit);
            """), ["read_line: the doc block lacks Throws and Cancel"])
        self.assertEqual(lacking("""\
            /// Read.
            /// Throws   Nothing.
            template <class T>
            Task<T> read(T t);
            """), ["read: the doc block lacks Cancel"])

    def test_no_doc_at_all(self):
        self.assertEqual(lacking("\nTask<> read();\n"), ["read: the doc block lacks Throws and Cancel"])

    def test_a_group_shares_its_block(self):
        self.assertEqual(lacking("""\
            /// The verbs.
            /// Throws   HTTPError  405.
            /// Cancel   Ends the request.
            virtual Task<> get();
            virtual Task<> post();

            virtual Task<> put();
            """), ["put: the doc block lacks Throws and Cancel"])

    def test_what_is_exempt(self):
        self.assertEqual(lacking("""\
            class A {
             public:
              Task<> run() override { co_return; }
              Task<int> task_member_;
              std::function<Task<>()> callback;

             private:
              Task<> step();
            };
            template <class T>
            Task<T> A<T>::walk() {
            }
            namespace detail {
            Task<> helper();
            }  // namespace detail
            """), [])

    def test_public_after_private(self):
        self.assertEqual(lacking("""\
            class A {
             private:
              Task<> step();

             public:
              Task<> run();
            };
            class B {
             private:
              struct C {
                Task<> hidden();
              };
            };
            Task<> free();
            """), ["run: the doc block lacks Throws and Cancel", "free: the doc block lacks Throws and Cancel"])


if __name__ == "__main__":
    unittest.main()

import pathlib
import sys
import tempfile
import textwrap
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from check_parity import check, markdown, update

HEADER = """\
    // class Commented {}; void commented();
    const char* text = "class Quoted { void member(); };";
    template <class T>
    class BaseQueue {
     public:
      void put(int item);
    };
    class Declared;
    class [[nodiscard("a (reason)")]] Queue final : public detail::BaseQueue<int> {
     public:
      static constexpr unsigned kRead = 1;
      Queue& operator=(Queue&&);
      std::size_t size() const { return count_; }
      class Get;
    };
    enum class Kind { kOne };
    struct Options {
      int limit = 3;
    };
    Task<> sleep(Duration span);
    void use() { forgotten(); }
    """


class Parity(unittest.TestCase):
    def complaints(self, *rows):
        with tempfile.TemporaryDirectory() as folder:
            return self.run_check(pathlib.Path(folder), rows)

    def run_check(self, root, rows):
        (root / "include/coronado/net").mkdir(parents=True)
        (root / "docs").mkdir()
        (root / "include/coronado/net/x.hpp").write_text(textwrap.dedent(HEADER))
        self.table = root / "docs/parity.tsv"
        self.table.write_text("module\tname\twhere\tnote\n" + "".join(row + "\n" for row in rows))
        return [bad.split(": ", 1)[1] for bad in check(root)[0]]

    def test_what_is_there(self):
        symbols = ["Queue", "Queue::size", "Queue::put", "Queue::kRead", "Queue::Get", "Kind", "Options::limit", "sleep", "Declared"]
        self.assertEqual(self.complaints(*(f"m\t{symbol}\tnet/x.hpp:{symbol}\t" for symbol in symbols)), [])

    def test_what_is_not(self):
        for symbol in ["Commented", "commented", "Quoted", "Quoted::member", "Queue::commented", "Options::size", "Nothing::size",
                       "Queue::limit", "forgotten", "slee"]:
            self.assertEqual(self.complaints(f"m\tn\tnet/x.hpp:{symbol}\t"), [f"m.n: net/x.hpp does not declare {symbol}"])
        self.assertEqual(self.complaints("m\tn\tnet/y.hpp:Y\t"), ["m.n: there is no include/coronado/net/y.hpp"])

    def test_none_needs_a_reason(self):
        self.assertEqual(self.complaints("m\tn\tnone\tthe compiler does it"), [])
        self.assertEqual(self.complaints("m\tn\tnone\t"), ["m.n: is said to have no counterpart, without a reason"])

    def test_planned(self):
        self.assertEqual(self.complaints("m\tn\tplanned net/y.hpp:Y\t", "m\to\tplanned net/x.hpp:Y\t"), [])
        self.assertEqual(self.complaints("m\tn\tplanned net/x.hpp:sleep\t"),
                         ["m.n: sleep is in net/x.hpp now; run tools/check_parity.py --update"])

    def test_form(self):
        self.assertEqual(self.complaints("m\tn\tsomewhere\t"),
                         ['m.n: "somewhere" is neither header:symbol, planned header:symbol, nor none'])
        self.assertEqual(self.complaints("m\tn\tnone"), ["3 columns, not 4"])
        self.assertEqual(self.complaints("m\tn\tnone\tx", "m\tn\tnone\tx"), ["m.n is there twice"])

    def test_update(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            self.run_check(root, ["m\tn\tplanned net/x.hpp:sleep\tnote", "m\to\tplanned net/y.hpp:Y\t"])
            update(root)
            self.assertEqual(self.table.read_text(), "module\tname\twhere\tnote\nm\tn\tnet/x.hpp:sleep\tnote\n"
                                                     "m\to\tplanned net/y.hpp:Y\t\n")
            self.assertEqual(check(root), ([], 2))

    def test_markdown(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            self.run_check(root, ["gen\tsleep\tnet/x.hpp:sleep\tnote", "gen\tReturn\tnone\tco_return", "q\tY\tplanned net/y.hpp:Y\t"])
            self.assertEqual(markdown(root), textwrap.dedent("""\
                ### gen

                | Tornado | here | |
                |---|---|---|
                | `sleep` | [`sleep`](../include/coronado/net/x.hpp) | note |
                | `Return` | none | co_return |

                ### q

                | Tornado | here | |
                |---|---|---|
                | `Y` | not yet |  |"""))


if __name__ == "__main__":
    unittest.main()

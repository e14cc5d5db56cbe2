import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from check_layers import check_file


def why(path, *includes):
    """The reasons only, without file, line and header."""
    complaints = check_file(path, "".join(f"#include {name}\n" for name in includes))
    return [complaint.split(": ", 2)[-1] for complaint in complaints]


class Layers(unittest.TestCase):
    def test_own_layer_and_those_to_the_left(self):
        self.assertEqual(why("include/coronado/net/socket.hpp", "<coronado/base/error.hpp>", "<coronado/net/address.hpp>"), [])
        self.assertEqual(why("src/testing/faults.cpp", "<coronado/ops/options.hpp>"), [])

    def test_nothing_to_the_right(self):
        self.assertEqual(why("include/coronado/coro/task.hpp", "<coronado/loop/ioloop.hpp>"), ["coro may not see loop"])
        self.assertEqual(why("src/web/routing.cpp", "<coronado/db/redis.hpp>"), ["web may not see db"])
        self.assertEqual(why("src/ops/options.cpp", "<coronado/testing/faults.hpp>"), ["ops may not see testing"])

    def test_private_headers_follow_the_same_rule(self):
        self.assertEqual(why("src/http/httpserver.cpp", '"http/http1_parser.hpp"'), [])
        self.assertEqual(why("src/net/socket.cpp", '"http/http1_parser.hpp"'), ["net may not see http"])
        self.assertEqual(why("src/net/socket.cpp", '"socket_detail.hpp"'), ["write the full path"])
        self.assertEqual(why("src/net/socket.cpp", '"../net/detail.hpp"'), ["write the full path"])

    def test_public_headers_see_no_private_ones(self):
        self.assertEqual(why("include/coronado/http/message.hpp", '"http/http1_parser.hpp"'),
                         ["public headers include public headers only"])

    def test_umbrellas(self):
        self.assertEqual(why("include/coronado/web.hpp", "<coronado/web/application.hpp>", "<coronado/ops/options.hpp>"), [])
        self.assertEqual(why("src/web/routing.cpp", "<coronado/web.hpp>"), ["umbrellas are for applications"])
        self.assertEqual(why("src/web/routing.cpp", "<coronado/fwd.hpp>"), [])

    def test_unknown_layer(self):
        self.assertEqual(check_file("src/util/misc.cpp", ""), ["src/util/misc.cpp:1: no such layer: util"])
        self.assertEqual(why("src/web/routing.cpp", "<coronado/util/misc.hpp>"), ["no such layer: util"])


class Foreign(unittest.TestCase):
    def test_each_library_has_its_place(self):
        self.assertEqual(why("src/base/json.cpp", "<boost/json.hpp>", "<simdjson.h>", "<fmt/format.h>"), [])
        self.assertEqual(why("src/web/routing.cpp", "<boost/json.hpp>"), ["belongs in src/base/json*"])
        self.assertEqual(why("src/web/routing.cpp", "<re2/re2.h>"), ["belongs in src/*regex*"])
        self.assertEqual(why("src/http/path_regex.cpp", "<re2/re2.h>"), [])
        self.assertEqual(why("src/web/routing.hpp", "<fmt/format.h>"), ["belongs in src/*.cpp"])

    def test_no_library_in_public_but_describe(self):
        self.assertEqual(why("include/coronado/base/json.hpp", "<boost/json.hpp>"), ["belongs in src/base/json*"])
        self.assertEqual(why("include/coronado/base/describe.hpp", "<boost/describe.hpp>", "<boost/mp11.hpp>"), [])
        self.assertEqual(why("include/coronado/web/application.hpp", "<boost/describe.hpp>"),
                         ["belongs in include/coronado/base/describe.hpp"])

    def test_a_new_library_needs_an_owner(self):
        self.assertEqual(why("src/web/routing.cpp", "<absl/strings/string_view.h>"),
                         ["unknown library: give it one owner in tools/check_layers.py"])
        self.assertEqual(why("src/web/routing.cpp", "<boost/asio.hpp>"),
                         ["unknown library: give it one owner in tools/check_layers.py"])

    def test_system_headers(self):
        self.assertEqual(why("src/net/socket.cpp", "<sys/socket.h>", "<unistd.h>"), [])
        self.assertEqual(why("src/net/socket.cpp", "<sys/epoll.h>"), ["belongs in src/loop/epoll_*"])
        self.assertEqual(why("include/coronado/net/socket.hpp", "<unistd.h>"), ["no system header in a public header"])
        self.assertEqual(why("src/coro/task.cpp", "<unistd.h>"), ["coro makes no system calls"])
        self.assertEqual(why("src/base/log.cpp", "<unistd.h>"), [])

    def test_compiler_headers_stay_private(self):
        self.assertEqual(why("src/base/scan.hpp", "<emmintrin.h>"), [])
        self.assertEqual(why("include/coronado/base/scan.hpp", "<emmintrin.h>"), ["no compiler header in a public header"])

    def test_heavy_headers(self):
        self.assertEqual(why("src/net/socket.cpp", "<iostream>"), [])
        self.assertEqual(why("include/coronado/net/socket.hpp", "<iostream>"), ["too heavy for a public header"])
        self.assertEqual(why("include/coronado/net/socket.hpp", "<string>", "<chrono>"), [])


class Size(unittest.TestCase):
    def test_limit_is_inclusive(self):
        self.assertEqual(check_file("include/coronado/base/clock.hpp", "\n" * 500), [])
        self.assertEqual(len(check_file("include/coronado/base/clock.hpp", "\n" * 501)), 1)

    def test_names_file_and_line(self):
        self.assertEqual(check_file("src/net/socket.cpp", "\n#include <coronado/web/routing.hpp>\n"),
                         ["src/net/socket.cpp:2: coronado/web/routing.hpp: net may not see web"])


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""What applications cost to compile: seconds of the compiler's CPU time at -O2, the least of some runs.

    bench/compile_cost.py [--compiler clang++-19] [--rounds 3]

    hello        examples/hello.cpp, with the umbrella <coronado/web.hpp>: at most 2.5 s
    50 routes    an application with ten class handlers and forty functions, which take parameters of the path and the query,
                 forms and JSON, and return text, JSON and structs of their own: at most 10 s
    a route      what each of the fifty adds

The lines are those of the preprocessed source. The exit code says whether both targets are met.
"""

import argparse
import pathlib
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGETS = {"hello": 2.5, "50 routes": 10.0}

HEAD = """
#include <coronado/base/describe.hpp>
#include <coronado/web.hpp>
#include <optional>
#include <string>
#include <vector>
namespace web = coronado::web;
using coronado::Task;
namespace {
"""

STRUCTS = """
struct Item{n} {{ long id = 0; std::string name; double price = 0; std::optional<std::string> note; std::vector<std::string> tags; }};
BOOST_DESCRIBE_STRUCT(Item{n}, (), (id, name, price, note, tags))
void describe_rules(web::Rules<Item{n}>& rules) {{ rules.field(&Item{n}::name).length(1, 80); rules.field(&Item{n}::price).at_least(0); }}
struct Order{n} {{ std::string customer; std::vector<Item{n}> items; int count = 1; }};
BOOST_DESCRIBE_STRUCT(Order{n}, (), (customer, items, count))
struct Page{n} : web::RequestHandler {{
  Task<> get() override {{ write("<h1>" + get_argument("title", "none") + "</h1>"); co_return; }}
  Task<> post() override {{ set_status(201); write(get_body_argument("name")); co_return; }}
}};
"""

ROUTES = """
  app.add<Page{n}>("/pages{n}");
  app.get("/items{n}/{{id:int}}", [](long id) {{ return Item{n}{{.id = id}}; }});
  app.post("/items{n}", [](web::JsonBody<Order{n}> order) -> Task<Order{n}> {{ co_return *order; }});
  app.get("/search{n}", [](web::Query<"q"> q, web::Query<"limit", std::optional<int>> limit) {{
    return *q + std::to_string(limit->value_or(10)); }});
  app.put("/forms{n}/{{name}}", [](std::string name, web::Form<Item{n}> form, web::Header<"User-Agent", std::optional<std::string>> agent) {{
    return web::json({{{{"name", name}}, {{"id", form->id}}, {{"agent", agent->value_or("")}}}}); }});
"""


def fifty_routes():
    groups = range(10)
    return (HEAD + "".join(STRUCTS.format(n=n) for n in groups) + "web::Application make_app() {\n  web::Application app;"
            + "".join(ROUTES.format(n=n) for n in groups)
            + "  return app;\n}\n}  // namespace\nint main(int argc, char** argv) { return web::serve(argc, argv, make_app); }\n")


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="clang++-19")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    met = True
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        application = pathlib.Path(folder) / "fifty_routes.cpp"
        application.write_text(fifty_routes())
        print("| program | lines | seconds | target |\n|---|---|---|---|")
        for name, source in (("hello", ROOT / "examples" / "hello.cpp"), ("50 routes", application)):
            base = [args.compiler, "-std=c++23", "-O2", "-I", ROOT / "include"]
            lines = run([*base, "-E", "-P", source]).count("\n")
            compile_it = [*base, "-c", source, "-o", pathlib.Path(folder) / "object"]
            seconds[name] = min(cpu_seconds(compile_it) for _ in range(args.rounds))
            print(f"| {name} | {lines:,} | {seconds[name]:.2f} | {TARGETS[name]} |")
            met = met and seconds[name] <= TARGETS[name]
    print(f"| a route | | {(seconds['50 routes'] - seconds['hello']) / 50:.3f} | |")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What a template that is compiled adds to a build: seconds of the compiler's CPU time, for each.

    bench/template_compile.py [build/release/bin/coronado-template-compiler] [clang++-19]

One source file with ten copies of each page in bench/templates is compiled with -O2, and the same file without them.
"""
import pathlib
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPIES = 10
CONTEXT = """
#include <coronado/base/describe.hpp>
#include <coronado/web/compiled_template.hpp>
#include <string>
#include <vector>
struct Row { int id; std::string name; std::string email; double score; std::string message; };
BOOST_DESCRIBE_STRUCT(Row, (), (id, name, email, score, message))
struct Page { std::vector<Row> rows; std::vector<Row> fortunes; };
BOOST_DESCRIBE_STRUCT(Page, (), (rows, fortunes))
"""


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    compiler = sys.argv[1] if len(sys.argv) > 1 else "build/release/bin/coronado-template-compiler"
    cxx = sys.argv[2] if len(sys.argv) > 2 else "clang++-19"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pages = folder / "t"
        pages.mkdir()
        includes, uses, generating = "", "", 0.0
        sources = sorted((ROOT / "bench/templates").glob("*.html"))
        for source in sources:
            for copy in range(COPIES):
                page = f"{source.stem}{copy}.html"
                (pages / page).write_text(source.read_text())
                generating += cpu_seconds([compiler, f"--directory={pages}", f"--name={page}", "--namespace=pages",
                                           f"--output={folder}/pages/{page}.hpp"])
                includes += f"#include <pages/{page}.hpp>\n"
                uses += f"  out += pages::{page.replace('.', '_')}.generate(page);\n"
        count = len(sources) * COPIES

        def compile_file(text):
            (folder / "use.cpp").write_text(text)
            return cpu_seconds([cxx, "-std=c++23", "-O2", "-c", f"-I{ROOT}/include", f"-I{folder}",
                                str(folder / "use.cpp"), "-o", str(folder / "use.o")])

        without = compile_file(CONTEXT + "void use(const Page&, std::string&) {}\n")
        with_all = compile_file(CONTEXT + includes + f"void use(const Page& page, std::string& out) {{\n{uses}}}\n")
    print(f"without templates {without:.2f} s, with {count} {with_all:.2f} s: {(with_all - without) / count:.3f} s each,"
          f" and {generating / count:.3f} s to generate")


if __name__ == "__main__":
    main()

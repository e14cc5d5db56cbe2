#!/usr/bin/env python3
"""Wrong templates and wrong contexts: the compiler names the template's line.

    tests/compile_fail/templates_test.py TEMPLATE_COMPILER CXX INCLUDE_FOLDER

Each case is a template, the context's C++, and what must be said; an empty sentence: it compiles.
"""
import pathlib
import subprocess
import sys
import tempfile

HEAD = """
#include <coronado/base/describe.hpp>
#include <pages/page.html.hpp>
#include <string>
#include <vector>
struct Row { int id; std::string name; };
BOOST_DESCRIBE_STRUCT(Row, (), (id, name))
struct Page { std::string title; std::vector<Row> rows; int count; };
BOOST_DESCRIBE_STRUCT(Page, (), (title, rows, count))
std::string use(const Page& page) { return pages::page_html.generate(page); }
"""
# The template, the place, and the sentence.
COMPILED = [
    ("{{ title }}\n{% for row in rows %}\n{{ row.id }} {{ row.name.upper() }}{% end %}", "", ""),
    ("<p>\n{{ titel }}", "page.html:2:", "no member named 'titel' in 'Page'"),
    ("{% for row in rows %}\n\n{{ row.nam }}{% end %}", "page.html:3:", "no member named 'nam' in 'Row'"),
    ("\n{{ count.name }}", "page.html:2:", "is not a structure or union"),
    ("\n{% for x in count %}{{ x }}{% end %}", "page.html:2:", "no matching member function for call to 'range'"),
    ("\n{{ title - 1 }}", "page.html:2:", "text cannot be subtracted"),
    ("\n{{ title + 1 }}", "page.html:2:", "text and a number cannot be added"),
    ("\n{{ rows[0].nam }}", "page.html:2:", "no member named 'nam' in 'Row'"),
    ("{% set first = rows[0] %}\n{{ first.nam }}", "page.html:2:", "no member named 'nam' in 'Row'"),
    ("{% include 'part.html' %}", "part.html:2:", "no member named 'inside' in 'Page'"),
    ("{{ await title }}", "", "this template has an await: use generate_async"),
]
# What the template compiler itself refuses, or warns of.
PARSED = [
    ("x\n{{ }}", "page.html:2:1: error: Empty expression"),
    ("{% if a %}", "page.html:1:1: error: Missing {% end %} block for if"),
    ("{% include 'nope.html' %}", "page.html:1:1: error: template 'nope.html': there is no file"),
    ("{% include '../../etc/passwd' %}", "page.html:1:1: error: template '../../etc/passwd' leaves the root"),
    ("{{ (lambda x: await x)(1) }}", "page.html:1:15: error: await inside a lambda"),
    ("<a\nhref={{ title }}>", "page.html:2:6: warning: the value of href has no quotes"),
    ("<a href=\"javascript:f({{ title }})\">", "page.html:1:23: warning: a value inside a javascript: URL"),
    ("<a href=\"{{ title }}\">", "page.html:1:10: warning: a URL that begins with a value"),
    ("<script>\nvar x = '{{ title }}';</script>", "page.html:2:10: warning: a value inside <script>"),
    ("<p onclick=\"f('{{ title }}')\">", "page.html:1:16: warning: a value inside the script of onclick"),
]
QUIET = [
    "<a href=\"/x/{{ title }}\" title='{{ title }}'>{{ title }}</a>",
    "<script>var x = {% raw json_encode(title) %};</script>{{ title }}",
    "<a href=\"{{ static_url('x') }}\">",
    "<!-- <script> -->{{ title }}",
]


def generate(compiler, folder, text):
    (folder / "t").mkdir(exist_ok=True)
    (folder / "t/page.html").write_text(text)
    (folder / "t/part.html").write_text("in a part\n{{ inside }}")
    return subprocess.run(
        [compiler, f"--directory={folder}/t", "--name=page.html", "--namespace=pages",
         f"--output={folder}/pages/page.html.hpp"], capture_output=True, text=True, timeout=60)


def main(compiler, cxx, include):
    failures = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for text, place, sentence in COMPILED:
            done = generate(compiler, folder, text)
            if done.returncode:
                failures.append(f"{text!r}: not generated: {done.stderr}")
                continue
            (folder / "use.cpp").write_text(HEAD)
            built = subprocess.run([cxx, "-std=c++23", "-fsyntax-only", f"-I{include}", f"-I{folder}",
                                    str(folder / "use.cpp")], capture_output=True, text=True, timeout=120)
            said = built.stderr
            if sentence == "":
                if built.returncode:
                    failures.append(f"{text!r}: does not compile:\n{said}")
            elif not built.returncode:
                failures.append(f"{text!r}: compiles, without: {sentence}")
            elif sentence not in said or place not in said:
                failures.append(f"{text!r}: expected {place} {sentence}:\n{said}")
        for text, sentence in PARSED:
            done = generate(compiler, folder, text)
            if sentence not in done.stderr or (done.returncode != 0) != (": error: " in sentence):
                failures.append(f"{text!r}: expected {sentence}, status {done.returncode}:\n{done.stderr}")
        for text in QUIET:
            done = generate(compiler, folder, text)
            if done.returncode or done.stderr:
                failures.append(f"{text!r}: {done.stderr}")
    print("\n".join(failures) or f"{len(COMPILED) + len(PARSED) + len(QUIET)} templates: each as expected")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

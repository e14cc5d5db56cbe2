#!/usr/bin/env python3
"""Renders the templates of micro_template.cpp with Tornado and Jinja2, and says how much slower they are.

    bench/template_compare.py [build/release/bin/micro_template]

Each figure is the best of several runs of the process's own CPU time, per rendering. Needs python3-tornado and
python3-jinja2 (`tools/install-deps --bench`).
"""
import json
import subprocess
import sys
import time

ROWS = [{"id": i, "name": f"Name <{i}>", "email": f"user{i}@example.com", "score": i / 4} for i in range(1000)]


class Row:
    def __init__(self, values):
        self.__dict__.update(values)


TABLE = (
    "<table>\n{% for row in rows %}<tr><td>{{ row.id }}</td><td>{{ row.name }}</td>"
    "<td>{{ row.email }}</td></tr>\n{% END %}</table>\n"
)
EXPRESSIONS = (
    "{% for row in rows %}{% if row.id % 2 == 0 and row.score > 10 %}{{ '%.2f' % row.score }} "
    "{{ row.name.upper() }}{% else %}{{ row.id * 2 + 1 }}{% ENDIF %}\n{% END %}"
)


def best_of(render, seconds=1.0):
    """Microseconds of CPU for one call."""
    best, end = float("inf"), time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.process_time()
        for _ in range(5):
            render()
        best = min(best, (time.process_time() - start) / 5)
    return best * 1e6


def engines(text):
    rows = [Row(row) for row in ROWS]
    try:
        from tornado.template import Template as Tornado

        tornado = Tornado(text.replace("ENDIF", "end").replace("END", "end"))
        yield "tornado", lambda: tornado.generate(rows=rows)
    except ImportError:
        print("tornado is not installed")
    try:
        from jinja2 import Environment

        jinja = Environment(autoescape=True).from_string(text.replace("ENDIF", "endif").replace("END", "endfor"))
        yield "jinja2", lambda: jinja.render(rows=rows)
    except ImportError:
        print("jinja2 is not installed")


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "build/release/bin/micro_template"
    output = subprocess.run(
        [program, "--benchmark_format=json", "--benchmark_filter=table|expressions", "--benchmark_repetitions=5"],
        capture_output=True, text=True, check=True).stdout
    ours = {}
    for run in json.loads(output)["benchmarks"]:
        if run["run_type"] == "iteration":
            unit = {"ns": 1e-3, "us": 1, "ms": 1e3}[run["time_unit"]]
            name = run["name"].split("/")[0]
            ours[name] = min(ours.get(name, float("inf")), run["cpu_time"] * unit)
    for name, text in (("table", TABLE), ("expressions", EXPRESSIONS)):
        print(f"{name}: coronado {ours[name]:.1f} us")
        for engine, render in engines(text):
            theirs = best_of(render)
            print(f"{name}: {engine} {theirs:.1f} us, {theirs / ours[name]:.1f} times coronado")


if __name__ == "__main__":
    main()

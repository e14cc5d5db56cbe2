#!/usr/bin/env python3
"""Renders the templates of micro_template.cpp with Tornado and Jinja2, and says how much slower than ours they are.

    bench/template_compare.py [build/release/bin/micro_template]

Each figure is the best of several runs of the process's own CPU time, per rendering. Needs python3-tornado and
python3-jinja2 (`tools/install-deps --bench`).
"""
import json
import pathlib
import subprocess
import sys
import time

ROWS = [{"id": i, "name": f"Name <{i}>", "email": f"user{i}@example.com", "score": i / 4} for i in range(1000)]


class Row:
    def __init__(self, values):
        self.__dict__.update(values)


TEMPLATES = pathlib.Path(__file__).resolve().parent / "templates"


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

        tornado = Tornado(text)
        yield "tornado", lambda: tornado.generate(rows=rows)
    except ImportError:
        print("tornado is not installed")
    try:
        from jinja2 import Environment

        text = "{% endfor %}".join(text.rsplit("{% end %}", 1)).replace("{% end %}", "{% endif %}")
        jinja = Environment(autoescape=True).from_string(text)
        yield "jinja2", lambda: jinja.render(rows=rows)
    except ImportError:
        print("jinja2 is not installed")


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "build/release/bin/micro_template"
    output = subprocess.run(
        [program, "--benchmark_format=json", "--benchmark_filter=interpret|compiled", "--benchmark_repetitions=5"],
        capture_output=True, text=True, check=True).stdout
    ours = {}
    for run in json.loads(output)["benchmarks"]:
        if run["run_type"] == "iteration":
            unit = {"ns": 1e-3, "us": 1, "ms": 1e3}[run["time_unit"]]
            engine, name = run["name"].split("/")[:2]
            ours[engine, name] = min(ours.get((engine, name), float("inf")), run["cpu_time"] * unit)
    for name in ("table", "expressions"):
        interpreted, compiled = ours["interpret", name], ours["compiled", name]
        print(f"{name}: coronado {interpreted:.1f} us at run time, {compiled:.1f} us built in")
        for engine, render in engines((TEMPLATES / f"{name}.html").read_text()):
            theirs = best_of(render)
            print(f"{name}: {engine} {theirs:.1f} us: {theirs / interpreted:.1f} and {theirs / compiled:.1f} times as much")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Renders the templates of micro_template.cpp with Tornado and Jinja2, and says how much slower than ours they are.

    bench/template_compare.py [build/release/bin/micro_template] [--rounds=N]

Everything is measured in CPU time of its own process, in rounds: ours, then theirs, and so on. A ratio is the median of
the rounds' ratios, so that what else the machine does weighs on both sides alike. Needs python3-tornado and
python3-jinja2 (`tools/install-deps --bench`).
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

ROWS = [{"id": i, "name": f"Name <{i}>", "email": f"user{i}@example.com", "score": i / 4} for i in range(1000)]
TEMPLATES = pathlib.Path(__file__).resolve().parent / "templates"


class Row:
    def __init__(self, values):
        self.__dict__.update(values)


def theirs(render, seconds=0.3):
    """Microseconds of CPU for one call: the best of several fives."""
    best, end = float("inf"), time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.process_time()
        for _ in range(5):
            render()
        best = min(best, (time.process_time() - start) / 5)
    return best * 1e6


def ours(program):
    """The same of our engines, by engine and template: the best of three."""
    output = subprocess.run(
        [program, "--benchmark_format=json", "--benchmark_filter=interpret|compiled", "--benchmark_repetitions=3",
         "--benchmark_min_time=0.05"], capture_output=True, text=True, check=True).stdout
    best = {}
    for run in json.loads(output)["benchmarks"]:
        if run["run_type"] == "iteration":
            unit = {"ns": 1e-3, "us": 1, "ms": 1e3}[run["time_unit"]]
            key = tuple(run["name"].split("/")[:2])
            best[key] = min(best.get(key, float("inf")), run["cpu_time"] * unit)
    return best


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
    parser = argparse.ArgumentParser()
    parser.add_argument("program", nargs="?", default="build/release/bin/micro_template")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    pages = {name: dict(engines((TEMPLATES / f"{name}.html").read_text())) for name in ("table", "expressions", "numbers")}
    rounds = []
    for _ in range(args.rounds):
        measured = ours(args.program)
        for name, all_of_them in pages.items():
            measured.update({(engine, name): theirs(render) for engine, render in all_of_them.items()})
        rounds.append(measured)
    for name, all_of_them in pages.items():
        def median(key, by=None):
            return statistics.median(each[key, name] / (each[by, name] if by else 1) for each in rounds)

        print(f"{name}: coronado {median('interpret'):.1f} us at run time, {median('compiled'):.1f} us built in")
        for engine in all_of_them:
            print(f"{name}: {engine} {median(engine):.1f} us: {median(engine, 'interpret'):.1f} and "
                  f"{median(engine, 'compiled'):.1f} times as much")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Fail when a public header does not compile alone without warnings, or pulls in too much.

    tools/check_headers.py [--table] [header...]

The size is the number of lines after preprocessing, without blank ones and markers: what every file that
includes the header pays. --table prints it for each header. CXX names the compiler (clang++-19).
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMPILER = os.environ.get("CXX", "clang++-19").split()
FLAGS = ["-std=c++23", "-Wall", "-Wextra", "-Werror", "-x", "c++", "-"]
HEADER_LIMIT = 55_000
UMBRELLA_LIMIT = 59_300


def compile_stdin(options, source, include):
    command = COMPILER + options + [f"-I{include}"] + FLAGS
    return subprocess.run(command, input=source, capture_output=True, text=True, check=False)


def check(name, include=ROOT / "include"):
    """The preprocessed lines of <coronado/name>, and what is wrong with it ("": nothing)."""
    source = f"#include <coronado/{name}>\n"
    compiled = compile_stdin(["-fsyntax-only"], source, include)
    if compiled.returncode != 0:
        return 0, f"include/coronado/{name}: does not compile alone:\n{compiled.stderr}"
    lines = compile_stdin(["-E", "-P"], source, include).stdout.count("\n")
    limit = HEADER_LIMIT if "/" in name else UMBRELLA_LIMIT
    if lines > limit:
        return lines, f"include/coronado/{name}: {lines} lines after preprocessing, at most {limit}"
    return lines, ""


def main(arguments):
    top = ROOT / "include/coronado"
    names = [pathlib.Path(a).resolve().relative_to(top).as_posix() for a in arguments if a != "--table"]
    names = names or sorted(path.relative_to(top).as_posix() for path in top.rglob("*.hpp"))
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        results = list(pool.map(check, names))
    if "--table" in arguments:
        for name, (lines, _) in zip(names, results):
            print(f"{lines:7}  {name}")
    complaints = [complaint for _, complaint in results if complaint]
    heaviest = max(zip((lines for lines, _ in results), names), default=(0, "none"))
    print("\n".join(complaints) or f"{len(names)} headers ok; the heaviest is {heaviest[1]} with {heaviest[0]} lines")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

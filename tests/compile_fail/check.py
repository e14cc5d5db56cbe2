#!/usr/bin/env python3
"""Compile a wrong program and fail unless the compiler says what the program's first line expects, in few lines.

    tests/compile_fail/check.py COMPILER INCLUDE_FOLDER SOURCE

The first line of SOURCE is "// expect: SENTENCE", or "// compiles" for a program that shows the right way.
"""
import subprocess
import sys

MOST_LINES = 20


def main(compiler, include, source):
    with open(source, encoding="utf-8") as file:
        first = file.readline().rstrip("\n")
    command = [compiler, "-std=c++23", "-fsyntax-only", "-I", include, source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    output = done.stdout + done.stderr
    lines = output.count("\n")
    if first == "// compiles":
        problem = "does not compile" if done.returncode else ""
    elif not first.startswith("// expect: "):
        problem = "begins neither with '// expect: ' nor with '// compiles'"
    elif not done.returncode:
        problem = "compiles"
    elif first.removeprefix("// expect: ") not in " ".join(output.split()):
        problem = "is refused without: " + first.removeprefix("// expect: ")
    elif lines > MOST_LINES:
        problem = f"is refused with {lines} lines; {MOST_LINES} are enough"
    else:
        problem = ""
    if problem:
        print(f"{source}: {problem}\n{output}")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

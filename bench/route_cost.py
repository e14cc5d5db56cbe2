#!/usr/bin/env python3
"""Instructions to find the route of a request, among 10 and among 1,000 routes, counted by callgrind.

    route_cost.py [--build build/release] [--smoke]

Two runs with different numbers of matches; the difference is the cost of the matches alone. The target is
that 1,000 routes cost at most 1.2 times what 10 do; the exit code says whether it is met. --smoke counts
fewer matches.
"""

import subprocess
import sys

import callgrind

KINDS = ("literal", "parameter", "regex")
COUNTS = (10, 1000)
TARGET = 1.2


def instructions(program, kind, routes, matches):
    """All instructions of a run."""
    done = subprocess.run(callgrind.command(program, "--only", kind, routes, matches), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{program} {kind} {routes}: {done.stderr}")
    return callgrind.collected(done.stderr)


def main():
    args = callgrind.arguments(__doc__)
    program = args.build / "bin" / "micro_routing"
    if callgrind.is_missing(program):
        return 0
    matches = 2_000 if args.smoke else 20_000
    print("| routes of one kind | 10 routes | 1,000 routes | ratio (target 1.2) |\n|---|--:|--:|--:|")
    met = True
    for kind in KINDS:
        few, many = ((instructions(program, kind, count, 1000 + matches) - instructions(program, kind, count, 1000)) / matches
                     for count in COUNTS)
        met = met and many <= TARGET * few
        print(f"| {kind} | {few:,.0f} | {many:,.0f} | {many / few:.2f} |", flush=True)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

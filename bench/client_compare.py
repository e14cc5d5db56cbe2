#!/usr/bin/env python3
"""A small GET over a kept connection: what it costs `HTTPClient`, and a client written by hand with Boost.Beast.

    client_compare.py [--rounds 9] [--requests 100000] [--build build/release] [--smoke]

`coronado` is bin/client_bench of the build: `HTTPClient::fetch` with everything that it does by default. `beast` is
peers/beast_client.cpp, compiled here with the same compiler and -O3. Both talk to the same canned server, a process
of its own, and ask for 1,000 URLs in turn. `instructions` are those of the client's process in user space for one request: the difference of
two runs under callgrind, which is exact and repeatable. `cpu us` is its CPU time, kernel included, and `req/s` the
rate, one request at a time; programs take turns, medians are shown.

--smoke measures instructions with few requests, runs one short round, and fails when a request costs more than
MOST_INSTRUCTIONS.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
from compare import BENCH, ROOT, say  # noqa: E402

MOST_INSTRUCTIONS = 4200  # a guard against growth, with room for the timers of a busy machine; the aim is 4,000


def build_peer():
    """Compile the Beast client when it is older than its source; None when there is no Beast."""
    if not Path("/usr/include/boost/beast.hpp").exists():
        return None
    source = BENCH / "peers" / "beast_client.cpp"
    program = ROOT / "build" / "bench" / "beast_client"
    newest = max(source.stat().st_mtime, (BENCH / "canned_server.hpp").stat().st_mtime)
    if not program.exists() or program.stat().st_mtime < newest:
        program.parent.mkdir(parents=True, exist_ok=True)
        compiler = os.environ.get("CXX") or shutil.which("clang++-19") or "c++"
        subprocess.run([*compiler.split(), "-std=c++20", "-O3", "-DNDEBUG", "-w", f"-I{ROOT}", "-o", program, source,
                        "-pthread"], check=True)
    return str(program)


def instructions(program, requests):
    """Of one run under callgrind, the canned server's process left out."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "out.%p"
        process = subprocess.Popen(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={file}", program, str(requests)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        _, complaint = process.communicate(timeout=600)
        if process.returncode:
            raise SystemExit(f"{program} under valgrind: {complaint}")
        text = (Path(directory) / f"out.{process.pid}").read_text()
    return int(re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)[1])


def run(program, requests):
    begin = time.monotonic()
    result = subprocess.run([program, str(requests)], stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    took = time.monotonic() - begin
    return {"us": float(re.search(r"([\d.]+) us", result.stdout)[1]), "rate": requests / took}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--smoke", action="store_true")
    args = parser.parse_args()
    counted = (2000, 12000)
    if args.smoke:
        args.rounds, args.requests, counted = 1, 5000, (200, 1200)

    programs = {"coronado": str(args.build / "bin" / "client_bench"), "beast": build_peer()}
    if programs["beast"] is None:
        say("left out: beast: Boost.Beast is not installed")
        del programs["beast"]
    count = {}
    if shutil.which("valgrind"):
        for name, program in programs.items():
            few, many = (instructions(program, requests) for requests in counted)
            count[name] = (many - few) / (counted[1] - counted[0])
            say(f"{name:9} {count[name]:,.0f} instructions a request")
    else:
        say("instructions are not counted: valgrind is not installed")
    rounds = {name: [] for name in programs}
    for round_ in range(args.rounds):
        for name, program in programs.items():
            rounds[name].append(run(program, args.requests))
            say(f"round {round_ + 1}/{args.rounds} {name:9} {rounds[name][-1]['us']:7.2f} us {rounds[name][-1]['rate']:9,.0f}/s")

    print("| client | instructions | x beast | cpu us | x beast | req/s |\n|---|--:|--:|--:|--:|--:|")
    for name in programs:
        us = statistics.median(row["us"] for row in rounds[name])
        rate = statistics.median(row["rate"] for row in rounds[name])
        less = statistics.median(a["us"] / b["us"] for a, b in zip(rounds[name], rounds["beast"])) if "beast" in programs else 1
        shown = f"{count[name]:,.0f} | {count[name] / count.get('beast', count[name]):.2f}" if count else "- | -"
        print(f"| {name} | {shown} | {us:.2f} | {less:.2f} | {rate:,.0f} |")
    if count and count["coronado"] > MOST_INSTRUCTIONS:
        say(f"wrong: {count['coronado']:,.0f} instructions a request, more than {MOST_INSTRUCTIONS}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

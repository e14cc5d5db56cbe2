#!/usr/bin/env python3
"""Static files beside nginx with sendfile: requests a second and server CPU time, as a Markdown table.

    static_compare.py [--rounds 5] [--seconds 2] [--connections 32] [--build build/release] [--smoke]

Files of 1 KiB, 64 KiB, 1 MiB and 16 MiB, by `Application::static_files` (function) and by
`StaticFileHandler` (class). Each server runs on one core and the client (static_load.c) on another;
they take turns within a round, and the table shows medians. `ratio` is our requests a second divided by
nginx's: the target is 0.9 for 1 KiB and 1 MiB. `load` is the client's share of its core: near 100 % it is
the limit, and then `cpu us`, the server's own time per request, tells more than the rate.

--smoke runs one short round, checks whole bodies, and fails when something is wrong. It prints the ratio,
too, but does not judge it: a busy machine says nothing about a target.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
import nginx  # noqa: E402
from compare import ROOT, Server, build, cores, cpu_seconds, pin, say  # noqa: E402

SIZES = {"1 KiB": 1 << 10, "64 KiB": 1 << 16, "1 MiB": 1 << 20, "16 MiB": 1 << 24}
TARGETS = {"1 KiB": 0.9, "1 MiB": 0.9}

NGINX_HTTP = """
  sendfile on;
  server {{
    listen 127.0.0.1:{port} reuseport backlog=4096;
    root {files};
  }}
"""


def command_of(server, port, directory, files, build_directory):
    if server == "nginx":
        return nginx.command(directory, NGINX_HTTP.format(port=port, files=files))
    return [str(build_directory / "bin" / "static_server"), f"--port={port}", f"--folder={files}"]


def path_of(server, size):
    return f"/{SIZES[size]}" if server == "nginx" else f"/{server}/{SIZES[size]}"


def measure(server_name, size, args, files):
    """One run; the client's figures with `cpu_us`, the server's CPU time per request."""
    server_core, load_core = cores()
    with Server(server_name, server_core,
                lambda port, directory: command_of(server_name, port, directory, files, args.build)) as server:
        url = f"http://127.0.0.1:{server.port}{path_of(server_name, size)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            body = answer.read()
        expected = (Path(files) / str(SIZES[size])).read_bytes()
        right = hashlib.sha256(body).digest() == hashlib.sha256(expected).digest()
        before = cpu_seconds(server.pid)
        done = subprocess.run(
            [build("static_load"), str(server.port), path_of(server_name, size), str(SIZES[size]), str(args.connections),
             str(args.seconds), str(args.warmup)],
            stdout=subprocess.PIPE, text=True, timeout=args.seconds + 60, preexec_fn=pin(load_core), check=True)
        used = cpu_seconds(server.pid) - before
    row = json.loads(done.stdout)
    row["cpu_us"] = used * 1e6 / max(row["total"], 1)
    if not right or row["wrong"] or row["errors"] or not row["requests"]:
        say(f"wrong: {server_name}, {size}: body {'right' if right else 'wrong'}, {row}")
        args.failed = True
    return row


def make_files(folder):
    os.chmod(folder, 0o755)  # nginx's worker may be another user
    for size in SIZES.values():
        line = b"".join(b"%07d " % (i % 10_000_000) for i in range(1 << 14))
        (Path(folder) / str(size)).write_bytes((line * (size // len(line) + 1))[:size])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--smoke", action="store_true")
    args = parser.parse_args()
    args.failed, args.warmup = False, 0.3
    if args.smoke:
        args.rounds, args.seconds, args.warmup = 1, 0.3, 0.1
    servers = ["function", "class"] + (["nginx"] if nginx.program() else [])
    if "nginx" not in servers:
        say("left out: nginx is not installed")
    results = {size: {server: [] for server in servers} for size in SIZES}
    with tempfile.TemporaryDirectory(prefix="coronado-static-") as files:
        make_files(files)
        for round_ in range(args.rounds):
            for size in SIZES:
                for server in servers:
                    row = measure(server, size, args, files)
                    results[size][server].append(row)
                    say(f"round {round_ + 1}/{args.rounds} {size:7} {server:9} {row['cpu_us']:9.2f} us "
                        f"{row['requests_per_second']:10,.0f}/s  client {row['cpu']:.0%}")
    print(f"{os.uname().machine}, {os.cpu_count()} cores, Linux {os.uname().release.split('-')[0]}; server and client on a "
          f"core each; {args.connections} connections; medians of {args.rounds} rounds of {args.seconds:g} s.\n")
    print("| file | server | req/s | ratio | cpu us | cpu ratio | load |\n|---|---|--:|--:|--:|--:|--:|")
    for size, rows in results.items():
        def middle(server, key):
            return statistics.median(run[key] for run in rows[server])
        for server in servers:
            rate, cpu = middle(server, "requests_per_second"), middle(server, "cpu_us")
            ratio = cpu_ratio = "-"
            if server != "nginx" and "nginx" in servers:
                ratio = f"{rate / middle('nginx', 'requests_per_second'):.2f}"
                cpu_ratio = f"{middle('nginx', 'cpu_us') / cpu:.2f}"
                if size in TARGETS:
                    ratio += f" (target {TARGETS[size]})"
            print(f"| {size} | {server} | {rate:,.0f} | {ratio} | {cpu:.2f} | {cpu_ratio} | {middle(server, 'cpu'):.0%} |")
    return 1 if args.failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""A TCP echo through `TCPServer` and `IOStream` beside a bare epoll loop: server CPU per message.

    echo_compare.py [--rounds 9] [--seconds 2] [--connections 64] [--size 64] [--build build/release]
                    [--reactor epoll|uring] [--smoke]

`coronado` is bin/echo_server of the build, `floor` echo_floor.c. Each runs on one core and the load
(echo_load.c) on another; they take turns within a round, each round starts them anew, and the table
shows medians. `cpu us` is the server's own CPU time per message, the figure that holds on a busy
machine; `x floor` its ratio to the floor, round by round, with the least and the greatest.

--smoke runs one short round and fails when a message was wrong or missing.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from beside_floor import judge, table, take_turns  # noqa: E402
from compare import ROOT, WARMUP_SECONDS, Server, build, cores, cpu_seconds, heading, pin  # noqa: E402


def measure(name, args):
    """One run; the load's figures with `cpu_us`, the server's CPU time per message."""
    server_core, load_core = cores()
    program = build("echo_floor") if name == "floor" else str(args.build / "bin" / "echo_server")
    with Server(name, server_core, lambda port, _: [program, str(port)]) as server:
        before = cpu_seconds(server.pid)
        result = subprocess.run(
            [build("echo_load"), str(server.port), "--seconds", str(args.seconds), "--warmup", str(args.warmup),
             "--connections", str(args.connections), "--size", str(args.size)],
            stdout=subprocess.PIPE, text=True, timeout=args.seconds + 60, preexec_fn=pin(load_core))
        used = cpu_seconds(server.pid) - before
    row = json.loads(result.stdout)
    row["cpu_us"] = used * 1e6 / max(row["total"], 1)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--reactor", choices=("epoll", "uring"))
    parser.add_argument("--smoke", action="store_true")
    args = parser.parse_args()
    args.warmup = WARMUP_SECONDS
    if args.smoke:
        args.rounds, args.seconds, args.warmup = 1, 0.3, 0.1
    if args.reactor:
        os.environ["CORONADO_REACTOR"] = args.reactor

    results = take_turns(args.rounds, lambda name: measure(name, args), "messages_per_second")
    print(f"{heading(args)}\nMessages of {args.size} bytes, one on its way on each connection.\n\n"
          + table(results, "messages_per_second", "messages"))
    return judge(results, lambda run: run["messages"])


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""One message to all subscribers of a `WebSocketTopic` beside a bare loop of `send`: server CPU per delivered message.

    fanout_compare.py [--rounds 5] [--subscribers 10000] [--messages 60] [--size 64] [--build build/release]
                      [--reactor epoll|uring] [--smoke]

`coronado` is /fanout of bin/bench_server, `floor` fanout_floor.c. Each runs on one core and its subscribers
(fanout_load.c) on another; they take turns within a round, each round starts them anew, and the table shows
medians. `cpu us` is the server's own CPU time per message and subscriber; `x floor` its ratio to the floor,
round by round, with the least and the greatest.

--smoke runs one round with few subscribers and fails when a message was wrong or missing.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from beside_floor import judge, table, take_turns  # noqa: E402
from compare import ROOT, Server, build, cores, cpu_seconds, pin  # noqa: E402

WARMUP_MESSAGES = 3


def measure(name, args):
    """One run; the load's figures with `cpu_us`, the server's CPU time per delivered message."""
    server_core, load_core = cores()
    program = build("fanout_floor") if name == "floor" else str(args.build / "bin" / "bench_server")
    with Server(name, server_core, lambda port, _: [program, str(port)]) as server:
        with subprocess.Popen(
                [build("fanout_load"), str(server.port), "--subscribers", str(args.subscribers), "--size", str(args.size),
                 "--messages", str(args.messages), "--warmup", str(WARMUP_MESSAGES)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=pin(load_core)) as load:
            if load.stdout.readline() != "ready\n":
                raise SystemExit(f"fanout_load did not get ready with {name}")
            before = cpu_seconds(server.pid)
            load.stdin.write("\n")
            load.stdin.flush()
            row = json.loads(load.stdout.readline())
            used = cpu_seconds(server.pid) - before
            load.stdin.close()
    row["cpu_us"] = used * 1e6 / max(row["delivered"], 1)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--subscribers", type=int, default=10000)
    parser.add_argument("--messages", type=int, default=60)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--reactor", choices=("epoll", "uring"))
    parser.add_argument("--smoke", action="store_true")
    args = parser.parse_args()
    if args.smoke:
        args.rounds, args.subscribers, args.messages = 1, 200, 5
    if args.reactor:
        os.environ["CORONADO_REACTOR"] = args.reactor
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the servers inherit it

    results = take_turns(args.rounds, lambda name: measure(name, args), "delivered_per_second")
    server_core, load_core = cores()
    where = "one core for all" if server_core is None else f"server on core {server_core}, subscribers on core {load_core}"
    print(f"{os.uname().machine}, Linux {os.uname().release.split('-')[0]}; {where}; medians of {args.rounds} rounds: "
          f"{args.messages} messages of {args.size} bytes, each to {args.subscribers:,} subscribers.\n\n"
          + table(results, "delivered_per_second", "delivered"))
    return judge(results, lambda run: run["delivered"] == args.subscribers * args.messages)


if __name__ == "__main__":
    sys.exit(main())

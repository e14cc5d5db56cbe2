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
import statistics
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from compare import ROOT, Server, build, cores, cpu_seconds, median, pin, say  # noqa: E402

SERVERS = ("coronado", "floor")
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


def table(results):
    ratios = [ours["cpu_us"] / floor["cpu_us"] for ours, floor in zip(results["coronado"], results["floor"])]
    shown = {"coronado": f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})", "floor": "1"}
    lines = ["| server | cpu us | x floor | delivered/s | load |", "|---|--:|--:|--:|--:|"]
    for name, runs in results.items():
        lines.append(f"| {name} | {median(runs, 'cpu_us'):.3f} | {shown[name]} "
                     f"| {median(runs, 'delivered_per_second'):,.0f} | {median(runs, 'cpu'):.0%} |")
    return "\n".join(lines)


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

    results = {name: [] for name in SERVERS}
    for round_ in range(args.rounds):
        for name in SERVERS:
            row = measure(name, args)
            results[name].append(row)
            say(f"round {round_ + 1}/{args.rounds} {name:9} {row['cpu_us']:8.3f} us {row['delivered_per_second']:10,.0f}/s"
                f"  wrong {row['wrong']}  errors {row['errors']}")
    server_core, load_core = cores()
    where = "one core for all" if server_core is None else f"server on core {server_core}, subscribers on core {load_core}"
    print(f"{os.uname().machine}, Linux {os.uname().release.split('-')[0]}; {where}; medians of {args.rounds} rounds: "
          f"{args.messages} messages of {args.size} bytes, each to {args.subscribers:,} subscribers.\n\n{table(results)}")
    failed = [name for name, runs in results.items()
              if any(run["wrong"] or run["errors"] or run["delivered"] != args.subscribers * args.messages for run in runs)]
    for name in failed:
        say(f"wrong: {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

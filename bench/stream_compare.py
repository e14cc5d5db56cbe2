#!/usr/bin/env python3
"""Large bodies beside a bare recv or send loop: server CPU per MiB, and how much memory they take.

    stream_compare.py [--rounds 9] [--mib 100] [--transfers 4] [--build build/release] [--reactor epoll|uring] [--smoke]

`coronado` is bin/stream_server of the build, `floor` stream_floor.c, which blocks and has one buffer. Each runs
on one core and the load, which is this program, on another; they take turns within a round, each round starts them
anew. `upload` is read piece by piece, `push` comes by `data_received`, `download` is written in pieces of 64 KiB.
`us/MiB` is the server's own CPU time; `x floor` its ratio to the floor, round by round: the median, the least and
the greatest. `grows` is how far the resident memory of the server rises above what it was after one small transfer.

--smoke runs one short round and fails when a byte was missing, or the memory grows by 4 MiB.
"""

import argparse
import http.client
import os
import statistics
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from beside_floor import SERVERS, ratio  # noqa: E402
from compare import ROOT, Server, build, cores, cpu_seconds, pin, say  # noqa: E402

KINDS = ("upload", "push", "download")
MIB = 1 << 20
MOST_GROWTH = 4 * MIB
PIECE = memoryview(bytes(MIB))
SPACE = bytearray(MIB)


def upload(connection, method, mib):
    connection.putrequest(method, "/upload")
    connection.putheader("Content-Length", str(mib * MIB))
    connection.endheaders()
    for _ in range(mib):
        connection.sock.sendall(PIECE)
    answer = connection.getresponse().read()
    if answer != str(mib * MIB).encode():
        raise SystemExit(f"wrong answer to {mib} MiB: {answer[:80]}")


def download(connection, mib):
    connection.request("GET", f"/download?{mib * MIB}")
    answer = connection.getresponse()
    left = mib * MIB
    while left:
        count = answer.readinto(SPACE)
        if not count:
            raise SystemExit(f"{left} of {mib} MiB are missing")
        left -= count


def transfer(kind, connection, mib):
    if kind == "download":
        download(connection, mib)
    else:
        upload(connection, "PUT" if kind == "push" else "POST", mib)


def resident(pid, field):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no {field} of process {pid}")


def measure(name, kind, args):
    program = build("stream_floor") if name == "floor" else str(args.build / "bin" / "stream_server")
    with Server(name, args.server_core, lambda port, _: [program, str(port)]) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        transfer(kind, connection, 1)
        Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # the peak begins here
        memory = resident(server.pid, "VmRSS")
        before = cpu_seconds(server.pid)
        for _ in range(args.transfers):
            transfer(kind, connection, args.mib)
        used = cpu_seconds(server.pid) - before
        grows = resident(server.pid, "VmHWM") - memory
        connection.close()
    return {"us": used * 1e6 / (args.mib * args.transfers), "grows": grows}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--mib", type=int, default=100)
    parser.add_argument("--transfers", type=int, default=4)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--reactor", choices=("epoll", "uring"))
    parser.add_argument("--smoke", action="store_true")
    args = parser.parse_args()
    if args.smoke:
        args.rounds, args.transfers = 1, 1
    if args.reactor:
        os.environ["CORONADO_REACTOR"] = args.reactor

    args.server_core, load_core = cores()
    if load_core is not None:
        pin(load_core)()
    rows = ["| body | us/MiB | floor us/MiB | x floor | grows |", "|---|--:|--:|--:|--:|"]
    failed = []
    for kind in KINDS:
        ours, floors, grows = [], [], 0
        for round_ in range(args.rounds):
            run = {name: measure(name, kind, args) for name in SERVERS}
            ours.append(run["coronado"]["us"])
            floors.append(run["floor"]["us"])
            grows = max(grows, run["coronado"]["grows"])
            say(f"round {round_ + 1}/{args.rounds} {kind:8} {ours[-1]:7.1f} us/MiB, floor {floors[-1]:7.1f}: "
                f"x {ours[-1] / floors[-1]:.2f}, grows by {run['coronado']['grows'] / MIB:.2f} MiB")
        rows.append(f"| {kind} | {statistics.median(ours):.1f} | {statistics.median(floors):.1f} | "
                    f"{ratio(ours, floors)} | {grows / MIB:.2f} MiB |")
        if grows >= MOST_GROWTH:
            failed.append(f"{kind}: the server's memory grows by {grows / MIB:.1f} MiB")
    print(f"{os.uname().machine}, {os.cpu_count()} cores, Linux {os.uname().release.split('-')[0]}; bodies of {args.mib} "
          f"MiB; medians of {args.rounds} rounds.\n")
    print("\n".join(rows))
    for problem in failed:
        say(f"wrong: {problem}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

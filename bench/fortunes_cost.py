#!/usr/bin/env python3
"""User-space instructions of bench_server for a request of /fortunes, by both template engines, counted by callgrind.

    fortunes_cost.py [--build build/release] [--smoke]

Two runs with different numbers of requests; the difference is what the requests alone cost: parsing, routing, twelve
rows made and sorted, the page, the response. The exit code says whether both targets are met. --smoke counts fewer.
"""

import re
import signal
import socket
import subprocess
import sys
import time

import callgrind

TARGETS = {"/fortunes": ("built in", 7_000), "/fortunes/interpreted": ("at run time", 12_000)}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port, deadline):
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 10)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def ask(port, path, requests):
    """That many requests on one connection, each after the answer to the one before."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nUser-Agent: count\r\n\r\n".encode()
    with connect(port, time.monotonic() + 60) as client:
        for _ in range(requests):
            client.sendall(request)
            answer = client.recv(65536)
            size = int(re.search(rb"Content-Length: (\d+)", answer)[1])
            while len(answer) < answer.index(b"\r\n\r\n") + 4 + size:
                answer += client.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200") or answer.count(b"<tr>") != 13 or b"&lt;script&gt;" not in answer:
                raise SystemExit(f"{path}: wrong answer: {answer[:200]}")


def instructions(program, path, requests):
    """All instructions of a run."""
    port = free_port()
    server = subprocess.Popen(
        callgrind.command(program, f"--port={port}"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        ask(port, path, requests)
        server.send_signal(signal.SIGTERM)
        said = server.communicate(timeout=60)[1]
    finally:
        server.kill()
    return callgrind.collected(said)


def main():
    args = callgrind.arguments(__doc__)
    program = args.build / "bin" / "bench_server"
    if callgrind.is_missing(program):
        return 0
    many = 500 if args.smoke else 3000
    print("| /fortunes, the page | instructions per request | target |\n|---|--:|--:|")
    met = True
    for path, (engine, target) in TARGETS.items():
        cost = (instructions(program, path, 100 + many) - instructions(program, path, 100)) / many
        met = met and cost <= target
        print(f"| {engine} | {cost:,.0f} | {target:,} |", flush=True)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

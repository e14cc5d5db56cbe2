#!/usr/bin/env python3
"""Coronado beside its peers: CPU time per request, rate and latency, as Markdown tables.

    compare.py [--only coronado,uring,floor,nginx,tornado] [--loads plain,pipe16,json,route,echo1k,close]
               [--rounds 5] [--seconds 3] [--connections 64] [--build build/release] [--calls] [--smoke]

The servers: `coronado` (bin/bench_server of the build, on epoll), `uring` (the same on io_uring), `floor`
(floor.c: the least that a server on epoll can do), `nginx`, and `tornado`. Each runs on one core and the
load generator (load.c) on another; servers take turns within a round, each round starts them anew, and the
tables show medians.
A server that is not there is named and left out; one asked for by --only must be there.

`cpu us` is the server's own CPU time per request, the figure that holds on a busy machine; `x floor`
is its ratio to the floor. `req/s` is what the whole machine carried. `load` is the generator's share
of its core: near 100 % the generator is the limit, and `req/s` says nothing about the server.
`calls`, which --calls asks for, is the server's system calls per request, counted by perf (as root) in
a run of its own: counting takes time.

--smoke runs one short round and fails when an answer was wrong or missing.
"""

import argparse
import glob
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
import nginx  # noqa: E402

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
HELLO = "Hello, World!"
LOADS = {
    "plain": ("GET /plaintext", ["--path", "/plaintext", "--expect", HELLO]),
    "pipe16": ("GET /plaintext, 16 pipelined", ["--path", "/plaintext", "--expect", HELLO, "--depth", "16"]),
    "json": ("GET /json", ["--path", "/json", "--expect", '{"message":"Hello, World!"}']),
    "route": ("GET /api/res57/12345, one of 100 routes", ["--path", "/api/res57/12345", "--expect", "12345"]),
    "echo1k": ("POST /echo, 1 KiB and back", ["--path", "/echo", "--post", "1024"]),
    "close": ("GET /plaintext, a connection each", ["--path", "/plaintext", "--expect", HELLO, "--close"]),
}
SERVERS = ("coronado", "uring", "floor", "nginx", "tornado")
CANNOT = {("nginx", "echo1k")}  # nginx cannot return a request's body by itself
WARMUP_SECONDS = 0.4
COUNTED_SECONDS = 1
START_SECONDS = 20
STOP_SECONDS = 10

NGINX_HTTP = """
  default_type text/plain;
  server {{
    listen 127.0.0.1:{port} reuseport backlog=4096;
    location = /plaintext {{ return 200 "Hello, World!"; }}
    location = /json {{ default_type application/json; return 200 '{{"message":"Hello, World!"}}'; }}
    location ~ ^/api/res57/([^/]+)$ {{ return 200 $1; }}
  }}
"""


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def build(name, *libraries):
    """Compile bench/NAME.c when it, or a header, is newer than its program, and return the program."""
    source = BENCH / f"{name}.c"
    program = ROOT / "build" / "bench" / name
    newest = max(file.stat().st_mtime for file in (source, *BENCH.glob("*.h")))
    if not program.exists() or program.stat().st_mtime < newest:
        program.parent.mkdir(parents=True, exist_ok=True)
        compiler = os.environ.get("CC", "cc").split()
        subprocess.run([*compiler, "-std=gnu11", "-O2", "-o", program, source, *libraries], check=True)
    return str(program)


def command_of(name, port, directory, build_directory):
    """The command line of a server, or a sentence (str) saying why it is not there."""
    if name in ("coronado", "uring"):
        program = build_directory / "bin" / "bench_server"
        if not program.exists():
            return f"{program} is not built"
        return [str(program), f"--port={port}", "--reactor=uring" if name == "uring" else "--reactor=epoll"]
    if name == "floor":
        return [build("floor"), str(port)]
    if name == "nginx":
        return nginx.command(directory, NGINX_HTTP.format(port=port)) if nginx.program() else "nginx is not installed"
    python = "/usr/bin/python3"
    if subprocess.run([python, "-c", "import tornado"], capture_output=True).returncode:
        return f"{python} has no tornado"
    return [python, str(BENCH / "tornado_server.py"), str(port)]


def cores():
    """The core for the server and the one for the load; None each when there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (None, None)


def pin(core):
    return (lambda: os.sched_setaffinity(0, {core})) if core is not None else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def process_tree(pid):
    pids = [pid]
    for file in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            children = Path(file).read_text().split()
        except OSError:
            continue
        for child in children:
            pids += process_tree(int(child))
    return pids


def cpu_seconds(pid):
    """CPU time used so far by all living threads of a process and its children."""
    nanoseconds = 0
    for process in process_tree(pid):
        for file in glob.glob(f"/proc/{process}/task/*/schedstat"):
            try:
                nanoseconds += int(Path(file).read_text().split()[0])
            except OSError:
                pass  # a thread that has just ended
    return nanoseconds / 1e9


class Server:
    """One server, started when the block begins and ended when it ends. `command` is given its port and
    a directory of its own, and returns the command line."""

    def __init__(self, name, core, command):
        self._name = name
        self._core = core
        self._command = command

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="coronado-bench-")
        os.chmod(self._directory.name, 0o755)  # nginx's worker may be another user
        self.port = free_port()
        command = self._command(self.port, self._directory.name)
        self._log = open(Path(self._directory.name) / "log", "w+")
        self._process = subprocess.Popen(
            command, stdout=self._log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, preexec_fn=pin(self._core))
        self.pid = self._process.pid
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self._log.seek(0)
                    output = self._log.read()
                    self.__exit__()
                    raise SystemExit(f"{self._name} does not start: {' '.join(command)}\n{output}")
                time.sleep(0.02)

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"{self._name} does not end on SIGTERM in {STOP_SECONDS} s: killed")
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._directory.cleanup()


def run_load(port, load_name, core, seconds, args):
    """The figures of the load generator."""
    result = subprocess.run(
        [build("load"), str(port), "--seconds", str(seconds), "--warmup", str(args.warmup),
         "--connections", str(args.connections), *LOADS[load_name][1]],
        stdout=subprocess.PIPE, text=True, timeout=seconds + 60, preexec_fn=pin(core))
    return json.loads(result.stdout)


def calls_per_request(pid, load):
    """The system calls of a process while `load` runs, for each of its requests."""
    with tempfile.NamedTemporaryFile("r") as counts:
        counter = subprocess.Popen(
            ["perf", "stat", "-x,", "-o", counts.name, "-e", "raw_syscalls:sys_enter", "-p", str(pid)],
            stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)  # perf does not say when it counts
        requests = load()["total"]
        counter.send_signal(signal.SIGINT)
        _, complaint = counter.communicate()
        found = [line.split(",")[0] for line in counts if "sys_enter" in line]
    if not found or not found[0].isdigit():
        raise SystemExit(f"perf cannot count system calls: {complaint or found}")
    return int(found[0]) / max(requests, 1)


def measure(server_name, load_name, args):
    """One run; the load generator's figures with `cpu_us`, the server's CPU time per request."""
    server_core, load_core = cores()
    with Server(server_name, server_core,
                lambda port, directory: command_of(server_name, port, directory, args.build)) as server:
        before = cpu_seconds(server.pid)
        row = run_load(server.port, load_name, load_core, args.seconds, args)
        used = cpu_seconds(server.pid) - before
        if args.calls:
            row["calls"] = calls_per_request(
                server.pid, lambda: run_load(server.port, load_name, load_core, COUNTED_SECONDS, args))
    row["cpu_us"] = used * 1e6 / max(row["total"], 1)
    return row


def table(load_name, rows):
    """`rows`: server -> its runs under this load."""
    lines = [
        f"### {load_name}: {LOADS[load_name][0]}", "",
        "| server | cpu us | x floor | req/s | p50 us | p99 us | load | wrong | errors |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    counted = all("calls" in run for runs in rows.values() for run in runs)
    if counted:
        lines[2] = lines[2].replace(" x floor |", " x floor | calls |")
        lines[3] += "--:|"
    floor = median(rows["floor"], "cpu_us") if "floor" in rows else None
    for server, runs in rows.items():
        cpu = median(runs, "cpu_us")
        ratio = f"{cpu / floor:.2f}" if floor else "-"
        calls = f" {median(runs, 'calls'):.2f} |" if counted else ""
        lines.append(
            f"| {server} | {cpu:.2f} | {ratio} |{calls} {median(runs, 'requests_per_second'):,.0f} "
            f"| {median(runs, 'p50_us'):,.0f} | {median(runs, 'p99_us'):,.0f} | {median(runs, 'cpu'):.0%} "
            f"| {sum(run['wrong'] for run in runs)} | {sum(run['errors'] for run in runs)} |")
    return "\n".join(lines)


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def available(args):
    """The servers to compare. Says which are left out; ends when --only names one of them."""
    found = []
    with tempfile.TemporaryDirectory() as directory:
        for name in args.only or SERVERS:
            command = command_of(name, 1, directory, args.build)
            if not isinstance(command, str):
                found.append(name)
            elif args.only:
                raise SystemExit(f"{name}: {command}")
            else:
                say(f"left out: {name}: {command}")
    return found


def heading(args):
    server_core, load_core = cores()
    where = "one core for all: rates are not comparable" if server_core is None else (
        f"server on core {server_core}, load on core {load_core}")
    return (f"{os.uname().machine}, {os.cpu_count()} cores, Linux {os.uname().release.split('-')[0]}; {where}; "
            f"{args.connections} connections; medians of {args.rounds} rounds of {args.seconds:g} s.")


def compare(args):
    servers = available(args)
    results = {load: {} for load in args.loads}
    for round_ in range(args.rounds):
        for load in args.loads:
            for server in servers:
                if (server, load) in CANNOT:
                    continue
                row = measure(server, load, args)
                results[load].setdefault(server, []).append(row)
                say(f"round {round_ + 1}/{args.rounds} {load:7} {server:9} {row['cpu_us']:8.2f} us "
                    f"{row['requests_per_second']:10,.0f}/s  wrong {row['wrong']}  errors {row['errors']}")
    return results


def problems(results):
    for load, rows in results.items():
        for server, runs in rows.items():
            for run in runs:
                if run["wrong"] or run["errors"] or not run["requests"]:
                    yield (f"{server}, {load}: {run['requests']} right, {run['wrong']} wrong, "
                           f"{run['errors']} errors")


def names(known):
    def parse(text):
        chosen = text.split(",")
        unknown = [name for name in chosen if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]}: not one of {', '.join(known)}")
        return chosen
    return parse


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=names(SERVERS))
    parser.add_argument("--loads", type=names(LOADS), default=list(LOADS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--calls", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    args = parser.parse_args()
    args.warmup = WARMUP_SECONDS
    if args.smoke:
        args.rounds, args.seconds, args.warmup = 1, 0.3, 0.1

    results = compare(args)
    print(heading(args))
    for load, rows in results.items():
        if rows:
            print(f"\n{table(load, rows)}")
    found = list(problems(results))
    for problem in found:
        say(f"wrong: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

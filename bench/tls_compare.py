#!/usr/bin/env python3
"""TLS 1.3 beside its peers: server CPU time per handshake and per gigabyte, as a Markdown table.

    tls_compare.py [--rounds 5] [--seconds 2] [--build build/release] [--smoke]

    full      handshakes with an ECDSA P-256 certificate     beside `openssl s_server` and nginx
    resumed   handshakes that resume a session               beside `openssl s_server` and nginx
    bulk      a file of 256 MiB                              beside nginx

Each server runs on one core and the client (tls_load.c) on another. The servers take turns within a
round, and the table shows medians. `cpu` is the server's own CPU time, the figure that holds on a
busy machine; `ratio` is the peer's divided by ours: above 1 we need less than the peer.

--smoke runs one short round and fails when something went wrong.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
import nginx  # noqa: E402
from compare import ROOT, Server, build, cores, cpu_seconds, pin, say  # noqa: E402

BULK_BYTES = 1 << 28
PEERS = {"full": ["openssl s_server", "nginx"], "resumed": ["openssl s_server", "nginx"], "bulk": ["nginx"]}
UNITS = {"full": "us a handshake", "resumed": "us a handshake", "bulk": "ms a GB"}

NGINX_HTTP = """
  sendfile on;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {directory}/cert.pem;
    ssl_certificate_key {directory}/key.pem;
    ssl_protocols TLSv1.3;
    root {directory};
  }}
"""


def make_certificate(directory):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", f"{directory}/key.pem", "-out", f"{directory}/cert.pem"],
        check=True, capture_output=True)
    os.chmod(f"{directory}/key.pem", 0o644)  # nginx's worker may be another user


def command_of(server, port, directory, build):
    pair = [f"{directory}/cert.pem", f"{directory}/key.pem"]
    if server == "coronado":
        return [str(build / "bin" / "tls_server"), f"--port={port}", f"--tls-cert={pair[0]}", f"--tls-key={pair[1]}",
                f"--file={directory}/bulk"]
    if server == "openssl s_server":
        return ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", pair[0], "-key", pair[1],
                "-tls1_3", "-www", "-quiet"]
    return nginx.command(directory, NGINX_HTTP.format(directory=directory, port=port))


def measure(server_name, load, args, directory):
    """One run; the client's figures with `cost`, the server's CPU time per unit."""
    server_core, load_core = cores()
    client = build("tls_load", "-lssl", "-lcrypto")
    with Server(server_name, server_core,
                lambda port, _: command_of(server_name, port, directory, args.build)) as server:
        before = cpu_seconds(server.pid)
        done = subprocess.run([client, str(server.port), load, str(args.seconds), "/bulk"], stdout=subprocess.PIPE,
                              text=True, timeout=args.seconds + 60, preexec_fn=pin(load_core), check=True)
        used = cpu_seconds(server.pid) - before
    row = json.loads(done.stdout)
    row["cost"] = used * 1e12 / max(row["bytes"], 1) if load == "bulk" else used * 1e6 / max(row["count"], 1)
    row["rate"] = row["bytes"] / row["seconds"] / 1e9 if load == "bulk" else row["count"] / row["seconds"]
    wrong = row["errors"] or not row["count"] or (load == "resumed" and row["resumed"] != row["count"]) or (
        load == "full" and row["resumed"])
    if wrong:
        say(f"wrong: {server_name}, {load}: {row}")
        args.failed = True
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--smoke", action="store_true")
    args = parser.parse_args()
    args.failed = False
    if args.smoke:
        args.rounds, args.seconds = 1, 0.3
    peers = PEERS
    if not nginx.program():
        say("left out: nginx is not installed")
        peers = {load: [name for name in names if name != "nginx"] for load, names in PEERS.items()}
    results = {load: {name: [] for name in ["coronado", *names]} for load, names in peers.items() if names}
    with tempfile.TemporaryDirectory(prefix="coronado-tls-") as directory:
        os.chmod(directory, 0o755)
        make_certificate(directory)
        with open(Path(directory) / "bulk", "wb") as file:
            file.truncate(BULK_BYTES)
            for _ in range(BULK_BYTES >> 20):
                file.write(b"x" * (1 << 20))
        for round_ in range(args.rounds):
            for load in results:
                for server in results[load]:
                    row = measure(server, load, args, directory)
                    results[load][server].append(row)
                    say(f"round {round_ + 1}/{args.rounds} {load:8} {server:17} {row['cost']:9.1f} {UNITS[load]}"
                        f"  {row['rate']:10.2f}/s  client {row['cpu']:.0%}")
    print(f"{os.uname().machine}, {os.cpu_count()} cores, Linux {os.uname().release.split('-')[0]}; server and client on a "
          f"core each; medians of {args.rounds} rounds of {args.seconds:g} s.\n")
    print("| load | unit | coronado cpu | peer | peer cpu | ratio | coronado rate | peer rate |\n|---|---|--:|---|--:|--:|--:|--:|")
    for load, rows in results.items():
        cost, rate = ({name: statistics.median(run[key] for run in runs) for name, runs in rows.items()}
                      for key in ("cost", "rate"))
        unit = "GB/s" if load == "bulk" else "/s"
        for peer in peers[load]:
            print(f"| {load} | {UNITS[load]} | {cost['coronado']:.1f} | {peer} | {cost[peer]:.1f} "
                  f"| {cost[peer] / cost['coronado']:.2f} | {rate['coronado']:,.2f} {unit} | {rate[peer]:,.2f} {unit} |")
    return 1 if args.failed else 0


if __name__ == "__main__":
    sys.exit(main())

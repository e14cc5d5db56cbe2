"""Coronado and its floor, the least that a server can do, by turns: for the benchmarks that compare just these two."""

import statistics

from compare import median, say

SERVERS = ("coronado", "floor")


def take_turns(rounds, measure, rate):
    """server -> its runs. `measure(server)` makes one; `rate` is the key of what it carried in a second."""
    results = {name: [] for name in SERVERS}
    for round_ in range(rounds):
        for name in SERVERS:
            row = measure(name)
            results[name].append(row)
            say(f"round {round_ + 1}/{rounds} {name:9} {row['cpu_us']:8.3f} us {row[rate]:10,.0f}/s"
                f"  wrong {row['wrong']}  errors {row['errors']}")
    return results


def ratio(ours, floors):
    """Medians of the ratios round by round, with the least and the greatest, as text."""
    ratios = [our / floor for our, floor in zip(ours, floors)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def table(results, rate, unit):
    """Of what `take_turns` returned, as Markdown."""
    of_floor = ratio(*([run["cpu_us"] for run in results[name]] for name in SERVERS))
    lines = [f"| server | cpu us | x floor | {unit}/s | load |", "|---|--:|--:|--:|--:|"]
    for name, runs in results.items():
        lines.append(f"| {name} | {median(runs, 'cpu_us'):.3f} | {of_floor if name == 'coronado' else '1'} "
                     f"| {median(runs, rate):,.0f} | {median(runs, 'cpu'):.0%} |")
    return "\n".join(lines)


def judge(results, right):
    """The exit status: 1, and a line for each server, when a run was not `right(run)`."""
    failed = [name for name, runs in results.items()
              if any(run["wrong"] or run["errors"] or not right(run) for run in runs)]
    for name in failed:
        say(f"wrong: {name}")
    return 1 if failed else 0

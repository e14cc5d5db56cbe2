"""What the benchmarks that count instructions have in common: a program under valgrind's callgrind."""

import argparse
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def arguments(doc):
    """--build and --smoke, as given."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--smoke", action="store_true")
    return parser.parse_args()


def is_missing(program):
    """True, with a word on it, when there is nothing to count with. Ends when there is nothing to count."""
    if not program.exists():
        raise SystemExit(f"{program} is not built")
    if shutil.which("valgrind"):
        return False
    print("left out: valgrind is not installed")
    return True


def command(program, *options):
    """Runs `program`, and at its end says on the standard error what was counted."""
    return ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(program), *map(str, options)]


def collected(said):
    """The instructions of the run that has said this."""
    found = re.search(r"Collected : (\d+)", said)
    if not found:
        raise SystemExit(said)
    return int(found[1])

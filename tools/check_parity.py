#!/usr/bin/env python3
"""Keep docs/parity.tsv true: for every public name of Tornado's modules, where it is here or why it is not.

    tools/check_parity.py [root]             fail when a row names a header or a symbol that is not there
    tools/check_parity.py --update [root]    turn the `planned` rows that have come true into ordinary ones
    tools/check_parity.py --markdown [root]  print the table for a document

The columns: module, name, where, note. `where` is one of
    net/netutil.hpp:bind_sockets     a header below include/coronado and what it declares; members as Class::member
    planned net/x.hpp:Y              not there yet; when it is, the row is an error until --update is run
    none                             has no counterpart; then there must be a note
A member may be declared in a base class that is in the same header. It reads text, not C++: comments and literals are taken out,
brackets are matched.
"""
import csv
import pathlib
import re
import sys

COLUMNS = ["module", "name", "where", "note"]
WHERE = re.compile(r"(?:(planned) )?([\w/]+\.hpp):(\w+(?:::\w+)?)$")
SKIPPED = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
CLASS = r"\b(?:class|struct)\s+(?:\[\[.*?\]\]\s*)?{name}\b(?!\s*[;:]:)([^;{{}}()]*)\{{"


def code_of(text):
    return SKIPPED.sub(" ", text)


def class_bodies(code, name):
    """(the bases as text, the body) of every definition of the class."""
    found = []
    for head in re.finditer(CLASS.format(name=re.escape(name)), code, re.DOTALL):
        depth, end = 1, head.end()
        while end < len(code) and depth:
            depth += {"{": 1, "}": -1}.get(code[end], 0)
            end += 1
        found.append((head.group(1), code[head.end() : end - 1]))
    return found


def declares(code, name):
    """Whether the code declares a function, a type, or a value of that name."""
    name = re.escape(name)
    return bool(
        re.search(rf"\b(?:class|struct|concept|using)\s+(?:\[\[.*?\]\]\s*)?{name}\b", code, re.DOTALL)
        or re.search(rf"\benum\s+(?:class\s+)?{name}\b", code)
        or re.search(rf"[\w>&*\]]\s+[&*]?{name}\s*(?:\(|=|;|\{{)", code)
    )


def has_member(code, class_name, member, seen=()):
    for bases, body in class_bodies(code, class_name):
        if declares(body, member):
            return True
        for base in re.findall(r"\w+", bases):
            if base != class_name and base not in seen and has_member(code, base, member, (*seen, class_name)):
                return True
    return False


def has_symbol(code, symbol):
    class_name, _, member = symbol.rpartition("::")
    return has_member(code, class_name, member) if class_name else declares(code, symbol)


def complaint(root, where, note):
    """Why a row is wrong, or None."""
    if where == "none":
        return None if note else "is said to have no counterpart, without a reason"
    parts = WHERE.match(where)
    if not parts:
        return f'"{where}" is neither header:symbol, planned header:symbol, nor none'
    planned, header, symbol = parts.groups()
    path = root / "include/coronado" / header
    there = path.is_file() and has_symbol(code_of(path.read_text()), symbol)
    if planned:
        return f"{symbol} is in {header} now; run tools/check_parity.py --update" if there else None
    if not path.is_file():
        return f"there is no include/coronado/{header}"
    return None if there else f"{header} does not declare {symbol}"


def read_rows(path):
    with path.open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return rows


def check(root):
    table = root / "docs/parity.tsv"
    rows = read_rows(table)
    name = table.relative_to(root).as_posix()
    bad = [] if rows and rows[0] == COLUMNS else [f"{name}:1: the first line is not {' '.join(COLUMNS)}"]
    seen = set()
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(COLUMNS):
            bad.append(f"{name}:{number}: {len(row)} columns, not {len(COLUMNS)}")
            continue
        module, tornado, where, note = row
        if (module, tornado) in seen:
            bad.append(f"{name}:{number}: {module}.{tornado} is there twice")
        seen.add((module, tornado))
        why = complaint(root, where, note)
        if why:
            bad.append(f"{name}:{number}: {module}.{tornado}: {why}")
    return bad, len(seen)


def update(root):
    table = root / "docs/parity.tsv"
    rows = read_rows(table)
    for row in rows[1:]:
        if row[2].startswith("planned ") and complaint(root, row[2], row[3]):
            row[2] = row[2].removeprefix("planned ")
    table.write_text("".join("\t".join(row) + "\n" for row in rows))


def markdown(root):
    lines = []
    module = None
    for row in read_rows(root / "docs/parity.tsv")[1:]:
        if row[0] != module:
            module = row[0]
            lines += ["", f"### {module}", "", "| Tornado | here | |", "|---|---|---|"]
        parts = WHERE.match(row[2])
        if parts and not parts.group(1):
            here = f"[`{parts.group(3)}`](../include/coronado/{parts.group(2)})"
        else:
            here = "not yet" if parts else "none"
        lines.append(f"| `{row[1]}` | {here} | {row[3]} |")
    return "\n".join(lines[1:])


def main(arguments):
    modes = [argument for argument in arguments if argument.startswith("--")]
    paths = [argument for argument in arguments if not argument.startswith("--")]
    root = pathlib.Path(paths[0] if paths else ".")
    if modes == ["--update"]:
        update(root)
    elif modes == ["--markdown"]:
        print(markdown(root))
        return 0
    elif modes:
        sys.exit(__doc__)
    bad, count = check(root)
    print("\n".join(bad) or f"{count} names of Tornado have their place")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

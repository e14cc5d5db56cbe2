#!/usr/bin/env python3
"""Fail when a public function that returns a Task does not say what it throws and what cancelling it does.

    tools/check_docs.py [root]

Looks at declarations in include/ that begin with Task<...>. Exempt: private members, overrides (documented where they are
declared first), out-of-class definitions, and namespace detail. Declarations that stand together without a blank line
share the doc block above them.
"""
import pathlib
import re
import sys

LABELS = ("Throws", "Cancel")
BEFORE = r"\[\[\w+(?:\(.*?\))?\]\]|template <.*>|requires .*|virtual|static|inline|friend|constexpr|explicit"
TASK = re.compile(rf"^\s*(?:(?:{BEFORE})\s+)*(?:coronado::)?Task<")
NAME = re.compile(r"\s*(~?\w+|operator\s*\S+)\s*\(")


def after_angles(text, start):
    """The index after the `>` that closes the `<` just before `start`, or None."""
    depth = 1
    for index in range(start, len(text)):
        depth += {"<": 1, ">": -1}.get(text[index], 0)
        if depth == 0:
            return index + 1
    return None


def function_name(lines, index):
    """The name of the Task function declared at this line, or None."""
    found = TASK.match(lines[index])
    if not found:
        return None
    text = " ".join([lines[index]] + [line.strip() for line in lines[index + 1 : index + 6]])
    end = after_angles(text, found.end())
    name = NAME.match(text, end) if end else None
    if not name:
        return None
    head = re.split(r"[;{]", text[name.start() :], maxsplit=1)[0]
    return None if re.search(r"\)[^)]*\boverride\b", head) else name.group(1)


def doc_block(lines, index):
    """The doc lines above the group of declarations this line stands in."""
    index -= 1
    while index >= 0 and lines[index].strip() and not lines[index].lstrip().startswith("///"):
        index -= 1
    block = []
    while index >= 0 and lines[index].lstrip().startswith("///"):
        block.append(lines[index])
        index -= 1
    return block


def exempt_lines(lines):
    """The numbers of the lines inside private sections and namespace detail, told by clang-format's layout."""
    exempt = set()
    detail = False
    private_at = None  # indentation of the `private:` in force
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if re.match(r"namespace (coronado::)?detail\b", line):
            detail = True
        elif line.startswith("}"):
            detail = False
        access = re.match(r"\s*(public|protected|private):", line)
        if access and (private_at is None or indent <= private_at):
            private_at = indent if access.group(1) == "private" else None
        elif private_at is not None and re.match(r"\s*};", line) and indent < private_at:
            private_at = None
        if detail or private_at is not None:
            exempt.add(number)
    return exempt


def check_text(path, text):
    lines = text.splitlines()
    exempt = exempt_lines(lines)
    bad = []
    for index in range(len(lines)):
        name = None if index in exempt else function_name(lines, index)
        if not name:
            continue
        block = doc_block(lines, index)
        said = [label for label in LABELS if any(re.search(rf"(///|\s\s)\s*{label}(\s|$)", line) for line in block)]
        missing = [label for label in LABELS if label not in said]
        if missing:
            bad.append(f"{path}:{index + 1}: {name}: the doc block lacks {' and '.join(missing)}")
    return bad


def main(root):
    bad = []
    headers = sorted((root / "include").rglob("*.hpp"))
    for header in headers:
        bad += check_text(header.relative_to(root).as_posix(), header.read_text())
    print("\n".join(bad) or f"{len(headers)} headers ok")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))

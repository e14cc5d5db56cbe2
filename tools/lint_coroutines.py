#!/usr/bin/env python3
"""Find coroutine code that compiles and goes wrong, or that one of the supported compilers gets wrong.

    tools/lint_coroutines.py [file...]      default: every C++ file of the project

Rules
    await-binding         auto [a, b] = co_await x;      GCC 15 forgets destructors (PR 124584). Bind a named result.
    await-braces          T{co_await x}                  GCC up to 14 builds the elements in the wrong order. Await first.
    await-ternary         c ? co_await x : y             compilers destroy the operand early or late (LLVM 59181). Use if.
    await-range           for (auto& v : co_await x)     the range dies or the compiler does (GCC 12, 13). Await first.
    await-lambda          co_await f([x] { ... })        only in include/ and src/: a capture in an await expression is what
                                                         compilers broke most (PR 99576). Name the lambda first.
    coroutine-call        [x]() -> Task<> { ... }()      the captures die with the closure, at the end of this statement,
                                                         and the task lives on. Await it here, run it to its end here (`run`,
                                                         `run_sync`), or pass arguments.
    coroutine-capture     auto f = [x]() -> Task<> {...} only in include/, src/ and examples/: as before when f dies first.
                                                         Pass arguments, or hand the lambda itself to what keeps it.

`// NOLINT(rule): reason` on the line, or alone on the line above, permits it; a NOLINT without a reason does not count.
It reads text in clang-format's layout, not C++: brackets are tracked, types are not known.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
LAMBDA = re.compile(r"(?<![\w\)\]\[])\[(?!\[)([^\[\]]*)\]\s*(?=[({<]|mutable\b|->)")
NOLINT = re.compile(r"//\s*NOLINT\(([\w, -]+)\):\s*\S")
PAIRS = {"(": ")", "[": "]", "{": "}"}


def blank(text):
    """The text with comments and literals turned into spaces: same length, same lines."""
    return TOKEN.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def match_brackets(code):
    """Opening -> closing index, and for every index the stack is found by `enclosing`."""
    closing, stack = {}, []
    for index, char in enumerate(code):
        if char in PAIRS:
            stack.append(index)
        elif stack and char == PAIRS[code[stack[-1]]]:
            closing[stack.pop()] = index
    return closing


def enclosing(closing, position):
    """The opening brackets around a position, innermost first."""
    return sorted((start for start, end in closing.items() if start < position < end), reverse=True)


def is_initializer(code, brace):
    """Whether this { starts a list of values: T{, = {, ({, return {. A block has a space before it."""
    before = code[max(0, brace - 40) : brace]
    return bool(re.search(r"[\w>]$|(?:[=,({]|\breturn|\bco_return|\bco_yield) ?$", before))


def statement_start(code, closing, position):
    """Where the statement around a position begins: after the last ; or block bracket at its own level."""
    limit = next((start for start in enclosing(closing, position) if code[start] == "{" and not is_initializer(code, start)), -1)
    ends = {end: start for start, end in closing.items()}
    index = position - 1
    while index > limit:
        if code[index] == ";" or (code[index] == "}" and not is_initializer(code, ends.get(index, index))):
            break
        index = ends.get(index, index) - 1
    return index + 1


def expression_end(code, closing, position):
    """Where the expression that begins at a position ends: at its ; or , or at the bracket that encloses it."""
    index = position
    while index < len(code) and code[index] not in ";,)]}":
        index = closing.get(index, index) + 1
    return index


def lambdas(code, closing):
    """Each lambda: its position, captures, body braces, and whether its own body is a coroutine."""
    found = []
    for match in LAMBDA.finditer(code):
        body = code.find("{", match.end())
        parameters = code.find("(", match.end())
        if 0 <= parameters < body:
            body = code.find("{", closing.get(parameters, parameters))
        if body >= 0 and body in closing and ";" not in code[match.end() : body]:
            found.append((match.start(), match.group(1).strip(), body, closing[body]))
    result = []
    for start, captures, body, end in found:
        inner = [(b, e) for _, _, b, e in found if body < b and e < end]
        words = [w.start() for w in re.finditer(r"\bco_(await|return|yield)\b", code[body:end])]
        own = any(not any(b < body + word < e for b, e in inner) for word in words)
        result.append((start, captures, body, end, own))
    return result


def check_await(code, closing, position):
    """The rules that one co_await breaks."""
    before = code[statement_start(code, closing, position) : position]
    if re.search(r"\bauto\s*&{0,2}\s*\[[^\]]*\]\s*=\s*$", before):
        yield "await-binding"
    for start in enclosing(closing, position):
        if code[start] == "{":
            if is_initializer(code, start):
                yield "await-braces"
            break
    if re.search(r"\s\?\s", before):
        yield "await-ternary"
    if re.search(r"\bfor \([^()]*\s:\s+(?:[\w:]+\()*$", before):
        yield "await-range"


def check_text(path, text):
    """All complaints about one file; `path` is relative to the root, with slashes."""
    code = blank(text)
    if "co_" not in code:
        return []
    closing = match_brackets(code)
    library = path.startswith(("include/", "src/"))
    found = []
    all_lambdas = lambdas(code, closing)
    for word in re.finditer(r"(?<!operator )\bco_await\b", code):
        found += [(word.start(), rule) for rule in check_await(code, closing, word.start())]
        end = expression_end(code, closing, word.end())
        if library and any(captures and word.end() < start < end for start, captures, *_ in all_lambdas):
            found.append((word.start(), "await-lambda"))
    for start, captures, _, end, coroutine in all_lambdas:
        if not captures or not coroutine:
            continue
        before = code[statement_start(code, closing, start) : start].rstrip()
        if re.match(r"\s*\(", code[end + 1 :]):
            if not re.search(r"\bco_await$|\brun(_sync)?\($", before):
                found.append((start, "coroutine-call"))
        elif (library or path.startswith("examples/")) and re.search(r"\bauto\s+\w+\s*=$", before):
            found.append((start, "coroutine-capture"))
    return report(path, text, found)


def report(path, text, found):
    lines = text.splitlines()
    bad = []
    for position, rule in sorted(found):
        number = text.count("\n", 0, position) + 1
        above = lines[number - 2].strip() if number > 1 else ""
        permits = NOLINT.findall(lines[number - 1]) + (NOLINT.findall(above) if above.startswith("//") else [])
        if not any(rule in re.split(r",\s*", permit) for permit in permits):
            bad.append(f"{path}:{number}: {rule}: {lines[number - 1].strip()}")
    return bad


def main(arguments):
    names = arguments
    if not names:
        listed = subprocess.run([ROOT / "tools/cpp_files"], capture_output=True, text=True, check=True).stdout
        names = [str(ROOT / name) for name in sorted(filter(None, listed.split("\0")))]
    bad = []
    for name in names:
        path = pathlib.Path(name).resolve()
        bad += check_text(path.relative_to(ROOT).as_posix(), path.read_text())
    print("\n".join(bad) or f"{len(names)} files ok")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

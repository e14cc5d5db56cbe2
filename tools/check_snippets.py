#!/usr/bin/env python3
"""Check that the code in the documents is code that compiles.

    tools/check_snippets.py [--fix] [file...]      default: README*.md, docs/guide/ and the pages in examples/

A listing after `<!-- path:region -->` must equal that region of that file: the lines between `// [region]` and
`// [/region]`, without their common indentation. A listing is a fenced block, or `<pre><code>` in a page. Every C++
block of the README and the guide must have such a mark.

A dump of tasks, which is a fenced block without a language, names lines that wait: `at chat.cpp:54 speak()` needs a
`co_await` in that line, and `spawned at ...` may name one that spawns. So a dump cannot grow old unseen.

--fix writes the regions into the documents, and of a line that does not wait (any more) the nearest that does.
"""
import html
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARK = r"<!-- ([\w./-]+):([\w-]+) -->\s*"
FENCED = re.compile(MARK + r"(?P<head>```\w*\n)(?P<code>.*?)(?P<tail>^```$)", re.DOTALL | re.MULTILINE)
IN_PAGE = re.compile(MARK + r"(?P<head><pre[^>]*><code[^>]*>)(?P<code>.*?)(?P<tail></code></pre>)", re.DOTALL)
PLAIN = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PLACE = re.compile(r"\b(?P<spawned>spawned )?at (?P<file>[\w-]+\.[ch]pp):(?P<line>\d+) (?:lambda in )?[\w:]*?(?P<function>\w+)\(\)")
ANY_CPP = re.compile(r"^```(?:cpp|c\+\+)$", re.MULTILINE)


def region(text, name):
    """The lines of a region, or None when it is not there exactly once."""
    found = re.findall(rf"^[ ]*// \[{name}\]\n(.*?)^[ ]*// \[/{name}\]$", text, re.DOTALL | re.MULTILINE)
    return textwrap.dedent(found[0]) if len(found) == 1 else None


def check_text(text, is_page, read):
    """Complaints as (line, message), and the text as it should be. `read` gives the text of a path, or None."""
    complaints, marked = [], set()

    def compare(match):
        line = text.count("\n", 0, match.start()) + 1
        marked.add(match.start("head"))
        source = read(match[1])
        wanted = None if source is None else region(source, match[2])
        if wanted is None:
            complaints.append((line, f"no region [{match[2]}] in {match[1]}"))
            return match[0]
        if is_page:
            wanted = html.escape(wanted.rstrip("\n"), quote=False)
        if match["code"] != wanted:
            complaints.append((line, f"differs from {match[1]}:{match[2]}"))
        return match[0][: match.start("code") - match.start()] + wanted + match["tail"]

    fixed = (IN_PAGE if is_page else FENCED).sub(compare, text)
    for match in [] if is_page else ANY_CPP.finditer(text):
        if match.start() not in marked:
            complaints.append((text.count("\n", 0, match.start()) + 1, "C++ without <!-- path:region --> above it"))
    return complaints, fixed


def waiting_lines(source, function, spawned):
    """The numbers of the lines of a function in which a task can be suspended, or spawned."""
    wanted = re.compile(r"\bco_(await|yield)\b|spawn" if spawned else r"\bco_(await|yield)\b")
    lines, found, ends = source.split("\n"), [], set()
    for number, line in enumerate(lines, 1):
        if re.search(rf"\b{function}\(", line):
            ends.add(re.match(" *", line)[0] + "}")
        elif line in ends:
            ends.discard(line)
        if ends and wanted.search(line):
            found.append(number)
    return found


def check_places(text, find):
    """The same as `check_text` for the places in dumps. `find` gives the texts of the files with a name."""
    complaints = []

    def check_block(block):
        def check_place(match):
            line = text.count("\n", 0, block.start(1) + match.start()) + 1
            number = int(match["line"])
            lines = [n for source in find(match["file"]) for n in waiting_lines(source, match["function"], match["spawned"])]
            if number in lines:
                return match[0]
            if not lines:
                complaints.append((line, f"no {match['function']}() that waits in {match['file']}"))
                return match[0]
            nearest = min(lines, key=lambda each: abs(each - number))
            complaints.append((line, f"{match['function']}() does not wait in line {number} of {match['file']}, but in {nearest}"))
            return match[0].replace(f":{number} ", f":{nearest} ")

        return "```\n" + PLACE.sub(check_place, block[1]) + "```"

    return complaints, PLAIN.sub(check_block, text)


def find_sources(name):
    """The texts of the files with that name."""
    return [file.read_text() for folder in ("include", "src", "examples", "tests") for file in (ROOT / folder).rglob(name)]


def read_source(path):
    file = ROOT / path
    return file.read_text() if file.is_file() else None


def check_file(text, is_page):
    complaints, fixed = check_text(text, is_page, read_source)
    if is_page:
        return complaints, fixed
    more, fixed = check_places(fixed, find_sources)
    return complaints + more, fixed


def main(arguments):
    fix = "--fix" in arguments
    files = [pathlib.Path(a) for a in arguments if a != "--fix"]
    files = files or [*sorted(ROOT.glob("README*.md")), *sorted(ROOT.glob("docs/guide/*.md")), *sorted(ROOT.glob("examples/**/*.html"))]
    failed = 0
    for file in files:
        text = file.read_text()
        complaints, fixed = check_file(text, file.suffix == ".html")
        if fix and fixed != text:
            file.write_text(fixed)
            complaints = check_file(fixed, file.suffix == ".html")[0]
        for line, message in sorted(complaints):
            print(f"{file}:{line}: {message}")
        failed += len(complaints)
    if not failed:
        print(f"{len(files)} documents ok")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

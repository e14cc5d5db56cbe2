#!/usr/bin/env python3
"""Check that the code in the documents is code that compiles.

    tools/check_snippets.py [--fix] [file...]      default: README*.md, docs/guide/ and the pages in examples/

A listing after `<!-- path:region -->` must equal that region of that file: the lines between `// [region]` and
`// [/region]`, without their common indentation. A listing is a fenced block, or `<pre><code>` in a page. Every C++
block of the README and the guide must have such a mark. --fix writes the regions into the documents.
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


def read_source(path):
    file = ROOT / path
    return file.read_text() if file.is_file() else None


def main(arguments):
    fix = "--fix" in arguments
    files = [pathlib.Path(a) for a in arguments if a != "--fix"]
    files = files or [*sorted(ROOT.glob("README*.md")), *sorted(ROOT.glob("docs/guide/*.md")), *sorted(ROOT.glob("examples/**/*.html"))]
    failed = 0
    for file in files:
        text = file.read_text()
        complaints, fixed = check_text(text, file.suffix == ".html", read_source)
        if fix and fixed != text:
            file.write_text(fixed)
            complaints = check_text(fixed, file.suffix == ".html", read_source)[0]
        for line, message in sorted(complaints):
            print(f"{file}:{line}: {message}")
        failed += len(complaints)
    if not failed:
        print(f"{len(files)} documents ok")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

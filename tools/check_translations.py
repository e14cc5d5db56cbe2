#!/usr/bin/env python3
"""Check that translations keep step: the tour's catalogues with its texts, README.zh-CN.md with README.md.

    tools/check_translations.py [root]

The texts of examples/tour are what its pages hand to `_("...")`, its C++ to `translate("...")` and `marked("...")`, and its
scripts to `t("...")` and `tn("one", "many", ...)`; of the library, what its locale and its OpenAPI page say themselves. Every
translations/*.csv must translate the former, may translate the latter, and must have nothing else; a text with a plural has
a row `singular` and a row `plural`. What stands between braces or after a `%` must stand in the translation as well.

README.*.md has the beginning of README.md: the same listings and commands but for their comments, and as many points in
its list.
"""
import csv
import pathlib
import re
import sys

QUOTED = r'"((?:[^"\\\n]|\\.)*)"'
IN_PAGE = re.compile(rf"(?<!\w)_\(\s*(?:{QUOTED}|'([^'\n]*)')(?:\s*,\s*{QUOTED})?")
IN_CPP = re.compile(rf"\b(?:translate|marked)\(\s*{QUOTED}(?:\s*,\s*{QUOTED})?")
IN_SCRIPT = re.compile(rf"(?<![\w.])(tn?)\({QUOTED}(?:, {QUOTED})?")
PLACE = re.compile(r"\{\w+\}|%\(\w+\)[sd]")


def join_literals(text):
    """C++ as if neighbouring literals were one, and without escapes in them."""
    return re.sub(r'"\s*\n\s*"', "", text).replace("\\\\", "\\")


def texts_of(folder):
    """{(text, kind): file}; the kind is that of a CSV row: "", "singular" or "plural"."""
    texts = {}

    def add(file, one, many):
        texts.setdefault((one, "singular" if many else ""), file.name)
        if many:
            texts.setdefault((many, "plural"), file.name)

    for file in sorted(folder.glob("pages/**/*.html")):
        for match in IN_PAGE.finditer(file.read_text()):
            add(file, match[1] if match[1] is not None else match[2], match[3])
    for file in sorted(folder.glob("*.cpp")):
        for match in IN_CPP.finditer(join_literals(file.read_text())):
            add(file, match[1], match[2])
    for file in sorted(folder.glob("static/*.js")):
        for match in IN_SCRIPT.finditer(file.read_text()):
            add(file, match[2], None)
            if match[1] == "tn" and match[3] is not None:
                add(file, match[3], None)
    return texts


OWN_TEXTS = ("src/web/locale.cpp", "src/web/openapi.cpp", "src/web/openapi_page.cpp")


def own_texts(source):
    """What the library says by itself, in any kind of row."""
    return set(re.findall(QUOTED, source))


def check_rows(rows, texts, own):
    """Complaints about the rows of one catalogue, each with its line or 0."""
    complaints, seen = [], set()
    for line, row in rows:
        if len(row) not in (2, 3):
            complaints.append((line, f"a row has two or three cells, not {len(row)}"))
            continue
        text, translation = row[0].strip(), row[1].strip()
        key = (text, row[2] if len(row) == 3 else "")
        if key in seen:
            complaints.append((line, f"twice: {text!r}"))
        seen.add(key)
        if key not in texts and text not in own:
            complaints.append((line, f"nobody says {text!r}" + (f" as {key[1]}" if key[1] else "")))
        if not translation:
            complaints.append((line, f"no translation of {text!r}"))
        elif key[1] != "singular" and sorted(PLACE.findall(text)) != sorted(PLACE.findall(translation)):
            complaints.append((line, f"other places than in {text!r}"))
    for key, file in texts.items():
        if key not in seen:
            complaints.append((0, f"{file} says {key[0]!r}" + (f" as {key[1]}" if key[1] else "")))
    return sorted(complaints)


def outline(readme):
    """Its listings without comments, and how many points its list has."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    return [re.sub(r"\s+#.*", "", block) for block in blocks], len(re.findall(r"^- \*\*", readme, re.MULTILINE))


def check_readme(english, translated):
    """What is not in step."""
    complaints = []
    blocks, points = outline(english)
    own_blocks, own_points = outline(translated)
    if not own_blocks or own_blocks != blocks[:len(own_blocks)]:
        complaints.append("other listings than README.md begins with")
    if own_points != points:
        complaints.append(f"{own_points} points in its list, and README.md has {points}")
    return complaints


def main(root):
    folder = root / "examples/tour"
    texts = texts_of(folder)
    own = own_texts("\n".join((root / name).read_text() for name in OWN_TEXTS if (root / name).exists()))
    failed = 0
    catalogues = sorted(folder.glob("translations/*.csv"))
    for catalogue in catalogues:
        with catalogue.open(newline="") as file:
            reader = csv.reader(file)
            rows = [(reader.line_num, row) for row in reader]
        for line, message in check_rows(rows, texts, own):
            print(f"{catalogue.relative_to(root)}:{line}: {message}")
            failed += 1
    for readme in sorted(root.glob("README.*.md")):
        for message in check_readme((root / "README.md").read_text(), readme.read_text()):
            print(f"{readme.name}: {message}")
            failed += 1
    if not failed:
        print(f"{len(texts)} texts in {len(catalogues)} catalogues ok")
    return failed != 0 or not catalogues


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))

"""Writes docs/reference and the examples in docs; the work of dev/docs.

usage: write-docs.py [--check] ROOT GENERATED

GENERATED holds dialect.md and passes.md as mlir-tblgen makes them. Examples are
the lines between '// example: NAME' and '// end: NAME' in the lit tests
ROOT/test/Docs/*.mlir. Lines of code are shown as they stand. What the test's
CHECK lines expect is shown as the outcome, with FileCheck's variables by their
names and what matches anything as '...'.
"""

import os
import re
import sys
import textwrap
from pathlib import Path

MARK = re.compile(r"\s*// (example|end): (\S+)\s*$")
CHECK_LINE = re.compile(r"\s*// CHECK(?:-[A-Z]+(?:-\d+)?)?: ?(.*)")
DIAGNOSTIC = re.compile(r"// expected-(\w+)(?: ?@\S+)? ?{{(.*)}}")
FENCE = re.compile(r"^```mlir\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
SLOT = re.compile(r"<!-- example: (\S+) -->\n.*?<!-- end -->", re.DOTALL)


class Failure(Exception):
    """What is wrong, in a sentence for the user."""


class Example:
    """An example of test/Docs: code, and what the test expects of it."""

    def __init__(self):
        self.code, self.outcome = [], []

    def add(self, line):
        check = CHECK_LINE.match(line)
        if check:
            self.outcome.append(readable(check.group(1)))
        else:
            self.code.append(DIAGNOSTIC.sub(r"// \1: \2", line))

    def markdown(self):
        parts = [
            f"```mlir\n{textwrap.dedent(chr(10).join(lines)).strip()}\n```\n"
            for lines in (self.code, self.outcome)
            if any(line.strip() for line in lines)
        ]
        return "\nbecomes\n\n".join(parts)


def readable(pattern):
    """A CHECK pattern as the text that it stands for."""
    pattern = re.sub(r"\[\[(\w+)(:(\[[^]]*\]|[^]])*)?\]\]", r"\1", pattern)
    return re.sub(r"{{.*?}}", "...", pattern)


def words(text):
    """The text to compare: neither its lines nor its commas matter, as a test
    needs some between two attributes."""
    return " ".join(text.replace(",", " ").split())


def read_examples(folder):
    examples = {}
    for path in sorted(folder.glob("*.mlir")):
        open_ones = []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            mark = MARK.match(line)
            if not mark:
                for name in open_ones:
                    examples[name].add(line)
                continue
            kind, name = mark.groups()
            if kind == "example" and name not in examples:
                open_ones.append(name)
                examples[name] = Example()
            elif kind == "end" and open_ones[-1:] == [name]:
                open_ones.pop()
            else:
                raise Failure(f"{path}:{number}: '{kind}: {name}' does not fit here")
        if open_ones:
            raise Failure(f"{path}: no '// end: {open_ones[-1]}'")
    return examples


class Pages:
    """Makes pages and notes which examples they use."""

    def __init__(self, examples):
        self.examples, self.used = examples, set()

    def example(self, name, reader):
        if name not in self.examples:
            raise Failure(
                f"no example of {name} for {reader}; put one between "
                f"'// example: {name}' and '// end: {name}' into test/Docs"
            )
        self.used.add(name)
        return self.examples[name]

    def fill(self, text, page):
        """Fills the slots of a page that is written by hand."""
        return SLOT.sub(
            lambda slot: f"<!-- example: {slot[1]} -->\n"
            f"{self.example(slot[1], page).markdown()}<!-- end -->",
            text,
        )

    def section(self, name, body):
        """One op, attribute, type or pass, with its example."""
        example = self.example(name, "the reference")
        code = words(" ".join(example.code))
        for fence in FENCE.findall(body):
            if words(fence) not in code:
                raise Failure(
                    f"the .td file's example of {name} is not part of the one in "
                    f"test/Docs; make them agree"
                )
        body = re.sub(r"^(Traits|Interfaces|Effects): .*\n", "", body, flags=re.M)
        body = body.replace("docs/semantics.md", "[semantics.md](../semantics.md)")
        place = FENCE.search(body) or re.search(r"^####", body, re.M)
        at = place.start() if place else len(body)
        rest = FENCE.sub("", body[at:])
        return f"### `{name}`\n{body[:at]}\n{example.markdown()}\n{rest}"

    def dialect(self, text):
        levels = dict.fromkeys(LEVELS, "")
        for level, name, body in split_sections(text):
            if level == "Operations":
                op = re.match(r"`(.*?)`", name)[1]
                level = level_of(op)
                levels[level] += self.section(op, body)
            elif level == "Enums":
                levels[level] += f"### {name}\n{body}"
            else:
                stem, kind = re.match(r"(\w+)(Attr|Type)$", name).groups()
                stem = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", stem).lower()
                sigil = "#" if kind == "Attr" else "!"
                levels[level] += self.section(f"{sigil}tda.{stem}", body)
        parts = [f"\n## {level}\n\n{body}" for level, body in levels.items()]
        intro = text[: text.index("[TOC]")].partition("\n")[2]
        return tidy(HEADER.format("dialects/tda/*.td") + intro + "".join(parts))

    def passes(self, text):
        parts = [
            self.section(name.strip("`-"), body)
            for _, name, body in split_sections(text)
        ]
        # There is no level above the passes: all headings move up by one.
        body = re.sub(r"^#(#+ )", r"\1", "".join(parts), flags=re.M)
        intro = (
            "# Passes\n\n"
            "[pipeline.md](../pipeline.md) has them in the order in which they run.\n\n"
        )
        return tidy(HEADER.format("lib/Passes/Passes.td") + intro + body)


HEADER = "<!-- Written by dev/docs from {} and test/Docs. Do not edit. -->\n\n"
LEVELS = ["Stage ops", "The fused op", "Tile ops", "Attributes", "Types", "Enums"]


def level_of(op):
    if op == "tda.attention":
        return "The fused op"
    return "Tile ops" if op.startswith(("tda.tile_", "tda.panel_")) else "Stage ops"


def split_sections(text):
    """(the ## heading above, the ### heading, the text below) of each ###."""
    above = ""
    for part in re.split(r"^(?=###? )", text, flags=re.M):
        heading, _, body = part.partition("\n")
        level, _, name = heading.partition(" ")
        if level == "##":
            above = name
        elif level == "###":
            yield above, name, body


def tidy(text):
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text)
    os.replace(temporary, path)


def main(arguments):
    check = arguments[:1] == ["--check"]
    root, generated = map(Path, arguments[1:] if check else arguments)
    pages = Pages(read_examples(root / "test/Docs"))
    wanted = {
        root / "docs/reference/dialect.md": pages.dialect(
            (generated / "dialect.md").read_text()
        ),
        root / "docs/reference/passes.md": pages.passes(
            (generated / "passes.md").read_text()
        ),
    }
    for page in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        if page.exists():
            wanted[page] = pages.fill(page.read_text(), page.relative_to(root))
    unused = sorted(set(pages.examples) - pages.used)
    if unused:
        raise Failure(f"nothing shows the example {unused[0]} of test/Docs")
    stale = [p for p, text in wanted.items() if not p.exists() or p.read_text() != text]
    for path in stale:
        if check:
            print(f"{path.relative_to(root)} is not up to date; run dev/docs")
        else:
            write(path, wanted[path])
            print(f"wrote {path.relative_to(root)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        sys.exit(f"dev/docs: error: {failure}")

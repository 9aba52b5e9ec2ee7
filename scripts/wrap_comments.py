"""Breaks comment lines that are longer than 100 columns, and leaves all others alone.

usage: wrap_comments.py FILE...

clang-format could do it, but it would join lines that the author parted (the "What it promises:" of
a header's prose). Here the overflow of a line goes to the front of the next one only where that
goes on with the same sentence; otherwise it gets a line of its own.
"""

import re
import sys

COLUMNS = 100
COMMENT = re.compile(r"^(?P<prefix>\s*//[/!]?<?(?P<indent>\s+))(?P<text>\S.*)$")
CONTINUES = re.compile(r"^[a-z0-9`\"'(<:]")


def wrap(lines):
    """The lines with long comment lines broken."""
    result = []
    pending = list(lines)
    while pending:
        line = pending.pop(0)
        match = COMMENT.match(line)
        if len(line) <= COLUMNS or not match or "http" in line:
            result.append(line)
            continue
        cut = line.rfind(" ", len(match["prefix"]), COLUMNS + 1)
        if cut < 0:
            result.append(line)
            continue
        result.append(line[:cut].rstrip())
        overflow = line[cut + 1:].strip()
        # The lines of a list item after its first are indented under its text.
        marker = re.match(r"(-|\d+\.)\s+", match["text"])
        prefix = match["prefix"] + " " * (len(marker.group(0)) if marker else 0)
        following = COMMENT.match(pending[0]) if pending else None
        if following and following["prefix"] == prefix and CONTINUES.match(following["text"]):
            pending[0] = f"{prefix}{overflow} {following['text']}"
        else:
            pending.insert(0, prefix + overflow)
    return result


def main(paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            before = file.read()
        after = "\n".join(wrap(before.split("\n")))
        if after != before:
            with open(path, "w", encoding="utf-8") as file:
                file.write(after)


if __name__ == "__main__":
    main(sys.argv[1:])

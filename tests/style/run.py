"""Runs one check over the repository.

usage: run.py CHECK [--compiler C++] [--library NAME=ARCHIVE]...

Exit: 0 without findings, 1 with them (one line each on stderr), 77 where a tool is missing.
"""

import argparse
import sys

import bans
import docs
import headers
import layers
import link_alone
import sizes
import sources

SKIPPED = 77


def check_format(_):
    """clang-format, by scripts/format: the same files and version for people and the test."""
    done = sources.run(sources.ROOT / "scripts/format")
    if done.returncode == 3:
        print(done.stderr.strip(), file=sys.stderr)
        sys.exit(SKIPPED)
    complaints = [line for line in done.stderr.splitlines() if "[-Wclang-format" in line]
    files = sorted({line.split(":", 1)[0] for line in complaints})
    if done.returncode and not files:
        return [sources.Finding("scripts/format", 1, done.stderr[:2000])]
    return [sources.Finding(file, 1, "not formatted: scripts/format --fix") for file in files]


CHECKS = {
    "layers": lambda _: layers.check(),
    "sizes": lambda _: sizes.check(),
    "bans": lambda _: bans.check(),
    "format": check_format,
    "links": lambda _: docs.check_links(),
    "docs_code": lambda arguments: docs.check_code(arguments.compiler),
    "headers_alone": lambda arguments: headers.check_alone(arguments.compiler),
    "umbrella": lambda arguments: headers.check_umbrella(arguments.compiler),
    "link_alone": lambda arguments: link_alone.check(arguments.compiler, arguments.library),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--library", action="append", default=[])
    arguments = parser.parse_args()
    findings = CHECKS[arguments.check](arguments)
    for finding in findings:
        print(finding, file=sys.stderr)
    print(f"{arguments.check}: {len(findings)} finding(s)")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

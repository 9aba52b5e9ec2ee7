"""Passes when the compiler refuses a file and says what the file expects.

usage: run.py [--parsed DIR] COMPILER CASE.cpp INCLUDE_DIRECTORY...
       run.py --parse DIR COMPILER INCLUDE_DIRECTORY...

CASE.cpp opens with one or more lines `// expect: SENTENCE`. Exit: 0 refused with every sentence;
1 compiled, or refused for another reason; 2 the case itself is wrong.

The second form parses <perdure/perdure.hpp> once, for cases that include it.
"""

import argparse
import pathlib
import re
import subprocess
import sys

FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror=unused-result",
         "-fdiagnostics-color=never"]
UMBRELLA = "perdure/perdure.hpp"


def expected_sentences(case):
    """The sentences in the comment lines that open the file."""
    sentences = []
    for line in case.read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"//\s*expect:\s*(\S.*?)\s*", line)
        if match:
            sentences.append(match.group(1))
        elif not line.startswith("//"):
            break
    return sentences


def squeeze(text):
    """Text with every run of white space as one blank: compilers wrap lines as they like."""
    return re.sub(r"\s+", " ", text)


def parse(directory, compiler, includes):
    """Makes the precompiled header in a directory; exit status and what to say."""
    directory.mkdir(parents=True, exist_ok=True)
    header = directory / "parsed.hpp"
    header.write_text(f"#include <{UMBRELLA}>\n", encoding="utf-8")
    flags = [flag for flag in FLAGS if flag != "-fsyntax-only"]
    done = subprocess.run([compiler, *flags, *(f"-I{include}" for include in includes), "-x",
                           "c++-header", str(header), "-o", f"{header}.gch"],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def known(case, parsed):
    """Flags that spare a case the parsing of the umbrella."""
    if parsed is None or f"#include <{UMBRELLA}>" not in case.read_text(encoding="utf-8"):
        return []
    return ["-include", str(parsed / "parsed.hpp")]


def judge(compiler, case, includes, parsed=None):
    """Returns (exit status, what to say)."""
    sentences = expected_sentences(case)
    if not sentences:
        return 2, f"{case}: the first line must be `// expect: SENTENCE`"
    command = [compiler, *FLAGS, *(f"-I{directory}" for directory in includes),
               *known(case, parsed), str(case)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    if done.returncode == 0:
        return 1, f"{case}: compiled, though it must be refused with: {sentences[0]}\n{output}"
    for sentence in sentences:
        if squeeze(sentence) not in squeeze(output):
            return 1, f"{case}: refused, but without the sentence: {sentence}\n{output}"
    return 0, f"{case}: refused, with {len(sentences)} expected sentence(s)"


def main(words):
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("--parse", type=pathlib.Path)
    arguments.add_argument("--parsed", type=pathlib.Path)
    arguments.add_argument("compiler")
    arguments.add_argument("files", nargs="+", type=pathlib.Path)
    asked = arguments.parse_args(words)
    if asked.parse:
        status, text = parse(asked.parse, asked.compiler, asked.files)
    else:
        status, text = judge(asked.compiler, asked.files[0], asked.files[1:], asked.parsed)
    print(text, file=sys.stderr if status else sys.stdout)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

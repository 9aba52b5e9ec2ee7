"""Passes when the compiler refuses a file and says what the file expects.

usage: run.py COMPILER CASE.cpp INCLUDE_DIRECTORY...

CASE.cpp opens with one or more lines `// expect: SENTENCE`. Exit: 0 refused with every sentence;
1 compiled, or refused for another reason; 2 the case itself is wrong.
"""

import pathlib
import re
import subprocess
import sys

FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror=unused-result",
         "-fdiagnostics-color=never"]


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


def judge(compiler, case, includes):
    """Returns (exit status, what to say)."""
    sentences = expected_sentences(case)
    if not sentences:
        return 2, f"{case}: the first line must be `// expect: SENTENCE`"
    command = [compiler, *FLAGS, *(f"-I{directory}" for directory in includes), str(case)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    if done.returncode == 0:
        return 1, f"{case}: compiled, though it must be refused with: {sentences[0]}\n{output}"
    for sentence in sentences:
        if squeeze(sentence) not in squeeze(output):
            return 1, f"{case}: refused, but without the sentence: {sentence}\n{output}"
    return 0, f"{case}: refused, with {len(sentences)} expected sentence(s)"


def main(arguments):
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    status, text = judge(arguments[0], pathlib.Path(arguments[1]), arguments[2:])
    print(text, file=sys.stderr if status else sys.stdout)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

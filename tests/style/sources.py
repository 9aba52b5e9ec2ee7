"""The project's files, and C++ text without its comments and strings. Shared by the checks."""

import dataclasses
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE_DIRECTORIES = ("include", "core", "journal", "saga", "tools", "gpu", "actors", "cli",
                    "samples", "bench", "tests", "docs", "cmake")
TEXT_SUFFIXES = {".hpp", ".cpp", ".cu", ".py", ".md", ".txt", ".cmake", ".in", ".sh", ".json",
                 ".fbs"}
# Made by machines, or not ours to shape.
SKIPPED_PARTS = {"build", ".git", ".cache", "__pycache__", "data"}


@dataclasses.dataclass(frozen=True)
class Finding:
    """One violation: where, and what to do about it."""
    file: str
    line: int
    text: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.text}"


def _walk(directory):
    for path in sorted(directory.iterdir()):
        if path.name in SKIPPED_PARTS:
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            yield path


def all_text(root=ROOT):
    """Every text file that a person writes, scripts without a suffix included."""
    for path in _walk(root):
        if path.suffix in TEXT_SUFFIXES or path.parent.name in ("scripts", ".ci"):
            yield path


def code(root=ROOT):
    """Every C++ file."""
    for name in CODE_DIRECTORIES:
        if (root / name).is_dir():
            for path in _walk(root / name):
                if path.suffix in (".hpp", ".cpp", ".cu"):
                    yield path


def read(path):
    return path.read_text(encoding="utf-8")


def run(*words, text=None):
    """Runs a program to its end; its output and exit status are the caller's to judge."""
    command = [str(word) for word in words]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def relative(path, root=ROOT):
    return path.relative_to(root).as_posix()


_TOKEN = re.compile(
    r"""//(?:[^\n\\]|\\.|\\\n)*          # a line comment
      | /\*.*?\*/                        # a block comment
      | (?:u8|[uUL])?R"([^()\\\s]{0,16})\(.*?\)\1"  # a raw string
      | (?:u8|[uUL])?"(?:[^"\\\n]|\\.)*" # a string
      | (?<![0-9A-Za-z_])(?:u8|[uUL])?'(?:[^'\\\n]|\\.)+'  # a character, but no digit separator
    """,
    re.VERBOSE | re.DOTALL)


def without_comments(text, keep_strings=False):
    """The text with comments (and the insides of strings) blanked; lines keep their numbers."""

    def blank(match):
        token = match.group(0)
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        if keep_strings:
            return token
        inside = re.sub(r"[^\n]", "_", token[1:-1])
        quote = token[-1]
        return f"{quote}{inside}{quote}"

    return _TOKEN.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1

"""Files of at most 500 lines, functions of at most 60 (a test's body may have 100)."""

import ast
import re

import sources
from sources import Finding

FILE_LINES = 500
FUNCTION_LINES = 60
TEST_LINES = 100
COLUMNS = 100
COLUMN_SUFFIXES = (".hpp", ".cpp", ".py", ".cmake", ".sh")

_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")
_CONTROL = re.compile(
    r"(^|[^\w])(if|for|while|switch|catch|do|else|try)\s*$|\b(if|for|while|switch)\b\s*\(")


def _head_before(text, brace, floor):
    """What stands between the previous declaration's end and the brace, and where it begins."""
    start = max(text.rfind(mark, floor, brace) for mark in ";{}")
    start = max(start, floor - 1) + 1
    # An access specifier or a preprocessor line is not part of what follows it.
    head = text[start:brace]
    for match in re.finditer(r"(?m)\b(public|private|protected)\s*:|^[ \t]*#[^\n]*$", head):
        offset = match.end()
        if head[offset:].strip():
            start += offset
            head = text[start:brace]
            break
    return head, start + (len(head) - len(head.lstrip()))


def _matching_brace(text, brace):
    depth = 0
    for match in re.compile(r"[{}]").finditer(text, brace):
        depth += 1 if match.group(0) == "{" else -1
        if depth == 0:
            return match.start()
    return len(text) - 1


def _is_scope(head):
    """A namespace, class or linkage block: its inside is looked at, it has no length of its own."""
    if not _SCOPE.search(head):
        return False
    # `struct tm now() {` and `template <class T> T f() {` are functions all the same.
    without_templates = re.sub(r"template\s*<[^{]*?>\s*(?=\w)", "", head)
    if not _SCOPE.search(without_templates):
        return False
    return "(" not in re.sub(r"\b(alignas|requires|decltype)\b\s*\([^()]*\)|\[\[.*?\]\]", "",
                             without_templates) or "final" in without_templates


def functions(text):
    """(first line, last line, head) of every function body outside of other functions."""
    text = re.sub(r"(?m)^[ \t]*#([^\\\n]|\\\n|\\.)*",
                  lambda match: re.sub(r"[^\n]", " ", match.group(0)),
                  sources.without_comments(text))
    position = floor = 0
    brace_pattern = re.compile(r"[{}]")
    while True:
        match = brace_pattern.search(text, position)
        if not match:
            return
        if match.group(0) == "}":
            position = floor = match.end()
            continue
        head, start = _head_before(text, match.start(), floor)
        if _is_scope(head):
            position = floor = match.end()
            continue
        end = _matching_brace(text, match.start())
        if ")" in head and not _CONTROL.search(head):
            yield sources.line_of(text, start), sources.line_of(text, end), " ".join(head.split())
        position = floor = end + 1


def _limit(head):
    return TEST_LINES if re.match(r"(TYPED_)?TEST(_[FP])?\s*\(", head) else FUNCTION_LINES


def judge_cpp(file, text):
    findings = []
    for first, last, head in functions(text):
        length, limit = last - first + 1, _limit(head)
        if length > limit:
            findings.append(Finding(file, first, f"{length} lines (limit {limit}): {head[:80]}"))
    return findings


def judge_python(file, text):
    findings = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                findings.append(Finding(file, node.lineno, f"{node.name} has {length} lines"))
    return findings


def judge_file(file, text):
    findings = []
    lines = text.splitlines()
    if len(lines) > FILE_LINES:
        findings.append(Finding(file, 1, f"{len(lines)} lines (limit {FILE_LINES}): split it"))
    if file.endswith(COLUMN_SUFFIXES):
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS and "http" not in line:
                findings.append(Finding(file, number, f"{len(line)} columns (limit {COLUMNS})"))
    return findings


# Formats of other people: a licence and a contract's shape keep their lines.
EXCEPTIONS = {"LICENSE", "tests/api/shape.cpp"}


def check():
    findings = []
    for path in sources.all_text():
        file = sources.relative(path)
        if file in EXCEPTIONS:
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".md":
            findings += judge_file(file, text)
        if path.suffix in (".hpp", ".cpp"):
            findings += judge_cpp(file, text)
        elif path.suffix == ".py":
            findings += judge_python(file, text)
    return findings

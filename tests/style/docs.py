"""Documents: links that lead somewhere, and C++ blocks that compile.

A ```cpp block is compiled (docs/prelude.hpp is the hidden beginning of all but whole programs):
    ```cpp            begins with #include: a whole file. Otherwise declarations, in a namespace
    ```cpp continue   declarations that go on where the document's block before stopped
    ```cpp handler    statements of a handler:    Task<int> (Context& ctx, std::string input)
    ```cpp program    statements of a program:    Result<void> (Runtime& runtime)
    ```cpp step       statements of a step body:  Result<int> (Step& step)
    ```cpp refused    must not compile
A `handler`, `program`, `step` or `refused` block sees the declarations that a `continue` would.
"""

import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import re
import tempfile

import sources
from sources import Finding

PRELUDE = "docs/prelude.hpp"
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror=unused-result",
         "-Wno-unused-variable", "-Wno-unused-function", "-Wno-unused-parameter",
         "-Wno-unused-const-variable", "-Wno-unused-but-set-variable"]
KINDS = ("", "continue", "handler", "program", "step", "refused")
WRAPS = {
    "handler": ("perdure::Task<int> fragment(perdure::Context& ctx, std::string input) {",
                "co_return 0;\n}"),
    "program": ("perdure::Result<void> fragment(perdure::Runtime& runtime) {",
                "return perdure::success();\n}"),
    "step": ("perdure::Result<int> fragment(perdure::Step& step) {", "return 0;\n}"),
}


@dataclasses.dataclass(frozen=True)
class Block:
    file: str
    line: int
    language: str
    kind: str
    text: str


def documents(root=sources.ROOT):
    return [path for path in sources.all_text(root) if path.suffix == ".md"]


def _closes(match, fence):
    """Whether a fence line ends the block that `fence` began."""
    return match and match.group(1).startswith(fence) and not match.group(2).strip()


def blocks(file, text):
    """Every fenced block of a document."""
    found, fence, start, info, inside = [], None, 0, "", []
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"\s*(```+|~~~+)(.*)$", line)
        if fence is None and match:
            fence, start, info, inside = match.group(1), number, match.group(2).split(), []
        elif fence is not None and _closes(match, fence):
            language = info[0] if info else ""
            found.append(Block(file, start, language, " ".join(info[1:]), "\n".join(inside) + "\n"))
            fence = None
        elif fence is not None:
            inside.append(line)
    return found


# --- Links --------------------------------------------------------------------------------------


def slug(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    text = re.sub(r"[^\w\- ]", "", text)
    return text.replace(" ", "-")


def anchors(text):
    seen, result, fenced = {}, set(), False
    for line in text.splitlines():
        if re.match(r"\s*(```|~~~)", line):
            fenced = not fenced
        match = re.match(r"#{1,6}\s+(.*?)\s*#*$", line)
        if match and not fenced:
            name = slug(match.group(1))
            count = seen.get(name, 0)
            seen[name] = count + 1
            result.add(name if count == 0 else f"{name}-{count}")
    result.update(re.findall(r'<a (?:id|name)="([^"]+)"', text))
    return result


def links(text):
    """(line, target) of every inline and reference link outside of code."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*(```|~~~)", line):
            fenced = not fenced
            continue
        if fenced:
            continue
        line = re.sub(r"`[^`]*`", "", line)
        for match in re.finditer(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s*(\S+)", line):
            yield number, match.group(1) or match.group(2)


def judge_links(path, root=sources.ROOT):
    text = sources.read(path)
    file, findings = path.relative_to(root).as_posix(), []
    for line, target in links(text):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        goal = path if not place else (path.parent / place).resolve()
        if not goal.exists():
            findings.append(Finding(file, line, f"dead link: {target}"))
        elif not goal.is_relative_to(root):
            findings.append(Finding(file, line, f"link out of the repository: {target}"))
        elif anchor and goal.suffix == ".md" and anchor not in anchors(sources.read(goal)):
            findings.append(Finding(file, line, f"no such heading: {target}"))
    return findings


def check_links():
    return [finding for path in documents() for finding in judge_links(path)]


# --- Code ---------------------------------------------------------------------------------------


def translation_units(file, text):
    """(block, its text as a file) for every C++ block, or a Finding for a kind nobody knows."""
    units, declared = [], ""
    for block in blocks(file, text):
        if block.language not in ("cpp", "c++", "C++", "cxx"):
            continue
        if block.language != "cpp" or block.kind not in KINDS:
            units.append((block, None))
            continue
        here = f'#line {block.line + 1} "{file}"\n'
        if not block.kind and block.text.lstrip().startswith("#include"):
            units.append((block, here + block.text))
            continue
        if block.kind == "":
            declared = ""
        before, after = WRAPS.get(block.kind, ("", ""))
        body = f"{before}\n{here}{block.text}{after}\n"
        units.append((block, f'#include "{PRELUDE}"\nnamespace fragment_{block.line} {{\n'
                             f"{declared}{body}}}\n"))
        if block.kind in ("", "continue"):
            declared += here + block.text
    return units


@contextlib.contextmanager
def parsed_prelude(compiler, root=sources.ROOT):
    """Flags with which the prelude is not parsed again for each block; none if that fails."""
    with tempfile.TemporaryDirectory() as directory:
        header = pathlib.Path(directory) / "prelude.hpp"
        header.write_text(f'#include "{PRELUDE}"\n', encoding="utf-8")
        flags = [flag for flag in FLAGS if flag != "-fsyntax-only"]
        done = sources.run(compiler, *flags, f"-I{root}", f"-I{root / 'include'}",
                           "-x", "c++-header", header, "-o", f"{header}.gch")
        yield () if done.returncode else ("-include", header)


def judge_code(compiler, file, text, root=sources.ROOT, prelude=()):
    """Compiles every C++ block of one document."""

    def judge(unit):
        block, source = unit
        if source is None:
            return Finding(file, block.line, f"write ```cpp, or ```cpp with one of {KINDS[1:]}")
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "block.cpp"
            path.write_text(source, encoding="utf-8")
            known = () if source.startswith("#line") else prelude
            done = sources.run(compiler, *FLAGS, f"-I{root}", f"-I{root / 'include'}", *known,
                               path)
        if block.kind == "refused":
            compiles = Finding(file, block.line, "compiles, but is marked refused")
            return None if done.returncode else compiles
        if done.returncode:
            return Finding(file, block.line, f"does not compile:\n{done.stderr[:2000]}")
        return None

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [finding for finding in pool.map(judge, translation_units(file, text)) if finding]


def check_code(compiler):
    findings = []
    with parsed_prelude(compiler) as prelude:
        for path in documents():
            findings += judge_code(compiler, sources.relative(path), sources.read(path),
                                   prelude=prelude)
    return findings

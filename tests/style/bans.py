"""Calls that are banned, with where they are allowed and why; leftovers; shapes that leak."""

import re

import sources
from sources import Finding

MODULES = r"(include|core|journal|saga|tools|gpu|actors)/.*"
ANYWHERE = r".*"

# (what, where it is banned, what to do instead, files where it is allowed and why)
BANS = (
    (r"\b(sleep_for|usleep|nanosleep)\s*\(|(?<![\w.>])sleep_until\s*\(|(?<![\w.:>])sleep\s*\(",
     ANYWHERE, "wait for a condition or use the manual clock; nothing sleeps", {
         r"samples/.*": "a sample may imitate slow work",
         r"include/perdure/context\.hpp": "ctx.sleep() waits in the journal, and holds no thread",
     }),
    (r"(?<![\w.>])s?rand\s*\(|\bstd::random_device\b", ANYWHERE, "draw from core::Random", {
        r"core/random\.cpp": "the one source of randomness",
        r"tests/testing/crashes_test\.cpp": "the mistake that the crash driver must find",
    }),
    (r"\bstd::mt19937(_64)?\b", MODULES, "draw from core::Random", {}),
    (r"\bstd::(cout|cerr|clog)\b", MODULES,
     "a library writes to nobody's terminal: the log hook", {}),
    (r"(?<![\w.>])(std::)?(v?f?printf|puts|fputs|putchar)\s*\(", MODULES,
     "a library writes to nobody's terminal: the log hook", {
         r"core/assert\.cpp": "the last words before abort",
         r"core/error\.cpp": "the last words before abort, of error() on a success",
     }),
    (r"\b(gettimeofday|clock_gettime)\s*\(|\b(system|steady|high_resolution)_clock::now\b",
     r"(include|core|journal|saga|tools|gpu|actors|cli)/.*", "time comes from core::Clock", {
         r"core/clock\.cpp": "the one place that reads time",
         r"actors/engine_shutdown\.cpp": "a shutdown's bound is real time, with any clock",
     }),
    (r"\bsystem_clock::now\b|\bgettimeofday\s*\(", r"(tests|bench)/.*",
     "wall time jumps: a manual clock in tests, steady_clock to measure", {
         r"tests/core/clock_test\.cpp": "what the system's clock is held against",
     }),
    (r"(?<![\w.])assert\s*\(|<cassert>|<assert\.h>", ANYWHERE,
     "PERDURE_ASSERT stays in release builds", {}),
    (r"(?<![\w.>])(std::)?(abort|_?exit|quick_exit|terminate)\s*\(", MODULES,
     "a library does not end its user's process", {
         r"core/assert\.cpp": "a broken invariant must not be written to disk",
         r"core/error\.cpp": "error() on a success is a programming error",
         r"core/crash_point\.cpp": "dying is its purpose",
     }),
    (r"\bthrow\s+[^;\s]", r"(?!include/|tests/|bench/).*",
     "operating errors are Result values", {
        r"samples/.*": "a sample may show what an exception does",
        r"actors/context\.cpp": "ctx.now() and its like give values, so misuse has no Result",
        r"actors/run_core(_\w+)?\.cpp": "the same of ctx.state() and ctx.version()",
    }),
    (r"(?<!operator )\bnew\b\s*(\(|[A-Za-z_:])", ANYWHERE,
     "std::make_unique, a container, or an arena", {
         r"actors/engine_shutdown\.cpp": "what a body that ignores its stop may use is leaked",
         r"tests/actors/step_pool_test\.cpp": "a pool that one of its bodies destroys",
     }),
    (r"(?<!operator )\bdelete\b(\[\])?\s+[A-Za-z_*(]", ANYWHERE, "std::unique_ptr", {
        r"tests/actors/step_pool_test\.cpp": "a pool that one of its bodies destroys",
    }),
    (r"\bauto\s*(&&?)?\s*\[[^\]]*\]\s*=\s*co_await\b", ANYWHERE,
     "GCC 15 and 16 leak this: name the tuple first, then take it apart", {}),
    (r"\bstatic\s+[\w:<>]+\s*&\s*(instance|get_instance|singleton)\s*\(", ANYWHERE,
     "no singletons: pass it to the constructor", {}),
    (r"\bBOOST_\w+", r"samples/.*", "users meet PERDURE_ names only", {}),
    (r"\busing\s+namespace\b(?!\s+(std::)?(literals|chrono_literals|string_literals"
     r"|string_view_literals|std::\w*literals))", r".*\.hpp",
     "a header must not open a namespace", {}),
)

# A bare bool at a call site says nothing: an enum, or a struct of options.
BARE_BOOL = re.compile(r"[(,]\s*(const\s+)?bool\s+\w+\s*(=[^,)]*)?(?=[,)])")

LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\b[Nn]ot (yet )?implemented\b")

_COMPILED = tuple((re.compile(what), *rest) for what, *rest in BANS)


def judge_cpp(file, text):
    """Banned calls in C++ text; comments and the insides of strings don't count."""
    findings = []
    stripped = sources.without_comments(text)
    for pattern, where, instead, allowed in _COMPILED:
        if not re.fullmatch(where, file) or any(re.fullmatch(place, file) for place in allowed):
            continue
        for match in pattern.finditer(stripped):
            what = " ".join(match.group(0).split()).rstrip("(")
            findings.append(Finding(file, sources.line_of(stripped, match.start()),
                                    f"`{what}`: {instead}"))
    if re.fullmatch(r"include/perdure/[a-z_/]+\.hpp", file) and "/detail/" not in file:
        for match in BARE_BOOL.finditer(_without_detail(stripped)):
            findings.append(Finding(file, sources.line_of(stripped, match.start()),
                                    "a bare bool parameter: use an enum or options"))
    return findings


def _without_detail(text):
    """Text with every `namespace detail { … }` blanked: users don't call it."""
    for match in reversed(list(re.finditer(r"\bnamespace detail\s*\{", text))):
        depth, end = 0, len(text)
        for brace in re.compile(r"[{}]").finditer(text, match.start()):
            depth += 1 if brace.group(0) == "{" else -1
            if depth == 0:
                end = brace.end()
                break
        inside = text[match.start():end]
        text = text[:match.start()] + re.sub(r"[^\n]", " ", inside) + text[end:]
    return text


def judge_header(file, text):
    """Every header of ours opens with prose and has one guard."""
    if not file.endswith(".hpp") or file.startswith(("tests/", "docs/")):
        return []
    findings = []
    if not text.startswith("/// "):
        findings.append(Finding(file, 1, "a header opens with `///` prose: what this is, what it "
                                         "promises, what it does not"))
    if not re.search(r"^#pragma once$", text, re.MULTILINE):
        findings.append(Finding(file, 1, "no `#pragma once`"))
    return findings


def judge_text(file, text):
    """Leftovers in any text; BOOST_ in what a user copies from."""
    findings = []
    for number, line in enumerate(text.splitlines(), 1):
        match = LEFTOVER.search(line)
        if match:
            word = match.group(0)
            findings.append(Finding(file, number, f"leftover `{word}`: do it or make an issue"))
        if file == "README.md" and "BOOST_" in line:
            findings.append(Finding(file, number, "users meet PERDURE_ names only"))
    return findings


# These say what a leftover is.
LEFTOVER_EXCEPTIONS = {"tests/style/bans.py", "tests/style/self_test.py", "CONTRIBUTING.md"}


def check():
    findings = []
    for path in sources.all_text():
        file = sources.relative(path)
        text = path.read_text(encoding="utf-8")
        if file not in LEFTOVER_EXCEPTIONS:
            findings += judge_text(file, text)
        if path.suffix in (".hpp", ".cpp", ".cu"):
            findings += judge_cpp(file, text)
            findings += judge_header(file, text)
    return findings

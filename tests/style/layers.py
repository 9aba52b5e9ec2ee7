"""Who may include whom, and who owns which third-party interface (docs/architecture.md)."""

import re

import sources
from sources import Finding

# module: the modules whose headers it may include; its own and <perdure/...> always.
LAYERS = {
    "include": (),
    "core": (),
    "journal": ("core",),
    "saga": ("tools", "journal", "core"),
    "tools": ("journal", "core"),
    "gpu": ("core",),
    "actors": ("tools", "saga", "gpu", "journal", "core"),
    "cli": ("journal", "core"),
    "samples": (),
    "docs": (),
    "bench": ("actors", "tools", "saga", "gpu", "journal", "core"),
    "tests": ("actors", "tools", "saga", "gpu", "journal", "core", "cli", "samples"),
    "cmake": (),
}

# core stands below the public headers, but for those that say what an error and a run id are.
CORE_PUBLIC = {"perdure/error.hpp", "perdure/result.hpp", "perdure/run_id.hpp"}

# An include that matches the first pattern may stand in files that match the second, nowhere else.
OWNERS = (
    (r"lmdb\.h", r"journal/lmdb_[a-z_]+\.(hpp|cpp)|bench/.*|tests/journal/lmdb_.*"),
    (r"flatbuffers/.*|[a-z]+/schema/.*_generated\.h",
     r"journal/(records|codec)[a-z_]*\.cpp|include/perdure/flatbuffers\.hpp"
     r"|tests/journal/(records|codec)_.*|tests/codec/.*"),
    (r"caf/.*",
     r"actors/([a-z_]+_actor|supervisor|remote|runtime)[a-z_]*\.(hpp|cpp)|actors/caf_[a-z_]+\.hpp"
     r"|include/perdure/caf\.hpp|tests/actors/.*|tests/api/caf_.*"),
    (r"xxhash\.h", r"core/bytes\.cpp"),
    (r"zstd\.h", r"journal/blob_zstd\.cpp|tests/fuzz/blob_fuzz\.cpp"),
    (r"openssl/evp\.h", r"journal/blob_hash\.cpp"),
    (r"boost/(outcome|describe|mp11)/.*", r"(?!samples/|docs/).*"),
    (r"gtest/.*|gmock/.*", r"tests/.*"),
    (r"curl/.*", r"tests/windows/.*"),
    (r"benchmark/.*", r"bench/.*"),
    (r"CLI/.*", r"(cli|samples|bench)/.*"),
    (r"nlohmann/.*",
     r"(cli|tests|bench)/.*|samples/booking/.*|journal/payload_json\.(hpp|cpp)"),
    (r"sqlite3\.h", r"samples/booking/database\.cpp"),
    (r"httplib\.h", r"samples/booking/(client|service)\.cpp"),
)

# Headers of the system: the C++ standard library has no dot and no slash in its names.
SYSTEM = re.compile(
    r"[a-z_]+|(sys|linux)/[a-z_]+\.h"
    r"|(dirent|errno|fcntl|poll|pthread|sched|signal|spawn|stdio|stdlib|string|time|unistd)\.h")

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def includes(text):
    """(line, quote, target) of every include that is not commented out."""
    stripped = sources.without_comments(text, keep_strings=True)
    for match in _INCLUDE.finditer(stripped):
        yield sources.line_of(stripped, match.start()), match.group(1), match.group(2)


def judge_quoted(file, target):
    """What is wrong with `#include "target"` in `file`, or None."""
    module = file.split("/", 1)[0]
    if target.startswith("perdure/"):
        return f'write <{target}>, public headers are included as a user does'
    first = target.split("/", 1)[0] if "/" in target else ""
    if first not in LAYERS:
        # A sample's own header beside it, or a test's helper: quoted, without a directory.
        if not first and module in ("samples", "docs", "tests", "bench"):
            return None
        return f'"{target}": start at the project root, as in "core/bytes.hpp"'
    if first == module and module not in ("include", "samples"):
        return None
    if first in LAYERS[module]:
        return None
    allowed = ", ".join(LAYERS[module]) or "nothing but <perdure/...>"
    return f'{module} may not include {first} ("{target}"); it may include {allowed}'


def judge_angled(file, target):
    """What is wrong with `#include <target>` in `file`, or None."""
    module = file.split("/", 1)[0]
    if target.startswith("perdure/"):
        if module == "core" and target not in CORE_PUBLIC:
            return f"core may not include <{target}>, only {sorted(CORE_PUBLIC)}"
        return None
    for pattern, owners in OWNERS:
        if re.fullmatch(pattern, target):
            if re.fullmatch(owners, file):
                return None
            return f"<{target}> belongs to other files (OWNERS in tests/style/layers.py)"
    if SYSTEM.fullmatch(target):
        return None
    return f"<{target}> has no owner; a new dependency is entered in tests/style/layers.py"


def judge(file, text):
    """Findings for one file, named relative to the root."""
    if file.split("/", 1)[0] not in LAYERS:
        return [Finding(file, 1, "this directory is not in the layer table")]
    findings = []
    for line, quote, target in includes(text):
        owned = [p for p, _ in OWNERS if re.fullmatch(p, target)]
        wrong = judge_angled(file, target) if quote == "<" or owned else judge_quoted(file, target)
        if wrong:
            findings.append(Finding(file, line, wrong))
    return findings


def check():
    findings = []
    for path in sources.code():
        findings += judge(sources.relative(path), path.read_text(encoding="utf-8"))
    return findings

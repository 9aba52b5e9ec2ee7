"""Public headers: each compiles alone, and the umbrella drags in nothing it should not."""

import concurrent.futures
import os
import re

import sources
from sources import Finding

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wnon-virtual-dtor",
            "-Woverloaded-virtual", "-Werror"]
UMBRELLA = "perdure/perdure.hpp"
# What a user who includes the umbrella must not pay for or see.
FORBIDDEN = re.compile(r"/(caf|flatbuffers|cuda|gtest|nlohmann|fmt|spdlog)/|/(lmdb|xxhash)\.h$")
# Headers that a user includes because of what they bring.
OPTIONAL = {"perdure/caf.hpp", "perdure/flatbuffers.hpp", "perdure/gpu.hpp"}


def public_headers(root=sources.ROOT):
    return sorted(path.relative_to(root / "include").as_posix()
                  for path in (root / "include").rglob("*.hpp"))


def judge_alone(compiler, header, include):
    """Compiles a file that includes the header, twice, and nothing else."""
    text = f"#include <{header}>\n#include <{header}>\n"
    done = sources.run(compiler, "-std=c++20", "-fsyntax-only", *WARNINGS, f"-I{include}",
                       "-x", "c++", "-", text=text)
    if done.returncode:
        return [Finding(f"include/{header}", 1, f"does not compile alone:\n{done.stderr[:2000]}")]
    return []


def check_alone(compiler):
    include = sources.ROOT / "include"
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda header: judge_alone(compiler, header, include), public_headers())
    return [finding for result in results for finding in result]


def dependencies(compiler, headers, include):
    """(the files that including the headers reads, what the compiler said against it)."""
    done = sources.run(compiler, "-std=c++20", "-M", f"-I{include}", "-x", "c++", "-",
                       text="".join(f"#include <{header}>\n" for header in headers))
    return [word for word in done.stdout.replace("\\\n", " ").split() if "/" in word], done.stderr


def judge_umbrella(compiler, header, include):
    files, errors = dependencies(compiler, [header], include)
    if not files:
        return [Finding(f"include/{header}", 1, f"can't be preprocessed:\n{errors[:2000]}")]
    return [Finding(f"include/{header}", 1, f"reads {file}, which a user must not pay for")
            for file in files if FORBIDDEN.search(file)]


def check_umbrella(compiler):
    """The umbrella, and every public header that is not opt-in on purpose."""
    include = sources.ROOT / "include"
    headers = [UMBRELLA, *(header for header in public_headers() if header not in OPTIONAL)]
    # What none of them reads together none reads alone.
    files, errors = dependencies(compiler, headers, include)
    if files and not errors and not any(map(FORBIDDEN.search, files)):
        return []
    return [finding for header in dict.fromkeys(headers)
            for finding in judge_umbrella(compiler, header, include)]

"""Installs a build and uses it from outside: a consumer of a few lines, then the samples.

usage: run.py --build DIR --source DIR --config NAME --cmake PROGRAM --compiler PROGRAM --work DIR
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys


def fail(text):
    print(text, file=sys.stderr)
    sys.exit(1)


def call(command):
    """Runs it, with the output shown only where it fails."""
    words = [str(part) for part in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"exit {done.returncode}: {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def build_outside(arguments, source, prefix, name):
    """Configures and builds the project at `source` against the prefix; returns its build tree."""
    tree = arguments.work / name
    call([arguments.cmake, "-S", source, "-B", tree, "-G", "Ninja",
          f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={arguments.compiler}",
          f"-DCMAKE_CXX_COMPILER_LAUNCHER={shutil.which('ccache') or ''}",
          "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_FIND_PACKAGE_NO_PACKAGE_REGISTRY=ON"])
    call([arguments.cmake, "--build", tree, "-j", str(min(os.cpu_count() or 1, 4))])
    return tree


def check_tree(arguments, prefix):
    """The installed files: every public header, and nothing that points back at this tree."""
    for header in (arguments.source / "include").rglob("*.hpp"):
        installed = prefix / "include" / header.relative_to(arguments.source / "include")
        if not installed.is_file():
            fail(f"{header} is a public header and was not installed")
    for file in prefix.rglob("*.cmake"):
        text = file.read_text(encoding="utf-8")
        for place in (arguments.source, arguments.build):
            if f"{place}/" in text.replace(str(prefix), ""):
                fail(f"{file} refers to {place}, which a user does not have")
    for inside in ("core", "journal", "tools", "actors"):
        if (prefix / "include" / inside).exists():
            fail(f"include/{inside} was installed; only include/perdure is public")


def main():
    parser = argparse.ArgumentParser()
    for name in ("build", "source", "work"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    for name in ("config", "cmake", "compiler"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()

    # A stale file of an earlier installation would hide that a rule is missing.
    shutil.rmtree(arguments.work, ignore_errors=True)
    prefix = arguments.work / "prefix"
    call([arguments.cmake, "--install", arguments.build, "--prefix", prefix,
          *(["--config", arguments.config] if arguments.config else [])])
    check_tree(arguments, prefix)

    project = arguments.source / "tests/install/consumer"
    consumer = build_outside(arguments, project, prefix, "consumer")
    printed = call([consumer / "consumer"])
    if printed != "2 refused: no seats left\n":
        fail(f"the consumer printed {printed!r}")

    samples = build_outside(arguments, arguments.source / "samples", prefix, "samples")
    for sample in sorted((arguments.source / "samples").glob("*/CMakeLists.txt")):
        program = samples / sample.parent.name / sample.parent.name
        if not program.is_file():
            fail(f"building the samples outside made no {program}")
        call([program, "--help"])
    command = prefix / "bin" / "perdure"
    if not command.is_file():
        fail("the perdure command was not installed")
    call([command, "--help"])
    print("installed, found, linked and run")


if __name__ == "__main__":
    main()

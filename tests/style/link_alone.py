"""Every module links with what it may use and nothing else.

A whole archive, its allowed modules, its libraries: a call against the layers that needs no
#include (a declaration by hand) is found here.
"""

import pathlib
import tempfile

import layers
import sources
from sources import Finding

# The libraries of other projects that a module may link.
LIBRARIES = {
    "core": ("-lxxhash",),
    "journal": ("-llmdb", "-lflatbuffers", "-lcrypto", "-lzstd"),
    "tools": (),
    "saga": (),
    "gpu": (),
    "actors": ("-lcaf_core", "-lcaf_io"),
}


def command(compiler, module, archives, program, source):
    """The link of one module; `archives` maps module to archive."""
    below = [name for name in layers.LAYERS[module] if name in archives]
    libraries = [flag for name in (module, *below) for flag in LIBRARIES[name]]
    return [compiler, "-o", str(program), str(source),
            "-Wl,--whole-archive", archives[module], "-Wl,--no-whole-archive",
            *(archives[name] for name in below), *libraries, "-pthread"]


def judge(compiler, module, archives):
    with tempfile.TemporaryDirectory() as directory:
        source = pathlib.Path(directory) / "main.cpp"
        source.write_text("int main() {}\n", encoding="utf-8")
        program = pathlib.Path(directory) / "program"
        done = sources.run(*command(compiler, module, archives, program, source))
    if done.returncode:
        allowed = ", ".join(layers.LAYERS[module]) or "nothing"
        return [Finding(module, 1, f"does not link with {allowed} alone:\n{done.stderr[-2000:]}")]
    return []


def check(compiler, libraries):
    """`libraries`: "module=archive" words, as CMake knows them."""
    archives = dict(word.split("=", 1) for word in libraries)
    return [finding for module in archives for finding in judge(compiler, module, archives)]

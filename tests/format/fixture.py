"""What the tests of the format share: both readers, and journals to hold them against.

Each test is a program: TEST --perdure FILE --agent FILE --maker FILE --source DIR
"""

import argparse
import contextlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import journal_reader

HERE = pathlib.Path(__file__).resolve().parent
READER = HERE / "journal_reader.py"
ASKED = argparse.Namespace()


def text_in(command, codes=(0,), **options):
    """What a command prints."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, timeout=300, **options)
    if done.returncode not in codes:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


def read(directory, table, *words, codes=(0,)):
    """The lines of the reader in Python, which has run in this process: so it remembers hashes."""
    words = [str(word) for word in (directory, table, *words)]
    lines, complaints = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(lines), contextlib.redirect_stderr(complaints):
        code = journal_reader.main(words)
    if code not in codes:
        raise AssertionError(f"{words} ended with {code}: {complaints.getvalue()}")
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def read_by_process(directory, table, codes=(0,)):
    """The same, as people run it."""
    text = text_in([sys.executable, "-B", READER, directory, table], codes)
    return [json.loads(line) for line in text.splitlines()]


def perdure(directory, *words, codes=(0,)):
    """What the command prints as JSON."""
    return text_in([ASKED.perdure, *words, "--json", "--journal", directory], codes)


def same(left, right):
    """Equality that tells 1 from 1.0 and from true, and 0.0 from -0.0."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


class FormatTest(unittest.TestCase):
    """A folder of its own, and what comparing takes."""

    maxDiff = 4000

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="perdure-format-")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)

    def make(self, what="all"):
        """A journal with all there is, or some of it, closed cleanly."""
        directory = self.home / what
        text_in([ASKED.maker, what, directory])
        return directory

    def hold(self, directory=None, log_bytes=1 << 20):
        """A journal that a process has open, and that process: the one that is there, or a new one.
        What it commits is only in the log, until it is told otherwise."""
        directory = directory or self.make("some")
        # Closed before the folder is removed, or killed.
        writer = subprocess.Popen([ASKED.maker, "hold", directory, str(log_bytes)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, writer)
        self.assertEqual(writer.stdout.readline(), "done\n")
        return directory, writer

    @staticmethod
    def end(process):
        process.kill()
        process.communicate()

    def tell(self, writer, word, number):
        """What make_journal.cpp says of each word."""
        writer.stdin.write(f"{word} {number}\n")
        writer.stdin.flush()
        self.assertEqual(writer.stdout.readline(), "done\n")


def main():
    """Runs the tests of the program."""
    arguments = argparse.ArgumentParser()
    for name in ("perdure", "agent", "maker", "source"):
        arguments.add_argument("--" + name, type=lambda path: pathlib.Path(path).resolve(),
                               required=True)
    _, rest = arguments.parse_known_args(namespace=ASKED)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)

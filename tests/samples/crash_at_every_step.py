"""Kills the research agent in the middle of each of its steps, and holds what is left against an
undisturbed run.

usage: crash_at_every_step.py RESEARCH_AGENT [ANOTHER]

With ANOTHER, the same program built by another compiler, the two take turns: what one was killed
in, the other goes on with (scripts/test-compilers).
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest
from concurrent import futures

# Who begins, and who goes on.
AGENT = ""
ANOTHER = ""
SIGKILLED = -9
DOCUMENTS = {
    "apples.md": "# Apples\n\nApples grow on trees. Trees stand in the orchard by the river.\n",
    "bread.txt": "Bread is baked from flour and water. The baker rises before the sun does.\n",
    "bread2.txt": "Bread is baked from flour and water. The baker sleeps when the sun shines.\n",
    "GPL-9": "A LICENCE\n\nPreamble\n\nYou may do much. You may not do all of it, though.\n",
    "ships.txt": "Ships sail on the sea. A captain reads the stars, e.g. the north star.\n",
    "tides.txt": "The moon pulls the sea. Twice a day the tide comes in, and twice it goes out.\n",
}
# One lists; three for each document; one compares, one drafts, one writes.
STEPS = 4 + 3 * len(DOCUMENTS)


class Agent:
    """The agent with a folder of its own for its journal, its report and its effects."""

    def __init__(self, home, documents):
        self.home = pathlib.Path(home)
        self.home.mkdir()
        self.documents = documents
        self.report = self.home / "report.md"

    def run(self, *arguments, program=None):
        """Runs the agent to its end; returns the finished process and the effects it had."""
        effects = self.home / "effects"
        effects.unlink(missing_ok=True)
        done = subprocess.run(
            [program or AGENT, "--input", self.documents, "--journal", self.home / "journal",
             "--out", self.report, "--effects", effects, *arguments],
            capture_output=True, text=True, timeout=120, check=False)
        lines = effects.read_text().splitlines() if effects.exists() else []
        return done, [tuple(line.split("\t")) for line in lines]


def in_short(effects):
    """(step, attempt) of each effect."""
    return [(int(step), int(attempt)) for _, step, attempt, _ in effects]


class CrashTest(unittest.TestCase):
    """Each test has a folder of documents."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory(prefix="perdure-crash-")
        self.addCleanup(self._folder.cleanup)
        self.home = pathlib.Path(self._folder.name)
        self.documents = self.home / "documents"
        self.documents.mkdir()
        for name, text in DOCUMENTS.items():
            (self.documents / name).write_text(text)

    def agent(self, name):
        return Agent(self.home / name, self.documents)

    def crash_and_go_on(self, step, expected):
        agent = self.agent(f"step-{step}")
        killed, before = agent.run("--crash-at-step", str(step))
        self.assertEqual(killed.returncode, SIGKILLED, killed.stderr)
        self.assertEqual(in_short(before), [(n, 1) for n in range(1, step + 1)])
        # Killed in the middle of its last step it has written the report, and not recorded it.
        self.assertEqual(agent.report.exists(), step == STEPS)
        done, after = agent.run(program=ANOTHER)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(in_short(after),
                         [(step, 2)] + [(n, 1) for n in range(step + 1, STEPS + 1)])
        self.assertEqual({run for run, *_ in before}, {run for run, *_ in after})
        self.assertEqual(agent.report.read_bytes(), expected)
        self.assertEqual([path.name for path in agent.home.glob("*.partial")], [])

    def test_every_step(self):
        undisturbed = self.agent("undisturbed")
        done, effects = undisturbed.run()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(in_short(effects), [(n, 1) for n in range(1, STEPS + 1)])
        self.assertGreaterEqual(STEPS, 20)
        expected = undisturbed.report.read_bytes()
        self.assertIn(b"near variants of each other", expected)
        with futures.ThreadPoolExecutor(2) as pool:
            crashes = {step: pool.submit(self.crash_and_go_on, step, expected)
                       for step in range(1, STEPS + 1)}
            for step, crash in crashes.items():
                with self.subTest(step=step):
                    crash.result()

    def test_crash_after_crash(self):
        expected_agent = self.agent("undisturbed")
        expected_agent.run()
        agent = self.agent("often")
        for turn, step in enumerate((2, 9, 9, 17, STEPS)):
            killed, _ = agent.run("--crash-at-step", str(step),
                                  program=ANOTHER if turn % 2 else AGENT)
            self.assertEqual(killed.returncode, SIGKILLED, killed.stderr)
        done, after = agent.run(program=ANOTHER)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(in_short(after), [(STEPS, 2)])
        self.assertEqual(agent.report.read_bytes(), expected_agent.report.read_bytes())

    def test_a_step_that_always_crashes_is_left_alone(self):
        agent = self.agent("poisoned")
        for _ in range(3):
            killed, _ = agent.run("--crash-at-step", "5")
            self.assertEqual(killed.returncode, SIGKILLED, killed.stderr)
        parked, effects = agent.run("--crash-at-step", "5")
        self.assertEqual(parked.returncode, 1, parked.stderr)
        self.assertEqual(effects, [])
        self.assertIn("perdure show", parked.stderr)

    def test_a_finished_run_is_not_done_again(self):
        agent = self.agent("finished")
        agent.run()
        report = agent.report.read_bytes()
        agent.report.unlink()
        (self.documents / "ships.txt").write_text("Other words stand here now.\n")
        done, effects = agent.run()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(effects, [])
        self.assertEqual(agent.report.read_bytes(), report)

    def test_another_report_is_another_run(self):
        agent = self.agent("first")
        _, first = agent.run()
        agent.report = agent.home / "second.md"
        done, second = agent.run()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(second), STEPS)
        self.assertNotEqual(first[0][0], second[0][0])

    def test_a_document_that_is_no_text_is_left_out(self):
        (self.documents / "program.txt").write_bytes(b"\x7fELF\0\0\0")
        agent = self.agent("binary")
        done, _ = agent.run()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("- program.txt is not text.", agent.report.read_text())

    def test_errors_name_the_thing_and_have_their_codes(self):
        agent = self.agent("errors")
        agent.documents = self.home / "nowhere"
        done, _ = agent.run()
        self.assertEqual(done.returncode, 3)
        self.assertIn("nowhere does not exist", done.stderr)
        agent.documents = self.documents
        agent.report = self.home / "no" / "report.md"
        done, _ = agent.run()
        self.assertEqual(done.returncode, 3)
        self.assertIn("no/report.md", done.stderr)
        agent.report = self.home / "report.md"
        done, _ = agent.run("--no-such-option")
        self.assertEqual(done.returncode, 2)
        (agent.home / "journal").write_text("not a folder")
        done, _ = agent.run()
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("journal", done.stderr)


if __name__ == "__main__":
    AGENT = pathlib.Path(sys.argv.pop(1)).resolve()
    ANOTHER = AGENT
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        ANOTHER = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)

"""Holds the reader in Python against the perdure command, on journals of every sort."""

import fcntl
import json
import os
import signal
import subprocess
import unittest.mock

import cli_lines
import fixture
import flat
import journal_reader
import lmdb_file
from fixture import ASKED, perdure, read, same, text_in


class JournalsTest(fixture.FormatTest):
    """Journals in every state that a process can leave them in."""

    def assert_same(self, found, expected, place):
        if not same(found, expected):
            self.assertEqual(found, expected, place)
            self.fail(f"{place}: {found} and {expected} differ in their types")

    def compare(self, directory, every=1):
        """Each run, or each of so many, and its records as both read them; gives the number of all
        records."""
        runs, records, attempts = (read(directory, table) for table in
                                   ("runs", "records", "attempts"))
        listed = json.loads(perdure(directory, "runs", "--all"))["runs"]
        self.assertEqual(len(listed), len(runs))
        for run, line in zip(runs, listed):
            self.assert_same(cli_lines.run_line(run), line, run["run"])
        for run in runs[-1::-every]:
            of_run = [row for row in records if row["run"] == run["run"]]
            lines = perdure(directory, "journal", run["run"]).splitlines()
            self.assertEqual(len(of_run), len(lines))
            for row, line in zip(of_run, lines):
                self.assert_same(cli_lines.record_line(row), json.loads(line),
                                 f"{run['run']} {row['index']}")
            shown = json.loads(perdure(directory, "show", run["run"]))
            self.assertTrue(shown.pop("explanation"))
            shown.pop("holder")
            rows = {row["fields"]["path"]: row["fields"] for row in attempts
                    if row["run"] == run["run"]}
            self.assert_same(cli_lines.timeline(run, of_run, rows), shown, run["run"])
        self.compare_rows(directory, runs)
        return len(records)

    def compare_rows(self, directory, runs):
        """What the command shows of no run: the numbers of rows, and how they hang together."""
        report = json.loads(perdure(directory, "verify"))
        self.assertTrue(report["sound"], report)
        rows = {table: read(directory, table) for table in journal_reader.TABLES}
        counts = {table: len(lines) for table, lines in rows.items()}
        counts["records"] += len(runs)  # The heads.
        self.assertEqual(counts, report["rows"])
        self.assertEqual({row["run"] for row in rows["ready"]},
                         {run["run"] for run in runs
                          if run["fields"]["status"] in ("running", "parked")})
        due = {(row["run"], row["fields"]["path"]): row["at"] for row in rows["due"]}
        self.assertEqual(due, {(row["run"], row["fields"]["path"]): row["fields"]["next_due"]
                               for row in rows["attempts"] if row["fields"]["next_due"]})
        for row in rows["due"] + rows["attempts"]:
            path = [int(part) for part in row["fields"]["path"].split(".")]
            self.assertEqual(row["hash"], journal_reader.path_hash(path))
        self.check_hashes(directory)

    def check_hashes(self, directory):
        journal = journal_reader.Journal(directory)
        for row in journal.rows("sessions"):
            fields = row["fields"]
            self.assertEqual(row["session"],
                             journal_reader.session_hash(fields["agent"], fields["key"]))
        for row in journal.rows("keys"):
            self.assertEqual(row["hash"], journal_reader.message_hash(row["fields"]["key"]))

    def test_all_kinds_of_rows_and_payloads(self):
        directory = self.make()
        self.assertGreater(self.compare(directory), 1500)
        records = read(directory, "records")
        self.assertEqual({row["kind"] for row in records}, set(journal_reader.RECORDS))
        self.assertEqual({row["fields"]["effect"] for row in records
                          if row["kind"] == "step_started"},
                         set(flat.ENUMS["EffectClass"].values()))
        self.assertEqual({row["fields"]["error"]["code"] for row in records
                          if row["fields"].get("error")}, set(journal_reader.CODES[1:]))
        self.assertEqual({row["fields"]["status"] for row in read(directory, "runs")},
                         set(flat.ENUMS["RunStatus"].values()))
        page = os.sysconf("SC_PAGESIZE")
        self.assertTrue(any(row["stored_bytes"] > 100 * page for row in records))
        counters = read(directory, "meta")[1]["fields"]
        self.assertEqual((counters["epoch"], counters["clean"]), (1, 1))
        self.assertEqual(counters["last_number"], read(directory, "meta")[1]["number"])

    def test_live_and_killed(self):
        directory, writer = self.hold()
        before = len(read(directory, "records"))
        self.write(writer, 5)
        self.assertEqual(self.compare(directory, every=20), before + 5)
        self.assertEqual(read(directory, "meta")[1]["fields"]["clean"], 0)
        self.end(writer)
        self.assertEqual(writer.returncode, -signal.SIGKILL)
        self.assertEqual(self.compare(directory, every=20), before + 5)

    def agent(self, *words):
        documents = self.home / "documents"
        documents.mkdir(exist_ok=True)
        (documents / "apples.md").write_text("# Apples\n\nApples grow on trees by the river.\n")
        (documents / "bread.txt").write_text("Bread is baked from flour. The baker rises.\n")
        return [str(word) for word in (ASKED.agent, "--input", documents, "--journal",
                                       self.home / "sample", "--out", self.home / "report.md",
                                       *words)]

    def test_sample_killed_and_taken_up_again(self):
        killed = subprocess.run(self.agent("--crash-at-step", "4"), check=False, timeout=120)
        self.assertEqual(killed.returncode, -signal.SIGKILL)
        self.assertEqual(self.compare(self.home / "sample"), 4)
        self.assertEqual(len(read(self.home / "sample", "ready")), 1)
        text_in(self.agent())
        self.assertEqual(self.compare(self.home / "sample"), 12)
        self.assertEqual(read(self.home / "sample", "ready"), [])
        self.assertEqual(read(self.home / "sample", "meta")[1]["fields"]["epoch"], 2)

    def test_sample_paused_in_a_step(self):
        names = ("list documents", "read apples.md", "find sections of apples.md",
                 "summarise apples.md", "read bread.txt")
        lines = [26 + len(f"\t{number}\t1\t{name}\n") for number, name in enumerate(names, 1)]
        effects = self.home / "effects"
        os.mkfifo(effects)
        pipe = os.open(effects, os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, pipe)
        # What the fifth step notes has no room in the pipe, so its body waits there.
        room = fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, os.sysconf("SC_PAGESIZE"))
        os.write(pipe, b"." * (room - sum(lines) + 1))
        agent = subprocess.Popen(self.agent("--effects", effects), stdout=subprocess.DEVNULL)
        self.addCleanup(self.end, agent)
        sample = self.home / "sample"
        while not (sample / "CURRENT").exists() or len(read(sample, "records")) < 5:
            self.assertIsNone(agent.poll(), "the sample ended before its fifth step")
        self.assertEqual(self.compare(sample), 5)
        shown = json.loads(perdure(sample, "show", read(sample, "runs")[0]["run"]))
        self.assertIn(f"process {agent.pid} ", shown["holder"])
        os.read(pipe, room)
        self.assertEqual(agent.wait(timeout=120), 0)
        self.assertEqual(self.compare(sample), 12)

    def test_a_copy_that_was_written_over_meanwhile_is_taken_again(self):
        directory, writer = self.hold()
        whole = lmdb_file._copy
        rows = len([*self.snapshot_of(directory).rows("records")])
        for commits, copies in ((1, 1), (2, 2), (40, 2)):
            taken = []

            def copy_slowly(descriptor, size, commits=commits, taken=taken):
                half = whole(descriptor, size // 2)
                if not taken:
                    self.write(writer, commits)
                taken.append(size)
                return half + whole(descriptor, size)[len(half):]

            with self.subTest(commits=commits):
                with unittest.mock.patch.object(lmdb_file, "_copy", copy_slowly):
                    snapshot = self.snapshot_of(directory)
                self.assertEqual(len(taken), copies)
                rows += commits
                # Of one commit meanwhile nothing is seen; the next reading has it.
                self.assertEqual(len([*snapshot.rows("records")]), rows - (copies == 1))

    @staticmethod
    def snapshot_of(directory):
        return lmdb_file.Snapshot(directory / "generation-000001" / "data.mdb")


if __name__ == "__main__":
    fixture.main()

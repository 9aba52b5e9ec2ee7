"""Holds the reader in Python against the perdure command, on journals of every sort."""

import fcntl
import json
import os
import signal
import subprocess
import unittest.mock

import comparison
import envelope
import fixture
import flat
import journal_reader
import lmdb_file
from fixture import ASKED, perdure, read, text_in


class JournalsTest(comparison.ComparingTest):
    """Journals in every state that a process can leave them in."""

    def test_all_kinds_of_rows_and_payloads(self):
        directory = self.make()
        self.assertGreater(self.compare(directory), 1500)
        records = read(directory, "records")
        self.assertEqual({row["kind"] for row in records}, set(journal_reader.RECORDS))
        self.assertEqual({row["fields"]["effect"] for row in records
                          if row["kind"] == "step_started"},
                         set(flat.ENUMS["EffectClass"].values()))
        self.assertEqual({row["fields"]["error"]["code"] for row in records
                          if row["fields"].get("error")}, set(envelope.CODES[1:]))
        self.assertEqual({row["fields"]["status"] for row in read(directory, "runs")},
                         {"queued", *flat.ENUMS["RunStatus"].values()})
        self.assertEqual({row["fields"]["step_kind"] for row in records
                          if row["kind"] == "step_result"}, set(flat.ENUMS["StepKind"].values()))
        self.assertEqual({row["fields"]["what"] for row in read(directory, "due")},
                         set(flat.ENUMS["DueWhat"].values()))
        self.assertEqual({row["fields"]["what"] for row in read(directory, "inbox")},
                         set(flat.ENUMS["ArrivalWhat"].values()))
        undos = read(directory, "undos")
        for enum, rows, field in (("ParentEnd", read(directory, "children"), "parent_end"),
                                  ("SagaState", read(directory, "sagas"), "state"),
                                  ("UndoWhat", undos, "what"), ("UndoState", undos, "state")):
            self.assertEqual({row["fields"][field] for row in rows if field in row["fields"]},
                             set(flat.ENUMS[enum].values()))
        for table in journal_reader.TABLES:
            lines = read(directory, table)
            self.assertTrue(lines, table)
            self.assertEqual(fixture.read_by_process(directory, table), lines)
        page = os.sysconf("SC_PAGESIZE")
        self.assertTrue(any(row["stored_bytes"] > 100 * page for row in records))
        self.assert_blobs_of_all_sorts(directory, records)
        counters = read(directory, "meta")[1]["fields"]
        self.assertEqual((counters["epoch"], counters["clean"]), (1, 1))
        self.assertEqual(counters["last_number"], read(directory, "meta")[1]["number"])

    def assert_blobs_of_all_sorts(self, directory, records):
        fields = [row["fields"] for table in ("inbox", "kept", "state", "before")
                  for row in read(directory, table)]
        self.assertEqual(sum("payload_blob" in each for each in fields), 6)
        self.assertTrue(any(each["payload_bytes"] > 1_000_000 and "payload_blob" not in each
                            for each in fields), "a large state in a row")
        self.assertEqual({row["kind"] for row in records if "payload_blob" in row["fields"]
                          or "input_blob" in row["fields"]},
                         {"run_created", "step_result", "run_ended"})
        forms = [line["forms"] for line in read(directory, "blobs")]
        for sort in ([0], [1], [0, 1], [1, 1, 1]):
            self.assertIn(sort, forms)

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
        self.tell(writer, "checkpoint", 0)
        whole = lmdb_file._copy
        rows = len([*self.snapshot_of(directory).rows("records")])
        for checkpoints, copies in ((1, 1), (2, 2), (40, 2)):
            taken = []

            def copy_slowly(descriptor, size, checkpoints=checkpoints, taken=taken):
                half = whole(descriptor, size // 2)
                if not taken:
                    for _ in range(checkpoints):
                        self.tell(writer, "write", 1)
                        self.tell(writer, "checkpoint", 0)
                taken.append(size)
                return half + whole(descriptor, size)[len(half):]

            with self.subTest(checkpoints=checkpoints):
                with unittest.mock.patch.object(lmdb_file, "_copy", copy_slowly):
                    snapshot = self.snapshot_of(directory)
                self.assertEqual(len(taken), copies)
                rows += checkpoints
                # Of one transaction meanwhile nothing is seen; the next reading has it.
                self.assertEqual(len([*snapshot.rows("records")]), rows - (copies == 1))

    @staticmethod
    def snapshot_of(directory):
        return lmdb_file.Snapshot(directory / "generation-000001" / "data.mdb")


if __name__ == "__main__":
    fixture.main()

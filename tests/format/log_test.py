"""Holds the reader in Python against the perdure command where batches are only in the log."""

import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import unittest.mock

import comparison
import fixture
import journal_reader
import lmdb_file
import wal_file
from fixture import ASKED, READER, perdure, read
from xxh3 import xxh3_64

UNIT = wal_file.UNIT


class LogTest(comparison.ComparingTest):
    """Logs in every state that a process, a machine or a disk can leave them in."""

    @staticmethod
    def moment(directory):
        return journal_reader.Journal(directory).moment

    @staticmethod
    def log(directory):
        return directory / "generation-000001" / "wal"

    def places(self, directory):
        return [entry.place // UNIT for entry in self.moment(directory).chain]

    def killed(self, commits):
        """A journal that ends with entries that are not in the tables: that of the opening, that of
        a run's creation, and `commits` more, each with a record."""
        directory, writer = self.hold()
        self.tell(writer, "write", commits)
        self.end(writer)
        self.assertEqual(writer.returncode, -signal.SIGKILL)
        return directory

    def change(self, directory, *changes):
        """Writes bytes at places of the log."""
        content = bytearray(self.log(directory).read_bytes())
        for place, new in changes:
            content[place:place + len(new)] = new
        self.log(directory).write_bytes(content)

    def flip(self, directory, place):
        content = self.log(directory).read_bytes()
        self.change(directory, (place, bytes([content[place] ^ 0x10])))

    def reseal(self, directory, entry, at, new):
        """Changes bytes of an entry and sets its checksum right again, as a writer would."""
        content = self.log(directory).read_bytes()
        changed = bytearray(content[entry.place:entry.place + entry.size])
        changed[at:at + len(new)] = new
        checksum = struct.pack("<Q", xxh3_64(bytes(changed[8:]), xxh3_64(content[16:32])))
        self.change(directory, (entry.place, checksum + changed[8:]))

    def assert_refused(self, directory, *words):
        """By both, with each of the words in what they say."""
        for command in ([sys.executable, "-B", READER, directory, "runs"],
                        [ASKED.perdure, "runs", "--journal", directory]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 3, (command, done.stderr))
            for word in words:
                self.assertIn(word, done.stderr)

    def test_the_newest_batches_are_in_the_log_of_a_live_and_a_killed_writer(self):
        directory, writer = self.hold()
        before = len(read(directory, "records"))
        self.tell(writer, "write", 5)
        self.assertEqual(self.places(directory), [1, 2, 3, 4, 5, 6, 7])
        self.assertEqual(self.compare(directory, every=20), before + 5)
        self.assertEqual(read(directory, "meta")[1]["fields"]["clean"], 0)
        self.end(writer)
        self.assertEqual(writer.returncode, -signal.SIGKILL)
        self.assertEqual(self.compare(directory, every=20), before + 5)
        tables = self.moment(directory).tables
        # Heads are rows too, and the run's creation is in the log as well. Queued runs have none.
        heads = sum(run["fields"]["status"] != "queued" for run in read(directory, "runs")) - 1
        self.assertEqual(len([*tables.rows("records")]), before - 1 + heads)

    def test_a_clean_end_leaves_nothing_in_the_log(self):
        directory = self.make("some")
        moment = self.moment(directory)
        self.assertEqual(moment.chain, [])
        self.assertGreater(moment.applied.batch, 100)
        self.assertEqual(moment.end, moment.applied)
        checkpoint = read(directory, "meta")[2]
        self.assertEqual((checkpoint["kind"], checkpoint["number"]), ("checkpoint", 0))
        self.assertEqual(checkpoint["fields"], moment.applied._asdict())

    def test_a_clean_end_may_be_in_the_log_only(self):
        directory, writer = self.hold()
        self.tell(writer, "write", 2)
        self.assertEqual(writer.communicate(timeout=60), ("", None))
        self.assertEqual(writer.returncode, 0)
        self.assertEqual(len(self.places(directory)), 5)
        self.assertEqual(read(directory, "meta")[1]["fields"]["clean"], 1)
        self.compare(directory, every=40)

    def test_an_erased_row_is_hidden_and_rows_are_in_order(self):
        directory = self.killed(2)
        ready = [row["key"] for row in read(directory, "ready")]
        table = lmdb_file.Snapshot(self.log(directory).with_name("data.mdb")).rows("ready")
        below = sorted(key for key, _ in table)
        # The last entry, of a record and a head, becomes one that erases a row of the tables and
        # one that is nowhere.
        last = self.moment(directory).chain[-1]
        rows = b"".join(struct.pack("<2BHI", 6, 1, 16, 0) + key for key in (below[1], b"~" * 16))
        self.reseal(directory, last, 28, struct.pack("<3I", 2, 1, 0) + rows)
        ready.remove(below[1].hex())
        found = read(directory, "ready")
        self.assertEqual([row["key"] for row in found], ready)
        self.assertEqual(ready, sorted(ready))
        self.assertEqual(json.loads(perdure(directory, "verify", codes=(1,)))["rows"]["ready"],
                         len(ready))

    def test_a_torn_newest_entry_is_no_entry(self):
        directory = self.killed(4)
        records = len(read(directory, "records"))
        entry = self.moment(directory).chain[-1]
        whole = self.log(directory).read_bytes()
        for torn in (entry.size // 2, 41, 39, 9, 1):
            with self.subTest(torn=torn):
                # Zeros, where nothing came to the disk.
                self.log(directory).write_bytes(
                    whole[:entry.place + torn].ljust(len(whole), b"\0"))
                self.assertEqual(len(read(directory, "records")), records - 1)
                self.compare(directory, every=40)
        for cut in (entry.size - 1, 41, 40, 39, 1, 0):
            with self.subTest(cut=cut):
                self.log(directory).write_bytes(whole[:entry.place + cut])
                self.assertEqual(len(read(directory, "records")), records - 1)
        self.compare(directory, every=40)
        # What was written over the last entry says nothing of the others. It may be sound, too, and
        # name the right one before it, but be of another number.
        for place, new in ((entry.size // 2, b"?"), (8, struct.pack("<Q", 1))):
            self.log(directory).write_bytes(whole)
            if place == 8:
                self.reseal(directory, entry, place, new)
            else:
                self.change(directory, (entry.place + place, new))
            self.assertEqual(self.compare(directory, every=40), records - 1)

    def test_damage_before_the_newest_entry_is_told(self):
        directory = self.killed(4)
        chain = self.moment(directory).chain
        whole = self.log(directory).read_bytes()
        for n, at in ((0, 3), (3, 8), (3, 16), (2, 24), (2, 34), (4, 60)):
            with self.subTest(entry=n, at=at):
                self.log(directory).write_bytes(whole)
                self.flip(directory, chain[n].place + at)
                self.assert_refused(directory, "damaged", f"batch {chain[n].batch}")
                report = json.loads(perdure(directory, "verify", codes=(1,)))
                self.assertFalse(report["sound"])
                self.assertEqual(report["log"]["batches"], n)
                # The first one stood not behind the one before, but at the beginning.
                if n > 0:
                    self.assertEqual(report["log"]["offset"], chain[n].place)

    def test_damage_is_not_told_while_somebody_writes(self):
        directory, writer = self.hold()
        self.tell(writer, "write", 4)
        records = len(read(directory, "records"))
        self.flip(directory, self.moment(directory).chain[3].place + 50)
        self.assertEqual(len(read(directory, "records")), records - 3)
        self.compare(directory, every=40)
        self.end(writer)
        self.assert_refused(directory, "damaged")

    def test_what_seems_damaged_once_is_read_again(self):
        directory = self.killed(4)
        records = len([*journal_reader.Journal(directory).records()])
        place = self.moment(directory).chain[2].place
        whole, taken = pathlib.Path.read_bytes, []

        def read_early(path):
            content = whole(path)
            if path.name == "wal":
                taken.append(path)
                if len(taken) == 1:
                    content = content[:place] + bytes(UNIT) + content[place + UNIT:]
            return content

        with unittest.mock.patch.object(pathlib.Path, "read_bytes", read_early):
            journal = journal_reader.Journal(directory)
        self.assertEqual((len(taken), len([*journal.records()])), (2, records))

    def test_what_a_loss_of_power_left_without_sync_is_passed_over(self):
        directory = self.killed(6)
        records = len(read(directory, "records"))
        chain = self.moment(directory).chain
        # As if the last four had been committed in durability `none`, and the second of these lost.
        self.reseal(directory, chain[-4], 32, b"\1")
        for entry in chain[-2:]:
            self.reseal(directory, entry, 32, b"\0")
        self.flip(directory, chain[-3].place + 50)
        self.assertEqual(self.compare(directory, every=40), records - 3)
        # Who opens it for writing goes on behind the highest number that is in the file.
        _, writer = self.hold(directory)
        checkpoint = self.moment(directory).applied
        self.assertEqual(checkpoint, (chain[-1].batch, chain[-4].checksum, UNIT))
        self.assertEqual([entry.batch for entry in self.moment(directory).chain],
                         [chain[-1].batch + 1, chain[-1].batch + 2])
        # One record less by the loss, and the creation of the run that was begun.
        self.assertEqual(self.compare(directory, every=40), records - 3 + 1)
        self.end(writer)

    def test_the_log_goes_around_the_end_of_its_file(self):
        directory = self.make("some")
        os.truncate(self.log(directory), UNIT)
        _, writer = self.hold(directory, log_bytes=8 * UNIT)
        self.tell(writer, "write", 2)
        self.tell(writer, "checkpoint", 2)
        self.tell(writer, "write", 2)
        self.assertEqual(self.places(directory), [5, 6, 7, 1])
        self.assertEqual(self.log(directory).stat().st_size, 8 * UNIT)
        records = len(read(directory, "records"))
        self.assertEqual(self.compare(directory, every=40), records)
        self.tell(writer, "checkpoint", 2)
        self.assertEqual(self.places(directory), [2, 3])
        self.end(writer)
        self.assertEqual(self.compare(directory, every=40), records + 2)

    def test_a_large_batch_passes_the_log_by(self):
        directory, writer = self.hold()
        self.tell(writer, "write", 1)
        before = self.moment(directory).end
        self.tell(writer, "large", 13 << 20)
        self.assertEqual(self.moment(directory).applied,
                         (before.batch + 1, before.checksum, UNIT))
        self.assertEqual(self.places(directory), [])
        self.tell(writer, "write", 2)
        self.assertEqual(self.places(directory), [1, 2])
        self.compare_rows(directory, read(directory, "runs"))

    def test_a_checkpoint_while_both_files_are_copied(self):
        directory, writer = self.hold()
        self.tell(writer, "write", 3)
        records = len([*journal_reader.Journal(directory).records()])
        whole, taken = lmdb_file._copy, []

        def copy(descriptor, size):
            content = whole(descriptor, size)
            taken.append(size)
            if len(taken) == 1:
                self.tell(writer, "checkpoint", 0)
                self.tell(writer, "write", 1)
            return content

        with unittest.mock.patch.object(lmdb_file, "_copy", copy):
            journal = journal_reader.Journal(directory)
        self.assertEqual((len(taken), len([*journal.records()])), (2, records + 1))

    def test_a_log_that_is_not_this_journals_is_refused(self):
        directory = self.killed(2)
        whole = self.log(directory).read_bytes()
        header = bytearray(whole[:32])
        header[16] ^= 1
        foreign = bytes(header) + struct.pack("<Q", xxh3_64(bytes(header)))
        for content, words in (
                (b"", ("cut off",)), (whole[:39], ("cut off",)),
                (b"x" + whole[1:], ("wal", " log")),
                (whole[:20] + b"\0\0\0\0" + whole[24:], ("damaged",)),
                (whole[:12] + b"\0" + whole[13:], ("damaged",)),
                (whole[:12] + b"\2" + whole[13:], ("version 2",)),
                (foreign + whole[40:], ("another journal",))):
            with self.subTest(words=words):
                self.log(directory).write_bytes(content)
                self.assert_refused(directory, *words)
        self.log(directory).unlink()
        self.assert_refused(directory, "wal")
        self.log(directory).write_bytes(whole)
        self.compare(directory, every=60)

    def test_a_newer_perdures_rows_are_not_left_out(self):
        directory = self.killed(2)
        whole = self.log(directory).read_bytes()
        last = self.moment(directory).chain[-1]
        table = bytes([len(wal_file.TABLES) + 1])
        for at, new in ((40, table), (40, b"\0"), (41, b"\2"), (42, b"\x29"), (44, b"\xff\xff"),
                        (28, b"\xff"),
                        (28, struct.pack("<3I2BHI", 1, 1, 0, 6, 1, 41, 0) + b"~" * 48)):
            with self.subTest(at=at):
                self.log(directory).write_bytes(whole)
                self.reseal(directory, last, at, new)
                self.assert_refused(directory, "newer")
        self.log(directory).write_bytes(whole)
        # Of a flag that it does not know a reader takes no notice.
        self.reseal(directory, last, 32, b"\xff\xff")
        self.compare(directory, every=60)


if __name__ == "__main__":
    fixture.main()

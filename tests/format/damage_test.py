"""Changes bytes of a journal on purpose, and sees that both readers say so."""

import collections
import json
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

import fixture
import journal_reader
import lmdb_file
from fixture import ASKED, READER, perdure, read, text_in
from xxh3 import xxh3_64


class DamageTest(fixture.FormatTest):
    """What was changed after it was written is seen, by both readers and in the same place."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="perdure-format-")
        cls.addClassCleanup(folder.cleanup)
        cls.made = pathlib.Path(folder.name) / "all"
        text_in([ASKED.maker, "all", cls.made])

    def setUp(self):
        super().setUp()
        self.directory = self.home / "all"
        shutil.copytree(self.made, self.directory)
        self.file = self.directory / "generation-000001" / "data.mdb"
        self.sound = self.file.read_bytes()
        self.journal = journal_reader.Journal(self.directory)

    def rows(self, table, kind):
        return [row for row in self.journal.rows(table) if row["kind"] == kind]

    def change(self, row, change):
        """Stores another value of the same size, wherever a copy of the page is."""
        value = bytearray(row["value"])
        change(value)
        # Of a value on pages of its own the beginning is enough to find it.
        size = min(len(value), 1024)
        self.assertIn(row["value"][:size], self.sound)
        self.assertEqual(value[size:], row["value"][size:])
        self.file.write_bytes(self.sound.replace(row["value"][:size], bytes(value[:size])))

    def expect(self, row, word, what):
        """Both say `what` of the row, and the reader says it as `word`."""
        found = [line for line in read(self.directory, row["table"], codes=(0, 1))
                 if word in line]
        if row["kind"] != "head":
            self.assertEqual([line["key"] for line in found], [row["key"].hex()])
            self.assertIn(what, found[0][word])
        else:
            found = [line for line in read(self.directory, "runs", codes=(1,)) if word in line]
            self.assertEqual([line["run"] for line in found], [journal_reader.ulid(row["run"])])
            self.assertIn(what, found[0][word])
        report = json.loads(perdure(self.directory, "verify", codes=(1,)))
        findings = [finding for finding in report["findings"]
                    if (finding["table"], finding["key"]) == (row["table"], row["key"].hex())]
        self.assertTrue(any(what in finding["what"] for finding in findings), report)

    def test_a_flipped_byte_in_any_table(self):
        kinds = [("sessions", "session"), ("keys", "message_key"), ("runs", "run"),
                 ("ready", "ready"), ("due", "due"), ("attempts", "attempts"), ("records", "head"),
                 ("open", "open"), ("inbox", "arrival"), ("kept", "arrival"), ("waits", "wait"),
                 ("state", "state"), ("before", "state"), ("children", "child"),
                 ("rows", "user_row"), ("budgets", "budget"), ("usage", "usage"),
                 ("sagas", "saga"), ("undos", "undo"), ("undos", "undo_state"),
                 *(("records", kind) for kind in journal_reader.RECORDS)]
        for n, (table, kind) in enumerate(kinds):
            rows = self.rows(table, kind)
            row = rows[len(rows) // 2]
            place = (0, 9, 17, 19, 21, -1, 30)[n % 7]
            if len(row["value"]) > 1024:
                place = 30

            def flip(value, place=place):
                value[place] ^= 0x40

            with self.subTest(table=table, kind=kind, place=place):
                self.change(row, flip)
                self.expect(row, "damage", "checksum")

    def test_a_flipped_byte_in_a_value_on_pages_of_its_own(self):
        row = max(self.rows("records", "step_result"), key=lambda row: len(row["value"]))
        value = row["value"]
        at = self.sound.index(value)
        changed = bytearray(self.sound)
        changed[at + len(value) - 10] ^= 1
        self.file.write_bytes(changed)
        self.expect(row, "damage", "checksum")

    def sealed(self, row, at, new):
        """Changes bytes and sets the checksum right again, as a writer would."""
        def change(value):
            value[at:at + len(new)] = new
            seed = xxh3_64(row["key"])
            value[:8] = struct.pack("<Q", xxh3_64(bytes(value[8:]), seed))
        self.change(row, change)

    def test_what_a_newer_perdure_wrote_is_called_newer(self):
        row = self.rows("records", "step_started")[2]
        effect = 24 + self.place_of_field(row, 2)
        for at, new, what in ((16, b"\x02\x00", "format 2"), (18, b"\x4d\x00", "kind 77"),
                              (effect, b"\x63", "99")):
            with self.subTest(what=what):
                self.sealed(row, at, new)
                self.expect(row, "newer", what)

    @staticmethod
    def place_of_field(row, number):
        body = row["value"][24:]
        table, = struct.unpack_from("<I", body)
        back, = struct.unpack_from("<i", body, table)
        return table + struct.unpack_from("<H", body, table - back + 4 + 2 * number)[0]

    def test_a_size_or_a_kind_that_does_not_fit_is_damage(self):
        row = self.rows("records", "step_started")[2]
        self.sealed(row, 20, b"\x01")
        self.expect(row, "damage", "size field")
        self.sealed(row, 18, b"\x68\x00")
        lines = read(self.directory, "records", codes=(1,))
        self.assertEqual([line["key"] for line in lines if "damage" in line], [row["key"].hex()])
        perdure(self.directory, "verify", codes=(1,))

    def test_a_damaged_flatbuffer_is_damage_though_its_checksum_holds(self):
        row = self.rows("records", "step_result")[7]
        self.sealed(row, 24, b"\xf0\xff")
        self.expect(row, "damage", "FlatBuffer")

    def test_a_damaged_payload_is_damage_though_its_checksum_holds(self):
        row = next(row for row in self.rows("records", "step_result")
                   if 20 < len(row["fields"]["payload"]) < 900)
        payload = row["fields"]["payload"]
        # The last byte is the width of the root.
        at = row["value"].index(payload) + len(payload) - 1
        self.sealed(row, at, b"\x03")
        self.expect(row, "damage", "payload")

    def test_a_newer_directory_is_refused(self):
        for text, what in (("perdure-journal 2\ngeneration-000001\n", "newer"),
                           ("perdure-journal 10\nsomething else", "newer"),
                           ("perdure-journal 1\n", "CURRENT"), ("", "CURRENT"),
                           ("perdure-journal 1\n../x\n", "CURRENT")):
            (self.directory / "CURRENT").write_text(text)
            for command in ([sys.executable, "-B", READER, self.directory, "runs"],
                            [ASKED.perdure, "runs", "--journal", self.directory]):
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 3, done)
                self.assertIn(what, done.stderr)

    def test_whatever_bytes_there_are_the_reader_in_python_comes_to_an_end(self):
        drawn = random.Random(5)
        endings = collections.Counter()
        for _ in range(40):
            changed = bytearray(self.sound)
            for _ in range(20):
                # Where pages say what they are, more often than in values.
                page = drawn.randrange(len(changed) // 4096) * 4096
                place = page + drawn.randrange(drawn.choice((24, 60, 4096)))
                changed[place] ^= 1 << drawn.randrange(8)
            self.file.write_bytes(changed)
            try:
                journal = journal_reader.Journal(self.directory)
                for table in journal_reader.TABLES:
                    for row in journal_reader.rows_of(journal, table, None):
                        endings["damage" in journal_reader.in_json(row, journal.blobs)] += 1
            except (journal_reader.NoJournal, lmdb_file.DamagedFile) as why:
                endings[type(why)] += 1
        self.assertGreater(endings[lmdb_file.DamagedFile], 5, endings)
        self.assertGreater(endings[True], 0, endings)

    def test_a_file_that_was_cut_off_is_refused(self):
        for size in (0, 100, 4096, 5000, len(self.sound) // 2):
            self.file.write_bytes(self.sound[:size])
            for command in ([sys.executable, "-B", READER, self.directory, "runs"],
                            [ASKED.perdure, "runs", "--journal", self.directory]):
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 3, done)


if __name__ == "__main__":
    fixture.main()

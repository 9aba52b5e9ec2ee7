"""Changes the blobs of a journal on purpose, and sees that both readers say so."""

import hashlib
import json
import pathlib
import shutil
import struct
import tempfile

import fixture
import journal_reader
from fixture import ASKED, perdure, read, text_in
from xxh3 import xxh3_64

FIRST_CHUNK = 88


class BlobDamageTest(fixture.FormatTest):
    """What is wrong with a blob is seen, by both readers, and at each row that refers to it."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="perdure-format-")
        cls.addClassCleanup(folder.cleanup)
        cls.made = pathlib.Path(folder.name) / "blobs"
        text_in([ASKED.maker, "blobs", cls.made])

    def setUp(self):
        super().setUp()
        self.directory = self.home / "blobs"
        shutil.copytree(self.made, self.directory)
        self.rows = [row for table in ("records", "inbox", "kept", "state", "before")
                     for row in read(self.directory, table)]

    def file(self, name):
        return self.directory / "blobs" / name[:2] / name[2:]

    @staticmethod
    def names_in(row):
        """The blobs that a row refers to."""
        for name in ("input", "payload"):
            if name + "_blob" in row["fields"]:
                yield row["fields"][name + "_blob"]
            yield from (each for each, _ in journal_reader.blobs_in(row["fields"].get(name)))

    def row_named(self, name):
        return next(row["fields"] for row in self.rows if row["fields"].get("name") == name)

    def expect(self, name, word, what):
        """Both name each row that refers to the blob, the reader by `word`, and no other."""
        expected = sorted((row["table"], row["key"]) for row in self.rows
                          if name in self.names_in(row))
        self.assertTrue(expected)
        found = [line for table in ("records", "inbox", "kept", "state", "before")
                 for line in read(self.directory, table, codes=(0, 1)) if word in line]
        self.assertEqual(sorted((line["table"], line["key"]) for line in found), expected)
        report = json.loads(perdure(self.directory, "verify", codes=(1,)))
        findings = report["findings"]
        self.assertEqual(sorted((line["table"], line["key"]) for line in findings), expected)
        for line in found:
            self.assertIn(name, line[word])
            self.assertIn(what, line[word])
        for line in findings:
            self.assertIn(name[2:], line["what"])
            self.assertIn(what, line["what"])
        self.assertEqual("use a newer" in findings[0]["what"], word == "newer", findings)

    def change(self, name, *changes):
        """Writes bytes at places of the file."""
        content = bytearray(self.file(name).read_bytes())
        for place, new in changes:
            content[place:place + len(new)] = new
        self.file(name).write_bytes(content)

    def reseal(self, name, place, new):
        """Changes the header and sets its checksum right again, as a writer would."""
        self.change(name, (place, new))
        header = self.file(name).read_bytes()[:80]
        self.change(name, (80, struct.pack("<Q", xxh3_64(header))))

    def blobs(self):
        """Of a payload, of a payload to which several rows refer, and of what a payload names."""
        spoken, _ = next(iter(journal_reader.blobs_in(self.row_named("names")["payload"])))
        return {"several chunks": self.row_named("several chunks")["payload_blob"],
                "mail": self.row_named("approval")["payload_blob"], "spoken of": spoken}

    def test_a_missing_blob(self):
        for sort, name in self.blobs().items():
            with self.subTest(sort=sort):
                content = self.file(name).read_bytes()
                self.file(name).unlink()
                self.expect(name, "damage", "there")
                self.file(name).write_bytes(content)

    def test_a_flipped_byte_in_any_part(self):
        name = self.blobs()["several chunks"]
        content = self.file(name).read_bytes()
        index, = struct.unpack_from("<Q", content, 56)
        for place, what in ((3, "not a blob"), (40, "header"), (50, "header"),
                            (FIRST_CHUNK + 5, "chunk 0"), (index - 1, "chunk 2"),
                            (index + 2, "index"), (len(content) - 1, "index")):
            with self.subTest(place=place):
                self.change(name, (place, bytes([content[place] ^ 4])))
                self.expect(name, "damage", what)
                self.file(name).write_bytes(content)

    def test_a_file_that_was_cut_off_or_added_to(self):
        name = self.blobs()["several chunks"]
        content = self.file(name).read_bytes()
        for changed, what in ((b"", "cut off"), (content[:87], "cut off"),
                              (content[:-1], "bytes, which is not what its header says"),
                              (content + b"\0", "bytes, which is not what its header says")):
            with self.subTest(size=len(changed)):
                self.file(name).write_bytes(changed)
                self.expect(name, "damage", what)

    def test_what_a_newer_perdure_wrote_is_called_newer(self):
        name = self.blobs()["mail"]
        content = self.file(name).read_bytes()
        for place, new, what in ((12, b"\2\0\0\0", "version 2"), (68, b"\1\0\0\0", "flags")):
            with self.subTest(what=what):
                self.reseal(name, place, new)
                self.expect(name, "newer", what)
                self.file(name).write_bytes(content)

    def test_other_content_under_an_id_is_seen_when_all_of_it_is_read(self):
        blobs = self.blobs()
        spoken = blobs["spoken of"]
        size = self.file(spoken).stat().st_size
        # Three bytes like them, in a file that is right but for the id.
        content = bytearray(self.file(spoken).read_bytes())
        content[FIRST_CHUNK] ^= 1
        row = size - 24
        content[row + 16:] = struct.pack("<Q", xxh3_64(bytes(content[FIRST_CHUNK:row])))
        content[72:80] = struct.pack("<Q", xxh3_64(bytes(content[row:])))
        self.file(spoken).write_bytes(content)
        self.reseal(spoken, 16, bytes.fromhex(spoken))
        wrong = hashlib.sha256(bytes(content[FIRST_CHUNK:row])).hexdigest()
        self.expect(spoken, "damage", f"other content than its id says, that of {wrong}")
        # One blob's file under the name of another.
        shutil.copyfile(self.file(blobs["mail"]), self.file(spoken))
        self.expect(spoken, "damage", f"it is the blob {blobs['mail']}")


if __name__ == "__main__":
    fixture.main()

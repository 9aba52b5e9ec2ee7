"""Holds docs/journal_format.md, its examples and its lists, against the reader written from it."""

import hashlib
import json
import re
import unittest

import blob_file
import envelope
import fixture
import flat
import flex
import journal_reader
import wal_file
from fixture import ASKED, text_in
from xxh3 import xxh3_64, xxh3_128


class DocumentTest(unittest.TestCase):
    """The page's own examples and lists."""

    def setUp(self):
        self.page = (ASKED.source / "docs/journal_format.md").read_text()

    def section(self, heading):
        return re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#+ |\Z)", self.page, re.M | re.S)[1]

    @staticmethod
    def dump_in(text):
        rows = re.findall(r"^    ([0-9a-f]{4})  ((?:[0-9a-f]{2} ?| )+)$", text, re.M)
        content = b""
        for at, row in rows:
            # Between two dumps there are zeros.
            place = int(at, 16)
            assert place == len(content) or place % 4096 == 0, at
            content = content.ljust(place, b"\0") + bytes.fromhex(row)
        return content

    def check_places(self, text, content):
        """The rows of a table of places and bytes; gives how many bytes they cover."""
        covered = 0
        for at, cell in re.findall(r"^\| ([0-9a-f]{2}|[0-9a-f]{4}) \| ([^|]*) \|", text, re.M):
            place = int(at, 16)
            for part in re.findall(r"`([0-9a-f …]+)`", cell):
                start, _, end = part.partition("…")
                begin = bytes.fromhex(start)
                self.assertEqual(content[place:place + len(begin)], begin, at)
                place += len(begin)
                if end.strip():
                    place = content.index(bytes.fromhex(end), place) + len(bytes.fromhex(end))
            covered += place - int(at, 16)
        return covered

    def test_the_record_is_what_the_page_says(self):
        text = self.section("A record, byte by byte")
        value = self.dump_in(text)
        key = bytes.fromhex(re.search(r"key is `([0-9a-f ]+)`", text)[1])
        kind, number, body = envelope.open_envelope(key, value)
        self.assertEqual((len(value), kind, number, len(body)), (128, 3, 17, 104))
        self.assertIn(f"run `{journal_reader.ulid(key[:16])}`", text)
        self.assertEqual(envelope.decode(kind, body), {
            "path": (3,), "step_kind": "step", "name": b"charge", "type": b"i32", "attempts": 1,
            "stamp": 1732000000123456, "busy_us": 1500, "error": None, "payload": b"\5\4\1",
            "payload_blob": None})
        self.assertEqual(flex.to_json(b"\5\4\1"), 5)
        self.assertGreater(self.check_places(text, value), 70)

    def test_the_record_of_a_blob_is_what_the_page_says(self):
        text = self.section("A record of a blob, byte by byte")
        value = self.dump_in(text)
        key = bytes.fromhex(re.search(r"is `([0-9a-f]{32} [0-9a-f]{8})`", text)[1])
        kind, number, body = envelope.open_envelope(key, value)
        self.assertEqual((len(value), kind, number, len(body)), (120, 4, 18, 96))
        payload = self.dump_in(self.section("A payload, byte by byte"))
        name = hashlib.sha256(payload).digest()
        self.assertEqual(envelope.decode(kind, body), {
            "stamp": 1732000000124456, "type": b"Fare", "error": None, "payload": b"",
            "payload_blob": {"id": name, "bytes": len(payload)}})
        self.assertIn(f"`blobs/{name.hex()[:2]}/{name.hex()[2:]}`", text)
        self.assertGreater(self.check_places(text, value), 95)

    def test_the_blob_is_what_the_page_says(self):
        text = self.section("A blob, byte by byte")
        content = self.dump_in(text)
        name = hashlib.sha256(b"abc").hexdigest()
        blob = blob_file.BlobFile(content, name)
        self.assertEqual((blob.bytes, blob.forms(), b"".join(blob.chunks(None))), (3, [0], b"abc"))
        self.assertIn(f"`blobs/{name[:2]}/{name[2:]}`", text)
        self.assertEqual(self.check_places(text, content), len(content))

    def test_the_log_is_what_the_page_says(self):
        text = self.section("A log, byte by byte")
        content = self.dump_in(text)
        log = wal_file.Log(content, bytes.fromhex(re.search(r"journal `([0-9a-f]+)`", text)[1]))
        chain, end = log.follow(wal_file.Position(8, 0x0807060504030201, 0))
        self.assertEqual([entry._replace(checksum=0) for entry in chain],
                         [wal_file.Entry(4096, 160, 9, 0, 0x0807060504030201, wal_file.SURE, 2)])
        self.assertEqual(end, (9, chain[0].checksum, 8192))
        self.assertIn(f"0x{chain[0].checksum:016x}", text)
        (table, key, value), erased = log.rows(chain[0])
        self.assertEqual((table, key), ("meta", b"\0\0\0\2"))
        kind, number, body = envelope.open_envelope(key, value)
        self.assertEqual((envelope.KINDS[kind][0], number), ("counters", 17))
        self.assertEqual(envelope.decode(kind, body), {
            "epoch": 3, "incarnation": 0xfedcba9876543210, "last_number": 17,
            "last_stamp": 1732000000123456, "clean": 0})
        run = journal_reader.run_of(re.search(r"run `(\w+)`", text)[1])
        self.assertEqual(erased, ("ready", run, None))
        self.assertEqual(self.check_places(text, content), 40 + 160)

    def test_the_payload_is_what_the_page_says(self):
        text = self.section("A payload, byte by byte")
        payload = self.dump_in(text)
        self.assertEqual(flex.to_json(payload), json.loads(re.search(r"`(\{.*\})`", text)[1]))
        self.assertEqual(self.check_places(text, payload), len(payload))
        self.assertEqual(text_in([ASKED.maker, "payload"]).strip(), payload.hex())

    def test_the_hashes_are_what_the_page_says(self):
        vectors = re.findall(r"^\| (XXH3-64|XXH3-128) \| `([^`]*)` \| `([0-9a-f]+)` \| "
                             r"`([0-9a-f]+)` \|$", self.page, re.M)
        self.assertGreaterEqual(len(vectors), 6)
        for name, text, seed, hashed in vectors:
            hash_of, width = (xxh3_64, 16) if name == "XXH3-64" else (xxh3_128, 32)
            content = b"" if text == "(nothing)" else text.encode()
            self.assertEqual(f"{hash_of(content, int(seed, 16)):0{width}x}", hashed, text)
        examples = self.section("Ids and hashes")
        self.assertIn(journal_reader.session_hash(b"trip", b"alice-lisbon").hex(), examples)
        self.assertIn(journal_reader.message_hash(b"start").hex(), examples)
        self.assertIn(journal_reader.message_hash(b"total").hex(), examples)
        self.assertIn(f"{journal_reader.path_hash((3, 0, 1)):016x}", examples)

    def test_the_lists_are_the_readers(self):
        kinds = {int(number): (kind, table) for kind, number, table in
                 re.findall(r"^\| `(\w+)` \| (\d+) \| `(\w+)` \|", self.page, re.M)}
        self.assertEqual(kinds, envelope.KINDS)
        tables = re.findall(r"^\| `(\w+)` \| (\d+) \| [a-z]", self.page, re.M)
        self.assertEqual(tables, [(name, str(n)) for n, name in enumerate(wal_file.TABLES, 1)])
        self.assertEqual({name for name, _ in tables}, set(journal_reader.TABLES))
        codes = re.findall(r"^\| (\d+) \| `(\w+)` \| (yes|no) \|", self.page, re.M)
        self.assertEqual([(int(number), name) for number, name, _ in codes],
                         [*enumerate(envelope.CODES)][1:])
        self.assertEqual({name for _, name, again in codes if again == "no"},
                         set(envelope.FINAL_CODES))

    def test_the_schema_still_begins_as_version_1(self):
        schema = re.sub(r"//.*", "", (ASKED.source / "journal/schema/record.fbs").read_text())
        tables = dict(re.findall(r"table (\w+) \{(.*?)\}", schema, re.S))
        for name, known in flat.TABLES.items():
            fields = re.findall(r"(\w+):(\[?\w+\]?)(?: = (\w+))?( \(required\))?;", tables[name])
            for (field, kind, default), now in zip(known, fields, strict=False):
                self.assertEqual((field, kind, (name, field) in flat.REQUIRED),
                                 (now[0], now[1], bool(now[3])))
                if kind in flat.ENUMS:
                    default = flat.ENUMS[kind].get(default, default)
                if kind in flat.SCALARS:
                    self.assertEqual("null" if default is None else str(default).lower(),
                                     now[2] or "0")
            self.assertGreaterEqual(len(fields), len(known), name)
        self.assertRegex(schema, r"struct Blob \{\s*id:\[ubyte:32\];\s*bytes:ulong;\s*\}")
        for name, numbers in flat.ENUMS.items():
            body = re.search(rf"enum {name} : ubyte \{{(.*?)\}}", schema, re.S)[1]
            self.assertLessEqual(numbers.items(), {int(number): text for text, number in re.findall(
                r"(\w+) = (\d+)", body)}.items())


class HashTest(unittest.TestCase):
    """XXH3 against the library's own."""

    def test_all_lengths(self):
        data = bytes((i * 2654435761 >> 16) & 255 for i in range(3000))
        lines = text_in([ASKED.maker, "hashes"]).splitlines()
        self.assertGreater(len(lines), 3000)
        for line in lines:
            size, seed, narrow, wide = line.split()
            content = data[:int(size)]
            self.assertEqual(f"{xxh3_64(content, int(seed)):016x}", narrow, line)
            self.assertEqual(f"{xxh3_128(content, int(seed)):032x}", wide, line)


if __name__ == "__main__":
    fixture.main()

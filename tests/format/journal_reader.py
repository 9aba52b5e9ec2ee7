"""Reads a journal of Perdure as docs/journal_format.md describes it, with nothing but Python.

usage: journal_reader.py DIR TABLE [--run RUN]

TABLE is `runs` (each with its head), `records`, or any other that docs/journal_format.md names, or
`blobs`: the files of blobs, be they referred to or not.
Prints one JSON object a line. A row that can't be read is a line with `damage`, or with `newer`
where a newer Perdure wrote it. Exit codes: 0; 1 there was such a line; 3 no journal that this
reads.

What it promises: it trusts no byte that it has not checked, and takes no lock. What it does not:
keep large journals out of memory; it copies the files.
"""

import argparse
import json
import pathlib
import re
import struct
import sys

import blob_file
import flex
import lmdb_file
import moment
import user_rows
from envelope import KINDS, PAYLOADS, Damage, Newer, decode, open_envelope
from xxh3 import xxh3_64, xxh3_128

DIRECTORY_VERSION = 1
HEAD_INDEX = 0xFFFFFFFF
# In the index of a key of `undos`: the row says what became of the action.
STATE_BIT = 0x80000000
BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DIGITS = {**{c: i for i, c in enumerate(BASE32)}, "I": 1, "L": 1, "O": 0}
RECORDS = ("run_created", "step_started", "step_result", "run_ended", "version_mark",
           "cancel_requested", "saga_aborted")
# By table: its keys' form, the names of their parts, the kinds of its values.
TABLES = {"meta": (">I", ("row",), ("identity", "counters", "checkpoint")),
          "sessions": (">16s", ("session",), ("session",)),
          "keys": (">16s16s", ("session", "hash"), ("message_key",)),
          "runs": (">16s", ("run",), ("run",)),
          "records": (">16sI", ("run", "index"), (*RECORDS, "head")),
          "ready": (">16s", ("run",), ("ready",)),
          "due": (">Q16sQ", ("at", "run", "hash"), ("due",)),
          "attempts": (">16sQ", ("run", "hash"), ("attempts",)),
          "open": (">16s", ("session",), ("open",)),
          "inbox": (">16sQ", ("session", "at_number"), ("arrival",)),
          "kept": (">16sQ", ("session", "at_number"), ("arrival",)),
          "waits": (">16sQ", ("run", "hash"), ("wait",)),
          "state": (">16s16s", ("session", "hash"), ("state",)),
          "before": (">16s16s", ("run", "hash"), ("state",)),
          "children": (">16sQ", ("run", "hash"), ("child",)),
          "budgets": (">16s", ("run",), ("budget",)),
          "usage": (">16s16s", ("payer", "run"), ("usage",)),
          "sagas": (">16sI", ("run", "saga"), ("saga",)),
          "undos": (">16sII", ("run", "saga", "index"), ("undo", "undo_state")),
          "rows": (None, ("user_table", "user_key"), ("user_row",))}
BLOB_KEYS = {"bytes", "perdure.blob"}


class NoJournal(Exception):
    """There is no journal, or none that this reader reads."""


def ulid(run):
    """A run's id as text."""
    number = int.from_bytes(run, "big")
    return "".join(BASE32[number >> 5 * i & 31] for i in range(25, -1, -1))


def run_of(text):
    """The 16 bytes of a run's id."""
    number = 0
    for c in text.upper():
        number = number << 5 | DIGITS[c]
    return number.to_bytes(16, "big")


def session_hash(agent, key):
    """Where the search for a session begins."""
    return xxh3_128(key, xxh3_64(agent)).to_bytes(16, "big")


def message_hash(key):
    """The second half of a key of the tables `keys`, `state` and `before`."""
    return xxh3_128(key).to_bytes(16, "big")


def path_hash(path):
    """The hash of a step path in keys."""
    return xxh3_64(struct.pack(f"<{len(path)}I", *path))


def path_text(path):
    """`3.0.1`."""
    return ".".join(map(str, path))


def parts_of(form, key):
    """A key, taken apart."""
    if form is None:
        try:
            return user_rows.split(key)
        except user_rows.NoKey as why:
            raise Damage(f"its key is not that of a user's row: {why}") from why
    if len(key) != struct.calcsize(form):
        raise Damage(f"its key has {len(key)} bytes")
    return struct.unpack(form, key)


def is_out_of_place(row):
    """Whether a row of a table that has two kinds stands at the other one's index."""
    if row["table"] == "records":
        return (row["kind"] == "head") != (row["index"] == HEAD_INDEX)
    if row["table"] == "undos":
        return (row["kind"] == "undo_state") != bool(row["index"] & STATE_BIT)
    return False


class Journal:
    """One moment of a journal."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.blobs = blob_file.Blobs(self.directory)
        try:
            current = (self.directory / "CURRENT").read_bytes()
        except OSError as why:
            raise NoJournal(f"there is no journal in {directory}: {why}") from why
        lines = re.match(rb"perdure-journal ([0-9]+)\n(.*)", current, re.DOTALL)
        if lines and int(lines[1]) > DIRECTORY_VERSION:
            raise NoJournal(f"it is of version {int(lines[1])}: use a newer reader")
        if not lines or not re.fullmatch(rb"generation-[0-9]{6,}\n", lines[2]):
            raise NoJournal("CURRENT is damaged")
        try:
            self.moment = moment.Moment(self.directory,
                                        self.directory / lines[2].decode().strip())
        except moment.NoMoment as why:
            raise NoJournal(str(why)) from why

    def rows(self, table):
        """A dict of each row: `key` and `value` as stored, the key's parts, and either `fields`
        with `kind` and `number`, or `damage` or `newer`."""
        form, parts, kinds = TABLES[table]
        for key, value in self.moment.rows(table):
            row = {"table": table, "key": key, "value": value}
            try:
                row.update(zip(parts, parts_of(form, key)))
                kind, row["number"], body = open_envelope(key, value)
                row["kind"] = KINDS[kind][0]
                if row["kind"] not in kinds or is_out_of_place(row):
                    raise Damage(f"it is a {row['kind']}, which does not belong there")
                row["fields"] = decode(kind, body)
            except Damage as why:
                row["damage"] = str(why)
            except Newer as why:
                row["newer"] = str(why)
            yield row

    def runs(self):
        """The rows of `runs`, each with the fields of its head."""
        heads = {row["key"][:16]: row for row in self.rows("records")
                 if row.get("index") == HEAD_INDEX}
        for row in self.rows("runs"):
            head = heads.get(row["key"])
            if "fields" in row and row["fields"]["queued"]:
                row["fields"] = {**row["fields"], "status": "queued", "count": 0}
            elif "fields" in row and head is None:
                row["damage"] = "its head row is missing"
            elif "fields" in row and "fields" not in head:
                row.update({name: head[name] for name in ("damage", "newer") if name in head})
            elif "fields" in row:
                row["fields"] = {**row["fields"], **head["fields"]}
            yield row

    def records(self):
        """The records, without heads. A gap in the indices is a row with `damage` alone."""
        counts, found = {}, {}
        for row in self.rows("records"):
            if row.get("index") == HEAD_INDEX:
                counts[row["run"]] = row.get("fields", {}).get("count")
                continue
            found.setdefault(row.get("run"), set()).add(row.get("index"))
            yield row
        for run, count in counts.items():
            missing = sorted(set(range(count or 0)) - found.get(run, set()))
            for index in missing:
                key = run + struct.pack(">I", index)
                yield {"table": "records", "key": key, "run": run, "index": index,
                       "damage": "it is missing"}


def _field_in_json(name, value):
    if value is None:
        return None
    if name == "path":
        return path_text(value)
    if name in ("run", "other", "payer", "parent_run"):
        return ulid(value)
    if name == "payers":
        return [ulid(value[at:at + 16]) for at in range(0, len(value), 16)]
    if isinstance(value, dict):
        return {key: _field_in_json(key, inner) for key, inner in value.items()}
    if not isinstance(value, bytes):
        return value
    return value.hex() if name in ("session", "journal", "hash") else flex.text_of(value)


def blobs_in(value):
    """(id, size) of each blob that a payload's value speaks of."""
    if isinstance(value, list):
        for inner in value:
            yield from blobs_in(inner)
    elif isinstance(value, dict):
        name, size = value.get("perdure.blob"), value.get("bytes")
        if value.keys() == BLOB_KEYS and isinstance(name, str) \
                and re.fullmatch("[0-9a-f]{64}", name) and type(size) is int and size > 0:
            yield name, size
            return
        for inner in value.values():
            yield from blobs_in(inner)


def _payload_in_json(name, fields, blobs):
    """What a row says of a payload; the content of a blob is read, and what it speaks of too."""
    content, blob = fields[name], fields.get(name + "_blob")
    line = {name + "_bytes": blob["bytes"] if blob else len(content), name: None}
    told = "its payload"
    if blob:
        line[name + "_blob"] = told = blob["id"].hex()
    try:
        if blob:
            content = blobs.content(told, blob["bytes"])
        line[name] = flex.to_json(content)
        for told, size in blobs_in(line[name]):
            blobs.check(told, size)
    except flex.DamagedPayload as why:
        return line, {"damage": f"its payload is damaged: {why}"}
    except Damage as why:
        return line, {"damage": f"the blob {told}: {why}"}
    except Newer as why:
        return line, {"newer": f"the blob {told}: {why}"}
    return line, {}


def in_json(row, blobs):
    """A row as the command prints it."""
    line = {"table": row["table"], "key": row["key"].hex()}
    line.update((name, _field_in_json(name, row[name])) for name in TABLES[row["table"]][1]
                if name in row)
    if "damage" in row or "newer" in row:
        line.update((name, row[name]) for name in ("damage", "newer") if name in row)
        return line
    fields = {}
    for name, value in row["fields"].items():
        if name in PAYLOADS:
            found, fault = _payload_in_json(name, row["fields"], blobs)
            fields.update(found)
            line.update(fault)
        elif not name.endswith("_blob"):
            fields[name] = _field_in_json(name, value)
    line.update(number=row["number"], kind=row["kind"], stored_bytes=len(row["value"]),
                fields=fields)
    return line


def rows_of(journal, table, run):
    """The rows that the command prints."""
    if table == "runs":
        rows = journal.runs()
    elif table == "records":
        rows = journal.records()
    else:
        rows = journal.rows(table)
    return (row for row in rows if run is None or row.get("run") == run)


def blob_lines(blobs):
    """A line for each blob that lies there."""
    for name, stored in blobs.all():
        line = {"id": name, "stored_bytes": stored}
        try:
            file = blobs.open(name)
            line.update(bytes=file.bytes, forms=file.forms())
            blobs.check(name, file.bytes)
        except Damage as why:
            line["damage"] = str(why)
        except Newer as why:
            line["newer"] = str(why)
        yield line


def lines_of(journal, table, run):
    """What is printed."""
    if table == "blobs":
        yield from blob_lines(journal.blobs)
    else:
        for row in rows_of(journal, table, run):
            yield in_json(row, journal.blobs)


def main(words=None):
    """The command, with the words behind its name, or those that the process was given."""
    arguments = argparse.ArgumentParser(description="Reads a journal of Perdure.")
    arguments.add_argument("directory")
    arguments.add_argument("table", choices=[*TABLES, "blobs"])
    arguments.add_argument("--run", type=run_of, help="only rows of this run")
    arguments.add_argument("--json", action="store_true", help="as it prints anyway")
    asked = arguments.parse_args(words)
    bad = False
    try:
        for line in lines_of(Journal(asked.directory), asked.table, asked.run):
            bad = bad or "damage" in line or "newer" in line
            print(json.dumps(line))
    except (NoJournal, lmdb_file.DamagedFile) as why:
        print(f"journal_reader: {why}", file=sys.stderr)
        return 3
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

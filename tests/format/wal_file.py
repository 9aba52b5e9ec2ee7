"""The log of a journal, the file `wal`.

A `Log` is a copy of the file. `follow` gives the entries of the chain behind a position, `later`
what holds behind its end. Every number from the file is held against bounds.
"""

import collections
import struct

from xxh3 import xxh3_64

VERSION = 1
UNIT = 4096
TEXT = b"perdure-wal\n"
HEADER = 40
ENTRY_HEADER = 40
ENTRY_MAX = 12 << 20
# Of the table `rows`, and of all others.
USER_KEY_MAX = 505
KEY_MAX = 40
SURE = 1
# By number, from 1.
TABLES = ("meta", "sessions", "keys", "runs", "records", "ready", "due", "attempts", "open",
          "inbox", "kept", "waits", "state", "before", "children", "rows",
          "budgets", "usage", "sagas", "undos")

ROWS = TABLES.index("rows") + 1

# Behind which entry one stands, and where the next one would be.
Position = collections.namedtuple("Position", "batch checksum place", defaults=(0, 0, 0))
# What an entry says of itself.
Entry = collections.namedtuple("Entry", "place size batch checksum previous flags rows")


class DamagedLog(Exception):
    """The log is not one, or not this journal's, or lacks an entry that was durable."""


class NewerLog(Exception):
    """A newer Perdure wrote the log."""


def padded(size):
    """`size` up to where the next entry may begin."""
    return (size + UNIT - 1) // UNIT * UNIT


class Log:
    """The bytes of a log, of the journal with the id `journal` (16 bytes)."""

    def __init__(self, content, journal):
        self._bytes = content
        self._seed = xxh3_64(journal)
        if len(content) < HEADER:
            raise DamagedLog("the log is cut off")
        text, version, mine, checksum = struct.unpack_from("<12sI16sQ", content)
        if text != TEXT:
            raise DamagedLog("wal is no log")
        if version > VERSION:
            raise NewerLog(f"the log has version {version}")
        if version != VERSION or xxh3_64(content[:32]) != checksum:
            raise DamagedLog("the log's first bytes are damaged")
        if mine != journal:
            raise DamagedLog("the log is another journal's")

    def _claim(self, place):
        """What the entry at `place` says, if there may be one."""
        if place + ENTRY_HEADER > len(self._bytes):
            return None
        checksum, batch, previous, size, rows, flags = struct.unpack_from(
            "<3Q3I", self._bytes, place)
        if not ENTRY_HEADER <= size <= ENTRY_MAX or place + size > len(self._bytes):
            return None
        return Entry(place, size, batch, checksum, previous, flags, rows)

    def _holds(self, entry):
        content = self._bytes[entry.place + 8:entry.place + entry.size]
        return xxh3_64(content, self._seed) == entry.checksum

    def _next(self, position):
        for place in (max(position.place, UNIT), UNIT):
            entry = self._claim(place)
            if entry and (entry.batch, entry.previous) == (position.batch + 1, position.checksum) \
                    and self._holds(entry):
                return entry
        return None

    def follow(self, position):
        """The entries behind `position`, in order, and the position behind the last."""
        chain = []
        while entry := self._next(position):
            chain.append(entry)
            position = Position(entry.batch, entry.checksum, entry.place + padded(entry.size))
        return chain, position

    def later(self, batch):
        """The entries that hold and have a higher number, wherever they are."""
        claims = (self._claim(place) for place in range(UNIT, len(self._bytes), UNIT))
        return [entry for entry in claims if entry and entry.batch > batch and self._holds(entry)]

    def rows(self, entry):
        """(table, key, value) of each row; the value is None where the row was erased."""
        at, end = entry.place + ENTRY_HEADER, entry.place + entry.size
        for _ in range(entry.rows):
            if at + 8 > end:
                raise NewerLog(f"a newer Perdure wrote batch {entry.batch}: a row leaves it")
            table, kind, key_size, value_size = struct.unpack_from("<2BHI", self._bytes, at)
            behind_key = at + 8 + key_size
            behind = behind_key + value_size
            most = USER_KEY_MAX if table == ROWS else KEY_MAX
            if not 1 <= table <= len(TABLES) or kind > 1 or key_size > most or behind > end:
                raise NewerLog(f"a newer Perdure wrote batch {entry.batch}: it has rows "
                               "of another sort")
            value = self._bytes[behind_key:behind] if kind == 0 else None
            yield TABLES[table - 1], self._bytes[at + 8:behind_key], value
            at += 8 + (key_size + value_size + 7) // 8 * 8

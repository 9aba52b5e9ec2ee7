"""One moment of a journal's files: the tables of data.mdb, and on top what only the log has.

It takes no lock and no place in LMDB's reader table, so what it copies while somebody writes it
copies again until both files are of the same moment.
"""

import fcntl
import os
import struct

import envelope
import lmdb_file
import wal_file

ATTEMPTS = 100
IDENTITY, CHECKPOINT = (struct.pack(">I", row) for row in (1, 3))


class NoMoment(Exception):
    """The files are not there, contradict each other, or are a newer Perdure's."""


def is_held(directory):
    """Whether somebody has the journal open for writing."""
    try:
        descriptor = os.open(directory / "LOCK", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # struct flock: type, whence, start, length, process.
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        return struct.unpack_from("h", fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked))[0] \
            != fcntl.F_UNLCK
    finally:
        os.close(descriptor)


def _meta_row(rows, key, kind):
    """The fields of a row of `meta`, or None."""
    if key not in rows:
        return None
    try:
        found, _, body = envelope.open_envelope(key, rows[key])
        if envelope.KINDS[found][0] != kind:
            raise envelope.Damage("it is of another kind")
        return envelope.decode(found, body)
    except (envelope.Damage, envelope.Newer) as why:
        raise NoMoment(f"the row {kind} can't be read: {why}") from why


class Moment:
    """What the journal in `directory` holds, of which `generation` has the files."""

    def __init__(self, directory, generation):
        try:
            self._take(directory, generation)
        except (OSError, lmdb_file.DamagedFile, wal_file.DamagedLog, wal_file.NewerLog) as why:
            raise NoMoment(str(why)) from why

    def _take(self, directory, generation):
        suspected = None
        for _ in range(ATTEMPTS):
            held = is_held(directory)
            self.tables = lmdb_file.Snapshot(generation / "data.mdb")
            self._log = self._read_log(generation / "wal")
            self.chain, self.end = self._log.follow(self.applied)
            later = self._log.later(self.end.batch)
            if self.tables.newest_transaction() != self.tables.transaction:
                continue
            if held or not any(entry.flags & wal_file.SURE for entry in later):
                self._lay_over()
                return
            # A writer may have come meanwhile.
            if suspected == (self.tables.transaction, self.end):
                raise wal_file.DamagedLog(f"the log is damaged: it lacks batch "
                                          f"{self.end.batch + 1}, and there are later ones")
            suspected = (self.tables.transaction, self.end)
        raise NoMoment("the journal is written faster than it can be copied")

    def _read_log(self, path):
        meta = dict(self.tables.unnamed_rows())
        identity = _meta_row(meta, IDENTITY, "identity")
        if identity is None:
            raise NoMoment("the row identity is missing")
        self.applied = wal_file.Position(**(_meta_row(meta, CHECKPOINT, "checkpoint") or {}))
        return wal_file.Log(path.read_bytes(), identity["journal"])

    def _lay_over(self):
        """The newest version of each row that the chain has, by table."""
        self._over = {table: {} for table in wal_file.TABLES}
        for entry in self.chain:
            for table, key, value in self._log.rows(entry):
                self._over[table][key] = value

    def rows(self, table):
        """(key, value) of a table's rows, in the order of keys."""
        below = self.tables.rows(table) if table != "meta" else self.tables.unnamed_rows()
        over = sorted(self._over[table].items(), reverse=True)
        for key, value in below:
            while over and over[-1][0] < key:
                yield from self._present(*over.pop())
            if over and over[-1][0] == key:
                yield from self._present(*over.pop())
            else:
                yield key, value
        for key, value in reversed(over):
            yield from self._present(key, value)

    @staticmethod
    def _present(key, value):
        if value is not None:
            yield key, value

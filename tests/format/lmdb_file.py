"""The file of an LMDB 0.9 environment, read without LMDB.

A `Snapshot` is a copy of the file's pages as one transaction left them. `rows` walks a named
database in the order of its keys. Every number from the file is held against bounds; what makes no
sense is a `DamagedFile`.
"""

import os
import struct

MAGIC = 0xBEEFC0DE
VERSION = 1
HEADER = 16
NO_ROOT = 2**64 - 1
BRANCH, LEAF, OVERFLOW, META = 1, 2, 4, 8
BIG, SUB_DATABASE, DUPLICATES = 1, 2, 4
ATTEMPTS = 100


class DamagedFile(Exception):
    """The file's pages contradict each other or themselves."""


def _meta(page):
    """(page size, root of the unnamed database, last page, transaction) of a meta page."""
    if len(page) < 152:
        raise DamagedFile("it is shorter than its meta pages")
    flags, = struct.unpack_from("<H", page, 10)
    magic, version = struct.unpack_from("<2I", page, HEADER)
    if magic != MAGIC or not flags & META:
        raise DamagedFile("it has no meta page where LMDB has one")
    if version != VERSION:
        raise DamagedFile(f"it has version {version} of LMDB's format, not {VERSION}")
    page_size, = struct.unpack_from("<I", page, 40)
    root, last_page, transaction = struct.unpack_from("<3Q", page, 128)
    if page_size & (page_size - 1) or not 256 <= page_size <= 65536:
        raise DamagedFile(f"it names a page size of {page_size}")
    return page_size, root, last_page, transaction


def _newer_meta(descriptor):
    first = _meta(os.pread(descriptor, 152, 0))
    second = _meta(os.pread(descriptor, 152, first[0]))
    if second[0] != first[0]:
        raise DamagedFile("its two meta pages differ in the page size")
    return second if second[3] > first[3] else first


def _copy(descriptor, size):
    parts = []
    while size > 0:
        part = os.pread(descriptor, min(size, 1 << 24), sum(map(len, parts)))
        if not part:
            raise DamagedFile("it is shorter than its meta page says")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Snapshot:
    """The pages of the newest transaction. Takes no lock and no place in the reader table."""

    def __init__(self, path):
        self._path = path
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._take(descriptor)
        finally:
            os.close(descriptor)

    def _take(self, descriptor):
        for _ in range(ATTEMPTS):
            self.page_size, self._root, self._last, self.transaction = _newer_meta(descriptor)
            self._bytes = _copy(descriptor, (self._last + 1) * self.page_size)
            # What a transaction frees may be written over by the third one after it. That one has
            # not begun while the second is not yet in a meta page.
            if _newer_meta(descriptor)[3] <= self.transaction + 1:
                self._tables = {key: node for key, node in self._walk(self._root, True)}
                return
        raise DamagedFile("it is written faster than it can be copied")

    def newest_transaction(self):
        """Of the file as it is by now."""
        descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _newer_meta(descriptor)[3]
        finally:
            os.close(descriptor)

    def _page(self, number):
        if not 2 <= number <= self._last:
            raise DamagedFile(f"page {number} is not among its {self._last + 1} pages")
        at = number * self.page_size
        itself, _, flags, lower, upper = struct.unpack_from("<Q4H", self._bytes, at)
        if itself != number:
            raise DamagedFile(f"page {number} says that it is page {itself}")
        return at, flags, lower, upper

    def _nodes(self, number):
        """The page's flags, and (place, lo, hi, flags, key) of each of its nodes."""
        at, flags, lower, upper = self._page(number)
        if flags & ~0x10 not in (BRANCH, LEAF):
            raise DamagedFile(f"page {number} is neither a branch nor a leaf")
        if not HEADER <= lower <= upper <= self.page_size or lower % 2:
            raise DamagedFile(f"page {number} has no room between {lower} and {upper}")
        nodes = []
        for place in struct.unpack_from(f"<{(lower - HEADER) // 2}H", self._bytes, at + HEADER):
            if not upper <= place <= self.page_size - 8:
                raise DamagedFile(f"page {number} has a node outside of it")
            low, high, node_flags, key_size = struct.unpack_from("<4H", self._bytes, at + place)
            if place + 8 + key_size > self.page_size:
                raise DamagedFile(f"page {number} has a key that leaves it")
            key = self._bytes[at + place + 8:at + place + 8 + key_size]
            nodes.append((at + place + 8 + key_size, low, high, node_flags, key))
        return flags & ~0x10, nodes

    def _overflow(self, number, size):
        at, flags, _, _ = self._page(number)
        pages, = struct.unpack_from("<I", self._bytes, at + 12)
        if flags & ~0x10 != OVERFLOW or pages != (HEADER + size - 1) // self.page_size + 1:
            raise DamagedFile(f"page {number} does not begin an overflow of {size} bytes")
        if number + pages - 1 > self._last:
            raise DamagedFile(f"the overflow at page {number} leaves the file")
        return self._bytes[at + HEADER:at + HEADER + size]

    def _leaf_value(self, number, node):
        at, low, high, flags, _ = node
        size = low | high << 16
        if flags & BIG:
            overflow, = struct.unpack_from("<Q", self._bytes, at)
            return self._overflow(overflow, size)
        if flags & DUPLICATES:
            raise DamagedFile(f"page {number} has duplicates")
        if at + size > (number + 1) * self.page_size:
            raise DamagedFile(f"page {number} has a value that leaves it")
        return self._bytes[at:at + size]

    def _walk(self, root, with_databases, seen=None):
        """(key, value) of every node, in order; for the unnamed database (key, (flags, value))."""
        if root == NO_ROOT:
            return
        seen = seen if seen is not None else set()
        if root in seen:
            raise DamagedFile(f"page {root} stands twice in a tree")
        seen.add(root)
        kind, nodes = self._nodes(root)
        for node in nodes:
            _, low, high, flags, key = node
            if kind == BRANCH:
                child = low | high << 16 | flags << 32
                yield from self._walk(child, with_databases, seen)
            elif with_databases:
                yield key, (flags, self._leaf_value(root, node))
            else:
                yield key, self._leaf_value(root, node)

    def unnamed_rows(self):
        """(key, value) of the rows that stand beside the names of databases."""
        for key, (flags, value) in self._tables.items():
            if not flags & SUB_DATABASE and key[:1] == b"\0":
                yield key, value

    def rows(self, name):
        """(key, value) of the database `name`, in the order of keys."""
        if name.encode() not in self._tables:
            raise DamagedFile(f"it has no database '{name}'")
        flags, description = self._tables[name.encode()]
        if not flags & SUB_DATABASE or len(description) != 48:
            raise DamagedFile(f"'{name}' is no database")
        entries, root = struct.unpack_from("<2Q", description, 32)
        before, count = None, 0
        for key, value in self._walk(root, False):
            if before is not None and key <= before:
                raise DamagedFile(f"the keys of '{name}' do not rise")
            before, count = key, count + 1
            yield key, value
        if count != entries:
            raise DamagedFile(f"'{name}' has {count} rows and says {entries}")

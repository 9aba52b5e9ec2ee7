"""Blobs of a journal: the files below `blobs`.

`Blobs(directory).content(id, size)` gives the content of one, `all()` what lies there. Frames of
zstd are expanded by its own library, which is not Perdure's. Every number from a file is held
against bounds.
"""

import ctypes
import ctypes.util
import hashlib
import pathlib
import re
import struct

from envelope import Damage, Newer
from xxh3 import xxh3_64

VERSION = 1
TEXT = b"perdure-blob"
HEADER = struct.Struct("<12sI32sQQIIQQ")
ROW = struct.Struct("<QIIQ")
CHUNK_MIN, CHUNK_MAX = 4 << 10, 4 << 20
CONTENT_MAX = 1 << 30
RAW, ZSTD = 0, 1


class _Zstd:
    """As much of libzstd as it takes."""

    def __init__(self):
        library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
        size, data = ctypes.c_size_t, ctypes.c_char_p
        for name, result, kinds in (("decompress", size, (data, size, data, size)),
                                    ("findFrameCompressedSize", size, (data, size)),
                                    ("isError", ctypes.c_uint, (size,))):
            function = getattr(library, "ZSTD_" + name)
            function.restype, function.argtypes = result, kinds
            setattr(self, name, function)

    def expanded(self, frame, size):
        """The `size` bytes that one frame holds."""
        if self.findFrameCompressedSize(frame, len(frame)) != len(frame):
            raise Damage("a chunk is not one zstd frame")
        room = ctypes.create_string_buffer(size)
        count = self.decompress(room, size, frame, len(frame))
        if self.isError(count) or count != size:
            raise Damage(f"a chunk is no zstd frame of {size} bytes")
        return room.raw


class BlobFile:
    """The bytes of a file that should be the blob `name`, 64 digits; its header and index hold."""

    def __init__(self, content, name):
        self._bytes = content
        if len(content) < HEADER.size:
            raise Damage("it is cut off")
        (text, version, mine, self.bytes, self._index, self._chunk, flags, of_index,
         checksum) = HEADER.unpack_from(content)
        if text != TEXT:
            raise Damage("it is not a blob")
        if version > VERSION:
            raise Newer(f"it is a blob of version {version}")
        if version != VERSION or xxh3_64(content[:80]) != checksum:
            raise Damage("its header is damaged")
        if flags != 0:
            raise Newer(f"it has flags ({flags})")
        if not CHUNK_MIN <= self._chunk <= CHUNK_MAX or self._chunk & (self._chunk - 1):
            raise Damage(f"its chunks have {self._chunk} bytes")
        self._chunks = (self.bytes + self._chunk - 1) // self._chunk
        if self._index < HEADER.size or len(content) != self._index + self._chunks * ROW.size:
            raise Damage(f"it has {len(content)} bytes, which is not what its header says")
        if mine.hex() != name:
            raise Damage(f"it is the blob {mine.hex()}")
        self._check_index(of_index)

    def _check_index(self, checksum):
        found, place, is_dense = 0, HEADER.size, True
        for begins, stored, _, _ in self._rows():
            is_dense = is_dense and begins == place
            place += stored
        for at in range(self._index, len(self._bytes), ROW.size):
            found = xxh3_64(self._bytes[at:at + ROW.size], found)
        if found != checksum:
            raise Damage("the checksum of its index is wrong")
        if not is_dense or place != self._index:
            raise Damage("its chunks are not back to back")

    def _rows(self):
        return ROW.iter_unpack(self._bytes[self._index:])

    def forms(self):
        """How each chunk is stored."""
        return [form for _, _, form, _ in self._rows()]

    def chunks(self, zstd):
        """The content, piece by piece."""
        for number, (place, stored, form, checksum) in enumerate(self._rows()):
            size = min(self._chunk, self.bytes - number * self._chunk)
            if form not in (RAW, ZSTD):
                raise Newer(f"chunk {number} has the form {form}")
            if stored != size if form == RAW else not 0 < stored < size:
                raise Damage(f"the row of chunk {number} has a size that can't be")
            piece = self._bytes[place:place + stored]
            if xxh3_64(piece) != checksum:
                raise Damage(f"the checksum of chunk {number} is wrong")
            yield piece if form == RAW else zstd.expanded(piece, size)


class Blobs:
    """The blobs of the journal in `directory`."""

    def __init__(self, directory):
        self._root = pathlib.Path(directory) / "blobs"
        self._zstd = _Zstd()

    def open(self, name):
        """The blob's file."""
        try:
            return BlobFile((self._root / name[:2] / name[2:]).read_bytes(), name)
        except FileNotFoundError as why:
            raise Damage("it is not there") from why
        except OSError as why:
            raise Damage(f"it can't be read: {why}") from why

    def pieces(self, name, size):
        """The content, piece by piece. That it is the right one shows at the end."""
        file = self.open(name)
        if file.bytes != size:
            raise Damage(f"it has {file.bytes} bytes of content, and who refers to it says {size}")
        hashed = hashlib.sha256()
        for piece in file.chunks(self._zstd):
            hashed.update(piece)
            yield piece
        if hashed.hexdigest() != name:
            raise Damage(f"it holds other content than its id says, that of {hashed.hexdigest()}")

    def content(self, name, size):
        """All of it at once."""
        if size > CONTENT_MAX:
            raise Damage(f"it has {size} bytes, which no payload has")
        return b"".join(self.pieces(name, size))

    def check(self, name, size):
        """Reads a blob of any size."""
        for _ in self.pieces(name, size):
            pass

    def all(self):
        """The id of each, and the bytes of its file."""
        return [(file.parent.name + file.name, file.stat().st_size)
                for file in sorted(self._root.glob("*/*"))
                if re.fullmatch(r"[0-9a-f]{64}", file.parent.name + file.name)
                and len(file.parent.name) == 2]

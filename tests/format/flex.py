"""FlexBuffers, as payloads are written, into what JSON can say.

`to_json` makes of a payload what `json.dumps` takes: docs/journal_format.md, "Payloads". Only the
types listed there are read; another one, and an offset out of the bytes, is a `DamagedPayload`.
"""

import base64
import math
import struct

NULL, INT, UINT, FLOAT, STRING, MAP, VECTOR, BLOB, BOOL = 0, 1, 2, 3, 5, 9, 10, 25, 26
ELEMENTS = {11: INT, 12: UINT, 13: FLOAT, 36: BOOL}
INLINE = (NULL, INT, UINT, FLOAT, BOOL)
FORMS = {INT: {1: "<b", 2: "<h", 4: "<i", 8: "<q"}, FLOAT: {4: "<f", 8: "<d"}}
UNSIGNED = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}
DEPTH_MAX = 64
CANONICAL_NAN = 0x7FF8000000000000


class DamagedPayload(Exception):
    """The bytes are no FlexBuffer that Perdure writes."""


def text_of(content):
    """`content` as text, with U+FFFD in place of each byte that is no UTF-8."""
    text = content.decode("utf-8", "surrogateescape")
    return "".join("\ufffd" if "\udc80" <= c <= "\udcff" else c for c in text)


def _in_base64(content):
    return {"$bytes": base64.b64encode(content).decode()}


class _Payload:
    def __init__(self, content):
        self.content = content

    def number(self, form, at):
        if at < 0 or at + struct.calcsize(form) > len(self.content):
            raise DamagedPayload(f"an offset leads to {at}, out of its {len(self.content)} bytes")
        return struct.unpack_from(form, self.content, at)[0]

    def natural(self, at, width):
        return self.number(UNSIGNED[width], at)

    def piece(self, at, size):
        if at < 0 or at + size > len(self.content):
            raise DamagedPayload(f"{size} bytes at {at} leave its {len(self.content)} bytes")
        return self.content[at:at + size]

    def value(self, at, width, packed, depth):
        """The value whose slot of `width` bytes stands at `at`, of the type in `packed`."""
        kind, child_width = packed >> 2, 1 << (packed & 3)
        if kind in INLINE:
            return self.scalar(at, width, kind)
        if depth > DEPTH_MAX:
            raise DamagedPayload(f"it is nested deeper than {DEPTH_MAX}")
        start = at - self.natural(at, width)
        size = self.natural(start - child_width, child_width)
        if kind == STRING:
            return self.text(self.piece(start, size))
        if kind == BLOB:
            return _in_base64(self.piece(start, size))
        if kind in ELEMENTS:
            self.piece(start, size * child_width)
            return [self.scalar(start + i * child_width, child_width, ELEMENTS[kind])
                    for i in range(size)]
        if kind not in (VECTOR, MAP):
            raise DamagedPayload(f"it holds the FlexBuffers type {kind}")
        types = self.piece(start + size * child_width, size)
        values = [self.value(start + i * child_width, child_width, types[i], depth + 1)
                  for i in range(size)]
        if kind == VECTOR:
            return values
        return self.map(start, child_width, values)

    def scalar(self, at, width, kind):
        if kind == NULL:
            return None
        if kind == BOOL:
            return self.natural(at, width) != 0
        if kind == UINT:
            return self.natural(at, width)
        if width not in FORMS[kind]:
            raise DamagedPayload(f"it has a number of {width} bytes")
        number = self.number(FORMS[kind][width], at)
        return self.special(number) if kind == FLOAT else number

    @staticmethod
    def special(number):
        if math.isfinite(number):
            return number
        if math.isinf(number):
            return {"$number": "Infinity" if number > 0 else "-Infinity"}
        bits, = struct.unpack("<Q", struct.pack("<d", number))
        return {"$number": "NaN" if bits == CANONICAL_NAN else f"0x{bits:x}"}

    @staticmethod
    def text(content):
        try:
            return content.decode()
        except UnicodeDecodeError:
            return {"$text": text_of(content), **_in_base64(content)}

    def map(self, start, width, values):
        keys_width = self.natural(start - 2 * width, width)
        if keys_width not in UNSIGNED:
            raise DamagedPayload(f"its keys have a width of {keys_width}")
        first_slot = start - 3 * width
        keys = first_slot - self.natural(first_slot, width)
        if self.natural(keys - keys_width, keys_width) != len(values):
            raise DamagedPayload("a map has more keys than values, or less")
        names = []
        for i in range(len(values)):
            slot = keys + i * keys_width
            name = slot - self.natural(slot, keys_width)
            self.piece(name, 1)
            names.append(self.content[name:self.content.index(b"\0", name)])
        if names == [b"$bytes", b"$flatbuffer"]:
            return {"$flatbuffer": values[1], **values[0]}
        return {("$" if name.startswith(b"$") else "") + text_of(name): value
                for name, value in zip(names, values)}


def to_json(content):
    """The payload's value. An empty payload is null."""
    if not content:
        return None
    payload = _Payload(content)
    try:
        width = content[-1]
        if width not in UNSIGNED:
            raise DamagedPayload(f"its root has a width of {width}")
        return payload.value(len(content) - 2 - width, width, content[-2], 1)
    except (IndexError, ValueError, RecursionError) as why:
        raise DamagedPayload(str(why)) from why

"""Keys of the table `rows`: the name of a user's table, and the user's key in it."""

import flex

NAME_MAX = 64
KEY_MAX = 440
BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ZERO, FALSE, TRUE, TEXT, RUN = 0x10, 0x20, 0x21, 0x28, 0x30


class NoKey(Exception):
    """It is no key of a row."""


def _integer(key, at):
    tag = key[at]
    size = abs(tag - ZERO)
    digits = key[at + 1:at + 1 + size]
    if len(digits) != size:
        raise NoKey("an integer is cut off")
    number = int.from_bytes(digits, "big")
    if tag < ZERO:
        number = (1 << 8 * size) - 1 - number
    if size and number >> 8 * (size - 1) == 0:
        raise NoKey("an integer is longer than it need be")
    if tag < ZERO and number > 1 << 63:
        raise NoKey("an integer is below the least")
    return (-number if tag < ZERO else number), at + 1 + size


def _text(key, at):
    text = bytearray()
    at += 1
    while True:
        end = key.find(b"\0", at)
        if end < 0:
            raise NoKey("a text has no end")
        text += key[at:end]
        if key[end + 1:end + 2] != b"\xff":
            return flex.text_of(bytes(text)), end + 1
        text += b"\0"
        at = end + 2


def _run(key, at):
    run = key[at + 1:at + 17]
    if len(run) != 16:
        raise NoKey("a run's id is cut off")
    number = int.from_bytes(run, "big")
    return "".join(BASE32[number >> 5 * i & 31] for i in range(25, -1, -1)), at + 17


def elements(key):
    """The elements of an encoded key, as JSON has them."""
    found, at = [], 0
    while at < len(key):
        tag = key[at]
        if abs(tag - ZERO) <= 8:
            element, at = _integer(key, at)
        elif tag in (FALSE, TRUE):
            element, at = tag == TRUE, at + 1
        elif tag == TEXT:
            element, at = _text(key, at)
        elif tag == RUN:
            element, at = _run(key, at)
        else:
            raise NoKey(f"no element begins with {tag:02x}")
        found.append(element)
    if not found:
        raise NoKey("it is empty")
    return found


def split(key):
    """The table's name, and its key as JSON has it."""
    name, zero, rest = key.partition(b"\0")
    if not zero or not 1 <= len(name) <= NAME_MAX or len(rest) > KEY_MAX \
            or any(byte < 0x20 or byte == 0x7F for byte in name):
        raise NoKey("it does not begin with a table's name")
    found = elements(rest)
    return flex.text_of(name), found[0] if len(found) == 1 else found

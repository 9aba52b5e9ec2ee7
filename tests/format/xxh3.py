"""XXH3 of 64 and 128 bits, from its specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md).

`xxh3_64(data, seed)` and `xxh3_128(data, seed)` return integers. They remember: whoever reads a
journal again meets mostly what he met before, and hashing is most of the work.
"""

import functools
import struct

_M = 2**64 - 1
_P32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
_P64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5)
_MX1 = 0x165667919E3779F9
_MX2 = 0x9FB21C651E98DF25
_SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
_STRIPES = (len(_SECRET) - 64) // 8
_remembering = functools.lru_cache(maxsize=1 << 16)


def _u32(data, at):
    return int.from_bytes(data[at:at + 4], "little")


def _u64(data, at):
    return int.from_bytes(data[at:at + 8], "little")


def _swap(value, width):
    return int.from_bytes(value.to_bytes(width, "little"), "big")


def _rotl(value, by):
    return (value << by | value >> (64 - by)) & _M


def _fold(a, b):
    product = a * b
    return (product ^ product >> 64) & _M


def _avalanche(h):
    h = (h ^ h >> 37) * _MX1 & _M
    return h ^ h >> 32


def _avalanche_xxh64(h):
    h = (h ^ h >> 33) * _P64[1] & _M
    h = (h ^ h >> 29) * _P64[2] & _M
    return h ^ h >> 32


def _mix16(data, at, secret_at, seed):
    return _fold(_u64(data, at) ^ (_u64(_SECRET, secret_at) + seed & _M),
                 _u64(data, at + 8) ^ (_u64(_SECRET, secret_at + 8) - seed & _M))


def _combined_1to3(data):
    size = len(data)
    return data[0] << 16 | data[size >> 1] << 24 | data[-1] | size << 8


def _seed_4to8(seed):
    return seed ^ _swap(seed & 0xFFFFFFFF, 4) << 32


def _short_64(data, seed):
    size = len(data)
    if size == 0:
        return _avalanche_xxh64(seed ^ _u64(_SECRET, 56) ^ _u64(_SECRET, 64))
    if size <= 3:
        flip = (_u32(_SECRET, 0) ^ _u32(_SECRET, 4)) + seed & _M
        return _avalanche_xxh64(_combined_1to3(data) ^ flip)
    if size <= 8:
        flip = (_u64(_SECRET, 8) ^ _u64(_SECRET, 16)) - _seed_4to8(seed) & _M
        h = (_u32(data, size - 4) + (_u32(data, 0) << 32)) ^ flip
        h = (h ^ _rotl(h, 49) ^ _rotl(h, 24)) * _MX2 & _M
        h = (h ^ (h >> 35) + size) * _MX2 & _M
        return h ^ h >> 28
    low = _u64(data, 0) ^ ((_u64(_SECRET, 24) ^ _u64(_SECRET, 32)) + seed & _M)
    high = _u64(data, size - 8) ^ ((_u64(_SECRET, 40) ^ _u64(_SECRET, 48)) - seed & _M)
    return _avalanche(size + _swap(low, 8) + high + _fold(low, high) & _M)


def _middle_64(data, seed):
    size = len(data)
    acc = size * _P64[0]
    if size <= 128:
        for i in range((size - 1) // 32, -1, -1):
            acc += _mix16(data, 16 * i, 32 * i, seed)
            acc += _mix16(data, size - 16 * (i + 1), 32 * i + 16, seed)
        return _avalanche(acc & _M)
    for i in range(8):
        acc += _mix16(data, 16 * i, 16 * i, seed)
    acc = _avalanche(acc & _M)
    for i in range(8, size // 16):
        acc += _mix16(data, 16 * i, 16 * (i - 8) + 3, seed)
    return _avalanche(acc + _mix16(data, size - 16, 136 - 17, seed) & _M)


def _secret_of(seed):
    if seed == 0:
        return _SECRET
    words = struct.unpack("<24Q", _SECRET)
    return struct.pack("<24Q", *((word - seed if i % 2 else word + seed) & _M
                                 for i, word in enumerate(words)))


def _accumulate(acc, stripe, keys):
    for i in range(8):
        value = stripe[i]
        keyed = value ^ keys[i]
        acc[i ^ 1] += value
        acc[i] += (keyed & 0xFFFFFFFF) * (keyed >> 32)
    for i in range(8):
        acc[i] &= _M


def _long(data, seed):
    """The eight accumulators, and the secret that they were made with."""
    secret = _secret_of(seed)
    stripe, keys_at = struct.Struct("<8Q").unpack_from, struct.Struct("<8Q").unpack_from
    keys = [keys_at(secret, 8 * n) for n in range(_STRIPES)]
    last_key = keys_at(secret, len(secret) - 64)
    acc = [_P32[2], _P64[0], _P64[1], _P64[2], _P64[3], _P32[1], _P64[4], _P32[0]]
    for n in range((len(data) - 1) // 64):
        _accumulate(acc, stripe(data, 64 * n), keys[n % _STRIPES])
        if (n + 1) % _STRIPES == 0:
            for i in range(8):
                acc[i] = ((acc[i] ^ acc[i] >> 47) ^ last_key[i]) * _P32[0] & _M
    _accumulate(acc, stripe(data, len(data) - 64), keys_at(secret, len(secret) - 64 - 7))
    return acc, secret


def _merge(acc, secret, at, start):
    for i in range(4):
        start += _fold(acc[2 * i] ^ _u64(secret, at + 16 * i),
                       acc[2 * i + 1] ^ _u64(secret, at + 16 * i + 8))
    return _avalanche(start & _M)


@_remembering
def xxh3_64(data, seed=0):
    """XXH3 with 64 bits."""
    size = len(data)
    if size <= 16:
        return _short_64(data, seed)
    if size <= 240:
        return _middle_64(data, seed)
    acc, secret = _long(data, seed)
    return _merge(acc, secret, 11, size * _P64[0])


def _pair(high, low):
    return (high & _M) << 64 | low & _M


def _short_128(data, seed):
    size = len(data)
    if size == 0:
        return _pair(_avalanche_xxh64(seed ^ _u64(_SECRET, 80) ^ _u64(_SECRET, 88)),
                     _avalanche_xxh64(seed ^ _u64(_SECRET, 64) ^ _u64(_SECRET, 72)))
    if size <= 3:
        low = _combined_1to3(data)
        high = _swap(low, 4)
        high = (high << 13 | high >> 19) & 0xFFFFFFFF
        return _pair(
            _avalanche_xxh64(high ^ ((_u32(_SECRET, 8) ^ _u32(_SECRET, 12)) - seed & _M)),
            _avalanche_xxh64(low ^ ((_u32(_SECRET, 0) ^ _u32(_SECRET, 4)) + seed & _M)))
    if size <= 8:
        flip = (_u64(_SECRET, 16) ^ _u64(_SECRET, 24)) + _seed_4to8(seed) & _M
        product = ((_u32(data, 0) + (_u32(data, size - 4) << 32)) ^ flip) * (_P64[0] + (size << 2))
        low = product & _M
        high = (product >> 64) + (low << 1) & _M
        low ^= high >> 3
        low = (low ^ low >> 35) * _MX2 & _M
        return _pair(_avalanche(high), low ^ low >> 28)
    low_flip = (_u64(_SECRET, 32) ^ _u64(_SECRET, 40)) - seed & _M
    high_flip = (_u64(_SECRET, 48) ^ _u64(_SECRET, 56)) + seed & _M
    last = _u64(data, size - 8)
    product = (_u64(data, 0) ^ last ^ low_flip) * _P64[0]
    low = (product & _M) + ((size - 1) << 54) & _M
    last ^= high_flip
    high = (product >> 64) + last + (last & 0xFFFFFFFF) * (_P32[1] - 1) & _M
    product = (low ^ _swap(high, 8)) * _P64[1]
    return _pair(_avalanche((product >> 64) + high * _P64[1] & _M), _avalanche(product & _M))


def _mix32(acc, data, first, second, secret_at, seed):
    low, high = acc
    low = (low + _mix16(data, first, secret_at, seed)) & _M
    low ^= _u64(data, second) + _u64(data, second + 8) & _M
    high = (high + _mix16(data, second, secret_at + 16, seed)) & _M
    high ^= _u64(data, first) + _u64(data, first + 8) & _M
    return low, high


def _middle_128(data, seed):
    size = len(data)
    acc = (size * _P64[0] & _M, 0)
    if size <= 128:
        for i in range((size - 1) // 32, -1, -1):
            acc = _mix32(acc, data, 16 * i, size - 16 * (i + 1), 32 * i, seed)
    else:
        for i in range(4):
            acc = _mix32(acc, data, 32 * i, 32 * i + 16, 32 * i, seed)
        acc = (_avalanche(acc[0]), _avalanche(acc[1]))
        for i in range(4, size // 32):
            acc = _mix32(acc, data, 32 * i, 32 * i + 16, 3 + 32 * (i - 4), seed)
        acc = _mix32(acc, data, size - 16, size - 32, 136 - 17 - 16, -seed & _M)
    low, high = acc
    mixed = low * _P64[0] + high * _P64[3] + (size - seed) * _P64[1] & _M
    return _pair(-_avalanche(mixed), _avalanche(low + high & _M))


@_remembering
def xxh3_128(data, seed=0):
    """XXH3 with 128 bits; the high half is the upper one of the integer."""
    size = len(data)
    if size <= 16:
        return _short_128(data, seed)
    if size <= 240:
        return _middle_128(data, seed)
    acc, secret = _long(data, seed)
    return _pair(_merge(acc, secret, len(secret) - 64 - 11, ~(size * _P64[1]) & _M),
                 _merge(acc, secret, 11, size * _P64[0]))

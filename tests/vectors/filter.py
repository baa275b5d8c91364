"""Reads filter-v2.hgf by docs/reference/filter-format.md alone, with nothing of this project: python3 filter.py

Checks every field that has only one right value, and that the file holds the numbered hashes it was built from
(SHA-256 and MD5 of the four little-endian bytes of a number) and not their neighbours.
"""

import hashlib
import struct
from pathlib import Path

U64 = (1 << 64) - 1
PDQ_RINGS, SHA256, MD5, CANARY = range(4), 4, 5, 6


def mix(z):
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & U64
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & U64
    return z ^ z >> 31


class Filter:
    def __init__(self, data):
        assert data[:8] == b"\x89HGF\r\n\x1a\n"
        assert hashlib.sha256(data[:-32]).digest() == data[-32:]
        head = struct.unpack_from("<II7Q4I3Q8Q2I", data, 8)
        version, self.key_bits, length, self.release, self.built, self.salt, *head = head
        self.counts, (self.rings, self.budget, self.view_budget, self.k) = head[:3], head[3:7]
        self.slice_bits, self.lookups, self.escalation, *head = head[7:]
        hits, misses, (n, c) = head[:4], head[4:8], head[8:]
        assert (version, length) == (2, len(data)) and 52 <= self.key_bits <= 64
        self.name, self.category = data[184 : 184 + n].decode(), data[184 + n : 184 + n + c].decode()
        start = (184 + n + c + 7) // 8 * 8
        assert not any(data[184 + n + c : start])
        self.bits = data[start:-32]
        assert len(self.bits) * 8 == self.k * self.slice_bits
        assert all(self.holds(CANARY, key) for key in hits)
        assert not any(self.holds(CANARY, key) for key in misses)

    def holds(self, domain, key):
        state = mix(self.salt ^ domain)

        def draw():
            nonlocal state
            state = (state + 0x9E3779B97F4A7C15) & U64
            return mix(state)

        columns = [draw() for _ in range(64)]
        word = 0
        for bit in range(64):
            if key >> bit & 1:
                word ^= columns[bit]
        words = [word] + [mix(key ^ draw()) for _ in range((self.k + 1) // 2 - 1)]
        halves = [half for word in words for half in (word & 0xFFFFFFFF, word >> 32)]
        for number, half in enumerate(halves[: self.k]):
            at = number * self.slice_bits + (half * self.slice_bits >> 32)
            if not self.bits[at // 8] >> at % 8 & 1:
                return False
        return True


def ring_key(pdq, ring, bits_of_key):
    order = sorted(range(256), key=lambda p: (max(divmod(p, 16)), sum(divmod(p, 16)), p // 16))
    bits = int.from_bytes(pdq, "big")
    return sum((bits >> order[64 * ring + b] & 1) << b for b in range(bits_of_key))


def first_eight(digest):
    return int.from_bytes(digest[:8], "little")


def number(n, hash):
    return hash(n.to_bytes(4, "little")).digest()


if __name__ == "__main__":
    filter = Filter((Path(__file__).parent / "filter-v2.hgf").read_bytes())
    assert (filter.name, filter.category, filter.release) == ("vector", "numbered hashes", 7)
    assert tuple(filter.counts) == (3, 2, 1)
    for n in range(1000):
        pdq = number(n, hashlib.sha256)
        held = [filter.holds(ring, ring_key(pdq, ring, filter.key_bits)) for ring in PDQ_RINGS[: filter.rings]]
        assert held == [n < 3] * filter.rings, (n, held)
        assert filter.holds(SHA256, first_eight(number(1_000_000 + n, hashlib.sha256))) == (n < 2)
        assert filter.holds(MD5, first_eight(number(n, hashlib.md5))) == (n < 1)
    salt = hashlib.sha256(b"hashgate filter salt v1\0vector\0numbered hashes").digest()
    assert filter.salt == first_eight(salt)
    print(f"filter-v2.hgf: {filter.name}, release {filter.release}, k = {filter.k}, slices of {filter.slice_bits} bits: as specified")

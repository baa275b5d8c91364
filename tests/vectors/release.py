"""Reads the vectors in release/ by docs/reference/release-format.md and filter-format.md alone, with nothing of this project: python3 release.py

Ed25519 is RFC 8032's, in plain integers. Prints how many vectors gave the outcome that they say.
"""

import base64
import hashlib
import re
import struct
from pathlib import Path

HERE = Path(__file__).parent / "release"
P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
NAME, FILE = re.compile(r"[^\s+\x00-\x1f\x7f-\x9f]+"), re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")


class Refused(Exception):
    pass


def demand(holds, code):
    if not holds:
        raise Refused(code)


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2
    return (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def times(n, point):
    sum = (0, 1)
    while n:
        if n & 1:
            sum = add(sum, point)
        point, n = add(point, point), n >> 1
    return sum


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x), y


BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def good(public, text, signature):
    if len(signature) != 64:
        return False
    point, r, s = decompress(public), decompress(signature[:32]), int.from_bytes(signature[32:], "little")
    if point is None or r is None or s >= Q or times(8, r) == (0, 1):
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % Q
    return times(s, BASE) == add(r, times(h, point))


def unbase64(text, code):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused(code) from None
    demand(base64.b64encode(data).decode() == text, code)
    return data


def trusted(text):
    parts = text.split("+", 2)
    demand(len(parts) == 3 and NAME.fullmatch(parts[0]), "trust-invalid")
    name, hash, key = parts[0], parts[1], unbase64(parts[2], "trust-invalid")
    demand(len(key) == 33 and key[0] == 1, "trust-invalid")
    demand(hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() == hash, "trust-invalid")
    point = decompress(key[1:])
    demand(point is not None and times(8, point) != (0, 1), "trust-invalid")
    return name, bytes.fromhex(hash), key[1:]


def verify(note, keys, threshold):
    keys = [trusted(key) for key in keys]
    demand(len({key for _, _, key in keys}) == len(keys) and 1 <= threshold <= len(keys), "trust-invalid")
    try:
        text = note.decode()
    except UnicodeDecodeError:
        raise Refused("manifest-syntax") from None
    demand(len(note) <= 131072 and not re.search(r"[\x00-\x09\x0b-\x1f]", text), "manifest-syntax")
    text, empty, lines = text.rpartition("\n\n")
    demand(empty and lines.endswith("\n"), "manifest-syntax")
    text, signers = text + "\n", set()
    signatures = []
    for line in lines[:-1].split("\n"):
        match = re.fullmatch("— ([^ ]+) ([^ ]+)", line)
        demand(match and NAME.fullmatch(match[1]), "manifest-syntax")
        signature = unbase64(match[2], "manifest-syntax")
        demand(len(signature) > 4, "manifest-syntax")
        signatures.append((match[1], signature))
    demand(len(signatures) <= 100, "manifest-syntax")
    for name, signature in signatures:
        for known, id, key in keys:
            if (known, id) == (name, signature[:4]):
                demand(good(key, text.encode(), signature[4:]), "manifest-bad-signature")
                signers.add(key)
    demand(signers, "manifest-wrong-key")
    demand(len(signers) >= threshold, "manifest-too-few-signatures")
    return manifest(text.split("\n")[:-1])


def manifest(lines):
    def demand_field(holds):
        demand(holds, "manifest-field")

    def number(text):
        demand_field(re.fullmatch(r"0|[1-9][0-9]{0,15}", text) and int(text) < 2**53)
        return int(text)

    def digest(text):
        demand_field(re.fullmatch(r"[0-9a-f]{64}", text))
        return bytes.fromhex(text)

    def file(text):
        demand_field(FILE.fullmatch(text))
        return text

    def words(text):
        demand_field(1 <= len(text.encode()) <= 200 and not re.search(r"[\x00-\x1f\x7f-\x9f]", text))
        return text

    def take(key):
        demand_field(lines and lines[0].startswith(key + " "))
        return lines.pop(0)[len(key) + 1 :]

    def all(key):
        while lines and lines[0].startswith(key + " "):
            yield take(key)

    demand_field(lines and lines.pop(0) == "hashgate release v1")
    made = {"name": words(take("name")), "category": words(take("category"))}
    made |= {key: number(take(key)) for key in ("release", "issued", "expires")}
    full = take("full").split(" ")
    demand_field(len(full) == 3)
    made["full"] = (file(full[0]), number(full[1]), digest(full[2]))
    made["deltas"], below = {}, made["release"]
    for delta in all("delta"):
        parts = delta.split(" ")
        demand_field(len(parts) == 5 and number(parts[0]) < below)
        below = number(parts[0])
        made["deltas"][below] = (file(parts[1]), number(parts[2]), digest(parts[3]), digest(parts[4]))
    made |= {key: number(take(key)) for key in ("pdq", "sha256", "md5", "rings", "escalation")}
    curators = [words(curator) for curator in all("curator")]
    optional = lambda key: take(key) if lines and lines[0].startswith(key + " ") else None
    if (withdrawn := optional("withdrawn")) is not None:
        number(withdrawn)
    for key, schemes in (("policy", "https://"), ("appeals", "https://|mailto:")):
        if (address := optional(key)) is not None:
            demand_field(len(address) <= 200 and re.fullmatch(f"({schemes})[!#-;=?-\\[\\]_a-z~]+", address))
    if (jurisdiction := optional("jurisdiction")) is not None:
        words(jurisdiction)
    demand_field(not lines and len(curators) <= 64 and len(made["deltas"]) <= 64)
    demand_field(made["release"] > 0 and made["expires"] > made["issued"] and 1 <= made["escalation"] <= 10**12)
    demand_field(1 <= made["rings"] <= 4 if made["pdq"] else made["rings"] == 0)
    return made


def fresh(made, now, seen):
    demand(made["issued"] <= now + 86400, "manifest-not-yet-valid")
    demand(made["release"] >= seen, "manifest-rollback")
    demand(now < made["expires"], "manifest-expired")


def bytes_are(data, length, sha256):
    demand(len(data) == length, "release-length")
    demand(hashlib.sha256(data).digest() == sha256, "release-digest")


def header(data):
    """What a filter file says of itself, and where its bits are."""
    n, c = struct.unpack_from("<II", data, 176)
    long = lambda at: struct.unpack_from("<Q", data, at)[0]
    made = {"name": data[184 : 184 + n].decode(), "category": data[184 + n : 184 + n + c].decode()}
    made |= {"release": long(24), "pdq": long(48), "sha256": long(56), "md5": long(64), "escalation": long(104)}
    made |= {"rings": struct.unpack_from("<I", data, 72)[0]}
    return made, (184 + n + c + 7) // 8 * 8


def matches(made, data):
    demand(all(made[key] == value for key, value in header(data)[0].items()), "release-mismatch")


def gaps(code, count, rice):
    at = 0

    def bit():
        nonlocal at
        demand(at < 8 * len(code), "delta-syntax")
        at += 1
        return code[(at - 1) // 8] >> (at - 1) % 8 & 1

    for _ in range(count):
        gap = 0
        while bit():
            gap += 1
        yield (gap << rice) + sum(bit() << place for place in range(rice))
    demand((at + 7) // 8 == len(code) and not any(bit() for _ in range(8 * len(code) - at)), "delta-syntax")


def apply(made, base, delta):
    old, start = header(base)
    demand(old["release"] in made["deltas"], "delta-base")
    _, length, sha256, base_sha256 = made["deltas"][old["release"]]
    bytes_are(delta, length, sha256)
    demand(delta[:8] == b"\x89HGD\r\n\x1a\n" and len(delta) >= 144, "delta-syntax")
    version, zero, length, source, target = struct.unpack_from("<IIQQQ", delta, 8)
    set, cleared, set_rice, cleared_rice, x, h, zero_too = struct.unpack_from("<QQIIQII", delta, 104)
    demand((version, zero, zero_too, length, source) == (1, 0, 0, len(delta), old["release"]), "delta-syntax")
    demand(delta[40:72] == base_sha256 and 144 + h + x <= len(delta), "delta-syntax")
    demand(delta[72:104] == made["full"][2], "release-digest")
    # Where a code leads nowhere, either it is wrong or the base.
    wrong = "delta-base" if hashlib.sha256(base).digest() != base_sha256 else "delta-syntax"
    old_bits = base[start:-32]
    bits = bytearray(old_bits)
    codes = [(delta[144 + h : 144 + h + x], set, set_rice, 0), (delta[144 + h + x :], cleared, cleared_rice, 1)]
    for code, count, rice, was in codes:
        demand(rice <= 38, "delta-syntax")
        places, next = [at for at in range(8 * len(bits)) if old_bits[at // 8] >> at % 8 & 1 == was], 0
        for gap in gaps(code, count, rice):
            next += gap + 1
            demand(next <= len(places), wrong)
            bit = places[next - 1]
            bits[bit // 8] ^= 1 << bit % 8
    file = delta[144 : 144 + h] + bytes(bits)
    file += hashlib.sha256(file).digest()
    demand(hashlib.sha256(file).digest() == made["full"][2], wrong)
    demand(header(file)[0]["release"] == target, "delta-syntax")
    matches(made, file)
    return file


def outcome(data):
    head, note = data.split(b"---\n", 1)
    fields = [line.split(": ", 1) for line in head.decode().splitlines()]
    one = dict(fields)
    file = lambda name: (HERE / one[name]).read_bytes() if name in one else None
    try:
        made = verify(note, [value for name, value in fields if name == "trust"], int(one["threshold"]))
        fresh(made, int(one["now"]), int(one["seen"]))
        if full := file("full"):
            bytes_are(full, *made["full"][1:])
            matches(made, full)
        if delta := file("delta"):
            result = apply(made, file("base"), delta)
            assert result == full, "the delta leads to another file"
        return one["expect"], "ok"
    except Refused as refused:
        return one["expect"], str(refused)


if __name__ == "__main__":
    names = sorted(HERE.glob("*.txt"))
    for name in names:
        expected, got = outcome(name.read_bytes())
        assert expected == got, (name.name, expected, got)
    print(f"{len(names)} vectors: the outcomes that they say")

"""Reads the vectors in log/ by docs/reference/log-format.md and release-format.md alone, with nothing of this project: python3 log.py

Signatures and manifests are read by release.py, which was written the same way. Prints how many vectors gave the outcome that
they say, and checks that flipped bits of a proof are refused.
"""

import base64
import hashlib
import re
from pathlib import Path

import release
from release import NAME, Refused, demand, fresh, good, unbase64

HERE = Path(__file__).parent / "log"


def key(text, kind):
    """A public key of a kind: its name, its hash, and its 32 bytes."""
    parts = text.split("+", 2)
    demand(len(parts) == 3 and NAME.fullmatch(parts[0]), "trust-invalid")
    name, hash, data = parts[0], parts[1], unbase64(parts[2], "trust-invalid")
    demand(len(data) == 33 and data[0] == kind, "trust-invalid")
    demand(hashlib.sha256(name.encode() + b"\n" + data).digest()[:4].hex() == hash, "trust-invalid")
    return name, bytes.fromhex(hash), data[1:]


def number(text):
    demand(re.fullmatch(r"0|[1-9][0-9]*", text) and int(text) < 2**64, "log-syntax")
    return int(text)


def digest(text):
    data = unbase64(text, "log-syntax")
    demand(len(data) == 32, "log-syntax")
    return data


def leaf(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hash, index, size, path):
    """The root to which a proof leads, or None: from the leaf up, by whether the node is a left or a right child."""
    if index >= size:
        return None
    # Recursively, as RFC 6962 defines the proof, from the root down: its last hash is the root's other child.
    if size == 1:
        return hash if not path else None
    if not path:
        return None
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        left = root(hash, index, half, path[:-1])
        return left and node(left, path[-1])
    right = root(hash, index - half, size - half, path[:-1])
    return right and node(path[-1], right)


def checkpoint(note, log, origin, witnesses, threshold):
    demand(len(note) <= 131072 and not re.search(r"[\x00-\x09\x0b-\x1f]", note), "log-syntax")
    text, empty, lines = note.rpartition("\n\n")
    demand(empty and lines.endswith("\n"), "log-syntax")
    text, signatures = text + "\n", []
    for line in lines[:-1].split("\n"):
        match = re.fullmatch("— ([^ ]+) ([^ ]+)", line)
        demand(match and NAME.fullmatch(match[1]), "log-syntax")
        signature = unbase64(match[2], "log-syntax")
        demand(len(signature) > 4, "log-syntax")
        signatures.append((match[1], signature[:4], signature[4:]))
    demand(len(signatures) <= 100, "log-syntax")
    parts = text[:-1].split("\n")
    demand(len(parts) >= 3 and all(parts), "log-syntax")
    size, top = number(parts[1]), digest(parts[2])
    demand(parts[0] == origin, "log-wrong-origin")
    is_signed, times = False, {}
    for name, id, signature in signatures:
        if (name, id) == log[:2]:
            demand(good(log[2], text.encode(), signature), "log-bad-signature")
            is_signed = True
        for known in witnesses:
            if (name, id) == known[:2]:
                time = int.from_bytes(signature[:8], "big")
                demand(len(signature) == 72 and 0 < time < 2**63, "log-bad-signature")
                message = f"cosignature/v1\ntime {time}\n{text}".encode()
                demand(good(known[2], message, signature[8:]), "log-bad-signature")
                times[known] = max(time, times.get(known, 0))
    demand(is_signed, "log-wrong-key")
    demand(len(times) >= threshold, "log-too-few-witnesses")
    # By then, as many witnesses as the threshold say, it was this late.
    witnessed = sorted(times.values(), reverse=True)[threshold - 1] if threshold else None
    return size, top, witnessed


def logged(proof, manifest, log, origin, witnesses, threshold):
    demand(len(proof) <= 65536, "log-syntax")
    try:
        text = proof.decode()
    except UnicodeDecodeError:
        raise Refused("log-syntax") from None
    head, empty, note = text.partition("\n\n")
    demand(empty, "log-syntax")
    lines = head.split("\n")
    demand(lines.pop(0) == "c2sp.org/tlog-proof@v1", "log-syntax")
    if lines and lines[0].startswith("extra "):
        unbase64(lines.pop(0)[6:], "log-syntax")
    demand(lines and lines[0].startswith("index "), "log-syntax")
    index = number(lines.pop(0)[6:])
    path = [digest(line) for line in lines]
    demand(len(path) <= 63, "log-syntax")
    size, top, witnessed = checkpoint(note, log, origin, witnesses, threshold)
    demand(root(leaf(manifest), index, size, path) == top, "log-not-included")
    return index, size, top, witnessed


def trusted(all, one):
    log = key(one("log"), 1)
    witnesses, threshold = [], int(one("threshold"))
    if threshold:
        witnesses = [key(text, 4) for text in all("witness")]
        demand(len({data for _, _, data in witnesses}) == len(witnesses), "trust-invalid")
        demand(threshold <= len(witnesses), "trust-invalid")
    return log, one("origin") or log[0], witnesses, threshold


def outcome(all, one, manifest, proof):
    made = release.verify(manifest, all("trust"), 1)
    trust = trusted(all, one)
    index, size, top, witnessed = logged(proof, manifest, *trust)
    if one("seen-log"):
        seen_size, seen_root, seen_index = one("seen-log").split(" ")
        is_fork = int(seen_size) == size and base64.b64decode(seen_root) != top
        demand(not is_fork and not (index > int(seen_index) and size < int(seen_size)), "log-inconsistent")
    now = int(one("now"))
    if witnessed is None:
        return fresh(made, now, 0)
    demand(made["issued"] <= witnessed + 86400, "manifest-not-yet-valid")
    fresh(made, max(now, witnessed), 0)
    demand(not one("max-age") or now <= witnessed + int(one("max-age")), "log-stale")


def read(data):
    head, body = data.split(b"---\n", 1)
    fields = [line.split(": ", 1) for line in head.decode().splitlines()]
    all = lambda name: [value for field, value in fields if field == name]
    one = lambda name: next(iter(all(name)), None)
    length = int(one("manifest-bytes"))
    return all, one, body[:length], body[length:]


def code(*vector):
    try:
        outcome(*vector)
        return "ok"
    except Refused as refused:
        return str(refused)


if __name__ == "__main__":
    names = sorted(HERE.glob("*.txt"))
    for name in names:
        vector = read(name.read_bytes())
        expected, got = vector[1]("expect"), code(*vector)
        assert expected == got, (name.name, expected, got)
    all, one, manifest, proof = read((HERE / "ok.txt").read_bytes())
    trust = trusted(all, one)
    flips = 0
    for bit in range(0, 8 * len(proof), 5):
        flipped = bytearray(proof)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            logged(bytes(flipped), manifest, *trust)
            raise AssertionError(f"bit {bit} flipped, and taken")
        except Refused as refused:
            assert str(refused).startswith("log-"), str(refused)
            flips += 1
    print(f"{len(names)} vectors: the outcomes that they say; {flips} flipped bits refused")

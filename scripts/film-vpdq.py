"""Compares the frame hashes of `hashgate hash` with those of Meta's vpdq, frame by frame.

    pip install vpdq
    python3 scripts/film-vpdq.py target/debug/hashgate FILM...

Both hash every frame. hashgate reads luma as the decoder gives it, vpdq the frame converted to RGB. Prints the distance
in bits and the difference of quality; ends with 1 if a mean is above 2 bits, a distance above 8, or a quality off by
more than 1.
"""

import csv
import io
import subprocess
import sys

import vpdq

MEAN, MOST, QUALITY = 2, 8, 1


def compare(hashgate: str, film: str) -> bool:
    command = [hashgate, "hash", "--every", "0.04", film]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    ours = {}
    for row in csv.DictReader(io.StringIO(made.stdout)):
        if row["pdq"]:
            # Of a recording of a screen, the frames of the part that moves come second.
            ours.setdefault(round(float(row["seconds"]), 2), (int(row["pdq"], 16), int(row["quality"])))
    bits, qualities = [], []
    theirs = vpdq.computeHash(film, seconds_per_hash=0)
    for frame in theirs:
        known = ours.get(round(frame.timestamp, 2))
        if known is None:
            continue
        bits.append((int(str(frame.hex), 16) ^ known[0]).bit_count())
        qualities.append(abs(frame.quality - known[1]))
    # vpdq computes the time of a frame from its number. hashgate takes up to 25 frames a second.
    if len(bits) < 0.75 * len(theirs):
        print(f"{film}: expected at most 30 frames a second, evenly, got {len(bits)} of {len(theirs)} times in common")
        return False
    mean = sum(bits) / len(bits)
    most, off = max(bits), max(qualities)
    print(f"{film}: {len(bits)} frames, {mean:.2f} bits on average, {most} at most, quality off by {off} at most")
    return mean <= MEAN and most <= MOST and off <= QUALITY


if len(sys.argv) < 3:
    sys.exit(__doc__)
sound = [compare(sys.argv[1], film) for film in sys.argv[2:]]
sys.exit(0 if all(sound) else 1)

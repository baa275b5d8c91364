"""Asks `hashgate serve` and Meta's own matcher the same, and times the latter.

    pip install threatexchange faiss-cpu
    cargo build --release --package hashgate-cli
    python bench/second_oracle.py [--hashes 1000000] [--hashgate target/release/hashgate]

10,000 questions: half of them random hashes, half listed ones with 0 to 40 bits flipped. Both must find a listed hash within a
Hamming distance of 31 for the same questions, at the same distance.
"""

import argparse
import json
import random
import subprocess
import tempfile
import time
import urllib.request

import faiss
from threatexchange.signal_type.pdq.signal import PdqSignal

QUESTIONS = 10_000
BATCH = 100

arguments = argparse.ArgumentParser()
arguments.add_argument("--hashes", type=int, default=100_000)
arguments.add_argument("--hashgate", default="target/release/hashgate")
arguments = arguments.parse_args()

rng = random.Random(1)
listed = [f"{rng.getrandbits(256):064x}" for _ in range(arguments.hashes)]


def near(hash_, bits):
    value = int(hash_, 16)
    for bit in rng.sample(range(256), bits):
        value ^= 1 << bit
    return f"{value:064x}"


asked = [
    f"{rng.getrandbits(256):064x}" if n % 2 else near(rng.choice(listed), rng.randrange(41)) for n in range(QUESTIONS)
]

start = time.perf_counter()
index = PdqSignal.get_index_cls().build((hash_, None) for hash_ in listed)
print(f"threatexchange: {len(listed)} hashes indexed in {time.perf_counter() - start:.1f} s")
faiss.omp_set_num_threads(1)
expected, times = [], []
for hash_ in asked:
    start = time.perf_counter()
    matches = index.query(hash_)
    times.append(time.perf_counter() - start)
    expected.append(min((match.similarity_info.distance for match in matches), default=None))
times.sort()
print(
    f"threatexchange: median {times[len(times) // 2] * 1e3:.3f} ms, 99th percentile {times[len(times) * 99 // 100] * 1e3:.3f} ms"
    " a question, on one core"
)

with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
    file.write("\n".join(listed) + "\n")
    file.flush()
    command = [arguments.hashgate, "serve", "--list", file.name, "--type", "pdq", "--listen", "127.0.0.1:0", "--rate", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = server.stdout.readline().split()[-1] + "/v1/confirm"
        got = []
        for first in range(0, QUESTIONS, BATCH):
            body = json.dumps([{"pdq": hash_} for hash_ in asked[first : first + BATCH]]).encode()
            request = urllib.request.Request(url, body, {"content-type": "application/json"})
            with urllib.request.urlopen(request) as answer:
                got += [one["distance"] if one["outcome"] == "listed" else None for one in json.load(answer)]
    finally:
        server.kill()
        server.wait()

disagreements = [(hash_, a, b) for hash_, a, b in zip(asked, expected, got, strict=True) if a != b]
within = sum(distance is not None for distance in expected)
print(f"{QUESTIONS} questions, {within} of them within 31 of a listed hash: {len(disagreements)} disagreements")
for hash_, a, b in disagreements[:10]:
    print(f"  {hash_}: threatexchange {a}, hashgate {b}")
raise SystemExit(bool(disagreements))

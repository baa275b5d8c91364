"""Asks `hashgate serve` about a file that has arrived. Python's own library is enough.

    python3 check.py FILE...

HASHGATE_URL is the server, by default http://127.0.0.1:8787. HASHGATE_TOKEN is a token of its --token-file, if it has one.
Ends with status 1 if a file is held, and with 2 if there was no verdict.
"""

import json
import os
import sys
import urllib.error
import urllib.request

URL = os.environ.get("HASHGATE_URL", "http://127.0.0.1:8787") + "/v1/check"


class Unavailable(Exception):
    """The server gave no verdict: it is down, busy, or has no list. What becomes of the file is your decision."""


def check(file):
    """Returns whether an open file may be kept, and the verdict."""
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(os.fstat(file.fileno()).st_size)}
    if token := os.environ.get("HASHGATE_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(URL, data=file, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return True, json.load(response)
    except urllib.error.HTTPError as error:
        # Only the server's own answers have this header. A proxy's error page has none.
        if error.headers.get("X-Hashgate-Decision") == "hold":
            return False, json.load(error)
        raise Unavailable(f"status {error.code}") from error
    except OSError as error:
        raise Unavailable(str(error)) from error


def main(paths):
    held = False
    for path in paths:
        try:
            with open(path, "rb") as file:
                may_pass, verdict = check(file)
        except Unavailable as error:
            print(f"{path}: no verdict: {error}", file=sys.stderr)
            return 2
        held = held or not may_pass
        print(f"{path}: {verdict['outcome']}, {'pass' if may_pass else 'hold'}")
    return int(held)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

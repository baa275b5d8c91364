#!/usr/bin/env python3
"""A hook of tusd (v2, filestore): holds an upload that has arrived, before tusd says that it is complete.

Put it into the hook folder as `pre-finish`, let it be executed (`chmod +x`), and put check.py beside it:

    tusd -upload-dir data -hooks-dir hooks -hooks-enabled-events pre-create,post-create,pre-finish,post-finish

tusd gives the request as JSON on standard input and takes the answer as JSON on standard output. It can't take an upload
back here, so the hook deletes the file of a held upload itself, and answers the uploader with status 451.
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from check import Unavailable, check  # noqa: E402


def answer(status, body):
    """tusd's answer to the uploader."""
    return {"HTTPResponse": {"StatusCode": status, "Body": json.dumps(body), "Header": {"Content-Type": "application/json"}}}


def hook(event):
    upload = event["Upload"]
    # A part of a concatenated upload is a picture only together with the others.
    if upload["IsPartial"]:
        return {}
    storage = upload["Storage"]
    if storage["Type"] != "filestore":
        return answer(503, {"message": f"expected a filestore, got {storage['Type']}"})
    try:
        with open(storage["Path"], "rb") as file:
            may_pass, verdict = check(file)
    except Unavailable as error:
        # Held, because nobody has checked it. Return {} here to let it pass.
        may_pass, verdict = False, {"outcome": "unchecked", "reason": "unavailable", "detail": str(error)}
    if may_pass:
        return {}
    for path in (storage["Path"], storage["InfoPath"]):
        os.remove(path)
    return answer(451, verdict)


if __name__ == "__main__":
    print(json.dumps(hook(json.load(sys.stdin)["Event"])))

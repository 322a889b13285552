"""The oracle: moto's server, with its functions answering from the table in functions.json.

moto interprets the definitions; only what a function does is ours. A function that fails some times
first counts by the member `id` of its event, so that definitions do not disturb each other.
"""

import collections
import json
import pathlib
import sys
import threading
import time

from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.server import main

TABLE = json.loads(pathlib.Path(sys.argv[2]).read_text())
calls = collections.Counter()
lock = threading.Lock()


def invoke(self, function_name, qualifier, body, headers, response_headers):
    name = function_name.rsplit(":", 1)[-1]
    function = TABLE[name]
    event = json.loads(body or "null")
    time.sleep(function.get("takes", 0))
    if "fails" in function:
        key = (name, event.get("id") if isinstance(event, dict) else None)
        with lock:
            calls[key] += 1
            made = calls[key]
        if made <= function.get("times", made):
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps(
                {"errorMessage": function["cause"], "errorType": function["fails"]}
            ).encode()
    return json.dumps(function.get("returns", event)).encode()


LambdaSimpleBackend.invoke = invoke
main(["-H", "127.0.0.1", "-p", sys.argv[1]])

"""The SDK of the CNCF for Python as the other side: reads a message per line, and writes its event in both modes."""

import base64
import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_http_event, to_binary_event, to_structured_event


def written(message):
    return {"headers": dict(message.headers), "body": base64.b64encode(message.body or b"").decode()}


for line in sys.stdin:
    sent = json.loads(line)
    event = from_http_event(HTTPMessage(headers=sent["headers"], body=base64.b64decode(sent["body"])))
    print(json.dumps({"binary": written(to_binary_event(event)), "structured": written(to_structured_event(event))}), flush=True)

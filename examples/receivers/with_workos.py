"""A receiver that checks signatures with the WorkOS SDK, as applications written for it do."""

import json

from inbox import serve
from workos import WorkOSClient

# Checking a signature sends nothing; the key and the client id are not used for it.
client = WorkOSClient(api_key="sk_not_used", client_id="client_not_used")


def check(body, headers, secret):
    signature = headers.get("WorkOS-Signature", "")
    client.webhooks.verify_header(event_body=body, event_signature=signature, secret=secret)
    return json.loads(body)


serve(check)

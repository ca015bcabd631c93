"""A receiver that checks signatures with the library of Standard Webhooks."""

from inbox import serve
from standardwebhooks import Webhook, WebhookVerificationError


def check(body, headers, secret):
    try:
        return Webhook(secret).verify(body, headers)
    except WebhookVerificationError as problem:
        raise ValueError(problem) from None


serve(check)

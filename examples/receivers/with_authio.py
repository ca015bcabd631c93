"""A receiver that checks signatures with authio's own module."""

from inbox import serve

from authio.webhooks import VerificationError, verify


def check(body, headers, secret):
    try:
        return verify(body, headers, secret)
    except VerificationError as problem:
        raise ValueError(problem) from None


serve(check)

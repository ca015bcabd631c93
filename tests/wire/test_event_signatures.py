"""The three signatures, checked with what receivers have."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
import svix.webhooks
from workos import WorkOSClient

from authio.crypto import new_signing_secret
from authio.wire.webhook import signature_headers

BODIES = {
    "ascii": b'{"id":"event_1","data":{"n":1}}',
    "unicode": '{"name":"Bücher 🎉\u2028<b>"}'.encode(),
    "controls": b'{"text":"\\t\\n\\b\\u0001\\"\\\\/"}',
    "index_like_keys": b'{"metadata":{"9":"3","10":"2","b":"1"}}',
    "empty": b"",
}


@pytest.fixture(params=BODIES.values(), ids=BODIES)
def body(request):
    return request.param


def test_SEC_101_the_library_workos_accepts_a_delivery(body):
    secret = new_signing_secret()
    headers = signature_headers(body, secrets=[secret], message_id="event_1", at=datetime.now(UTC))

    WorkOSClient(api_key="sk_test", client_id="client_test").webhooks.verify_header(
        event_body=body, event_signature=headers["WorkOS-Signature"], secret=secret
    )


def test_SEC_101_the_library_standardwebhooks_accepts_a_delivery(body):
    secret = new_signing_secret()
    headers = signature_headers(body, secrets=[secret], message_id="event_1", at=datetime.now(UTC))

    standardwebhooks.Webhook(secret).verify(body, headers, json_parse=False)


def test_SEC_101_the_library_svix_accepts_a_delivery(body):
    secret = new_signing_secret()
    headers = signature_headers(body, secrets=[secret], message_id="event_1", at=datetime.now(UTC))

    svix.webhooks.Webhook(secret).verify(body, headers)


def test_SEC_101_another_body_is_accepted_by_none_of_them(body):
    secret, other = new_signing_secret(), body + b" "
    headers = signature_headers(body, secrets=[secret], message_id="event_1", at=datetime.now(UTC))

    with pytest.raises(ValueError):
        WorkOSClient(api_key="sk_test", client_id="client_test").webhooks.verify_header(
            event_body=other, event_signature=headers["WorkOS-Signature"], secret=secret
        )
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(other, headers, json_parse=False)
    with pytest.raises(svix.webhooks.WebhookVerificationError):
        svix.webhooks.Webhook(secret).verify(other, headers)


def test_headers_have_the_one_form_that_every_parser_splits_alike():
    at = datetime(2026, 1, 1, 0, 0, 0, 678000, tzinfo=UTC)
    secret = "whsec_" + base64.b64encode(bytes(range(32))).decode()

    headers = signature_headers(b"{}", secrets=[secret], message_id="event_1", at=at)

    sign = lambda text: hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()  # noqa: E731
    assert headers == {
        "Authio-Signature": f"t=1767225600,v1={sign(b'1767225600.{}')}",
        "WorkOS-Signature": f"t=1767225600678, v1={sign(b'1767225600678.{}')}",
        "webhook-id": "event_1",
        "webhook-timestamp": "1767225600",
        "webhook-signature": "v1,"
        + base64.b64encode(hmac.digest(bytes(range(32)), b"event_1.1767225600.{}", "sha256")).decode(),
    }


def test_SEC_102_while_a_secret_is_replaced_two_schemes_carry_both_and_the_third_the_old_one():
    old, new = new_signing_secret(), new_signing_secret()
    at = datetime.now(UTC)

    both = signature_headers(b"{}", secrets=[old, new], message_id="event_1", at=at)
    only_old = signature_headers(b"{}", secrets=[old], message_id="event_1", at=at)

    assert both["WorkOS-Signature"] == only_old["WorkOS-Signature"]
    assert both["Authio-Signature"].count("v1=") == 2
    for secret in (old, new):
        standardwebhooks.Webhook(secret).verify(b"{}", both)
        svix.webhooks.Webhook(secret).verify(b"{}", both)


def test_a_secret_that_is_not_base64_is_refused_without_being_shown():
    with pytest.raises(ValueError) as refused:
        signature_headers(b"{}", secrets=["whsec_not base64"], message_id="event_1", at=datetime.now(UTC))

    assert 'not base64"' not in repr(refused.value)
    assert "whsec_" not in str(refused.value)


def test_an_existing_sdk_refuses_a_signature_that_is_older_than_its_tolerance():
    secret = new_signing_secret()
    headers = signature_headers(
        b"{}", secrets=[secret], message_id="event_1", at=datetime.now(UTC) - timedelta(minutes=4)
    )

    with pytest.raises(ValueError):
        WorkOSClient(api_key="sk_test", client_id="client_test").webhooks.verify_header(
            event_body=b"{}", event_signature=headers["WorkOS-Signature"], secret=secret
        )

"""The verifier that receivers import: it takes what we send, and nothing else."""

from __future__ import annotations

import ast
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import authio.webhooks
from authio.crypto import new_signing_secret
from authio.webhooks import VerificationError, verify
from authio.wire.webhook import signature_headers

AT = datetime(2026, 1, 1, tzinfo=UTC)
NOW = AT.timestamp()
BODY = '{"id":"event_1","data":{"name":"Bücher"}}'.encode()
SECRET = new_signing_secret()
ALL = signature_headers(BODY, secrets=[SECRET], message_id="event_1", at=AT)
SCHEMES = {
    "authio": {"Authio-Signature": ALL["Authio-Signature"]},
    "standard": {name: value for name, value in ALL.items() if name.startswith("webhook-")},
    "workos": {"WorkOS-Signature": ALL["WorkOS-Signature"]},
}


@pytest.fixture(params=SCHEMES.values(), ids=SCHEMES)
def headers(request):
    return request.param


def test_a_genuine_delivery_is_returned_as_an_event(headers):
    assert verify(BODY, headers, SECRET, now=NOW) == {"id": "event_1", "data": {"name": "Bücher"}}


def test_header_names_may_be_in_any_case(headers):
    assert verify(BODY, {name.upper(): value for name, value in headers.items()}, SECRET, now=NOW)


def test_SEC_101_a_changed_body_is_refused(headers):
    with pytest.raises(VerificationError, match="not genuine"):
        verify(BODY.replace(b"event_1", b"event_2"), headers, SECRET, now=NOW)


def test_SEC_101_another_secret_is_refused(headers):
    with pytest.raises(VerificationError, match="not genuine"):
        verify(BODY, headers, new_signing_secret(), now=NOW)


def test_SEC_101_a_changed_timestamp_is_refused(headers):
    moved = {name: value.replace("17672256", "17672257") for name, value in headers.items()}
    assert moved != headers

    with pytest.raises(VerificationError, match="not genuine"):
        verify(BODY, moved, SECRET, now=NOW + 100)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_SEC_101_a_signature_out_of_tolerance_is_refused_on_either_side(headers, seconds):
    with pytest.raises(VerificationError, match="too long ago"):
        verify(BODY, headers, SECRET, now=NOW + seconds)


@pytest.mark.parametrize("seconds", [-299, 299])
def test_a_signature_within_tolerance_is_accepted_on_either_side(headers, seconds):
    assert verify(BODY, headers, SECRET, now=NOW + seconds)


def test_without_a_given_moment_the_machine_s_clock_decides(headers):
    with pytest.raises(VerificationError, match="too long ago"):
        verify(BODY, headers, SECRET)


def test_a_message_under_another_id_is_refused():
    with pytest.raises(VerificationError, match="not genuine"):
        verify(BODY, {**SCHEMES["standard"], "webhook-id": "event_2"}, SECRET, now=NOW)


def test_a_bad_signature_is_not_made_good_by_another_scheme():
    with pytest.raises(VerificationError, match="not genuine"):
        verify(BODY, {**ALL, "Authio-Signature": f"t={int(NOW)},v1={'0' * 64}"}, SECRET, now=NOW)


def test_SEC_102_either_secret_verifies_while_one_is_replaced():
    new = new_signing_secret()
    both = signature_headers(BODY, secrets=[SECRET, new], message_id="event_1", at=AT)
    both.pop("WorkOS-Signature")

    for secret in (SECRET, new):
        assert verify(BODY, {"Authio-Signature": both["Authio-Signature"]}, secret, now=NOW)
        assert verify(BODY, {name: both[name] for name in both if "webhook" in name}, secret, now=NOW)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Content-Type": "application/json"},
        {"Authio-Signature": ""},
        {"Authio-Signature": "v1=00"},
        {"Authio-Signature": "t=,v1=00"},
        {"Authio-Signature": "t=1,t=2,v1=00"},
        {"Authio-Signature": "t=-1,v1=00"},
        {"Authio-Signature": "t=1767225600"},
        {"Authio-Signature": "t=1767225600,v1="},
        {"Authio-Signature": "t=1767225600,v1=\u00e9"},
        {"Authio-Signature": f"t={'9' * 5000},v1=00"},
        {"WorkOS-Signature": "t=now, v1=00"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1,AAAA", "webhook-timestamp": "yesterday"},
        {"webhook-signature": "", "webhook-timestamp": "1767225600"},
        {"webhook-signature": "v2,AAAA", "webhook-timestamp": "1767225600"},
    ],
)
def test_garbage_in_headers_is_refused_and_never_crashes(given):
    with pytest.raises(VerificationError):
        verify(BODY, given, SECRET, now=NOW)


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'"text"', b"\xff"])
def test_a_signed_body_that_is_no_event_is_refused(body):
    signed = signature_headers(body, secrets=[SECRET], message_id="event_1", at=AT)

    with pytest.raises(VerificationError, match="the body"):
        verify(body, signed, SECRET, now=NOW)


def test_the_secret_is_in_no_refusal():
    for secret in (SECRET, "whsec_!"):
        with pytest.raises(VerificationError) as refused:
            verify(b"{}", SCHEMES["standard"], secret, now=NOW)
        assert secret not in str(refused.value)


def test_it_imports_nothing_but_the_standard_library():
    tree = ast.parse(Path(authio.webhooks.__file__).read_text(encoding="utf-8"))
    imported = [
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]

    assert imported
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names

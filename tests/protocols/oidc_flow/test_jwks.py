"""A provider's keys: what is read, what is passed over, when they are read again (SEC-73)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from authio.protocols.oidc_jwks import FRESH, MAX_BYTES, MAX_MISSED, PATIENCE, PAUSE, USABLE, Jwks, read_jwks
from tests.protocols.oidc_flow.bench import EC, NOW, RSA, published, refused
from tests.support.oidc_keys import b64_number, signing_key

SECOND = timedelta(seconds=1)


def test_the_keys_of_a_set_are_chosen_by_id_and_kind() -> None:
    keys = published(RSA, EC, signing_key("ES384", kid="ec"))
    assert keys.choose("rsa", "RS256").bits == 2048
    assert keys.choose("ec", "ES256").members["crv"] == "P-256"
    assert keys.choose("ec", "ES384").members["crv"] == "P-384"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": null}',
        b'{"keys": [], "keys": []}',
        b'{"keys": [{"kid": "a", "kid": "b"}]}',
        b'{"keys": ' + b"[" * 40 + b"]" * 40 + b"}",
        json.dumps({"keys": [{}] * 101}).encode(),
        json.dumps({"keys": [], "pad": "x" * MAX_BYTES}).encode(),
    ],
)
def test_SEC_73_what_is_no_key_set_is_refused(document: bytes) -> None:
    with refused("malformed", code="oidc_jwks"):
        read_jwks(document, now=NOW)


@pytest.mark.parametrize(
    "other",
    [
        1,
        None,
        "key",
        [],
        {},
        {"kty": "AKP", "kid": "pq", "pub": "AAAA"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "ec", "alg": "ES256"},
        {"kty": ["EC"]},
        RSA.jwk(d="AAAA"),
        EC.jwk(d="AAAA"),
        EC.jwk(kid=7),
        EC.jwk(alg=["ES256"]),
        EC.jwk(crv="secp256k1"),
        EC.jwk(crv=None),
        EC.jwk(crv=["P-256"]),
        EC.jwk(x=1),
        EC.jwk(y=None),
        EC.jwk(x="a+b/"),
        EC.jwk(x="a" * 1401),
        EC.jwk(kty="RSA"),
        RSA.jwk(n=""),
        RSA.jwk(use=["sig"]),
    ],
)
def test_SEC_73_an_entry_that_cannot_verify_anything_is_passed_over(other: Any) -> None:
    found = read_jwks(json.dumps({"keys": [other, signing_key("ES512", kid="good").jwk()]}).encode(), now=NOW)
    assert [key.kid for key in found.keys] == ["good"]


def test_a_key_without_use_and_algorithm_verifies_what_its_type_can() -> None:
    keys = published(RSA.jwk(use=None, alg=None, key_ops=["verify"]))
    assert keys.choose("rsa", "PS512") is keys.choose("rsa", "RS256")
    with refused("unknown_key", code="oidc_jwks"):
        keys.choose("rsa", "ES256")


def test_one_key_listed_twice_is_one_key() -> None:
    assert published(EC, EC.jwk(x5t="other")).choose("ec", "ES256").kid == "ec"
    with refused("ambiguous_key", code="oidc_jwks"):
        published(EC, signing_key("ES256", kid="ec")).choose("ec", "ES256")


@pytest.mark.parametrize(
    "bad",
    [
        EC.jwk(x=EC.jwk()["y"]),
        EC.jwk(x="AAAA"),
        EC.jwk(x="A"),
        signing_key("EdDSA", kid="ec").jwk(x="AAAA"),
        RSA.jwk(kid="ec", n="A"),
        RSA.jwk(kid="ec", e="A"),
        RSA.jwk(kid="ec", e=b64_number(1)),
        RSA.jwk(kid="ec", e=b64_number(65538)),
        RSA.jwk(kid="ec", e=b64_number((1 << 40) + 1)),
        RSA.jwk(kid="ec", n=b64_number((1 << 8192) + 1)),
        RSA.jwk(kid="ec", n=b64_number(1 << 2048)),
    ],
)
def test_SEC_73_numbers_that_make_no_usable_key_are_refused_when_they_are_needed(bad: dict[str, Any]) -> None:
    keys = published(bad, RSA)
    assert keys.choose("rsa", "RS256").key
    algorithm = {"EC": "ES256", "OKP": "EdDSA", "RSA": "RS256"}[bad["kty"]]
    with refused("bad_key", code="oidc_jwks"):
        keys.choose("ec", algorithm).key.get_op_key("verify")


class TestReadingAgain:
    """SEC-73: one reading for each unknown key, and never many."""

    def test_a_set_is_used_for_an_hour(self) -> None:
        keys = published(EC)
        assert not keys.is_due(NOW + FRESH - SECOND)
        assert keys.is_due(NOW + FRESH)
        assert keys.is_usable(NOW + USABLE - SECOND)
        assert not keys.is_usable(NOW + USABLE)

    def test_SEC_73_an_unknown_key_is_looked_for_once(self) -> None:
        keys, later = published(EC), NOW + PAUSE
        assert keys.is_worth_asking("new", later)
        missed = keys.without("new", later)
        assert not missed.is_worth_asking("new", later + PATIENCE - SECOND)
        assert missed.is_worth_asking("new", later + PATIENCE)
        assert missed.is_worth_asking("another", later)

    def test_SEC_73_many_unknown_keys_make_no_more_requests_than_one(self) -> None:
        keys = published(EC)
        assert not any(keys.is_worth_asking(f"new-{n}", NOW + PAUSE - SECOND) for n in range(100))

    def test_SEC_73_what_was_looked_for_in_vain_takes_bounded_room_and_the_oldest_goes(self) -> None:
        keys: Jwks = published(EC)
        for number in range(MAX_MISSED + 9):
            keys = keys.without(f"new-{number}", NOW + number * SECOND)
        assert list(keys.missed) == [f"new-{number}" for number in range(9, MAX_MISSED + 9)]

    def test_a_clock_that_is_set_back_keeps_the_set(self) -> None:
        keys = published(EC)
        assert keys.is_usable(NOW - timedelta(days=1))
        assert not keys.is_due(NOW - timedelta(days=1))

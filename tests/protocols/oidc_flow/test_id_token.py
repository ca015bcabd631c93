"""A valid ID token with one thing bent: each is refused, for that very thing (SEC-73, SEC-74)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authio.protocols.oidc_id_token import MAX_BYTES, judge_id_token, read_id_token
from tests.protocols.oidc_flow.bench import (
    ACCESS_TOKEN,
    CLAIMS,
    CODE,
    EC,
    ISSUER,
    KEYS,
    NONCE,
    NOW,
    RSA,
    SECONDS,
    SETTINGS,
    at_hash,
    claims,
    judge,
    published,
    refused,
)
from tests.support.oidc_keys import b64, half_hash, hmac_token, signing_key

GOOD = EC.token(CLAIMS)
EVERY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")


def bits(algorithm: str) -> int:
    return 512 if algorithm.startswith("Ed") else int(algorithm[2:])


# What is taken


@pytest.mark.parametrize("algorithm", EVERY)
def test_a_good_token_gives_its_claims(algorithm: str) -> None:
    key = signing_key(algorithm)
    settings = replace(SETTINGS, id_token_algorithms=(algorithm,))
    whole = claims(at_hash=at_hash(bits(algorithm)), c_hash=half_hash(CODE, bits(algorithm)))

    assert judge(key.token(whole), settings=settings, keys=published(key)) == whole


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["client-1"]},
        {"aud": ["other", "client-1"], "azp": "client-1"},
        {"azp": "client-1"},
        {"exp": SECONDS + 0.5, "iat": SECONDS - 0.25},
        {"exp": SECONDS - 59},
        {"iat": SECONDS + 60},
        {"iat": SECONDS - 660},
        {"nbf": SECONDS + 60},
        {"nbf": SECONDS},
        {"email": None},
        {"sub": "x" * 255},
        {"sub": "Ünï|cödé"},
    ],
)
def test_SEC_74_what_is_within_the_rules_is_taken(changes: dict[str, Any]) -> None:
    assert judge(RSA.token(claims(**changes))) == claims(**changes)


@pytest.mark.parametrize(
    "header", [{"typ": None}, {"typ": "jwt"}, {"x5t": "abc", "x5t#S256": "def"}, {"cty": "x"}]
)
def test_SEC_73_headers_that_change_nothing_are_passed_over(header: dict[str, Any]) -> None:
    assert judge(EC.token(CLAIMS, **header)) == CLAIMS


def test_SEC_73_a_token_without_a_key_id_needs_a_single_key_that_fits() -> None:
    assert judge(EC.token(CLAIMS, kid=None)) == CLAIMS
    with refused("ambiguous_key", code="oidc_jwks"):
        judge(EC.token(CLAIMS, kid=None), keys=published(EC, signing_key("ES256", kid="other")))


@pytest.mark.parametrize(("published_as", "signed_as"), [("EdDSA", "Ed25519"), ("Ed25519", "EdDSA")])
def test_both_names_of_one_algorithm_are_one(published_as: str, signed_as: str) -> None:
    key = signing_key("EdDSA", kid="ed")
    settings = replace(SETTINGS, id_token_algorithms=(signed_as,))
    token = key.token(CLAIMS, alg=signed_as)
    assert judge(token, settings=settings, keys=published(key.jwk(alg=published_as))) == CLAIMS


# The shape


def test_SEC_73_a_token_of_more_than_16_KiB_is_refused_before_it_is_read() -> None:
    def padded(size: int) -> str:
        return EC.token(claims(pad="x" * size))

    spare = (MAX_BYTES - len(padded(0))) * 3 // 4
    fitting = padded(spare - 3)
    assert MAX_BYTES - 8 < len(fitting) <= MAX_BYTES
    assert judge(fitting)
    with refused("size"):
        judge(padded(spare + 3))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "..",
        "e30.e30",
        GOOD + ".",
        "." + GOOD,
        GOOD + ".e30.e30",
        f"{GOOD}=",
        f" {GOOD}",
        f"{GOOD}\n",
        GOOD.replace(".", ".\u200b", 1),
        GOOD.rpartition(".")[0] + ".",
        "é" + GOOD,
    ],
)
def test_SEC_73_only_a_compact_signed_jwt_is_read(token: str) -> None:
    with refused("format"):
        judge(token)


def test_SEC_73_base64_has_one_way_to_be_written() -> None:
    head, payload, signature = EC.token(CLAIMS).split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 64 bytes leave four bits of the last character unused.
    twin = signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]
    assert base64.urlsafe_b64decode(twin + "==") == base64.urlsafe_b64decode(signature + "==")
    with refused("format"):
        judge(f"{head}.{payload}.{twin}")
    # A single character past a group of four stands for no byte.
    with refused("format"):
        judge(f"{head}.{payload}.{signature}AAA")


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b'"text"',
        b"null",
        b"{",
        b"\xff",
        b'{"alg":"ES256","alg":"none"}',
        b'{"alg":"none","kid":"ec","\\u0061lg":"ES256"}',
        b'{"alg":"ES256","kid":"ec","x":NaN}',
        b'{"alg":"ES256","x":' + b"[" * 40 + b"]" * 40 + b"}",
    ],
)
def test_SEC_73_a_header_is_one_unambiguous_object(header: bytes) -> None:
    with refused("header"):
        judge(EC.compact(header, json.dumps(CLAIMS).encode()))


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"null",
        b"",
        b"{}}",
        json.dumps(CLAIMS)[:-1].encode() + b',"sub":"somebody-else"}',
        json.dumps(CLAIMS)[:-1].encode() + b',"x":{"a":1,"a":2}}',
        json.dumps(CLAIMS)[:-1].encode() + b',"x":"\\ud800"}',
        json.dumps(CLAIMS)[:-1].encode() + b',"x":"\\u0000"}',
        json.dumps(CLAIMS)[:-1].encode() + b',"exp":1e999}',
        json.dumps(CLAIMS).encode("utf-16"),
    ],
)
def test_SEC_73_claims_are_one_unambiguous_object(payload: bytes) -> None:
    head = {"alg": "ES256", "kid": "ec"}
    with refused("format"):
        judge(EC.compact(json.dumps(head).encode(), payload))


# The algorithm and the key


def public_material() -> list[bytes]:
    from cryptography.hazmat.primitives import serialization

    public = RSA.private.public_key()
    forms = serialization.PublicFormat
    pem = public.public_bytes(serialization.Encoding.PEM, forms.SubjectPublicKeyInfo)
    der = public.public_bytes(serialization.Encoding.DER, forms.SubjectPublicKeyInfo)
    return [pem, pem.strip(), der, json.dumps(RSA.jwk()).encode(), b"", b"client-1"]


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("secret", public_material())
def test_SEC_73_a_shared_secret_signs_nothing(algorithm: str, secret: bytes) -> None:
    token = hmac_token(secret, CLAIMS, algorithm=algorithm, kid="rsa")
    with refused("algorithm"):
        judge(token)
    with refused("algorithm"):
        # Not even where the settings, wherever they came from, say otherwise.
        judge(token, settings=replace(SETTINGS, id_token_algorithms=("RS256", algorithm)))


@pytest.mark.parametrize(
    "name",
    ["none", "None", "NONE", "nOnE", "", "rs256", "RS1", "ES256K", "RSA-OAEP", "dir", 0, None, ["RS256"], {}],
)
def test_SEC_73_only_allowed_algorithms_are_tried(name: Any) -> None:
    head = b64(json.dumps({"alg": name, "kid": "rsa"}).encode())
    _, payload, signature = RSA.token(CLAIMS).split(".")
    settings = replace(SETTINGS, id_token_algorithms=("RS256", name if isinstance(name, str) else "RS256"))
    for tried in (SETTINGS, settings):
        with refused("algorithm"):
            judge(f"{head}.{payload}.{signature}", settings=tried)


def test_SEC_73_an_unsigned_token_has_no_shape_of_a_signed_one() -> None:
    head = b64(b'{"alg":"none"}')
    with refused("format"):
        judge(f"{head}.{GOOD.split('.')[1]}.")


@pytest.mark.parametrize("algorithm", ["RS384", "PS256", "ES384", "EdDSA"])
def test_SEC_73_an_algorithm_that_the_issuer_does_not_announce_is_refused(algorithm: str) -> None:
    key = signing_key(algorithm, kid="x")
    with refused("algorithm") as caught:
        judge(key.token(CLAIMS), keys=published(key))
    assert (caught.refusal.found, caught.refusal.expected) == (algorithm, "RS256, ES256")


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": EC.jwk()},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
        {"zip": "DEF"},
        {"enc": "A128GCM"},
    ],
)
def test_SEC_73_a_header_that_brings_a_key_or_changes_the_rules_is_refused(header: dict[str, Any]) -> None:
    with refused("header"):
        judge(EC.token(CLAIMS, **header))


def test_SEC_73_a_key_that_the_token_brings_along_verifies_nothing() -> None:
    forged = signing_key("ES256", kid="ec")
    for header in ({"jwk": forged.jwk()}, {"jku": f"{ISSUER}/keys"}, {}):
        with refused("header" if header else "signature"):
            judge(forged.token(CLAIMS, **header))


@pytest.mark.parametrize("kind", ["at+jwt", "logout+jwt", "JOSE", "dpop+jwt", "", 1, None, ["JWT"]])
def test_SEC_73_a_token_made_for_another_purpose_is_refused(kind: Any) -> None:
    head = {"alg": "ES256", "kid": "ec", "typ": kind}
    with refused("header"):
        judge(EC.compact(json.dumps(head).encode(), json.dumps(CLAIMS).encode()))


@pytest.mark.parametrize("kid", [1, [], {}, True])
def test_SEC_73_a_key_id_is_text(kid: Any) -> None:
    with refused("header"):
        judge(EC.token(CLAIMS, kid=kid))


@pytest.mark.parametrize("kid", ["another", "", "EC", "ec ", "../../ec"])
def test_SEC_73_a_key_that_is_not_published_verifies_nothing(kid: str) -> None:
    with refused("unknown_key", code="oidc_jwks"):
        judge(EC.token(CLAIMS, kid=kid))


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"alg": "ES384"},
        {"alg": "HS256"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"crv": "P-384"},
    ],
)
def test_SEC_73_a_key_for_another_use_or_algorithm_verifies_nothing(changes: dict[str, Any]) -> None:
    with refused("unknown_key", code="oidc_jwks"):
        judge(GOOD, keys=published(EC.jwk(**changes)))


def test_SEC_73_a_key_of_another_type_verifies_nothing() -> None:
    with refused("unknown_key", code="oidc_jwks"):
        judge(EC.token(CLAIMS, kid="rsa"))


def test_SEC_73_one_padding_is_not_taken_for_the_other() -> None:
    pss = signing_key("PS256", kid="rsa")
    settings = replace(SETTINGS, id_token_algorithms=("RS256", "PS256"))
    keys = published(RSA.jwk(alg=None))
    assert judge(pss.token(CLAIMS), settings=settings, keys=keys)
    for key, name in ((pss, "RS256"), (RSA, "PS256")):
        with refused("signature"):
            judge(key.token(CLAIMS, alg=name), settings=settings, keys=keys)


def test_SEC_73_rsa_keys_have_at_least_2048_bits() -> None:
    weak = signing_key("RS256", kid="weak", bits=1024)
    with refused("weak_key", code="oidc_jwks") as caught:
        judge(weak.token(CLAIMS), keys=published(weak))
    assert (caught.refusal.found, caught.refusal.expected) == ("1024", "2048")


@pytest.mark.parametrize("part", [0, 1, 2])
def test_SEC_73_no_bit_of_a_token_can_be_changed(part: int) -> None:
    parts = GOOD.split(".")
    raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    for place in range(0, len(raw), 5):
        bent = bytes(raw[:place]) + bytes([raw[place] ^ 0x02]) + bytes(raw[place + 1 :])
        whole = [b64(bent) if index == part else text for index, text in enumerate(parts)]
        with pytest.raises(Exception) as caught:
            judge(".".join(whole))
        assert type(caught.value).__name__ == "OidcRefused"


@pytest.mark.parametrize(
    "signature",
    [b"", b"\0" * 64, b"\0" * 63, b"\xff" * 64, b"\0" * 63 + b"\1", b"\0" * 31 + b"\1" + b"\0" * 31 + b"\1"],
)
def test_SEC_73_signatures_of_nothing_are_refused(signature: bytes) -> None:
    head, payload, _ = GOOD.split(".")
    with refused("signature" if signature else "format"):
        judge(f"{head}.{payload}.{b64(signature)}")


def test_SEC_73_a_der_signature_is_not_one_of_jws() -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    signed = GOOD.rpartition(".")[0]
    assert isinstance(EC.private, ec.EllipticCurvePrivateKey)
    with refused("signature"):
        judge(f"{signed}.{b64(EC.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))}")


# The claims


def test_SEC_74_no_claim_is_believed_before_the_signature() -> None:
    stranger = signing_key("ES256", kid="ec")
    with refused("signature"):
        judge(stranger.token(claims(iss="https://evil.example", exp=1)))


@pytest.mark.parametrize(
    "issuer",
    [
        None,
        "",
        f"{ISSUER}/",
        ISSUER.upper(),
        f"{ISSUER}.",
        ISSUER[:-1],
        f"{ISSUER}:443",
        ISSUER.replace("https", "http"),
        [ISSUER],
        1,
        {"x": ISSUER},
        f"{ISSUER} ",
    ],
)
def test_SEC_74_the_issuer_is_the_one_that_is_pinned(issuer: Any) -> None:
    with refused("iss") as caught:
        judge(EC.token(claims(iss=issuer)))
    assert caught.refusal.expected == ISSUER
    assert caught.refusal.found == (
        issuer if isinstance(issuer, str) else "" if issuer is None else repr(issuer)
    )


@pytest.mark.parametrize(
    ("audience", "azp"),
    [
        (None, None),
        (None, "client-1"),
        ("", None),
        ("other", None),
        ("other", "client-1"),
        (["other"], "client-1"),
        ([], None),
        ("client-12", None),
        ("CLIENT-1", None),
        (["client-1", 7], None),
        ([["client-1"]], None),
        ({"client-1": 1}, None),
        (["client-1"] * 51, "client-1"),
    ],
)
def test_SEC_74_the_audience_is_us_and_an_authorized_party_does_not_replace_it(
    audience: Any, azp: Any
) -> None:
    with refused("aud") as caught:
        judge(EC.token(claims(aud=audience, azp=azp)))
    assert caught.refusal.expected == "client-1"


def test_SEC_74_without_a_client_id_of_our_own_nothing_is_for_us() -> None:
    with refused("aud"):
        judge(EC.token(claims(aud="")), settings=replace(SETTINGS, client_id=""))


@pytest.mark.parametrize(
    ("audience", "azp"),
    [
        (["client-1", "other"], None),
        (["client-1", "other"], "other"),
        ("client-1", "other"),
        ("client-1", ["client-1"]),
        ("client-1", ""),
        (["client-1", "client-1"], None),
    ],
)
def test_SEC_74_several_audiences_need_us_as_the_authorized_party(audience: Any, azp: Any) -> None:
    with refused("azp"):
        judge(EC.token(claims(aud=audience, azp=azp)))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1795348800", True, [], {}, "", "soon"])
def test_SEC_74_times_are_numbers(name: str, value: Any) -> None:
    with refused(name):
        judge(EC.token(claims(**{name: value})))


@pytest.mark.parametrize("name", ["exp", "iat"])
def test_SEC_74_times_are_there(name: str) -> None:
    with refused(name):
        judge(EC.token(claims(**{name: None})))
    with refused(name):
        judge(EC.compact(b'{"alg":"ES256","kid":"ec"}', json.dumps({**CLAIMS, name: None}).encode()))


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("exp", SECONDS - 60, "2026-11-22T11:59:00Z"),
        ("exp", SECONDS - 60.5, "2026-11-22T11:58:59Z"),
        ("exp", -1e300, "-1e+300"),
        ("exp", 0, "1970-01-01T00:00:00Z"),
        ("iat", SECONDS + 61, "2026-11-22T12:01:01Z"),
        ("iat", SECONDS - 661, "2026-11-22T11:48:59Z"),
        ("iat", 99999999999999999999, "1e+20"),
        ("nbf", SECONDS + 61, "2026-11-22T12:01:01Z"),
    ],
)
def test_SEC_74_a_token_is_of_now(name: str, value: float, found: str) -> None:
    with refused(name) as caught:
        judge(EC.token(claims(**{name: value})))
    assert caught.refusal.found == found
    assert "2026-11-22T1" in caught.refusal.expected


def test_SEC_74_the_skew_is_the_callers() -> None:
    token = EC.token(claims(exp=SECONDS - 1))
    assert judge(token)
    with refused("exp"):
        judge(token, skew=timedelta(0))


@pytest.mark.parametrize(
    "nonce",
    [None, "", "nonce-of-another-sign-in", "NONCE-OF-THIS-VERY-SIGN-IN", 1, ["nonce-of-this-very-sign-in"]],
)
def test_SEC_71_a_token_of_another_sign_in_is_refused(nonce: Any) -> None:
    with refused("nonce") as caught:
        judge(EC.token(claims(nonce=nonce)))
    assert (caught.refusal.found, caught.refusal.expected) == ("", "")


def test_SEC_71_an_empty_nonce_is_no_nonce() -> None:
    with refused("nonce"):
        judge(EC.token(claims(nonce="")), nonce="")


@pytest.mark.parametrize("subject", [None, "", "x" * 256, "a\nb", "a\x7f", "\x85", 1, ["00u1"]])
def test_SEC_74_the_subject_is_a_name(subject: Any) -> None:
    with refused("sub"):
        judge(EC.token(claims(sub=subject)))


@pytest.mark.parametrize(
    "email", [1, True, ["ada@acme.example"], {"value": "ada@acme.example"}, "a\n@b.example", "x" * 321]
)
def test_SEC_74_an_email_address_is_text(email: Any) -> None:
    with refused("email"):
        judge(EC.token(claims(email=email)))


@pytest.mark.parametrize("name", ["at_hash", "c_hash"])
@pytest.mark.parametrize("value", ["", "AAAA", at_hash(384), 1, [at_hash()]])
def test_SEC_74_hashes_are_right_where_they_are(name: str, value: Any) -> None:
    with refused(name):
        judge(EC.token(claims(**{name: value})))


def test_SEC_74_a_hash_of_what_did_not_come_is_refused() -> None:
    assert judge(EC.token(claims(at_hash=at_hash())))
    with refused("at_hash"):
        judge(EC.token(claims(at_hash=at_hash())), access_token=None)
    with refused("at_hash"):
        judge(EC.token(claims(at_hash=at_hash())), access_token=ACCESS_TOKEN + "x")
    with refused("c_hash"):
        judge(EC.token(claims(c_hash=half_hash(CODE, 256))), code=None)


@pytest.mark.parametrize("value", [None, "", "three", "ONE", ["one"], 1, {"one": 1}])
def test_SEC_74_claims_that_the_connection_asks_for_have_to_be_there(value: Any) -> None:
    settings = replace(SETTINGS, required_claims={"tid": ("one", "two")})
    assert judge(EC.token(claims(tid="two")), settings=settings)
    with refused("required_claim") as caught:
        judge(EC.token(claims(tid=value)), settings=settings)
    assert (caught.refusal.field, caught.refusal.expected) == ("tid", "one, two")


def test_SEC_74_a_required_claim_without_values_takes_none() -> None:
    with refused("required_claim"):
        judge(EC.token(claims(tid="")), settings=replace(SETTINGS, required_claims={"tid": ()}))


def test_SEC_17_a_token_taken_apart_does_not_show_itself() -> None:
    opened = read_id_token(GOOD, SETTINGS)
    assert "ada" not in repr(opened)
    assert judge_id_token(opened, SETTINGS, KEYS, nonce=NONCE, now=NOW, access_token=ACCESS_TOKEN) == CLAIMS

"""SEC-62: whatever comes, an answer comes soon, and it is a person or a named refusal."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from authio.protocols.refusals import REFUSALS
from authio.protocols.saml_response import Expected, SamlRefused, judge, judgement
from tests.support import saml_idp as idp
from tests.support.saml_idp import DS, SAML, SAMLP, XENC, encoded, signed_response
from tests.support.saml_judged import FACTS, accepted, expecting, keys, refusal

LONGEST = 0.25
LARGEST = 262_144


def outcome(posted: str | bytes, expected: Expected | None = None) -> str:
    """The code of the refusal, or nothing; an answer that takes too long is a failure."""
    started = time.process_time()
    try:
        judge(posted, expected or expecting())
        code = ""
    except SamlRefused as refused:
        code = refused.code
        assert code in REFUSALS
    assert time.process_time() - started < LONGEST
    return code


LARGE: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "deep": (lambda: b"<a>" * 30_000 + b"</a>" * 30_000, {"saml_malformed", "saml_xml_forbidden"}),
    "wide": (lambda: b"<r>" + b"<a/>" * 65_000 + b"</r>", {"saml_xml_forbidden"}),
    "attributes": (
        lambda: b"<r " + b" ".join(b'a%d="1"' % n for n in range(18_000)) + b"/>",
        {"saml_xml_forbidden"},
    ),
    "namespaces": (
        lambda: b"<r " + b" ".join(b'xmlns:a%d="u:1"' % n for n in range(14_000)) + b"/>",
        {"saml_structure"},
    ),
    "character references": (lambda: b"<r>" + b"&#65;" * 52_000 + b"</r>", {"saml_structure"}),
    "half a namespace": (lambda: b"<r>" + (b"xmlns" + b" " * 500) * 500 + b"</r>", {"saml_structure"}),
    "prefixes": (lambda: b"<r>" + (b"xmlns:" + b"a" * 90 + b" ") * 2_600 + b"</r>", {"saml_structure"}),
    "one prefix": (lambda: b"<r>" + b"xmlns:" * 43_000 + b"</r>", {"saml_xml_forbidden"}),
    "an endless reference": (lambda: b"<r>" + b"&#x" + b"f" * 260_000 + b"</r>", {"saml_xml_forbidden"}),
    "an endless declaration": (lambda: b"<?xml " + b" " * 260_000 + b"?><r/>", {"saml_xml_forbidden"}),
}


@pytest.mark.parametrize("case", LARGE)
def test_SEC_62_large_nonsense_is_refused_soon(case: str) -> None:
    build, codes = LARGE[case]
    xml = build()

    assert len(xml) <= LARGEST
    assert outcome(encoded(xml)) in codes


def _namespaces_without_end() -> etree._Element:
    """As many namespaces in scope as a message can have, then as many elements as it can hold."""
    root = idp.response(FACTS)
    place = etree.Element(f"{SAMLP}Extensions")
    root.insert(1, place)
    for depth in range(28):
        nsmap = {f"p{depth}_{n}": f"u:{depth}_{n}" for n in range(64)}
        place = etree.SubElement(place, f"{{urn:x{depth}}}e", nsmap=nsmap)
        for n in range(64):
            place.set(f"{{u:{depth}_{n}}}a", "")
    for _ in range(9_000):
        etree.SubElement(place, "{urn:x0}e")
    idp.sign(root)
    return root


def _many_groups() -> etree._Element:
    return signed_response(idp.Facts(attributes={"email": ["ann@acme.example"], "g": ["group"] * 3_900}))


def _one_long_value() -> etree._Element:
    return signed_response(idp.Facts(attributes={"email": ["ann@acme.example"], "g": ["x" * 200_000]}))


@pytest.mark.parametrize("build", [_namespaces_without_end, _many_groups, _one_long_value])
def test_SEC_62_large_messages_that_are_good_are_judged_soon(build: Callable[[], etree._Element]) -> None:
    assert outcome(encoded(build())) == ""


def test_SEC_62_many_keys_are_tried_soon() -> None:
    several = tuple(keys().verifying(idp.signer(f"key {n}").pem) for n in range(10))
    posted = encoded(signed_response())
    assert outcome(posted, expecting(certificates=several)) == "saml_signature_invalid"

    root = signed_response(sign_what=("assertion",))
    root.replace(root[-1], idp.encrypt(root[-1], idp.signer("other sp")))
    key_info = root[-1].find(f"{XENC}EncryptedData/{DS}KeyInfo")
    for _ in range(3):
        key_info.append(etree.fromstring(etree.tostring(key_info[0])))
    for _ in range(4):
        root[-1].append(etree.fromstring(etree.tostring(key_info[0])))
    ours = tuple(idp.signer(f"sp {n}").key for n in range(4))
    assert outcome(encoded(root), expecting(decryption_keys=ours)) == "saml_decrypt"


def test_SEC_62_the_gates_stand_before_all_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    def touched(*args: object, **named: object) -> None:
        raise AssertionError("cryptography before the gates")

    monkeypatch.setattr(judgement, "verify", touched)
    root = signed_response()
    etree.SubElement(root[-1], "{urn:x}y")

    assert refusal(root).code == "saml_structure"


@pytest.mark.parametrize("failure", [etree.LxmlError("x"), RecursionError(), OverflowError()])
def test_SEC_62_what_a_library_raises_stays_inside(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def failing(*args: object, **named: object) -> None:
        raise failure

    monkeypatch.setattr(judgement, "verify", failing)

    assert refusal(signed_response()).code == "saml_malformed"


def test_SEC_62_a_key_is_loaded_once() -> None:
    first = keys().verifying(idp.signer().pem)

    assert keys().verifying(idp.signer().pem) is first
    assert keys().private(idp.signer("sp").private_pem) is keys().private(idp.signer("sp").private_pem)


# -- anything at all ----------------------------------------------------------------------------------

GOOD = etree.tostring(signed_response())
TAGS = (b"samlp:Response", b"saml:Assertion", b"saml:Issuer", b"saml:Subject", b"ds:Signature")
WORDS = (
    *(b"<" + tag + b">" for tag in TAGS),
    *(b"</" + tag + b">" for tag in TAGS),
    b'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0">',
    b'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"',
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<?xml version='1.0' encoding='utf-8'?>",
    b"&#0;",
    b"&amp;",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
    b"/>",
    b'"',
    b"\xff",
    b"\x00",
    b" ",
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_in_the_field_are_refused_by_name(posted: bytes) -> None:
    assert outcome(posted) in {"saml_malformed", "saml_xml_forbidden", "saml_structure"}


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_in_the_field_is_refused_by_name(posted: str) -> None:
    assert outcome(posted) in {"saml_malformed", "saml_xml_forbidden", "saml_structure"}


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=8)), max_size=40))
def test_any_pieces_of_xml_are_refused_by_name(pieces: list[bytes]) -> None:
    assert outcome(base64.b64encode(b"".join(pieces))) in {
        "saml_malformed",
        "saml_xml_forbidden",
        "saml_structure",
    }


@settings(max_examples=800, deadline=None)
@given(
    at=st.integers(0, len(GOOD)),
    gone=st.integers(0, 200),
    put=st.one_of(
        st.binary(max_size=12), st.sampled_from(WORDS), st.sampled_from([SAML.encode(), DS.encode()])
    ),
)
def test_any_piece_of_a_good_message_may_be_replaced(at: int, gone: int, put: bytes) -> None:
    """Whatever is accepted after that says what it said before."""
    xml = GOOD[:at] + put + GOOD[at + gone :]
    if outcome(encoded(xml)) == "":
        assert accepted(xml).attributes == accepted(GOOD).attributes
        assert accepted(xml).name_id == FACTS.name_id


@settings(max_examples=300, deadline=None)
@given(
    name=st.text(min_size=1, max_size=256).filter(lambda text: text == text.strip() and text.isprintable()),
    values=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=50), max_size=5
    ),
)
def test_what_people_are_called_comes_through_whole(name: str, values: list[str]) -> None:
    sayable = [value for value in values if "\ufffe" not in value and "\uffff" not in value]
    root = signed_response(idp.Facts(name_id=name, attributes={"email": ["a@b"], "x": sayable}))
    judged = accepted(root)

    assert judged.name_id == name
    assert list(judged.attributes["x"]) == sayable

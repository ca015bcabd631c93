"""SEC-43, 44, 47: a signed part is moved aside and another one takes its place, in every known shape.

What was signed stays whole somewhere in the message, with its signature copied, so that a verifier that
looks it up by its id finds it good. Eight shapes, for responses and assertions, with the signature first, in
its place and last, and with a new id, the same id or none at what is read.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import xmlsec
from lxml import etree

from authio.protocols.saml_response import read_response
from tests.support import saml_idp as idp
from tests.support.saml_idp import DS, SAML, SAMLP, SIGNATURE, encoded, signed_response
from tests.support.saml_judged import MALLORY, refusal

LEVELS = ("response", "assertion")
SHAPES = (
    "in the signature",
    "in front of the signature",
    "in front",
    "inside, last",
    "at the end of the message",
    "in the key info",
    "in extensions or advice",
    "in an object of the signature",
)
POSITIONS = ("first", "in place", "last")
IDS = ("new", "same", "none")


def forged(level: str, shape: str, position: str, id_: str) -> etree._Element:
    """A message in which somebody else is named, and what was signed is kept aside."""
    root = signed_response(sign_what=(level,))
    original = root if level == "response" else root[-1]
    evil = copy.deepcopy(original)
    signature = evil.find(SIGNATURE)
    evil.remove(signature)
    evil.find(f".//{SAML}NameID").text = MALLORY
    if id_ == "none":
        del evil.attrib["ID"]
    elif id_ == "new":
        evil.set("ID", "_evil")
        if level == "response":
            evil[-1].set("ID", "_evil-assertion")
    kept = copy.deepcopy(original)
    if shape != "in front of the signature":
        kept.remove(kept.find(SIGNATURE))
    evil.insert({"first": 0, "in place": 1, "last": len(evil)}[position], signature)
    top = evil
    if level == "assertion":
        root.replace(original, evil)
        top = root
    _keep(kept, shape, evil=evil, top=top, signature=signature)
    return top


def _keep(
    kept: etree._Element, shape: str, *, evil: etree._Element, top: etree._Element, signature: etree._Element
) -> None:
    if shape == "in front" and top is not evil:
        evil.addprevious(kept)
        return
    places = {
        "in the signature": signature,
        "in front": evil,
        "inside, last": evil,
        "at the end of the message": top,
        "in the key info": signature.find(f"{DS}KeyInfo"),
        "in front of the signature": evil,
    }
    position = {"in front": 0, "in front of the signature": evil.index(signature)}
    if shape == "in an object of the signature":
        place = etree.SubElement(signature, f"{DS}Object")
    elif shape == "in extensions or advice":
        tag, before = (
            (f"{SAMLP}Extensions", f"{SAMLP}Status")
            if top is evil
            else (f"{SAML}Advice", f"{SAML}AuthnStatement")
        )
        place = etree.Element(tag)
        evil.find(before).addprevious(place)
    else:
        place = places[shape]
    place.insert(position.get(shape, len(place)), kept)


def every() -> Iterator[tuple[str, str, str, str]]:
    for level in LEVELS:
        for shape in SHAPES:
            for position in POSITIONS:
                for id_ in IDS:
                    yield level, shape, position, id_


@pytest.mark.parametrize(("level", "shape", "position", "id_"), list(every()))
def test_SEC_43_a_signed_part_that_was_moved_aside_helps_nobody(
    level: str, shape: str, position: str, id_: str
) -> None:
    refused = refusal(forged(level, shape, position, id_))
    assert refused.code in ("saml_structure", "saml_signature_invalid")


@pytest.mark.parametrize("level", LEVELS)
def test_SEC_43_the_forgeries_are_such_as_a_lenient_verifier_takes(level: str) -> None:
    """Looked up by id, the part that was moved is still signed: xmlsec says so of these very messages."""
    taken = 0
    for shape in SHAPES:
        root = etree.fromstring(etree.tostring(forged(level, shape, "in place", "new")))
        xmlsec.tree.add_ids(root, ["ID"])
        signature = next(root.iter(SIGNATURE))
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(idp.signer().pem, xmlsec.constants.KeyDataFormatCertPem)
        try:
            context.verify(signature)
        except xmlsec.Error:
            continue
        taken += 1

    assert taken >= 4


def test_SEC_43_no_wrapping_passes_the_gates() -> None:
    """They fall before any cryptography, but for those that only move the signature's own parts."""
    past = []
    for case in every():
        try:
            read_response(encoded(forged(*case)))
        except Exception:  # noqa: BLE001 - which refusal it is, the test above looks at
            continue
        past.append(case)

    assert past == []


@pytest.mark.parametrize("at", ["response", "assertion"])
def test_SEC_47_two_good_assertions_of_different_people_are_not_mixed(at: str) -> None:
    """Both were signed by the right key; one person's response carries the other's assertion."""
    mine = signed_response(idp.Facts(name_id="ann@acme.example"), sign_what=(at,))
    yours = signed_response(idp.Facts(name_id="bob@acme.example"), sign_what=(at,))
    if at == "response":
        mine.replace(mine[-1], yours[-1])
        assert refusal(mine).code == "saml_signature_invalid"
    else:
        subject = yours[-1].find(f"{SAML}Subject")
        mine[-1].replace(mine[-1].find(f"{SAML}Subject"), subject)
        assert refusal(mine).code == "saml_signature_invalid"

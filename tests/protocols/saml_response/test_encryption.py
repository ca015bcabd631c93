"""SEC-49: what is encrypted is decrypted once, gated like what comes plain, and believed only if signed."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from authio.protocols.saml_response import Expected, Judged, SamlRefused
from tests.support import saml_idp as idp
from tests.support.saml_idp import DS, SAML, SAMLP, XENC, XENC11, Sealing, encrypt, signed_response
from tests.support.saml_judged import FACTS, MALLORY, accepted, expecting, refusal

_XENC = "http://www.w3.org/2001/04/xmlenc#"
_XENC11 = "http://www.w3.org/2009/xmlenc11#"
_SHA = {
    "sha1": "http://www.w3.org/2000/09/xmldsig#sha1",
    "sha256": _XENC + "sha256",
    "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "sha512": _XENC + "sha512",
}
CBC = Sealing(content=_XENC + "aes128-cbc")


def holding(*names: str, **changes: Any) -> Expected:
    """A connection that has those keys for decryption."""
    loaded = []
    for name in names or ("sp",):
        key = idp.signer(name).key
        assert isinstance(key, rsa.RSAPrivateKey)
        loaded.append(key)
    return expecting(decryption_keys=tuple(loaded), **changes)


def sealed(
    *,
    to: str = "sp",
    sealing: Sealing | None = None,
    inner: bool = True,
    outer: bool = False,
    plain: Callable[[etree._Element], etree._Element | bytes] | None = None,
    facts: idp.Facts = FACTS,
) -> etree._Element:
    """A response whose assertion is signed, then encrypted, then signed with the response, as asked."""
    root = signed_response(facts, sign_what=("assertion",) if inner else ())
    assertion = root[-1]
    root.replace(assertion, encrypt(plain(assertion) if plain else assertion, idp.signer(to), sealing))
    if outer:
        idp.sign(root)
    return root


@pytest.mark.parametrize("content", ["aes128-gcm", "aes192-gcm", "aes256-gcm"])
@pytest.mark.parametrize("key_beside", [False, True])
@pytest.mark.parametrize(
    ("transport", "digest", "mask"),
    [
        (_XENC + "rsa-oaep-mgf1p", None, None),
        (_XENC + "rsa-oaep-mgf1p", "sha1", None),
        (_XENC + "rsa-oaep-mgf1p", "sha256", None),
        (_XENC11 + "rsa-oaep", None, None),
        (_XENC11 + "rsa-oaep", "sha256", "mgf1sha256"),
        (_XENC11 + "rsa-oaep", "sha1", "mgf1sha256"),
        (_XENC11 + "rsa-oaep", "sha512", "mgf1sha1"),
    ],
)
def test_SEC_49_oaep_and_gcm_are_decrypted(
    content: str, key_beside: bool, transport: str, digest: str | None, mask: str | None
) -> None:
    how = Sealing(
        content=_XENC11 + content,
        transport=transport,
        digest=_SHA[digest] if digest else None,
        mask=_XENC11 + mask if mask else None,
        key_beside=key_beside,
    )
    judged = accepted(sealed(sealing=how), holding())

    assert judged.was_encrypted
    assert judged.name_id == FACTS.name_id
    assert judged.signed == ("assertion",)


def test_SEC_49_a_response_may_be_signed_over_what_is_encrypted() -> None:
    assert accepted(sealed(outer=True), holding()).signed == ("response", "assertion")
    assert accepted(sealed(outer=True, inner=False), holding()).signed == ("response",)

    refused = refusal(sealed(outer=True, inner=False), holding(require_both=True))
    assert refused.code == "saml_signature_missing"


def test_SEC_49_a_stranger_who_encrypts_to_us_signs_nobody_in() -> None:
    """Our key for encryption is public: that something is encrypted says nothing about who did it."""
    assert refusal(sealed(inner=False), holding()).code == "saml_signature_missing"

    root = signed_response(idp.Facts(name_id=MALLORY), by=idp.signer("stranger"), sign_what=("assertion",))
    root.replace(root[-1], encrypt(root[-1], idp.signer("sp")))
    assert refusal(root, holding()).code == "saml_signature_invalid"


def test_SEC_49_a_stranger_s_assertion_in_a_signed_response_breaks_its_signature() -> None:
    root = sealed(outer=True)
    root.replace(root[-1], encrypt(idp.assertion(idp.Facts(name_id=MALLORY)), idp.signer("sp")))

    assert refusal(root, holding()).code == "saml_signature_invalid"


def test_SEC_49_without_a_key_nothing_is_decrypted() -> None:
    assert refusal(sealed()).code == "saml_decrypt"


def test_SEC_49_what_is_encrypted_to_somebody_else_stays_so() -> None:
    assert refusal(sealed(to="other sp"), holding()).code == "saml_decrypt"


def test_SEC_49_a_key_that_is_being_replaced_still_decrypts() -> None:
    assert accepted(sealed(to="sp"), holding("new sp", "sp")).name_id == FACTS.name_id


def _damaged(path: str, bend: Callable[[bytes], bytes]) -> etree._Element:
    root = sealed()
    value = root.find(path)
    value.text = base64.b64encode(bend(base64.b64decode(value.text))).decode()
    return root


_DATA = f".//{XENC}EncryptedData/{XENC}CipherData/{XENC}CipherValue"
_KEY = f".//{XENC}EncryptedKey/{XENC}CipherData/{XENC}CipherValue"


@pytest.mark.parametrize("path", [_DATA, _KEY])
@pytest.mark.parametrize(
    "bend",
    [
        lambda octets: bytes([octets[0] ^ 1]) + octets[1:],
        lambda octets: octets[:-1] + bytes([octets[-1] ^ 1]),
        lambda octets: octets[:-1],
        lambda octets: octets + b"\x00",
        lambda octets: b"",
        lambda octets: octets[:12],
        lambda octets: octets[:28],
        lambda octets: bytes(256),
        lambda octets: b"\xff" * 256,
    ],
)
def test_SEC_49_there_is_one_way_to_fail(path: str, bend: Callable[[bytes], bytes]) -> None:
    refused = refusal(_damaged(path, bend), holding())

    assert (refused.code, refused.because, refused.found) == ("saml_decrypt", "", "")


@pytest.mark.parametrize("path", [_DATA, _KEY])
@pytest.mark.parametrize("text", ["", "!", "AAA", None])
def test_SEC_49_a_value_that_is_not_base64_fails_the_same_way(path: str, text: str | None) -> None:
    root = sealed()
    root.find(path).text = text

    assert refusal(root, holding()).code == "saml_decrypt"


def test_SEC_49_a_content_key_of_another_length_fails_the_same_way() -> None:
    root = sealed()
    root.find(f".//{XENC}EncryptedData/{XENC}EncryptionMethod").set("Algorithm", _XENC11 + "aes128-gcm")

    assert refusal(root, holding()).code == "saml_decrypt"


@pytest.mark.parametrize("transport", ["rsa-1_5", "rsa-oaep", "kw-aes128", "dh", ""])
def test_SEC_49_keys_are_wrapped_by_oaep_only(transport: str) -> None:
    wrong = Sealing(transport=_XENC + transport)

    assert refusal(sealed(sealing=wrong), holding()).code == "saml_algorithm_forbidden"


@pytest.mark.parametrize("content", ["tripledes-cbc", "kw-aes256", "aes512-gcm", ""])
def test_SEC_49_contents_are_encrypted_by_aes_only(content: str) -> None:
    root = sealed()
    root.find(f".//{XENC}EncryptedData/{XENC}EncryptionMethod").set("Algorithm", _XENC + content)

    assert refusal(root, holding()).code == "saml_algorithm_forbidden"


def test_SEC_49_the_older_oaep_has_one_mask() -> None:
    how = Sealing(mask=_XENC11 + "mgf1sha256")
    assert refusal(sealed(sealing=how), holding()).code == "saml_algorithm_forbidden"

    unknown = sealed(sealing=Sealing(transport=_XENC11 + "rsa-oaep", mask=_XENC11 + "mgf1sha256"))
    unknown.find(f".//{XENC11}MGF").set("Algorithm", _XENC11 + "mgf1md5")
    assert refusal(unknown, holding()).code == "saml_algorithm_forbidden"


def _reference(root: etree._Element) -> None:
    data = root.find(f".//{XENC}EncryptedData/{XENC}CipherData")
    data.remove(data[0])
    etree.SubElement(data, f"{XENC}CipherReference", URI="http://127.0.0.1:1/")


def _retrieval(root: etree._Element) -> None:
    info = root.find(f".//{XENC}EncryptedData/{DS}KeyInfo")
    etree.SubElement(info, f"{DS}RetrievalMethod", URI="#key")


def _five_keys(root: etree._Element) -> None:
    info = root.find(f".//{XENC}EncryptedData/{DS}KeyInfo")
    for _ in range(4):
        info.append(etree.fromstring(etree.tostring(info[0])))


def _properties(root: etree._Element) -> None:
    etree.SubElement(root.find(f".//{XENC}EncryptedData"), f"{XENC}EncryptionProperties")


def _parameters(root: etree._Element) -> None:
    method = root.find(f".//{XENC}EncryptedKey/{XENC}EncryptionMethod")
    etree.SubElement(method, f"{XENC}OAEPparams").text = "AAAA"


def _unsealed(root: etree._Element) -> None:
    etree.SubElement(root[-1], f"{XENC}EncryptedKey")


@pytest.mark.parametrize("bend", [_reference, _retrieval, _five_keys, _properties, _parameters, _unsealed])
def test_SEC_49_nothing_is_fetched_and_nothing_is_out_of_proportion(bend: idp.Bend) -> None:
    root = sealed()
    bend(root)

    assert refusal(root, holding()).code == "saml_structure"


def _twice(assertion: etree._Element) -> bytes:
    return etree.tostring(assertion) * 2


def _text_behind(assertion: etree._Element) -> bytes:
    return etree.tostring(assertion) + b" x"


def _commented(assertion: etree._Element) -> bytes:
    return etree.tostring(assertion).replace(b"ann@acme.example", b"ann@acme.example<!---->.evil.example", 1)


def _with_doctype(assertion: etree._Element) -> bytes:
    return b"<!DOCTYPE x>" + etree.tostring(assertion)


def _nested(assertion: etree._Element) -> etree._Element:
    return encrypt(assertion, idp.signer("sp"))


def _sealed_subject(assertion: etree._Element) -> etree._Element:
    subject = assertion.find(f"{SAML}Subject")
    subject[0] = encrypt(subject[0], idp.signer("sp"))
    return assertion


def _with_the_outer_id(assertion: etree._Element) -> etree._Element:
    assertion.set("ID", FACTS.response_id)
    return assertion


def _advised(assertion: etree._Element) -> etree._Element:
    advice = etree.Element(f"{SAML}Advice")
    advice.append(idp.assertion(idp.Facts(assertion_id="_assertion-2")))
    assertion.find(f"{SAML}Conditions").addnext(advice)
    return assertion


def _breaking_out(assertion: etree._Element) -> bytes:
    return b"</around><around>" + etree.tostring(assertion)


BAD_INSIDES: dict[str, tuple[Callable[[etree._Element], Any], str]] = {
    "two assertions": (_twice, "saml_structure"),
    "text behind": (_text_behind, "saml_structure"),
    "a comment": (_commented, "saml_xml_forbidden"),
    "a document type": (_with_doctype, "saml_xml_forbidden"),
    "encrypted again": (_nested, "saml_structure"),
    "an encrypted subject": (_sealed_subject, "saml_structure"),
    "an id of the response": (_with_the_outer_id, "saml_structure"),
    "another assertion": (_advised, "saml_structure"),
    "a response": (lambda assertion: idp.response(FACTS), "saml_structure"),
    "a NameID": (lambda assertion: etree.tostring(etree.Element(f"{SAML}Audience")), "saml_structure"),
    "no XML": (lambda assertion: b"hello", "saml_structure"),
    "broken XML": (lambda assertion: etree.tostring(assertion)[:-3], "saml_malformed"),
    "out of its place": (_breaking_out, "saml_malformed"),
    "not UTF-8": (lambda assertion: b"\xff", "saml_malformed"),
    "blanks": (lambda assertion: b" ", "saml_structure"),
}


@pytest.mark.parametrize("case", BAD_INSIDES)
def test_SEC_49_what_is_decrypted_passes_the_gates_again(case: str) -> None:
    plain, code = BAD_INSIDES[case]

    assert refusal(sealed(plain=plain, outer=True), holding()).code == code


@pytest.mark.parametrize("content", ["aes128-cbc", "aes192-cbc", "aes256-cbc"])
def test_SEC_49_cbc_is_only_for_connections_switched_to_it(content: str) -> None:
    how = Sealing(content=_XENC + content)

    assert refusal(sealed(sealing=how), holding()).code == "saml_algorithm_forbidden"
    assert accepted(sealed(sealing=how), holding(allow_cbc=True)).name_id == FACTS.name_id


@pytest.mark.parametrize("case", BAD_INSIDES)
def test_SEC_49_cbc_fails_in_one_way_whatever_is_inside(case: str) -> None:
    """Without a check on the ciphertext, the difference between two refusals would be an oracle."""
    plain, _ = BAD_INSIDES[case]
    refused = refusal(sealed(plain=plain, sealing=CBC), holding(allow_cbc=True))

    assert (refused.code, refused.because, refused.found) == ("saml_decrypt", "", "")


def test_SEC_49_cbc_fails_in_one_way_whatever_is_damaged() -> None:
    seen = set()
    for position in (0, 15, 16, 31, 40, -33, -17, -16, -2, -1):
        root = sealed(sealing=CBC)
        value = root.find(_DATA)
        octets = bytearray(base64.b64decode(value.text))
        octets[position] ^= 0x55
        value.text = base64.b64encode(octets).decode()
        refused = refusal(root, holding(allow_cbc=True))
        seen.add((refused.code, refused.because, refused.found, refused.expected))

    assert seen == {("saml_decrypt", "", "", "")}
    for octets in (b"", os.urandom(16), os.urandom(31), os.urandom(32), os.urandom(33)):
        root = sealed(sealing=CBC)
        root.find(_DATA).text = base64.b64encode(octets).decode()
        assert refusal(root, holding(allow_cbc=True)).code == "saml_decrypt"


def test_SEC_49_cbc_says_nothing_of_an_unsigned_or_foreign_inside() -> None:
    assert refusal(sealed(sealing=CBC, inner=False), holding(allow_cbc=True)).code == "saml_decrypt"

    root = signed_response(by=idp.signer("stranger"), sign_what=("assertion",))
    root.replace(root[-1], encrypt(root[-1], idp.signer("sp"), CBC))
    assert refusal(root, holding(allow_cbc=True)).code == "saml_decrypt"


def test_SEC_49_gcm_keeps_its_reasons_where_cbc_is_allowed_as_well() -> None:
    assert refusal(sealed(inner=False), holding(allow_cbc=True)).code == "saml_signature_missing"


def test_SEC_49_an_outer_signature_is_verified_before_anything_is_decrypted() -> None:
    root = sealed(outer=True)
    root.set("Consent", "x")

    class Untouched:
        def decrypt(self, *args: object) -> bytes:
            raise AssertionError("a key was used")

    expected = expecting(decryption_keys=(Untouched(),))
    assert refusal(root, expected).code == "saml_signature_invalid"


def test_an_assertion_may_use_the_namespaces_around_it() -> None:
    """Encryption takes the text of an element, and some do not write its namespaces into it."""
    root = signed_response(sign_what=("assertion",))
    text = etree.tostring(root[-1])
    bare = text
    for prefix, uri in root.nsmap.items():
        bare = bare.replace(f' xmlns:{prefix}="{uri}"'.encode(), b"", 1)
    assert b"xmlns:saml=" not in bare
    root.replace(root[-1], encrypt(bare, idp.signer("sp")))

    assert accepted(root, holding()).name_id == FACTS.name_id


# -- encrypted subjects -------------------------------------------------------------------------------


def _seal_subject(to: str = "sp", plain: bytes | None = None, sealing: Sealing | None = None) -> idp.Bend:
    def before(root: etree._Element) -> None:
        subject = root[-1].find(f"{SAML}Subject")
        sealed_id = encrypt(subject[0] if plain is None else plain, idp.signer(to), sealing)
        sealed_id.tag = f"{SAML}EncryptedID"
        subject[0] = sealed_id

    return before


def test_SEC_49_an_encrypted_subject_is_decrypted() -> None:
    judged = accepted(signed_response(before=_seal_subject()), holding())

    assert (judged.name_id, judged.name_id_format) == (FACTS.name_id, idp.EMAIL)
    assert judged.was_encrypted


def test_SEC_49_an_encrypted_subject_is_believed_only_if_it_is_signed() -> None:
    assert refusal(signed_response(after=_seal_subject()), holding()).code == "saml_signature_invalid"
    root = signed_response(before=_seal_subject(), sign_what=())
    assert refusal(root, holding()).code == "saml_signature_missing"


def test_SEC_49_an_encrypted_subject_fails_as_assertions_do() -> None:
    def code(bend: idp.Bend, expected: Expected) -> str:
        return refusal(signed_response(before=bend), expected).code

    assert code(_seal_subject(), expecting()) == "saml_decrypt"
    assert code(_seal_subject("other sp"), holding()) == "saml_decrypt"
    assert code(_seal_subject(sealing=CBC), holding()) == "saml_algorithm_forbidden"
    other = etree.tostring(idp.assertion(FACTS))
    assert code(_seal_subject(plain=other), holding()) == "saml_structure"
    empty = f'<saml:NameID xmlns:saml="{SAML[1:-1]}"/>'.encode()
    assert code(_seal_subject(plain=empty), holding()) == "saml_subject"
    inside = f'<saml:NameID xmlns:saml="{SAML[1:-1]}">a<b/></saml:NameID>'.encode()
    assert code(_seal_subject(plain=inside), holding()) == "saml_structure"


def test_SEC_49_no_refusal_says_what_was_inside() -> None:
    secret = "secret-of-the-assertion"

    def named(assertion: etree._Element) -> etree._Element:
        for value in assertion.iter(f"{SAML}AttributeValue"):
            value.text = secret
        return assertion

    for build in (sealed(plain=named), sealed(plain=named, sealing=CBC), sealed(plain=named, inner=False)):
        try:
            outcome: Judged | SamlRefused = accepted(build, holding(allow_cbc=True))
        except SamlRefused as refused:
            outcome = refused
        assert isinstance(outcome, SamlRefused)
        assert secret not in f"{outcome} {outcome.found} {outcome.expected} {outcome.because}"
    assert SAMLP in sealed().tag

"""SEC-44 to 48: which signatures there may be, whose they have to be, and what is read from under them."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from authio.protocols.saml_response import UNKNOWN_KEY, judge, judgement, read_response, signature
from tests.support import saml_idp as idp
from tests.support.saml_idp import DS, EC, SAML, SAMLP, SIGNATURE, Method, encoded, signed_response
from tests.support.saml_judged import FACTS, MALLORY, accepted, expecting, keys, refusal

MORE = "http://www.w3.org/2001/04/xmldsig-more#"
PSS = "http://www.w3.org/2007/05/xmldsig-more#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
OLD = "http://www.w3.org/2000/09/xmldsig#"
BOTH = ("response", "assertion")


def bent(bend: idp.Bend, path: str = "assertion", **how: object) -> etree._Element:
    """A signed response, with the signature of that element bent afterwards."""

    def after(root: etree._Element) -> None:
        bend((root if path == "response" else root[-1]).find(SIGNATURE))

    return signed_response(sign_what=(path,), after=after, **how)  # type: ignore[arg-type]


# -- what may be signed, and how ---------------------------------------------------------------------


@pytest.mark.parametrize("what", [("response",), ("assertion",), BOTH])
@pytest.mark.parametrize("prefixes", [None, "", "xs", "xs saml #default", "samlp saml xs missing"])
def test_SEC_44_response_assertion_or_both_are_signed(what: tuple[str, ...], prefixes: str | None) -> None:
    judged = accepted(signed_response(sign_what=what, method=Method(prefixes=prefixes)))

    assert judged.signed == what
    assert judged.name_id == FACTS.name_id


@pytest.mark.parametrize("what", [("response",), ("assertion",), BOTH])
def test_SEC_44_a_response_without_issuer_has_its_signature_first(what: tuple[str, ...]) -> None:
    root = signed_response(sign_what=what, before=lambda root: root.remove(root[0]))
    assert accepted(root).signed == what


@pytest.mark.parametrize("layout", ["\n", "\n  ", "\r\n\t"])
def test_SEC_44_blanks_around_a_signature_belong_to_what_is_signed(layout: str) -> None:
    def spread(root: etree._Element) -> None:
        for element in (root, root[-1]):
            element.text = layout
            for child in element:
                child.tail = layout

    root = signed_response(before=spread)
    for made in root.iter(SIGNATURE):
        made.tail = layout  # not what was signed: one blank more than there was
    assert refusal(root).code == "saml_signature_invalid"

    assert accepted(signed_response(before=spread)).name_id == FACTS.name_id


def _move(path: str, position: int) -> idp.Bend:
    def after(root: etree._Element) -> None:
        parent = root if path == "response" else root[-1]
        signature = parent.find(SIGNATURE)
        parent.remove(signature)
        parent.insert(position if position >= 0 else len(parent), signature)

    return after


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize("position", [0, 2, 3, -1])
def test_SEC_44_a_signature_stands_right_behind_the_issuer(path: str, position: int) -> None:
    root = signed_response(sign_what=(path,), after=_move(path, position))
    assert refusal(root).code in ("saml_signature_invalid", "saml_structure")


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize("where", ["beside", "in front"])
def test_SEC_44_an_element_has_one_signature(path: str, where: str) -> None:
    def after(root: etree._Element) -> None:
        parent = root if path == "response" else root[-1]
        signature = parent.find(SIGNATURE)
        parent.insert(parent.index(signature) + (where == "beside"), copy.deepcopy(signature))

    assert refusal(signed_response(sign_what=(path,), after=after)).code == "saml_signature_invalid"


@pytest.mark.parametrize(
    "path",
    [f".//{SAML}Subject", f".//{SAML}Conditions", f".//{SAML}AttributeValue", f"{SAMLP}Status", "Extensions"],
)
def test_SEC_44_nothing_else_has_a_signature(path: str) -> None:
    def before(root: etree._Element) -> None:
        donor = signed_response()
        if path == "Extensions":
            root.insert(1, etree.Element(f"{SAMLP}Extensions"))
        place = root[1] if path == "Extensions" else root.find(path)
        etree.SubElement(place, "{urn:x}y") if path == "Extensions" else None
        (place[0] if path == "Extensions" else place).append(donor.find(SIGNATURE))

    assert refusal(signed_response(before=before)).code == "saml_signature_invalid"


@pytest.mark.parametrize(
    "name", ["SignedInfo", "SignatureValue", "CanonicalizationMethod", "SignatureMethod", "Reference"]
)
@pytest.mark.parametrize("bend", ["twice", "missing", "child", "attribute"])
def test_SEC_44_a_signature_is_built_of_its_parts_once(name: str, bend: str) -> None:
    def after(made: etree._Element) -> None:
        part = made.find(f".//{DS}{name}")
        if bend == "twice":
            part.addnext(copy.deepcopy(part))
        elif bend == "missing":
            part.getparent().remove(part)
        elif bend == "child":
            etree.SubElement(part, "{urn:x}y")
        else:
            part.set("Unknown", "x")

    assert refusal(bent(after)).code == "saml_signature_invalid"


@pytest.mark.parametrize("name", ["Transforms", "DigestMethod", "DigestValue"])
@pytest.mark.parametrize("bend", ["twice", "missing"])
def test_SEC_44_a_reference_is_built_of_its_parts_once(name: str, bend: str) -> None:
    def after(made: etree._Element) -> None:
        part = made.find(f".//{DS}{name}")
        if bend == "twice":
            part.addnext(copy.deepcopy(part))
        else:
            part.getparent().remove(part)

    assert refusal(bent(after)).code == "saml_signature_invalid"


def test_SEC_44_a_signature_holds_no_object() -> None:
    assert refusal(bent(lambda made: etree.SubElement(made, f"{DS}Object"))).code == "saml_signature_invalid"


@pytest.mark.parametrize(
    "uri", ["", "#", "#_other", "_assertion-1", "#xpointer(/)", "#xpointer(id('_assertion-1'))"]
)
@pytest.mark.parametrize("path", BOTH)
def test_SEC_44_the_reference_is_to_the_element_around_it(uri: str, path: str) -> None:
    """Signed so by the right key: what is refused is the address."""
    refused = refusal(signed_response(sign_what=(path,), method=Method(uri=uri)))
    assert refused.code == "saml_signature_invalid"


def test_SEC_44_a_reference_has_an_address() -> None:
    def after(made: etree._Element) -> None:
        made.find(f".//{DS}Reference").attrib.pop("URI")

    assert refusal(bent(after)).code == "saml_signature_invalid"


def test_SEC_44_the_signature_of_the_assertion_does_not_stand_for_the_response() -> None:
    root = signed_response(sign_what=("assertion",))
    root.insert(1, root[-1].find(SIGNATURE))

    assert refusal(root).code == "saml_signature_invalid"


@pytest.mark.parametrize(
    "transforms",
    [
        (idp.ENVELOPED,),
        (idp.EXCLUSIVE,),
        (idp.EXCLUSIVE, idp.ENVELOPED),
        (idp.ENVELOPED, idp.ENVELOPED),
        (idp.EXCLUSIVE, idp.EXCLUSIVE),
        (idp.ENVELOPED, idp.EXCLUSIVE, idp.EXCLUSIVE),
        (),
    ],
)
def test_SEC_44_there_are_two_transforms_in_one_order(transforms: tuple[str, ...]) -> None:
    assert refusal(signed_response(method=Method(transforms=transforms))).code == "saml_signature_invalid"


@pytest.mark.parametrize(
    "transform",
    [
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/2000/09/xmldsig#base64",
        "http://www.w3.org/2001/10/xml-exc-c14n",
        "",
    ],
)
def test_SEC_44_other_transforms_are_forbidden(transform: str) -> None:
    method = Method(transforms=(idp.ENVELOPED, transform))
    assert refusal(signed_response(method=method)).code == "saml_algorithm_forbidden"

    method = Method(canonicalization=transform)
    assert refusal(signed_response(method=method)).code == "saml_algorithm_forbidden"


def test_SEC_44_a_forbidden_transform_is_named_before_what_is_in_it() -> None:
    def after(made: etree._Element) -> None:
        transform = made.find(f".//{DS}Transform")
        transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
        etree.SubElement(transform, "{http://www.w3.org/1999/XSL/Transform}stylesheet")

    assert refusal(bent(after)).code == "saml_algorithm_forbidden"


@pytest.mark.parametrize("prefixes", [" ".join(f"p{n}" for n in range(33)), "a" * 70, "x:y", "é", '"'])
def test_SEC_44_a_prefix_list_is_short(prefixes: str) -> None:
    def after(made: etree._Element) -> None:
        exclusive = made.findall(f".//{DS}Transform")[1]
        etree.SubElement(exclusive, f"{EC}InclusiveNamespaces", PrefixList=prefixes)

    # Signed by the right key with that list in it: only the list itself is at fault.
    root = signed_response(sign_what=())
    signature = idp.sign(root[-1])
    after(signature)
    info = signature.find(f"{DS}SignedInfo")
    value = idp.signer().key.sign(  # type: ignore[call-arg, union-attr]
        idp.canonical(info, None), idp.padding.PKCS1v15(), idp.hashes.SHA256()
    )
    signature.find(f"{DS}SignatureValue").text = base64.b64encode(value).decode()

    assert refusal(root).code == "saml_signature_invalid"
    assert "prefix" in refusal(root).because


def test_SEC_44_there_is_one_prefix_list() -> None:
    def after(made: etree._Element) -> None:
        exclusive = made.findall(f".//{DS}Transform")[1]
        for _ in range(2):
            etree.SubElement(exclusive, f"{EC}InclusiveNamespaces", PrefixList="xs")

    assert refusal(bent(after)).code == "saml_signature_invalid"


# -- algorithms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rsa1024", "rsa2048", "rsa3072"])
@pytest.mark.parametrize("method", [MORE + "rsa-sha256", MORE + "rsa-sha384", MORE + "rsa-sha512"])
@pytest.mark.parametrize("digest", [XENC + "sha256", MORE + "sha384", XENC + "sha512"])
def test_SEC_45_rsa_with_sha_2(kind: str, method: str, digest: str) -> None:
    by = idp.signer("idp", kind=kind)
    root = signed_response(by=by, method=Method(signature=method, digest=digest))
    assert accepted(root, expecting(by=by)).name_id == FACTS.name_id


@pytest.mark.parametrize("bits", ["sha256", "sha384", "sha512"])
def test_SEC_45_rsa_pss_with_sha_2(bits: str) -> None:
    root = signed_response(method=Method(signature=f"{PSS}{bits}-rsa-MGF1"))
    assert accepted(root).name_id == FACTS.name_id


@pytest.mark.parametrize("kind", ["p256", "p384", "p521"])
@pytest.mark.parametrize("method", [MORE + "ecdsa-sha256", MORE + "ecdsa-sha384", MORE + "ecdsa-sha512"])
def test_SEC_45_ecdsa_with_sha_2(kind: str, method: str) -> None:
    by = idp.signer("idp", kind=kind)
    root = signed_response(by=by, method=Method(signature=method))
    assert accepted(root, expecting(by=by)).name_id == FACTS.name_id


@pytest.mark.parametrize(
    "method",
    [
        Method(signature=OLD + "rsa-sha1"),
        Method(digest=OLD + "sha1"),
        Method(signature=OLD + "rsa-sha1", digest=OLD + "sha1"),
    ],
)
def test_SEC_45_sha_1_is_only_for_connections_switched_to_it(method: Method) -> None:
    refused = refusal(signed_response(method=method))
    assert (refused.code, refused.found) == ("saml_algorithm_forbidden", "SHA-1")

    assert accepted(signed_response(method=method), expecting(allow_sha1=True)).name_id == FACTS.name_id


def test_SEC_45_sha_1_on_a_curve_is_the_same() -> None:
    by = idp.signer("idp", kind="p256")
    root = signed_response(by=by, method=Method(signature=MORE + "ecdsa-sha1"))

    assert refusal(root, expecting(by=by)).code == "saml_algorithm_forbidden"
    assert accepted(root, expecting(by=by, allow_sha1=True)).name_id == FACTS.name_id


@pytest.mark.parametrize(
    "algorithm",
    [
        OLD + "hmac-sha1",
        MORE + "hmac-sha256",
        MORE + "hmac-sha512",
        MORE + "rsa-md5",
        OLD + "dsa-sha1",
        "http://www.w3.org/2009/xmldsig11#dsa-sha256",
        MORE + "rsa-ripemd160",
        PSS + "rsa-pss",
        PSS + "sha1-rsa-MGF1",
        "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519",
        "none",
        "",
        MORE + "RSA-SHA256",
        MORE + "rsa-sha256 ",
    ],
)
@pytest.mark.parametrize("allow_sha1", [False, True])
def test_SEC_45_other_signature_methods_are_forbidden(algorithm: str, allow_sha1: bool) -> None:
    def after(made: etree._Element) -> None:
        made.find(f".//{DS}SignatureMethod").set("Algorithm", algorithm)

    assert refusal(bent(after), expecting(allow_sha1=allow_sha1)).code == "saml_algorithm_forbidden"


@pytest.mark.parametrize(
    "algorithm", [MORE + "md5", "http://www.w3.org/2001/04/xmlenc#ripemd160", MORE + "sha224", "", "none"]
)
def test_SEC_45_other_digest_methods_are_forbidden(algorithm: str) -> None:
    def after(made: etree._Element) -> None:
        made.find(f".//{DS}DigestMethod").set("Algorithm", algorithm)

    assert refusal(bent(after), expecting(allow_sha1=True)).code == "saml_algorithm_forbidden"


def _public_material() -> dict[str, bytes]:
    certificate = idp.signer().certificate
    public = certificate.public_key()
    der, pem = serialization.Encoding.DER, serialization.Encoding.PEM
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    assert isinstance(public, rsa.RSAPublicKey)
    return {
        "certificate as PEM": certificate.public_bytes(pem),
        "certificate as DER": certificate.public_bytes(der),
        "certificate in base64": base64.b64encode(certificate.public_bytes(der)),
        "key as PEM": public.public_bytes(pem, info),
        "key as DER": public.public_bytes(der, info),
        "modulus": public.public_numbers().n.to_bytes(256, "big"),
        "nothing": b"",
    }


@pytest.mark.parametrize("material", sorted(_public_material()))
@pytest.mark.parametrize("algorithm", [MORE + "hmac-sha256", OLD + "hmac-sha1", MORE + "hmac-sha512"])
def test_SEC_45_a_keyed_hash_with_public_material_is_forbidden(material: str, algorithm: str) -> None:
    method = Method(signature=algorithm, hmac_key=_public_material()[material])
    root = signed_response(idp.Facts(name_id=MALLORY), method=method)

    assert refusal(root).code == "saml_algorithm_forbidden"
    assert refusal(root, expecting(allow_sha1=True)).code == "saml_algorithm_forbidden"


@pytest.mark.parametrize("material", sorted(_public_material()))
def test_SEC_45_a_keyed_hash_that_calls_itself_rsa_does_not_verify(material: str) -> None:
    method = Method(hmac_key=_public_material()[material])
    root = signed_response(idp.Facts(name_id=MALLORY), method=method)

    assert refusal(root).code == "saml_signature_invalid"


def test_SEC_45_an_output_length_is_no_part_of_a_method() -> None:
    def after(made: etree._Element) -> None:
        etree.SubElement(made.find(f".//{DS}SignatureMethod"), f"{DS}HMACOutputLength").text = "0"

    assert refusal(bent(after)).code == "saml_signature_invalid"


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        (MORE + "ecdsa-sha256", "rsa2048"),
        (MORE + "rsa-sha256", "p256"),
        (PSS + "sha256-rsa-MGF1", "p256"),
    ],
)
def test_SEC_45_a_method_for_another_kind_of_key_does_not_verify(method: str, kind: str) -> None:
    by = idp.signer("idp", kind=kind)
    other = idp.signer("idp", kind="p256" if kind.startswith("rsa") else "rsa2048")
    root = signed_response(by=other, method=Method(signature=method))

    assert refusal(root, expecting(by=by)).code == "saml_signature_invalid"


@pytest.mark.parametrize("value", [b"\x00" * 64, b"", b"\xff" * 64, b"\x00" * 63 + b"\x01", b"\x01" * 65])
def test_SEC_45_numbers_that_no_curve_signature_has_do_not_verify(value: bytes) -> None:
    by = idp.signer("idp", kind="p256")

    def after(made: etree._Element) -> None:
        made.find(f"{DS}SignatureValue").text = base64.b64encode(value).decode()

    root = bent(after, by=by, method=Method(signature=MORE + "ecdsa-sha256"))
    assert refusal(root, expecting(by=by)).code == "saml_signature_invalid"


# -- whose key ----------------------------------------------------------------------------------------


def _key_infos() -> dict[str, Callable[[idp.Signer], etree._Element]]:
    def x509(by: idp.Signer) -> etree._Element:
        data = etree.Element(f"{DS}X509Data")
        etree.SubElement(data, f"{DS}X509Certificate").text = by.der
        return data

    def both(by: idp.Signer) -> etree._Element:
        data = x509(idp.signer())
        data.append(x509(by)[0])
        return data

    def name(by: idp.Signer) -> etree._Element:
        element = etree.Element(f"{DS}KeyName")
        element.text = "idp"
        return element

    def value(by: idp.Signer) -> etree._Element:
        public = by.key.public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        element = etree.Element(f"{DS}KeyValue")
        inner = etree.SubElement(element, f"{DS}RSAKeyValue")
        modulus = public.public_numbers().n.to_bytes(256, "big")
        etree.SubElement(inner, f"{DS}Modulus").text = base64.b64encode(modulus).decode()
        etree.SubElement(inner, f"{DS}Exponent").text = "AQAB"
        return element

    def serial(by: idp.Signer) -> etree._Element:
        data = etree.Element(f"{DS}X509Data")
        issuer = etree.SubElement(data, f"{DS}X509IssuerSerial")
        etree.SubElement(issuer, f"{DS}X509IssuerName").text = "CN=idp"
        etree.SubElement(issuer, f"{DS}X509SerialNumber").text = str(by.certificate.serial_number)
        return data

    return {
        "X509Certificate": x509,
        "two certificates": both,
        "KeyName": name,
        "KeyValue": value,
        "serial": serial,
    }


@pytest.mark.parametrize("form", sorted(_key_infos()))
@pytest.mark.parametrize("what", [("response",), ("assertion",), BOTH])
def test_SEC_46_a_key_that_comes_along_is_not_believed(form: str, what: tuple[str, ...]) -> None:
    stranger = idp.signer("stranger")
    root = signed_response(idp.Facts(name_id=MALLORY), by=stranger, sign_what=what)
    for info in root.iter(f"{DS}KeyInfo"):
        info[0:1] = [_key_infos()[form](stranger)]

    refused = refusal(root)
    assert (refused.code, refused.check) == ("saml_signature_invalid", UNKNOWN_KEY)


@pytest.mark.parametrize("form", sorted(_key_infos()))
def test_SEC_46_what_is_said_of_the_key_does_not_matter(form: str) -> None:
    root = signed_response(sign_what=("assertion",))
    root[-1].find(f".//{DS}KeyInfo")[0:1] = [_key_infos()[form](idp.signer("stranger"))]

    assert accepted(root).name_id == FACTS.name_id


@pytest.mark.parametrize("name", ["RetrievalMethod", "PGPData", "SPKIData", "MgmtData", "KeyInfoReference"])
def test_SEC_46_other_ways_to_name_a_key_are_refused(name: str) -> None:
    def after(made: etree._Element) -> None:
        etree.SubElement(made.find(f"{DS}KeyInfo"), f"{DS}{name}").set("URI", "http://127.0.0.1:1/")

    assert refusal(bent(after)).code == "saml_signature_invalid"


def test_SEC_46_the_refusal_names_the_certificate_that_came_and_those_that_were_expected() -> None:
    stranger = idp.signer("stranger")
    refused = refusal(signed_response(by=stranger))

    assert refused.found == stranger.certificate.fingerprint(idp.hashes.SHA256()).hex()
    assert refused.expected == idp.signer().certificate.fingerprint(idp.hashes.SHA256()).hex()


def test_SEC_46_any_of_the_connection_s_certificates_verifies() -> None:
    several = tuple(
        keys().verifying(signer.pem)
        for signer in (idp.signer("old"), idp.signer("idp", kind="p256"), idp.signer("new"), idp.signer())
    )
    root = signed_response(sign_what=("assertion",), by=idp.signer("new"))
    idp.sign(root)

    judged = accepted(root, expecting(certificates=several))
    assert judged.certificate == several[2].sha256

    assert refusal(root, expecting(certificates=several[:2])).check == UNKNOWN_KEY
    assert refusal(root, expecting(certificates=())).code == "saml_signature_invalid"


def test_SEC_46_another_connection_s_identity_provider_is_a_stranger() -> None:
    other = idp.Facts(idp_entity_id="https://idp.other.example/metadata")
    root = signed_response(other, by=idp.signer("other"))

    assert refusal(root).check == UNKNOWN_KEY


# -- only what is signed ------------------------------------------------------------------------------


@pytest.mark.parametrize("what", [("response",), ("assertion",), BOTH])
@pytest.mark.parametrize(
    "bend",
    [
        lambda root: setattr(root.find(f".//{SAML}NameID"), "text", MALLORY),
        lambda root: setattr(root.find(f".//{SAML}NameID"), "tail", " "),
        lambda root: root.find(f".//{SAML}NameID").set("SPNameQualifier", "x"),
        lambda root: root.find(f".//{SAML}Attribute").set("Name", "other"),
        lambda root: root[-1].append(idp.attribute_statement({"groups": ["admins"]})),
        lambda root: root[-1].remove(root[-1][-1]),
        lambda root: root[-1].set("IssueInstant", FACTS.at(seconds=1)),
        lambda root: root.find(f".//{SAML}Conditions").set("NotOnOrAfter", FACTS.at(hours=1)),
        lambda root: root.find(f".//{DS}DigestValue").__setattr__("text", "AAAA"),
        lambda root: root.find(f".//{DS}SignatureValue").__setattr__("text", "AAAA"),
        lambda root: root.find(f".//{DS}SignatureValue").__setattr__("text", ""),
        lambda root: root.find(f".//{DS}SignatureValue").__setattr__("text", "!"),
    ],
)
def test_SEC_47_what_is_changed_after_signing_does_not_verify(bend: idp.Bend, what: tuple[str, ...]) -> None:
    assert refusal(signed_response(sign_what=what, after=bend)).code == "saml_signature_invalid"


def test_SEC_47_a_response_s_signature_covers_the_response() -> None:
    root = signed_response(after=lambda root: root.set("InResponseTo", "_request-2"))
    assert refusal(root, expecting(request_id="_request-2")).code == "saml_signature_invalid"


def test_SEC_47_the_verified_bytes_are_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the tree changed once it is verified, nobody would notice: the tree is not read again."""
    read = read_response(encoded(signed_response(sign_what=("assertion",))))

    def then_changed(element: etree._Element, **how: object) -> object:
        verified = signature.verify(element, **how)  # type: ignore[arg-type]
        element.find(f".//{SAML}NameID").text = MALLORY
        return verified

    monkeypatch.setattr(judgement, "verify", then_changed)

    assert judge(read, expecting()).name_id == FACTS.name_id


def test_SEC_47_no_canonical_form_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        """lxml, but for a canonicalisation that writes nothing."""

        LxmlError, XMLParser, XMLSyntaxError = etree.LxmlError, etree.XMLParser, etree.XMLSyntaxError
        fromstring = staticmethod(etree.fromstring)

        @staticmethod
        def tostring(element: etree._Element, **how: object) -> bytes:
            return b"" if how.get("method") == "c14n" else etree.tostring(element, **how)

    message = encoded(signed_response())
    monkeypatch.setattr(signature, "etree", Broken)

    assert refusal(message).code == "saml_signature_invalid"


# -- what has to be signed ----------------------------------------------------------------------------


def test_SEC_48_something_has_to_cover_the_assertion() -> None:
    assert refusal(signed_response(sign_what=())).code == "saml_signature_missing"


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize("how", ["stranger", "changed"])
def test_SEC_48_every_signature_has_to_verify(path: str, how: str) -> None:
    other = "assertion" if path == "response" else "response"
    root = signed_response(sign_what=())
    order = ("assertion", "response")
    for name in order:
        element = root if name == "response" else root[-1]
        idp.sign(element, idp.signer("stranger") if (name, how) == (path, "stranger") else None)
    if how == "changed":
        broken = root if path == "response" else root[-1]
        value = broken.find(f"{SIGNATURE}/{DS}SignatureValue")
        value.text = value.text[::-1].lstrip("=") + "=="
        if path == "assertion":  # so that the response's signature is good all the same
            root.remove(root.find(SIGNATURE))
            idp.sign(root)

    assert other != path
    assert refusal(root).code == "saml_signature_invalid"


@pytest.mark.parametrize("what", [("response",), ("assertion",)])
def test_SEC_48_a_project_may_demand_both(what: tuple[str, ...]) -> None:
    refused = refusal(signed_response(sign_what=what), expecting(require_both=True))
    assert (refused.code, refused.found) == ("saml_signature_missing", what[0])

    assert accepted(signed_response(), expecting(require_both=True)).signed == BOTH


@pytest.mark.parametrize("what", ["response", "assertion"])
def test_SEC_48_a_signature_without_its_value_counts_as_bad_not_as_missing(what: str) -> None:
    def after(made: etree._Element) -> None:
        made.clear()

    assert refusal(bent(after, what)).code == "saml_signature_invalid"

"""SEC-41, 42, 43: what came is small, plain XML in the shape of a response, before anything else is tried."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable

import pytest
from lxml import etree

from authio.protocols.saml_response import UNKNOWN_KEY, SamlRefused, judge, read_response
from authio.protocols.saml_response.gate import judge_size
from tests.support import saml_idp as idp
from tests.support.saml_idp import DS, SAML, SAMLP, XENC, encoded, signed_response
from tests.support.saml_judged import FACTS, accepted, expecting, refusal

TEXTS = {
    "issuer of the response": f"{SAML}Issuer",
    "issuer": f"{SAML}Assertion/{SAML}Issuer",
    "NameID": f".//{SAML}NameID",
    "audience": f".//{SAML}Audience",
    "class": f".//{SAML}AuthnContextClassRef",
    "value": f".//{SAML}AttributeValue",
    "digest": f".//{DS}DigestValue",
    "signature": f".//{DS}SignatureValue",
    "certificate": f".//{DS}X509Certificate",
}
INTRUDERS = {
    "comment": "<!---->",
    "comment with text": "<!-- x -->",
    "CDATA": "<![CDATA[x]]>",
    "instruction": "<?x y?>",
    "entity": "&x;",
}


def written(root: etree._Element | None = None) -> bytes:
    octets: bytes = etree.tostring(signed_response() if root is None else root)
    return octets


def test_a_good_response_is_accepted() -> None:
    judged = accepted(signed_response())

    assert judged.name_id == FACTS.name_id
    assert judged.attributes["groups"] == ("Staff", "Engineering")
    assert judged.signed == ("response", "assertion")
    assert judged.certificate == idp.signer().certificate.fingerprint(idp.hashes.SHA256()).hex()


@pytest.mark.parametrize("break_line", ["\n", "\r\n", " ", "\t"])
def test_SEC_41_base64_may_be_broken_into_lines(break_line: str) -> None:
    posted = encoded(signed_response())
    broken = break_line.join(posted[start : start + 76] for start in range(0, len(posted), 76))

    assert accepted(broken).name_id == FACTS.name_id


@pytest.mark.parametrize(
    "bend",
    [
        lambda posted: posted.replace("=", "") + "====",
        lambda posted: posted[:-5],
        lambda posted: posted[:100] + "!" + posted[100:],
        lambda posted: posted[:100] + "\N{FULLWIDTH LATIN CAPITAL LETTER A}" + posted[101:],
        lambda posted: posted[:100] + "\x0b" + posted[100:],
        lambda posted: posted[:100] + "\x00" + posted[100:],
        lambda posted: posted + "AA==" + posted,
        lambda posted: posted.replace("A", "%41", 1),
        lambda posted: base64.urlsafe_b64encode(b"\xff\xfe\xff" + base64.b64decode(posted)).decode(),
        lambda posted: "",
        lambda posted: " ",
        lambda posted: written().decode(),
    ],
)
def test_SEC_41_anything_but_strict_base64_is_malformed(bend: Callable[[str], str]) -> None:
    assert refusal(bend(encoded(signed_response()))).code == "saml_malformed"


@pytest.mark.parametrize("packed", [zlib.compress, gzip.compress, lambda xml: zlib.compress(xml)[2:-4]])
def test_SEC_41_a_compressed_message_is_never_inflated(packed: Callable[[bytes], bytes]) -> None:
    assert refusal(packed(written() + b" " * 50_000_000)).code == "saml_malformed"


def test_SEC_41_more_than_256_KiB_are_too_large() -> None:
    assert accepted(written() + b"\n" * (262_144 - len(written()))).name_id == FACTS.name_id

    assert refusal(written() + b"\n" * (262_145 - len(written()))).code == "request_too_large"
    assert refusal("A" * 10_000_000).code == "request_too_large"
    assert refusal(" " * 10_000_000).code == "request_too_large"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-7", "iso-8859-1", "cp1252", "ascii", "utf8"])
def test_SEC_41_utf_8_is_the_only_encoding(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>' + written().decode()

    assert refusal(declared.encode()).code == "saml_malformed"
    assert refusal((declared + "<!-- ü -->").encode(encoding, "replace")).code in (
        "saml_malformed",
        "saml_xml_forbidden",
    )


@pytest.mark.parametrize("octets", [b"\xff", b"\xc0\xbc", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80"])
def test_SEC_41_bytes_that_are_not_utf_8_are_malformed(octets: bytes) -> None:
    assert refusal(written().replace(b"Ann", b"Ann" + octets, 1)).code == "saml_malformed"


@pytest.mark.parametrize(
    "declaration",
    [
        '<?xml version="1.0"?>',
        "<?xml version='1.0' encoding='UTF-8'?>\n",
        '<?xml version="1.0" encoding="utf-8" standalone="no" ?>',
    ],
)
def test_SEC_41_an_xml_declaration_is_welcome(declaration: str) -> None:
    assert accepted(declaration.encode() + written()).name_id == FACTS.name_id


@pytest.mark.parametrize("place", TEXTS)
@pytest.mark.parametrize("intruder", INTRUDERS)
@pytest.mark.parametrize("where", ["before", "inside", "after"])
def test_SEC_42_no_text_is_interrupted(place: str, intruder: str, where: str) -> None:
    root = signed_response()
    text = root.find(TEXTS[place])
    content = text.text
    middle = {"before": 0, "inside": len(content) // 2, "after": len(content)}[where]
    text.text = content[:middle] + "INTRUDER" + content[middle:]
    xml = written(root).replace(b"INTRUDER", INTRUDERS[intruder].encode())

    assert refusal(xml).code == "saml_xml_forbidden"


@pytest.mark.parametrize("intruder", [*INTRUDERS.values(), "<!DOCTYPE x>"])
@pytest.mark.parametrize("where", ["in front", "behind"])
def test_SEC_42_nothing_stands_around_the_message(intruder: str, where: str) -> None:
    xml = intruder.encode() + written() if where == "in front" else written() + intruder.encode()

    assert refusal(xml).code == "saml_xml_forbidden"


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE Response>",
        '<!DOCTYPE r [<!ENTITY e "mallory@evil.example">]>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
        "<!DOCTYPE r [<!ATTLIST saml:Assertion ID ID #IMPLIED>]>",
        "<!doctype r>",
    ],
)
def test_SEC_42_a_document_type_is_forbidden(doctype: str) -> None:
    assert refusal(doctype.encode() + written()).code == "saml_xml_forbidden"
    assert refusal(b'<?xml version="1.0"?>\n' + doctype.encode() + written()).code == "saml_xml_forbidden"


@pytest.mark.parametrize("entity", ["&nbsp;", "&#99999999999;", "&#x;", "& ", "&amp", "&AMP;", "&#-1;"])
def test_SEC_42_only_the_five_entities_are_known(entity: str) -> None:
    assert refusal(written().replace(b"Ann", entity.encode(), 1)).code == "saml_xml_forbidden"


@pytest.mark.parametrize("reference", ["&#0;", "&#x1F;", "&#xFFFF;", "&#xD800;"])
def test_SEC_42_a_character_that_xml_does_not_have_is_malformed(reference: str) -> None:
    assert refusal(written().replace(b"Ann", reference.encode(), 1)).code == "saml_malformed"


def deep(levels: int) -> etree._Element:
    root = idp.response(FACTS)
    extensions = etree.Element(f"{SAMLP}Extensions")
    root.insert(1, extensions)
    place = extensions
    for _ in range(levels - 2):
        place = etree.SubElement(place, "{urn:x}y")
    idp.sign(root)
    return root


def test_SEC_42_the_message_is_at_most_32_deep() -> None:
    assert accepted(deep(32)).name_id == FACTS.name_id

    assert refusal(deep(33)).code == "saml_xml_forbidden"
    assert refusal(b"<a>" * 200 + b"</a>" * 200).code == "saml_xml_forbidden"
    assert refusal(b"<a>" * 30_000 + b"</a>" * 30_000).code in ("saml_xml_forbidden", "saml_malformed")


def test_SEC_42_the_message_has_at_most_10_000_elements() -> None:
    def with_groups(count: int) -> etree._Element:
        facts = idp.Facts(attributes={"email": ["ann@acme.example"], "g": [""] * count})
        return signed_response(facts, sign_what=("response",))

    assert len(accepted(with_groups(3_000)).attributes["g"]) == 3_000
    crowd = b"<r>" + b"<a/>" * 10_000 + b"</r>"
    assert refusal(crowd).code == "saml_xml_forbidden"
    assert refusal(crowd.replace(b"<a/>", b"", 1)).code == "saml_structure"


def test_SEC_42_an_element_has_at_most_64_attributes() -> None:
    def crowded(count: int) -> etree._Element:
        def bend(root: etree._Element) -> None:
            attribute = root.find(f".//{SAML}Attribute")
            for number in range(count - len(attribute.attrib)):
                attribute.set(f"{{urn:x}}a{number}", "")

        return signed_response(before=bend)

    assert accepted(crowded(64)).name_id == FACTS.name_id

    assert refusal(crowded(65)).code == "saml_xml_forbidden"


@pytest.mark.parametrize("namespace", ["relative", "../x", "//host/x", "#x", "x y", "ünicode", "&#x75;rn:x"])
def test_SEC_42_a_namespace_is_an_absolute_address(namespace: str) -> None:
    for declaration in (f'xmlns:q="{namespace}"', f"xmlns:q = '{namespace}'"):
        xml = written().replace(b"<saml:Subject>", f"<saml:Subject {declaration}>".encode(), 1)
        assert refusal(xml).code == "saml_xml_forbidden"


def test_SEC_42_a_prefix_is_short() -> None:
    def declaring(prefix: str) -> bytes:
        return written(signed_response(sign_what=("response",))).replace(
            b"<saml:Subject>", f'<saml:Subject xmlns:{prefix}="urn:x">'.encode(), 1
        )

    assert accepted(declaring("p" * 100)).name_id == FACTS.name_id
    assert refusal(declaring("p" * 101)).code == "saml_xml_forbidden"
    assert refusal(declaring("p" * 101).replace(b"urn:x", b"relative")).code == "saml_xml_forbidden"


@pytest.mark.parametrize(
    "xml", ["<a><!-- x --></a>", "<a><?x y?></a>", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"]
)
def test_SEC_42_a_tree_holds_elements_only(xml: str) -> None:
    """The look at the bytes comes first; this is for whatever a parser might make of them."""
    with pytest.raises(SamlRefused) as refused:
        judge_size(etree.fromstring(xml, etree.XMLParser(resolve_entities=False)))
    assert refused.value.code == "saml_xml_forbidden"


@pytest.mark.parametrize(
    "xml",
    [
        b"<",
        b"hello",
        b"<a></b>",
        b"<a b='1' b='2'/>",
        b"<p:a/>",
        b'{"a": 1}',
        b"\x00",
        b"<a/><b/>",
        b"<a>\x0b</a>",
        b"<a xmlns:p='urn:x' xmlns:q='urn:x' p:b='1' q:b='2'/>",
    ],
)
def test_SEC_41_what_is_not_xml_is_malformed(xml: bytes) -> None:
    assert refusal(xml).code == "saml_malformed"


# -- the shape --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "root",
    [
        "<Response/>",
        '<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>',
        '<Response xmlns="urn:oasis:names:tc:SAML:1.0:protocol"/>',
        '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>',
        '<saml:Response xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>',
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>',
    ],
)
def test_SEC_43_the_root_is_a_saml_2_response(root: str) -> None:
    assert refusal(root.encode()).code == "saml_structure"


@pytest.mark.parametrize("tag", [f"{SAMLP}LogoutResponse", f"{SAML}Response", "Response", "{urn:x}Response"])
def test_SEC_43_a_message_that_only_calls_itself_otherwise_is_none(tag: str) -> None:
    """Signed by the right key, and a response in everything but its name."""
    root = signed_response(before=lambda root: setattr(root, "tag", tag))
    assert refusal(root).code == "saml_structure"


def test_SEC_43_an_assertion_alone_is_no_response() -> None:
    alone = idp.assertion(FACTS)
    idp.sign(alone)

    assert refusal(alone).code == "saml_structure"


@pytest.mark.parametrize("version", ["1.1", "2.1", "2", "", " 2.0"])
def test_SEC_43_both_versions_are_2_0(version: str) -> None:
    assert refusal(signed_response(before=lambda root: root.set("Version", version))).code == "saml_structure"
    inner = signed_response(before=lambda root: root[-1].set("Version", version))
    assert refusal(inner).code == "saml_structure"


def _second(root: etree._Element) -> None:
    root.append(idp.assertion(idp.Facts(assertion_id="_assertion-2", name_id="mallory@evil.example")))


def _second_encrypted(root: etree._Element) -> None:
    root.append(idp.encrypt(idp.assertion(FACTS), idp.signer("sp")))


def _in_extensions(root: etree._Element) -> None:
    extensions = etree.Element(f"{SAMLP}Extensions")
    extensions.append(idp.assertion(idp.Facts(assertion_id="_assertion-2")))
    root.insert(1, extensions)


def _in_advice(root: etree._Element) -> None:
    advice = etree.Element(f"{SAML}Advice")
    advice.append(idp.assertion(idp.Facts(assertion_id="_assertion-2")))
    root[-1].insert(3, advice)


def _in_status_detail(root: etree._Element) -> None:
    detail = etree.SubElement(root.find(f"{SAMLP}Status"), f"{SAMLP}StatusDetail")
    detail.append(idp.assertion(idp.Facts(assertion_id="_assertion-2")))


def _in_a_value(root: etree._Element) -> None:
    root.find(f".//{SAML}AttributeValue").append(idp.assertion(idp.Facts(assertion_id="_assertion-2")))


def _in_an_object(root: etree._Element) -> None:
    signature = idp.sign(root[-1])
    etree.SubElement(signature, f"{DS}Object").append(idp.assertion(idp.Facts(assertion_id="_assertion-2")))


def _nested_response(root: etree._Element) -> None:
    extensions = etree.Element(f"{SAMLP}Extensions")
    extensions.append(idp.response(idp.Facts(response_id="_r2", assertion_id="_a2")))
    root.insert(1, extensions)


def _foreign_assertion(root: etree._Element) -> None:
    extensions = etree.Element(f"{SAMLP}Extensions")
    etree.SubElement(extensions, "{urn:other}Assertion")
    root.insert(1, extensions)


def _no_namespace_response(root: etree._Element) -> None:
    extensions = etree.Element(f"{SAMLP}Extensions")
    etree.SubElement(extensions, "Response")
    root.insert(1, extensions)


@pytest.mark.parametrize(
    "bend",
    [
        _second,
        _second_encrypted,
        _in_extensions,
        _in_advice,
        _in_status_detail,
        _in_a_value,
        _in_an_object,
        _nested_response,
        _foreign_assertion,
        _no_namespace_response,
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_SEC_43_there_is_one_assertion_and_it_is_in_its_place(bend: idp.Bend, when: str) -> None:
    """Signed over or put in later: no other element is called assertion or response, in any namespace."""
    bent = {when: bend}

    assert refusal(signed_response(sign_what=("response",), **bent)).code == "saml_structure"  # type: ignore[arg-type]


def test_SEC_43_a_success_carries_an_assertion() -> None:
    def bend(root: etree._Element) -> None:
        root.remove(root[-1])

    refused = refusal(signed_response(sign_what=("response",), before=bend))
    assert (refused.code, refused.because) == ("saml_structure", "a success without an assertion")


def _swap(first: str, second: str) -> idp.Bend:
    def bend(root: etree._Element) -> None:
        parent = root if root.find(first) is not None and root.find(second) is not None else root[-1]
        one, other = parent.find(first), parent.find(second)
        at_one, at_other = parent.index(one), parent.index(other)
        parent[at_one], parent[at_other] = etree.Element("x"), one
        parent[at_one] = other

    return bend


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"{SAMLP}Status", f"{SAML}Assertion"),
        (f"{SAML}Issuer", f"{SAMLP}Status"),
        (f"{SAML}Subject", f"{SAML}Conditions"),
        (f"{SAML}Conditions", f"{SAML}AuthnStatement"),
        (f"{SAML}Issuer", f"{SAML}Subject"),
    ],
)
def test_SEC_43_children_come_in_the_order_of_the_schema(first: str, second: str) -> None:
    root = signed_response(before=_swap(first, second), sign_what=())
    assert refusal(root).code == "saml_structure"


@pytest.mark.parametrize(
    "path", [f"{SAML}Issuer", f".//{SAML}NameID", f".//{SAML}Audience", f".//{SAML}AuthnContextClassRef"]
)
@pytest.mark.parametrize("child", [f"{SAML}NameID", "{urn:x}y", f"{SAML}Issuer"])
def test_SEC_43_elements_with_text_have_no_children(path: str, child: str) -> None:
    def bend(root: etree._Element) -> None:
        text = root.find(path)
        etree.SubElement(text, child).tail = text.text
        text.text = None

    assert refusal(signed_response(before=bend)).code == "saml_structure"


@pytest.mark.parametrize(
    "path",
    [f"{SAMLP}Status", f".//{SAML}Subject", f".//{SAML}Conditions", f".//{SAML}AttributeStatement", "."],
)
def test_SEC_43_other_elements_have_no_text(path: str) -> None:
    def inside(root: etree._Element) -> None:
        root.find(path).text = "x"

    def behind(root: etree._Element) -> None:
        root.find(path)[0].tail = "x"

    assert refusal(signed_response(before=inside)).code == "saml_structure"
    assert refusal(signed_response(before=behind)).code == "saml_structure"


@pytest.mark.parametrize(
    "tag",
    [
        f"{SAML}AuthzDecisionStatement",
        f"{SAML}Statement",
        f"{SAML}Condition",
        f"{SAML}EncryptedAttribute",
        f"{SAML}BaseID",
        f"{SAMLP}Unknown",
        "{urn:x}y",
    ],
)
@pytest.mark.parametrize(
    "path",
    [".", f"{SAML}Assertion", f".//{SAML}Subject", f".//{SAML}Conditions", f".//{SAML}AttributeStatement"],
)
def test_SEC_43_unknown_elements_are_refused(tag: str, path: str) -> None:
    def bend(root: etree._Element) -> None:
        etree.SubElement(root.find(path), tag)

    assert refusal(signed_response(before=bend)).code == "saml_structure"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (".", "Unknown"),
        (".", "{http://www.w3.org/XML/1998/namespace}base"),
        (f"{SAML}Assertion", "{urn:x}y"),
        (f".//{SAML}NameID", "{http://www.w3.org/2001/XMLSchema-instance}type"),
        (f".//{SAML}Conditions", "notbefore"),
        (f".//{SAML}SubjectConfirmationData", "{urn:x}Recipient"),
        (f".//{SAML}Attribute", "name"),
    ],
)
def test_SEC_43_unknown_attributes_are_refused(path: str, name: str) -> None:
    root = signed_response(before=lambda root: root.find(path).set(name, "x"))
    assert refusal(root).code == "saml_structure"


@pytest.mark.parametrize("path", [".", f"{SAML}Assertion"])
@pytest.mark.parametrize("value", ["", " ", "a b", "#x", "a/b", "é", "a" * 257])
def test_SEC_43_an_id_is_a_short_name(path: str, value: str) -> None:
    root = signed_response(before=lambda root: root.find(path).set("ID", value), sign_what=())
    assert refusal(root).code == "saml_structure"


@pytest.mark.parametrize("path", [".", f"{SAML}Assertion"])
def test_SEC_43_an_id_cannot_be_missing(path: str) -> None:
    root = signed_response(after=lambda root: root.find(path).attrib.pop("ID"))
    assert refusal(root).code == "saml_structure"


def test_SEC_43_an_id_is_there_once() -> None:
    root = signed_response(idp.Facts(response_id="_same", assertion_id="_same"))
    assert refusal(root).code == "saml_structure"


def test_SEC_43_an_id_of_something_encrypted_counts() -> None:
    root = signed_response(sign_what=())
    sealed = idp.encrypt(root[-1], idp.signer("sp"))
    sealed.find(f"{XENC}EncryptedData").set("Id", FACTS.response_id)
    root.replace(root[-1], sealed)

    assert refusal(root).because == "one id twice"
    assert refusal(root).code == "saml_structure"


@pytest.mark.parametrize("name", ["Id", "id", "iD", "{urn:x}ID", "{http://www.w3.org/XML/1998/namespace}id"])
@pytest.mark.parametrize("value", ["_assertion-1", "_response-1", "_new"])
@pytest.mark.parametrize(
    "path", [".", f"{SAML}Assertion", f".//{SAML}Attribute", f".//{SAML}Subject", f".//{DS}Signature"]
)
def test_SEC_43_nothing_else_looks_like_an_id(name: str, value: str, path: str) -> None:
    root = signed_response(after=lambda root: root.find(path).set(name, value))
    assert refusal(root).code == "saml_structure"


@pytest.mark.parametrize("path", [f".//{SAML}Subject", f".//{SAML}Attribute", f".//{DS}Signature"])
def test_SEC_43_only_response_and_assertion_have_an_ID(path: str) -> None:
    root = signed_response(after=lambda root: root.find(path).set("ID", "_new"))
    assert refusal(root).code == "saml_structure"


def test_an_unbelieved_message_says_which_request_it_answers() -> None:
    read = read_response(encoded(signed_response(sign_what=())))

    assert read.in_response_to == FACTS.request_id
    assert not read.is_failure
    assert read_response(encoded(idp.failure(FACTS, "Responder"))).is_failure


def test_a_message_can_be_judged_twice() -> None:
    """Once with the keys there were, once with those of metadata that was read again."""
    read = read_response(encoded(signed_response()))

    with pytest.raises(SamlRefused) as refused:
        judge(read, expecting(by=idp.signer("old")))
    assert refused.value.check == UNKNOWN_KEY
    assert judge(read, expecting()).name_id == FACTS.name_id

"""The gates in front of all cryptography: what came is small, plain XML in the shape of a response.

First the bytes are looked at, so that nothing a parser could be made to do is left for it; then the tree,
element by element, against the allow-list of :mod:`authio.protocols.saml_response.shapes`.
"""

from __future__ import annotations

import binascii
import re

from lxml import etree

from authio.protocols.refusals import SamlRefused
from authio.protocols.saml_response import names
from authio.protocols.saml_response.shapes import RESPONSE, Shape

MAX_BYTES = 262_144
MAX_DEPTH = 32
MAX_ELEMENTS = 10_000
MAX_ATTRIBUTES = 64
_MAX_ENCODED = MAX_BYTES * 3 // 2
"""Base64 needs four thirds; the rest is for line breaks."""

_BLANKS = b" \t\r\n"
_DECLARATION = re.compile(
    rb"""<\?xml[ \t\r\n]+version=(?:"1\.0"|'1\.0')"""
    rb"""(?:[ \t\r\n]+encoding=(?:"([A-Za-z0-9._-]{1,40})"|'([A-Za-z0-9._-]{1,40})'))?"""
    rb"""(?:[ \t\r\n]+standalone=(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>"""
)
_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
# Any declaration of a namespace looks like this; what looks like it and stands in a text is refused as well.
_NAMESPACE = re.compile(rb"""xmlns(?::[^\s=]{1,100})?[ \t\r\n]*=[ \t\r\n]*(?:"([^"]*)"|'([^']*)')""")
_LONG_PREFIX = re.compile(rb"xmlns:[^\s=]{101}")
_ABSOLUTE = re.compile(rb"(?:[A-Za-z][A-Za-z0-9+.-]*:[^\s&]+)?")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_IDENTIFIED = {
    names.RESPONSE: "ID",
    names.ASSERTION: "ID",
    f"{names.XENC}EncryptedData": "Id",
    f"{names.XENC}EncryptedKey": "Id",
}
_RESERVED = frozenset({"Response", "Assertion", "EncryptedAssertion"})
_ASSERTIONS = frozenset({names.ASSERTION, names.ENCRYPTED_ASSERTION})


def decoded(saml_response: str | bytes) -> bytes:
    """The bytes inside a ``SAMLResponse`` field: strict base64, never inflated, of bounded size."""
    if len(saml_response) > _MAX_ENCODED:
        raise SamlRefused("request_too_large")
    try:
        encoded = saml_response.encode("ascii") if isinstance(saml_response, str) else saml_response
        xml = binascii.a2b_base64(encoded.translate(None, _BLANKS), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise SamlRefused("saml_malformed", because="not base64") from None
    if len(xml) > MAX_BYTES:
        raise SamlRefused("request_too_large")
    return xml


def parse(xml: bytes) -> etree._Element:
    """The root of plain XML: elements, attributes and characters, and nothing else.

    Nothing is loaded, nothing expanded, and every character kept.
    """
    _judge_bytes(xml)
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        strip_cdata=False,
        collect_ids=False,
    )
    try:
        return etree.fromstring(xml, parser)
    except etree.XMLSyntaxError:
        raise SamlRefused("saml_malformed", because="not well-formed XML") from None


def judge_tree(root: etree._Element) -> frozenset[str]:
    """Refuse a message that is too deep, too large, or not in the shape of a response. Returns its ids."""
    judge_size(root)
    if root.tag != names.RESPONSE:
        raise SamlRefused(
            "saml_structure", because="the message is no SAML 2.0 response", found=str(root.tag)
        )
    ids = judge_everywhere(root)
    judge_shape(root, RESPONSE)
    if root.get("Version") != "2.0":
        raise SamlRefused("saml_structure", because="not version 2.0", found=root.get("Version", ""))
    return ids


def judge_size(root: etree._Element) -> None:
    """Refuse a tree that is too deep or too large, or that holds anything but elements."""
    _Census().count(root, 1)


def judge_everywhere(root: etree._Element, *, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """The rules that hold at every element, whatever its place: where assertions stand, and ids.

    Returns the ids in the tree, none of which may be one of *known*.
    """
    ids = set(known)
    for element in root.iter():
        tag = element.tag
        reserved = element is not root and _local(tag) in _RESERVED
        if reserved and (tag not in _ASSERTIONS or element.getparent() is not root):
            raise SamlRefused("saml_structure", because="an assertion or response in the wrong place")
        for name, value in element.attrib.items():
            if _local(name).lower() == "id":
                _identify(ids, tag, name, value)
    return frozenset(ids)


def _identify(ids: set[str], tag: str, name: str, value: str) -> None:
    if _IDENTIFIED.get(tag) != name or not _ID.fullmatch(value):
        raise SamlRefused("saml_structure", because="an id where none may stand", found=value)
    if value in ids:
        raise SamlRefused("saml_structure", because="one id twice", found=value)
    ids.add(value)


class _Census:
    """Limits of size, before anything that takes time."""

    def __init__(self) -> None:
        self._elements = 0

    def count(self, element: etree._Element, depth: int) -> None:
        self._elements += 1
        if depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise SamlRefused("saml_xml_forbidden", because="too many elements, or nested too deep")
        if not isinstance(element.tag, str):
            raise SamlRefused("saml_xml_forbidden", because="a comment, an instruction or an entity")
        if len(element.attrib) > MAX_ATTRIBUTES:
            raise SamlRefused("saml_xml_forbidden", because="too many attributes")
        for child in element:
            self.count(child, depth + 1)


def judge_shape(element: etree._Element, shape: Shape, code: str = "saml_structure") -> None:
    """Refuse *element* unless it and all below it are as *shape* says."""
    _judge_attributes(element, shape, code)
    if shape.is_open:
        if next(element.iter(names.SIGNATURE), None) is not None:
            raise SamlRefused("saml_signature_invalid", because="a signature in the wrong place")
        return
    if not shape.has_text and not _is_blank(element.text):
        raise _misbuilt(element, code, "characters between elements")
    _judge_children(element, shape, code)


def _judge_attributes(element: etree._Element, shape: Shape, code: str) -> None:
    attributes = element.attrib
    if shape.is_open:
        return
    for name in attributes:
        if name not in shape.attributes and not (shape.takes_foreign and name[:1] == "{"):
            raise _misbuilt(element, code, "an attribute that does not belong there")
    for name in shape.required:
        if name not in attributes:
            raise _misbuilt(element, code, "an attribute is missing")
    if shape.algorithms is not None and attributes["Algorithm"] not in shape.algorithms:
        raise SamlRefused("saml_algorithm_forbidden", found=attributes["Algorithm"])


def _judge_children(element: etree._Element, shape: Shape, code: str) -> None:
    slots = shape.slots
    position, filled = 0, 0
    for child in element:
        tag = child.tag
        while position < len(slots) and (tag not in slots[position].shapes or filled == slots[position].most):
            if filled < slots[position].least:
                raise _misplaced(child, code)
            position, filled = position + 1, 0
        if position == len(slots):
            raise _misplaced(child, code)
        filled += 1
        if not _is_blank(child.tail) or not _is_blank(element.text):
            raise _misbuilt(element, code, "characters between elements")
        inside = "saml_signature_invalid" if tag == names.SIGNATURE else code
        judge_shape(child, slots[position].shapes[tag], inside)
    while position < len(slots):
        if filled < slots[position].least:
            raise _misbuilt(element, code, "an element is missing")
        position, filled = position + 1, 0


def _misplaced(child: etree._Element, code: str) -> SamlRefused:
    if child.tag == names.SIGNATURE:
        return SamlRefused("saml_signature_invalid", because="a signature in the wrong place")
    return _misbuilt(child, code, "an element that does not belong there")


def _misbuilt(element: etree._Element, code: str, because: str) -> SamlRefused:
    return SamlRefused(code, because=because, found=_local(str(element.tag)))


def _judge_bytes(xml: bytes) -> None:
    try:
        xml.decode("utf-8")
    except UnicodeDecodeError:
        raise SamlRefused("saml_malformed", because="not UTF-8") from None
    start = 0
    declared = _DECLARATION.match(xml)
    if declared is not None:
        start = declared.end()
        encoding = (declared[1] or declared[2] or b"utf-8").lower()
        if encoding != b"utf-8":
            raise SamlRefused("saml_malformed", because="not UTF-8", found=encoding.decode("ascii"))
    # In well-formed XML "<!" begins a comment, a document type or a CDATA section, and "<?" an instruction.
    if xml.find(b"<!", start) >= 0 or xml.find(b"<?", start) >= 0:
        raise SamlRefused("saml_xml_forbidden", because="a comment, document type, section or instruction")
    if _ENTITY.search(xml, start):
        raise SamlRefused("saml_xml_forbidden", because="an entity")
    if _LONG_PREFIX.search(xml, start):
        raise SamlRefused("saml_xml_forbidden", because="a prefix out of proportion")
    for namespace in _NAMESPACE.finditer(xml, start):
        if not _ABSOLUTE.fullmatch(namespace[1] or namespace[2] or b""):
            raise SamlRefused("saml_xml_forbidden", because="a namespace that is no absolute address")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _is_blank(text: str | None) -> bool:
    return text is None or not text.strip(" \t\r\n")

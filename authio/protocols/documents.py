"""From whatever was uploaded or pasted to one parsed XML tree, or to the name of what it is instead.

Everything is decided before an entity could be expanded or an address fetched.
"""

from __future__ import annotations

import json
import re

from lxml import etree

from authio.protocols.addresses import tidy
from authio.protocols.findings import Finding, Refused
from authio.protocols.reasons import noticed

MAX_BYTES = 1_048_576
MAX_DEPTH = 32

_BINARY = (
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1f\x8b", "gzip archive"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"\xd0\xcf\x11\xe0", "Office document"),
)
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DECLARED = re.compile(rb"\A\s{0,64}<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_DECODERS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    # A declaration that could be read byte by byte says something false here: the bytes decide.
    "utf-16": "utf-8",
    "utf-16le": "utf-8",
    "utf-16be": "utf-8",
}
_XML_DECLARATION = re.compile(r"\A<\?xml\s[^>]{0,400}\?>")
_ONE_ADDRESS = re.compile(r"https?://[^\s<>]{1,2000}", re.IGNORECASE)
_WEB_PAGE = re.compile(
    r"<(?:!doctype\s{1,40}html|(?:html|head|body|script|title|meta|div|pre|p)[\s>/])", re.IGNORECASE
)
_PEM = re.compile(r"-----BEGIN (?P<kind>[A-Z0-9 ]{1,40})-----")
_TOO_DEEP = "/" + "/".join("*" * (MAX_DEPTH + 1))


def read_text(document: bytes | str) -> str:
    """The document's characters without outer blanks, or :class:`Refused` with what it is instead."""
    size = len(document) if isinstance(document, bytes) else len(document.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise Refused([noticed("too_large")])
    text = tidy(_decoded(document) if isinstance(document, bytes) else document)
    if not text:
        raise Refused([noticed("empty")])
    mistaken = _something_else(text)
    if mistaken is not None:
        raise Refused([mistaken])
    return text


def read_xml(document: bytes | str) -> etree._Element:
    """The root of the document: no DTD, no comments, at most :data:`MAX_DEPTH` levels deep."""
    text = read_text(document)
    body = _XML_DECLARATION.sub("", text, count=1).lstrip()
    prolog = _after_prolog(body)
    if _WEB_PAGE.match(prolog):
        raise Refused([noticed("html_page")])
    # A document type declaration can stand nowhere but here, so this look decides for every encoding.
    if prolog.startswith("<!DOCTYPE"):
        raise Refused([noticed("dtd_forbidden")])
    root = _parsed(body)
    if etree.QName(root).localname.lower() == "html":
        raise Refused([noticed("html_page")])
    return root


def _decoded(document: bytes) -> str:
    for magic, kind in _BINARY:
        if document.startswith(magic):
            raise Refused([noticed("not_xml", found=kind)])
    if document[:1] == b"\x30" and document[1:2] in (b"\x82", b"\x81"):
        raise Refused([noticed("certificate_not_metadata")])
    encoding = next((encoding for bom, encoding in _BOMS if document.startswith(bom)), None)
    if encoding is None:
        declared = _DECLARED.match(document)
        name = declared[1].decode("ascii").lower() if declared else "utf-8"
        encoding = _DECODERS.get(name)
        if encoding is None:
            raise Refused([noticed("unsupported_encoding", found=name)])
    try:
        text = document.decode(encoding)
    except UnicodeDecodeError:
        raise Refused([noticed("malformed_xml")]) from None
    if "\x00" in text:
        raise Refused([noticed("not_xml" if "<" not in text[:64] else "unsupported_encoding")])
    return text


def _something_else(text: str) -> Finding | None:
    start = text[:400]
    pem = _PEM.match(text)
    if pem:
        secret = "PRIVATE KEY" in pem["kind"]
        return noticed("private_key" if secret else "certificate_not_metadata")
    if _ONE_ADDRESS.fullmatch(text):
        return noticed("url_in_xml_box", found=text)
    if text[0] in '{["':
        return noticed("oidc_document" if _names_an_issuer(text) else "not_xml")
    if start.startswith("&lt;"):
        return noticed("html_escaped")
    if start.startswith("This XML file does not appear") or re.match(r"-\s{0,8}<", start):
        return noticed("browser_view_copied")
    return None if start.startswith("<") else noticed("not_xml")


def _names_an_issuer(text: str) -> bool:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "issuer" in document


def _after_prolog(body: str) -> str:
    """What follows leading comments and processing instructions: the doctype or the root element."""
    position = 0
    while True:
        while position < len(body) and body[position].isspace():
            position += 1
        if body.startswith("<!--", position):
            end, closing = body.find("-->", position + 4), 3
        elif body.startswith("<?", position):
            end, closing = body.find("?>", position + 2), 2
        else:
            return body[position : position + 200]
        if end < 0:
            return ""
        position = end + closing


def _parsed(body: str) -> etree._Element:
    # Encoded here, and the encoding forced on the parser: it meets exactly the characters judged above.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
        recover=False,
    )
    try:
        root = etree.fromstring(body.encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        # libxml2 gives up by itself at 256 levels, long after our own limit.
        deep = "depth" in (error.msg or "").lower()
        line, column = error.position
        raise Refused(
            [noticed("too_deep" if deep else "malformed_xml", found=f"line {line}, column {column}")]
        ) from None
    except (ValueError, UnicodeEncodeError):
        raise Refused([noticed("malformed_xml")]) from None
    if root.getroottree().docinfo.doctype:
        raise Refused([noticed("dtd_forbidden")])
    if root.xpath(_TOO_DEEP):
        raise Refused([noticed("too_deep")])
    return root

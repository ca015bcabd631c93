"""SEC-21: one hardened parse, and a name for everything that is not the document."""

from __future__ import annotations

import contextlib
import gzip
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authio.protocols.documents import MAX_BYTES, MAX_DEPTH, read_text, read_xml
from authio.protocols.findings import Refused

DECLARED = '<?xml version="1.0" encoding="{}"?>\n<a>é</a>'


def refused(document: bytes | str) -> str:
    with pytest.raises(Refused) as found:
        read_xml(document)
    assert len(found.value.findings) == 1
    assert found.value.findings[0].is_error
    return found.value.findings[0].code


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE a><a/>",
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "https://attacker.example/a.dtd"><a/>',
        '<?xml version="1.0"?>\n<!-- a --><?b c?>\n<!DOCTYPE a><a/>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><a/>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", None])
def test_SEC_21_every_document_type_is_refused_in_every_encoding(document: str, encoding: str | None) -> None:
    if encoding is None:
        assert refused(document) == "dtd_forbidden"
    elif encoding == "utf-16-be":
        assert refused(b"\xfe\xff" + document.encode(encoding)) == "dtd_forbidden"
    else:
        assert refused(document.encode(encoding)) == "dtd_forbidden"


def test_SEC_21_entities_are_never_expanded() -> None:
    bomb = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 20))
    started = time.monotonic()

    assert refused(f'<!DOCTYPE a [<!ENTITY l0 "ha">{bomb}]><a b="&l19;">&l19;</a>') == "dtd_forbidden"
    assert time.monotonic() - started < 0.5


def test_SEC_21_a_doctype_elsewhere_is_no_xml() -> None:
    assert refused("<a><!DOCTYPE a></a>") == "malformed_xml"
    assert refused("<a/><!DOCTYPE a>") == "malformed_xml"


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 100, 300, 20_000])
def test_SEC_21_deep_documents_are_refused_as_deep(depth: int) -> None:
    assert refused("<a>" * depth + "</a>" * depth) == "too_deep"


def test_SEC_21_the_deepest_document_allowed_is_read() -> None:
    assert read_xml("<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH).tag == "a"


def test_SEC_21_one_byte_too_many_is_too_large() -> None:
    fits = b"<a>" + b" " * (MAX_BYTES - 7) + b"</a>"
    assert read_xml(fits).tag == "a"
    assert refused(fits + b" ") == "too_large"
    assert refused("é" * (MAX_BYTES // 2 + 1)) == "too_large"


def test_SEC_21_no_stylesheet_and_no_inclusion_is_followed() -> None:
    root = read_xml(
        '<?xml-stylesheet type="text/xsl" href="https://attacker.example/x.xsl"?>'
        '<a xmlns:xi="http://www.w3.org/2001/XInclude">'
        '<xi:include href="file:///etc/passwd" parse="text"/></a>'
    )
    assert root[0].tag == "{http://www.w3.org/2001/XInclude}include"
    assert root.getprevious() is None


def test_comments_leave_no_seam_in_the_text() -> None:
    assert read_xml("<a>one<!-- x -->two<?pi y?></a>").text == "onetwo"


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (DECLARED.format("UTF-8").encode(), "é"),
        (DECLARED.format("iso-8859-1").encode("latin-1"), "é"),
        (DECLARED.format("Windows-1252").encode("cp1252"), "é"),
        (DECLARED.format("UTF-16").encode("utf-16"), "é"),
        (b"\xff\xfe" + DECLARED.format("UTF-16").encode("utf-16-le"), "é"),
        (DECLARED.format("UTF-8").encode("utf-8-sig"), "é"),
        (DECLARED.format("UTF-16"), "é"),
        (DECLARED.format("UTF-7"), "é"),
        ("\ufeff\u200b\n\t " + DECLARED.format("UTF-8") + "\u200b\n", "é"),
    ],
)
def test_bytes_are_read_by_their_mark_or_declaration_and_text_as_it_is(
    document: bytes | str, text: str
) -> None:
    assert read_xml(document).text == text


@pytest.mark.parametrize("name", ["UTF-7", "UTF-32", "EBCDIC-CP-US", "x-user-defined", "ISO-2022-JP"])
def test_SEC_21_other_encodings_are_refused(name: str) -> None:
    assert refused(DECLARED.format(name).encode()) == "unsupported_encoding"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "empty"),
        ("\ufeff \n", "empty"),
        (b"PK\x03\x04...", "not_xml"),
        (gzip.compress(b"<a/>", mtime=0), "not_xml"),
        (b"%PDF-1.7", "not_xml"),
        (b"\x30\x82\x03\xb6\x30\x82", "certificate_not_metadata"),
        ("-----BEGIN CERTIFICATE-----\nMIID", "certificate_not_metadata"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE", "private_key"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "private_key"),
        ("https://idp.example/metadata", "url_in_xml_box"),
        (b"\n https://idp.example/metadata \n", "url_in_xml_box"),
        ('{"issuer": "https://op.example"}', "oidc_document"),
        ('{"keys": []}', "not_xml"),
        ("[" * 100_000, "not_xml"),
        ("&lt;EntityDescriptor&gt;", "html_escaped"),
        ("This XML file does not appear to have any style information\n<a/>", "browser_view_copied"),
        ("- <a>\n", "browser_view_copied"),
        ("<!doctype HTML><html></html>", "html_page"),
        ("<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' ''><html/>", "html_page"),
        ("<!-- saved --><HTML><body>", "html_page"),
        ('<?xml version="1.0"?><x:html xmlns:x="http://www.w3.org/1999/xhtml"/>', "html_page"),
        ("Dear customer, <a/>", "not_xml"),
        ("<a/> Regards", "malformed_xml"),
        ("<a>", "malformed_xml"),
        ("<a b='&'/>", "malformed_xml"),
        ("<a>\ud800</a>", "malformed_xml"),
        (b"<a>\xe9</a>", "malformed_xml"),
        ("<!--", "malformed_xml"),
    ],
)
def test_what_it_is_instead_is_named(document: bytes | str, code: str) -> None:
    assert refused(document) == code


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400), st.text(max_size=400), st.text("<>!-[]?&;DOCTYPEahtml \n'\"", max_size=80)
    )
)
def test_SEC_21_anything_is_read_or_refused_and_nothing_else(document: bytes | str) -> None:
    with contextlib.suppress(Refused):
        assert read_xml(document).getroottree().docinfo.doctype == ""


def test_text_is_handed_back_whole() -> None:
    assert read_text("  <a>\n</a>  ") == "<a>\n</a>"

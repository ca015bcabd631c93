"""Fills in a page's forms as a browser does: every field goes along, in the encoding the form asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from lxml import html

_BOUNDARY = "authio-bench-boundary-5f3a"
_FILE = object()


@dataclass(frozen=True)
class Form:
    """One form of a page, found by its ``data-form``."""

    action: str
    multipart: bool
    fields: Mapping[str, object]

    def body(self, answers: Mapping[str, str]) -> tuple[str, bytes]:
        """Media type and bytes of the form with *answers* in it; what it had in other fields stays."""
        fields = {**self.fields, **answers}
        if not self.multipart:
            texts = {name: value for name, value in fields.items() if isinstance(value, str)}
            return "application/x-www-form-urlencoded", urlencode(texts).encode()
        parts = [_part(name, value) for name, value in fields.items()]
        return f"multipart/form-data; boundary={_BOUNDARY}", b"".join(
            [*parts, f"--{_BOUNDARY}--\r\n".encode()]
        )


def find(page: bytes, name: str, *, address: str) -> Form:
    """The form called *name* on the *page* that was got from *address*; LookupError if there is none."""
    found = html.document_fromstring(page.decode()).xpath("//form[@data-form=$name]", name=name)
    if not found:
        raise LookupError(f"there is no form {name!r} on the page {urlsplit(address).path.split('/apl_')[0]}")
    form = found[0]
    fields: dict[str, object] = {}
    for field in form.xpath(".//input[@name] | .//textarea[@name] | .//select[@name]"):
        kind = field.get("type", "text") if field.tag == "input" else field.tag
        if kind in {"submit", "button", "checkbox", "radio"} and not field.get("checked"):
            continue
        fields[field.get("name")] = _FILE if kind == "file" else (field.value or "")
    return Form(
        action=urlsplit(form.get("action") or address).path,
        multipart=form.get("enctype") == "multipart/form-data",
        fields=fields,
    )


def _part(name: str, value: object) -> bytes:
    if value is _FILE:
        head, content = f'name="{name}"; filename=""\r\nContent-Type: application/octet-stream', b""
    else:
        # Browsers send line ends of text areas as CRLF.
        head, content = f'name="{name}"', str(value).replace("\r\n", "\n").replace("\n", "\r\n").encode()
    return f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
